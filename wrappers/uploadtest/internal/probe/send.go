package probe

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// outs returns the URLs that take the bytes: those in the answer, or its
// Location if that is a session, or where the request is to be repeated.
func (p *prober) outs(m *made) []contract.HandedOut {
	to, err := m.answer.location()
	if m.by.Method == http.MethodGet && strings.HasSuffix(m.by.path, "}") || len(m.files) > 0 {
		return nil // it tells of an upload, and its URL may be used already, or it has the file
	}
	if m.answer.forwards() {
		return []contract.HandedOut{{URL: to.String(), Method: m.by.Method, Session: true}}
	}
	urls := slices.DeleteFunc(p.contract.HandedOut(m.answer.body), func(out contract.HandedOut) bool {
		return p.isOperation(out) || (m.by.Method == http.MethodGet || m.by.refs != nil) && p.isDownload(out)
	})
	if len(urls) > 0 || err != nil ||
		m.by.Method != http.MethodPost || !starts.MatchString(m.by.name+" "+m.by.Path+" "+to.Path) ||
		slices.ContainsFunc(p.ops, func(r *operation) bool {
			isIt := reading(r) && m.announcesFile() // it tells how far the session is
			return r.Method != http.MethodPost && !isIt && r.Method != http.MethodDelete && p.matches(r, to) != nil
		}) {
		return urls
	}
	return []contract.HandedOut{{URL: to.String(), Session: true, ContentType: m.announced().contentType}}
}

// isOperation reports whether the spec says how a file goes to a URL: it belongs
// to an operation that needs credentials, or is the folder of its files.
func (p *prober) isOperation(out contract.HandedOut) bool {
	req := p.requestTo(http.MethodPost, out.URL, "", nil)
	return p.isOurs(req) && slices.ContainsFunc(p.ops, func(r *operation) bool {
		return !reading(r) && r.Method != http.MethodDelete && !p.needsNone(r) &&
			(p.matches(r, req.URL) != nil || p.inFolder(r, req.URL) != nil)
	})
}

// isDownload reports whether a GET to a URL gives a file that was uploaded.
func (p *prober) isDownload(out contract.HandedOut) bool {
	got := p.ask(nil, p.requestTo(http.MethodGet, out.URL, "", nil))
	return got.ok() && slices.ContainsFunc(slices.Collect(maps.Values(p.issued)), func(m *made) bool {
		return slices.ContainsFunc(m.files, func(file sentFile) bool { return bytes.Equal(file.content, got.body) })
	})
}

// announced returns the name, the media type and the bytes that a request said its
// file will have, as far as it said so.
func (m *made) announced() (file sentFile) {
	if len(m.files) == 0 && m.announcesFile() {
		file.content = m.later
	}
	for name, value := range m.said {
		switch said := apispec.TextOf(value); {
		case types.MatchString(name) && strings.Contains(said, "/"):
			file.contentType = said
		case names.MatchString(name):
			file.name = said
		}
	}
	return file
}

// asAnnounced returns the sample with the name and the media type that were said of
// its file before.
func (s sample) asAnnounced(said sentFile) sample {
	if s.object != nil {
		s.fileType = cmp.Or(said.contentType, s.fileType)
		return s.of(s.object, cmp.Or(said.name, s.fileName))
	}
	if strings.Contains(s.typ, "*") {
		s.contentType = cmp.Or(said.contentType, s.contentType)
	}
	return s
}

var presignedContent = []byte("uploadtest: a presigned file")

// presignedRequest returns the request that a URL was handed out for.
func (p *prober) presignedRequest(out contract.HandedOut, content []byte) *http.Request {
	method, typ, body := cmp.Or(out.Method, http.MethodPut), out.ContentType, content
	if out.Fields != nil {
		var parts []sentFile
		for _, name := range slices.Sorted(maps.Keys(out.Fields)) {
			parts = append(parts, sentFile{field: name, content: []byte(out.Fields[name])})
		}
		file := sentFile{"file", "uploadtest.txt", cmp.Or(typ, "text/plain"), content}
		typ, body = formOf(append(parts, file))
	}
	req := p.requestTo(method, out.URL, typ, body)
	maps.Copy(req.Header, out.Header)
	return req
}

// puts sends bytes to a URL that was handed out. A session of the service may need
// credentials.
func (p *prober) puts(m *made, out contract.HandedOut, content []byte) answer {
	req := p.presignedRequest(out, content)
	a := p.ask(m.by, req)
	if out.Session && a.status == http.StatusUnauthorized && p.isOurs(req) {
		a = p.ask(m.by, p.authorized(p.presignedRequest(out, content)))
	}
	return a
}

// sends sends the bytes of a file to the URL that was handed out for them.
func (p *prober) sends(m *made, out contract.HandedOut) {
	content, again := m.later, !m.waiting
	switch a := p.puts(m, out, content); {
	case out.Session && slices.Contains([]int{401, 404, 405, 501}, a.status):
		p.unseen(m.by, "whether the file goes to its Location, which answers %d to a PUT", a.status)
	case isOpen(out) && (a.status == http.StatusUnauthorized || a.status == http.StatusMethodNotAllowed):
		p.unseen(m.by, "whether the file goes to the URL in its answer, which answers %d to a PUT", a.status)
		m.outs, m.waiting = nil, false
	case a.status >= 500 && len(content) == 0:
		a.broke(ruleStatus, "empty", "%d to an empty file", a.status)
	case a.ok():
		if m.answer.forwards() {
			p.forget(func(old *made) bool { return old != m && old.place == m.place })
		}
		m.shown, m.sent = map[string][]leaf{}, time.Now()
		m.waiting, m.files = false, slices.Repeat([]sentFile{{"", "", out.ContentType, content}}, len(m.outs))
		was := m.answer.ids // of the session
		if id := ownID(a.body); out.Session && json.Valid(a.body) &&
			(len(was) == 0 || id != "" && !slices.Contains(was, id)) {
			maps.DeleteFunc(m.ids, func(_, id string) bool { return slices.Contains(was, id) })
			m.answer = a
			p.learn(m, a)
			p.issues(m)
			p.compares(m, whole, a)
		}
		if out.URL == m.outs[len(m.outs)-1].URL {
			p.completes(m)
		}
		if bytes.Contains(a.body, []byte("<Error>")) {
			a.broke(ruleAnswer, "error", "%d to the file, with an error in the answer", a.status)
		}
	case a.status != 0 && len(content) > 0 && !again:
		as := ""
		if strings.Contains(out.ContentType, ";") {
			as = " for " + out.ContentType
		}
		a.broke(ruleStatus, "presigned", "%d to the URL that it handed out%s%s%s", a.status, as, m.what, p.doing)
	}
}

// isOpen reports whether nothing says how a URL is used.
func isOpen(out contract.HandedOut) bool {
	_, query, _ := strings.Cut(out.URL, "?")
	return out.Session || out.Method == "" && out.Fields == nil && !signs.MatchString(query)
}
