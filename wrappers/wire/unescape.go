package wire

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cells are a text's bytes, each with its place in the original text.
type cells []cell

type cell struct {
	b        byte
	from, to int
}

func (c cells) text() []byte {
	text := make([]byte, len(c))
	for i := range c {
		text[i] = c[i].b
	}
	return text
}

func cellsOf(text string) cells {
	c := make(cells, len(text))
	for i := range len(text) {
		c[i] = cell{text[i], i, i + 1}
	}
	return c
}

// views returns the text as it is, and decoded. Servers repeat what they got
// escaped for a URL, HTML, JSON or mail (quoted-printable), sometimes in two of
// these ways.
func views(text string) []cells {
	raw := cellsOf(text)
	all := []cells{visible(raw)}
	next := func(from cells, decode func(cells, int) (string, int)) cells {
		if to := visible(unescape(from, decode)); len(to) != len(visible(from)) {
			all = append(all, to)
			return to
		}
		return from
	}
	next(next(all[0], common), common)
	next(next(raw, printable), common)
	return all
}

// unescape decodes every escape that decode finds.
func unescape(in cells, decode func(in cells, at int) (plain string, length int)) cells {
	out := make(cells, 0, len(in))
	for i := 0; i < len(in); {
		plain, n := decode(in, i)
		if n == 0 {
			out = append(out, in[i])
			i++
			continue
		}
		for j := range len(plain) {
			out = append(out, cell{plain[j], in[i].from, in[i+n-1].to})
		}
		i += n
	}
	return out
}

// common decodes %2B, %u002b, &#43;, &amp;, \u002b, \u{2b}, \x2b and \/.
func common(in cells, at int) (plain string, length int) {
	switch in[at].b {
	case '%':
		if at+1 < len(in) && in[at+1].b == 'u' {
			return code(in, at+2, 4, 2)
		}
		return code(in, at+1, 2, 1)
	case '&':
		name := entityName().FindString(string(in[at+1 : min(at+20, len(in))].text()))
		plain, end := entity(name), at+1+len(name)
		switch {
		case plain == "":
		case end < len(in) && in[end].b == ';':
			return plain, end + 1 - at
		case name[0] == '#': // browsers read a number without its end, too
			return plain, end - at
		}
	case '\\':
		if at+1 == len(in) {
			return "", 0
		}
		switch in[at+1].b {
		case 'u':
			if at+2 < len(in) && in[at+2].b == '{' {
				return braced(in, at)
			}
			return code(in, at+2, 4, 2)
		case 'x':
			return code(in, at+2, 2, 2)
		}
		return string(rune(in[at+1].b)), 2
	}
	return "", 0
}

// entities are HTML's names of characters that may stand in a secret. Importing
// package html would double what this package links.
var entities = map[string]string{
	"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'", "plus": "+", "sol": "/", "equals": "=", "period": ".",
	"comma": ",", "colon": ":", "semi": ";", "lowbar": "_", "num": "#", "percnt": "%", "commat": "@", "excl": "!",
	"quest":  "?",
	"dollar": "$", "ast": "*", "lpar": "(", "rpar": ")", "lsqb": "[", "rsqb": "]", "bsol": `\`, "vert": "|", "Hat": "^",
	"grave": "`",
}

// invisible are HTML's names of blanks and other characters without ink.
var invisible = set("nbsp ensp emsp thinsp hairsp numsp puncsp shy zwj zwnj lrm rlm Tab NewLine ZeroWidthSpace NoBreak")

var entityName = pattern(`^(#[xX][0-9a-fA-F]{1,8}|#[0-9]{1,8}|[a-zA-Z]+)`)

// entity returns the text of an HTML entity, whose name has no "&" and ";".
func entity(name string) string {
	digits, numeric := strings.CutPrefix(name, "#")
	switch {
	case invisible[name]:
		return " "
	case !numeric:
		return entities[name]
	}
	base := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseInt(digits, base, 32)
	if err != nil || n <= 0 {
		return ""
	}
	return string(rune(n))
}

// printable decodes quoted-printable: =2B, and the line break after a "=".
func printable(in cells, at int) (plain string, length int) {
	if in[at].b != '=' {
		return "", 0
	}
	end := at + 1
	for end < len(in) && (in[end].b == ' ' || in[end].b == '\r' || in[end].b == '\n') {
		end++
	}
	if end > at+1 {
		return "", end - at
	}
	return code(in, at+1, 2, 1)
}

// braced decodes \u{2b}.
func braced(in cells, at int) (plain string, length int) {
	end := at + 3
	for end < len(in) && end < at+10 && in[end].b != '}' {
		end++
	}
	if plain, length = code(in, at+3, end-at-3, 3); length == 0 || end == len(in) {
		return "", 0
	}
	return plain, length + 1
}

// code decodes hexadecimal digits at a place. The length that it returns
// includes the characters of the introduction before them.
func code(in cells, at, digits, introduction int) (plain string, length int) {
	if at+digits > len(in) {
		return "", 0
	}
	n, err := strconv.ParseUint(string(in[at:at+digits].text()), 16, 32)
	if err != nil {
		return "", 0
	}
	if digits == 2 {
		return string([]byte{byte(n)}), introduction + digits
	}
	return string(rune(n)), introduction + digits
}

// visible returns the text without blanks, control characters and characters
// that only control the layout.
func visible(in cells) cells {
	out := make(cells, 0, len(in))
	text := in.text()
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if !unicode.IsSpace(r) && !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) {
			out = append(out, in[i:i+n]...)
		}
		i += n
	}
	return out
}

// fold makes texts equal that differ only in case or blanks. A "+" stands for a
// blank in a URL's query, so a text that has one is also returned without it.
func fold(in cells) []cells {
	with := visible(in)
	var without cells
	for i, c := range with {
		if 'A' <= c.b && c.b <= 'Z' {
			with[i].b += 'a' - 'A'
		}
		if c.b != '+' {
			without = append(without, with[i])
		}
	}
	if len(without) == len(with) {
		return []cells{with}
	}
	return []cells{with, without}
}
