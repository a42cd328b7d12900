package uploadtest

import (
	"bytes"
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
		known := p.known(r)
		req := p.good(r, s)
		if broken := p.faults(req); len(broken) > 0 {
			p.unseen(r, "the request that the spec's examples give breaks the spec itself: %s: %s", broken[0].Rule,
				broken[0].Detail)
			continue
		}
		others := p.beside(r)
		switch a := p.ask(r, req); {
		case a.status/100 == 2:
			p.seen.note("operation that succeeded")
			p.answersTo(r, req, a)
			p.finds(r, req, a)
			p.learn(r, s, a)
			p.handedOut(r, req, a.body)
			p.describes(r, req, s, a)
			p.creates(r, s, a)
			if r.Method == http.MethodDelete {
				p.gone(r, req, others)
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
func (p *prober) learn(r *routers.Route, s sample, a answered) {
	for _, m := range contract.Members(a.body) {
		p.learned[m.Name] = m.Value
		// What the request said may be another thing's, such as a folder's.
		above := r.Method == http.MethodPost && strings.Contains(r.Path, "{"+m.Name+"}")
		if s.body != nil && !above && !bytes.Contains(s.body, []byte(m.Value)) {
			p.created[m.Value] = creation{s, a.body}
		}
	}
	if id := ownID(a.body); id != "" { // rather than its owner's
		p.learned["id"] = id
		for path := range p.contract.doc.Paths.Map() {
			if rest, below := strings.CutPrefix(path, r.Path+"/{"); below {
				name, _, _ := strings.Cut(rest, "}")
				p.learned[name] = id
			}
		}
	}
}

// ownID returns the id of what an answer is about, or nothing.
func ownID(answer []byte) string {
	var own struct{ ID json.RawMessage }
	if json.Unmarshal(answer, &own) != nil {
		return ""
	}
	for _, id := range contract.Members(own.ID) {
		return id.Value
	}
	return ""
}

// at returns the operation of a path and a method, or nil.
func (p *prober) at(path, method string) *routers.Route {
	for _, r := range p.contract.routes() {
		if r.Path == path && r.Method == method {
			return r
		}
	}
	return nil
}

// other returns the request for a file that was made before the last one.
func (p *prober) other(r *routers.Route) *http.Request {
	last := p.learned
	p.learned = maps.Clone(last)
	maps.Copy(p.learned, p.earlier)
	defer func() { p.learned = last }()
	return p.good(r, sample{})
}

// beside returns the operation that finds a file beside the one that a DELETE
// is about to delete, or nil.
func (p *prober) beside(r *routers.Route) *routers.Route {
	get := p.at(r.Path, http.MethodGet)
	if r.Method != http.MethodDelete || get == nil ||
		p.other(get).URL.Path == p.build(get, sample{}).URL.Path || p.ask(get, p.other(get)).status/100 != 2 {
		return nil
	}
	return get
}

// gone asks for what was deleted, and for what was not.
func (p *prober) gone(r *routers.Route, req *http.Request, others *routers.Route) {
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if same := p.at(r.Path, method); same != nil {
			p.refused("what was deleted", "what was deleted", same, p.good(same, sample{}))
		}
	}
	last := strings.LastIndexByte(r.Path, '/')
	if post := p.at(r.Path[:last], http.MethodPost); post != nil {
		p.reuses(post, strings.Trim(r.Path[last:], "/{}"))
	}
	if others == nil {
		return
	}
	p.seen.note("what was not deleted")
	if a := p.ask(others, p.other(others)); a.status != 0 && a.status/100 != 2 {
		p.broke(r, req, contract.RuleStatus, "others", "another file cannot be asked for any more, and is answered %d",
			a.status)
	}
}

// reuses sees whether a POST gives the id out again that was deleted.
func (p *prober) reuses(post *routers.Route, name string) {
	s, deleted := firstSample(post), p.learned[name]
	if bytes.Contains(s.body, []byte(deleted)) {
		return // a name that the client chooses may come again
	}
	last := maps.Clone(p.learned)
	delete(p.learned, name)
	req := p.good(post, s)
	p.learn(post, s, p.ask(post, req))
	if p.seen.note("id after a deletion"); p.learned[name] == deleted {
		p.broke(post, req, contract.RuleAnswer, "reused", "the id of what was deleted is given out again")
	}
	p.learned = last
}

// answersTo sees that an answer is about the id that was asked for. It may say
// others' ids, too.
func (p *prober) answersTo(r *routers.Route, req *http.Request, a answered) {
	said := map[string]bool{}
	for _, m := range contract.Members(a.body) {
		if r.Method == http.MethodGet && strings.Contains(r.Path, "{"+m.Name+"}") {
			said[m.Name] = said[m.Name] || strings.Contains(req.URL.Path+"/", "/"+m.Value+"/")
		}
	}
	for name, asked := range said {
		if p.seen.note("id that was asked for"); !asked {
			p.broke(r, req, contract.RuleAnswer, "asked", "%s is not the one that was asked for", name)
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
	content, ok := s.file()
	return len(content), ok
}

// file returns the bytes of the one file that a sample carries.
func (s sample) file() (content []byte, ok bool) {
	if s.object == nil {
		return s.body, s.body != nil
	}
	var files []any
	for name, value := range s.object {
		if s.typ == "multipart/form-data" && isBinary(s.schema.Properties[name]) {
			files = append(files, several(value)...)
		}
	}
	if len(files) != 1 {
		return nil, false
	}
	return []byte(textOf(files[0])), true
}

// describes compares an answer with the file that was sent.
func (p *prober) describes(r *routers.Route, req *http.Request, s sample, a answered) (ok bool) {
	size, one := s.carriesFile()
	if !one {
		return true
	}
	ok = p.says(r, req, a, "size", sizes, fmt.Sprint(size), fmt.Sprintf(", but %d bytes were sent", size))
	if s.fileName != "" {
		ok = p.says(r, req, a, "name", names, s.fileName, fmt.Sprintf(", but the file was called %q", s.fileName)) && ok
	}
	return ok
}

// says compares the members of an answer whose names match with what they must
// say.
func (p *prober) says(r *routers.Route, req *http.Request, a answered, aspect string, member *regexp.Regexp,
	want, but string) (ok bool) {
	ok = true
	for _, m := range contract.Members(a.body) {
		if !member.MatchString(m.Name) {
			continue
		}
		if p.seen.note(aspect); m.Value != want {
			ok = false
			p.broke(r, req, contract.RuleAnswer, aspect, "%s is %.50q%s", m.Name, m.Value, but)
		}
	}
	return ok
}

// creates asks again for what a POST with a file has made: in another way it is
// another file.
func (p *prober) creates(r *routers.Route, s sample, first answered) {
	if r.Method != http.MethodPost {
		p.named(r, s)
		return
	}
	again := func(s sample) (req *http.Request, a answered, ok bool) {
		req = p.good(r, s)
		a = p.ask(r, req)
		return req, a, a.status/100 == 2
	}
	earlier := maps.Clone(p.learned)
	if req, second, ok := again(s); ok && len(first.ids) > 0 {
		p.learn(r, s, second)
		p.earlier = earlier
		own := ownID(first.body)
		if p.seen.note("id"); slices.Equal(first.ids, second.ids) || own != "" && own == ownID(second.body) {
			p.broke(r, req, contract.RuleAnswer, "ids", "the same request twice is answered by the same id")
		}
	}
	if s.typ != "multipart/form-data" {
		p.named(r, s)
		return
	}
	p.named(r, s.of(s.object, oddName))
	for _, name := range []string{`dir\sub\uploadtest.txt`, "../../uploadtest.txt", "/dir/uploadtest.txt"} {
		if req, a, ok := again(s.of(s.object, name)); ok {
			p.says(r, req, a, "name with directories", names, "uploadtest.txt",
				fmt.Sprintf(", want %q: the directories in %q are the sender's", "uploadtest.txt", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.object)) {
		three := s.of(s.with(name, []any{"a", "bb", "ccc"}), "uploadtest.txt")
		if req := p.good(r, three); len(p.faults(req)) == 0 {
			p.keepsOrder(r, req, three)
		}
	}
}

// keepsOrder sends three files, and sees that the answer lists them so.
func (p *prober) keepsOrder(r *routers.Route, req *http.Request, s sample) {
	a := p.ask(r, req)
	var said []string
	for _, m := range contract.Members(a.body) {
		if strings.HasSuffix(m.Value, "-uploadtest.txt") {
			said = append(said, m.Value)
		}
	}
	if a.status/100 != 2 || said == nil {
		return
	}
	p.seen.note("order of files")
	if want := []string{"1-uploadtest.txt", "2-uploadtest.txt", "3-uploadtest.txt"}; !slices.Equal(said, want) {
		p.broke(r, req, contract.RuleAnswer, "order", "three files are answered as %q, want %q", said, want)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(a.ids)))) < len(a.ids) {
		p.broke(r, req, contract.RuleAnswer, "ids of several", "three files are answered, and two of them by one id")
	}
	p.looksUp(r, s, a)
}

// unknown asks for ids that were never issued.
func (p *prober) unknown(r *routers.Route) {
	if r.Method != http.MethodGet && r.Method != http.MethodDelete {
		return
	}
	for name, value := range p.learned {
		if strings.Contains(r.Path, "{"+name+"}") && len(value) > 3 {
			p.learned[name] = spoil(value)
			p.refused("unknown id", "an id that was never issued", r, p.good(r, sample{}))
			p.learned[name] = value
		}
	}
}

// ends asks by the methods that every server knows.
func (p *prober) ends(r *routers.Route) {
	for _, method := range []string{http.MethodHead, http.MethodOptions} {
		if r.PathItem.GetOperation(method) != nil {
			continue
		}
		req := p.good(r, sample{})
		req.Method = method
		if a := p.ask(nil, req); a.status >= 500 && a.status != http.StatusNotImplemented {
			p.broke(r, req, contract.RuleStatus, method, "%d to %s", a.status, method)
		}
	}
}
