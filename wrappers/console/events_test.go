package console_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/console"
	"github.com/putpost/putpost/wrappers/internal/monitor"
)

// event is one event of a stream.
type event struct{ name, id, data string }

// listen follows the events until the test ends.
func (s service) listen(query string, header ...string) <-chan event {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"/_putpost/events?"+query, nil)
	must(s.t, err)
	if len(header) > 0 {
		req.Header.Set(header[0], header[1])
	}
	resp, err := http.DefaultClient.Do(req)
	must(s.t, err)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("the events are answered with %s, %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	lines := bufio.NewReader(resp.Body)
	_, _ = lines.ReadString('\n') // it listens by now
	events := make(chan event, 100)
	go func() {
		defer resp.Body.Close()
		defer close(events)
		var e event
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch field {
			case "event":
				e.name = value
			case "id":
				e.id = value
			case "data":
				e.data = value
			case "":
				if e != (event{}) {
					events <- e
				}
				e = event{}
			}
		}
	}()
	return events
}

// next returns the next event. It waits less than the heartbeat, at which a
// listener would notice a change in any case.
func (s service) next(events <-chan event) event {
	s.t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(10 * time.Second):
		s.t.Fatal("no event comes")
		return event{}
	}
}

func TestExchangesComeAsEvents(t *testing.T) {
	s := serve(t, console.Config{})
	all, broken := s.listen(""), s.listen("broken=true")
	s.sent("a.txt", "a")
	e := <-all
	var x api.Exchange
	if err := json.Unmarshal([]byte(e.data), &x); err != nil || e.id != "1" || x.ID != "1" ||
		x.Operation != "createFile" || x.Status != 201 || x.Curl == "" {
		t.Errorf("got %+v (%v)", e, err)
	}
	s.announce("")
	if e := <-broken; e.id != "2" {
		t.Errorf("the first with a broken rule is %+v", e)
	}
	<-all
	s.inject(`{"provider":"ncloudmailer","operation":"createFile","kind":"delay","delayMs":1}`)
	if e := s.next(all); e.name != "faults" || e.data != "{}" {
		t.Errorf("a fault comes as %+v", e)
	}
	s.change(http.MethodPost, "reset", "{}", nil)
	if e := s.next(all); e.name != "reset" {
		t.Errorf("a reset comes as %+v", e)
	}
}

func TestAListenerThatFallsBehindGetsAllThatIsKept(t *testing.T) {
	s := serve(t, console.Config{})
	events := s.listen("")
	const callers, calls = 20, 20
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range calls {
				resp, err := http.Get(s.url + "/api/v1/files/nothing")
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			}
		})
	}
	ids := map[string]bool{}
	for range callers * calls {
		select {
		case e := <-events:
			if e.name != "" {
				t.Errorf("got the event %s", e.name)
			}
			ids[e.id] = true
		case <-time.After(10 * time.Second):
			t.Fatalf("%d exchanges of %d have come", len(ids), callers*calls)
		}
	}
	if all.Wait(); len(ids) != callers*calls {
		t.Errorf("%d exchanges of %d have come", len(ids), callers*calls)
	}
}

// record sends n files and waits until their exchanges are over. A sender may
// know the end before the console does.
func (s service) record(n int) {
	s.t.Helper()
	for range n {
		s.sent("a.txt", "a")
	}
	limit := time.Now().Add(10 * time.Second)
	for s.exchanges("")[0].DurationMs == 0 {
		if time.Now().After(limit) {
			s.t.Fatal("the last exchange does not end")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAListenerThatComesBackGetsWhatItMissed(t *testing.T) {
	s := serve(t, console.Config{})
	s.record(3)
	events := s.listen("", "Last-Event-ID", "1")
	s.sent("a.txt", "a")
	for want := 2; want <= 4; want++ {
		if e := <-events; e.id != fmt.Sprint(want) {
			t.Errorf("got %s, want %d", e.id, want)
		}
	}
}

func TestAListenerWhoseLastEventIsNoLongerKeptIsTold(t *testing.T) {
	s := serve(t, console.Config{Exchanges: 2})
	s.record(5)
	events := s.listen("", "Last-Event-ID", "1")
	for _, want := range []event{{name: "lost"}, {id: "4"}, {id: "5"}} {
		if e := <-events; e.name != want.name || e.id != want.id {
			t.Errorf("got %s %s, want %+v", e.name, e.id, want)
		}
	}
}

// A copy for each of a thousand listeners would take hundreds of megabytes.
func TestListenersShareWhatTheyAreSent(t *testing.T) {
	c := newConsole(t, console.Config{})
	x := monitor.Exchange{ID: 7, Ended: 3}
	first, second := console.Event(c, t.Context(), x), console.Event(c, t.Context(), x)
	if &first[0] != &second[0] || !strings.HasPrefix(string(first), "id: 7\n") {
		t.Errorf("each of two listeners has its own copy of %.20q", first)
	}
	x.ID, x.Ended = 8, 3+16
	if third := console.Event(c, t.Context(), x); !strings.HasPrefix(string(third), "id: 8\n") {
		t.Errorf("another exchange is sent as %.20q", third)
	}
}

func TestListenersThatNeverReadHoldNobodyUp(t *testing.T) {
	s := serve(t, console.Config{})
	before := runtime.NumGoroutine()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		must(t, err)
		io.WriteString(conn, "GET /_putpost/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		return conn
	}
	var conns []net.Conn
	for range console.MaxListeners {
		conn := dial()
		defer conn.Close()
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Fatalf("listener %d: %q, %v", len(conns), line, err)
		}
		conns = append(conns, conn)
	}
	surplus := dial()
	if line, _ := bufio.NewReader(surplus).ReadString('\n'); !strings.Contains(line, "503") {
		t.Errorf("one listener too many is answered with %q", line)
	}
	surplus.Close()
	for range 5 {
		s.sent("a.txt", "a")
	}
	for _, conn := range conns {
		conn.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	for end := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before+20; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines are left of %d", runtime.NumGoroutine(), before)
		}
	}
	s.listen("") // there is room again
}
