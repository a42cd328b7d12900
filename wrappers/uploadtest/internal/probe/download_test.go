package probe

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

func TestADownloadIsTheFileThatWasSent(t *testing.T) {
	const here, there, signed = "http://a.example/d", "http://b.example/d", "http://a.example/d?sig=0123456789"
	tomorrow := fmt.Sprint(here, "?sig=0123456789&e=", time.Now().Add(time.Hour).Unix())
	other := sentFile{contentType: "text/plain", content: []byte("another")}
	file := []sentFile{{contentType: "text/plain", content: []byte("a file")}}
	for _, c := range []struct {
		what, member, url string
		files             []sentFile
		waiting           bool
		status            int // 0: 200 to this URL, and 403 to any other
		body              string
		asked             string // the first URL, and whether it gets credentials
		told              string // empty: nothing is wrong
	}{
		{"what its name says", "downloadUrl", here, file, false, 200, "a file", here + " true",
			"200 to its downloadUrl, with another key"},
		{"another file", "downloadUrl", signed, file, false, 0, "A file", signed + " false", "comes back changed"},
		{"a signed URL", "downloadUrl", signed, file, false, 0, "a file", signed + " false", ""},
		{"a signed URL that needs credentials", "downloadUrl", signed, file, false, 200, "a file",
			signed + " false", ""},
		{"another host that needs credentials", "downloadUrl", there, file, false, 200, "a file", there + " false",
			"downloadUrl cannot be fetched: 401"},
		{"a signature that is not checked", "downloadUrl", signed, file, false, 200, "a file", signed + " false",
			"200 to its downloadUrl, with an empty sig, with another key, with another sig, with half of the " +
				"sig, without " +
				"its query, without the sig: each must be refused by a 4xx"},
		{"another host", "download", there + "?sig=0123456789", file, false, 0, "a file",
			there + "?sig=0123456789 false", ""},
		{"a page", "page", here, file, false, 200, "for people", here + " true", ""},
		{"a page that gave two files", "page", here, file, false, 200, "half", here + " true", "comes back changed"},
		{"a page of another host", "page", there, file, false, 200, "for people", "", ""},
		{"a relative URL", "downloadUrl", "/d", file, false, 200, "a file", "", ""},
		{"another scheme", "downloadUrl", "ftp://a.example/d", file, false, 200, "a file", "", ""},
		{"no URL", "downloadUrl", "http://%", file, false, 200, "a file", "", ""},
		{"two files", "downloadUrl", signed, append(file, file...), false, 0, "a file", "", ""},
		{"the second of two files", "files downloadUrl", signed, []sentFile{other, file[0]}, false, 0, "a file",
			signed + " false", ""},
		{"the first in place of the second", "files downloadUrl", signed, []sentFile{file[0], other}, false, 0,
			"a file", signed + " false", "comes back changed: it is another file of the request"},
		{"the first of two files", "first downloadUrl", signed, []sentFile{file[0], other}, false, 0, "a file",
			signed + " false", ""},
		{"a page that is not there", "page", here, file, false, 404, "a file", here + " true", ""},
		{"a list of others", "files downloadUrl", signed, append(file, file[0], other), false, 0, "a file", "", ""},
		{"an element of a longer list", "files downloadUrl", signed, file, false, 0, "a file", "", ""},
		{"the first of a longer list", "first downloadUrl", signed, file, false, 0, "a file", "", ""},
		{"no file yet", "downloadUrl", signed, file, true, 0, "a file", "", ""},
		{"nothing", "downloadUrl", signed, file, false, 404, "", signed + " false",
			"downloadUrl cannot be fetched: 404"},
		{"an end", "downloadUrl", tomorrow, file, false, 0, "a file", tomorrow + " false", ""},
	} {
		asked, given := "", false
		var p *prober
		lines := lab.Recorded(t, func(tb testing.TB) {
			p = newProber(tb, "http://a.example/v1", []byte(foundSpec), Facts{Timeout: time.Minute})
			p.authorize = func(r *http.Request) { r.Header.Set("X-Depot-Key", lab.DepotKey) }
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				if asked == "" {
					asked = fmt.Sprint(r.URL, " ", r.Header.Get("X-Depot-Key") != "")
				}
				status := c.status
				if status == 0 {
					status = map[bool]int{true: 200, false: 403}[r.URL.String() == c.url && r.Method == http.MethodGet]
				}
				if strings.HasSuffix(c.what, "needs credentials") && r.Header.Get("X-Depot-Key") == "" {
					status = http.StatusUnauthorized
				}
				return came(r, status, "text/plain", c.body), nil
			})
			m := &made{by: p.ops[0], files: c.files, waiting: c.waiting, given: map[string]func(string) answer{}}
			if strings.HasSuffix(c.what, "gave two files") {
				p.right[m.by.name+" page download"] = map[string]bool{"one": true, "two": true}
			}
			a := answer{p: p, route: m.by, req: httptest.NewRequest("GET", "http://a.example/v1/things/t-1", nil)}
			said := fmt.Sprintf(`{%q:%q}`, c.member, c.url)
			if list, inList := strings.CutPrefix(c.member, "files "); inList {
				said = fmt.Sprintf(`{"files":[{},{%q:%q}]}`, list, c.url)
			}
			if first, isFirst := strings.CutPrefix(c.member, "first "); isFirst {
				said = fmt.Sprintf(`{"files":[{%q:%q},{}]}`, first, c.url)
			}
			p.downloads(m, a, leaves([]byte(said)))
			given = len(m.given) > 0
			if proved := p.right[m.by.name+" page download"]; len(proved) == 1 {
				t.Errorf("%s: it is the file", c.what)
			}
		})
		isKnown := strings.HasPrefix(c.url, here) || strings.Contains(c.url, "?sig=")
		if want := isKnown && c.body == "a file" && c.status != 404 && c.asked != "" &&
			!strings.HasPrefix(c.what, "the first in place"); given != want {
			t.Errorf("%s: it gives the file: %t", c.what, given)
		}
		if told := strings.Join(lines, "\n"); asked != c.asked || (told == "") != (c.told == "") ||
			!strings.Contains(told, c.told) {
			t.Errorf("%s: asked for %q, want %q, and told %q", c.what, asked, c.asked, told)
		}
		if (p.ending != "") != (c.what == "an end") {
			t.Errorf("%s: a URL that ends is %q", c.what, p.ending)
		}
	}
	var asked []string
	lab.Recorded(t, func(tb testing.TB) {
		p := newProber(tb, "http://a.example/v1", []byte(foundSpec), Facts{Timeout: time.Minute})
		p.right["look page2 download"] = map[string]bool{"a": true, "b": true}
		p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.Path)
			if (r.Method == http.MethodPut) != (r.ContentLength > 0) {
				t.Errorf("a %s has %d bytes", r.Method, r.ContentLength)
			}
			return came(r, map[bool]int{true: 404, false: 200}[r.URL.Path == "/gone"], "", "a file"), nil
		})
		m := &made{by: p.ops[0], files: file, given: map[string]func(string) answer{}}
		var all []leaf
		for _, name := range []string{"none", "page", "page2", "download/gone", "download/last"} {
			member, at, _ := strings.Cut(name, "/")
			all = append(all, leaf{path: member, name: member, at: -1, value: "http://a.example/" + cmp.Or(at, member)})
		}
		all[0].value = "text"
		p.downloads(m, answer{p: p, route: p.at("/things/{id}", http.MethodGet),
			req: httptest.NewRequest("GET", "http://a.example/v1/things/t-1", nil)}, all)
		for _, m.place = range []string{"/page2", "/page"} { // where the file was put
			before := len(asked)
			if m.given["page2"](http.MethodPut); len(asked) > before != (m.place == "/page") {
				t.Errorf("%s: a PUT to /page2 is sent: %t", m.place, len(asked) > before)
			}
		}
	})
	if got := strings.Join(asked, " "); !strings.HasPrefix(got, "/page /page2 /gone /last ") {
		t.Errorf("asked for %s", got)
	}
}

// Two tokens are tried for each other's files, and one token only if it signs.
func TestADownloadIsTriedUnderThePathOfAnother(t *testing.T) {
	const token, other = "token=0123456789", "token=9876543210"
	for _, c := range []struct {
		last, to string // without the host
		want     bool
	}{
		{"", "/b?" + token, false}, {"/a?" + other, "/b?" + token, true}, {"/a?" + token, "/b?" + token, false},
		{"/a?sig=0123456789", "/b?sig=0123456789", true}, {"/b?" + other, "/b?" + token, false},
		{"/a?x=1", "/b?x=2", false},
	} {
		p, ops := idProber(t)
		tried := false
		for _, at := range []string{c.last, c.to} {
			if to, err := url.Parse("http://a.example" + at); err != nil {
				t.Fatal(err)
			} else if at != "" {
				p.misuses(answer{p: p, route: ops["look"]}, leaf{path: "url"}, to, func(address string) answer {
					tried = tried || address == strings.Replace("http://a.example"+c.to, "/b", "/a", 1) && at == c.to
					return answer{}
				})
			}
		}
		if tried != c.want {
			t.Errorf("%s after %s: the other path is tried: %t", c.to, c.last, tried)
		}
	}
}
