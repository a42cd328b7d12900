package probe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// cardSpec is a provider's that takes two files, each in a field of its own, a
// note of JSON, and more that nobody needs to send. The front is a plain text.
const cardSpec = `
openapi: 3.0.3
info: {title: Cards, version: '1'}
paths:
  /cards:
    post:
      operationId: add
      requestBody: {required: true, content: {multipart/form-data: {schema: {type: object, required: [front, back],
        properties: {front: &file {type: string, format: binary}, back: *file,
        tags: {type: array, items: {type: string}},
        shared: {type: boolean}, note: {type: object, properties: {text: {type: string, example: none}},
        example: {text: none}}, summary: {type: string}, extras: {type: array, items: *file}}},
        encoding: {front: {contentType: text/plain}}}}}
      responses: {'201': {description: Added., content: {application/json: {}}},
        '415': &no {description: No.}, 4XX: *no}
  /cards/{id}/front:
    get:
      operationId: front
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: The file., content: {'*/*': {schema: *file}}}, 4XX: *no}
`

func TestProbeTellsTheFilesOfFieldsApart(t *testing.T) {
	all, last := func(int) int { return 0 }, func(n int) int { return max(0, n-1) }
	for what, c := range map[string]struct {
		summary      string                  // of an answer, if one was said
		shown, given string                  // the fields of the front
		lists        func(n int) (first int) // of n elements
		want         string                  // empty: nothing is wrong
		fault        string                  // what else is wrong
	}{
		"right":           {"", "front", "front", all, "", ""},
		"pixels":          {"", "", "front", all, "", ""},               // of a picture that was made anew
		"two sides":       {"", "front", "front", all, "", "two sides"}, // of each extra
		"another size":    {"", "back", "front", all, `Cards: add: response body: front.size is "`, ""},
		"another file":    {"", "front", "back", all, "Cards: front: response body: the file", ""},
		"the last of all": {"", "front", "front", last, "Cards: add: response body: tags lacks", ""},
		"another text":    {"other", "front", "front", all, `Cards: add: response body: summary is "other", but "`, ""},
		"the last extra": {"", "front", "front", last, "Cards: add: response body: extras has 1 elements, but 2 files",
			""},
		"each answer is a yes": {"", "front", "front", all,
			`Cards: add: response body: shared is "true", but false was said`, "yes"},
		"letters of JSON":   {"", "front", "front", all, `Cards: add: response body: text is "Gr??e `, "letters"},
		"any type of front": {"", "front", "front", all, "201 to a file of another media type in front", "type"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			fronts := map[string]*multipart.FileHeader{}
			mux := http.NewServeMux()
			mux.HandleFunc("POST /cards", func(w http.ResponseWriter, r *http.Request) {
				err := r.ParseMultipartForm(32 << 20)
				if err != nil || len(r.MultipartForm.File["front"]) != 1 || len(r.MultipartForm.File["back"]) != 1 {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				form := r.MultipartForm
				var note struct {
					Text string `json:"text,omitempty"`
				}
				if said := form.Value["note"]; said != nil && json.Unmarshal([]byte(said[0]), &note) != nil {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				if c.fault == "letters" {
					note.Text = strings.NewReplacer("ü", "?", "ß", "?").Replace(note.Text)
				}
				if c.fault != "type" && form.File["front"][0].Header.Get("Content-Type") != "text/plain" {
					w.WriteHeader(http.StatusUnsupportedMediaType)
					return
				}
				shared := strings.Join(form.Value["shared"], "")
				for name := range form.File {
					if name != "front" && name != "back" && name != "extras" {
						w.WriteHeader(http.StatusBadRequest)
						return
					}
				}
				tags, extras, summary := form.Value["tags"], []any{}, strings.Join(form.Value["summary"], "")
				if summary != "" {
					summary = cmp.Or(c.summary, summary)
				}
				for _, extra := range form.File["extras"] {
					if c.fault == "two sides" {
						extras = append(extras, map[string]any{"side": 2}, map[string]any{"side": 1})
						continue
					}
					extras = append(extras, map[string]any{"size": extra.Size})
				}
				size := int64(4096)
				if c.shown != "" {
					size = form.File[c.shown][0].Size
				}
				mu.Lock()
				defer mu.Unlock()
				id := fmt.Sprintf("card-%d", len(fronts))
				fronts[id] = form.File[c.given][0]
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusCreated)
				_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "note": note,
					"shared":  shared == "true" || shared != "" && c.fault == "yes",
					"front":   map[string]any{"size": size},
					"summary": summary, "tags": tags[c.lists(len(tags)):], "extras": extras[c.lists(len(extras)):]})
			})
			mux.HandleFunc("GET /cards/{id}/front", func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				front := fronts[r.PathValue("id")]
				mu.Unlock()
				if front == nil {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				file, err := front.Open()
				if err != nil {
					t.Error(err)
					return
				}
				defer file.Close()
				w.Header().Set("Content-Type", "application/octet-stream")
				_, _ = io.Copy(w, file)
			})
			ts := httptest.NewServer(faulty.Reply("/cards",
				faulty.On(http.StatusMethodNotAllowed, func(rec *httptest.ResponseRecorder) {
					rec.Body.Reset()
				}))(mux))
			defer ts.Close()
			lab.Blames(t, c.want, func(tb testing.TB) { Probe(tb, ts.URL, []byte(cardSpec), nil) })
		})
	}
}
