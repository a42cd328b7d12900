//go:build unix

package soak

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveVar); dir != "" {
		if err := serve(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if bin != "" {
		os.RemoveAll(bin)
	}
	os.Exit(code)
}

// bin is a folder for the built program.
var bin string

// build makes the program, once.
var build = sync.OnceValues(func() (path string, err error) {
	if bin, err = os.MkdirTemp("", "putpost-soak"); err != nil {
		return "", err
	}
	const source = "../../cmd/putpost"
	// The test cache does not know the files that the compiler reads. Reading
	// the folder makes a cached result depend on them.
	if _, err := os.ReadDir(source); err != nil {
		return "", err
	}
	path = filepath.Join(bin, "putpost")
	if out, err := exec.Command("go", "build", "-o", path, source).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})
