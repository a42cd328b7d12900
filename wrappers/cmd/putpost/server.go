package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// newServer returns a server for large files. It limits the time for a
// request's header and between two requests. The stand-ins end a stalled body.
func newServer(h http.Handler, maxHeader int, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// limited is a listener with a limited number of connections. Further callers
// wait in the queue of the operating system.
type limited struct {
	net.Listener
	srv   *http.Server
	slots chan struct{}
	done  chan struct{}
}

// limit returns ln with at most n connections of srv.
func limit(ln net.Listener, srv *http.Server, n int) net.Listener {
	l := &limited{Listener: ln, srv: srv, slots: make(chan struct{}, n), done: make(chan struct{})}
	srv.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			<-l.slots
		}
	}
	return l
}

func (l *limited) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case l.slots <- struct{}{}:
		return conn, nil
	default:
	}
	// A caller waits, so idle connections are closed now, and the others after
	// their answer.
	l.srv.SetKeepAlivesEnabled(false)
	defer l.srv.SetKeepAlivesEnabled(true)
	select {
	case l.slots <- struct{}{}:
		return conn, nil
	case <-l.done:
		conn.Close()
		return nil, net.ErrClosed
	}
}

// Close is called once, by http.Server.
func (l *limited) Close() error {
	close(l.done)
	return l.Listener.Close()
}

// origin returns the function that returns the address by which a client
// reaches the server. If it is nil, the request gives the address.
func (c *serveCmd) origin() (func(*http.Request) string, error) {
	switch {
	case c.PublicURL != "" && c.BehindProxy:
		return nil, errors.New("use either --public-url or --behind-proxy, not both")
	case c.BehindProxy:
		return forwardedOrigin, nil
	case c.PublicURL == "":
		return nil, nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Host) || strings.Trim(u.Path, "/") != "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("--public-url is not an address like https://files.example; " +
			"it needs a scheme and a host, may have a port, and has no path")
	}
	c.PublicURL = u.Scheme + "://" + u.Host
	return func(*http.Request) string { return c.PublicURL }, nil
}

// forwardedOrigin returns the address that the client asked the proxy for. Each
// proxy appends an entry to a header, so the first entry is the client's. An
// invalid host, scheme or port counts as missing. A port in the host counts
// before X-Forwarded-Port.
func forwardedOrigin(r *http.Request) string {
	host, scheme := first(r.Header.Values("X-Forwarded-Host")), first(r.Header.Values("X-Forwarded-Proto"))
	if host == "" && scheme == "" {
		host, scheme = parseForwarded(first(r.Header.Values("Forwarded")))
	}
	if !isHost(host) {
		host = r.Host
	}
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" {
		scheme = "http"
		if r.TLS != nil {
			scheme = "https"
		}
	}
	if host == "" {
		return ""
	}
	u := url.URL{Scheme: scheme, Host: host}
	usual := map[string]uint64{"http": 80, "https": 443}[scheme]
	port, err := strconv.ParseUint(first(r.Header.Values("X-Forwarded-Port")), 10, 16)
	if err == nil && port > 0 && port != usual && u.Port() == "" {
		u.Host = fmt.Sprintf("%s:%d", host, port)
	}
	return u.String()
}

// first returns the first entry of a list that may span several headers.
func first(values []string) string {
	for _, value := range values {
		quoted := false
		end := strings.IndexFunc(value, func(r rune) bool {
			if r == '"' {
				quoted = !quoted
			}
			return r == ',' && !quoted
		})
		if end >= 0 {
			value = value[:end]
		}
		if value = strings.TrimSpace(value); value != "" {
			return value
		}
	}
	return ""
}

// parseForwarded reads one entry of the header Forwarded (RFC 7239), such as
// for=192.0.2.60;proto=https;host="files.example:8443".
func parseForwarded(entry string) (host, scheme string) {
	for pair := range strings.SplitSeq(entry, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "host":
			host = value
		case "proto":
			scheme = value
		}
	}
	return host, scheme
}

// isHost reports whether text is a host, with or without a port.
func isHost(text string) bool {
	u, err := url.Parse("http://" + text)
	return err == nil && u.Host == text && u.Hostname() != "" && !strings.ContainsAny(text, " \t<>\"'`\\^{}|%,;")
}

// reachable returns the host and port of addr for another machine. If addr
// stands for all addresses of this machine, it takes one of them.
func reachable(addr *net.TCPAddr) string {
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		name, _ := os.Hostname()
		host = cmp.Or(ownAddress(), name, "localhost")
	} else if addr.Zone != "" {
		host += "%25" + addr.Zone
	}
	return net.JoinHostPort(host, strconv.Itoa(addr.Port))
}

// ownAddress returns an address of this machine other than loopback, IPv4
// rather than IPv6.
func ownAddress() (best string) {
	addrs, _ := net.InterfaceAddrs()
	for _, addr := range addrs {
		ip, _, err := net.ParseCIDR(addr.String())
		if err != nil || !ip.IsGlobalUnicast() {
			continue
		}
		if ip.To4() != nil {
			return ip.String()
		}
		best = cmp.Or(best, ip.String())
	}
	return best
}

// drainTime is how long requests under way may take after the first signal.
const drainTime = 30 * time.Second

// serve serves until a signal comes. It returns nil if all requests under
// way were finished. It calls announce after it can handle a signal, because a
// reader of the announcement may send one at once. It calls say when it begins
// to stop. Meanwhile it runs background, and ends its context at the end.
func serve(
	srv *http.Server, ln net.Listener, announce func() error, say func(string), background func(context.Context),
) error {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { background(ctx) })
	defer running.Wait()
	defer cancel()
	drained := make(chan error, 2) // the first of two results counts
	release := onInterrupt(func() {
		say("finishing the requests under way; interrupt again to stop now")
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), drainTime)
			defer cancel()
			drained <- srv.Shutdown(ctx)
		}()
	}, func() {
		drained <- errInterrupted // before Shutdown returns because of Close
		srv.Close()
	})
	defer release()
	if err := announce(); err != nil {
		return err
	}
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cannot serve: %w", err)
	}
	switch err := <-drained; {
	case errors.Is(err, context.DeadlineExceeded):
		srv.Close()
		return fmt.Errorf("requests that were still under way after %s were cut off", drainTime)
	case errors.Is(err, errInterrupted):
		return errors.New("interrupted: the requests under way are cut off")
	}
	return nil
}
