package uploadtest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"runtime"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// post is a request with the key, sent by a client that follows no redirect.
func post(t *testing.T, method, address, contentType string, body io.Reader) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if strings.Contains(address, "/v2/") {
		req.Header.Set("X-Depot-Key", lab.DepotKey)
	}
	resp, err := (&http.Client{CheckRedirect: func(*http.Request,
		[]*http.Request) error {
		return http.ErrUseLastResponse
	}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// aForm is a form of files, each a name and a content.
func aForm(files ...string) (contentType string, body *bytes.Buffer) {
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for i := 0; i < len(files); i += 2 {
		p, _ := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="file"; filename="` + files[i] + `"`},
			"Content-Type":        {"text/plain"},
		})
		_, _ = io.WriteString(p, files[i+1])
	}
	w.Close()
	return w.FormDataContentType(), body
}

// sendForm sends a form with the key, and returns an error if no answer comes.
func sendForm(srv *Server, contentType string, body io.Reader, size int64) error {
	req, _ := http.NewRequest("POST", srv.BaseURL+"/forms", body)
	req.ContentLength = size
	req.Header = http.Header{"Content-Type": {contentType}, "X-Depot-Key": {lab.DepotKey}}
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

// A file is received whichever way it comes, unless it was refused.
func TestTheFilesThatWereReceivedAreListed(t *testing.T) {
	for what, c := range map[string]struct {
		send func(*Server)
		ops  string
		want []File
	}{
		"in a form": {func(srv *Server) {
			typ, body := aForm(`dir\일.txt`, "first")
			post(t, "POST", srv.BaseURL+"/forms", typ, body)
		}, "[submit]", []File{{Field: "file", Name: `dir\일.txt`, ContentType: "text/plain", Size: 5,
			SHA256: payload.Sum([]byte("first")), Body: []byte("first")}}},
		"at a presigned URL": {func(srv *Server) {
			resp := post(t, "POST", srv.BaseURL+"/objects", "application/json",
				strings.NewReader(`{"contentType":"text/csv"}`))
			post(t, "PUT", answerOf(t, resp, "uploadUrl"), "text/csv", strings.NewReader(""))
		}, "[announce presigned]", []File{{ContentType: "text/csv", SHA256: payload.Sum(nil)}}},
		"refused": {func(srv *Server) {
			typ, body := aForm("a.txt", "a", "b.txt", "b") // the depot takes one
			post(t, "POST", srv.BaseURL+"/forms", typ, body)
			if r := srv.Requests()[0]; len(r.Files) != 2 || r.Files[1].Name != "b.txt" || r.Status != 400 ||
				r.Method != "POST" || r.URI != "/v2/forms" || r.Header.Get("X-Depot-Key") != lab.DepotKey ||
				r.Size < 100 {
				t.Errorf("the request is %+v", r)
			}
		}, "[submit]", nil},
	} {
		srv := Serve(t, lab.NewDepot(), lab.DepotSpec)
		c.send(srv)
		if got := srv.Files(); fmt.Sprint(got) != fmt.Sprint(c.want) || fmt.Sprint(opsOf(srv.Requests())) != c.ops {
			t.Errorf("%s: got %+v by %v, want %+v", what, got, opsOf(srv.Requests()), c.want)
		}
	}
}

func answerOf(t *testing.T, resp *http.Response, name string) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range contract.Members(body) {
		if m.Name == name {
			return m.Value
		}
	}
	t.Fatalf("no %s in %d %s", name, resp.StatusCode, body)
	return ""
}

// pattern is an endless stream that is made as it is read.
type pattern struct{ n int }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.n + i*7)
	}
	p.n++
	return len(b), nil
}

func TestLargeBodiesAreNotHeld(t *testing.T) {
	const size = 96 << 20
	taken := http.NewServeMux()
	taken.HandleFunc("POST /v2/forms", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Depot-Left", "1")
		w.WriteHeader(201)
		fmt.Fprint(w, `{"id":"o-1","name":"large.bin","size":1}`)
	})
	srv := Serve(t, taken, lab.DepotSpec)
	typ, frame := aForm("large.bin", "")
	cut := bytes.LastIndex(frame.Bytes(), []byte("\r\n--"))
	head, tail := frame.Bytes()[:cut], frame.Bytes()[cut:]
	sum := sha256.New()
	body := io.MultiReader(bytes.NewReader(head), io.TeeReader(io.LimitReader(&pattern{}, size), sum),
		bytes.NewReader(tail))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := sendForm(srv, typ, body, size+int64(frame.Len())); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > size/3 {
		t.Errorf("%d bytes were allocated for a file of %d", grown, size)
	}
	f := srv.Files()
	if len(f) != 1 || f[0].Size != size || f[0].SHA256 != hex.EncodeToString(sum.Sum(nil)) ||
		len(f[0].Body) != contract.Keep {
		t.Errorf("the file was not looked at to its end")
	}
}

func TestBodiesStreamThrough(t *testing.T) {
	begun := make(chan string)
	srv := Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 5)
		_, _ = io.ReadFull(r.Body, b)
		begun <- string(b)
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(400)
	}), lab.DepotSpec)
	typ, body := aForm("a.txt", strings.Repeat("x", 1000))
	size, first := int64(body.Len()), body.Next(5)
	r, w := io.Pipe()
	go func() {
		_, _ = w.Write(first)
		if got := <-begun; got != string(first) { // before the rest is sent
			t.Errorf("the handler got %q", got)
		}
		_, _ = io.Copy(w, body)
		w.Close()
	}()
	if err := sendForm(srv, typ, r, size); err != nil {
		t.Fatal(err)
	}
}

func TestResets(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault Fault
		read  func(size, length int64) bool
		kept  int
	}{
		{"before", ResetBefore, func(size, _ int64) bool { return size == 0 }, 0},
		{"middle", ResetMiddle, func(size, length int64) bool { return size > 0 && size < length }, 0},
		{"after", ResetAfter, func(size, length int64) bool { return size == length }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := lab.NewDepot()
			no400 := bytes.ReplaceAll(lab.DepotSpec, []byte("\n        '400': {description: Refused without a word.}"),
				nil)
			srv := Serve(t, d, no400) // nobody gets the answer to a torn body
			srv.Inject("submit", 1, c.fault)
			typ, body := aForm("a.txt", strings.Repeat("x", 10000))
			length := int64(body.Len())
			if sendForm(srv, typ, body, length) == nil {
				t.Fatal("it was answered")
			}
			srv.quiet()
			r := srv.Requests()
			if len(r) != 1 || r[0].Status != 0 || !c.read(r[0].Size, length) {
				t.Errorf("%d requests, the first of %d bytes answered %d", len(r), r[0].Size, r[0].Status)
			}
			if d.Count() != c.kept {
				t.Errorf("%d files are stored, want %d", d.Count(), c.kept)
			}
		})
	}
}

func TestViolationsOfServe(t *testing.T) {
	grant := "uploadUrl"
	for _, c := range []struct {
		name string
		send func(t *testing.T, srv *Server)
		want string
	}{
		{"another path", func(t *testing.T, srv *Server) {
			post(t, "GET", srv.URL+"/health?secret=1", "text/plain", nil)
		},
			"Depot: no operation: request address: neither an operation of the spec nor, byte for byte, a URL that " +
				"an answer handed out (GET /health)"},
		{"another method", func(t *testing.T, srv *Server) {
			post(t, "PUT", srv.BaseURL+"/forms", "text/plain", strings.NewReader("x"))
		}, "Depot: no operation: request address"},
		{"a token call without a grant type", func(t *testing.T, srv *Server) {
			post(t, "POST", srv.URL+"/oauth/token", "application/x-www-form-urlencoded",
				strings.NewReader("client_id=1"))
		}, "Depot: token: token request: the form has no grant_type (RFC 6749, 4.4.2) (POST /oauth/token)"},
		{"a token call with a query", func(t *testing.T, srv *Server) {
			post(t, "POST", srv.URL+"/oauth/token?client_secret=hush", "application/x-www-form-urlencoded",
				strings.NewReader("grant_type=client_credentials"))
		}, "Depot: token: token request: the address has a query"},
		{"a presigned step after a redirect", func(t *testing.T, srv *Server) {
			address := answerOf(t, post(t, "POST", srv.BaseURL+"/objects", "application/json",
				strings.NewReader(`{"contentType":"text/csv"}`)), grant)
			srv.Inject(Presigned, 1, Answer(307, "", "Location", "/store/elsewhere?signature=s"))
			to, _ := post(t, "PUT", address, "text/csv", strings.NewReader("1")).Location()
			post(t, "PUT", to.String(), "text/html", strings.NewReader("1"))
		}, `Depot: presigned: presigned media type: Content-Type "text/html", but ` +
			`"text/csv" was announced (PUT /store/elsewhere)`},
		{"a method that needs a length", func(t *testing.T, srv *Server) {
			post(t, "POST", srv.BaseURL+"/forms", "text/plain", io.MultiReader(strings.NewReader("x")))
		}, "Depot: submit: request length: chunked: the length of the body is not stated (POST /v2/forms)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines := lab.Recorded(t, func(tb testing.TB) { c.send(t, Serve(tb, lab.NewDepot(), lab.DepotSpec)) })
			lab.Named(t, lines, c.want)
			for _, line := range lines {
				if strings.Contains(line, "hush") || strings.Contains(line, "secret") {
					t.Errorf("a query is shown: %s", line)
				}
			}
		})
	}
}

func TestTheSameViolationIsReportedOnce(t *testing.T) {
	for name, path := range map[string]string{"no operation": "/nowhere?",
		"an operation with an id": "/v2/objects/o-"} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			srv := Serve(tb, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(500)
			}), lab.DepotSpec)
			for i := range 3 {
				post(t, "GET", srv.URL+path+fmt.Sprint(i), "", nil)
			}
		})
		if len(lines) != 1 {
			t.Errorf("%s: got %q", name, lines)
		}
	}
}

// Kin-openapi does not check these rules of a form.
func TestAFormIsHeldToItsFields(t *testing.T) {
	part := func(disposition, typ string) func(w *multipart.Writer) {
		return func(w *multipart.Writer) {
			header := textproto.MIMEHeader{"Content-Disposition": {"form-data; " + disposition}}
			if typ != "" {
				header.Set("Content-Type", typ)
			}
			p, _ := w.CreatePart(header)
			facts := map[string]string{"application/json": `{"place":"attic"}`}
			_, _ = io.WriteString(p, cmp.Or(facts[typ], "some text"))
		}
	}
	label, paper := part(`name="label"`, ""), part(`name="papers"; filename="a.txt"`, "text/plain")
	for what, c := range map[string]struct {
		parts []func(*multipart.Writer)
		want  string
	}{
		"a good one": {[]func(*multipart.Writer){label, paper, paper}, ""},
		"JSON in a file, as browsers send it": {[]func(*multipart.Writer){label, paper,
			part(`name="facts"; filename="blob"`, "application/json")}, ""},
		"a file without a name": {[]func(*multipart.Writer){label, part(`name="papers"`, "text/plain")},
			`part 2: the field "papers" is a file, and the part has no file name`},
		"a text in a file": {[]func(*multipart.Writer){part(`name="label"; filename="l.txt"`, "text/plain"), paper},
			`part 1: the field "label" is a text, and the part has a file name`},
		"a value twice": {[]func(*multipart.Writer){label, paper, label},
			`part 3: the field "label" has one value, and this is another`},
	} {
		t.Run(what, func(t *testing.T) {
			var b bytes.Buffer
			w := multipart.NewWriter(&b)
			for _, write := range c.parts {
				write(w)
			}
			w.Close()
			lines := lab.Recorded(t, func(tb testing.TB) {
				srv := Serve(tb, lab.NewShelf(), []byte(lab.ShelfSpec))
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.BaseURL+"/boxes", &b)
				req.Header.Set("Content-Type", w.FormDataContentType())
				lab.WithKey(req)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			})
			lab.Matched(t, lines, c.want)
		})
	}
}

func TestASpecThatIsNone(t *testing.T) {
	client := &http.Client{Transport: &Check{Spec: []byte("openapi: 3.0.3")}}
	if _, err := client.Get("http://127.0.0.1:1/"); err == nil {
		t.Error("a check without a contract lets everything pass")
	}
	lines := lab.Recorded(t, func(tb testing.TB) { Serve(tb, lab.NewDepot(), []byte("{")) })
	lab.Named(t, lines, "uploadtest: the spec cannot be used: line 1: ")
	idle := "openapi: 3.0.3\ninfo: {title: x, version: '1'}\nservers: [{url: /v1}]\npaths: {/a: {get: " +
		"{responses: {'200': {description: x}}}}}"
	lines = lab.Recorded(t, func(tb testing.TB) { Serve(tb, lab.NewDepot(), []byte(idle)) })
	lab.Named(t, lines, "uploadtest: the spec cannot be used: at /paths: no operation takes a file or hands out a "+
		"URL for one")
}
