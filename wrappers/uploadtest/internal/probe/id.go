package probe

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// learn keeps the values of an answer about something that paths may take:
// its members, the ids in its lists, and the path of its Location.
func (p *prober) learn(m *made, a answer) {
	keep := func(into map[string]string, name, value string) {
		if into[name] == "" && value != "" {
			into[name] = value
		}
	}
	all, id := leaves(a.body), ownID(a.body)
	keep(m.ids, "id", id)
	for _, r := range p.ops {
		name := p.itsParam(a.route, r)
		if name == "" || strings.Contains(id, "/") {
			continue // with a slash it is no part of a path
		}
		if !slices.ContainsFunc(all, func(l leaf) bool { return sameWord(l.name, name) && l.value != nil }) {
			keep(m.ids, name, id)
		}
	}
	rank := func(l leaf) int { // a thingId says more than an id beside it
		return 2*strings.Count(l.path, ".") + map[bool]int{true: 1}[l.isID()]
	}
	slices.SortStableFunc(all, func(a, b leaf) int { return rank(a) - rank(b) })
	for _, l := range all {
		for _, name := range p.namesOf(l, m, a, all) {
			if l.at >= 0 && (len(m.files) == 0 || l.of <= len(m.files)) { // a longer list has others', too
				for len(m.ofFile) <= l.at {
					m.ofFile = append(m.ofFile, map[string]string{})
				}
				keep(m.ofFile[l.at], name, l.text())
			}
			keep(m.ids, name, l.text())
		}
	}
	urls := []string{}
	for _, l := range all { // only the end of an id with slashes may be a part of a path
		text := l.text()
		end := text[max(0, strings.LastIndex(text, "/")):]
		if strings.HasSuffix(id, end) {
			urls = append(urls, text)
		}
		if folder, err := url.Parse(text); err == nil && strings.HasPrefix(text, p.base) {
			for _, put := range p.ops {
				for name, value := range p.inFolder(put, folder) {
					keep(m.ids, name, value)
				}
			}
		}
	}
	for _, address := range append(urls, a.header.Get("Location")) {
		if to, err := url.Parse(address); err == nil {
			for _, get := range p.ops {
				maps.Copy(m.ids, p.matches(get, to))
			}
		}
	}
}

// remembers makes the ids of m those of later requests. The {id} of a thing that nothing
// makes is that of its own path only.
func (p *prober) remembers(m *made) {
	id := p.learned["id"]
	if maps.Copy(p.learned, m.ids); m.by.ofParent {
		p.learned["id"] = id
	}
}

// itsParam returns the parameter by which the path of an operation names what
// another one makes, or nothing. A word may stand between the two paths, such as in
// POST /hooks and GET /hooks/messages/{messageId}, if it names the parameter, both
// answer alike, and nothing else makes a message.
func (p *prober) itsParam(makes, r *operation) string {
	below, isBelow := strings.CutPrefix(r.path, makes.path+"/")
	word, _, takes := strings.Cut(below, "{")
	if !isBelow || !takes {
		return ""
	}
	name := r.params[len(makes.params)]
	alike := func(status string, media *openapi3.MediaType) bool {
		return mayAnswer(makes, func(same string, other *openapi3.MediaType) bool {
			return status == same && status[0] == '2' &&
				apispec.Resolved(media.Schema) == apispec.Resolved(other.Schema)
		})
	}
	if word == "" || makes.Method == http.MethodPost && sameWord(name, one(word)+"Id") && mayAnswer(r, alike) &&
		p.at(makes.path+"/"+strings.TrimSuffix(word, "/"), http.MethodPost) == nil {
		return name
	}
	return ""
}

// namesOf returns the names under which requests may take a value of an answer.
func (p *prober) namesOf(l leaf, m *made, a answer, all []leaf) (names []string) {
	owner := l.owner()
	ofThing := owner == "" || wraps.MatchString(owner+".") // the one of POST /things
	switch isID := l.isID(); {
	case l.value == nil:
		return nil
	case related.MatchString(l.path) && l.beside(all, typed) != "": // JSON:API
		names = []string{one(l.beside(all, typed)) + "Id"}
	case ofThing && longIDs.MatchString(l.name):
		names = []string{l.name, one(a.route.path) + l.name}
	case !isID:
		names = []string{l.name}
	case ofThing && l.at >= 0 && a.route != m.by && slices.Contains(a.route.params, l.name): // {id} is of the whole
		names = []string{one(a.route.path) + "Id"}
	case ofThing:
		names = []string{l.name, one(a.route.path) + "Id"}
		if owner == "data" && l.beside(all, typed) != "" { // JSON:API, too
			names = append(names, one(l.beside(all, typed))+"Id")
		}
	case m.eachHas(l, one(a.route.path)+"Id", all):
		names = []string{l.name, one(owner) + "Id", one(a.route.path) + "Id"}
	default:
		names = []string{one(owner) + "Id"}
		if len(m.outs) > 0 || p.isOfFile(l, owner, all) { // it stands beside a URL for the bytes, or facts
			names = append(names, l.name)
		}
	}
	for _, r := range p.ops {
		for _, param := range slices.Concat(r.params, r.refs) { // documentId, document_id, DOCUMENT-ID
			ofThings := slices.Contains(r.params, param) && sameWord(l.name, one(r.above(param)))
			isIt := l.name != "" && uuid.MatchString(l.text()) && (ofThings || sameWord(l.name+"Id", param))
			if isIt || slices.ContainsFunc(names, func(name string) bool { return sameWord(name, param) }) {
				names = append(names, param)
			}
		}
	}
	return names
}

// eachHas reports whether an id stands in the only list of an answer whose elements
// have ids, one for each file: it is that of the file, however the list is called.
// Nothing else in the answer has an id, or the name of one.
func (m *made) eachHas(id leaf, name string, all []leaf) bool {
	return m.by.Method == http.MethodPost && id.at >= 0 && id.of == len(m.files) &&
		!slices.ContainsFunc(all, func(l leaf) bool { return l.isID() && l.path != id.path || sameWord(l.name, name) })
}

// isOfFile reports whether an id is the only one of an answer, beside facts about a
// file, in an object that is called like the things of a path with an {id}.
func (p *prober) isOfFile(id leaf, owner string, all []leaf) bool {
	facts := false
	for _, l := range all {
		if l.isID() && l.path != id.path {
			return false
		}
		beside := l.path == strings.TrimSuffix(id.path, id.name)+l.name
		facts = facts || beside && (sizes.MatchString(l.name) || sure.MatchString(l.name))
	}
	return facts && slices.ContainsFunc(p.ops, func(r *operation) bool {
		return slices.Contains(r.params, "id") && sameWord(one(r.above("id")), one(owner))
	})
}

// ownID returns the id of the thing that an answer is about, or nothing. It may
// stand in the one object in which an answer wraps the thing.
func ownID(answer []byte) string {
	var inner []leaf
	bare := false
	for _, l := range leaves(answer) {
		_, yes := l.value.(bool)
		switch depth := strings.Count(l.path, "."); {
		case l.list || l.value == nil || l.at >= 0 || depth > 1:
		case depth == 0 && l.isID():
			return l.text()
		case depth == 0:
			bare = bare || !yes // it tells of the thing beside the object
		case l.isID():
			inner = append(inner, l)
		}
	}
	if len(inner) != 1 || bare && !wraps.MatchString(inner[0].path) {
		return ""
	}
	return inner[0].text()
}

// issues checks that m has an id of its own.
func (p *prober) issues(m *made) {
	m.own = []string{strings.Join(m.answer.ids, " "), ownID(m.answer.body), m.answer.header.Get("Location")}
	word := m.by.path[max(0, strings.LastIndex(m.by.path, "/")):]
	for name, id := range m.ids { // POST /things/{thingId}/parts may make what GET /parts/{partId} takes
		if slices.ContainsFunc(p.ops, func(r *operation) bool {
			return r.Method == http.MethodGet && strings.HasSuffix(r.path, word+"/{"+name+"}")
		}) {
			m.own = append(m.own, id)
			for _, of := range m.ofFile {
				m.own = append(m.own, of[name])
			}
		}
	}
	if all := leaves(m.answer.body); len(all) == 1 && uuid.MatchString(all[0].text()) { // nothing else is told
		m.own = append(m.own, all[0].text())
	}
	for _, id := range m.own {
		p.owns(m, m.answer, "", id)
	}
	m.differ()
}

// differ checks that no two files of one upload have the same id.
func (m *made) differ() {
	own := m.answer.ids
	if len(own) != len(m.files) { // others' are among them
		own = nil
		for _, of := range m.ofFile {
			own = append(own, of["id"])
		}
	}
	own = slices.DeleteFunc(slices.Sorted(slices.Values(own)), func(id string) bool { return id == "" })
	if n := len(m.files); len(own) == n && len(slices.Compact(own)) < n {
		m.answer.broke(ruleAnswer, "ids of several", "two files of one upload have the same id")
	}
}

// owns sees that nothing else has an id of m. An id that comes with a file has a
// name: uploads of equal files may share it.
func (p *prober) owns(m *made, a answer, name, id string) {
	if m.by.Method != http.MethodPost || m.asked(id) || p.finds(m, id) {
		return
	}
	p.seen.Note("id")
	there := m.place + name + " " + id // things of another kind may be counted from one, too
	switch before := p.issued[there]; {
	case before == nil, before == m:
		p.issued[there] = m
	case m.equals(before) || name != "" && m.sentAlike(before): // some servers keep one of two equals
	case slices.Contains(p.deleted, before):
		a.broke(ruleAnswer, "reused", "the id of a deleted upload is given out again")
	case places(m.by):
		if declares(m.by, "409") {
			a.broke(ruleAnswer, "ids", "a second upload replaces the first, and the spec has a 409 for that")
		}
	default:
		a.broke(ruleAnswer, "ids"+name, "two uploads have the same %s", cmp.Or(name, "id"))
	}
}

// finds reports whether an operation that takes no file answers with an id that
// another gave out: it may search.
func (p *prober) finds(m *made, id string) bool {
	return len(m.files) == 0 && len(m.outs) == 0 && !isCount(id) && slices.ContainsFunc(p.holders(id),
		func(before *made) bool { return before.by != m.by })
}

// holders returns what was made and has an id.
func (p *prober) holders(id string) (found []*made) {
	for there, m := range p.issued {
		if strings.HasSuffix(there, " "+id) {
			found = append(found, m)
		}
	}
	return found
}

// moves reports whether what was put under an id of the server's, such as that of
// a session, is from now on at another place.
func (p *prober) moves(m *made) bool {
	to, err := m.answer.location()
	return err == nil && m.by.Method == http.MethodPut && !p.clientKeys[m.by.last] && to.Path != m.place &&
		slices.ContainsFunc(p.ops, func(r *operation) bool {
			return r.Method == http.MethodGet && r.Path != m.by.Path && p.matches(r, to) != nil
		})
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
	get := p.authorized(p.requestTo(http.MethodGet, to.String(), "", nil))
	if p.seen.Note("location"); p.ask(nil, get).status == http.StatusNotFound {
		m.answer.broke(ruleHeader, "location", "nothing is found at the Location: the answer is 404")
	}
}

// isIn returns what reports whether an element of an operation's list names m.
func (p *prober) isIn(r *operation, m *made) func(element []leaf) bool {
	own := m.own
	for _, one := range p.below(r) { // such as a file's id, beside the one of its upload
		if m.about(one) {
			own = append(slices.Clip(own), m.ids[one.last])
		}
	}
	if places(m.by) {
		own = append(slices.Clip(own), m.ids[m.by.last])
	}
	location := m.answer.header.Get("Location")
	return func(element []leaf) bool {
		return slices.ContainsFunc(element, func(l leaf) bool {
			text := l.text()
			counts := numeric(text) && (!lasting.MatchString(l.name) || sizes.MatchString(l.name)) // something else
			return text != "" && !counts &&
				(slices.Contains(own, text) || len(text) > 2 && strings.HasSuffix(location, "/"+text))
		})
	}
}

// sameThing reports whether two elements of a list are about the same.
func sameThing(a, b json.RawMessage) bool { return identity(a) == identity(b) }

// identity is an element's id, or the first value that names it, or all of it.
func identity(element json.RawMessage) string {
	if id := ownID(element); id != "" {
		return id
	}
	for _, l := range leaves(element) {
		if lasting.MatchString(l.name) && !sizes.MatchString(l.name) {
			return l.text()
		}
	}
	return string(element)
}

// samples returns the samples of an operation. Each id in an object of theirs is
// one that the answer of another operation gave, if there is one.
func (p *prober) samples(r *operation) []sample {
	list := samples(r)
	for i, s := range list {
		if s.object != nil && !undoes.MatchString(r.Path+" "+r.name) {
			list[i] = s.of(s.replaced(func(in member, value any) any { return p.naming(r, in, value) }), s.fileName)
		}
	}
	return list
}

// naming returns the id that an answer gave for a member of a request, or the
// member's own value.
func (p *prober) naming(r *operation, in member, value any) any {
	id := p.learned[one(in.name)]
	issued := slices.ContainsFunc(p.holders(id), func(m *made) bool { return m.by != r })
	var is any = id
	if _, isText := value.(string); !isText {
		n, err := strconv.ParseInt(id, 10, 64)
		issued, is = issued && err == nil, n
	}
	if !foreign.MatchString(in.name) || !issued || in.schema.VisitJSON(is) != nil {
		return value
	}
	return is
}
