package probe

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/tally"
)

// Facts are facts about a server beside its spec. Those of the kit are the same:
// Probing says there what each means.
type Facts struct {
	Timeout time.Duration // zero: 10 s
	MaxSize int64         // zero: no limit is known
	Advance func(time.Duration)
	Known   []string // parts of the lines of failures
}

// Probe checks the service at baseURL against spec. The function Probe of the kit
// says how.
func Probe(t testing.TB, baseURL string, spec []byte, authorize func(*http.Request), probing ...Facts) {
	t.Helper()
	p := newProber(t, baseURL, spec, append(probing, Facts{})[0])
	// A transport of its own keeps its connections when another test closes an
	// httptest.Server.
	if shared, ok := p.transport.(*http.Transport); ok {
		own := shared.Clone()
		defer own.CloseIdleConnections()
		p.transport = own
	}
	if authorize != nil {
		p.authorize = authorize
	}
	p.probe()
}

func newProber(t testing.TB, baseURL string, spec []byte, facts Facts) *prober {
	t.Helper()
	p := &prober{
		TB: t, Facts: facts, base: strings.TrimRight(baseURL, "/"), waits: 60,
		authorize: func(*http.Request) {}, transport: http.DefaultTransport, dial: (&net.Dialer{}).DialContext,
		learned: map[string]string{}, clientKeys: map[string]bool{}, issued: map[string]*made{},
		right: map[string]map[string]bool{}, tagged: map[string]string{}, strange: map[string]bool{},
		comeLater: map[string]sentFile{}, comesWith: map[string]bool{}, opened: map[string]*url.URL{},
		named: map[string]*made{}, inVain: map[string]bool{}, met: map[string]bool{},
		traces: map[string]int{}, secrets: map[string]bool{}, turnedDown: map[string]string{},
		replaced: map[string][]sentFile{}, ways: map[string][]string{},
	}
	p.Timeout = cmp.Or(p.Timeout, 10*time.Second)
	p.contract, _ = apispec.ParseAt(t, baseURL, spec)
	for _, r := range p.contract.Routes {
		p.ops = append(p.ops, newOperation(r))
	}
	for _, r := range p.ops {
		r.ofParent = p.isOfParent(r)
	}
	return p
}

// prober is one run of [Probe].
type prober struct {
	testing.TB
	Facts
	contract  *apispec.Spec
	ops       []*operation // POST first and DELETE last
	base      string
	authorize func(*http.Request)
	transport http.RoundTripper
	dial      func(ctx context.Context, network, address string) (net.Conn, error)

	learned    map[string]string // what answers gave, by name
	clientKeys map[string]bool   // the parameters of paths that the client chooses
	kept       []*made           // what was made and must stay
	deleted    []*made
	issued     map[string]*made           // what was made, by its place and the ids that nothing else there may have
	named      map[string]*made           // the first that was sent under each name
	right      map[string]map[string]bool // values that were right, by their places
	tagged     map[string]string          // sums of files, by path and ETag
	strange    map[string]bool            // paths whose ids are of another kind
	renamings  int                        // how many other names were given
	baits      int                        // how many files were sent to be refused
	comeLater  map[string]sentFile        // what was said of files that come later, by the names of their ids
	comesWith  map[string]bool            // the names of ids that are there only once a file is
	met        map[string]bool            // the known failures that came
	told       tally.Told
	ways       map[string][]string // in which something was used and was not refused
	logged     tally.Told
	gave       tally.Told // the files that each path gave
	seen       tally.Seen
	traces     map[string]int        // how often each trace id came
	secrets    map[string]bool       // the credentials that were sent
	turnedDown map[string]string     // what was refused, by its path and its bytes
	replaced   map[string][]sentFile // the files that were there before, by their paths
	late       int                   // answers that did not come in time
	answered   string                // says in a message what the last answer was to; may be empty
	inVain     map[string]bool       // what was awaited and did not come
	awaited    tally.Told            // operations of which one upload is awaited
	waits      int                   // how often a Retry-After is waited for
	opened     map[string]*url.URL   // for a download, the last by its place in an answer
	ending     string                // a URL for a download that soon ends
	after      string                // says in a message what came before; may be empty
	doing      string                // names the file of a request in a message about it; may be empty
	came       *response             // the response to the next request, if it came already
}

func (p *prober) probe() {
	p.Helper()
	for _, r := range p.ops {
		if r.Method != http.MethodDelete {
			p.succeeds(r)
		}
	}
	for _, r := range p.ops {
		if r.unfound != "" { // what it refers to may have been made since
			p.succeeds(r)
		}
	}
	for _, r := range p.ops {
		if r.Method == http.MethodPost || r.Method == http.MethodPut {
			p.varies(r)
		}
	}
	p.again(" after others were made")
	if len(p.kept) > 0 {
		p.remembers(p.kept[0])
	}
	for _, r := range p.ops {
		p.strays(r)
		p.patches(r)
		if reading(r) {
			p.offers(r, firstSample(r))
		}
		if r.Method != http.MethodDelete {
			p.unknown(r)
		}
		p.bars(r)
		p.needsCredentials(r)
		p.refusesRequests(r)
		p.refusesMethods(r)
		p.ends(r)
		p.asksIf(r)
	}
	p.sendsLargest()
	p.again(" after " + someRefused)
	p.storesNothing()
	for _, r := range p.ops {
		if r.Method == http.MethodDelete {
			if p.deletes(r); !r.succeeded {
				p.succeeds(r)
			}
			p.unknown(r)
		}
	}
	p.writes()
	p.refused("unknown path", "a path that the spec does not have", nil,
		p.authorized(p.request(http.MethodGet, "/uploadtest/no/such/path", "", nil)))
	if times := slices.Collect(maps.Values(p.traces)); len(times) == 1 && times[0] > 5 {
		p.fails(fmt.Sprintf("%s: all operations: %s: %s is the same in each answer", p.contract.Title, ruleHeader,
			p.contract.TraceHeader))
	}
	p.grows()
	p.ages()
	p.sumsUp()
}

// sumsUp says what was not seen, and what was.
func (p *prober) sumsUp() {
	p.Helper()
	p.lags()
	for _, r := range p.ops {
		if r.isMissed() {
			p.unseen(r, "%s", r.unfound)
		}
	}
	for _, part := range p.Known {
		if !p.met[part] {
			p.Errorf("uploadtest: no failure has %q in its line any more: remove it from Known", part)
		}
	}
	if !p.seen.Has("operation that succeeded") && p.told.Nothing() {
		p.Skip("nothing was held: no operation could be asked as the spec wants it")
	}
	if given := "file that is given back"; len(p.kept) > 0 && !p.seen.Has(given) {
		p.Logf("%s: not seen: a %s: no operation and no URL gave one", p.contract.Title, given)
	}
	p.Logf("held: %s", &p.seen)
}

// lags names uploads of which something is still to come that came of others. It
// is a fault if it came of a later one.
func (p *prober) lags() {
	var late []*made
	for _, m := range p.kept {
		if m.coming != nil && m.unready != "" && m.coming.succeeded {
			late = append(late, m)
		}
	}
	for _, m := range late {
		if slices.ContainsFunc(p.kept, func(other *made) bool {
			return other.by == m.by && other.sent.After(m.sent) && other.ids[m.coming.last] != ""
		}) && m.age() >= p.Timeout {
			m.saidBy.broke(ruleAnswer, "late", "%s, and a later upload has its %s, %v after the file was sent",
				m.unready, m.coming.last, m.age())
		}
		p.unseen(m.coming, "what came of %d of %d uploads: %s", len(late), len(p.kept), m.unready)
	}
}

// fails reports a broken rule.
func (p *prober) fails(line string) {
	p.Helper()
	if p.knows(line) {
		p.Logf("known: %s", line)
		return
	}
	p.Error(line)
}

// knows reports whether a failure is known, and remembers that it came.
func (p *prober) knows(line string) (known bool) {
	for _, part := range p.Known {
		if strings.Contains(line, part) {
			known, p.met[part] = true, true
		}
	}
	return known
}

// again reads all uploads that were kept: no later request may have changed
// them. A long file is read again once: it takes long, and others show the rest.
func (p *prober) again(after string) {
	p.afterwards(after, func() {
		for _, m := range p.kept {
			if !m.again || len(m.content()) < 64<<10 {
				m.again = true
				p.reads(m)
			}
		}
		for _, r := range p.ops {
			p.lists(r)
		}
	})
}

// afterwards looks at answers. A message about one of them says what came before.
func (p *prober) afterwards(before string, look func()) {
	p.after = before
	look()
	p.after = ""
}

// isOurs reports whether a request goes to the host of the service.
func (p *prober) isOurs(req *http.Request) bool {
	return strings.HasPrefix(p.base+"/", req.URL.Scheme+"://"+req.URL.Host+"/")
}

// unseen logs a thing that could not be looked at, once.
func (p *prober) unseen(r *operation, format string, args ...any) {
	p.Helper()
	line := r.name + ": not seen: " + fmt.Sprintf(format, args...)
	if p.late < 3 && p.logged.First(line) { // else nothing was asked any more
		p.Logf("%s: %s", p.contract.Title, line)
	}
}
