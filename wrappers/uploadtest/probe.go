package uploadtest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// Probing is what a [Probe] may know of a server beside its spec.
type Probing struct {
	// Timeout is how long one answer may take. Zero means 10 s. After three
	// answers that did not come in time, Probe asks no more.
	Timeout time.Duration

	// MaxSize is the largest file, in bytes, that the server takes: one more
	// must be answered by 413. Zero means that no limit is known, and none is
	// looked for.
	MaxSize int64

	// Advance moves the server's clock, as far as the test can: a signature
	// must then be stale, and a presigned URL must have expired. It is called
	// last.
	Advance func(time.Duration)
}

// Probe checks the service at baseURL against spec, an OpenAPI 3.0 document in
// YAML or JSON, from the outside: a handler of your own behind
// httptest.NewServer, or somebody else's server. Authorize puts good
// credentials on a request, just before it is sent. It is nil where none are
// needed.
//
// Each operation is asked with the spec's own examples, which must succeed,
// POST first and DELETE last. What has no example is made up from its schema. A
// path parameter gets the value that an earlier answer gave under its name, or
// the id in the answer of the path before it: the id in the answer of POST
// /files is the fileId of /files/{fileId}. A request that cannot be built as
// the spec wants it is not sent, and an operation whose parameters no answer
// gave may fail; a line of the test's log says so.
//
// Then each operation is asked in the wrong way, and must refuse it: without
// credentials, with spoiled ones, with a signature from elsewhere; without a
// body or a parameter, with a body that is cut off, of another type, or short
// of what is required; for what was deleted or never there. So is a presigned
// URL: by another method, of another type, with another key, tampered with. An
// empty file may be refused, and is no failure.
//
// A name with directories loses them. Any other name stays as it is, and so do
// the bytes, where an operation gives them back. Several files are answered in
// their order, also where they are found or deleted. Two uploads have two ids,
// and the id of a deleted one is not given out again. Every answer must come in
// time, be declared and match its schema, and tell nothing of the server's
// machine. A broken rule fails t by one line.
//
// Probe uploads a few bytes and leaves what the operations cannot delete. Do
// not point it at a [Server], which reports requests that are wrong on purpose.
func Probe(t testing.TB, baseURL string, spec []byte, authorize func(*http.Request), probing ...Probing) {
	t.Helper()
	c, _ := parseAt(t, baseURL, spec)
	p := &prober{
		TB: t, Probing: append(probing, Probing{})[0], contract: c, base: strings.TrimRight(baseURL, "/"),
		learned: map[string]string{}, created: map[string]creation{}, authorize: authorize,
		transport: http.DefaultTransport,
	}
	// An httptest.Server that another test closes breaks off what shares its idle
	// connections with it.
	if shared, ok := p.transport.(*http.Transport); ok {
		own := shared.Clone()
		defer own.CloseIdleConnections()
		p.transport = own
	}
	p.Timeout = cmp.Or(p.Timeout, 10*time.Second)
	if p.authorize == nil {
		p.authorize = func(*http.Request) {}
	}
	p.probe()
}

// prober is one run of [Probe].
type prober struct {
	testing.TB
	Probing
	contract  *spec
	base      string
	authorize func(*http.Request)
	transport http.RoundTripper

	learned map[string]string   // what answers gave, by name
	earlier map[string]string   // what an answer before gave, of another file
	created map[string]creation // what was made, by the ids that were answered
	told    told
	seen    seen
	late    int // answers that did not come in time
}

func (p *prober) probe() {
	p.Helper()
	routes := p.contract.routes()
	for _, r := range routes {
		p.succeeds(r)
		p.unknown(r)
	}
	for _, r := range routes {
		p.needsCredentials(r)
		p.refusesRequests(r)
		p.refusesMethods(r)
		p.ends(r)
	}
	p.refused("unknown path", "a path that the spec does not have", nil,
		p.authorized(p.request(http.MethodGet, "/uploadtest/no/such/path", "", nil)))
	p.grows(routes)
	p.ages(routes)
	if !p.seen.has("operation that succeeded") && p.told.nothing() {
		p.Skip("nothing was held: no operation could be asked as the spec wants it")
	}
	p.Logf("held: %s", &p.seen)
}

// broke reports a rule that an answer broke, once for each operation.
func (p *prober) broke(r *routers.Route, req *http.Request, rule, class, format string, args ...any) {
	p.Helper()
	name, place := "no operation", req.Method+" "+req.URL.EscapedPath()
	if r != nil {
		name, place = nameOf(r), req.Method+" "+p.contract.Bases[0]+r.Path
	}
	if p.told.first(name + class) {
		p.Errorf("%s: %s: %s: %s (%s)", p.contract.Title, name, rule, fmt.Sprintf(format, args...), place)
	}
}

// unseen says what could not be looked at.
func (p *prober) unseen(r *routers.Route, format string, args ...any) {
	p.Helper()
	p.Logf("%s: %s: not seen: %s", p.contract.Title, nameOf(r), fmt.Sprintf(format, args...))
}

// answered is what came back. Status 0 is a failure that was reported.
type answered struct {
	status int
	header http.Header
	body   []byte
	ids    []string
}

// ask sends a request and holds the answer to the contract.
func (p *prober) ask(r *routers.Route, req *http.Request) (a answered) {
	p.Helper()
	if p.late >= 3 {
		return a
	}
	ctx, cancel := context.WithTimeout(p.Context(), p.Timeout)
	defer cancel()
	req = req.WithContext(ctx)
	x := p.contract.Begin(req, contract.Watch{})
	resp, err := p.transport.RoundTrip(x.Watching(req.Context(), req))
	x.FinishRequest() // it may be wrong on purpose
	if err == nil {
		defer resp.Body.Close()
		a.body, err = io.ReadAll(io.LimitReader(resp.Body, contract.Keep))
	}
	switch {
	case ctx.Err() != nil && p.Context().Err() == nil:
		p.late++
		p.broke(r, req, contract.RuleStatus, "late", "no answer within %v: after three of these nothing more is asked",
			p.Timeout)
		return a
	case err != nil:
		p.broke(r, req, contract.RuleStatus, "none", "no answer: %v", err)
		return a
	}
	p.seen.note("answer")
	a.status, a.header = resp.StatusCode, resp.Header
	broken := x.FinishResponse(resp.StatusCode, resp.Header, a.body)
	a.ids = x.FileIDs()
	if r != nil && (r.Method == http.MethodPut || r.Method == http.MethodPatch) && a.status/100 == 2 {
		for _, param := range required(r) { // what was made under it may have changed
			delete(p.created, p.learned[param.Name])
		}
	}
	for _, v := range broken {
		if a.status = 0; p.told.first(v.Key()) {
			p.Error(v)
		}
	}
	for _, name := range unsent(x.Operation(), resp.StatusCode, resp.Header) {
		p.broke(r, req, contract.RuleHeader, name,
			"status %d: header %s is missing, and the spec says that it is always sent", resp.StatusCode, name)
	}
	if what := betrays(resp.Header, a.body, req); what != "" {
		p.broke(r, req, contract.RuleAnswer, "betrays", "status %d: it shows %s", resp.StatusCode, what)
	}
	if resp.StatusCode == http.StatusMethodNotAllowed && resp.Header.Get("Allow") == "" && x.Op() != Presigned {
		p.broke(r, req, contract.RuleHeader, "allow", "status 405 without the header Allow (RFC 9110, 15.5.6)")
	}
	return a
}

// wants asks, and sees that the status is one of those that are wanted. 4
// stands for any 4xx. The aspect is noted.
func (p *prober) wants(aspect string, r *routers.Route, req *http.Request, class, to string, want ...int) {
	p.Helper()
	p.seen.note(aspect)
	a := p.ask(r, req)
	if a.status != 0 && !slices.Contains(want, a.status) && !slices.Contains(want, a.status/100) {
		p.broke(r, req, contract.RuleStatus, class, "%d to %s", a.status, to)
	}
}

// refused sees that a request is answered by a 4xx.
func (p *prober) refused(aspect, what string, r *routers.Route, req *http.Request) {
	p.Helper()
	p.wants(aspect, r, req, what, what+", which must be refused by a 4xx", 4)
}

// inside matches what only the server's machine knows.
var inside = []struct {
	what    string
	matches *regexp.Regexp
}{
	{"a stack trace", regexp.MustCompile(`goroutine \d+ \[|\.go:\d+|\.js:\d+:\d+|\.py", line \d+` +
		`|Traceback \(most recent|\bat [\w.$]+\([\w.]+:\d+\)`)},
	{"a path of the server's machine", regexp.MustCompile(`(?:^|[\s"'=(:])(?:[A-Z]:\\+\w+` +
		`|/(?:home|root|usr|var|tmp|etc|opt|srv|proc|private|Users|mnt|data)/[\w.-]+)`)},
}

// betrays says what an answer shows of its server's machine, and that the
// request did not hold itself.
func betrays(header http.Header, body []byte, req *http.Request) string {
	text := string(body)
	for _, values := range header {
		text += "\n" + strings.Join(values, "\n")
	}
	for _, m := range contract.Members(body) { // without the escapes of JSON
		text += "\n" + m.Value
	}
	for _, c := range inside {
		for _, found := range c.matches.FindAllString(text, -1) {
			if !strings.Contains(req.URL.Path, strings.Trim(found, ` "'=(:`)) {
				return c.what
			}
		}
	}
	return ""
}

// request returns a request with a body, of which nil is none.
func (p *prober) request(method, path, contentType string, body []byte) *http.Request {
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(p.Context(), method, p.base+path, r)
	if err != nil {
		p.Fatal("uploadtest: the base URL makes no request")
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

func (p *prober) authorized(req *http.Request) *http.Request {
	p.authorize(req)
	return req
}

// faults says what is wrong with a request by the spec. Nothing is sent.
func (p *prober) faults(req *http.Request) (broken []*contract.Violation) {
	probe := req.Clone(req.Context())
	if req.GetBody != nil {
		probe.Body, _ = req.GetBody()
	}
	x := p.contract.Begin(probe, contract.Watch{})
	if watched := x.Watching(probe.Context(), probe); watched.Body != nil {
		_, _ = io.Copy(io.Discard, watched.Body)
	}
	return x.FinishRequest()
}
