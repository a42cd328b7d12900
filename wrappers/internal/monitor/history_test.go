package monitor

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/specs"
	"github.com/putpost/putpost/wrappers/internal/contract"
)

func TestEachPartOfAnExchangeCountsAgainstTheHistory(t *testing.T) {
	const long = 5000
	text, texts := strings.Repeat("x", long), slices.Repeat([]string{"x"}, 500)
	file := func(f contract.File) Exchange { return Exchange{Files: []contract.File{f}} }
	violation := func(v contract.Violation) Exchange { return Exchange{Violations: []contract.Violation{v}} }
	for name, x := range map[string]Exchange{
		"path": {Path: text}, "path beside a header": {Path: text, Header: http.Header{"A": nil}},
		"URI": {URI: text}, "refusal": {Refusal: text}, "trace id": {TraceID: text},
		"body": {Body: []byte(text)}, "answer": {Answer: []byte(text)},
		"a long id": {FileIDs: []string{text}}, "many ids": {FileIDs: texts},
		"many files": {Files: make([]contract.File, 20)}, "a file's name": file(contract.File{Name: text}),
		"a file's type": file(contract.File{ContentType: text}), "a file's field": file(contract.File{Field: text}),
		"a file's body":   file(contract.File{Body: []byte(text)}),
		"many violations": {Violations: make([]contract.Violation, 20)},
		"a detail":        violation(contract.Violation{Detail: text}),
		"a place":         violation(contract.Violation{At: text}),
		"a header's name": {Header: http.Header{text: nil}}, "a header": {Header: http.Header{"A": {text}}},
		"many values": {AnswerHeader: http.Header{"A": texts}}, "a field": {Fields: url.Values{"a": {text}}},
	} {
		if got := x.size(); got < long || got > 3*long {
			t.Errorf("%s of %d bytes counts as %d", name, long, got)
		}
	}
}

func TestTheHistoryIsFilledToItsBounds(t *testing.T) {
	size := (&Exchange{}).size()
	for _, cfg := range []Config{{Count: 3, Bytes: 9 * size}, {Count: 9, Bytes: 3 * size}} {
		h := &New(cfg).history
		for n := range int64(5) {
			h.add(&entry{})
			if want := min(n+1, 3); int64(len(h.entries)) != want || h.held != want*size ||
				h.entries[want-1].ID != n+1 {
				t.Errorf("%d of %d are held, with %d bytes; want %d", len(h.entries), n+1, h.held, want)
			}
		}
		h.entries[0].Over = true
		if h.forget(); len(h.entries) != 2 || h.held != 2*size {
			t.Errorf("%d are held after one is forgotten, with %d bytes", len(h.entries), h.held)
		}
	}
}

func TestACheckThatWaitsFindsWhatOneAtOnceFinds(t *testing.T) {
	text, err := specs.FS.ReadFile("ncloudmailer.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := contract.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	atOnce, waiting := New(Config{Report: func(*contract.Violation) {}}), New(Config{})
	field := func(size int) string {
		return "--b\r\nContent-Disposition: form-data; name=note\r\n\r\n" + strings.Repeat("x", size) + "\r\n--b--"
	}
	before, waited := runtime.NumGoroutine(), 0
	for _, body := range []string{"", "--b--", "--b\r\nContent-Disposition: form-data; name=fileList; filename=a\r\n" +
		"Content-Type: text/plain\r\n\r\nx\r\n--b--", field(mostWaiting / 2), field(mostWaiting),
		"--b\r\nno colon\r\n\r\n", "{}"} {
		for _, method := range []string{"POST", "GET"} {
			for _, answer := range []string{"", "no JSON",
				`{"tempRequestId":"t-1","files":[{"fileName":"a","fileSize":1,"fileId":"f-1"}]}`,
				`{"tempRequestId":"t-1","files":[{"fileName":"a","fileSize":-1,"fileId":2}]}`} {
				for _, m := range []*Monitor{atOnce, waiting} {
					r := httptest.NewRequest(method, "/api/v1/files", strings.NewReader(body))
					r.Header.Set("Content-Length", strconv.Itoa(len(body)))
					r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
					r.Header["X-Ncp-Iam-Access-Key"] = slices.Repeat([]string{"hush"}, 1+len(body)%2)
					m.Handler("ncloudmailer", c, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						w.Header().Set("X-Ncp-Trace-Id", "t-1")
						w.Header().Set("Content-Type", "application/json")
						w.WriteHeader(http.StatusCreated)
						io.WriteString(w, answer)
					})).ServeHTTP(httptest.NewRecorder(), r)
				}
				if x := waiting.history.entries[len(waiting.history.entries)-1]; x.check != nil {
					waited++
					if n := x.check.Holds(); n > mostWaiting || n > int(x.size) {
						t.Errorf("a check waits with %d bytes of a body; %d are counted", n, x.size)
					}
				}
			}
		}
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines wait with the checks", n-before)
	}
	if waited == 0 {
		t.Error("no check waits")
	}
	first, _ := waiting.After(0, 1)
	got, want := waiting.Exchanges(), atOnce.Exchanges()
	for i := range want {
		for _, x := range []*Exchange{&got[i], &want[i]} {
			x.Time, x.Duration = time.Time{}, 0
		}
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("got  %+v\nwant %+v", got[i], want[i])
		}
	}
	if first[0].Violations == nil || waiting.history.held != atOnce.history.held {
		t.Errorf("a follower sees %v; %d bytes are held, not %d", first[0].Violations, waiting.history.held,
			atOnce.history.held)
	}
}
