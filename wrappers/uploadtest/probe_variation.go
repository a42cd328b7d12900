package uploadtest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
)

// Files, names and texts of many kinds are uploaded. Each upload is read back
// at once, and again at the end.

// contents are files that a server may change or lose a part of.
var contents = []struct {
	what string
	make func() []byte
}{
	{"white space at both ends", func() []byte { return []byte(" \t\nx y  z\n\n ") }},
	{"lines that end with CRLF", func() []byte { return []byte("a\r\nb\nc\r\rd\r\n") }},
	{"a byte order mark", func() []byte { return []byte("\xef\xbb\xbf\xc3\xa9") }},
	{"bytes of every value", func() []byte {
		b := make([]byte, 511)
		for i := range b {
			b[i] = byte(i + i/256*7)
		}
		return b
	}},
	{"zeros at its end", func() []byte { return []byte("z\x00\x00\x00\x00") }},
	{"bytes of gzip", func() []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte("a text that was packed by the sender"))
		w.Close()
		return b.Bytes()
	}},
	{"base64", func() []byte { return []byte("dXBsb2FkdGVzdCBvZiBiYXNlNjQ=") }},
	{"escapes", func() []byte { return []byte(`%41+&amp;\u0041\n<b>"'`) }},
	{"an empty file", func() []byte { return []byte{} }},
	{"70,001 bytes", func() []byte { return noise(70_001) }},
	{"1,200,001 bytes", func() []byte { return noise(1_200_001) }},
}

// largest is sent only where nothing else is wrong.
const largest = 10<<20 + 70_001

// nameVariety are changed where something is escaped or decoded too often or
// too seldom, folded, or cut.
var nameVariety = []string{
	"gr\u00fc\u00dfe 100%25+1.txt", "Two  spaces & more;1=2,3.TXT", ".hidden", "u\u0308-\u00fc.txt",
	"\U0001F4C4 \ud55c\uae00.txt",
	"'a' \"b\".tar.gz", "no ending", strings.Repeat("long-", 30) + ".txt", "[1]{2}(3)#4?5!.txt", "a.b.c.png",
	"-r *.txt", strings.Repeat("l", 300),
}

// oddText is the same for any text of a request.
const oddText = "Gr\u00fc\u00dfe  & <b>'x'</b>; 100%25+1, \"y\" \ud55c\uae00 \U0001F4C4"

// varies uploads, by an operation, contents and names that a server may change
// or lose.
func (p *prober) varies(r *routers.Route) {
	for _, s := range samples(r) {
		if p.closing[nameOf(r)] {
			return // each upload asks it
		}
		again, _ := p.make(r, "", presignedContent, s) // once more
		if again == nil {
			continue
		}
		p.keep(again)
		if len(again.outs) > 0 {
			p.crosswise(r, s)
			p.announces(r, s)
		}
		if len(p.closing) > 0 && len(s.files()) == 0 {
			p.refusesToComplete(r, s)
		}
		for m, i := again, 0; m != nil && i < 2; i++ {
			m = p.flipped(m, noise(300+i))
		}
		full, more := s.filled()
		if more {
			m, a := p.make(r, "", presignedContent, full)
			if p.keep(m); m == nil {
				p.unseen(r, "fields that are not required, which are refused by %d", a.status)
				full = s
			}
		}
		content, one := s.file()
		isForm, isFile := s.typ == "multipart/form-data", content != nil || len(again.outs) > 0
		for i, name := range nameVariety {
			if !isFile && p.chosen(r) == "" && len(s.object) == 0 {
				break
			}
			what, b := "", []byte("uploadtest")
			if i < len(contents) && isFile {
				what, b = " (content: "+contents[i].what+")", contents[i].make()
			}
			if p.MaxSize > 0 && int64(len(b)) > p.MaxSize {
				b = b[:p.MaxSize]
			}
			p.variant(r, s, name, i, what, b)
		}
		if isForm && one {
			p.written(r, s)
			for i, name := range []string{`dir\sub\uploadtest.txt`, "../../uploadtest.txt", "/dir/uploadtest.txt"} {
				p.variant(r, s, name, i, " (its directories are the sender's)", []byte("uploadtest"))
			}
		}
		if strings.HasSuffix(s.typ, "json") {
			charset := s
			charset.contentType += "; charset=utf-8"
			if req := p.valid(r, charset); req != nil {
				p.wants("media type with a charset", r, req, "charset", "a body of "+charset.contentType, 2, http.StatusConflict)
			}
		}
		if isForm {
			p.several(r, full)
		}
		if p.chosen(r) != "" {
			p.replaces(r, s)
		}
		if content != nil {
			p.takesUnsized(r, s)
		}
	}
}

// sendsLargest uploads the largest file, once.
func (p *prober) sendsLargest() {
	for _, m := range p.kept {
		if len(m.files) == 1 && p.told.nothing() && (p.MaxSize == 0 || p.MaxSize > largest) {
			s := m.sample
			s.params = m.ids
			p.variant(m.by, s, nameVariety[0], 99, fmt.Sprintf(" (content: %d bytes)", largest), noise(largest))
			return
		}
	}
}

// crosswise starts two uploads before it sends the bytes of the first, and mixes
// their URLs.
func (p *prober) crosswise(r *routers.Route, s sample) {
	var two [2]*made
	var sent [2]*http.Request
	for i := range two {
		s := s.holding(fmt.Appendf(nil, "%s%d", presignedContent, i))
		if two[i], _ = p.start(r, p.good(r, s), s, " (after another was started)"); two[i] == nil || !two[i].waiting {
			return
		}
	}
	for i, m := range two {
		sent[i] = p.presignedRequest(m.outs[0], presignedContent)
	}
	if form, first := two[1].outs[0], two[0].outs[0].Fields["key"]; first != form.Fields["key"] {
		form.Fields = maps.Clone(form.Fields)
		form.Fields["key"] = first
		p.wants("tampered form", r, p.presignedRequest(form, presignedContent), "presigned key",
			"the form that it handed out, with the key of another: it must be refused by a 4xx", 4)
	}
	if first, mixed := sent[0].URL, sent[1].URL; first.Path != mixed.Path && signs.MatchString(mixed.RawQuery) {
		mixed.Path, mixed.RawPath = first.Path, first.RawPath
		p.wants("tampered URL", r, sent[1], "presigned key",
			"the URL of another upload with the query of the one that it handed out: it must be refused by a 4xx", 4)
	}
	for _, m := range two {
		p.sends(m, m.outs[0], m.later)
		p.keep(m)
	}
}

// keep remembers m, to be read again at the end.
func (p *prober) keep(m *made) {
	if m == nil {
		return
	}
	p.kept = slices.DeleteFunc(p.kept, func(old *made) bool {
		return m.by.Method == http.MethodPut && old.place == m.place ||
			m.by.Method == http.MethodPost && (slices.Equal(old.own, m.own) || len(m.files) == 0 && m.equals(old))
	})
	p.kept = append(p.kept, m)
	p.reads(m, "")
}

// variant uploads one variation. If the server refuses its name, variant
// uploads the file under its plain name.
func (p *prober) variant(r *routers.Route, s sample, name string, i int, what string, content []byte) {
	chosen, plain := p.chosen(r), s.holding(content)
	plain = plain.under(chosen, varied(p.learned[chosen], i))
	odd := plain
	if s.object != nil {
		if i%2 == 1 {
			odd.fileType = "application/pdf"
		}
		odd = odd.of(plain.texts(plain.object, plain.schema, upload.BaseName(name), i), name)
	}
	for _, param := range required(r) {
		if schema := param.Schema; param.In == openapi3.ParameterInQuery && schema != nil && schema.Value.Type.Is("string") {
			odd = odd.under(param.Name, oddly(param.Name, name, schema.Value, i))
		}
	}
	ways := []sample{odd, plain}
	if keys.MatchString(chosen) {
		ways = append([]sample{odd.under(chosen, name)}, ways...)
	}
	p.doing = fmt.Sprintf(", for a file that is called %.60q and texts like it", name)
	m, a := p.make(r, what, content, ways...)
	p.doing = ""
	switch {
	case a.status >= 500 && len(content) == 0:
		a.broke(contract.RuleStatus, "empty", "%d to an empty file", a.status)
	case a.status >= 500:
		a.broke(contract.RuleStatus, "odd name", "%d to a file that is called %.60q", a.status, name)
	case a.status == http.StatusRequestEntityTooLarge:
		p.unseen(r, "a file of %d bytes, which is refused by 413", len(content))
	case a.status >= 400:
		refused := a.status
		switch m, a = p.make(r, what, content, plain); {
		case m != nil:
			p.unseen(r, "the name %.60q, or a text like it, which is refused by %d", name, refused)
		case len(content) == 0:
			p.unseen(r, "an empty file, which is refused by %d", a.status)
		case a.status != 0:
			a.broke(contract.RuleStatus, "refused", "%d to a file%s", a.status, what)
		}
	}
	p.keep(m)
}

// keys match the parameters under which a client may put a file by its name.
var keys = regexp.MustCompile(`(?i)name|key|path|file|slug|title|id$`)

// varied returns another value that looks like a key.
func varied(key string, i int) string {
	if n := fmt.Sprint(i); len(key) > len(n)+2 {
		return key[:len(key)-len(n)] + n
	}
	return key + fmt.Sprint(i)
}

// chosen returns the parameter of a PUT's path that the client chooses, or
// nothing.
func (p *prober) chosen(r *routers.Route) string {
	last := lastParam(r)
	above, isLast := strings.CutSuffix(r.Path, "/{"+last+"}")
	if r.Method != http.MethodPut || !isLast || p.at(above, http.MethodPost) != nil ||
		!p.own[last] && strings.HasSuffix(strings.ToLower(last), "id") {
		return ""
	}
	return last
}

// texts returns the object with other texts. A member called a name gets the
// name. Any other free text becomes a text that is as odd.
func (s sample) texts(object map[string]any, schema *openapi3.Schema, name string, i int) map[string]any {
	object = maps.Clone(object)
	for member, value := range object {
		property := schema.Properties[member]
		if property == nil || property.Value == nil || property.Value.Format != "" || isBinary(property) ||
			checksums.MatchString(member) {
			continue
		}
		switch inner := value.(type) {
		case map[string]any:
			object[member] = s.texts(inner, property.Value, name, i)
			continue
		case []any:
			first, ok := slices.Concat(inner, []any{nil})[0].(map[string]any)
			if ok && len(inner) == 1 && property.Value.Items != nil {
				object[member] = []any{s.texts(first, property.Value.Items.Value, name, i)}
			}
			continue
		}
		if _, isText := value.(string); !isText {
			continue
		}
		if types.MatchString(member) {
			if i == 4 && strings.HasSuffix(s.typ, "json") {
				object[member] = "text/plain; charset=utf-8"
			}
			continue
		}
		object[member] = oddly(member, name, property.Value, i)
		if i%4 == 3 && !slices.Contains(schema.Required, member) {
			delete(object, member)
		}
	}
	return object
}

// oddly returns another text for a member or a parameter. One that is called a
// name gets the name. Any other gets a text that is as odd, sometimes of the
// greatest length.
func oddly(member, name string, schema *openapi3.Schema, i int) string {
	if enum := schema.Enum; len(enum) > 0 {
		return textOf(enum[i%len(enum)])
	}
	text := oddText
	if names.MatchString(member) {
		text = name
	}
	if most := schema.MaxLength; most != nil {
		if i%4 == 1 && *most < 5000 {
			text = strings.Repeat(text, int(*most))
		}
		text = string([]rune(text)[:min(*most, uint64(utf8.RuneCountInString(text)))])
	}
	return strings.TrimSpace(text)
}

// flipped uploads once more, with the opposite of each yes or no that the answer
// told. The upload is not kept, since some of these may hide it.
func (p *prober) flipped(m *made, content []byte) *made {
	wrapper, object := m.wrapper(leaves(m.answer.body)), maps.Clone(m.object)
	for _, l := range leaves(m.answer.body) {
		name := strings.TrimPrefix(l.path, wrapper)
		if yes, ok := l.value.(bool); ok && m.schema != nil && m.schema.Properties[name] != nil &&
			m.schema.Properties[name].Value.Type.Is("boolean") && !m.schema.Properties[name].Value.ReadOnly {
			object[name] = !yes
		}
	}
	if maps.EqualFunc(object, m.object, func(a, b any) bool { return reflect.DeepEqual(a, b) }) {
		return nil
	}
	m, _ = p.make(m.by, "", content, m.sample.of(object, m.fileName).holding(content))
	return m
}

// prose matches the fields whose texts change nothing else.
var prose = regexp.MustCompile(`(?i)^(title|label|subject|description|comments?|notes?|caption|summary|category)$`)

// filled returns the sample with each prose that it may have, and with two values
// in each list of texts or of files, and whether there are any.
func (s sample) filled() (full sample, more bool) {
	if s.object == nil {
		return s, false
	}
	object := maps.Clone(s.object)
	for name, list := range s.schema.Properties {
		if object[name] == nil && prose.MatchString(name) && list.Value.Type.Is("string") && !list.Value.ReadOnly {
			object[name], more = madeUp(list, 0), true
		}
		if items := list.Value.Items; items != nil && items.Value.Type.Is("string") && !list.Value.ReadOnly &&
			len(items.Value.Enum) == 0 && items.Value.Pattern == "" && (items.Value.Format == "" || isBinary(items)) &&
			(list.Value.MaxItems == nil || *list.Value.MaxItems > 1) {
			object[name], more = []any{"uploadtest-b", "uploadtest-a"}, true
		}
	}
	return s.of(object, s.fileName), more
}

// holding returns the sample with other bytes in its file, or for the URL in
// the answer.
func (s sample) holding(content []byte) sample {
	s.later = content
	if s.object == nil {
		if s.body != nil {
			s.body = content
		}
		return s
	}
	fields := s.fileFields()
	s.object = maps.Clone(s.object)
	for _, name := range fields {
		if s.object[name] = content; len(fields) > 1 { // no file is like that of another field
			s.object[name] = slices.Concat(content, []byte(name))
		}
	}
	return s.stating()
}

// under returns the sample with another value of a parameter.
func (s sample) under(param, value string) sample {
	s.params = maps.Clone(s.params)
	if s.params == nil {
		s.params = map[string]string{}
	}
	s.params[param] = value
	return s
}

// unique matches the names of members whose value nothing else may have.
var unique = regexp.MustCompile(names.String() + `|(?i)^(path|key|slug|title)$`)

// renamed returns the sample under other names.
func (p *prober) renamed(r *routers.Route, s sample) sample {
	p.names++
	other := func(name string) string {
		base := strings.LastIndexAny(name, `/\`) + 1
		return fmt.Sprintf("%s%d-%s", name[:base], p.names, name[base:])
	}
	for _, param := range required(r) {
		if param.In != openapi3.ParameterInPath && unique.MatchString(param.Name) {
			s = s.under(param.Name, other(p.valueOf(param, s)))
		}
	}
	if s.object == nil {
		return s
	}
	object := maps.Clone(s.object)
	for member, value := range object {
		if text, ok := value.(string); ok && unique.MatchString(member) && !isBinary(s.schema.Properties[member]) {
			object[member] = other(text)
		}
	}
	s.names = slices.Clone(s.names)
	for i, name := range s.names {
		s.names[i] = other(name)
	}
	return s.of(object, other(s.fileName))
}

// anew returns the sample, under other names if the operation takes each once.
func (p *prober) anew(r *routers.Route, s sample) sample {
	if p.once[nameOf(r)] {
		return p.renamed(r, s)
	}
	return s
}

// written sends forms that are right, and that few clients write so.
func (p *prober) written(r *routers.Route, s sample) {
	content, one := s.file()
	stated, quoted := p.anew(r, s), p.anew(r, s)
	typ, length := "Content-Type: text/plain\r\n", fmt.Sprintf("Content-Length: %d\r\n", len(content))
	stated.body = bytes.Replace(stated.body, []byte(typ), []byte(typ+length), 1)
	quoted.contentType = strings.Replace(s.contentType, boundary, `"`+boundary+`"`, 1)
	for what, form := range map[string]sample{"a part that states its length": stated, "a boundary in quotes": quoted} {
		if req := p.valid(r, form); one && req != nil {
			p.wants("form", r, req, what, "a form with "+what, 2, http.StatusConflict)
		}
	}
}

// several sends three files in an order that no sorting makes, two of one name,
// an empty one behind another, and one more than some servers take unless they
// are told.
func (p *prober) several(r *routers.Route, s sample) {
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf("%d-uploadtest.txt", len(many)-i)
	}
	for _, name := range s.fileFields() {
		for _, of := range []struct{ called, hold []string }{
			{[]string{"b-uploadtest.txt", "c-uploadtest.txt", "a-uploadtest.txt"}, []string{"bb", "a", "ccc"}},
			{[]string{"uploadtest.txt", "uploadtest.txt"}, []string{"bb", "a"}},
			{[]string{"uploadtest.txt", "empty.txt"}, []string{"bb", ""}},
			{many, many},
		} {
			all, files := s, []any{}
			for _, content := range of.hold {
				files = append(files, content)
			}
			all.names = of.called
			all = all.of(all.with(name, files), "uploadtest.txt")
			m, a := p.make(r, " (of several, in the order of the request)", nil, all)
			switch {
			case m == nil && a.status != 0:
				p.unseen(r, "files called %.60q, which are refused by %d", of.called, a.status)
			case len(files) > 3 && m != nil:
				p.reads(m, "")
			default:
				p.keep(m)
			}
		}
	}
}

// replaces puts a shorter file where a longer one is, beside one whose name
// differs in its case only.
func (p *prober) replaces(r *routers.Route, s sample) {
	name := p.chosen(r)
	key := varied(p.learned[name], 55)
	for i, put := range []struct{ key, what string }{
		{key, " (under a key that others begin with)"}, {key + "-A", ""}, {key + "-a", " (under a key of other letters)"},
		{key + "-A", " (in place of another)"},
	} {
		m, _ := p.make(r, put.what, nil, s.under(name, put.key).holding(bytes.Repeat([]byte("uploadtest"), 5-i)))
		p.keep(m)
	}
}

// takesUnsized sends a file without its length. A server may refuse it, but
// must not take it for another.
func (p *prober) takesUnsized(r *routers.Route, s sample) {
	s = s.holding(noise(9_001))
	req := p.good(r, s)
	req.ContentLength = -1
	if m, a := p.start(r, req, s, " (sent in chunks)"); m != nil {
		p.compares(m, -1, a)
		p.keep(m)
	}
}

// mixes asks for a part of one thing under the id of another.
func (p *prober) mixes(r *routers.Route) {
	last := lastParam(r)
	var of []*made
	for _, m := range p.kept {
		if r.Method == http.MethodGet && len(required(r)) > 1 && m.about(r) && !m.waiting {
			of = append(of, m)
		}
	}
	for _, one := range of {
		other := of[len(of)-1]
		if slices.ContainsFunc(one.ofFile, func(ids map[string]string) bool { return ids[last] == other.ids[last] }) ||
			one.place != other.place || slices.Equal(one.own, other.own) {
			continue
		}
		mixed := one.found().under(last, other.ids[last])
		if p.pathOf(r, mixed) == p.pathOf(r, other.found()) { // both are under the same
			continue
		}
		p.refused("part of another", "a part of another upload", r, p.good(r, mixed))
		return
	}
}

// again reads all uploads that were kept: no later request may have changed
// them.
func (p *prober) again(after string) {
	for _, m := range p.kept {
		p.reads(m, after)
	}
	for _, r := range p.contract.routes {
		p.lists(r)
	}
}
