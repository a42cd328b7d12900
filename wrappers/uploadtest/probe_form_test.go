package uploadtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/upload"
)

// shelfSpec is a provider's that gives its files back: raw ones, and boxes of
// several.
const shelfSpec = `
openapi: 3.0.3
info: {title: Shelf, version: '1'}
servers: [{url: /v1}]
security: [{key: []}]
paths:
  /boxes:
    post:
      operationId: pack
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema:
              type: object
              required: [label, papers]
              properties:
                label: {type: string, minLength: 3, example: July}
                about: {type: string, example: none, maxLength: 200}
                kind: {type: string, enum: [a, b], example: b}
                papers: {type: array, items: {type: string, format: binary}}
                facts: {type: object, required: [place], properties: {place: {type: string, minLength: 1}}}
            example: {about: none, facts: {place: shelf 7}, kind: b, label: July, papers: [first paper]}
      responses: &box
        2XX:
          description: A box.
          content:
            application/json:
              schema:
                type: object
                required: [id, label, papers]
                properties: {id: {type: string}, label: {type: string}, papers: {type: array, items: {}}}
        4XX: {description: Refused.}
  /boxes/{id}:
    parameters: &id [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: unpack, responses: *box}
    patch: {operationId: relabel, responses: *box, requestBody: {required: true, content: {application/json: {schema: {
      type: object, required: [label], properties: {label: {type: string, minLength: 3, example: August}}}}}}}
    delete: {operationId: burn, responses: *box}
  /blobs/{name}:
    put:
      operationId: lay
      parameters: [{name: name, in: path, required: true, schema: {type: string}, example: july.txt}]
      requestBody: {required: true, content: {'*/*': {schema: {type: string, format: binary}, example: a raw file}}}
      responses:
        '201':
          description: A blob.
          content: {application/json: {schema: {type: object, required: [blobId, name]}}}
        4XX: {description: Refused.}
        5XX: {description: Failed.}
  /blobs/{blobId}/content:
    get:
      operationId: fetch
      parameters: [{name: blobId, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: The file., content: {'*/*': {schema: {type: string, format: binary}}}}
        4XX: {description: Refused.}
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Depot-Key}}}
`

// An empty paper behind another, and the last of 21.
var (
	emptyPaper = regexp.MustCompile(`,\{[^{}]*"size":0\}`)
	lastPaper  = regexp.MustCompile(`,\{"fileId":"[^"]*-20"[^{}]*\}`)
)

func newShelf() http.Handler {
	var mu sync.Mutex
	kept, n := map[string]any{}, 0
	mux := http.NewServeMux()
	handle := func(pattern string, f func(w http.ResponseWriter, r *http.Request, id string)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			n++
			if r.Header.Get("X-Depot-Key") != depotKey {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			f(w, r, fmt.Sprintf("s-%04d", n))
		})
	}
	say := func(w http.ResponseWriter, status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	handle("POST /v1/boxes", func(w http.ResponseWriter, r *http.Request, id string) {
		box := map[string]any{"id": id}
		papers := []any{}
		form, err := r.MultipartReader()
		for err == nil {
			var part *multipart.Part
			var content []byte
			if part, err = form.NextPart(); err != nil {
				break
			}
			switch content, err = all(part, r.ContentLength); part.FormName() {
			case "facts":
				var facts struct{ Place string }
				if json.Unmarshal(content, &facts) != nil || facts.Place == "" {
					err = io.ErrUnexpectedEOF
				}
				box["place"] = facts.Place
				continue
			case "label", "about", "kind":
				box[part.FormName()] = string(content)
				continue
			case "papers":
			default:
				err = io.ErrUnexpectedEOF
			}
			_, params, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
			if params["filename"] == "" {
				break
			}
			papers = append(papers, map[string]any{"fileId": fmt.Sprintf("%s-%d", id, len(papers)),
				"name": upload.BaseName(params["filename"]), "size": len(content)})
		}
		label, _ := box["label"].(string)
		about, _ := box["about"].(string)
		kind, _ := cmp.Or(box["kind"], any("a")).(string)
		if err != io.EOF || len(papers) == 0 || len(label) < 3 || utf8.RuneCountInString(about) > 200 ||
			kind != "a" && kind != "b" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		box["papers"] = papers
		kept[id] = box
		say(w, http.StatusCreated, box)
	})
	handle("/v1/boxes/{id}", func(w http.ResponseWriter, r *http.Request, _ string) {
		box, ok := kept[r.PathValue("id")].(map[string]any)
		switch {
		case r.Method == http.MethodPatch:
			var said struct{ Label string }
			if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") ||
				json.NewDecoder(r.Body).Decode(&said) != nil || len(said.Label) < 3 {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			if ok {
				box["label"] = said.Label
			}
		case r.Method != http.MethodGet && r.Method != http.MethodDelete:
			w.Header().Set("Allow", "GET, DELETE, PATCH")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		case r.Method == http.MethodDelete:
			delete(kept, r.PathValue("id"))
		}
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		say(w, http.StatusOK, box)
	})
	handle("PUT /v1/blobs/{name}", func(w http.ResponseWriter, r *http.Request, id string) {
		content, err := all(r.Body, r.ContentLength)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		kept[id] = []string{r.Header.Get("Content-Type"), string(content)}
		say(w, http.StatusCreated, map[string]any{"blobId": id, "name": r.PathValue("name")})
	})
	handle("GET /v1/blobs/{id}/content", func(w http.ResponseWriter, r *http.Request, _ string) {
		blob, ok := kept[r.PathValue("id")].([]string)
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", blob[0])
		_, _ = io.WriteString(w, blob[1])
	})
	return mux
}

func TestProbeNamesWhatIsFoundOtherwise(t *testing.T) {
	t.Parallel()
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
			return serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPatch {
					paths.Store(r.URL.Path, true)
				} else if _, was := paths.Load(r.URL.Path); was {
					next = reply("/boxes/s-", on(200, spoil))(next)
				}
				next.ServeHTTP(w, r)
			})(next)
		}
	}
	var mu sync.Mutex
	freed := ""
	for _, b := range []struct {
		fault string
		spoil func(http.Handler) http.Handler
		want  string // empty: nothing is wrong
	}{
		{"none", func(h http.Handler) http.Handler { return h }, ""},
		{"an id of each answer", reply("/boxes", func(rec *httptest.ResponseRecorder) {
			now := time.Now().UnixNano()
			anew(`"id":`, fmt.Sprintf(`"requestId":%d,"responseId":"%[1]d","statusId":%[1]d,"id":`, now))(rec)
		}), ""},
		{"an owner with an id", reply("/boxes", anew(`"label":`, `"owner":{"id":"user-1"},"label":`)), ""},
		{"a type that is hidden", reply("/content", func(rec *httptest.ResponseRecorder) {
			rec.Header().Set("Content-Type", "application/octet-stream")
		}), ""},
		{"a download that needs credentials", serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			reply("/blobs/", on(201, func(rec *httptest.ResponseRecorder) {
				id := strings.Split(rec.Body.String(), `"`)[3]
				anew(`{"blobId"`, fmt.Sprintf(`{"downloadUrl":"http://%s/v1/blobs/%s/content","blobId"`, r.Host,
					id))(rec)
			}))(next).ServeHTTP(w, r)
		}), ""},
		{"an empty file is a failure", serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut && r.ContentLength == 0 && r.Header.Get("X-Depot-Key") == depotKey {
				w.WriteHeader(http.StatusNotImplemented)
				return
			}
			next.ServeHTTP(w, r)
		}), "Shelf: lay: response status: 501 to an empty file (PUT /v1/blobs/{name})"},
		{"none of a box is found", reply("/boxes/s-", on(200, func(rec *httptest.ResponseRecorder) {
			if text := rec.Body.String(); strings.Contains(text, "[") {
				rec.Body.Reset()
				rec.Body.WriteString(text[:strings.Index(text, "[")] + "[]}")
			}
		})), "Shelf: unpack: response body: papers has 0 elements, but 1 in the answer to the upload"},
		{"one of several is found", reply("/boxes/s-", on(200, firstPaper)),
			"Shelf: unpack: response body: papers has 1 elements, but 2 files were sent"},
		{"an empty one of several is left out", reply("/boxes", on(201, func(rec *httptest.ResponseRecorder) {
			rec.Body = bytes.NewBuffer(emptyPaper.ReplaceAll(rec.Body.Bytes(), nil))
		})), "Shelf: pack: response body: papers has 1 elements, but 2 files were sent (of several"},
		{"the last of many is left out", reply("/boxes", on(201, func(rec *httptest.ResponseRecorder) {
			rec.Body = bytes.NewBuffer(lastPaper.ReplaceAll(rec.Body.Bytes(), nil))
		})), "Shelf: pack: response body: papers has 20 elements, but 21 files were sent (of several"},
		{"one of several is deleted", serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				next = reply("/boxes/s-", on(200, anew(`"fileId":`, `"fileId":"","was":`)))(next)
			}
			next.ServeHTTP(w, r)
		}), `Shelf: burn: response body: fileId is "", but "s-`},
		{"two of several have one id", reply("/boxes", on(201, anew(`-1"`, `-0"`))),
			"Shelf: pack: response body: two files of one upload have the same id (POST /v1/boxes)"},
		{"one id for all, with other files", reply("/boxes", on(201, anew(`"id":"`, `"id":"one","was":"`))),
			"Shelf: pack: response body: two uploads have the same id (POST /v1/boxes)"},
		{"another id is found", reply("/boxes/s-", anew(`"fileId":"`, `"fileId":"x`)),
			`Shelf: unpack: response body: fileId is "xs-`},
		{"what was said is found otherwise", reply("/boxes/s-", anew("July", "June")),
			`Shelf: unpack: response body: label is "June", but "July" was said (GET /v1/boxes/{id})`},
		{"the bytes come back changed", reply("/content", anew("raw", "row")), "Shelf: fetch: response body: " +
			"the file comes back changed: 10 bytes, 10 were sent, the first wrong one at offset 3"},
		{"the type comes back changed", reply("/content", on(200, func(rec *httptest.ResponseRecorder) {
			rec.Header().Set("Content-Type", "text/html")
		})), `Shelf: fetch: response header: Content-Type is "text/html", but the file was sent as "`},
		{"a name is decoded twice", reply("/blobs/", anew("100%25+1", "100% 1")),
			`Shelf: lay: response body: name is "grüße 100% 1.txt", but "grüße 100%25+1.txt" was said`},
		{"a name loses its letters", reply("/boxes", anew("grüße", "gr??e")),
			`Shelf: pack: response body: name is "gr??e 100%25+1.txt", but the file was called "grüße`},
		{"an odd name is a failure", serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "ü") {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		}), `Shelf: lay: response status: 500 to a file that is called "grüße 100%25+1.txt" (PUT`},
		{"a name that is too long betrays the server",
			serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if len(r.URL.Path) > 300 {
					http.Error(w, "open /var/lib/shelf/l: file name too long", http.StatusBadRequest)
					return
				}
				next.ServeHTTP(w, r)
			}), "Shelf: lay: response body: status 400: it shows a path of the server's machine"},
		{"a letter is a failure", serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			odd := false
			rewrite(r, func(b []byte) []byte {
				odd = bytes.Contains(b, []byte("\U0001F4C4"))
				return b
			})
			if odd && strings.HasSuffix(r.URL.Path, "/boxes") {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		}), `Shelf: pack: response status: 500 is not declared, for a file that is called "grüße`},
		{"a long text is cut", arrival("/boxes", rewritten(func(b []byte) []byte {
			before, after, _ := bytes.Cut(b, []byte(strings.Repeat(oddText, 2)))
			if len(after) == 0 {
				return b
			}
			return slices.Concat(before, []byte(oddText+oddText), after[bytes.IndexByte(after, '\r'):])
		})), "without the last"},
		{"a fact is escaped", reply("/boxes", anew(`"place":"Grüße  \u0026 `, `"place":"Grüße  \u0026amp; `)),
			`Shelf: pack: response body: place is "Grüße  &amp; <b>'x'</b>; 100%25+1`},
		{"a charset of facts is refused", serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			rewrite(r, func(b []byte) []byte {
				return bytes.Replace(b, []byte("json; charset"), []byte("json\r\ncharset"), 1)
			})
			next.ServeHTTP(w, r)
		}), "Shelf: pack: response status: 400 to a form with a part of JSON that names its charset (POST /v1/boxes)"},
		{"a paper without a type is a failure", serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			bare := false
			rewrite(r, func(b []byte) []byte {
				bare = bytes.Contains(b, []byte("filename=\"uploadtest.txt\"\r\n\r\n"))
				return b
			})
			if bare && r.Header.Get("X-Depot-Key") == depotKey {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		}), "Shelf: pack: response status: 500 is not declared (POST /v1/boxes)"},
		{"any place", arrival("/boxes", replace(`{}`, `{"place":"attic"}`)),
			"Shelf: pack: response status: 201 to a body without facts.place"},
		{"facts behind the papers are overlooked", arrival("/boxes", func(r *http.Request) {
			rewrite(r, func(b []byte) []byte {
				if bytes.Index(b, []byte(`name="papers"`)) < bytes.Index(b, []byte(`name="label"`)) {
					return bytes.Replace(b, []byte("shelf 7"), []byte("no place"), 1)
				}
				return b
			})
		}), `place is "no place", but "shelf 7" was said (sent before the other fields)`},
		{"a PATCH resets what it does not name", patched(anew(`"kind":"b"`, `"kind":"a"`)),
			"Shelf: unpack: response body: kind is not what it was before a PATCH that did not name it"},
		{"a PATCH changes nothing", patched(anew(`"August"`, `"July"`)),
			`Shelf: unpack: response body: label is still "July" after a PATCH that said "August" (GET`},
		{"any kind", arrival("/boxes", replace("uploadtest-other", "a")),
			"Shelf: pack: response status: 201 to a kind that is not one of its values"},
		{"any length", arrival("/boxes", replace(strings.Repeat("x", 201), "x")),
			"Shelf: pack: response status: 201 to a about that is too long"},
		{"any field", arrival("/boxes", replace(`name="uploadtest"; filename`, `name="papers"; filename`)),
			"Shelf: pack: response status: 201 to a file in another field than papers"},
		{"a text of another", reply("/boxes", func(rec *httptest.ResponseRecorder) {
			if !strings.Contains(rec.Body.String(), `"about"`) {
				anew(`"label":`, `"about":"Grüße  \u0026 <b>","label":`)(rec)
			}
		}), `Shelf: pack: response body: about is "Grüße  & <b>", and only another upload said so`},
		{"a field that is missing is taken, and no other", arrival("/boxes", func(r *http.Request) {
			rewrite(r, func(b []byte) []byte {
				switch {
				case bytes.Contains(b, []byte(`name="uploadtest"`)):
					return nil
				case !bytes.Contains(b, []byte(`name="label"`)):
					const label = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\nJuly\r\n"
					return slices.Concat([]byte(label), b)
				}
				return b
			})
		}), "Shelf: pack: response status: 201 to a body without label, which must be refused by a 4xx (POST " +
			"/v1/boxes)"},
		{"an id is given out again", serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.Method == http.MethodDelete {
				freed = r.URL.Path[len("/v1/boxes/"):]
			}
			if r.Method == http.MethodPost && freed != "" {
				next = reply("/boxes", on(201, anew(`"id":"`, `"id":"`+freed+`","was":"`)))(next)
			}
			next.ServeHTTP(w, r)
		}), "Shelf: pack: response body: the id of a deleted upload is given out again (POST /v1/boxes)"},
	} {
		t.Run(b.fault, func(t *testing.T) {
			t.Parallel()
			ts := httptest.NewServer(b.spoil(newShelf()))
			defer ts.Close()
			blames(t, b.want, func(tb testing.TB) { Probe(tb, ts.URL+"/v1", []byte(shelfSpec), withKey) })
		})
	}
}

// Behind a proxy that buffers, no server can look at credentials first.
func TestProbeSaysWhoAsksForTheBodyFirst(t *testing.T) {
	ts := httptest.NewServer(serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		b, err := all(r.Body, r.ContentLength)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		next.ServeHTTP(w, r)
	})(newShelf()))
	defer ts.Close()
	l := &logged{TB: t}
	Probe(l, ts.URL+"/v1", []byte(shelfSpec), withKey)
	want := "Shelf: lay: not seen: whether credentials are looked at before the body"
	if !strings.Contains(l.log.String(), want) {
		t.Errorf("the log lacks %q:\n%s", want, &l.log)
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
			lines := recorded(t, func(tb testing.TB) {
				srv := Serve(tb, newShelf(), []byte(shelfSpec))
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.BaseURL+"/boxes", &b)
				req.Header.Set("Content-Type", w.FormDataContentType())
				withKey(req)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			})
			if c.want != "" {
				named(t, lines, c.want)
			} else if len(lines) > 0 {
				t.Errorf("it was blamed: %q", lines)
			}
		})
	}
}
