package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/wire"
)

func TestJSONFindsTheFirstTextThereIs(t *testing.T) {
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
		{"the last of the same keys", `{"code":"A1","code":"A2"}`, "A2"},
		{"an escaped key", `{"c\u006fde":"A1"}`, "A1"},
		{"signs of JSON in a text", `{"a":"},{\\\"\\","code":"A1:,\"]}"}`, `A1:,"]}`},
		{"signs of JSON in a key", `{"code,:}":"A1","code":"A2"}`, "A2"},
		{"behind what is nested", `{"a":[{"code":"A1"},[]],"b":{"code":"A2"} , "code" : "A3" }`, "A3"},
		{"an array", `["A1"]`, ""},
		{"a text", `"A1"`, ""},
		{"more behind it", `{"code":"A1"} and more`, "A1"},
		{"a byte order mark", "\xef\xbb\xbf" + `{"code":"A1"}`, "A1"},
		{"a key in another case", `{"Error":{"CODE":"A1"}}`, "A1"},
		{"the first of other cases", `{"Code":"A3","CODE":"A2"}`, "A2"},
		{"the key as it is before another case", `{"CODE":"A2","code":"A1"}`, "A1"},
		{"a number with a fraction of zero", `{"code":77101.0}`, "77101"},
		{"a fraction is none", `{"error":{"code":1.5},"code":"A1"}`, "A1"},
		{"torn", `{"code":"A1"`, ""},
		{"HTML", `<html>`, ""},
		{"empty", ``, ""},
	} {
		if answer, err := wire.ParseJSON([]byte(tt.body)); answer.Text("error.code", "code") != tt.want {
			t.Errorf("%s: %v (%v), want %q", tt.name, answer, err, tt.want)
		}
	}
}

func TestJSONGivesBackWhatStandsThere(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":{"b":[{"path": "/x"}, 1]}}`: `[{"path":"/x"},1]`,
		`{"a":{"b":null}}`:                "",
		`{"a":{}}`:                        "",
		`{"a":{"b":false}}`:               "false",
		`nothing`:                         "",
	} {
		if answer, err := wire.ParseJSON([]byte(body)); answer.Compact("a.b") != want {
			t.Errorf("%s: %q (%v), want %q", body, answer.Compact("a.b"), err, want)
		}
	}
}

func TestTextSurvivesEverySpelling(t *testing.T) {
	for raw, want := range map[string]string{
		`"67890"`:                        "67890",
		`67890`:                          "67890",
		`-5`:                             "-5",
		`"00012"`:                        "00012",
		`"a\u0041\"\n"`:                  "aA\"\n",
		`"파일"`:                           "파일",
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
		`1e100`:                          "1" + strings.Repeat("0", 100),
		`1e101`:                          "",
		`-1.50e1`:                        "-15",
		`9007199254740993`:               "9007199254740993",
		`9007199254740993.0`:             "9007199254740993",
		`123456789012345678901234567890`: "123456789012345678901234567890",
		`1.5`:                            "", `1e-1`: "", `1e999999999`: "", `1e-999999999`: "", `1e99999999999999999999`: "",
		`null`: "", `true`: "", `{"id":1}`: "", `[1]`: "", `""`: "",
	} {
		answer, err := wire.ParseJSON([]byte(`{"id": ` + raw + ` ,"next":"n"}`))
		if got := answer.Text("id"); err != nil || got != want || answer.Text("next") != "n" {
			t.Errorf("%s became %q (%v), want %q", raw, got, err, want)
		}
		if got := answer.Quoted("id"); raw[0] == '"' && got != want || raw[0] != '"' && got != "" {
			t.Errorf("the string of %s is %q", raw, got)
		}
	}
}

func TestIntSurvivesEverySpelling(t *testing.T) {
	type result struct {
		value int64
		known bool
		err   error
	}
	number := func(value int64) result { return result{value, true, nil} }
	for raw, want := range map[string]result{
		`16`: number(16), `"16"`: number(16), `16.0`: number(16), `"16.0"`: number(16), `1.6e1`: number(16),
		`" 16 "`: number(16), `0`: number(0), `-1`: number(-1), `9223372036854775807`: number(1<<63 - 1),
		`null`: {}, `""`: {},
	} {
		answer, err := wire.ParseJSON([]byte(`{"size":` + raw + `}`))
		value, known, wrong := answer.Int("size")
		if got := (result{value, known, wrong}); err != nil || got != want {
			t.Errorf("%s became %+v (%v), want %+v", raw, got, err, want)
		}
	}
	for _, raw := range []string{`9223372036854775808`, `1.5`, `"abc"`, `"0x10"`, `"1ex"`, `" "`, `true`, `{}`, `[16]`,
		`1e300`} {
		answer, err := wire.ParseJSON([]byte(`{"size":` + raw + `}`))
		if value, known, wrong := answer.Int("size"); err != nil || wrong == nil || value != 0 || known {
			t.Errorf("%s became %d (%v)", raw, value, err)
		}
	}
}

func TestElementsAreThoseOfAnArray(t *testing.T) {
	for body, want := range map[string]int{
		`{"files":[{"a":[1,2]}, {} ,[3,4],"x,y"]}`: 4,
		`{"files":[ ]}`:     0,
		`{"files":{"a":1}}`: 0,
		`{"files":"[1,2]"}`: 0,
		`{"files":null}`:    0,
		`[1,2]`:             0,
		`{"files":[1,2`:     0,
	} {
		if answer, err := wire.ParseJSON([]byte(body)); len(answer.Elements("files")) != want {
			t.Errorf("%s: %d (%v), want %d", body, len(answer.Elements("files")), err, want)
		}
	}
}

func TestParseJSONTakesTheFirstValue(t *testing.T) {
	for body, want := range map[string]string{
		"\xef\xbb\xbf" + `{"id":"1"}`:           `{"id":"1"}`,
		`{"id":"1"} <!-- served by node 7 -->`:  `{"id":"1"}`,
		"\n{\"id\":\"1\"}\n{\"id\":\"second\"}": `{"id":"1"}`,
		``:                                      ``, `<html>`: ``, `{"id":"1"`: ``,
	} {
		got, err := wire.ParseJSON([]byte(body))
		if fmt.Sprint(got) != "{"+want+"}" || (err == nil) != (want != "") {
			t.Errorf("%q became %v (%v), want %s", body, got, err, want)
		}
	}
}
