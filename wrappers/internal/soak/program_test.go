//go:build unix

package soak

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// program is "putpost serve", built and started.
type program struct {
	url    string
	cmd    *exec.Cmd
	stderr *bytes.Buffer
}

// startProgram serves the folder dir at addr.
func startProgram(t *testing.T, dir, addr string) *program {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out the built program: what a kill loses and leaves")
	}
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{cmd: exec.Command(path, "serve", "--store", dir, "--addr", addr), stderr: new(bytes.Buffer)}
	// Without credentials in the environment it uses the test credentials.
	p.cmd.Env = []string{"TMPDIR=" + t.TempDir()}
	p.cmd.Stderr = p.stderr
	p.url = firstLine(t, p.cmd)
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.end(syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("putpost serve --store %s:\n%s", dir, p.stderr)
		}
	})
	return p
}

// end sends the signal, waits, and returns the exit code: -1 if the signal
// killed the process.
func (p *program) end(sig syscall.Signal) int {
	_ = p.cmd.Process.Signal(sig)
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// clients returns a client for each provider. They repeat no request.
func (p *program) clients(t *testing.T) (*twentyfourseven.Client, *ncloudmailer.Client) {
	t.Helper()
	once := upload.Retry{Attempts: 1}
	first, err := twentyfourseven.New(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}),
		upload.Config{BaseURL: p.url + "/v1", Retry: once})
	if err != nil {
		t.Fatal(err)
	}
	second, err := ncloudmailer.New(ncloudmailer.Credentials{AccessKey: accessKey, SecretKey: secretKey},
		upload.Config{BaseURL: p.url + "/api/v1", Retry: once})
	if err != nil {
		t.Fatal(err)
	}
	return first, second
}

// fileSize is more than a client reads ahead, so that an upload can wait in its
// middle.
const fileSize = 192 << 10

// gate holds uploads in their middle until it is opened.
type gate struct {
	came chan struct{}
	open chan struct{}
}

func newGate() *gate { return &gate{came: make(chan struct{}, 1000), open: make(chan struct{})} }

// source returns a source that waits at its half.
func (g *gate) source(number int) upload.Source {
	src := upload.Bytes(name(number), content(number, fileSize))
	whole := src.Open
	src.Open = func() (io.ReadCloser, error) {
		rc, err := whole()
		if err != nil {
			return nil, err
		}
		return &held{ReadCloser: rc, gate: g, closed: make(chan struct{})}, nil
	}
	return src
}

// await waits until so many uploads are in their middle.
func (g *gate) await(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		select {
		case <-g.came:
		case <-time.After(20 * time.Second):
			t.Fatalf("only %d of %d uploads came to their middle", i, n)
		}
	}
}

type held struct {
	io.ReadCloser
	gate   *gate
	read   int
	waited bool
	closed chan struct{}
	once   sync.Once
}

func (h *held) Read(p []byte) (int, error) {
	if h.read < fileSize/2 {
		p = p[:min(len(p), fileSize/2-h.read)]
	} else if !h.waited {
		h.waited = true
		h.gate.came <- struct{}{}
		select {
		case <-h.gate.open:
		case <-h.closed:
			return 0, os.ErrClosed
		}
	}
	n, err := h.ReadCloser.Read(p)
	h.read += n
	return n, err
}

func (h *held) Close() error {
	h.once.Do(func() { close(h.closed) })
	return h.ReadCloser.Close()
}

// aside counts the unfinished files.
func aside(t *testing.T, dir string) int {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(dir, ".incoming"))
	if err != nil {
		t.Error(err)
	}
	return len(files)
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begun := time.Now(); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("waited in vain for ", what)
		}
	}
}

// inFolder compares the files in the folder with the acknowledged uploads,
// after the program has ended.
func inFolder(t *testing.T, dir string, acked map[string][]upload.Sent) {
	t.Helper()
	s, err := open(dir, tokenLife)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []*line{{name: "twentyfourseven", open: s.twentyfourseven.Open},
		{name: "ncloudmailer", open: s.ncloudmailer.Open}} {
		for _, sent := range acked[l.name] {
			n := numberOf(sent.Source.Name)
			if err := l.compare(context.Background(), sent.Result.ID, content(n, int(sent.Source.Size))); err != nil {
				t.Errorf("%s: upload %d, acknowledged as %s: %v", l.name, n, sent.Result.ID, err)
			}
		}
	}
}

// visible checks that every file in the folder is whole.
func visible(t *testing.T, dir string) (n int) {
	t.Helper()
	for _, provider := range []string{"twentyfourseven", "ncloudmailer"} {
		n += allWhole(t, filepath.Join(dir, provider, "files"))
	}
	return n
}

func failedAsIt(err error) bool {
	return errors.Is(err, upload.ErrUnavailable) && !strings.Contains(err.Error(), secretKey)
}
