package contract

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func FuzzJSONIsReadAsADecoderReadsIt(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-2.5e3,{"b":null,"c":[]}],"d":{},"a":"twice"}`, ` [ true , false , [ [ ] ] , "x" ] `, `"\u00e9\"\\"`,
		"\"\xff\"", `7`, "{ }\n", `{"a" : 1 , "b":"}]," }`, `{} {}`, `[1,]`, `"`, ``, ` `,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var want any
		if decoder.Decode(&want) != nil {
			want = nil
		}
		if got, _ := (&Text{Bytes: []byte(text)}).JSON(); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %#v, want %#v", text, got, want)
		}
	})
}
