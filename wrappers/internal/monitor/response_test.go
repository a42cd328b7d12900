package monitor_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/internal/monitor"
)

// Each handler answers "look". Its request lacks a key: that is one violation.
func TestAWatchedAnswerArrivesAsItWasGiven(t *testing.T) {
	const object = `{"id":"o-1","name":"n","size":1}`
	write := func(w http.ResponseWriter, texts ...string) {
		for _, text := range texts {
			_, _ = io.WriteString(w, text)
		}
	}
	flush := func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }
	half := strings.Repeat("x", contract.Keep/2)
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		want   string // media type, bytes, violations
	}{
		{"a text", func(w http.ResponseWriter) { write(w, "x") }, "text/plain; charset=utf-8 1 2"},
		{"nothing", func(w http.ResponseWriter) { w.WriteHeader(404) }, " 0 1"},
		{"early hints", func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(404) }, " 0 1"},
		{"a read deadline", func(w http.ResponseWriter) {
			if http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Hour)) == nil {
				w.WriteHeader(404)
			}
		}, " 0 1"},
		{"a type of its own", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			write(w, object)
		}, "application/json 32 1"},
		{"no type at all", func(w http.ResponseWriter) {
			w.Header()["Content-Type"] = nil
			write(w, object)
		}, " 32 2"},
		{"flushed before a type is known", func(w http.ResponseWriter) {
			flush(w)
			write(w, object)
		}, " 32 2"},
		{"a type of its own, flushed", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			flush(w)
			write(w, object)
		}, "application/json 32 1"},
		{"flushed with a text", func(w http.ResponseWriter) {
			write(w, "x")
			flush(w)
		}, "text/plain; charset=utf-8 1 2"},
		{"flushed in the middle", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "32")
			write(w, object[:9])
			flush(w)
			write(w, object[9:])
			flush(w)
			flush(w)
		}, "application/json 32 1"},
		{"as long as is checked", func(w http.ResponseWriter) {
			w.WriteHeader(404)
			write(w, half, half)
		}, "text/plain; charset=utf-8 1048576 2"},
		{"longer than is checked", func(w http.ResponseWriter) {
			w.WriteHeader(404)
			write(w, half, half, "x", "x")
		}, "text/plain; charset=utf-8 1048578 1"},
	} {
		m, url := watched(t, monitor.Config{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Depot-Left", "1")
			c.answer(w)
		})
		resp, err := http.Get(url + "/v2/objects/o-1")
		must(t, err)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		m.Quiet(10e9)
		x := m.Exchanges()[0]
		got := fmt.Sprint(resp.Header.Get("Content-Type"), " ", len(body), " ", len(x.Violations))
		if err != nil || got != c.want || x.Sent != int64(len(body)) {
			t.Errorf("%s: %s, %v, %d recorded; want %s: %v", c.name, got, err, x.Sent, c.want, x.Violations)
		}
	}
}

// A handler may answer and then read on.
func TestAWholeAnswerThatIsFlushedArrivesBeforeTheHandlerReturns(t *testing.T) {
	arrived := make(chan struct{})
	m, url := watched(t, monitor.Config{Watch: contract.Watch{Head: 2}}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "4")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "none")
		_ = http.NewResponseController(w).Flush()
		<-arrived
	})
	resp, err := http.Post(url+"/v2/objects?a=1", "application/json", strings.NewReader("{}  "))
	must(t, err)
	defer resp.Body.Close()
	x := m.Exchanges()[0]
	got := fmt.Sprint(x.URI, " ", string(x.Answer), x.Header["Content-Type"], x.AnswerHeader["Content-Length"])
	if got != "/v2/objects?a=1 none[application/json] [4]" || x.Over || x.Status != 404 {
		t.Errorf("got %s of %+v", got, x)
	}
	if m.Quiet(0) {
		t.Error("it is quiet while a handler is still at work")
	}
	m.Reset()
	if len(m.Exchanges()) != 0 {
		t.Error("an exchange that is answered is not forgotten")
	}
	close(arrived)
	if !m.Quiet(10e9) {
		t.Error("it is not quiet after the handler")
	}
}
