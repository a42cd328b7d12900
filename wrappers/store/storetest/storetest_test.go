package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// mutant is a good store with some methods replaced by bad ones.
type mutant struct {
	store.Store
	put     func(ctx context.Context, key, contentType string, r io.Reader) (int64, error)
	open    func(ctx context.Context, key string) (io.ReadCloser, store.Info, error)
	stat    func(ctx context.Context, key string) (store.Info, error)
	del     func(ctx context.Context, key string) error
	presign func(ctx context.Context, key, contentType string, life time.Duration) (string, error)
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

// readWith returns a Put that hands on what read makes of the reader.
func readWith(s store.Store, read func(io.Reader) io.Reader) mutant {
	return mutant{Store: s, put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
		return s.Put(ctx, key, contentType, read(r))
	}}
}

// typed returns a Put that hands on what change makes of the content type.
func typed(s store.Store, change func(key, contentType string) string) mutant {
	return mutant{Store: s, put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
		return s.Put(ctx, key, change(key, contentType), r)
	}}
}

func TestEveryRuleCanBeBroken(t *testing.T) {
	mutants := []struct {
		name  string
		rule  string // the one that must notice; others may as well
		build func(s store.Store) store.Store
	}{
		{"a byte is lost", "what is put is what is opened", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader { r.Read(make([]byte, 1)); return r })
		}},
		{"Put counts wrong", "what is put is what is opened", func(s store.Store) store.Store {
			return mutant{Store: s, put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
				n, err := s.Put(ctx, key, contentType, r)
				return n + 1, err
			}}
		}},
		{"empty objects are dropped", "an empty object is an object", func(s store.Store) store.Store {
			return mutant{Store: s, put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
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
			return mutant{Store: s, put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
				if _, err := s.Stat(ctx, key); err == nil {
					return io.Copy(io.Discard, r)
				}
				return s.Put(ctx, key, contentType, r)
			}}
		}},
		{"readers see what is there when they read", "an open reader keeps its object", func(s store.Store) store.Store {
			return mutant{Store: s, open: func(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
				info, err := s.Stat(ctx, key)
				if err != nil {
					return nil, info, err
				}
				return io.NopCloser(&live{ctx: ctx, s: s, key: key}), info, nil
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
			return mutant{Store: s, put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
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
		{"io.ErrUnexpectedEOF is an end", "a torn reader stores nothing", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader { return endAt(r, io.ErrUnexpectedEOF) })
		}},
		{"a wrapped io.EOF is an end", "a torn reader stores nothing", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader { return endAt(r, io.EOF) })
		}},
		{"old objects go first", "a torn reader keeps the old object", func(s store.Store) store.Store {
			return mutant{Store: s, put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
				s.Delete(ctx, key)
				return s.Put(ctx, key, contentType, r)
			}}
		}},
		{"a short read is an end", "a slow reader is read to its end", func(s store.Store) store.Store {
			return readWith(s, func(r io.Reader) io.Reader { return &impatient{r: r} })
		}},
		{"contexts are ignored", "a cancelled put stores nothing", func(s store.Store) store.Store {
			return mutant{Store: s, put: func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
				if err := ctx.Err(); err != nil {
					return 0, err
				}
				return s.Put(context.WithoutCancel(ctx), key, contentType, io.LimitReader(r, 2*part))
			}}
		}},
		{"types are kept apart from bytes", "concurrent puts of one key: one whole wins", func(s store.Store) store.Store {
			var mu sync.Mutex
			last := ""
			return typed(s, func(_, contentType string) string {
				mu.Lock()
				defer mu.Unlock()
				last, contentType = contentType, last
				return contentType
			})
		}},
		{"deletes take the folder", "concurrent puts and deletes of neighbours do not meet", func(s store.Store) store.Store {
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
		{"a URL takes every type", "a presigned URL takes the object, or there is none", func(s store.Store) store.Store {
			return presigning(t, s, func(*http.Request, string) bool { return true })
		}},
		{"a URL takes nothing", "a presigned URL takes the object, or there is none", func(s store.Store) store.Store {
			return presigning(t, s, func(*http.Request, string) bool { return false })
		}},
	}

	broken := make(map[string]bool)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			for _, rule := range rules {
				if rule.name == m.rule {
					broken[rule.name] = true
					if err := rule.check(t.Context(), m.build(store.Memory(0))); err == nil {
						t.Errorf("%q did not notice", rule.name)
					} else {
						t.Log(err)
					}
				}
			}
		})
	}
	for _, rule := range rules {
		if !broken[rule.name] {
			t.Errorf("nothing breaks the rule %q", rule.name)
		}
	}
}

func TestAStoreWithPresignedURLsPasses(t *testing.T) {
	Run(t, func(t *testing.T) store.Store {
		return presigning(t, store.Memory(0), func(r *http.Request, contentType string) bool {
			return r.Header.Get("Content-Type") == contentType
		})
	})
}

// presigning gives s URLs of a server that stores what admit admits.
func presigning(t *testing.T, s store.Store, admit func(r *http.Request, contentType string) bool) store.Store {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if !admit(r, q.Get("type")) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if _, err := s.Put(r.Context(), q.Get("key"), q.Get("type"), r.Body); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(srv.Close)
	return mutant{Store: s, presign: func(_ context.Context, key, contentType string, _ time.Duration) (string, error) {
		if err := errors.Join(store.CheckKey(key), store.CheckContentType(contentType)); err != nil {
			return "", err
		}
		if contentType == "" {
			contentType = store.DefaultContentType
		}
		req, err := http.NewRequest(http.MethodPut, srv.URL, nil)
		if err != nil {
			return "", err
		}
		req.URL.RawQuery = "key=" + key + "&type=" + contentType
		return req.URL.String(), nil
	}}
}

// live reads a little at a time of whatever is under the key.
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

// endAt makes io.EOF of every error that matches target.
func endAt(r io.Reader, target error) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		n, err := r.Read(p)
		if errors.Is(err, target) {
			err = io.EOF
		}
		return n, err
	})
}

// impatient ends where a read gave nothing.
type impatient struct{ r io.Reader }

func (i *impatient) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}
