package s3_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/store/s3"
)

const bucket = "bucket"

var cred = s3.Credentials{AccessKeyID: "access-key-of-the-test", SecretAccessKey: "secret-of-the-test"}

// gateway is a real S3 server in a process of its own.
type gateway struct {
	t    testing.TB
	path string // of the program
	dir  string
	addr string
	cmd  *exec.Cmd
}

// startGateway starts a server with an empty bucket. It skips the test if the
// program is not installed.
func startGateway(t testing.TB) *gateway {
	t.Helper()
	path := os.Getenv("PUTPOST_VERSITYGW")
	if path == "" {
		var err error
		if path, err = exec.LookPath("versitygw"); err != nil {
			t.Skip("needs a real S3 server: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0, " +
				"then have it on PATH or name it in PUTPOST_VERSITYGW")
		}
	}
	g := &gateway{t: t, path: path, dir: t.TempDir(), addr: freeAddress(t)}
	must(t, os.Mkdir(filepath.Join(g.dir, bucket), 0o700))
	g.start()
	t.Cleanup(g.kill)
	return g
}

// freeAddress returns an address that nobody listens on. Systems give ports
// from 32768 on to whoever asks for any. One of those may be taken by another
// process before the server listens on it.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 10000+rand.IntN(20000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (g *gateway) start() {
	g.t.Helper()
	g.cmd = exec.Command(g.path, "--quiet", "--keep-alive", "--port", g.addr, "posix", g.dir)
	g.cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY_ID="+cred.AccessKeyID,
		"ROOT_SECRET_ACCESS_KEY="+cred.SecretAccessKey)
	var stderr strings.Builder
	g.cmd.Stderr = &stderr
	must(g.t, g.cmd.Start())
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("tcp", g.addr)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			g.kill()
			g.t.Fatalf("the S3 server does not answer: %v\n%s", err, &stderr)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (g *gateway) kill() {
	g.cmd.Process.Kill()
	g.cmd.Wait()
}

func (g *gateway) url(prefix string) string {
	return fmt.Sprintf("s3://%s/%s?endpoint=http://%s&region=us-east-1", bucket, prefix, g.addr)
}

var prefixes atomic.Int64

// open returns a store below a prefix that nobody else has.
func (g *gateway) open(t testing.TB) *s3.Store {
	t.Helper()
	st, _ := g.openNew(t)
	return st
}

func (g *gateway) openNew(t testing.TB) (st *s3.Store, prefix string) {
	t.Helper()
	prefix = fmt.Sprintf("test/%d", prefixes.Add(1))
	return opened(t, g.url(prefix)), prefix
}

// opened opens a store.
func opened(t testing.TB, rawURL string) *s3.Store {
	t.Helper()
	st, err := s3.Open(rawURL, cred)
	must(t, err)
	return st
}

// objects lists the objects below a prefix without the store: they are plain
// files of the server.
func (g *gateway) objects(prefix string) (keys []string) {
	g.t.Helper()
	err := fs.WalkDir(os.DirFS(filepath.Join(g.dir, bucket)), ".", func(key string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // deleted meanwhile
		case err != nil:
			return err
		case key == ".sgwtmp": // the server's own
			return fs.SkipDir
		case !d.IsDir() && strings.HasPrefix(key, prefix):
			keys = append(keys, key)
		}
		return nil
	})
	must(g.t, err)
	return keys
}

// wantNoUploads checks that no multipart upload is left that could become an
// object. The server has a folder for the parts of each.
func (g *gateway) wantNoUploads() {
	g.t.Helper()
	uploads, err := filepath.Glob(filepath.Join(g.dir, bucket, ".sgwtmp", "multipart", "*", "*"))
	if err != nil || len(uploads) > 0 {
		g.t.Errorf("the multipart uploads %q are still open, %v", uploads, err)
	}
}
