package wire

import (
	"regexp"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// cells are a text's bytes, each with its place in the original text.
type cells []cell

type cell struct {
	b        byte
	from, to int
}

func (c cells) text() string {
	text := make([]byte, len(c))
	for i := range c {
		text[i] = c[i].b
	}
	return string(text)
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
	next := func(from cells, escape *regexp.Regexp) cells {
		to := visible(unescape(from, escape))
		if len(to) != len(visible(from)) {
			all = append(all, to)
		}
		return to
	}
	next(next(all[0], common()), common())
	next(next(raw, printable()), common())
	return all
}

// common matches %2B, \x2b, %u002b, \u002b, \u{2b}, &#x2b;, &#43;, &amp; and
// \/. As in browsers, a number in HTML needs no end. Printable matches
// quoted-printable: =2B, and the line break after a "=". Unescape knows the
// groups by their order.
var (
	common = pattern(`(?:%|\\x)([[:xdigit:]]{2})|` +
		`[%\\]u([[:xdigit:]]{4})|\\u\{0*([[:xdigit:]]{1,6})\}|&#[xX]0*([[:xdigit:]]{1,6});?|` +
		`&#0*([0-9]{1,7});?|&([a-zA-Z]+);|\\([^ux])`)
	printable = pattern(`=([[:xdigit:]]{2})|=[ \r\n]+`)
)

// unescape decodes every escape that the expression matches.
func unescape(in cells, escape *regexp.Regexp) (out cells) {
	text, done := in.text(), 0
	for _, at := range escape.FindAllStringSubmatchIndex(text, -1) {
		group := func(i int) string {
			if 2*i >= len(at) || at[2*i] < 0 {
				return ""
			}
			return text[at[2*i]:at[2*i+1]]
		}
		plain := entities[group(6)] + group(7)
		if b, err := strconv.ParseUint(group(1), 16, 8); err == nil {
			plain = string([]byte{byte(b)})
		} else if r, err := strconv.ParseInt(group(2)+group(3)+group(4), 16, 32); err == nil {
			plain = string(rune(r))
		} else if r, err := strconv.ParseInt(group(5), 10, 32); err == nil {
			plain = string(rune(r))
		}
		out = append(out, in[done:at[0]]...)
		for i := range len(plain) {
			out = append(out, cell{plain[i], in[at[0]].from, in[at[1]-1].to})
		}
		done = at[1]
	}
	return append(out, in[done:]...)
}

// entities are HTML's names of characters that may stand in a secret. Any other
// name, such as a blank's, is left out. Importing package html would double
// what this package links.
var entities = map[string]string{
	"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'", "plus": "+", "sol": "/", "equals": "=", "period": ".",
	"comma": ",", "colon": ":", "semi": ";", "lowbar": "_", "num": "#", "percnt": "%", "commat": "@", "excl": "!",
	"quest":  "?",
	"dollar": "$", "ast": "*", "lpar": "(", "rpar": ")", "lsqb": "[", "rsqb": "]", "bsol": `\`, "vert": "|", "Hat": "^",
	"grave": "`",
}

// visible returns the text without blanks, control characters and characters
// that only control the layout.
func visible(in cells) cells {
	out := make(cells, 0, len(in))
	text := in.text()
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
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
