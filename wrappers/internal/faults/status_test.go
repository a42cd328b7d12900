package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/putpost/putpost/wrappers/upload"
)

// bodies is what stands under a status, whoever wrote it.
var bodies = map[string]struct{ contentType, body string }{
	"nothing":          {"", ""},
	"HTML":             {"text/html", "<!doctype html><title>Oops</title><h1>Something went wrong</h1>"},
	"XML":              {"application/xml", `<?xml version="1.0" encoding="UTF-8"?><Error><Code>Odd</Code><Message>An odd thing.</Message></Error>`},
	"JSON":             {"application/json", `{"error":{"errorCode":"9","name":"odd","message":"An odd thing.","details":null}}`},
	"text":             {"text/plain", "upstream connect error or disconnect/reset before headers"},
	"JSON as HTML":     {"text/html", `{"error":"odd"}`},
	"HTML as JSON":     {"application/json", "<html>"},
	"wrong types":      {"application/json", `{"error":[1,{"message":{}}],"message":7,"errorCode":{},"code":true}`},
	"noise":            {"application/octet-stream", string(noise(1000))},
	"a long text":      {"text/plain", strings.Repeat("more than is read ", 5000)},
	"deep nesting":     {"application/json", strings.Repeat("[", 60_000)},
	"a null":           {"application/json", "null"},
	"a line break":     {"text/plain", "one\r\nX-Injected: two\n\x1b[31mthree\x00four\u2028five\u202esix"},
	"not UTF-8":        {"text/plain; charset=euc-kr", "\xb0\xfa\xc0\xcf \xff\xfe"},
	"blanks":           {"text/plain", strings.Repeat(" \t\r\n", 1000)},
	"S3 in UTF-8":      {"application/xml", "\xef\xbb\xbf<?xml version=\"1.0\"?><Error><Code>Odd</Code><Message>An odd\nthing.</Message></Error>"},
	"an XML bomb":      {"application/xml", `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Error><Code>&b;</Code></Error>`},
	"a very long code": {"application/json", `{"error":{"errorCode":"` + strings.Repeat("9", 10_000) + `"}}`},
}

// meaning is what a bare status means to either provider and to the store.
func meaning(status int) (kind error, again bool) {
	switch {
	case status == 401:
		return upload.ErrUnauthorized, false
	case status == 403:
		return upload.ErrForbidden, false
	case status == 404:
		return upload.ErrNotFound, false
	case status == 408:
		return upload.ErrUnavailable, true
	case status == 413:
		return upload.ErrTooLarge, false
	case status == 429:
		return upload.ErrRateLimited, true
	case status >= 400 && status < 500:
		return upload.ErrInvalid, false
	}
	return upload.ErrUnavailable, status >= 500
}

// Whatever stands under a status, the status is what counts, and it survives.
func TestEveryStatus(t *testing.T) {
	statuses := []int{300, 304, 305, 306, 399}
	for s := 400; s <= 431; s++ {
		statuses = append(statuses, s)
	}
	statuses = append(statuses, 451, 499, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511, 520, 521, 522, 530, 598, 599, 600, 999)
	names := make([]string, 0, len(bodies))
	for name := range bodies {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, at := range requests {
		t.Run(string(at), func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			l := newLab(t, at)
			l.start()
			u := l.uploader()
			for i, status := range statuses {
				// Nothing, HTML and XML under each, and of the others one after another.
				for _, name := range []string{"nothing", "HTML", "XML", names[i%len(names)]} {
					b := bodies[name]
					t.Run(fmt.Sprintf("%d with %s", status, name), func(t *testing.T) {
						l.tryStatus(t, u, status, b.contentType, b.body)
					})
				}
			}
			l.nothingTold(u, upload.Result{}, nil)
			l.goesOn(u)
			l.end()
			goleak.VerifyNone(t, before)
		})
	}
}

func (l *lab) tryStatus(t *testing.T, u upload.Uploader, status int, contentType, body string) {
	l.afresh(t, answer(status, body, "Content-Type", contentType))
	res, err := u.Upload(context.Background(), l.src)
	kind, again := meaning(status)
	w := want{kinds: kinds(kind), status: status, tries: 1}
	if again {
		w.tries = 4
	}
	switch {
	case status == http.StatusNotModified: // has no body, by HTTP
	case strings.Contains(body, "<Code>Odd") && l.at == presigned:
		w.code = "Odd"
	case strings.Contains(body, `"errorCode":"99`) && l.at == createFile:
		w.code = strings.Repeat("9", 63) + "…"
	case strings.Contains(body, `"errorCode":"9"`) && l.at == createFile:
		w.code = "9"
	case strings.Contains(body, `"name":"odd"`) && l.at == fileUpload:
		w.code = "odd"
	}
	if status == http.StatusUnauthorized && l.at == fileUpload { // one more, with a new token
		w.tries = 2
	}
	w.compare(l, err)
	for _, c := range l.counts {
		c.settle(t)
	}
	l.answerTold(res, err)
	l.onlyWhole(false)
	var f *upload.Error
	if errors.As(err, &f) && len([]rune(f.Message)) > 256 {
		t.Errorf("the message has %d characters", len([]rune(f.Message)))
	}
}
