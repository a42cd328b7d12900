package uploadtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// The checks of lists: they name every upload.

var (
	limits  = regexp.MustCompile(`(?i)^(max|page)?[_-]?(limit|size|results|items)$|^per[_-]?page$|^top$`)
	cursors = regexp.MustCompile(`(?i)cursor|token|after|marker`)
	pages   = regexp.MustCompile(`(?i)^page([_-]?(number|no|index))?$`)
	offsets = regexp.MustCompile(`(?i)^(offset|skip|start([_-]?index)?)$`)
	nexts   = regexp.MustCompile(`(?i)^((next|end|continuation)[_-]?)+(cursor|page|` +
		`(page[_-]?)?token|marker|ur[il]|link|href)?$|^cursor$`)
	totals = regexp.MustCompile(`(?i)^total([_-]?(count|items|files|results|elements))?$`)
)

// lists reads a list of all uploads of an operation, whole and in short pages.
func (p *prober) lists(r *routers.Route) {
	if r.Method != http.MethodGet || slices.ContainsFunc(required(r), func(param *openapi3.Parameter) bool {
		return param.In != openapi3.ParameterInPath
	}) {
		return
	}
	all := slices.DeleteFunc(slices.Clone(p.kept), func(m *made) bool {
		return m.by.Path != r.Path && !slices.ContainsFunc(p.contract.routes, func(one *routers.Route) bool {
			below, isBelow := strings.CutPrefix(one.Path, r.Path+"/{")
			return isBelow && !strings.Contains(below, "/") && m.about(one) && (len(required(r)) == 0 || m.by.Path == one.Path)
		})
	})
	if len(all) == 0 {
		return
	}
	path := p.pathOf(r, all[0].found()) // such as the list of one folder
	all = slices.DeleteFunc(all, func(m *made) bool { return p.pathOf(r, m.found()) != path })
	a, list := p.walks(r, path, 0)
	if list == nil {
		return
	}
	p.seen.note("list")
	for _, m := range p.deleted {
		if slices.ContainsFunc(list, m.isIn) {
			a.broke(contract.RuleAnswer, "listed", "the list has a deleted upload")
		}
	}
	for _, m := range all {
		n := 0
		for _, element := range list {
			if m.isIn(element) {
				n++
				p.tells(m, a, leaves(element))
			}
		}
		if n != 1 && !m.waiting {
			a.broke(contract.RuleAnswer, "lacks", "the list has an upload %d times, want once", n)
		}
	}
	if _, short := p.walks(r, path, 2); short != nil && !slices.EqualFunc(short, list, func(a, b json.RawMessage) bool {
		return identity(a) == identity(b)
	}) {
		a.broke(contract.RuleAnswer, "pages", "short pages list %d elements in all, which are not the "+
			"%d of the whole list in their order", len(short), len(list))
	}
}

// identity is an element's first id, or all of it.
func identity(element json.RawMessage) string {
	for _, l := range leaves(element) {
		if lasting.MatchString(l.name) && !sizes.MatchString(l.name) {
			return textOf(l.value)
		}
	}
	return string(element)
}

// isIn reports whether an element of a list names what was made.
func (m *made) isIn(element json.RawMessage) bool {
	for _, l := range leaves(element) {
		text := textOf(l.value)
		if text != "" && (slices.Contains(m.own, text) || m.by.Method == http.MethodPut && text == m.ids[lastParam(m.by)] ||
			len(text) > 2 && strings.HasSuffix(m.answer.header.Get("Location"), "/"+text)) {
			return true
		}
	}
	return false
}

// walks reads the list under a path page by page. Limit is the largest number of
// elements of a page; 0 leaves it to the server. It returns nil if there is no
// list, or no such limit.
func (p *prober) walks(r *routers.Route, path string, limit int) (a answer, list []json.RawMessage) {
	params := map[*regexp.Regexp]string{}
	for _, param := range parameters(r) {
		for _, kind := range []*regexp.Regexp{limits, cursors, pages, offsets} {
			if param.In == openapi3.ParameterInQuery && kind.MatchString(param.Name) {
				params[kind] = param.Name
			}
		}
		if schema := param.Schema; params[limits] == param.Name && limit > 0 && schema != nil && schema.Value.Min != nil {
			limit = max(limit, int(*schema.Value.Min))
		}
	}
	if limit > 0 && params[limits] == "" {
		return a, nil
	}
	query, page := url.Values{}, 1
	if limit > 0 {
		query.Set(params[limits], strconv.Itoa(limit))
	}
	to := p.base + path + "?" + query.Encode()
	for range 2*len(p.kept) + 100 {
		req := p.request(http.MethodGet, path, "", nil)
		req.URL, _ = url.Parse(strings.TrimSuffix(to, "?"))
		a = p.ask(r, p.authorized(req))
		elements := elementsOf(a.body)
		if !a.ok() || elements == nil && list == nil {
			return a, nil
		}
		if limit > 0 && len(elements) > limit {
			a.broke(contract.RuleAnswer, "limit", "a page has %d elements, and %d were asked for", len(elements), limit)
		}
		list = append(list, elements...)
		next, total := "", -1
		for name := range a.header {
			if totals.MatchString(strings.TrimPrefix(name, "X-")) {
				total, _ = strconv.Atoi(a.header.Get(name))
			}
		}
		for _, l := range leaves(a.body) {
			switch text := textOf(l.value); {
			case l.list || l.at >= 0 || l.value == nil:
			case totals.MatchString(l.name):
				total, _ = strconv.Atoi(text)
			case nexts.MatchString(l.name):
				next = text
			}
		}
		page++
		switch {
		case strings.Contains(next, "/"):
			u, _ := req.URL.Parse(next)
			to = u.String()
		case next != "" && params[cursors] != "":
			query.Set(params[cursors], next)
		case next == "" && params[cursors] == "" && params[pages] != "" && len(elements) > 0:
			query.Set(params[pages], strconv.Itoa(page))
		case next == "" && params[cursors] == "" && params[offsets] != "" && len(elements) > 0:
			query.Set(params[offsets], strconv.Itoa(len(list)))
		default:
			if total >= 0 && total != len(list) && next == "" {
				a.broke(contract.RuleAnswer, "total", "the total is %d, and the list has %d", total, len(list))
			}
			return a, list
		}
		if !strings.Contains(next, "/") {
			to = p.base + path + "?" + query.Encode()
		}
	}
	a.broke(contract.RuleAnswer, "endless", "the list has no last page: %d elements came", len(list))
	return a, nil
}

// elementsOf returns the elements of the longest list in an answer, or nil.
func elementsOf(answer []byte) (elements []json.RawMessage) {
	if json.Unmarshal(answer, &elements) == nil {
		return elements
	}
	var members map[string]json.RawMessage
	_ = json.Unmarshal(answer, &members)
	for _, member := range members {
		if of := elementsOf(member); of != nil && len(of) >= len(elements) {
			elements = of
		}
	}
	return elements
}
