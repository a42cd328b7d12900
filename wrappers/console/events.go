package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/internal/monitor"
)

const (
	maxListeners = 1024
	// batch is the largest number of exchanges that a listener is sent before
	// it gets the other changes.
	batch = 8
	// patience is how long the writing of an event may take.
	patience = 10 * time.Second
	// heartbeat is how often a line is sent when nothing happens. So proxies
	// keep the connection, and a listener that has left is noticed.
	heartbeat = 15 * time.Second
)

// StreamEvents follows the exchanges.
func (o operations) StreamEvents(
	ctx context.Context, req api.StreamEventsRequestObject,
) (api.StreamEventsResponseObject, error) {
	p := req.Params
	matches, err := o.filter(p.Provider, p.Operation, p.Broken)
	if err != nil {
		return nil, err
	}
	after := o.monitor.Ended()
	if text := value(p.LastEventID); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "Last-Event-ID %.40q is not the id of an exchange", text)
		}
		after = 0 // if it is no longer kept, all kept exchanges are new to the listener
		for _, x := range o.monitor.Exchanges() {
			if x.ID == id {
				after = x.Ended
			}
		}
	}
	return stream{o.Console, ctx, matches, after}, nil
}

// stream is the answer to one listener.
type stream struct {
	*Console
	ctx     context.Context
	matches func(monitor.Exchange) bool
	after   int64 // the last ended exchange that the listener knows
}

func (s stream) VisitStreamEventsResponse(w http.ResponseWriter) error {
	if s.listeners.Add(1) > maxListeners {
		s.listeners.Add(-1)
		return refuse(http.StatusServiceUnavailable, "%d listeners already follow the events; close one first",
			maxListeners)
	}
	defer s.listeners.Add(-1)

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	out := eventWriter{w, http.NewResponseController(w)}
	seen := s.changesSoFar()
	err := out.send([]byte(": putpost\n\n"))
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for err == nil { // an error means that the listener has left, or does not read
		for event, count := range s.changesSoFar() {
			if count != seen[event] && err == nil {
				err = out.name(changeNames[event])
			}
			seen[event] = count
		}
		exchanges, more := s.monitor.After(s.after, batch)
		for _, x := range exchanges {
			if x.Ended > s.after+1 && err == nil {
				err = out.name("lost")
			}
			if s.after = x.Ended; s.matches(x) && err == nil {
				err = out.send(s.event(s.ctx, x))
			}
		}
		if len(exchanges) > 0 || s.changesSoFar() != seen {
			continue
		}
		select {
		case <-more:
		case <-ticker.C:
			err = out.send([]byte(": \n\n"))
		case <-s.ctx.Done():
			return nil
		case <-s.closed:
			return nil
		}
	}
	return nil
}

// events holds the last events as they are sent. An event of a form with a
// thousand files has 300 KB, and all listeners share it.
type events struct {
	mu   sync.Mutex
	last [2 * batch]struct {
		ended int64
		base  string // where the listener reaches this server
		text  []byte
	}
}

// event returns the event of an exchange that is over.
func (c *Console) event(ctx context.Context, x monitor.Exchange) []byte {
	c.events.mu.Lock()
	defer c.events.mu.Unlock()
	kept := &c.events.last[x.Ended%int64(len(c.events.last))]
	if base := baseOf(ctx); kept.ended != x.Ended || kept.base != base {
		text, _ := json.Marshal(c.show(ctx, x)) // it can always be encoded
		kept.ended, kept.base = x.Ended, base
		kept.text = fmt.Appendf(nil, "id: %d\ndata: %s\n\n", x.ID, text)
	}
	return kept.text
}

// eventWriter sends events, each within patience.
type eventWriter struct {
	w       io.Writer
	control *http.ResponseController
}

func (e eventWriter) name(event string) error {
	return e.send([]byte("event: " + event + "\ndata: {}\n\n"))
}

func (e eventWriter) send(text []byte) error {
	_ = e.control.SetWriteDeadline(time.Now().Add(patience)) // a writer without deadlines is no connection
	if _, err := e.w.Write(text); err != nil {
		return err
	}
	return e.control.Flush()
}

// change is an event that is no exchange.
type change int

const (
	wasReset change = iota
	faultsChanged
)

// changeNames are the names of the events.
var changeNames = [...]string{wasReset: "reset", faultsChanged: "faults"}

// changes counts the changes of each kind. Nothing is queued: a slow listener
// learns only that something has changed.
type changes [len(changeNames)]atomic.Int64

func (c *Console) note(what change) {
	c.changes[what].Add(1)
	c.monitor.Wake()
}

func (c *Console) changesSoFar() (counts [len(changeNames)]int64) {
	for what := range counts {
		counts[what] = c.changes[what].Load()
	}
	return counts
}
