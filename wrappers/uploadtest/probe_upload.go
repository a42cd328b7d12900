package uploadtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
)

// A request makes something, and its answer says where that is found.

// made is one thing that a request made.
type made struct {
	sample                      // what was sent
	by      *routers.Route      // the operation
	what    string              // what is particular about the file; empty: nothing
	files   []sentFile          // the files, in their order
	said    map[string]any      // what the request said beside them, by name
	ids     map[string]string   // what the answer gave for paths, by name
	ofFile  []map[string]string // the same for each file
	answer  answer
	outs    []contract.HandedOut // where the bytes go
	place   string               // the path of the request
	own     []string             // the ids that nothing else may have
	shown   map[string][]leaf    // what each operation answered first, by its path
	waiting bool                 // the bytes were not sent yet
	had     bool                 // the file was given back
	pending func()               // says that it is not there yet; nil where nobody says so
}

// sentFile is one file as it was sent. A raw one has no name.
type sentFile struct {
	field, name, contentType string
	content                  []byte
}

// asked reports whether an id stood in the request: it is not the server's.
func (m *made) asked(id string) bool {
	return strings.Contains(m.place, id) || bytes.Contains(m.body, []byte(id)) ||
		slices.ContainsFunc(m.files, func(file sentFile) bool { return file.name == id }) // it may be escaped in the body
}

// of returns the files that were sent in a field of a form.
func (m *made) of(field string) (files []sentFile) {
	for _, file := range m.files {
		if file.field == field && field != "" {
			files = append(files, file)
		}
	}
	return files
}

// newMade returns the thing that a request made, with the facts in the answer.
func (p *prober) newMade(s sample, what string, a answer) *made {
	m := &made{sample: s, by: a.route, what: what, files: s.files(), said: map[string]any{}, answer: a,
		place: a.req.URL.Path, ids: map[string]string{}, shown: map[string][]leaf{}}
	for _, in := range s.objects() {
		for name, value := range in.object {
			if _, above := m.said[name]; !above && !isBinary(in.schema.Properties[name]) {
				m.said[name] = value
			}
		}
	}
	for _, param := range required(m.by) {
		if m.said[param.Name] = p.valueOf(param, s); param.In == openapi3.ParameterInPath {
			m.ids[param.Name] = p.valueOf(param, s)
		}
	}
	m.outs = p.outs(m)
	p.learn(m, a)
	p.issues(m)
	p.locates(m)
	return m
}

// make makes something of the first sample that is right by the spec. If a URL
// is handed out for the bytes, it sends them there. It returns nil if the
// operation refuses, or if no sample is right.
func (p *prober) make(r *routers.Route, what string, content []byte, samples ...sample) (*made, answer) {
	var s sample
	var req *http.Request
	for _, s = range samples {
		if req = p.valid(r, s); req != nil {
			break
		}
	}
	if req == nil {
		return nil, answer{}
	}
	m, a := p.start(r, req, s, what)
	if m != nil && !m.waiting {
		p.compares(m, -1, a)
	}
	if m != nil {
		for _, out := range m.outs {
			p.reads(m, "")
			p.sends(m, out, content)
		}
	}
	return m, a
}

// start makes something that may still wait for its bytes. It returns nil if
// the operation refuses. One that takes each name once gets another name.
func (p *prober) start(r *routers.Route, req *http.Request, s sample, what string) (*made, answer) {
	a := p.ask(r, req)
	if a.status == http.StatusConflict || a.status == http.StatusUnprocessableEntity {
		other := p.renamed(r, s)
		again := p.valid(r, other)
		if again != nil && again.URL.String()+string(other.body) != req.URL.String()+string(s.body) {
			if req.ContentLength < 0 {
				again.ContentLength = -1
			}
			if second := p.ask(r, again); second.ok() {
				p.once[nameOf(r)] = true
				s, a = other, second
			}
		}
	}
	if !a.ok() {
		return nil, a
	}
	m := p.newMade(s, what, a)
	if len(m.outs) > 0 {
		m.waiting, m.files = true, nil
	}
	return m, a
}

// signs matches the query of a URL that is of use with this query only.
var signs = regexp.MustCompile(`(?i)(sig|token|hmac)[^=]*=|=[\w%+/-]{32}`)

// sends sends the bytes of a file to the URL that was handed out for them.
func (p *prober) sends(m *made, out contract.HandedOut, content []byte) {
	again := !m.waiting
	req := p.presignedRequest(out, content)
	a := p.ask(m.by, req)
	if out.Session && a.status == http.StatusUnauthorized && p.isOurs(req) {
		req = p.authorized(p.presignedRequest(out, content))
		a = p.ask(m.by, req)
	}
	switch {
	case out.Session && slices.Contains([]int{401, 404, 405, 501}, a.status):
		p.unseen(m.by, "whether the file goes to its Location, which answers %d to a PUT", a.status)
	case a.status >= 500 && len(content) == 0:
		a.broke(contract.RuleStatus, "empty", "%d to an empty file", a.status)
	case a.ok():
		m.shown = map[string][]leaf{}
		m.waiting, m.files = false, []sentFile{{"", "", out.ContentType, content}}
		was := m.answer.ids // of the session
		if id := ownID(a.body); out.Session && json.Valid(a.body) &&
			(len(was) == 0 || id != "" && !slices.Contains(was, id)) {
			maps.DeleteFunc(m.ids, func(_, id string) bool { return slices.Contains(was, id) })
			m.answer = a
			p.learn(m, a)
			p.issues(m)
			p.compares(m, -1, a)
		}
		p.completes(m)
		if bytes.Contains(a.body, []byte("<Error>")) {
			a.broke(contract.RuleAnswer, "error", "%d to the file, with an error in the answer", a.status)
		}
	case a.status != 0 && len(content) > 0 && !again:
		as := ""
		if strings.Contains(out.ContentType, ";") {
			as = " for " + out.ContentType
		}
		a.broke(contract.RuleStatus, "presigned", "%d to the URL that it handed out%s%s%s", a.status, as, m.what,
			p.doing)
	}
}

// outs returns the URLs that take the bytes: those in the answer, or its
// Location if that is a session.
func (p *prober) outs(m *made) []contract.HandedOut {
	to, err := m.answer.location()
	if m.by.Method == http.MethodGet && strings.HasSuffix(m.by.Path, "}") {
		return nil // it tells of an upload, and its URL may be used already
	}
	if urls := p.contract.HandedOut(m.answer.body); len(urls) > 0 || err != nil || len(m.files) > 0 ||
		m.by.Method != http.MethodPost || !starts.MatchString(nameOf(m.by)+" "+m.by.Path+" "+to.Path) ||
		slices.ContainsFunc(p.contract.routes, func(r *routers.Route) bool {
			return r.Method != http.MethodPost && p.matches(r, to.Path) != nil
		}) {
		return urls
	}
	session := contract.HandedOut{URL: to.String(), Session: true}
	for name, value := range m.said {
		if typ := textOf(value); types.MatchString(name) && strings.Contains(typ, "/") {
			session.ContentType = typ
		}
	}
	return []contract.HandedOut{session}
}

// starts matches the names of operations whose Location is for the bytes.
var starts = regexp.MustCompile(`(?i)upload|resumable|session`)

// states reports whether the request stated the size or the checksum of its
// file: another file is wrong then.
func (m *made) states() bool {
	return m.object != nil && !bytes.Equal(m.holding([]byte("uploadtest: other bytes")).body, m.body)
}

// file returns the bytes of the one file that a sample carries. More than one
// file has no one size.
func (s sample) file() (content []byte, ok bool) {
	files := s.files()
	if len(files) != 1 {
		return nil, false
	}
	return files[0].content, true
}

// files returns the files of a sample.
func (s sample) files() (files []sentFile) {
	if s.object == nil && s.body != nil {
		return []sentFile{{"", "", s.contentType, s.body}}
	}
	for _, name := range s.fileFields() {
		values := several(s.object[name])
		for i, value := range values {
			called := upload.BaseName(s.called(i, len(values)))
			files = append(files, sentFile{name, called, s.typeOf(name), bytesOf(value)})
		}
	}
	return files
}

// fileFields returns the fields of a form that are files, in their order.
func (s sample) fileFields() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.object)), func(name string) bool {
		return s.typ != "multipart/form-data" || !isBinary(s.schema.Properties[name])
	})
}

// issues checks that m has an id of its own.
func (p *prober) issues(m *made) {
	m.own = []string{strings.Join(m.answer.ids, " "), ownID(m.answer.body), m.answer.header.Get("Location")}
	for name, id := range m.ids {
		if p.at(m.by.Path+"/{"+name+"}", http.MethodGet) != nil {
			m.own = append(m.own, id)
		}
	}
	for _, id := range m.own {
		if m.by.Method != http.MethodPost || id == "" || m.asked(id) {
			continue
		}
		p.seen.note("id")
		switch before := p.issued[id]; {
		case before == nil:
			p.issued[id] = m
		case m.equals(before): // some servers keep one of two equals
		case slices.Contains(p.deleted, before):
			m.answer.broke(contract.RuleAnswer, "reused", "the id of a deleted upload is given out again")
		case before != m:
			m.answer.broke(contract.RuleAnswer, "ids", "two uploads have the same id")
		}
	}
	own := m.answer.ids
	if len(own) != len(m.files) { // others' are among them
		own = nil
		for _, of := range m.ofFile {
			own = append(own, of["id"])
		}
	}
	if own = slices.DeleteFunc(slices.Sorted(slices.Values(own)), func(id string) bool { return id == "" }); len(own) ==
		len(m.files) && len(slices.Compact(own)) < len(m.files) {
		m.answer.broke(contract.RuleAnswer, "ids of several", "two files of one upload have the same id")
	}
}

// equals reports whether the same was sent twice, or announced by its checksum.
func (m *made) equals(before *made) bool {
	announced := len(m.files) == 0 && len(m.outs) == 0 && m.states()
	return (announced || len(m.files) > 0 && reflect.DeepEqual(m.files, before.files)) &&
		reflect.DeepEqual(m.said, before.said)
}

// learn keeps the values of an answer about something that paths may take:
// its members, the ids in its lists, and the path of its Location.
func (p *prober) learn(m *made, a answer) {
	keep := func(into map[string]string, name, value string) {
		if into[name] == "" && value != "" {
			into[name] = value
		}
	}
	if id := ownID(a.body); id != "" {
		keep(m.ids, "id", id)
		for path := range p.contract.doc.Paths.Map() {
			if rest, below := strings.CutPrefix(path, a.route.Path+"/{"); below {
				name, _, _ := strings.Cut(rest, "}")
				keep(m.ids, name, id)
			}
		}
	}
	all := leaves(a.body)
	slices.SortStableFunc(all, func(a, b leaf) int { return strings.Count(a.path, ".") - strings.Count(b.path, ".") })
	for _, l := range all {
		if l.value == nil {
			continue
		}
		names := []string{l.name}
		owner := strings.TrimSuffix(l.parent(), "[]")
		if strings.EqualFold(l.name, "id") {
			if names = nil; owner == "" { // the thing of POST /things
				names, owner = []string{l.name}, a.route.Path[strings.LastIndex(a.route.Path, "/")+1:]
			}
			owner = strings.TrimSuffix(owner, "s")
			names = append(names, owner+"Id")
			if len(m.outs) > 0 { // it stands beside a URL for the bytes
				names = append(names, l.name)
			}
		}
		for _, path := range p.contract.routes {
			for _, param := range inPath(path) { // documentId, document_id, DOCUMENT-ID
				if slices.ContainsFunc(names, func(name string) bool { return sameWord(name, param) }) {
					names = append(names, param)
				}
			}
		}
		for _, name := range names {
			if l.at >= 0 {
				for len(m.ofFile) <= l.at {
					m.ofFile = append(m.ofFile, map[string]string{})
				}
				keep(m.ofFile[l.at], name, textOf(l.value))
			}
			keep(m.ids, name, textOf(l.value))
		}
	}
	if to, err := url.Parse(a.header.Get("Location")); err == nil && to.Path != "" {
		for _, get := range p.contract.routes {
			maps.Copy(m.ids, p.matches(get, to.Path))
		}
	}
}

// sameWord reports whether two names differ by case and separators only.
func sameWord(a, b string) bool {
	return strings.EqualFold(dashes.Replace(a), dashes.Replace(b))
}

// locates follows the Location of what was created to the same host.
func (p *prober) locates(m *made) {
	to, err := m.answer.location()
	if err != nil || m.answer.status != http.StatusCreated || len(m.outs) > 0 && m.outs[0].Session {
		return
	}
	if to.Host != m.answer.req.URL.Host {
		p.unseen(m.by, "what is at the Location, which is on the host %s", to.Host)
		return
	}
	get := p.request(http.MethodGet, "", "", nil)
	get.URL = to
	if p.seen.note("location"); p.ask(nil, p.authorized(get)).status == http.StatusNotFound {
		m.answer.broke(contract.RuleHeader, "location", "nothing is found at the Location: the answer is 404")
	}
}

// matches returns the parameters of a route in a path, or nil.
func (p *prober) matches(r *routers.Route, path string) map[string]string {
	base, _ := url.Parse(p.base)
	pattern := regexp.QuoteMeta(r.Path)
	for _, param := range inPath(r) {
		pattern = strings.Replace(pattern, regexp.QuoteMeta("{"+param+"}"), "([^/]+)", 1)
	}
	found := regexp.MustCompile("^" + pattern + "$").
		FindStringSubmatch("/" + strings.TrimLeft(strings.TrimPrefix(path, base.Path), "/"))
	if found == nil {
		return nil
	}
	params := map[string]string{}
	for i, param := range inPath(r) {
		params[param] = found[i+1]
	}
	return params
}

// leaf is a value of a JSON document, or a list, whose value is its length.
type leaf struct {
	path, name string
	at         int // in the innermost list; -1 in none
	list       bool
	value      any
}

// parent returns the name of the object or list around a leaf. A list has []
// behind its name.
func (l leaf) parent() string {
	above := strings.Split(l.path, ".")
	return append([]string{""}, above...)[len(above)-1]
}

// leaves returns the values of a JSON document in their order.
func leaves(document []byte) (found []leaf) {
	var root any
	decoder := json.NewDecoder(bytes.NewReader(document))
	if decoder.UseNumber(); decoder.Decode(&root) != nil {
		return nil
	}
	return leavesOf(nil, leaf{at: -1}, root)
}

func leavesOf(found []leaf, here leaf, v any) []leaf {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inner := leaf{path: strings.TrimPrefix(here.path+"."+name, "."), name: name, at: here.at}
			found = leavesOf(found, inner, v[name])
		}
	case []any:
		found = append(found, leaf{here.path, here.name, here.at, true, json.Number(fmt.Sprint(len(v)))})
		for i, element := range v {
			found = leavesOf(found, leaf{path: here.path + "[]", name: here.name, at: i}, element)
		}
	default:
		here.value = v
		found = append(found, here)
	}
	return found
}
