package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// What follows is measured once and not round by round: it counts things, or is
// compared with what follows from the setting and not with another peer.

// allocations is what one small upload takes from the heap, in a process that
// does nothing else, over a real connection to another process.
func (b *bench) allocations(ctx context.Context, peer string) (cost, error) {
	c := column{way: tlsH1, size: 16 * kib, concurrency: 1}
	t, err := b.task(c, peer)
	if err != nil {
		return cost{}, err
	}
	t.Count, t.Warm = 500, 50
	got, err := t.run(ctx)
	return got.per(t.Count), err
}

// lean is the most memory that the least program takes for a file of size.
func (b *bench) lean(ctx context.Context, provider string, size int64) (int64, error) {
	path, err := b.file(size)
	if err != nil {
		return 0, err
	}
	program := filepath.Join(b.dir, "lean")
	if _, err := os.Stat(program); err != nil {
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./lean").CombinedOutput(); err != nil {
			return 0, fmt.Errorf("building ./lean: %w: %s", err, out)
		}
	}
	cmd := exec.CommandContext(ctx, program, provider, b.server.Base[tlsH1], path)
	cmd.Env = append(withoutProxy(os.Environ()), "SSL_CERT_FILE="+b.server.CA)
	cmd.Stderr = os.Stderr
	c, _, err := start(cmd)
	if err != nil {
		return 0, err
	}
	defer c.stop()
	return c.peak(), nil
}

// connect counts the TCP connections and TLS handshakes of count small uploads.
func (b *bench) connect(ctx context.Context, peer string, count, concurrency int) (connections, error) {
	t, err := b.task(column{way: tlsH1, size: 16 * kib, concurrency: concurrency}, peer)
	if err != nil {
		return connections{}, err
	}
	t.Count, t.Warm = count, 0
	return b.counted(func() error { _, err := t.run(ctx); return err })
}

// counted is what the server saw while something happened.
func (b *bench) counted(happens func() error) (connections, error) {
	var before, after connections
	err := b.server.ask("GET", "/count", &before)
	if err == nil {
		err = happens()
	}
	if err == nil {
		err = b.server.ask("GET", "/count", &after)
	}
	after.Opened -= before.Opened
	after.Handshakes -= before.Handshakes
	after.Tokens -= before.Tokens
	return after, err
}

// batch is a run of upload.Many for a process of its own.
type batch struct {
	Provider    string
	Base, CA    string
	File        string
	Files       int
	Concurrency int
	OwnTokens   bool // fetch them, instead of holding one
}

// took is what came of it.
type took struct {
	Wall time.Duration
	RSS  int64
}

func (j batch) run(ctx context.Context) (took, error) {
	var t took
	return t, self(ctx, j.CA, &t, "batch", j)
}

func (j batch) do(ctx context.Context, out io.Writer) error {
	t := task{Base: j.Base}
	var client upload.Uploader
	var err error
	switch {
	case j.Provider == "ncloudmailer":
		client, err = mailer(t)
	case j.OwnTokens:
		client, err = officeWithTokens(ctx, t)
	default:
		client, err = office(t)
	}
	if err != nil {
		return err
	}
	begin, sent := time.Now(), 0
	for _, err := range upload.Many(ctx, client, j.Concurrency, described(j.File, j.Files)) {
		if err != nil {
			return err
		}
		sent++
	}
	if sent != j.Files {
		return fmt.Errorf("%d of %d files were sent", sent, j.Files)
	}
	return json.NewEncoder(out).Encode(took{Wall: time.Since(begin), RSS: peakOf(os.Getpid())})
}

// described is a file, described anew as often as it is sent.
func described(path string, times int) iter.Seq2[upload.Source, error] {
	return func(yield func(upload.Source, error) bool) {
		for range times {
			if !yield(upload.File(path)) {
				return
			}
		}
	}
}

// longWire is how upload.Many does where every answer takes its time.
type longWire struct {
	Files       int
	Took        took
	Small       took // a tenth of the files, for the memory
	Ideal       time.Duration
	Connections connections
}

const (
	wireDelay       = 50 * time.Millisecond
	wireConcurrency = 32
	wireFile        = 100_000
)

func (b *bench) overLongWire(ctx context.Context, provider string, roundTrips, files int) (longWire, error) {
	path, err := b.file(wireFile)
	if err != nil {
		return longWire{}, err
	}
	w := longWire{Files: files, Ideal: time.Duration(roundTrips) * wireDelay * time.Duration(files) / wireConcurrency}
	send := func(files int) (took, error) {
		far, err := startServer(ctx, wireDelay, b.dir)
		if err != nil {
			return took{}, err
		}
		defer far.stop()
		t, err := batch{Provider: provider, Base: far.Base[tlsH1], CA: far.CA, File: path, Files: files, Concurrency: wireConcurrency}.run(ctx)
		if err == nil {
			err = far.ask("GET", "/count", &w.Connections)
		}
		return t, err
	}
	if w.Small, err = send(max(wireConcurrency, files/10)); err != nil {
		return w, err
	}
	w.Took, err = send(files)
	return w, err
}

// tokens is how often a token is fetched when a hundred uploads start together.
func (b *bench) tokens(ctx context.Context) (connections, error) {
	path, err := b.file(16 * kib)
	if err != nil {
		return connections{}, err
	}
	j := batch{Provider: "twentyfourseven", Base: b.server.Base[tlsH1], CA: b.server.CA, File: path, Files: 100, Concurrency: 100, OwnTokens: true}
	n, err := b.counted(func() error { _, err := j.run(ctx); return err })
	if err == nil && n.Opened == 0 {
		err = errors.New("the server saw no connection")
	}
	return n, err
}
