package probe

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// An empty paper behind another, and the last of 21.
var (
	emptyPaper = regexp.MustCompile(`,\{[^{}]*"size":0\}`)
	lastPaper  = regexp.MustCompile(`,\{"fileId":"[^"]*-20"[^{}]*\}`)
)

func TestProbeNamesWhatIsFoundOtherwise(t *testing.T) {
	anew := func(find, put string) func(*httptest.ResponseRecorder) {
		return func(rec *httptest.ResponseRecorder) {
			rec.Body = bytes.NewBuffer(bytes.ReplaceAll(rec.Body.Bytes(), []byte(find), []byte(put)))
		}
	}
	firstPaper := func(rec *httptest.ResponseRecorder) {
		if text := rec.Body.String(); strings.Contains(text, "}") {
			rec.Body.Reset()
			rec.Body.WriteString(text[:strings.Index(text, "}")+1] + "]}")
		}
	}
	patched := func(spoil func(*httptest.ResponseRecorder)) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			var paths sync.Map
			return faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPatch {
					paths.Store(r.URL.Path, true)
				} else if _, was := paths.Load(r.URL.Path); was {
					next = faulty.Reply("/boxes/s-", faulty.On(200, spoil))(next)
				}
				next.ServeHTTP(w, r)
			})(next)
		}
	}
	var mu lab.Lock
	freed := ""
	eachNamed(t, []fault{
		{"none", func(h http.Handler) http.Handler { return h }, ""},
		{"an id of each answer", faulty.Reply("/boxes", func(rec *httptest.ResponseRecorder) {
			now := time.Now().UnixNano()
			anew(`"id":`, fmt.Sprintf(`"requestId":%d,"responseId":"%[1]d","statusId":%[1]d,"id":`, now))(rec)
		}), ""},
		{"an owner with an id", faulty.Reply("/boxes", anew(`"label":`, `"owner":{"id":"user-1"},"label":`)), ""},
		{"a type that is hidden", faulty.Reply("/content", func(rec *httptest.ResponseRecorder) {
			rec.Header().Set("Content-Type", "application/octet-stream")
		}), ""},
		{"a download that needs credentials",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				faulty.Reply("/blobs/", faulty.On(201, func(rec *httptest.ResponseRecorder) {
					id := strings.Split(rec.Body.String(), `"`)[3]
					anew(`{"blobId"`, fmt.Sprintf(`{"downloadUrl":"http://%s/v1/blobs/%s/content","blobId"`, r.Host,
						id))(rec)
				}))(next).ServeHTTP(w, r)
			}), ""},
		{"an empty file is a failure", faulty.Refuses(http.StatusNotImplemented, func(r *http.Request) bool {
			return r.Method == http.MethodPut && r.ContentLength == 0 && r.Header.Get("X-Depot-Key") == lab.DepotKey
		}), "Shelf: lay: response status: 501 to an empty file (PUT /v1/blobs/{name})"},
		{"none of a box is found", faulty.Reply("/boxes/s-", faulty.On(200, func(rec *httptest.ResponseRecorder) {
			if text := rec.Body.String(); strings.Contains(text, "[") {
				rec.Body.Reset()
				rec.Body.WriteString(text[:strings.Index(text, "[")] + "[]}")
			}
		})), "Shelf: unpack: response body: papers has 0 elements, but 1 in the answer to the upload"},
		{"one of several is found", faulty.Reply("/boxes/s-", faulty.On(200, firstPaper)),
			"Shelf: unpack: response body: papers has 1 elements, but 2 files were sent"},
		{"an empty one of several is left out", faulty.Reply("/boxes",
			faulty.On(201, func(rec *httptest.ResponseRecorder) {
				rec.Body = bytes.NewBuffer(emptyPaper.ReplaceAll(rec.Body.Bytes(), nil))
			})), "Shelf: pack: response body: papers has 1 elements, but 2 files were sent (of several"},
		{"the last of many is left out", faulty.Reply("/boxes", faulty.On(201, func(rec *httptest.ResponseRecorder) {
			rec.Body = bytes.NewBuffer(lastPaper.ReplaceAll(rec.Body.Bytes(), nil))
		})), "Shelf: pack: response body: papers has 20 elements, but 21 files were sent (of several"},
		{"one of several is deleted", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				next = faulty.Reply("/boxes/s-", faulty.On(200, anew(`"fileId":`, `"fileId":"","was":`)))(next)
			}
			next.ServeHTTP(w, r)
		}), `Shelf: burn: response body: fileId is "", but "s-`},
		{"another id is found", faulty.Reply("/boxes/s-", anew(`"fileId":"`, `"fileId":"x`)),
			`Shelf: unpack: response body: fileId is "xs-`},
		{"the bytes come back changed", faulty.Reply("/content", anew("raw", "row")), "Shelf: fetch: response body: " +
			"the file comes back changed: 10 bytes, 10 were sent, the first wrong one at offset 3"},
		{"a name is decoded twice", faulty.Reply("/blobs/", anew("100%25+1", "100% 1")),
			`Shelf: lay: response body: name is "grüße 100% 1.txt", but "grüße 100%25+1.txt" was said`},
		{"a name loses its letters", faulty.Reply("/boxes", anew("grüße", "gr??e")),
			`Shelf: pack: response body: name is "gr??e 100%25+1.txt", but the file was called "grüße`},
		{"an odd name is a failure", faulty.Refuses(http.StatusInternalServerError, func(r *http.Request) bool {
			return strings.Contains(r.URL.Path, "ü")
		}), `Shelf: lay: response status: 500 to a file that is called "grüße 100%25+1.txt" (PUT`},
		{"a name that is too long betrays the server",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if len(r.URL.Path) > 300 {
					http.Error(w, "open /var/lib/shelf/l: file name too long", http.StatusBadRequest)
					return
				}
				next.ServeHTTP(w, r)
			}), "Shelf: lay: response body: status 400: it shows a path of the server's machine"},
		{"a letter is a failure", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			odd := false
			faulty.Rewrite(r, func(b []byte) []byte {
				odd = bytes.Contains(b, []byte("\U0001F4C4"))
				return b
			})
			if odd && strings.HasSuffix(r.URL.Path, "/boxes") {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		}), `Shelf: pack: response status: 500 is not declared, for a file that is called "grüße`},
		{"a long text is cut", faulty.Arrival("/boxes", faulty.Rewritten(func(b []byte) []byte {
			before, after, _ := bytes.Cut(b, []byte(strings.Repeat(oddText, 2)))
			if len(after) == 0 {
				return b
			}
			return slices.Concat(before, []byte(oddText+oddText), after[bytes.IndexByte(after, '\r'):])
		})), "without the last"},
		{"a fact is escaped", faulty.Reply("/boxes", anew(`"place":"Grüße  \u0026 `, `"place":"Grüße  \u0026amp; `)),
			`Shelf: pack: response body: place is "Grüße  &amp; <b>'x'</b>; 100%25+1`},
		{"a charset of facts is refused",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				faulty.Rewrite(r, func(b []byte) []byte {
					return bytes.Replace(b, []byte("json; charset"), []byte("json\r\ncharset"), 1)
				})
				next.ServeHTTP(w, r)
			}), "Shelf: pack: response status: 400 to a form with a part of JSON that names its charset " +
				"(POST /v1/boxes)"},
		{"a paper without a type is a failure",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				bare := false
				faulty.Rewrite(r, func(b []byte) []byte {
					bare = bytes.Contains(b, []byte("filename=\"uploadtest.txt\"\r\n\r\n"))
					return b
				})
				if bare && r.Header.Get("X-Depot-Key") == lab.DepotKey {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				next.ServeHTTP(w, r)
			}), "Shelf: pack: response status: 500 is not declared (POST /v1/boxes)"},
		{"any place", faulty.Arrival("/boxes", faulty.Replace(`{}`, `{"place":"attic"}`)),
			"Shelf: pack: response status: 201 to a body without facts.place"},
		{"facts behind the papers are overlooked", faulty.Arrival("/boxes", func(r *http.Request) {
			faulty.Rewrite(r, func(b []byte) []byte {
				if bytes.Index(b, []byte(`name="papers"`)) < bytes.Index(b, []byte(`name="label"`)) {
					return bytes.Replace(b, []byte("shelf 7"), []byte("no place"), 1)
				}
				return b
			})
		}), `place is "no place", but "shelf 7" was said (sent before the other fields)`},
		{"a PATCH resets what it does not name", patched(anew(`"kind":"b"`, `"kind":"a"`)),
			"Shelf: unpack: response body: kind is not what it was before a PATCH that did not name it"},
		{"a PATCH takes the papers out", patched(func(rec *httptest.ResponseRecorder) {
			before, papers, _ := strings.Cut(rec.Body.String(), "[")
			rec.Body = bytes.NewBufferString(before + "[" + papers[strings.LastIndex(papers, "]"):])
		}), "Shelf: unpack: response body: papers has no files any more after a PATCH that did not name it (GET"},
		{"a PATCH changes nothing", patched(anew(`"August"`, `"July"`)),
			`Shelf: unpack: response body: label is still "July" after a PATCH that said "August" (GET`},
		{"a list knows no PATCH", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/boxes" && r.Method == http.MethodGet {
				next = faulty.Reply("/", anew(`"August"`, `"July"`))(next)
			}
			next.ServeHTTP(w, r)
		}), `Shelf: boxes: response body: label is still "July" in the list after a PATCH that changed it (GET`},
		{"a text of another", faulty.Reply("/boxes", func(rec *httptest.ResponseRecorder) {
			if !strings.Contains(rec.Body.String(), `"about"`) {
				anew(`"label":`, `"about":"Grüße  \u0026 <b>","label":`)(rec)
			}
		}), `Shelf: pack: response body: about is "Grüße  & <b>", and only another upload said so`},
		{"an id is given out again", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.Method == http.MethodDelete {
				freed = r.URL.Path[len("/v1/boxes/"):]
			}
			if r.Method == http.MethodPost && freed != "" {
				next = faulty.Reply("/boxes", faulty.On(201, anew(`"id":"`, `"id":"`+freed+`","was":"`)))(next)
			}
			next.ServeHTTP(w, r)
		}), "Shelf: pack: response body: the id of a deleted upload is given out again (POST /v1/boxes)"},
	}, func(tb testing.TB, b fault) {
		probes(tb, b.spoil(lab.NewShelf()), "/v1", []byte(lab.ShelfSpec), lab.WithKey)
	})
}

// Behind a proxy that buffers, no server can look at credentials first.
func TestProbeSaysWhoAsksForTheBodyFirst(t *testing.T) {
	handler := faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		b, err := faulty.ReadAll(r.Body, r.ContentLength)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		next.ServeHTTP(w, r)
	})(lab.NewShelf())
	l := &lab.Logged{TB: t}
	probes(l, handler, "/v1", []byte(lab.ShelfSpec), lab.WithKey)
	want := "Shelf: lay: not seen: whether credentials are looked at before the body"
	if !strings.Contains(l.Text.String(), want) {
		t.Errorf("the log lacks %q:\n%s", want, &l.Text)
	}
}
