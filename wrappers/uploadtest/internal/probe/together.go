package probe

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// twin returns one of two files that have no byte in common.
func (p *prober) twin(i int) []byte {
	return p.withinLimit(bytes.Repeat([]byte{"ab"[i]}, 150_000+i))
}

// together uploads two files at once.
func (p *prober) together(r *operation, s sample) {
	var two []sample
	if places(r) && p.chosen(r) == "" {
		return
	}
	for i := range 2 {
		two = append(two, p.rekeyed(r, p.anew(r, s.holding(p.twin(i)))))
	}
	p.keep(p.startTogether(r, two, " (sent at the same time as another)")...)
}

// burst starts eight uploads at once: each has an id of its own.
func (p *prober) burst(r *operation, s sample) {
	var all []sample
	for i := range 8 {
		all = append(all, p.anew(r, s.holding(fmt.Appendf(nil, "uploadtest %d", i))))
	}
	if r.Method == http.MethodPost && len(s.body) > 0 {
		p.startTogether(r, all, "")
	}
}

// startTogether starts uploads of several samples at once.
func (p *prober) startTogether(r *operation, samples []sample, what string) (started []*made) {
	var requests []*http.Request
	for _, s := range samples {
		if !p.valid(r, s) {
			return nil
		}
		requests = append(requests, p.good(r, s))
	}
	for i, came := range p.atOnce(requests) {
		p.came = came
		m, a := p.start(r, samples[i], what)
		a.declined("one of %d uploads at once", len(samples))
		started = append(started, m)
	}
	return started
}

// sendsTwice sends a request twice, and two at once, if its spec has a header for
// that.
func (p *prober) sendsTwice(r *operation, s sample) {
	for _, param := range apispec.Parameters(r.Route) {
		if param.In != openapi3.ParameterInHeader || !onceOnly.MatchString(param.Name) {
			continue
		}
		key := newKey()
		request := func() *http.Request {
			req := p.good(r, s)
			req.Header.Set(param.Name, key)
			return req
		}
		ask := func() answer { return p.ask(r, request()) }
		p.sameAgain(ask(), ask, "a request with the "+param.Name+" of an earlier one")
		key = newKey()
		two := []*http.Request{request(), request()}
		came := p.atOnce(two)
		take := func(i int) answer {
			p.came = came[i]
			return p.ask(r, two[i])
		}
		p.sameAgain(take(0), func() answer { return take(1) },
			"a request with the "+param.Name+" of one at the same time")
	}
}

// sameAgain sends a request once more, and sees that it makes nothing new. It
// may be refused.
func (p *prober) sameAgain(first answer, ask func() answer, what string) {
	if !first.ok() {
		return
	}
	again := ask()
	ids := func(a answer) map[string]string {
		m := &made{by: a.route, ids: map[string]string{}}
		p.learn(m, a)
		return m.ids
	}
	before := ids(first)
	for name, id := range ids(again) {
		taken := func(r *operation) bool { return reading(r) && r.last == name }
		if !again.ok() || name != "id" && !slices.ContainsFunc(p.ops, taken) {
			continue
		}
		if p.seen.Note("repeated request"); cmp.Or(before[name], id) != id {
			again.broke(ruleAnswer, "repeated", "%s makes another upload", what)
		}
	}
}

// newKey returns a UUID that no earlier run used.
func newKey() string {
	return fmt.Sprintf("0f8fad5b-d9cb-469f-a165-%012x", uint64(time.Now().UnixNano())%(1<<48))
}

// atOnce sends requests at once. The first halves of their bodies arrive before
// the second. Short ones arrive whole and together: net/http sends no less than 4 KB
// before the end.
func (p *prober) atOnce(requests []*http.Request) []*response {
	var begun, ended sync.WaitGroup
	begun.Add(len(requests))
	all := make(chan struct{})
	go func() { begun.Wait(); close(all) }()
	responses := make([]*response, len(requests))
	for i, req := range requests {
		body, _ := req.GetBody()
		content, _ := io.ReadAll(body) // from memory
		half := sync.OnceFunc(begun.Done)
		sent := req.Clone(req.Context())
		sent.GetBody = nil
		sent.Body = io.NopCloser(io.MultiReader(bytes.NewReader(content[:len(content)/2]), waiting(func() {
			half()
			select {
			case <-all:
				time.Sleep(20 * time.Millisecond) // so that it arrives
			case <-time.After(time.Second): // one at a time is right, too
			}
		}), bytes.NewReader(content[len(content)/2:])))
		ended.Go(func() {
			defer half()
			responses[i] = p.send(sent)
		})
	}
	ended.Wait()
	return responses
}

// waiting is an empty reader that waits.
type waiting func()

func (w waiting) Read([]byte) (int, error) {
	w()
	return 0, io.EOF
}
