package uploadtest

import (
	"bytes"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// tells compares each value about a file, and each value that repeats the
// request, with the request. If the name of a value does not surely mean that,
// it counts once the value was right for two different uploads.
func (p *prober) tells(m *made, a answer, all []leaf) {
	length, wrapper := map[string]string{}, m.wrapper(all)
	for _, l := range all {
		place := strings.TrimPrefix(l.path, wrapper)
		said, schema, exact := m.saidAt(place)
		repeats := said != nil
		owner := strings.TrimSuffix(l.parent(), "[]")
		if l.list {
			owner = l.name
		}
		sent, called := m.of(owner), l.name
		ofField := len(sent) > 0
		if ofField && l.at < 0 {
			called = l.path
		}
		if !ofField && !isBinary(propertyOf(m.schema, owner)) {
			sent = m.files
		}
		if l.list {
			length[l.path] = textOf(l.value)
			has, _ := strconv.Atoi(length[l.path])
			if n := len(sent); n > 0 && has != n && (p.listsFiles(a.route, l) || ofField && 0 < has && has < n) {
				a.broke(ruleAnswer, "count", "%s has %v elements, but %d files were sent%s", l.name, l.value,
					n, m.what)
			}
			if exact && free(m, schema, "") {
				tellsAll(a, l, said, all)
			}
			continue
		}
		inList := strings.LastIndex(l.path, "[]")
		files := inList < 0 || length[l.path[:max(0, inList)]] == fmt.Sprint(len(sent))
		ofOther := ofField && slices.ContainsFunc(m.files, func(other sentFile) bool {
			return other.field != owner && textOf(l.value) == fmt.Sprint(len(other.content))
		})
		top := ofOther || exact && repeats || !strings.Contains(place, ".") ||
			inList >= 0 && strings.Count(l.path[inList:], ".") == 1
		check := compared(func(aspect string, surely, right bool, format string, want ...any) {
			proved := p.proved(nameOf(a.route)+" "+l.path+" "+aspect, fmt.Sprint(want[0]), right)
			if !right && (!files || !(surely && top) && !proved) {
				return
			}
			if p.seen.note(aspect); !right {
				a.broke(ruleAnswer, aspect, "%s is %.50q%s", called, textOf(l.value), fmt.Sprintf(format, want...))
			}
		})
		check.said(m, l, said, schema, exact)
		if propertyOf(m.schema, l.name) != unknown && !repeats && l.at < 0 &&
			strings.HasPrefix(textOf(l.value), oddText[:12]) {
			a.broke(ruleAnswer, "said by another", "%s is %.50q, and only another upload said so", l.name,
				textOf(l.value))
		}
		if l.at < len(sent) && (l.at >= 0 || len(sent) == 1) {
			check.file(m, l, sent[max(0, l.at)], repeats)
		}
	}
}

// compared takes whether a value of an answer is right. Surely tells that its
// name means what it is compared with.
type compared func(aspect string, surely, right bool, format string, want ...any)

// said compares a value with what the request said under its name.
func (check compared) said(m *made, l leaf, said any, schema *openapi3.Schema, exact bool) {
	is, _ := l.value.(string)
	how := m.what
	if strings.HasPrefix(how, " (content: ") { // nothing that was said
		how = ""
	}
	switch said := said.(type) {
	case bool:
		yes, ok := l.value.(bool)
		check("what was said", exact && ok, yes == said, ", but %t was said", said)
	case string:
		otherType := strings.HasSuffix(strings.ToLower(l.name), "type") && strings.Contains(is, "/") != strings.Contains(said, "/")
		if l.at >= 0 || states.MatchString(l.name) || otherType {
			break
		}
		surely := is == l.value && (free(m, schema, is) || m.repeated(l))
		if rest, cut := strings.CutPrefix(said, is); cut && len(is) > 50 {
			check("what was said", surely, rest == "", ", without the last %d bytes that were said", len(rest))
		} else {
			check("what was said", surely, is == said, ", but %.50q was said%s", said, how)
		}
	}
}

// file compares a value with the file that it may be about.
func (check compared) file(m *made, l leaf, file sentFile, repeats bool) {
	text := textOf(l.value)
	size := fmt.Sprint(len(file.content))
	// A small number counts other things, too.
	if sized := sizes.MatchString(l.name); sized || len(file.content) > 99 {
		check("size", sized, text == size, ", but %s bytes were sent%s", size, m.what)
	}
	if file.name != "" && !repeats {
		elsewhere := text != "" && bytes.Contains(m.body, []byte(`"`+text+`"`)) // such as in a part of JSON
		check("name", names.MatchString(l.name) && !elsewhere, sameName(text, file.name),
			", but the file was called %q%s", file.name, m.what)
	}
	if typ, _, err := mime.ParseMediaType(text); types.MatchString(l.name) && !repeats {
		sent, _, _ := mime.ParseMediaType(file.contentType)
		check("media type", true, err == nil && typ == sent || anyBytes.MatchString(sent), ", but the file was sent as %q", sent)
	}
	if digests.MatchString(l.name) {
		check("checksum", sure.MatchString(l.name), digestOf(text, file.content), ", which is not that of the file%s",
			m.what)
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
		if strings.HasPrefix(where, nameOf(r)+" "+list.path+"[].") && len(p.right[where]) > 1 {
			return true
		}
	}
	return false
}

// repeated reports whether the answer repeated a value of the request.
func (m *made) repeated(said leaf) bool {
	return slices.ContainsFunc(leaves(m.answer.body), func(l leaf) bool {
		return l.path == said.path && textOf(l.value) == textOf(m.said[l.name])
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
			a.broke(ruleAnswer, "what was said", "%s lacks %.50q, which was said", list.name, text)
		}
	}
}

// free reports whether a value of the request is a text that the server keeps
// as it is. A date is one, unless the answer is another kind of time.
func free(m *made, schema *openapi3.Schema, answered string) bool {
	if schema == unknown {
		return m.object == nil
	}
	if schema.Items != nil {
		schema = resolved(schema.Items)
	}
	return schema.Format == "" || schema.Format == "date" && len(answered) == len(time.DateOnly)
}

// wrapper returns the path of the object in which an answer wraps what was made,
// such as "file." around its id.
func (m *made) wrapper(all []leaf) (path string) {
	least := len(all) + 1
	for _, l := range all {
		depth := strings.Count(l.path, ".")
		if depth < least && l.at < 0 && strings.EqualFold(l.name, "id") && slices.Contains(m.own, textOf(l.value)) {
			least, path = depth, strings.TrimSuffix(l.path, l.name)
		}
	}
	return path
}

// saidAt returns the value that a request had at a path in its object, and its
// schema. If the path is longer than a name, it may also be the value of that
// name, not exactly there.
func (m *made) saidAt(path string) (said any, schema *openapi3.Schema, exact bool) {
	names := strings.Split(path, ".")
	above, last := names[:len(names)-1], names[len(names)-1]
	object, schema := m.object, m.schema
	for _, name := range above {
		object, _ = object[name].(map[string]any)
		schema = propertyOf(schema, name)
	}
	if schema = propertyOf(schema, last); len(above) > 0 && schema != unknown && object[last] != nil {
		return object[last], schema, true
	}
	return m.said[last], propertyOf(m.schema, last), len(above) == 0
}
