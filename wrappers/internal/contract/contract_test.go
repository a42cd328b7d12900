package contract

import (
	"bytes"
	"fmt"
	"os"
	"testing"
)

// depotSpec returns the spec of the kit's own provider.
func depotSpec(t *testing.T) []byte {
	t.Helper()
	spec, err := os.ReadFile("../../uploadtest/testdata/depot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestTheTraceIDStandsInADeclaredHeader(t *testing.T) {
	for want, names := range map[string][]string{
		"X-Depot-Trace":    {"X-Depot-Trace"},
		"x-request-id":     {"x-request-id"},
		"x-trace-id":       {"a-request-id", "x-trace-id"},
		"X-Other-Trace-Id": {"X-Request-Id", "X-Other-Trace-Id"},
		"":                 {"X-Requested"},
	} {
		var declared []byte
		for _, name := range names {
			declared = append(declared, name+": {schema: {type: string}}\n        "...)
		}
		c, err := Parse(bytes.Replace(depotSpec(t), []byte("X-Depot-Trace: {schema: {type: string}}"), bytes.TrimSpace(declared), 1))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.TraceHeader; got != want {
			t.Errorf("%q declared: got %q, want %q", names, got, want)
		}
	}
}

func TestServersOfTheSpecAreTheBases(t *testing.T) {
	c, err := Parse(depotSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	for uri, want := range map[string]string{"/v2/forms": "submit", "/eu/v2/forms": "submit", "/forms": "", "/v2/objects/a%2Fb": "look"} {
		method := "POST"
		if want == "look" {
			method = "GET"
		}
		if got := c.find(method, "h", uri, nil).name; got != want {
			t.Errorf("%s is %q, want %q", uri, got, want)
		}
	}
}

func TestSecretsAreFoundInAQuery(t *testing.T) {
	c, err := Parse(depotSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	c.grant("https://h?X-Amz-Signature=abcdef0123456789&X-Amz-Expires=1000000000#x", grant{})
	for _, address := range []string{"h/?X-Amz-Signature=abcdef0123456789&X-Amz-Expires=1000000000"} {
		if _, ok := c.granted(address); !ok {
			t.Errorf("%s is not known", address)
		}
	}
	if got := c.Secrets(); len(got) != 2 || got[1] != "abcdef0123456789" {
		t.Errorf("got %q", got)
	}
}

func TestTheLastURLsAreRememberedAndNotAllOfThem(t *testing.T) {
	c := &Contract{grants: map[string]grant{}}
	for i := range 5 * enough / 2 {
		c.grant(fmt.Sprintf("http://h/%d", i), grant{})
	}
	for i, want := range map[int]bool{5*enough/2 - 1: true, 3 * enough / 2: true, 0: false} {
		if _, got := c.granted(fmt.Sprintf("h/%d", i)); got != want {
			t.Errorf("URL %d is remembered: %t", i, got)
		}
	}
}

func TestAURLCanBeRecognisedUnderAnyHost(t *testing.T) {
	for _, anyHost := range []bool{false, true} {
		c := &Contract{AnyHost: anyHost, grants: map[string]grant{}}
		c.grant("https://public.example/upload/1?signature=x", grant{})
		if _, got := c.granted("127.0.0.1:80/upload/1?signature=x"); got != anyHost {
			t.Errorf("any host %t: recognised %t", anyHost, got)
		}
		if _, got := c.granted("127.0.0.1:80/upload/1?signature=y"); got {
			t.Error("another query is recognised")
		}
	}
}
