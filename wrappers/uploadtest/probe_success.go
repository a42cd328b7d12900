package uploadtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// What operations must do when they are asked in the right way.

// succeeds asks with the spec's own examples.
func (p *prober) succeeds(r *routers.Route) {
	for _, s := range samples(r) {
		req, known := p.build(r, s)
		p.authorized(req)
		if broken := p.faults(req); len(broken) > 0 {
			p.unseen(r, "the request that the spec's examples give breaks the spec itself: %s: %s", broken[0].Rule,
				broken[0].Detail)
			continue
		}
		others := p.beside(r)
		a := p.ask(r, req)
		switch {
		case a.status/100 == 2:
			p.seen.note("operation that succeeded")
			p.answersTo(r, req, a)
			p.learn(r, a.body)
			p.handedOut(r, a.body)
			p.describes(r, req, s, a)
			p.creates(r, s, a)
			if r.Method == http.MethodDelete {
				p.gone(r)
				if others != nil {
					p.seen.note("what was not deleted")
					if now := p.ask(others, p.authorized(p.other(others))); now.status != 0 && now.status/100 != 2 {
						p.broke(r, req, contract.RuleStatus, "others",
							"another file cannot be asked for any more, and is answered %d", now.status)
					}
				}
			}
		case a.status == 0: // reported already
		case !known:
			p.unseen(r, "no answer gave what its path takes, and the spec's own example was answered %d (%s %s)",
				a.status, r.Method, r.Path)
		default:
			p.broke(r, req, contract.RuleStatus, "example", "%d to the spec's own example", a.status)
		}
	}
}

// learn keeps what later paths may take of an answer.
func (p *prober) learn(r *routers.Route, answer []byte) {
	var own struct{ ID json.RawMessage }
	if json.Unmarshal(answer, &own) == nil {
		for _, id := range contract.Members(own.ID) {
			for path := range p.contract.Doc.Paths.Map() {
				if rest, below := strings.CutPrefix(path, r.Path+"/{"); below {
					name, _, _ := strings.Cut(rest, "}")
					p.learned[name] = id.Value
				}
			}
		}
	}
	for _, m := range contract.Members(answer) {
		p.learned[m.Name] = m.Value
	}
}

// other returns the request for a file that was made before the last one.
func (p *prober) other(r *routers.Route) *http.Request {
	last := p.learned
	p.learned = maps.Clone(last)
	maps.Copy(p.learned, p.earlier)
	req, _ := p.build(r, sample{})
	p.learned = last
	return req
}

// beside returns the operation that finds a file beside the one that a DELETE
// is about to delete, or nil.
func (p *prober) beside(r *routers.Route) *routers.Route {
	get := r.PathItem.GetOperation(http.MethodGet)
	if r.Method != http.MethodDelete || get == nil || len(p.earlier) == 0 {
		return nil
	}
	other := &routers.Route{Spec: r.Spec, Path: r.Path, PathItem: r.PathItem, Method: http.MethodGet, Operation: get}
	last, _ := p.build(other, sample{})
	req := p.other(other)
	if req.URL.Path == last.URL.Path || p.ask(other, p.authorized(req)).status/100 != 2 {
		return nil
	}
	return other
}

// answersTo sees that an answer is about the id that was asked for.
func (p *prober) answersTo(r *routers.Route, req *http.Request, a answered) {
	for name, asked := range p.learned {
		if r.Method != http.MethodGet || !strings.Contains(r.Path, "{"+name+"}") {
			continue
		}
		for _, m := range contract.Members(a.body) {
			if m.Name == name {
				p.seen.note("id that was asked for")
				if m.Value != asked {
					p.broke(r, req, contract.RuleAnswer, "asked", "%s is not the one that was asked for", name)
				}
			}
		}
	}
}

var (
	sizes = regexp.MustCompile(`(?i)(size|bytes|content_?length)$`)
	names = regexp.MustCompile(`(?i)name$`)
)

// carriesFile tells whether a sample is a file, or a form with one, and how
// many bytes its file has. More than one file has no one size.
func (s sample) carriesFile() (size int, ok bool) {
	if s.object == nil {
		return len(s.body), s.body != nil
	}
	for name, value := range s.object {
		if s.typ == "multipart/form-data" && isBinary(s.schema.Properties[name]) {
			values, many := value.([]any)
			if many && len(values) == 1 {
				value = values[0]
			}
			return len(textOf(value)), !many || len(values) == 1
		}
	}
	return 0, false
}

// describes compares an answer with the file that was sent.
func (p *prober) describes(r *routers.Route, req *http.Request, s sample, a answered) {
	size, ok := s.carriesFile()
	if !ok {
		return
	}
	for _, m := range contract.Members(a.body) {
		switch {
		case sizes.MatchString(m.Name):
			p.seen.note("size")
			if m.Value != fmt.Sprint(size) {
				p.broke(r, req, contract.RuleAnswer, "size", "%s is %.20q, but %d bytes were sent", m.Name, m.Value,
					size)
			}
		case names.MatchString(m.Name) && s.fileName != "":
			p.seen.note("name")
			if m.Value != s.fileName {
				p.broke(r, req, contract.RuleAnswer, "name", "%s is %.50q, but the file was called %q", m.Name, m.Value,
					s.fileName)
			}
		}
	}
}

// creates asks again for what a POST with a file has made: in another way it is
// another file.
func (p *prober) creates(r *routers.Route, s sample, first answered) {
	if r.Method != http.MethodPost {
		return
	}
	again := func(s sample) (*http.Request, answered) {
		req, _ := p.build(r, s)
		return req, p.ask(r, p.authorized(req))
	}
	earlier := maps.Clone(p.learned)
	if req, second := again(s); second.status/100 == 2 && len(first.ids) > 0 {
		p.learn(r, second.body)
		p.earlier = earlier
		p.seen.note("id")
		if slices.Equal(first.ids, second.ids) {
			p.broke(r, req, contract.RuleAnswer, "ids", "the same request twice is answered by the same id")
		}
	}
	if s.typ != "multipart/form-data" {
		return
	}
	for _, name := range []string{`dir\sub\uploadtest.txt`, "../../uploadtest.txt", "/dir/uploadtest.txt"} {
		req, a := again(s.of(s.object, name))
		for _, m := range contract.Members(a.body) {
			if a.status/100 == 2 && names.MatchString(m.Name) {
				p.seen.note("name with directories")
				if m.Value != "uploadtest.txt" {
					p.broke(r, req, contract.RuleAnswer, "directories", "%s is %.50q for a file that is called %q",
						m.Name, m.Value, name)
				}
			}
		}
	}
	several := maps.Clone(s.object)
	for name, value := range s.object {
		if schema := s.schema.Properties[name]; isBinary(schema) && schema.Value.Type.Is("array") &&
			(schema.Value.MaxItems == nil || *schema.Value.MaxItems > 2) {
			several[name] = []any{"a", "bb", "ccc"}
		} else {
			several[name] = value
		}
	}
	if req, a := again(s.of(several, "uploadtest.txt")); a.status/100 == 2 {
		var said []string
		for _, m := range contract.Members(a.body) {
			if strings.HasSuffix(m.Value, "-uploadtest.txt") {
				said = append(said, m.Value)
			}
		}
		if len(said) > 0 {
			p.seen.note("order of files")
			if want := []string{"1-uploadtest.txt", "2-uploadtest.txt", "3-uploadtest.txt"}; !slices.Equal(said, want) {
				p.broke(r, req, contract.RuleAnswer, "order", "three files are answered as %q, want %q", said, want)
			}
		}
	}
}

// gone asks for what was deleted.
func (p *prober) gone(r *routers.Route) {
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if op := r.PathItem.GetOperation(method); op != nil {
			other := &routers.Route{Spec: r.Spec, Path: r.Path, PathItem: r.PathItem, Method: method, Operation: op}
			req, _ := p.build(other, sample{})
			p.seen.note("what was deleted")
			p.refused("what was deleted", other, p.authorized(req))
		}
	}
}

// unknown asks for ids that were never issued.
func (p *prober) unknown(r *routers.Route) {
	for name, value := range p.learned {
		if r.Method != http.MethodGet && r.Method != http.MethodDelete || !strings.Contains(r.Path, "{"+name+"}") ||
			len(value) < 4 {
			continue
		}
		p.learned[name] = spoil(value)
		req, known := p.build(r, sample{})
		p.learned[name] = value
		if known {
			p.seen.note("unknown id")
			p.refused("an id that was never issued", r, p.authorized(req))
		}
	}
}

// ends asks by the methods that every server knows.
func (p *prober) ends(r *routers.Route) {
	for _, method := range []string{http.MethodHead, http.MethodOptions} {
		if r.PathItem.GetOperation(method) != nil {
			continue
		}
		req, _ := p.build(r, sample{})
		req.Method = method
		if a := p.ask(nil, p.authorized(req)); a.status >= 500 && a.status != http.StatusNotImplemented {
			p.broke(r, req, contract.RuleStatus, method, "%d to %s", a.status, method)
		}
	}
}
