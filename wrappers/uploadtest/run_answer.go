package uploadtest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
)

// The properties of answers: what each means, whoever gives it.

// again says whether a request is sent again after an answer.
type again int

const (
	never  again = iota
	maybe        // once more with other credentials, if there are any
	always       // unless a duplicate would do harm
)

// refusals are answers that mean the same whoever gives them.
var refusals = []struct {
	status int
	kind   error
	again  again
}{
	{http.StatusBadRequest, upload.ErrInvalid, never},
	{http.StatusUnauthorized, upload.ErrUnauthorized, maybe},
	{http.StatusForbidden, upload.ErrForbidden, never},
	{http.StatusNotFound, upload.ErrNotFound, never},
	{http.StatusRequestTimeout, upload.ErrUnavailable, always},
	{http.StatusConflict, upload.ErrInvalid, never},
	{http.StatusRequestEntityTooLarge, upload.ErrTooLarge, never},
	{http.StatusUnprocessableEntity, upload.ErrInvalid, never},
	{http.StatusTooManyRequests, upload.ErrRateLimited, always},
	{http.StatusInternalServerError, upload.ErrUnavailable, always},
	{http.StatusBadGateway, upload.ErrUnavailable, always},
	{http.StatusServiceUnavailable, upload.ErrUnavailable, always},
	{http.StatusGatewayTimeout, upload.ErrUnavailable, always},
}

func kindsHold(t *trial) {
	for _, op := range t.operations() {
		for _, c := range refusals {
			if op == Token && c.again == never && c.status != http.StatusForbidden {
				continue // OAuth 2 has a language of its own for these
			}
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
					_, err := t.send(t.Context(), what,
						newSource("refused.bin", upload.OctetStream, noise(1000, 8), nil))
					failure, ok := t.fails(what, err, kind)
					if ok {
						t.accounts(what, failure, op, c.status)
						if failure.RetryAfter != asked {
							t.Errorf("%s: error: RetryAfter is %v, the answer said %v", what, failure.RetryAfter, asked)
						}
					}
					t.asks(what, op, c.status, c.again)
				})
			})
		}
	}
}

// asks compares how often an operation was asked for with how often that is
// sensible.
func (t *trial) asks(what, op string, status int, again again) {
	t.Helper()
	switch n := t.received(op); {
	case again == never && n > 1, again == maybe && n > 2:
		t.Errorf("%s: attempts: %d requests, though none but the first can help", what, n)
	case again != always:
	case t.once(op, status) && n > 1:
		t.Errorf("%s: attempts: %d requests, though a duplicate would do harm", what, n)
	case !t.once(op, status) && n == 1 && !plain(t.Uploader):
		t.Errorf("%s: attempts: only one request, though a second can help", what)
	}
}

func (t *trial) received(op string) int {
	if t.Server == nil {
		return 0
	}
	return t.Server.received(op)
}

// unusable: a success that does not say what it has to is none, and sending the
// file again would not help.
func unusable(t *trial) {
	t.operations()
	const size = 54321 // which no id has in it
	for _, r := range t.requestsSince(0) {
		if len(r.Answer) == 0 || r.Op == Token || r.Op == Presigned {
			continue
		}
		for _, c := range []struct {
			name   string
			status int
			body   string
		}{
			{"nothing", r.Status, ""},
			{"HTML", r.Status, "<html><body>Welcome</body></html>"},
			{"an empty object", r.Status, "{}"},
			{"null", r.Status, "null"},
			{"half of an answer", r.Status, string(r.Answer[:len(r.Answer)/2])},
			{"an error", http.StatusAccepted, `{"error":{"errorCode":"900","message":"not now"}}`},
			{"another size", r.Status, ""},
		} {
			t.fresh(fmt.Sprintf("%s %s", r.Op, c.name), func(t *trial) {
				what := fmt.Sprintf("%s answered %d and %s", r.Op, c.status, c.name)
				src := newSource("unusable.bin", upload.OctetStream, noise(size, 15), nil)
				fault, told := Answer(c.status, c.body, "Content-Type", "application/json"), new(atomic.Bool)
				told.Store(true)
				if c.name == "another size" {
					fault = lie(size, size-1, told)
				}
				t.Server.Inject(r.Op, -1, fault)
				_, err := t.send(t.Context(), what, src)
				if c.name == "another size" && err == nil && (!told.Load() || plain(t.Uploader)) {
					return // this API says nothing of a size, or nobody looks
				}
				if failure, ok := t.fails(what, err, upload.ErrUnavailable); ok {
					t.accounts(what, failure, r.Op, c.status)
				}
				t.asks(what, r.Op, c.status, never)
			})
		}
	}
}

// spellings change how an answer is written, and not what it says.
var spellings = []struct {
	what   string
	change func(*httptest.ResponseRecorder)
}{
	{"application/json; charset=utf-8", typed("application/json; charset=utf-8")},
	{"Application/JSON", typed("Application/JSON;charset=UTF-8")},
	{"a member that is not documented", texted(`{"uploadtest":[1,{"a":null}],`)},
	{"white space around it", texted("\r\n\t{\n ")},
}

// typed gives a JSON answer another media type.
func typed(contentType string) func(*httptest.ResponseRecorder) {
	return func(a *httptest.ResponseRecorder) {
		if strings.HasPrefix(a.Header().Get("Content-Type"), "application/json") {
			a.Header().Set("Content-Type", contentType)
		}
	}
}

// texted gives the first brace of a JSON answer another text.
func texted(brace string) func(*httptest.ResponseRecorder) {
	return func(a *httptest.ResponseRecorder) {
		if text := a.Body.String(); strings.HasPrefix(text, "{") && len(text) > 2 {
			a.Body.Reset()
			a.Body.WriteString(brace + text[1:])
		}
	}
}

func otherSpellings(t *trial) {
	for _, op := range t.operations() {
		if op == Presigned {
			continue
		}
		for _, c := range spellings {
			t.fresh(op+" "+c.what, func(t *trial) {
				t.Server.Inject(op, -1, respelled(c.change))
				t.arrives(fmt.Sprintf("%s answered with %s", op, c.what),
					newSource("typed.bin", upload.OctetStream, noise(1000, 21), nil))
			})
		}
	}
}

// idsAsWritten: an id is a text, or a number of any size, and no client may
// change a letter of it.
func idsAsWritten(t *trial) {
	if t.Server == nil || plain(t.Uploader) {
		return
	}
	first, ok := t.arrives("an upload without a fault", newSource("first.bin", upload.OctetStream, noise(100, 32), nil))
	if !ok {
		return
	}
	for _, r := range t.requestsSince(0) {
		quoted := fmt.Sprintf("%q", first.ID)
		if r.Op == Presigned || !strings.Contains(string(r.Answer), quoted) {
			continue
		}
		for id, written := range map[string]string{"a/b c%2F+é": `"a/b c%2F+é"`, "9007199254740993": "9007199254740993",
			"007": `"007"`} {
			if !t.Server.contract.Allows(r.Op, r.Status,
				[]byte(strings.ReplaceAll(string(r.Answer), quoted, written))) {
				continue
			}
			t.fresh(r.Op+" "+id, func(t *trial) {
				what := fmt.Sprintf("%s answered with the id %s", r.Op, id)
				t.seen.note(aID)
				t.Server.Inject(r.Op, -1, respelledText(func(s string) string {
					for _, m := range contract.Members([]byte(s)) {
						if m.Name == memberOf(r.Answer, first.ID) {
							s = strings.Replace(s, fmt.Sprintf("%q", m.Value), written, 1)
						}
					}
					return s
				}))
				res, err := t.send(t.Context(), what, newSource("id.bin", upload.OctetStream, noise(100, 32), nil))
				if err != nil {
					t.Errorf("%s: upload: %v", what, t.masked(err))
				} else if res.ID != id {
					t.Errorf("%s: result: the ID is %q", what, res.ID)
				}
			})
		}
	}
}

// memberOf returns the name under which an answer holds a value.
func memberOf(answer []byte, value string) string {
	for _, m := range contract.Members(answer) {
		if m.Value == value {
			return m.Name
		}
	}
	return ""
}

// endless: an answer is not read into memory however long it is.
func endless(t *trial) {
	const most = 64 << 20
	statuses := map[string][]int{}
	t.operations()
	for _, r := range t.requestsSince(0) {
		statuses[r.Op] = []int{http.StatusInternalServerError}
		if r.Op != Presigned && r.Op != Token {
			statuses[r.Op] = append(statuses[r.Op], r.Status)
		}
	}
	for op := range statuses {
		for _, status := range statuses[op] {
			t.fresh(fmt.Sprint(op, status), func(t *trial) {
				what, sent := fmt.Sprintf("%s answered %d and 64 MiB", op, status), new(atomic.Int64)
				t.Server.Inject(op, -1, func(http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						w.Header().Set("Content-Type", "application/json")
						w.WriteHeader(status)
						for chunk := bytes.Repeat([]byte(" "), 1<<20); sent.Load() < most; sent.Add(1 << 20) {
							if _, err := w.Write(chunk); err != nil {
								return
							}
						}
					})
				})
				_, err := t.send(t.Context(), what, newSource("endless.bin", upload.OctetStream, noise(1000, 22), nil))
				t.fails(what, err, upload.ErrUnavailable)
				if sent.Load() >= most {
					t.Errorf("%s: answer: all of it was read", what)
				}
			})
		}
	}
}

// earlyRefusal: a server that refuses a large body unread is heard. Without
// Expect: 100-continue it is a matter of luck, hence several tries.
func earlyRefusal(t *trial) {
	if plain(t.Uploader) {
		t.Log("a plain client need not wait for 100 Continue")
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
					if n := t.received(op); n != try {
						t.Errorf("%s: attempts: one more, since the refusal got lost", what)
						return
					}
				}
			})
		})
	}
}

// slamDoor answers and closes, as proxies do, with no time for a sender.
func slamDoor(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn,
		"HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
}

// respelled is a fault that lets the handler answer and changes what it said.
func respelled(change func(*httptest.ResponseRecorder)) Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			change(answer)
			maps.Copy(w.Header(), answer.Header())
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.Code)
			_, _ = answer.Body.WriteTo(w)
		})
	}
}

// replaced changes a text in an answer, and says whether it was there.
func replaced(old, other string, found *atomic.Bool) Fault {
	return respelled(func(a *httptest.ResponseRecorder) {
		truth := a.Body.String()
		lies := strings.ReplaceAll(truth, old, other)
		found.Store(lies != truth)
		a.Body.Reset()
		a.Body.WriteString(lies)
	})
}

// lie says another number than the handler, and whether it could.
func lie(number, other int, told *atomic.Bool) Fault {
	return replaced(fmt.Sprint(number), fmt.Sprint(other), told)
}
