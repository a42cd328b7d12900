package wire_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oapi-codegen/runtime/types"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// union is a oneOf as oapi-codegen generates it.
type union struct{ union json.RawMessage }

func (u union) MarshalJSON() ([]byte, error) { return u.union.MarshalJSON() }

func unionOf(t *testing.T, v any) union {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	return union{text}
}

// lines lists a form's parts, one a line: name, file name, media type, content.
func lines(t *testing.T, form *wire.Body) string {
	t.Helper()
	var list []string
	for part := range strings.SplitSeq(text(t, form), "--B\r\n") {
		if part == "" {
			continue
		}
		head, content, _ := strings.Cut(part, "\r\n\r\n")
		head = strings.NewReplacer(`Content-Disposition: form-data; name="`, "", `"; filename="`, " ", `"`, "",
			"\r\nContent-Type:", "").Replace(head)
		content, _, _ = strings.Cut(content, "\r\n")
		list = append(list, head+": "+content)
	}
	return strings.Join(list, "\n")
}

func source(name string) upload.Source { return upload.Bytes(name, []byte("<"+name+">")) }

func TestModelGoesOutPlainFieldsFirstAndWithoutWhatIsNil(t *testing.T) {
	type object struct {
		Name string   `json:"name"`
		Tags []string `json:"tags,omitempty"`
	}
	type word string
	mask, prompt, yes, zero := source("mask.png"), "a <b> & c", true, 0.0
	at := time.Date(2026, 11, 25, 18, 0, 0, 0, time.UTC)
	model := struct {
		File     upload.Source    `json:"file"`
		Mask     *upload.Source   `json:"mask,omitempty"`
		More     *[]upload.Source `json:"more,omitempty"`
		Unset    *upload.Source   `json:"unset,omitempty"`
		Optional upload.Source    `json:"optional,omitempty"`

		Attributes object           `json:"attributes"`
		Created    *time.Time       `json:"created,omitempty"`
		Day        types.Date       `json:"day"`
		Empty      string           `json:"empty"`
		Items      *[]object        `json:"items,omitempty"`
		Missing    *string          `json:"missing"`
		Model      union            `json:"model"`
		N          *int             `json:"n,omitempty"`
		Prompt     *string          `json:"prompt,omitempty"`
		Raw        *json.RawMessage `json:"raw,omitempty"`
		Stream     *bool            `json:"stream,omitempty"`
		Temp       *float64         `json:"temp,omitempty"`
		Untagged   word
		Hidden     string   `json:"-"`
		Words      *[]word  `json:"words[],omitempty"`
		None       []string `json:"none,omitempty"`

		AdditionalProperties map[string]any `json:"-"`
	}{
		File: source("a.txt"), Mask: &mask, More: &[]upload.Source{source("b.txt"), source("c.txt")},
		Attributes: object{Name: "x", Tags: []string{"1", "2"}}, Created: &at, Day: types.Date{Time: at},
		Items: &[]object{{Name: "i"}, {Name: "j"}}, Model: unionOf(t, "gpt"), Prompt: &prompt,
		Stream: &yes, Temp: &zero, Untagged: "u", Hidden: "h", Words: &[]word{"v", "w"}, None: []string{},
	}
	want := strings.Join([]string{
		`attributes application/json: {"name":"x","tags":["1","2"]}`,
		`created: 2026-11-25T18:00:00Z`,
		`day: 2026-11-25`,
		`empty text/plain: `,
		`items application/json: {"name":"i"}`,
		`items application/json: {"name":"j"}`,
		`model: gpt`,
		`prompt: a <b> & c`,
		`stream: true`,
		`temp: 0`,
		`Untagged: u`,
		`words[]: v`,
		`words[]: w`,
		`file a.txt text/plain: <a.txt>`,
		`mask mask.png image/png: <mask.png>`,
		`more b.txt text/plain: <b.txt>`,
		`more c.txt text/plain: <c.txt>`,
	}, "\n")
	for range 2 { // the second time from what is known of the type
		if got := lines(t, wire.FormFrom(&model, nil)); got != want {
			t.Fatalf("the form is\n%s\nwant\n%s", got, want)
		}
	}
}

func TestModelFollowsTheEncodingsOfItsSpec(t *testing.T) {
	type signer struct {
		Name string `json:"name"`
		Pins []int  `json:"pins,omitempty"`
	}
	type model struct {
		Signers []signer        `json:"signers,omitempty"`
		CC      []string        `json:"cc,omitempty"`
		Meta    map[string]any  `json:"meta,omitempty"`
		Session any             `json:"session,omitempty"`
		Files   []upload.Source `json:"files,omitempty"`
	}
	for _, tt := range []struct {
		name      string
		model     model
		encodings map[string]wire.Encoding
		want      string
	}{
		{"arrays by number", model{Signers: []signer{{"a", []int{7, 8}}, {Name: "b"}}, CC: []string{"x", "y"},
			Files: []upload.Source{source("f.txt")}},
			map[string]wire.Encoding{"": {Style: "deepObject"}},
			"signers[0][name]: a\nsigners[0][pins][0]: 7\nsigners[0][pins][1]: 8\nsigners[1][name]: b\n" +
				"cc[0]: x\ncc[1]: y\nfiles[0] f.txt text/plain: <f.txt>"},
		{"arrays without a number", model{Signers: []signer{{Name: "a"}}, CC: []string{"x", "y"},
			Files: []upload.Source{source("f.txt")}},
			map[string]wire.Encoding{"": {Style: "brackets"}},
			"signers[][name]: a\ncc[]: x\ncc[]: y\nfiles[] f.txt text/plain: <f.txt>"},
		{"a map whose members are parts", model{Meta: map[string]any{"k": "v", "n": 1, "none": nil}},
			map[string]wire.Encoding{"meta": {Style: "deepObject"}}, "meta[k]: v\nmeta[n]: 1"},
		{"a map that is JSON", model{Meta: map[string]any{"k": "v"}},
			map[string]wire.Encoding{"meta": {ContentType: "application/json"}}, `meta application/json: {"k":"v"}`},
		{"one part with commas", model{CC: []string{"x", "y"}},
			map[string]wire.Encoding{"cc": {Style: "form", Joined: true}}, "cc: x,y"},
		{"no part of an empty list", model{CC: []string{"x"}, Session: []string{}},
			map[string]wire.Encoding{"session": {Style: "form", Joined: true}}, "cc: x"},
		{"no part of an empty map", model{CC: []string{"x"}, Meta: map[string]any{}},
			map[string]wire.Encoding{"meta": {ContentType: "application/json"}}, "cc: x"},
		{"one part with bars", model{CC: []string{"x", "y"}}, map[string]wire.Encoding{"cc": {Style: "pipeDelimited"}},
			"cc: x|y"},
		{"one part with blanks", model{CC: []string{"x", "y"}},
			map[string]wire.Encoding{"cc": {Style: "spaceDelimited"}},
			"cc: x y"},
		{"a media type of JSON's", model{Session: signer{Name: "a"}},
			map[string]wire.Encoding{"session": {ContentType: "application/vnd.x+json"}},
			`session application/vnd.x+json: {"name":"a"}`},
		{"a text that is JSON", model{Session: "a"},
			map[string]wire.Encoding{"session": {ContentType: "application/json"}},
			`session application/json: "a"`},
		{"a text of a media type", model{Session: "<a/>"},
			map[string]wire.Encoding{"session": {ContentType: "application/xml; charset=utf-8"}},
			"session application/xml; charset=utf-8: <a/>"},
		{"a file of one of the media types", model{Files: []upload.Source{source("f.png"), source("f.txt")}},
			map[string]wire.Encoding{"files": {ContentType: "image/jpeg, image/*"}},
			"files f.png image/png: <f.png>\nfiles f.txt image/jpeg: <f.txt>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := lines(t, wire.FormFrom(tt.model, tt.encodings)); got != tt.want {
				t.Errorf("the form is\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

type tree struct {
	Children []tree `json:"children,omitempty"`
}

// field is a form of one required field.
type field[T any] struct {
	F T `json:"photo"`
}

func fieldOf[T any](v T) field[T] { return field[T]{v} }

// If a form cannot hold a value, or the generator lacked a setting, there is an
// error before anything is sent. It names the field.
func TestModelThatCannotBeSentIsRefusedByItsField(t *testing.T) {
	type inner struct {
		File *upload.Source `json:"file,omitempty"`
	}
	deep := source("a.txt")
	const name = `"photo"`
	for _, tt := range []struct {
		name  string
		model any
		says  []string
	}{
		{"a required file that is unset", field[upload.Source]{}, []string{name, "required"}},
		{"a required pointer that is nil", field[*upload.Source]{}, []string{name, "required"}},
		{"no file among required ones", field[[]upload.Source]{}, []string{name, "required"}},
		{"an unset file among others", fieldOf([]upload.Source{deep, {}}), []string{name, "not set"}},
		{"a file without a name", fieldOf(upload.Bytes("", nil)), []string{name, "name"}},
		{"no type mapping", field[types.File]{}, []string{name, "type-mapping"}},
		{"bytes for a file", fieldOf([]byte("x")), []string{name, "type-mapping", "format byte"}},
		{"a reader for a file", fieldOf(io.Reader(strings.NewReader("x"))), []string{name, "type-mapping"}},
		{"an open file for a file", fieldOf(new(os.File)), []string{name, "type-mapping"}},
		{"a file inside an object", fieldOf(inner{&deep}), []string{name, "FormOf"}},
		{"a file in an array of objects", fieldOf([]inner{{&deep}}), []string{name, "FormOf"}},
		{"a map", fieldOf(map[string]string{"a": "b"}), []string{name, "encoding"}},
		{"a map of files", fieldOf(map[string]upload.Source{"a": deep}), []string{name, "FormOf"}},
		{"a recursive type", fieldOf(tree{[]tree{{}}}), []string{name, "recursive"}},
		{"a union that should hold a file", field[union]{}, []string{name, "overlay"}},
		{"a pointer to such a union", fieldOf(&union{}), []string{name, "overlay"}},
		{"what JSON cannot write", fieldOf(func() {}), []string{name}},
		{"properties that the spec does not name", struct {
			A                    string         `json:"a"`
			AdditionalProperties map[string]any `json:"-"`
		}{"a", map[string]any{"b": 1}}, []string{`"AdditionalProperties"`}},
		{"a union of forms", unionOf(t, map[string]string{"a": "b"}), []string{`"union"`, "FormOf"}},
		{"quotes in the name", struct {
			A string `json:"\""`
		}{"a"}, []string{"quotes"}},
		{"no struct", []upload.Source{deep}, []string{"struct"}},
		{"a file alone", deep, []string{"struct"}},
		{"nothing", nil, []string{"struct"}},
		{"a nil model", (*struct{ A string })(nil), []string{"struct"}},
		{"a model without a value", struct{ A *string }{}, []string{"without parts"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := request(t, wire.FormFrom(tt.model, nil))
			if !errors.Is(err, upload.ErrInvalid) {
				t.Fatalf("error %v, want ErrInvalid", err)
			}
			for _, word := range tt.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("error %q does not say %q", err, word)
				}
			}
		})
	}
}

func TestEncodingThatCannotBeFollowedIsRefused(t *testing.T) {
	model := struct {
		A []map[string]string `json:"a"`
	}{[]map[string]string{{"b": "c"}}}
	for name, enc := range map[string]wire.Encoding{
		"an unknown style":         {Style: "matrix"},
		"objects between commas":   {Joined: true},
		"an object that is no XML": {ContentType: "application/xml"},
	} {
		t.Run(name, func(t *testing.T) {
			err := wire.FormFrom(model, map[string]wire.Encoding{"a": enc}).Err()
			if !errors.Is(err, upload.ErrInvalid) || !strings.Contains(err.Error(), `"a"`) {
				t.Errorf("error %v, want ErrInvalid naming a", err)
			}
		})
	}
}
