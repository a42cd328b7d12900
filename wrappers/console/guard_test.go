package console_test

import (
	"cmp"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/console"
)

func TestTheConsoleIsForThisMachineOnly(t *testing.T) {
	s := serve(t, console.Config{})
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:80": 200, "127.0.0.1": 200, "127.9.9.9:1": 200,
		"[::1]:8080": 200, "[::1]": 200, "app.localhost:3000": 200,
		"evil.example": 403, "evil.example:80": 403, "localhost.evil.example": 403,
		"127.0.0.1.evil.example": 403, "192.0.2.1": 403, "[::]": 403, "0.0.0.0": 403, "notlocalhost": 403,
	} {
		for _, path := range []string{"health", "exchanges", "", "console.js", "files/x/y/content"} {
			a := s.ask(http.MethodGet, path, "", "Host", host)
			if want == 403 && a.Status != want || want == 200 && a.Status == 403 {
				t.Errorf("Host %s: /%s is answered with %d %s", host, path, a.Status, a.Text)
			}
		}
	}
	for _, name := range []string{"X-Forwarded-For", "x-forwarded-host", "Forwarded", "Via"} {
		s.ask(http.MethodGet, "health", "", name, "192.0.2.1").Is(http.StatusForbidden, "PUTPOST_CONSOLE_TOKEN")
	}
}

func TestElsewhereTheConsoleAsksForItsToken(t *testing.T) {
	s := serve(t, console.Config{Token: "secret-of-the-console"})
	for name, tc := range map[string]struct {
		header []string
		want   int
	}{
		"nothing":                 {nil, 401},
		"a bearer token":          {[]string{"Authorization", "Bearer secret-of-the-console"}, 200},
		"a password":              {[]string{"Authorization", "Basic OnNlY3JldC1vZi10aGUtY29uc29sZQ=="}, 200},
		"a token of another name": {[]string{"Authorization", "Bearer secret-of-the-consol"}, 401},
		"a token with a tail":     {[]string{"Authorization", "Bearer secret-of-the-console2"}, 401},
		"an empty password":       {[]string{"Authorization", "Basic Og=="}, 401},
		"by proxy": {[]string{
			"Authorization", "Bearer secret-of-the-console", "X-Forwarded-For", "192.0.2.1",
		}, 200},
	} {
		a := s.ask(http.MethodGet, "exchanges", "", tc.header...)
		if a.Status != tc.want || strings.Contains(a.Text, "secret-of") {
			t.Errorf("%s: %d %s", name, a.Status, a.Text)
		}
		if asks := a.Header.Get("WWW-Authenticate") != ""; asks != (tc.want == 401) {
			t.Errorf("%s: a browser is asked for the token: %t", name, asks)
		}
	}
}

func TestUnderAForeignNameTheConsoleDoesNotEvenAskForItsToken(t *testing.T) {
	machine, err := os.Hostname()
	must(t, err)
	public := func(*http.Request) string { return "https://files.example" }
	proxy := func(r *http.Request) string { return "http://" + cmp.Or(r.Header.Get("X-Forwarded-Host"), r.Host) }
	for _, tc := range []struct {
		origin func(*http.Request) string
		hosts  []string
		want   int
	}{
		{nil, []string{"localhost:80", "127.0.0.1", "[::1]:8080", "192.0.2.1:8080", "[2001:db8::1]", "putpost:8080",
			"Printer.local", "putpost.default.svc.cluster.local.", machine}, 200},
		{nil, []string{"files.example", "evil.example:8080", "192.0.2.1.evil.example", "local.evil.example",
			"localhost.evil.example", "evil.example."}, 403},
		{public, []string{"files.example", "files.example.", "files.example.:443", "FILES.example:443",
			"127.0.0.1:8080", "putpost"}, 200},
		{public, []string{"evil.example", "files.example.evil.example"}, 403},
		{proxy, []string{"files.example", "backend.example:8080"}, 200},
	} {
		s := serve(t, console.Config{Token: "t", Origin: tc.origin})
		for _, host := range tc.hosts {
			for _, header := range [][]string{nil, {"Authorization", "Bearer t"}} {
				want := tc.want
				if want == 200 && header == nil {
					want = 401
				}
				if a := s.ask(http.MethodGet, "health", "", append(header, "Host", host)...); a.Status != want {
					t.Errorf("Host %s, %q: %d %s, want %d", host, header, a.Status, a.Text, want)
				}
			}
		}
	}
}

func TestWithoutATokenTheConsoleIsOffElsewhere(t *testing.T) {
	c := newConsole(t, console.Config{})
	w := newRecorder(c, http.MethodGet, "/_putpost/health")
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "PUTPOST_CONSOLE_TOKEN") {
		t.Errorf("got %d: %s", w.Code, w.Body)
	}
}

func TestOtherSitesChangeNothing(t *testing.T) {
	s := serve(t, console.Config{})
	s.sent("kept.txt", "kept")
	from := func(name, value string) []string { return []string{inJSON, "application/json", name, value} }
	for name, tc := range map[string]struct {
		header []string
		want   int
	}{
		"another site":                      {from("Origin", "http://evil.example"), 403},
		"another port":                      {from("Origin", "http://127.0.0.1:1"), 403},
		"a site without a name":             {from("Origin", "null"), 403},
		"another site, by the browser":      {from("Sec-Fetch-Site", "cross-site"), 403},
		"another subdomain, by the browser": {from("Sec-Fetch-Site", "same-site"), 403},
		"text":                              {[]string{inJSON, "text/plain"}, 415},
		"a form":                            {[]string{inJSON, "application/x-www-form-urlencoded"}, 415},
		"a form with files":                 {[]string{inJSON, "multipart/form-data; boundary=x"}, 415},
		"no type":                           {nil, 415},
		"something like JSON":               {[]string{inJSON, "application/json-seq"}, 415},
	} {
		for _, call := range []struct{ method, path, body string }{
			{http.MethodPost, "reset", "{}"},
			{http.MethodPost, "faults", `{"provider":"ncloudmailer","operation":"createFile","kind":"resetBefore"}`},
		} {
			if a := s.ask(call.method, call.path, call.body, tc.header...); a.Status != tc.want {
				t.Errorf("%s: %s: %d %s", name, a.Asked, a.Status, a.Text)
			}
		}
	}
	if len(s.files()) != 1 || len(s.exchanges("")) != 1 {
		t.Error("something was changed")
	}
	// The console's own page may.
	s.ask(http.MethodPost, "reset", "{}", inJSON, "application/json; charset=utf-8", "Origin", s.url,
		"Sec-Fetch-Site", "same-origin").Is(http.StatusNoContent)
}

func TestBehindAProxyThePageMayChangeThings(t *testing.T) {
	s := serve(t, console.Config{Token: "t",
		Origin: func(r *http.Request) string { return "http://" + r.Header.Get("X-Forwarded-Host") }})
	for name, tc := range map[string]struct {
		header []string
		want   int
	}{
		"its own page":                     {[]string{"Origin", "http://files.example"}, 204},
		"another site":                     {[]string{"Origin", "http://evil.example"}, 403},
		"another site, which says nothing": {[]string{"Origin", "null"}, 403},
		"another site, by the browser": {[]string{"Origin", "http://files.example", "Sec-Fetch-Site", "cross-site"},
			403},
	} {
		header := append(tc.header, inJSON, "application/json", "Authorization", "Bearer t", "X-Forwarded-Host",
			"files.example")
		if a := s.ask(http.MethodPost, "reset", "{}", header...); a.Status != tc.want {
			t.Errorf("%s: %d %s", name, a.Status, a.Text)
		}
	}
}

func TestNoAnswerMayBeReadOrFramedByOtherSites(t *testing.T) {
	s := serve(t, console.Config{})
	for _, path := range []string{"", "exchanges", "unknown", "console.js"} {
		header := s.ask(http.MethodGet, path, "", "Origin", "http://evil.example").Header
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": "", "X-Content-Type-Options": "nosniff",
			"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("/%s: %s is %q, want %q", path, name, got, want)
			}
		}
		policy := header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("/%s: the policy is %q", path, policy)
		}
	}
}

// Nobody can see a record of a console that is off, so it makes none.
func TestAConsoleThatIsOffStandsInNoRequestsWay(t *testing.T) {
	served := http.NewServeMux()
	for off, cfg := range map[bool][]console.Config{true: {{}}, false: {{Loopback: true}, {Token: "hush"}}} {
		for _, cfg := range cfg {
			c := newConsole(t, cfg)
			if got := c.WatchOthers(served) == http.Handler(served); got != off {
				t.Errorf("with Token %q and Loopback %t: unwatched %t, want %t", cfg.Token, cfg.Loopback, got, off)
			}
		}
	}
}
