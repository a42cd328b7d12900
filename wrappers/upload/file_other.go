//go:build !linux

package upload

import (
	"os"
	"syscall"
)

// openFile opens path without waiting. If a named pipe took the file's place, a
// plain open would wait for its writer.
func openFile(path string) (handle, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return fsHandle{f}, nil
}
