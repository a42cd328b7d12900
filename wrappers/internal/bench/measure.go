package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// column is one setting in which peers are compared.
type column struct {
	way         string
	size        int64
	concurrency int
}

func (c column) String() string {
	s := c.way + " " + bytesText(c.size)
	if c.concurrency > 1 {
		s += fmt.Sprintf(" x%d", c.concurrency)
	}
	return s
}

func bytesText(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{gib, "GiB"}, {mib, "MiB"}, {kib, "KiB"}} {
		if n >= unit.size && n%unit.size == 0 {
			return fmt.Sprint(n/unit.size, " ", unit.name)
		}
	}
	return fmt.Sprint(n, " B")
}

// plan is what one run measures.
type plan struct {
	name    string
	columns []column
	peers   []string
	rounds  int
	huge    int64 // the largest size, and how often a round sends it
	hugely  int
	count   func(column) int // uploads a round
	batch   int              // files of the batch over a long wire
	shakes  int              // uploads whose handshakes are counted
	standin int              // uploads a round to the stand-ins; 0 leaves them out
	judged  bool             // whether it is long enough to say that a goal is reached
}

// roundsOf is more where a round is a single upload, and less where that takes
// seconds.
func (p plan) roundsOf(c column) int {
	switch {
	case c.size == p.huge:
		return p.hugely
	case p.judged && p.count(c) == 1:
		return 3 * p.rounds
	}
	return p.rounds
}

// bench is one run: its server, its files, and what came out.
type bench struct {
	plan
	dir    string
	server *server
	files  map[int64]string
	sums   map[int64]string // SHA-256 of each file, by size
	costs  map[column]map[string][]cost
	log    io.Writer // progress, for whoever waits
}

func newBench(ctx context.Context, p plan, log io.Writer) (*bench, error) {
	dir, err := os.MkdirTemp("", "putpost-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{plan: p, dir: dir, files: map[int64]string{}, sums: map[int64]string{}, costs: map[column]map[string][]cost{}, log: log}
	if b.server, err = startServer(ctx, 0, dir); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) close() {
	if b.server != nil {
		b.server.stop()
	}
	os.RemoveAll(b.dir)
}

// file is a file of so many bytes, which are made once.
func (b *bench) file(size int64) (string, error) {
	if path := b.files[size]; path != "" {
		return path, nil
	}
	path := filepath.Join(b.dir, fmt.Sprintf("file-%d.pdf", size))
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	var seed [32]byte
	noise := io.LimitReader(rand.NewChaCha8(seed), size)
	if _, err := io.Copy(io.MultiWriter(f, sum), noise); err != nil {
		return "", err
	}
	b.files[size], b.sums[size] = path, hex.EncodeToString(sum.Sum(nil))
	return path, f.Close()
}

func (b *bench) task(c column, peer string) (task, error) {
	path, err := b.file(c.size)
	n := b.count(c)
	if p, _ := peerNamed(peer); p.program != nil && c.size < b.huge {
		n = max(n, 20) // its start must not be most of what it costs
	}
	return task{
		Peer: peer, Base: b.server.Base[c.way], CA: b.server.CA, File: path, Size: c.size,
		Count: n, Warm: min(4*c.concurrency, n), Concurrency: c.concurrency,
	}, err
}

// takesPart says whether a peer can be asked to send what a column wants.
func (b *bench) takesPart(c column, p peer) bool {
	if p.program != nil && !curlFound() {
		return false
	}
	return !p.holds || c.size < gib || freeMemory() > 10*gib
}

// measure has every peer do its rounds in every column, one after the other so
// that whatever else the machine does falls on all of them, each round beginning
// with another peer.
func (b *bench) measure(ctx context.Context) error {
	for _, c := range b.columns {
		b.costs[c] = map[string][]cost{}
		for round := range b.roundsOf(c) {
			fmt.Fprintf(b.log, "%s: round %d of %d\n", c, round+1, b.roundsOf(c))
			for i := range b.peers {
				name := b.peers[(i+round)%len(b.peers)]
				p, err := peerNamed(name)
				if err != nil {
					return err
				}
				if !b.takesPart(c, p) || round > 0 && p.holds && c.size >= gib {
					continue
				}
				t, err := b.task(c, name)
				if err != nil {
					return err
				}
				got, err := t.run(ctx)
				if err != nil {
					return err
				}
				b.costs[c][name] = append(b.costs[c][name], got.per(t.Count))
			}
		}
	}
	return nil
}

// checkBytes has every peer send each size once and asks the server what
// arrived. What does not come whole is an error.
func (b *bench) checkBytes(ctx context.Context) error {
	sizes := map[int64]bool{}
	for _, c := range b.columns {
		sizes[c.size] = true
	}
	for _, size := range slices.Sorted(maps.Keys(sizes)) {
		fmt.Fprintf(b.log, "SHA-256 of what arrives, %s\n", bytesText(size))
		for _, name := range b.peers {
			p, err := peerNamed(name)
			if err != nil {
				return err
			}
			c := column{way: tlsH1, size: size, concurrency: 1}
			if !b.takesPart(c, p) || p.holds && size >= gib {
				continue
			}
			t, err := b.task(c, name)
			if err != nil {
				return err
			}
			t.Count, t.Warm = 1, 0
			seen := map[string]int{}
			err = b.server.ask("POST", "/check/on", nil)
			if err == nil {
				_, err = t.run(ctx)
			}
			if err == nil {
				err = b.server.ask("GET", "/seen", &seen)
			}
			if err == nil {
				err = b.server.ask("POST", "/check/off", nil)
			}
			if err != nil {
				return err
			}
			if want := b.sums[size]; len(seen) != 1 || seen[want] != 1 {
				return fmt.Errorf("%s sent %s that arrived as %v, want %s once", name, bytesText(size), seen, want)
			}
		}
	}
	return nil
}

// spread is the middle of some figures and where half of them lie.
type spread struct{ median, low, high float64 }

func spreadOf(figures []float64) spread {
	if len(figures) == 0 {
		return spread{}
	}
	s := slices.Sorted(slices.Values(figures))
	at := func(q float64) float64 {
		x := q * float64(len(s)-1)
		i := int(x)
		if i+1 == len(s) {
			return s[i]
		}
		return s[i] + (x-float64(i))*(s[i+1]-s[i])
	}
	return spread{median: at(0.5), low: at(0.25), high: at(0.75)}
}

// figures are one property of a peer's rounds.
func (b *bench) figures(c column, peer string, of func(cost) float64) []float64 {
	var all []float64
	for _, r := range b.costs[c][peer] {
		all = append(all, of(r))
	}
	return all
}

// ratio compares the processor time of two peers, round by round, so that a
// slow minute of the machine cancels out. A peer with fewer rounds is compared
// by the medians.
func (b *bench) ratio(c column, peer, to string) (spread, bool) {
	cpu := func(r cost) float64 { return float64(r.CPU) }
	mine, other := b.figures(c, peer, cpu), b.figures(c, to, cpu)
	if len(mine) == 0 || len(other) == 0 {
		return spread{}, false
	}
	if len(mine) != len(other) {
		m := spreadOf(mine).median / spreadOf(other).median
		return spread{m, m, m}, true
	}
	var each []float64
	for i := range mine {
		each = append(each, mine[i]/other[i])
	}
	return spreadOf(each), true
}

func (b *bench) cpu(c column, peer string) time.Duration {
	return time.Duration(spreadOf(b.figures(c, peer, func(r cost) float64 { return float64(r.CPU) })).median)
}

func (b *bench) rss(c column, peer string) float64 {
	return spreadOf(b.figures(c, peer, func(r cost) float64 { return float64(r.RSS) })).median
}
