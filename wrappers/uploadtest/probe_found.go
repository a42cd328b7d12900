package uploadtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// What must be found of what was made.

// creation is what was sent, and what was answered, when something was made.
type creation struct {
	sample
	answer []byte
}

// looksUp asks each operation that finds what an answer is about.
func (p *prober) looksUp(r *routers.Route, s sample, a answered) {
	last := maps.Clone(p.learned)
	p.learn(r, s, a)
	for _, get := range p.contract.routes() {
		if get.Method == http.MethodGet && p.known(get) {
			req := p.good(get, sample{})
			if found := p.ask(get, req); found.status/100 == 2 {
				p.finds(get, req, found)
			}
		}
	}
	p.learned = last
}

// finds compares what an operation found, or deleted, with what was made under
// the id in its path.
func (p *prober) finds(r *routers.Route, req *http.Request, a answered) {
	if r.Method != http.MethodGet && r.Method != http.MethodDelete {
		return
	}
	for _, param := range required(r) {
		if param.In == openapi3.ParameterInPath {
			p.compares(r, req, p.created[p.learned[param.Name]], a)
		}
	}
}

// compares holds an answer to what was made, which may be nothing.
func (p *prober) compares(r *routers.Route, req *http.Request, made creation, a answered) {
	if givesFile(r, a) {
		if content, ok := made.file(); ok {
			p.givesBack(r, req, made, content, a)
		}
		return
	}
	var was, is any
	_ = json.Unmarshal(a.body, &is) // nothing differs from what is no JSON
	if json.Unmarshal(made.answer, &was) == nil && p.describes(r, req, made.sample, a) {
		p.seen.note("what was made")
		if why := made.differs("", was, is); why != "" {
			p.broke(r, req, contract.RuleAnswer, "found", "%s", why)
		}
	}
}

var (
	lasting  = regexp.MustCompile(`^id$|[a-z_-](Id|ID|_id|-id)$|(?i:name|size)$`)
	ofOneAsk = regexp.MustCompile(`(?i)^(x.?)?(request|response|trace|span|correlation|transaction|session|` +
		`operation|event|message|status|state).?id$`)
)

// differs says where an answer about what was made differs from the answer that
// made it, as far as this may not change: in ids, names, sizes, and what the
// request said and the first answer repeated.
func (c creation) differs(name string, was, is any) string {
	switch was := was.(type) {
	case map[string]any:
		is, _ := is.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(was)) {
			if value, ok := is[name]; ok {
				if why := c.differs(name, was[name], value); why != "" {
					return why
				}
			}
		}
	case []any:
		is, ok := is.([]any)
		if ok && len(is) != len(was) {
			return fmt.Sprintf("%s has %d elements, but %d were answered when they were made", name, len(is), len(was))
		}
		for i := range is {
			if why := c.differs(name, was[i], is[i]); why != "" {
				return why
			}
		}
	case string, float64:
		said, sent := c.object[name]
		stays := lasting.MatchString(name) && !ofOneAsk.MatchString(name) || sent && textOf(said) == textOf(was)
		if stays && textOf(is) != textOf(was) {
			return fmt.Sprintf("%s is %.50q, but %.50q was answered when it was made", name, textOf(is), textOf(was))
		}
	}
	return ""
}

// givesFile tells whether an answer is the file itself.
func givesFile(r *routers.Route, a answered) bool {
	declared := cmp.Or(r.Operation.Responses.Status(a.status), r.Operation.Responses.Default())
	if declared == nil {
		return false
	}
	media := declared.Value.Content.Get(a.header.Get("Content-Type"))
	return media != nil && isBinary(media.Schema)
}

// givesBack compares a file that is given back with the one that was sent. Its
// media type may be hidden.
func (p *prober) givesBack(r *routers.Route, req *http.Request, made creation, content []byte, a answered) {
	sent := made.contentType
	if made.object != nil {
		sent = "text/plain"
	}
	sent, _, _ = mime.ParseMediaType(sent)
	got, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	p.seen.note("file that is given back")
	if !bytes.Equal(a.body, content) {
		p.broke(r, req, contract.RuleAnswer, "content", "the file that was sent is given back otherwise: %s",
			difference(a.body, content))
	}
	if got != sent && got != "application/octet-stream" {
		p.broke(r, req, contract.RuleHeader, "type", "Content-Type is %q, but the file was sent as %q", got, sent)
	}
}

// oddName is a name that is changed where something is escaped or decoded too
// often, or too seldom.
const oddName = "gr\u00fc\u00dfe 100%25+1.txt"

// named sends a file of an odd name, in the form or in the path, and an empty
// one.
func (p *prober) named(r *routers.Route, s sample) {
	if _, ok := s.carriesFile(); !ok {
		return
	}
	learned := maps.Clone(p.learned)
	odd := s.object != nil
	for _, param := range required(r) {
		if param.In == openapi3.ParameterInPath && names.MatchString(param.Name) && s.object == nil {
			p.learned[param.Name], odd = oddName, true
		}
	}
	if req := p.good(r, s); odd && len(p.faults(req)) == 0 {
		a := p.ask(r, req)
		if a.status/100 == 5 {
			p.broke(r, req, contract.RuleStatus, "odd name", "%d to a file that is called %q", a.status, oddName)
		}
		if a.status/100 == 2 {
			p.says(r, req, a, "name", names, oddName, fmt.Sprintf(", but the file was called %q", oddName))
			p.looksUp(r, s, a)
		}
	}
	p.learned = learned
	if req := p.good(r, s.holding([]byte{})); len(p.faults(req)) == 0 {
		p.takesEmpty(r, req)
	}
}

// holding returns the sample with other bytes in its file.
func (s sample) holding(content []byte) sample {
	if s.object == nil {
		s.body = content
		return s
	}
	for name := range s.object {
		if isBinary(s.schema.Properties[name]) {
			s = s.of(s.with(name, string(content)), s.fileName)
		}
	}
	return s
}

// takesEmpty sends an empty file. A server may refuse it, but must not fail.
func (p *prober) takesEmpty(r *routers.Route, req *http.Request) {
	switch a := p.ask(r, req); {
	case a.status >= 500:
		p.broke(r, req, contract.RuleStatus, "empty", "%d to an empty file", a.status)
	case a.status >= 400:
		p.unseen(r, "an empty file, which is refused by %d", a.status)
	case a.status != 0:
		p.seen.note("empty file")
	}
}
