package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// JSON is one JSON value as a server wrote it. The zero JSON is no value.
//
// Servers write JSON in other ways than their documentation: a number comes as
// a text or as 16.0, a text as a number, and a key in another case. A success
// must be understood all the same, and so must the reason of a failure. Dotted
// paths name what is looked for. Decoding with encoding/json would cost a small
// upload 4 % more.
type JSON struct{ text string } // valid, without blanks around it

// ParseJSON returns the JSON object or array that body begins with. A byte order
// mark may stand in front. After an error, nothing is found in the value.
func ParseJSON(body []byte) (JSON, error) {
	v, _ := value(string(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	if v == "" || v[0] != '{' && v[0] != '[' {
		return JSON{}, errors.New("it is no whole JSON object")
	}
	return JSON{v}, nil
}

// Text returns the first of the paths that holds a string or a whole number, as
// text with all its digits. It is empty if none does.
func (j JSON) Text(paths ...string) string {
	for _, path := range paths {
		v := j.at(path).text
		if text := cmp.Or(unquote(v), whole(v)); text != "" {
			return text
		}
	}
	return ""
}

// Quoted returns the string at a path. It is empty for any other value.
func (j JSON) Quoted(path string) string { return unquote(j.at(path).text) }

// Int returns the whole number at a path. It may be a text, or have a fraction
// of zero. Known is false for null, an empty text, and where there is nothing.
func (j JSON) Int(path string) (value int64, known bool, err error) {
	v := j.at(path).text
	if v == "" || v == "null" || v == `""` {
		return 0, false, nil
	}
	digits := whole(strings.TrimSpace(cmp.Or(unquote(v), v)))
	if value, err = strconv.ParseInt(digits, 10, 64); err != nil {
		return 0, false, errors.New("is no whole number, or too large")
	}
	return value, true, nil
}

// Elements returns the elements of the array at a path.
func (j JSON) Elements(path string) (elements []JSON) {
	for v, rest := j.at(path).inside('['); v != ""; v, rest = value(rest) {
		elements = append(elements, JSON{v})
	}
	return elements
}

// Compact returns the value at a path without blanks. It is empty for null, and
// where there is nothing.
func (j JSON) Compact(path string) string {
	var text bytes.Buffer
	if v := j.at(path).text; v != "null" {
		_ = json.Compact(&text, []byte(v))
	}
	return text.String()
}

// at returns the value at a path. If no key is the same, the first one counts
// that differs only in case.
func (j JSON) at(path string) JSON {
	for name := range strings.SplitSeq(path, ".") {
		below, found := "", ""
		for key, rest := j.inside('{'); key != ""; key, rest = value(rest) {
			var v string
			v, rest = value(rest)
			key = unquote(key)
			if key == name || found != name && strings.EqualFold(key, name) && (found == "" || key <= found) {
				below, found = v, key
			}
		}
		j = JSON{below}
	}
	return j
}

// inside returns the first key of an object, which begins with {, or the first
// element of an array, which begins with [, and the text behind it.
func (j JSON) inside(begin byte) (first, rest string) {
	if j.text == "" || j.text[0] != begin {
		return "", ""
	}
	return value(j.text[1:])
}

// value returns the JSON value that text begins with, and the text behind it.
// Blanks, commas and colons may stand in front. The value is empty if there is
// none before the end of the object or array, or if it is cut off.
func value(text string) (v, rest string) {
	start, depth := 0, 0
	for i := 0; i < len(text); i++ {
		between := false
		switch text[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			between = true
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default: // a number or a word goes on
			continue
		}
		switch {
		case depth < 0, depth == 0 && between && start < i: // behind a number or a word
			return text[start:i], text[i:]
		case depth == 0 && between:
			start = i + 1
		case depth == 0 && i < len(text):
			return text[start : i+1], text[i+1:]
		}
	}
	return "", ""
}

// unquote returns the text of a JSON string. It is empty for any other value.
func unquote(v string) string {
	switch {
	case v == "" || v[0] != '"':
		return ""
	case !strings.Contains(v, `\`) && utf8.ValidString(v):
		return v[1 : len(v)-1]
	}
	var text string
	_ = json.Unmarshal([]byte(v), &text)
	return text
}

// whole returns the digits of a whole number in JSON, such as 16, 16.0 or
// 1.6e1. A float64 would lose some of them. It returns an empty text for any
// other text.
func whole(number string) string {
	if strings.Trim(strings.TrimPrefix(number, "-"), "0123456789") == "" {
		return number
	}
	_, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	shift, err := strconv.Atoi(exponent)
	if exponent != "" && (err != nil || max(shift, -shift) > 100) || strings.Trim(number, "0123456789.eE+-") != "" {
		return "" // 1e999999999 is short to write
	}
	if n, ok := new(big.Rat).SetString(number); ok && n.IsInt() {
		return n.Num().String()
	}
	return ""
}
