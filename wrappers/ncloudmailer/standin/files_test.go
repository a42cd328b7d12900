package standin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
)

func TestReclaimDeletesWhatExpired(t *testing.T) {
	clock := standintest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	st := store.Memory(0)
	s := serve(t, standin.Config{Store: st, Now: clock.Now})
	// Files of a server that was killed before it wrote the manifest.
	ms := clock.Now().UnixMilli()
	orphan := fmt.Sprintf("ncloudmailer/files/%08x-%04x-7000-8000-000000000000-99", ms>>16, ms&0xffff)
	for _, key := range []string{orphan, "ncloudmailer/files/of-somebody-else", "ncloudmailer/batches/0.json"} {
		if _, err := st.Put(t.Context(), key, "", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	s.create(form(file("old.txt", "x"), file("empty.txt", "")))
	clock.Add(12 * time.Hour)
	young := s.create(form(file("young.txt", "x")))
	clock.Add(12 * time.Hour)
	must(t, s.Reclaim(t.Context()))
	if got, want := len(keys(t, st)), 4; got != want { // a file with its manifest, and the two foreign ones
		t.Errorf("%d keys are left, want %d: %q", got, want, keys(t, st))
	}
	if got, _ := s.stored(young.Files[0].FileID); got != "x" {
		t.Errorf("the young file is %q", got)
	}
	if slices.Contains(keys(t, st), orphan) {
		t.Error("the orphan is left")
	}
	if err := serve(t, standin.Config{Store: struct{ store.Store }{st}}).Reclaim(t.Context()); err != nil {
		t.Errorf("a store that cannot list: %v", err)
	}
}

// listed counts how often a store was asked for its keys, and deletes nothing.
type listed struct {
	store.Lister
	lists int
}

func (l *listed) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	l.lists++
	return l.Lister.List(ctx, folder)
}

func (l *listed) Delete(context.Context, string) error { return errors.New("the disk is read-only") }

func TestFilesThatCannotBeDeletedAreInTheLog(t *testing.T) {
	clock := standintest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := serve(t, standin.Config{Store: &listed{Lister: store.Memory(0).(store.Lister)}, Now: clock.Now})
	a := s.create(form(file("a.txt", "x")))
	for message, do := range map[string]func(){
		"files of a refused request": func() { s.create(form(file("a.txt", "x"), file("b.txt", "y"))[:250]) },
		"an old batch": func() {
			clock.Add(24 * time.Hour)
			s.send(s.request(http.MethodGet, "/api/v1/files/"+a.TempRequestID, nil))
			clock.Add(-24 * time.Hour)
		},
		"expired files": func() {
			clock.Add(24 * time.Hour)
			s.create(form(file("a.txt", "x")))
			clock.Add(-24 * time.Hour)
		},
	} {
		before := len(s.log.String())
		do()
		if log := s.log.String()[before:]; !strings.Contains(log, message) || !strings.Contains(log, "read-only") {
			t.Errorf("%s: the log has %q", message, log)
		}
	}
}

func TestUploadsReclaimFromTimeToTime(t *testing.T) {
	clock := standintest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	st := &listed{Lister: store.Memory(0).(store.Lister)}
	s := serve(t, standin.Config{Store: st, Now: clock.Now})
	asked := func() int {
		st.lists = 0
		s.create(form(file("a.txt", "x")))
		return st.lists
	}
	asked()
	for _, tc := range []struct {
		after time.Duration
		again bool
	}{{0, false}, {7 * time.Minute, false}, {12 * time.Second, true}, {0, false}} {
		clock.Add(tc.after)
		if lists := asked(); lists > 0 != tc.again {
			t.Errorf("after %s: the store was listed %d times", tc.after, lists)
		}
	}
}

func TestABatchWithATornManifestIsIgnored(t *testing.T) {
	clock := standintest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	st := store.Memory(0)
	s := serve(t, standin.Config{Store: st, Now: clock.Now})
	a := s.create(form(file("a.txt", "x")))
	key := "ncloudmailer/batches/" + a.TempRequestID + ".json"
	r, info, err := st.Open(t.Context(), key)
	must(t, err)
	whole, _ := io.ReadAll(r)
	for n := range info.Size - 1 { // without its line end it is whole
		for _, torn := range []string{string(whole[:n]), string(whole[:n]) +
			strings.Repeat("\x00", len(whole)-int(n))} {
			if _, err := st.Put(t.Context(), key, "", strings.NewReader(torn)); err != nil {
				t.Fatal(err)
			}
			s.send(s.request(http.MethodGet, "/api/v1/files/"+a.TempRequestID, nil)).is(400, "77103")
			for f, err := range s.Files(t.Context()) {
				t.Fatalf("with %q for a manifest: listed %+v, %v", torn, f, err)
			}
		}
	}
	if err := s.Reset(t.Context()); err != nil || len(keys(t, st)) != 2 {
		t.Errorf("a reset leaves %q, %v, want both: the batch may be under way", keys(t, st), err)
	}
	clock.Add(24 * time.Hour)
	if err := s.Reclaim(t.Context()); err != nil || len(keys(t, st)) != 0 {
		t.Errorf("what expired leaves %q, %v", keys(t, st), err)
	}
}

func TestFilesAreListedUntilTheyAreReset(t *testing.T) {
	st := store.Memory(0)
	s := serve(t, standin.Config{Store: st})
	a := s.create(form(file("a.txt", "x"), file("b.txt", "yz")))
	list := func() (got []string) {
		for f, err := range s.Files(t.Context()) {
			must(t, err)
			if age := time.Since(f.Time); age < 0 || age > time.Minute {
				t.Errorf("%s is of %s", f.Name, f.Time)
			}
			got = append(got, fmt.Sprint(f.ID, f.Name, f.ContentType, f.Size))
		}
		slices.Sort(got)
		return got
	}
	want := []string{
		fmt.Sprint(a.Files[0].FileID, "a.txt", "text/plain", 1),
		fmt.Sprint(a.Files[1].FileID, "b.txt", "text/plain", 2),
	}
	slices.Sort(want)
	if got := list(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// A reset during an upload does not damage its batch.
	body, rest := io.Pipe()
	done := make(chan answer, 1)
	go func() { done <- s.send(s.request(http.MethodPost, "/api/v1/files", body, "Content-Type", formType)) }()
	whole := form(file("first.txt", "x"), file("second.txt", strings.Repeat("y", 1<<20)))
	io.WriteString(rest, whole[:len(whole)/2])
	must(t, s.Reset(t.Context()))
	if got := list(); got != nil {
		t.Errorf("after the reset: %q", got)
	}
	io.WriteString(rest, whole[len(whole)/2:])
	rest.Close()
	for _, f := range (<-done).Files {
		if content, _ := s.stored(f.FileID); int64(len(content)) != f.FileSize {
			t.Errorf("%s has %d bytes, want %d", f.FileName, len(content), f.FileSize)
		}
	}
	for _, err := range serve(t, standin.Config{Store: struct{ store.Store }{st}}).Files(t.Context()) {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("a store that cannot list: %v", err)
		}
	}
}
