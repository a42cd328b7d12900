package wire_test

import (
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/wire"
)

func TestLenientFindsTheFirstTextThereIs(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"nested", `{"error":{"code":"A1"}}`, "A1"},
		{"flat", `{"code":"A1"}`, "A1"},
		{"the first of both", `{"code":"flat","error":{"code":"nested"}}`, "nested"},
		{"a number as it was written", `{"code":9007199254740993}`, "9007199254740993"},
		{"zero is a code", `{"error":{"code":0},"code":"A1"}`, "0"},
		{"an empty text is none", `{"error":{"code":""},"code":"A1"}`, "A1"},
		{"null is none", `{"error":{"code":null},"code":"A1"}`, "A1"},
		{"an object is none", `{"error":{"code":{}},"code":"A1"}`, "A1"},
		{"a text in the way", `{"error":"broken","code":"A1"}`, "A1"},
		{"nothing of it", `{"message":"no"}`, ""},
		{"an array", `["A1"]`, ""},
		{"a text", `"A1"`, ""},
		{"more behind it", `{"code":"A1"} and more`, "A1"},
		{"a byte order mark", "\xef\xbb\xbf" + `{"code":"A1"}`, "A1"},
		{"a key in another case", `{"Error":{"CODE":"A1"}}`, "A1"},
		{"the first of other cases", `{"Code":"A3","CODE":"A2"}`, "A2"},
		{"the key as it is before another case", `{"CODE":"A2","code":"A1"}`, "A1"},
		{"a number with a fraction of zero", `{"code":77101.0}`, "77101"},
		{"a fraction", `{"code":1.5}`, "1.5"},
		{"torn", `{"code":"A1"`, ""},
		{"HTML", `<html>`, ""},
		{"empty", ``, ""},
	} {
		if got := wire.ParseLenient([]byte(tt.body)).Text("error.code", "code"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestLenientGivesBackWhatStandsThere(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":{"b":[{"path": "/x"}, 1]}}`: `[{"path":"/x"},1]`,
		`{"a":{"b":null}}`:                "",
		`{"a":{}}`:                        "",
		`{"a":{"b":false}}`:               "false",
		`nothing`:                         "",
	} {
		if got := wire.ParseLenient([]byte(body)).JSON("a.b"); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestJSONTextSurvivesEverySpelling(t *testing.T) {
	for raw, want := range map[string]wire.JSONText{
		`"67890"`:                        "67890",
		`67890`:                          "67890",
		`-5`:                             "-5",
		`"00012"`:                        "00012",
		`"a\u0041\"\n"`:                  "aA\"\n",
		"\"\xff\"":                       "\ufffd", // a text is UTF-8
		`"1.0"`:                          "1.0",    // a text is kept
		`1.0`:                            "1",
		`67890.000`:                      "67890",
		`6.789e4`:                        "67890",
		`67890E0`:                        "67890",
		`6789000e-2`:                     "67890",
		`1e3`:                            "1000",
		`0.0`:                            "0",
		`0e5`:                            "0",
		`-0`:                             "-0", // a plain integer is kept
		`0e-100`:                         "0",
		`0e-101`:                         "",
		`1e100`:                          wire.JSONText("1" + strings.Repeat("0", 100)),
		`1e101`:                          "",
		`-1.50e1`:                        "-15",
		`9007199254740993`:               "9007199254740993",
		`9007199254740993.0`:             "9007199254740993",
		`123456789012345678901234567890`: "123456789012345678901234567890",
		`1.5`:                            "", `1e-1`: "", `1e999999999`: "", `1e-999999999`: "",
		`1e99999999999999999999`: "", `null`: "", `true`: "", `{"id":1}`: "", `[1]`: "", `""`: "",
	} {
		got := struct{ ID, Next wire.JSONText }{ID: "before"}
		if err := wire.DecodeJSON([]byte(`{"id":`+raw+`,"next":"n"}`), &got); err != nil || got.ID != want ||
			got.Next != "n" {
			t.Errorf("%s became %q, %q (%v), want %q", raw, got.ID, got.Next, err, want)
		}
	}
}

func TestJSONIntSurvivesEverySpelling(t *testing.T) {
	for raw, want := range map[string]wire.JSONInt{
		`16`: {Value: 16, Known: true}, `"16"`: {Value: 16, Known: true}, `16.0`: {Value: 16,
			Known: true}, `"16.0"`: {Value: 16, Known: true},
		`1.6e1`: {Value: 16, Known: true}, `" 16 "`: {Value: 16, Known: true}, `0`: {Known: true}, `-1`: {Value: -1,
			Known: true},
		`9223372036854775807`: {Value: 1<<63 - 1, Known: true},
		`null`:                {}, `""`: {},
		`9223372036854775808`: {Broken: true}, `1.5`: {Broken: true}, `"abc"`: {Broken: true}, `"0x10"`: {Broken: true},
		`"1ex"`: {Broken: true},
		`" "`:   {Broken: true},
		`true`:  {Broken: true}, `{}`: {Broken: true}, `[16]`: {Broken: true}, `1e300`: {Broken: true},
	} {
		got := struct{ Size, Next wire.JSONInt }{}
		if err := wire.DecodeJSON([]byte(`{"size":`+raw+`,"next":1}`), &got); err != nil || got.Size != want ||
			got.Next.Value != 1 {
			t.Errorf("%s became %+v, %+v (%v), want %+v", raw, got.Size, got.Next, err, want)
		}
	}
}

func TestDecodeJSONTakesWhatIsThere(t *testing.T) {
	type object struct {
		ID   wire.JSONText
		Name string
	}
	for body, want := range map[string]object{
		"\xef\xbb\xbf" + `{"id":"1"}`:           {ID: "1"},
		`{"ID":"1","nAmE":"n"}`:                 {ID: "1", Name: "n"},
		`{"id":"1"} <!-- served by node 7 -->`:  {ID: "1"},
		"\n{\"id\":\"1\"}\n{\"id\":\"second\"}": {ID: "1"},
		`null`:                                  {},
	} {
		var got object
		if err := wire.DecodeJSON([]byte(body), &got); err != nil || got != want {
			t.Errorf("%q became %+v (%v), want %+v", body, got, err, want)
		}
	}
	got := object{}
	if err := wire.DecodeJSON([]byte(`{"name":7,"id":"1"}`), &got); err == nil ||
		!strings.Contains(err.Error(), "Name") || got.ID != "1" {
		t.Errorf("a name that is a number: %+v, %v, want an error that names it beside the id", got, err)
	}
	for _, body := range []string{``, `<html>`, `"text"`, `[{"id":"1"}]`, `7`, `{"id":"1"`} {
		if err := wire.DecodeJSON([]byte(body), &object{}); err == nil {
			t.Errorf("%q is an object", body)
		}
	}
}
