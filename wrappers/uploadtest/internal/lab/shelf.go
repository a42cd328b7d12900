package lab

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
)

// ShelfSpec is a provider's that gives its files back: raw ones, and boxes of
// several.
const ShelfSpec = `
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
        4XX: &no {description: Refused.}
    get: {operationId: boxes, responses: {4XX: *no, '200': {description: All., content: {application/json: {schema: {
      type: array, items: {}}}}}}}
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

func NewShelf() http.Handler {
	var mu Lock
	kept, n := map[string]any{}, 0
	mux := http.NewServeMux()
	handle := func(pattern string, f func(w http.ResponseWriter, r *http.Request, id string)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			n++
			if r.Header.Get("X-Depot-Key") != DepotKey {
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
			switch content, err = faulty.ReadAll(part, r.ContentLength); part.FormName() {
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
	handle("GET /v1/boxes", func(w http.ResponseWriter, _ *http.Request, _ string) {
		all := []any{}
		for _, id := range slices.Sorted(maps.Keys(kept)) {
			if box, ok := kept[id].(map[string]any); ok && box["papers"] != nil {
				all = append(all, box)
			}
		}
		say(w, http.StatusOK, all)
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
		content, err := faulty.ReadAll(r.Body, r.ContentLength)
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
