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
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// mutant is a correct store with some methods replaced by wrong ones.
type mutant struct {
	store.Store
	put     func(ctx context.Context, key, contentType string, r io.Reader) (int64, error)
	open    func(ctx context.Context, key string) (io.ReadCloser, store.Info, error)
	stat    func(ctx context.Context, key string) (store.Info, error)
	del     func(ctx context.Context, key string) error
	presign func(ctx context.Context, key, contentType string, life time.Duration) (string, error)
	list    func(ctx context.Context, folder string) iter.Seq2[string, error]
}

func (m mutant) Put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	if m.put != nil {
		return m.put(ctx, key, contentType, r)
	}
	return m.Store.Put(ctx, key, contentType, r)
}

func (m mutant) Open(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
	if m.open != nil {
		return m.open(ctx, key)
	}
	return m.Store.Open(ctx, key)
}

func (m mutant) Stat(ctx context.Context, key string) (store.Info, error) {
	if m.stat != nil {
		return m.stat(ctx, key)
	}
	return m.Store.Stat(ctx, key)
}

func (m mutant) Delete(ctx context.Context, key string) error {
	if m.del != nil {
		return m.del(ctx, key)
	}
	return m.Store.Delete(ctx, key)
}

func (m mutant) PresignPut(ctx context.Context, key, contentType string, life time.Duration) (string, error) {
	if m.presign != nil {
		return m.presign(ctx, key, contentType, life)
	}
	return m.Store.PresignPut(ctx, key, contentType, life)
}

func (m mutant) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	if m.list != nil {
		return m.list(ctx, folder)
	}
	return store.Keys(ctx, m.Store, folder)
}

// readWith returns s with a Put that wraps its reader with read.
func readWith(s store.Store, read func(io.Reader) io.Reader) mutant {
	return mutant{Store: s, put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
		return s.Put(ctx, key, contentType, read(r))
	}}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// typed returns s with a Put that changes the content type.
func typed(s store.Store, change func(key, contentType string) string) mutant {
	return mutant{Store: s, put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
		return s.Put(ctx, key, change(key, contentType), r)
	}}
}

// signed returns s with a wrong URL for one content type: the URL is for
// text/plain.
func signed(s store.Store, asked string) mutant {
	return mutant{Store: s, presign: func(ctx context.Context, key, typ string, life time.Duration) (string, error) {
		if typ == asked {
			typ = textPlain
		}
		return s.PresignPut(ctx, key, typ, life)
	}}
}

// keyed returns s with other keys throughout.
func keyed(s store.Store, change func(string) string) mutant {
	return mutant{
		Store: s,
		put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
			return s.Put(ctx, change(key), contentType, r)
		},
		open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
			return s.Open(ctx, change(key))
		},
		stat: func(ctx context.Context, key string) (store.Info, error) { return s.Stat(ctx, change(key)) },
		del:  func(ctx context.Context, key string) error { return s.Delete(ctx, change(key)) },
	}
}

// deletesAlike returns s with a Delete that takes all keys that begin with its
// own.
func deletesAlike(s store.Store) store.Store {
	return mutant{Store: s, del: func(ctx context.Context, key string) error {
		for other := range store.Keys(ctx, s, "a") {
			if strings.HasPrefix(other, key) {
				s.Delete(ctx, other)
			}
		}
		return s.Delete(ctx, key)
	}}
}

// borrowing returns s with a Put that keeps the bytes of its reader for Open,
// and does not copy them.
func borrowing(s store.Store, bytesOf func(io.Reader) []byte) store.Store {
	var kept []byte
	return mutant{Store: s, put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
		kept = bytesOf(r)
		return s.Put(ctx, key, contentType, bytes.NewReader(kept))
	}, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
		_, info, err := s.Open(ctx, key)
		return io.NopCloser(bytes.NewReader(kept)), info, err
	}}
}

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
	mutants := []struct {
		name  string
		rule  string // the rule that must fail; others may fail, too
		build func(s store.Store) store.Store
	}{
		{"a byte is lost", "what is put is what is opened", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader { r.Read(make([]byte, 1)); return r })
		}},
		{"Put counts wrong", "what is put is what is opened", func(s store.Store) store.Store {
			return mutant{Store: s,
				put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
					n, err := s.Put(ctx, key, contentType, r)
					return n + 1, err
				}}
		}},
		{"empty objects are dropped", "an empty object is an object", func(s store.Store) store.Store {
			return mutant{Store: s,
				put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
					n, err := s.Put(ctx, key, contentType, r)
					if n == 0 {
						s.Delete(ctx, key)
					}
					return n, err
				}}
		}},
		{"one part is all", "sizes about a part's 5 MiB hold", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader { return io.LimitReader(r, part) })
		}},
		{"the first put stays", "a put replaces the object and its type", func(s store.Store) store.Store {
			return mutant{Store: s,
				put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
					if _, err := s.Stat(ctx, key); err == nil {
						return io.Copy(io.Discard, r)
					}
					return s.Put(ctx, key, contentType, r)
				}}
		}},
		{"readers see what is there when they read", "an open reader keeps its object",
			func(s store.Store) store.Store {
				return mutant{Store: s, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
					info, err := s.Stat(ctx, key)
					if err != nil {
						return nil, info, err
					}
					return io.NopCloser(&live{ctx: ctx, s: s, key: key}), info, nil
				}}
			}},
		{"a reader begins with its first Read", "an open reader keeps its object", func(s store.Store) store.Store {
			return mutant{Store: s, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
				begin := sync.OnceValues(func() (io.Reader, error) { r, _, err := s.Open(ctx, key); return r, err })
				info, err := s.Stat(ctx, key)
				return io.NopCloser(readerFunc(func(p []byte) (int, error) {
					r, err := begin()
					if err != nil {
						return 0, err
					}
					return r.Read(p)
				})), info, err
			}}
		}},
		{"parameters are dropped from types", "content types are kept", func(s store.Store) store.Store {
			return typed(s, func(_, contentType string) string {
				contentType, _, _ = strings.Cut(contentType, ";")
				return contentType
			})
		}},
		{"types are mended", "content types that cannot be kept are refused", func(s store.Store) store.Store {
			return typed(s, func(_, contentType string) string { return strings.TrimSpace(contentType) })
		}},
		{"folders are flattened", "keys nest", func(s store.Store) store.Store {
			return mutant{Store: s,
				put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
					return s.Put(ctx, path.Base(key), contentType, r)
				}}
		}},
		{"keys are cleaned", "bad keys are refused", func(s store.Store) store.Store {
			return mutant{Store: s, stat: func(ctx context.Context, key string) (store.Info, error) {
				return s.Stat(ctx, strings.TrimPrefix(key, "/"))
			}}
		}},
		{"a missing key is any error", "a missing key does not exist", func(s store.Store) store.Store {
			return mutant{Store: s, stat: func(ctx context.Context, key string) (store.Info, error) {
				info, err := s.Stat(ctx, key)
				if errors.Is(err, fs.ErrNotExist) {
					err = errors.New("HTTP status 404")
				}
				return info, err
			}}
		}},
		{"a delete takes what begins like its key, too", "a deleted key does not exist", deletesAlike},
		{"a second delete fails", "a deleted key does not exist", func(s store.Store) store.Store {
			return mutant{Store: s, del: func(ctx context.Context, key string) error {
				if _, err := s.Stat(ctx, key); err != nil {
					return err
				}
				return s.Delete(ctx, key)
			}}
		}},
		{"deletes are forgotten", "a deleted key does not exist", func(s store.Store) store.Store {
			return mutant{Store: s, del: func(context.Context, string) error { return nil }}
		}},
		{"io.ErrUnexpectedEOF is an end", "a torn reader changes nothing", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader { return endAt(r, io.ErrUnexpectedEOF) })
		}},
		{"a wrapped io.EOF is an end", "a torn reader changes nothing", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader { return endAt(r, io.EOF) })
		}},
		{"old objects go first", "a torn reader changes nothing", func(s store.Store) store.Store {
			return mutant{Store: s,
				put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
					s.Delete(ctx, key)
					return s.Put(ctx, key, contentType, r)
				}}
		}},
		{"a short read is an end", "a slow reader is read to its end", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader { return &impatient{r: r} })
		}},
		{"contexts are ignored", "a cancelled put stores nothing", func(s store.Store) store.Store {
			return mutant{Store: s,
				put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
					if err := ctx.Err(); err != nil {
						return 0, err
					}
					return s.Put(context.WithoutCancel(ctx), key, contentType, io.LimitReader(r, 2*part))
				}}
		}},
		{"a context is looked at now and then", "a cancelled put stores nothing", func(s store.Store) store.Store {
			return mutant{Store: s,
				put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
					if err := ctx.Err(); err != nil {
						return 0, fmt.Errorf("put %s: %w", key, err)
					}
					reads := 0
					return s.Put(context.WithoutCancel(ctx), key, contentType, readerFunc(func(p []byte) (int, error) {
						n, err := r.Read(p)
						if reads++; ctx.Err() != nil && (err == io.EOF || reads%10 == 0) {
							return 0, ctx.Err()
						}
						return n, err
					}))
				}}
		}},
		{"Stat does not look at the letter case", "keys of another letter case are two objects, or one",
			func(s store.Store) store.Store {
				return mutant{Store: s, stat: func(ctx context.Context, key string) (store.Info, error) {
					return s.Stat(ctx, strings.ToUpper(key))
				}}
			}},
		{"a dot is an underscore", "keys nest", func(s store.Store) store.Store {
			return keyed(s, func(key string) string { return strings.ReplaceAll(key, ".", "_") })
		}},
		{"types are kept apart from bytes", "concurrent puts of one key: one whole wins",
			func(s store.Store) store.Store {
				var mu sync.Mutex
				last := ""
				return typed(s, func(_, contentType string) string {
					mu.Lock()
					defer mu.Unlock()
					last, contentType = contentType, last
					return contentType
				})
			}},
		{"puts of one key share their head", "concurrent puts of one key: one whole wins",
			func(s store.Store) store.Store {
				var mu sync.Mutex
				var shared bytes.Buffer
				return mutant{Store: s,
					put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
						n, err := io.Copy(writerFunc(func(p []byte) (int, error) {
							mu.Lock()
							defer mu.Unlock()
							return shared.Write(p)
						}), r)
						mu.Lock()
						defer mu.Unlock()
						defer shared.Reset()
						if err == nil {
							_, err = s.Put(ctx, key, contentType, bytes.NewReader(shared.Bytes()))
						}
						return n, err
					}}
			}},
		{"deletes take the folder", "concurrent puts and deletes of neighbours do not meet",
			func(s store.Store) store.Store {
				return mutant{Store: s, del: func(ctx context.Context, key string) error {
					return errors.Join(s.Delete(ctx, key), s.Delete(ctx, "shared/stays"))
				}}
			}},
		{"time stands still", "the time of an object is the time of its put", func(s store.Store) store.Store {
			return mutant{Store: s, stat: func(ctx context.Context, key string) (store.Info, error) {
				info, err := s.Stat(ctx, key)
				info.ModTime = time.Unix(0, 0)
				return info, err
			}}
		}},
		{"a URL takes every type", "a presigned URL takes the object, or there is none",
			func(s store.Store) store.Store {
				return presigning(t, s, gate{anyType: true})
			}},
		{"a URL takes nothing", "a presigned URL takes the object, or there is none", func(s store.Store) store.Store {
			return presigning(t, s, gate{closed: true})
		}},
		{"a URL takes every method", "a presigned URL takes nothing else", func(s store.Store) store.Store {
			return presigning(t, s, gate{anyMethod: true})
		}},
		{"a URL takes every key", "a presigned URL takes nothing else", func(s store.Store) store.Store {
			return presigning(t, s, gate{anyKey: true})
		}},
		{"a URL never ends", "a presigned URL ends", func(s store.Store) store.Store {
			return presigning(t, s, gate{anyTime: true})
		}},
		{"the reader is closed", "a put reads its reader to the end and leaves it open",
			func(s store.Store) store.Store {
				return readWith(s, func(r io.Reader) io.Reader {
					if c, ok := r.(io.Closer); ok {
						return then(r, func() error { c.Close(); return io.EOF })
					}
					return r
				})
			}},
		{"the reader is closed where it failed", "a put reads its reader to the end and leaves it open",
			func(s store.Store) store.Store {
				return mutant{Store: s,
					put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
						n, err := s.Put(ctx, key, contentType, r)
						if c, ok := r.(io.Closer); ok && err != nil {
							c.Close()
						}
						return n, err
					}}
			}},
		{"the reader is rewound", "a put reads its reader to the end and leaves it open",
			func(s store.Store) store.Store {
				return readWith(s, func(r io.Reader) io.Reader {
					if s, ok := r.(io.Seeker); ok {
						s.Seek(0, io.SeekStart)
					}
					return r
				})
			}},
		{"objects end at 32 MiB", "sizes from 10 to 64 MiB hold", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader { return io.LimitReader(r, 32<<20) })
		}},
		{"a cut beyond 16 MiB is an end", "a torn reader changes nothing", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader {
				read := 0
				return readerFunc(func(p []byte) (int, error) {
					n, err := r.Read(p)
					if read += n; err == io.ErrUnexpectedEOF && read > 16<<20 {
						err = io.EOF
					}
					return n, err
				})
			})
		}},
		{"a cut of exactly a part is an end", "a torn reader changes nothing", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader {
				read := 0
				return readerFunc(func(p []byte) (int, error) {
					n, err := r.Read(p)
					if read += n; err == io.ErrUnexpectedEOF && read == part {
						err = io.EOF
					}
					return n, err
				})
			})
		}},
		{"an error that comes with bytes is an end", "a torn reader changes nothing", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader {
				return readerFunc(func(p []byte) (int, error) {
					n, err := r.Read(p)
					if n > 0 && err != nil {
						err = io.EOF
					}
					return n, err
				})
			})
		}},
		{"a new object is seen before it is whole", "nothing is visible before it is whole",
			func(s store.Store) store.Store {
				return mutant{Store: s,
					put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
						if _, err := s.Stat(ctx, key); errors.Is(err, fs.ErrNotExist) {
							if _, err := s.Put(ctx, key, contentType, strings.NewReader("")); err != nil {
								return 0, err
							}
						}
						n, err := s.Put(ctx, key, contentType, r)
						if err != nil {
							s.Delete(context.WithoutCancel(ctx), key)
						}
						return n, err
					}}
			}},
		{"an old object is gone from the second part on", "nothing is visible before it is whole",
			func(s store.Store) store.Store {
				return mutant{Store: s,
					put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
						head, err := io.ReadAll(io.LimitReader(r, part))
						if err != nil {
							return 0, err
						}
						if len(head) == part {
							s.Delete(ctx, key)
						}
						return s.Put(ctx, key, contentType, io.MultiReader(bytes.NewReader(head), r))
					}}
			}},
		{"a put holds the lock while it reads", "nothing is visible before it is whole",
			func(s store.Store) store.Store {
				lock := make(chan struct{}, 1) // the clock of a bubble stands still while a goroutine waits for a mutex
				return mutant{Store: s,
					put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
						lock <- struct{}{}
						defer func() { <-lock }()
						return s.Put(ctx, key, contentType, r)
					}, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
						lock <- struct{}{}
						defer func() { <-lock }()
						return s.Open(ctx, key)
					}}
			}},
		{"a deadline is a cancel", "a cancelled put stores nothing", func(s store.Store) store.Store {
			return mutant{Store: s,
				put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
					n, err := s.Put(ctx, key, contentType, r)
					if errors.Is(err, context.DeadlineExceeded) {
						err = fmt.Errorf("put %s: %w", key, context.Canceled)
					}
					return n, err
				}}
		}},
		{"a cancelled put takes the old object", "a cancelled put stores nothing", func(s store.Store) store.Store {
			return mutant{Store: s,
				put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
					n, err := s.Put(ctx, key, contentType, r)
					if errors.Is(err, context.Canceled) {
						s.Delete(context.WithoutCancel(ctx), key)
					}
					return n, err
				}}
		}},
		{"a delete takes what begins like its key", "a delete removes one key and no other", deletesAlike},
		{"a delete goes by the last element", "a delete removes one key and no other", func(s store.Store) store.Store {
			return mutant{Store: s, del: func(ctx context.Context, key string) error {
				return errors.Join(s.Delete(ctx, key), s.Delete(ctx, path.Base(key)))
			}}
		}},
		{"a cancelled delete deletes", "a delete removes one key and no other", func(s store.Store) store.Store {
			return mutant{Store: s, del: func(ctx context.Context, key string) error {
				return errors.Join(s.Delete(context.WithoutCancel(ctx), key), ctx.Err())
			}}
		}},
		{"readers share their place", "two readers of an object do not meet", func(s store.Store) store.Store {
			shared := make(map[string]io.ReadCloser)
			return mutant{Store: s, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
				r, info, err := s.Open(ctx, key)
				if shared[key] == nil {
					shared[key] = r
				}
				return shared[key], info, err
			}}
		}},
		{"a closed reader leaks its file", "a closed reader frees its descriptor", func(s store.Store) store.Store {
			return mutant{Store: s, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
				if f, err := os.Open("."); err == nil {
					t.Cleanup(func() { f.Close() })
				}
				return s.Open(ctx, key)
			}}
		}},
		{"a buffer is kept without a copy", "a put keeps no memory of its caller", func(s store.Store) store.Store {
			return borrowing(s, func(r io.Reader) []byte {
				if b, ok := r.(*bytes.Buffer); ok {
					return b.Next(b.Len())
				}
				b, _ := io.ReadAll(r)
				return b
			})
		}},
		{"what WriteTo writes is kept without a copy", "a put keeps no memory of its caller",
			func(s store.Store) store.Store {
				return borrowing(s, func(r io.Reader) (b []byte) {
					if w, ok := r.(*bytes.Reader); ok {
						w.WriteTo(writerFunc(func(p []byte) (int, error) { b = p; return len(p), nil }))
					} else {
						b, _ = io.ReadAll(r)
					}
					return b
				})
			}},
		{"the time goes back", "the time of an object is the time of its put", func(s store.Store) store.Store {
			back := func(info store.Info) store.Info {
				info.ModTime = time.Unix(0, 0).Add(time.Unix(0, 0).Sub(info.ModTime))
				return info
			}
			return mutant{Store: s, stat: func(ctx context.Context, key string) (store.Info, error) {
				info, err := s.Stat(ctx, key)
				return back(info), err
			}, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
				r, info, err := s.Open(ctx, key)
				return r, back(info), err
			}}
		}},
		{"the time is that of the question", "the time of an object is the time of its put",
			func(s store.Store) store.Store {
				now := func(info store.Info) store.Info { info.ModTime = time.Now().Truncate(time.Second); return info }
				return mutant{Store: s, stat: func(ctx context.Context, key string) (store.Info, error) {
					info, err := s.Stat(ctx, key)
					return now(info), err
				}, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
					r, info, err := s.Open(ctx, key)
					return r, now(info), err
				}}
			}},
		{"the time of the first put stays", "the time of an object is the time of its put",
			func(s store.Store) store.Store {
				first := make(map[string]time.Time)
				stays := func(key string, info store.Info) store.Info {
					if first[key].IsZero() {
						first[key] = info.ModTime
					}
					info.ModTime = first[key]
					return info
				}
				return mutant{Store: s, stat: func(ctx context.Context, key string) (store.Info, error) {
					info, err := s.Stat(ctx, key)
					return stays(key, info), err
				}, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
					r, info, err := s.Open(ctx, key)
					return r, stays(key, info), err
				}}
			}},
		{"Open tells no time", "the time of an object is the time of its put", func(s store.Store) store.Store {
			return mutant{Store: s, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
				r, info, err := s.Open(ctx, key)
				info.ModTime = time.Time{}
				return r, info, err
			}}
		}},
		{"types are guessed where none is given", "content types are kept", func(s store.Store) store.Store {
			return mutant{Store: s,
				put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
					head := make([]byte, 512)
					n, err := io.ReadFull(r, head)
					if contentType == "" && err == io.ErrUnexpectedEOF {
						return s.Put(ctx, key, http.DetectContentType(head[:n]), bytes.NewReader(head[:n]))
					}
					return s.Put(ctx, key, contentType, io.MultiReader(bytes.NewReader(head[:n]), r))
				}}
		}},
		{"the same bytes are the same object", "a delete removes one key and no other",
			func(s store.Store) store.Store {
				var mu sync.Mutex
				first := make(map[string]string) // by content
				blob := make(map[string]string)  // by key
				return mutant{Store: s,
					put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
						b, err := io.ReadAll(r)
						if err != nil {
							return 0, err
						}
						mu.Lock()
						defer mu.Unlock()
						if first[string(b)] == "" {
							first[string(b)] = key
						}
						blob[key] = first[string(b)]
						return s.Put(ctx, blob[key], contentType, bytes.NewReader(b))
					}, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
						if at := blob[key]; at != "" {
							key = at
						}
						return s.Open(ctx, key)
					}, stat: func(ctx context.Context, key string) (store.Info, error) {
						if at := blob[key]; at != "" {
							key = at
						}
						return s.Stat(ctx, key)
					}}
			}},
		{"types become lower case", "content types are kept", func(s store.Store) store.Store {
			return typed(s, func(_, contentType string) string { return strings.ToLower(contentType) })
		}},
		{"errors are bare", "errors name the operation and the key and hold the cause",
			func(s store.Store) store.Store {
				return mutant{Store: s, stat: func(ctx context.Context, key string) (store.Info, error) {
					info, err := s.Stat(ctx, key)
					if err != nil {
						err = fmt.Errorf("stat: %w", errors.Unwrap(err))
					}
					return info, err
				}}
			}},
		{"errors lose their cause", "errors name the operation and the key and hold the cause",
			func(s store.Store) store.Store {
				return mutant{Store: s,
					put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
						n, err := s.Put(ctx, key, contentType, r)
						if err != nil {
							err = errors.New(err.Error())
						}
						return n, err
					}}
			}},
		{"a new object has the type of the deleted one", "a deleted key does not exist",
			func(s store.Store) store.Store {
				old := map[string]string{}
				return typed(s, func(key, contentType string) string {
					old[key] = cmp.Or(contentType, old[key])
					return old[key]
				})
			}},
		{"a delete whose context has ended says nothing", "a delete removes one key and no other",
			func(s store.Store) store.Store {
				return mutant{Store: s, del: func(ctx context.Context, key string) error {
					if ctx.Err() != nil {
						return nil
					}
					return s.Delete(ctx, key)
				}}
			}},
		{"a reader is read on after the context", "a cancelled put stores nothing", func(s store.Store) store.Store {
			return mutant{Store: s,
				put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
					b, err := io.ReadAll(r)
					if err != nil {
						return 0, err
					}
					return s.Put(ctx, key, contentType, bytes.NewReader(b))
				}}
		}},
		{"a two-line error", "errors name the operation and the key and hold the cause",
			func(s store.Store) store.Store {
				return mutant{Store: s, stat: func(ctx context.Context, key string) (store.Info, error) {
					info, err := s.Stat(ctx, key)
					return info, fmt.Errorf("stat %s:\n%w", key, err)
				}}
			}},
		{"a URL takes a bad type", "a presigned URL takes the object, or there is none",
			func(s store.Store) store.Store {
				return signed(presigning(t, s, gate{}), "text/plain\n")
			}},
		{"a URL without a type is one for texts", "a presigned URL takes the object, or there is none",
			func(s store.Store) store.Store { return signed(presigning(t, s, gate{}), "") }},
		{"a list shows what is being put", "a list has every key of a folder and no other",
			func(s store.Store) store.Store {
				return mutant{Store: s,
					put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
						if key == "list/8" {
							_, _ = s.Put(ctx, key, contentType, strings.NewReader(""))
						}
						return s.Put(ctx, key, contentType, r)
					}}
			}},
		{"a list ignores its context", "a list has every key of a folder and no other",
			func(s store.Store) store.Store {
				return mutant{Store: s, list: func(ctx context.Context, folder string) iter.Seq2[string, error] {
					return store.Keys(context.WithoutCancel(ctx), s, folder)
				}}
			}},
		{"a list ends with a delete", "a list has every key of a folder and no other", func(s store.Store) store.Store {
			deleted := false
			return mutant{Store: s, del: func(ctx context.Context, key string) error {
				deleted = true
				return s.Delete(ctx, key)
			}, list: func(ctx context.Context, folder string) iter.Seq2[string, error] {
				return func(yield func(string, error) bool) {
					deleted = false
					for key, err := range store.Keys(ctx, s, folder) {
						if deleted || !yield(key, err) {
							return
						}
					}
				}
			}}
		}},
		{"a list has what begins like the folder", "a list has every key of a folder and no other",
			func(s store.Store) store.Store {
				return mutant{Store: s, list: func(ctx context.Context, folder string) iter.Seq2[string, error] {
					return func(yield func(string, error) bool) {
						for _, more := range []string{folder, folder + "6"} {
							for key, err := range store.Keys(ctx, s, more) {
								if !yield(key, err) {
									return
								}
							}
						}
					}
				}}
			}},
		{"a list ends early", "a list has every key of a folder and no other", func(s store.Store) store.Store {
			return mutant{Store: s, list: func(ctx context.Context, folder string) iter.Seq2[string, error] {
				return func(yield func(string, error) bool) {
					n := 0
					for key, err := range store.Keys(ctx, s, folder) {
						if n++; n > 3 || !yield(key, err) {
							return
						}
					}
				}
			}}
		}},
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
		"a closed reader leaks its file":               "50 Open and Close left 5",
	}
	broken := make(map[string]bool)
	for _, m := range mutants {
		broken[m.rule] = true
		t.Run(m.name, func(t *testing.T) {
			at := slices.IndexFunc(rules, func(r rule) bool { return r.name == m.rule })
			if at < 0 {
				t.Fatalf("there is no rule %q", m.rule)
			}
			inTime(t, m.rule, func(t *testing.T) {
				err := rules[at].holds(t.Context(), m.build(store.Memory(0)))
				if reason, skipped := errors.AsType[skipReason](err); strings.HasPrefix(string(reason), "this system") {
					t.Skip(reason)
				} else if err == nil || skipped {
					t.Errorf("%q did not notice: %v", m.rule, err)
				} else if want := lines[m.name]; !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q in it", err, want)
				} else if text := err.Error(); strings.Contains(text, "\n") || len(text) > 300 {
					t.Errorf("a fault takes more than a line: %s", text)
				}
				t.Log(err)
			})
		})
	}
	for _, rule := range rules {
		if !broken[rule.name] {
			t.Errorf("nothing breaks the rule %q", rule.name)
		}
	}
}

func TestAStoreWithPresignedURLsPasses(t *testing.T) {
	t.Parallel()
	for _, rule := range rules {
		if strings.Contains(rule.name, "presigned URL") {
			t.Run(rule.name, func(t *testing.T) {
				t.Parallel()
				if err := rule.holds(t.Context(), presigning(t, store.Memory(0), gate{})); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// The store's clock may differ from the tester's.
func TestAStoreMayHaveAnotherClock(t *testing.T) {
	s := store.Memory(0)
	slow := func(info store.Info) store.Info { info.ModTime = info.ModTime.Add(-time.Hour); return info }
	behind := mutant{Store: s, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
		r, info, err := s.Open(ctx, key)
		return r, slow(info), err
	}, stat: func(ctx context.Context, key string) (store.Info, error) {
		info, err := s.Stat(ctx, key)
		return slow(info), err
	}}
	synctest.Test(t, func(t *testing.T) {
		if err := (rule{check: modTime}).holds(t.Context(), behind); err != nil {
			t.Error(err)
		}
	})
}

// A difference is found wherever it is.
func TestADifferenceIsNamedByItsOffset(t *testing.T) {
	for got, want := range map[string]string{
		"abxd": "4 bytes, want 4, the first wrong one at offset 2",
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
	none := mutant{Store: store.Memory(0),
		presign: func(context.Context, string, string, time.Duration) (string, error) {
			return "", store.ErrNoPresign
		}}
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
	for _, rule := range rules {
		if strings.Contains(rule.name, "letter case") {
			err := rule.holds(t.Context(), keyed(store.Memory(0), strings.ToLower))
			if _, ok := errors.AsType[skipReason](err); !ok {
				t.Errorf("it is not skipped: %v", err)
			}
		}
	}
}

// gate says which differences a presigned URL allows.
type gate struct{ anyMethod, anyKey, anyType, anyTime, closed bool }

// presigning returns s with presigned URLs of a server that stores what the
// gate allows.
func presigning(t *testing.T, s store.Store, g gate) store.Store {
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
	return mutant{Store: s,
		presign: func(_ context.Context, key, contentType string, life time.Duration) (string, error) {
			if err := errors.Join(store.CheckKey(key), store.CheckContentType(contentType)); err != nil {
				return "", fmt.Errorf("presign %s: %w", key, err)
			}
			if contentType == "" {
				contentType = store.DefaultContentType
			}
			end := strconv.FormatInt(time.Now().Add(life).UnixMilli(), 10)
			query := url.Values{"type": {contentType}, "end": {end}, "signature": {signature(key, contentType, end)}}
			return srv.URL + "/" + key + "?" + query.Encode(), nil
		}}
}

// live reads the current object under the key, a little at a time.
type live struct {
	ctx context.Context
	s   store.Store
	key string
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

// endAt replaces every error that matches target by io.EOF.
func endAt(r io.Reader, target error) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		n, err := r.Read(p)
		if errors.Is(err, target) {
			err = io.EOF
		}
		return n, err
	})
}

// impatient ends at the first read without bytes.
type impatient struct{ r io.Reader }

func (i *impatient) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}
