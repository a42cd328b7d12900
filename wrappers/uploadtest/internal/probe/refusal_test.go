package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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
		"a signature that was right once, of a query": {func(r *http.Request) {
			r.Header.Set(name, sign(r.Method, r.URL.RequestURI())+".")
		}, func(r *http.Request, key string) bool {
			_, before := right.Load("query " + key)
			if key == sign(r.Method, r.URL.RequestURI())+"." {
				right.Store("query "+key, true)
				return true
			}
			return before
		}, "Depot: look: response status: 200 to a request with credentials that were made for another path"},
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
		{404, `"100"`, `Notes: note: response status: status 404: errorCode is "100", ` +
			`which the spec shows for status 400`},
		{400, "301", `Notes: note: response status: status 400: errorCode is "301", ` +
			`which the spec shows for status 404`},
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

// refuseSpec is a provider's with a body and with parameters of each kind.
const refuseSpec = v1 + `
info: {title: Refuse, version: '1'}
paths:
  /json: {post: {operationId: json, requestBody: {required: true, content: {application/json: {example: {name: a, n: 1},
    schema: {type: object, required: [name], properties: {name: {type: string, maxLength: 5}, n: {type: integer}}}}}},
    responses: &all {default: {description: All.}}}}
  /one: {post: {operationId: one, requestBody: {required: true, content: {application/json: {example: {name: a},
    schema: {type: object, required: [name], properties: {name: {type: string, format: binary}}}}}}, responses: *all}}
  /raw: {put: {operationId: raw, requestBody: {required: true,
    content: {application/x-raw: {schema: {format: binary}}}},
    responses: *all}}
  /typed: {put: {operationId: typed, requestBody: {required: true,
    content: {application/x-raw: {schema: {format: binary}}}},
    responses: &type {default: {description: All.}, '415': {description: No.}}}}
  /form: {post: {operationId: form, requestBody: &form {required: true, content: {multipart/form-data: {
    encoding: {file: {contentType: text/plain}}, example: {file: x, n: 1},
    schema: {type: object, required: [file], properties: {file: {type: string, format: binary}, n: {type: integer}}}}}},
    responses: *all}}
  /forms: {post: {operationId: typedForm, requestBody: *form, responses: *type}}
  /more: {post: {operationId: more, requestBody: {required: true, content: {multipart/form-data: {example: {file: x},
    schema: {type: object, properties: {file: {type: string, format: binary}}}}}}, responses: *all}}
  /list: {get: {operationId: list, parameters: [&n {name: n, in: query, schema: {type: integer}},
    &s {name: s, in: query, schema: {type: string}},
    &q {name: q, in: query, required: true, example: a, schema: {type: string, maxLength: 20}}], responses: *all}}
  /act: {post: {operationId: act, parameters: [*n, *s,
    {name: X-N, in: header, required: true, schema: {type: integer}}],
    responses: *all}}
  /sums: {put: {operationId: sum, parameters: [{name: Content-MD5, in: header, schema: {type: string}}], requestBody: {
    content: {application/x-raw: {schema: {format: binary}}}}, responses: {'200': {description: All.}, '422': {
    description: Other bytes.}}}}
  /sumForms: {post: {operationId: formSum, requestBody: {content: {multipart/form-data: {schema: {type: object,
    required: [scan, sha256], properties: {scan: {type: string, format: binary}, sha256: {type: string}}}}}},
    responses: {'200': {description: All.}, '422': {description: Other bytes.}}}}
  /bad: {post: {operationId: bad, requestBody: {content: {application/json: {example: {n: x},
    schema: {type: object, properties: {n: {type: integer}}}}}}, responses: *all}}
`

// refusedOnes returns what lines say that must be refused.
func refusedOnes(lines []string) (all []string) {
	for _, line := range lines {
		_, what, _ := strings.Cut(line, " to ")
		what, _, _ = strings.Cut(what, " (")
		what, _, _ = strings.Cut(what, ", which must")
		all = append(all, what)
	}
	return all
}

func TestEachWrongRequestIsSent(t *testing.T) {
	const media, cut, untyped = "a body of another media type", "a body that is cut off", "a body without a media type"
	const end, bound, none = "a form without its end", "a form without the parameter boundary", "no body"
	const list, bare = "a list instead of the object", "a file without a media type in file"
	for op, want := range map[string][]string{
		"raw": nil, "bad": nil, "typed": {media, untyped},
		"json": {media, cut, untyped, list, none, "a body with another type of n", "a n that is not one of its values",
			"a body without name", "a body with another type of name", "a name that is not one of its values",
			"a name that is too long"},
		"one": {media, cut, untyped, list, none, "a body without name", "a body with another type of name"},
		"form": {media, cut, untyped, end, bound, none, "a body without file",
			"a file in another field than file", bare,
			"a body with another type of n", "a n that is not one of its values"},
		"typedForm": {media, cut, untyped, end, bound, none, "a body without file", "a file in another field than file",
			bare, "a file of another media type in file", "a body with another type of n",
			"a n that is not one of its values"},
		"more": {media, cut, untyped, end, bound, none, bare},
		"list": {"a wrong parameter n", "a wrong parameter s", "no parameter q", "a wrong parameter q"},
		"act":  {"a wrong parameter n", "no parameter X-N", "a wrong parameter X-N"},
	} {
		empty := false
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, refuseSpec)
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				empty = empty || string(body) == "{}"
				return came(r, http.StatusInternalServerError, "", ""), err
			})
			p.refusesRequests(ops[op])
		})
		if got := refusedOnes(lines); !slices.Equal(got, want) || empty != (op == "one") {
			t.Errorf("%s: %q, and an empty object: %t", op, got, empty)
		}
	}
}

// Nothing of a form is stored that is refused for one of its files.
func TestAFileBeforeAWrongOneIsNotStored(t *testing.T) {
	const spec = v1 + `
info: {title: Refuse, version: '1'}
paths:
  /claims/{claim}: {get: {operationId: claim, parameters: &claim [{name: claim, in: path, required: true, example: c-1,
    schema: {type: string}}], responses: &all {default: {description: All., content: {application/json: {}}}}}}
  /claims/{claim}/photos: {parameters: *claim, post: {operationId: add, requestBody: {content: {multipart/form-data: {
    encoding: {photos: {contentType: image/png}}, schema: {type: object, required: [photos], properties: {photos: {
    type: array, items: {type: string, format: binary}}}}}}}, responses: {'415': {description: No.}, default: {
    description: All.}}}, get: {operationId: list, responses: *all}}
  /reports: {get: {operationId: report, responses: *all}}
`
	const blamed = "415 to a file before one of another media type in photos, and it is stored"
	for _, c := range []struct {
		what, claim   string // %d: of photos; %n: of requests
		lists         bool
		status, keeps int
		want          string
	}{
		{"all is right", `{"photoCount":%d}`, true, 415, 0, ""},
		{"a list has it", `{}`, true, 415, 1, blamed},
		{"it is counted", `{"photo_count":%d}`, false, 415, 1, blamed},
		{"another count", `{"viewCount":%n}`, true, 415, 0, ""},
		{"it is taken", `{}`, true, 200, 2, "200 to a file before one of another media type in photos, which must be"},
		{"nobody tells", `{"count":%d}`, false, 415, 1, "not seen: whether a file before one of another media type " +
			"in photos is stored: no list has such files, and no answer counts them"},
		{"it comes before a large one", `{}`, true, 413, 1,
			"413 to a file before one that is too large in photos, and it"},
	} {
		l := &lab.Logged{}
		lines := lab.Recorded(t, func(tb testing.TB) {
			l.TB = tb
			p, ops := specProber(l, spec)
			kept, asked := 0, 0
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				asked++
				switch {
				case r.Method == http.MethodPost:
					if bytes.Count(faulty.Peek(r), []byte("filename=")) < 2 {
						return came(r, 415, "", ""), nil
					}
					kept += c.keeps
					return came(r, c.status, "", ""), nil
				case strings.HasSuffix(r.URL.Path, "/reports"): // of all claims
					return came(r, 200, "application/json", fmt.Sprintf(`{"photoCount":%d}`, kept)), nil
				case !strings.HasSuffix(r.URL.Path, "/photos"):
					said := strings.NewReplacer("%d", fmt.Sprint(kept), "%n", fmt.Sprint(asked)).Replace(c.claim)
					return came(r, 200, "application/json", said), nil
				case !c.lists:
					return came(r, 404, "application/json", "{}"), nil
				}
				list := strings.TrimSuffix(strings.Repeat(`{"id":1},`, kept), ",")
				return came(r, 200, "application/json", "["+list+"]"), nil
			})
			if c.status == 413 {
				p.growsNow(ops["add"], firstSample(ops["add"]), []byte("large"))
				return
			}
			p.refusesFile(ops["add"], firstSample(ops["add"]), "photos")
		})
		got := strings.Join(lines, "\n") + l.Text.String()
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %s", c.what, got)
		}
	}
}

// A thing that was made with a file of its own announces no other.
func TestOtherBytesAreSentWhereAChecksumWasStated(t *testing.T) {
	for content, want := range map[string]string{
		`application/json: {schema: {type: object, required: [md5], properties: {md5: {type: string}}}}`: "" +
			"/v1/things /v1/things/t-1/file ",
		`application/json: {schema: {type: object, required: [name], properties: {name: {type: string}}}}`: "",
		`multipart/form-data: {schema: {type: object, required: [file], properties: {file: {type: string, ` +
			`format: binary}}}}`: "",
	} {
		asked := ""
		p, ops := specProber(t, v1+`
info: {title: Refuse, version: '1'}
paths:
  /things: {post: {operationId: make, requestBody: {content: {`+content+`}}, responses: {'201': {description: It.,
    content: {application/json: {}}}}}}
  /things/{thingId}/file: {post: {operationId: fill, parameters: [{name: thingId, in: path, required: true, schema: {
    type: string}}], requestBody: {content: {text/plain: {schema: {type: string, format: binary}}}}, responses: {
    '201': {description: It.}, '422': {description: Other bytes.}}}}
`)
		p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			if asked += r.URL.Path + " "; r.URL.Path == "/v1/things" {
				return came(r, 201, "application/json", `{"thingId":"t-1"}`), nil
			}
			return came(r, 422, "", ""), nil
		})
		if p.refusesUnannounced(ops["fill"], firstSample(ops["fill"])); asked != want || ops["fill"].single {
			t.Errorf("%s: asked %q, want %q", content, asked, want)
		}
	}
}

// Where each name is taken once, it comes under another name each time.
func TestAChecksumOfOtherBytesIsRefusedOrNot(t *testing.T) {
	for op, want := range map[string]string{"sum": "the Content-MD5 of other bytes",
		"formSum": "the sha256 of other bytes"} {
		for status, refused := range map[int]bool{http.StatusOK: false, http.StatusUnprocessableEntity: true} {
			body := ""
			lines := lab.Recorded(t, func(tb testing.TB) {
				p, ops := specProber(tb, refuseSpec)
				p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
					body = string(faulty.Peek(r))
					return came(r, status, "", ""), nil
				})
				ops[op].once = true
				if p.refusesChecksums(ops[op], firstSample(ops[op]), "") != refused {
					t.Errorf("a checksum that is answered %d is refused: %t", status, !refused)
				}
			})
			if told := refusedOnes(lines); (len(told) == 0) != refused || !refused && told[0] != want {
				t.Errorf("after %d: %q", status, lines)
			}
			if op == "formSum" && !strings.Contains(body, "1-uploadtest.txt") {
				t.Errorf("the form is %s", body)
			}
		}
	}
}

func TestIDsThatWereNeverIssuedAreAskedFor(t *testing.T) {
	for id, want := range map[string]string{
		"abcdefghijk": "[abcdefg9ijk abcdefghijkx]", "abcdefghijkl": "[abcdefg9ijkl abcdefghijklx abcdefghijk]",
		"7": "[987 7x 4294967303]", "77777777777777777777": "[9877777777777777777777 77777777777777777777x]",
	} {
		if got := fmt.Sprint(neverIssued(id)); got != want {
			t.Errorf("beside %s: %s, want %s", id, got, want)
		}
	}
	const never = "an id that was never issued"
	for _, c := range []struct {
		op             string
		thing, part    string // what is known
		keys           string // a parameter that the client chooses
		asked, refused []string
	}{
		{"look", "abcd", "", "", []string{"ab9d", "abcdx"}, []string{never}}, {"look", "abc", "", "", nil, nil},
		{"look", "7", "", "", []string{"987", "7x", "4294967303"}, []string{never}}, {"look", "", "", "", nil, nil},
		{"look", "abcd", "", "thingId", nil, nil}, {"row", "abcd", "", "", nil, nil},
		{"list", "abcd", "", "", nil, nil},
		{"wipe", "abcd", "", "", []string{"DELETE /v1/things/ab9d/content", "DELETE /v1/things/abcdx/content"}, nil},
		{"part", "abc", "abcd", "", []string{"abc/parts/ab9d", "abc/parts/abcdx"}, []string{never}},
		{"part", "abcd", "abc", "", []string{"ab9d/parts/abc", "abcdx/parts/abc"},
			[]string{"an upload under another thingId"}},
		{"part", "abcd", "", "", []string{"ab9d/parts/uploadtest", "abcdx/parts/uploadtest"}, []string{never}},
	} {
		var asked *[]string
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, idSpec)
			p.transport, asked = answered(http.StatusOK)
			p.learned = map[string]string{"thingId": c.thing, "partId": c.part}
			p.clientKeys[c.keys] = true
			p.unknown(ops[c.op])
		})
		for i, one := range *asked {
			(*asked)[i] = strings.TrimPrefix(one, "GET /v1/things/")
		}
		if got := refusedOnes(lines); !slices.Equal(*asked, c.asked) || !slices.Equal(got, c.refused) {
			t.Errorf("%s with %q and %q: asked %q, and refused is %q", c.op, c.thing, c.part, *asked, got)
		}
	}
}

// An id in a query is one of what was made. The client chooses the key of a POST.
func TestAnUnknownIDInAQueryIsAskedFor(t *testing.T) {
	const spec = v1 + `
info: {title: Unknown, version: '1'}
paths:
  /things: {post: {requestBody: {content: {image/png: {}}}, responses: &all {default: {description: All.}}}}
  /find: {get: {operationId: find, responses: *all, parameters: [
    {name: thingId, in: query, required: true, schema: {type: string}}]}}
  /blobs/{key}: {parameters: [{name: key, in: path, required: true, schema: {type: string}}],
    get: {operationId: blob, responses: *all}, post: {operationId: push, responses: *all}}
  /calls/{call}/notes: {parameters: [&call {name: call, in: path, required: true, schema: {type: string},
    example: abcd}],
    post: {operationId: noted, responses: &made {'201': {description: Made.}, '400': {description: No.}}},
      get: {operationId: notes, responses: *made}}
  /calls/{call}/texts: {parameters: [*call],
    post: {operationId: text, responses: {<<: *made, '404': {description: No.}}}}
  /rooms: {post: {operationId: room, responses: *made}}
  /rooms/{call}/notes: {parameters: [*call], post: {operationId: roomNote, responses: *made},
    get: {operationId: roomNotes, responses: *made}}
  /boxes/{call}/notes: {parameters: [{<<: *call, example: efgh}], post: {operationId: boxNote, responses: *made}}
`
	for _, c := range []struct {
		op     string
		made   bool
		grants bool // URLs for files
		asked  int
	}{{"find", true, false, 2}, {"find", false, false, 0}, {"blob", false, false, 2}, {"push", false, false, 0},
		{"noted", false, false, 0}, {"notes", false, false, 2}, {"notes", false, true, 0}, {"text", false, true, 2},
		{"roomNote", false, false, 2}, {"roomNotes", false, true, 2}, {"boxNote", false, false, 2}} {
		p, ops := specProber(t, spec)
		var asked *[]string
		p.transport, asked = answered(http.StatusBadRequest)
		p.learned = map[string]string{"thingId": "abcd", "key": "abcd", "call": "abcd"}
		if c.made {
			p.issued["/v1/things abcd"] = &made{}
		}
		ops[c.op].grants = c.grants
		if p.unknown(ops[c.op]); len(*asked) != c.asked {
			t.Errorf("%s, made %t, grants %t: asked %q", c.op, c.made, c.grants, *asked)
		}
	}
}
