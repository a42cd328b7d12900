package probe

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// announces announces three files in an order that no sorting makes, and two of
// one name.
func (p *prober) announces(r *operation, s sample) {
	for _, in := range s.objects() {
		list, isList := strings.CutSuffix(in.name, "[].")
		if !isList {
			continue
		}
		several := []string{"b-uploadtest.txt", "c-uploadtest.txt", "a-uploadtest.txt"}
		for _, called := range [][]string{several, {"uploadtest.txt", "uploadtest.txt"}} {
			elements, contents := make([]any, len(called)), make([][]byte, len(called))
			for i, name := range called {
				contents[i] = bytes.Repeat([]byte("uploadtest"), i+1)
				elements[i] = stated("", calling(in.object, name, several[i]), nil, contents[i])
			}
			p.announced(r, s, list, elements, contents)
		}
	}
}

// calling gives a file another name and another reference, where these are texts.
func calling(file map[string]any, name, reference string) map[string]any {
	file = maps.Clone(file)
	for member, value := range file {
		switch _, isText := value.(string); {
		case !isText:
		case names.MatchString(member):
			file[member] = name
		case references.MatchString(member):
			file[member] = reference
		}
	}
	return file
}

// announced sends each file of a request to the URL that is for it, and reads
// it back as an upload of its own.
func (p *prober) announced(r *operation, s sample, list string, elements []any, contents [][]byte) {
	several := s.with(list, elements)
	if !p.valid(r, several) {
		return
	}
	all, a := p.start(r, several, "")
	switch {
	case all == nil:
		a.declined("a request with %d files", len(elements))
		return
	case len(all.outs) != len(elements):
		a.broke(ruleAnswer, "count", "%d URLs are handed out for %d files", len(all.outs), len(elements))
		return
	}
	var batch []*made
	bare := a // without the ids of all
	bare.body, bare.ids = nil, nil
	for i, out := range all.outs {
		j := announcedAs(elements, a.body, i)
		one := s.with(list, elements[j:j+1])
		one.later = contents[j]
		what := fmt.Sprintf(" (number %d of %d in the answer, and %d in the request)", i+1, len(elements), j+1)
		m := p.newMade(one, what, bare)
		if m.outs, m.waiting, m.files = all.outs[i:i+1], true, nil; len(all.ofFile) >= len(all.outs) {
			maps.Copy(m.ids, all.ofFile[i])
		}
		for _, get := range p.ops {
			if m.about(get) {
				m.own = append(m.own, m.ids[get.last])
			}
		}
		p.sends(m, out)
		batch = append(batch, m)
	}
	all.waiting = false
	p.completes(all)
	for _, m := range batch {
		p.keep(m)
	}
}

// announcedAs returns the index in a request of the file that is number i in
// the answer: that of the same name or reference, or else the same.
func announcedAs(elements []any, answer []byte, i int) int {
	for _, l := range leaves(answer) {
		as := func(element any) bool {
			value, isText := element.(map[string]any)[l.name].(string)
			return isText && value == l.text()
		}
		if j := slices.IndexFunc(elements, as); l.at == i && j >= 0 && !slices.ContainsFunc(elements[j+1:], as) {
			return j
		}
	}
	return i
}
