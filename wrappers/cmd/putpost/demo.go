package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/upload"
)

type demoCmd struct {
	File string `arg:"" optional:"" name:"FILE" help:"The file to send. Without it, a short text is sent."`
}

func (*demoCmd) Help() string {
	return `Try it. You need no credentials, and nothing leaves this machine:

  putpost demo
  putpost demo invoice.pdf

The stand-ins run in this process, on loopback. They keep the file in a
temporary folder. At the end demo deletes the folder. demo prints the SHA-256 of
the file as it was sent, and as it arrived at each provider.

Exit code:

  - 0: every SHA-256 is the same.
  - 1: a SHA-256 differs, or something failed.`
}

const demoText = "Two ways to get a file into someone else's system: PUT and POST.\n"

func (c *demoCmd) Run(p *program) error {
	src := upload.Bytes("hello.txt", []byte(demoText))
	if c.File != "" {
		var err error
		if src, err = upload.File(c.File); err != nil {
			return fmt.Errorf("%s: %w", c.File, reason(err))
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer onInterrupt(cancel, func() {})()
	dir, err := os.MkdirTemp("", "putpost-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	st, err := store.Disk(dir) // a large file may not fit into memory
	if err != nil {
		return err
	}
	defer st.(io.Closer).Close() // Windows removes no folder with open files
	return p.demo(ctx, src, st)
}

func (p *program) demo(ctx context.Context, src upload.Source, st store.Store) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	// The demo must not use real credentials, so it reads no variables.
	env, _, err := serveCredentials(func(string) string { return "" }, true)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	all, err := newStandins(env, standinConfig{store: st, logger: logger})
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: all.handler(logger), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(ln) }()
	defer srv.Close()

	out := newOutput(p)
	line := fmt.Sprintf("%s (%s) goes to stand-ins of %s, on this machine.\n\n", column(src.Name), byteSize(src.Size),
		and(providerNames()))
	if err := out.data(line); err != nil { // first, because a large file takes time
		return err
	}
	sum, err := sumOf(src.Open())
	if err != nil {
		return fmt.Errorf("%s: %w", src.Name, cause(err))
	}
	if err := out.data(fmt.Sprintf("%-15s %s\n", "SHA-256 as sent", sum)); err != nil { // 80 columns
		return err
	}
	base := "http://" + ln.Addr().String()
	for _, name := range providerNames() {
		to := providers[name]
		client, err := to.client(env.or(to.reach(base)), upload.Config{})
		if err != nil {
			return err
		}
		res, err := client.Upload(ctx, src)
		if err != nil {
			return err
		}
		stored, _, err := all[name].Open(ctx, res.ID)
		arrived, err := sumOf(stored, err)
		if err != nil {
			return fmt.Errorf("%s: what arrived cannot be read: %w", name, err)
		}
		said := fmt.Sprintf("%-15s %s\n%-15s %s, fileId %s\n", name, arrived, "", to.how, res.ID)
		if err := out.data(said); err != nil {
			return err
		}
		if arrived != sum {
			return fmt.Errorf("%s: what arrived is not what was sent", name)
		}
	}
	return out.data("\nWhat arrived is what was sent. Next: putpost serve, and putpost send --help.\n")
}

// sumOf returns the SHA-256 of r's bytes in lower-case hex, and closes r. Its
// parameters are the results of an Open.
func sumOf(r io.ReadCloser, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
