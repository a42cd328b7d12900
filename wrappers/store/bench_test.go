package store_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// BenchmarkDiskPut puts 16 KiB objects in turn with a bare loop that writes a
// temporary file, syncs and renames it, so both use the same disk. The metric
// "of-bare" is the store's rate as a share of the bare one. It should be at
// least 0.5.
func BenchmarkDiskPut(b *testing.B) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	for _, contentType := range []string{store.DefaultContentType, "application/pdf"} {
		b.Run(filepath.Base(contentType), func(b *testing.B) {
			st := openDisk(b, b.TempDir())
			bare := b.TempDir()
			var ours, theirs time.Duration
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				if _, err := st.Put(b.Context(), fmt.Sprintf("bench/%d", i), contentType, bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
				middle := time.Now()
				if err := barePut(bare, fmt.Sprint(i), data); err != nil {
					b.Fatal(err)
				}
				ours += middle.Sub(start)
				theirs += time.Since(middle)
			}
			b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "us/put")
			b.ReportMetric(float64(theirs)/float64(ours), "of-bare")
		})
	}
}

func barePut(dir, name string, data []byte) error {
	f, err := os.CreateTemp(dir, ".aside")
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}
