package contract

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// Member is one scalar in a JSON document and the name that it stands under.
// Elements of a list go by the name of the list.
type Member struct{ Name, Value string }

// Members lists the strings and numbers of a JSON document; of anything else,
// nothing.
func Members(document []byte) (found []Member) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var root any
	if err := decoder.Decode(&root); err != nil {
		return nil
	}
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case string:
			found = append(found, Member{name, v})
		case json.Number:
			found = append(found, Member{name, v.String()})
		case []any:
			for _, element := range v {
				walk(name, element)
			}
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(key, v[key])
			}
		}
	}
	walk("", root)
	return found
}
