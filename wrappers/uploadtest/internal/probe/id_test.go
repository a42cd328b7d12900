package probe

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// idSpec is a provider's with things that have parts, and with blobs under keys
// of the client's.
const idSpec = v1 + `
info: {title: Ids, version: '1'}
paths:
  /things: {post: {operationId: make, requestBody: {content: {image/png: {}}},
    responses: &all {default: {description: All.}}},
    get: {operationId: list, responses: *all}}
  /things/{thingId}: {parameters: [&thing {name: thingId, in: path, required: true, schema: {type: string}}],
    get: {operationId: look, responses: *all}}
  /things/{thingId}/content: {parameters: [*thing],
    delete: {operationId: wipe, summary: It is idempotent, responses: *all},
    get: {operationId: content, responses: {'200': {description: The file.,
      content: {image/png: {schema: {type: string, format: binary}}}}}}}
  /things/{thingId}/hold: {parameters: [*thing], get: {operationId: held, responses: *all},
    delete: {operationId: release, responses: *all}}
  /things/{thingId}/lock: {parameters: [*thing], delete: {operationId: unlock, responses: *all}}
  /things/{thingId}/parts: {parameters: [*thing], get: {operationId: parts, responses: *all}}
  /things/{thingId}/parts/{partId}: {parameters: [*thing,
      {name: partId, in: path, required: true, schema: {type: string}}],
    get: {operationId: part, responses: *all}}
  /boxes/{box}/things: {post: {operationId: pack, responses: *all, parameters: [
    {name: box, in: path, required: true, schema: {type: string}}]}}
  /access/datafile/{id}: {parameters: [{name: id, in: path, required: true, schema: {type: string}}],
    get: {operationId: file, responses: *all}}
  /decks/{id}/cards: {parameters: [{name: id, in: path, required: true, schema: {type: string}}],
    get: {operationId: cards, responses: *all}}
  /cards/{cardName}: {parameters: [{name: cardName, in: path, required: true, schema: {type: string}}],
    get: {operationId: named, responses: *all}}
  /gids/{thing_gid}: {parameters: [{name: thing_gid, in: path, required: true, schema: {type: string}}],
    get: {operationId: gid, responses: *all}}
  /papers/{paper_id}: {parameters: [{name: paper_id, in: path, required: true, schema: {type: string}}],
    get: {operationId: paper, responses: *all}}
  /blobs/{key}: {parameters: [&key {name: key, in: path, required: true, schema: {type: string}}],
    put: {operationId: put, responses: *all}, get: {operationId: blob, responses: *all}}
  /blobs/{key}/facts: {parameters: [*key], get: {operationId: facts, responses: *all}}
  /others/{key}: {parameters: [*key], get: {operationId: other, responses: *all}}
  /rows/{rowId}: {parameters: [{name: rowId, in: path, required: true, schema: {type: string}}],
    put: {operationId: row, responses: *all}}
  /rows/{rowId}/content: {parameters: [{name: rowId, in: path, required: true, schema: {type: string}}],
    put: {operationId: fill, responses: *all}}
  /sets/{set}: {post: {operationId: add, requestBody: {content: {image/png: {}}}, responses: *all, parameters: [
    {name: set, in: path, required: true, schema: {type: string}}]}}
  /bags/{bag}: {post: {operationId: drop, requestBody: {content: {image/png: {}}}, responses: *all, parameters: [
    {name: bag, in: path, required: true, schema: {type: string}},
    {name: filename, in: query, required: true, schema: {type: string}}]}}
  /crates/{crate}/{name}: {put: {operationId: fillCrate, requestBody: {content: {image/png: {}}}, responses: *all,
    parameters: [{name: crate, in: path, required: true, schema: {type: string}},
    {name: name, in: path, required: true, schema: {type: string}}]}}
  /hooks: {post: &hook {operationId: hook, responses: {'200': {description: It., content: {application/json: {
    schema: {$ref: '#/components/schemas/Message'}}}}, '404': &none {description: None., content: {application/json: {
    schema: {$ref: '#/components/schemas/None'}}}}}}}
  /hooks/messages/{message_id}: {parameters: [{name: message_id, in: path, required: true, schema: {type: string}}],
    get: {<<: *hook, operationId: message}}
  /hooks/notes/{noteId}: {parameters: [{name: noteId, in: path, required: true, schema: {type: string}}],
    get: {operationId: hooked, responses: {default: {description: All.}, '404': *none}}}
  /hooks/cards/{deck_id}: {parameters: [{name: deck_id, in: path, required: true, schema: {type: string}}],
    get: {<<: *hook, operationId: card}}
  /hooks/posts: {post: {operationId: post, responses: *all,
    requestBody: {content: {application/json: {example: {thing_uuid: x}}}}}}
  /hooks/posts/{postId}: {parameters: [{name: postId, in: path, required: true, schema: {type: string}}],
    get: {<<: *hook, operationId: posted}}
  /kept: {post: {operationId: keep, responses: *all}}
  /kept/{key}: {parameters: [*key], put: {operationId: change,
    responses: {default: {description: All.}, '409': {description: No.}}}}
components: {schemas: {Message: {type: object}, None: {type: object}}}
`

// idProber returns a prober of idSpec, and its operations by their names.
func idProber(t *testing.T) (*prober, map[string]*operation) {
	return specProber(t, idSpec)
}

// specProber returns a prober of a spec, and its operations by their names.
func specProber(t testing.TB, spec string) (*prober, map[string]*operation) {
	p, ops := newProber(t, "http://a.example/v1", []byte(spec), Facts{}), map[string]*operation{}
	for _, r := range p.ops {
		ops[r.name] = r
	}
	return p, ops
}

func TestAnIDIsThatOfTheWholeAnswer(t *testing.T) {
	for answer, want := range map[string]string{
		`{"id":"a"}`:                    "a",
		`{"ID":7}`:                      "7",
		`{"id":null,"data":{"id":"a"}}`: "a",
		`{"ok":true,"list":[],"file":{"id":"a"}}`: "a",
		`{"name":"x","file":{"id":"a"}}`:          "",
		`{"count":1,"data":{"id":"a"}}`:           "a",
		`{"a":{"id":"x"},"b":{"id":"y"}}`:         "",
		`{"data":{"file":{"id":"a"}}}`:            "",
		`{"items":[{"id":"a"}]}`:                  "",
		`{"id":["a"]}`:                            "",
		`{"file":{"name":"a"}}`:                   "",
	} {
		if got := ownID([]byte(answer)); got != want {
			t.Errorf("the id of %s is %q, want %q", answer, got, want)
		}
	}
	for element, want := range map[string]string{`{"id":"a","name":"b"}`: "a", `{"a":1,"name":"b","size":3}`: "b",
		`{"size":3,"userId":"b"}`: "b", `{"a":1}`: `{"a":1}`} {
		if got := identity([]byte(element)); got != want {
			t.Errorf("%s is %q, want %q", element, got, want)
		}
	}
}

func TestAnAnswerGivesWhatPathsTake(t *testing.T) {
	p, ops := idProber(t)
	for _, c := range []struct{ answer, location, ids, ofFile string }{
		{`{"a":null,"paperId":"x"}`, "", "map[paperId:x paper_id:x]", "[]"},
		{`{"id":"t-1"}`, "", "map[id:t-1 thingId:t-1]", "[]"},
		{`{"id":"n-1","thingId":"t-2"}`, "", "map[id:n-1 thingId:t-2]", "[]"},
		{`{"id":"n-1","thing_id":null}`, "", "map[id:n-1 thingId:n-1]", "[]"},
		{`{"id":null,"name":""}`, "", "map[]", "[]"},
		{`{"parts":[{"id":"p-1"},{"id":"p-2"}]}`, "", "map[partId:p-1 parts:2]", "[map[partId:p-1] map[partId:p-2]]"},
		{`{"paperId":"x"}`, "", "map[paperId:x paper_id:x]", "[]"},
		{`{"a":{"paper_id":"deep"},"paper_id":"top"}`, "", "map[paper_id:top]", "[]"},
		{`{"owner":{"id":"u-1"},"size":1}`, "", "map[ownerId:u-1 size:1]", "[]"},
		{`{"owner":{"id":"u-1"},"uploadUrl":"http://a.example/put"}`, "",
			"map[id:u-1 ownerId:u-1 uploadUrl:http://a.example/put]", "[]"},
		{`{"paper":"17be4678-dab7-4bc7-8753-28914a22960a"}`, "", "map[paper:17be4678-dab7-4bc7-8753-28914a22960a " +
			"paper_id:17be4678-dab7-4bc7-8753-28914a22960a]", "[]"},
		{`"17be4678-dab7-4bc7-8753-28914a22960a"`, "", "map[:17be4678-dab7-4bc7-8753-28914a22960a]", "[]"},
		{`{"datafile":"17be4678-dab7-4bc7-8753-28914a22960a"}`, "",
			"map[datafile:17be4678-dab7-4bc7-8753-28914a22960a id:17be4678-dab7-4bc7-8753-28914a22960a]", "[]"},
		{`{"paper":"a paper"}`, "", "map[paper:a paper]", "[]"},
		{`{"in":"http://a.example/v1/crates/c-1"}`, "", "map[crate:c-1 in:http://a.example/v1/crates/c-1]", "[]"},
		{`{"in":"http://b.example/v1/crates/c-1"}`, "", "map[in:http://b.example/v1/crates/c-1]", "[]"},
		{`{"data":{"id":"t-1"},"size":1}`, "", "map[id:t-1 size:1 thingId:t-1]", "[]"},
		{`{"a":{"dataFile":{"id":"f-1","size":1}}}`, "", "map[dataFileId:f-1 id:f-1 size:1]", "[]"},
		{`{"a":{"dataFile":{"id":"f-1"},"size":1}}`, "", "map[dataFileId:f-1 size:1]", "[]"},
		{`{"a":{"owner":{"id":"u-1","size":1}}}`, "", "map[ownerId:u-1 size:1]", "[]"},
		{`{"a":{"dataFile":{"id":"f-1","size":1},"owner":{"id":"u-1"}}}`, "",
			"map[dataFileId:f-1 ownerId:u-1 size:1]", "[]"},
		{`{"data":{"id":"t-1","type":"papers","relationships":{"parts":{"data":[{"id":"p-1","type":"parts"}]}}}}`, "",
			"map[data:1 id:t-1 paperId:t-1 paper_id:t-1 partId:p-1 thingId:t-1 type:papers]",
			"[map[partId:p-1 type:parts]]"},
		{`{"data":{"gid":"t-1"}}`, "", "map[gid:t-1 thing_gid:t-1 thinggid:t-1]", "[]"},
		{`{"uuid":"t-1"}`, "", "map[thing_uuid:t-1 thinguuid:t-1 uuid:t-1]", "[]"},
		{`{"owner":{"gid":"u-1"}}`, "", "map[gid:u-1]", "[]"},
		{`{"infos":[{"id":"f-1"},{"id":"f-2"}]}`, "", "map[id:f-1 infoId:f-1 infos:2 thingId:f-1]",
			"[map[id:f-1 infoId:f-1 thingId:f-1] map[id:f-2 infoId:f-2 thingId:f-2]]"},
		{`{"infos":[{"id":"f-1"},{"id":"f-2"},{"id":"f-3"}]}`, "", "map[infoId:f-1 infos:3]", "[]"},
		{`{"infos":[{"id":"f-1"}]}`, "", "map[infoId:f-1 infos:1]", "[map[infoId:f-1]]"},
		{`{"infos":[{"id":"f-1"},{"id":"f-2"}],"thing_id":"t-1"}`, "",
			"map[infoId:f-1 infos:2 thingId:t-1 thing_id:t-1]",
			"[map[infoId:f-1] map[infoId:f-2]]"},
		{`{"infos":[{"id":"f-1"},{"id":"f-2"}],"n":1,"owner":{"id":"u-1"}}`, "",
			"map[infoId:f-1 infos:2 n:1 ownerId:u-1]", "[map[infoId:f-1] map[infoId:f-2]]"},
		{"", "/v1/things/t-9", "map[thingId:t-9]", "[]"},
		{"", "http://a.example", "map[]", "[]"},
		{"", "%", "map[]", "[]"},
	} {
		m := &made{by: ops["make"], ids: map[string]string{}}
		if strings.Contains(c.answer, "uploadUrl") {
			m.outs = []contract.HandedOut{{}}
		}
		if strings.Contains(c.answer, "infos") {
			m.files = make([]sentFile, 2)
		}
		p.learn(m, answer{route: m.by, body: []byte(c.answer), header: http.Header{"Location": {c.location}}})
		if ids, ofFile := fmt.Sprint(m.ids), fmt.Sprint(m.ofFile); ids != c.ids || ofFile != c.ofFile {
			t.Errorf("%s %s gives %s and %s, want %s and %s", c.answer, c.location, ids, ofFile, c.ids, c.ofFile)
		}
	}
	for _, c := range []struct{ by, asked, answer, ids string }{
		{"hook", "hook", `{"id":"m-1"}`, "map[hookId:m-1 id:m-1 message_id:m-1]"},
		{"make", "cards", `[{"id":"c-1"}]`, "map[:1 cardId:c-1]"},
		{"make", "cards", `{"id":"c-1"}`, "map[cardId:c-1 id:c-1]"},
		{"make", "cards", `{"infos":[{"id":"c-1"}]}`, "map[infoId:c-1 infos:1]"},
	} {
		m := &made{by: ops[c.by], ids: map[string]string{}}
		if p.learn(m, answer{route: ops[c.asked], body: []byte(c.answer)}); fmt.Sprint(m.ids) != c.ids {
			t.Errorf("%s %s gives %s, want %s", c.asked, c.answer, m.ids, c.ids)
		}
	}
	for body, want := range map[string]bool{
		`{"file":"17be4678-dab7-4bc7-8753-28914a22960a"}`: true, `{"file":"a"}`: false,
		`{"file":"17be4678-dab7-4bc7-8753-28914a22960a","of":"b"}`: false} {
		a := answer{p: p, route: ops["make"], req: httptest.NewRequest("POST", "/v1/things", nil), body: []byte(body)}
		if m := p.newMade(sample{}, "", a); slices.ContainsFunc(m.own, uuid.MatchString) != want {
			t.Errorf("%s gives the ids %q", body, m.own)
		}
	}
	for body, want := range map[string]string{`{"id":"k-1","x":1}`: "k-1", `{"id":"k-1","key":null}`: "k-1",
		`{"id":"k-1","key":"z"}`: "z", `{"id":"k/k-1"}`: "",
		`{"id":"k/k-1","self":"http://a.example/v1/kept/k-1"}`: "k-1"} { // the path has another word for the id
		m := &made{by: ops["keep"], ids: map[string]string{}}
		if p.learn(m, answer{route: m.by, body: []byte(body)}); m.ids["key"] != want {
			t.Errorf("%s gives %q, want %q", body, m.ids["key"], want)
		}
	}
}

func TestAnElementOfAListNamesWhatWasMade(t *testing.T) {
	p, ops := idProber(t)
	thing := &made{by: ops["make"], own: []string{"", "t-1", "77"},
		ids: map[string]string{"thingId": "t-5", "key": "k"}}
	thing.answer.header = http.Header{"Location": {"/v1/other/abc"}}
	blob := &made{by: ops["put"], ids: map[string]string{"key": "k"}, place: "/v1/blobs/k"}
	for _, c := range []struct {
		element string
		m       *made
		want    bool
	}{
		{`{"id":"t-1"}`, thing, true}, {`{"id":"t-2"}`, thing, false}, {`{"id":77}`, thing, true},
		{`{"count":77}`, thing, false}, {`{"size":77}`, thing, false}, {`{"id":""}`, thing, false},
		{`{"id":"t-5"}`, thing, true}, {`{"at":"abc"}`, thing, true}, {`{"at":"bc"}`, thing, false},
		{`{"count":77,"id":"t-1"}`, thing, true},
		{`{"name":"k"}`, blob, true}, {`{"name":"k"}`, thing, false}, {`{"name":"l"}`, blob, false},
	} {
		if got := p.isIn(ops["list"], c.m)(leaves([]byte(c.element))); got != c.want {
			t.Errorf("%s names what %s made: %t", c.element, c.m.by.name, got)
		}
	}
	thing.answer.header.Set("Location", "/v1/other/bc")
	if p.isIn(ops["list"], thing)(leaves([]byte(`{"at":"bc"}`))) {
		t.Error("two letters are no id")
	}
}

func TestEachUploadHasAnIDOfItsOwn(t *testing.T) {
	one := sentFile{content: []byte("a"), name: "a"}
	two := sentFile{content: []byte("b"), name: "b"}
	of := func(id string) map[string]string { return map[string]string{"id": id, "thingId": id} }
	for _, c := range []struct {
		what, op, place string
		ids, fileIDs    []string // of the second upload; the first has t-1
		files           []sentFile
		deleted         bool
		want            string // empty: nothing is wrong
	}{
		{"another id", "make", "", []string{"t-2"}, nil, []sentFile{two}, false, ""},
		{"the same id", "make", "", []string{"t-1"}, nil, []sentFile{two}, false, "two uploads have the same id"},
		{"the same id in the path of its kind", "pack", "", []string{"t-1", "x"}, nil, []sentFile{two}, false,
			"two uploads have the same id"},
		{"the same id of another kind", "make", "/v1/parts", []string{"t-1"}, nil, []sentFile{two}, false, ""},
		{"an equal file", "make", "", []string{"t-1"}, nil, []sentFile{one}, false, ""},
		{"an id that was freed", "make", "", []string{"t-1"}, nil, []sentFile{two}, true, "the id of a deleted upload"},
		{"the same name", "put", "", []string{"t-1"}, nil, []sentFile{two}, false, ""},
		{"the same name where the spec has a 409", "change", "", []string{"t-1"}, nil, []sentFile{two}, false, ""},
		{"an id from the request", "make", "", []string{"t-1"}, nil, []sentFile{{name: "t-1"}}, false, ""},
		{"no id", "make", "", []string{""}, nil, []sentFile{two}, false, ""},
		{"two files", "make", "", []string{"f-1", "f-2"}, nil, []sentFile{one, two}, false, ""},
		{"two files with one id", "make", "", []string{"f-1", "f-1"}, nil, []sentFile{one, two}, false, "two files of"},
		{"another id among theirs", "make", "", []string{"f-1", "f-1", "t-2"}, []string{"f-1", "f-2"},
			[]sentFile{one, two}, false, ""},
		{"one id in their list", "make", "", []string{"t-2"}, []string{"f-1", "f-1"}, []sentFile{one, two}, false,
			"two files of"},
		{"one of two has an id", "make", "", []string{"t-2"}, []string{"f-1", ""}, []sentFile{one, two}, false, ""},
		{"a file of the first", "make", "", []string{"t-2"}, []string{"t-1"}, []sentFile{two}, false,
			"two uploads have"},
	} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := idProber(t)
			p.TB, p.issued = tb, map[string]*made{}
			first := &made{by: ops["make"], files: []sentFile{one}, ids: of("t-1"), place: "/v1/things"}
			p.issues(first)
			if c.deleted {
				p.deleted = append(p.deleted, first)
			}
			second := &made{by: ops[c.op], files: c.files, ids: of(c.ids[0]), place: cmp.Or(c.place, "/v1/things")}
			for _, id := range c.fileIDs {
				second.ofFile = append(second.ofFile, of(id))
			}
			second.answer = answer{p: p, route: second.by, ids: c.ids,
				req: httptest.NewRequest(second.by.Method, "http://a.example"+second.place, nil)}
			p.issues(second)
		})
		if told := strings.Join(lines, "\n"); (told == "") != (c.want == "") || !strings.Contains(told, c.want) ||
			len(lines) > 1 {
			t.Errorf("%s: told %q, want %q", c.what, lines, c.want)
		}
	}
}

func TestWhatIsPutUnderAnIDMayMove(t *testing.T) {
	for _, c := range []struct {
		by, place, location, keys string
		want                      bool
	}{
		{"row", "/v1/rows/1", "/v1/things/t-1", "", true}, {"row", "/v1/rows/1", "", "", false},
		{"put", "/v1/blobs/a", "/v1/things/t-1", "", true}, {"put", "/v1/blobs/a", "/v1/things/t-1", "key", false},
		{"make", "/v1/things", "/v1/things/t-1", "", false}, {"row", "/v1/things/t-1", "/v1/things/t-1", "", false},
		{"put", "/v1/blobs/a", "/v1/blobs/b", "", false}, {"row", "/v1/rows/1", "/v1/rows/2", "", false},
		{"row", "/v1/rows/1", "/v1/elsewhere", "", false},
	} {
		p, ops := idProber(t)
		p.clientKeys[c.keys] = true
		m := &made{by: ops[c.by], place: c.place, answer: answer{header: http.Header{"Location": {c.location}},
			req: httptest.NewRequest("PUT", c.place, nil)}}
		if p.moves(m) != c.want {
			t.Errorf("what is put at %s by %s moves to %q: %t", c.place, c.by, c.location, !c.want)
		}
	}
}

func TestAnIDOfAnotherOperationIsFoundOrReferredTo(t *testing.T) {
	p, ops := idProber(t)
	thing, count := &made{by: ops["make"]}, &made{by: ops["make"]}
	p.issued["/v1/things t-1"], p.issued["/v1/things 7"], p.issued["/v1/things 12345678"] = thing, count, count
	for _, c := range []struct {
		m    made
		id   string
		want bool
	}{
		{made{by: ops["keep"]}, "t-1", true}, {made{by: ops["keep"]}, "t-2", false},
		{made{by: ops["make"]}, "t-1", false},
		{made{by: ops["keep"]}, "7", false}, {made{by: ops["keep"]}, "12345678", true},
		{made{by: ops["keep"], files: make([]sentFile, 1)}, "t-1", false},
		{made{by: ops["keep"], outs: make([]contract.HandedOut, 1)}, "t-1", false},
	} {
		if p.finds(&c.m, c.id) != c.want {
			t.Errorf("%s finds %s: %t", c.m.by.name, c.id, !c.want)
		}
	}
	text, number := lab.SchemaOf(t, `{"type":"string"}`).Value, lab.SchemaOf(t, `{"type":"integer"}`).Value
	for _, c := range []struct {
		op, name, learned string
		schema            *openapi3.Schema
		value, want       any
	}{
		{"keep", "thingId", "t-1", text, "x", "t-1"}, {"keep", "label", "t-1", text, "x", "x"},
		{"keep", "thingId", "t-2", text, "x", "x"}, {"make", "thingId", "t-1", text, "x", "x"},
		{"keep", "thingId", "7", number, 1, 7}, {"keep", "thingId", "t-1", number, 1, 1},
		{"keep", "thingId", "7", text, 1, 1}, {"keep", "thing_uuid", "t-1", text, "x", "t-1"},
		{"keep", "thingGuid", "t-1", text, "x", "t-1"}, {"keep", "fluid", "t-1", text, "x", "x"},
		{"keep", "thingId", "t-1", number, "x", "x"}, {"keep", "thingId", "8", number, 1, 1},
	} {
		p.learned = map[string]string{c.name: c.learned}
		got := p.naming(ops[c.op], member{name: c.name, schema: c.schema}, c.value)
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s of %s, of which %s is known, is %v, want %v", c.name, c.op, c.learned, got, c.want)
		}
	}
}
