package probe

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// trays take notes of several files. An answer wraps what it tells in a list, an
// error is XML, and what was read of a note is a thing of its own.
const traySpec = `
openapi: 3.0.3
info: {title: Tray, version: '1'}
paths:
  /trays:
    post: {operationId: tray, requestBody: {required: true, content: {application/json: {schema: {type: object,
      required: [size, label], properties: {size: {type: integer, minimum: 0}, label: {type: object, required: [name],
      properties: {name: {type: string, minLength: 1}}}}}}}}, responses: &said {2XX: &json {description: Done.,
      content: {application/json: {schema: {type: object, properties: {id: {type: integer}, readId: {type: string,
      nullable: true}}}}}}, 303: {description: See there.}, 4XX: &no {description: No., content: {application/xml: {
      schema: {type: object}}}}}}
  /trays/{trayId}: {get: {operationId: seen, parameters: [&tray {name: trayId, in: path, required: true, schema: {
    type: integer}}], responses: *said}}
  /scans/{trayId}: {get: {operationId: scan, parameters: [*tray], responses: {4XX: *no, '200': {
    description: The file., content: {'*/*': {schema: {type: string, format: binary}}}}}}}
  /piles: {post: {operationId: pile, requestBody: {required: true, content: {application/json: {schema: {type: object,
    required: [noteId], properties: {noteId: {type: string, minLength: 1}}}}}}, responses: *said}}
  /piles/{id}: {get: {operationId: piled, parameters: [{name: id, in: path, required: true, schema: {type: string}}],
    responses: *said}}
  /notes:
    post: {operationId: add, parameters: [{name: Idempotency-Key, in: header, schema: {type: string}}],
      requestBody: {required: true, content: {multipart/form-data: {schema: {type: object, required: [files],
        properties: {
      files: {type: array, minItems: 1, items: {type: string, format: binary}}, comment: {type: string}}}}}},
      responses: *said}
    get: {operationId: list, parameters: [{name: limit, in: query, schema: {type: integer, minimum: 1, default: 50}},
      {name: after, in: query, schema: {type: integer}}], responses: *said}
  /notes/{noteId}:
    parameters: [&note {name: noteId, in: path, required: true, schema: {type: integer}}]
    get: {operationId: look, responses: *said}
    delete: {operationId: drop, responses: {'204': {description: Gone.}, 4XX: *no}}
  /notes/{noteId}/content: {get: {operationId: fetch, parameters: [*note], responses: {4XX: *no, '200': {
    description: The file., content: {'*/*': {schema: {type: string, format: binary}}}}}}}
  /reads/{readId}: {get: {operationId: text, parameters: [{name: readId, in: path, required: true, schema: {
    type: string}}], responses: {4XX: *no, '200': {description: The file., content: {'*/*': {schema: {type: string,
    format: binary}}}}}}}
  /blobs/{blob}:
    parameters: [{name: blob, in: path, required: true, schema: {type: string}, example: a.bin}]
    put: {operationId: put, requestBody: {required: true, content: {'*/*': {schema: {type: string, format: binary}}}},
      responses: {'201': {description: Kept.}, 4XX: *no}}
    get: {operationId: get, responses: {4XX: *no, '200': {description: The file., content: {'*/*': {schema: {
      type: string, format: binary}}}}}}
`

// slips lie in trays.
const slipSpec = `
  /trays/{trayId}/slips:
    get: {operationId: slips, parameters: [*tray], responses: *said}
    post: {operationId: slip, parameters: [*tray], requestBody: {required: true, content: {application/octet-stream: {
      schema: {type: string, format: binary}}}}, responses: *said}
  /trays/{trayId}/slips/{slipId}:
    parameters: [*tray, {name: slipId, in: path, required: true, schema: {type: string}}]
    get: {operationId: slipped, responses: *said}
    delete: {operationId: lift, responses: *said}
`

type note struct {
	ID      int     `json:"id"`
	Name    string  `json:"name"`
	Size    int     `json:"size"`
	Comment string  `json:"comment,omitempty"`
	ReadID  *string `json:"readId"`
	content []byte
	made    time.Time
}

// newTray returns the provider with one habit or fault, or with none.
func newTray(how string) http.Handler {
	var mu lab.Lock
	var notes []*note
	trays, keys, blobs, labels := 0, map[string][]*note{}, map[string][]byte{}, map[string]bool{"uploadtest": true}
	var shared bytes.Buffer
	var both sync.WaitGroup // of the uploads that are sent at once
	bothBegin := sync.OnceFunc(func() { both.Add(2) })
	no := func(w http.ResponseWriter, status int) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<Error><Code>No</Code></Error>")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /trays", func(w http.ResponseWriter, r *http.Request) {
		var tray struct {
			Size  *uint
			Label struct{ Name string }
		}
		isJSON := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
		if isJSON && json.NewDecoder(r.Body).Decode(&tray) == nil && tray.Size != nil && tray.Label.Name != "" {
			mu.Lock()
			defer mu.Unlock()
			if labels[tray.Label.Name] && how == "once" {
				no(w, 409)
				return
			}
			labels[tray.Label.Name] = true
			trays++
			say(w, 201, map[string]any{"id": trays, "url": "http://" + r.Host + "/show/"})
			return
		}
		no(w, 400)
	})
	mux.HandleFunc("GET /trays/{id}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || id < 1 || id > trays {
			no(w, 404)
			return
		}
		say(w, 200, map[string]int{"id": id})
	})
	slips, lain := map[string]string{}, 0 // where each is
	mux.HandleFunc("POST /trays/{id}/slips", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		tray, isID := strconv.Atoi(r.PathValue("id"))
		isTray := isID == nil && 0 < tray && tray <= trays
		if err != nil || !isTray || r.Header.Get("Content-Type") != "application/octet-stream" {
			no(w, 404)
			return
		}
		lies := slices.Contains(slices.Collect(maps.Values(slips)), r.PathValue("id"))
		if lies && strings.HasPrefix(how, "slips, one in a tray") {
			no(w, 400)
			return
		}
		if strings.HasSuffix(how, "cut") {
			b = b[:min(len(b), 1<<16)]
		}
		id := fmt.Sprintf("slip-%06d", lain)
		lain++
		slips[id] = r.PathValue("id")
		say(w, 201, map[string]any{"slipId": id, "size": len(b)})
	})
	mux.HandleFunc("GET /trays/{id}/slips", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		list := []any{}
		for id, tray := range slips {
			if tray == r.PathValue("id") || how == "slips, listed in any tray" {
				list = append(list, map[string]any{"slipId": id})
			}
		}
		say(w, 200, map[string]any{"data": list})
	})
	mux.HandleFunc("/trays/{id}/slips/{slip}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		isGet := r.Method == http.MethodGet
		tray := slips[r.PathValue("slip")]
		inAny := how == map[bool]string{true: "slips, in any tray", false: "slips, lifted from any tray"}[isGet]
		if !isGet && r.Method != http.MethodDelete || tray == "" || tray != r.PathValue("id") && !inAny {
			no(w, 404)
			return
		}
		if !isGet {
			delete(slips, r.PathValue("slip"))
		}
		say(w, 200, map[string]any{"slipId": r.PathValue("slip")})
	})
	mux.HandleFunc("GET /show", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "for people") })
	mux.HandleFunc("GET /scans/{id}", func(w http.ResponseWriter, _ *http.Request) { no(w, 404) }) // none came
	mux.HandleFunc("GET /piles/{id}", func(w http.ResponseWriter, _ *http.Request) { no(w, 404) })
	mux.HandleFunc("POST /piles", func(w http.ResponseWriter, r *http.Request) {
		var pile struct{ NoteID string }
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") ||
			json.NewDecoder(r.Body).Decode(&pile) != nil || pile.NoteID == "" {
			no(w, 400)
			return
		}
		no(w, 422) // there is no such note
	})
	mux.HandleFunc("POST /notes", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		before := keys[r.Header.Get("Idempotency-Key")]
		mu.Unlock()
		form, err := r.MultipartReader()
		if err != nil {
			no(w, 400)
			return
		}
		var made []*note
		comment := ""
		for part := (*multipart.Part)(nil); err == nil; {
			if part, err = form.NextRawPart(); err != nil {
				break
			}
			var b []byte
			if b, err = io.ReadAll(part); err == nil && part.FormName() == "files" && part.FileName() != "" {
				made = append(made, &note{Name: upload.BaseName(part.FileName()), Size: len(b), content: b,
					made: time.Now()})
			} else if part.FormName() == "comment" {
				comment = string(b)
			}
		}
		if err != io.EOF || len(made) == 0 {
			no(w, 400)
			return
		}
		time.Sleep(time.Millisecond) // it takes time to store them
		mu.Lock()
		defer mu.Unlock()
		if how != "a key counts once it is stored" {
			before = keys[r.Header.Get("Idempotency-Key")]
		}
		if before != nil && how != "a key counts once" {
			say(w, 201, map[string]any{"data": before})
			return
		}
		if how == "Latin-1" {
			letters := make([]rune, len(comment))
			for i, b := range []byte(comment) {
				letters[i] = rune(b)
			}
			comment = string(letters)
		}
		for _, n := range made {
			n.ID, n.Comment = len(notes)+1, comment
			notes = append(notes, n)
		}
		if key := r.Header.Get("Idempotency-Key"); key != "" {
			keys[key] = made
		}
		if how == "303" && len(made) == 1 {
			w.Header().Set("Location", fmt.Sprint("/notes/", made[0].ID))
			w.WriteHeader(http.StatusSeeOther)
			return
		}
		say(w, 201, map[string]any{"data": made})
	})
	mux.HandleFunc("GET /notes", func(w http.ResponseWriter, r *http.Request) {
		limit, err := strconv.Atoi(cmp.Or(r.FormValue("limit"), "50"))
		after, err2 := strconv.Atoi(cmp.Or(r.FormValue("after"), "0"))
		if err != nil || err2 != nil || limit < 1 {
			no(w, 400)
			return
		}
		if how == "a page without its first" && after > 0 {
			after++
		}
		mu.Lock()
		defer mu.Unlock()
		list := []*note{}
		for _, n := range notes {
			late := how == "a list that follows" && time.Since(n.made) < 300*time.Millisecond
			if n.made.IsZero() || n.ID <= after || len(list) == limit || late {
				continue
			}
			list = append(list, n)
		}
		say(w, 200, map[string]any{"data": list})
	})
	one := func(f func(w http.ResponseWriter, n *note)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			i := slices.IndexFunc(notes, func(n *note) bool { return fmt.Sprint(n.ID) == r.PathValue("id") })
			if i < 0 || notes[i].made.IsZero() {
				no(w, 404)
				return
			}
			f(w, notes[i])
		}
	}
	file := func(w http.ResponseWriter, b []byte) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(b)
	}
	mux.HandleFunc("GET /notes/{id}", one(func(w http.ResponseWriter, n *note) {
		if time.Since(n.made) > 150*time.Millisecond {
			id := fmt.Sprint("read-", 1000+n.ID)
			n.ReadID = &id
		}
		say(w, 200, n)
	}))
	mux.HandleFunc("GET /notes/{id}/content", one(func(w http.ResponseWriter, n *note) { file(w, n.content) }))
	mux.HandleFunc("DELETE /notes/{id}", one(func(w http.ResponseWriter, n *note) {
		n.made = time.Time{}
		if how == "a file takes the rest along" && n.ID < len(notes) {
			for _, next := range notes[n.ID:] {
				next.made = time.Time{}
			}
		}
		w.WriteHeader(204)
	}))
	mux.HandleFunc("GET /reads/{id}", func(w http.ResponseWriter, r *http.Request) {
		number, isRead := strings.CutPrefix(r.PathValue("id"), "read-")
		id, err := strconv.Atoi(number)
		mu.Lock()
		defer mu.Unlock()
		if id -= 1001; !isRead || err != nil || id < 0 || id >= len(notes) || notes[id].made.IsZero() {
			no(w, 404)
			return
		}
		b := notes[id].content
		if how == "half of what comes later" {
			b = b[:len(b)/2]
		}
		file(w, b)
	})
	mux.HandleFunc("PUT /blobs/{blob}", func(w http.ResponseWriter, r *http.Request) {
		var into bytes.Buffer
		buffer := &into
		if how == "one buffer for all" {
			mu.Lock()
			shared.Reset()
			mu.Unlock()
			if r.ContentLength/10 == 15_000 {
				bothBegin()
				both.Done()
				both.Wait()
			}
			buffer = &shared
		}
		part, err := make([]byte, 4<<10), error(nil)
		for err == nil {
			n := 0
			n, err = r.Body.Read(part)
			mu.Lock()
			buffer.Write(part[:n])
			mu.Unlock()
		}
		mu.Lock()
		defer mu.Unlock()
		key := r.PathValue("blob")
		if how == "a plus is a space" {
			key = strings.ReplaceAll(key, "+", " ")
		}
		if _, taken := blobs[key]; taken && strings.HasPrefix(how, "once") {
			no(w, 409)
			return
		}
		if err != io.EOF && how != "half a blob" || how == "once, and that was it" && len(blobs) > 0 {
			no(w, 409)
			return
		}
		blobs[key] = bytes.Clone(buffer.Bytes())
		w.WriteHeader(201)
	})
	mux.HandleFunc("GET /blobs/{blob}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		b, found := blobs[r.PathValue("blob")]
		if !found {
			no(w, 404)
			return
		}
		file(w, b)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, end := r.URL.Path, pathEnds[how]
		if r.URL.Path = strings.TrimSuffix(strings.TrimSuffix(path, "/"), end); end == "/" && path == r.URL.Path {
			no(w, 404)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// pathEnds holds what stands at the end of each path, by how a server is.
var pathEnds = map[string]string{"slash": "/", "format": ".json"}

func TestProbeKnowsTheHabitsOfOtherServers(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]string{
		"":                          "", // nothing is wrong
		"slash":                     "",
		"format":                    "",
		"303":                       "",
		"once":                      "",
		"a list that follows":       "",
		"a page without its first":  "Tray: list: response body: short pages list",
		"slips":                     "",
		"slips, one in a tray":      "",
		"slips, one in a tray, cut": `Tray: slip: response body: size is "65536", but 70001 bytes were sent`,
		"slips, in any tray": "Tray: slipped: response status: 200 to an upload under another trayId, which must be " +
			"refused by a 4xx (GET /trays/{trayId}/slips/{slipId})",
		"slips, lifted from any tray": "Tray: lift: response status: 200 to an upload under another trayId",
		"slips, listed in any tray": `Tray: slips: response body: the list has an upload with the id "slip-000000", ` +
			"which is under another trayId (GET /trays/{trayId}/slips)",
		"a key counts once it is stored": "Tray: add: response body: a request with the Idempotency-Key of " +
			"one at the same time makes another upload",
		"a key counts once":           "Tray: add: response body: a request with the Idempotency-Key of an earlier one",
		"Latin-1":                     `Tray: look: response body: comment is "GrÃ¼`,
		"a file takes the rest along": "Tray: drop: response status: 404 to a stored upload",
		"half of what comes later":    "Tray: text: response body: the file",
		"one buffer for all": "Tray: get: response body: the file (sent at the same time as another) " +
			"comes back changed",
		"a plus is a space": "Tray: get: response status: 404 to a stored upload",
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			spec := traySpec
			switch {
			case pathEnds[how] != "":
				spec = regexp.MustCompile(`(?m)^  (/.*?):`).ReplaceAllString(spec, "  ${1}"+pathEnds[how]+":")
			case strings.HasPrefix(how, "slips"):
				spec += slipSpec
			}
			lab.Blames(t, want, func(tb testing.TB) { probes(tb, newTray(how), "", []byte(spec), nil) })
		})
	}
}

func TestProbeSaysNothingOfAFileThatAWrongRequestReplaced(t *testing.T) {
	t.Parallel()
	lines := lab.Recorded(t, func(tb testing.TB) { probes(tb, newTray("half a blob"), "", []byte(traySpec), nil) })
	if lab.Named(t, lines, "hung up in the middle"); len(lines) > 1 {
		t.Errorf("it was blamed for what follows: %q", lines)
	}
}
