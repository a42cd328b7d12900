package contract

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// validJSON is the rest of a JSON text that was found valid. It is read as by a
// json.Decoder with UseNumber, which would take several times as long.
type validJSON []byte

// value takes the next value from the text.
func (v *validJSON) value() any {
	switch v.peek() {
	case '{':
		object := map[string]any{}
		for v.enter('}') {
			name := v.text()
			v.peek()
			*v = (*v)[len(":"):]
			object[name] = v.value()
		}
		return object
	case '[':
		list := []any{}
		for v.enter(']') {
			list = append(list, v.value())
		}
		return list
	case '"':
		return v.text()
	}
	end := bytes.IndexAny(*v, ",]} \t\r\n")
	if end < 0 {
		end = len(*v)
	}
	word := string((*v)[:end])
	*v = (*v)[end:]
	switch word {
	case "null":
		return nil
	case "true", "false":
		return word == "true"
	}
	return json.Number(word)
}

// peek skips white space and returns the byte that follows it.
func (v *validJSON) peek() byte {
	*v = bytes.TrimLeft(*v, " \t\r\n")
	return (*v)[0]
}

// enter takes the byte before an element: a bracket or a comma. It returns
// false if there is no further element, and has then taken the byte end.
func (v *validJSON) enter(end byte) bool {
	if v.peek() != end {
		*v = (*v)[1:]
	}
	if v.peek() != end {
		return true
	}
	*v = (*v)[1:]
	return false
}

func (v *validJSON) text() string {
	v.peek()
	end, plain := 1, true
	for ; (*v)[end] != '"'; end++ {
		if (*v)[end] == '\\' {
			end++
			plain = false
		}
	}
	quoted := (*v)[:end+1]
	*v = (*v)[end+1:]
	if inner := quoted[1:end]; plain && utf8.Valid(inner) {
		return string(inner)
	}
	var text string
	_ = json.Unmarshal(quoted, &text)
	return text
}
