package probe

import (
	"bytes"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// tells compares each value about a file, and each value that repeats the
// request, with the request.
func (p *prober) tells(m *made, a answer, all []leaf) {
	if len(m.files) == 0 && p.ofOthers(m, a.route) { // what was said of a thing is not said of its parts
		return
	}
	wrapper := m.wrapper(all)
	inTurn := slices.Clone(all) // a wrong size says more than the wrong checksum that comes of it
	slices.SortStableFunc(inTurn, func(a, b leaf) int {
		rank := func(l leaf) int { return map[bool]int{true: 1}[digests.MatchString(l.name)] }
		return rank(a) - rank(b)
	})
	for _, l := range inTurn {
		c := p.comparing(m, a, l, strings.TrimPrefix(l.path, wrapper))
		if l.list {
			c.list(all)
			continue
		}
		c.rest = l.extension(all)
		c.each = l.at < 0 || l.of == len(c.sent)
		c.echoes()
		if l.at < len(c.sent) && (l.at >= 0 || len(c.sent) == 1) {
			c.describes(c.sent[max(0, l.at)])
		}
	}
}

// arranges puts files of several fields in the order in which a list of an answer tells
// of them: a server may have its own. The files of one field stay in theirs. A name says
// which of the files an element is about. If some have the same, the field beside it does.
func (p *prober) arranges(m *made, all []leaf) {
	named := slices.IndexFunc(all, func(l leaf) bool {
		return l.at >= 0 && l.of == len(m.files) && names.MatchString(l.name)
	})
	if named < 0 {
		return
	}
	object := strings.TrimSuffix(all[named].path, all[named].name)
	files, left := []sentFile{}, slices.Clone(m.files)
	for at := range m.files {
		next, most := 0, -1
		for i, file := range left {
			alike := 0
			for _, l := range all {
				switch text := l.text(); {
				case l.at != at || l.path != object+l.name:
				case names.MatchString(l.name) && p.isNamed(m, text, file.name):
					alike += 2
				case one(text) == one(file.field):
					alike++
				}
			}
			ofField := func(before sentFile) bool { return before.field == file.field }
			if alike > most && !slices.ContainsFunc(left[:i], ofField) {
				next, most = i, alike
			}
		}
		files, left = append(files, left[next]), slices.Delete(left, next, next+1)
	}
	m.files = files
}

// stale is the class of what tells of the file that was here before.
const stale = "the file before"

// comparison is a value of an answer, beside what the request had.
type comparison struct {
	leaf
	p      *prober
	m      *made
	answer answer
	called string           // in a message
	rest   string           // the extension beside it, which a name may lack
	said   any              // what the request said under its name
	schema *openapi3.Schema // the one of that
	exact  bool             // it was said at the same place
	sent   []sentFile       // the files that it may be about
	field  bool             // they are those of one field
	each   bool             // it stands in no list, or in one that has an element for each of them
	near   bool             // it is about the upload, not about something else in the answer
	stale  bool             // it is that of the file that was here before
}

// comparing returns the comparison of a value at a place in what was made.
func (p *prober) comparing(m *made, a answer, l leaf, place string) *comparison {
	c := &comparison{leaf: l, p: p, m: m, answer: a, called: l.name}
	c.said, c.schema, c.exact = m.saidAt(place)
	owner := l.owner()
	if l.list {
		owner = l.name
	}
	c.sent = m.of(owner)
	if c.field = len(c.sent) > 0; c.field && l.at < 0 {
		c.called = l.path
	}
	if !c.field && !apispec.IsBinary(apispec.PropertyOf(m.schema, owner)) {
		c.sent = m.files
	}
	ofOther := c.field && slices.ContainsFunc(m.files, func(other sentFile) bool {
		return other.field != owner && l.text() == fmt.Sprint(len(other.content))
	})
	inList := strings.LastIndex(l.path, "[]")
	c.near = ofOther || c.exact && c.said != nil || !strings.Contains(place, ".") ||
		inList >= 0 && strings.Count(l.path[inList:], ".") == 1
	return c
}

// check takes whether the value is right. Surely tells that its name means what
// it is compared with. If it does not, a wrong value counts once the place was
// right for two different uploads. Want holds the whole of what was sent, then
// other values for the message.
func (c *comparison) check(aspect string, surely, right bool, format string, want ...any) {
	proved := c.p.proved(c.answer.route.name+" "+c.path+" "+aspect, fmt.Sprint(want[0]), right)
	if !right && (!c.each || !(surely && c.near) && !proved) {
		return
	}
	class, after := aspect, c.p.after
	if c.stale {
		class, after = stale, after+": it is that of the file that was here before"
	}
	follows := c.stale && slices.Contains(c.m.wrong, "content")
	if c.p.seen.Note(aspect); !right && !follows {
		c.m.broke(c.answer, ruleAnswer, class, "%s is %s%s%s", c.called, quoted(c.text(), fmt.Sprint(want[0])),
			fmt.Sprintf(format, want...), after)
	}
}

// list compares the length of a list with the number of files, and its texts
// with those that were said.
func (c *comparison) list(all []leaf) {
	has, _ := strconv.Atoi(c.text())
	n := len(c.sent)
	below := places(c.m.by) && strings.HasPrefix(c.answer.route.path, c.m.by.path+"/") // such as earlier versions
	if id := ownID(c.answer.body); has > n && (below || id != "" && c.m.asked(id)) {
		return // what the files were added to may have others
	}
	if n > 0 && (has != n && c.p.listsFiles(c.answer.route, c.leaf) || c.field && 0 < has && has < n) {
		c.answer.broke(ruleAnswer, "count", "%s has %v elements, but %d files were sent%s", c.name, c.value, n,
			c.m.what)
	}
	if c.exact && free(c.m, c.schema, "") {
		tellsAll(c.answer, c.leaf, c.said, all)
	}
}

// echoes compares a value with what the request said under its name.
func (c *comparison) echoes() {
	is, isText := c.value.(string)
	switch said := c.said.(type) {
	case nil:
		mayBeSaid := apispec.PropertyOf(c.m.schema, c.name) != apispec.Unknown
		isOfItself := unique.MatchString(c.name) && // such as a name that is its tag
			slices.Contains(slices.Collect(maps.Values(c.m.said)), c.value)
		if mayBeSaid && !isOfItself && c.at < 0 && strings.HasPrefix(is, oddText[:12]) {
			c.answer.broke(ruleAnswer, "said by another", "%s is %s, and only another upload said so", c.name,
				apispec.Quoted(is))
		}
	case bool:
		yes, ok := c.value.(bool)
		c.check("what was said", c.exact && ok, yes == said, ", but %t was said", said)
	case string:
		otherType := strings.HasSuffix(strings.ToLower(c.name), "type") &&
			strings.Contains(is, "/") != strings.Contains(said, "/")
		if c.at >= 0 || states.MatchString(c.name) || otherType {
			break
		}
		surely := isText && (free(c.m, c.schema, is) || c.m.echoed(c.leaf))
		if rest, cut := strings.CutPrefix(said, is); cut && len(is) > 50 {
			c.check("what was said", surely, rest == "", ", without the last %d bytes that were said", len(rest))
		} else {
			right := is == said || names.MatchString(c.name) && c.p.isNamed(c.m, is, said)
			c.check("what was said", surely, right, ", but %[2]s was said%[3]s", said, quoted(said, is), c.m.how())
		}
	}
}

// describes compares a value with the file that it may be about.
func (c *comparison) describes(file sentFile) {
	text, size := c.text(), fmt.Sprint(len(file.content))
	isOld := func(such func(old []byte) bool) bool {
		return !such(file.content) && slices.ContainsFunc(c.p.replaced[c.m.place], func(old sentFile) bool {
			return such(old.content)
		})
	}
	// A small number counts other things, too.
	if sized := sizes.MatchString(c.name); sized || len(file.content) > 99 {
		of := c.m.what
		if slices.ContainsFunc(c.m.files, func(other sentFile) bool { return text == fmt.Sprint(len(other.content)) }) {
			of += ": it is that of another file of the request"
		}
		c.stale = isOld(func(old []byte) bool { return text == fmt.Sprint(len(old)) })
		c.check("size", sized, text == size, ", but %s bytes were sent%s", size, of)
	}
	called, isName := file.name, names.MatchString(c.name)
	right := c.p.isNamed(c.m, text, called) || c.rest != "" && c.p.isNamed(c.m, text+c.rest, called)
	if last := c.m.by.last; places(c.m.by) && isName && !c.m.moved {
		called = c.m.ids[last]
		right = c.m.by.sameName(text, called) || c.m.by.sameName(text, upload.BaseName(called))
		if isName = takesName(c.m.by); !isName {
			c.p.unseen(c.answer.route, "whether its %s is the %s of the path", c.name, last)
		}
	}
	stem := extension.ReplaceAllString(called, "")
	bare := right && !places(c.m.by) && (stem == "" || stem == called) // it may be shown without any ending
	if called != "" && c.said == nil && !bare {
		// It may stand elsewhere, such as in a part of JSON.
		isName = isName && (text == "" || !bytes.Contains(c.m.body, []byte(`"`+text+`"`)))
		c.check("name", isName, right, ", but the file was called %[2]s%[3]s", called,
			quoted(called, text), c.m.how())
	}
	isKind := fileKinds.MatchString(c.name) && !strings.Contains(text, "/") // such as image
	if typ, _, _ := mime.ParseMediaType(text); types.MatchString(c.name) && !isKind && c.said == nil &&
		file.contentType != "" {
		sent, _, _ := mime.ParseMediaType(file.contentType)
		c.check("media type", true, typ == sent || anyBytes.MatchString(sent),
			", but the file was sent as %q", sent)
	}
	if digests.MatchString(c.name) {
		right := payload.DigestOf(text, file.content)
		c.stale = isOld(func(old []byte) bool { return payload.DigestOf(text, old) })
		object := c.answer.route.name + " " + strings.TrimSuffix(c.path, c.name)
		c.near = c.p.proved(object+" checksum", payload.Sum(file.content), right) || c.near // others in it were right
		c.check("checksum", sure.MatchString(c.name), right, ", which is not that of the file%s", c.m.what)
	}
}

// proved reports whether a place of an answer had the right value for two
// different uploads. It remembers one that is right.
func (p *prober) proved(place, value string, right bool) bool {
	if p.right[place] == nil {
		p.right[place] = map[string]bool{}
	}
	if right {
		p.right[place][value] = true
	}
	return len(p.right[place]) > 1
}

// listsFiles reports whether a list told of files before.
func (p *prober) listsFiles(r *operation, list leaf) bool {
	for where := range p.right {
		if strings.HasPrefix(where, r.name+" "+list.path+"[].") && len(p.right[where]) > 1 {
			return true
		}
	}
	return false
}

// echoed reports whether the answer repeated a value of the request.
func (m *made) echoed(said leaf) bool {
	return slices.ContainsFunc(leaves(m.answer.body), func(l leaf) bool {
		return l.path == said.path && l.text() == apispec.TextOf(m.said[l.name])
	})
}

// tellsAll sees that a list of texts has each one that was said.
func tellsAll(a answer, list leaf, said any, all []leaf) {
	texts := map[any]bool{}
	for _, l := range all {
		if l.path == list.path+"[]" {
			texts[l.value] = true
		}
	}
	values, _ := said.([]any)
	for _, value := range values {
		if text, ok := value.(string); ok && len(texts) > 0 && !texts[text] {
			a.broke(ruleAnswer, "what was said", "%s lacks %s, which was said", list.name, apispec.Quoted(text))
		}
	}
}

// free reports whether a value of the request is a text that the server keeps
// as it is. A date is one, unless the answer is another kind of time.
func free(m *made, schema *openapi3.Schema, answered string) bool {
	if schema == apispec.Unknown {
		return m.object == nil
	}
	if schema.Items != nil {
		schema = apispec.Resolved(schema.Items)
	}
	return schema.Format == "" || schema.Format == "date" && len(answered) == len(time.DateOnly)
}

// wrapper returns the path of the object in which an answer wraps what was made,
// such as "file." around its id. It may have other ids.
func (m *made) wrapper(all []leaf, others ...string) (path string) {
	least := len(all) + 1
	for _, l := range all {
		depth := strings.Count(l.path, ".")
		if depth < least && l.at < 0 && l.isID() && slices.Contains(append(others, m.own...), l.text()) {
			least, path = depth, strings.TrimSuffix(l.path, l.name)
		}
	}
	return path
}

// saidAt returns the value that a request had at a path in its object, and its
// schema. If the path is longer than a name, it may also be the value of that
// name, not exactly there.
func (m *made) saidAt(path string) (said any, schema *openapi3.Schema, exact bool) {
	said, schema, _ = m.at(path)
	if strings.Contains(path, ".") && schema != apispec.Unknown && said != nil {
		return said, schema, true
	}
	last := path[strings.LastIndex(path, ".")+1:]
	return m.said[last], apispec.PropertyOf(m.schema, last), path == last
}
