package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Servers write JSON in other ways than their documentation: a number comes as
// a text or as 16.0, a text as a number, a key in another case, and a byte
// order mark may come first. A success must be understood all the same, and so
// must the reason of a failure.

// DecodeJSON reads the first JSON value of body into v. If the type of a field
// is not v's, the error names the field, and all other fields are read.
func DecodeJSON(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	if _, ok := errors.AsType[*json.SyntaxError](err); ok { // Unmarshal refuses a body with more after its value
		err = decoder(body).Decode(v)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is of the wrong type, a JSON %s", cmp.Or(wrong.Field, "it"), wrong.Value)
	}
	return err
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func decoder(body []byte) *json.Decoder {
	return json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, byteOrderMark)))
}

// JSONText is a text that may come as a whole number, such as an id. It keeps
// the text exactly, and every digit of the number. Anything else leaves it
// empty.
type JSONText string

// UnmarshalJSON implements json.Unmarshaler. It never fails, so that the fields
// behind it are read as well.
func (t *JSONText) UnmarshalJSON(raw []byte) error {
	if text, ok := unescaped(raw); ok {
		*t = JSONText(text)
		return nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text, _ = whole(string(raw))
	}
	*t = JSONText(text)
	return nil
}

// unescaped returns a JSON text that has nothing escaped. It costs less than
// json.Unmarshal, and most ids are such texts.
func unescaped(raw []byte) (text string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	for _, c := range raw {
		if c == '\\' || c > '~' {
			return "", false
		}
	}
	return string(raw[1 : len(raw)-1]), true
}

// JSONInt is a whole number that may come as a text, or with a fraction of
// zero.
type JSONInt struct {
	Value  int64
	Known  bool // there was such a number
	Broken bool // there was another value, neither null nor an empty text
}

// UnmarshalJSON implements json.Unmarshaler. It never fails, so that the fields
// behind it are read as well.
func (n *JSONInt) UnmarshalJSON(raw []byte) error {
	if value, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		*n = JSONInt{Value: value, Known: true}
		return nil
	}
	text := string(raw)
	if text == "null" || json.Unmarshal(raw, &text) == nil && text == "" {
		*n = JSONInt{}
		return nil
	}
	digits, ok := whole(strings.TrimSpace(text))
	value, err := strconv.ParseInt(digits, 10, 64)
	ok = ok && err == nil
	if !ok {
		value = 0
	}
	*n = JSONInt{Value: value, Known: ok, Broken: !ok}
	return nil
}

// whole returns the digits of a whole number in JSON, such as 16, 16.0 or
// 1.6e1. A float64 would lose some of them.
func whole(number string) (digits string, ok bool) {
	if strings.Trim(strings.TrimPrefix(number, "-"), "0123456789") == "" {
		return number, true
	}
	_, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	shift, err := strconv.Atoi(exponent)
	if exponent != "" && (err != nil || max(shift, -shift) > 100) || strings.Trim(number, "0123456789.eE+-") != "" {
		return "", false // 1e999999999 is short to write
	}
	n, ok := new(big.Rat).SetString(number)
	if !ok || !n.IsInt() {
		return "", false
	}
	return n.Num().String(), true
}

// Lenient is a JSON document of unknown form, such as an error body whose form
// differs between the layers of a service.
type Lenient struct{ root any }

// ParseLenient reads the first JSON value of body. If there is none, nothing is
// found in the result.
func ParseLenient(body []byte) Lenient {
	var l Lenient
	d := decoder(body)
	d.UseNumber() // a code is kept as it was written
	if d.Decode(&l.root) != nil {
		return Lenient{}
	}
	return l
}

// Text returns the first of the dotted paths that holds a string or a number,
// as text. It is empty if none does.
func (l Lenient) Text(paths ...string) string {
	for _, path := range paths {
		switch v := l.at(path).(type) {
		case string:
			if v != "" {
				return v
			}
		case json.Number:
			if digits, ok := whole(v.String()); ok {
				return digits
			}
			return v.String()
		}
	}
	return ""
}

// JSON returns the value at a dotted path as compact text. It is empty if there
// is none.
func (l Lenient) JSON(path string) string {
	v := l.at(path)
	if v == nil {
		return ""
	}
	text, _ := json.Marshal(v)
	return string(text)
}

func (l Lenient) at(path string) any {
	v := l.root
	for key := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		below, exact := object[key]
		if !exact { // else the first key that differs only in case
			for _, name := range slices.Sorted(maps.Keys(object)) {
				if strings.EqualFold(name, key) {
					below = object[name]
					break
				}
			}
		}
		v = below
	}
	return v
}
