package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// reelSpec is a provider's that takes a file in a session, which an operation of
// its own fills. A film that was published stays as it is.
const reelSpec = `
openapi: 3.0.3
info: {title: Reel, version: '1'}
paths:
  /studios/{studio}/sessions: {parameters: [{name: studio, in: path, required: true, schema: {type: string, enum: [
    north]}, example: north}],
    post: {operationId: announce, requestBody: {required: true, content: {application/json: {schema: {
    type: object, required: [name, size, contentType], properties: {name: {type: string, minLength: 1},
    size: {type: integer, minimum: 1}, contentType: {type: string, pattern: '^video/'}, sha256: {type: string}}},
    example: {name: a.mp4, size: 1, contentType: video/mp4, sha256: '0'}}}},
    responses: &json {2XX: {description: It., content: {application/json: {schema: {type: object}}}}, 4XX: &no {
    description: Refused.}, '409': *no}}}
  /sessions/{sessionId}:
    parameters: [{name: sessionId, in: path, required: true, schema: {type: string}}]
    get: {operationId: session, responses: *json}
    put: {operationId: fill, responses: {<<: *json, '422': *no}, requestBody: {required: true, content: {'*/*': {
      schema: {type: string, format: binary}}}}}
    delete: {operationId: close, responses: *json}
  /films/{filmId}:
    parameters: &film [{name: filmId, in: path, required: true, schema: {type: string}}]
    get: {operationId: film, responses: *json}
    patch: {operationId: rename, responses: *json, requestBody: {required: true, content: {application/json: {schema: {
      type: object, required: [title], properties: {title: {type: string}}}, example: {title: Harbour}}}}}
    delete: {operationId: remove, responses: *json}
  /films/{filmId}/file: {parameters: *film, get: {operationId: file, responses: {'200': {description: It., content: {
    'video/*': {schema: {type: string, format: binary}}}}, 4XX: *no}}}
  /films/{filmId}/publish: {parameters: *film, post: {operationId: publish, responses: *json}}
`

func newReel(fault string) http.Handler {
	type film struct {
		SessionID   string `json:"sessionId,omitempty"`
		FilmID      string `json:"filmId,omitempty"`
		Name        string `json:"name"`
		Title       string `json:"title"`
		Size        int    `json:"size"`
		SHA256      string `json:"sha256,omitempty"`
		ContentType string `json:"contentType"`
		published   bool
		content     []byte
	}
	var mu sync.Mutex
	n, films, mux := 0, map[string]*film{}, http.NewServeMux()
	handle := func(pattern string, f func(r *http.Request, its *film, content []byte) (status int, answer *film)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			content, err := faulty.ReadAll(r.Body, r.ContentLength)
			mu.Lock()
			defer mu.Unlock()
			status, answer, its := http.StatusNotFound, (*film)(nil), films[r.PathValue("id")]
			if err != nil {
				status = http.StatusBadRequest
			} else if its != nil || pattern == "POST /studios/north/sessions" {
				status, answer = f(r, its, content)
			}
			if answer == nil {
				w.WriteHeader(status)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			if status == http.StatusCreated && answer.FilmID != "" {
				w.Header().Set("Location", "/films/"+answer.FilmID)
			}
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	handle("POST /studios/north/sessions", func(r *http.Request, _ *film, content []byte) (int, *film) {
		made := &film{}
		if r.Header.Get("Content-Type") != "application/json" &&
			!strings.Contains(r.Header.Get("Content-Type"), "json;") ||
			json.Unmarshal(content, made) != nil || made.Size < 1 || made.Name == "" ||
			!strings.HasPrefix(made.ContentType, "video/") {
			return http.StatusBadRequest, nil
		}
		n++
		made.SessionID, made.Title, made.FilmID = fmt.Sprintf("session-%d", n), "", ""
		films[made.SessionID] = made
		return http.StatusCreated, made
	})
	handle("GET /sessions/{id}", func(_ *http.Request, its *film, _ []byte) (int, *film) { return http.StatusOK, its })
	handle("DELETE /sessions/{id}", func(_ *http.Request, its *film, _ []byte) (int, *film) {
		if its.content != nil {
			return http.StatusConflict, nil
		}
		delete(films, its.SessionID)
		return http.StatusOK, its
	})
	handle("PUT /sessions/{id}", func(r *http.Request, its *film, content []byte) (int, *film) {
		if its.content != nil || len(content) != its.Size || r.Header.Get("Content-Type") != its.ContentType {
			return http.StatusConflict, nil
		}
		if fault != "other bytes are taken" && its.SHA256 != "" && !payload.DigestOf(its.SHA256, content) {
			return http.StatusUnprocessableEntity, nil
		}
		its.content = content
		made := *its
		made.SessionID, made.FilmID = "", strings.Replace(its.SessionID, "session", "film", 1)
		films[made.FilmID] = &made
		return http.StatusCreated, &made
	})
	handle("GET /films/{id}", func(_ *http.Request, its *film, _ []byte) (int, *film) { return http.StatusOK, its })
	open := func(f func(its *film, content []byte) *film) func(*http.Request, *film, []byte) (int, *film) {
		return func(_ *http.Request, its *film, content []byte) (int, *film) {
			if its.published {
				return http.StatusConflict, nil
			}
			if answer := f(its, content); answer != nil {
				return http.StatusOK, answer
			}
			return http.StatusBadRequest, nil
		}
	}
	handle("PATCH /films/{id}", open(func(its *film, content []byte) *film {
		var said struct{ Title *string }
		if !bytes.HasPrefix(content, []byte("{")) || json.Unmarshal(content, &said) != nil || said.Title == nil {
			return nil
		}
		if fault != "a title stays" {
			its.Title = *said.Title
		}
		return its
	}))
	handle("POST /films/{id}/publish", open(func(its *film, _ []byte) *film {
		its.published = true
		if fault == "what is published is lost" {
			delete(films, its.FilmID)
		}
		return its
	}))
	handle("DELETE /films/{id}", open(func(its *film, _ []byte) *film {
		delete(films, its.FilmID)
		return its
	}))
	mux.HandleFunc("/studios/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	mux.HandleFunc("GET /films/{id}/file", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		its := films[r.PathValue("id")]
		if its == nil && fault == "a deleted file stays" {
			its = films[strings.Replace(r.PathValue("id"), "film", "session", 1)]
		}
		if its == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", its.ContentType)
		_, _ = w.Write(its.content)
	})
	return mux
}

func TestAFileGoesToItsSessionAndAStateToAFilmOfItsOwn(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]string{
		"": "", // nothing is wrong
		"a deleted file stays": "Reel: file: response status: 200 to a deleted upload, which must be " +
			"refused by a 4xx",
		"other bytes are taken":     "Reel: fill: response status: 201 to a file that is not the one that was",
		"a title stays":             "Reel: film: response body: title is still",
		"what is published is lost": "404 to a stored upload",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			lab.Blames(t, want, func(tb testing.TB) { probes(tb, newReel(fault), "", []byte(reelSpec), nil) })
		})
	}
}
