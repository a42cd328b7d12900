package probe

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/putpost/putpost/specs"
	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// The stand-in of 24SevenOffice, with one fault.
func TestProbeNamesWhatGoesWrongBehindAURL(t *testing.T) {
	t.Parallel()
	spec, err := specs.FS.ReadFile("twentyfourseven.yaml")
	if err != nil {
		t.Fatal(err)
	}
	taken := faulty.On(http.StatusForbidden, func(rec *httptest.ResponseRecorder) { rec.Code = http.StatusOK })
	document := regexp.MustCompile(`"documentId":(\d+),?`)
	oneOfTwo := func(next http.Handler) http.Handler { // each second upload has the document of the one before it
		var mu sync.Mutex
		last, says := "", map[string]string{}
		return faulty.Reply("/fileUpload/", func(rec *httptest.ResponseRecorder) {
			mu.Lock()
			defer mu.Unlock()
			if id := document.FindStringSubmatch(rec.Body.String()); id != nil {
				if _, known := says[id[1]]; !known {
					says[id[1]] = id[1]
					if len(says)%2 == 0 {
						says[id[1]] = last
					}
					last = id[1]
				}
				faulty.Said(id[1], says[id[1]])(rec)
			}
		})(next)
	}
	written := func(method string) func(http.Handler) http.Handler { // any other method is taken for a GET
		return func(next http.Handler) http.Handler {
			var puts sync.Map
			return faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/download/") {
					if r.Method == method {
						puts.Store(r.URL.Path, string(faulty.Peek(r)))
					}
					if content, ok := puts.Load(r.URL.Path); ok {
						next = faulty.Reply("/", faulty.On(200, faulty.Body(content.(string))))(next)
					}
					r.Method = http.MethodGet
				}
				next.ServeHTTP(w, r)
			})(next)
		}
	}
	for what, c := range map[string]struct {
		spoil func(http.Handler) http.Handler
		want  string // empty: nothing is wrong
	}{
		"nothing": {faulty.Arrival("/none", nil), ""},
		"nothing: storage sends on": {faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if to, isFirst := strings.CutPrefix(r.URL.Path, "/upload/"); r.Method == http.MethodPut && isFirst {
				w.Header().Set("Location", "/there/"+to+"?"+r.URL.RawQuery)
				w.WriteHeader(http.StatusTemporaryRedirect)
				return
			}
			r.URL.Path = strings.Replace(r.URL.Path, "/there/", "/upload/", 1)
			next.ServeHTTP(w, r)
		}), ""},
		"no end": {faulty.Reply("/fileUpload/", faulty.Said("Completed", "Pending")),
			`getFileUploadStatus: response body: status is still "Pending", but the file can be had, `},
		"no end, and no file": {faulty.Reply("/fileUpload/", func(rec *httptest.ResponseRecorder) {
			rec.Body = bytes.NewBuffer(document.ReplaceAll(rec.Body.Bytes(), nil))
			faulty.Said("Completed", "Queued")(rec)
		}),
			`getDocument: not seen: no answer gave its documentId: status is still "Queued", `},
		"no end once it was asked for before the file": {func(next http.Handler) http.Handler {
			var told sync.Map
			return faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/v1/fileUpload/") {
					next = faulty.Reply("/", faulty.On(200, func(rec *httptest.ResponseRecorder) {
						first, _ := told.LoadOrStore(r.URL.Path, rec.Body.String())
						rec.Body = bytes.NewBufferString(first.(string))
					}))(next)
				}
				next.ServeHTTP(w, r)
			})(next)
		}, `getFileUploadStatus: response body: status is still "Pending", and a later upload has its documentId, `},
		"two have one documentId": {oneOfTwo,
			"getFileUploadStatus: response body: two uploads have the same documentId"},
		"an end that is told a moment later": {func(next http.Handler) http.Handler {
			var told sync.Map
			return faulty.Reply("/fileUpload/", func(rec *httptest.ResponseRecorder) {
				id, _, _ := strings.Cut(rec.Body.String(), "downloadUrl")
				if _, again := told.LoadOrStore(id, true); !again {
					faulty.Said("Completed", "Pending")(rec)
				}
			})(next)
		}, ""},
		"equal bytes have one type": {func(next http.Handler) http.Handler {
			var types sync.Map
			return faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				content := faulty.Peek(r)
				faulty.Respelled(faulty.On(200, func(rec *httptest.ResponseRecorder) {
					var doc map[string]any
					if r.Method == http.MethodPut {
						types.Store(string(content), r.Header.Get("Content-Type"))
					} else if json.Unmarshal(rec.Body.Bytes(), &doc) == nil && doc["downloadUrl"] != nil {
						file := httptest.NewRecorder()
						next.ServeHTTP(file, httptest.NewRequest(http.MethodGet, doc["downloadUrl"].(string), nil))
						if typ, ok := types.Load(file.Body.String()); ok {
							doc["contentType"] = typ
						}
						rec.Body.Reset()
						_ = json.NewEncoder(rec.Body).Encode(doc)
					}
				}))(next).ServeHTTP(w, r)
			})(next)
		}, `but "text/plain" was said after others were made (GET /v1/documents/{documentId})`},
		"too early": {faulty.Reply("/fileUpload/", faulty.Said("Pending", "Completed")),
			`status is "Completed" before the file was sent`},
		"text loses its CRLF": {faulty.Arrival("/upload/", func(r *http.Request) {
			if r.Header.Get("Content-Type") == "text/plain" {
				b, err := faulty.ReadAll(r.Body, r.ContentLength)
				r.Body = faulty.Torn(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), err)
			}
		}), "the file (content: a byte order mark, CRLF and white space, in a text) comes back changed"},
		"nothing to download": {faulty.Reply("/download/",
			func(rec *httptest.ResponseRecorder) { rec.Code = http.StatusNotFound }),
			"getDocument: response body: downloadUrl cannot be fetched: 404"},
		"any download": {faulty.Reply("/download/", taken),
			"getDocument: response status: 200 to its downloadUrl, with"},
		"a download may be written": {written(http.MethodPut), "getDocument: response status: 200 to a PUT to its " +
			"downloadUrl, which changed the file: it must be refused by a 4xx (PUT to a URL from GET /v1/"},
		"a download may be deleted": {written(http.MethodDelete), "getDocument: response status: 200 to a DELETE to " +
			"its downloadUrl, which changed the file"},
		"any method gets a download": {written(""), ""},
		"no age of a download": {faulty.Reply("/download/", taken),
			"no operation: response status: 200 to a URL for a download that has expired"},
		"no age": {faulty.Reply("/upload/", taken),
			"no operation: response status: 200 to a presigned URL that has expired"},
		"a type with parameters is refused": {faulty.Refuses(http.StatusForbidden, func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.Contains(r.Header.Get("Content-Type"), ";")
		}), "fileUpload: response status: 403 to the URL that it handed out for text/plain; charset=utf-8"},
		"an error that is none": {faulty.Reply("/upload/", faulty.On(http.StatusOK, faulty.Body("<Error></Error>"))),
			"fileUpload: response body: 200 to the file, with an error in the answer"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var moved atomic.Int64
			right, err := standin.New(standin.Config{Token: "token-of-the-test",
				Now: func() time.Time { return time.Now().Add(time.Duration(moved.Load())) }})
			if err != nil {
				t.Fatal(err)
			}
			probing := func(tb testing.TB) {
				probes(tb, c.spoil(right), "/v1", spec, faulty.Header("Authorization", "Bearer token-of-the-test"),
					Facts{Timeout: 3 * time.Second, Advance: func(d time.Duration) { moved.Add(int64(d)) }})
			}
			if l := (&lab.Logged{TB: t}); strings.Contains(c.want, "not seen") {
				if probing(l); !strings.Contains(l.Text.String(), c.want) {
					t.Errorf("the log lacks %q:\n%s", c.want, &l.Text)
				}
				return
			}
			lab.Blames(t, c.want, probing)
		})
	}
}

// A server may ignore a parameter that opens nothing.
func TestAPresignedURLIsTamperedWithWhereItOpens(t *testing.T) {
	for address, want := range map[string][]string{
		"http://a.example/k": nil,
		"http://a.example/k?page=1&signature=x&token=": {"with an empty signature", "with another signature",
			"with half of the signature",
			"without its query", "without the signature"},
	} {
		want = slices.Sorted(slices.Values(append(want, "by DELETE", "by GET", "by another method",
			"with another key")))
		if got := slices.Sorted(maps.Keys(tampered(contract.HandedOut{URL: address}))); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
	const typed = "http://a.example/k?signature=x"
	for _, c := range []struct {
		out  contract.HandedOut
		want bool
	}{
		{contract.HandedOut{URL: typed, ContentType: "a/b"}, true}, {contract.HandedOut{URL: typed}, false},
		{contract.HandedOut{URL: typed, ContentType: "a/b", Fields: map[string]string{}}, false},
		{contract.HandedOut{URL: typed, ContentType: "a/b", Session: true}, false},
		// A SAS of Azure signs no media type.
		{contract.HandedOut{URL: "http://a.example/k?sv=2024-11-04&sig=x", ContentType: "a/b"}, false},
	} {
		if _, found := tampered(c.out)["with another media type"]; found != c.want {
			t.Errorf("%+v with another media type: %t", c.out, found)
		}
	}
	for query, want := range map[string]bool{"e=" + fmt.Sprint(time.Now().Unix()+900): true, "X-Amz-Expires=900": true,
		"X-Amz-Expires=604800": false, "expires=1790000000000": false, "size=900": false,
		"e=" + fmt.Sprint(time.Now().UnixMilli()+900_000): true, "size=900&X-Amz-Expires=900": true,
		"expires=0": false} {
		if ends(query) != want {
			t.Errorf("%s ends: %t", query, !want)
		}
	}
	for query, want := range map[string]bool{
		"signature=x": true, "s=" + strings.Repeat("0a", 16): true, "e=1790000000&n=a": false,
	} {
		if signs.MatchString(query) != want {
			t.Errorf("%s signs: %t", query, !want)
		}
	}
}

func TestTheFieldsOfAFormAreTamperedWith(t *testing.T) {
	packed := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	out := contract.HandedOut{Fields: map[string]string{"key": "k-11", "acl": "none", "Content-Type": "text/plain",
		"policy": packed(`{"exp":1999999999}`), "until": "1999999999", "Signature": "s1"}}
	ways := tamperedFields(out)
	var want []string
	for _, name := range []string{"key", "Content-Type", "policy", "until", "Signature"} {
		want = append(want, "with another "+name, "with half of the "+name, "without the "+name)
	}
	want = append(want, "with another number in the policy")
	if got := slices.Sorted(maps.Keys(ways)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, c := range []struct{ what, name, want string }{
		{"with another until", "until", "2000000059"}, {"with half of the until", "until", "19999"},
		{"with another key", "key", "k-91"}, {"without the key", "key", ""},
	} {
		if got := ways[c.what].Fields[c.name]; got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	if len(out.Fields) != 6 || len(ways["without the key"].Fields) != 5 {
		t.Errorf("%d of six fields are left, and %d of five", len(out.Fields), len(ways["without the key"].Fields))
	}
	for text, want := range map[string]string{
		`{"exp":1999999999,"n":5}`:        `{"exp":2000000000,"n":5}`,
		`{"n":5,"exp":1999999999}`:        `{"n":5,"exp":2000000000}`,
		`{"a":11,"b":22}`:                 `{"a":12,"b":22}`,
		`{"until":"2026-01-31","n":5}`:    `{"until":"2027-01-31","n":5}`,
		`{"sub":"???>>>???>>>","n":[19]}`: `{"sub":"???>>>???>>>","n":[20]}`,
		`{"a":"x"}`:                       "",
		`{"n":5}{`:                        "",
	} {
		if want != "" {
			want = "t=" + packed(want) + "."
		}
		if got := counted("t=" + packed(text) + "."); got != want {
			t.Errorf("%s became %q, want %q", text, got, want)
		}
	}
	token := packed(`{"a":"x"}`) + "."
	if got := counted(token + packed(`{"n":5}`)); got != token+packed(`{"n":6}`) {
		t.Errorf("a number behind a text became %q", got)
	}
	if got := counted("eyJ1"); got != "" {
		t.Errorf("what is no JSON became %q", got)
	}
}

// Where one way is taken, another only follows.
func TestAWayThatFollowsIsNotTried(t *testing.T) {
	for _, c := range []struct {
		before, way string
		tried       bool
	}{
		{withoutQuery, underAnother, false}, {"without the sig", underAnother, false},
		{"without the key", underAnother, true}, {"with another key", keyOfAnother, false},
		{"with another policy", keyOfAnother, true}, {withoutQuery, keyOfAnother, true}, {"", keyOfAnother, true},
	} {
		p, tried := &prober{ways: map[string][]string{"make its form": {c.before}}}, ""
		p.refusesWays(&operation{name: "make"}, " its form",
			map[string]contract.HandedOut{c.way: {URL: "it "}, "without what comes last": {URL: "last"}},
			func(way contract.HandedOut) answer {
				tried += way.URL
				return answer{}
			})
		if want := map[bool]string{true: "it last", false: "last"}[c.tried]; tried != want {
			t.Errorf("%s after %q: tried %s, want %s", c.way, c.before, tried, want)
		}
	}
}
