package uploadtest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// cutsOff hangs up in the middle of a file, but still listens. What arrived
// must not count as a file.
func (p *prober) cutsOff(r *routers.Route, s sample) {
	if size, ok := s.carriesFile(); !ok || size < 2 || p.late >= 3 {
		return
	}
	req := p.good(r, s)
	address := req.URL.Host
	if req.URL.Port() == "" {
		address = net.JoinHostPort(req.URL.Hostname(), req.URL.Scheme)
	}
	ctx, cancel := context.WithTimeout(p.Context(), p.Timeout)
	defer cancel()
	dial := (&net.Dialer{}).DialContext
	if req.URL.Scheme == "https" {
		dial = (&tls.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(p.Timeout))
	w := bufio.NewWriter(conn)
	req.Body, req.Close = io.NopCloser(bytes.NewReader(s.body[:len(s.body)/2])), true
	_ = req.Write(w) // it finds the body too short
	_ = w.Flush()
	_ = conn.(interface{ CloseWrite() error }).CloseWrite()
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return // a server owes no answer to those who hang up
	}
	defer resp.Body.Close()
	if p.seen.note("file that is cut off"); resp.StatusCode/100 == 2 {
		p.broke(r, req, contract.RuleStatus, "cut", "%d to a file whose sender hung up in the middle of it", resp.StatusCode)
	}
}
