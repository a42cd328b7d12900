package probe

import (
	"bytes"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// deletes deletes one upload, and one of several files. It checks that they are
// gone and that all others stay.
func (p *prober) deletes(r *operation) {
	ofIt := slices.DeleteFunc(p.keptFor(r), func(m *made) bool { // the file of another may be its part
		return len(m.files) == 0 && m.hasPart(r) || !p.removes(r, m)
	})
	if len(ofIt) == 0 {
		return
	}
	m := ofIt[len(ofIt)/2]
	for _, one := range ofIt { // others have its name, or keys that begin with its own
		if slices.ContainsFunc(ofIt, one.begins) {
			m = one
		}
	}
	same, _ := p.make(m.by, " (with the bytes of another)", p.renamed(m.by, m.sample)) // a server may store them once
	p.keep(same)
	p.deletesOne(r, m)
	for _, other := range ofIt {
		if other != m && len(other.files) > 1 {
			p.deletesOne(r, other)
			return
		}
	}
}

// removes reports whether a DELETE removes m. One whose path goes on after the id
// removes only what is there, such as the hold of /images/{id}/hold. That is the
// file if it was put there, or can be had there.
func (p *prober) removes(r *operation, m *made) bool {
	get := p.at(r.path, http.MethodGet)
	isFile := m.by.path == r.path || get != nil && get.succeeded && mayGiveFile(get)
	return !r.goesOn() || len(m.files) > 0 && isFile
}

// goesOn reports whether the path of an operation goes on after its last id.
func (r *operation) goesOn() bool {
	return len(r.params) > 0 && !strings.Contains(path.Base(r.path), "}")
}

// begins reports whether another upload has a key that begins with the one of m,
// or was made by the same request.
func (m *made) begins(other *made) bool {
	return m != other && strings.HasPrefix(other.place, m.place) &&
		(places(m.by) || bytes.Equal(m.body, other.body) && maps.Equal(m.params, other.params))
}

func (p *prober) deletesOne(r *operation, m *made) {
	last, all := r.last, []sample{m.found()}
	for _, ids := range m.ofFile { // each file may be deleted by itself
		if id := ids[last]; id != "" && id != m.ids[last] {
			all = append(all, m.found().under(last, id))
		}
	}
	later := false
	for i, one := range all {
		a := p.wants("deletion", r, p.good(r, one), "lost", "a stored upload", "", 2)
		if !a.ok() {
			return
		}
		later = a.status == http.StatusAccepted
		if i == 0 && !saysDeleted(a.body) {
			p.compares(m, whole, a)
		}
	}
	m.deletedBy = r
	p.gone(r, m, later)
}

const wasDeleted = " was deleted"

// gone asks for a deleted upload in each way in which it was found, and then
// makes another in its place. A 202 says that it will be gone later.
func (p *prober) gone(r *operation, m *made, later bool) {
	if later {
		m.unready = "its DELETE was answered 202"
	}
	told := r.mayRepeat() // or it is still told of
	for _, same := range p.ops {
		if !m.outlives(same) && reading(same) && m.about(same) && same.succeeded ||
			same == r && refusesUnknown(r) {
			if later && reading(same) {
				p.await(m, same.name+" no more", func() bool { return !p.ask(same, p.good(same, m.found())).ok() })
			}
			ofOthers := false // it lists those, such as all that was put into a folder
			a := p.lacks("deleted upload", "a deleted upload", same, p.good(same, m.found()), func(answer []byte) bool {
				listed := leavesOfEach(elementsOf(answer))
				ofOthers = reading(same) && len(listed) > len(m.files) && !p.isListed(same, m, listed)
				return same == r && told || saysDeleted(answer) || ofOthers
			})
			told = told || reading(same) && a.ok() && !ofOthers
		}
	}
	for name, get := range m.given {
		p.seen.Note("deleted upload")
		if a := get(http.MethodGet); a.ok() && p.isOurs(a.req) {
			a.broke(ruleStatus, "deleted download", "%d to the %s of a deleted upload, which must be refused by a 4xx",
				a.status, name)
		}
	}
	p.deleted = append(p.deleted, m)
	p.again(" after the upload" + m.called() + wasDeleted)
	if m.by.Method == http.MethodPost {
		next, _ := p.make(m.by, m.what, m.holding([]byte("another")))
		p.keep(next)
	}
}

// mayRepeat reports whether a DELETE of what is not there may be answered like any other.
func (r *operation) mayRepeat() bool {
	return r.Method == http.MethodDelete && repeatable.MatchString(r.Operation.Summary+" "+r.Operation.Description)
}

// outlives reports whether an operation may tell of a deleted upload: of the call
// that opened it, where the file was deleted in another place, or of the whole,
// where a part was deleted, or only its file.
func (m *made) outlives(r *operation) bool {
	opened, last := m.by.path+"/", m.deletedBy.last
	onlyFile := m.deletedBy.goesOn() && m.by.path != m.deletedBy.path
	return onlyFile && r.path != m.deletedBy.path ||
		m.hasPart(m.deletedBy) && r.last != last && r.path != m.deletedBy.above(last) ||
		len(m.outs) > 0 && strings.HasPrefix(r.path+"/", opened) && !strings.HasPrefix(m.deletedBy.path, opened)
}

// hasPart reports whether the path of an operation names a part of an upload, not
// the whole.
func (m *made) hasPart(r *operation) bool {
	own := ownID(m.answer.body)
	return own != "" && own != m.ids[r.last] && !m.placedUnder(r.last) && m.by.path != r.above(r.last)
}

// saysDeleted reports whether an answer says that what it is about was deleted:
// some servers still tell of that. A name or a prose may have the word in it.
func saysDeleted(answer []byte) bool {
	return slices.ContainsFunc(leaves(answer), func(l leaf) bool {
		text, _ := l.value.(string)
		isSet := l.value != nil && l.value != false && l.value != "" && apispec.TextOf(l.value) != "0"
		word, isSaid := deletion.FindString(text), unique.MatchString(l.name) || prose.MatchString(l.name)
		return deletions.MatchString(l.name) && isSet ||
			word != "" && (word == text || !isSaid)
	})
}
