package uploadtest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
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

	// Known are failures that you know and do not want to see, such as a fault
	// that will be mended later. Each is a part of a failure's line. A line with
	// it is logged and fails nothing. If no line has it, that fails.
	Known []string
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
// parameters. One that takes no file may say by a 404, a 409, a 422 or the like
// that something which it names is not there. One that has no body may declare a
// refusal of what its path names, and one that gives files may withhold them all
// by a declared 400 or 403. The test's log says so in all these cases. If a
// request states the size or the checksum of its file, Probe states the true one.
//
// Bytes go where an answer says: to a URL, in a form with the fields beside the
// URL, or to the session at the Location of a call that is named for uploads. A
// call below the upload that is named complete, commit, finish or the like comes
// last, and declares with a 409 or a 422 that it refuses what was not sent.
//
// Then each operation that makes something does so some twenty times: with
// files of up to 10 MiB whose bytes are easily changed or lost, with odd names
// and texts, with several files in one request, and with several requests at
// once. A request with the Idempotency-Key of an earlier one makes nothing new,
// nor does a second request to complete an upload. Probe reads back all that
// tells of such an upload, at once and again after everything else: the
// operations whose path its ids fill, its Location, a list of all uploads or of
// one parent's, whole and in short pages, and URLs for its download: those
// whose names say so, and those of the same host that gave two files back. A
// GET may be answered by a redirect, if the spec declares it, and what makes
// something by a 303. If a 206 is declared, a range is asked for, too. The
// bytes, names, sizes, types, checksums and ids of an upload must be those that
// were sent or answered. A name with directories loses them. A refused name is
// no failure. Neither is a wrong member of an answer that was never right about
// a file. Two uploads have two ids, unless they are equal, and the id of a
// deleted one is not given out again. After a 409 or a 422 the same is sent
// once more under other names: the first may be taken. A PATCH changes what it
// names, and nothing else.
//
// Each operation must refuse wrong requests: without credentials, with spoiled
// ones, or with a signature from elsewhere; without a body or a parameter; with
// a wrong parameter, unless it may be overlooked; with a body that is cut off,
// of another type, or lacks something required; with a file of another type, if
// a 415 is declared; with the checksum of other bytes, if a 422 is, or if a
// description says that it is compared; for an id that was deleted, never there,
// or under another parent; for a URL of the service for the download of what
// was deleted. An empty list says that nothing is there, too, and so does an
// answer that calls what it tells of deleted, archived or the like. A presigned URL must refuse
// another method, another type, another key, and any change of it. If the
// answer names no method, and nothing in the URL signs it, the URL may have
// other methods. An empty file may be refused, and is no failure. A 404 refuses
// wrong credentials where the spec declares no 401.
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
		learned: map[string]string{}, clientKeys: map[string]bool{}, issued: map[string]*made{},
		right: map[string]map[string]bool{}, inVain: map[string]bool{}, waits: 60,
		succeeded: map[string]bool{}, strange: map[string]bool{}, once: map[string]bool{}, closing: map[string]bool{},
		unfound: map[string]string{}, comeLater: map[string]sentFile{},
		tagged: map[string]string{}, met: map[string]bool{},
		traces: map[string]int{}, secrets: map[string]bool{}, authorize: authorize,
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

// How a probe goes: probe_success asks each operation with the spec's examples.
// What that makes is sent in odd ways by probe_variation and _together, and to
// URLs that are handed out by probe_presigned, _batch and _complete. It is read
// back by probe_readback, _range, _list and _download. Then wrong requests must
// be refused: probe_refusal, _stray, _credential, _cut. Last come changes:
// probe_patch, probe_delete and probe_limit.
//
// What they share: probe_operation asks the spec about an operation.
// Probe_request builds its request of a sample (probe_sample), from the values
// of probe_example, with other texts (probe_text), true sizes and checksums
// (probe_stated). Probe_ask sends it and holds its answer to the contract, and
// to probe_answer. What it makes (probe_made) may wait for its bytes
// (probe_send). It has ids (probe_id) that lead to answers about it, and
// probe_repeat compares those. Probe_name knows what names mean, and
// probe_value walks through JSON.

// prober is one run of [Probe].
type prober struct {
	testing.TB
	Probing
	contract  *spec
	base      string
	authorize func(*http.Request)
	transport http.RoundTripper

	learned    map[string]string // what answers gave, by name
	clientKeys map[string]bool   // the parameters of paths that the client chooses
	kept       []*made           // what was made and must stay
	deleted    []*made
	issued     map[string]*made           // what was made, by its place and the ids that nothing else there may have
	right      map[string]map[string]bool // values that were right, by their places
	tagged     map[string]string          // sums of files, by path and ETag
	succeeded  map[string]bool            // operations
	closing    map[string]bool            // operations that complete an upload
	strange    map[string]bool            // paths whose ids are of another kind
	once       map[string]bool            // operations that take each name once
	names      int                        // how many other names were given
	comeLater  map[string]sentFile        // what was said of files that come later, by the names of their ids
	unfound    map[string]string          // why operations were not asked about an upload
	met        map[string]bool            // the known failures that came
	told       told
	logged     told
	gave       told // the files that each path gave
	seen       seen
	traces     map[string]int  // how often each trace id came
	secrets    map[string]bool // the credentials that were sent
	late       int             // answers that did not come in time
	inVain     map[string]bool // what was awaited and did not come
	waits      int             // how often a Retry-After is waited for
	ending     string          // a URL for a download that soon ends
	after      string          // says in a message what came before; may be empty
	doing      string          // names the file of a request in a message about it; may be empty
	buffer     bytes.Buffer    // of the body of an answer
	came       *response       // the response to the next request, if it came already
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
		p.strays(r)
		p.patches(r)
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
	p.refused("unknown path", "a path that the spec does not have", nil,
		p.authorized(p.request(http.MethodGet, "/uploadtest/no/such/path", "", nil)))
	if times := slices.Collect(maps.Values(p.traces)); len(times) == 1 && times[0] > 5 {
		all := answer{p: p, req: p.request(http.MethodGet, "", "", nil)}
		all.broke(ruleHeader, "trace", "%s is the same in all answers", p.contract.TraceHeader)
	}
	p.grows()
	p.ages()
	p.sumsUp()
}

// sumsUp says what was not seen, and what was.
func (p *prober) sumsUp() {
	p.Helper()
	for _, r := range p.contract.routes {
		if why := p.unfound[nameOf(r)]; why != "" && !p.succeeded[nameOf(r)] {
			p.unseen(r, "%s", why)
		}
	}
	for _, part := range p.Known {
		if !p.met[part] {
			p.Errorf("uploadtest: no failure has %q in its line any more: remove it from Known", part)
		}
	}
	if !p.seen.has("operation that succeeded") && p.told.nothing() {
		p.Skip("nothing was held: no operation could be asked as the spec wants it")
	}
	if given := "file that is given back"; len(p.kept) > 0 && !p.seen.has(given) {
		p.Logf("%s: not seen: a %s: no operation and no URL gave one", p.contract.Title, given)
	}
	p.Logf("held: %s", &p.seen)
}

// fails reports a broken rule.
func (p *prober) fails(line string) {
	p.Helper()
	known := false
	for _, part := range p.Known {
		if strings.Contains(line, part) {
			known, p.met[part] = true, true
		}
	}
	if known {
		p.Logf("known: %s", line)
		return
	}
	p.Error(line)
}

// again reads all uploads that were kept: no later request may have changed
// them.
func (p *prober) again(after string) {
	p.after = after
	defer func() { p.after = "" }()
	for _, m := range p.kept {
		p.reads(m)
	}
	for _, r := range p.contract.routes {
		p.lists(r)
	}
}

// isOurs reports whether a request goes to the host of the service.
func (p *prober) isOurs(req *http.Request) bool {
	return strings.HasPrefix(p.base+"/", req.URL.Scheme+"://"+req.URL.Host+"/")
}

// unseen logs a thing that could not be looked at, once.
func (p *prober) unseen(r *operation, format string, args ...any) {
	p.Helper()
	if line := nameOf(r) + ": not seen: " + fmt.Sprintf(format, args...); p.logged.first(line) {
		p.Logf("%s: %s", p.contract.Title, line)
	}
}
