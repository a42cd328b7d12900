package probe

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// contents returns files that a server may change or lose a part of.
func contents() []content {
	every := make([]byte, 511)
	for i := range every {
		every[i] = byte(i)
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte("a text that was packed by the sender"))
	w.Close()
	text := []byte("\xef\xbb\xbfa\r\nb\r\n \n") // is sent as text/plain first, then as another media type
	alike := func(middle, end byte) []byte {
		part := func(b byte) []byte { return bytes.Repeat([]byte{b}, 70_000) }
		return slices.Concat(part('a'), part(middle), part(end))
	}
	return []content{
		{"white space at both ends", []byte(" \t\nx y  z\n\n ")},
		{"lines that end with CRLF", []byte("a\r\nb\nc\r\rd\r\n")},
		{"a byte order mark", []byte("\xef\xbb\xbf\xc3\xa9")},
		{"bytes of every value", every},
		{"zeros at its end", []byte("z\x00\x00\x00\x00")},
		{"bytes of gzip", zipped.Bytes()},
		{"base64", []byte("dXBsb2FkdGVzdCBvZiBiYXNlNjQ=")},
		{"escapes", []byte(`%41+&amp;\u0041\n<b>"'`)},
		{"an empty file", []byte{}},
		{"70,001 bytes", payload.Noise(70_001)},
		{"a byte order mark, CRLF and white space, in a text", text},
		{"the same text once more", text},
		{"1,200,001 bytes", payload.Noise(1_200_001)},
		{"210,000 bytes", alike('b', 'c')},
		{"210,000 bytes, in the middle others", alike('d', 'c')},
		{"210,000 bytes, at the end others", alike('b', 'd')},
	}
}

type content struct {
	what  string
	bytes []byte
}

// plainText is the number of the content that is sent as text/plain wherever
// the media type is free.
const plainText = 10

// largest is sent only where nothing else is wrong.
const largest = 10<<20 + 70_001

// nameVariety are changed where something is escaped or decoded too often or
// too seldom, folded, or cut.
var nameVariety = []string{
	"gr\u00fc\u00dfe 100%25+1.txt", "Two  spaces & more;1=2,3.TXT", ".hidden", "u\u0308-\u00fc.txt",
	"\U0001F4C4 \ud55c\uae00.txt",
	"'a' \"b\".tar.gz", "no ending", strings.Repeat("long-", 30) + ".txt", "[1]{2}(3)#4?5!.txt", "a.b.c.png",
	"text.txt", "-r *.txt", strings.Repeat("l", 300),
	"one.txt", "two.txt", "three.txt",
}

// varies uploads, by an operation, contents and names that a server may change
// or lose.
func (p *prober) varies(r *operation) {
	for _, s := range p.samples(r) {
		if r.closing {
			return // each upload asks it
		}
		again, a := p.make(r, "", s)
		if again == nil && p.parent(r) != nil {
			r.single = true
			again, a = p.make(r, "", s)
			r.single = again != nil
		}
		a.declined("other files and names: a second upload")
		if p.keep(again); again == nil {
			continue
		}
		if key := p.chosen(r); key != "" {
			m, a := p.make(r, "", p.rekeyed(r, s))
			if r.fixed = a.status == http.StatusNotFound || a.status == http.StatusForbidden; r.fixed {
				a.declined("another %s", key)
			}
			p.keep(m)
		}
		if len(again.outs) > 0 && !places(r) {
			p.crosswise(r, s)
			p.announces(r, s)
		}
		if len(again.outs) > 0 || slices.ContainsFunc(p.ops, func(r *operation) bool { return r.closing }) {
			p.refusesToComplete(r, s)
		}
		if m := p.flipped(again, payload.Noise(300)); m != nil {
			p.flipped(m, payload.Noise(301))
		}
		full, more := s.filled()
		if more {
			if p.uploads(r, "", "a request with fields that are not required", full) == nil {
				full = s
			} else {
				p.variant(r, full, nameVariety[0], 0, "", presignedContent)
			}
		}
		p.offers(r, s)
		content, _ := s.file()
		p.variesNames(r, s, content != nil || len(again.outs) > 0)
		if p.written(r, s); s.isForm() {
			p.several(r, full)
		}
		if p.chosen(r) != "" {
			p.replaces(r, s)
		}
		if content != nil {
			p.together(r, s)
			unsized := s.holding(payload.Noise(9_001)) // a server may refuse it, but must not take it for another
			unsized.unsized = true
			p.uploads(r, " (sent in chunks)", "a file without its length", unsized)
		}
		p.burst(r, s)
		p.sendsTwice(r, s)
		p.readsEarlier(again)
	}
}

// readsEarlier reads a file again that others were put in place of, if each got another
// number and the file can still be had under its own.
func (p *prober) readsEarlier(m *made) {
	for _, r := range p.ops {
		own := m.ids[r.last]
		if !reading(r) || !mayGiveFile(r) || !m.about(r) || !slices.ContainsFunc(p.kept, func(other *made) bool {
			return other.by == m.by && other.place == m.place && !slices.Contains([]string{"", own}, other.ids[r.last])
		}) {
			continue
		}
		if a := p.ask(r, p.good(r, m.found())); a.ok() {
			p.afterwards(" after others were put in its place", func() { p.compares(m, whole, a) })
		} else { // only some may be kept
			a.declined("the file of an earlier %s", r.last)
		}
	}
}

// variesNames uploads a file of each kind under a name of another kind, and files
// whose names have directories.
func (p *prober) variesNames(r *operation, s sample, isFile bool) {
	all := contents()
	if !isFile && !p.unlike(r, s.oddly(r, nameVariety[0], 0, everyName), s) {
		return // it says nothing
	}
	if r.respells {
		p.unseen(r, "whether names stay as they are: its description says that they are changed")
	}
	for i, name := range nameVariety {
		what, b := "", []byte("uploadtest")
		if isFile { // there are as many
			what, b = " (content: "+all[i].what+")", all[i].bytes
		}
		p.variant(r, s, name, i, what, p.withinLimit(b))
	}
	if _, one := s.file(); one && s.isForm() {
		for i, name := range []string{`dir\sub\uploadtest.txt`, "../../uploadtest.txt", "/dir/uploadtest.txt"} {
			p.variant(r, s, name, i, " (its directories are the sender's)", []byte("uploadtest"))
		}
	}
}

// variant uploads one variation. If the server refuses its texts, variant
// uploads the file under the odd name alone, and if it refuses that, under its
// plain name.
func (p *prober) variant(r *operation, s sample, name string, i int, what string, content []byte) {
	chosen, plain := p.chosen(r), p.rekeyed(r, s.holding(content))
	typed := plain
	if i == plainText {
		typed.fileType = "text/plain"
		if s.object == nil {
			typed.contentType = "text/plain"
		}
	} else if s.object != nil && i%2 == 1 {
		typed.fileType = "application/pdf"
	}
	odd := typed.oddly(r, name, i, everyName)
	ways := []sample{odd, plain}
	if chosen != "" {
		under := odd.under(chosen, name)
		if !p.valid(r, under) {
			p.unseen(r, "some names as its %s, which the spec does not allow", chosen)
		}
		ways = append([]sample{under}, ways...)
	}
	p.doing = ", for a file that is called " + apispec.Quoted(name) + " and texts like it"
	m, a := p.make(r, what, ways...)
	p.doing = ""
	switch {
	case a.status >= 500 && len(content) == 0:
		a.broke(ruleStatus, "empty", "%d to an empty file", a.status)
	case a.status >= 500:
		a.broke(ruleStatus, "odd name", "%d to a file that is called %s", a.status, apispec.Quoted(name))
	case a.status == http.StatusRequestEntityTooLarge:
		a.declined("a file of %d bytes", len(content))
	case a.status >= 400:
		refused := a
		refers, _ := p.refers(r, plain)
		if named := typed.oddly(r, name, i, names); !reflect.DeepEqual(named, odd) {
			m, _ = p.make(r, what, named)
		}
		if m != nil { // another text was refused
			break
		}
		switch m, a = p.make(r, what, plain); {
		case m != nil:
			refused.declined("the name %s, or a text like it", apispec.Quoted(name))
		case len(content) == 0:
			a.declined("an empty file")
		case p.mayBeTaken(r, plain, a):
			a.declined("a file%s", what)
		case a.status != 0 && !(missing(a.status) && refers && len(plain.files()) == 0):
			a.broke(ruleStatus, "refused", "%d to a file%s", a.status, what)
		}
	}
	p.keep(m)
}

// chosen returns the parameter of a PUT's path that the client chooses, or
// nothing.
func (p *prober) chosen(r *operation) string {
	last := r.last
	above, isLast := strings.CutSuffix(r.path, "/{"+last+"}")
	if !places(r) || !isLast || r.fixed || p.at(above, http.MethodPost) != nil ||
		!p.clientKeys[last] && strings.HasSuffix(strings.ToLower(last), "id") {
		return ""
	}
	return last
}

// rekeyed returns the sample under another key each time, if the client chooses
// one.
func (p *prober) rekeyed(r *operation, s sample) sample {
	key := p.chosen(r)
	for _, param := range r.required {
		if param.Name == key {
			p.renamings++
			s = s.under(key, varied(p.valueOf(r, param, sample{}), p.renamings))
		}
	}
	return s
}

// varied returns another text for each i, with a digit for each digit and a letter
// for each letter: 3.11.0 becomes 3.11.1. Only more than these can tell stand
// before it. An extension stays.
func varied(text string, i int) string {
	end := len(extension.ReplaceAllString(text, ""))
	other := []byte(text)
	for _, first := range []byte("0aA") {
		for at := end - 1; at >= 0; at-- {
			of := map[byte]int{'0': 10, 'a': 26, 'A': 26}[first]
			if n := int(other[at]) - int(first); 0 <= n && n < of {
				i += n
				other[at], i = first+byte(i%of), i/of
			}
		}
	}
	if i > 0 {
		return fmt.Sprint(i, string(other))
	}
	return string(other)
}

// written sends bodies that are right, and that few clients write so. A server
// may want the other fields of a form before its file.
func (p *prober) written(r *operation, s sample) {
	ways := map[string]sample{}
	respelled := func(what, part, as string) {
		if way := p.anew(r, s); bytes.Contains(way.body, []byte(part)) {
			way.body = bytes.Replace(way.body, []byte(part), []byte(as), 1)
			ways[what] = way
		}
	}
	switch content, one := s.file(); {
	case s.isJSON():
		charset := s
		charset.contentType += "; charset=utf-8"
		ways["a body of "+charset.contentType] = charset
	case s.isForm() && one:
		const typ, ofJSON = "Content-Type: text/plain\r\n", "Content-Type: application/json"
		respelled("a form with a part that states its length", typ,
			fmt.Sprintf("%sContent-Length: %d\r\n", typ, len(content)))
		respelled("a form with a part of JSON that names its charset", ofJSON+"\r\n", ofJSON+"; charset=utf-8\r\n")
		quoted := p.anew(r, s)
		quoted.contentType = strings.Replace(s.contentType, boundary, `"`+boundary+`"`, 1)
		ways["a form with a boundary in quotes"] = quoted
	}
	for what, way := range ways {
		if p.valid(r, way) {
			p.wants("body that few clients write so", r, p.good(r, way), what, what, "", 2, http.StatusConflict)
		}
	}
	if fields := s.fields(true); s.isForm() && 0 < len(fields) && len(fields) < len(s.object) {
		s.filesFirst = true
		p.uploads(r, " (sent before the other fields)", "a form with its file before the other fields",
			s.of(s.object, s.fileName))
	}
}

// several sends three files in an order that no sorting makes and of several media
// types, unless these are refused, two of one name, an empty one behind another, and
// one more than some servers take unless they are told.
func (p *prober) several(r *operation, s sample) {
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf("%d-uploadtest.txt", i)
	}
	for _, name := range s.fields(true) {
		for _, of := range []struct{ called, hold, types []string }{
			{[]string{"b-uploadtest.txt", "c-uploadtest.txt", "a-uploadtest.txt"}, []string{"bb", "a", "ccc"},
				s.typesOf(name)},
			{[]string{"uploadtest.txt", "uploadtest.txt"}, []string{"bb", "a"}, nil},
			{[]string{"uploadtest.txt", "empty.txt"}, []string{"bb", ""}, nil},
			{many, many, nil},
		} {
			all, files := s, []any{}
			for _, content := range of.hold {
				files = append(files, content)
			}
			const what = " (of several, in the order of the request)"
			all.names, all.types = of.called, of.types
			m, a := p.make(r, what, all.with(name, files))
			if all.types = nil; m == nil && len(of.types) > 1 {
				a.declined("a request with files of %q", of.types)
				m, a = p.make(r, what, all.with(name, files))
			}
			if a.declined("a request with files called %q", of.called); len(files) > 3 && m != nil {
				p.reads(m)
			} else {
				p.keep(m)
			}
		}
	}
}

// replaces puts a shorter file where a longer one is, beside one whose name
// differs in its case only.
func (p *prober) replaces(r *operation, s sample) {
	name := p.chosen(r)
	key := p.rekeyed(r, s).params[name]
	for i, put := range []struct{ key, what string }{
		{key, " (under a key that others begin with)"}, {key + "-A", ""},
		{key + "-a", " (under the key of another in the other case)"},
		{key + "-A", " (in place of another)"}, {key + "-A", " (in place of one of its size)"},
	} {
		content := bytes.Repeat([]byte{"abcde"[i]}, max(20, 50-10*i)) // the end of one is no other
		p.uploads(r, put.what, "one of two keys that are much alike", s.under(name, put.key).holding(content))
	}
}

// sendsLargest uploads the largest file, once.
func (p *prober) sendsLargest() {
	for _, m := range p.kept {
		takesMore := slices.ContainsFunc(p.kept, func(other *made) bool { return other != m && other.by == m.by })
		if len(m.files) == 1 && takesMore && p.told.Nothing() && (p.MaxSize == 0 || p.MaxSize >= largest) {
			s := m.sample
			s.params = m.ids
			p.variant(m.by, s, nameVariety[0], 99, fmt.Sprintf(" (content: %d bytes)", largest), payload.Noise(largest))
			return
		}
	}
}
