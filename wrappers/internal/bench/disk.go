package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// disk is the least that can be done about an upload that must survive: each
// file written aside, synced, renamed. It checks nothing. The stand-ins are
// compared with it.
type disk struct {
	dir  string
	next atomic.Int64
}

// serveDisk is the server process around a disk.
func serveDisk(dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d := &disk{dir: dir}
	s := newSink()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/fileUpload", s.ticket)
	mux.HandleFunc("PUT /upload/{id}", d.put)
	mux.HandleFunc("POST /api/v1/files", d.form)
	go http.Serve(l, mux)
	fmt.Println("http://" + l.Addr().String())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func (d *disk) keep(r io.Reader) (size int64, err error) {
	f, err := os.CreateTemp(d.dir, ".aside-")
	if err != nil {
		return 0, err
	}
	size, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(d.dir, fmt.Sprint("file-", d.next.Add(1))))
	}
	return size, err
}

func (d *disk) put(w http.ResponseWriter, r *http.Request) {
	if _, err := d.keep(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// form keeps the file and what was said of it, which is a file as well.
func (d *disk) form(w http.ResponseWriter, r *http.Request) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	part, err := multipart.NewReader(r.Body, params["boundary"]).NextRawPart()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	size, err := d.keep(part)
	list := map[string]any{
		"tempRequestId": "f355aac1-7776-4c0b-8484-20eaa065cb65-99",
		"files":         []map[string]any{{"fileName": part.FileName(), "fileSize": size, "fileId": "40fe58bd-91fe-4f89-a62e-705a7c17d65e-99"}},
	}
	if err == nil {
		var text []byte
		if text, err = json.Marshal(list); err == nil {
			_, err = d.keep(strings.NewReader(string(text)))
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusCreated, list)
}

// standins is how the program's serve does against a disk.
type standins struct {
	rate map[string]spread // by peer: uploads a second, serve's over the disk's
	huge map[string]spread // by peer: time of the largest file, serve's over the disk's
	peak map[string]int64  // by peer: most memory of serve, with the largest file
}

func (b *bench) measureStandins(ctx context.Context) (standins, error) {
	s := standins{rate: map[string]spread{}, huge: map[string]spread{}, peak: map[string]int64{}}
	program := filepath.Join(b.dir, "putpost")
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/putpost/putpost").Output()
	if err != nil {
		return s, fmt.Errorf("looking for the module: %w", err)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./wrappers/cmd/putpost")
	build.Dir = strings.TrimSpace(string(root))
	if out, err := build.CombinedOutput(); err != nil {
		return s, fmt.Errorf("building the program: %w: %s", err, out)
	}
	rounds := min(3, b.rounds)
	for _, peer := range []string{ourForm, ourTwo} {
		var rate, huge []float64
		for round := range rounds {
			fmt.Fprintf(b.log, "stand-ins, %s: round %d of %d\n", peer, round+1, rounds)
			var many, one [2]time.Duration
			for i := range 2 {
				which := (i + round) % 2
				var peak int64
				if many[which], one[which], peak, err = b.keepOn(ctx, peer, program, which == 0); err != nil {
					return s, err
				}
				s.peak[peer] = max(s.peak[peer], peak)
			}
			rate = append(rate, float64(many[1])/float64(many[0]))
			huge = append(huge, float64(one[0])/float64(one[1]))
		}
		s.rate[peer], s.huge[peer] = spreadOf(rate), spreadOf(huge)
	}
	return s, nil
}

// keepOn has a peer send small files and a large one to a server that keeps them:
// the program's serve, or a disk.
func (b *bench) keepOn(ctx context.Context, peer, program string, serve bool) (many, one time.Duration, peak int64, err error) {
	dir, err := os.MkdirTemp(b.dir, "kept-")
	if err != nil {
		return 0, 0, 0, err
	}
	defer os.RemoveAll(dir)
	var server *child
	var base string
	if serve {
		cmd := exec.CommandContext(ctx, program, "serve", "--addr", "127.0.0.1:0", "--store", dir)
		cmd.Env = withoutCredentials(os.Environ())
		server, base, err = start(cmd)
	} else {
		server, base, err = startSelf(ctx, "disk", "-dir", dir)
	}
	if err != nil {
		return 0, 0, 0, err
	}
	defer server.stop()
	send := func(size int64, count, concurrency int) (time.Duration, error) {
		t, err := b.task(column{way: plain, size: size, concurrency: concurrency}, peer)
		if err != nil {
			return 0, err
		}
		t.Base, t.Count, t.Warm = base, count, min(count, concurrency)
		if count == 1 {
			t.Warm = 0
		}
		got, err := t.run(ctx)
		return got.Wall, err
	}
	if many, err = send(16*kib, b.standin, 16); err != nil {
		return 0, 0, 0, err
	}
	if one, err = send(b.huge, 1, 1); err != nil {
		return 0, 0, 0, err
	}
	if serve {
		peak = server.peak()
	}
	return many, one, peak, nil
}

// withoutCredentials leaves serve with those that it falls back to, which are
// those of the peers.
func withoutCredentials(env []string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, "TWENTYFOURSEVEN_") && !strings.HasPrefix(e, "NCLOUD_") {
			kept = append(kept, e)
		}
	}
	return kept
}
