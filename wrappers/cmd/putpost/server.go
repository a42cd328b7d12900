package main

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// newServer returns a server for large files: only a request's header, and the
// time between two requests, have a limit. The stand-ins end a body that stops
// coming.
func newServer(h http.Handler, maxHeader int, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// limited is a listener that holds a limited number of connections. Further
// callers wait, in the queue of the operating system.
type limited struct {
	net.Listener
	srv   *http.Server
	slots chan struct{}
	done  chan struct{}
	once  sync.Once
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
	// Somebody waits, so connections without a request are closed now, and
	// the others after their answer.
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

func (l *limited) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}
