package faults

import (
	"cmp"
	"encoding/json"
	"errors"
	"html"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/putpost/putpost/wrappers/upload"
)

// echo is an answer that repeats the request, with its secrets.
type echo struct {
	name   string
	at     []place
	status int // the error's; 0 if it has none
	fault  fault
}

// dresses lists the places in which servers repeat a request. How it may be
// escaped or cut is tested in wire.
var dresses = map[string]func(request string) string{
	"as text": func(r string) string { return r },
	"as a message in JSON": func(r string) string {
		return inJSON("error", map[string]string{"errorCode": "1", "message": r})
	},
	"in a field that nobody knows": func(r string) string { return inJSON("request", r) },
	"as the code in JSON": func(r string) string {
		return inJSON("error", map[string]string{"errorCode": r, "name": r})
	},
	"as details in JSON": func(r string) string {
		return inJSON("error", map[string]any{"message": "Odd", "details": r,
			"payload": map[string]any{"errors": []string{r}, "validationErrors": []string{r}}})
	},
	"as a message in XML": func(r string) string {
		return "<Error><Code>Odd</Code><Message>" + html.EscapeString(r) + "</Message></Error>"
	},
	"as the code in XML": func(r string) string { return "<Error><Code>" + html.EscapeString(r) + "</Code></Error>" },
}

func inJSON(key string, value any) string {
	b, err := json.Marshal(map[string]any{key: value})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// A server may repeat the request in any form. The caller's error has the
// status and the kind, and shows nothing of the request.
func TestEchoes(t *testing.T) {
	var echoes []echo
	for _, name := range slices.Sorted(maps.Keys(dresses)) {
		for _, status := range []int{200, 400, 403, 500} {
			at := requests
			if status == 200 { // this is success for the presigned step
				at = apiCalls
			}
			echoes = append(echoes, echo{"the request " + name, at, status,
				func(h *hit) { answer(status, dresses[name](dump(h.r)))(h) }})
		}
	}
	says := func(format string) func(*http.Request) string {
		return func(r *http.Request) string { return strings.ReplaceAll(format, "SECRET", secretOf(r)) }
	}
	body := func(status int, format string) fault {
		return func(h *hit) { answer(status, says(format)(h.r), "Content-Type", "application/json")(h) }
	}
	header := func(status int, name, format string) fault {
		return func(h *hit) { answer(status, "", name, says(format)(h.r))(h) }
	}
	echoes = append(echoes,
		echo{"the trace id of 24SevenOffice", []place{fileUpload}, 400,
			func(h *hit) { h.w.Header().Del("X-Trace-Id"); header(400, "X-Trace-Id", "SECRET")(h) }},
		echo{"the trace id of NAVER", []place{createFile}, 400,
			func(h *hit) { h.w.Header().Del("X-Ncp-Trace-Id"); header(400, "X-Ncp-Trace-Id", "SECRET")(h) }},
		echo{"the media type of an error", requests, 400, header(400, "Content-Type", "text/SECRET")},
		echo{"the media type of a success", apiCalls, 200, header(200, "Content-Type", "text/SECRET")},
		echo{"Retry-After", requests, 429, header(429, "Retry-After", "SECRET")},
		echo{"the path of a redirect", requests, 302, header(302, "Location", "https://elsewhere.example/SECRET?SECRET")},
		echo{"the reason of a status", requests, 400,
			func(h *hit) { raw("HTTP/1.1 400 " + secretOf(h.r) + "\nContent-Length: 0\n\n")(h) }},
		echo{"a line that is no status line", requests, 0, func(h *hit) { raw(secretOf(h.r) + "\n\n")(h) }},
		echo{"a header line without a colon", requests, 0,
			func(h *hit) { raw("HTTP/1.1 200 OK\n" + secretOf(h.r) + "\n\n")(h) }},
		echo{"the length of a body", requests, 0,
			func(h *hit) { raw("HTTP/1.1 200 OK\nContent-Length: " + secretOf(h.r) + "\n\n")(h) }},
		echo{"a fileId", []place{fileUpload}, 200,
			body(200, `{"fileId":["SECRET"],"uploadMethod":"PUT","uploadUrl":"https://elsewhere.example/"}`)},
		echo{"an uploadMethod", []place{fileUpload}, -1,
			body(200, `{"fileId":"1","uploadMethod":"SECRET","uploadUrl":"http://127.0.0.1/?SECRET"}`)},
		echo{"an uploadUrl of another scheme", []place{fileUpload}, -1,
			body(200, `{"fileId":"1","uploadMethod":"PUT","uploadUrl":"ftp://elsewhere.example/SECRET"}`)},
		echo{"an uploadUrl with user info", []place{fileUpload}, -1,
			body(200, `{"fileId":"1","uploadMethod":"PUT","uploadUrl":"http://SECRET@elsewhere.example/"}`)},
		echo{"a number", []place{createFile}, 201,
			body(201, `{"tempRequestId":"t","files":[{"fileId":"f","fileSize":"SECRET"}]}`)},
		echo{"a key", []place{createFile}, 201, body(201, `{"SECRET":"SECRET","files":{"SECRET":1}}`)},
		echo{"what is no JSON", apiCalls, 201, body(201, `SECRET`)},
	)
	for _, at := range requests {
		t.Run(string(at), func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			l := newLab(t, at)
			l.cfg.Retry.Attempts = 2
			l.start()
			u := l.uploader()
			for _, e := range echoes {
				if !slices.Contains(e.at, at) {
					continue
				}
				t.Run(e.name, func(t *testing.T) {
					src := l.reuse(t, e.fault)
					res, err := u.Upload(t.Context(), src)
					var f *upload.Error
					if !errors.As(err, &f) {
						t.Fatalf("got the error %v", err)
					}
					status := max(0, e.status)
					kind := cmp.Or(map[int]error{400: upload.ErrInvalid, 403: upload.ErrForbidden,
						429: upload.ErrRateLimited}[status], upload.ErrUnavailable)
					if f.Status != status || !errors.Is(err, kind) {
						t.Errorf("got the status %d and %v, want %d and %q", f.Status, err, status, kind)
					}
					l.counts[0].settle(t)
					l.answerShowsNoSecret(res, err)
				})
			}
			l.showsNoSecret(u, upload.Result{}, nil)
			l.uploadsAgain(u)
			l.end()
			goleak.VerifyNone(t, before)
		})
	}
}

// reuse prepares a used lab for another fault. It returns a short file to
// send.
func (l *lab) reuse(t *testing.T, f fault) upload.Source {
	outer := l.t
	t.Cleanup(func() { l.t = outer })
	l.t = t
	l.log.Reset()
	l.mu.Lock()
	clear(l.seen)
	l.secrets = nil
	l.faults[l.at] = f
	l.mu.Unlock()
	l.counts = nil
	l.src = l.count(upload.Bytes("short.txt", []byte("a short file")))
	return l.src
}

// dump returns the head of a request. Its secrets come first, since messages
// are cut at their end.
func dump(r *http.Request) string {
	var b strings.Builder
	for _, name := range []string{"X-Ncp-Apigw-Signature-V2", "X-Ncp-Iam-Access-Key", "Authorization"} {
		if v := r.Header.Get(name); v != "" {
			b.WriteString(name + ": " + v + "\r\n")
		}
	}
	b.WriteString(r.Method + " " + r.RequestURI + " " + r.Proto + "\r\nHost: " + r.Host + "\r\n\r\n")
	return b.String()
}

// secretOf returns a secret that the request carries.
func secretOf(r *http.Request) string {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return cmp.Or(token, r.Header.Get("X-Ncp-Iam-Access-Key"), r.URL.Query().Get("X-Amz-Signature"))
}
