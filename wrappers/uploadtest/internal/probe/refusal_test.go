package probe

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// The credentials of a depot's request can be made in many ways. A server is
// right, or has the one fault that is named.
func TestProbeSpoilsCredentialsOfEachKind(t *testing.T) {
	t.Parallel()
	const name, scheme = "X-Depot-Key", "Key "
	schemed := func(r *http.Request) { r.Header.Set(name, scheme+lab.DepotKey) }
	sign := func(method, path string) string { return lab.DepotKey + method + path }
	signed := func(r *http.Request) { r.Header.Set(name, sign(r.Method, r.URL.Path)) }
	var right sync.Map
	for what, c := range map[string]struct {
		authorize func(*http.Request)
		good      func(r *http.Request, key string) bool
		want      string // empty: nothing is wrong
	}{
		"a header that is none": {func(r *http.Request) {
			lab.WithKey(r)
			r.Header.Set("User-Agent", "uploadtest")
		}, func(_ *http.Request, key string) bool { return key == lab.DepotKey }, ""},
		"a scheme": {schemed, func(_ *http.Request, key string) bool { return key == scheme+lab.DepotKey }, ""},
		"a scheme that may be missing": {schemed, func(_ *http.Request, key string) bool {
			return strings.TrimPrefix(key, scheme) == lab.DepotKey
		}, "200 to a request with no scheme in the " + name},
		"a scheme that may be another": {schemed, func(_ *http.Request, key string) bool {
			_, token, found := strings.Cut(key, " ")
			return found && token == lab.DepotKey
		}, "200 to a request with another scheme in the " + name},
		"a time that is not looked at": {func(r *http.Request) {
			lab.WithKey(r)
			r.Header.Set("X-Depot-Time", "1790000000")
		}, func(r *http.Request, key string) bool {
			return key == lab.DepotKey && r.Header.Get("X-Depot-Time") != ""
		},
			"200 to a request with a wrong X-Depot-Time"},
		"a signature": {signed, func(r *http.Request, key string) bool { return key == sign(r.Method, r.URL.Path) },
			""},
		"a signature for the beginning of a path": {signed, func(r *http.Request, key string) bool {
			return strings.TrimSuffix(key, "/uploadtest") == sign(r.Method, r.URL.Path)
		}, "200 to a request with credentials that were made for another path"},
		"a signature without the query": {func(r *http.Request) {
			r.Header.Set(name,
				sign(r.Method, r.URL.RequestURI()))
		},
			func(r *http.Request, key string) bool {
				return key == sign(r.Method, r.URL.RequestURI()) || key == sign(r.Method, r.URL.Path)
			}, "200 to a request with credentials that were made without its query"},
		"a signature for another method": {signed, func(r *http.Request, key string) bool {
			return key == sign(r.Method, r.URL.Path) || key == sign(http.MethodTrace, r.URL.Path)
		}, "200 to a request with credentials that were made for another method"},
		"a signature that was right once": {signed, func(r *http.Request, key string) bool {
			_, before := right.Load(key)
			if key == sign(r.Method, r.URL.Path) {
				right.Store(key, true)
				return true
			}
			return before
		}, "Depot: submit: response status: 201 to a request with credentials that were made for another method, GET"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			handler := faulty.Arrival("/v2", func(r *http.Request) {
				key := r.Header.Get(name)
				if r.Header.Del(name); c.good(r, key) {
					lab.WithKey(r)
				}
			})(lab.NewDepot())
			lab.Blames(t, c.want, func(tb testing.TB) { probes(tb, handler, "/v2", lab.DepotSpec, c.authorize) })
		})
	}
}

// No text can be made up for a pattern.
func TestProbeGoesOnAfterABodyThatItCannotBuild(t *testing.T) {
	spec := bytes.Replace(lab.DepotSpec, []byte("            example: {contentType: text/plain}\n"),
		[]byte("          text/plain: {schema: {type: string}, example: some text}\n"), 1)
	spec = bytes.Replace(spec, []byte("{type: string, minLength: 3}"), []byte("{type: string, pattern: '^[a-z]+/x$'}"),
		1)
	handler := faulty.Arrival("/objects", func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
		faulty.Rewrite(r, func([]byte) []byte { return []byte(`{"contentType":"a/b"}`) })
	})(lab.NewDepot())
	lines := lab.Recorded(t, func(tb testing.TB) { probes(tb, handler, "/v2", spec, lab.WithKey) })
	lab.Named(t, lines, "Depot: announce: response status: 200 to a body of another media type")

	// What could not be put need not be there.
	unput := strings.NewReplacer("/{name}", "/{slot}", "{blobId}", "{slot}", "[{name: blobId", "[{name: slot",
		"[{name: name, in: path, "+
			"required: true, schema: {type: string}, example: july.txt}]", "[{name: slot, in: path, required: true, "+
			"schema: {type: string}, example: july.txt}, {name: X-Kind, in: header, required: true, schema: {type: "+
			"string, pattern: '^[A-Z]{3}$'}}]")
	lines = lab.Recorded(t, func(tb testing.TB) {
		probes(tb, lab.NewShelf(), "/v1", []byte(unput.Replace(lab.ShelfSpec)), lab.WithKey)
	})
	if slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "fetch") }) {
		t.Errorf("it was blamed: %q", lines)
	}
}

func TestProbeKnowsTheStatusOfACode(t *testing.T) {
	t.Parallel()
	const Spec = `
openapi: 3.0.3
info: {title: Notes, version: '1'}
paths:
  /notes/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}, example: n-1}]
    get:
      operationId: note
      responses:
        '200': {description: It., content: {application/json: {example: {code: '100'}}}}
        '400': {description: No., content: {application/json: {examples: {a: {value: {error: {errorCode: '100'}}},
          b: {value: {error: {errorCode: '400'}}}}}}}
        '404': {description: No., content: {application/json: {examples: {a: {value: {error: {errorCode: 300}}},
          b: {value: {error: {errorCode: '301'}}}}}}}
        4XX: {description: No., content: {application/json: {example: {code: '400'}}}}
        '410': {description: No., content: {application/json: {example: {}}}}
`
	for _, c := range []struct {
		status     int
		code, want string
	}{
		{404, `"100"`, `Notes: note: response status: status 404: errorCode is "100", which the spec shows for status 400`},
		{400, "301", `Notes: note: response status: status 400: errorCode is "301", which the spec shows for status 404`},
		{404, `"300"`, ""}, {404, `"400"`, ""}, {404, `"999"`, ""}, {410, `"100"`, ""}, {200, `"301"`, ""},
	} {
		handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			say(w, c.status, map[string]any{"error": map[string]any{"errorCode": json.RawMessage(c.code)}})
		})
		lines := lab.Recorded(t, func(tb testing.TB) { probes(tb, handler, "", []byte(Spec), nil) })
		if c.want != "" {
			lab.Named(t, lines, c.want)
		} else if strings.Contains(strings.Join(lines, "\n"), "which the spec shows") {
			t.Errorf("%d with %s: %q", c.status, c.code, lines)
		}
	}
}

// A router takes the path of a list for that of an element without its id.
func TestAMethodOfAnElementIsNotAskedOfItsList(t *testing.T) {
	const spec = `{"openapi":"3.0.3","info":{"title":"Docs","version":"1"},"paths":{
		"/docs/":{"post":{"requestBody":{"content":{"image/png":{}}},"responses":{"200":{"description":"All."}}}},
		"/docs/{id}/":{"patch":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],
			"responses":{"200":{"description":"It."}}}}}}`
	asked := ""
	p := newProber(t, "http://a.example", []byte(spec), Facts{Timeout: time.Minute})
	p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
		asked += r.Method + " " + r.URL.Path
		return came(r, http.StatusMethodNotAllowed, "", ""), nil
	})
	if p.refusesMethods(p.at("/docs", http.MethodPost)); asked != "PUT /docs/" {
		t.Errorf("asked %s", asked)
	}
}

// A PUT names what it fills in its path: another one is no other parent.
func TestAnUploadIsNoParentOfItself(t *testing.T) {
	p := newProber(t, "http://a.example/v1", []byte(foundSpec), Facts{})
	fill, fetch := p.at("/things/{id}/content", http.MethodPut), p.at("/things/{id}/content", http.MethodGet)
	for _, id := range []string{"t-1", "t-2"} {
		place := "/v1/things/" + id + "/content"
		p.kept = append(p.kept, &made{by: fill, place: place, ids: map[string]string{"id": id}})
	}
	if m, id := p.elsewhere(fetch, "id"); m != nil {
		t.Errorf("%s is looked for under %s", m.place, id)
	}
}
