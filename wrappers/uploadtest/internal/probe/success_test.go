package probe

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// refusedSpec is a provider's that may refuse everything.
const refusedSpec = v1 + `
info: {title: Refusals, version: '1'}
paths:
  /things: {post: {operationId: make, requestBody: {content: {image/png: {}}},
    responses: &may {4XX: &no {description: No.},
    5XX: *no}}}
  /things/{thingId}: {parameters: [&thing {name: thingId, in: path, required: true, schema: {type: string}}],
    get: {operationId: look, responses: *may}, delete: {operationId: drop, responses: *may},
    post: {operationId: change, requestBody: {content: {application/json: {example: {label: August}}}},
      responses: *may},
    patch: {operationId: patch, requestBody: {content: {application/json: {example: {label: August}}}},
      responses: *may}}
  /broken/{thingId}: {parameters: [*thing], get: {operationId: broken, responses: *may}, patch: {operationId: mend,
    requestBody: {content: {application/json: {example: {label: 1}, schema: {properties: {label: {type: string}}}}}},
    responses: *may}}
  /unseen/{thingId}: {parameters: [*thing], patch: {operationId: unseen, requestBody: {content: {application/json: {
    example: {label: August}}}}, responses: *may}}
  /bare/{thingId}: {parameters: [*thing], get: {operationId: bareLook, responses: *may}, patch: {operationId: bare,
    responses: *may}}
  /things/{thingId}/lock: {parameters: [*thing], post: {operationId: lock, responses: *may}}
  /things/{thingId}/file: {parameters: [*thing], get: {operationId: file, responses: {4XX: *no,
    '200': {description: It., content: {'*/*': {schema: {format: binary}}}}}}}
  /file: {get: {operationId: the, responses: {4XX: *no,
    '200': {description: It., content: {'*/*': {schema: {format: binary}}}}}}}
  /ping: {post: {operationId: ping, responses: *may}}
  /keys/{key}: {parameters: [{name: key, in: path, required: true, schema: {type: string}}],
    put: {operationId: put, requestBody: {content: {image/png: {}}}, responses: {'400': *no, '409': *no}}}
  /tagged: {patch: {operationId: tag, responses: *may, parameters: [&tag {name: If-Match, in: header, required: true,
    schema: {type: string}}]}, post: {operationId: tagAs, responses: *may, parameters: [{<<: *tag, example: x}]}}
  /grants: {get: {operationId: grant, responses: {4XX: *no, '200': {description: It., content: {application/json: {
    schema: {properties: {uploadKey: {}}}}}}}}}
  /open: {post: {operationId: open, responses: {default: {description: All.}}}}
  /done: {post: {operationId: done, responses: {default: {description: All.}}}}
`

// answered returns a transport with one status for all requests, and what was
// asked.
func answered(status int) (trip http.RoundTripper, asked *[]string) {
	asked = new([]string)
	return faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
		*asked = append(*asked, r.Method+" "+r.URL.Path)
		return &http.Response{StatusCode: status, Body: http.NoBody, Request: r}, nil
	}), asked
}

func TestTheExampleOfASpecMayBeRefused(t *testing.T) {
	p, ops := specProber(t, refusedSpec)
	p.learned["thingId"] = "t-1"
	named := sample{typ: "application/json", object: map[string]any{"noteId": "n-1"},
		schema: lab.SchemaOf(t, `{}`).Value}
	madeUp := sample{typ: "application/json", object: map[string]any{"noteId": "uploadtest"},
		schema: lab.SchemaOf(t, `{"required":["noteId"],"properties":{"noteId":{}}}`).Value}
	key := sample{typ: "application/json", object: map[string]any{"uploadKey": "uploadtest"},
		schema: lab.SchemaOf(t, `{"required":["uploadKey"],"properties":{"uploadKey":{}}}`).Value}
	form := sample{typ: "multipart/form-data", object: map[string]any{"noteId": "n-1", "file": "x"},
		schema: lab.SchemaOf(t, `{"properties":{"file":{"format":"binary"}}}`).Value}
	one := &made{by: ops["make"], ids: map[string]string{"thingId": "t-1"}, files: make([]sentFile, 1)}
	for _, c := range []struct {
		op      string
		s       sample
		status  int
		unknown bool
		kept    *made
		given   bool // the operation gave another file
		want    string
	}{
		{op: "look", status: 404, unknown: true, want: "no answer gave its thingId"},
		{op: "look", status: 404}, {op: "ping", status: 404}, {op: "done", status: 500, want: "no answer gave its"},
		{op: "ping", s: named, status: 404, want: "refers to"}, {op: "ping", s: named, status: 400},
		{op: "ping", s: form, status: 404},
		{op: "ping", s: madeUp, status: 400, want: "refers to"}, {op: "ping", s: madeUp, status: 500},
		{op: "open", s: madeUp, status: 400},
		{op: "lock", status: 409, want: "refers to"}, {op: "lock", status: 400, want: "as the spec declares"},
		{op: "lock", status: 500}, {op: "drop", status: 400}, {op: "drop", status: 409, want: "as the spec declares"},
		{op: "drop", status: 404, want: "refers to"}, {op: "drop", status: 404, kept: one},
		{op: "ping", s: key, status: 400, want: "refers to"}, {op: "grant", s: key, status: 400},
		{op: "look", status: 400}, {op: "change", status: 400},
		{op: "ping", status: 400},
		{op: "the", status: 404, want: "refers to"}, {op: "the", status: 404, kept: one, want: "refers to"},
		{op: "the", status: 400, want: "as the spec declares"}, {op: "the", status: 403, want: "as the spec declares"},
		{op: "the", status: 403, given: true}, {op: "the", status: 401}, {op: "ping", status: 403},
		{op: "tag", status: 412, want: "no example of its If-Match"}, {op: "tag", status: 400},
		{op: "tagAs", status: 412},
		{op: "put", status: 409, want: "as the spec declares"}, {op: "put", status: 400}, // the key may be taken
	} {
		p.kept, ops[c.op].succeeded = nil, c.given
		if c.kept != nil {
			p.kept = []*made{c.kept}
		}
		got := p.excuse(answer{p: p, route: ops[c.op], status: c.status}, c.s, !c.unknown)
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s answered %d to %v: %q, want %q", c.op, c.status, c.s.object, got, c.want)
		}
	}
	for _, c := range []struct {
		m    *made
		want bool
	}{{nil, true}, {one, false}, {&made{by: one.by, ids: one.ids}, true}, {&made{by: one.by, files: one.files}, true}} {
		if p.kept = nil; c.m != nil {
			p.kept = []*made{c.m}
		}
		if p.waitsFor(ops["file"]) != c.want || p.waitsFor(ops["look"]) {
			t.Errorf("the file of %v is not there: %t", c.m, !c.want)
		}
	}
	for schema, want := range map[string]bool{`{}`: true, `{"example":"uploadtest"}`: false,
		`{"default":"uploadtest"}`: false,
		`{"enum":["uploadtest"]}`:  false, `{"format":"byte"}`: false, `{"format":"binary"}`: false} {
		ref := lab.SchemaOf(t, schema)
		if isMadeUp(ref, apispec.MadeUp(ref, 0)) != want || isMadeUp(ref, "a") || isMadeUp(ref, true) {
			t.Errorf("a value of %s is made up: %t", schema, !want)
		}
	}
}

func TestARequestRefersToWhatItNames(t *testing.T) {
	p, ops := idProber(t)
	p.learned = map[string]string{"thingId": "t-1"}
	of := func(object map[string]any) sample {
		return sample{typ: "application/json", object: object,
			schema: lab.SchemaOf(t, `{"required":["noteId","partId","label"],"properties":{"file":{"format":"binary"},
				"noteId":{},"label":{},"partId":{"type":"integer"}}}`).Value}
	}
	for _, c := range []struct {
		op            string
		s             sample
		refers, guess bool
	}{
		{"fill", sample{}, true, true}, {"row", sample{}, false, true}, {"look", sample{}, false, false},
		{"make", sample{}, false, false}, {"part", sample{}, false, true}, {"parts", sample{}, true, false},
		{"make", of(map[string]any{"noteId": "n-1"}), true, false},
		{"make", of(map[string]any{"noteId": "uploadtest"}), true, true},
		{"make", of(map[string]any{"partId": 1}), true, true},
		{"make", of(map[string]any{"partId": 7}), true, false},
		{"make", of(map[string]any{"label": "uploadtest"}), false, false},
		{"make", of(map[string]any{"file": "f"}), false, false},
	} {
		if refers, guesses := p.refers(ops[c.op], c.s); refers != c.refers || guesses != c.guess {
			t.Errorf("%s with %v: refers %t, guesses %t", c.op, c.s.object, refers, guesses)
		}
	}
	p.learned["id"] = "t-1" // of another thing than the one that nothing makes
	for ofParent, want := range map[bool]bool{true: true, false: false} {
		ops["file"].ofParent = ofParent
		if _, guesses := p.refers(ops["file"], sample{}); guesses != want {
			t.Errorf("it guesses the id of a thing that nothing makes (%t): %t", ofParent, !want)
		}
	}
}

func TestAVariationMayBeRefused(t *testing.T) {
	form := sample{typ: "multipart/form-data", object: map[string]any{"noteId": "n-1", "file": "x"},
		schema: lab.SchemaOf(t, `{"properties":{"file":{"format":"binary"}}}`).Value}
	for _, c := range []struct {
		op      string
		s       sample
		status  int
		content string
		want    string
	}{
		{"lock", sample{}, 409, "x", ""}, {"lock", sample{}, 400, "x", "400 to a file"},
		{"ping", sample{}, 409, "x", "409 to a file"},
		{"put", sample{}, 409, "x", ""}, {"put", sample{}, 400, "x", "400 to a file"},
		{"ping", form, 409, "x", "409 to a file"}, {"ping", sample{}, 409, "", ""}, {"ping", sample{}, 413, "x", ""},
		{"ping", sample{}, 500, "x", `500 to a file that is called "a.txt"`},
		{"ping", sample{}, 500, "", "500 to an empty file"},
	} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, refusedSpec)
			p.transport, _ = answered(c.status)
			p.variant(ops[c.op], c.s, "a.txt", 0, "", []byte(c.content))
		})
		if got := strings.Join(lines, "\n"); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s answered %d to %q: %q, want %q", c.op, c.status, c.content, got, c.want)
		}
	}
}

func TestWhatSaysNothingIsNotVaried(t *testing.T) {
	p, ops := specProber(t, refusedSpec)
	var asked *[]string
	p.transport, asked = answered(http.StatusForbidden)
	if p.variesNames(ops["lock"], sample{}, false); len(*asked) > 0 {
		t.Errorf("asked %q", *asked)
	}
}

// typesSpec is a provider's that takes files of any type, of one, and in forms.
const typesSpec = v1 + `
info: {title: Types, version: '1'}
paths:
  /any: {post: {operationId: any, requestBody: {content: {'*/*': {schema: {format: binary}}}},
    responses: &all {default: {description: All.}}}}
  /image: {post: {operationId: image, requestBody: {content: {image/png: {schema: {format: binary}}}}, responses: *all}}
  /files: {post: {operationId: files, requestBody: {content: {multipart/form-data: {
    schema: {type: object, properties: {files: {type: array, items: {type: string, format: binary}}}}}}},
    responses: {default: {description: All., content: {application/json: {}}}}}}
  /shots: {post: {operationId: shots, requestBody: {content: {multipart/form-data: {
    encoding: {files: {contentType: 'a/a, b/*'}},
    schema: {type: object, properties: {files: {type: array, items: {type: string, format: binary}}}}}}},
    responses: &json {default: {description: All., content: {application/json: {}}}}}}
  /scans: {post: {operationId: scans, requestBody: {content: {multipart/form-data: {example: {files: [x],
    type: image/png}, schema: {type: object, properties: {files: {type: array, items: {type: string, format: binary}},
      type: {type: string}}}}}}, responses: *json}}
  /two: {post: {operationId: two, requestBody: {content: {a/a: {}, b/b: {}}}, responses: *all}}
  /form: {post: {operationId: form, requestBody: {content: {multipart/form-data: {example: {file: x},
    schema: {type: object, properties: {file: {type: string, format: binary}}}}}}, responses: *all}}
`

// Each kind of file is sent as what it is, and some as what they are not.
func TestAVariationHasAMediaType(t *testing.T) {
	p, ops := specProber(t, typesSpec)
	sent := ""
	p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if _, behind, ok := strings.Cut(string(body), "Content-Type: "); ok {
			sent, _, _ = strings.Cut(behind, "\r\n")
		} else {
			sent = r.Header.Get("Content-Type")
		}
		return came(r, http.StatusRequestEntityTooLarge, "", ""), err
	})
	for _, c := range []struct {
		op   string
		i    int
		want string
	}{
		{"any", 0, upload.OctetStream}, {"any", plainText, "text/plain"}, {"image", plainText, "image/png"},
		{"form", 0, "text/plain"}, {"form", 1, "application/pdf"}, {"form", 3, "application/pdf"},
		{"form", plainText, "text/plain"},
	} {
		p.variant(ops[c.op], firstSample(ops[c.op]), "a.bin", c.i, "", []byte("x"))
		if sent != c.want {
			t.Errorf("number %d by %s is sent as %s, want %s", c.i, c.op, sent, c.want)
		}
	}
}

func TestSeveralFilesAreKeptButNotMany(t *testing.T) {
	for status, want := range map[int]int{http.StatusOK: 3, http.StatusForbidden: 0} {
		p, ops := specProber(t, typesSpec)
		n := 0
		p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			n++
			return came(r, status, "application/json", fmt.Sprintf(`{"id":"f-%d"}`, n)), nil
		})
		if p.several(ops["files"], firstSample(ops["files"])); len(p.kept) != want {
			t.Errorf("after %d, %d are kept", status, len(p.kept))
		}
		for op, types := range map[string]string{"files": "[text/plain application/pdf text/plain]",
			"shots": "[a/a b/x-uploadtest a/a]", "scans": "[image/png image/png image/png]"} {
			var sent []string
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				var of []string
				for _, part := range strings.Split(string(body), "filename=")[1:] {
					typ, _, _ := strings.Cut(strings.SplitAfter(part, "Content-Type: ")[1], "\r")
					of = append(of, typ)
				}
				sent = append(sent, fmt.Sprint(of))
				return came(r, status, "application/json", "{}"), err
			})
			p.several(ops[op], firstSample(ops[op]))
			if again := len(sent) > 4; sent[0] != types || again != (status != http.StatusOK && op != "scans") ||
				again && sent[1] == types {
				t.Errorf("several %s are sent as %q", op, sent)
			}
		}
		var asked *[]string
		p.transport, asked = answered(http.StatusForbidden)
		if p.varies(ops["two"]); len(*asked) != 2 {
			t.Errorf("two bodies that are refused are asked for %d times", len(*asked))
		}
	}
}

// The largest file is sent only where an operation made several, and nothing is
// wrong.
func TestTheLargestFileIsSentOnce(t *testing.T) {
	p, ops := specProber(t, typesSpec)
	one := make([]sentFile, 1)
	m := &made{by: ops["any"], files: one, sample: firstSample(ops["any"])}
	another := &made{by: ops["any"]}
	for _, c := range []struct {
		kept []*made
		most int64
		want int
	}{
		{[]*made{m}, 0, 0}, {[]*made{m, {by: ops["form"], files: one}}, 0, 0}, {[]*made{m, another}, 0, 1},
		{[]*made{m, another}, largest, 1}, {[]*made{m, another}, largest - 1, 0},
		{[]*made{another, {by: ops["any"]}}, 0, 0},
	} {
		var asked *[]string
		p.transport, asked = answered(http.StatusRequestEntityTooLarge)
		p.kept, p.MaxSize = c.kept, c.most
		if p.sendsLargest(); len(*asked) != c.want {
			t.Errorf("of %d uploads with at most %d bytes: %q", len(c.kept), c.most, *asked)
		}
	}
}

func TestAChangeMayBeRefused(t *testing.T) {
	for op, want := range map[string]string{"patch": "[GET PATCH]", "mend": "[]", "change": "[]", "unseen": "[]",
		"bare": "[]"} {
		p, ops := specProber(t, refusedSpec)
		var asked *[]string
		p.transport, asked = answered(http.StatusConflict)
		p.kept = []*made{{by: ops["make"], ids: map[string]string{"thingId": "t-1"},
			said: map[string]any{"label": "July"}}}
		if p.patches(ops[op]); strings.ReplaceAll(strings.ReplaceAll(fmt.Sprint(*asked), " /v1/things/t-1", ""),
			" /v1/broken/t-1", "") != want {
			t.Errorf("%s: asked %q, want %s", op, *asked, want)
		}
	}
}

// What was deleted under another parent is not looked for.
func TestWhatAFaultDeletedIsForgotten(t *testing.T) {
	lab.Recorded(t, func(tb testing.TB) {
		p, ops := specProber(tb, togetherSpec)
		var asked *[]string
		p.transport, asked = answered(http.StatusNoContent)
		m, other := &made{by: ops["make"], ids: map[string]string{"rowId": "r-1"}}, &made{by: ops["make"]}
		p.kept = []*made{m, other}
		if p.stray(ops["act"], m, "thingId", sample{}); len(*asked) > 0 {
			t.Errorf("asked %q, which may do anything", *asked)
		}
		if p.stray(ops["drop"], m, "rowId", m.found().under("rowId", "r-2")); len(p.kept) != 1 || p.kept[0] != other {
			t.Errorf("kept are %v", p.kept)
		}
		p.kept = []*made{{place: "/v1/rows/r-1"}}
		if p.changes(answer{p: p, req: p.request(http.MethodPut, "/rows/r-1", "", nil), status: 200}); len(p.kept) > 0 {
			t.Error("what another file was put over is kept")
		}
	})
}
