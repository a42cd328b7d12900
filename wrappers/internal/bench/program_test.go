package bench

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	toNAVER = "$putpost send --to ncloudmailer "
	// The filter spares time: without it strace stops a program at each system
	// call.
	strace = "strace -f -qq --seccomp-bpf -e trace=fsync,fdatasync "
)

// programs are the command lines that BenchmarkProgram compares. Func thing
// replaces each word that begins with $.
var programs = map[string]string{
	"send=2000/at=16/peer=putpost":                    toNAVER + "-c 16 -r $small",
	"send=2000/at=16/peer=curl":                       "curl",
	"send=2000/at=16/peer=node":                       "node $undici $small $base",
	"journal/at=16/peer=putpost":                      strace + toNAVER + "-c 16 --journal $new -r $small",
	"journal/at=64/peer=putpost":                      strace + toNAVER + "-c 64 --journal $new -r $small",
	"resume=100000/peer=putpost":                      toNAVER + "-c 64 --journal $journal -r $tiny",
	"resume=100000/peer=find":                         `find $tiny -printf %s_%T@_%p\n`,
	"load=1000000/peer=putpost":                       toNAVER + "--journal $long --dry-run ${1KiB}",
	"load=1000000/peer=sha256sum":                     "sha256sum $long",
	"batch=10000/delay=50ms/at=32/way=M/peer=putpost": toNAVER + "-c 32 -r $many",
	"batch=10000/delay=50ms/at=32/way=P/peer=putpost": "$putpost send --to twentyfourseven -c 32 -r $many",
	"lean/way=M/peer=1GiB":                            "$lean M $base ${1GiB}",
	"lean/way=M/peer=16KiB":                           "$lean M $base ${16KiB}",
	"lean/way=P/peer=1GiB":                            "$lean P $base ${1GiB}",
	"lean/way=P/peer=16KiB":                           "$lean P $base ${16KiB}",
	"help/peer=putpost":                               "$putpost --help",
	"help/peer=hello":                                 "$hello",
}

// program returns the command of a line, with the environment to send to a
// server.
func program(line, base string) *exec.Cmd {
	if line == "curl" {
		return curl("curl-F", base, must(filepath.Glob(thing("small", base)+"/*")), 16)
	}
	words := strings.Fields(os.Expand(line, func(name string) string { return thing(name, base) }))
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), "NCLOUD_MAILER_BASE_URL="+base+"/api/v1", "TWENTYFOURSEVEN_BASE_URL="+base+"/v1",
		"TWENTYFOURSEVEN_TOKEN=", "TWENTYFOURSEVEN_CLIENT_ID=test-client-id", "TWENTYFOURSEVEN_ORGANIZATION=1",
		"TWENTYFOURSEVEN_CLIENT_SECRET=test-client-secret", "TWENTYFOURSEVEN_TOKEN_URL="+base+"/oauth/token")
	return cmd
}

// BenchmarkProgram runs programs to their end. Their server is this process.
func BenchmarkProgram(b *testing.B) {
	s := newSink("nothing")
	base := s.serve()[1]
	for name, line := range programs {
		b.Run(name, func(b *testing.B) {
			cmd := program(line, base)
			if strings.Contains(name, "delay=50ms") {
				s.delay = 50 * time.Millisecond
			}
			s.handshakes.Store(0)
			fsyncs := 0
			measure(b, usage(syscall.RUSAGE_CHILDREN), func() {
				for range b.N {
					fsyncs = strings.Count(finish(b, cmd), "sync(")
					cmd = program(line, base) // a command runs once
				}
			})
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "wall-s")
			b.ReportMetric(float64(must(os.Stat(cmd.Path)).Size())/1e6, "size-MB")
			b.ReportMetric(float64(s.handshakes.Load())/float64(b.N), "handshakes")
			b.ReportMetric(float64(s.tokens.Load()), "tokens")
			b.ReportMetric(float64(fsyncs)/float64(few(2000)), "fsyncs/file")
		})
	}
}

const kib = 1 << 10

var sizes = map[string]int64{"1B": 1, "1KiB": kib, "16KiB": 16 * kib, "64KiB": 64 * kib, "256KiB": 256 * kib,
	"10MiB": 10 << 20, "1GiB": 1 << 30}

// file returns a file of random bytes, or a smaller one in a quick run.
func file(size string) string {
	n := sizes[size]
	if *quick {
		n = min(n, 32<<20)
	}
	return once(fmt.Sprint(n, ".pdf"), func(path string) {
		f := must(os.Create(path))
		must(io.Copy(f, content(n)))
		check(f.Close())
	})
}

// content returns different bytes for each size, so a file that was cut off is
// noticed.
func content(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}),
		size)
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

// thing returns the path for a word of a command line: a program, a file or a
// folder. Most are made once for the whole run.
func thing(name, base string) string {
	switch name {
	case "base":
		return base
	case "new":
		return filepath.Join(must(os.MkdirTemp("", "")), name)
	case "1KiB", "16KiB", "1GiB":
		return file(name)
	}
	return once(name, func(path string) {
		switch name {
		case "putpost":
			build(path, "../../cmd/putpost", ".")
		case "lean":
			build(path, "lean", ".")
		case "hello":
			write(path+".go", hello)
			build(path, ".", path+".go")
		case "undici":
			write(path, undici)
		case "small":
			folder(path, few(2000), "16KiB")
		case "many":
			folder(path, few(10_000), "16KiB")
		case "tiny":
			folder(path, few(100_000), "1B")
		case "journal": // of all tiny files
			run(program(strings.ReplaceAll(programs["resume=100000/peer=putpost"], "$journal", path), base))
		case "long": // ten times the journal's lines, each with a path of its own
			short, long := string(must(os.ReadFile(thing("journal", base)))), ""
			for i := range 10 {
				long += strings.ReplaceAll(short, "/f", fmt.Sprint("/", i))
			}
			write(path, long)
		}
	})
}

// build builds a main package, stripped.
func build(path, dir, pkg string) {
	run(exec.Command("go", "build", "-C", dir, "-trimpath", "-ldflags=-s -w", "-o", path, pkg))
}

func run(cmd *exec.Cmd) {
	cmd.Stderr = os.Stderr
	check(cmd.Run())
}

func write(path, text string) { check(os.WriteFile(path, []byte(text), 0o600)) }

// folder makes a folder with count files.
func folder(path string, count int, size string) {
	content := string(must(os.ReadFile(file(size))))
	check(os.Mkdir(path, 0o700))
	for i := range count {
		write(filepath.Join(path, fmt.Sprintf("f%06d-%d.pdf", i, sizes[size])), content)
	}
}

const (
	hello  = `package main; import "net/http"; func main() { println(http.DefaultClient.Timeout) }` // links TLS
	undici = `
const fs = require('fs'), path = require('path');
const [dir, base] = process.argv.slice(2);
const names = fs.readdirSync(dir);
async function worker() {
  for (let name; (name = names.pop()) !== undefined;) {
    const form = new FormData();
    form.append('fileList', await fs.openAsBlob(path.join(dir, name), {type: 'application/pdf'}), name);
    const resp = await fetch(base + '/api/v1/files', {method: 'POST', body: form});
    if (resp.status !== 201) throw new Error('status ' + resp.status);
    await resp.json();
  }
}
Promise.all(Array.from({length: 16}, worker)).catch(e => { console.error(e); process.exit(1); });
`
)
