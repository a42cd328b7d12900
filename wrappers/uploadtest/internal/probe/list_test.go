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
			return `[` + strings.Join(all[min(start, end):end], ",") + `]` +
				strings.ReplaceAll(more, "$", fmt.Sprint(end))
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
		{"nothing behind the last", limit + "{name: after, in: query, schema: {}}", "", 2,
			by("after", "", `[{"id":"a"},{"id":"b"}]`, "b", `[]`), "limit=2 after=b&limit=2", "none", ""},
		{"pages", limit + pages + "}}", "", 2, numbered(1),
			"limit=2 limit=2&page=2 limit=2&page=3 limit=2&page=4", "abcde", ""},
		{"pages beside a word for the next", limit + pages + "}}", "last: {description: Asks for the next page.}", 2,
			numbered(1), "limit=2 limit=2&page=2 limit=2&page=3 limit=2&page=4", "abcde", ""},
		{"a text that asks for no page", limit + "{name: kind, in: query, schema: {type: string}}", "", 2, from(0, ""),
			"limit=2", "ab", ""},
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
		{"a cursor of the parameter's name", limit + "{name: bookmark, in: query, schema: {type: string}, " +
			"description: Leads to the next page.}", "bookmark: {}", 2, by("bookmark", "",
			`{"data":[{"id":"a"},{"id":"b"}],"bookmark":"x"}`, "x", `{"data":[{"id":"c"},{"id":"d"}],"bookmark":null}`),
			"limit=2 bookmark=x&limit=2", "abcd", ""},
		{"a wrapped cursor that is next", limit + "{name: startKey, in: query, schema: {}}",
			"data: {properties: {nextStartKey: {}, isTruncated: {}}}", 2, by("startKey", "",
				`{"data":{"items":[{"id":"a"},{"id":"b"}],"isTruncated":true,"nextStartKey":"x"}}`, "x",
				`{"data":{"items":[{"id":"c"}],"isTruncated":false,"startKey":"x"}}`), "limit=2 limit=2&startKey=x",
			"abc", ""},
		{"a full page that is the last", limit + "{name: after, in: query, schema: {}}", "after: {}", 2,
			by("after", "", `{"data":[{"id":"a"},{"id":"b"}],"after":null}`), "limit=2", "ab", ""},
		{"a cursor by its description", limit + cursor, "last: {description: Asks for the next page.}", 2,
			by("cursor", "",
				`{"data":[{"id":"a"},{"id":"b"}],"last":"x"}`, "x", `{"data":[{"id":"c"},{"id":"d"}]}`),
			"limit=2 cursor=x&limit=2", "abcd", ""},
		{"a cursor that is repeated", limit + "{name: after, in: query, schema: {}}", "after: {}, hasMore: {}", 2,
			by("after", "", `{"data":[{"id":"a"},{"id":"b"}],"hasMore":true}`, "b",
				`{"data":[{"id":"c"}],"after":"b","hasMore":false}`), "limit=2 after=b&limit=2", "abc", ""},
		{"a cursor with a slash", limit + cursor, "", 2, by("cursor", "", `{"data":[{"id":"a"}],"next":"of/b"}`,
			"of/b", `{"data":[{"id":"b"}]}`), "limit=2 cursor=of%2Fb&limit=2", "ab", ""},
		{"more of the usual", "{name: limit" + integer + ", default: 2}}, " + cursor, "", 0, by("cursor", "",
			`[{"id":"a"},{"id":"b"}]`, "b", `[{"id":"c"}]`), " cursor=b", "abc", ""},
		{"more, it says", limit + cursor, "", 0, by("cursor", "", `{"data":[{"id":"a"}],"hasMore":true}`, "a",
			`{"data":[{"id":"b"}],"hasMore":false}`), " cursor=a", "ab", ""},
		{"more of nothing, it says", limit + cursor, "", 0, by("cursor", "",
			`{"data":[{"id":"a"}],"hasMore":true}`, "a",
			`{"data":[{"id":"b"}],"hasMore":true}`, "b", `{"data":[],"hasMore":true}`), " cursor=a cursor=b", "ab", ""},
		{"no total", limit + cursor, "", 0, from(0, ""), "", "abcde", ""},
		{"a wrong total", limit, "", 0, by("", "", `{"data":[{"id":"a"}],"total":0}`), "", "a",
			"the total is 0, and the list has 1"},
		{"the totals of others", limit, "", 0, by("", "", `{"data":[{"id":"a","total":7}],"total":1}`), "", "a", ""},
		{"a total of all pages", limit, "", 0, by("", "", `{"data":[{"id":"a"}],"total":7,"next":"b"}`), "", "a", ""},
	} {
		spec := fmt.Sprintf(v1+`
info: {title: List, version: '1'}
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

// Short pages may end too soon where nobody knows what the next one is.
func TestShortPagesEndWithTheList(t *testing.T) {
	for member, want := range map[string]int{"": 0, "next: {}": 1} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, fmt.Sprintf(v1+`
info: {title: List, version: '1'}
paths:
  /things:
    post: {operationId: make, requestBody: {content: {image/png: {}}}, responses: &all {default: {description: All.,
      content: {application/json: {schema: {properties: {%s}}}}}}}
    get: {operationId: list, parameters: [{name: limit, in: query, schema: {type: integer}}], responses: *all}
`, member))
			p.inVain["list in pages"] = true // it is not awaited
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				third := map[bool]string{true: `,{"id":"c"}`}[r.URL.Query().Get("limit") == ""]
				return came(r, http.StatusOK, "application/json", `{"data":[{"id":"a"},{"id":"b"}`+third+`]}`), nil
			})
			p.kept = []*made{{by: ops["make"], place: "/v1/things", own: []string{"a"},
				ids: map[string]string{"id": "a"}}}
			p.lists(ops["list"])
		})
		if got := strings.Join(lines, "\n"); len(lines) != want ||
			want > 0 && !strings.Contains(got, "short pages list 2 ") {
			t.Errorf("an answer with %q: %q", member, lines)
		}
	}
}

func TestAListIsAboveWhatItLists(t *testing.T) {
	p, ops := specProber(t, nestSpec)
	of := func(by, thing string) *made {
		return &made{by: ops[by], place: "/v1/things/" + thing + "/parts", own: []string{"p-" + thing},
			ids: map[string]string{"thingId": thing, "partId": "p-" + thing}}
	}
	lay := of("lay", "t-1")
	lay.ids["thePart"] = "p-1"
	thing, put := &made{by: ops["make"], place: "/v1/things", ids: map[string]string{"thingId": "t-1"}},
		of("put", "t-1")
	put.place += "/p-t-1"
	for _, c := range []struct {
		op   string
		m    *made
		want string
	}{
		{"parts", of("add", "t-1"), "/things/t-1/parts"}, {"parts", put, "/things/t-1/parts"},
		{"others", of("add", "t-1"), ""}, {"parts", lay, "/things/t-1/parts"}, {"others", lay, ""}, {"things", lay, ""},
		{"files", lay, "/things/t-1/files"}, {"all", lay, ""},
		{"things", thing, "/things"}, {"things", of("add", "t-1"), ""}, {"parts", thing, ""},
		{"add", of("add", "t-1"), ""}, {"finds", &made{by: ops["find"]}, ""},
		{"things", &made{by: ops["find"], ids: map[string]string{"thingId": "t-1"}}, "/things"},
		{"parts", &made{by: ops["find"], ids: map[string]string{"thingId": "t-1", "partId": "p-1"}}, ""},
	} {
		if got := p.listOf(ops[c.op], c.m); got != c.want {
			t.Errorf("%s lists what %s made at %q, want %q", c.op, c.m.by.name, got, c.want)
		}
	}
	one, two := of("add", "t-1"), of("add", "t-2")
	p.kept = []*made{thing, one, two, of("add", "t-1")}
	if path, all := p.listed(ops["parts"]); path != "/things/t-1/parts" || len(all) != 2 || all[0] != one {
		t.Errorf("%s lists %d", path, len(all))
	}
	has := func(m *made) []json.RawMessage {
		return []json.RawMessage{[]byte(`{"partId":"` + m.ids["partId"] + `"}`)}
	}
	if p.behind(ops["parts"], []*made{one}, has(one)) || !p.behind(ops["parts"], []*made{one, two}, has(one)) {
		t.Error("a list is behind that has all, or it is not without one")
	}
	two.waiting = true
	if p.behind(ops["parts"], []*made{one, two}, has(one)) {
		t.Error("a list is behind without what waits")
	}
	two.deletedBy, p.deleted = ops["part"], []*made{two}
	if !p.behind(ops["parts"], []*made{one}, append(has(one), has(two)...)) {
		t.Error("a list is not behind with what is deleted")
	}
}

func TestWhatAListSaysOfItself(t *testing.T) {
	for body, want := range map[string]bool{`[]`: true, `{}`: false, `{"items":[]}`: true,
		`{"items":[],"message":"none"}`: false,
		`{"items":[],"message":""}`:     true, `{"items":[1]}`: false, `{"items":[],"total":0}`: true} {
		if isEmptyList([]byte(body)) != want {
			t.Errorf("%s is an empty list: %t", body, !want)
		}
	}
	for body, want := range map[string]string{
		`{"total":3,"next":"n","hasMore":true}`: "n 3 true", `{"items":[{"total":9,"next":"n"}]}`: " -1 false",
		`{"total":[1],"next":null,"hasMore":false}`:     " -1 false",
		`{"items":[{"total":9},{"total":8}],"total":2}`: " 2 false",
	} {
		next, total, goesOn := paging{}.of(answer{body: []byte(body)})
		if got := fmt.Sprintf("%s %d %t", next, total, goesOn); got != want {
			t.Errorf("%s says %s, want %s", body, got, want)
		}
	}
	here, _ := url.Parse("http://a.example/l?x=1")
	for _, c := range []struct {
		by    paging
		said  string
		empty bool
		want  string
	}{
		{paging{}, "http://a.example/l?x=2", false, "http://a.example/l?x=2"}, {paging{}, "http://%", false, ""},
		{paging{cursor: "c"}, "http://%", false, "http://a.example/l?c=http%3A%2F%2F%25&x=1"},
		{paging{cursor: "c"}, "a/b", false, "http://a.example/l?c=a%2Fb&x=1"},
		{paging{}, "/m", false, "http://a.example/m"},
		{paging{cursor: "c"}, "ftp://a", false, "http://a.example/l?c=ftp%3A%2F%2Fa&x=1"},
		{paging{page: "p"}, "7", false, "http://a.example/l?p=7&x=1"}, {paging{page: "p"}, "seven", false, ""},
		{paging{page: "p"}, "", false, "http://a.example/l?p=2&x=1"}, {paging{page: "p"}, "", true, ""},
		{paging{offset: "o"}, "", false, "http://a.example/l?o=9&x=1"}, {paging{offset: "o"}, "", true, ""},
		{paging{page: "p", said: true}, "", false, ""}, {paging{page: "p", cursor: "c"}, "", false, ""},
		{paging{offset: "o"}, "x", false, ""}, {paging{}, "", false, ""},
	} {
		got := ""
		if next := c.by.next(here, c.said, 2, 9, c.empty); next != nil {
			got = next.String()
		}
		if got != c.want {
			t.Errorf("%+v after %q: %s, want %s", c.by, c.said, got, c.want)
		}
	}
	for _, by := range []paging{{said: true}, {cursor: "c"}, {page: "p"}, {offset: "o"}} {
		if !by.leadsOn() {
			t.Errorf("%+v does not go on", by)
		}
	}
	if (paging{limit: "l"}).leadsOn() {
		t.Error("a limit alone goes on")
	}
}
