package storetest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// mutant is a correct store with some methods replaced by wrong ones.
type mutant struct {
	store.Store
	put     func(c call) (int64, error)
	open    func(c call) (io.ReadCloser, store.Info, error)
	stat    func(c call) (store.Info, error)
	del     func(c call) error
	presign func(c call) (string, error)
	list    func(c call) iter.Seq2[string, error]
}

// call is a call of a mutant. Its methods do on the correct store what the
// mutant was asked to do.
type call struct {
	s                store.Store
	ctx              context.Context
	key, contentType string
	r                io.Reader
	life             time.Duration
}

func (c call) put() (int64, error)                         { return c.s.Put(c.ctx, c.key, c.contentType, c.r) }
func (c call) open() (io.ReadCloser, store.Info, error)    { return c.s.Open(c.ctx, c.key) }
func (c call) stat() (store.Info, error)                   { return c.s.Stat(c.ctx, c.key) }
func (c call) del() error                                  { return c.s.Delete(c.ctx, c.key) }
func (c call) list(folder string) iter.Seq2[string, error] { return store.Keys(c.ctx, c.s, folder) }

// on returns c for another key.
func (c call) on(key string) call { c.key = key; return c }

// from returns c with another reader.
func (c call) from(r io.Reader) call { c.r = r; return c }

// as returns c with another content type.
func (c call) as(contentType string) call { c.contentType = contentType; return c }

// lasting returns c with a context that does not end.
func (c call) lasting() call { c.ctx = context.WithoutCancel(c.ctx); return c }

func (m mutant) Put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	c := call{s: m.Store, ctx: ctx, key: key, contentType: contentType, r: r}
	if m.put != nil {
		return m.put(c)
	}
	return c.put()
}

func (m mutant) Open(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
	c := call{s: m.Store, ctx: ctx, key: key}
	if m.open != nil {
		return m.open(c)
	}
	return c.open()
}

func (m mutant) Stat(ctx context.Context, key string) (store.Info, error) {
	c := call{s: m.Store, ctx: ctx, key: key}
	if m.stat != nil {
		return m.stat(c)
	}
	return c.stat()
}

func (m mutant) Delete(ctx context.Context, key string) error {
	c := call{s: m.Store, ctx: ctx, key: key}
	if m.del != nil {
		return m.del(c)
	}
	return c.del()
}

func (m mutant) PresignPut(ctx context.Context, key, contentType string, life time.Duration) (string, error) {
	c := call{s: m.Store, ctx: ctx, key: key, contentType: contentType, life: life}
	if m.presign != nil {
		return m.presign(c)
	}
	return m.Store.PresignPut(ctx, key, contentType, life)
}

func (m mutant) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	c := call{s: m.Store, ctx: ctx, key: folder}
	if m.list != nil {
		return m.list(c)
	}
	return c.list(folder)
}

// reads returns a mutant whose Put wraps its reader.
func reads(wrap func(io.Reader) io.Reader) mutant {
	return mutant{put: func(c call) (int64, error) { return c.from(wrap(c.r)).put() }}
}

// ends returns a mutant whose Put takes a Read for the last one: when gets what
// the Read returned and how many bytes came in all.
func ends(when func(n, all int, err error) bool) mutant {
	return reads(func(r io.Reader) io.Reader {
		all := 0
		return readerFunc(func(p []byte) (int, error) {
			n, err := r.Read(p)
			if all += n; when(n, all, err) {
				err = io.EOF
			}
			return n, err
		})
	})
}

// typed returns a mutant whose Put changes the content type.
func typed(change func(key, contentType string) string) mutant {
	return mutant{put: func(c call) (int64, error) { return c.as(change(c.key, c.contentType)).put() }}
}

// timed returns a mutant that changes the time of an object where it tells it.
func timed(change func(key string, t time.Time) time.Time) mutant {
	return mutant{
		stat: func(c call) (store.Info, error) {
			info, err := c.stat()
			info.ModTime = change(c.key, info.ModTime)
			return info, err
		},
		open: func(c call) (io.ReadCloser, store.Info, error) {
			r, info, err := c.open()
			info.ModTime = change(c.key, info.ModTime)
			return r, info, err
		},
	}
}

// keyed returns a mutant with other keys throughout.
func keyed(change func(string) string) mutant {
	return mutant{
		put:  func(c call) (int64, error) { return c.on(change(c.key)).put() },
		open: func(c call) (io.ReadCloser, store.Info, error) { return c.on(change(c.key)).open() },
		stat: func(c call) (store.Info, error) { return c.on(change(c.key)).stat() },
		del:  func(c call) error { return c.on(change(c.key)).del() },
	}
}

// deletesAlike has a Delete that takes all keys that begin with its own.
var deletesAlike = mutant{del: func(c call) error {
	for other := range c.list("a") {
		if strings.HasPrefix(other, c.key) {
			c.on(other).del()
		}
	}
	return c.del()
}}

// forTexts returns m with a wrong URL for one content type: the URL is for
// text/plain.
func forTexts(m mutant, asked string) mutant {
	presign := m.presign
	m.presign = func(c call) (string, error) {
		if c.contentType == asked {
			c.contentType = textPlain
		}
		return presign(c)
	}
	return m
}

// borrowing returns a mutant whose Put keeps the bytes of its reader for Open,
// and does not copy them.
func borrowing(bytesOf func(io.Reader) []byte) mutant {
	var kept []byte
	return mutant{put: func(c call) (int64, error) {
		kept = bytesOf(c.r)
		return c.from(bytes.NewReader(kept)).put()
	}, open: func(c call) (io.ReadCloser, store.Info, error) {
		_, info, err := c.open()
		return io.NopCloser(bytes.NewReader(kept)), info, err
	}}
}

// sharingHeads returns a mutant that mixes the bytes of puts that overlap.
func sharingHeads() mutant {
	var mu sync.Mutex
	var shared bytes.Buffer
	return mutant{put: func(c call) (int64, error) {
		n, err := io.Copy(writerFunc(func(p []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return shared.Write(p)
		}), c.r)
		mu.Lock()
		defer mu.Unlock()
		defer shared.Reset()
		if err == nil {
			_, err = c.from(bytes.NewReader(shared.Bytes())).put()
		}
		return n, err
	}}
}

// lateTypes returns a mutant that gives an object the type of the put before.
func lateTypes() mutant {
	var mu sync.Mutex
	last := ""
	return typed(func(_, contentType string) string {
		mu.Lock()
		defer mu.Unlock()
		last, contentType = contentType, last
		return contentType
	})
}

// locking returns a mutant of whose Put and Open one goes on while the other holds a
// lock: Put while it reads, and Open until its reader is closed, or until it returns.
func locking(untilClosed bool) mutant {
	// The clock of a bubble stands still while a goroutine waits for a mutex, or
	// for a channel from outside.
	lock := sync.OnceValue(func() chan struct{} { return make(chan struct{}, 1) })
	return mutant{put: func(c call) (int64, error) {
		lock() <- struct{}{}
		defer func() { <-lock() }()
		return c.put()
	}, open: func(c call) (io.ReadCloser, store.Info, error) {
		lock() <- struct{}{}
		unlock := sync.OnceFunc(func() { <-lock() })
		r, info, err := c.open()
		if err != nil || !untilClosed {
			unlock()
			return r, info, err
		}
		return lockedReader{r, unlock}, info, nil
	}}
}

// lockedReader calls unlock when it is closed.
type lockedReader struct {
	io.ReadCloser
	unlock func()
}

func (r lockedReader) Close() error { r.unlock(); return r.ReadCloser.Close() }

// leak opens a file until the end of the test.
func leak(t *testing.T) {
	if f, err := os.Open("."); err == nil {
		t.Cleanup(func() { f.Close() })
	}
}

// leavingRest returns a mutant that keeps the bytes of a failed put in the way of the
// next one, as a log does that is not cut off.
func leavingRest() mutant {
	var left []byte
	return mutant{put: func(c call) (int64, error) {
		b, err := io.ReadAll(c.r)
		if err != nil {
			left = b
			return c.from(iotest.ErrReader(err)).put()
		}
		stored := append(left, b...)[:len(b)]
		left = nil
		return c.from(bytes.NewReader(stored)).put()
	}}
}

// byContent returns a mutant that stores objects of one size once, under the first
// key of which a part is equal.
func byContent(part func([]byte) []byte) mutant {
	var mu sync.Mutex
	first := make(map[string]string) // by content
	blob := make(map[string]string)  // by key
	return mutant{put: func(c call) (int64, error) {
		b, err := io.ReadAll(c.r)
		if err != nil {
			return 0, err
		}
		mu.Lock()
		defer mu.Unlock()
		same := fmt.Sprint(len(b), " ", string(part(b)))
		first[same] = cmp.Or(first[same], c.key)
		blob[c.key] = first[same]
		return c.on(blob[c.key]).from(bytes.NewReader(b)).put()
	}, open: func(c call) (io.ReadCloser, store.Info, error) {
		return c.on(cmp.Or(blob[c.key], c.key)).open()
	}, stat: func(c call) (store.Info, error) {
		return c.on(cmp.Or(blob[c.key], c.key)).stat()
	}}
}

// listsUntilDelete returns a mutant whose lists end with a Delete.
func listsUntilDelete() mutant {
	deleted := false
	return mutant{del: func(c call) error {
		deleted = true
		return c.del()
	}, list: func(c call) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			deleted = false
			for key, err := range c.list(c.key) {
				if deleted || !yield(key, err) {
					return
				}
			}
		}
	}}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// inTime runs a check of a rule in a bubble, whose clock moves on when all of it
// waits. A presigned URL needs a network, and a bubble has none.
func inTime(t *testing.T, rule string, check func(t *testing.T)) {
	if strings.Contains(rule, "presigned") {
		t.Parallel()
		check(t)
		return
	}
	synctest.Test(t, check)
}

func TestEveryRuleCanBeBroken(t *testing.T) {
	t.Parallel()
	// What a fault keeps by key.
	types, times, readers := make(map[string]string), make(map[string]time.Time), make(map[string]io.ReadCloser)
	// faults are mutants by the rule that must fail. Others may fail, too.
	faults := map[string]map[string]mutant{
		"what is put is what is opened": {
			"a byte is lost": reads(func(r io.Reader) io.Reader { r.Read(make([]byte, 1)); return r }),
			"zeros at the end are lost": {put: func(c call) (int64, error) {
				b, err := io.ReadAll(c.r)
				if err != nil {
					return 0, err
				}
				_, err = c.from(bytes.NewReader(bytes.TrimRight(b, "\x00"))).put()
				return int64(len(b)), err
			}},
			"Put counts wrong": {put: func(c call) (int64, error) {
				n, err := c.put()
				return n + 1, err
			}},
		},
		"objects that are almost equal are kept apart": {
			"equal sizes and heads are equal bytes": byContent(func(b []byte) []byte {
				return b[:min(len(b), 4<<10)]
			}),
			"equal sizes and last bytes are equal bytes": byContent(func(b []byte) []byte {
				return b[max(0, len(b)-4<<10):]
			}),
		},
		"an empty object is an object": {
			"empty objects are dropped": {put: func(c call) (int64, error) {
				n, err := c.put()
				if n == 0 {
					c.del()
				}
				return n, err
			}},
		},
		"sizes about a part's 5 MiB hold": {
			"one part is all": reads(func(r io.Reader) io.Reader { return io.LimitReader(r, part) }),
			"bytes that come with io.EOF are not counted": {put: func(c call) (n int64, err error) {
				_, err = c.from(readerFunc(func(p []byte) (int, error) {
					read, err := c.r.Read(p)
					if err == nil {
						n += int64(read)
					}
					return read, err
				})).put()
				return n, err
			}},
		},
		"sizes from 10 to 64 MiB hold": {
			"objects end at 32 MiB": reads(func(r io.Reader) io.Reader { return io.LimitReader(r, 32<<20) }),
		},
		"a put replaces the object and its type": {
			"the first put stays": {put: func(c call) (int64, error) {
				if _, err := c.stat(); err == nil {
					return io.Copy(io.Discard, c.r)
				}
				return c.put()
			}},
			"an object of one size and type is not put again": {put: func(c call) (int64, error) {
				b, err := io.ReadAll(c.r)
				if info, statErr := c.stat(); err == nil && statErr == nil && info.Size == int64(len(b)) &&
					info.ContentType == c.contentType {
					return info.Size, nil
				}
				return c.from(io.MultiReader(bytes.NewReader(b), iotest.ErrReader(cmp.Or(err, io.EOF)))).put()
			}},
		},
		"an open reader keeps its object": {
			"readers see what is there when they read": {open: func(c call) (io.ReadCloser, store.Info, error) {
				info, err := c.stat()
				if err != nil {
					return nil, info, err
				}
				return io.NopCloser(&live{call: c}), info, nil
			}},
			"a reader keeps a lock until it is closed": locking(true),
			"a reader begins with its first Read": {open: func(c call) (io.ReadCloser, store.Info, error) {
				begin := sync.OnceValues(func() (io.Reader, error) { r, _, err := c.open(); return r, err })
				info, err := c.stat()
				return io.NopCloser(readerFunc(func(p []byte) (int, error) {
					r, err := begin()
					if err != nil {
						return 0, err
					}
					return r.Read(p)
				})), info, err
			}},
		},
		"two readers of an object do not meet": {
			"readers share their place": {open: func(c call) (io.ReadCloser, store.Info, error) {
				r, info, err := c.open()
				if readers[c.key] == nil {
					readers[c.key] = r
				}
				return readers[c.key], info, err
			}},
		},
		"a call leaves no descriptor open": {
			"a closed reader leaks its file": {open: func(c call) (io.ReadCloser, store.Info, error) {
				leak(t)
				return c.open()
			}},
			"Stat leaks its file": {stat: func(c call) (store.Info, error) {
				leak(t)
				return c.stat()
			}},
			"Put leaks its file where its reader fails": {put: func(c call) (int64, error) {
				n, err := c.put()
				if err != nil {
					leak(t)
				}
				return n, err
			}},
		},
		"content types are kept": {
			"parameters are dropped from types": typed(func(_, contentType string) string {
				contentType, _, _ = strings.Cut(contentType, ";")
				return contentType
			}),
			"types become lower case": typed(func(_, contentType string) string {
				return strings.ToLower(contentType)
			}),
			"types are guessed where none is given": {put: func(c call) (int64, error) {
				head := make([]byte, 512)
				n, err := io.ReadFull(c.r, head)
				if c.contentType == "" && err == io.ErrUnexpectedEOF {
					return c.as(http.DetectContentType(head[:n])).from(bytes.NewReader(head[:n])).put()
				}
				return c.from(io.MultiReader(bytes.NewReader(head[:n]), c.r)).put()
			}},
		},
		"content types that cannot be kept are refused": {
			"types are mended": typed(func(_, contentType string) string { return strings.TrimSpace(contentType) }),
		},
		"keys nest": {
			"folders are flattened":  {put: func(c call) (int64, error) { return c.on(path.Base(c.key)).put() }},
			"a dot is an underscore": keyed(func(key string) string { return strings.ReplaceAll(key, ".", "_") }),
		},
		"bad keys are refused": {
			"keys are cleaned": {stat: func(c call) (store.Info, error) {
				return c.on(strings.TrimPrefix(c.key, "/")).stat()
			}},
		},
		"keys of another letter case are two objects, or one": {
			"Stat does not look at the letter case": {stat: func(c call) (store.Info, error) {
				return c.on(strings.ToUpper(c.key)).stat()
			}},
		},
		"a missing key does not exist": {
			"a missing key is any error": {stat: func(c call) (store.Info, error) {
				info, err := c.stat()
				if errors.Is(err, fs.ErrNotExist) {
					err = errors.New("HTTP status 404")
				}
				return info, err
			}},
		},
		"a deleted key does not exist": {
			"a delete takes what begins like its key, too": deletesAlike,
			"a second delete fails": {del: func(c call) error {
				if _, err := c.stat(); err != nil {
					return err
				}
				return c.del()
			}},
			"deletes are forgotten": {del: func(call) error { return nil }},
			"a new object has the type of the deleted one": typed(func(key, contentType string) string {
				types[key] = cmp.Or(contentType, types[key])
				return types[key]
			}),
		},
		"a delete removes one key and no other": {
			"a delete takes what begins like its key": deletesAlike,
			"a delete goes by the last element": {del: func(c call) error {
				return errors.Join(c.del(), c.on(path.Base(c.key)).del())
			}},
			"a cancelled delete deletes": {del: func(c call) error {
				return errors.Join(c.lasting().del(), c.ctx.Err())
			}},
			"the same bytes are the same object": byContent(bytes.Clone),
			"a delete whose context has ended says nothing": {del: func(c call) error {
				if c.ctx.Err() != nil {
					return nil
				}
				return c.del()
			}},
		},
		"a torn reader changes nothing": {
			"the next put begins with what is left of a torn one": leavingRest(),
			"io.ErrUnexpectedEOF is an end": ends(func(_, _ int, err error) bool {
				return errors.Is(err, io.ErrUnexpectedEOF)
			}),
			"a wrapped io.EOF is an end": ends(func(_, _ int, err error) bool { return errors.Is(err, io.EOF) }),
			"a cut beyond 16 MiB is an end": ends(func(_, all int, err error) bool {
				return err == io.ErrUnexpectedEOF && all > 16<<20
			}),
			"a cut of exactly a part is an end": ends(func(_, all int, err error) bool {
				return err == io.ErrUnexpectedEOF && all == part
			}),
			"an error that comes with bytes is an end": ends(func(n, _ int, err error) bool {
				return n > 0 && err != nil
			}),
			"old objects go first": {put: func(c call) (int64, error) { c.del(); return c.put() }},
		},
		"a slow reader is read to its end": {
			"a short read is an end": ends(func(n, _ int, err error) bool { return n == 0 && err == nil }),
		},
		"a cancelled put stores nothing": {
			"contexts are ignored": {put: func(c call) (int64, error) {
				if err := c.ctx.Err(); err != nil {
					return 0, err
				}
				return c.lasting().from(io.LimitReader(c.r, 2*part)).put()
			}},
			"a context is looked at now and then": {put: func(c call) (int64, error) {
				if err := c.ctx.Err(); err != nil {
					return 0, fmt.Errorf("put %s: %w", c.key, err)
				}
				reads := 0
				return c.lasting().from(readerFunc(func(p []byte) (int, error) {
					n, err := c.r.Read(p)
					if reads++; c.ctx.Err() != nil && (err == io.EOF || reads%10 == 0) {
						return 0, c.ctx.Err()
					}
					return n, err
				})).put()
			}},
			"a deadline is a cancel": {put: func(c call) (int64, error) {
				n, err := c.put()
				if errors.Is(err, context.DeadlineExceeded) {
					err = fmt.Errorf("put %s: %w", c.key, context.Canceled)
				}
				return n, err
			}},
			"a cancelled put takes the old object": {put: func(c call) (int64, error) {
				n, err := c.put()
				if errors.Is(err, context.Canceled) {
					c.lasting().del()
				}
				return n, err
			}},
			"a reader is read on after the context": {put: func(c call) (int64, error) {
				b, err := io.ReadAll(c.r)
				if err != nil {
					return 0, err
				}
				return c.from(bytes.NewReader(b)).put()
			}},
		},
		"concurrent puts of one key: one whole wins": {
			"types are kept apart from bytes":  lateTypes(),
			"puts of one key share their head": sharingHeads(),
		},
		"concurrent puts and deletes of neighbours do not meet": {
			"deletes take the folder": {del: func(c call) error {
				return errors.Join(c.del(), c.on("shared/stays").del())
			}},
		},
		"a put reads its reader to the end and leaves it open": {
			"the reader is closed": reads(func(r io.Reader) io.Reader {
				if c, ok := r.(io.Closer); ok {
					return then(r, func() error { c.Close(); return io.EOF })
				}
				return r
			}),
			"the reader is closed where it failed": {put: func(c call) (int64, error) {
				n, err := c.put()
				if r, ok := c.r.(io.Closer); ok && err != nil {
					r.Close()
				}
				return n, err
			}},
			"the reader is rewound": reads(func(r io.Reader) io.Reader {
				if s, ok := r.(io.Seeker); ok {
					s.Seek(0, io.SeekStart)
				}
				return r
			}),
		},
		"a put keeps no memory of its caller": {
			"a buffer is kept without a copy": borrowing(func(r io.Reader) []byte {
				if b, ok := r.(*bytes.Buffer); ok {
					return b.Next(b.Len())
				}
				b, _ := io.ReadAll(r)
				return b
			}),
			"what WriteTo writes is kept without a copy": borrowing(func(r io.Reader) (b []byte) {
				if w, ok := r.(*bytes.Reader); ok {
					w.WriteTo(writerFunc(func(p []byte) (int, error) { b = p; return len(p), nil }))
				} else {
					b, _ = io.ReadAll(r)
				}
				return b
			}),
		},
		"nothing is visible before it is whole": {
			"a new object is seen before it is whole": {put: func(c call) (int64, error) {
				if _, err := c.stat(); errors.Is(err, fs.ErrNotExist) {
					if _, err := c.from(strings.NewReader("")).put(); err != nil {
						return 0, err
					}
				}
				n, err := c.put()
				if err != nil {
					c.lasting().del()
				}
				return n, err
			}},
			"an old object is gone from the second part on": {put: func(c call) (int64, error) {
				head, err := io.ReadAll(io.LimitReader(c.r, part))
				if err != nil {
					return 0, err
				}
				if len(head) == part {
					c.del()
				}
				return c.from(io.MultiReader(bytes.NewReader(head), c.r)).put()
			}},
			"a put holds the lock while it reads": locking(false),
		},
		"the time of an object is the time of its put": {
			"time stands still": {stat: func(c call) (store.Info, error) {
				info, err := c.stat()
				info.ModTime = time.Unix(0, 0)
				return info, err
			}},
			"the time goes back": timed(func(_ string, t time.Time) time.Time {
				return time.Unix(0, 0).Add(time.Unix(0, 0).Sub(t))
			}),
			"the time is that of the question": timed(func(string, time.Time) time.Time {
				return time.Now().Truncate(time.Second)
			}),
			"the time of the first put stays": timed(func(key string, t time.Time) time.Time {
				if times[key].IsZero() {
					times[key] = t
				}
				return times[key]
			}),
			"Open tells no time": {open: func(c call) (io.ReadCloser, store.Info, error) {
				r, info, err := c.open()
				info.ModTime = time.Time{}
				return r, info, err
			}},
		},
		"errors name the operation and the key and hold the cause": {
			"errors are bare": {stat: func(c call) (store.Info, error) {
				info, err := c.stat()
				if err != nil {
					err = fmt.Errorf("stat: %w", errors.Unwrap(err))
				}
				return info, err
			}},
			"errors lose their cause": {put: func(c call) (int64, error) {
				n, err := c.put()
				if err != nil {
					err = errors.New(err.Error())
				}
				return n, err
			}},
			"a two-line error": {stat: func(c call) (store.Info, error) {
				info, err := c.stat()
				return info, fmt.Errorf("stat %s:\n%w", c.key, err)
			}},
		},
		"a presigned URL takes the object, or there is none": {
			"a URL takes every type":                presigning(t, gate{anyType: true}),
			"a URL takes nothing":                   presigning(t, gate{closed: true}),
			"a URL takes a bad type":                forTexts(presigning(t, gate{}), "text/plain\n"),
			"a URL without a type is one for texts": forTexts(presigning(t, gate{}), ""),
		},
		"a presigned URL takes nothing else": {
			"a URL takes every method": presigning(t, gate{anyMethod: true}),
			"a URL takes every key":    presigning(t, gate{anyKey: true}),
		},
		"a presigned URL ends": {
			"a URL never ends": presigning(t, gate{anyTime: true}),
		},
		"a list has every key of a folder and no other": {
			"a list shows what is being put": {put: func(c call) (int64, error) {
				if c.key == "list/8" {
					_, _ = c.from(strings.NewReader("")).put()
				}
				return c.put()
			}},
			"a list ignores its context": {list: func(c call) iter.Seq2[string, error] {
				return c.lasting().list(c.key)
			}},
			"a list ends with a delete": listsUntilDelete(),
			"a list has what begins like the folder": {list: func(c call) iter.Seq2[string, error] {
				return func(yield func(string, error) bool) {
					for _, folder := range []string{c.key, c.key + "6"} {
						for key, err := range c.list(folder) {
							if !yield(key, err) {
								return
							}
						}
					}
				}
			}},
			"a list ends early": {list: func(c call) iter.Seq2[string, error] {
				return func(yield func(string, error) bool) {
					n := 0
					for key, err := range c.list(c.key) {
						if n++; n > 3 || !yield(key, err) {
							return
						}
					}
				}
			}},
		},
	}

	// lines are how some faults must be named.
	lines := map[string]string{
		"a delete takes what begins like its key, too": `after Delete of another key, "a": Open("a/c"): `,
		"io.ErrUnexpectedEOF is an end":                "Put stored 0 bytes as if they were all: error <nil>",
		"contexts are ignored":                         "context ended in its last read, after 0 bytes: error <nil>",
		"the time of the first put stays":              "ModTime did not move: it is ",
		"the time goes back":                           "ModTime went back from ",
		"a buffer is kept without a copy":              "overwrote the bytes of its bytes.Buffer: ",
		"what WriteTo writes is kept without a copy":   "overwrote the bytes of its bytes.Reader: ",
		"a closed reader leaks its file":               "50 calls of Open and Close left 5",
		"a reader keeps a lock until it is closed":     `Put("a") did not return within 10s: a reader of the object is`,
	}
	left := maps.Clone(faults)
	for _, rule := range rules {
		if len(faults[rule.name]) == 0 {
			t.Errorf("nothing breaks the rule %q", rule.name)
		}
		delete(left, rule.name)
		for name, m := range faults[rule.name] {
			t.Run(name, func(t *testing.T) {
				inTime(t, rule.name, func(t *testing.T) {
					m.Store = cmp.Or(m.Store, store.Memory(0))
					err := rule.holds(t.Context(), m)
					reason, skipped := errors.AsType[skipReason](err)
					if strings.HasPrefix(string(reason), "this system") {
						t.Skip(reason)
					} else if err == nil || skipped {
						t.Errorf("%q did not notice: %v", rule.name, err)
					} else if want := lines[name]; !strings.Contains(err.Error(), want) {
						t.Errorf("%v, want %q in it", err, want)
					} else if text := err.Error(); strings.Contains(text, "\n") || len(text) > 300 {
						t.Errorf("a fault takes more than a line: %s", text)
					}
					t.Log(err)
				})
			})
		}
	}
	for name := range left {
		t.Errorf("there is no rule %q", name)
	}
}

func TestARightStoreKeepsAllRules(t *testing.T) {
	t.Parallel()
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			if err := rule.holds(t.Context(), presigning(t, gate{})); err != nil {
				t.Error(err)
			}
		})
	}
}

// The store's clock may differ from the tester's.
func TestAStoreMayHaveAnotherClock(t *testing.T) {
	behind := timed(func(_ string, t time.Time) time.Time { return t.Add(-time.Hour) })
	behind.Store = store.Memory(0)
	synctest.Test(t, func(t *testing.T) {
		if err := (rule{check: modTime}).holds(t.Context(), behind); err != nil {
			t.Error(err)
		}
	})
}

// A difference is found wherever it is.
func TestADifferenceIsNamedByItsOffset(t *testing.T) {
	for got, want := range map[string]string{
		"abxd": "other bytes from offset 2 on",
		"ab":   "2 bytes, want 4, the first wrong one at offset 2",
	} {
		if got := difference([]byte(got), []byte("abcd")); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A rule that does not apply must not pass.
func TestARuleThatDoesNotApplyIsSkipped(t *testing.T) {
	plain := struct{ store.Store }{store.Memory(0)} // no URLs, no list
	skipped := 0
	unlisted := rule{"a list of descriptors, where there is none", frees(t.TempDir())}
	for _, rule := range append(slices.Clone(rules), unlisted) {
		if strings.Contains(rule.name, "presigned URL") || strings.Contains(rule.name, "list") {
			if _, ok := errors.AsType[skipReason](rule.holds(t.Context(), plain)); !ok {
				t.Errorf("%q is not skipped", rule.name)
			}
			skipped++
		}
	}
	if skipped != 5 {
		t.Errorf("%d rules were looked at, want 5", skipped)
	}
}

func TestAStoreWithoutURLsNeedNotLookAtTheKey(t *testing.T) {
	none := mutant{Store: store.Memory(0), presign: func(call) (string, error) { return "", store.ErrNoPresign }}
	for _, rule := range rules {
		if strings.Contains(rule.name, "bad keys") || strings.Contains(rule.name, "errors name") {
			if err := rule.holds(t.Context(), none); err != nil {
				t.Errorf("%s: %v", rule.name, err)
			}
		}
	}
}

// Two such keys are one file on some file systems.
func TestAStoreMayTakeTheCasesOfLettersForOne(t *testing.T) {
	folding := keyed(strings.ToLower)
	folding.Store = store.Memory(0)
	for _, rule := range rules {
		if strings.Contains(rule.name, "letter case") {
			err := rule.holds(t.Context(), folding)
			if _, ok := errors.AsType[skipReason](err); !ok {
				t.Errorf("it is not skipped: %v", err)
			}
		}
	}
}

// gate says which differences a presigned URL allows.
type gate struct{ anyMethod, anyKey, anyType, anyTime, closed bool }

// presigning returns a mutant with presigned URLs of a server that stores what
// the gate allows.
func presigning(t *testing.T, g gate) mutant {
	s := store.Memory(0)
	signature := func(key, contentType, end string) string {
		if g.anyKey {
			key = ""
		}
		sum := sha256.Sum256([]byte("secret\n" + key + "\n" + contentType + "\n" + end))
		return hex.EncodeToString(sum[:])
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, key := r.URL.Query(), strings.TrimPrefix(r.URL.Path, "/")
		end, _ := strconv.ParseInt(q.Get("end"), 10, 64)
		ok := !g.closed && q.Get("signature") == signature(key, q.Get("type"), q.Get("end")) &&
			(g.anyMethod || r.Method == http.MethodPut) &&
			(g.anyType || r.Header.Get("Content-Type") == q.Get("type")) &&
			(g.anyTime || time.Now().UnixMilli() < end)
		if !ok {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if _, err := s.Put(r.Context(), key, q.Get("type"), r.Body); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(srv.Close)
	return mutant{Store: s, presign: func(c call) (string, error) {
		if err := errors.Join(store.CheckKey(c.key), store.CheckContentType(c.contentType)); err != nil {
			return "", fmt.Errorf("presign %s: %w", c.key, err)
		}
		contentType := cmp.Or(c.contentType, store.DefaultContentType)
		end := strconv.FormatInt(time.Now().Add(c.life).UnixMilli(), 10)
		query := url.Values{"type": {contentType}, "end": {end}, "signature": {signature(c.key, contentType, end)}}
		return srv.URL + "/" + c.key + "?" + query.Encode(), nil
	}}
}

// live reads the current object of a call, a little at a time.
type live struct {
	call
	off int
}

func (l *live) Read(p []byte) (int, error) {
	b, _, err := get(l.ctx, l.s, l.key)
	if err != nil {
		return 0, err
	}
	n, err := bytes.NewReader(b).ReadAt(p[:min(len(p), 1+rand.IntN(1000))], int64(l.off))
	l.off += n
	return n, err
}
