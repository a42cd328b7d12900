package probe

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// foundSpec is a provider's that finds what was made, and gives its file back.
const foundSpec = v1 + `
info: {title: Found, version: '1'}
paths:
  /things/{id}:
    parameters: &id [{name: id, in: path, required: true, schema: {type: string}}]
    head: {operationId: peek, responses: {default: {description: It.}}}
    get: {operationId: look, responses: &thing {'200': {description: A thing., content: {application/json: {schema:
      {properties: {fileId: {}, url: {}}}}}}, default: {description: Another.,
      content: {application/json: {}}}}}
    post: {operationId: copy, responses: *thing}
  /things/{id}/content:
    parameters: *id
    head: {operationId: measure, responses: {default: {description: It.}}}
    get: {operationId: fetch, responses: {default: {description: File., content: {'*/*': {schema: {format: binary}}}}}}
    put: {operationId: fill, responses: *thing}
  /files/{fileId}:
    parameters: [{name: fileId, in: path, required: true, schema: {type: string}}]
    get: {operationId: open, responses: *thing}
  /things/{id}/files: {parameters: *id, post: {operationId: attach, responses: *thing}}
  /search:
    parameters: [{name: id, in: query, required: true, schema: {type: string}}]
    get: {operationId: search, responses: *thing}
`

// found is an answer about something that was made.
type found struct {
	sent          sample
	made          string // the answer to the upload
	op, typ, body string
	want          string // empty: nothing is wrong
}

// circumstance is what else is known when an answer comes.
type circumstance func(p *prober, m *made, header http.Header)

// compared compares the answer with what was made.
func (c found) compared(t *testing.T, when circumstance) {
	lines := lab.Recorded(t, func(tb testing.TB) {
		p := newProber(tb, "http://a.example/v1", []byte(foundSpec), Facts{})
		m := &made{sample: c.sent, by: p.ops[0], files: c.sent.files(), ids: map[string]string{"id": "t-1"},
			own: []string{"t-1"}, shown: map[string][]leaf{}, answer: answer{body: []byte(c.made),
				header: http.Header{"Date": {"Thu, 26 Nov 2026 12:00:00 GMT"}}}}
		if c.sent.typ == "application/json" {
			m.said = c.sent.object
		}
		header := http.Header{"Content-Type": {c.typ}, "Etag": {`"1"`}}
		when(p, m, header)
		r := p.ops[slices.IndexFunc(p.ops, func(r *operation) bool { return r.name == c.op })]
		p.compares(m, whole, answer{p: p, route: r, req: httptest.NewRequest(r.Method, "/v1/things/t-1", nil),
			status: http.StatusOK, body: []byte(c.body), header: header})
		if m.lacking != nil {
			m.lacking()
		}
	})
	if c.want != "" && len(lines) == 1 {
		lab.Named(t, lines, c.want)
	} else if c.want != "" || len(lines) > 0 {
		t.Errorf("blamed by %q, want %q", lines, c.want)
	}
}

func TestWhatIsFoundIsHeldToWhatWasMade(t *testing.T) {
	const id, id2, js, text = `{"id":"t-1"}`, `{"id":"t-2","size":99}`, "application/json", "text/plain"
	raw := func(typ string) sample { return sample{contentType: typ, body: []byte(id2)} }
	form := sample{schema: lab.SchemaOf(t, `{"properties":{"file":{"format":"binary"}}}`).Value}
	form.fileName = "thing.txt"
	form.typ, form.object = "multipart/form-data", map[string]any{"file": id2}
	label := sample{typ: js, object: map[string]any{"label": "july"}}
	tags := sample{typ: js, object: map[string]any{"tags": []any{"a", "b"}, "day": "2026-03-29"}}
	tags.schema = lab.SchemaOf(t, `{"properties":{"tags":{"items":{"type":"string"}},"day":{"format":"date"}}}`).Value
	meta := sample{typ: js, object: map[string]any{"open": false,
		"meta": map[string]any{"label": "july", "tags": []any{"a"}}}}
	meta.schema = lab.SchemaOf(t, `{"properties":{"open":{"type":"boolean"},"meta":{"properties":{
		"label":{"type":"string"},"tags":{"items":{"type":"string"}}}}}}`).Value
	papers, sides := form, form
	papers.schema = lab.SchemaOf(t, `{"properties":{"papers":{"items":{"format":"binary"}}}}`).Value
	papers.object = map[string]any{"papers": []any{"a", "bbb"}}
	sides.schema = lab.SchemaOf(t, `{"properties":{"front":{"format":"binary"},"back":{"format":"binary"}}}`).Value
	sides.object = map[string]any{"front": "a", "back": "bbb"}
	front, elsewhere, mixed, plain := sides, form, form, form
	plain.fileName = "thing"
	mixed.schema = lab.SchemaOf(t, `{"properties":{"papers":{"items":{"format":"binary"}},
		"front":{"format":"binary"}}}`).Value
	mixed.object = map[string]any{"front": "bbb", "papers": []any{"a", "c"}}
	front.object = map[string]any{"front": "a"}
	elsewhere.body = []byte(`"x.txt", ""`) // such as in a part of JSON
	titled, opened := sample{typ: js, object: map[string]any{"label": "july"}, schema: lab.SchemaOf(t,
		`{"properties":{"label":{"type":"string"}}}`).Value}, sample{typ: js, object: map[string]any{"open": true}}
	opened.schema = meta.schema
	bare := sample{typ: js, object: map[string]any{"n": 1}, schema: lab.SchemaOf(t,
		`{"properties":{"label":{"type":"string"},"title":{"type":"string"}}}`).Value}
	odd, _ := json.Marshal(oddText)
	long := strings.Repeat("july ", 12)
	said := func(name, value string) sample { return sample{typ: js, object: map[string]any{name: value}} }
	right := func(place string, values ...string) circumstance { // for other uploads
		return func(p *prober, _ *made, _ http.Header) {
			for _, value := range values {
				p.proved(place, value, true)
			}
		}
	}
	told := func(name, value string) circumstance {
		return func(_ *prober, m *made, _ http.Header) { m.said = map[string]any{name: value} }
	}
	labelled := form
	labelled.schema = lab.SchemaOf(t, `{"properties":{"file":{"format":"binary"},"label":{"type":"string"}}}`).Value
	sizes := func(values ...string) circumstance { return right("look items[].size size", values...) }
	added := func(p *prober, m *made, header http.Header) {
		sizes("1", "3")(p, m, header)
		m.place = "/v1/things/t-1"
	}
	header := func(name, value string) circumstance {
		return func(_ *prober, _ *made, header http.Header) { header.Set(name, value) }
	}
	put := func(kind, tag string) circumstance {
		return func(p *prober, m *made, _ http.Header) {
			m.by, m.place = p.ops[1], "/v1/"+kind+"/t-1"
			m.answer.header = http.Header{"Etag": {`"` + tag + `"`}}
		}
	}
	filled := func(p *prober, m *made, header http.Header) {
		by := *p.at("/things/{id}/content", http.MethodPut)
		by.path, m.by = "/things/{id}", &by
		for _, op := range []string{"look", "fill"} {
			right(op+" items[].size size", "1", "3")(p, m, header)
		}
	}
	taken := func(name string) circumstance {
		return func(p *prober, _ *made, _ http.Header) { p.named[name] = &made{} }
	}
	titles := func(names ...string) circumstance { // those of other files
		return func(p *prober, m *made, header http.Header) {
			look := slices.IndexFunc(p.ops, func(r *operation) bool { return r.name == "look" })
			for _, name := range names {
				other := *m
				other.files = []sentFile{{name: name}}
				p.compares(&other, whole, answer{p: p, route: p.ops[look], header: header,
					req:  httptest.NewRequest(http.MethodGet, "/v1/things/t-1", nil),
					body: []byte(`{"title":"` + name + `"}`)})
			}
		}
	}
	early := func(_ *prober, m *made, _ http.Header) { m.waiting = true }
	replacing := func(wrong string) circumstance {
		return func(p *prober, m *made, _ http.Header) {
			m.wrong, p.replaced[m.place] = []string{"its bytes", wrong}, []sentFile{{content: []byte("hello")}}
		}
	}
	nothing := func(*prober, *made, http.Header) {}
	for what, c := range map[string]struct {
		when circumstance
		found
	}{
		"a list of files lacks one": {sizes("1", "3"),
			found{papers, `{}`, "look", js, `{"items":[{}]}`, "items has 1 elements, but 2 files were sent"}},
		"a title that is its tag": {told("tag", oddText),
			found{bare, `{}`, "look", js, `{"title":` + string(odd) + `}`, ""}},
		"a title of another": {told("tag", "v1"), found{bare, `{}`, "look", js, `{"title":` + string(odd) + `}`,
			", and only another upload said so"}},
		"a label of another": {told("tag", oddText), found{bare, `{}`, "look", js, `{"label":` + string(odd) + `}`,
			", and only another upload said so"}},
		"a list of files has all":     {sizes("1", "3"), found{papers, `{}`, "look", js, `{"items":[{},{}]}`, ""}},
		"a list of files and no file": {sizes("1", "3"), found{label, `{}`, "look", js, `{"items":[{}]}`, ""}},
		"a longer list": {sizes("1", "3"),
			found{papers, `{}`, "look", js, `{"id":"t-1","items":[{},{},{}]}`, "items has 3 elements, but 2 files"}},
		"a longer list of what it was added to": {added,
			found{papers, `{}`, "look", js, `{"id":"t-1","items":[{},{},{}]}`, ""}},
		"a longer list below the name of what was put": {filled,
			found{raw(text), `{}`, "fill", js, `{"items":[{},{}]}`, ""}},
		"a longer list above it": {filled,
			found{raw(text), `{}`, "look", js, `{"items":[{},{}]}`, "items has 2 elements, but 1 files were sent"}},
		"a list of one file": {sizes("1"), found{papers, `{}`, "look", js, `{"items":[{}]}`, ""}},
		"a hash that was right once": {right("look hash checksum", "1"),
			found{raw(text), `{}`, "look", js, `{"hash":"00"}`, ""}},
		"a hash that was right twice": {right("look hash checksum", "1", "2"),
			found{raw(text), `{}`, "look", js, `{"hash":"00"}`, `hash is "00", which is not that of`}},
		"another checksum beside right ones": {right("look a.sums. checksum", "1", "2"),
			found{raw(text), `{}`, "look", js, `{"a":{"sums":{"sha1":"00"}}}`, "sha1 is"}},
		"what was not sent, though it was right before": {right("look back.size size", "1", "2"),
			found{front, `{}`, "look", js, `{"back":{"size":99}}`, ""}},
		"a small number, though it was right before": {right("look weight size", "1", "2"),
			found{raw(text), `{}`, "look", js, `{"weight":7}`, ""}},
		"a large number that was right before": {right("look weight size", "200", "300"),
			found{sample{contentType: text, body: make([]byte, 120)}, `{}`, "look", js, `{"weight":7}`,
				`weight is "7", but 120 bytes were sent`}},
		"the text of one of several": {told("label", "july"),
			found{labelled, `{}`, "look", js, `{"items":[{"label":"june"}]}`, ""}},
		"a name that was said": {told("name", "july"), found{form, `{}`, "look", js, `{"name":"july"}`, ""}},
		"a title that was the name of others": {titles("a.txt", "b.txt"),
			found{form, `{}`, "look", js, `{"title":"thing"}`,
				`title is "thing", but the file was called "thing.txt"`}},
		"a title that may be the name without its ending": {titles("a.txt", "b", "c", ".d"),
			found{form, `{}`, "look", js, `{"title":"thing"}`, ""}},
		"the size of another of several": {func(_ *prober, m *made, _ http.Header) { m.what = " (of several)" },
			found{papers, `{}`, "look", js, `{"papers":[{"size":3},{"size":3}]}`,
				"1 bytes were sent (of several): it is that of another file of the request"}},
		"the files of two fields, in an order of its own": {nothing, found{sides, `{}`, "look", js,
			`{"items":[{"name":"thing.txt","in":"front","size":1},{"name":"thing.txt","in":"back","size":3}]}`, ""}},
		"a name beside the facts of another field": {nothing, found{mixed, `{}`, "look", js,
			`{"items":[{"name":"1-thing.txt","in":"front","size":3},{"name":"2-thing.txt","size":1},
			{"name":"thing.txt","size":1}]}`, "1 bytes were sent: it is that of another file of the request"}},
		"the files of one field in another order": {nothing, found{papers, `{}`, "look", js,
			`{"items":[{"name":"2-thing.txt"},{"name":"1-thing.txt"}]}`, `but the file was called "1-thing.txt"`}},
		"a list that others came into": {nothing, found{raw(text), `{"all":[{}]}`, "look", js, `{"all":[{},{}]}`, ""}},
		"a list that another left": {nothing, found{raw(text), `{"all":[{"fileId":"f-1"},{"fileId":"f-2"}]}`,
			"look", js, `{"all":[{"fileId":"f-2"}]}`, ""}},
		"one ETag for all": {func(p *prober, _ *made, _ http.Header) {
			p.tagged[`/v1/things/t-1"1"`] = "the sum of other bytes"
		}, found{raw(text), id, "fetch", text, id2, "the ETag is the same as that of other bytes"}},
		"the PUT's ETag": {put("things", "1"), found{raw(text), id, "fetch", text, id2, ""}},
		"no ETag of the PUT": {put("things", "2"),
			found{raw(text), id, "fetch", text, id2, "the ETag differs from the one in the answer to the upload"}},
		"the ETag of another place": {put("others", "2"), found{raw(text), id, "fetch", text, id2, ""}},
		"no bytes": {func(p *prober, m *made, _ http.Header) {
			p.kept = []*made{{by: m.by, files: []sentFile{{}}}}
		}, found{raw(text), id, "fetch", text, "", "comes back changed: 0 bytes"}},
		"a length":             {header("Content-Length", "22"), found{raw(text), id, "measure", text, "", ""}},
		"a length of nobody's": {header("Content-Length", "22"), found{label, id, "measure", text, "", ""}},
		"another length": {header("Content-Length", "21"),
			found{raw(text), id, "measure", js, "", "Content-Length is 21, but 22 bytes were sent"}},
		"a length of what is no file": {header("Content-Length", "21"), found{raw(text), id, "peek", js, "", ""}},
		"a form's other name": {header("Content-Disposition", "attachment; filename=other.txt"),
			found{form, id, "fetch", text, id2, `Content-Disposition says "other.txt", but`}},
		"a name of its own": {header("Content-Disposition", `attachment; filename="thing.txt"`),
			found{raw(text), id, "fetch", text, id2, ""}},
		"a form's name": {header("Content-Disposition", `attachment; filename="thing.txt"`),
			found{form, id, "fetch", text, id2, ""}},
		"a name with a number": {taken("thing.txt"), found{form, `{}`, "look", js, `{"name":"thing-1.txt"}`, ""}},
		"a name with a number in parentheses": {taken("thing.txt"),
			found{form, `{}`, "look", js, `{"name":"thing (1)","extension":"txt"}`, ""}},
		"a name with a token": {taken("july"),
			found{said("name", "july"), `{}`, "look", js, `{"name":"july-4f1c09"}`, ""}},
		"a name with a number in a header": {func(p *prober, m *made, of http.Header) {
			taken("thing.txt")(p, m, of)
			of.Set("Content-Disposition", `attachment; filename="thing_1.txt"`)
		}, found{form, id, "fetch", text, id2, ""}},
		"a name with other letters": {taken("thing.txt"), found{form, `{}`, "look", js, `{"name":"thing-b.txt"}`,
			`name is "thing-b.txt", but`}},
		"a number at a name that is free": {taken("other.txt"), found{form, `{}`, "look", js, `{"name":"thing-1.txt"}`,
			`name is "thing-1.txt", but`}},
		"the size of the file before": {replacing("etag"), found{raw(text), `{}`, "look", js, `{"size":5}`,
			`size is "5", but 22 bytes were sent: it is that of the file that was here before`}},
		"the checksum of the file before": {replacing("etag"), found{raw(text), `{}`, "look", js,
			`{"md5":"5d41402abc4b2a76b9719d911017c592"}`, "of the file: it is that of the file that was here before"}},
		"other tags of what was there": {func(_ *prober, m *made, _ http.Header) {
			m.place, m.said = "/v1/things/t-1", map[string]any{"tags": []any{"a"}}
		}, found{raw(text), `{}`, "look", js, `{"id":"t-1","tags":["b"]}`, `tags lacks "a", which was said`}},
		"a size of nobody's":        {replacing("etag"), found{raw(text), `{}`, "look", js, `{"size":6}`, ""}},
		"a size beside other bytes": {replacing("content"), found{raw(text), `{}`, "look", js, `{"size":5}`, ""}},
		"a name that was": {func(_ *prober, m *made, _ http.Header) {
			m.shown["look /v1/things/t-1"] = leaves([]byte(`{"id":"t-1","name":"july.txt"}`))
		}, found{label, id, "look", js, id, "name is not there any more"}},
		"a file too early": {early, found{label, id, "fetch", text, id2, "200 to a file that was not sent yet"}},
		"done too early": {early,
			found{label, id, "look", js, `{"id":"t-1","state":"done"}`, `state is "done" before the file was sent`}},
	} {
		t.Run(what, func(t *testing.T) { c.compared(t, c.when) })
	}
	for what, c := range map[string]found{
		"the same":           {label, id, "look", js, id, ""},
		"another id":         {label, id, "look", js, id2, "id is not the one that was asked for"},
		"a copy":             {label, `{}`, "copy", js, id2, ""},
		"what a query names": {label, `{}`, "search", js, id2, ""},
		"no JSON":            {label, id, "look", text, "{", ""},
		"another size, once": {raw(text), `{"size":22}`, "look", js, `{"size":9}`,
			`size is "9", but 22 bytes were sent`},
		"what was said":       {label, `{"label":"july"}`, "look", js, `{"label":"x"}`, `label is "x", but "july" was`},
		"other tags":          {tags, `{}`, "look", js, `{"tags":["b","x"]}`, `tags lacks "a", which was said`},
		"tags in another way": {tags, `{}`, "look", js, `{"tags":[{"name":"x"}],"day":"2026-03-29T00:00:00Z"}`, ""},
		"another day": {tags, `{}`, "look", js, `{"tags":["b","a"],"day":"2026-03-28"}`,
			`day is "2026-03-28", but`},
		"inside":          {meta, id, "look", js, `{"meta":{"label":"x"}}`, `label is "x", but "july" was`},
		"a list inside":   {meta, id, "look", js, `{"meta":{"tags":["b"]}}`, `tags lacks "a", which was said`},
		"tags of another": {tags, `{}`, "look", js, `{"owner":{"tags":["x"]}}`, ""},
		"inside another":  {meta, id, "look", js, `{"owner":{"label":"x","tags":["b"]}}`, ""},
		"in a wrapper": {meta, id, "look", js, `{"data":{"id":"t-1","open":true}}`,
			`open is "true", but false was`},
		"in no wrapper":     {meta, id, "look", js, `{"shop":{"open":true}}`, ""},
		"what was not kept": {label, `{"label":"July"}`, "look", js, `{"label":"x"}`, ""},
		"done with a file":  {label, id, "look", js, `{"id":"t-1","state":"done","fileId":"f-1"}`, ""},
		"done without a file": {label, id, "look", js, `{"id":"t-1","state":"done"}`,
			"but there is no fileId, which open takes"},
		"a file":              {raw(text), id, "fetch", text + "; charset=utf-8", id2, ""},
		"a file of JSON":      {raw(js), id, "fetch", js, id2, ""},
		"a type that is hid":  {raw(text), id, "fetch", "application/octet-stream", id2, ""},
		"a better type":       {raw("binary/octet-stream"), id, "fetch", text, id2, ""},
		"a better type, told": {raw("application/octet-stream"), id, "look", js, `{"mimeType":"text/plain"}`, ""},
		"another type":        {raw("image/png"), id, "fetch", text, id2, `but the file was sent as "image/png"`},
		"other bytes":         {raw(text), id, "fetch", text, id, "the file comes back changed"},
		"a form's file":       {form, id, "fetch", text, id2, ""},
		"a form's other type": {form, id, "fetch", "text/html", id2, `but the file was sent as "text/plain"`},
		"a list that grows":   {raw(text), `{"events":[]}`, "look", js, `{"events":[{"id":"e-1"},{"id":"e-2"}]}`, ""},
		"one that grows at its head": {label, `{"events":[{"id":"e-1"}]}`, "look", js,
			`{"events":[{"id":"e-2"},{"id":"e-1"}]}`, ""},
		"a file of nobody's":              {label, id, "fetch", text, "x", ""},
		"done, and no file is made of it": {label, id, "look", js, `{"fileId":null,"id":"t-1","state":"done"}`, ""},
		"a count that grows":              {raw(text), `{"views":1}`, "look", js, `{"views":2}`, ""},
		"a list that begins":              {label, `{"events":[]}`, "look", js, `{"events":[{}]}`, ""},
		"what came of it":                 {label, `{"id":"s-1"}`, "look", js, id, ""},
		"another owner": {label, `{"owner":{"id":"u-1"}}`, "look", js, `{"id":"t-1","owner":{"id":"u-2"}}`,
			`id is "u-2", but "u-1" in the answer to the upload`},
		"another type, told": {raw(text), `{}`, "look", js, `{"mimeType":"image/png"}`,
			`mimeType is "image/png", but the file was sent as "text/plain"`},
		"a type that nobody sent": {raw(""), `{}`, "look", js, `{"mimeType":"image/png"}`, ""},
		"its checksum": {raw(text), `{}`, "look", js,
			`{"md5":"b21f0bf3cea9b8eca17561ea3973b1a5"}`, ""},
		"another checksum": {raw(text), `{}`, "look", js, `{"md5":"00"}`,
			"md5 is \"00\", which is not that of the file"},
		"a longer checksum": {raw(text), `{}`, "look", js, `{"md5":"` + strings.Repeat("0", 51) + `"}`,
			"md5 is \"" + strings.Repeat("0", 50) + "\"..., which is not that of the file"},
		"another size and its checksum": {raw(text), `{}`, "look", js, `{"md5":"00","size":9}`,
			`size is "9", but`},
		"another checksum deep in it":        {raw(text), `{}`, "look", js, `{"a":{"sums":{"sha1":"00"}}}`, ""},
		"a hash of a kind that nobody knows": {raw(text), `{}`, "look", js, `{"hash":"00"}`, ""},
		"another number":                     {raw(text), `{}`, "look", js, `{"count":21}`, ""},
		"another name": {form, `{}`, "look", js, `{"name":"other.txt"}`,
			`name is "other.txt", but the file was called "thing.txt"`},
		"another name without an end": {plain, `{}`, "look", js, `{"name":"other"}`,
			`name is "other", but the file was called "thing"`},
		"a name and its end": {form, `{}`, "look", js, `{"extension":"txt","name":"thing"}`, ""},
		"a name and another end": {form, `{}`, "look", js, `{"extension":"doc","name":"thing"}`,
			`name is "thing", but`},
		"a name and an end elsewhere": {form, `{}`, "look", js, `{"icon":{"extension":"txt"},"name":"thing"}`,
			`name is "thing", but`},
		"no name": {form, `{}`, "look", js, `{"label":"other.txt"}`, ""},
		"the end is lost": {said("label", long), `{"label":"` + long + `"}`, "look", js,
			`{"label":"` + long[5:] + `"}`, ", without the last 5 bytes that were said"},
		"a short end is lost": {label, `{"label":"july"}`, "look", js, `{"label":"jul"}`,
			`label is "jul", but "july" was`},
		"a state": {said("status", "new"), `{"status":"new"}`, "look", js, `{"status":"kept"}`, ""},
		"a type of another kind": {said("itemType", "text/plain"), `{"itemType":"text/plain"}`, "look", js,
			`{"itemType":"file"}`, ""},
		"another type of its kind": {said("itemType", "file"), `{"itemType":"file"}`, "look", js,
			`{"itemType":"row"}`, `itemType is "row", but`},
		"labels in a list": {label, `{"labels":[{"label":"july"}]}`, "look", js,
			`{"labels":[{"label":"x"}]}`, ""},
		"no label": {label, `{"label":"july"}`, "look", js, `{"label":null}`, ""},
		"each of several": {papers, `{}`, "look", js,
			`{"papers":[{"name":"1-thing.txt","size":1},{"name":"2-thing.txt","size":3}]}`, ""},
		"another size of the first": {papers, `{}`, "look", js, `{"papers":[{"size":2},{"size":3}]}`,
			`: size is "2", but 1 bytes were sent`},
		"another size of the second": {papers, `{}`, "look", js, `{"papers":[{"size":1},{"size":2}]}`,
			`: size is "2", but 3 bytes were sent`},
		"one of several": {papers, `{}`, "look", js, `{"papers":[{"size":1}]}`,
			"papers has 1 elements, but 2 files were sent"},
		"none of several yet": {papers, `{}`, "look", js, `{"papers":[]}`, ""},
		"more than several":   {papers, `{}`, "look", js, `{"papers":[{"size":9},{"size":9},{"size":9}]}`, ""},
		"another list of them": {papers, `{}`, "look", js, `{"items":[{"size":1},{"size":9}]}`,
			`: size is "9", but 3 bytes were`},
		"a list about others": {papers, `{}`, "look", js, `{"items":[{"owner":{"size":9}},{"owner":{"size":9}}]}`, ""},
		"nothing but a list of them": {papers, `{}`, "look", js, `[{"size":1},{"size":9}]`,
			`: size is "9", but 3 bytes were`},
		"nothing but a longer list": {papers, `{}`, "look", js, `[{"size":9},{"size":9},{"size":9}]`, ""},
		"each side":                 {sides, `{}`, "look", js, `{"front":{"size":1},"back":{"size":3}}`, ""},
		"the other side": {sides, `{}`, "look", js, `{"front":{"size":3}}`,
			`front.size is "3", but 1 bytes were sent`},
		"a number of its own": {sides, `{}`, "look", js, `{"front":{"size":7}}`, ""},
		"a text of another": {bare, `{}`, "look", js, `{"label":` + string(odd) + `}`,
			", and only another upload said so"},
		"a text of nobody": {bare, `{}`, "look", js,
			`{"other":` + string(odd) + `,"list":[{"label":` + string(odd) + `}]}`, ""},
		"in the first of two wrappers": {meta, id, "look", js,
			`{"a":{"id":"t-1","open":true},"b":{"id":"t-1","open":false}}`, `open is "true", but false was`},
		"in a wrapper beside others": {meta, id, "look", js,
			`{"a":{"id":"x-9","open":false},"b":[{"id":"t-1"}],"c":{"name":"t-1"},"d":{"id":"t-1","open":true}}`,
			`open is "true", but false was`},
		"in the outer of two wrappers": {meta, id, "look", js,
			`{"a":{"b":{"id":"t-1","open":false}},"c":{"id":"t-1","open":true}}`, `open is "true", but false was`},
		"made at a time in words":       {label, id, "look", js, `{"createdAt":"yesterday"}`, ""},
		"a time that it is not made at": {label, id, "look", js, `{"since":"1999-12-31T12:00:00Z"}`, ""},
		"a name of the sender's":        {elsewhere, `{}`, "look", js, `{"name":"x.txt"}`, ""},
		"an empty name":                 {elsewhere, `{}`, "look", js, `{"name":""}`, `name is ""`},
		"a text elsewhere":              {titled, `{}`, "look", js, `{"other":{"label":"june"}}`, ""},
		"a text for a yes":              {opened, `{}`, "look", js, `{"open":"yes"}`, ""},
		"a yes for a no": {opened, `{}`, "look", js, `{"open":false}`,
			`open is "false", but true was said`},
		"a kind of media": {raw(text), `{}`, "look", js, `{"fileType":"image"}`, ""},
		"another type of a file": {raw(text), `{}`, "look", js, `{"fileType":"image/png"}`,
			`fileType is "image/png"`},
		"half of a type": {raw(text), `{}`, "look", js, `{"contentType":"text"}`,
			`contentType is "text"`},
		"a name of a raw file": {raw(text), `{}`, "look", js, `{"name":"x"}`, ""},
		"made now":             {label, id, "look", js, `{"createdAt":"2026-11-26T12:00:59Z"}`, ""},
		"made in another zone": {label, id, "look", js, `{"createdAt":"2026-11-27T02:00:59Z"}`,
			"createdAt is 14h0m0s away from the header Date"},
		"made a minute beside a zone": {label, id, "look", js, `{"createdAt":"2026-11-26T11:46:00Z"}`, ""},
		"made the day before":         {label, id, "look", js, `{"createdAt":"2026-11-25T12:00:00Z"}`, ""},
		"a file's time, which is not its thing's": {label, `{"createdAt":"2026-11-26T12:00:00Z"}`, "open", js,
			`{"createdAt":"2026-11-26T12:00:01Z"}`, ""},
		"another time": {label, `{"createdAt":"2026-11-26T12:00:00Z"}`, "look", js,
			`{"createdAt":"2026-11-26T12:00:01Z"}`,
			`createdAt is "2026-11-26T12:00:01Z", but "2026-11-26T12:00:00Z" in`},
		"made before all": {label, id, "look", js, `{"createdAt":"1999-12-31T12:00:00Z"}`,
			"createdAt is 1999-12-31, before anything was uploaded"},
	} {
		t.Run(what, func(t *testing.T) { c.compared(t, func(*prober, *made, http.Header) {}) })
	}
}

// What is asked for about an upload that is never there, and how often: what was
// awaited in vain is not awaited again.
func TestAnUploadIsAwaitedAndItsFilesAreAskedForByTheirIDs(t *testing.T) {
	const later = `{"fileId":null}`
	const look, peek, file, size = "/things/t-1", "HEAD /things/t-1", "/things/t-1/content", "HEAD /things/t-1/content"
	const first, Second = "/files/f-1", "/files/f-2"
	of := func(ids ...string) (all []map[string]string) {
		for _, id := range ids {
			all = append(all, map[string]string{"fileId": id})
		}
		return all
	}
	thing, whole := map[string]string{"id": "t-1"}, map[string]string{"fileId": "whole"}
	both := map[string]string{"id": "t-1", "fileId": "whole"}
	for _, c := range []struct {
		what    string
		status  int
		later   string // Retry-After
		waiting bool
		files   int
		ids     map[string]string
		ofFile  []map[string]string
		asked   map[string]int
		lost    string
	}{
		{"two files", 404, "", false, 2, whole, of("f-1", "f-2"), map[string]int{first: 11, Second: 2}, "open"},
		{"one without an id", 404, "", false, 2, whole, of("f-1", ""), map[string]int{"/files/whole": 11}, "open"},
		{"told slowly", 404, "", false, 1, whole, nil, map[string]int{"/files/whole": 11}, "open"},
		{"no file yet", 404, "", false, 0, thing, nil, map[string]int{look: 11, peek: 2, file: 2, size: 2}, "look"},
		{"nothing is sent yet", 404, "", true, 0, thing, nil, map[string]int{look: 2, peek: 2, file: 2, size: 2}, ""},
		{"what comes later", 200, "", false, 1, thing, nil, map[string]int{look: 11, peek: 11, file: 11, size: 11}, ""},
		{"nothing comes of no file", 200, "", false, 0, thing, nil, map[string]int{look: 2, peek: 2, file: 2,
			size: 2}, ""},
		{"not ready, and an id is missed", 200, "", false, 1, both, nil,
			map[string]int{look: 21, peek: 21, file: 21, size: 21, "/files/whole": 21}, ""},
		{"not ready", 200, "", false, 1, both, nil,
			map[string]int{look: 2, peek: 2, file: 2, size: 2, "/files/whole": 2}, ""},
		{"one of another kind", 404, "", false, 1, thing, nil, map[string]int{look: 6}, ""},
		{"a conflict", 409, "", false, 1, whole, nil, map[string]int{"/files/whole": 23}, "open"},
		{"too early", 425, "", false, 1, whole, nil, map[string]int{"/files/whole": 23}, "open"},
		{"a time", 503, "1", false, 1, whole, nil, map[string]int{"/files/whole": 23}, "open"},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := map[string]int{}
			lines := lab.Recorded(t, func(tb testing.TB) {
				p := newProber(tb, "http://a.example/v1", []byte(foundSpec), Facts{Timeout: time.Minute})
				p.waits, p.learned["fileId"] = 0, "of-another"
				p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
					path, body := strings.TrimPrefix(r.URL.Path, "/v1"), later
					if r.Method == http.MethodHead {
						path, body = "HEAD "+path, ""
					}
					if asked[path]++; c.what == "told slowly" {
						time.Sleep(2 * time.Second)
					}
					if strings.HasPrefix(c.what, "not ready") && body != "" {
						body = `{"status":"in_progress"}`
					}
					resp := came(r, c.status, "application/json", body)
					resp.Header.Set("Retry-After", c.later)
					return resp, nil
				})
				by := p.ops[0]
				if c.what == "one of another kind" {
					by = p.at("/things/{id}/content", http.MethodPut)
				}
				if strings.HasSuffix(c.what, "is missed") {
					by.unfound = "no answer gave its id"
				}
				m := &made{by: by, ids: c.ids, ofFile: c.ofFile, waiting: c.waiting, answer: answer{p: p},
					files: slices.Repeat([]sentFile{{content: []byte(later)}}, c.files), shown: map[string][]leaf{}}
				p.reads(m)
				p.reads(m)
			})
			if fmt.Sprint(asked) != fmt.Sprint(c.asked) {
				t.Errorf("%s: asked %v, want %v", c.what, asked, c.asked)
			}
			lost := ""
			for _, line := range lines {
				if _, op, _ := strings.Cut(line, ": "); strings.Contains(op, ": response status: ") {
					lost += op[:strings.Index(op, ":")] + " "
				}
			}
			if strings.TrimSpace(lost) != c.lost {
				t.Errorf("%s: lost is %q, want %q: %q", c.what, lost, c.lost, lines)
			}
		})
	}
}

func TestALongFileIsReadLessOften(t *testing.T) {
	for size, want := range map[int]int{64<<10 - 1: 2, 64 << 10: 1, largest - 1: 1, largest: 0} {
		lab.Recorded(t, func(tb testing.TB) {
			p, asked := newProber(tb, "http://a.example/v1", []byte(foundSpec), Facts{}), 0
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/content") && r.Method == http.MethodGet {
					asked++
				}
				return came(r, http.StatusOK, "application/json", `{"fileId":"f-1"}`), nil
			})
			p.keep(&made{by: p.ops[0], ids: map[string]string{"id": "t-1"}, answer: answer{p: p},
				shown: map[string][]leaf{}, sample: sample{body: make([]byte, size)}, files: make([]sentFile, 1)})
			asked = 0
			p.again("")
			if p.again(""); asked != want {
				t.Errorf("one of %d bytes was read again %d times, want %d", size, asked, want)
			}
		})
	}
}

// What comes later is awaited for the first upload. It is there when all are read
// again, and what is lost is named then. A second is waited for what says nothing.
func TestWhatComesLaterIsAwaitedOfOneUpload(t *testing.T) {
	const here, early, file = `{"state":"done","fileId":"f-1"}`, `{"state":"done"}`, `"a file"`
	const queued, soon, late = `{"state":"queued"}`, 900 * time.Millisecond, 20 * time.Second
	for _, c := range []struct {
		what   string
		status int // before it comes
		early  string
		after  time.Duration
		loses  bool   // what comes of the second upload
		want   string // empty: nothing is wrong
	}{
		{"an upload", 404, early, soon, false, ""},
		{"an upload that is lost", 404, early, soon, true, "look: response status: 404 to a stored upload after"},
		{"an upload that was answered 202", 404, early, late, false, ""},
		{"one that is not ready", 409, early, late, false, ""},
		{"one that never is", 409, early, late, true, "look: response status: 409 to a stored upload after others, 1m"},
		{"an id", 200, early, soon, false, ""},
		{"an id that never comes", 200, early, soon, true, `state is "done", but there is no fileId`},
		{"an id that is said to come", 200, queued, late, false, ""},
		{"an id that is said to come, and never does", 200, queued, late, true, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			born, waited := map[string]time.Time{}, []bool{}
			lines := lab.Recorded(t, func(tb testing.TB) {
				p := newProber(tb, "http://a.example/v1", []byte(foundSpec), Facts{Timeout: time.Minute})
				p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
					status, body := http.StatusOK, here
					path := strings.Split(r.URL.Path, "/")
					if len(path) > 4 {
						body = file
					}
					if isThing := path[2] == "things"; isThing && (c.status != 200 || len(path) == 4) &&
						(c.loses && path[3] == "t-2" || time.Since(born[path[3]]) < c.after) {
						status, body = c.status, c.early
					}
					if r.Method == http.MethodHead {
						body = ""
					}
					return came(r, status, "application/json", body), nil
				})
				reads := func(m *made) {
					began := time.Now()
					p.reads(m)
					waited = append(waited, time.Since(began) > 0)
				}
				thing := func(id string) *made {
					born[id] = time.Now()
					a := answer{p: p, status: map[bool]int{true: 202}[strings.HasSuffix(c.what, "202")]}
					return &made{by: p.ops[0], ids: map[string]string{"id": id}, answer: a, sent: time.Now(),
						files: []sentFile{{content: []byte(file)}}, shown: map[string][]leaf{}}
				}
				for _, id := range []string{"t-1", "t-2"} {
					p.kept = append(p.kept, thing(id))
					reads(p.kept[len(p.kept)-1])
				}
				p.after = " after others"
				reads(p.kept[0])
				reads(p.kept[1])
				p.after = ""
				reads(thing("t-3")) // it is not kept
				p.deleted, p.kept = p.kept[:1], []*made{thing("t-4")}
				reads(p.kept[0])
			})
			if c.want != "" {
				lab.Named(t, lines, c.want)
			} else if len(lines) > 0 {
				t.Errorf("%s: it was blamed: %q", c.what, lines)
			}
			if want := []bool{true, false, false, true, !c.loses, !c.loses}; !slices.Equal(waited, want) {
				t.Errorf("%s: waited %v, want %v", c.what, waited, want)
			}
		})
	}
}
