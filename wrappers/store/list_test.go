package store_test

import (
	"errors"
	"testing"

	"github.com/putpost/putpost/wrappers/store"
)

func TestOnlyAListerCanList(t *testing.T) {
	for _, err := range store.Keys(t.Context(), struct{ store.Store }{store.Memory(0)}, "a") {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("got %v, want errors.ErrUnsupported", err)
		}
		return
	}
	t.Error("no error")
}
