package probe

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// A list has the elements a to e. Each kind of pages is read to its end.
func TestAListIsReadInThePagesThatItHas(t *testing.T) {
	const integer = ", in: query, schema: {type: integer"
	const limit, cursor = "{name: limit" + integer + "}}, ", "{name: cursor, in: query, schema: {}}"
	const pages, offset = "{name: page" + integer, "{name: offset" + integer + "}}"
	all := strings.Split(`{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"},{"id":"e"}`, ",")
	from := func(start int, more string) func(q url.Values) string { // more has places for the next start
		return func(q url.Values) string {
			n, err := strconv.Atoi(q.Get("limit"))
			if err != nil {
				n = 5
			}
			end := min(start+n, 5)
			return `[` + strings.Join(all[min(start, end):end], ",") + `]` + strings.ReplaceAll(more, "$", fmt.Sprint(end))
		}
	}
	said := func(name string) func(q url.Values) string { // a wrapped page says what the next one is
		return func(q url.Values) string {
			start, _ := strconv.Atoi(q.Get("cursor"))
			next := fmt.Sprintf(`,%q:"$","n":0}`, name)
			if limit, _ := strconv.Atoi(q.Get("limit")); limit == 0 || start+limit >= 5 {
				next = fmt.Sprintf(`,%q:null,"total":5}`, name)
			}
			return `{"data":` + from(start, next)(q)
		}
	}
	behind := func(q url.Values) string { // the next page begins behind an element
		return from(strings.Index("abcde", q.Get("after"))+min(1, len(q.Get("after"))), "")(q)
	}
	by := func(param string, pages ...string) func(url.Values) string { // a value, and the page that it leads to
		return func(q url.Values) string { return pages[slices.Index(pages, q.Get(param))+1] }
	}
	numbered := func(first int) func(url.Values) string {
		return func(q url.Values) string {
			n, err := strconv.Atoi(q.Get("page"))
			size, _ := strconv.Atoi(q.Get("limit"))
			if err != nil {
				n = first
			}
			return from((n-first)*size, "")(q)
		}
	}
	at := func(q url.Values) string { start, _ := strconv.Atoi(q.Get("offset")); return from(start, "")(q) }
	for _, c := range []struct {
		what, params, member string // the parameters, and a member that an answer may have
		limit                int
		answer               func(q url.Values) string
		asked, list, told    string
	}{
		{"no limit", cursor, "", 2, from(0, ""), "", "none", ""},
		{"the whole", "", "", 0, from(0, ""), "", "abcde", ""},
		{"no list", "", "", 0, by("", "", `{}`), "", "none", ""},
		{"an empty list", "", "", 0, by("", "", `{"errors":[],"data":[]}`), "", "", ""},
		{"the longest of two lists", "", "", 0, by("", "",
			`{"a":[1,2],"b":{"c":[{"id":"a"},{"id":"b"},{"id":"c"}]},"d":[1]}`),
			"", "abc", ""},
		{"a list of objects beside numbers", "", "", 0, by("", "",
			`{"all":[1,2,3],"data":[{"id":"a"},{"id":"b"}]}`), "", "ab", ""},
		{"a cursor", limit + cursor, "", 2, said("next"), "limit=2 cursor=2&limit=2 cursor=4&limit=2", "abcde", ""},
		{"a cursor of another name", limit + cursor, "", 2, said("nextPageToken"),
			"limit=2 cursor=2&limit=2 cursor=4&limit=2", "abcde", ""},
		{"behind the last", limit + "{name: after, in: query, schema: {}}", "", 2, behind,
			"limit=2 after=b&limit=2 after=d&limit=2", "abcde", ""},
		{"no end behind the last", limit + "{name: after, in: query, schema: {}}", "", 2, from(0, ""),
			"limit=2 after=b&limit=2", "none", ""},
		{"pages", limit + pages + "}}", "", 2, numbered(1),
			"limit=2 limit=2&page=2 limit=2&page=3 limit=2&page=4", "abcde", ""},
		{"pages from 0", limit + pages + ", minimum: 0}}", "", 2, numbered(0),
			"limit=2 limit=2&page=1 limit=2&page=2 limit=2&page=3", "abcde", ""},
		{"pages from 0, said otherwise", limit + pages + ", default: 0}}", "", 2, numbered(0),
			"limit=2 limit=2&page=1 limit=2&page=2 limit=2&page=3", "abcde", ""},
		{"pages from 1", limit + pages + ", minimum: 1, default: 1}}", "", 2, numbered(1),
			"limit=2 limit=2&page=2 limit=2&page=3 limit=2&page=4", "abcde", ""},
		{"offsets", limit + offset, "", 2, at, "limit=2 limit=2&offset=2 limit=2&offset=4 limit=2&offset=5",
			"abcde", ""},
		{"names with a prefix", strings.ReplaceAll(limit+offset, "name: ", "name: sys_") + ", {name: utc_offset" +
			integer + "}}", "", 2, func(q url.Values) string {
			return at(url.Values{"limit": q["sys_limit"], "offset": q["sys_offset"]})
		}, "sys_limit=2 sys_limit=2&sys_offset=2 sys_limit=2&sys_offset=4 sys_limit=2&sys_offset=5", "abcde", ""},
		{"six at least", "{name: limit" + integer + ", minimum: 6}}", "", 2, from(0, ""), "limit=6", "abcde", ""},
		{"more than a limit", limit + cursor, "", 2, by("", "", from(0, "")(nil)), "limit=2", "abcde",
			"a page has 5 elements, and 2 were asked for"},
		{"no page behind the last", limit + pages + "}}", "", 2, func(q url.Values) string {
			return map[bool]string{false: numbered(1)(q)}[q.Get("page") == "4"]
		}, "limit=2 limit=2&page=2 limit=2&page=3 limit=2&page=4", "abcde", ""},
		{"no second page", limit + offset, "", 2,
			func(q url.Values) string { return map[bool]string{false: at(q)}[q.Has("offset")] },
			"limit=2 limit=2&offset=2", "none", ""},
		{"no first page", limit + pages + "}}", "", 2, by("", "", ""), "limit=2", "none", ""},
		{"one page said to be all", limit + pages + "}}", "next: {}", 2, numbered(1), "limit=2", "ab", ""},
		{"the number of a page", limit + pages + "}}", "", 2, by("page", "",
			`{"data":[{"id":"a"}],"nextPage":7}`, "7", `{"data":[{"id":"b"}],"nextPage":null}`),
			"limit=2 limit=2&page=7", "ab", ""},
		{"a link", limit, "", 2, by("from", "", `{"data":[{"id":"a"}],"next":"/v1/things?from=b"}`, "b",
			`{"data":[{"id":"b"}],"next":""}`), "limit=2 from=b", "ab", ""},
		{"a query", limit + cursor, "", 2, by("from", "", `{"data":[{"id":"a"}],"next":"?from=b"}`, "b",
			`{"data":[{"id":"b"}]}`), "limit=2 from=b", "ab", ""},
		{"a link behind another path", limit + cursor, "", 2, by("from", "",
			`{"data":[{"id":"a"}],"next":"http://a.example/v2?from=b"}`, "b", `{"data":[{"id":"b"}]}`),
			"limit=2 from=b", "ab", ""},
		{"a cursor with a slash", limit + cursor, "", 2, by("cursor", "", `{"data":[{"id":"a"}],"next":"of/b"}`,
			"of/b", `{"data":[{"id":"b"}]}`), "limit=2 cursor=of%2Fb&limit=2", "ab", ""},
		{"more of the usual", "{name: limit" + integer + ", default: 2}}, " + cursor, "", 0, by("cursor", "",
			`[{"id":"a"},{"id":"b"}]`, "b", `[{"id":"c"}]`), " cursor=b", "abc", ""},
		{"more, it says", limit + cursor, "", 0, by("cursor", "", `{"data":[{"id":"a"}],"hasMore":true}`, "a",
			`{"data":[{"id":"b"}],"hasMore":false}`), " cursor=a", "ab", ""},
		{"no total", limit + cursor, "", 0, from(0, ""), "", "abcde", ""},
		{"a wrong total", limit, "", 0, by("", "", `{"data":[{"id":"a"}],"total":0}`), "", "a",
			"the total is 0, and the list has 1"},
		{"the totals of others", limit, "", 0, by("", "", `{"data":[{"id":"a","total":7}],"total":1}`), "", "a", ""},
		{"a total of all pages", limit, "", 0, by("", "", `{"data":[{"id":"a"}],"total":7,"next":"b"}`), "", "a", ""},
	} {
		spec := fmt.Sprintf(`
openapi: 3.0.3
info: {title: List, version: '1'}
servers: [{url: /v1}]
paths:
  /things:
    post: {requestBody: {content: {image/png: {}}}, responses: &all {default: {description: All.,
      content: {application/json: {schema: {properties: {%s}}}}}}}
    get: {operationId: list, parameters: [%s], responses: *all}
`, c.member, c.params)
		var asked []string
		got := "none"
		lines := lab.Recorded(t, func(tb testing.TB) {
			p := newProber(tb, "http://a.example/v1", []byte(spec), Facts{Timeout: time.Minute})
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				asked = append(asked, r.URL.RawQuery)
				body, status := c.answer(r.URL.Query()), http.StatusOK
				if body == "" {
					body, status = "{}", http.StatusNotFound
				}
				return came(r, status, "application/json", body), nil
			})
			if _, list := p.walks(p.at("/things", http.MethodGet), "/things", c.limit); list != nil {
				got = ""
				for _, element := range list {
					var thing struct{ ID string }
					_ = json.Unmarshal(element, &thing)
					got += thing.ID
				}
			}
		})
		if told := strings.Join(lines, "\n"); strings.Join(asked,
			" ") != c.asked || got != c.list || !strings.Contains(told, c.told) ||
			(told == "") != (c.told == "") {
			t.Errorf("%s: asked %q, and got %s, want %q and %s: %s", c.what, asked, got, c.asked, c.list, told)
		}
	}
}
