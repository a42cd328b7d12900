package probe

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// desk is a provider. The ids of its documents are their names. Its papers can
// be renamed. Its folders have numbers, and exist before any file. A note is put
// under its name, and not in chunks. A folder takes each name once.
const deskSpec = v1 + `
info: {title: Desk, version: '1'}
paths:
  /docs: {post: &post {requestBody: &form {required: true, content: {multipart/form-data: {schema: {type: object,
    required: [file], properties: {file: {type: string, format: binary}}}, example: {file: some text}}}},
    responses: &json {2XX: &answer {description: An answer., content: {application/json: {schema: {type: object}}}},
    '409': *answer, 4XX: &no {description: Refused.}}}}
  /docs/{fileName}:
    parameters: [{name: fileName, in: path, required: true, schema: {type: string}}]
    get: {operationId: read, responses: *json}
    delete: {responses: &none {'204': {description: Done.}, 4XX: *no}}
  /papers: {post: *post}
  /papers/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {responses: *json}
    patch: {requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name],
      properties: {name: {type: string, minLength: 3}}}, example: {name: other.txt}}}},
      responses: &may {'204': {description: Done.}, 4XX: *no, '412': *no}}
  /folders/{folderId}:
    parameters: &folder [{name: folderId, in: path, required: true, schema: {type: string}, example: '101'}]
    get: {responses: *json}
  /folders/{folderId}/files: {parameters: *folder, post: *post, get: {operationId: list, responses: *json}}
  /folders/{folderId}/files/{fileId}:
    parameters: [{name: folderId, in: path, required: true, schema: {type: string}, example: '101'},
      {name: fileId, in: path, required: true, schema: {type: string}}]
    get: {responses: *json}
  /notes/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string}, example: july.txt}]
    put: {requestBody: {required: true, content: {text/plain: {schema: &file {type: string, format: binary}}}},
      parameters: [&match {name: If-Match, in: header, schema: &tag {type: string}}, {name: if-none-match, in: header,
      schema: *tag}], responses: *may}
    get: {responses: {'200': &it {description: It., content: {text/plain: {schema: *file}}}, '206': *it, 4XX: *no,
      '304': *no, '302': &away {description: It is elsewhere.}}}
    head: {responses: {'200': {description: It is there.}, 4XX: *no, '302': *away}}
    delete: {parameters: [*match], responses: *may}
`

func newDesk() http.Handler {
	var mu lab.Lock
	n, things := 0, map[string]map[string]any{"folders/101": {"folderId": "101", "name": "Inbox", "size": 123},
		"folders/111": {"folderId": "111", "name": "Sent", "size": 0}}
	receive := func(r *http.Request) (name string, size int, ok bool) {
		form, err := r.MultipartReader()
		if err != nil {
			return "", 0, false
		}
		part, err := form.NextPart()
		if err != nil || part.FormName() != "file" {
			return "", 0, false
		}
		_, params, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		content, err := faulty.ReadAll(part, r.ContentLength)
		_, end := form.NextPart()
		return upload.BaseName(params["filename"]), len(content),
			err == nil && end == io.EOF && params["filename"] != ""
	}
	mux, notes := http.NewServeMux(), map[string][]byte{}
	tagOf := func(name string) string { return fmt.Sprintf("\"%x\"", crc32.ChecksumIEEE(notes[name])) }
	note := func(method string, f func(w http.ResponseWriter, r *http.Request, name string)) {
		mux.HandleFunc(method+" /v1/notes/{name}", func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			name := r.PathValue("name")
			match := cmp.Or(r.Header.Get("If-Match"), tagOf(name))
			switch isThere := notes[name] != nil; {
			case method != http.MethodPut && !isThere:
				w.WriteHeader(http.StatusNotFound)
			case method != http.MethodGet && (match != tagOf(name) || isThere && r.Header.Get("If-None-Match") == "*"):
				w.WriteHeader(http.StatusPreconditionFailed)
			default:
				f(w, r, name)
			}
		})
	}
	note(http.MethodGet, func(w http.ResponseWriter, r *http.Request, name string) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("ETag", tagOf(name))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(notes[name]))
	})
	note(http.MethodDelete, func(w http.ResponseWriter, _ *http.Request, name string) {
		delete(notes, name)
		w.WriteHeader(http.StatusNoContent)
	})
	note(http.MethodPut, func(w http.ResponseWriter, r *http.Request, name string) {
		content, err := faulty.ReadAll(r.Body, r.ContentLength)
		switch {
		case r.ContentLength < 0:
			w.WriteHeader(http.StatusLengthRequired)
		case err != nil || len(content) == 0 || r.Header.Get("Content-Type") != "text/plain":
			w.WriteHeader(http.StatusBadRequest)
		default:
			notes[name] = content
			w.WriteHeader(http.StatusNoContent)
		}
	})
	handle := func(pattern string, f func(r *http.Request, key string, thing map[string]any) (int, map[string]any)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			key := r.URL.Path[len("/v1/"):]
			status, body := http.StatusGone, map[string]any(nil)
			if thing := things[key]; thing != nil || r.Method == http.MethodPost || key == "folders/101/files" {
				status, body = f(r, key, thing)
			}
			if body != nil {
				w.Header().Set("Content-Type", "application/json")
			}
			if w.WriteHeader(status); body != nil {
				_ = json.NewEncoder(w).Encode(body)
			}
		})
	}
	create := func(id string) func(*http.Request, string, map[string]any) (int, map[string]any) {
		return func(r *http.Request, key string, _ map[string]any) (int, map[string]any) {
			name, size, ok := receive(r)
			if n++; !ok {
				return http.StatusBadRequest, nil
			}
			for other, thing := range things {
				if strings.HasPrefix(other, key+"/") && strings.HasPrefix(key, "folders/") && thing["name"] == name {
					return http.StatusUnprocessableEntity, nil
				}
			}
			thing := map[string]any{"name": name, "size": size}
			if thing[id] = fmt.Sprintf("paper-%d", n); id == "fileName" {
				thing[id] = name
			}
			if folder, ok := strings.CutPrefix(key, "folders/"); ok {
				thing["folderId"] = strings.TrimSuffix(folder, "/files")
			}
			things[fmt.Sprint(key, "/", thing[id])] = thing
			return http.StatusCreated, thing
		}
	}
	handle("POST /v1/docs", create("fileName"))
	handle("POST /v1/papers", create("id"))
	handle("POST /v1/folders/101/files", create("fileId"))
	handle("GET /v1/folders/101/files", func(*http.Request, string, map[string]any) (int, map[string]any) {
		all := []any{}
		for key, thing := range things {
			if strings.HasPrefix(key, "folders/101/files/") {
				all = append(all, thing)
			}
		}
		return http.StatusOK, map[string]any{"data": map[string]any{"files": all}, "errors": []any{}}
	})
	handle("GET /v1/", func(_ *http.Request, _ string, thing map[string]any) (int, map[string]any) {
		return http.StatusOK, thing
	})
	handle("DELETE /v1/docs/{name}", func(_ *http.Request, key string, _ map[string]any) (int, map[string]any) {
		delete(things, key)
		return http.StatusNoContent, nil
	})
	handle("PATCH /v1/papers/{id}", func(r *http.Request, _ string, thing map[string]any) (int, map[string]any) {
		var said struct{ Name string }
		typ, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if json.NewDecoder(r.Body).Decode(&said) != nil || len(said.Name) < 3 || typ != "application/json" {
			return http.StatusBadRequest, nil
		}
		thing["name"] = said.Name
		return http.StatusNoContent, nil
	})
	return faulty.Reply("/", faulty.On(http.StatusMethodNotAllowed, func(rec *httptest.ResponseRecorder) {
		rec.Body.Reset()
	}))(mux)
}

// Probe must not blame a server for a name that a client gives twice. Nor must
// it for a file that was overwritten or renamed, for a folder with a new file, or
// for a name that a folder takes once.
func TestProbeAcceptsNamesAsIDsAndWhatIsChanged(t *testing.T) {
	t.Parallel()
	var papers atomic.Int64
	sentBy := func(method, header, value string) func(http.Handler) http.Handler {
		return faulty.Arrival("/notes/", func(r *http.Request) {
			if r.Method == method && r.Header.Get(header) != "" {
				r.Header.Set(header, value)
			}
		})
	}
	redirected := func(method string, spoil func(*httptest.ResponseRecorder)) func(http.Handler) http.Handler {
		return faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if note, ok := strings.CutPrefix(r.URL.Path, "/signed/"); ok && r.Method == http.MethodGet {
				r.URL.Path = "/v1/notes/" + note
				next = faulty.Reply("/notes/", spoil)(next)
			} else if r.Method == method && strings.HasPrefix(r.URL.Path, "/v1/notes/") {
				next = faulty.Reply("/", faulty.On(200, func(rec *httptest.ResponseRecorder) {
					rec.Code = http.StatusFound
					rec.Body.Reset()
					to := strings.TrimPrefix(r.URL.EscapedPath(), "/v1/notes/")
					rec.Header().Set("Location", "/signed/"+to+"?signature=1")
				}))(next)
				r.Header.Del("Range")
			}
			next.ServeHTTP(w, r)
		})
	}
	deletesToo := func(such func(path, other string, its, others any) bool) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			var notes sync.Map // by path
			return faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					notes.Store(r.URL.Path, string(faulty.Peek(r)))
				}
				its, _ := notes.Load(r.URL.Path)
				for path, content := range notes.Range {
					if isDelete := r.Method == http.MethodDelete && r.Header.Get("If-Match") == ""; isDelete &&
						such(r.URL.Path, path.(string), its, content) {
						other := r.Clone(r.Context())
						other.URL.Path = path.(string)
						next.ServeHTTP(httptest.NewRecorder(), other)
					}
				}
				next.ServeHTTP(w, r)
			})(next)
		}
	}
	for _, b := range []struct {
		what          string
		spec, instead string
		spoil         func(http.Handler) http.Handler
		want          string // empty: nothing is wrong
	}{
		{"as it is", "", "", faulty.Arrival("/none", nil), ""},
		{"nothing that is deleted can be found", "    get: {operationId: read, responses: *json}\n", "",
			faulty.Arrival("/none", nil), ""},
		{"one paper for each client", "", "",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && r.URL.Path == "/v1/papers" {
					if papers.Add(1) > 1 {
						next = faulty.Reply("/", func(rec *httptest.ResponseRecorder) {
							*rec = *httptest.NewRecorder()
							rec.Header().Set("Content-Type", "application/json")
							rec.Code = http.StatusConflict
							rec.Body.WriteString(`{"id":"problem-1"}`)
						})(next)
					}
				}
				next.ServeHTTP(w, r)
			}), ""},
		{"a note is sent on", "responses: *may}\n    get:", "responses: {'204': {description: Done.}, 4XX: *no, " +
			"'307': {description: It is sent on.}}}\n    get:",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				note, put := strings.CutPrefix(r.URL.EscapedPath(), "/v1/notes/")
				switch there, sentOn := strings.CutPrefix(r.URL.Path, "/there/"); {
				case sentOn:
					r.URL.Path = "/v1/notes/" + there
				case put && r.Method == http.MethodPut && r.ContentLength > 0:
					w.Header().Set("Location", "/there/"+note)
					w.WriteHeader(http.StatusTemporaryRedirect)
					return
				}
				next.ServeHTTP(w, r)
			}), ""},
		{"a folder takes nothing", "", "", faulty.Reply("/files", func(rec *httptest.ResponseRecorder) {
			*rec = *httptest.NewRecorder()
			rec.Code = http.StatusForbidden
		}), "Desk: POST /folders/{folderId}/files: response status: 403 to the spec's own example"},
		{"a file under any folder", "", "", faulty.Arrival("/files/paper-", func(r *http.Request) {
			r.URL.Path = "/v1/folders/101/files/" + path.Base(r.URL.Path)
		}), "Desk: GET /folders/{folderId}/files/{fileId}: response status: 200 to an upload under another folderId"},
		{"a HEAD finds what is deleted", "", "",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodHead || !strings.HasPrefix(r.URL.Path, "/v1/notes/") {
					next.ServeHTTP(w, r)
				}
			}), "Desk: HEAD /notes/{name}: response status: 200 to a deleted upload, which must be refused by a 4xx"},
		{"a GET gives what it gave first", "", "", func(next http.Handler) http.Handler {
			var given sync.Map
			return faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet && r.Header.Get("Range") == "" {
					next = faulty.Reply("/notes/", faulty.On(200, func(rec *httptest.ResponseRecorder) {
						first, _ := given.LoadOrStore(r.URL.Path, rec.Body.Bytes())
						rec.Body = bytes.NewBuffer(first.([]byte))
						rec.Header().Del("Content-Length")
					}))(next)
				}
				next.ServeHTTP(w, r)
			})(next)
		}, "Desk: GET /notes/{name}: response body: the file (in place of another) comes back changed: it is " +
			"still the file that was here before (GET /v1/notes/{name})"},
		{"a range loses its last byte", "", "", faulty.Reply("/notes/",
			faulty.On(206, func(rec *httptest.ResponseRecorder) {
				rec.Body.Truncate(rec.Body.Len() - 1)
				rec.Header().Del("Content-Length")
			})), "Desk: GET /notes/{name}: response body: the range 2-5 of a file comes back changed: " +
			"3 bytes, 4 were asked for"},
		{"any ETag may be deleted", "", "", sentBy(http.MethodDelete, "If-Match", ""),
			"Desk: DELETE /notes/{name}: response status: 204 to an If-Match with another ETag, which must " +
				"be refused by"},
		{"an ETag tells only the size", "", "", faulty.Reply("/notes/", func(rec *httptest.ResponseRecorder) {
			if rec.Header().Del("ETag"); rec.Code == http.StatusOK {
				rec.Header().Set("ETag", fmt.Sprintf(`"%d"`, rec.Body.Len()))
			}
		}), "Desk: GET /notes/{name}: response header: the ETag is the same as that of other bytes " +
			"(GET /v1/notes/{name})"},
		{"another ETag is refused and replaces", "", "", faulty.Serves(
			func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut && r.Header.Get("If-Match") != "" {
					stores := r.Clone(r.Context())
					stores.Header.Del("If-Match")
					stores.Body = io.NopCloser(bytes.NewReader(faulty.Peek(r)))
					next.ServeHTTP(httptest.NewRecorder(), stores)
				}
				next.ServeHTTP(w, r)
			}), "Desk: GET /notes/{name}: response body: the file (sent at the same time as another) comes back " +
			"changed after an If-Match with another ETag, which was refused: 13 bytes"},
		{"both of two create one name", "", "", faulty.Serves(
			func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut && r.Header.Get("If-None-Match") == "*" {
					look, answer := r.Clone(r.Context()), httptest.NewRecorder()
					look.Method, look.Body, look.Header = http.MethodGet, http.NoBody, http.Header{}
					if next.ServeHTTP(answer, look); answer.Code == http.StatusNotFound {
						r.Header.Del("If-None-Match")
					}
					faulty.Peek(r) // the other one may look now
				}
				next.ServeHTTP(w, r)
			}), "Desk: PUT /notes/{name}: response status: 204 to both of two requests at once with an " +
			"if-none-match of * for one new name (PUT"},
		{"what is there is created", "", "", sentBy(http.MethodPut, "If-None-Match", ""),
			"Desk: PUT /notes/{name}: response status: 204 to an If-None-Match of * where an upload is, which"},
		{"a HEAD is redirected", "", "", redirected(http.MethodHead, func(*httptest.ResponseRecorder) {}), ""},
		{"a range behind a redirect loses its last byte", "", "",
			redirected(http.MethodGet, faulty.On(206, func(rec *httptest.ResponseRecorder) {
				rec.Body.Truncate(rec.Body.Len() - 1)
			})), "Desk: GET /notes/{name}: response body: the range 2-5 of a file comes back changed: 3 bytes"},
		{"a range says another place", "", "", faulty.Reply("/notes/",
			faulty.On(206, func(rec *httptest.ResponseRecorder) {
				rec.Header().Set("Content-Range", strings.Replace(rec.Header().Get("Content-Range"), "-5/", "-6/", 1))
			})), `Desk: GET /notes/{name}: response header: Content-Range is "bytes 2-6/10", want "bytes 2-5/10"`},
		{"an open range is refused", "", "", faulty.Refuses(400, func(r *http.Request) bool {
			return r.Header.Get("Range") == "bytes=4-"
		}), "Desk: GET /notes/{name}: response status: 400 to the range 4- of a file of 10 bytes"},
		{"another ETag gives half of the file", "", "",
			faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("If-None-Match") != "" {
					next = faulty.Reply("/notes/", faulty.On(200, func(rec *httptest.ResponseRecorder) {
						rec.Body.Truncate(rec.Body.Len() / 2)
						rec.Header().Del("Content-Length")
					}))(next)
				}
				next.ServeHTTP(w, r)
			}), "Desk: GET /notes/{name}: response body: an If-None-Match with another ETag changes the " +
				"file: 5 bytes, 10"},
		{"a folder lists one file", "", "", faulty.Reply("/folders/101/files", func(rec *httptest.ResponseRecorder) {
			if before, _, several := strings.Cut(rec.Body.String(), "},{"); several {
				rec.Body.Reset()
				rec.Body.WriteString(before + `}]},"errors":[]}`)
			}
		}), `" 0 times after others were made, want once (GET /v1/folders/{folderId}/files)`},
		{"the case of a key does not count", "", "", faulty.Arrival("/v1/notes/", func(r *http.Request) {
			r.URL.Path = strings.ToLower(r.URL.Path)
		}), "the file (under the key of another in the other case) comes back changed after others were made: " +
			`it is the file of another upload that is called "`},
		{"a DELETE deletes what begins with its key", "", "", deletesToo(func(path, other string, _, _ any) bool {
			return strings.HasPrefix(other, path+"-")
		}), "Desk: GET /notes/{name}: response status: 404 to a stored upload that is called \"othgb.txt-a\" " +
			"after the upload that is called \"othgb.txt\" was deleted (GET /v1/notes/{name})"},
		{"a DELETE deletes equal bytes", "", "", deletesToo(func(path, other string, its, others any) bool {
			return path != other && its == others
		}), `" (with the same bytes) after the upload that is called "othgb.txt" was deleted (GET /v1/notes/{name})`},
	} {
		t.Run(b.what, func(t *testing.T) {
			t.Parallel()
			spec := strings.Replace(deskSpec, b.spec, b.instead, 1)
			lab.Blames(t, b.want, func(tb testing.TB) { probes(tb, b.spoil(newDesk()), "/v1", []byte(spec), nil) })
		})
	}
}

func TestProbeAsksNoOtherHostForARange(t *testing.T) {
	t.Parallel()
	desk := newDesk()
	handler := faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/v1/notes/") && r.Host != "files.example" {
			next = faulty.Reply("/", faulty.On(200, func(rec *httptest.ResponseRecorder) {
				rec.Code = http.StatusFound
				rec.Body.Reset()
				rec.Header().Set("Location", "http://files.example"+r.URL.EscapedPath())
			}))(next)
		}
		next.ServeHTTP(w, r)
	})(desk)
	l := &lab.Logged{TB: t}
	probes(l, handler, "/v1", []byte(deskSpec), nil)
	for _, want := range []string{"Desk: PATCH /papers/{id}: not seen: its 412: it takes no If-Match",
		"Desk: GET /notes/{name}: not seen: a range of a file, which is on the host files.example"} {
		if !strings.Contains(l.Text.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &l.Text)
		}
	}
}
