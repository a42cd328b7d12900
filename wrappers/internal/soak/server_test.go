//go:build unix

package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	ncloudmailer "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
	twentyfourseven "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
)

const (
	clientID     = "test-client-id"
	clientSecret = "test-client-secret"
	accessKey    = "test-access-key"
	secretKey    = "test-secret-key"
)

// standins holds both stand-ins with one store.
type standins struct {
	twentyfourseven *twentyfourseven.Handler
	ncloudmailer    *ncloudmailer.Handler
}

// open makes the stand-ins on the folder dir.
func open(dir string) (s standins, err error) {
	st, err := store.Disk(dir)
	if err != nil {
		return s, err
	}
	s.twentyfourseven, err = twentyfourseven.New(twentyfourseven.Config{
		Store: st, ClientID: clientID, ClientSecret: clientSecret, TokenLife: tokenLife,
	})
	if err != nil {
		return s, err
	}
	s.ncloudmailer, err = ncloudmailer.New(ncloudmailer.Config{Store: st, AccessKey: accessKey, SecretKey: secretKey})
	return s, err
}

// figures are the measurements of a process.
type figures struct {
	RSS        int64 // in bytes; 0 if unknown
	Heap       int64 // in bytes
	Goroutines int

	Requests int64
	Spoiled  []int64 // by kind
}

const (
	serveVar = "PUTPOST_SOAK_SERVE" // the store's folder, for the process that serves
	everyVar = "PUTPOST_SOAK_EVERY" // n: every nth request is spoiled

	// tokenLife makes tokens expire during the load.
	tokenLife = 20 * time.Second
)

// serve runs the stand-ins in a process of their own. It prints its address as
// the first line. It ends when its standard input is closed, so it never
// outlives the test.
func serve(dir string) error {
	every, err := strconv.ParseInt(os.Getenv(everyVar), 10, 64)
	if err != nil {
		return err
	}
	s, err := open(dir)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	spoil := &spoiler{next: mux, every: every}
	mux.Handle("/api/", s.ncloudmailer)
	mux.Handle("/", s.twentyfourseven)
	srv := &http.Server{ErrorLog: log.New(io.Discard, "", 0)}
	var unused sync.Map // connections without a request yet; they count as busy for 5 s
	srv.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateNew {
			unused.Store(conn, nil)
		} else {
			unused.Delete(conn)
		}
	}
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/calm":
			// No request is under way, so a goroutine that is left now is a leak.
			srv.SetKeepAlivesEnabled(false)
			defer srv.SetKeepAlivesEnabled(true)
			for conn := range unused.Range {
				conn.(net.Conn).Close()
			}
			collect()
			fallthrough
		case "/figures":
			f := measure()
			f.Requests = spoil.requests.Load()
			for i := range kinds {
				f.Spoiled = append(f.Spoiled, spoil.spoiled[i].Load())
			}
			_ = json.NewEncoder(w).Encode(f)
		case "/oauth/token":
			mux.ServeHTTP(w, r) // one lost token would fail many uploads
		default:
			spoil.ServeHTTP(w, r)
		}
	})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = srv.Shutdown(context.Background())
	}()
	fmt.Println("http://" + ln.Addr().String())
	if err := srv.Serve(ln); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// server is the process of serve, as the test sees it.
type server struct {
	url    string
	cmd    *exec.Cmd
	stdin  io.Closer
	client *http.Client // for figures
}

func startServer(t *testing.T, dir string, every int) *server {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out the load, and the kill: what is acknowledged is there and whole")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{cmd: exec.Command(self)}
	s.cmd.Env = append(os.Environ(), serveVar+"="+dir, fmt.Sprintf("%s=%d", everyVar, every))
	s.cmd.Stderr = os.Stderr
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(t) })
	if s.url, err = bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%v after %q", err, s.url)
	}
	s.url = strings.TrimSpace(s.url)
	s.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return s
}

// stop ends the process after all requests have ended.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if s.cmd.ProcessState != nil {
		return
	}
	s.stdin.Close()
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the stand-ins: %v", err)
	}
}

func (s *server) ask(t *testing.T, path string) (f figures) {
	t.Helper()
	resp, err := s.client.Get(s.url + path)
	if err != nil {
		t.Error(err)
		return f
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&f); err != nil {
		t.Error(err)
	}
	return f
}
