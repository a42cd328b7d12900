package standinhttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

func TestBearerIsTheTokenOfTheOneHeader(t *testing.T) {
	for _, tc := range []struct {
		headers []string
		want    string // empty is an error
	}{
		{[]string{"Bearer abc"}, "abc"},
		{[]string{"bearer  abc"}, "abc"},
		{[]string{"Basic abc"}, ""},
		{[]string{"abc"}, ""},
		{[]string{"Bearer abc", "Bearer abc"}, ""},
		{nil, ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header["Authorization"] = tc.headers
		if got, err := standinhttp.Bearer(r); got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%q: got %q and %v, want %q", tc.headers, got, err, tc.want)
		}
	}
}

func TestSecretsAreComparedWholeAndPrintedAsSetOrNot(t *testing.T) {
	if !standinhttp.Same("secret", "secret") || standinhttp.Same("secret", "secre") ||
		standinhttp.Same("secret", "secreT") {
		t.Error("Same is not equality")
	}
	if a, b := standinhttp.Hide("secret"), standinhttp.Hide(""); a != "[redacted]" || b != "unset" {
		t.Errorf("a secret is shown as %s, and none as %s", a, b)
	}
}
