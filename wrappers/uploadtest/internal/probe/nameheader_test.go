package probe

import (
	"cmp"
	"fmt"
	"net/http"
	"testing"
)

func TestAHeaderNamesTheFileInABody(t *testing.T) {
	const disposition, own, plain = "Content-Disposition", "X-File-Name", "a.txt"
	const quoted, another = `attachment; filename="a.txt"`, `attachment; filename="1-a.txt"`
	for _, c := range []struct {
		header, example, description, method, name string
		sent, is, other                            string // as a name, and the header of another one
		optional                                   bool
	}{
		{header: disposition, example: quoted, name: "x y;1.txt", sent: `attachment; filename="x y;1.txt"`,
			is: "x y;1.txt", other: another},
		{header: disposition, example: quoted, name: `a "b" c.txt`, sent: `attachment; filename="a 'b' c.txt"`,
			is: "a 'b' c.txt", other: another},
		{header: disposition, example: quoted, name: "\u00fc;.txt", sent: "attachment; filename*=utf-8''%C3%BC%3B.txt",
			is: "\u00fc;.txt", other: another},
		{header: disposition, example: `form-data; name="f"; filename="a.txt"`, name: "x.txt",
			sent: `form-data; name="f"; filename="a.txt"`, is: plain, other: `form-data; name="f"; filename="a.txt"`},
		{header: disposition, example: "inline", name: "x.txt", sent: "inline", other: "inline"},
		{header: own, example: plain, name: "x;1.txt", sent: "x;1.txt", is: "x;1.txt", other: "1-a.txt"},
		{header: own, example: plain, name: "\u00fc.txt", sent: plain, is: plain, other: "1-a.txt"},
		{header: own, example: "a%20b.txt", name: "\u00fc 1.txt", sent: "%C3%BC%201.txt", is: "\u00fc 1.txt",
			other: "1-a%20b.txt"},
		{header: "X-Filename", example: plain, description: "URL-encoded.", name: "a b.txt", sent: "a%20b.txt",
			is: "a b.txt", other: "1-a.txt"},
		{header: "X-Filename", example: plain, name: "a%20b.txt", sent: "a%20b.txt",
			is: "a%20b.txt", other: "1-a.txt"},
		{header: "Slug", example: plain, description: "The name.", name: "a b.txt", sent: "a%20b.txt", is: "a b.txt",
			other: "1-a.txt"},
		{header: "Slug", example: plain, name: "x.txt", sent: plain, other: "1-a.txt"}, // it is a hint
		{header: own, example: plain, description: "Names are normalized.", name: "x.txt", sent: "x.txt",
			is: "x.txt", other: "1-a.txt"},
		{header: "X-Batch", example: plain, name: "x.txt", sent: plain, other: plain},
		{header: own, example: plain, name: "x.txt", sent: "x.txt", is: "x.txt", optional: true},
		{header: own, example: plain, method: "put", name: "x.txt", sent: plain, other: plain},
	} {
		p, ops := specProber(t, fmt.Sprintf(`
openapi: 3.0.3
info: {title: Names, version: '1'}
paths: {/things: {%s: {operationId: make, requestBody: {content: {image/png: {}}},
  responses: {default: {description: A.}}, parameters: [{in: header, name: %s,
  example: %q, description: %q, required: %t, schema: {type: string}}]}}}
`, cmp.Or(c.method, "post"), c.header, c.example, c.description, !c.optional))
		r := ops["make"]
		s := firstSample(r)
		varied, other := s.oddly(r, c.name, 0, everyName), p.renamed(r, s)
		m := p.newMade(varied, "", answer{p: p, route: r, req: p.build(r, varied), header: http.Header{}})
		sent, again := p.build(r, varied).Header.Get(c.header), p.build(r, other).Header.Get(c.header)
		if r.respells != (c.description == "Names are normalized.") {
			t.Errorf("%s: names are changed: %t", c.description, r.respells)
		}
		if is := m.files[0].name; sent != c.sent || is != c.is || again != c.other {
			t.Errorf("%s in %s: %s, which is called %q, and then %s", c.name, c.header, sent, is, again)
		}
	}
}
