package probe

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/specs"
	office "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// say answers with JSON.
func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// came is the response of a transport that asks nobody.
func came(r *http.Request, status int, typ, body string) *http.Response {
	return &http.Response{StatusCode: status, Request: r, Header: http.Header{"Content-Type": {typ}},
		Body: io.NopCloser(strings.NewReader(body))}
}

// A storage is not the spec's: it may name no methods with a 405.
func TestProbeAcceptsTheReference(t *testing.T) {
	bare := faulty.Reply("/store", func(rec *httptest.ResponseRecorder) { rec.Header().Del("Allow") })
	probes(t, bare(lab.NewDepot()), "/v2", lab.DepotSpec, lab.WithKey)
}

// fault is what a handler does wrong, and the line that names it.
type fault struct {
	what  string
	spoil func(http.Handler) http.Handler
	want  string // empty: nothing is wrong
}

// eachNamed probes a server with each fault.
func eachNamed(t *testing.T, faults []fault, probes func(testing.TB, fault)) {
	t.Parallel()
	for _, b := range faults {
		t.Run(b.what, func(t *testing.T) {
			t.Parallel()
			lab.Blames(t, b.want, func(tb testing.TB) { probes(tb, b) })
		})
	}
}

func depotFaults(t *testing.T, faults []fault) {
	eachNamed(t, faults, func(tb testing.TB, b fault) {
		probes(tb, b.spoil(lab.NewDepot()), "/v2", about(b.want), lab.WithKey)
	})
}

func TestProbeNamesRightRequestsThatAreRefused(t *testing.T) {
	depotFaults(t, []fault{
		{"an example is refused", faulty.Reply("/forms", faulty.Bare(400)),
			"Depot: submit: response status: 400 to the spec's own example (POST /v2/forms)"},
		{"OPTIONS is a failure", faulty.Refuses(http.StatusInternalServerError, func(r *http.Request) bool {
			return r.Method == http.MethodOptions
		}), "Depot: announce: response status: 500 to OPTIONS (OPTIONS /v2/objects)"},
		{"a part must not state its length", faulty.Refuses(415, func(r *http.Request) bool {
			return bytes.Contains(faulty.Peek(r), []byte("Content-Length:"))
		}), "Depot: submit: response status: 415 to a form with a part that states its length"},
		{"a boundary must not be quoted", faulty.Arrival("/forms", func(r *http.Request) {
			r.Header.Set("Content-Type", strings.ReplaceAll(r.Header.Get("Content-Type"), `"`, "'"))
		}), "Depot: submit: response status: 4"},
		{"HEAD fails", faulty.Refuses(http.StatusInternalServerError, func(r *http.Request) bool {
			return r.Method == http.MethodHead
		}), "500 to HEAD"},
		{"a charset is refused", faulty.Refuses(http.StatusUnsupportedMediaType, func(r *http.Request) bool {
			return strings.Contains(r.Header.Get("Content-Type"), "charset")
		}), "Depot: announce: response status: 415 to a body of application/json; charset=utf-8 (POST /v2/objects)"},
		{"no answer at all", func(http.Handler) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}, "Depot: submit: response status: no answer: EOF (POST /v2/forms)"},
	})
}

func TestProbeNamesWhatIsLostOrTakenForAnother(t *testing.T) {
	depotFaults(t, []fault{
		{"what was created is not found", faulty.Reply("/objects/", faulty.Bare(404)),
			"Depot: look: response status: 404 to the spec's own example"},
		{"an id is chosen before the body is read", func(next http.Handler) http.Handler {
			var n atomic.Int64
			return faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					defer n.Add(1)
					next = faulty.Reply("/objects", faulty.Said(`"id":"`,
						fmt.Sprintf(`"id":"o-%016x","was":"`, n.Load())))(next)
				}
				next.ServeHTTP(w, r)
			})(next)
		}, "Depot: announce: response body: two uploads have the same id (POST /v2/objects)"},
		{"one id for all", faulty.Reply("/raw", faulty.Body(`{"id":"o-1","name":"raw.bin","size":10}`)),
			"Depot: deposit: response body: two uploads have the same id (POST /v2/raw)"},
		{"a deleted upload stays", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				r.Method = http.MethodGet
			}
			next.ServeHTTP(w, r)
		}), "Depot: look: response status: 200 to a deleted upload, which must be refused by a 4xx (GET " +
			"/v2/objects/{id})"},
		{"a DELETE deletes everything", func(next http.Handler) http.Handler {
			var deleted atomic.Bool
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if deleted.Load() && r.Method == http.MethodGet && r.Header.Get("X-Depot-Key") == lab.DepotKey {
					r.URL.Path = "/v2/objects/o-none"
				}
				if r.Method == http.MethodDelete && r.Header.Get("X-Depot-Key") == lab.DepotKey {
					deleted.Store(true)
				}
				next.ServeHTTP(w, r)
			})
		}, "Depot: look: response status: 404 to a stored upload with the id \""},
		{"a DELETE deletes all of one name",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if d := next.(*lab.Depot); r.Method == http.MethodDelete &&
					r.Header.Get("X-Depot-Key") == lab.DepotKey {
					d.Mu.Lock()
					for id, o := range d.Objects {
						if !strings.HasSuffix(r.URL.Path, id) && o.Name != "" &&
							o.Name == d.Objects[strings.TrimPrefix(r.URL.Path, "/v2/objects/")].Name {
							delete(d.Objects, id)
						}
					}
					d.Mu.Unlock()
				}
				next.ServeHTTP(w, r)
			}), "Depot: look: response status: 404 to a stored upload with the id \""},
	})
}

func TestProbeNamesWhatIsWrongInAnAnswer(t *testing.T) {
	depotFaults(t, []fault{
		{"another size later", faulty.Reply("/objects/o-", faulty.Said(`"size":1`, `"size":2`)),
			`Depot: look: response body: size is "20", but 10 bytes were sent (GET /v2/objects/{id})`},
		{"an undeclared status", faulty.Reply("/objects", faulty.On(400, faulty.Code(422))),
			"Depot: announce: response status: 422 is not declared (POST /v2/objects)"},
		{"a fault of the client's is called the server's",
			faulty.Reply("/forms", faulty.On(415, faulty.Code(500))),
			"Depot: submit: response status: 500 is not declared"},
		{"the directories of a name are told",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if bytes.Contains(faulty.Peek(r), []byte("/dir/uploadtest.txt")) {
					next = faulty.Reply("/forms", faulty.Said(`"uploadtest.txt"`, `"/dir/uploadtest.txt"`))(next)
				}
				next.ServeHTTP(w, r)
			}), `Depot: submit: response body: name is "/dir/uploadtest.txt", but the file was called ` +
				`"uploadtest.txt" (its directories are the sender's) (POST /v2/forms)`},
		{"a size that is wrong", faulty.Reply("/raw", faulty.Said(`"size":10`, `"size":11`)),
			`Depot: deposit: response body: size is "11", but 10 bytes were sent (POST /v2/raw)`},
		{"a name that is wrong", faulty.Reply("/forms", faulty.Said(`"uploadtest.txt"`, `"upload.txt"`)),
			`Depot: submit: response body: name is "upload.txt", but the file was called "uploadtest.txt"`},
		{"a name ends at a semicolon", faulty.Reply("/forms", faulty.Said(`;1=2,3.TXT"`, `"`)),
			`but the file was called "Two  spaces & more;1=2,3.TXT" (POST /v2/forms)`},
		{"a URL that has expired", faulty.Reply("/objects", faulty.Said(`"uploadUrl"`,
			`"expiresAt":"2026-01-31T12:00:00Z","uploadUrl"`)),
			"Depot: announce: response body: expiresAt is "},
		{"a parameter is decoded twice", faulty.Arrival("/raw", func(r *http.Request) {
			r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "%2B", "+")
		}), `Depot: deposit: response body: name is "grüße 100%25 1.txt", but`},
		{"a header of one status only", faulty.Reply("/objects", faulty.On(401, func(rec *httptest.ResponseRecorder) {
			rec.Header().Del("X-Depot-Trace")
		})), "Depot: announce: response header: status 401: header X-Depot-Trace is missing, and the spec says " +
			"that it is always sent (POST /v2/objects)"},
		{"one trace id for all",
			faulty.Reply("/v2", func(rec *httptest.ResponseRecorder) { rec.Header().Set("X-Depot-Trace", "1") }),
			"Depot: all operations: response header: X-Depot-Trace is the same in each answer"},
		{"an answer that breaks off", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && r.Header.Get("X-Depot-Key") == lab.DepotKey {
				w.Header().Set("Content-Length", "1000")
			}
			next.ServeHTTP(w, r)
		}), "Depot: look: response body: the answer breaks off after"},
	})
}

func TestProbeNamesWrongRequestsThatAreTaken(t *testing.T) {
	found := func(rec *httptest.ResponseRecorder) {
		rec.Code = 200
		rec.Header().Set("X-Depot-Left", "1")
		rec.Header().Set("Content-Type", "application/json")
		rec.Body.WriteString(`{"id":"o-1","name":"x","size":1}`)
	}
	depotFaults(t, []fault{
		{"what is cut off counts as a file", faulty.Arrival("/raw", faulty.Swallowed),
			"Depot: deposit: response status: 201 to a file whose sender hung up in the middle of it (POST /v2/raw)"},
		{"who hangs up sees a path", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if r.Body = io.NopCloser(bytes.NewReader(b)); err != nil {
				http.Error(w, "write /var/lib/depot/1.part: "+err.Error(), http.StatusBadRequest)
				return
			}
			next.ServeHTTP(w, r)
		}), "Depot: deposit: response body: status 400: it shows a path of the server's machine (POST /v2/raw)"},
		{"any media type is taken", faulty.Arrival("/objects", faulty.Header("Content-Type", "application/json")),
			"Depot: announce: response status: 200 to a body of another media type"},
		{"any method is taken", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPatch {
				next.ServeHTTP(w, r)
			}
		}), "Depot: no operation: response status: 200 to the method PATCH, which must be refused by a 4xx (PATCH " +
			"/v2/forms)"},
		{"any path is taken", faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Depot-Key") == "" || r.URL.Path != "/v2/uploadtest/no/such/path" {
				next.ServeHTTP(w, r)
			}
		}), "Depot: no operation: response status: 200 to a path that the spec does not have"},
		{"an unknown id is found", faulty.Reply("/objects/o-", faulty.On(404, found)),
			"Depot: look: response status: 200 to an id that was never issued"},
		{"an id without its end is found",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				unknown := len(r.URL.Path) == len("/v2/objects/o-123456789abcdef")
				faulty.Respelled(faulty.On(404, func(rec *httptest.ResponseRecorder) {
					if unknown {
						found(rec)
					}
				}))(next).ServeHTTP(w, r)
			}), "Depot: look: response status: 200 to an id that was never issued"},
		{"a form without its end is taken", faulty.Arrival("/forms", faulty.Rewritten(func(b []byte) []byte {
			return append(bytes.TrimSuffix(b, []byte("--\r\n")), "--\r\n"...)
		})), "Depot: submit: response status: 201 to a form without its end"},
	})
}

func TestProbeNamesCredentialsThatAreNotLookedAt(t *testing.T) {
	depotFaults(t, []fault{
		{"no credentials are needed", faulty.Arrival("/", lab.WithKey),
			"Depot: submit: response status: 201 to a request with no credentials, want 401 or 403 (POST /v2/forms)"},
		{"only the beginning of a credential is compared", faulty.Arrival("/", func(r *http.Request) {
			if key := r.Header.Get("X-Depot-Key"); len(key) > 5 && key[:5] == lab.DepotKey[:5] {
				lab.WithKey(r)
			}
		}), "Depot: announce: response status: 200 to a request with a wrong X-Depot-Key, want 401 or 403 (POST " +
			"/v2/objects)"},
		{"credentials are asked for by another status",
			faulty.Reply("/", faulty.On(401, faulty.Code(404))),
			"Depot: look: response status: 404 to a request with no credentials, want 401 or 403 (GET " +
				"/v2/objects/{id})"},
		{"the body is looked at before the credentials",
			faulty.Refuses(http.StatusUnsupportedMediaType, func(r *http.Request) bool {
				return r.URL.Path == "/v2/objects" && r.Header.Get("Content-Type") != "application/json"
			}), "Depot: announce: response status: 415 to a request with no credentials and a body that is wrong, " +
				"want 401 or 403"},
		{"the id is looked at before the credentials",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				d := next.(*lab.Depot)
				d.Mu.Lock()
				if id, one := strings.CutPrefix(r.URL.Path, "/v2/objects/"); one && d.Objects[id].Content == nil {
					lab.WithKey(r)
				}
				d.Mu.Unlock()
				next.ServeHTTP(w, r)
			}), "Depot: look: response status: 404 to a request with no credentials and an id that was never issued, " +
				"want 401 or 403 (GET /v2/objects/{id})"},
	})
}

func TestProbeNamesWhatIsWrongWithAURLThatIsHandedOut(t *testing.T) {
	depotFaults(t, []fault{
		{"a URL without a host", faulty.Reply("/objects", faulty.Said(`"uploadUrl":"http://`, `"uploadUrl":"//`)),
			"Depot: announce: response body: uploadUrl is no URL of http or https"},
		{"an empty method", faulty.Reply("/objects", faulty.Said(`"PUT"`, `""`)),
			`Depot: announce: response body: uploadMethod is "", by`},
		{"a method that sends nothing", faulty.Reply("/objects", faulty.Said(`"PUT"`, `"GET"`)),
			`Depot: announce: response body: uploadMethod is "GET", by which no file can be sent`},
		{"half a presigned file is taken", faulty.Arrival("/store", faulty.Swallowed),
			"Depot: announce: response status: 200 to a file whose sender hung up in the middle of it " +
				"(PUT to a URL from POST /v2/objects)"},
		{"an empty presigned file is a failure",
			faulty.Refuses(http.StatusInternalServerError, func(r *http.Request) bool {
				return r.Method == http.MethodPut && r.ContentLength == 0
			}), "Depot: announce: response status: 500 to an empty file (PUT to a URL from POST /v2/objects)"},
		{"any presigned media type is taken", faulty.Arrival("/store", func(r *http.Request) {
			if r.Header.Get("Content-Type") == "application/x-uploadtest" {
				r.Header.Set("Content-Type", "text/plain")
			}
		}), "Depot: announce: response status: 200 to the URL that it handed out, with another media type: it " +
			"must be refused by a 4xx (PUT to a URL from POST /v2/objects)"},
		{"any presigned method is taken", faulty.Arrival("/store", func(r *http.Request) { r.Method = "PUT" }),
			"200 to the URL that it handed out, by DELETE, by GET, by another method: each must be refused by a 4xx"},
		{"no signature is taken", faulty.Arrival("/store", func(r *http.Request) {
			if id := r.URL.Path[len("/store/"):]; r.URL.RawQuery == "" {
				r.URL.RawQuery = lab.Query(id)
			}
		}), "200 to the URL that it handed out, without its query"},
		{"the right presigned request is refused",
			faulty.Reply("/store", faulty.Code(403)),
			"Depot: announce: response status: 403 to the URL that it handed out (PUT to a URL from POST /v2/objects)"},
		{"a signature that covers the length and no key", faulty.Arrival("/store", func(r *http.Request) {
			sum, isItsLength := r.URL.Query().Get("signature"), r.ContentLength > 1000
			if r.URL.RawQuery == lab.Query(sum[:len(sum)/2]) && isItsLength {
				r.URL.RawQuery = lab.Query(strings.TrimPrefix(r.URL.Path, "/store/"))
			}
		}), "Depot: announce: response status: 200 to the URL that it handed out, with the path of another"},
	})
}

// about returns the depot's spec without the paths that have nothing to do with
// the operation that a line names. They would take most of Probe's time.
func about(line string) []byte {
	_, op, _ := strings.Cut(line, ": ")
	op, _, _ = strings.Cut(op, ":")
	others := map[string][]string{"submit": {"objects", "raw"}, "deposit": {"objects", "forms"},
		"announce": {"forms", "raw"}, "look": {"objects", "forms"}}[op]
	end := bytes.Index(lab.DepotSpec, []byte("\ncomponents:"))
	kept := slices.DeleteFunc(strings.Split(string(lab.DepotSpec[:end]), "\n  /"), func(text string) bool {
		path, _, _ := strings.Cut(text, ":")
		return slices.Contains(others, path)
	})
	return []byte(strings.Join(kept, "\n  /") + string(lab.DepotSpec[end:]))
}

// misstated is a shelf that tells a wrong size of its boxes.
func misstated() http.Handler {
	return faulty.Reply("/boxes/s-", faulty.Said(`"size":11`, `"size":21`))(lab.NewShelf())
}

func TestProbeSaysAFaultOnce(t *testing.T) {
	t.Parallel()
	desk := func(spoil func(http.Handler) http.Handler) func(testing.TB) {
		return func(tb testing.TB) { probes(tb, spoil(newDesk()), "/v1", []byte(deskSpec), nil) }
	}
	refused := func(stores func(status int, content []byte, isNew bool) bool) func(testing.TB) {
		head, _, _ := strings.Cut(traySpec, "  /trays:")
		_, blobs, _ := strings.Cut(traySpec, "  /blobs/{blob}:")
		const put = "put: {operationId: put, "
		blobs = strings.ReplaceAll(strings.Replace(blobs, put, put+"security: [{key: []}], parameters: [{"+
			"name: X-SHA256, in: header, schema: {type: string, pattern: '^[0-9a-f]{64}$'}}], ", 1), "4XX: *no",
			"4XX: {description: No., content: {'*/*': {}}}")
		spec := head + "  /blobs/{blob}:" + strings.Replace(blobs, "Kept.}", "Kept.}, '422': {description: No.}", 1) +
			"components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Depot-Key}}}\n"
		var mu sync.Mutex
		there := map[string]bool{}
		handler := faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPut {
				next.ServeHTTP(w, r)
				return
			}
			content, sum, status := faulty.Peek(r), r.Header.Get("X-SHA256"), 0
			switch {
			case r.Header.Get("X-Depot-Key") != lab.DepotKey:
				status = http.StatusUnauthorized
			case len(content) > 2<<20:
				status = http.StatusRequestEntityTooLarge
			case len(content) < int(r.ContentLength):
				status = http.StatusBadRequest
				faulty.Swallowed(r)
			case sum != "" && !payload.DigestOf(sum, content):
				status = http.StatusUnprocessableEntity
			}
			mu.Lock()
			stored := status == 0 || stores(status, content, !there[r.URL.Path])
			there[r.URL.Path] = there[r.URL.Path] || stored
			mu.Unlock()
			rec := httptest.NewRecorder()
			if stored {
				next.ServeHTTP(rec, r)
			}
			w.WriteHeader(cmp.Or(status, rec.Code))
		})(newTray(""))
		return func(tb testing.TB) { probes(tb, handler, "", []byte(spec), lab.WithKey, Facts{MaxSize: 2 << 20}) }
	}
	for what, c := range map[string]struct {
		probing func(testing.TB)
		want    string
	}{
		"what one refused request stored": {refused(func(status int, content []byte, _ bool) bool {
			return status == 422 && len(content) > 1<<20
		}), "Tray: get: response body: the file comes back changed after the X-SHA256 of other bytes, beside " +
			"a file of 1200001 bytes, which was refused"},
		"what was cut off is stored": {refused(func(status int, _ []byte, _ bool) bool { return status == 400 }),
			"get: response body: the file comes back changed after a file that was cut off: 5 bytes, 10 were sent"},
		"what one without credentials stored": {refused(func(status int, _ []byte, _ bool) bool {
			return status == 401
		}),
			"comes back changed after a request with another scheme in the X-Depot-Key, which was refused"},
		"what one of a wrong checksum stored where nothing was": {refused(func(status int, _ []byte, isNew bool) bool {
			return status == 422 && isNew
		}), "Tray: get: response status: 200 to a name that was new, after the X-SHA256 of other bytes, which was " +
			"refused: nothing may be there (GET /blobs/{blob})"},
		"what is too large is stored": {refused(func(status int, _ []byte, isNew bool) bool {
			return status == 413 && !isNew
		}), "comes back changed after a file of 2097153 bytes, which was refused"},
		"what is too large and in chunks is stored": {refused(func(status int, _ []byte, isNew bool) bool {
			return status == 413 && isNew
		}), "200 to a name that was new, after a file of 2097153 bytes in chunks, which was refused: nothing may"},
		"a file that is lost if it comes in chunks": {func(tb testing.TB) {
			probes(tb, faulty.Arrival("/raw", func(r *http.Request) {
				if r.ContentLength < 0 {
					r.Body = http.NoBody
				}
			})(lab.NewDepot()), "/v2", about("Depot: deposit: "), lab.WithKey)
		}, `Depot: deposit: response body: size is "0", but 9001 bytes were sent (sent in chunks)`},
		"a size": {func(tb testing.TB) { probes(tb, misstated(), "/v1", []byte(lab.ShelfSpec), lab.WithKey) },
			`Shelf: unpack: response body: size is "21"`},
		"what is lost for a HEAD, too": {desk(faulty.Serves(func(
			next http.Handler, w http.ResponseWriter, r *http.Request,
		) {
			if other := r.Clone(r.Context()); r.Method == http.MethodDelete && r.Header.Get("If-Match") == "" {
				other.URL.Path += "-a"
				next.ServeHTTP(httptest.NewRecorder(), other)
			}
			next.ServeHTTP(w, r)
		})), `GET /notes/{name}: response status: 404 to a stored upload that is called "othgb.txt-a" ` +
			`after the upload`},
		"a signature that is not looked at": {func(tb testing.TB) {
			probes(tb, faulty.Arrival("/store", func(r *http.Request) {
				if r.URL.RawQuery != "" {
					r.URL.RawQuery = lab.Query(r.URL.Path[len("/store/"):])
				}
			})(lab.NewDepot()), "/v2", about("Depot: announce: "), lab.WithKey)
		}, "Depot: announce: response status: 200 to the URL that it handed out, with an empty signature, with " +
			"another signature, with half of the signature, without the signature: each must be refused by a 4xx"},
		"a path that a HEAD shows, too": {desk(faulty.Reply("/docs/",
			faulty.On(200, func(rec *httptest.ResponseRecorder) {
				rec.Header().Set("X-File", "/srv/desk/1")
			}))), "Desk: read: response header: status 200: it shows a path of the server's machine in the " +
			"header X-File"},
		"what is cut off is complete": {func(tb testing.TB) {
			server, err := office.New(office.Config{Token: "token-of-the-test"})
			spec, missing := specs.FS.ReadFile("twentyfourseven.yaml")
			if err != nil || missing != nil {
				tb.Fatal(err, missing)
			}
			probes(tb, faulty.Arrival("/upload/", faulty.Swallowed)(server), "/v1", spec,
				faulty.Header("Authorization", "Bearer token-of-the-test"))
		}, "fileUpload: response status: 200 to a file whose sender hung up in the middle of it"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			lines := lab.Recorded(t, c.probing)
			if lab.Named(t, lines, c.want); len(lines) != 1 {
				t.Errorf("%d lines, want one: %q", len(lines), lines)
			}
		})
	}
}

func TestProbeForgivesWhatIsKnown(t *testing.T) {
	for known, want := range map[string]string{
		"unpack":       "",
		"a file's age": `uploadtest: no failure has "a file's age" in its line any more: remove it from Known`,
	} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			probes(tb, misstated(), "/v1", []byte(lab.ShelfSpec), lab.WithKey, Facts{Known: []string{"size", known}})
		})
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("%s is known: got %q, want %q", known, got, want)
		}
	}
}

// A server that never answers must not keep a test from its end.
func TestProbeWaitsNoLongerThanItsTime(t *testing.T) {
	silent := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	lines := lab.Recorded(t, func(tb testing.TB) {
		probes(tb, silent, "/v2", lab.DepotSpec, lab.WithKey, Facts{Timeout: 50 * time.Millisecond})
	})
	lab.Named(t, lines, "Depot: submit: response status: no answer within 50ms: after three of these nothing more "+
		"is asked (POST /v2/forms)")
	if len(lines) != 3 {
		t.Errorf("%d lines, and nothing was to be asked after three: %q", len(lines), lines)
	}
	l := &lab.Logged{TB: &lab.Recorder{TB: t}}
	probes(l, silent, "/v2", lab.DepotSpec, lab.WithKey, Facts{Timeout: 50 * time.Millisecond})
	if text := l.Text.String(); strings.Contains(text, "before the body") {
		t.Errorf("what was not asked is told to have another reason:\n%s", text)
	}

	for want, locks := range map[string]func(r *http.Request, torn error) bool{
		"the last answer was to HEAD /v2/": func(r *http.Request, _ error) bool { return r.Method == http.MethodHead },
		"before it, POST /v2/raw was cut off in its body": func(r *http.Request, torn error) bool {
			return torn != nil && r.URL.Path == "/v2/raw" && r.Header.Get("X-Depot-Key") == lab.DepotKey
		},
	} {
		var locked atomic.Bool
		stuck := faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if locked.Load() {
				silent(w, r)
				return
			}
			b, err := io.ReadAll(r.Body)
			if r.Body = io.NopCloser(bytes.NewReader(b)); err != nil {
				w.WriteHeader(http.StatusBadRequest)
			} else {
				next.ServeHTTP(w, r)
			}
			locked.Store(locks(r, err))
		})(lab.NewDepot())
		lab.Blames(t, "nothing more is asked; "+want, func(tb testing.TB) {
			probes(tb, stuck, "/v2", lab.DepotSpec, lab.WithKey, Facts{Timeout: 500 * time.Millisecond})
		})
	}
}

// Each httptest.Server closes the idle connections of http.DefaultTransport
// when it is closed.
func TestProbeSharesNoConnection(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{} // by connection
	d := lab.NewDepot()
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.RemoteAddr]++
		mu.Unlock()
		d.ServeHTTP(w, r)
	}))
	defer ts.Close()
	resp, err := http.Get(ts.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	mu.Lock()
	shared := maps.Clone(asked)
	mu.Unlock()
	Probe(t, ts.URL+"/v2", lab.DepotSpec, lab.WithKey)
	mu.Lock()
	defer mu.Unlock()
	for connection := range shared {
		if asked[connection] > 1 {
			t.Errorf("%d of its requests went over the connection of another client", asked[connection]-1)
		}
	}
}

// A server must not be blamed for what the kit could not build.
func TestProbeBuildsRequestsFromSchemas(t *testing.T) {
	spec := bytes.Replace(lab.DepotSpec, []byte("            example: {contentType: text/plain}\n"), nil, 1)
	spec = bytes.Replace(spec, []byte(", example: raw.bin"), nil, 1)
	ts := httptest.NewServer(lab.NewDepot())
	defer ts.Close()
	Probe(t, ts.URL+"/v2", spec, lab.WithKey)
	spec = bytes.Replace(spec, []byte("{type: string, minLength: 3}"),
		[]byte("{type: string, pattern: '^[a-z]+/[a-z]+$'}"), 1)
	l := &lab.Logged{TB: t}
	Probe(l, ts.URL+"/v2", spec, lab.WithKey)
	if want := "Depot: announce: not seen: the request that the spec's examples give breaks the spec itself: " +
		"request body: at /contentType"; !strings.Contains(l.Text.String(), want) {
		t.Errorf("the log lacks %q:\n%s", want, &l.Text)
	}
	spec = bytes.Replace(spec, []byte("Announcement'}\n"), []byte(
		"Announcement'}\n          text/plain: {schema: {type: string}, example: text/plain}\n"), 1)
	lab.Named(t, lab.Recorded(t, func(tb testing.TB) { Probe(tb, ts.URL+"/v2", spec, lab.WithKey) }),
		"Depot: announce: response status: 415 to the spec's own example (POST /v2/objects)")
}

// A probe that could ask nothing as the spec wants it must not pass.
func TestProbeThatHeldNothingIsSkipped(t *testing.T) {
	spec := bytes.Replace(about("Depot: announce:"), []byte("            example: {contentType: text/plain}\n"), nil, 1)
	spec = bytes.Replace(spec, []byte("{type: string, minLength: 3}"), []byte("{type: string, pattern: '^[a-z]+/x$'}"),
		1)
	skipped := false
	t.Run("nothing", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		probes(t, lab.NewDepot(), "/v2", spec, lab.WithKey)
	})
	if !skipped {
		t.Error("it passed, but it had seen nothing")
	}
}

func TestProbeSaysWhatItDidNotSeeSucceed(t *testing.T) {
	// Of a member that no answer names: the path before it is no operation's.
	spec := bytes.ReplaceAll(lab.DepotSpec, []byte("{id}"), []byte("{memberId}"))
	spec = bytes.Replace(spec, []byte("{name: id,"), []byte("{name: memberId,"), 1)
	spec = bytes.Replace(spec, []byte("/objects/{"), []byte("/members/{"), 1)
	d := lab.NewDepot()
	handler := faulty.Arrival("/members/", func(r *http.Request) {
		r.URL.Path = strings.Replace(r.URL.Path, "members", "objects", 1)
	})(d)
	l := &lab.Logged{TB: t}
	probes(l, handler, "/v2", spec, lab.WithKey)
	for _, want := range []string{"Depot: look: not seen: no answer gave its memberId, as a member of that name",
		"answered 404 (GET /members/{memberId})", "(DELETE /members/{memberId})"} {
		if !strings.Contains(l.Text.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &l.Text)
		}
	}
}

func TestProbeAsksAgainWhereFewerRequestsAreWantedOrNothingIsReady(t *testing.T) {
	for status, retryAfter := range map[int]string{http.StatusTooManyRequests: "7", http.StatusConflict: "7",
		http.StatusBadRequest: "7", http.StatusNotFound: ""} {
		synctest.Test(t, func(t *testing.T) {
			var bodies []string
			p := newProber(t, "http://depot.example/v2", lab.DepotSpec, Facts{Timeout: time.Minute})
			p.waits = 2
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				body, _ := faulty.ReadAll(r.Body, r.ContentLength)
				bodies = append(bodies, string(body))
				rec := httptest.NewRecorder()
				rec.Header().Set("Retry-After", retryAfter)
				rec.WriteHeader(status)
				return rec.Result(), nil
			})
			began := time.Now()
			want, sent := 14*time.Second, "x x x"
			if retryAfter == "" {
				want, sent = 0, "x"
			}
			a := p.ask(nil, p.request(http.MethodPost, "/none", "text/plain", []byte("x")))
			if took := time.Since(began); a.status != status || took != want || strings.Join(bodies, " ") != sent {
				t.Errorf("status %d after %v and %q, want %d after %v and %q", a.status, took, bodies, status, want,
					sent)
			}
		})
	}
}
