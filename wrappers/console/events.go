package console

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/internal/monitor"
)

const (
	maxListeners = 1024
	// queue is how many exchanges wait for a listener. One that falls further
	// behind gets them from those that are kept.
	queue = 16
	// patience is how long a listener may take nothing of an event.
	patience = 10 * time.Second
	// heartbeat is how often a line is sent when nothing happens, so that proxies
	// keep the connection and a listener who is gone is noticed.
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
	var last int64
	if text := value(p.LastEventID); text != "" {
		if last, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, refuse(http.StatusBadRequest, "Last-Event-ID is %.40q, and no id of an exchange", text)
		}
	}
	return stream{o.Console, ctx, matches, last}, nil
}

// stream is the answer to one listener.
type stream struct {
	*Console
	ctx     context.Context
	matches func(monitor.Exchange) bool
	last    int64 // the exchange that the listener got last; zero: it is new
}

func (s stream) VisitStreamEventsResponse(w http.ResponseWriter) error {
	if s.listeners.Add(1) > maxListeners {
		s.listeners.Add(-1)
		return refuse(http.StatusServiceUnavailable, "%d listeners follow the events already", maxListeners)
	}
	defer s.listeners.Add(-1)
	listener := s.monitor.Listen(queue)
	defer listener.Close()

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	out := eventWriter{w, http.NewResponseController(w)}
	if out.send(": putpost\n\n") != nil {
		return nil
	}
	again := map[int64]bool{} // exchanges that may come a second time
	if s.last > 0 {
		for _, x := range s.monitor.Exchanges() {
			if x.Over && x.ID > s.last && s.matches(x) {
				again[x.ID] = true
				if s.exchange(out, x) != nil {
					return nil
				}
			}
		}
	}
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	seen, lost, ended := s.changes.state(), int64(0), listener.From
	for {
		changed := s.changes.wait()
		for event, count := range s.changes.state() {
			if count != seen[event] && out.send("event: "+changeNames[event]+"\ndata: {}\n\n") != nil {
				return nil
			}
			seen[event] = count
		}
		var err error
		select {
		case x := <-listener.C:
			missed := []monitor.Exchange{x}
			if now := listener.Lost(); now > lost {
				lost, missed = now, s.monitor.Exchanges()
			}
			ended, err = s.catchUp(out, missed, ended, again)
		case <-changed:
		case <-ticker.C:
			err = out.send(": \n\n")
		case <-s.ctx.Done():
			return nil
		case <-s.closed:
			return nil
		}
		if err != nil {
			return nil // the listener is gone, or does not read
		}
	}
}

// catchUp sends those of the exchanges that ended after a listener's last one,
// but not again. It returns the last one, and tells the listener if there were
// others in between.
func (s stream) catchUp(
	out eventWriter, all []monitor.Exchange, last int64, again map[int64]bool,
) (int64, error) {
	all = slices.DeleteFunc(all, func(x monitor.Exchange) bool { return x.Ended <= last })
	slices.SortFunc(all, func(a, b monitor.Exchange) int { return cmp.Compare(a.Ended, b.Ended) })
	for _, x := range all {
		if s.matches(x) && !again[x.ID] {
			if err := s.exchange(out, x); err != nil {
				return last, err
			}
		}
		last++
	}
	if len(all) > 0 && all[len(all)-1].Ended > last {
		return all[len(all)-1].Ended, out.send("event: lost\ndata: {}\n\n")
	}
	return last, nil
}

func (s stream) exchange(out eventWriter, x monitor.Exchange) error {
	text, err := json.Marshal(s.show(s.ctx, x))
	if err != nil {
		return err
	}
	return out.send(fmt.Sprintf("id: %d\ndata: %s\n\n", x.ID, text))
}

// eventWriter sends events, each within its time.
type eventWriter struct {
	w       io.Writer
	control *http.ResponseController
}

func (e eventWriter) send(text string) error {
	_ = e.control.SetWriteDeadline(time.Now().Add(patience)) // where the writer cannot, it is no connection
	if _, err := io.WriteString(e.w, text); err != nil {
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

// changes counts the changes of each kind and wakes the listeners. Nothing is
// queued: a slow listener sees that something has changed.
type changes struct {
	mu     sync.Mutex
	counts [len(changeNames)]int
	woken  chan struct{}
}

func (c *changes) note(what change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what]++
	if c.woken != nil {
		close(c.woken)
		c.woken = nil
	}
}

func (c *changes) state() [len(changeNames)]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

// wait returns a channel that is closed at the next change.
func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.woken == nil {
		c.woken = make(chan struct{})
	}
	return c.woken
}
