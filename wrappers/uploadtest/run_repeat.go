package uploadtest

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// The properties of repeats: a request that is sent again is the same request.

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
	cases := slices.Clone(resets)
	for _, c := range refusals {
		if c.again == always {
			wait := "0"
			if c.status%100 > 3 { // 504, 408 and 429
				wait = "Fri, 31 Dec 1999 23:59:59 GMT"
			}
			cases = append(cases, passing{fmt.Sprintf("answered %d once", c.status),
				Answer(c.status, "", "Retry-After", wait), c.status})
		}
	}
	for _, op := range t.operations() {
		for _, c := range cases {
			t.fresh(op+" "+c.name, func(t *trial) {
				var p progress
				src := newSource("survives.bin", upload.OctetStream, noise(200<<10, 10), nil)
				src.Source = upload.Track(src.Source, p.note)
				if t.survives(op, c, src) {
					p.check(t, op+" "+c.name, src.Size)
				}
			})
		}
	}
}

// survives uploads src through a fault that passes, and tells whether it
// arrived. A client that sends an operation once, and a plain one, may fail.
func (t *trial) survives(op string, c passing, src *source) bool {
	t.Helper()
	what := op + " " + c.name
	t.Server.Inject(op, 1, c.fault)
	if t.once(op, c.status) {
		_, err := t.send(t.Context(), what, src)
		if failure, ok := t.fails(what, err, upload.ErrUnavailable); ok {
			t.accounts(what, failure, op, c.status)
		}
		t.asks(what, op, c.status, always)
		t.seen.note(aRepeat)
		return false
	}
	t.Count = nil // the lost answer stands for an orphan
	if plain(t.Uploader) {
		if res, err := t.send(t.Context(), what, src); err == nil {
			t.seen.note(aRepeat)
			return t.holds(what, res.ID, src) && t.carried(what, src, 0)
		}
		t.Logf("%s: not survived, and a plain client need not", what)
		return false
	}
	_, ok := t.arrives(what, src)
	t.seen.note(aRepeat)
	for _, asked := range t.Server.ops() {
		n := t.received(asked)
		switch {
		case asked == op && n != 2:
			t.Errorf("%s: attempts: %d requests, want 2", what, n)
		case asked != op && asked != Token && n > 1:
			t.Errorf("%s: attempts: %s was asked for %d times, and once is enough", what, asked, n)
		}
	}
	return ok
}

// repeatsAreWhole: whatever a client keeps of a body, the second attempt sends
// all of it, with everything that stands around it.
func repeatsAreWhole(t *trial) {
	unavailable := passing{"answered 503 once, after the body", afterBody(http.StatusServiceUnavailable),
		http.StatusServiceUnavailable}
	limited := passing{"answered 429 once, after the body", afterBody(http.StatusTooManyRequests),
		http.StatusTooManyRequests}
	for _, op := range t.carriers() {
		for _, c := range []struct {
			size int
			passing
		}{{1<<20 + 1, unavailable}, {1<<20 + 1, limited}, {6<<20 + 1, resets[1]}, {6<<20 + 1, unavailable}, {16<<20 + 1,
			unavailable}} {
			c.name = fmt.Sprintf("%s with %d bytes", c.name, c.size)
			t.fresh(op+" "+c.name, func(t *trial) {
				src := newSource("송장 (large).pdf", "application/pdf", noise(c.size, 23), nil)
				if t.survives(op, c.passing, src) {
					t.sameTwice(op+" "+c.name, op)
				}
			})
		}
	}
}

// afterBody answers when it has read the whole body.
func afterBody(status int) Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(status)
		})
	}
}

// sameTwice compares what stands around the file in the requests of an
// operation.
func (t *trial) sameTwice(what, op string) {
	t.Helper()
	var first *Request
	for _, r := range t.requestsSince(0) {
		switch {
		case r.Op != op:
		case first == nil:
			first = &r
		case r.Method != first.Method || r.URI != first.URI:
			t.Errorf("%s: repeat: the second attempt goes to %s %s, the first went to %s %s", what, r.Method,
				path(r.URI), first.Method, path(first.URI))
		case first.Fields != nil && first.Size == r.Size && !maps.EqualFunc(first.Fields, r.Fields, slices.Equal):
			t.Errorf("%s: repeat: the second attempt has other fields than the first", what)
		default:
			if names := differences(first.Header, r.Header, t.Server.contract.CredentialHeaders()); names != "" {
				t.Errorf("%s: repeat: the second attempt has other headers than the first: %s", what, names)
			}
		}
	}
}

func path(uri string) string {
	before, _, _ := strings.Cut(uri, "?")
	return before
}

// differences names the headers that only one of two requests has, but for the
// credentials and what a transport adds.
func differences(a, b http.Header, but []string) string {
	var names []string
	for name := range a {
		if _, both := b[name]; !both {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	names = slices.DeleteFunc(names, func(n string) bool {
		return slices.Contains(but, n) || slices.Contains([]string{"Expect", "Connection", "Accept-Encoding"}, n) ||
			retries.MatchString(n)
	})
	slices.Sort(names)
	return strings.Join(names, ", ")
}

var retries = regexp.MustCompile(`(?i)retry|attempt`)

func faultsLast(t *trial) {
	for _, op := range t.operations() {
		for _, c := range resets[:2] {
			t.fresh(op+" "+c.name, func(t *trial) {
				what := op + " always: " + c.name
				t.Server.Inject(op, -1, c.fault)
				t.storesNothing(what, func() {
					_, err := t.send(t.Context(), what,
						newSource("lost.bin", upload.OctetStream, noise(256<<10, 11), nil))
					if failure, ok := t.fails(what, err, upload.ErrUnavailable); ok {
						t.accounts(what, failure, op, 0)
					}
				})
			})
		}
	}
}

// dated matches the names and values of credentials that hold a time.
var dated = regexp.MustCompile(`(?i)time|date|sign|nonce|^(aws4|hmac|digest|hawk) `)

// freshCredentials: a signature that holds a time is made anew for each
// attempt, and a token that has run out is not sent again.
func freshCredentials(t *trial) {
	for _, op := range t.operations() {
		if op == Presigned || op == Token {
			continue
		}
		sent := t.credentials(op)
		time.Sleep(20 * time.Millisecond)
		t.arrives("a second upload", newSource("second.bin", upload.OctetStream, noise(100, 24), nil))
		pause := 20 * time.Millisecond
		switch again := t.credentials(op); {
		case len(again) < 2 || len(sent) == 0:
			continue
		case again[0] != again[len(again)-1]: // they hold milliseconds
		case dated.MatchString(again[0]):
			pause = 1100 * time.Millisecond // they may hold seconds
		case !slices.Contains(t.Server.ops(), Token):
			continue
		}
		status := http.StatusServiceUnavailable
		if t.once(op, status) {
			status = http.StatusTooManyRequests
		}
		t.fresh(op, func(t *trial) {
			what := fmt.Sprintf("%s answered %d once, after %v", op, status, pause)
			t.Server.Inject(Token, -1, aged)
			t.Server.Inject(op, 1, func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					time.Sleep(pause)
					w.WriteHeader(status)
				})
			})
			t.Count = nil
			_, err := t.send(t.Context(), what, newSource("fresh.bin", upload.OctetStream, noise(100, 25), nil))
			attempts := t.credentials(op)
			if err != nil || len(attempts) < 2 {
				return // it was not repeated, which is another property's matter
			}
			t.seen.note(aCredential)
			if attempts[0] == attempts[1] && (t.received(Token) < 2 || dated.MatchString(attempts[0])) {
				t.Errorf("%s: credentials: the second attempt carries those of the first, which have grown old", what)
			}
		})
	}
}

// aged makes the token of an answer run out after a second.
func aged(next http.Handler) http.Handler {
	return respelledText(func(s string) string { return lifetime.ReplaceAllString(s, `${1}1`) })(next)
}

var lifetime = regexp.MustCompile(`("expires_in"\s*:\s*)\d+`)

// credentials returns what each request of an operation carried.
func (t *trial) credentials(op string) (sent []string) {
	for _, r := range t.requestsSince(0) {
		if r.Op != op {
			continue
		}
		var b strings.Builder
		for _, name := range t.Server.contract.CredentialHeaders() {
			if value := r.Header.Get(name); value != "" {
				fmt.Fprintf(&b, "%s %s: %s\n", value, name, value)
			}
		}
		sent = append(sent, b.String())
	}
	return sent
}
