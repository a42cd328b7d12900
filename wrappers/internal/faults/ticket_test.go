package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// What POST /fileUpload says of the presigned step, in every wrong way.
func TestTickets(t *testing.T) {
	here := []place{presigned}
	refused := func(says ...string) want { return want{kinds: unavailable, reached: none, says: says} }
	query := "?" + s3Query(time.Now(), time.Minute)
	// to makes the upload URL of the store's host and port.
	to := func(format string) func(*lab) {
		return func(l *lab) {
			l.uploadURL = func(id string) string {
				return strings.NewReplacer("HOST", l.storage.Listener.Addr().String(), "ID", id, "QUERY", query).Replace(format)
			}
		}
	}
	method := func(m string) func(*lab) {
		return func(l *lab) {
			l.ticket = func(id string) string {
				return fmt.Sprintf(`{"uploadMethod":%q,"uploadUrl":%q,"fileId":%q}`, m, l.uploadURL(id), id)
			}
		}
	}
	rows := []row{
		{name: "a plain http URL where the API is https", at: here, set: func(l *lab) { l.secure = true }, late: to("http://HOST/bucket/IDQUERY"), want: refused("plain http"), last: true},
		{name: "user info in the URL", at: here, late: to("http://someone:" + planted + "-password@HOST/bucket/IDQUERY"), want: refused("user info"), last: true},
		{name: "a fragment in the URL", at: here, late: to("http://HOST/bucket/IDQUERY#part"), want: refused(), last: true},
		{name: "an empty fragment in the URL", at: here, late: to("http://HOST/bucket/IDQUERY#"), want: refused(), last: true},
		{name: "a blank in the path", at: here, late: to("http://HOST/bucket/a IDQUERY"), want: refused(), last: true},
		{name: "a blank in the query", at: here, late: to("http://HOST/bucket/IDQUERY&name=a b"), want: refused(), last: true},
		{name: "a blank before the URL", at: here, late: to(" http://HOST/bucket/IDQUERY"), want: refused(), last: true},
		{name: "a newline in the query", at: here, late: to("http://HOST/bucket/IDQUERY&x=\r\nX-Injected: 1"), want: refused(), last: true},
		{name: "letters outside ASCII in the path", at: here, late: to("http://HOST/bucket/영수증QUERY"), want: refused(), last: true},
		{name: "letters outside ASCII in the query", at: here, late: to("http://HOST/bucket/IDQUERY&name=영수증"), want: refused(), last: true},
		{name: "a broken escape in the path", at: here, late: to("http://HOST/bucket/%zzQUERY"), want: refused(), last: true},
		{name: "a URL without a scheme", at: here, late: to("//HOST/bucket/IDQUERY"), want: refused(), last: true},
		{name: "a relative URL", at: here, late: to("/bucket/IDQUERY"), want: refused(), last: true},
		{name: "a URL without a host", at: here, late: to("http:///bucket/IDQUERY"), want: refused(), last: true},
		{name: "a URL whose host is a port alone", at: here, late: to("http://:80/bucket/IDQUERY"), want: refused(), last: true},
		{name: "a URL with a colon and no port", at: here, late: to("http://127.0.0.1:/bucket/IDQUERY"), want: refused(), last: true},
		{name: "an opaque URL", at: here, late: to("http:bucket/IDQUERY"), want: refused(), last: true},
		{name: "a port that is no number", at: here, late: to("http://127.0.0.1:http/bucket/IDQUERY"), want: refused(), last: true},
		{name: "another scheme: ftp", at: here, late: to("ftp://HOST/bucket/IDQUERY"), want: refused(), last: true},
		{name: "another scheme: file", at: here, late: to("file:///etc/passwdQUERY"), want: refused(), last: true},
		{name: "another scheme: javascript", at: here, late: to("javascript:alert(1)//QUERY"), want: refused(), last: true},
		{name: "another scheme: data", at: here, late: to("data:text/plain,QUERY"), want: refused(), last: true},
		{name: "a URL in words", at: here, late: to("see the portal QUERY"), want: refused(), last: true},
		{name: "a port beyond all ports", at: here, late: to("http://127.0.0.1:99999/bucket/IDQUERY"), want: want{kinds: unavailable, tries: 1, reached: none}, last: true},
		{name: "a URL of 100 kB", at: here, late: to("http://HOST/bucket/IDQUERY&x=" + strings.Repeat("y", 100_000)), want: want{stored: true}},
		{name: "a URL that ends with a question mark", at: here, late: to("http://HOST/bucket/ID?"), want: want{stored: true}},
		{name: "a URL without a query", at: here, late: to("http://HOST/bucket/ID"), want: want{stored: true}},
		{name: "escapes in the URL go out as they are", at: here, late: to("http://HOST/bucket/a%2Fb%20c%7eIDQUERY&x=%2f%2F+%20~"), want: want{stored: true},
			check: func(l *lab, _ upload.Result, _ error) {
				if uri := l.seen[presigned][0].RequestURI; !strings.HasPrefix(uri, "/bucket/a%2Fb%20c%7e") || !strings.HasSuffix(uri, query+"&x=%2f%2F+%20~") {
					l.t.Errorf("the request was for %s", uri)
				}
			}},

		{name: "the method GET", at: here, late: method("GET"), want: refused("method"), last: true},
		{name: "the method DELETE", at: here, late: method("DELETE"), want: refused("method"), last: true},
		{name: "the method PATCH", at: here, late: method("PATCH"), want: refused("method"), last: true},
		{name: "the method CONNECT", at: here, late: method("CONNECT"), want: refused("method"), last: true},
		{name: "a blank before the method", at: here, late: method(" PUT"), want: refused(), last: true},
		{name: "a header in the method", at: here, late: method("PUT / HTTP/1.1\r\nX-Injected: 1\r\n"), want: refused(), last: true},
		{name: "the method of a thousand letters", at: here, late: method(strings.Repeat("PUT", 1000)), want: refused(), last: true},
		{name: "the method in small letters", at: here, late: method("put"), want: want{stored: true}},
		{name: "the method POST", at: here, late: method("Post"), want: want{stored: true},
			check: func(l *lab, _ upload.Result, _ error) {
				if m := l.seen[presigned][0].Method; m != "POST" {
					l.t.Errorf("the request was a %s", m)
				}
			}},
	}
	for i := range rows {
		if rows[i].want.kinds != nil {
			rows[i].want.op = string(presigned)
		}
	}
	runAll(t, rows)
}

func equal[T comparable](l *lab, what string, got, want T) {
	l.t.Helper()
	if got != want {
		l.t.Errorf("%s is %v, want %v", what, got, want)
	}
}
