//go:build unix

package upload_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// Opening a named pipe without a writer would wait for ever, and the test would
// hang.
func TestFileRefusesWhatIsNoRegularFile(t *testing.T) {
	dir := t.TempDir()
	pipe, dangling := filepath.Join(dir, "pipe"), filepath.Join(dir, "dangling")
	must(t, syscall.Mkfifo(pipe, 0o600))
	must(t, os.Symlink(filepath.Join(dir, "nowhere"), dangling))
	refusesToDescribe(t, pipe, upload.ErrInvalid, "is not a regular file")
	refusesToDescribe(t, os.DevNull, upload.ErrInvalid, "is not a regular file")
	refusesToDescribe(t, dangling, fs.ErrNotExist, "")
}

func TestFileFollowsALinkToAFile(t *testing.T) {
	target, _ := onDisk(t, "target.bin", "content")
	link := filepath.Join(filepath.Dir(target), "invoice.pdf")
	must(t, os.Symlink("target.bin", link))
	src, err := upload.File(link)
	must(t, err)
	if got := contentOf(t, src); got != "content" || src.Name != "invoice.pdf" || src.ContentType != "application/pdf" {
		t.Errorf("%q, %q, content %q", src.Name, src.ContentType, got)
	}
}
