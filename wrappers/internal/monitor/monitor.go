// Package monitor wraps the handlers of one port. It records each exchange,
// holds it to the handler's contract, and injects faults.
//
//	m := monitor.New(monitor.Config{})
//	mux.Handle("/v1/", m.Handler("twentyfourseven", c, standin))
//	fault := m.Inject(monitor.Injection{
//		Op: "fileUpload", Times: 1, Fault: monitor.Answer(503, ""),
//	})
//	for _, x := range m.Exchanges() { ... }
//
// Bodies stream through and are never held whole. The memory for exchanges is
// limited in number and in bytes. An exchange whose outcome concerns no other
// one is checked when somebody first looks, and never if nobody does.
package monitor

import (
	"cmp"
	"net/http"
	"sync"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// Config says what a [Monitor] remembers. The zero value shows no body and no
// header.
type Config struct {
	Count int   // exchanges; zero means 1,000
	Bytes int64 // of all that is remembered; zero means 32 MiB

	// Watch says what is remembered of files and bodies. If its Head is not 0,
	// headers and queries are remembered too: such exchanges hold secrets and
	// must not be shown.
	Watch contract.Watch

	// Report is called for each violation as it is found; nil: not called.
	Report func(*contract.Violation)

	// Panicked is called for a panic of a handler, before the connection is
	// cut.
	Panicked func(any)
}

// Monitor watches the handlers of one port. It is safe for concurrent use.
type Monitor struct {
	cfg Config

	mu        sync.Mutex
	history   history
	faults    []*Injection
	lastFault int64
	active    int           // requests being answered
	ended     int64         // exchanges that are over
	woken     chan struct{} // closed when the next one is over; nil: nobody waits
}

// New returns a monitor that watches nothing yet.
func New(cfg Config) *Monitor {
	cfg.Count, cfg.Bytes = cmp.Or(cfg.Count, 1000), cmp.Or(cfg.Bytes, 32<<20)
	return &Monitor{cfg: cfg, history: history{count: cfg.Count, bytes: cfg.Bytes}}
}

// Handler returns next with its exchanges recorded under the provider's name
// and held to the contract c.
func (m *Monitor) Handler(provider string, c *contract.Contract, next http.Handler) http.Handler {
	return &handler{m: m, provider: provider, contract: c, next: next}
}

// Exchanges returns the remembered exchanges in the order of arrival. They
// include exchanges that are not over yet, with all that is known of them.
func (m *Monitor) Exchanges() []Exchange {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.history.settle()
	list := make([]Exchange, len(m.history.entries))
	for i, x := range m.history.entries {
		list[i] = x.Exchange
	}
	return list
}

// settle does the checks that have waited, and reports whether there was one.
func (m *Monitor) settle() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.history.settle()
}

// Reset forgets exchanges and faults. An exchange that is not answered yet is
// recorded when it is. A presigned URL from before the reset can still be used.
func (m *Monitor) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.history.settle() // the contract keeps the URLs
	m.history.forget()
	m.faults = nil
}

// Quiet waits until no request is being answered, but no longer than limit, and
// reports whether that is so. After a client gave up on a request, the handler
// may still be working on it.
func (m *Monitor) Quiet(limit time.Duration) bool {
	for deadline := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		m.mu.Lock()
		active := m.active
		m.mu.Unlock()
		if active == 0 || time.Now().After(deadline) {
			return active == 0
		}
	}
}
