package ncloudmailer_test

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
)

// mailer is a small Outbound Mailer. It checks each request's signature with
// its own code, takes the forms of createFile, and hands every other request to
// answer.
type mailer struct {
	URL string

	mu       sync.Mutex
	answer   http.HandlerFunc // replaces the answer to a request with a good signature
	requests []received
}

// received is a request as it came.
type received struct {
	method, uri string
	header      http.Header
	length      int64
	chunked     bool
	parts       []received // of a form
	name        string     // of a part, directories included
	body        string
}

func newMailer(t *testing.T) *mailer {
	m := &mailer{}
	ts := httptest.NewServer(m)
	t.Cleanup(ts.Close)
	m.URL = ts.URL
	return m
}

func (m *mailer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got := received{method: r.Method, uri: r.RequestURI, header: r.Header, length: r.ContentLength,
		chunked: len(r.TransferEncoding) > 0}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // a body that breaks off gets no answer
	}
	got.body = string(body)
	if got.parts, err = partsOf(r.Header.Get("Content-Type"), got.body); err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	m.mu.Lock()
	m.requests = append(m.requests, got)
	answer := m.answer
	m.mu.Unlock()
	if err := signedWell(r); err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	w.Header().Set("x-ncp-trace-id", "trace-1")
	if answer != nil {
		answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	io.WriteString(w, listed(got.parts))
}

// signedWell checks signature version 2 as NAVER documents it. It does not use
// the client's code, so that both are not wrong together.
func signedWell(r *http.Request) error {
	timestamp := r.Header.Get("x-ncp-apigw-timestamp")
	ms, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || time.Since(time.UnixMilli(ms)).Abs() > 5*time.Minute {
		return fmt.Errorf("timestamp %q", timestamp)
	}
	mac := hmac.New(sha256.New, []byte("test-secret-key"))
	fmt.Fprintf(mac, "%s %s\n%s\n%s", r.Method, r.RequestURI, timestamp, "test-access-key")
	if r.Header.Get("x-ncp-apigw-signature-v2") != base64.StdEncoding.EncodeToString(mac.Sum(nil)) ||
		r.Header.Get("x-ncp-iam-access-key") != "test-access-key" {
		return errors.New("the signature does not fit")
	}
	return nil
}

func partsOf(contentType, body string) (parts []received, err error) {
	typ, params, err := mime.ParseMediaType(contentType)
	if typ != "multipart/form-data" || err != nil {
		return nil, nil
	}
	form := multipart.NewReader(strings.NewReader(body), params["boundary"])
	for {
		part, err := form.NextRawPart()
		if err == io.EOF {
			return parts, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		_, disposition, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil {
			return nil, err
		}
		parts = append(parts,
			received{uri: disposition["name"], name: disposition["filename"], header: http.Header(part.Header),
				body: string(data)})
	}
}

// listed returns the answer to a form.
func listed(parts []received) string {
	answer := api.AttachFileList{TempRequestID: "request-99"}
	for i, p := range parts {
		answer.Files = append(answer.Files,
			api.AttachFile{FileName: p.name, FileSize: int64(len(p.body)), FileID: fmt.Sprintf("file-%d-99", i+1)})
	}
	data, _ := json.Marshal(answer)
	return string(data)
}

// answers makes handler answer every request.
func (m *mailer) answers(handler http.HandlerFunc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer = handler
}

// says makes every answer have the status and the body.
func (m *mailer) says(status int, body string) {
	m.answers(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

// took returns the requests since the last call.
func (m *mailer) took() []received {
	m.mu.Lock()
	defer m.mu.Unlock()
	requests := m.requests
	m.requests = nil
	return requests
}

// client returns a client of m that hardly waits between attempts.
func (m *mailer) client(t *testing.T, edit ...func(*upload.Config)) *ncloudmailer.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	cfg := upload.Config{
		BaseURL:    m.URL + "/api/v1",
		HTTPClient: &http.Client{Transport: transport},
		Retry:      upload.Retry{MaxWait: time.Millisecond},
	}
	for _, edit := range edit {
		edit(&cfg)
	}
	return connect(t, cfg)
}

// failure returns err as an *upload.Error, or fails the test.
func failure(t *testing.T, err error) *upload.Error {
	t.Helper()
	f, ok := errors.AsType[*upload.Error](err)
	if !ok {
		t.Fatalf("got %v, want an *upload.Error", err)
	}
	return f
}

func TestUploadSendsOneSignedFormOfExactLength(t *testing.T) {
	m := newMailer(t)
	before := time.Now()
	res, err := m.client(t).Upload(t.Context(), upload.Bytes("dir/test.txt", []byte("upload test file")))
	must(t, err)
	early, late := before.Add(24*time.Hour), time.Now().Add(24*time.Hour)
	if res.Expires.Before(early) || res.Expires.After(late) {
		t.Errorf("expires %v, want 24 hours from now", res.Expires)
	}
	if strings.Contains(res.Expires.String(), "m=") {
		t.Errorf("expires %v, which is by a clock that stands still while the machine sleeps", res.Expires)
	}
	res.Expires = time.Time{}
	if want := (upload.Result{ID: "file-1-99", Name: "test.txt", TraceID: "trace-1", Size: 16,
		TempRequestID: "request-99"}); res != want {
		t.Errorf("got  %+v\nwant %+v", res, want)
	}
	requests := m.took()
	if len(requests) != 1 {
		t.Fatalf("%d requests, want 1", len(requests))
	}
	r := requests[0]
	if r.method != "POST" || r.uri != "/api/v1/files" || r.chunked || r.length != int64(len(r.body)) {
		t.Errorf("%s %s with %d bytes declared, %d sent, chunked: %t", r.method, r.uri, r.length, len(r.body),
			r.chunked)
	}
}

// The client does not call the generated method, because that parses the
// address each time. So the two are compared here.
func TestUploadSendsWhatTheGeneratedMethodSends(t *testing.T) {
	m := newMailer(t)
	src := upload.Bytes("test.txt", []byte("upload test file"))
	if _, err := m.client(t).Upload(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	generated, err := api.NewClient(m.URL + "/api/v1")
	must(t, err)
	resp, err := generated.CreateFileWithForm(t.Context(), api.CreateFileRequest{FileList: []upload.Source{src}},
		func(_ context.Context, req *http.Request) error { testKeys.Sign(req, time.Now()); return nil })
	must(t, err)
	resp.Body.Close()
	took := m.took()
	if mine, its := took[0], took[1]; mine.method != its.method || mine.uri != its.uri || mine.length != its.length ||
		!reflect.DeepEqual(mine.parts, its.parts) {
		t.Errorf("Upload sends %+v\nand the generated method %+v", mine, its)
	}
}

func TestCreateFileSendsAndAnswersInOrder(t *testing.T) {
	m := newMailer(t)
	contents := []string{"second letter", "%PDF-1.7", "", "the same name again"}
	srcs := make([]upload.Source, len(contents))
	for i, name := range []string{"b.txt", "a.pdf", "empty", "b.txt"} {
		srcs[i] = upload.Bytes(name, []byte(contents[i]))
	}
	batch, err := m.client(t).CreateFile(t.Context(), srcs...)
	must(t, err)
	requests := m.took()
	if len(requests) != 1 || len(requests[0].parts) != len(srcs) || len(batch.Files) != len(srcs) {
		t.Fatalf("%d requests, %d results for %d sources", len(requests), len(batch.Files), len(srcs))
	}
	if batch.TempRequestID != "request-99" || batch.TraceID != "trace-1" || batch.Expires.IsZero() {
		t.Errorf("the batch is %+v", batch)
	}
	for i, src := range srcs {
		if p := requests[0].parts[i]; p.uri != "fileList" || p.name != src.Name || p.body != contents[i] ||
			p.header.Get("Content-Type") != src.ContentType {
			t.Errorf("part %d is %q with %q of %q, want %+v", i+1, p.name, p.body, p.header.Get("Content-Type"), src)
		}
		want := upload.Result{
			ID: fmt.Sprintf("file-%d-99", i+1), Name: src.Name, Size: src.Size,
			TraceID: batch.TraceID, TempRequestID: batch.TempRequestID, Expires: batch.Expires,
		}
		if batch.Files[i] != want {
			t.Errorf("result %d is %+v, want %+v", i+1, batch.Files[i], want)
		}
	}
}

// A wrong answer with status 201 must never look like a success. Asking again
// would only make orphans.
func TestCreateFileRefusesAnAnswerThatDoesNotFit(t *testing.T) {
	const one = `{"fileName":"a","fileSize":3,"fileId":"1"}`
	const two = `{"fileName":"b","fileSize":5,"fileId":"2"}`
	m := newMailer(t)
	client := m.client(t)
	srcs := []upload.Source{upload.Bytes("a", []byte("one")), upload.Bytes("b", []byte("three"))}
	for _, tc := range []struct{ what, body, says string }{
		{"fewer files", `{"tempRequestId":"r","files":[` + one + `]}`,
			"lists 1 files, and 2 were sent (tempRequestId r, fileId 1)"},
		{"no files", `{"tempRequestId":"r"}`, "lists 0 files, and 2 were sent"},
		{"another order", `{"tempRequestId":"r","files":[` + two + `,` + one + `]}`,
			"file 1 has 5 bytes, and 3 were sent"},
		{"another size", `{"tempRequestId":"r","files":[` + one + `,{"fileSize":"4","fileId":2}]}`,
			"file 2 has 4 bytes, and 5 were sent (tempRequestId r, fileId 1, fileId 2)"},
		{"a size that is none",
			`{"tempRequestId":"r","files":[` + one + `,{"fileName":"b","fileSize":"5 bytes","fileId":"2"}]}`,
			"file 2 has a fileSize that is no whole number (tempRequestId r, fileId 1, fileId 2)"},
		{"no fileId", `{"tempRequestId":"r","files":[` + one + `,{"fileName":"b","fileSize":5}]}`,
			"file 2 has no fileId (tempRequestId r, fileId 1)"},
		{"a fileId that is none", `{"tempRequestId":"r","files":[{"fileSize":3,"fileId":{}},` + two + `]}`,
			"file 1 has no fileId (tempRequestId r, fileId 2)"},
		{"an array", `[]`, "cannot be used"},
		{"null", `null`, "neither a tempRequestId nor files"},
		{"HTML", `<html>maintenance</html>`, "looking for beginning of value: <html>maintenance</html> (status"},
		{"half of it", `{"tempRequestId":"r","files":[` + one, "(tempRequestId r, fileId 1)"},
		{"one file without its list, behind much else",
			`{"tempRequestId":"r","files":{"fileName":"` + strings.Repeat("한", 300) + `","fileId":"1"}}`,
			"(tempRequestId r, fileId 1)"},
		{"all of it inside something", `{"result":{"files":[{"fileName":"` + strings.Repeat("a", 300) +
			`","fileId": 1.0}]}}`,
			"(fileId 1)"},
		{"ids without their names", `{"tempRequestId":"r","files":["1"]}`, `"files":["1"]`},
	} {
		m.says(http.StatusCreated, tc.body)
		batch, err := client.CreateFile(t.Context(), srcs...)
		f := failure(t, err)
		if !errors.Is(f, upload.ErrUnavailable) || f.Status != 201 || f.TraceID != "trace-1" ||
			f.Op != "createFile" || f.Attempts != 1 {
			t.Errorf("%s: %+v, want upload.ErrUnavailable with status and trace id after one attempt", tc.what, f)
		}
		if !strings.Contains(f.Error(), tc.says) {
			t.Errorf("%s: %q does not say %q", tc.what, f, tc.says)
		}
		if strings.Contains(tc.says, "fileId 1") && strings.Contains(f.Error(), `":`) {
			t.Errorf("%s: %q repeats the answer beside its ids", tc.what, f)
		}
		if batch.TempRequestID != "" || batch.Files != nil {
			t.Errorf("%s: there is a batch beside the error: %+v", tc.what, batch)
		}
		if n := len(m.took()); n != 1 {
			t.Errorf("%s: sent %d times", tc.what, n)
		}
	}
}

// The file is stored, so its id must not be lost in any spelling of the answer.
// The server may rename the file. If its answer has no name, the file keeps its
// own. Wire holds how texts and numbers may be spelled.
func TestSuccessSurvivesEverySpelling(t *testing.T) {
	m := newMailer(t)
	client := m.client(t)
	for body, want := range map[string]upload.Result{
		`{"tempRequestId":7,"files":[{"fileName":"b.txt","fileSize":3.0,"fileId":12345678901234567890}]}`: {
			ID: "12345678901234567890", TempRequestID: "7", Name: "b.txt"},
		`{"tempRequestId":null,"files":[{"fileName":null,"fileSize":null,"fileId":"1"}]}`: {ID: "1"},
		`{"TempRequestID":"r","FILES":[{"fileid":"1","FileName":{"a":1},"fileSize":3}]}`: {ID: "1",
			TempRequestID: "r"},
		`{"tempRequestId":"r","files":[{"fileName":"","fileId":"1"}]}`: {ID: "1",
			TempRequestID: "r"},
	} {
		m.says(http.StatusCreated, body)
		res, err := client.Upload(t.Context(), upload.Bytes(`dir\a`, []byte("one")))
		if err != nil || res.ID != want.ID || res.TempRequestID != want.TempRequestID ||
			res.Name != cmp.Or(want.Name, "a") || res.Size != 3 {
			t.Errorf("%s\nbecame %+v, %v", body, res, err)
		}
	}
}

func TestSourceThatCannotBeSentIsRefusedUnsent(t *testing.T) {
	m := newMailer(t)
	client := m.client(t)
	good := upload.Bytes("good", []byte("x"))
	for what, srcs := range map[string][]upload.Source{
		"none at all":        nil,
		"one bad among good": {good, {Name: "a"}, good},
		"one gone among good": {good,
			{Name: "a", Size: 1, Open: func() (io.ReadCloser, error) { return nil, io.ErrClosedPipe }}},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := client.CreateFile(t.Context(), srcs...)
			for _, r := range m.took() {
				t.Errorf("sent %q", r.body)
			}
			if f := failure(t, err); !errors.Is(f, upload.ErrInvalid) || f.Provider != "ncloudmailer" ||
				f.Op != "createFile" {
				t.Errorf("%v, want upload.ErrInvalid", f)
			}
		})
	}
}

func TestGetFileAndDeleteFileListTheBatch(t *testing.T) {
	m := newMailer(t)
	m.says(http.StatusOK,
		`{"tempRequestId":"request-99","files":[{"fileName":"b","fileSize":5,"fileId":"2"},`+
			`{"fileName":"a","fileSize":3,"fileId":"1"}]}`)
	client := m.client(t)
	for method, call := range map[string]func(context.Context, string) (ncloudmailer.Batch, error){
		"GET": client.GetFile, "DELETE": client.DeleteFile,
	} {
		batch, err := call(t.Context(), "request-99")
		must(t, err)
		r := m.took()[0]
		if r.method != method || r.uri != "/api/v1/files/request-99" || r.body != "" {
			t.Errorf("%s %s with the body %q", r.method, r.uri, r.body)
		}
		if batch.TempRequestID != "request-99" || batch.TraceID != "trace-1" || !batch.Expires.IsZero() {
			t.Errorf("%s: %+v", method, batch)
		}
		want := []upload.Result{
			{ID: "2", Name: "b", Size: 5, TraceID: "trace-1", TempRequestID: "request-99"},
			{ID: "1", Name: "a", Size: 3, TraceID: "trace-1", TempRequestID: "request-99"},
		}
		if !slices.Equal(batch.Files, want) {
			t.Errorf("%s: %+v, want %+v", method, batch.Files, want)
		}
	}
}

// An id is one segment of the path, whatever characters it has. The signature
// covers the path as it is sent.
func TestIDsOfAnyKindNameTheirOwnResource(t *testing.T) {
	m := newMailer(t)
	var seen string
	m.answers(func(w http.ResponseWriter, r *http.Request) { // no ServeMux: it does not match the segment %2F
		segments := strings.Split(r.RequestURI, "/")
		if len(segments) == 5 {
			seen, _ = url.PathUnescape(segments[4])
		}
		io.WriteString(w, `{"tempRequestId":"r","files":[]}`)
	})
	client := m.client(t)
	for _, id := range []string{
		"f355aac1-7776-4c0b-8484-20eaa065cb65-99",
		"a/b", "/", "//", "a/../b", "../files", "a/.", "./a", "...", ".a", "a.", "a..b",
		"a b", " ", "a\\b", "a%2Fb", "%2e%2e", "%", "a?b=c", "a#b", "a;b", "a+b", "a&b", "a:b", "a@b", "a\"b", "a\nb",
		"아이디", "\x00",
	} {
		for method, call := range map[string]func(context.Context, string) (ncloudmailer.Batch, error){
			"GET": client.GetFile, "DELETE": client.DeleteFile,
		} {
			seen = ""
			_, err := call(t.Context(), id)
			if r := m.took(); err != nil || seen != id || len(r) != 1 || r[0].method != method {
				t.Errorf("%s %q: the server saw %q: %v", method, id, seen, err)
			}
		}
	}
}

func TestIDsThatNameAnotherResourceAreRefusedUnsent(t *testing.T) {
	m := newMailer(t)
	client := m.client(t)
	for _, id := range []string{"", ".", ".."} {
		for op, call := range map[string]func(context.Context, string) (ncloudmailer.Batch, error){
			"getFile": client.GetFile, "deleteFile": client.DeleteFile,
		} {
			_, err := call(t.Context(), id)
			if f := failure(t, err); !errors.Is(f, upload.ErrInvalid) || f.Op != op {
				t.Errorf("%s %q: %v, want upload.ErrInvalid", op, id, f)
			}
			if n := len(m.took()); n != 0 {
				t.Errorf("%s %q was sent", op, id)
			}
		}
	}
}

func TestZeroConfigMeansKorea(t *testing.T) {
	var asked string
	hc := standintest.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		io.WriteString(w, `{"tempRequestId":"r"}`)
	}))
	client := connect(t, upload.Config{HTTPClient: hc})
	if _, err := client.GetFile(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if want := "https://mail.apigw.ntruss.com/api/v1/files/r"; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
}

func TestNewRefusesWhatCannotBeUsed(t *testing.T) {
	header := func(name string) upload.Config { return upload.Config{Header: http.Header{name: {"x"}}} }
	for _, tc := range []struct {
		what string
		keys ncloudmailer.Credentials
		cfg  upload.Config
		says string
	}{
		{"no access key", ncloudmailer.Credentials{SecretKey: "s3cret-s3cret"}, upload.Config{}, "AccessKey"},
		{"no secret key", ncloudmailer.Credentials{AccessKey: "acc3ss-acc3ss"}, upload.Config{}, "SecretKey"},
		{"the timestamp", testKeys, header("x-ncp-apigw-timestamp"), "X-Ncp-Apigw-Timestamp"},
		{"the access key", testKeys, header("X-NCP-IAM-Access-Key"), "X-Ncp-Iam-Access-Key"},
		{"the signature", testKeys, header("x-ncp-apigw-signature-v2"), "X-Ncp-Apigw-Signature-V2"},
	} {
		client, err := ncloudmailer.New(tc.keys, tc.cfg)
		if !errors.Is(err, upload.ErrInvalid) || client != nil {
			t.Errorf("%s: %v, want upload.ErrInvalid", tc.what, err)
			continue
		}
		text := err.Error()
		if !strings.Contains(text, tc.says) || !strings.HasPrefix(text, "ncloudmailer: ") ||
			strings.Contains(text, "\n") {
			t.Errorf("%s: %q does not say %q in one line", tc.what, text, tc.says)
		}
		if strings.Contains(text, "s3cret") || strings.Contains(text, "acc3ss") {
			t.Errorf("%s: %q shows a secret", tc.what, text)
		}
	}
}
