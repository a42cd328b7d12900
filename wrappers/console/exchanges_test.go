package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/console"
	"github.com/putpost/putpost/wrappers/store"
)

func TestAnExchangeSaysWhatHappened(t *testing.T) {
	s := serve(t, console.Config{})
	before := time.Now()
	res := s.sent("invoice.pdf", "%PDF-1.7")
	x := s.exchanges("")[0] // there as soon as the sender knows
	if x.ID != "1" || x.Provider != "ncloudmailer" || x.Operation != "createFile" ||
		x.Method != "POST" || x.Path != "/api/v1/files" || x.Status != 201 || x.RequestBytes < 8 ||
		x.ResponseBytes < 8 ||
		x.DurationMs <= 0 || x.Time.Before(before) || x.TraceID != res.TraceID ||
		!slices.Equal(x.FileIds, []string{res.ID}) || x.Refusal != "" || x.Fault != nil || len(x.Violations) != 0 {
		t.Errorf("got %+v", x)
	}
	if one := get[api.Exchange](s, "exchanges/1"); one.TraceID != x.TraceID {
		t.Errorf("by its id it is %+v", one)
	}

	s.announce("Bearer wrong-token").Is(401)
	if x := s.exchanges("limit=1")[0]; x.Status != 401 || x.Operation != "fileUpload" || x.Refusal == "" {
		t.Errorf("a refusal is shown as %+v", x)
	}
	url, id := s.initiate()
	s.put(url, "application/pdf", "x").Is(403)
	x = s.exchanges("limit=1")[0]
	if x.Operation != "presigned" || x.Path != "/upload/"+id || !slices.Equal(x.FileIds, []string{id}) ||
		x.TraceID == "" {
		t.Errorf("a presigned upload is shown as %+v", x)
	}
	if len(x.Violations) != 1 || x.Violations[0].Rule != "presigned media type" || x.Violations[0].Meaning == "" ||
		x.Violations[0].At == "" || x.Violations[0].Detail == "" {
		t.Errorf("a broken rule is shown as %+v", x)
	}
}

func TestListsAreFiltered(t *testing.T) {
	s := serve(t, console.Config{Exchanges: 5})
	for range 3 {
		s.sent("a.txt", "a")
	}
	second := s.exchanges("")[1]
	target, _ := s.initiate()
	s.put(target, "text/wrong", "x").Is(403)
	for query, want := range map[string]string{
		"":                      "5 4 3 2 1",
		"provider=ncloudmailer": "3 2 1",
		"operation=presigned":   "5",
		"broken=true":           "5",
		"broken=false":          "4 3 2 1",
		"limit=2":               "5 4",
		"since=" + second.ID:    "5 4 3",
		"since=4":               "5",
		"since=99":              "",
		"provider=ncloudmailer&operation=createFile&broken=false&since=1&limit=1":     "3",
		"since=" + url.QueryEscape(second.Time.Format(time.RFC3339Nano)) + "&limit=9": "5 4 3",
	} {
		var got []string
		for _, x := range s.exchanges(query) {
			got = append(got, x.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("?%s: got %q, want %q", query, got, want)
		}
	}
	s.sent("a.txt", "a")
	if xs := s.exchanges("limit=1000"); len(xs) != 5 || xs[4].ID != "2" {
		t.Errorf("%d exchanges are kept, want the last 5", len(xs))
	}
}

// A sender must not leak a secret, and the console must not show one.
func TestNothingSecretIsShown(t *testing.T) {
	s := serve(t, console.Config{})
	s.sent("a.txt", "a")
	target, _ := s.uploaded("hello")
	s.put(target+"&x=y", "text/plain", "hello")
	s.announce("Bearer a-wrong-token")
	u, err := url.Parse(target)
	must(t, err)
	var all strings.Builder
	for _, path := range []string{"exchanges", "exchanges/2", "files", "faults", "health", "providers"} {
		all.WriteString(s.ask(http.MethodGet, path, "").Text)
	}
	if !strings.Contains(all.String(), "/upload/") {
		t.Fatal("there is nothing to look at")
	}
	for _, secret := range []string{
		u.RawQuery, u.Query().Get("signature"), "signature=", "expires=",
		"test-token", "a-wrong-token", "test-secret-key", "test-access-key",
	} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q is shown", secret)
		}
	}
}

func TestEachRuleHasAMeaning(t *testing.T) {
	source, err := os.ReadFile("../internal/contract/rule.go")
	must(t, err)
	rules := regexp.MustCompile(`(?m)^\tRule\w+ += "(.*)"$`).FindAllStringSubmatch(string(source), -1)
	if len(rules) < 10 {
		t.Fatalf("found %d rules", len(rules))
	}
	for _, rule := range rules {
		if console.Meanings[rule[1]] == "" {
			t.Errorf("the rule %q has no meaning", rule[1])
		}
	}
}

func TestTheRepeatingLinesAreASendersOwn(t *testing.T) {
	s := serve(t, console.Config{})
	s.sent("it's; $(rm -rf x).txt", "a")
	want := "curl -X POST \\\n  -H \"key: $KEY\" \\\n" +
		"  -F 'fileList=@\"it'\\''s; $(rm -rf x).txt\";type=text/plain' \\\n  " + s.url + "/api/v1/files"
	if got := s.exchanges("")[0].Curl; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	s.initiate()
	got := s.exchanges("limit=1")[0].Curl
	for _, want := range []string{`-d '{"contentType":"application/pdf"}'`, "/v1/fileUpload"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %s in it", got, want)
		}
	}
}

func TestAHeadIsTheGetOfItsPathAndASlashTooMuchIsAnotherPath(t *testing.T) {
	s := serve(t, console.Config{})
	for i, tc := range []struct{ method, path, operation, rule string }{
		{http.MethodHead, "/v1/fileUpload/x", "getFileUploadStatus", ""},
		{http.MethodHead, "/v1/fileUpload", "", "request address"},
		{http.MethodPost, "/v1/fileUpload/", "", "request address"},
		{http.MethodPost, "/api/v1/files/", "", "request address"},
	} {
		s.call(tc.method, s.url+tc.path, nil, "Authorization", bearer)
		x, rule := s.exchanges("limit=1")[0], ""
		for _, v := range x.Violations {
			rule += v.Rule
		}
		if x.ID != strconv.Itoa(i+1) || x.Method != tc.method || x.Operation != tc.operation || rule != tc.rule ||
			tc.method == http.MethodHead && x.ResponseBytes != 0 {
			t.Errorf("%s %s is shown as %+v", tc.method, tc.path, x)
		}
	}
}

func TestAURLFromBeforeARestartIsAPresignedOne(t *testing.T) {
	st := store.Memory(0)
	before, after := serve(t, console.Config{}, st), serve(t, console.Config{}, st)
	url, id := before.initiate()
	url = strings.Replace(url, before.url, after.url, 1)
	after.put(url, "text/plain", "x").Is(http.StatusOK)
	x := after.exchanges("")[0]
	if x.Operation != "presigned" || len(x.Violations) != 0 || !slices.Equal(x.FileIds, []string{id}) {
		t.Errorf("got %+v", x)
	}
	var status struct{ DocumentID int64 }
	before.call(http.MethodGet, before.url+"/v1/fileUpload/"+id, nil, "Authorization", bearer).Decode(&status)
	var document struct{ DownloadURL string }
	before.call(http.MethodGet, fmt.Sprint(before.url, "/v1/documents/", status.DocumentID), nil,
		"Authorization", bearer).Decode(&document)
	after.call(http.MethodGet, strings.Replace(document.DownloadURL, before.url, after.url, 1), nil)
	if x := after.exchanges("")[0]; !strings.HasPrefix(x.Path, "/download/") || x.Status != 200 ||
		len(x.Violations) != 0 {
		t.Errorf("got %+v", x)
	}
	// A changed URL is not a URL that was handed out.
	for _, other := range []string{url + "&a=b", strings.Replace(url, "expires=", "expires=1", 1)} {
		after.put(other, "text/plain", "x")
		if x := after.exchanges("")[0]; x.Operation != "" || len(x.Violations) == 0 {
			t.Errorf("%s: got %+v", x.Path, x)
		}
	}
}

func TestWhatNoStandinServesIsSeen(t *testing.T) {
	c := newConsole(t, console.Config{Loopback: true})
	h := c.WatchOthers(http.NotFoundHandler())
	if w := newRecorder(h, http.MethodPost, "/api/v2/files?key=hush"); w.Code != http.StatusNotFound {
		t.Errorf("got %d", w.Code)
	}
	r := httptest.NewRequest(http.MethodGet, "/_putpost/exchanges", nil)
	r.Host = "localhost"
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	var list api.ExchangeList
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Exchanges) != 1 {
		t.Fatalf("got %s (%v)", w.Body, err)
	}
	if x := list.Exchanges[0]; x.Provider != "" || x.Path != "/api/v2/files" || x.Status != 404 ||
		len(x.Violations) == 0 || x.Violations[0].Rule != "request address" ||
		strings.Contains(w.Body.String(), "hush") {
		t.Errorf("got %+v", x)
	}
}
