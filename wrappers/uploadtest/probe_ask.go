package uploadtest

import (
	"bytes"
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
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/internal/contract"
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
	p, r, req := a.p, a.route, a.req
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

// ask sends a request and holds the answer to the contract. A server that wants
// fewer requests, or that is not ready yet, is asked again some time later.
func (p *prober) ask(r *operation, req *http.Request) (a answer) {
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
// credentials, nor does a URL that is signed. A 303 to a request that makes
// something leads to what tells of that.
func (p *prober) follow(a answer) answer {
	to, err := a.location()
	isGet := a.req.Method == http.MethodGet
	if a.status/100 != 3 || !isGet && a.status != http.StatusSeeOther || err != nil {
		return a
	}
	get := p.request(http.MethodGet, "", "", nil)
	switch get.URL = to; {
	case to.Host != a.req.URL.Host || signs.MatchString(to.RawQuery):
	case isGet:
		get.Header = a.req.Header.Clone()
	default:
		p.authorized(get)
	}
	there := p.askOnce(nil, get)
	if !isGet && there.ok() {
		there.header.Set("Location", to.String())
	}
	there.route, there.req, there.elsewhere = a.route, a.req, isGet
	return there
}

func (p *prober) askOnce(r *operation, req *http.Request) (a answer) {
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
		a.broke(ruleStatus, "late", "no answer within %v: after three of these nothing more is asked", p.Timeout)
		return a
	case err != nil && resp != nil:
		a.broke(ruleAnswer, "torn", "the answer breaks off after %d bytes: %v", len(a.body), err)
		return a
	case err != nil:
		a.broke(ruleStatus, "none", "no answer%s: %v", p.doing, err)
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
	if r != nil && r.Method == http.MethodDelete && a.ok() { // what is gone by mistake is not lost once more
		p.kept = slices.DeleteFunc(p.kept, func(m *made) bool {
			return m.about(r) && strings.HasSuffix(p.base+p.pathOf(r, m.found()), req.URL.Host+req.URL.EscapedPath())
		})
	}
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
		broke(ruleAnswer, "it shows "+what)
	}
	for secret := range p.secrets {
		if a.status >= 400 && bytes.Contains(body, []byte(secret)) {
			broke(ruleAnswer, "it shows the credentials of a request")
		}
	}
	typ, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if strings.HasSuffix(typ, "json") && len(body) > 0 && !json.Valid(body) {
		broke(ruleAnswer, "the body is not one JSON value")
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
		broke(ruleStatus, what)
	}
	for name, ref := range declared.Value.Headers {
		switch values := a.header.Values(name); {
		case len(values) > 1:
			broke(ruleAnswer, "the header "+name+" is there more than once")
		case a.header.Get(name) == "" && ref.Value.Extensions["x-sent"] == "always":
			broke(ruleHeader, "header "+name+" is missing, and the spec says that it is always sent")
		}
	}
}

// wants sends a request, and expects one of the given statuses. 4 stands for
// any 4xx. The aspect is counted as seen.
func (p *prober) wants(aspect string, r *operation, req *http.Request, class, to string, want ...int) (a answer) {
	p.Helper()
	p.seen.note(aspect)
	a = p.ask(r, req)
	if a.status != 0 && !slices.Contains(want, a.status) && !slices.Contains(want, a.status/100) {
		a.broke(ruleStatus, class, "%d to %s", a.status, to)
		p.overwrote(a)
	}
	return a
}

// overwrote forgets the file that a wrong request replaced: this is told.
func (p *prober) overwrote(a answer) {
	if a.ok() && a.req.Method == http.MethodPut {
		p.kept = slices.DeleteFunc(p.kept, func(m *made) bool {
			return m.by.Method == http.MethodPut && m.place == a.req.URL.Path
		})
	}
}

// refused sees that a request is answered by a 4xx.
func (p *prober) refused(aspect, what string, r *operation, req *http.Request) {
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

// misplaced says that an error code is the one of another status. The spec's
// examples must show codes of both.
func misplaced(op *openapi3.Operation, status int, body []byte) string {
	shown := map[string]map[string]bool{} // by status
	for of, response := range op.Responses.Map() {
		shown[of] = map[string]bool{}
		for _, media := range response.Value.Content {
			for _, example := range examples(media.Example, media.Examples, nil) {
				text, _ := json.Marshal(example)
				for _, m := range contract.Members(text) {
					if codes.MatchString(m.Name) {
						shown[of][m.Value] = true
					}
				}
			}
		}
	}
	own := shown[fmt.Sprint(status)]
	if len(own) == 0 || status < 400 {
		return ""
	}
	maps.Copy(own, shown[fmt.Sprint(status/100, "XX")])
	maps.Copy(own, shown["default"])
	for _, m := range contract.Members(body) {
		for _, of := range slices.Sorted(maps.Keys(shown)) {
			if codes.MatchString(m.Name) && of >= "4" && shown[of][m.Value] && !own[m.Value] {
				return fmt.Sprintf("%s is %.50q, which the spec shows for status %s", m.Name, m.Value, of)
			}
		}
	}
	return ""
}
