package probe

import (
	"bytes"
	"cmp"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// made is one thing that a request made.
type made struct {
	sample                        // what was sent
	by        *operation          // the operation
	what      string              // what is particular about the file; empty: nothing
	files     []sentFile          // the files, in their order
	said      map[string]any      // what the request said beside them, by name
	ids       map[string]string   // what the answer gave for paths, by name
	ofFile    []map[string]string // the same for each file
	answer    answer
	outs      []contract.HandedOut           // where the bytes go
	place     string                         // the path of the request
	moved     bool                           // it was put there, and is at another place from then on
	own       []string                       // the ids that nothing else may have
	shown     map[string][]leaf              // what each operation answered last, by its path
	given     map[string]func(string) answer // ask URLs for its file by a method, by their names
	waiting   bool                           // the bytes were not sent yet
	awaited   bool                           // what comes of it later is awaited
	again     bool                           // it was read after others were made
	sent      time.Time                      // when its file was sent
	wrong     []string                       // what answers told wrong of it
	deletedBy *operation                     // nil while it is there
	readBack
}

// readBack is what was seen of a thing when it was read last.
type readBack struct {
	had     bool       // the file was given back
	coming  *operation // takes an id that is not there yet
	unready string     // says in a message that it is not ready yet; may be empty
	saidBy  answer     // the answer that said so
	lacking func()     // says that it is not there, though all is done
	pending func()     // says that the file is not there yet; nil where nobody says so
}

// newMade returns the thing that a request made, with the facts in the answer.
func (p *prober) newMade(s sample, what string, a answer) *made {
	m := &made{sample: s, by: a.route, what: what, files: s.files(), said: map[string]any{}, answer: a,
		sent: time.Now(), place: a.req.URL.Path, ids: map[string]string{}, shown: map[string][]leaf{},
		given: map[string]func(string) answer{}}
	for _, in := range s.objects() {
		ofFile := in.name != "" && len(m.files) > 0 // it may be called so itself
		for name, value := range in.object {
			if _, above := m.said[name]; !above && !apispec.IsBinary(apispec.PropertyOf(in.schema, name)) &&
				!(ofFile && names.MatchString(name)) {
				m.said[name] = value
			}
		}
	}
	for _, param := range m.by.required {
		value, isID := p.valueOf(m.by, param, s), param.In == openapi3.ParameterInPath
		if isID {
			m.ids[param.Name] = value
		}
		above := isID && param.Name == "id" && (m.by.last != "id" || m.by.goesOn())
		if !above { // an id is that of another thing
			m.said[param.Name] = value
		}
	}
	if s.object == nil && len(m.files) == 1 {
		m.files[0].name = upload.BaseName(p.nameOf(m.by, s))
	}
	for name, value := range m.said {
		if text, isText := value.(string); isText && names.MatchString(name) {
			p.named[text] = cmp.Or(p.named[text], m)
		}
	}
	for _, file := range m.files {
		p.named[file.name] = cmp.Or(p.named[file.name], m)
	}
	m.outs, m.moved = p.outs(m), p.moves(m)
	p.learn(m, a)
	p.issues(m)
	p.locates(m)
	for _, l := range leaves(a.body) {
		m.times(a, l)
	}
	return m
}

// make makes something of the first sample that is right by the spec. If a URL
// is handed out for the bytes, it sends them there. It returns nil if the
// operation refuses, or if no sample is right.
func (p *prober) make(r *operation, what string, samples ...sample) (*made, answer) {
	first := slices.IndexFunc(samples, func(s sample) bool { return p.valid(r, s) })
	if first < 0 {
		return nil, answer{}
	}
	m, a := p.start(r, samples[first], what)
	if m == nil {
		return nil, a
	}
	if !m.waiting {
		p.compares(m, whole, a)
	}
	for _, out := range m.outs {
		p.reads(m)
		p.sends(m, out)
	}
	return m, a
}

// uploads makes something and keeps it, or logs what the operation did not take.
func (p *prober) uploads(r *operation, what, it string, s sample) *made {
	m, a := p.make(r, what, s)
	a.declined("%s", it)
	p.keep(m)
	return m
}

// start makes something that may still wait for its bytes. It returns nil if
// the operation refuses. One that takes each name once gets another name, and one
// that takes one upload for a thing another thing.
func (p *prober) start(r *operation, s sample, what string) (*made, answer) {
	s, own := p.onItsOwn(r, p.adopted(r, s))
	a := p.ask(r, p.good(r, s))
	taken := a.status == http.StatusConflict || a.status == http.StatusUnprocessableEntity
	if taken || a.status == http.StatusForbidden && p.chosen(r) != "" {
		if other := p.renamed(r, s); p.unlike(r, other, s) && p.valid(r, other) {
			if second := p.ask(r, p.good(r, other)); second.ok() || second.forwards() {
				r.once = true
				s, a = other, second
			}
		}
	}
	if !a.ok() && !a.forwards() {
		return nil, a
	}
	m := p.newMade(s, what, a)
	if own != nil && !undoes.MatchString(r.Path+" "+r.name) {
		p.reads(own)
	}
	if len(m.outs) > 0 {
		m.waiting, m.files = true, nil
	}
	return m, a
}

// unlike reports whether two requests have another address or another body.
func (p *prober) unlike(r *operation, a, b sample) bool {
	sent := func(s sample) string { return p.build(r, s).URL.String() + string(s.body) }
	return sent(a) != sent(b)
}

// mayBeTaken reports a 409 that the spec declares, to a request whose sender
// chooses a name.
func (p *prober) mayBeTaken(r *operation, s sample, a answer) bool {
	return a.status == http.StatusConflict && declares(r, "409") && p.unlike(r, p.renamed(r, s), s)
}

// parent returns the operation that makes what the path of an upload names, or nil.
func (p *prober) parent(r *operation) *operation {
	if r.Method != http.MethodPost && r.Method != http.MethodPut || r.last == "" || p.clientKeys[r.last] {
		return nil
	}
	return p.maker(r.above(r.last))
}

// maker returns the operation that makes what stands in a folder: the POST to it, or one
// to a folder of its name elsewhere, such as POST /boxes/{box}/things for /things.
func (p *prober) maker(things string) (found *operation) {
	for _, r := range p.ops {
		isSo := r.Method == http.MethodPost && path.Base(r.path) == path.Base(things)
		if isSo && (found == nil || r.path == things) {
			found = r
		}
	}
	return found
}

// adopted returns the sample for a thing that has no upload yet, if each takes one.
// What is said of the file when the thing is made is true.
func (p *prober) adopted(r *operation, s sample) sample {
	files := s.files()
	if !r.single || p.came != nil || len(files) != 1 {
		return s
	}
	makes := p.parent(r)
	plain := firstSample(makes)
	announced := plain
	if plain.object != nil {
		announced = plain.of(plain.replaced(func(in member, value any) any {
			switch {
			case names.MatchString(in.name) && files[0].name != "":
				return files[0].name
			case types.MatchString(in.name) && in.schema.VisitJSON(files[0].contentType) == nil:
				return files[0].contentType
			}
			return value
		}), "").holding(files[0].content)
	}
	for _, way := range []sample{announced, plain} {
		if m, _ := p.start(makes, way, ""); m != nil {
			return s.asAnnounced(m.announced()).under(r.last, m.ids[r.last])
		}
	}
	return s
}

// onItsOwn returns the sample for an upload of its own, and this, if an operation
// acts on what another made: it may change the state of that.
func (p *prober) onItsOwn(r *operation, s sample) (sample, *made) {
	if !acts(r) || completion.MatchString(r.Path) {
		return s, nil
	}
	for _, m := range p.keptFor(r) {
		if !acts(m.by) {
			if own, _ := p.make(m.by, "", p.anew(m.by, m.sample)); own != nil && own.ids[r.last] != "" {
				return s.under(r.last, own.ids[r.last]), own
			}
			return s, nil
		}
	}
	return s, nil
}

// asked reports whether an id stood in the request: it is not the server's.
func (m *made) asked(id string) bool {
	if isCount(id) { // any text or file may have it in it
		for _, said := range m.said {
			if apispec.TextOf(said) == id {
				return true
			}
		}
		return slices.Contains(strings.Split(m.place, "/"), id)
	}
	isName := func(file sentFile) bool { return file.name == id } // it may be escaped in the body
	return strings.Contains(m.place, id) || bytes.Contains(m.body, []byte(id)) || slices.ContainsFunc(m.files, isName)
}

// called returns the name or the key of an upload, for a message.
func (m *made) called() string {
	switch {
	case places(m.by):
		return " that is called " + apispec.Quoted(m.ids[m.by.last])
	case len(m.files) > 0 && m.files[0].name != "":
		return " that is called " + apispec.Quoted(m.files[0].name)
	}
	for _, id := range slices.Backward(m.own) { // a Location comes before the id in it
		if id != "" {
			return " with the id " + apispec.Quoted(id)
		}
	}
	return ""
}

// how says what is particular about m beside the content of its file.
func (m *made) how() string {
	if strings.HasPrefix(m.what, " (content: ") {
		return ""
	}
	return m.what
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

// about reports whether an operation is about m: the last id in its path is one
// that the server gave to m, or the one that the client chose.
func (m *made) about(r *operation) bool {
	for _, param := range r.params {
		if m.ids[param] == "" {
			return false
		}
	}
	if m.moved && m.placedUnder(r.last) { // a session that is over
		return false
	}
	if r.byQuery() {
		return m.ids[r.last] != "" && slices.Contains(m.own, m.ids[r.last])
	}
	alike := len(r.params) > 1 && slices.Equal(r.params, m.by.params)
	under := m.placedUnder(r.last) && (alike || strings.HasPrefix(r.path, m.by.path))
	return r.last != "" && !(r.last == "id" && r.ofParent) && (under || !m.asked(m.ids[r.last]))
}

// placedUnder reports whether a parameter is the one under which a client put m.
func (m *made) placedUnder(param string) bool { return places(m.by) && m.by.last == param }

// found returns the sample that asks for m.
func (m *made) found() sample { return sample{params: m.ids} }

// equals reports whether the same bytes were sent twice, or announced by their
// checksum.
func (m *made) equals(before *made) bool {
	if len(m.files) == 0 {
		return len(m.outs) == 0 && m.by == before.by && m.announcesFile() && bytes.Equal(m.content(), before.content())
	}
	return m.sentAlike(before) && reflect.DeepEqual(m.said, before.said)
}

// sentAlike reports whether the files have the same bytes.
func (m *made) sentAlike(before *made) bool {
	same := func(a, b sentFile) bool { return bytes.Equal(a.content, b.content) }
	return slices.EqualFunc(m.files, before.files, same)
}

// keep remembers what was made, to be read again at the end.
func (p *prober) keep(all ...*made) {
	all = slices.DeleteFunc(all, func(m *made) bool { return m == nil })
	for _, m := range all {
		p.forget(func(old *made) bool {
			same := slices.Equal(old.own, m.own) || len(m.files) == 0 && m.equals(old)
			return same && m.by.Method == http.MethodPost
		})
		if len(m.content()) < largest { // to read that once takes long enough
			p.kept = append(p.kept, m)
		}
	}
	for _, m := range all {
		p.reads(m)
	}
}

// keptFor returns what was kept and is whole, and what an operation is about.
func (p *prober) keptFor(r *operation) []*made {
	return slices.DeleteFunc(slices.Clone(p.kept), func(m *made) bool { return m.waiting || !m.about(r) })
}

// forget takes out of what must stay.
func (p *prober) forget(which func(*made) bool) { p.kept = slices.DeleteFunc(p.kept, which) }
