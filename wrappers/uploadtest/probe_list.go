package uploadtest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// lists reads a list of all uploads of an operation, whole and in short pages.
func (p *prober) lists(r *operation) {
	path, all := p.listed(r)
	if len(all) == 0 {
		return
	}
	a, list := p.walks(r, path, 0)
	if list == nil {
		return
	}
	p.seen.note("list")
	if slices.ContainsFunc(p.deleted, func(m *made) bool { return slices.ContainsFunc(list, m.isIn) }) {
		a.broke(ruleAnswer, "listed", "the list has a deleted upload")
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
			a.broke(ruleAnswer, "lacks", "the list has an upload %d times, want once", n)
		}
	}
	if _, short := p.walks(r, path, 2); short != nil && !slices.EqualFunc(short, list, sameThing) {
		a.broke(ruleAnswer, "pages", "short pages list %d elements in all, which are not the "+
			"%d of the whole list in their order", len(short), len(list))
	}
}

// listed returns the path of the list that an operation gives, such as that of
// one folder, and what must be in it.
func (p *prober) listed(r *operation) (path string, all []*made) {
	for _, param := range required(r) {
		if param.In != openapi3.ParameterInPath {
			return "", nil
		}
	}
	for _, m := range p.kept {
		if r.Method != http.MethodGet || !p.isAbove(r, m) {
			continue
		}
		its := p.pathOf(r, m.found())
		if path = cmp.Or(path, its); path == its {
			all = append(all, m)
		}
	}
	return path, all
}

// isAbove reports whether the path of an operation is that of m's list: m was
// made there, or is found right below it.
func (p *prober) isAbove(r *operation, m *made) bool {
	return m.by.Path == r.Path || slices.ContainsFunc(p.contract.routes, func(one *operation) bool {
		below, isBelow := strings.CutPrefix(one.Path, r.Path+"/{")
		return isBelow && !strings.Contains(below, "/") && m.about(one) && (len(required(r)) == 0 || m.by.Path == one.Path)
	})
}

// walks reads the list under a path page by page. Limit is the largest number of
// elements of a page; 0 leaves it to the server. It returns nil if there is no
// list, or no such limit.
func (p *prober) walks(r *operation, path string, limit int) (a answer, list []json.RawMessage) {
	by := pagingOf(r)
	if limit > 0 && by.limit == "" {
		return a, nil
	}
	to, _ := url.Parse(p.base + path)
	if limit > 0 {
		limit = max(limit, by.least)
		to.RawQuery = url.Values{by.limit: {strconv.Itoa(limit)}}.Encode()
	}
	for page := range 2*len(p.kept) + 100 {
		req := p.request(http.MethodGet, path, "", nil)
		req.URL = to
		a = p.ask(r, p.authorized(req))
		elements := elementsOf(a.body)
		if !a.ok() || elements == nil && page == 0 {
			return a, nil
		}
		if limit > 0 && len(elements) > limit {
			a.broke(ruleAnswer, "limit", "a page has %d elements, and %d were asked for", len(elements), limit)
		}
		if list = append(list, elements...); list == nil {
			list = elements
		}
		next, total := pageOf(a)
		if to = by.next(to, next, page+2, len(list), len(elements) == 0); to == nil {
			if total >= 0 && total != len(list) && next == "" {
				a.broke(ruleAnswer, "total", "the total is %d, and the list has %d", total, len(list))
			}
			return a, list
		}
	}
	a.broke(ruleAnswer, "endless", "the list has no last page: %d elements came", len(list))
	return a, nil
}

// paging holds the names of the parameters by which a list is read in pages.
type paging struct {
	limit, cursor, page, offset string
	least                       int // the minimum of limit
}

func pagingOf(r *operation) (by paging) {
	for _, param := range parameters(r) {
		for kind, name := range map[*regexp.Regexp]*string{
			limits: &by.limit, cursors: &by.cursor, pages: &by.page, offsets: &by.offset,
		} {
			if param.In == openapi3.ParameterInQuery && kind.MatchString(param.Name) {
				*name = param.Name
			}
		}
		if schema := param.Schema; param.Name == by.limit && schema != nil && schema.Value.Min != nil {
			by.least = int(*schema.Value.Min)
		}
	}
	return by
}

// next returns the URL of the next page, or nil behind the last. Had is the
// number of elements of all pages so far.
func (by paging) next(here *url.URL, said string, page, had int, empty bool) *url.URL {
	query, counted := here.Query(), said == "" && by.cursor == "" && !empty
	switch {
	case strings.Contains(said, "/"):
		next, _ := here.Parse(said)
		return next
	case said != "" && by.cursor != "":
		query.Set(by.cursor, said)
	case counted && by.page != "":
		query.Set(by.page, strconv.Itoa(page))
	case counted && by.offset != "":
		query.Set(by.offset, strconv.Itoa(had))
	default:
		return nil
	}
	next := *here
	next.RawQuery = query.Encode()
	return &next
}

// pageOf returns what a page says of the next one, and of the number of all
// elements, which is -1 if it says nothing.
func pageOf(a answer) (next string, total int) {
	total = -1
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
	return next, total
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
