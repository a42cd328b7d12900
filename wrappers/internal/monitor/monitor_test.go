package monitor_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/internal/monitor"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/internal/standintest"
)

var must = standintest.Must

// watched serves h as the provider depot.
func watched(t *testing.T, cfg monitor.Config, h http.HandlerFunc) (*monitor.Monitor, string) {
	t.Helper()
	spec, err := os.ReadFile("../../uploadtest/internal/lab/depot.yaml")
	must(t, err)
	c, err := contract.Parse(spec)
	must(t, err)
	m := monitor.New(cfg)
	ts := httptest.NewServer(m.Handler("depot", c, h))
	t.Cleanup(ts.Close)
	return m, ts.URL
}

func ask(t *testing.T, url string) (status int) {
	t.Helper()
	resp, err := http.Get(url)
	must(t, err)
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestAnExchangeSaysWhatAViewerNeeds(t *testing.T) {
	m, url := watched(t, monitor.Config{}, func(w http.ResponseWriter, r *http.Request) {
		slog.New(monitor.Refusals(slog.DiscardHandler)).WarnContext(r.Context(), "refused", "at", "look",
			"reason", errors.New("no such object"))
		w.Header().Set("X-Depot-Trace", "t-1")
		http.Error(w, "none", http.StatusNotFound)
		_, _ = io.WriteString(w, "!")
	})
	_, ended := m.After(0, 1)
	ask(t, url+"/v2/objects/o-1?key=hush")
	<-ended
	xs, _ := m.After(0, 1)
	x := xs[0]
	got := fmt.Sprintln(x.ID, x.Provider, x.Op, x.Method, x.Path, x.Status, x.Sent, x.TraceID, x.Refusal, x.Over,
		len(x.Violations))
	if want := "1 depot look GET /v2/objects/o-1 404 6 t-1 no such object true 2\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if strings.Contains(fmt.Sprintf("%+v", m.Exchanges()), "hush") || x.Header != nil || x.AnswerHeader != nil {
		t.Error("the query or a header is remembered")
	}
}

func TestAFaultHoldsUntilItIsRemoved(t *testing.T) {
	m, url := watched(t, monitor.Config{}, func(w http.ResponseWriter,
		r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
	})
	it := m.Inject(monitor.Injection{Provider: "depot", Op: "look", Times: -1, Kind: "answer",
		Fault: monitor.Answer(503, "")})
	for range 2 {
		if got := ask(t, url+"/v2/objects/o-1"); got != 503 {
			t.Errorf("status %d, want the fault's", got)
		}
	}
	if met := m.Injections()[0].Met; met != 2 || m.Exchanges()[0].Fault != "answer" {
		t.Errorf("the fault was met %d times, and recorded as %q", met, m.Exchanges()[0].Fault)
	}
	if it.ID != 1 || !m.Remove(it.ID) || m.Remove(it.ID) || ask(t, url+"/v2/objects/o-1") != 404 {
		t.Error("the fault is still there")
	}
}

func TestExchangesComeInTheOrderInWhichTheyEnd(t *testing.T) {
	second := make(chan struct{})
	m, url := watched(t, monitor.Config{Count: 5}, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "slow") {
			<-second
		}
		w.WriteHeader(http.StatusNotFound)
	})
	_, ended := m.After(0, 10)
	slow := make(chan int)
	go func() { slow <- ask(t, url+"/v2/objects/slow") }()
	for len(m.Exchanges()) == 0 {
		runtime.Gosched()
	}
	ask(t, url+"/v2/objects/o-1")
	<-ended
	_, ended = m.After(1, 10)
	close(second)
	<-slow
	<-ended
	after := func(n int64, most int) (ids []int64) {
		xs, _ := m.After(n, most)
		for _, x := range xs {
			ids = append(ids, x.ID)
		}
		return ids
	}
	for _, tc := range []struct {
		n    int64
		most int
		want []int64
	}{{0, 10, []int64{2, 1}}, {0, 1, []int64{2}}, {1, 10, []int64{1}}, {2, 10, nil}} {
		if got := after(tc.n, tc.most); !slices.Equal(got, tc.want) {
			t.Errorf("after %d, at most %d: %d, want %d", tc.n, tc.most, got, tc.want)
		}
	}
	for range 10 {
		ask(t, url+"/v2/objects/o-1")
	}
	m.Quiet(10e9)
	if xs, _ := m.After(2, 10); len(xs) != 5 || xs[0].Ended != 8 || m.Ended() != 12 {
		t.Errorf("of ten more: %d, and %d ended", len(xs), m.Ended())
	}
}

func TestResetForgetsAllButTheRunningNumber(t *testing.T) {
	m, url := watched(t, monitor.Config{}, func(w http.ResponseWriter,
		r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
	})
	ask(t, url+"/v2/objects/o-1")
	m.Inject(monitor.Injection{Times: -1, Fault: monitor.ResetBefore})
	m.Reset()
	ask(t, url+"/v2/objects/o-1")
	if xs := m.Exchanges(); len(xs) != 1 || xs[0].ID != 2 || len(m.Injections()) != 0 {
		t.Errorf("%d exchanges and %d faults are left", len(xs), len(m.Injections()))
	}
}

// The answer is sent before the body has come, and the body breaks a rule.
func TestTheVerdictIsTheSameHoweverMuchOfTheBodyHadCome(t *testing.T) {
	const form = "--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n" + "x\r\n--b--\r\n"
	refuse := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, int64(len(r.Header.Get("Read"))))
		standinhttp.Refuse(w, r, standinhttp.Answer{Status: http.StatusServiceUnavailable}, errors.New("busy"))
	}
	for _, read := range []int{0, 1, len(form) - 1, len(form)} {
		m, url := watched(t, monitor.Config{}, standinhttp.Handler{Next: http.HandlerFunc(refuse)}.ServeHTTP)
		_, ended := m.After(0, 1)
		conn := standintest.Dial(t, url, fmt.Sprintf("POST /v2/forms HTTP/1.1\nHost: x\nRead: %s\nContent-Length: %d\n"+
			"Content-Type: multipart/form-data; boundary=b\n\n%s", strings.Repeat("x", read), len(form), form[:read]))
		standintest.Receive(t, conn)
		fmt.Fprint(conn, form[read:])
		<-ended
		xs, _ := m.After(0, 1)
		var rules []string
		for _, v := range xs[0].Violations {
			rules = append(rules, v.Rule)
		}
		slices.Sort(rules)
		if got := fmt.Sprint(rules, xs[0].Received); got != fmt.Sprintf("[%s %s %s] %d",
			contract.RuleCredentials, contract.RuleForm, contract.RuleStatus, len(form)) {
			t.Errorf("after %d bytes: %s", read, got)
		}
	}
}

func TestAnInjectedAnswerIsHeardByWhoSendsAllFirst(t *testing.T) {
	m, url := watched(t, monitor.Config{}, nil)
	m.Inject(monitor.Injection{Times: -1,
		Fault: monitor.Answer(http.StatusServiceUnavailable, "busy", "Retry-After", "1", "X-Busy", "very", "X-Odd")})
	const size = 8 << 20
	for range 10 {
		conn := standintest.Dial(t, url, fmt.Sprintf("POST /v2/forms HTTP/1.1\nHost: x\nContent-Length: %d\n\n", size))
		if _, err := conn.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		got := standintest.Receive(t, conn).Is(http.StatusServiceUnavailable)
		if got.Text != "busy" || got.Header.Get("Retry-After") != "1" || got.Header.Get("X-Busy") != "very" {
			t.Errorf("got %q, %v", got.Text, got.Header)
		}
	}
}

func TestAFaultMeetsTheRequestsThatItIsFor(t *testing.T) {
	m, url := watched(t, monitor.Config{}, http.NotFound)
	for _, f := range []monitor.Injection{
		{Provider: "depot", Op: "look", Times: 2, Fault: monitor.Answer(501, "")},
		{Provider: "depot", Times: 1, Fault: monitor.Answer(502, "")},
		{Op: "look", Times: 1, Fault: monitor.Answer(503, "")},
	} {
		m.Inject(f)
	}
	var got []int
	for _, path := range []string{"look/1", "objects/1", "objects/1", "objects/1", "look/1", "objects/1"} {
		got = append(got, ask(t, url+"/v2/"+path))
	}
	if want := []int{502, 501, 501, 503, 404, 404}; !slices.Equal(got, want) {
		t.Errorf("got %d, want %d", got, want)
	}
}

// A client goes where a fault sends it, so these URLs count as handed out.
func TestAFaultMayHandOutURLs(t *testing.T) {
	m, url := watched(t, monitor.Config{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Request-Id", "amz")
		w.WriteHeader(http.StatusNotFound)
	})
	send := func(method, path string, faults ...monitor.Fault) monitor.Exchange {
		t.Helper()
		for _, f := range faults {
			m.Inject(monitor.Injection{Times: 1, Fault: f})
		}
		r, _ := http.NewRequest(method, url+path, strings.NewReader("{}"))
		resp, err := http.DefaultTransport.RoundTrip(r)
		must(t, err)
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		m.Quiet(10e9)
		xs := m.Exchanges()
		return xs[len(xs)-1]
	}
	handOut := func(status, n int) monitor.Fault {
		return monitor.Answer(status, fmt.Sprintf(`{"uploadUrl":"%s/put/%d"}`, url, n), "Content-Type",
			"application/json")
	}
	send("POST", "/v2/objects", handOut(200, 1))
	send("POST", "/v2/objects", handOut(503, 2))
	send("POST", "/v2/elsewhere", handOut(200, 3))
	send("PUT", "/put/1", monitor.Answer(307, "", "Location", url+"/put/4"))
	for path, want := range map[string]string{"/put/1": "presigned amz", "/put/2": " ", "/put/3": " ",
		"/put/4": "presigned amz", "/v2/raw": "deposit "} {
		method := "PUT"
		if path == "/v2/raw" {
			method = "POST"
		}
		if x := send(method, path); x.Op+" "+x.TraceID != want {
			t.Errorf("%s is %q with trace id %q, want %q", path, x.Op, x.TraceID, want)
		}
	}
}

// Net/http reads what a handler leaves of a body, within bounds. So does the
// contract's check.
func TestWhatAHandlerLeavesIsReadAsFarAsNetHTTPReadsIt(t *testing.T) {
	m, url := watched(t, monitor.Config{Watch: contract.Watch{Head: 2}}, http.NotFound)
	for _, c := range []struct {
		size   int
		expect string
		want   int64
	}{{256 << 10, "", 256 << 10}, {256<<10 + 1, "", 0}, {5, "Expect: 100-continue\n", 0}} {
		conn := standintest.Dial(t, url,
			fmt.Sprintf("POST /v2/forms HTTP/1.1\nHost: x\n%sContent-Length: %d\n\n", c.expect, c.size))
		if c.expect == "" {
			_, _ = conn.Write(make([]byte, c.size))
		}
		standintest.Receive(t, conn).Is(http.StatusNotFound) // 100 Continue would ask for a body that nobody reads
		conn.Close()
		m.Quiet(10e9)
		xs := m.Exchanges()
		if x := xs[len(xs)-1]; x.Received != c.want || int64(len(x.Body)) != c.want {
			t.Errorf("%d bytes, %q: %d were read, want %d", c.size, c.expect, x.Received, c.want)
		}
	}
}
