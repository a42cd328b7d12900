package wire_test

import (
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
