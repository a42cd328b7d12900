package upload_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"go.uber.org/goleak"
)

// uploader makes a function an upload.Uploader.
type uploader func(ctx context.Context, src upload.Source) (upload.Result, error)

func (f uploader) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	return f(ctx, src)
}

// takes is an Uploader whose uploads last d, or end with their context. It
// counts how many run.
type takes struct {
	d             time.Duration
	running, most atomic.Int64
}

func (u *takes) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	now := u.running.Add(1)
	for {
		most := u.most.Load()
		if now <= most || u.most.CompareAndSwap(most, now) {
			break
		}
	}
	defer u.running.Add(-1)
	select {
	case <-time.After(u.d):
		return upload.Result{ID: "id of " + src.Name, Size: src.Size}, nil
	case <-ctx.Done():
		return upload.Result{}, ctx.Err()
	}
}

// numbered yields count sources called 0, 1, 2 and so on, without end if count
// is negative. Asked counts the sources that were asked for.
func numbered(count int, asked *atomic.Int64) iter.Seq2[upload.Source, error] {
	return func(yield func(upload.Source, error) bool) {
		for i := 0; i != count; i++ {
			asked.Add(1)
			if !yield(upload.Bytes(fmt.Sprint(i), []byte("x")), nil) {
				return
			}
		}
	}
}

func TestManyYieldsEachSourceOnceAndKeepsExactlyNInFlight(t *testing.T) {
	for _, tc := range []struct{ n, most, seconds int }{
		{n: 10, most: 10, seconds: 10},
		{n: 1, most: 1, seconds: 100},
		{n: 0, most: 1, seconds: 100},
		{n: -3, most: 1, seconds: 100},
		{n: 1 << 40, most: 100, seconds: 1},
	} {
		t.Run(fmt.Sprint("n=", tc.n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				u, began, seen := &takes{d: time.Second}, time.Now(), map[string]bool{}
				for sent, err := range upload.Many(t.Context(), u, tc.n, numbered(100, &asked)) {
					name := sent.Source.Name
					if err != nil || sent.Result.ID != "id of "+name || seen[name] {
						t.Fatalf("%q came with %+v and %v, again: %t", name, sent.Result, err, seen[name])
					}
					seen[name] = true
				}
				if len(seen) != 100 || asked.Load() != 100 {
					t.Errorf("yielded %d of 100, asked for %d", len(seen), asked.Load())
				}
				if got := u.most.Load(); got != int64(tc.most) {
					t.Errorf("%d ran at once, want %d", got, tc.most)
				}
				// 100 uploads of a second each take this time if all places are
				// always in use.
				if got, want := time.Since(began), time.Duration(tc.seconds)*time.Second; got != want {
					t.Errorf("took %s, want %s", got, want)
				}
			})
		})
	}
}

func TestManyAsksForASourceOnlyWhenItCanBeSentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 4
		var asked atomic.Int64
		u := &takes{d: time.Second}
		// Each source must reach the uploader before the next one is asked for.
		srcs := func(yield func(upload.Source, error) bool) {
			for i := range 20 {
				if running := u.running.Load(); running >= n {
					t.Errorf("source %d was asked for while %d uploads were running", i, running)
				}
				asked.Add(1)
				if !yield(upload.Bytes(fmt.Sprint(i), nil), nil) {
					return
				}
				synctest.Wait()
			}
		}
		yielded := int64(0)
		for range upload.Many(t.Context(), u, n, srcs) {
			yielded++
			time.Sleep(10 * time.Second) // a slow body: uploads that end meanwhile wait
			synctest.Wait()
			if ahead := asked.Load() - yielded; ahead > n {
				t.Errorf("%d sources were asked for ahead of the loop, want at most %d", ahead, n)
			}
		}
	})
}

func TestManyYieldsWhileSourcesKeepItWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srcs := func(yield func(upload.Source, error) bool) {
			if yield(upload.Bytes("early", nil), nil) {
				time.Sleep(time.Hour)
				yield(upload.Bytes("late", nil), nil)
			}
		}
		var at []time.Duration
		began := time.Now()
		for range upload.Many(t.Context(), &takes{d: time.Second}, 2, srcs) {
			at = append(at, time.Since(began))
		}
		if want := []time.Duration{time.Second, time.Hour + time.Second}; !slices.Equal(at, want) {
			t.Errorf("yielded after %v, want %v", at, want)
		}
	})
}

func TestManyYieldsInOrderOfCompletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := uploader(func(_ context.Context, src upload.Source) (upload.Result, error) {
			d, err := time.ParseDuration(src.Name)
			time.Sleep(d)
			return upload.Result{}, err
		})
		srcs := func(yield func(upload.Source, error) bool) {
			_ = yield(upload.Bytes("3s", nil), nil) && yield(upload.Bytes("1s", nil), nil) &&
				yield(upload.Bytes("2s", nil), nil)
		}
		var got []string
		for sent := range upload.Many(t.Context(), u, 3, srcs) {
			got = append(got, sent.Source.Name)
		}
		if want := []string{"1s", "2s", "3s"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestManyTakesASourceThatFailedForOneErrorAndNotTheEnd(t *testing.T) {
	defer goleak.VerifyNone(t)
	broken := errors.New("unreadable")
	srcs := func(yield func(upload.Source, error) bool) {
		_ = yield(upload.Bytes("a", nil), nil) &&
			yield(upload.Source{Name: "b"}, broken) &&
			yield(upload.Bytes("c", nil), nil)
	}
	refused := errors.New("refused")
	u := uploader(func(_ context.Context, src upload.Source) (upload.Result, error) {
		if src.Name == "c" {
			return upload.Result{}, refused
		}
		return upload.Result{ID: src.Name}, nil
	})
	got := map[string]error{}
	for sent, err := range upload.Many(t.Context(), u, 1, srcs) {
		got[sent.Source.Name] = err
	}
	for name, want := range map[string]error{"a": nil, "b": broken, "c": refused} {
		if err, ok := got[name]; !ok || err != want {
			t.Errorf("%s: got %v (yielded: %t), want %v", name, err, ok, want)
		}
	}
}

func TestManyBreakCancelsWaitsAndDiscards(t *testing.T) {
	defer goleak.VerifyNone(t)
	synctest.Test(t, func(t *testing.T) {
		var asked, canceled atomic.Int64
		u := uploader(func(ctx context.Context, src upload.Source) (upload.Result, error) {
			if src.Name == "0" {
				return upload.Result{}, nil
			}
			<-ctx.Done()
			time.Sleep(time.Minute) // the loop waits for it
			canceled.Add(1)
			return upload.Result{}, ctx.Err()
		})
		yields, began := 0, time.Now()
		for range upload.Many(t.Context(), u, 5, numbered(-1, &asked)) {
			yields++
			synctest.Wait()
			break
		}
		if yields != 1 {
			t.Errorf("yielded %d times, want once", yields)
		}
		if got := canceled.Load(); got != 5 {
			t.Errorf("%d uploads had ended when the loop was left, want the 5 in flight", got)
		}
		if got := time.Since(began); got != time.Minute {
			t.Errorf("left after %s, want when the last upload had ended", got)
		}
		if got := asked.Load(); got != 6 {
			t.Errorf("%d sources were asked for, want 6", got)
		}
	})
}

func TestManyEndOfContextEndsTheBatchAndSaysSo(t *testing.T) {
	defer goleak.VerifyNone(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		var asked atomic.Int64
		var good, inFlight int
		var last upload.Sent
		var lastErr error
		for sent, err := range upload.Many(ctx, &takes{d: time.Minute}, 3, numbered(-1, &asked)) {
			last, lastErr = sent, err
			switch {
			case err == nil:
				good++
			case sent.Source.Open != nil && errors.Is(err, context.DeadlineExceeded):
				inFlight++
			}
		}
		if good != 3 || inFlight != 3 {
			t.Errorf("yielded %d results and %d ended uploads, want 3 and 3", good, inFlight)
		}
		if last.Source.Open != nil || !errors.Is(lastErr, context.DeadlineExceeded) {
			t.Errorf("the last yield was %q with %v, want an empty one with the context's error",
				last.Source.Name, lastErr)
		}
		if got := asked.Load(); got != 6 {
			t.Errorf("%d sources were asked for, want 6", got)
		}
	})
}

func TestManyWithAnEndedContextAsksForNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var asked atomic.Int64
	var errs []error
	for _, err := range upload.Many(ctx, &takes{}, 3, numbered(5, &asked)) {
		errs = append(errs, err)
	}
	if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) || asked.Load() != 0 {
		t.Errorf("yielded %v and asked for %d sources, want context.Canceled once and none", errs, asked.Load())
	}
}

func TestManyWholeBatchIsNotCalledCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var asked atomic.Int64
		yields := 0
		for _, err := range upload.Many(ctx, &takes{d: time.Second}, 3, numbered(2, &asked)) {
			if yields++; err != nil {
				t.Errorf("yield %d: %v", yields, err)
			}
			if yields == 2 {
				synctest.Wait()
				cancel() // srcs has ended, so this has no effect
			}
		}
		if yields != 2 {
			t.Errorf("yielded %d times, want 2", yields)
		}
	})
}

// A panic of foreign code comes out of the loop after all uploads in flight
// were cancelled and have ended.
func TestManyPanicsComeOutOfTheLoopAndLeaveNothing(t *testing.T) {
	hang := func(ctx context.Context, _ upload.Source) (upload.Result, error) {
		<-ctx.Done()
		return upload.Result{}, ctx.Err()
	}
	second := func(hang, then uploader) uploader { // hangs in the first upload
		var calls atomic.Int64
		return func(ctx context.Context, src upload.Source) (upload.Result, error) {
			if calls.Add(1) == 1 {
				return hang(ctx, src)
			}
			return then(ctx, src)
		}
	}
	boom := func(context.Context, upload.Source) (upload.Result, error) { panic("boom") }
	fine := func(context.Context, upload.Source) (upload.Result, error) { return upload.Result{}, nil }
	var inSrcs iter.Seq2[upload.Source, error] = func(yield func(upload.Source, error) bool) {
		yield(upload.Bytes("x", nil), nil)
		panic("boom")
	}
	var asked atomic.Int64
	for name, tc := range map[string]struct {
		u    uploader
		srcs iter.Seq2[upload.Source, error]
	}{
		"in srcs":          {hang, inSrcs},
		"in the uploader":  {second(hang, boom), numbered(-1, &asked)},
		"in the loop body": {second(hang, fine), numbered(-1, &asked)},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			defer func() {
				if got := recover(); got != "boom" {
					t.Errorf("recovered %v, want boom", got)
				}
			}()
			for range upload.Many(t.Context(), tc.u, 3, tc.srcs) {
				panic("boom") // only the last one comes here
			}
			t.Error("the loop ended as if nothing had happened")
		})
	}
}

func TestManyGoexitEndsTheGoroutineThatRanges(t *testing.T) {
	for name, many := range map[string]func(ctx context.Context) iter.Seq2[upload.Sent, error]{
		"in srcs": func(ctx context.Context) iter.Seq2[upload.Sent, error] {
			return upload.Many(ctx, &takes{}, 2, func(func(upload.Source, error) bool) { runtime.Goexit() })
		},
		"in the uploader": func(ctx context.Context) iter.Seq2[upload.Sent, error] {
			var asked atomic.Int64
			return upload.Many(ctx, uploader(func(context.Context, upload.Source) (upload.Result, error) {
				runtime.Goexit()
				return upload.Result{}, nil
			}), 2, numbered(3, &asked))
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			exited := make(chan bool)
			go func() {
				returned := false
				defer func() { exited <- !returned }()
				for range many(t.Context()) {
				}
				returned = true
			}()
			if !<-exited {
				t.Error("the loop ended as if nothing had happened")
			}
		})
	}
}

func TestManyMemoryDoesNotGrowWithTheCount(t *testing.T) {
	const count, size = 4_000, 16 << 10 // 64 MB if they were kept
	srcs := func(yield func(upload.Source, error) bool) {
		for i := range count {
			if !yield(upload.Bytes(fmt.Sprint(i), []byte(strings.Repeat("x", size))), nil) {
				return
			}
		}
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most, yields := heap(), uint64(0), 0
	for range upload.Many(t.Context(), &takes{}, 16, srcs) {
		if yields++; yields%(count/10) == 0 {
			most = max(most, heap())
		}
	}
	if yields != count || most > before+8<<20 {
		t.Errorf("after %d yields the heap had grown from %d to %d bytes", yields, before, most)
	}
}

// The workers stay, so a source costs no goroutine and no stack.
func TestManyMakesNothingForASource(t *testing.T) {
	const count = 10_000
	src := upload.Bytes("a", nil)
	none := uploader(func(context.Context, upload.Source) (upload.Result, error) { return upload.Result{}, nil })
	made := testing.AllocsPerRun(1, func() {
		for range upload.Many(t.Context(), none, 16, func(yield func(upload.Source, error) bool) {
			for range count {
				if !yield(src, nil) {
					return
				}
			}
		}) {
		}
	})
	if made > count/10 {
		t.Errorf("%.0f allocations for %d sources, want some for the whole", made, count)
	}
}

func ExampleMany() {
	client := uploader(func(_ context.Context, src upload.Source) (upload.Result, error) {
		return upload.Result{ID: "id-" + src.Name}, nil
	})
	// Sources are made one by one, as they are sent.
	srcs := func(yield func(upload.Source, error) bool) {
		for _, name := range []string{"testdata/none.pdf", "many_test.go"} {
			src, err := upload.File(name)
			if err != nil {
				src.Name = name
			}
			if !yield(src, err) {
				return
			}
		}
	}
	for sent, err := range upload.Many(context.Background(), client, 1, srcs) {
		if err != nil {
			fmt.Println("failed:", sent.Source.Name, errors.Is(err, fs.ErrNotExist))
			continue
		}
		fmt.Println("sent:", sent.Source.Name, sent.Result.ID)
	}
	// Output:
	// failed: testdata/none.pdf true
	// sent: many_test.go id-many_test.go
}
