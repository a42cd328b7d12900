package probe

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// cutsOff hangs up in the middle of a file, but still listens. The part that
// arrived must not count as a file. It reports whether it did.
func (p *prober) cutsOff(r *operation, req *http.Request, body []byte) (taken bool) {
	half := body[:len(body)/2]
	a, _ := p.talk(r, req, half, p.Timeout, true)
	a.brought(half, "a file that was cut off")
	if a.status == 0 {
		return false // a server owes no answer to those who hang up
	}
	if p.seen.Note("file that is cut off"); a.ok() {
		a.broke(ruleStatus, "cut", "%d to a file whose sender hung up in the middle of it", a.status)
		p.changes(a)
	}
	return a.ok()
}

// waitsForBody sends wrong credentials and no body. A server that looks at the
// credentials first answers, maybe slowly, and maybe after a 100 that it sends to all.
// One that reads on may stand behind a proxy that buffers, unless it is on this machine.
func (p *prober) waitsForBody(r *operation, req *http.Request) {
	const what = "credentials before the body"
	host, limit := req.URL.Hostname(), min(p.Timeout, time.Second)
	isHere := host == "localhost" || net.ParseIP(host).IsLoopback()
	if isHere && !p.inVain[what] {
		limit = p.Timeout
	}
	req.Header.Set("Expect", "100-continue")
	switch a, err := p.talk(r, req, nil, limit, false); {
	case a.status != 0:
		p.seen.Note(what)
	case isHere && errors.Is(err, os.ErrDeadlineExceeded) && !p.inVain[what]:
		p.inVain[what] = true
		a.broke(ruleStatus, "body first", "no answer within %v to a request with no credentials before its body came: "+
			"wrong credentials must be refused first", limit)
	default:
		p.unseen(r, "whether credentials are looked at before the body: the server, or a proxy, wanted the body first")
	}
}

// talk sends the head of a request and the beginning of its body. The
// status of the answer is 0 where there is none in time.
func (p *prober) talk(
	r *operation, req *http.Request, begun []byte, limit time.Duration, hangUp bool,
) (a answer, err error) {
	if a = (answer{p: p, route: r, req: req}); p.late >= 3 {
		return a, nil
	}
	address := req.URL.Host
	if req.URL.Port() == "" {
		address = net.JoinHostPort(req.URL.Hostname(), req.URL.Scheme)
	}
	ctx, cancel := context.WithTimeout(p.Context(), limit)
	defer cancel()
	conn, err := p.dial(ctx, "tcp", address)
	if err != nil {
		return a, nil // it is not there
	}
	if req.URL.Scheme == "https" {
		conn = tls.Client(conn, p.trusting(req.URL.Hostname()))
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(limit))
	w := bufio.NewWriter(conn)
	req.Body, req.Close = io.NopCloser(bytes.NewReader(begun)), true
	_ = req.Write(w) // it finds the body too short
	_ = w.Flush()
	if hangUp {
		_ = conn.(interface{ CloseWrite() error }).CloseWrite()
	}
	p.answered = "; before it, " + req.Method + " " + req.URL.EscapedPath() + " was cut off in its body"
	from := bufio.NewReader(conn)
	resp, err := http.ReadResponse(from, req)
	for err == nil && resp.StatusCode == http.StatusContinue {
		resp, err = http.ReadResponse(from, req)
	}
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if a.status, a.header = resp.StatusCode, resp.Header; a.status >= 400 {
		p.holds(a, nil, said)
	}
	return a, nil
}

// trusting returns the settings by which other requests trust a host, for HTTP/1.1.
func (p *prober) trusting(host string) *tls.Config {
	settings := &tls.Config{}
	if shared, ok := p.transport.(*http.Transport); ok && shared.TLSClientConfig != nil {
		settings = shared.TLSClientConfig.Clone()
	}
	settings.ServerName, settings.NextProtos = cmp.Or(settings.ServerName, host), nil
	return settings
}
