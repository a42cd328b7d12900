package probe

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// downloads fetches the URLs in an answer whose names say that they are for a
// download. A URL that is signed, or of another host, gets no credentials first.
// One of the service may need both.
func (p *prober) downloads(m *made, a answer, all []leaf) {
	for _, l := range all {
		file := 0
		if l.at >= 0 && l.of == len(m.files) {
			file = l.at
		} else if len(m.files) != 1 || l.at >= 0 {
			continue
		}
		to, err := url.Parse(l.text())
		isURL := err == nil && to.Host != "" && strings.HasPrefix(to.Scheme, "http")
		named := downloadURL.MatchString(l.name)
		if m.waiting || !isURL || !named && to.Host != a.req.URL.Host {
			continue
		}
		lends, needsBoth := a.lends(to), false
		ask := func(method, address string) answer {
			req := p.requestTo(method, address, "", nil)
			if method == http.MethodPut {
				req = p.requestTo(method, address, m.files[file].contentType, []byte("uploadtest: another"))
			}
			if lends || needsBoth {
				p.authorized(req)
			}
			if method != http.MethodGet && (p.exchange(req).Operation() != nil || req.URL.Path == m.place) {
				return answer{} // the spec says what it does, also where the name of the file has slashes
			}
			return p.ask(nil, req)
		}
		get := func(address string) answer { return ask(http.MethodGet, address) }
		got := get(to.String())
		refused := got.status == http.StatusUnauthorized || got.status == http.StatusForbidden
		if needsBoth = refused && !lends && to.Host == a.req.URL.Host; needsBoth {
			got = get(to.String())
		}
		right := got.ok() && bytes.Equal(got.body, m.files[file].content)
		if !named && !p.proved(a.route.name+" "+l.path+" download", payload.Sum(got.body), right) {
			continue
		}
		if !got.ok() {
			a.broke(ruleAnswer, "download", "%s cannot be fetched%s: %d", l.name, p.after, got.status)
			continue
		}
		if p.givesBack(m, m.files[file], got); right && (p.isOurs(got.req) || signs.MatchString(to.RawQuery)) {
			m.given[l.name] = func(method string) answer {
				if m.deletedBy != nil && m.outlives(a.route) {
					return answer{}
				}
				of := ask(method, to.String())
				of.route = a.route
				return of
			}
		}
		// Otherwise its query may be for people, one file shows what it opens, and
		// credentials may open as much.
		if named && len(m.files) == 1 && !needsBoth {
			p.misuses(a, l, to, get)
		}
	}
}

// misuses fetches a URL for a download in ways that are almost right, and notes
// whether it soon ends. One way is the path of another upload. Where both have one
// query, it must be a signature: a token may be for all that its owner has.
func (p *prober) misuses(a answer, l leaf, to *url.URL, get func(address string) answer) {
	if ends(to.RawQuery) {
		p.ending = to.String()
	}
	ways := tampered(contract.HandedOut{URL: to.String(), Method: http.MethodGet})
	if last := p.opened[a.route.name+l.path]; last != nil && last.Path != to.Path && signs.MatchString(to.RawQuery) &&
		(last.RawQuery != to.RawQuery || signature.MatchString(to.RawQuery)) {
		of := *last
		of.RawQuery = to.RawQuery
		ways[underAnother] = contract.HandedOut{URL: of.String()}
	}
	p.opened[a.route.name+l.path] = to
	maps.DeleteFunc(ways, func(what string, _ contract.HandedOut) bool { return strings.HasPrefix(what, "by ") })
	p.refusesWays(a.route, "its "+l.name, ways, func(way contract.HandedOut) answer {
		it := a
		if it.status = get(way.URL).status; !it.ok() {
			it.status = 0
		}
		return it
	})
}

// writes sends a PUT and a DELETE to a URL for a download, which must leave the
// file as it was. It costs one upload.
func (p *prober) writes() {
	for _, m := range slices.Backward(p.kept) {
		for name, ask := range m.given {
			for _, method := range []string{http.MethodPut, http.MethodDelete} {
				before := ask(http.MethodGet)
				changed := func() bool {
					after := ask(http.MethodGet)
					return !after.ok() || !bytes.Equal(after.body, before.body)
				}
				if before.ok() { // else it may be used once
					a := ask(method)
					if p.seen.Note("download by another method"); a.ok() && changed() {
						a.broke(ruleStatus, "download by "+method, "%d to a %s to its %s, which changed the file: "+
							"it must be refused by a 4xx", a.status, method, name)
					}
				}
			}
			p.forget(func(kept *made) bool { return kept == m })
			return
		}
	}
}

// ends reports whether the query of a URL says that it ends within a day.
func ends(rawQuery string) bool {
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		life, _ := strconv.ParseInt(value, 10, 64)
		if life > 1e12 {
			life /= 1000
		}
		if life > 1e9 { // it is a time
			life -= time.Now().Unix()
		} else if !expires.MatchString(name) {
			continue
		}
		if 0 < life && life < 24*60*60 {
			return true
		}
	}
	return false
}
