package uploadtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing/iotest"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// The properties of sources, contexts and servers that fail.

var errSource = errors.New("uploadtest: the source failed on purpose")

// readOnce: upload.Reader makes one attempt. What fails it is survived by
// nobody, or by a client that holds the bytes.
func readOnce(t *trial) {
	once := func() *source {
		src := newSource("once.bin", upload.OctetStream, noise(200<<10, 2), nil)
		reader, _ := src.Open()
		src.Source = upload.Reader(src.Name, reader, src.Size)
		return src
	}
	t.arrives("a stream that can be read once", once())
	if t.Server == nil {
		return
	}
	for _, op := range t.carriers() {
		t.fresh(op, func(t *trial) {
			what := "a stream that can be read once, cut off in " + op
			src := once()
			t.Server.Inject(op, 1, ResetMiddle)
			res, err := t.send(t.Context(), what, src)
			if err == nil {
				t.holds(what, res.ID, src)
				return
			}
			if _, ok := t.fails(what, err, upload.ErrUnavailable); ok && !errors.Is(err, upload.ErrNotReplayable) && !slices.Contains(t.Once, op) {
				t.Errorf("%s: error: it does not say that the source can be read only once: %v", what, err)
			}
		})
	}
}

func sizeIsPinned(t *trial) {
	for _, c := range []struct{ size, holds int }{{64 << 10, 64<<10 - 1}, {64 << 10, 64<<10 + 1}, {64 << 10, 0}, {1, 0}, {0, 1}, {1 << 20, 2 << 20}} {
		what := fmt.Sprintf("a source of %d bytes with the size %d", c.holds, c.size)
		t.storesNothing(what, func() {
			src := newSource("changed.bin", upload.OctetStream, noise(c.holds, 3), nil)
			src.Size = int64(c.size)
			_, err := t.send(t.Context(), what, src)
			t.fails(what, err, upload.ErrInvalid)
		})
	}
}

func sourceFails(t *trial) {
	for _, c := range []struct {
		what string
		src  *source
	}{
		{"a source that fails in the middle", newSource("broken.bin", upload.OctetStream, noise(256<<10, 4), func(<-chan struct{}) io.Reader {
			return io.MultiReader(bytes.NewReader(noise(128<<10, 4)), iotest.ErrReader(errSource))
		})},
		{"a source that fails at its end", newSource("broken.bin", upload.OctetStream, noise(64<<10, 4), func(<-chan struct{}) io.Reader {
			return io.MultiReader(bytes.NewReader(noise(64<<10, 4)), iotest.ErrReader(errSource))
		})},
		{"a source that cannot be opened", &source{Source: upload.Source{
			Name: "gone.bin", ContentType: upload.OctetStream, Size: 10,
			Open: func() (io.ReadCloser, error) { return nil, errSource },
		}}},
	} {
		t.storesNothing(c.what, func() {
			_, err := t.send(t.Context(), c.what, c.src)
			if _, ok := t.fails(c.what, err, upload.ErrInvalid); ok && !errors.Is(err, errSource) {
				t.Errorf("%s: error: the source's own error is not in its chain: %v", c.what, err)
			}
		})
	}
}

func cancelBefore(t *trial) {
	const what = "a context that is canceled already"
	t.storesNothing(what, func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := t.send(ctx, what, newSource("canceled.bin", upload.OctetStream, noise(1000, 5), nil))
		t.fails(what, err, context.Canceled)
	})
}

// prompt is how long an upload may go on after its context has ended.
const prompt = 5 * time.Second

func cancelInBody(t *trial) {
	const what = "cancel while the body is sent"
	t.storesNothing(what, func() {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		// The reader may be another goroutine's, which a client leaves behind: it
		// must not speak to a test that has ended.
		var stuck atomic.Bool
		content := noise(256<<10, 6)
		src := newSource("canceled.bin", upload.OctetStream, content, func(closed <-chan struct{}) io.Reader {
			return io.MultiReader(bytes.NewReader(content[:128<<10]), readerFunc(func([]byte) (int, error) {
				cancel()
				select {
				case <-closed:
				case <-time.After(prompt):
					stuck.Store(true)
				}
				return 0, io.ErrClosedPipe
			}))
		})
		begun := time.Now()
		_, err := t.send(ctx, what, src)
		if stuck.Load() || time.Since(begun) > prompt {
			t.Errorf("%s: readers: not closed %v after the cancel", what, prompt)
		}
		t.fails(what, err, context.Canceled)
	})
}

func cancelInAnswer(t *trial) {
	if !t.needsServer() {
		return
	}
	for _, op := range t.operations() {
		for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
			t.fresh(fmt.Sprintf("%s %v", op, end), func(t *trial) {
				what := fmt.Sprintf("%v while %s is not answered", end, op)
				ctx, cancel := context.WithCancel(t.Context())
				if end == context.DeadlineExceeded {
					ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
				}
				defer cancel()
				var stands atomic.Bool
				t.Server.Inject(op, -1, func(http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						_, _ = io.Copy(io.Discard, r.Body)
						if end == context.Canceled {
							cancel()
						}
						select {
						case <-r.Context().Done():
						case <-time.After(prompt):
							stands.Store(true)
						}
					})
				})
				t.storesNothing(what, func() {
					_, err := t.send(ctx, what, newSource("canceled.bin", upload.OctetStream, noise(1000, 7), nil))
					t.fails(what, err, end)
				})
				if stands.Load() {
					t.Errorf("%s: the request still stands after %v", what, prompt)
				}
			})
		}
	}
}

// refusals are answers that mean the same whoever gives them.
var refusals = []struct {
	status int
	kind   error
	most   int // requests that are sensible; 0 is any number
}{
	{http.StatusUnauthorized, upload.ErrUnauthorized, 2}, // with other credentials, if there are any
	{http.StatusForbidden, upload.ErrForbidden, 1},
	{http.StatusNotFound, upload.ErrNotFound, 1},
	{http.StatusRequestEntityTooLarge, upload.ErrTooLarge, 1},
	{http.StatusTooManyRequests, upload.ErrRateLimited, 0},
	{http.StatusInternalServerError, upload.ErrUnavailable, 0},
	{http.StatusServiceUnavailable, upload.ErrUnavailable, 0},
}

func kindsHold(t *trial) {
	if !t.needsServer() {
		return
	}
	for _, op := range t.operations() {
		for _, c := range refusals {
			t.fresh(fmt.Sprintf("%s %d", op, c.status), func(t *trial) {
				what := fmt.Sprintf("%s answered %d", op, c.status)
				kind := c.kind
				if op == Token && c.status == http.StatusForbidden {
					kind = upload.ErrUnauthorized // it is the credentials that are refused
				}
				var asked time.Duration
				var header []string
				if name := t.Server.contract.TraceHeader; name != "" {
					header = append(header, name, "uploadtest-trace-id")
				}
				if c.kind == upload.ErrRateLimited {
					asked, header = time.Second, append(header, "Retry-After", "1")
				}
				t.Server.Inject(op, -1, Answer(c.status, "", header...))
				t.storesNothing(what, func() {
					_, err := t.send(t.Context(), what, newSource("refused.bin", upload.OctetStream, noise(1000, 8), nil))
					failure, ok := t.fails(what, err, kind)
					if !ok {
						return
					}
					t.accounts(what, failure, op, c.status)
					if n := t.Server.received(op); c.most > 0 && n > c.most {
						t.Errorf("%s: attempts: %d requests, though none but the first can help", what, n)
					}
					if failure.RetryAfter != asked {
						t.Errorf("%s: error: RetryAfter is %v, the answer said %v", what, failure.RetryAfter, asked)
					}
				})
			})
		}
	}
}

// accounts compares what an error says of the requests with those that came.
func (t *trial) accounts(what string, failure *upload.Error, op string, status int) {
	t.Helper()
	switch n := t.Server.received(op); {
	case failure.Provider == "":
		t.Errorf("%s: error: Provider is empty", what)
	case failure.Op != op:
		t.Errorf("%s: error: Op is %q, want %q", what, failure.Op, op)
	case failure.Status != status:
		t.Errorf("%s: error: Status is %d, want %d", what, failure.Status, status)
	case failure.Attempts != n:
		t.Errorf("%s: error: Attempts is %d, but %d requests arrived", what, failure.Attempts, n)
	default:
		t.traces(what, failure.TraceID)
	}
}

// unusable: a success that does not say what it has to is none, and sending the
// file again would not help.
func unusable(t *trial) {
	if !t.needsServer() {
		return
	}
	t.operations()
	const size = 54321 // which no id has in it
	for _, r := range t.Server.Requests() {
		if len(r.Answer) == 0 || r.Op == Token || r.Op == Presigned {
			continue
		}
		for _, c := range []struct {
			name, body string
		}{
			{"nothing", ""},
			{"HTML", "<html><body>Welcome</body></html>"},
			{"an empty object", "{}"},
			{"null", "null"},
			{"half of an answer", string(r.Answer[:len(r.Answer)/2])},
			{"another size", ""},
		} {
			t.fresh(fmt.Sprintf("%s %s", r.Op, c.name), func(t *trial) {
				what := fmt.Sprintf("%s answered %d and %s", r.Op, r.Status, c.name)
				src := newSource("unusable.bin", upload.OctetStream, noise(size, 15), nil)
				fault, told := Answer(r.Status, c.body, "Content-Type", "application/json"), new(atomic.Bool)
				told.Store(true)
				if c.name == "another size" {
					fault = lie(size, size-1, told)
				}
				t.Server.Inject(r.Op, -1, fault)
				_, err := t.send(t.Context(), what, src)
				if err == nil && !told.Load() {
					return // this API says nothing of a size
				}
				if failure, ok := t.fails(what, err, upload.ErrUnavailable); ok {
					t.accounts(what, failure, r.Op, r.Status)
				}
				if n := t.Server.received(r.Op); n != 1 {
					t.Errorf("%s: attempts: %d requests, though none but the first can help", what, n)
				}
			})
		}
	}
}

// earlyRefusal: a server that refuses a large body unread is heard. Without
// Expect: 100-continue it is a matter of luck, hence several tries.
func earlyRefusal(t *trial) {
	if !t.needsServer() {
		return
	}
	for _, op := range t.carriers() {
		t.fresh(op, func(t *trial) {
			what := op + " refused before its body was read"
			t.Server.Inject(op, -1, func(http.Handler) http.Handler { return http.HandlerFunc(slamDoor) })
			content := noise(8<<20, 9)
			t.storesNothing(what, func() {
				for try := 1; try <= 6; try++ {
					_, err := t.send(t.Context(), what, newSource("large.bin", upload.OctetStream, content, nil))
					if _, ok := t.fails(what, err, upload.ErrTooLarge); !ok {
						return
					}
					if n := t.Server.received(op); n != try {
						t.Errorf("%s: attempts: one more, since the refusal got lost", what)
						return
					}
				}
			})
		})
	}
}

// slamDoor answers and closes, as proxies do, with no time for whoever is still sending.
func slamDoor(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
}

type passing struct {
	name   string
	fault  Fault
	status int // of the answer; 0 where there is none
}

var resets = []passing{
	{"connection reset before the body", ResetBefore, 0},
	{"connection reset in the middle of the body", ResetMiddle, 0},
	{"connection reset in place of the answer", ResetAfter, 0},
}

func faultsPass(t *trial) {
	if !t.needsServer() {
		return
	}
	cases := slices.Clone(resets)
	for _, status := range []int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		cases = append(cases, passing{fmt.Sprintf("answered %d once", status), Answer(status, "", "Retry-After", "0"), status})
	}
	for _, op := range t.operations() {
		for _, c := range cases {
			t.fresh(op+" "+c.name, func(t *trial) {
				what := op + " " + c.name
				var p progress
				src := newSource("survives.bin", upload.OctetStream, noise(200<<10, 10), nil)
				src.Source = upload.Track(src.Source, p.note)
				t.Server.Inject(op, 1, c.fault)
				if slices.Contains(t.Once, op) && c.status != http.StatusTooManyRequests {
					_, err := t.send(t.Context(), what, src)
					if failure, ok := t.fails(what, err, upload.ErrUnavailable); ok {
						t.accounts(what, failure, op, c.status)
					}
					if n := t.Server.received(op); n != 1 {
						t.Errorf("%s: attempts: %d requests, though a duplicate would do harm", what, n)
					}
					return
				}
				t.Count = nil // what the lost answer stood for is an orphan
				if _, ok := t.arrives(what, src); !ok {
					return
				}
				p.check(t, what, src.Size)
				if n := t.Server.received(op); n != 2 {
					t.Errorf("%s: attempts: %d requests, want 2", what, n)
				}
			})
		}
	}
}

func faultsLast(t *trial) {
	if !t.needsServer() {
		return
	}
	for _, op := range t.operations() {
		for _, c := range resets[:2] {
			t.fresh(op+" "+c.name, func(t *trial) {
				what := op + " always: " + c.name
				t.Server.Inject(op, -1, c.fault)
				t.storesNothing(what, func() {
					_, err := t.send(t.Context(), what, newSource("lost.bin", upload.OctetStream, noise(256<<10, 11), nil))
					if failure, ok := t.fails(what, err, upload.ErrUnavailable); ok {
						t.accounts(what, failure, op, 0)
					}
				})
			})
		}
	}
}

// secretsStay: also where the other side repeats all that it was told.
func secretsStay(t *trial) {
	if _, ok := t.arrives("an upload", newSource("secret.bin", upload.OctetStream, noise(1000, 12), nil)); ok {
		t.tellsNothing("the client after an upload", t.Uploader)
	}
	if t.Server == nil {
		return
	}
	for _, op := range t.Server.ops() {
		for _, shape := range []string{
			`{"error":{"errorCode":"210","message":%[1]q,"details":%[1]q}}`,
			`{"error":"access_denied","error_description":%q}`,
			`<Error><Code>AccessDenied</Code><Message>%s</Message></Error>`,
			`%s`,
		} {
			t.fresh(op, func(t *trial) {
				what := op + " answered with what it was told"
				t.Server.Inject(op, -1, func(http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						told := []string{"http://" + r.Host + r.RequestURI}
						for _, values := range r.Header {
							told = append(told, values...)
						}
						if op == Token {
							form, _ := io.ReadAll(r.Body)
							told = append(told, string(form))
						}
						w.WriteHeader(http.StatusForbidden)
						fmt.Fprintf(w, shape, strings.Join(told, " "))
					})
				})
				_, err := t.send(t.Context(), what, newSource("secret.bin", upload.OctetStream, noise(1000, 13), nil))
				if err == nil {
					t.Errorf("%s: error: none, though the answer was 403", what)
					return
				}
				t.tellsNothing(what, err)
			})
		}
	}
}

// operations are those that an upload needs, found by making one.
func (t *trial) operations() []string {
	t.Helper()
	t.arrives("an upload without a fault", newSource("first.bin", upload.OctetStream, noise(100, 14), nil))
	return t.Server.ops()
}

// carriers are the operations that carry the file.
func (t *trial) carriers() []string {
	t.Helper()
	t.operations()
	var ops []string
	for _, r := range t.Server.Requests() {
		if len(r.Files) > 0 && !slices.Contains(ops, r.Op) {
			ops = append(ops, r.Op)
		}
	}
	return ops
}

// lie says another number than the handler, and whether it could.
func lie(number, other int, told *atomic.Bool) Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			truth := answer.Body.String()
			lies := strings.ReplaceAll(truth, fmt.Sprint(number), fmt.Sprint(other))
			told.Store(lies != truth)
			maps.Copy(w.Header(), answer.Header())
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.Code)
			_, _ = io.WriteString(w, lies)
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
