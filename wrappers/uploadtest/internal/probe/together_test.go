package probe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// togetherSpec is a provider's with operations that may run at once.
const togetherSpec = v1 + `
info: {title: Together, version: '1'}
paths:
  /raw: {post: {operationId: raw, requestBody: &raw {content: {image/png: {schema: {format: binary}, example: x}}},
    responses: &all {default: {description: All.}}}}
  /keys/{key}: {parameters: [&key {name: key, in: path, required: true, schema: {type: string}}],
    put: {operationId: put, requestBody: *raw, responses: *all}}
  /things: {post: {operationId: make, requestBody: {content: {application/json: {example: {name: a}}}}, responses: *all,
    parameters: [{name: X-Kind, in: header, schema: {type: string}},
      {name: idempotency-key, in: query, schema: {type: string}},
    {name: Idempotency-Key, in: header, schema: {type: string}}]}}
  /things/{thingId}: {parameters: [&id {name: thingId, in: path, required: true, schema: {type: string}}],
    get: {operationId: look, responses: *all}, put: {operationId: fill, requestBody: *raw, responses: *all},
    post: {operationId: act, responses: *all}}
  /keys/{key}/versions/{version}: {parameters: [*key,
    {name: version, in: path, required: true, schema: {type: integer}}],
    delete: {operationId: forget, responses: &file {default: {description: No.},
      '200': {description: It., content: {image/png: {schema: {format: binary}}}}}},
    get: {operationId: version, responses: *file}}
  /rows/{rowId}: {parameters: [{name: rowId, in: path, required: true, schema: {type: string}}],
    delete: {operationId: drop, responses: *all}}
`

func TestUploadsAreSentTogether(t *testing.T) {
	const raw, put, things = "POST /v1/raw ", "PUT /v1/keys/", "POST /v1/things "
	for op, want := range map[string]string{
		"raw": raw + strings.Repeat(raw, 9), "put": put + "uploadtesu " + put + "uploadtesv ",
		"make": strings.Repeat(things, 13), "fill": "",
		"act": strings.Repeat("POST /v1/things/uploadtest ", 2),
	} {
		asked := make(chan string, 100)
		p, ops := specProber(t, togetherSpec)
		p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			asked <- r.Method + " " + r.URL.Path + " "
			return came(r, http.StatusBadRequest, "", ""), nil
		})
		p.together(ops[op], firstSample(ops[op]))
		p.burst(ops[op], firstSample(ops[op]))
		p.sendsTwice(ops[op], firstSample(ops[op]))
		close(asked)
		var got []string
		for one := range asked {
			got = append(got, one)
		}
		if slices.Sort(got); strings.Join(got, "") != want {
			t.Errorf("%s: %q", op, got)
		}
	}
	if key := newKey(); len(key) != len("0f8fad5b-d9cb-469f-a165-70867728950e") {
		t.Errorf("%s is no UUID", key)
	}
}

// What was taken is sent once more under another name, if it has one.
func TestATakenNameIsChanged(t *testing.T) {
	for _, c := range []struct {
		op     string
		status int
		asked  int
	}{
		{"put", 403, 2}, {"put", 409, 2}, {"put", 400, 1}, {"make", 403, 1}, {"make", 409, 2}, {"make", 422, 2},
		{"raw", 409, 1},
	} {
		p, ops := specProber(t, togetherSpec)
		var asked *[]string
		p.transport, asked = answered(c.status)
		if p.start(ops[c.op], firstSample(ops[c.op]), ""); len(*asked) != c.asked {
			t.Errorf("%s that is answered %d: asked %q", c.op, c.status, *asked)
		}
	}
}

func TestARepeatedRequestMakesNothingNew(t *testing.T) {
	for _, c := range []struct {
		first, again string
		status       int
		want         bool // it is blamed
	}{
		{`{"id":"a"}`, `{"id":"b"}`, 200, true}, {`{"id":"a"}`, `{"id":"a"}`, 200, false},
		{`{"id":"a"}`, `{"id":"b"}`, 409, false}, {`{"thingId":"a"}`, `{"thingId":"b"}`, 200, true},
		{`{"rowId":"a"}`, `{"rowId":"b"}`, 200, false}, {`{"n":"a"}`, `{"n":"b"}`, 200, false},
		{`{}`, `{"id":"b"}`, 200, false},
	} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, togetherSpec)
			answers := []string{c.first, c.again}
			ask := func() answer {
				a := answer{p: p, route: ops["make"], req: p.good(ops["make"], sample{}), status: c.status,
					body: []byte(answers[0])}
				if len(answers) == 2 {
					a.status = http.StatusCreated
				}
				answers = answers[1:]
				return a
			}
			p.sameAgain(ask(), ask, "a second request")
		})
		if got := len(lines) > 0; got != c.want {
			t.Errorf("%s, and then %d with %s: %q", c.first, c.status, c.again, lines)
		}
	}
}

func TestWhatWasSaidIsFoundWhereAnAnswerHasIt(t *testing.T) {
	m := &made{said: map[string]any{"label": "top", "free": "f"}}
	m.object = map[string]any{"name": "a.txt", "label": "top", "meta": map[string]any{"label": "x", "free": 1}}
	m.schema = lab.SchemaOf(t, `{"properties":{"name":{},"label":{},"meta":{
		"properties":{"label":{},"none":{}}}}}`).Value
	for path, want := range map[string]string{
		"label": "top true", "name": "<nil> true", "meta.label": "x true", "meta.free": "f false",
		"meta.none": "<nil> false", "other.label": "top false",
	} {
		if said, _, exact := m.saidAt(path); fmt.Sprintf("%v %t", said, exact) != want {
			t.Errorf("at %s: %v, %t, want %s", path, said, exact, want)
		}
	}
}

// What was said of a thing is not said of its parts.
func TestAPartMayTellOtherwiseThanItsParent(t *testing.T) {
	for _, c := range []struct {
		by    string
		files []sentFile
		want  bool // it is blamed
	}{{"hook", nil, false}, {"hook", []sentFile{{}}, true}, {"post", nil, true}} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := idProber(t)
			p.TB = tb
			m := &made{by: ops[c.by], files: c.files}
			m.object = map[string]any{"data": map[string]any{"type": "hooks"}}
			m.schema = lab.SchemaOf(t, `{"properties":{"data":{"properties":{"type":{"type":"string"}}}}}`).Value
			body := []byte(`{"data":{"type":"posts"}}`)
			a := answer{p: p, route: ops["posted"], req: httptest.NewRequest("GET", "/v1/hooks/posts/1", nil),
				body: body}
			p.tells(m, a, leaves(body))
		})
		if blamed := len(lines) > 0; blamed != c.want {
			t.Errorf("of what %s made with %d files: %q", c.by, len(c.files), lines)
		}
	}
}

// A shorter file is put where a longer one is, and one that is as long, beside one
// whose key differs in its case.
func TestAFileIsReplacedByOthers(t *testing.T) {
	p, ops := specProber(t, togetherSpec)
	var put []string
	p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
		put = append(put, fmt.Sprint(r.URL.Path, " ", r.ContentLength))
		return came(r, http.StatusBadRequest, "", ""), nil
	})
	p.learned["key"] = "a-key"
	want := []string{"/v1/keys/a-kez 50", "/v1/keys/a-kez-A 40", "/v1/keys/a-kez-a 30", "/v1/keys/a-kez-A 20",
		"/v1/keys/a-kez-A 20"}
	if p.replaces(ops["put"], firstSample(ops["put"])); !slices.Equal(put, want) {
		t.Errorf("put were %q", put)
	}
}

// What others were put in place of is read again by its number.
func TestAnEarlierFileKeepsItsNumber(t *testing.T) {
	at := func(number string) map[string]string { return map[string]string{"key": "a", "version": number} }
	const get = "GET /v1/keys/a/versions/1"
	for _, c := range []struct {
		what, own, others, place string
		status                   int
		body, want, asked        string
	}{
		{"all is right", "1", "2", "/v1/keys/a", 200, "one", "", get},
		{"it is the newest", "1", "2", "/v1/keys/a", 200, "two",
			"in its place: it is the one that was put in its place", get},
		{"it is another file", "1", "2", "/v1/keys/a", 200, "six", "after others were put in its place: 3 bytes", get},
		{"it is not kept", "1", "2", "/v1/keys/a", 404, "", "", get},
		{"there is one number", "1", "1", "/v1/keys/a", 200, "two", "", ""},
		{"the other has no number", "1", "", "/v1/keys/a", 200, "two", "", ""},
		{"it has no number", "", "2", "/v1/keys/a", 200, "two", "", ""},
		{"the other is elsewhere", "1", "2", "/v1/keys/b", 200, "two", "", ""},
	} {
		asked := ""
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, togetherSpec)
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				asked += r.Method + " " + r.URL.Path
				return came(r, c.status, "image/png", c.body), nil
			})
			of := func(content, place, number string) *made {
				return &made{by: ops["put"], place: place, ids: at(number),
					files: []sentFile{{content: []byte(content)}}}
			}
			p.kept = []*made{of("two", c.place, c.others)}
			p.readsEarlier(of("one", "/v1/keys/a", c.own))
		})
		got := strings.Join(lines, "\n")
		if !strings.Contains(got, c.want) || c.want == "" && strings.Contains(got, "response") || asked != c.asked {
			t.Errorf("%s: asked %q: %s", c.what, asked, got)
		}
	}
}

// Only a URL that is handed out for each of several files counts.
func TestSeveralAreAnnouncedWhereURLsAreHandedOut(t *testing.T) {
	lines := lab.Recorded(t, func(tb testing.TB) {
		p, ops := specProber(tb, sendSpec)
		n := 0
		p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			n++
			return came(r, http.StatusOK, "application/json", fmt.Sprintf(`{"id":"l-%d"}`, n)), nil
		})
		p.varies(ops["listed"])
	})
	if len(lines) > 0 {
		t.Errorf("it was blamed: %q", lines)
	}
}

func TestAPostPlacesAFileWhereItsPathSays(t *testing.T) {
	_, ops := specProber(t, v1+`
info: {title: Places, version: '1'}
paths:
  /a/{name}: {parameters: [&name {name: name, in: path, required: true, schema: {type: string}}],
    post: {operationId: name, requestBody: &raw {content: {image/png: {}}},
      responses: &all {default: {description: All.}}},
    put: {operationId: put, responses: *all}, get: {operationId: get, responses: *all}}
  /b/{name}: {parameters: [*name, {name: fileName, in: query, required: true, schema: {type: string}}],
    post: {operationId: beside, requestBody: *raw, responses: *all}}
  /c/{name}: {parameters: [*name, {name: kind, in: query, required: true, schema: {type: string}}],
    post: {operationId: kind, requestBody: *raw, responses: *all}}
  /d/{name}: {parameters: [*name], post: {operationId: json, requestBody: {content: {application/json: {example: {}}}},
    responses: *all}}
  /e/{name}/: {parameters: [*name], post: {operationId: slash, requestBody: *raw, responses: *all}}
  /f/{name}/g: {parameters: [*name], post: {operationId: below, requestBody: *raw, responses: *all}}
  /g/{name}: {parameters: [*name], post: {operationId: act, responses: *all}}
`)
	for op, want := range map[string]bool{"name": true, "put": true, "get": false, "beside": false, "kind": true,
		"json": false, "slash": true, "below": false, "act": false} {
		if places(ops[op]) != want {
			t.Errorf("%s places a file where its path says: %t", op, !want)
		}
	}
}

func TestARequestIsWrittenInOtherWays(t *testing.T) {
	schema := lab.SchemaOf(t, `{"properties":{"file":{"format":"binary"},"n":{},
		"files":{"items":{"format":"binary"}}}}`).Value
	form := func(object map[string]any) sample {
		return sample{typ: "multipart/form-data", schema: schema}.of(object, "a.txt")
	}
	two := form(map[string]any{"files": []any{"x", "y"}})
	for _, c := range []struct {
		what string
		s    sample
		want int
	}{
		{"a raw body", sample{typ: "image/png", contentType: "image/png", body: []byte("x")}, 0},
		{"JSON", sample{typ: "application/json"}.of(map[string]any{"n": 1}, ""), 1},
		{"a form of one file", form(map[string]any{"file": "x"}), 2}, {"a form of two files", two, 0},
		{"a form with a field", form(map[string]any{"file": "x", "n": "1"}), 3},
		{"a form without a file", form(map[string]any{"n": "1"}), 0},
	} {
		var asked *[]string
		p, ops := specProber(t, sendSpec)
		p.transport, asked = answered(http.StatusOK)
		if p.written(ops["anything"], c.s); len(*asked) != c.want {
			t.Errorf("%s is written in %d other ways, want %d", c.what, len(*asked), c.want)
		}
	}
}

func TestAnOperationIsAboutWhatItsPathOrQueryNames(t *testing.T) {
	_, ops := specProber(t, v1+`
info: {title: Queries, version: '1'}
paths:
  /a: {parameters: [&thing {name: thingId, in: query, required: true, schema: {type: string}}],
    get: {operationId: get, responses: &all {default: {description: All.}}},
    delete: {operationId: drop, responses: {'204': {description: Gone.}}},
    post: {operationId: make, requestBody: {content: {image/png: {}}}, responses: *all}}
  /b/{name}: {parameters: [&name {name: name, in: path, required: true, schema: {type: string}}, *thing],
    get: {operationId: both, responses: *all}, delete: {operationId: dropBoth, responses: *all}}
  /c: {parameters: [{name: q, in: query, required: true, schema: {type: string}},
    {name: thingId, in: header, required: true, schema: {type: string}}], get: {operationId: other, responses: *all}}
  /d/{name}/{key}: {parameters: [*name, {name: key, in: path, required: true, schema: {type: string}}],
    get: {operationId: below, responses: *all}}
  /d/{name}/hold: {parameters: [*name], delete: {operationId: hold, responses: *all}}
`)
	for op, want := range map[string]bool{"drop": false, "both": false, "below": false, "hold": true} {
		if ops[op].goesOn() != want {
			t.Errorf("the path of %s goes on: %t", op, !want)
		}
	}
	for op, want := range map[string]string{"get": "thingId [thingId] true true false",
		"drop": "thingId [thingId] true false false",
		"make": " [thingId] false true false", "both": "name [thingId] false true true",
		"dropBoth": "name [thingId] false true true", "other": " [] false true false",
		"below": "key [] false true false"} {
		r := ops[op]
		if got := fmt.Sprint(r.last, " ", r.refs, " ", r.byQuery(), refusesUnknown(r), takesName(r)); got != want {
			t.Errorf("%s: %s, want %s", op, got, want)
		}
	}
}

func TestWhatIsNewHasNotExpired(t *testing.T) {
	const now = "Thu, 26 Nov 2026 12:00:00 GMT"
	for _, c := range []struct {
		name, at    string
		said, again bool
		want        bool
	}{
		{"expiresAt", "2026-11-26T11:58:00Z", false, false, true},
		{"expiresAt", "2026-11-26T11:59:30Z", false, false, false},
		{"expiresAt", "2026-11-26T12:10:00Z", false, false, false},
		{"expiresAt", "2026-11-26T11:58:00Z", true, false, false},
		{"expiresAt", "2026-11-26T11:58:00Z", false, true, false}, {"expiresAt", "never", false, false, false},
		{"seenAt", "2026-11-26T11:58:00Z", false, false, false},
		{"expiresAt", "1970-01-01T00:00:00Z", false, false, false},
	} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, sendSpec)
			a := answer{p: p, route: ops["start"], req: p.good(ops["start"], sample{}),
				header: http.Header{"Date": {now}}}
			m := &made{by: ops["start"], answer: a, said: map[string]any{}}
			if c.said {
				m.said[c.name] = c.at
			}
			if c.again {
				a.req = p.good(ops["start"], sample{})
			}
			m.times(a, leaf{name: c.name, path: c.name, at: -1, value: c.at})
		})
		if got := len(lines) > 0; got != c.want {
			t.Errorf("%s is %s: %q", c.name, c.at, lines)
		}
	}
}
