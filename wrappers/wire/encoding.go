package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Encoding says how one field of a form is sent, like the encoding object in
// OpenAPI.
type Encoding struct {
	// ContentType is the media type of the field's parts. It may list several,
	// separated by commas: a file keeps its own if it is one of them.
	ContentType string

	// Style "form", or empty, sends each element of an array as a part with the
	// field's name. With "spaceDelimited" and "pipeDelimited" an array is one
	// part. "deepObject" names each part by its place in the field, as in a[b]
	// and a[0][b]. "brackets" leaves out the number, as in a[].
	Style string

	// Joined sends an array of Style "form" as one part with commas. OpenAPI
	// calls it explode: false.
	Joined bool
}

const (
	deepObject = "deepObject"
	brackets   = "brackets"
)

// nests reports whether objects and arrays are split into parts.
func (e Encoding) nests() bool { return e.Style == deepObject || e.Style == brackets }

// element returns the part name of an array's ith element.
func (e Encoding) element(name string, i int) string {
	switch e.Style {
	case deepObject:
		return name + "[" + strconv.Itoa(i) + "]"
	case brackets:
		return name + "[]"
	}
	return name
}

// separator returns the text between the elements of an array that is one part.
func (e Encoding) separator() string {
	switch {
	case e.Style == "spaceDelimited":
		return " "
	case e.Style == "pipeDelimited":
		return "|"
	case e.Joined && !e.nests():
		return ","
	}
	return ""
}

// types returns the media types in ContentType.
func (e Encoding) types() (types []string) {
	for t := range strings.SplitSeq(e.ContentType, ",") {
		if t = strings.TrimSpace(t); t != "" {
			types = append(types, t)
		}
	}
	return types
}

// parts returns the parts of a field whose value is JSON.
func (e Encoding) parts(name string, value json.RawMessage) ([]Field, error) {
	switch e.Style {
	case "", "form", "spaceDelimited", "pipeDelimited", deepObject, brackets:
	default:
		return nil, fmt.Errorf("a form has no style %q", e.Style)
	}
	if value[0] == '[' {
		return e.array(name, value)
	}
	return e.one(name, value)
}

func (e Encoding) array(name string, value json.RawMessage) (fields []Field, err error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(value, &elements); err != nil {
		return nil, err
	}
	sep, texts := e.separator(), make([]string, 0, len(elements))
	for i, v := range elements {
		var of []Field
		switch {
		case sep != "" && (v[0] == '{' || v[0] == '['):
			return nil, errors.New("only an array of plain values can be one part")
		case sep != "":
			texts = append(texts, plain(v))
		case e.nests() && v[0] == '[':
			of, err = e.array(e.element(name, i), v)
		default:
			of, err = e.one(e.element(name, i), v)
		}
		if err != nil {
			return nil, err
		}
		fields = append(fields, of...)
	}
	if sep != "" && len(texts) > 0 {
		return []Field{textField(name, strings.Join(texts, sep), "")}, nil
	}
	return fields, nil
}

// one returns the parts of a value that is no array, or of an inner array. An
// inner array is sent as JSON.
func (e Encoding) one(name string, value json.RawMessage) ([]Field, error) {
	nested := value[0] == '{' || value[0] == '['
	if value[0] == '{' && e.nests() {
		return e.members(name, value)
	}
	asJSON, other := "", ""
	for _, t := range e.types() {
		switch {
		case strings.Contains(t, "*"):
		case covers("application/json", t) || strings.HasSuffix(t, "+json"):
			asJSON = t
		default:
			other = t
		}
	}
	switch {
	case string(value) == "null" && !nested && asJSON == "":
		return nil, nil
	case nested && asJSON == "" && other != "":
		return nil, fmt.Errorf("is an object or an array, and nothing here writes it as %s", other)
	case nested && asJSON == "":
		asJSON = "application/json"
	case other != "" || asJSON == "":
		return []Field{textField(name, plain(value), other)}, nil
	}
	return []Field{{Name: name, Value: string(value), ContentType: asJSON}}, nil
}

// members returns the parts of an object's members, in their order.
func (e Encoding) members(name string, object json.RawMessage) (fields []Field, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		of, err := e.parts(fmt.Sprintf("%s[%s]", name, key), v)
		if err != nil {
			return nil, err
		}
		fields = append(fields, of...)
	}
	return fields, nil
}

// textField returns a plain value as a part, even if it is empty.
func textField(name, text, contentType string) Field {
	f := Field{Name: name, Value: text, ContentType: contentType}
	if f.missing() {
		f.ContentType = "text/plain"
	}
	return f
}

// plain returns a JSON string as text, and any other value as it is written.
func plain(value json.RawMessage) string {
	var text string
	if value[0] == '"' && json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
