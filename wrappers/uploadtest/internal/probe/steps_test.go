package probe

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// pier is a provider whose files come in steps: in a form with a policy, in a
// session at the Location, in a call before the bytes and one behind them, or
// after a call for several files. A clip becomes a film, which has another id. A
// parcel is one request.
const pierSpec = v1 + `
info: {title: Pier, version: '1'}
paths:
  /forms: {post: {operationId: form, requestBody: &named {required: true, content: {application/json: {schema: {
    type: object, required: [name], properties: {name: {type: string}}}, example: {name: a.txt}}}}, responses: &said {
    2XX: &json {description: Done., content: {application/json: {schema: {type: object, properties: {uploadUrl: {
    type: string}}}}}}, 4XX: &no {description: No.}}}}
  /uploadSessions: {post: {operationId: session, requestBody: *named, responses: *said}}
  /files: {post: {operationId: announce, requestBody: {required: true, content: {application/json: {schema: {
    type: object, required: [size, sha256], properties: {size: {type: integer, minimum: 0},
    sha256: {type: string, minLength: 64}}}}}}, responses: *said}}
  /batches: {post: {operationId: batch, requestBody: {required: true, content: {application/json: {schema: {
    type: object, required: [list], properties: {list: {type: array, minItems: 1,
      items: {type: object, required: [name, size],
    properties: {name: {type: string, minLength: 1}, size: {type: integer, minimum: 0}}}}}}}}}, responses: *said}}
  /files/{fileId}: &at
    parameters: [{name: fileId, in: path, required: true, schema: {type: string}}]
    get: {operationId: read, responses: *said}
    delete: {operationId: drop, responses: {'204': {description: Gone.}, 4XX: *no}}
  /files/{fileId}/content:
    parameters: [{name: fileId, in: path, required: true, schema: {type: string}}]
    get: {operationId: fetch, responses: {'200': {description: The file., content: {'*/*': {schema: {
      type: string, format: binary}}}}, 4XX: *no}}
  /a-commit: {post: {operationId: commit, requestBody: {required: true,
    content: {application/json: {schema: {type: object,
    required: [files], properties: {files: {type: array, minItems: 1,
      items: {type: object, required: [id], properties: {
    id: {type: string}}}}}}}}}, responses: {2XX: *json, '409': *no, 4XX: *no}}}
  /rows: {post: {operationId: row, requestBody: *named, responses: *said}}
  /rows/{rowId}/content:
    parameters: [{name: rowId, in: path, required: true, schema: {type: string}}]
    put: {operationId: fill, requestBody: {required: true, content: {application/octet-stream: {schema: {type: string,
      format: binary}}}}, responses: {'204': {description: Kept.}, 4XX: *no}}
    get: {operationId: show, responses: {'200': {description: The file., content: {'*/*': {schema: {
      type: string, format: binary}}}}, 4XX: *no}}
  /files/{fileId}/complete:
    parameters: [{name: fileId, in: path, required: true, schema: {type: string}}]
    post: {operationId: complete, responses: {2XX: *json, '409': *no, 4XX: *no}}
  /clips: {post: {operationId: clip, requestBody: {required: true, content: {application/json: {schema: {
    type: object, required: [callback, size], properties: {callback: {type: string, format: uri},
    size: {type: integer, minimum: 0}}}}}}, responses: *said}}
  /clips/{CLIP_ID}:
    parameters: [{name: CLIP_ID, in: path, required: true, schema: {type: string}}]
    get: {operationId: clipped, responses: *said}
  /films: {get: {operationId: films, parameters: [{name: limit, in: query,
    schema: {type: integer, minimum: 1, default: 50}},
    {name: cursor, in: query, schema: {type: string}}], responses: *said}}
  /films/{FILM_ID}:
    parameters: [{name: FILM_ID, in: path, required: true, schema: {type: string}}]
    get: {operationId: film, responses: *said}
    delete: {operationId: cut, responses: {'204': {description: Gone.}, 4XX: *no}}
  /parcels/{parcel}:
    parameters: [{name: parcel, in: path, required: true, schema: {type: string}, example: a.bin}]
    put: {operationId: ship, security: [{key: []}], requestBody: {required: true, content: {application/octet-stream: {
      schema: {type: string, format: binary}, example: a parcel}}}, responses: {2XX: *json, '400': *no, '404': *no}}
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Depot-Key}}}
`

// newPier returns the provider with one fault, or with none.
func newPier(fault string) http.Handler {
	type file struct {
		FileID    string `json:"fileId"`
		Name      string `json:"name,omitempty"`
		Size      *int   `json:"size,omitempty"`
		SHA256    string `json:"sha256,omitempty"`
		clip      map[string]any
		content   []byte
		form      bool
		sent      bool
		done      bool
		completed bool
		asked     int
	}
	var mu lab.Lock
	files := map[string]*file{}
	asAnnounced := func(f *file) bool {
		return (f.Size == nil || len(f.content) == *f.Size) && (f.SHA256 == "" || payload.DigestOf(f.SHA256, f.content))
	}
	mux := http.NewServeMux()
	handle := func(pattern string, f func(w http.ResponseWriter, r *http.Request, body []byte) (refused int)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := faulty.ReadAll(r.Body, r.ContentLength)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
			} else if status := f(w, r, body); status != 0 {
				w.WriteHeader(status)
			}
		})
	}
	starts := func(path string, right func(*file) bool, answer func(w http.ResponseWriter, r *http.Request, f *file)) {
		handle("POST /v1/"+path, func(w http.ResponseWriter, r *http.Request, body []byte) int {
			f := &file{FileID: fmt.Sprintf("pier-%08d", 7*len(files))}
			if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || json.Unmarshal(body, f) != nil ||
				!right(f) {
				return http.StatusBadRequest
			}
			for _, old := range files { // one of two equal files is enough
				if old.FileID != "" && old.done && f.SHA256 != "" && old.SHA256 == f.SHA256 {
					say(w, 200, old)
					return 0
				}
			}
			files[f.FileID] = f
			answer(w, r, f)
			return 0
		})
	}
	hasName := func(f *file) bool { return len(f.Name) > 0 }
	sealed := func(id string) string {
		return base64.StdEncoding.EncodeToString([]byte(`{"expires":1999999999,"acl":"none","key":"` + id + `"}`))
	}
	starts("forms", hasName, func(w http.ResponseWriter, r *http.Request, f *file) {
		f.form = true
		say(w, 201, map[string]any{"fileId": f.FileID, "upload": map[string]any{"url": "http://" + r.Host + "/bucket",
			"fields": map[string]string{"key": f.FileID, "policy": sealed(f.FileID), "acl": "none"}}})
	})
	starts("uploadSessions", hasName, func(w http.ResponseWriter, r *http.Request, f *file) {
		w.Header().Set("Location",
			map[bool]string{true: "http://127.0.0.1:1"}[fault == "a session that nobody reaches"]+
				"/v1/uploadSessions?token="+f.FileID+sealed(f.FileID))
		say(w, 201, map[string]string{"id": "session-" + f.FileID})
	})
	starts("files", func(f *file) bool { return f.Size != nil && *f.Size >= 0 && len(f.SHA256) == 64 },
		func(w http.ResponseWriter, r *http.Request, f *file) {
			say(w, 201, map[string]any{"fileId": f.FileID, "uploadUrl": "http://" + r.Host + "/put/" + f.FileID})
		})
	rows := map[string][]byte{} // nil until it is filled
	starts("rows", hasName, func(w http.ResponseWriter, _ *http.Request, f *file) {
		rows["row-"+f.FileID] = nil
		say(w, 201, map[string]any{"rowId": "row-" + f.FileID})
	})
	handle("PUT /v1/rows/{id}/content", func(w http.ResponseWriter, r *http.Request, body []byte) int {
		_, ok := rows[r.PathValue("id")]
		if !ok || r.Header.Get("Content-Type") != "application/octet-stream" || int64(len(body)) != r.ContentLength {
			return http.StatusBadRequest
		}
		rows[r.PathValue("id")] = append([]byte{}, body...)
		return http.StatusNoContent
	})
	handle("GET /v1/rows/{id}/content", func(w http.ResponseWriter, r *http.Request, _ []byte) int {
		if rows[r.PathValue("id")] == nil {
			return http.StatusNotFound
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(rows[r.PathValue("id")])
		return 0
	})
	handle("POST /v1/a-commit", func(w http.ResponseWriter, r *http.Request, body []byte) int {
		var asked struct{ Files []struct{ ID *string } }
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") ||
			json.Unmarshal(body, &asked) != nil ||
			len(asked.Files) == 0 {
			return http.StatusBadRequest
		}
		for _, one := range asked.Files {
			if one.ID == nil || files[*one.ID] == nil || !files[*one.ID].sent ||
				fault == "no commit of a form" && files[*one.ID].form {
				return http.StatusNotFound
			}
			if !asAnnounced(files[*one.ID]) {
				return http.StatusConflict
			}
		}
		say(w, 200, map[string]any{})
		return 0
	})
	handle("POST /v1/batches", func(w http.ResponseWriter, r *http.Request, body []byte) int {
		var asked struct{ List []*file }
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") ||
			json.Unmarshal(body, &asked) != nil ||
			len(asked.List) == 0 {
			return http.StatusBadRequest
		}
		var found []any
		for i, f := range asked.List {
			switch {
			case i > 0 && fault == "a batch whose first file is looked at" && f != nil:
			case f == nil || f.Name == "" || f.Size == nil || *f.Size < 0:
				return http.StatusBadRequest
			}
			f.FileID = fmt.Sprintf("pier-%08d", 7*len(files))
			files[f.FileID] = f
			at := url.PathEscape(f.Name)
			if fault == "a name that breaks the URL" {
				at = f.Name
			}
			found = append(found, map[string]any{"fileId": f.FileID, "name": f.Name,
				"url": "http://" + r.Host + "/put/" + f.FileID + "/" + at})
		}
		if fault == "a batch in another order" {
			slices.Reverse(found)
		}
		say(w, 201, map[string]any{"uploads": found})
		return 0
	})
	handle("POST /bucket", func(w http.ResponseWriter, r *http.Request, body []byte) int {
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		form, err := r.MultipartReader()
		if err != nil {
			return http.StatusBadRequest
		}
		fields := map[string]string{}
		for {
			part, err := form.NextPart()
			if err != nil {
				return http.StatusBadRequest
			}
			content, err := faulty.ReadAll(part, r.ContentLength)
			if part.FormName() != "file" {
				fields[part.FormName()] = string(content)
				continue
			}
			f, signed := files[fields["key"]], fields["policy"] == sealed(fields["key"])
			signed = signed || fault == "a form without its policy" && fields["policy"] == "" ||
				fault == "a form under another key" && len(fields["policy"]) == len(sealed(fields["key"]))
			policy, _ := base64.StdEncoding.DecodeString(fields["policy"])
			signed = signed || fault == "a policy that anybody may change" &&
				json.Valid(policy) && strings.HasSuffix(string(policy), `"acl":"none","key":"`+fields["key"]+`"}`)
			if _, end := form.NextPart(); err != nil || end != io.EOF || f == nil || !signed ||
				fields["acl"] != "none" {
				return http.StatusForbidden
			}
			f.content, f.sent, f.done = content, true, true
			return http.StatusNoContent
		}
	})
	handle("GET /v1/uploadSessions",
		func(http.ResponseWriter, *http.Request, []byte) int { return http.StatusNotFound })
	handle("PUT /v1/uploadSessions", func(w http.ResponseWriter, r *http.Request, body []byte) int {
		switch {
		case (fault == "" || fault == "a private session that loses an end") &&
			r.Header.Get("X-Depot-Key") != lab.DepotKey:
			return http.StatusUnauthorized
		case fault == "a private session that loses an end":
			body = body[:min(len(body), 50_000)]
		}
		f := files[r.FormValue("token")[:min(13, len(r.FormValue("token")))]]
		if f == nil || f.sent || r.FormValue("token") != f.FileID+sealed(f.FileID) &&
			fault != "a session with any token" {
			return http.StatusForbidden
		}
		f.content, f.sent, f.done = body, true, true
		say(w, 200, map[string]any{"id": f.FileID, "fileId": f.FileID}) // the session has another id
		return 0
	})
	handle("PUT /put/{id}", func(_ http.ResponseWriter, r *http.Request, body []byte) int {
		f := files[r.PathValue("id")]
		if f == nil || f.done || f.clip != nil && f.sent || int64(len(body)) != r.ContentLength {
			return http.StatusForbidden
		}
		f.content, f.sent = body, true
		return http.StatusOK
	})
	handle("PUT /put/{id}/{name}", func(_ http.ResponseWriter, r *http.Request, body []byte) int {
		f := files[r.PathValue("id")]
		if f == nil || f.Name != r.PathValue("name") || int64(len(body)) != r.ContentLength || len(body) != *f.Size {
			return http.StatusForbidden
		}
		f.content, f.sent, f.done = body, true, true
		for _, other := range files {
			if fault == "a batch with one file for all" && strings.HasSuffix(other.Name, "-uploadtest.txt") {
				other.content = body
			}
		}
		return http.StatusOK
	})
	at := func(pattern string, f func(w http.ResponseWriter, f *file) int) {
		handle(pattern, func(w http.ResponseWriter, r *http.Request, _ []byte) int {
			if it := files[r.PathValue("id")]; it != nil && it.FileID != "" {
				return f(w, it)
			}
			return http.StatusNotFound
		})
	}
	at("POST /v1/files/{id}/complete", func(w http.ResponseWriter, f *file) int {
		switch {
		case f.sent && asAnnounced(f):
		case !f.sent && fault == "complete without the file":
		case f.sent && fault == "complete with another file":
		default:
			return http.StatusConflict
		}
		if f.completed && fault == "what is completed twice is two" {
			other := *f
			other.FileID = fmt.Sprint(f.FileID, "-", len(files))
			f = &other
			files[f.FileID] = f
		}
		f.done, f.completed = true, true
		if told := *f; fault == "complete tells no size" {
			told.Size = new(int)
			say(w, 200, told)
			return 0
		}
		say(w, 200, f)
		return 0
	})
	handle("POST /v1/clips", func(w http.ResponseWriter, r *http.Request, body []byte) int {
		var said struct {
			Callback string
			Size     *int
		}
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || json.Unmarshal(body, &said) != nil ||
			!strings.HasPrefix(said.Callback, "https://") || said.Size == nil || *said.Size < 0 {
			return http.StatusBadRequest
		}
		f := &file{FileID: fmt.Sprintf("pier-%08d", 7*len(files)), Size: said.Size}
		f.clip = map[string]any{"id": f.FileID, "callback": said.Callback,
			"url": "http://" + r.Host + "/put/" + f.FileID}
		files[f.FileID], files["film-"+f.FileID] = f, f
		say(w, 201, map[string]any{"data": f.clip})
		return 0
	})
	at("GET /v1/clips/{id}", func(w http.ResponseWriter, f *file) int {
		if f.sent {
			f.clip["film_id"] = "film-" + f.FileID
		}
		say(w, 200, map[string]any{"data": f.clip})
		return 0
	})
	at("GET /v1/films/{id}", func(w http.ResponseWriter, f *file) int {
		if !f.sent {
			return http.StatusNotFound
		}
		page := strings.Replace(f.clip["url"].(string), "/put/", "/watch/", 1)
		say(w, 200, map[string]any{"data": map[string]any{"id": "film-" + f.FileID, "size": len(f.content),
			"page": page}})
		return 0
	})
	handle("GET /v1/films", func(w http.ResponseWriter, r *http.Request, _ []byte) int {
		limit, err := strconv.Atoi(cmp.Or(r.FormValue("limit"), "50"))
		if err != nil || limit < 1 {
			return http.StatusBadRequest
		}
		list, last, next := []any{}, "", any(nil)
		for _, id := range slices.Sorted(maps.Keys(files)) {
			here := "gid://pier/" + id
			switch {
			case !strings.HasPrefix(id, "film-") || !files[id].sent || here <= r.FormValue("cursor"):
			case len(list) == limit:
				next = last
			default:
				last, list = here, append(list, map[string]any{"id": id})
			}
		}
		if fault == "a list without the last film" && next == nil {
			list = list[:max(0, len(list)-1)]
		}
		say(w, 200, map[string]any{"data": list, "nextCursor": next})
		return 0
	})
	at("DELETE /v1/films/{id}", func(_ http.ResponseWriter, f *file) int {
		if fault != "a film that is deleted is shown" {
			files["film-"+f.FileID] = &file{}
		}
		return http.StatusNoContent
	})
	at("GET /watch/{id}", func(w http.ResponseWriter, f *file) int {
		if files["film-"+f.FileID].FileID == "" && fault != "a page of a film that is deleted" {
			return http.StatusNotFound
		}
		w.Header().Set("Content-Type", "video/mp4")
		if fault == "a page that shows half a film" && len(f.content) > 1<<20 {
			f.content = f.content[:1<<20]
		}
		_, _ = w.Write(f.content)
		return 0
	})
	handle("PUT /v1/parcels/{parcel}", func(w http.ResponseWriter, r *http.Request, body []byte) int {
		if r.Header.Get("X-Depot-Key") != lab.DepotKey && fault != "a parcel without a key" {
			return http.StatusNotFound // who has no key learns nothing
		}
		say(w, 201, map[string]any{"size": len(body)})
		return 0
	})
	at("GET /v1/files/{id}", func(w http.ResponseWriter, f *file) int { say(w, 200, f); return 0 })
	at("DELETE /v1/files/{id}", func(_ http.ResponseWriter, f *file) int { f.FileID = ""; return http.StatusNoContent })
	at("GET /v1/files/{id}/content", func(w http.ResponseWriter, f *file) int {
		if f.done {
			f.asked++
		}
		if !f.done || fault == "" && f.asked < 3 { // it is stored later
			return http.StatusConflict
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		if fault == "a file that loses its end" {
			f.content = f.content[:min(len(f.content), 1<<20)]
		}
		_, _ = w.Write(f.content)
		return 0
	})
	return mux
}

func TestProbeTakesEachStepOfAnUpload(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]string{
		"": "", // nothing is wrong
		"a file of any size": "a file of 100001 bytes, which is too large, is taken at the URL " +
			"that it handed out",
		"a private session that loses an end": "fetch: response body: the file (sent at the same time as another) " +
			"comes back changed: 50000 bytes",
		"complete tells no size":           `complete: response body: size is "0"`,
		"no commit of a form":              "commit: response status: 404 to an upload whose file was sent",
		"a form without its policy":        "204 to the form that it handed out, without the policy",
		"a policy that anybody may change": "204 to the form that it handed out, with another number in the policy",
		"a form under another key": "form: response status: 204 to the form that it handed out, with " +
			"the key of another",
		"a session that nobody reaches": "session: response status: no answer: dial tcp 127.0.0.1:1",
		"a session with any token":      "200 to the URL that it handed out, with another number in the token",
		"what is completed twice is two": "complete: response body: a second request to complete an upload " +
			"makes another upload (POST /v1/files/{fileId}/complete)",
		"complete without the file":  "complete: response status: 200 to an upload whose file was not sent",
		"complete with another file": "200 to an upload whose file is not the one that was announced",
		"a batch in another order": "403 to the URL that it handed out (number 1 of 2 in the answer, " +
			"and 1 in the",
		"a batch whose first file is looked at": "batch: response status: 201 to a body without list[].size",
		"a batch with one file for all":         "fetch: response body: the file (number ",
		"a name that breaks the URL":            "batch: response status: 403 to the URL that it handed out",
		"a list without the last film":          `films: response body: the list has an upload with the id "pier-`,
		"a film that is deleted is shown":       "film: response status: 200 to a deleted upload",
		"a page of a film that is deleted": "film: response status: 200 to the page of a deleted " +
			"upload, which must be refused by a 4xx (GET to a URL from GET /v1/films/{FILM_ID})",
		"a page that shows half a film": "response body: the file (content: 1,200,001 bytes) comes back " +
			"changed",
		"a parcel without a key": "ship: response status: 201 to a request with no credentials",
		"a file that loses its end": "fetch: response body: the file (content: 1,200,001 bytes) comes " +
			"back changed",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			facts := Facts{MaxSize: map[bool]int64{true: 100_000}[fault == "a file of any size"]}
			lab.Blames(t, want, func(tb testing.TB) {
				probes(tb, newPier(fault), "/v1", []byte(pierSpec), lab.WithKey, facts)
			})
		})
	}
}
