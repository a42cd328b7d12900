package bench

import (
	"bufio"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These variables make another process of this test binary a server or a
// benchmark.
const (
	envKeep = "PUTPOST_BENCH_KEEP" // serve, and keep files as newSink says
	envSink = "PUTPOST_BENCH_SINK" // measure with the server at these addresses
)

func TestMain(m *testing.M) {
	flag.Parse()
	if keep := os.Getenv(envKeep); keep != "" {
		fmt.Println(strings.Join(newSink(keep).serve(), " "))
		io.Copy(io.Discard, os.Stdin)
		return
	}
	if os.Getenv(envSink) == "" {
		dir := must(os.MkdirTemp("", "putpost-bench-"))
		defer os.RemoveAll(dir)
		lender := httptest.NewTLSServer(nil) // has the certificate of all test servers
		ca := filepath.Join(dir, "ca.pem")
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lender.Certificate().Raw})
		check(os.WriteFile(ca, text, 0o600))
		for name, value := range map[string]string{"TMPDIR": dir, "no_proxy": "*", "SSL_CERT_FILE": ca,
			"CURL_CA_BUNDLE": ca, "NODE_EXTRA_CA_CERTS": ca, "TWENTYFOURSEVEN_TOKEN": token,
			"NCLOUD_ACCESS_KEY": "test-access-key", "NCLOUD_SECRET_KEY": "test-secret-key"} {
			os.Setenv(name, value)
		}
		urls, stop := start(sinkProcess("nothing"))
		defer stop()
		os.Setenv(envSink, strings.Join(urls, " "))
	}
	m.Run()
}

func sinkProcess(keep string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envKeep+"="+keep)
	return cmd
}

// start starts a server that prints its addresses.
func start(cmd *exec.Cmd) (urls []string, stop func()) {
	stdin, stdout := must(cmd.StdinPipe()), must(cmd.StdoutPipe())
	check(cmd.Start())
	said := bufio.NewReader(stdout)
	line := must(said.ReadString('\n'))
	go io.Copy(io.Discard, said)
	return strings.Fields(line), func() {
		stdin.Close()
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// once returns a file that all processes share. The first process that needs it
// makes it.
func once(name string, create func(path string)) (path string) {
	path = filepath.Join(os.TempDir(), name)
	if _, err := os.Stat(path); err != nil {
		create(path)
	}
	return path
}

// file makes a file of size random bytes.
func file(size int64) string {
	return once(fmt.Sprint(size, ".pdf"), func(path string) {
		f := must(os.Create(path))
		must(io.Copy(f, content(size)))
		check(f.Close())
	})
}

// content returns different bytes for each size, so a file that was cut off is
// noticed.
func content(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}), size)
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}

// cpu returns the processor time of this process so far, in nanoseconds.
func cpu() float64 {
	var u syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

// kernel reads the number after a word in a file of the kernel. It returns 0 if
// there is none.
func kernel(path, word string) float64 {
	text, _ := os.ReadFile(path)
	_, after, _ := strings.Cut(string(text), word)
	n, _ := strconv.ParseFloat(strings.Fields(after + " 0")[0], 64)
	return n
}

// cpuOf returns the processor time of all threads of a running process.
func cpuOf(cmd *exec.Cmd) (ns float64) {
	for _, path := range must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", cmd.Process.Pid))) {
		ns += kernel(path, "")
	}
	return ns
}

// peakMB returns the peak memory of a running process, such as "self".
func peakMB(pid any) float64 {
	return kernel(fmt.Sprintf("/proc/%v/status", pid), "VmHWM:") * kib / 1e6
}

// cost runs a program to its end. It reads the peak while the program runs,
// because getrusage would count the memory of this process. It does not read
// often, because that takes the program's time.
func cost(cmd *exec.Cmd) (cpu, peak float64, text string) {
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				log.Panicf("%s: %v: %.300s", cmd.Args[0], err, said.String())
			}
			return float64(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()), peak, said.String()
		case <-time.After(5 * time.Millisecond):
			peak = max(peak, peakMB(cmd.Process.Pid))
		}
	}
}
