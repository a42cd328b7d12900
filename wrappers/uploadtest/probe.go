package uploadtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// Probing holds facts about a server beside its spec, for [Probe].
type Probing struct {
	// Timeout is how long one answer may take. Zero means 10 s. After three
	// answers that did not come in time, Probe asks no more.
	Timeout time.Duration

	// MaxSize is the size in bytes of the largest file that the server takes: a
	// file with one more byte must be answered with 413, or refused in another
	// way if it comes in chunks. Zero means that no limit is known, and none is
	// looked for.
	MaxSize int64

	// Advance moves the server's clock, as far as the test can, and also back.
	// A signature must then be stale or too early, and a presigned URL must
	// have expired. It is called last.
	Advance func(time.Duration)
}

// Probe checks the service at baseURL against spec, an OpenAPI 3.0 document in
// YAML or JSON, from the outside. The service may be a handler of your own
// behind httptest.NewServer, or somebody else's server. Authorize puts good
// credentials on a request, just before it is sent. It is nil if none are
// needed.
//
// Probe sends the spec's own examples to each operation, and they must succeed,
// POST first and DELETE last. If there is no example, it makes one up from the
// schema. A path parameter gets the value that an earlier answer gave under its
// name, or the id in the answer of the path before it: the id in the answer of
// POST /files is the fileId of /files/{fileId}. A request that cannot be built
// as the spec wants it is not sent. An operation may fail if no answer gave its
// parameters. The test's log says so in both cases. If a request states the size
// or the checksum of its file, Probe states the true one.
//
// Bytes go where an answer says: to a URL, in a form with the fields beside the
// URL, or to the session at the Location of a call that is named for uploads. A
// call below the upload that is named complete, commit, finish or the like comes
// last, and declares with a 409 or a 422 that it refuses what was not sent.
//
// Then each operation that makes something does so some twenty times: with
// files of up to 10 MiB whose bytes are easily changed or lost, with odd names
// and texts, and with several files at once. Probe reads back all that tells of
// such an upload, at once and again after everything else: the operations whose
// path its ids fill, its Location, a list of all uploads or of one parent's,
// whole and in short pages, and URLs for its download: those whose names say so,
// and those of the same host that gave two files back. A GET may be answered by
// a redirect, if the spec declares it. Its bytes, names, sizes, types, checksums
// and ids must be those that were sent or answered. A name with directories
// loses them. A refused name is no failure. Neither is a wrong member of an
// answer that was never right about a file. Two uploads have two ids, unless they
// are equal, and the id of a deleted one is not given out again. After a 409 or a
// 422 the same is sent once more under other names: the first may be taken.
//
// Each operation must refuse wrong requests: without credentials, with spoiled
// ones, or with a signature from elsewhere; without a body or a parameter; with
// a wrong parameter, unless it may be overlooked; with a body that is cut off, of
// another type, or lacks something required; with a file of another type, if a
// 415 is declared; with the checksum of other bytes, if a 422 is; for an id that
// was deleted or never there. A presigned URL must refuse another method, another
// type, another key, and any change of it. An empty file may be refused, and is
// no failure. A 404 refuses wrong credentials where the spec declares no 401.
//
// Every answer must come in time, be declared and match its schema, and show
// nothing of the server's machine. Its error code must not be one that the
// spec's examples show for another status. A broken rule fails t with one line.
// After a 429, or another failure with a Retry-After, it waits as that says: at
// most 10 s, and 60 times in all.
//
// Probe leaves its uploads there, but for one upload of each kind that it
// deletes. Do not point it at a [Server]: that reports requests that are wrong
// on purpose.
func Probe(t testing.TB, baseURL string, spec []byte, authorize func(*http.Request), probing ...Probing) {
	t.Helper()
	c, _ := parseAt(t, baseURL, spec)
	p := &prober{
		TB: t, Probing: append(probing, Probing{})[0], contract: c, base: strings.TrimRight(baseURL, "/"),
		learned: map[string]string{}, own: map[string]bool{}, issued: map[string]*made{},
		right: map[string]map[string]bool{}, patience: 25, waits: 60,
		succeeded: map[string]bool{}, once: map[string]bool{}, closing: map[string]bool{},
		unfound: map[string]func(){}, tagged: map[string]string{},
		traces: map[string]bool{}, secrets: map[string]bool{}, authorize: authorize,
		transport: http.DefaultTransport,
	}
	// A transport of its own keeps its connections when another test closes an
	// httptest.Server.
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

	learned   map[string]string // what answers gave, by name
	own       map[string]bool   // the parameters of paths that the client chooses
	kept      []*made           // what was made and must stay
	deleted   []*made
	issued    map[string]*made           // what was made, by the ids that nothing else may have
	right     map[string]map[string]bool // values that were right, by their places
	tagged    map[string]string          // sums of files, by path and ETag
	succeeded map[string]bool            // operations
	closing   map[string]bool            // operations that complete an upload
	once      map[string]bool            // operations that take each name once
	names     int                        // how many other names were given
	unfound   map[string]func()          // operations that were not asked about an upload
	told      told
	logged    told
	seen      seen
	traces    map[string]bool // the trace ids that came
	traced    int
	secrets   map[string]bool // the credentials that were sent
	patience  int             // how often an answer is awaited that comes later
	late      int             // answers that did not come in time
	waits     int             // how often a Retry-After is waited for
	ending    string          // a URL for a download that soon ends
	doing     string          // names the file of a request in a message about it; may be empty
	buffer    bytes.Buffer    // of the body of an answer
}

func (p *prober) probe() {
	p.Helper()
	routes := p.contract.routes
	for _, r := range routes {
		if r.Method != http.MethodDelete {
			p.succeeds(r)
			p.unknown(r)
		}
	}
	for _, r := range routes {
		if r.Method == http.MethodPost || r.Method == http.MethodPut {
			p.varies(r)
		}
	}
	p.again(" after others were made")
	if len(p.kept) > 0 {
		maps.Copy(p.learned, p.kept[0].ids)
	}
	for _, r := range routes {
		p.mixes(r)
		if r.Method == http.MethodGet { // its id may be known only now
			p.unknown(r)
		}
		p.needsCredentials(r)
		p.refusesRequests(r)
		p.refusesMethods(r)
		p.ends(r)
	}
	p.again(" after requests that were refused")
	p.sendsLargest()
	for _, r := range routes {
		if r.Method == http.MethodDelete {
			if p.deletes(r); !p.succeeded[nameOf(r)] {
				p.succeeds(r)
			}
			p.unknown(r)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.unfound)) {
		if !p.succeeded[name] {
			p.unfound[name]()
		}
	}
	p.refused("unknown path", "a path that the spec does not have", nil,
		p.authorized(p.request(http.MethodGet, "/uploadtest/no/such/path", "", nil)))
	if p.traced > 5 && len(p.traces) == 1 {
		p.broke(nil, p.request(http.MethodGet, "", "", nil), contract.RuleHeader, "trace",
			"%s is the same in all answers", p.contract.TraceHeader)
	}
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
	switch {
	case !p.isOurs(req):
		place = req.Method + " to the host " + req.URL.Host
	case r != nil && p.matches(r, req.URL.Path) == nil:
		place = req.Method + " to a URL from " + r.Method + " " + p.contract.Bases[0] + r.Path
	}
	if p.told.first(name + class) {
		p.Errorf("%s: %s: %s: %s (%s)", p.contract.Title, name, rule, fmt.Sprintf(format, args...), place)
	}
}

// isOurs reports whether a request goes to the host of the service.
func (p *prober) isOurs(req *http.Request) bool {
	return strings.HasPrefix(p.base+"/", req.URL.Scheme+"://"+req.URL.Host+"/")
}

// unseen logs a thing that could not be looked at, once.
func (p *prober) unseen(r *routers.Route, format string, args ...any) {
	p.Helper()
	if line := nameOf(r) + ": not seen: " + fmt.Sprintf(format, args...); p.logged.first(line) {
		p.Logf("%s: %s", p.contract.Title, line)
	}
}

// answer is what came of a request. Status 0 is a failure that was reported.
type answer struct {
	p         *prober
	route     *routers.Route // the operation that was asked, or nil
	req       *http.Request
	status    int
	header    http.Header
	body      []byte
	ids       []string
	elsewhere bool // behind a redirect
}

func (a answer) ok() bool { return a.status/100 == 2 }

// location returns the header Location, if there is one.
func (a answer) location() (*url.URL, error) {
	location := a.header.Get("Location")
	if location == "" {
		return nil, http.ErrNoLocation
	}
	return a.req.URL.Parse(location)
}

// broke reports a rule that the answer broke, once for each operation.
func (a answer) broke(rule, class, format string, args ...any) {
	a.p.Helper()
	a.p.broke(a.route, a.req, rule, class, format, args...)
}

// ask sends a request and holds the answer to the contract. A server that wants
// fewer requests, or that is not ready yet, is asked again some time later.
func (p *prober) ask(r *routers.Route, req *http.Request) (a answer) {
	p.Helper()
	for range 4 {
		a = p.askOnce(r, req)
		later := a.header.Get("Retry-After")
		wanted := a.status == http.StatusTooManyRequests || a.status >= 400 && later != ""
		if !wanted || req.Body != nil && req.GetBody == nil || p.waits == 0 {
			break
		}
		p.waits--
		seconds, _ := strconv.Atoi(later)
		select {
		case <-time.After(time.Duration(min(max(seconds, 1), 10)) * time.Second):
		case <-p.Context().Done():
		}
		if req = req.Clone(req.Context()); req.GetBody != nil {
			req.Body, _ = req.GetBody()
		}
	}
	if a = p.follow(a); r != nil && a.ok() {
		p.seen.note("operation that succeeded")
		p.succeeded[nameOf(r)] = true
	}
	return a
}

// follow fetches what a declared redirect leads to. Another host gets no
// credentials, nor does a URL that is signed.
func (p *prober) follow(a answer) answer {
	to, err := a.location()
	if a.status/100 != 3 || a.req.Method != http.MethodGet || err != nil {
		return a
	}
	get := p.request(http.MethodGet, "", "", nil)
	if get.URL = to; to.Host == a.req.URL.Host && !signs.MatchString(to.RawQuery) {
		get.Header = a.req.Header.Clone()
	}
	there := p.askOnce(nil, get)
	there.route, there.req, there.elsewhere = a.route, a.req, true
	return there
}

func (p *prober) askOnce(r *routers.Route, req *http.Request) (a answer) {
	p.Helper()
	if a = (answer{p: p, route: r, req: req}); p.late >= 3 {
		return a
	}
	ctx, cancel := context.WithTimeout(p.Context(), p.Timeout)
	defer cancel()
	req = req.WithContext(ctx)
	x := p.contract.Begin(req, contract.Watch{})
	resp, err := p.transport.RoundTrip(x.Watching(req.Context(), req))
	x.CheckRequest(true) // it may be wrong on purpose
	if err == nil {
		defer resp.Body.Close()
		a.body, err = p.readBody(resp.Body)
	}
	switch {
	case err != nil && ctx.Err() != nil && p.Context().Err() == nil:
		p.late++
		a.broke(contract.RuleStatus, "late", "no answer within %v: after three of these nothing more is asked", p.Timeout)
		return a
	case err != nil && resp != nil:
		a.broke(contract.RuleAnswer, "torn", "the answer breaks off after %d bytes: %v", len(a.body), err)
		return a
	case err != nil:
		a.broke(contract.RuleStatus, "none", "no answer%s: %v", p.doing, err)
		return a
	}
	p.seen.note("answer")
	a.status, a.header = resp.StatusCode, resp.Header
	said := a.body // a long one is a file
	if len(said) > 64<<10 {
		said = nil
	}
	broken := x.FinishResponse(resp.StatusCode, resp.Header, said)
	a.ids = x.FileIDs()
	if r != nil && (r.Method == http.MethodPut || r.Method == http.MethodPatch) && a.ok() {
		p.kept = slices.DeleteFunc(p.kept, func(m *made) bool { // it may have been changed
			last := m.ids[lastParam(r)]
			return nameOf(m.by) != nameOf(r) && last != "" && strings.Contains(req.URL.Path+"/", "/"+last+"/")
		})
	}
	p.holds(a, x.Operation(), said)
	for _, v := range broken {
		if a.status = 0; p.told.first(v.Key()) {
			if resp.StatusCode >= 500 {
				v.Detail += p.doing
			}
			p.Error(v)
		}
	}
	return a
}

// readBody reads the body of an answer. A large file that comes back as it was
// sent is not held twice.
func (p *prober) readBody(body io.Reader) ([]byte, error) {
	p.buffer.Reset()
	_, err := p.buffer.ReadFrom(io.LimitReader(body, largest+1))
	got := p.buffer.Bytes()
	for _, m := range p.kept {
		for _, file := range m.files {
			if len(got) > 64<<10 && bytes.Equal(got, file.content) {
				return file.content, err
			}
		}
	}
	return bytes.Clone(got), err
}

// holds checks the rules of an answer that no schema can say.
func (p *prober) holds(a answer, op *contract.Operation, body []byte) {
	p.Helper()
	broke := func(rule, what string) { a.broke(rule, what, "status %d: %s", a.status, what) }
	if what := betrays(a.header, body, a.req); what != "" {
		broke(contract.RuleAnswer, "it shows "+what)
	}
	for secret := range p.secrets {
		if a.status >= 400 && bytes.Contains(body, []byte(secret)) {
			broke(contract.RuleAnswer, "it shows the credentials of a request")
		}
	}
	typ, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if strings.HasSuffix(typ, "json") && len(body) > 0 && !json.Valid(body) {
		broke(contract.RuleAnswer, "the body is not one JSON value")
	}
	if op == nil {
		return
	}
	if trace := a.header.Get(p.contract.TraceHeader); trace != "" {
		p.traces[trace] = true
		p.traced++
	}
	declared := op.Rules.(rules).Operation.Responses.Status(a.status)
	if declared == nil {
		return
	}
	if what := misplaced(op.Rules.(rules).Operation, a.status, body); what != "" {
		broke(contract.RuleStatus, what)
	}
	for name, ref := range declared.Value.Headers {
		switch values := a.header.Values(name); {
		case len(values) > 1:
			broke(contract.RuleAnswer, "the header "+name+" is there more than once")
		case a.header.Get(name) == "" && ref.Value.Extensions["x-sent"] == "always":
			broke(contract.RuleHeader, "header "+name+" is missing, and the spec says that it is always sent")
		}
	}
}

// wants sends a request, and expects one of the given statuses. 4 stands for
// any 4xx. The aspect is counted as seen.
func (p *prober) wants(aspect string, r *routers.Route, req *http.Request, class, to string, want ...int) {
	p.Helper()
	p.seen.note(aspect)
	a := p.ask(r, req)
	if a.status != 0 && !slices.Contains(want, a.status) && !slices.Contains(want, a.status/100) {
		a.broke(contract.RuleStatus, class, "%d to %s", a.status, to)
	}
}

// refused sees that a request is answered by a 4xx.
func (p *prober) refused(aspect, what string, r *routers.Route, req *http.Request) {
	p.Helper()
	p.wants(aspect, r, req, what, what+", which must be refused by a 4xx", 4)
}

const folders = "home|root|usr|var|tmp|etc|opt|srv|proc|private|Users|mnt|data"

// inside matches facts that only the server's machine knows. Only a text that
// has one of the hints is matched, since matching takes much longer.
var inside = []struct {
	what    string
	hints   []string
	matches *regexp.Regexp
}{
	{"a stack trace", []string{"goroutine ", ".go:", ".js:", `.py", line`, "Traceback", "at "},
		regexp.MustCompile(`goroutine \d+ \[|\.go:\d+|\.js:\d+:\d+|\.py", line \d+` +
			`|Traceback \(most recent|\bat [\w.$]+\([\w.]+:\d+\)`)},
	{"a path of the server's machine", append(strings.Split(folders, "|"), `:\`),
		regexp.MustCompile(`(?:^|[\s"'=(:])(?:[A-Z]:\\+\w+|/(?:` + folders + `)/[\w.-]+)`)},
}

// betrays names a fact about the server's machine that an answer shows and that
// was not in the request.
func betrays(header http.Header, body []byte, req *http.Request) string {
	text := string(body)
	for _, values := range header {
		text += "\n" + strings.Join(values, "\n")
	}
	if strings.Contains(text, `\`) {
		for _, m := range contract.Members(body) { // without the escapes of JSON
			text += "\n" + m.Value
		}
	}
	for _, c := range inside {
		if !slices.ContainsFunc(c.hints, func(hint string) bool { return strings.Contains(text, hint) }) {
			continue
		}
		for _, found := range c.matches.FindAllString(text, -1) {
			if !strings.Contains(req.URL.Path, strings.Trim(found, ` "'=(:`)) {
				return c.what
			}
		}
	}
	return ""
}

// request returns a request. An empty body means that it has none.
func (p *prober) request(method, path, contentType string, body []byte) *http.Request {
	req, err := http.NewRequestWithContext(p.Context(), method, p.base+path, bytes.NewReader(body))
	if err != nil {
		p.Fatal("uploadtest: the base URL makes no request")
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

func (p *prober) authorized(req *http.Request) *http.Request {
	bare := req.Header.Clone()
	p.authorize(req)
	for name, values := range req.Header {
		_, token, _ := strings.Cut(values[0], " ")
		if token = cmp.Or(token, values[0]); bare.Get(name) == "" && len(token) >= 16 && !ordinary.MatchString(name) {
			p.secrets[token] = true
		}
	}
	return req
}

// faults returns the violations of the spec in a request, without sending it.
func (p *prober) faults(req *http.Request) (broken []*contract.Violation) {
	probe := req.Clone(req.Context())
	if req.GetBody != nil {
		probe.Body, _ = req.GetBody()
	}
	x := p.contract.Begin(probe, contract.Watch{})
	if watched := x.Watching(probe.Context(), probe); watched.Body != nil {
		_, _ = io.Copy(io.Discard, watched.Body)
	}
	return x.CheckRequest(true)
}
