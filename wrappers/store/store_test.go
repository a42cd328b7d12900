package store_test

import (
	"testing"

	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return store.Memory(0) })
}

func TestDisk(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return openDisk(t, t.TempDir())
	})
}
