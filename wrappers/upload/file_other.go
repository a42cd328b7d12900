//go:build !linux

package upload

import (
	"os"
	"syscall"
)

// openFile opens without waiting. A named pipe that took the file's place would
// wait for its writer.
func openFile(path string) (handle, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return fsHandle{f}, nil
}
