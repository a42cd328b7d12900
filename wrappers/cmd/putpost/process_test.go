//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/journal"
	"github.com/putpost/putpost/wrappers/internal/standintest"
)

// process is the program as a process of its own.
type process struct {
	*exec.Cmd
	stdout, stderr standintest.Log
}

func command(t *testing.T, env map[string]string, args ...string) *process {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out the program as a process of its own: signals, drains, and runs that are killed")
	}
	self, err := os.Executable()
	must(t, err)
	p := &process{Cmd: exec.CommandContext(t.Context(), self, args...)}
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	// Without GOCOVERDIR a program with coverage writes a warning to standard
	// error.
	p.Env = []string{"PUTPOST_TEST_IS_PROGRAM=1", "TMPDIR=" + t.TempDir(), "GOCOVERDIR=" + t.TempDir()}
	for name, value := range env {
		p.Env = append(p.Env, name+"="+value)
	}
	return p
}

func (p *process) start(t *testing.T) {
	t.Helper()
	must(t, p.Start())
}

// end waits for the end and returns the outcome.
func (p *process) end() result {
	p.Wait()
	return result{p.Args, p.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Error(err)
	}
}

// says waits for words on standard error.
func (p *process) says(t *testing.T, words string) {
	t.Helper()
	until(t, words, func() bool { return strings.Contains(p.stderr.String(), words) })
}

// gate holds uploads until it is opened, and signals each that arrives.
type gate struct {
	came chan struct{}
	open chan struct{}
}

func (s *service) gate() gate {
	g := gate{make(chan struct{}, 100), make(chan struct{})}
	s.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		g.came <- struct{}{}
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
		next.ServeHTTP(w, r)
	})
	return g
}

// interrupted starts to send the files, three at once, and signals the process
// while uploads are under way. It returns when the process has answered.
func interrupted(t *testing.T, sig os.Signal, files, underWay int) (p *process, open chan struct{}) {
	t.Helper()
	s := newService(t)
	g := s.gate()
	p = command(t, s.env, "send", "--to", "ncloudmailer", "-c", "3", "-r", small(t, files))
	p.start(t)
	await(t, "the uploads", g.came, underWay)
	p.signal(t, sig)
	p.says(t, fmt.Sprintf("finishing %d files under way within ", underWay))
	return p, g.open
}

func TestTheFirstInterruptFinishesWhatIsInFlight(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p, open := interrupted(t, sig, 20, 3)
		close(open)
		p.end().is(t, 1, 3, "3 sent; the others were not sent")
	}
}

func TestAnInterruptThatFindsAllInFlightLosesNothing(t *testing.T) {
	p, open := interrupted(t, os.Interrupt, 2, 2)
	close(open)
	p.end().is(t, 0, 2)
}

func TestTheSecondInterruptStopsAtOnce(t *testing.T) {
	p, open := interrupted(t, os.Interrupt, 20, 3)
	defer close(open)
	p.signal(t, os.Interrupt)
	got := p.end().is(t, 1, 0)
	if strings.Count(got.stderr, "interrupted\n") != 3 || strings.Contains(got.stderr, "canceled") {
		t.Errorf("got %+v", got)
	}
}

func TestAVerbThatIsInterruptedSaysSo(t *testing.T) {
	for _, to := range providers {
		for _, v := range to.verbs {
			s := newService(t)
			g := s.gate()
			p := command(t, s.env, v.name, "x", "y")
			p.start(t)
			await(t, "the call", g.came, 1)
			p.signal(t, os.Interrupt)
			p.end().refused(t, 1, ": interrupted\n")
			close(g.open)
		}
	}
}

// A run that waits for standard input has nothing in flight.
func TestAnInterruptEndsTheWaitForStandardInput(t *testing.T) {
	for _, args := range [][]string{{"-"}, {"--files-from", "-"}} {
		s := newService(t)
		n := s.sends()
		p := command(t, s.env, append([]string{"send", "--to", "ncloudmailer"}, args...)...)
		stdin, err := p.StdinPipe()
		must(t, err)
		path := filepath.Join(files(t, "a", "a"), "a")
		p.start(t)
		fmt.Fprintln(stdin, path)
		if args[0] == "-" {
			tmp := strings.TrimPrefix(p.Env[1], "TMPDIR=")
			until(t, "the spooling", func() bool { // the temporary file is open and has no name
				link, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.Process.Pid))
				for _, fd := range link {
					if to, _ := os.Readlink(fd); strings.HasPrefix(to, tmp) && strings.HasSuffix(to, "(deleted)") {
						return true
					}
				}
				return err != nil || len(link) == 0 // no such file system
			})
		} else {
			until(t, "the file of the list", func() bool { return n.Load() == 1 })
		}
		p.signal(t, os.Interrupt)
		p.end().is(t, 1, int(n.Load()))
		stdin.Close()
	}
}

func TestAKilledRunIsTakenUpWhereItWas(t *testing.T) {
	const count, at, kills = 300, 8, 3
	for provider := range providers {
		t.Run(provider, func(t *testing.T) {
			s := newService(t)
			n := s.sends()
			dir, noted := small(t, count), filepath.Join(t.TempDir(), "j")
			args := []string{"send", "--to", provider, "-c", fmt.Sprint(at), "--journal", noted, "-r", dir}
			printed := 0
			for range kills {
				before := n.Load()
				p := command(t, s.env, args...)
				p.start(t)
				until(t, "some uploads", func() bool { return n.Load() >= before+40 })
				p.signal(t, syscall.SIGKILL)
				printed += len(rows(p.end().stdout))
				if content, _ := os.ReadFile(noted); bytes.Count(content, []byte("\n")) < printed {
					t.Error("a file was reported before the journal had it")
				}
			}
			if last := invoke(s.env, nil, args...); last.code != 0 {
				t.Fatalf("the last run: %+v", last)
			}
			if sent := n.Load(); sent < count || sent > count+kills*at {
				t.Errorf("%d uploads for %d files after %d kills with %d in flight", sent, count, kills, at)
			}
			to := providers[provider]
			j, err := journal.Open(noted, journal.Target{To: provider,
				Base: to.destination(environ(s.env))})
			must(t, err)
			defer j.Close()
			for i := range count {
				e, sent, err := j.Lookup(filepath.Join(dir, fmt.Sprint(i)))
				if err != nil || !sent {
					t.Fatalf("the journal does not have file %d: %v", i, err)
				}
				if content, _ := s.stored(t, provider, e.ID); content != fmt.Sprint("content of ", i) {
					t.Fatalf("file %d is stored as %q", i, content)
				}
			}
		})
	}
}

func TestAReaderThatLeftIsAnError(t *testing.T) {
	s := newService(t)
	p := command(t, s.env, "send", "--to", "ncloudmailer", "-r", small(t, 20))
	r, w, err := os.Pipe()
	must(t, err)
	p.Stdout = w
	r.Close()
	p.start(t)
	w.Close()
	p.end().is(t, 1, 0, "broken pipe")
}

func TestAfterTheFirstSignalNothingWaitsForADocument(t *testing.T) {
	s := newService(t)
	asked := s.pending()
	p := command(t, s.env, "send", "--to", "twentyfourseven", "--wait", "-r", small(t, 2))
	p.start(t)
	await(t, "a question for the status", asked, 2)
	p.signal(t, syscall.SIGTERM)
	began := time.Now()
	if got := p.end().is(t, 1, 0); time.Since(began) > graceTime/2 || strings.Count(got.stderr, ": sent as ") != 2 {
		t.Errorf("after %s: %+v", time.Since(began), got)
	}
}
