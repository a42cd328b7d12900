package probe

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// An answer may repeat what its request said.
func TestAnAnswerBetraysItsServersMachine(t *testing.T) {
	const trace, place = ruleAnswer + "a stack trace", "a path of the server's machine"
	const path = ruleAnswer + place
	plain := http.Header{"X-A": {"fine"}}
	for _, tc := range []struct {
		header           http.Header
		body, path, want string
	}{
		{plain, `{"message":"no such object"}`, "/v1/o", ""},
		{nil, "panic: goroutine 7 [running]", "/v1/o", trace},
		{plain, "main.go:12", "/v1/o", trace},
		{plain, `{"debug":"java.lang.Error: x\n\tat com.depot.Shelf.put(Shelf.java:7)"}`, "/v1/o", trace},
		{http.Header{"X-A": {"fine", "open /srv/data/o-1"}}, "", "/v1/o", ruleHeader + place + " in the header X-A"},
		{http.Header{"X-A": {"fine"}, "X-B": {"fine"}}, `open /usr/lib/o`, "/v1/o", path},
		{plain, `{"message":"C:\\\\data is full","next":"fine"}`, "/v1/o", path},
		{plain, `{"message":"\u002fsrv\u002fdata is full","next":"fine"}`, "/v1/o", path},
		{plain, "EOF: /home1/mail/x", "/v1/o", path}, {plain, "EOF: /app/mail/x", "/v1/o", path},
		{plain, "EOF: /storage/mail/u_1.tmp", "/v1/o", path}, {plain, "EOF: /storage/u.2.part", "/v1/o", path},
		{plain, `{"self":"/storage/mail/u.pdf"}`, "/v1/o", ""}, {plain, "no /u.tmp", "/v1/o", ""},
		{plain, `{"self":"http://example.com/storage/u.part"}`, "/v1/o", ""},
		{plain, `{"source":{"pointer":"/data/id"}}`, "/v1/o", ""},
		{plain, `{"pointer":1,"a":"/data/id"}`, "/v1/o", path},
		{plain, "no /srv/o-1", "/srv/o-1", ""},
		{plain, "no /srv/o-1 and no /usr/o-2", "/srv/o-1", path},
	} {
		rule, what := betrays(tc.header, []byte(tc.body), httptest.NewRequest("GET", tc.path, nil))
		if rule+what != tc.want {
			t.Errorf("%v %q to %s: %q, want %q", tc.header, tc.body, tc.path, rule+what, tc.want)
		}
	}
}
