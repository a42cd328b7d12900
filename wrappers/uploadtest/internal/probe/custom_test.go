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
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// A hall does much in its own way. Each request of a clip needs a header, and a
// code that is no other. The newest clip comes first, no clip is given back, and
// a deleted one is still told of. A post needs no file, and has a text in JSON. A
// pin is made by a POST of its name, and a PUT only replaces it. A poster goes to
// the one wall that is there. A shard is sent on to its node. A blob goes to a
// session, and then has a place of its own. A tape is told of when its film is
// gone, and each PUT to its URL makes another film. A draft gives a URL that
// belongs to an operation, which takes one file, as it was announced.
const hallSpec = `
openapi: 3.0.3
info: {title: Hall, version: '1'}
paths:
  /clips:
    parameters: [&version {name: X-Version, in: header, required: true, schema: {type: string}, example: '1'}]
    post: {operationId: clip, requestBody: {required: true, content: {multipart/form-data: {schema: {type: object,
      required: [code, file], properties: {code: {type: string, example: sesame}, file: {type: string,
      format: binary}}}}}}, responses: &clip {2XX: &json {description: It., content: {application/json: {
      schema: {}}}}, 4XX: &no {description: No.}}}
    get: {operationId: clips, parameters: [{name: limit, in: query, schema: {type: integer, minimum: 1}},
      {name: before, in: query, schema: {type: string}}], responses: *clip}
  /clips/{clipId}:
    parameters: [*version, &clipId {name: clipId, in: path, required: true, schema: {type: string}}]
    get: {operationId: seen, responses: *clip}
    delete: {operationId: drop, responses: *clip}
  /clips/{clipId}/file: {parameters: [*version, *clipId], get: {operationId: play, responses: {4XX: *no, '200': &file {
    description: The file., content: {text/csv: {schema: {type: string, format: binary}}}}}}}
  /clips/{clipId}/cancel: {parameters: [*version, *clipId], put: {operationId: cancel, responses: *clip}}
  /rows/{row}: {get: {operationId: row, responses: *clip,
    parameters: [{name: row, in: path, required: true, schema: {type: string}, example: north-9}]}}
  /finds: {post: {operationId: find, responses: *clip, requestBody: {required: true, content: {application/json: {
    schema: {type: object, required: [text], properties: {text: {type: string, minLength: 1, example: a}}}}}}}}
  /moves: {post: {operationId: move, responses: *clip, requestBody: {required: true, content: {application/json: {
    schema: {type: object, required: [clipKey, rowId], properties: {clipKey: &text {type: string}, rowId: *text}}}}}}}
  /posts: {post: {operationId: post, responses: *clip, requestBody: {required: true, content: {multipart/form-data: {
    schema: {type: object, properties: {json: {type: string, example: '{"text":"a"}'}, 'files[0]': &bytes {type: string,
    format: binary}, 'files[1]': *bytes}}}}}}}
  /pins/{board}/{spot}:
    parameters: &place [{name: board, in: path, required: true, schema: {type: string}, example: big},
      {name: spot, in: path, required: true, schema: {type: string}, example: a/b-pin.csv,
      description: The name of a pin.}]
    post: {operationId: pin, requestBody: &raw {required: true, content: {'*/*': {schema: *bytes}}},
      responses: {2XX: *json, 4XX: *no, '409': *no}}
    put: {operationId: pinAgain, requestBody: *raw, responses: &told {2XX: *json, 4XX: *no}}
  /pinned/{board}/{spot}: {parameters: *place, get: {operationId: pinned, responses: {4XX: *no, '200': *file}}}
  /shards/{shard}:
    parameters: [{name: shard, in: path, required: true, schema: {type: string}, example: a.bin}]
    put: {operationId: shard, responses: {4XX: *no, '307': {description: Its node.}}}
    get: {operationId: sharded, responses: {4XX: *no, '200': *file}}
  /walls/{board}: {parameters: [{name: board, in: path, required: true, schema: {type: string}, example: big}],
    post: {operationId: paste, requestBody: *raw, responses: *told}}
  /thumbs/{board}/{spot}: {parameters: *place, get: {operationId: thumb, responses: {4XX: *no, '200': *file}}}
  /cards/{id}/notes: {parameters: [&card {name: id, in: path, required: true, schema: {type: string}, example: card-1}],
    post: {operationId: note, requestBody: *raw, responses: *told},
    get: {operationId: notes, responses: *told, parameters: [{name: limit, in: query, schema: {type: integer,
      minimum: 1}}]}}
  /cards/{id}/notes/{noteId}: {parameters: [*card, {name: noteId, in: path, required: true, schema: {type: string}}],
    get: {operationId: noted, responses: *told}, delete: {operationId: unnote, responses: {2XX: *json, 4XX: *no,
    '501': *no}, parameters: [{name: force, in: query, required: true, schema: {type: boolean, enum: [true]}}]}}
  /kept/: {post: {operationId: open, responses: {'202': {description: Open.}}}}
  /blobs/{session}:
    parameters: [{name: session, in: path, required: true, schema: {type: string}}]
    put: {operationId: close, requestBody: *raw, responses: *told,
      parameters: [{name: digest, in: query, required: true, schema: {type: string, pattern: '^sha256:[0-9a-f]{64}$'}}]}
    get: {operationId: state, responses: *told}
  /kept/{blob}: {parameters: [{name: blob, in: path, required: true, schema: {type: string}}],
    get: {operationId: kept, responses: {4XX: *no, '200': *file}}, head: {operationId: isKept, responses: {
    '404': *no, '200': *json}}}
  /drafts: {post: {operationId: draft, security: &key [{key: []}], responses: *told, requestBody: {required: true,
    content: {application/json: {schema: {type: object, required: [filename, contentType], properties: {
    filename: {type: string, minLength: 1, example: a.csv}, contentType: {type: string, enum: [text/csv]}}}}}}}}
  /drafts/{draftId}/file: {post: {operationId: send, security: *key, responses: *told,
    parameters: [{name: draftId, in: path, required: true, schema: {type: string}}], requestBody: {required: true,
    content: {multipart/form-data: {schema: {type: object, required: [file], properties: {file: *bytes}}}}}}}
  /tapes: {get: {operationId: tapes, responses: *told}, post: {operationId: tape, responses: *told}}
  /tapes/{tapeId}: {get: {operationId: taped, responses: *told,
    parameters: [{name: tapeId, in: path, required: true, schema: {type: string}}]}}
  /films/{filmId}: {parameters: [{name: filmId, in: path, required: true, schema: {type: string}}],
    get: {operationId: film, responses: {4XX: *no, '200': *file}}, delete: {operationId: burn, responses: *told}}
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}
`

func newHall(fault string) http.Handler {
	var mu sync.Mutex
	type thing struct {
		id, name string
		content  []byte
		deleted  bool
	}
	var clips []*thing
	n, drafts, pins := 0, map[string]*thing{}, map[string]*thing{}
	notes, tapes := map[string]*thing{}, map[string]*thing{}
	films := map[string][]byte{}
	kept, sessions := map[string][]byte{}, map[string]bool{}
	id := func(of string) string { n++; return fmt.Sprintf("%s-%05d", of, 10*n) }
	show := func(c *thing) map[string]any {
		if c.deleted && fault != "a deleted clip is as it was" {
			return map[string]any{"id": c.id, "name": "(deleted)", "size": 0}
		}
		return map[string]any{"id": c.id, "name": c.name, "size": len(c.content), "media_type": "document"}
	}
	mux := http.NewServeMux()
	type handler = func(w http.ResponseWriter, r *http.Request, content []byte)
	handle := func(pattern string, f handler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			content, err := faulty.ReadAll(r.Body, r.ContentLength)
			mu.Lock()
			defer mu.Unlock()
			if strings.HasPrefix(r.URL.Path, "/drafts") && r.Header.Get("X-Key") != lab.DepotKey {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if err != nil || strings.HasPrefix(r.URL.Path, "/clips") && r.Header.Get("X-Version") != "1" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			f(w, r, content)
		})
	}
	handle("POST /clips", func(w http.ResponseWriter, r *http.Request, content []byte) {
		r.Body = io.NopCloser(strings.NewReader(string(content)))
		form, err := r.MultipartReader()
		var made *thing
		code := ""
		for err == nil {
			part, wrong := form.NextRawPart()
			if err = wrong; err != nil {
				break
			}
			b, wrong := io.ReadAll(part)
			if err = wrong; part.FormName() == "code" {
				code = string(b)
			} else if part.FormName() == "file" && part.FileName() != "" {
				made = &thing{id: id("clip"), name: upload.BaseName(part.FileName()), content: b}
			}
		}
		switch {
		case err != io.EOF || made == nil:
			w.WriteHeader(http.StatusBadRequest)
			return
		case code != "sesame":
			w.WriteHeader(http.StatusForbidden)
			return
		case fault == "a plus is a space in a clip":
			made.name = strings.ReplaceAll(made.name, "+", " ")
		}
		clips = append([]*thing{made}, clips...)
		say(w, http.StatusCreated, show(made))
	})
	handle("GET /clips", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		limit, err := strconv.Atoi(cmp.Or(r.FormValue("limit"), "1000"))
		if err != nil || limit < 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		page := []any{}
		for _, c := range clips {
			before := r.FormValue("before")
			if c.id < before || before == "" || c.id == before && fault == "a page begins with the end of another" {
				if len(page) < limit && !(c.deleted && fault == "a list without what was deleted") {
					page = append(page, map[string]any{"id": c.id, "name": c.name, "deleted": c.deleted})
				}
			}
		}
		say(w, http.StatusOK, page)
	})
	clip := func(f func(w http.ResponseWriter, c *thing)) handler {
		return func(w http.ResponseWriter, r *http.Request, _ []byte) {
			i := slices.IndexFunc(clips, func(c *thing) bool { return c.id == r.PathValue("id") })
			if i < 0 || clips[i].deleted && strings.HasSuffix(r.URL.Path, "/file") {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			f(w, clips[i])
		}
	}
	handle("GET /clips/{id}", clip(func(w http.ResponseWriter, c *thing) { say(w, http.StatusOK, show(c)) }))
	handle("DELETE /clips/{id}", clip(func(w http.ResponseWriter, c *thing) {
		c.deleted = true
		say(w, http.StatusOK, show(c))
	}))
	handle("GET /clips/{id}/file", clip(func(w http.ResponseWriter, c *thing) {
		if strings.HasSuffix(c.id, "40") && fault == "some clips are withheld" || fault == "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "text/csv")
		_, _ = w.Write(c.content)
	}))
	handle("PUT /clips/{id}/cancel", clip(func(w http.ResponseWriter, _ *thing) {
		w.WriteHeader(http.StatusForbidden)
	}))
	handle("GET /rows/{row}", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		row := []any{map[string]string{"id": "north-9"}}
		if r.PathValue("row") != "north-9" && fault != "an unknown row has a clip" {
			row = []any{}
		}
		say(w, http.StatusOK, row)
	})
	handle("POST /finds", func(w http.ResponseWriter, r *http.Request, content []byte) {
		var said struct{ Text *string }
		isJSON := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
		if !isJSON || json.Unmarshal(content, &said) != nil || said.Text == nil || *said.Text == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		found := map[string]any{}
		if len(clips) > 0 {
			found["id"] = clips[len(clips)-1].id
		}
		say(w, http.StatusOK, found)
	})
	handle("POST /posts", func(w http.ResponseWriter, r *http.Request, content []byte) {
		r.Body = io.NopCloser(bytes.NewReader(content))
		if r.ParseMultipartForm(1<<30) != nil || r.FormValue("json") != "" && !json.Valid([]byte(r.FormValue("json"))) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		files := []map[string]any{}
		for _, field := range []string{"files[0]", "files[1]"} {
			for _, file := range r.MultipartForm.File[field] {
				files = append(files, map[string]any{"filename": file.Filename, "size": file.Size})
			}
		}
		if len(files) == 2 && fault == "two files are swapped" {
			files[0]["size"], files[1]["size"] = files[1]["size"], files[0]["size"]
		}
		say(w, http.StatusCreated, map[string]any{"id": id("post"), "files": files})
	})
	handle("POST /moves", func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.WriteHeader(http.StatusBadRequest)
	})
	pin := func(w http.ResponseWriter, r *http.Request, content []byte) {
		if r.PathValue("board") != "big" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		key := r.PathValue("spot")
		if fault == "a plus is a space" {
			key = strings.ReplaceAll(key, "+", " ")
		}
		old := pins[key]
		switch isNew := r.Method == http.MethodPost; {
		case isNew && old != nil && fault != "a pin is replaced":
			w.WriteHeader(http.StatusConflict)
		case !isNew && old == nil:
			w.WriteHeader(http.StatusNotFound)
		default:
			made := &thing{id: id("pin"), name: key, content: content}
			if old != nil {
				made.id = old.id
			}
			pins[key] = made
			switch fault {
			case "a name in capitals":
				key = strings.ToUpper(key)
			case "a name without its directory":
				key = upload.BaseName(key)
			}
			say(w, http.StatusOK, map[string]string{"id": made.id, "name": key})
		}
	}
	handle("POST /pins/{board}/{spot}", pin)
	handle("PUT /pins/{board}/{spot}", pin)
	handle("GET /pinned/{board}/{spot}", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		if pins[r.PathValue("spot")] == nil || r.PathValue("board") != "big" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/csv")
		content := pins[r.PathValue("spot")].content
		if fault == "half a pin is given back" {
			content = content[:len(content)/2]
		}
		_, _ = w.Write(content)
	})
	handle("PUT /shards/{shard}", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		key := r.PathValue("shard")
		if _, taken := kept[key]; taken && fault != "a shard is replaced" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		to := url.PathEscape(key)
		if fault == "a shard is sent on under another name" {
			to = strings.ReplaceAll(to, "%", "")
		}
		w.Header().Set("Location", "/nodes/"+to)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	handle("PUT /nodes/{shard}", func(w http.ResponseWriter, r *http.Request, content []byte) {
		kept[r.PathValue("shard")] = content
		w.WriteHeader(http.StatusCreated)
	})
	handle("POST /walls/{board}", func(w http.ResponseWriter, r *http.Request, content []byte) {
		if r.PathValue("board") != "big" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		say(w, http.StatusCreated, map[string]any{"id": id("poster"), "size": len(content)})
	})
	handle("GET /thumbs/{board}/{spot}", func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.WriteHeader(http.StatusNotFound) // none was made yet
	})
	card := func(f handler) handler {
		return func(w http.ResponseWriter, r *http.Request, content []byte) {
			if r.PathValue("id") != "card-1" || r.PathValue("note") != "" && notes[r.PathValue("note")] == nil {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			f(w, r, content)
		}
	}
	handle("POST /cards/{id}/notes", card(func(w http.ResponseWriter, _ *http.Request, content []byte) {
		made := &thing{id: id("note"), content: content}
		notes[made.id] = made
		say(w, http.StatusCreated, map[string]any{"id": made.id, "size": len(content)})
	}))
	handle("GET /cards/{id}/notes", card(func(w http.ResponseWriter, r *http.Request, _ []byte) {
		limit, err := strconv.Atoi(cmp.Or(r.FormValue("limit"), "1000"))
		if err != nil || limit < 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		list := []any{}
		for _, key := range slices.Sorted(maps.Keys(notes)) {
			list = append(list, map[string]any{"id": key, "size": len(notes[key].content)})
		}
		say(w, http.StatusOK, list[:min(limit, len(list))])
	}))
	handle("GET /cards/{id}/notes/{note}", card(func(w http.ResponseWriter, r *http.Request, _ []byte) {
		found := notes[r.PathValue("note")]
		say(w, http.StatusOK, map[string]any{"id": found.id, "size": len(found.content)})
	}))
	handle("DELETE /cards/{id}/notes/{note}", card(func(w http.ResponseWriter, r *http.Request, _ []byte) {
		switch r.FormValue("force") {
		case "true":
			delete(notes, r.PathValue("note"))
			say(w, http.StatusOK, map[string]any{})
		case "":
			w.WriteHeader(http.StatusNotImplemented)
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	handle("POST /kept/{$}", func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		session := id("session")
		sessions[session] = true
		w.Header().Set("Location", "/blobs/"+session)
		w.WriteHeader(http.StatusAccepted)
	})
	handle("PUT /blobs/{session}", func(w http.ResponseWriter, r *http.Request, content []byte) {
		digest, session := "sha256:"+payload.Sum(content), r.PathValue("session")
		switch {
		case !sessions[session]:
			w.WriteHeader(http.StatusNotFound)
		case r.FormValue("digest") != digest:
			w.WriteHeader(http.StatusBadRequest)
		default:
			delete(sessions, session)
			kept[digest] = content
			w.Header().Set("Location", "/kept/"+digest)
			say(w, http.StatusCreated, map[string]any{})
		}
	})
	handle("GET /blobs/{session}", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		if !sessions[r.PathValue("session")] {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		say(w, http.StatusOK, map[string]any{})
	})
	give := func(w http.ResponseWriter, r *http.Request, _ []byte) {
		content, found := kept[r.PathValue("blob")]
		if !found {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/csv")
		_, _ = w.Write(content)
	}
	handle("GET /kept/{blob}", give)
	handle("GET /shards/{blob}", give)
	handle("POST /drafts", func(w http.ResponseWriter, r *http.Request, content []byte) {
		var said struct{ Filename, ContentType string }
		isJSON := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
		if !isJSON || json.Unmarshal(content, &said) != nil || said.Filename == "" || said.ContentType != "text/csv" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		made := &thing{id: id("draft"), name: said.Filename}
		drafts[made.id] = made
		url := "http://" + r.Host + "/drafts/" + made.id + "/file"
		say(w, http.StatusCreated, map[string]any{"id": made.id, "filename": made.name, "uploadUrl": url})
	})
	handle("POST /drafts/{draft}/file", func(w http.ResponseWriter, r *http.Request, content []byte) {
		made := drafts[r.PathValue("draft")]
		if made == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(content))
		file, of, err := r.FormFile("file")
		whole := bytes.HasSuffix(content, []byte("--\r\n"))
		if err != nil || of.Header.Get("Content-Type") != "text/csv" || made.deleted || !whole {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		made.deleted = true // as a draft
		made.content, _ = io.ReadAll(file)
		if fault == "the size of a form" {
			made.content = content
		}
		say(w, http.StatusOK, map[string]any{"id": made.id, "filename": made.name, "size": len(made.content)})
	})
	tape := func(r *http.Request, t *thing) map[string]any {
		if t.name != "" {
			return map[string]any{"id": t.id, "filmId": t.name}
		}
		url := "http://" + r.Host + "/reel/" + t.id + "?token=" + payload.Sum([]byte(t.id))
		return map[string]any{"id": t.id, "uploadUrl": url}
	}
	handle("POST /tapes", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		made := &thing{id: id("tape")}
		tapes[made.id] = made
		say(w, http.StatusCreated, tape(r, made))
	})
	handle("PUT /reel/{tape}", func(w http.ResponseWriter, r *http.Request, content []byte) {
		made := tapes[r.PathValue("tape")]
		if made == nil || r.FormValue("token") != payload.Sum([]byte(made.id)) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		made.name = id("film")
		films[made.name] = content
	})
	handle("GET /tapes", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		list := []any{}
		for _, key := range slices.Sorted(maps.Keys(tapes)) {
			list = append(list, map[string]any{"id": key, "filmId": tapes[key].name})
		}
		say(w, http.StatusOK, list)
	})
	handle("GET /tapes/{tape}", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		if tapes[r.PathValue("tape")] == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		say(w, http.StatusOK, tape(r, tapes[r.PathValue("tape")]))
	})
	handle("GET /films/{film}", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		content, found := films[r.PathValue("film")]
		if !found {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/csv")
		_, _ = w.Write(content)
	})
	handle("DELETE /films/{film}", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		if _, found := films[r.PathValue("film")]; !found {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		delete(films, r.PathValue("film"))
		say(w, http.StatusOK, map[string]any{})
	})
	return faulty.Reply("/", faulty.On(http.StatusMethodNotAllowed, func(rec *httptest.ResponseRecorder) {
		rec.Body.Reset()
	}))(mux)
}

func TestProbeKnowsTheCustomsOfRightServers(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]string{
		"":                                      "", // nothing is wrong
		"clips are given back":                  "",
		"a name without its directory":          "",
		"a list without what was deleted":       "",
		"some clips are withheld":               "Hall: play: response status: 403 to a stored upload",
		"a deleted clip is as it was":           "Hall: seen: response status: 200 to a deleted upload, which must be",
		"a page begins with the end of another": "Hall: clips: response body: short pages list",
		"an unknown row has a clip":             "Hall: row: response status: 200 to an id that was never issued",
		"two files are swapped":                 "bytes were sent: it is that of another file of the request",
		"the size of a form":                    "Hall: send: response body: size is ",
		"a plus is a space in a clip":           `Hall: clip: response body: name is "grüße 100%25 1.txt", but `,
		"a name in capitals":                    `Hall: pin: response body: name is "A/B-PIN.CSV", but `,
		"a plus is a space":                     `Hall: pin: response body: name is "grüße 100%25 1.txt", but `,
		"a shard is replaced":                   "",
		"a shard is sent on under another name": `Hall: sharded: response status: 404 to a stored upload that is ` +
			`called "grüße 100%25+1.txt" (content: white space at both ends) (GET /shards/`,
		"half a pin is given back": "Hall: pinned: response body: the file",
		"a pin is replaced": "Hall: pin: response body: a second upload replaces the first, and the spec has a 409 " +
			"for that (POST /pins/{board}/{spot})",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			lab.Blames(t, want, func(tb testing.TB) { probes(tb, newHall(fault), "", []byte(hallSpec), withHallKey) })
		})
	}
}

// A name that the spec does not call one may be another's.
func TestProbeSaysWhichNamesItCannotSee(t *testing.T) {
	t.Parallel()
	spec := strings.Replace(hallSpec, "{type: string}, example: a/b-pin.csv,\n      description: The name of a pin.}",
		"{type: string, maxLength: 100}, example: a/b-pin.csv}", 1)
	spec = strings.Replace(spec, "operationId: clip,",
		"operationId: clip, description: Spaces in names are changed.,", 1)
	l := &lab.Logged{TB: t}
	probes(l, newHall("a name in capitals"), "", []byte(spec), withHallKey)
	for _, want := range []string{"Hall: pin: not seen: whether its name is the spot of the path",
		"Hall: clip: not seen: whether names stay as they are",
		"Hall: pin: not seen: some names as its spot, which the spec does not allow"} {
		if !strings.Contains(l.Text.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &l.Text)
		}
	}
}

func withHallKey(r *http.Request) { r.Header.Set("X-Key", lab.DepotKey) }
