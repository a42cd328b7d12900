//go:build unix

package soak

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// concurrency is the number of uploads that each client sends at once.
const concurrency = 64

func TestSoak(t *testing.T) {
	const uploadsVar, timeVar = "PUTPOST_SOAK_UPLOADS", "PUTPOST_SOAK_TIME"
	text := os.Getenv(uploadsVar)
	if text == "" {
		t.Skipf("takes minutes: %s does not say how many uploads; \"make soak\" does", uploadsVar)
	}
	uploads, err := strconv.Atoi(text)
	if err != nil || uploads < 1 {
		t.Fatalf("%s=%s is no number of uploads", uploadsVar, text)
	}
	limit := 7 * time.Minute
	if text := os.Getenv(timeVar); text != "" {
		if limit, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", timeVar, err)
		}
	}
	soak(t, uploads, 100, limit, upload.Retry{})
}

// This is TestSoak in a second or two, with shorter waits. It is too short to
// check memory.
func TestWhatIsAcknowledgedIsThereAndWhole(t *testing.T) {
	soak(t, 200, 20, time.Minute, upload.Retry{MaxWait: 20 * time.Millisecond})
}

// line is one client with the outcomes of its uploads.
type line struct {
	name   string
	client upload.Uploader
	open   func(context.Context, string) (io.ReadCloser, store.Info, error)
	folder string // where the stand-in keeps the files
	acks   *os.File

	acknowledged, torn, exhausted int
}

// soak sends uploads through both clients at the same time. Each client sends
// the given number, or as many as it can within limit. Every nth request is
// spoiled, and the parameter every is n.
func soak(t *testing.T, uploads, every int, limit time.Duration, retry upload.Retry) {
	dir := t.TempDir()
	srv := startServer(t, dir, every)
	lines := newLines(t, srv, retry)
	begun := time.Now()
	within := func(d time.Duration) func() bool {
		return func() bool { return time.Since(begun) < d }
	}

	// The first tenth fills pools and tables. After that nothing may grow.
	warm := uploads / 10
	run(t, lines, 0, warm, within(limit/4))
	before := calm(t, srv, both{figures{Goroutines: 1000}, figures{Goroutines: 1000}})
	w := watch(t, srv)
	middle := (uploads - warm) / 2
	run(t, lines, warm, warm+middle, within(limit*5/8))
	first := w.lap()
	run(t, lines, warm+middle, uploads, within(limit))
	second := w.lap()
	w.stop()
	after := calm(t, srv, before)
	took := time.Since(begun)
	srv.stop(t)
	stored := check(t, dir, lines)

	f := after.standins
	ended := 0
	for _, l := range lines {
		ended += l.acknowledged + l.torn + l.exhausted
	}
	t.Logf("%d uploads of 16 B to 8 KiB, %d at once through each client, in %s", ended, concurrency, took)
	for _, l := range lines {
		t.Logf("%s: %d acknowledged, %d torn answers, %d spoiled four times, %d stored", l.name, l.acknowledged, l.torn,
			l.exhausted, stored[l])
	}
	t.Logf("calm after the first tenth: %+v", before)
	t.Logf("most in the next half: %+v", first)
	t.Logf("most in the last half: %+v", second)
	t.Logf("calm at the end: %+v", after)

	// After the limit, at least half of all uploads must have ended.
	if took < limit && ended != 2*uploads || ended < uploads {
		t.Errorf("%d uploads ended in %s, want %d", ended, took, 2*uploads)
	}
	for _, l := range lines {
		if l.exhausted > 2 {
			t.Errorf("%s: %d uploads were spoiled four times, which is no chance", l.name, l.exhausted)
		}
	}
	var spoiled int64
	for i, n := range f.Spoiled {
		if spoiled += n; n == 0 {
			t.Errorf("no request saw this: %s", kinds[i].name)
		}
	}
	if spoiled != f.Requests/int64(every) {
		t.Errorf("%d of %d requests were spoiled, want one in %d", spoiled, f.Requests, every)
	}
	flat(t, "the clients", before.clients, first.clients, second.clients, after.clients, ended)
	flat(t, "the stand-ins", before.standins, first.standins, second.standins, after.standins, ended)
}

// flat checks that the figures of one process did not grow.
func flat(t *testing.T, who string, before, first, second, after figures, uploads int) {
	if n := after.Goroutines - before.Goroutines; n > spare {
		t.Errorf("%s: %d goroutines more than after the first tenth", who, n)
	}
	if uploads < 10_000 {
		return // the noise would hide a leak
	}
	if grown := after.Heap - before.Heap; grown > 1<<20 {
		t.Errorf("%s: %s of heap more than after the first tenth", who, mib(grown))
	}
	if second.RSS > first.RSS*5/4+8<<20 {
		t.Errorf("%s: RSS grew from %s to %s", who, mib(first.RSS), mib(second.RSS))
	}
	if second.Goroutines > first.Goroutines*5/4+20 {
		t.Errorf("%s: goroutines grew from %d to %d", who, first.Goroutines, second.Goroutines)
	}
}

// newLines connects both clients to the stand-ins.
func newLines(t *testing.T, srv *server, retry upload.Retry) []*line {
	t.Helper()
	tokens := twentyfourseven.ClientCredentials{
		ClientID: clientID, ClientSecret: clientSecret, Organization: "1", TokenURL: srv.url + "/oauth/token",
	}.TokenSource(t.Context())
	first, err := twentyfourseven.New(tokens, upload.Config{BaseURL: srv.url + "/v1", Retry: retry})
	if err != nil {
		t.Fatal(err)
	}
	second, err := ncloudmailer.New(ncloudmailer.Credentials{AccessKey: accessKey, SecretKey: secretKey},
		upload.Config{BaseURL: srv.url + "/api/v1", Retry: retry})
	if err != nil {
		t.Fatal(err)
	}
	lines := []*line{{name: "twentyfourseven", client: first}, {name: "ncloudmailer", client: second}}
	for _, l := range lines {
		l.folder = filepath.Join(l.name, "files")
		// Acknowledged uploads are written to a file, because memory is
		// measured.
		if l.acks, err = os.Create(filepath.Join(t.TempDir(), l.name)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.acks.Close() })
	}
	return lines
}

// run sends the uploads from one number to another through both clients.
func run(t *testing.T, lines []*line, from, to int, more func() bool) {
	var running sync.WaitGroup
	for _, l := range lines {
		running.Go(func() {
			for sent, err := range upload.Many(t.Context(), l.client, concurrency, small(from, to, more)) {
				if err != nil {
					l.fail(t, sent.Source.Name, err)
					continue
				}
				l.acknowledge(sent)
			}
		})
	}
	running.Wait()
}

// acknowledge notes an upload that succeeded.
func (l *line) acknowledge(sent upload.Sent) {
	l.acknowledged++
	fmt.Fprintf(l.acks, "%d %s\n", numberOf(sent.Source.Name), sent.Result.ID)
}

// fail checks that an upload failed because of an injected fault.
func (l *line) fail(t *testing.T, name string, err error) {
	e, _ := errors.AsType[*upload.Error](err)
	switch {
	case e == nil:
		t.Errorf("%s %s: %v", l.name, name, err)
	case e.Status/100 == 2 && errors.Is(err, upload.ErrUnavailable): // the answer, not the upload, was lost
		l.torn++
	case e.Attempts == 4 && (errors.Is(err, upload.ErrUnavailable) || errors.Is(err, upload.ErrRateLimited)):
		l.exhausted++
	default:
		t.Errorf("%s %s: %v", l.name, name, err)
	}
}

// check checks that the stand-ins hold every acknowledged upload under its id
// after a restart, and that all other stored files are whole, too. It returns
// the number of stored files for each client.
func check(t *testing.T, dir string, lines []*line) map[*line]int {
	t.Helper()
	if left, err := os.ReadDir(filepath.Join(dir, ".incoming")); err != nil || len(left) > 0 {
		t.Errorf("%d files are still aside: %v", len(left), err)
	}
	s, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	stored := map[*line]int{}
	for _, l := range lines {
		l.open = s.ncloudmailer.Open
		if l.name == "twentyfourseven" {
			l.open = s.twentyfourseven.Open
		}
		if _, err := l.acks.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		acks, seen := bufio.NewScanner(l.acks), 0
		for ; acks.Scan(); seen++ {
			number, id, _ := strings.Cut(acks.Text(), " ")
			n, _ := strconv.Atoi(number)
			if err := l.compare(t.Context(), id, content(n, smallSize(n))); err != nil {
				t.Errorf("%s: upload %d, acknowledged as %s: %v", l.name, n, id, err)
			}
		}
		if seen != l.acknowledged {
			t.Errorf("%s: %d of %d acknowledgements were looked at", l.name, seen, l.acknowledged)
		}
		stored[l] = allWhole(t, filepath.Join(dir, l.folder))
	}
	return stored
}

// compare compares the file under an id with the sent one.
func (l *line) compare(ctx context.Context, id string, want []byte) error {
	rc, info, err := l.open(ctx, id)
	if err != nil {
		return err
	}
	defer rc.Close()
	sum := sha256.New()
	if n, err := io.Copy(sum, rc); err != nil || n != info.Size {
		return fmt.Errorf("%d of %d bytes: %w", n, info.Size, err)
	}
	if got, want := sum.Sum(nil), sha256.Sum256(want); string(got) != string(want[:]) {
		return fmt.Errorf("SHA-256 %x, sent %x", got, want)
	}
	return nil
}

// allWhole counts the files below dir, and checks that each is the whole
// content of some upload.
func allWhole(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		b, err := os.ReadFile(path)
		if _, ok := whole(b); err == nil && !ok {
			t.Errorf("%s is visible and not whole: %d bytes", path, len(b))
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	return n
}

// watcher measures both processes from time to time.
type watcher struct {
	mu   sync.Mutex
	most both
	end  chan struct{}
	done sync.WaitGroup
}

func watch(t *testing.T, s *server) *watcher {
	w := &watcher{end: make(chan struct{})}
	w.done.Go(func() {
		for tick := time.Tick(250 * time.Millisecond); ; {
			now := both{clients: measure(), standins: s.ask(t, "/figures")}
			w.mu.Lock()
			w.most.raise(now)
			w.mu.Unlock()
			select {
			case <-tick:
			case <-w.end:
				return
			}
		}
	})
	return w
}

// lap returns the largest figures since the last call.
func (w *watcher) lap() both {
	w.mu.Lock()
	defer w.mu.Unlock()
	most := w.most
	w.most = both{}
	return most
}

func (w *watcher) stop() {
	close(w.end)
	w.done.Wait()
}
