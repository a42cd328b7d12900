package faults

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mailer "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
	office "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
)

// service is what a stand-in is told, and the disk behind it.
type service struct {
	dir   string
	store func(store.Store) store.Store // puts a fault in front of the disk
	max   int64
	stall time.Duration
	ahead atomic.Int64 // how far its clock is ahead of ours
	other bool         // it knows another secret than the client
}

func (s *service) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

// behind puts a stand-in and a disk into the lab.
func (s *service) behind(l *lab) {
	s.dir = l.t.TempDir()
	disk, err := store.Disk(s.dir)
	if err != nil {
		l.t.Fatal(err)
	}
	st := disk
	if s.store != nil {
		st = s.store(disk)
	}
	secret := map[bool]string{true: "another secret", false: clientSecret}[s.other]
	key := map[bool]string{true: "another key", false: secretKey}[s.other]
	var open func(context.Context, string) (io.ReadCloser, store.Info, error)
	if l.at == createFile {
		h, err := mailer.New(mailer.Config{Store: st, AccessKey: accessKey, SecretKey: key, MaxSize: s.max, Stall: s.stall, Logger: l.cfg.Logger, Now: s.now})
		if err != nil {
			l.t.Fatal(err)
		}
		l.service, open = h, h.Open
	} else {
		h, err := office.New(office.Config{Store: st, ClientID: "the-client", ClientSecret: secret, MaxSize: s.max, Stall: s.stall, Logger: l.cfg.Logger, Now: s.now})
		if err != nil {
			l.t.Fatal(err)
		}
		l.service, open = h, h.Open
	}
	l.holds = func(id string) object {
		rc, _, err := open(context.Background(), id)
		if err != nil {
			return object{}
		}
		defer rc.Close()
		o, _ := digestOf(rc)
		return o
	}
}

// files are those on the disk, content types apart.
func (s *service) files() (names []string) {
	_ = filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == ".content-type" {
			return fs.SkipDir
		}
		if err == nil && d.Type().IsRegular() {
			names = append(names, path)
		}
		return nil
	})
	return names
}

// nothingKept waits for the disk to be empty, and to stay so for a moment: a
// server may begin with a request, and learn that its connection is broken,
// after the client has returned.
func (s *service) nothingKept(l *lab) {
	l.t.Helper()
	var left []string
	calm := 0
	for deadline := time.Now().Add(3 * time.Second); calm < 10 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		calm++
		if left = s.files(); len(left) > 0 {
			calm = 0
		}
	}
	if calm < 10 {
		l.t.Errorf("left on the disk: %v", left)
	}
}

// spoilt is a store that a fault stands in front of.
type spoilt struct {
	store.Store
	put func(ctx context.Context, key, contentType string, r io.Reader) (int64, error)
}

func (s spoilt) Put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	return s.put(ctx, key, contentType, r)
}

// fails is a disk on which the first n files whose keys hold a word end with an error.
func fails(n int, word string, with error) func(store.Store) store.Store {
	var failed atomic.Int64
	return func(disk store.Store) store.Store {
		return spoilt{disk, func(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
			if strings.Contains(key, word) && failed.Add(1) <= int64(n) {
				r = io.MultiReader(io.LimitReader(r, 5000), broken{with})
			}
			return disk.Put(ctx, key, contentType, r)
		}}
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// The stand-ins behind the clients, and what goes wrong on their side.
func TestStandins(t *testing.T) {
	const never = 1000
	type trial struct {
		name    string
		at      []place
		service func() *service
		row     row
	}
	plain := func() *service { return &service{} }
	trouble := func(code string) want { return want{kinds: unavailable, status: 500, code: code, tries: 4} }
	paused := func(l *lab) { // in the middle of its first reading
		l.counts = nil
		first := func() (io.ReadCloser, error) {
			b := noise(int(long.Size))
			return io.NopCloser(io.MultiReader(bytes.NewReader(b[:50_000]), &pause{400 * time.Millisecond}, bytes.NewReader(b[50_000:]))), nil
		}
		src := from(first, func() (io.ReadCloser, error) { return long.Open() })
		src.Size = long.Size
		l.src = l.countAs(src, digest(long))
	}
	stops := func(l *lab) {
		l.counts = nil
		src := from(hanging(60_000, func() { l.cancel(nil) }))
		src.Size = long.Size
		l.src = l.countAs(src, object{})
	}
	put, form := []place{presigned}, []place{createFile}
	fine := want{stored: true}
	for _, tr := range []trial{
		{"all is well", requests, plain, row{want: fine}},
		{"a large file", carriers, plain, row{set: sends(large), want: fine}},
		{"a full disk", put, func() *service { return &service{store: fails(never, "", syscall.ENOSPC)} }, row{want: trouble("InternalError"), last: true}},
		{"a full disk", form, func() *service { return &service{store: fails(never, "", syscall.ENOSPC)} }, row{want: trouble("77303"), last: true}},
		{"a full disk, and then not", carriers, func() *service { return &service{store: fails(2, "", syscall.ENOSPC)} }, row{want: want{tries: 3, stored: true}}},
		{"a full disk in the middle of a large file, once", carriers, func() *service { return &service{store: fails(1, "", syscall.ENOSPC)} },
			row{set: sends(large), want: want{tries: 2, stored: true}}},
		{"the list of the files cannot be written", form, func() *service { return &service{store: fails(never, "batches", syscall.EIO)} }, row{want: trouble("77303"), last: true}},
		{"the store holds no more", put, func() *service { return &service{store: fails(never, "", store.ErrFull)} },
			row{want: want{kinds: kinds(upload.ErrTooLarge), status: 413, code: "EntityTooLarge", tries: 1}, last: true}},
		{"the store holds no more", form, func() *service { return &service{store: fails(never, "", store.ErrFull)} },
			row{want: want{kinds: kinds(upload.ErrTooLarge), status: 413, code: "430", tries: 1}, last: true}},
		{"a file larger than is taken", put, func() *service { return &service{max: 1 << 20} },
			row{set: sends(large), want: want{kinds: kinds(upload.ErrTooLarge), status: 413, code: "EntityTooLarge", tries: 1}, check: unread}},
		{"a file larger than is taken", form, func() *service { return &service{max: 1 << 20} },
			row{set: sends(large), want: want{kinds: kinds(upload.ErrTooLarge), status: 413, code: "430", tries: 1}, check: unread}},
		{"another secret", []place{token}, func() *service { return &service{other: true} },
			row{want: want{kinds: kinds(upload.ErrUnauthorized), status: 401, code: "invalid_client", tries: 1}, last: true}},
		{"another secret, and a large file", form, func() *service { return &service{other: true} },
			row{set: sends(large), want: want{kinds: kinds(upload.ErrUnauthorized), status: 401, code: "200", tries: 1}, last: true, check: unread}},
		{"a clock that is six minutes ahead", form, ahead(6 * time.Minute),
			row{want: want{kinds: kinds(upload.ErrUnauthorized), status: 401, code: "200", tries: 1, says: []string{"clock"}}, last: true}},
		{"a clock that is six minutes behind", form, ahead(-6 * time.Minute),
			row{want: want{kinds: kinds(upload.ErrUnauthorized), status: 401, code: "200", tries: 1, says: []string{"clock"}}, last: true}},
		{"a clock that is four minutes ahead", form, ahead(4 * time.Minute), row{want: fine}},
		{"the body stops coming for a while", carriers, func() *service { return &service{stall: 100 * time.Millisecond} }, row{set: paused, want: want{tries: 2, stored: true}}},
		{"the caller stops in the middle of the body", carriers, plain, row{set: stops, want: want{kinds: kinds(context.Canceled), tries: 1, reached: some}}},
		{"the file fails in the middle", carriers, plain, row{want: want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: some},
			set: func(l *lab) {
				l.counts = nil
				src := from(reading(func() io.Reader {
					return io.MultiReader(bytes.NewReader(noise(60_000)), broken{errors.New("the disk is on fire")})
				}))
				src.Size = long.Size
				l.src = l.countAs(src, object{})
			}}},
		{"reset in the middle of a large file, once", carriers, plain, row{fault: first(1, afterHalf(reset)), set: sends(large), want: want{tries: 2, stored: true}}},
		{"the answer is lost", put, plain, row{fault: first(1, done(reset)), want: want{tries: 2, stored: true}}},
	} {
		r := tr.row
		r.name, r.at = tr.name, tr.at
		set, check := r.set, r.check
		var s *service
		r.set = func(l *lab) {
			s = tr.service()
			if set != nil {
				set(l)
			}
			s.behind(l)
		}
		r.check = func(l *lab, res upload.Result, err error) {
			if err != nil {
				s.nothingKept(l)
			} else if l.under(res.ID) != l.counts[0].whole {
				l.t.Errorf("%d bytes are stored under the id %q", l.under(res.ID).size, res.ID)
			}
			if check != nil {
				check(l, res, err)
			}
		}
		runAll(t, []row{r})
	}
}

// ahead is a service whose clock is not ours.
func ahead(d time.Duration) func() *service {
	return func() *service {
		s := &service{}
		s.ahead.Store(int64(d))
		return s
	}
}

// What a stand-in issued ends while it is used.
func TestStandinsForget(t *testing.T) {
	var s *service
	behind := func(l *lab) {
		s = &service{}
		s.behind(l)
	}
	later := func(d time.Duration) fault {
		return func(h *hit) {
			h.correct()
			s.ahead.Add(int64(d))
		}
	}
	// tampered is the answer to fileUpload with a word of it replaced.
	tampered := func(replace func(string) string) fault {
		return func(h *hit) {
			w := &voidWriter{header: h.w.Header()}
			h.lab.correctlyTo(w, h)
			h.w.Header().Del("Content-Length")
			_, _ = io.WriteString(h.w, replace(w.body.String()))
		}
	}
	tries := func(fileUploads, presignedSteps int) func(*lab, upload.Result, error) {
		return func(l *lab, res upload.Result, err error) {
			equal(l, "the number of presigned URLs", l.received(fileUpload), fileUploads)
			equal(l, "the number of uploads to them", l.received(presigned), presignedSteps)
			if err == nil {
				equal(l, "what is stored", l.under(res.ID), l.counts[0].whole)
			} else {
				s.nothingKept(l)
			}
		}
	}
	at := []place{fileUpload}
	refused := want{kinds: kinds(upload.ErrForbidden), op: "presigned", status: 403, code: "SignatureDoesNotMatch", tries: 1}
	runAll(t, []row{
		{name: "the presigned URL ends before it is used", at: at, set: behind, fault: first(1, later(16*time.Minute)), want: want{tries: 2, stored: true}, check: tries(2, 2)},
		{name: "every presigned URL ends before it is used", at: at, set: behind, fault: later(16 * time.Minute), check: tries(2, 2),
			want: want{kinds: kinds(upload.ErrExpired), op: "presigned", status: 403, code: "AccessDenied", tries: 1, reached: 2}},
		{name: "the token ends between two uploads", at: at, set: behind, fault: first(1, later(14*time.Minute)), want: want{tries: 3, stored: true}, check: tries(3, 2),
			call: func(ctx context.Context, l *lab, u upload.Uploader) (upload.Result, error) {
				if res, err := u.Upload(ctx, l.src); err != nil {
					return res, err
				}
				s.ahead.Add(int64(2 * time.Hour))
				return u.Upload(ctx, l.src)
			}},
		{name: "the presigned URL is for another file", at: at, set: behind, want: refused, check: tries(1, 1), last: true,
			fault: tampered(func(answer string) string {
				before, after, _ := strings.Cut(answer, "/upload/")
				return before + "/upload/" + strings.Replace(after, after[:3], "AAA", 1)
			})},
		{name: "the presigned URL lives longer than it was signed for", at: at, set: behind, want: refused, check: tries(1, 1), last: true,
			fault: tampered(func(answer string) string { return strings.Replace(answer, "expires=1", "expires=9", 1) })},
	})
}

// pause gives nothing, late.
type pause struct{ d time.Duration }

func (p *pause) Read([]byte) (int, error) {
	time.Sleep(p.d)
	return 0, io.EOF
}
