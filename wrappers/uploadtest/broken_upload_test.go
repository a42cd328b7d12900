package uploadtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// Clients that spoil what they return, what they read or when they end.
var brokenUploads = []bite{
	{"an empty id", rig{client: result(func(r *upload.Result) { r.ID = "" }), stored: unseen}, namesArrive,
		"the ID is empty"},
	{"a temporary id is left out", rig{form: true,
		received: faulty.Reply("/forms", faulty.Said(`"size":`, `"tempRequestId":"t-1","size":`))}, namesArrive,
		`TempRequestID is "", but the answer that gave the ID said "t-1"`},
	{"a trace id of another upload",
		rig{form: true, client: before(func(r *upload.Result) *string { return &r.TraceID })}, uploadsAtOnce,
		`", but the API's answer said "o-`},
	{"an odd name has another media type", rig{form: true, client: input(func(src *upload.Source) {
		if !utf8.ValidString(src.Name) {
			src.Name, src.ContentType = "odd.txt", "text/html"
		}
	})}, oddNames, `"\xff\xfe.txt": wire: under this name other bytes or another media type arrived`},
	{"one id for all", rig{client: result(func(r *upload.Result) { r.ID = "o-1" })}, idsDiffer,
		`both uploads have the ID "o-1"`},
	{"one id for all, at once", rig{client: result(func(r *upload.Result) { r.ID = "o-1" })}, uploadsAtOnce,
		`of 16 at once: result: another upload has the ID "o-1" too`},
	{"one of several fails", rig{client: oneFails}, uploadsAtOnce, "upload 7 of 16 at once: upload: busy"},
	{"each upload fetches a token", rig{form: true, oauth: true, received: oauth(nil).received,
		client: uploads(func(c call) (upload.Result, error) { return another(c.u).Upload(c.ctx, c.src) })},
		uploadsAtOnce, "token: the client asked for 16 tokens, and one is enough for all uploads"},
	{"a size that is off by one", rig{client: result(func(r *upload.Result) { r.Size++ })}, bytesArrive,
		"Size is 1, but 0 bytes"},
	{"a name with its directories", rig{client: uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		res.Name = c.src.Name
		return res, err
	})}, namesArrive, `Name is "test\\resources\\test.txt", want "test.txt"`},
	{"only slashes separate directories", rig{form: true, client: result(func(r *upload.Result) {
		r.Name = strings.ReplaceAll(r.Name, "test.txt", `test\resources\test.txt`)
	})}, namesArrive, `want "test.txt"`},

	{"another name is announced", rig{
		sent: faulty.RequestTo("/objects", faulty.Replace("{", `{"fileName":"dir/plain.txt",`))}, namesArrive,
		`name "plain.txt": wire: the fileName of announce is "dir/plain.txt", want "plain.txt"`},

	{"a reader that stays open", rig{client: leavesOpen}, namesArrive,
		"1 of 1 that were opened are not closed 1s after Upload returned"},
	{"a reader that is opened for nothing", rig{client: input(func(src *upload.Source) { _, _ = src.Open() })},
		namesArrive, "1 of 2 that were opened"},
	{"a reader that is closed twice", rig{client: readers(func(rc io.ReadCloser, _ upload.Source) io.ReadCloser {
		return faulty.ReadCloser(rc, closerFunc(func() error { rc.Close(); return rc.Close() }))
	})}, namesArrive, "closed twice"},
	{"a short source is filled up", rig{client: readers(func(rc io.ReadCloser, src upload.Source) io.ReadCloser {
		return faulty.ReadCloser(io.LimitReader(io.MultiReader(rc, zeros), src.Size), rc)
	})}, sizeIsPinned, `a source of 65535 bytes with the size 65536: error: none, want one of the kind "invalid"`},
	{"a long source is cut off", rig{client: cutsOff}, sizeIsPinned,
		"a source of 65537 bytes with the size 65536: error: none"},
	{"the end of a broken source counts as its end", rig{client: reads(func(n int, err error) (int, error) {
		if err == errSource {
			err = io.EOF
		}
		return n, err
	})}, sourceFails, `none, want one of the kind "invalid"`},
	{"an empty file is refused", rig{client: uploads(func(c call) (upload.Result, error) {
		if c.src.Size == 0 {
			return upload.Result{}, errors.New("empty")
		}
		return c.send()
	})}, bytesArrive, "0 bytes: upload: empty"},
	{"the progress of another reader", rig{client: input(func(src *upload.Source) {
		original := *src
		src.Open = func() (io.ReadCloser, error) {
			rc, err := original.Open()
			if late, err := original.Open(); err == nil {
				late.Close()
			}
			return rc, err
		}
	})}, progressEnds, "it ended at 0 of 1"},
	{"a stream is taken for another one", rig{client: input(func(src *upload.Source) {
		if rc, err := src.Open(); err == nil {
			rc.Close()
		}
	})}, readOnce, "cannot be read a second time"},
	{"a stream is not said to be one", rig{form: true, client: sendOnce}, readOnce,
		"error: the source can be read only once, and the error is not upload.ErrNotReplayable"},
	{"uploads at once share their source", rig{client: func(u upload.Uploader) upload.Uploader {
		var mu sync.Mutex
		var last upload.Source
		gate := make(chan struct{})
		var waiting atomic.Int32
		return uploaderFunc(func(ctx context.Context, src upload.Source) (upload.Result, error) {
			mu.Lock()
			last = src
			mu.Unlock()
			if waiting.Add(1) == 16 {
				close(gate)
			}
			<-gate
			mu.Lock()
			src = last
			mu.Unlock()
			return u.Upload(ctx, src)
		})
	}}, uploadsAtOnce, "of 16 at once: result: Size is"},

	{"the media type of the upload before", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		var last atomic.Value
		return input(func(src *upload.Source) {
			if typ, ok := last.Swap(src.ContentType).(string); ok {
				src.ContentType = typ
			}
		})(u)
	}, stored: unseen}, uploadsAtOnce, "at once: wire: the media type is"},
	{"uploads at once share a buffer of 64 KiB", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		var mu sync.Mutex
		var scratch []byte
		return readers(func(rc io.ReadCloser, src upload.Source) io.ReadCloser {
			at := 0
			return faulty.ReadCloser(faulty.ReaderFunc(func(p []byte) (int, error) {
				n, err := rc.Read(p[:min(len(p), 64<<10)])
				mu.Lock()
				defer mu.Unlock()
				if at += n; at > 64<<10 && n == len(scratch) { // the first turn takes it all
					copy(p, scratch)
				}
				scratch = bytes.Clone(p[:n])
				return n, err
			}), rc)
		})(u)
	}}, uploadsAtOnce, "of 16 at once: stored: 262"},
	{"uploads at once read into one buffer", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		var owner atomic.Pointer[byte]
		return readers(func(rc io.ReadCloser, src upload.Source) io.ReadCloser {
			return faulty.ReadCloser(faulty.ReaderFunc(func(p []byte) (int, error) {
				owner.Store(&p[0])
				n, err := rc.Read(p)
				if n > 0 && owner.Load() != &p[0] {
					p[0] ^= 1
				}
				return n, err
			}), rc)
		})(u)
	}}, uploadsAtOnce, "of 16 at once: stored: 262"},
	{"uploads of one name share a file", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		var files sync.Map
		return input(func(src *upload.Source) {
			first, _ := files.LoadOrStore(src.Name, *src)
			*src = first.(upload.Source)
		})(u)
	}}, uploadsAtOnce, "of 16 of one name at once: result: Size is 2621"},

	{"what is held in memory is sent again with another bit",
		rig{raw: true, sent: func(next http.RoundTripper) http.RoundTripper {
			sum := func(r *http.Request) { r.Header.Set("X-Checksum", payload.Sum(faulty.Peek(r))) }
			return faulty.RequestTo("/raw", sum)(faulty.RequestTo("/raw", faulty.Second(flipped))(next))
		}}, readOnce, "read once, cut off in deposit"},
	{"a file is sent though its context is canceled", rig{client: uploads(func(c call) (upload.Result, error) {
		_, _ = onAndOn(c.u).Upload(c.ctx, c.src)
		return upload.Result{}, &upload.Error{Provider: "depot", Err: c.ctx.Err()}
	})}, cancelBefore, "stored: an upload that failed left a file under its id"},
	{"a canceled context is not looked at", rig{client: onAndOn}, cancelBefore,
		`none, want one of the kind "context canceled"`},
	{"a Read goes on after its context", rig{client: onAndOn}, cancelInBody,
		"readers: 5s after the cancel the client still waits for a Read"},
	{"a request goes on after its context", rig{raw: true, client: onAndOn}, cancelInAnswer,
		"context canceled while deposit is not answered: request: the client has not ended it 5s after"},
	{"a second attempt goes on after its context", rig{raw: true, sent: func(next http.RoundTripper) http.RoundTripper {
		return faulty.RequestTo("/raw", faulty.Second(func(r *http.Request) {
			*r = *r.WithContext(context.WithoutCancel(r.Context()))
		}))(next)
	}}, cancelInAnswer,
		"canceled while the second attempt of deposit is not answered: request: the client has not ended it 5s after"},
	{"cancel is taken for a network failure", rig{client: misstated(func(e *upload.Error) {
		if errors.Is(e, context.Canceled) {
			e.Err = upload.ErrUnavailable
		}
	})}, cancelInAnswer, `canceled while announce is not answered: error: not of the kind "context canceled"`},
	{"cancel of a second attempt is taken for a network failure", rig{client: misstated(func(e *upload.Error) {
		if errors.Is(e, context.Canceled) && e.Attempts > 1 {
			e.Err = upload.ErrUnavailable
		}
	})}, cancelInAnswer, `the second attempt of announce is not answered: error: not of the kind "context canceled"`},
}
