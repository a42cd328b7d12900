package probe

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// reads asks every operation that can be asked about something, and compares
// each answer with the upload. An answer may give the ids that another
// operation takes.
func (p *prober) reads(m *made) {
	late := func() bool { return m.had && m.pending != nil }
	left := p.comes(m, "what comes of an upload", func() bool {
		p.readsOnce(m)
		isMissed := slices.ContainsFunc(p.ops, (*operation).isMissed)
		return m.coming == nil && !late() && !(m.unready != "" && isMissed)
	})
	switch {
	case left: // it is read again later
	case m.lacking != nil:
		m.lacking()
	case late():
		m.pending()
	case m.coming != nil && m.unready != "" && m.coming.unfound == "":
		m.coming.unfound = fmt.Sprintf("no answer gave its %s: %s, %v after a file was sent", m.coming.last, m.unready,
			m.age())
	}
}

// age returns how long ago the file was sent, in words of a message.
func (m *made) age() time.Duration { return time.Since(m.sent).Round(100 * time.Millisecond) }

func (p *prober) readsOnce(m *made) {
	if m.readBack = (readBack{}); m.answer.status == http.StatusAccepted {
		m.unready, m.saidBy = "it was answered 202", m.answer
	}
	asked := map[string]bool{}
	for again := true; again; {
		again = false
		for _, r := range p.ops {
			if !reading(r) || asked[r.name] || !m.about(r) {
				continue
			}
			asked[r.name], again = true, true
			last := r.last
			each := slices.DeleteFunc(slices.Clone(m.ofFile), func(ids map[string]string) bool {
				return ids[last] == ""
			})
			if len(each) != len(m.files) {
				each = nil
			}
			for i, ids := range each {
				p.read(r, m, i, m.found().under(last, ids[last]))
			}
			if len(each) == 0 {
				p.read(r, m, whole, m.found())
			}
		}
	}
}

// await tries again, since some servers store later: for a second, which is long
// where nobody says that it takes time, or as long as Timeout where an answer says
// that m is not ready. The time of the answers does not count: some come late, after
// a 429. What was awaited in vain is not awaited once more.
func (p *prober) await(m *made, what string, isThere func() bool) bool {
	waited := time.Duration(0)
	for pause := 20 * time.Millisecond; !isThere(); pause += pause / 2 {
		left := time.Second - waited
		if m != nil && m.unready != "" {
			left += p.Timeout - time.Second
		}
		if p.inVain[what] || left <= 0 {
			p.inVain[what] = true
			return false
		}
		pause = min(pause, left)
		time.Sleep(pause)
		waited += pause
	}
	return true
}

// comes awaits what is told of m. It does so for the first upload of an operation
// that it comes late for, and reports whether it is left until all that are kept
// are read again.
func (p *prober) comes(m *made, what string, isThere func() bool) (left bool) {
	now := p.after != "" || len(p.deleted) > 0 || !slices.Contains(p.kept, m) // it may not be read again
	p.await(m, what+" of "+m.by.name, func() bool {
		there := isThere()
		m.awaited = m.awaited || !there && !now && p.awaited.First(m.by.name)
		left = !there && !now && !m.awaited
		return there || left
	})
	return left
}

// read asks one operation, and longer if the answer says that the upload will be
// there later.
func (p *prober) read(r *operation, m *made, file int, s sample) {
	above := r.above("id")
	others := m.placedUnder(r.last) && !strings.HasPrefix(r.path, m.by.path) ||
		r.last == "id" && above != m.by.path && p.at(above, http.MethodPost) != nil
	later := len(m.files) == 0 && (p.at(r.path, http.MethodPut) != nil || mayGiveFile(r)) // by another operation
	var a answer
	notYet := func() bool {
		return a.status == http.StatusConflict || a.status == http.StatusTooEarly ||
			!a.ok() && a.header.Get("Retry-After") != ""
	}
	what := "an upload"
	if others {
		what = "an upload, if it is of that kind"
	}
	asked := 0
	left := p.comes(m, what, func() bool {
		if m.waiting { // a Retry-After would be waited for in vain
			a = p.follow(p.askOnce(r, p.good(r, s)))
			return true
		}
		a = p.ask(r, p.good(r, s))
		asked++
		given := others && m.unready == "" && asked > 5 // a quarter of a second: a 404 is no fault
		return later || given || p.strange[r.Path] || a.status/100 != 4 || notYet() || a.declares() && p.withholds(a)
	})
	left = p.comes(m, "an upload that is not ready", func() bool {
		if m.waiting || later || !notYet() {
			return true
		}
		m.unready = fmt.Sprintf("the answer is still %d", a.status)
		a = p.ask(r, p.good(r, s))
		return !notYet()
	}) || left
	switch {
	case left: // it is asked again later
	case a.ok():
		p.compares(m, file, a)
		known := maps.Clone(m.ids)
		p.learn(m, a)
		for name := range p.comesWith {
			if known[name] == "" {
				p.owns(m, a, name, m.ids[name])
			}
		}
	case a.status == http.StatusNotFound && !m.waiting && others: // it may be for another kind of things
		p.unseen(r, "the id in the answer of %s, which is not found", m.by.name)
		p.strange[r.Path] = true
		delete(m.ids, "id")
	case a.declares() && p.withholds(a):
		r.unfound = fmt.Sprintf("its file: the answer is %d, as the spec declares", a.status)
	case a.status != 0 && !m.waiting && !later:
		since, what := "", m.what
		if m.unready != "" {
			since = fmt.Sprintf(", %v after it was sent", m.age())
		}
		if strings.HasSuffix(p.after, wasDeleted) { // how its file was sent is no cause
			if what = ""; m.sentAlike(p.deleted[len(p.deleted)-1]) {
				what = " (with the same bytes)"
			}
		}
		m.broke(a, ruleStatus, "lost", "%d to a stored upload%s%s%s%s", a.status, m.called(), what, p.after, since)
	}
}

// whole stands in place of the index of a file: an answer is about all files.
const whole = -1

// compares compares an answer with m. File is the index of the one file that
// the answer is about, or whole.
func (p *prober) compares(m *made, file int, a answer) {
	r := a.route
	if len(m.files) == 1 {
		file = 0
	}
	switch get := p.at(r.path, http.MethodGet); {
	case r.Method == http.MethodHead:
		length := a.header.Get("Content-Length")
		if file < 0 || get == nil || !a.givesFile(get) || length == "" {
			break
		}
		if sent := len(m.files[file].content); length != fmt.Sprint(sent) {
			m.broke(a, ruleHeader, "length", "Content-Length is %s, but %d bytes were sent%s", length, sent, m.what)
		}
	case a.givesFile(r) && m.waiting:
		if !m.placedUnder(r.last) { // else it may be the file that was here before
			a.broke(ruleStatus, "early", "%d to a file that was not sent yet", a.status)
		}
	case a.givesFile(r):
		if sent := m.of(path.Base(r.path)); len(sent) == 1 { // such as /things/{id}/front
			p.givesBack(m, sent[0], a)
		} else if file >= 0 {
			p.givesBack(m, m.files[file], a)
			p.ranges(a, m.files[file].content)
		}
		p.revalidates(a)
	default:
		p.revalidates(a)
		all := leaves(a.body)
		if file == whole {
			p.arranges(m, all)
		}
		p.tells(m, a, all)
		p.stays(m, a, all)
	}
}

// givesFile reports whether an answer is the file itself.
func (a answer) givesFile(r *operation) bool {
	if a.elsewhere != "" {
		return true
	}
	media := a.content(r).Get(a.header.Get("Content-Type"))
	return media != nil && apispec.IsBinary(apispec.Resolved(media.Schema))
}

// content returns the bodies that an operation declares for such an answer.
func (a answer) content(r *operation) openapi3.Content {
	if declared := cmp.Or(r.Operation.Responses.Status(a.status), r.Operation.Responses.Default()); declared != nil {
		return declared.Value.Content
	}
	return nil
}

// only reports whether the spec declares this media type alone: the server has no
// choice.
func (a answer) only(typ string) bool {
	return a.route != nil && len(a.content(a.route)) == 1 && a.content(a.route)[typ] != nil
}

// givesBack compares a file in an answer with the one that was sent. The server
// may hide its media type.
func (p *prober) givesBack(m *made, file sentFile, a answer) {
	sent, _, _ := mime.ParseMediaType(file.contentType)
	got, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	m.had = true
	p.seen.Note("file that is given back")
	sum := payload.Sum(a.body)
	isNew := p.gave.First(a.req.URL.Path + " " + sum)
	if wrong := difference(a.body, file.content); wrong != "" {
		after, class := p.after, "content"
		if what := p.turnedDown[m.place+sum]; what != "" && after != "" {
			after, class = " after "+what, stored
		}
		isHere := func(other sentFile) bool { return bytes.Equal(a.body, other.content) }
		other := slices.IndexFunc(p.kept, func(other *made) bool {
			return len(a.body) > 0 && len(other.files) == 1 && isHere(other.files[0])
		})
		switch {
		case slices.ContainsFunc(m.files, isHere):
			wrong = "it is another file of the request"
		case !isNew && (places(m.by) || other < 0):
			wrong = "it is still the file that was here before"
		case other >= 0 && places(m.by) && p.kept[other].place == m.place:
			wrong = "it is the one that was put in its place"
		case other >= 0:
			wrong = "it is the file of another upload" + p.kept[other].called()
		}
		m.broke(a, ruleAnswer, class, "the file%s comes back changed%s: %s", m.what, after, wrong)
	}
	if sent != "" && !anyBytes.MatchString(sent) && got != sent && got != "application/octet-stream" && !a.only(got) {
		a.broke(ruleHeader, "type", "Content-Type is %q, but the file was sent as %q%s", got, sent, p.after)
	}
	_, params, _ := mime.ParseMediaType(a.header.Get("Content-Disposition"))
	if name := params["filename"]; file.name != "" && name != "" && !p.isNamed(m, name, file.name) {
		a.broke(ruleHeader, "disposition", "Content-Disposition says %s, but the file was called %s",
			quoted(name, file.name), quoted(file.name, name))
	}
	if tag := a.header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		key := a.req.URL.Path + tag
		if cmp.Or(p.tagged[key], sum) != sum {
			a.broke(ruleHeader, "etag", "the ETag is the same as that of other bytes")
		} else {
			p.tagged[key] = sum
		}
		put := m.answer.header.Get("ETag")
		if m.place == a.req.URL.Path && put != "" && put != tag {
			m.broke(a, ruleHeader, "etag", "the ETag differs from the one in the answer to the upload")
		}
	}
}

// difference says how bytes differ from those that were sent, or nothing.
func difference(got, sent []byte) string {
	wrong, _ := payload.Difference(bytes.NewReader(got), sent) // from memory: no error
	return wrong
}

// stays compares an answer with the answer that made the thing, or with the
// first answer of the same operation, and reports a difference. It compares the
// values that may not change: ids, names, sizes, and times of making.
func (p *prober) stays(m *made, a answer, all []leaf) {
	p.seen.Note("what was made")
	at := a.route.name + " " + a.req.URL.Path // each file may have its own
	for _, l := range all {
		m.times(a, l)
	}
	if isAnother(a, all) || !p.ofOthers(m, a.route) &&
		(m.differs(a, all, leaves(m.answer.body), false) || m.differs(a, all, m.shown[at], true)) {
		return
	}
	m.shown[at] = all
	p.states(m, a, all)
	p.downloads(m, a, all)
}

// ofOthers reports whether an operation tells of what another one than m's makes,
// such as GET /parts/{partId} of what POST /things/{thingId}/parts makes. The id of a part
// may come to a thing by a list.
func (p *prober) ofOthers(m *made, r *operation) bool {
	things := r.above(r.last)
	learned := m.answer.status != 0 && len(m.files)+len(m.outs) == 0 && !slices.Contains(m.own, m.ids[r.last])
	return m.by.path != r.path && path.Base(m.by.path) != path.Base(things) && (p.maker(things) != nil || learned)
}

// isAnother reports an answer about another thing than the one that was asked
// for.
func isAnother(a answer, all []leaf) bool {
	of := slices.Collect(maps.Values(a.p.matches(a.route, a.req.URL)))
	for _, param := range a.route.params {
		said, asked := false, false
		for _, l := range all {
			if l.name == param && l.value != nil && a.route.Method == http.MethodGet && (l.at < 0 || l.name != "id") {
				said, asked = true, asked || slices.Contains(of, l.text())
			}
		}
		if said && !asked {
			a.broke(ruleAnswer, "asked", "%s is not the one that was asked for", param)
			return true
		}
	}
	return false
}

// differs reports a lasting value that is not what an earlier answer said. If
// that came from the same operation, the value must be there, too.
func (m *made) differs(a answer, all, earlier []leaf, same bool) bool {
	is := map[string]leaf{}
	for _, l := range all {
		is[l.place()] = l
	}
	for _, l := range earlier {
		now, ok := is[l.place()]
		changed := ok && now.text() != l.text()
		if !changed && (ok || !same) {
			continue
		}
		n, _ := strconv.Atoi(now.text())
		last := lasting.MatchString(l.name) && !ofOneAsk.MatchString(l.name) || stores.MatchString(l.name)
		switch {
		case l.list && ok && n < len(m.files) && l.text() == fmt.Sprint(len(m.files)): // a longer one has others', too
			a.broke(ruleAnswer, "found", "%s has %v elements, but %v in the answer to the upload", l.name,
				now.value, l.value)
			return true
		case l.list || !last || l.value == nil || sizes.MatchString(l.name) || l.at >= 0 && l.of > len(m.files):
		case l.name == "id" && a.p.matches(a.route, a.req.URL)[a.route.last] == now.text(): // of what came of it
		case changed:
			a.broke(ruleAnswer, "found", "%s is %s, but %s in the answer to the upload", l.name,
				quoted(now.text(), l.text()), quoted(l.text(), now.text()))
			return true
		case !ok:
			a.broke(ruleAnswer, "found", "%s is not there any more", l.name)
			return true
		}
	}
	return false
}

// states sees that an upload is called complete when it is, and that its file
// can be found then.
func (p *prober) states(m *made, a answer, all []leaf) {
	var takes *operation // an id that the answer may have, and has not yet
	null := false
	for _, get := range p.ops {
		name := get.last
		is := slices.IndexFunc(all, func(l leaf) bool { return l.name == name })
		if m.ids[name] == "" && (is < 0 || all[is].value == nil) &&
			mayTell(a.route, func(member string) bool { return member == name }) {
			takes, null = get, is >= 0
		}
	}
	switch {
	case takes != nil && m.waiting:
		p.comesWith[takes.last] = true
	case takes != nil && len(m.files) > 0:
		m.coming = takes
	}
	for _, l := range all {
		text := l.text()
		if !m.waiting && states.MatchString(l.name) && unready.MatchString(text) {
			m.unready, m.saidBy = fmt.Sprintf("%s is still %s", l.name, apispec.Quoted(text)), a
		}
		switch {
		case !states.MatchString(l.name) || strings.Contains(l.path, "[]"):
		case m.waiting && finished.MatchString(text):
			a.broke(ruleAnswer, "state", "%s is %s before the file was sent", l.name, apispec.Quoted(text))
		case takes != nil && !null && !m.waiting && finished.MatchString(text):
			m.lacking = func() {
				a.broke(ruleAnswer, "state", "%s is %s, but there is no %s, which %s takes", l.name,
					apispec.Quoted(text), takes.last, takes.name)
			}
		case !m.waiting && pending.MatchString(text):
			m.pending = func() {
				a.broke(ruleAnswer, "state", "%s, but the file can be had, %v after it was sent", m.unready, m.age())
			}
		}
	}
}

// times sees that a time of making is one, and that what is new has not expired.
// By the server's own clock a time of making is not some quarters of an hour
// away, as the time of another zone is.
func (m *made) times(a answer, l leaf) {
	t, err := time.Parse(time.RFC3339, l.text())
	clock, _ := http.ParseTime(m.answer.header.Get("Date")) // none is in another year
	if isNew := a.req == m.answer.req && m.said[l.name] == nil; isNew && expires.MatchString(l.name) &&
		t.Year() >= 2000 && t.Before(clock.Add(-time.Minute)) {
		a.broke(ruleAnswer, "expired", "%s is %v before the header Date: it has expired already", l.name, clock.Sub(t))
	}
	if !stores.MatchString(l.name) || err != nil {
		return
	}
	if t.Year() < 2000 {
		a.broke(ruleAnswer, "time", "%s is %s, before anything was uploaded", l.name, t.Format(time.DateOnly))
	}
	off := t.Sub(clock)
	if zones := off.Round(15 * time.Minute); zones != 0 && zones.Abs() <= 14*time.Hour &&
		(off-zones).Abs() < time.Minute {
		a.broke(ruleAnswer, "time", "%s is %v away from the header Date: is it the time of another zone?",
			l.name, zones)
	}
}
