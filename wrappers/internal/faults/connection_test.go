package faults

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// nobody is a host and port that refuses connections.
const nobody = "127.0.0.1:1"

func TestConnection(t *testing.T) {
	lost := want{kinds: unavailable, tries: 4}
	unreached := want{kinds: unavailable, tries: 4, reached: none}
	survived := want{tries: 2, stored: true}
	rows := []row{
		{name: "refused", at: requests, late: func(l *lab) { l.aim("http://" + nobody) }, last: true,
			want: want{kinds: unavailable, tries: 4, reached: none, says: []string{"connection refused"}}},
		{name: "closed when accepted", at: requests, late: func(l *lab) {
			l.aim("http://" + l.listen(func(net.Conn) {}))
		},
			last: true, want: unreached},

		{name: "reset in place of the answer", at: carriers, fault: done(reset),
			want: want{kinds: unavailable, tries: 4, stored: true}},
		{name: "closed before the body", at: requests, fault: closed, want: lost},
		{name: "closed in the middle of the body", at: requests, fault: afterHalf(closed), want: lost},
		{name: "closed before a large body", at: carriers, fault: closed, set: sends(large), want: lost},

		{name: "closed in the middle of the body, three times", at: requests, fault: first(3, afterHalf(closed)),
			want: want{tries: 4, stored: true}},
		{name: "reset in the middle of a large body, once", at: carriers, fault: first(1, afterHalf(reset)),
			set: sends(large), want: survived},

		{name: "the server closes the kept connection as the next request arrives", at: carriers,
			fault: inTurn(correct, closed),
			call:  twice, want: want{tries: 3, starts: 2, stored: true}, check: eachStored},
		{name: "the server closes the kept connection as the next POST /fileUpload arrives", at: []place{fileUpload},
			fault: inTurn(correct, closed),
			call:  twice, want: want{tries: 3, stored: true}, check: eachStored},

		{name: "http is spoken to an https port", at: carriers, last: true,
			late: func(l *lab) {
				// Go's server does not read the request first, so its answer may be
				// lost in a reset.
				l.aim("http://" + l.listen(func(conn net.Conn) {
					if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
						io.Copy(io.Discard, req.Body)
						io.WriteString(conn,
							"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
					}
				}))
			},
			want: want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: none, status: 400, noTrace: true,
				says: []string{"HTTPS server"}}},
		{name: "a TLS handshake that never ends", at: carriers, last: true,
			set: func(l *lab) { l.transport().TLSHandshakeTimeout = 20 * time.Millisecond },
			late: func(l *lab) {
				l.aim("https://" + l.listen(func(c net.Conn) { <-l.release }))
			},
			want: want{kinds: unavailable, tries: 4, reached: none, says: []string{"TLS handshake timeout"}}},

		{name: "a proxy that is not there", at: carriers, last: true,
			late: func(l *lab) {
				target := l.target()
				l.transport().Proxy = func(r *http.Request) (*url.URL, error) {
					if r.URL.Host != target {
						return nil, nil
					}
					return &url.URL{Scheme: "http", Host: nobody,
						User: url.UserPassword("someone", planted+"-proxy-password")}, nil
				}
			}, want: unreached},
	}
	runAll(t, rows)
}

// sends replaces the file that is sent.
func sends(src upload.Source) func(*lab) { return func(l *lab) { l.send(src) } }

// twice uploads the same source two times.
func twice(ctx context.Context, l *lab, u upload.Uploader) (upload.Result, error) {
	if res, err := u.Upload(ctx, l.src); err != nil {
		return res, err
	}
	return u.Upload(ctx, l.src)
}

// eachStored checks that two uploads are two files.
func eachStored(l *lab, res upload.Result, err error) {
	n := 0
	for range l.standin.Files(l.t.Context()) {
		n++
	}
	if n < 2 {
		l.t.Errorf("%d files are stored after two uploads", n)
	}
}
