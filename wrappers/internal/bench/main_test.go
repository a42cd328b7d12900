package bench

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	quick  = flag.Bool("quick", false, "run everything once, in minutes; the figures mean nothing")
	rounds = flag.Int("rounds", 7, "how often a full run makes each comparison")
	out    = flag.String("out", "results", "folder for the files of a full run")
)

// The environment tells a child process of this test binary its part.
const (
	envServe  = "PUTPOST_BENCH_SERVE"  // be this server: discard, memory or a folder
	envDelay  = "PUTPOST_BENCH_DELAY"  // wait so long before each answer
	envServer = "PUTPOST_BENCH_SERVER" // use this server, as it announced itself
)

func TestMain(m *testing.M) {
	flag.Parse()
	if keep := os.Getenv(envServe); keep != "" {
		serve(keep)
		return
	}
	for _, name := range []string{"http_proxy", "https_proxy", "all_proxy"} { // what measures the loopback stays there
		os.Unsetenv(name)
		os.Unsetenv(strings.ToUpper(name))
	}
	code := m.Run()
	for _, c := range children {
		c.stop()
	}
	if scratch != "" {
		os.RemoveAll(scratch)
	}
	os.Exit(code)
}

// server is a server process, by its own words.
type server struct {
	Base    map[string]string // scheme, host and port for each way
	Control string            // address of its counters
	CA      string            // PEM file of its certificate
	pid     int
}

// child is a server process. It ends when its standard input does.
type child struct {
	*exec.Cmd
	stdin io.Closer
}

var children []child

func (c child) stop() {
	c.stdin.Close()
	c.Process.Signal(syscall.SIGTERM)
	end := time.AfterFunc(5*time.Second, func() { c.Process.Kill() })
	defer end.Stop()
	c.Wait()
}

// start starts cmd and returns the first line that it prints.
func start(tb testing.TB, cmd *exec.Cmd) string {
	tb.Helper()
	stdin, err := cmd.StdinPipe()
	must(tb, err)
	stdout, err := cmd.StdoutPipe()
	must(tb, err)
	must(tb, cmd.Start())
	children = append(children, child{cmd, stdin})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	must(tb, err)
	return strings.TrimSpace(line)
}

// startServer starts a server of this binary; keep says what it does with files.
func startServer(tb testing.TB, keep string, delay time.Duration) server {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envServe+"="+keep, envDelay+"="+delay.String(), "TMPDIR="+folder(tb))
	var s server
	must(tb, json.Unmarshal([]byte(start(tb, cmd)), &s))
	s.pid = cmd.Process.Pid
	return s
}

// shared is the server of the measuring process: its parent's, or a new one.
var shared = sync.OnceValue(func() (s server) {
	if text := os.Getenv(envServer); text != "" {
		_ = json.Unmarshal([]byte(text), &s)
	}
	return s
})

func (s server) ask(tb testing.TB, path string, answer any) {
	tb.Helper()
	resp, err := http.Get(s.Control + path)
	must(tb, err)
	defer resp.Body.Close()
	must(tb, json.NewDecoder(resp.Body).Decode(answer))
}

var scratch string

// folder is a folder for the whole run.
func folder(tb testing.TB) string {
	tb.Helper()
	if scratch == "" {
		var err error
		scratch, err = os.MkdirTemp("", "putpost-bench-")
		must(tb, err)
	}
	return scratch
}

// file is a file of size random bytes, made once.
func file(tb testing.TB, size int64) string {
	tb.Helper()
	path := filepath.Join(os.TempDir(), fmt.Sprintf("putpost-bench-%d-%d.pdf", os.Getuid(), size))
	if info, err := os.Stat(path); err == nil && info.Size() == size {
		return path
	}
	f, err := os.CreateTemp(os.TempDir(), "putpost-bench-")
	must(tb, err)
	_, err = io.Copy(f, io.LimitReader(rand.NewChaCha8([32]byte{}), size))
	must(tb, err)
	must(tb, f.Close())
	must(tb, os.Rename(f.Name(), path))
	return path
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// cpu is the processor time of this process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// proc reads one number of a process's state from the kernel: its peak memory
// in bytes, or its processor time. Where there is no /proc it is 0.
func proc(pid int, peak bool) float64 {
	if peak {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, after, _ := strings.Cut(string(text), "VmHWM:")
		kb, _ := strconv.ParseFloat(strings.Fields(after + " 0 ")[0], 64)
		return kb * 1024
	}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(text), ") ")
	if fields := strings.Fields(after); len(fields) > 12 {
		user, _ := strconv.ParseFloat(fields[11], 64)
		system, _ := strconv.ParseFloat(fields[12], 64)
		return (user + system) / 100 * float64(time.Second) // in ticks of 10 ms
	}
	return 0
}
