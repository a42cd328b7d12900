// Package specclient checks answers against the specs. It links the library
// that reads them, which package standintest leaves out.
package specclient

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/uploadtest"
)

// New returns a client that checks each answer of a provider's operations
// against its spec. It does not check requests, because tests send wrong ones
// on purpose.
func New(t testing.TB, provider string, transport *http.Transport) *http.Client {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	check := &uploadtest.Check{Spec: standintest.Spec(t, provider), Base: transport, Report: func(err error) {
		if v, ok := errors.AsType[*uploadtest.Violation](err); !ok || strings.HasPrefix(v.Rule, "response") {
			t.Error(err)
		}
	}}
	return &http.Client{Transport: check}
}
