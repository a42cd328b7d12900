package uploadtest

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
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
			cases = append(cases, passing{fmt.Sprintf("answered %d once", c.status),
				Answer(c.status, "", "Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"), c.status})
		}
	}
	for _, op := range t.operations() {
		for _, c := range cases {
			t.about("%s %s", op, c.name).fresh(func(t *trial) {
				src := file(200 << 10)
				p := src.tracked()
				if t.survives(op, c, src) {
					p.check(t, src)
				}
			})
		}
	}
}

// survives uploads src through a fault that passes, and reports whether it
// arrived. A client that sends an operation once, and a plain one, may fail.
func (t *trial) survives(op string, c passing, src *source) (ok bool) {
	t.Helper()
	t.Server.Inject(op, 1, c.fault)
	if op != Token { // its form may have a time in it
		defer t.sameTwice(op)
	}
	if t.once(op, c.status) {
		_, err := t.send(t.Context(), src)
		if failure, ok := t.fails(err, upload.ErrUnavailable); ok {
			t.accounts(failure, op, c.status)
		}
		t.asks(op, refusal{status: c.status, again: always})
		t.seen.Note(aRepeat)
		return false
	}
	if t.plain() {
		res, err := t.send(t.Context(), src)
		if err != nil {
			t.Logf("%s: not survived, and a plain client need not", t.what)
			return false
		}
		t.seen.Note(aRepeat)
		return t.holds(res.ID, src) && t.carried(src, 0)
	}
	t.Count = nil // the lost answer stands for an orphan
	_, ok = t.arrives(src)
	if t.seen.Note(aRepeat); src.inParts(accepted(t.requests())) {
		return ok // each part is a request
	}
	looked := slices.ContainsFunc(t.requests(), Request.asks)
	for _, asked := range opsOf(t.requests()) {
		polled := t.of(asked)[0].asks() // until something is ready
		switch n := len(t.of(asked)); {
		case asked == op && !ok: // it is said already: a body that is torn is sent once more
		case asked == op && (n < 2 && !looked || n > 2 && !polled): // or the server said that it has what was sent
			t.broke("attempts: %d requests came, want 2: the one that failed and another one", n)
		case asked != op && asked != Token && n > 1 && !polled:
			t.broke("attempts: %d requests of %s came, want 1", n, asked)
		}
	}
	return ok
}

// repeatsAreWhole checks that the second attempt sends the whole body, with all
// that stands around it.
func repeatsAreWhole(t *trial) {
	answered := func(status int) passing {
		fault := afterBody(Answer(status, ""), 0)
		return passing{fmt.Sprintf("answered %d once, after the body", status), fault, status}
	}
	for _, op := range t.carriers() {
		for _, c := range []struct {
			mebi int
			passing
		}{{1, answered(503)}, {1, answered(429)}, {6, resets[1]}, {6, answered(503)}, {16, answered(503)}} {
			size := c.mebi<<20 + 1
			t.about("%s %s with %d bytes", op, c.name, size).fresh(func(t *trial) {
				t.survives(op, c.passing, newSource("송장 (large).pdf", "application/pdf", payload.Noise(size), nil))
			})
		}
	}
}

// sameTwice compares what stands around the file, or around what announces it,
// in the requests of an operation. A client may ask about several things.
func (t *trial) sameTwice(op string) {
	t.Helper()
	if t.seen.Scattered.Load() {
		return
	}
	for _, attempts := range t.attempts(slices.DeleteFunc(t.of(op), Request.asks)) {
		t.sameAs(attempts[0], attempts[1:])
	}
}

func (t *trial) sameAs(first Request, later []Request) {
	t.Helper()
	for _, r := range later {
		names := differences(first.Header, r.Header, t.Server.contract.CredentialHeaders)
		length, begun := r.Header.Get("Content-Length"), first.Header.Get("Content-Length")
		switch {
		case r.Status/100 == 4 && length != begun: // else a boundary may be longer
			t.broke("repeat: the second attempt has Content-Length %q, the first had %q", length, begun)
		case r.Method != first.Method || r.URI != first.URI:
			t.broke("repeat: the second attempt goes to %s %s, the first went to %s %s", r.Method, path(r.URI),
				first.Method, path(first.URI))
		case first.Size == r.Size && !maps.EqualFunc(first.Fields, r.Fields, slices.Equal):
			t.broke("repeat: the second attempt has other fields than the first")
		case names != "" && !r.broke(contract.RulePresignedHeader):
			t.broke("repeat: the second attempt has other headers than the first: %s", names)
		}
	}
}

func path(uri string) string {
	before, _, _ := strings.Cut(uri, "?")
	return before
}

// differences names the headers that only one of two requests has, but for the
// credentials and what a transport adds. The key by which a server knows the
// same upload again must also have the same value.
func differences(a, b http.Header, but []string) string {
	either := maps.Clone(a)
	maps.Copy(either, b)
	maps.DeleteFunc(either, func(name string, _ []string) bool {
		inBoth := a[name] != nil && b[name] != nil
		return slices.Equal(a[name], b[name]) || inBoth && !idempotent.MatchString(name) ||
			slices.Contains(but, name) || transports.MatchString(name)
	})
	return strings.Join(slices.Sorted(maps.Keys(either)), ", ")
}

var idempotent = regexp.MustCompile(`(?i)idempotency`)

// transports matches the headers that may differ from attempt to attempt.
var transports = regexp.MustCompile(`(?i)retry|attempt|^(expect|connection|accept-encoding)$`)

func faultsLast(t *trial) {
	for _, op := range t.operations() {
		for _, c := range resets[:2] {
			t.about("%s always: %s", op, c.name).fresh(func(t *trial) {
				t.Server.Inject(op, forEver, c.fault)
				if failure, ok := t.storesNothing(t.Context(), file(256<<10), upload.ErrUnavailable); ok {
					t.accounts(failure, op, 0)
				}
			})
		}
	}
}

// waitsAsAsked checks that a request is not sent again before the time that the
// answer asks for: first a date, then a second. By itself, a client waits least
// before its second request.
func waitsAsAsked(t *trial) {
	if t.Patient == nil {
		return
	}
	t.each(t.operations(), "%s answered 429 with a Retry-After, twice", func(t *trial, op string) {
		t.Uploader = t.Patient
		var mu sync.Mutex
		var due []time.Time // when the next request may come
		t.Server.Inject(op, 2, instead(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			next, wait := time.Now().Add(time.Second), "1"
			if len(due) == 0 {
				next = next.Add(time.Second).Truncate(time.Second)
				wait = next.UTC().Format(http.TimeFormat)
			}
			due = append(due, next)
			Answer(http.StatusTooManyRequests, "", "Retry-After", wait)(nil).ServeHTTP(w, r)
		}))
		_, _ = t.send(t.Context(), file(100))
		mu.Lock()
		defer mu.Unlock()
		came := t.of(op)
		repeats := max(0, min(len(due), len(came)-1)) // another property checks that there are some
		known := repeats > 0
		for n, due := range due[:repeats] {
			late := came[n+1].time.Sub(due)
			if known = known && late < time.Second; late < 0 { // else nobody knows why it waited
				asked := []string{"a date", "a second"}[n]
				t.broke("attempts: the next request came too early: Retry-After asks for %s", asked)
				break
			}
		}
		if known {
			t.seen.Note(aWait)
		}
	})
}

// freshCredentials checks that a signature with a time in it is made anew for
// each attempt, and that a token that was refused is not kept.
func freshCredentials(t *trial) {
	for _, op := range t.operations() {
		if t.Server.contract.Operation(op) == nil {
			continue
		}
		if len(t.of(Token)) > 0 && !t.plain() {
			t.about("%s answered 401 once", op).fresh(tokenDropped(op))
		}
		pause := 20 * time.Millisecond
		time.Sleep(pause)
		t.about("a second upload").arrives(file(100))
		switch again := t.credentials(t.of(op)); {
		case again[0] != again[len(again)-1]: // they hold milliseconds
		case apispec.Dated.MatchString(again[0]):
			pause = 1100 * time.Millisecond // they may hold seconds
			time.Sleep(pause)
			third := t.about("%s, %v later", op, pause)
			if third.arrives(file(100)); slices.Contains(third.credentials(third.of(op))[len(again):], again[0]) {
				t.seen.Note(aCredential)
				third.broke("credentials: the request carries those of the first upload: " +
					"make new ones for each request")
				return
			}
		case len(t.of(Token)) > 0:
			pause = 1100 * time.Millisecond // longer than a token that is aged
		default:
			continue
		}
		status := http.StatusServiceUnavailable
		if t.once(op, status) {
			status = http.StatusTooManyRequests
		}
		t.about("%s answered %d once, after %v", op, status, pause).fresh(func(t *trial) {
			t.Server.Inject(Token, forEver, aged)
			t.Server.Inject(op, 1, afterBody(Answer(status, ""), pause))
			_, _ = t.send(t.Context(), file(100))
			groups := t.attempts(t.of(op))
			at := slices.IndexFunc(groups, func(group []Request) bool { return len(group) > 1 })
			if at < 0 {
				t.seen.Missed("no request was sent a second time in one upload")
				return // another property checks that
			}
			attempts := t.credentials(groups[at])
			t.seen.Note(aCredential)
			if attempts[0] == attempts[1] && (len(t.of(Token)) < 2 || apispec.Dated.MatchString(attempts[0])) {
				t.broke("credentials: the second attempt carries those of the first: make new ones for each attempt")
			}
		})
	}
}

// tokenDropped checks that after a 401 another token is asked for, by the next
// upload at the latest.
func tokenDropped(op string) func(*trial) {
	return func(t *trial) {
		t.Server.Inject(op, 1, Answer(http.StatusUnauthorized, ""))
		for range 2 {
			_, _ = t.send(t.Context(), file(100))
		}
		all := t.requests()
		refused := slices.IndexFunc(all, func(r Request) bool { return r.Op == op })
		t.seen.Note(aCredential)
		if refused >= 0 && !slices.Contains(opsOf(all[refused:]), Token) {
			t.broke("credentials: the next upload sends the refused token again, and asks for no new one")
		}
	}
}

// aged makes the token of an answer run out after a second.
var aged = respelledText(func(s string) string { return lifetime.ReplaceAllString(s, `${1}1`) })

var lifetime = regexp.MustCompile(`("expires_in"\s*:\s*)\d+`)

// credentials returns what each request carried.
func (t *trial) credentials(requests []Request) (sent []string) {
	for _, r := range requests {
		carried := ""
		for _, name := range t.Server.contract.CredentialHeaders {
			if value := r.Header.Get(name); value != "" {
				carried += fmt.Sprintf("%s %s: %s\n", value, name, value)
			}
		}
		sent = append(sent, carried)
	}
	return sent
}
