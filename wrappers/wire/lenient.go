package wire

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Lenient is a JSON document of which nothing is certain: an error body whose
// shape differs between the layers of a service and what its documentation says.
type Lenient struct{ root any }

// ParseLenient reads what JSON there is in body; of something else, nothing.
func ParseLenient(body []byte) Lenient {
	var l Lenient
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // a code is kept as it was written
	if d.Decode(&l.root) != nil {
		return Lenient{}
	}
	return l
}

// Text is the first of the dotted paths that holds a string or a number, as
// text; empty if none does.
func (l Lenient) Text(paths ...string) string {
	for _, path := range paths {
		switch v := l.at(path).(type) {
		case string:
			if v != "" {
				return v
			}
		case json.Number:
			return v.String()
		}
	}
	return ""
}

// JSON is what stands at a dotted path, as compact text; empty if nothing does.
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
		v = object[key]
	}
	return v
}
