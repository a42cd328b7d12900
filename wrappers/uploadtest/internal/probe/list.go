package probe

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// lists reads a list of all uploads of an operation, whole and in short pages.
func (p *prober) lists(r *operation) {
	path, all := p.listed(r)
	if len(all) == 0 {
		return
	}
	var a answer
	var list, short []json.RawMessage
	p.await(nil, r.name, func() bool {
		a, list = p.walks(r, path, 0)
		return list == nil || !p.behind(r, all, list)
	})
	if list == nil {
		return
	}
	p.seen.Note("list")
	if p.hasDeleted(r, list) {
		a.broke(ruleAnswer, "listed", "the list has a deleted upload")
	}
	elements := leavesOfEach(list)
	for _, m := range all {
		n, isIn := 0, p.isIn(r, m)
		for _, element := range elements {
			if isIn(element) {
				n++
				p.tells(m, a, element)
			}
		}
		if n != 1 && n != len(m.files) && !m.waiting {
			m.broke(a, ruleAnswer, "lacks", "the list has an upload%s %d times%s, want once", m.called(), n, p.after)
		}
	}
	if !p.await(nil, r.name+" in pages", func() bool { // it may have grown meanwhile
		_, short = p.walks(r, path, 2)
		of := list
		if by := pagingOf(r); !by.leadsOn() && len(short) == max(2, by.least) { // nobody knows what the next page is
			of = list[:min(len(short), len(list))]
		}
		if same := short == nil || slices.EqualFunc(short, of, sameThing); same {
			return true
		}
		a, list = p.walks(r, path, 0)
		return list == nil
	}) {
		a.broke(ruleAnswer, "pages", "short pages list %d elements in all, which are not the "+
			"%d of the whole list in their order", len(short), len(list))
	}
}

// behind reports whether a list may only follow a moment later.
func (p *prober) behind(r *operation, all []*made, list []json.RawMessage) bool {
	elements := leavesOfEach(list)
	return p.hasDeleted(r, list) ||
		slices.ContainsFunc(all, func(m *made) bool { return !m.waiting && !p.isListed(r, m, elements) })
}

// hasDeleted reports whether a list has a deleted upload, and does not say so.
func (p *prober) hasDeleted(r *operation, list []json.RawMessage) bool {
	if len(p.deleted) == 0 {
		return false
	}
	left := leavesOfEach(slices.DeleteFunc(slices.Clone(list), func(element json.RawMessage) bool {
		return saysDeleted(element)
	}))
	return slices.ContainsFunc(p.deleted, func(m *made) bool { return !m.outlives(r) && p.isListed(r, m, left) })
}

func (p *prober) isListed(r *operation, m *made, elements [][]leaf) bool {
	return slices.ContainsFunc(elements, p.isIn(r, m))
}

// leavesOfEach returns the leaves of each element of a list.
func leavesOfEach(list []json.RawMessage) (elements [][]leaf) {
	for _, element := range list {
		elements = append(elements, leaves(element))
	}
	return elements
}

// listed returns the path of the list that an operation gives, such as that of
// one folder, and what must be in it.
func (p *prober) listed(r *operation) (path string, all []*made) {
	for _, m := range p.kept {
		if its := p.listOf(r, m); its != "" && its == cmp.Or(path, its) {
			path, all = its, append(all, m)
		}
	}
	return path, all
}

// listOf returns the path of an operation, if it gives the list that m is in.
func (p *prober) listOf(r *operation, m *made) string {
	inQuery := func(param *openapi3.Parameter) bool { return param.In == openapi3.ParameterInQuery }
	if r.Method != http.MethodGet || slices.ContainsFunc(r.required, inQuery) || !p.isAbove(r, m) {
		return ""
	}
	return p.pathOf(r, m.found())
}

// isAbove reports whether the path of an operation is that of m's list: m was
// made there, or is found right below it, or beside it.
func (p *prober) isAbove(r *operation, m *made) bool {
	return m.by.Path == r.Path || r.isBeside(m.by) || slices.ContainsFunc(p.below(r), func(one *operation) bool {
		return m.about(one) && (len(r.required) == 0 || m.by.Path == one.Path)
	})
}

// isBeside reports whether an operation lists what another one puts beside its path, such
// as GET /stores/{id}/keys for PUT /stores/{id}/records/{recordKey}.
func (r *operation) isBeside(put *operation) bool {
	things, ofLast := strings.CutSuffix(put.path, "/{"+put.last+"}")
	return ofLast && places(put) && path.Dir(things) == path.Dir(r.path) &&
		strings.HasSuffix(strings.ToLower(dashes.Replace(put.last)), strings.ToLower(dashes.Replace(one(r.path))))
}

// walks reads the list under a path page by page. Limit is the largest number of
// elements of a page; 0 leaves it to the server. It returns nil if there is no
// list, no such limit, or no known way to the next page.
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
	list, guesses := []json.RawMessage{}, 0
	for page := range 2*len(p.kept) + 100 {
		get := p.build(r, sample{}) // with the headers that it needs
		get.URL, get.Host = to, to.Host
		now := p.ask(r, p.authorized(get))
		elements := elementsOf(now.body)
		switch {
		case guesses == 1 && (!now.ok() || len(elements) == 0 || sameThing(elements[0], list[0])):
			p.unseen(r, "the pages of the list: no answer says what the next %s is", by.cursor)
			return a, nil
		case page > 0 && !now.ok() && by.page != "": // it is behind the last page
			return a, list
		}
		if a = now; !a.ok() || elements == nil && page == 0 {
			return a, nil
		}
		if limit > 0 && len(elements) > limit {
			a.broke(ruleAnswer, "limit", "a page has %d elements, and %d were asked for", len(elements), limit)
		}
		list = append(list, elements...)
		next, total, goesOn := by.of(a)
		full := len(elements) == cmp.Or(limit, by.usual)
		if by.said = by.said || next != ""; !by.said && by.cursor != "" && len(elements) > 0 && (goesOn || full) {
			to = with(to, by.cursor, identity(elements[len(elements)-1])) // such as the last id
			guesses++
			continue
		}
		if to = by.next(to, next, page+by.from+1, len(list), len(elements) == 0); to == nil {
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
	least, usual                int      // the minimum and the default of limit
	from                        int      // the number of the first page
	said                        bool     // an answer says what the next page is, or whether there is one
	members                     []string // that may hold the next cursor
}

func pagingOf(r *operation) (by paging) {
	by.from, by.said = 1, mayTell(r, nexts.MatchString)
	prefix := "" // what names begin with
	for _, param := range apispec.Parameters(r.Route) {
		if found := paged.FindStringSubmatch(brackets.Replace(param.Name)); found != nil {
			prefix = found[1]
		}
	}
	for _, param := range apispec.Parameters(r.Route) {
		schema, name := apispec.Resolved(param.Schema), strings.TrimPrefix(brackets.Replace(param.Name), prefix)
		usual, _ := schema.Default.(float64)
		switch least := schema.Min; {
		case param.In != openapi3.ParameterInQuery:
		case limits.MatchString(name):
			if by.limit, by.usual = param.Name, int(usual); least != nil {
				by.least = int(*least)
			}
		case cursors.MatchString(name), schema.Type.Is("string") && nextPage.MatchString(param.Description):
			by.cursor = param.Name
		case befores.MatchString(name): // of a list whose newest elements come first
			by.cursor = cmp.Or(by.cursor, param.Name)
		case pages.MatchString(name):
			if by.page = param.Name; least != nil && *least == 0 || schema.Default != nil && usual == 0 {
				by.from = 0
			}
		case offsets.MatchString(name):
			by.offset = param.Name
		case mayTell(r, func(member string) bool { return sameWord(member, "next"+name) }):
			by.cursor = param.Name
		}
	}
	if !by.said && by.cursor != "" {
		for name, ref := range r.members() {
			if sameWord(name, by.cursor) || sameWord(name, "next"+by.cursor) ||
				nextPage.MatchString(apispec.Resolved(ref).Description) {
				by.members = append(by.members, name)
			}
		}
		by.said = len(by.members) > 0 && !mayTell(r, more.MatchString)
	}
	return by
}

// leadsOn reports whether it can be known what the next page is.
func (by paging) leadsOn() bool { return by.said || by.cursor+by.page+by.offset != "" }

// next returns the URL of the next page, or nil behind the last. Had is the
// number of elements of all pages so far.
func (by paging) next(here *url.URL, said string, page, had int, empty bool) *url.URL {
	counted := said == "" && by.cursor == "" && !by.said && !empty
	link, err := here.Parse(said) // a cursor may look like one
	isLink := err == nil && strings.HasPrefix(link.Scheme, "http") &&
		(link.Path == here.Path || strings.Contains(said, "://") || by.cursor == "" && strings.Contains(said, "/"))
	switch {
	case said != "" && isLink:
		return link
	case said != "" && by.cursor != "":
		return with(here, by.cursor, said)
	case said != "" && by.page != "" && numeric(said):
		return with(here, by.page, said)
	case counted && by.page != "":
		return with(here, by.page, strconv.Itoa(page))
	case counted && by.offset != "":
		return with(here, by.offset, strconv.Itoa(had))
	}
	return nil
}

// with returns a URL with another value of a parameter.
func with(here *url.URL, name, value string) *url.URL {
	query, next := here.Query(), *here
	query.Set(name, value)
	next.RawQuery = query.Encode()
	return &next
}

// of returns what a page says of the next one, and of the number of all elements,
// which is -1 if it says nothing.
func (by paging) of(a answer) (next string, total int, goesOn bool) {
	total = -1
	for name := range a.header {
		if totals.MatchString(strings.TrimPrefix(name, "X-")) {
			total, _ = strconv.Atoi(a.header.Get(name))
		}
	}
	for _, l := range leaves(a.body) {
		switch text := l.text(); {
		case l.list || l.at >= 0 || l.value == nil:
		case totals.MatchString(l.name):
			total, _ = strconv.Atoi(text)
		case nexts.MatchString(l.name), // a member of the parameter's name may repeat the request
			slices.Contains(by.members, l.name) && text != a.req.URL.Query().Get(by.cursor):
			next = text
		case more.MatchString(l.name):
			goesOn = text == "true"
		}
	}
	return next, total, goesOn
}

// elementsOf returns the elements of the longest list of objects in an answer, or
// else of the longest list, or nil.
func elementsOf(answer []byte) (elements []json.RawMessage) {
	if json.Unmarshal(answer, &elements) == nil {
		return elements
	}
	var members map[string]json.RawMessage
	_ = json.Unmarshal(answer, &members)
	for _, member := range members {
		of := elementsOf(member)
		longer := len(of) >= len(elements)
		if ofObjects := areObjects(of); ofObjects != areObjects(elements) {
			longer = ofObjects
		}
		if of != nil && longer {
			elements = of
		}
	}
	return elements
}

func areObjects(list []json.RawMessage) bool { return len(list) > 0 && list[0][0] == '{' }

// isEmptyList reports whether an answer is a list without elements, and with no
// text beside it: some servers say so that nothing is there.
func isEmptyList(answer []byte) bool {
	list := elementsOf(answer)
	return list != nil && len(list) == 0 && !slices.ContainsFunc(leaves(answer), func(l leaf) bool {
		text, _ := l.value.(string)
		return text != ""
	})
}
