package contract

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// Text is a body that is text. It is taken for JSON once, when first asked for.
type Text struct {
	Bytes   []byte
	decoded bool
	value   any
	err     error
}

// JSON returns the text's first JSON value. Numbers are json.Number.
func (t *Text) JSON() (any, error) {
	if t == nil {
		return nil, nil
	}
	if !t.decoded {
		t.decoded = true
		decoder := json.NewDecoder(bytes.NewReader(t.Bytes))
		decoder.UseNumber()
		if t.err = decoder.Decode(&t.value); t.err != nil {
			t.value = nil
		}
	}
	return t.value, t.err
}

// Member is one scalar in a JSON document and the name that it stands under.
// Elements of a list go by the name of the list.
type Member struct{ Name, Value string }

// Members lists the strings and numbers of a JSON document. It lists nothing of
// another text.
func Members(document []byte) []Member { return members(&Text{Bytes: document}) }

func members(text *Text) []Member {
	root, _ := text.JSON()
	return walk(nil, "", root)
}

func walk(found []Member, name string, v any) []Member {
	switch v := v.(type) {
	case string:
		return append(found, Member{name, v})
	case json.Number:
		return append(found, Member{name, v.String()})
	case []any:
		for _, element := range v {
			found = walk(found, name, element)
		}
	case map[string]any:
		for _, name := range names(v) {
			found = walk(found, name, v[name])
		}
	}
	return found
}

// names returns the names in an object, sorted. It runs for each object of each
// answer. It allocates once, and slices.Sorted five times.
func names[V any](object map[string]V) []string {
	list := slices.AppendSeq(make([]string, 0, len(object)), maps.Keys(object))
	slices.Sort(list)
	return list
}
