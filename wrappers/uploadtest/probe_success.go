package uploadtest

import (
	"maps"
	"net/http"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// The checks of right requests: each must succeed.

// succeeds asks with the spec's own examples.
func (p *prober) succeeds(r *routers.Route) {
	for _, s := range samples(r) {
		if p.closing[nameOf(r)] {
			return // each upload asked it
		}
		known := p.known(r)
		req := p.good(r, s)
		if broken := p.faults(req); len(broken) > 0 {
			p.unseen(r, "the request that the spec's examples give breaks the spec itself: %s: %s", broken[0].Rule,
				broken[0].Detail)
			continue
		}
		switch m, a := p.start(r, req, s, ""); {
		case m != nil:
			if r.Method == http.MethodGet {
				p.compares(m, -1, a)
			}
			if last := lastParam(r); r.Method == http.MethodPut && p.learned[last] == "" {
				p.own[last] = true
			}
			maps.Copy(p.learned, m.ids)
			if !p.handedOut(m) && r.Method == http.MethodPost {
				p.keep(m)
			}
		case a.status == 0: // reported already
		case !known || completion.MatchString(r.Path): // its upload comes later
			p.unfound[nameOf(r)] = func() {
				p.unseen(r, "no answer gave its %s, as a member of that name or as the id in the answer of the path before it: "+
					"the spec's own example was answered %d (%s %s)", lastParam(r), a.status, r.Method, r.Path)
			}
		default:
			a.broke(contract.RuleStatus, "example", "%d to the spec's own example", a.status)
		}
	}
}

var wraps = regexp.MustCompile(`(?i)^(data|result|response|payload)\.`)

// ownID returns the id of the thing that an answer is about, or nothing. It may
// stand in the one object in which an answer wraps the thing.
func ownID(answer []byte) string {
	var inner []leaf
	bare := false
	for _, l := range leaves(answer) {
		_, yes := l.value.(bool)
		switch depth := strings.Count(l.path, "."); {
		case l.list || l.value == nil || l.at >= 0 || depth > 1:
		case depth == 0 && strings.EqualFold(l.name, "id"):
			return textOf(l.value)
		case depth == 0:
			bare = bare || !yes // it tells of the thing beside the object
		case strings.EqualFold(l.name, "id"):
			inner = append(inner, l)
		}
	}
	if len(inner) != 1 || bare && !wraps.MatchString(inner[0].path) {
		return ""
	}
	return textOf(inner[0].value)
}

// at returns the operation of a path and a method, or nil.
func (p *prober) at(path, method string) *routers.Route {
	for _, r := range p.contract.routes {
		if r.Path == path && r.Method == method {
			return r
		}
	}
	return nil
}

// ends sends the methods that every server knows.
func (p *prober) ends(r *routers.Route) {
	for _, method := range []string{http.MethodHead, http.MethodOptions} {
		if r.PathItem.GetOperation(method) != nil {
			continue
		}
		req := p.good(r, sample{})
		req.Method = method
		if a := p.ask(nil, req); a.status >= 500 && a.status != http.StatusNotImplemented {
			a.broke(contract.RuleStatus, method, "%d to %s", a.status, method)
		}
	}
}
