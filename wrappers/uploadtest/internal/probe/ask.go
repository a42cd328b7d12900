package probe

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// The rules that an answer may break.
const (
	ruleStatus = contract.RuleStatus
	ruleHeader = contract.RuleHeader
	ruleAnswer = contract.RuleAnswer
)

// answer is what came of a request. Status 0 is a failure that was reported.
type answer struct {
	p         *prober
	route     *operation // the operation that was asked, or nil
	req       *http.Request
	status    int
	header    http.Header
	body      []byte
	ids       []string
	elsewhere string // the host to which a redirect led
}

func (a answer) ok() bool { return a.status/100 == 2 }

// declares reports whether the spec has the answer's status for its operation.
func (a answer) declares() bool {
	return a.route != nil && a.route.Operation.Responses.Status(a.status) != nil
}

// location returns the header Location, if there is one.
func (a answer) location() (*url.URL, error) {
	location := a.header.Get("Location")
	if location == "" {
		return nil, http.ErrNoLocation
	}
	return a.req.URL.Parse(location)
}

// forwards reports whether an answer asks for the bytes at its Location: the
// request had none, and is to be repeated there by the same method.
func (a answer) forwards() bool {
	_, err := a.location()
	isUpload := a.req.Method == http.MethodPut || a.req.Method == http.MethodPost
	return a.sendsOn() && isUpload && a.req.ContentLength == 0 && a.declares() && err == nil
}

// sendsOn reports whether an answer redirects a request as it is.
func (a answer) sendsOn() bool {
	return a.status == http.StatusTemporaryRedirect || a.status == http.StatusPermanentRedirect
}

// broke reports a rule that the answer broke, once for each operation. It returns
// false if that is known.
func (a answer) broke(rule, class, format string, args ...any) bool {
	p, r, req := a.p, a.route, a.req
	p.Helper()
	for _, get := range p.ops {
		if r == nil && req.Method == http.MethodHead && get.Method == http.MethodGet && p.matches(get, req.URL) != nil {
			r = get // which says how a HEAD is answered
		}
	}
	name, place := "no operation", req.Method+" "+req.URL.EscapedPath()
	if r != nil {
		name, place = r.name, req.Method+" "+p.contract.Bases[0]+r.Path
	}
	switch {
	case !p.isOurs(req):
		place = req.Method + " to the host " + req.URL.Host
	case r != nil && p.matches(r, req.URL) == nil:
		place = req.Method + " to a URL from " + r.Method + " " + p.contract.Bases[0] + r.Path
	}
	line := fmt.Sprintf("%s: %s: %s: %s (%s)", p.contract.Title, name, rule, fmt.Sprintf(format, args...), place)
	if p.told.First(name + class) {
		p.fails(line)
	}
	return !p.knows(line)
}

// broke reports that an answer is wrong about m. What others tell wrong of the same
// file, or of the same fact, only follows.
func (m *made) broke(a answer, rule, class, format string, args ...any) {
	cause := class
	switch class {
	case "size", "checksum", "content", "length", "etag", stored:
		cause = "its bytes"
	case "lost", "lacks":
		cause = "its loss"
	}
	if !slices.Contains(m.wrong, cause) && a.broke(rule, class, format, args...) {
		m.wrong = append(m.wrong, cause, class)
	}
}

// ask sends a request and holds the answer to the contract. A server that wants
// fewer requests, or that is not ready yet, is asked again some time later.
func (p *prober) ask(r *operation, req *http.Request) (a answer) {
	p.Helper()
	for range 4 {
		a = p.askOnce(r, req)
		later := a.header.Get("Retry-After")
		wanted := a.status == http.StatusTooManyRequests || a.status >= 400 && later != ""
		if !wanted || p.waits == 0 {
			break
		}
		p.waits--
		seconds, _ := strconv.Atoi(later)
		select {
		case <-time.After(time.Duration(min(max(seconds, 1), 10)) * time.Second):
		case <-p.Context().Done():
		}
		req = req.Clone(req.Context())
		req.Body, _ = req.GetBody()
	}
	if a = p.follow(a); r != nil && a.ok() {
		p.seen.Note("operation that succeeded")
		r.succeeded = true
	}
	return a
}

// lends reports whether a URL in an answer gets credentials, too. Another host
// gets none, nor does a URL that is signed.
func (a answer) lends(to *url.URL) bool {
	return to.Host == a.req.URL.Host && !signs.MatchString(to.RawQuery)
}

// follow fetches what a declared redirect leads to. A 303 to a request that
// makes something leads to what tells of that. A HEAD is followed by a GET: a
// signed URL may take nothing else. A 307 or a 308 gets the body once more.
func (p *prober) follow(a answer) answer {
	to, err := a.location()
	isGet := a.req.Method == http.MethodGet || a.req.Method == http.MethodHead
	isUntold := a.route == nil || p.matches(a.route, a.req.URL) == nil // the spec tells nothing of its answers
	repeats := !isGet && a.sendsOn() && (a.declares() || isUntold) && a.req.ContentLength != 0
	if a.status/100 != 3 || !isGet && !repeats && a.status != http.StatusSeeOther || err != nil {
		return a
	}
	get := p.requestTo(http.MethodGet, to.String(), "", nil)
	if repeats {
		body, _ := a.req.GetBody()
		content, _ := io.ReadAll(body) // from memory
		get = p.requestTo(a.req.Method, to.String(), a.req.Header.Get("Content-Type"), content)
	}
	switch {
	case !a.lends(to):
	case isGet || repeats:
		get.Header = a.req.Header.Clone()
	default:
		p.authorized(get)
	}
	if part := a.req.Header.Get("Range"); part != "" {
		get.Header.Set("Range", part)
	}
	there := p.askOnce(nil, get)
	if !isGet && !repeats && there.ok() {
		there.header.Set("Location", to.String())
	}
	if there.route, there.req = a.route, a.req; isGet {
		there.elsewhere = to.Host
	}
	if repeats {
		p.changes(there)
	}
	return there
}

// askOnce sends a request, or takes the response that came already.
func (p *prober) askOnce(r *operation, req *http.Request) (a answer) {
	p.Helper()
	if a = (answer{p: p, route: r, req: req}); p.late >= 3 {
		return a
	}
	x := p.exchange(req)
	x.CheckRequest(true) // it may be wrong on purpose
	came := p.came
	if p.came = nil; came == nil {
		came = p.send(req)
	}
	switch a.body = came.body; {
	case came.late:
		p.late++
		a.broke(ruleStatus, "late", "no answer within %v: after three of these nothing more is asked%s", p.Timeout,
			p.answered)
		return a
	case came.err != nil && came.status != 0:
		a.broke(ruleAnswer, "torn", "the answer breaks off after %d bytes: %v", len(a.body), came.err)
		return a
	case came.err != nil:
		a.broke(ruleStatus, "none", "no answer%s: %v", p.doing, came.err)
		return a
	}
	p.seen.Note("answer")
	p.answered = "; the last answer was to " + req.Method + " " + req.URL.EscapedPath()
	a.status, a.header = came.status, came.header
	said := a.body // a long one is a file
	if len(said) > 64<<10 {
		said = nil
	}
	broken := x.FinishResponse(a.status, a.header, said)
	a.ids = x.FileIDs()
	p.changes(a)
	p.holds(a, x.Operation(), said)
	for _, v := range broken {
		if a.status = 0; p.told.First(v.Key()) {
			if came.status >= 500 {
				v.Detail += p.doing
			}
			p.fails(v.Error())
		}
	}
	return a
}

// response is what came back for a request, not held to anything yet.
type response struct {
	status int // 0: nothing
	header http.Header
	body   []byte
	err    error
	late   bool
}

// buffers hold bodies while they are read: each grows only once.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// send sends a request, and reads the response.
func (p *prober) send(req *http.Request) *response {
	ctx, cancel := context.WithTimeout(req.Context(), p.Timeout)
	defer cancel()
	came := &response{}
	resp, err := p.transport.RoundTrip(req.WithContext(ctx))
	if err == nil {
		defer resp.Body.Close()
		came.status, came.header = resp.StatusCode, resp.Header
		b := buffers.Get().(*bytes.Buffer)
		b.Reset()
		_, err = b.ReadFrom(io.LimitReader(resp.Body, largest+1))
		came.body = bytes.Clone(b.Bytes())
		buffers.Put(b)
	}
	came.err, came.late = err, err != nil && ctx.Err() != nil && p.Context().Err() == nil
	return came
}

// changes forgets what a request deleted or changed: what is gone by mistake is
// not lost once more.
func (p *prober) changes(a answer) {
	r, path := a.route, a.req.URL.Path
	p.forget(func(m *made) bool {
		switch {
		case !a.ok():
			return false
		case m.place == path && (a.req.Method == http.MethodPut || r != nil && places(r)):
			p.replaced[path] = m.files
			return true
		case r == nil:
			return false
		case r.Method == http.MethodDelete:
			its := p.base + p.pathOf(r, m.found())
			return strings.HasPrefix(m.place, path+"/") || // its parent took it along
				m.about(r) && strings.HasSuffix(its, a.req.URL.Host+a.req.URL.EscapedPath()) &&
					(!r.byQuery() || a.req.URL.Query().Get(r.last) == m.ids[r.last])
		}
		last := m.ids[r.last]
		return (r.Method == http.MethodPut || r.Method == http.MethodPatch) &&
			m.by != r && last != "" && p.matches(r, a.req.URL)[r.last] == last
	})
}

// declined logs what an operation need not take, if it did not.
func (a answer) declined(what string, args ...any) {
	if a.status != 0 && !a.ok() && !a.forwards() {
		a.p.unseen(a.route, "%s, which is refused by %d", fmt.Sprintf(what, args...), a.status)
	}
}

// mustBeRefused ends a message about a request that is taken.
const mustBeRefused = ", which must be refused by a 4xx"

// someRefused says in a message what nobody can tell more of.
const someRefused = "requests that were refused"

// turnsDown remembers what was refused, by its path and its bytes. Several requests
// may have the same. What was not refused may be there.
func (a answer) turnsDown(what string) {
	if r := a.route; a.status/100 != 4 {
		if r != nil && r.barred != nil && r.barred.place == a.req.URL.Path {
			r.barred = nil
		}
		return
	}
	body, _ := a.req.GetBody()
	sent, _ := io.ReadAll(body) // from memory: no error
	a.brought(sent, what+", which was refused")
}

// brought remembers which request brought bytes to a path that must not stay there.
func (a answer) brought(sent []byte, what string) {
	key := a.req.URL.Path + payload.Sum(sent)
	if cmp.Or(a.p.turnedDown[key], what) != what {
		what = someRefused
	}
	a.p.turnedDown[key] = what
}

// wants sends a request, and expects one of the given statuses. 4 stands for
// any 4xx. The aspect is counted as seen. A message says what the request is, and
// why the status is wrong, which may be empty.
func (p *prober) wants(
	aspect string, r *operation, req *http.Request, class, what, why string, want ...int,
) (a answer) {
	p.Helper()
	p.seen.Note(aspect)
	a = p.ask(r, req)
	a.turnsDown(what)
	if a.status != 0 && !slices.Contains(want, a.status) && !slices.Contains(want, a.status/100) {
		a.broke(ruleStatus, class, "%d to %s%s", a.status, what, why)
	}
	return a
}

// refused sees that a request is answered by a 4xx.
func (p *prober) refused(aspect, what string, r *operation, req *http.Request) answer {
	p.Helper()
	return p.lacks(aspect, what, r, req, func([]byte) bool { return false })
}

// lacks sees that a request is answered by a 4xx, by a 501 if the spec declares
// one, or by a body that says as much.
func (p *prober) lacks(aspect, what string, r *operation, req *http.Request, says func(body []byte) bool) answer {
	p.Helper()
	p.seen.Note(aspect)
	a := p.ask(r, req)
	a.turnsDown(what)
	declared := a.status == http.StatusNotImplemented && r != nil && declares(r, "501")
	if a.status != 0 && a.status/100 != 4 && !declared && !(a.ok() && says(a.body)) {
		a.broke(ruleStatus, what, "%d to %s%s", a.status, what, mustBeRefused)
	}
	return a
}
