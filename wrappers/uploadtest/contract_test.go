package uploadtest

import (
	"bytes"
	"testing"
)

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
		c, err := parse(bytes.Replace(depotSpec, []byte("X-Depot-Trace: {schema: {type: string}}"), bytes.TrimSpace(declared), 1))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.traceHeader(); got != want {
			t.Errorf("%q declared: got %q, want %q", names, got, want)
		}
	}
}
