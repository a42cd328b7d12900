package uploadtest

import (
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/tally"
)

// bite is one fault around a provider that is right otherwise. The kit has to
// name the fault.
type bite struct {
	fault string
	rig   rig
	check func(*trial)
	want  string // in the one line; empty: there must be none
}

// linesOf returns what one check says of a rig.
func linesOf(t *testing.T, check func(*trial), r rig, last ...string) []string {
	return lab.Recorded(t, func(tb testing.TB) { property{check: check}.hold(begin(tb, r.setup)) }, last...)
}

// all holds several properties, each on a subject of its own.
func all(checks ...func(*trial)) func(*trial) {
	return func(t *trial) {
		for _, check := range checks {
			t.fresh(check)
		}
	}
}

func TestTheKitNamesEachFault(t *testing.T) {
	t.Parallel()
	// These go on with up to 16 MiB, which is for nothing once the fault is named.
	at := func(check func(*trial)) uintptr { return reflect.ValueOf(check).Pointer() }
	heavy := []uintptr{at(bytesArrive), at(repeatsAreWhole)}
	for _, b := range slices.Concat(brokenUploads, brokenErrors, brokenRepeats, brokenAnswers, brokenRequests,
		brokenHandlers, rightClients) {
		t.Run(b.fault, func(t *testing.T) {
			t.Parallel()
			last := ""
			if slices.Contains(heavy, at(b.check)) {
				last = b.want
			}
			lab.Matched(t, linesOf(t, b.check, b.rig, last), b.want)
		})
	}
}

// looking sends bytes again only if the server does not have them.
var looking = faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	resp, err := next.RoundTrip(r)
	if id, ok := strings.CutPrefix(r.URL.Path, "/store/"); ok && err != nil && r.Context().Err() == nil {
		look, _ := http.NewRequestWithContext(r.Context(), "GET", "http://"+r.URL.Host+"/v2/objects/"+id, nil)
		look.Header.Set("X-Depot-Key", lab.DepotKey)
		if said, failed := next.RoundTrip(look); failed == nil {
			var o depotAnswer
			_ = json.NewDecoder(said.Body).Decode(&o)
			if said.Body.Close(); o.Size == r.ContentLength {
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			}
		}
	}
	return resp, err
})

// A fault has lines that are true of it, and no others.
func TestNoLineIsUntrue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault string
		rig   rig
		check func(*trial)
		never string
	}{
		{"a reader that stays open is no upload that waits", rig{raw: true, stored: func(s *Subject) {
			s.Patient = leavesOpen(s.Patient)
		}}, waitEnds, "upload: "},
		{"who does not wait has no wait to end", rig{raw: true, stored: func(s *Subject) {
			s.Patient = misstated(func(e *upload.Error) {
				time.Sleep(100 * time.Millisecond) // it returns once its context has ended
				e.Err = upload.ErrInvalid
			})(stingy(429)(s.Patient))
		}}, waitEnds, ""},
		{"the Server tells of a key in a query", rig{form: true,
			sent: faulty.RequestTo("/forms", func(r *http.Request) {
				key := strings.Repeat(lab.DepotKey, 2)
				r.Header.Set("X-Depot-Key", key)
				r.URL.RawQuery = "key=" + url.QueryEscape(key)
			}), received: faulty.Arrival("/forms", faulty.Header("X-Depot-Key", lab.DepotKey))},
			urlsTellNothing, "a secret stands in the URL"},
		{"the Server tells of a header that is not sent again", rig{
			received: faulty.Reply("/objects", faulty.Said(`"id":`, `"header":{"X-Class":"cold"},"id":`)),
			sent: func(next http.RoundTripper) http.RoundTripper {
				class := "cold"
				return faulty.RequestTo("/store", func(r *http.Request) {
					faulty.Header("X-Class", class)(r)
					class = ""
				})(next)
			}}, faultsPass, "repeat: "},
		{"who does not send again has no second attempt", rig{raw: true, client: stingy(429)}, cancelInAnswer, ""},
		{"a success is no upload that failed",
			rig{client: cutsOff}, sizeIsPinned, "stored: "},
		{"an upload that fails need store nothing", rig{client: oneFails}, uploadsAtOnce, "count: "},
		{"an upload that panics need store nothing", rig{client: panics}, uploadsAtOnce, "count: "},
		{"a header that cannot be parsed hides what the part is", rig{form: true,
			sent: faulty.RequestTo("/forms", faulty.Replace(`\"quoted\"`, `"quoted"`))}, namesArrive, "wire: "},
		{"who does not wait is told so once", rig{raw: true, stored: func(s *Subject) { s.Patient = s.Uploader }},
			waitsAsAsked, "asks for a second"},
		{"a body that was torn is sent once more", rig{client: trusting,
			sent: func(next http.RoundTripper) http.RoundTripper {
				half := 100 << 10
				return faulty.RequestTo("/store", faulty.Second(func(r *http.Request) {
					length := r.ContentLength
					faulty.Rewrite(r, func(b []byte) []byte { return b[:half] })
					if half > 0 {
						r.ContentLength, half = length, 0
					}
				}))(next)
			}}, faultsPass, "attempts: "},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			for _, line := range linesOf(t, c.check, c.rig) {
				if strings.Contains(line, c.never) {
					t.Error(line)
				}
			}
		})
	}
}

// Where there is no Server, a store tells of media types.
func TestAStoreAloneTellsOfMediaTypes(t *testing.T) {
	t.Parallel()
	alone := begin(t, rig{stored: func(s *Subject) { s.Server = nil }}.setup)
	if mediaTypesArrive(alone); !alone.seen.Has(aMediaType) {
		t.Error("no media type was seen")
	}
}

// Nobody knows why a client waits for longer than a Retry-After asks.
func TestOnlyAWaitThatWasAskedForCounts(t *testing.T) {
	t.Parallel()
	for what, r := range map[string]rig{
		"as asked": {raw: true}, "never": {raw: true, stored: func(s *Subject) { s.Patient = stingy(429)(s.Patient) }},
		"longer": {raw: true, sent: faulty.Status(429, "", func(resp *http.Response) {
			resp.Header.Set("Retry-After", "2")
		})},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			it := begin(t, r.setup)
			if waitsAsAsked(it); it.seen.Has(aWait) != (what == "as asked") {
				t.Errorf("a wait was seen: %t", it.seen.Has(aWait))
			}
		})
	}
}

// No other test runs meanwhile, since all write one log. The server of a test
// may log what it is sent.
func TestTheLogShowsNoSecret(t *testing.T) {
	const line = "secrets: a line of package log shows a credential or a presigned query"
	for what, c := range map[string]struct {
		rig   rig
		check func(*trial)
		want  []string
	}{
		"the server logs its key": {rig{
			received: faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				log.Printf("served %s with %s", r.URL, r.Header.Get("X-Depot-Key"))
				next.ServeHTTP(w, r)
			})}, secretsStay, nil},
		"the client logs its key": {rig{client: uploads(func(c call) (upload.Result, error) {
			log.Printf("%s with %s", c.src.Name, lab.DepotKey)
			return c.send()
		})}, secretsStay, []string{"an upload: " + line}},
		"the client logs its key after a 502": {rig{raw: true, client: misstated(func(e *upload.Error) {
			if e.Status == 502 {
				slog.Warn("refused", "key", lab.DepotKey)
			}
		})}, kindsHold, []string{"deposit answered 502 without JSON: " + line}},
	} {
		if lines := linesOf(t, c.check, c.rig); !slices.Equal(lines, c.want) {
			t.Errorf("%s: %q, want %q", what, lines, c.want)
		}
	}
}

// Package log writes where it wrote before, once nobody listens to it any more.
func TestTheLogIsGivenBack(t *testing.T) {
	before := log.Writer()
	first, second := listen(), listen()
	first()
	if log.Print("heard"); strings.Count(second(), "heard") != 1 {
		t.Error("the second does not hear once what is said after the first has ended")
	}
	if log.Writer() != before {
		t.Error("the log stays with those who listened")
	}
	another := new(strings.Builder)
	last := listen()
	log.SetOutput(another)
	if last(); log.Writer() != io.Writer(another) {
		t.Error("a writer that was set meanwhile is gone")
	}
	log.SetOutput(before)
}

// An answer may be an id and nothing else, or a list of ids.
func TestAnIDIsFoundWhereverItStands(t *testing.T) {
	for _, c := range []struct {
		r    Request
		id   string
		want bool
	}{
		{Request{URI: "/x?id=a+b"}, "a b", true}, {Request{URI: "/a%20b"}, "a b", true},
		{Request{URI: "/a"}, "", false},
		{Request{URI: "/x", Body: []byte(`{"id":"a b"}`)}, "a b", true}, {Request{URI: "/x"}, "a b", false},
	} {
		if got := c.r.names(c.id); got != c.want {
			t.Errorf("%s with %s names %q: %t", c.r.URI, c.r.Body, c.id, got)
		}
	}
	for answer, want := range map[string]string{
		`"7"`: `null`, `[ 7, 8 ]`: `[ null, 8 ]`,
		`{"a": {"id" : "7", "n": 7}, "m": "70"}`: `{"a": {"id" : null, "n": null}, "m": "70"}`,
		`{"id":"8"}`:                             `{"id":"8"}`,
	} {
		if got := idsOf([]byte(answer), "7")(answer, "null"); got != want {
			t.Errorf("%s becomes %s, want %s", answer, got, want)
		}
	}
}

// A rule that breaks in every property is told in full once.
func TestARunTellsARuleOnce(t *testing.T) {
	t.Parallel()
	for again, r := range map[string]rig{
		"presigned: presigned credentials": {
			sent: faulty.RequestTo("/store", faulty.Header("X-Depot-Key", lab.DepotKey))},
		"readers: ... of ... that were opened are not closed ... after Upload returned": {raw: true,
			client: leavesOpen},
	} {
		t.Run(again, func(t *testing.T) {
			t.Parallel()
			lines := lab.Recorded(t, func(tb testing.TB) { Run(tb, r.setup) })
			told := slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
				return !strings.Contains(tally.Rule(line), again)
			})
			if len(told) != 2 || !strings.HasPrefix(told[1], again+": so in ") {
				t.Errorf("it is told %d times:\n%s", len(told), strings.Join(lines, "\n"))
			}
		})
	}
}

// A fault that shows in several ways is told once in each case.
func TestAFaultIsToldOnceInACase(t *testing.T) {
	t.Parallel()
	for _, b := range []bite{
		{"secrets", rig{form: true, client: deaf}, secretsStay, ""},
		{"repeats", rig{raw: true, client: plain, sent: faulty.RequestTo("/raw", faulty.Second(flipped))},
			faultsPass, ""},
		{"a panic", rig{client: panics}, uploadsAtOnce, ""},
	} {
		told := map[string]bool{}
		for _, line := range linesOf(t, b.check, b.rig) {
			of, _, _ := strings.Cut(line, ": ")
			if told[of] {
				t.Error("again:", line)
			}
			told[of] = true
		}
		if len(told) == 0 {
			t.Errorf("%s: nothing is told", b.fault)
		}
	}
}

// A client that tells no name shows one only where its request does.
func TestANameIsSeenInARequest(t *testing.T) {
	for _, form := range []bool{true, false} {
		it := begin(t, rig{form: form, client: plain}.setup)
		if namesArrive(it); it.seen.Has(aName) != form {
			t.Errorf("by form %t, a name was seen: %t", form, it.seen.Has(aName))
		}
	}
}
