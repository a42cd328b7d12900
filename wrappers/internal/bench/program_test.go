package bench

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// programs are the command lines that BenchmarkProgram compares. The func thing
// replaces a $word.
var programs = map[string]string{
	"send=2000/at=16/peer=putpost":       "$putpost send --to ncloudmailer -c 16 -r $small",
	"send=2000/at=16/peer=curl":          "curl",
	"send=2000/at=16/peer=node":          "node $undici $small $base",
	"journal/at=16/by=strace-seccomp":    "$strace $putpost send --to ncloudmailer -c 16 --journal $new -r $small",
	"journal/at=64/by=strace-seccomp":    "$strace $putpost send --to ncloudmailer -c 64 --journal $new -r $small",
	"resume=100000/peer=putpost":         "$putpost send --to ncloudmailer -c 64 --journal $journal -r $tiny",
	"resume=100000/peer=find":            `find $tiny -printf %s_%T@_%p\n`,
	"load=1000000/peer=putpost":          "$putpost send --to ncloudmailer --journal $long --dry-run ${1KiB}",
	"load=1000000/peer=sha256sum":        "sha256sum $long",
	"batch=10000/delay=50ms/at=32/way=M": "$putpost send --to ncloudmailer -c 32 -r $many",
	"batch=10000/delay=50ms/at=32/way=P": "$putpost send --to twentyfourseven -c 32 -r $many",
	"lean/way=M/peer=1GiB":               "$lean M $base ${1GiB}",
	"lean/way=M/peer=16KiB":              "$lean M $base ${16KiB}",
	"lean/way=P/peer=1GiB":               "$lean P $base ${1GiB}",
	"lean/way=P/peer=16KiB":              "$lean P $base ${16KiB}",
	"help/peer=putpost":                  "$putpost --help",
	"help/peer=hello":                    "$hello",
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

// thing returns the path for a word of a command line: a program, a file or a
// folder. Most are made once for the whole run.
func thing(name, base string) string {
	switch name {
	case "base":
		return base
	case "strace": // with a filter, since it would otherwise stop a program at each system call
		return "strace -f -qq --seccomp-bpf -e trace=fsync,fdatasync"
	case "new":
		return filepath.Join(must(os.MkdirTemp("", "")), name)
	case "1KiB", "16KiB", "1GiB":
		return sized(name)
	}
	return once(name, func(path string) {
		switch name {
		case "putpost":
			build(path, "./wrappers/cmd/putpost", "../../..")
		case "lean":
			build(path, "./lean", ".")
		case "hello":
			write(path+".go", hello)
			build(path, path+".go", ".")
		case "undici":
			write(path, undici)
		case "small":
			folder(path, few(2000), 16*kib)
		case "many":
			folder(path, few(10_000), 16*kib)
		case "tiny":
			folder(path, few(100_000), 1)
		case "journal": // of all tiny files
			cost(program(strings.ReplaceAll(programs["resume=100000/peer=putpost"], "$journal", path), base))
		case "long": // ten times the journal's lines, each with a path of its own
			short := string(must(os.ReadFile(thing("journal", base))))
			f := must(os.Create(path))
			for i := range 10 {
				must(f.WriteString(strings.ReplaceAll(short, "/f", fmt.Sprint("/", i))))
			}
			check(f.Close())
		}
	})
}

// build builds a main package, stripped.
func build(path, pkg, dir string) {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, pkg)
	cmd.Dir = dir
	cost(cmd)
}

func write(path, text string) { check(os.WriteFile(path, []byte(text), 0o600)) }

// folder makes a folder with count files of size random bytes.
func folder(path string, count int, size int64) {
	content := must(os.ReadFile(file(size)))
	check(os.Mkdir(path, 0o700))
	for i := range count {
		write(filepath.Join(path, fmt.Sprintf("f%06d-%d.pdf", i, size)), string(content))
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

// BenchmarkProgram runs programs to their end. Their server is this process.
func BenchmarkProgram(b *testing.B) {
	s := newSink("nothing")
	base := s.serve()[1]
	for name, line := range programs {
		b.Run(name, func(b *testing.B) {
			cmd := program(line, base)
			if cmd.Err != nil {
				b.Skip(cmd.Err)
			}
			if strings.Contains(name, "delay=50ms") {
				s.delay = 50 * time.Millisecond
			}
			s.handshakes.Store(0)
			b.ResetTimer()
			var cpu, peak, fsyncs float64
			for range b.N {
				one, most, text := cost(cmd)
				cpu, peak = cpu+one, max(peak, most)
				fsyncs = float64(strings.Count(text, "sync("))
				cmd = program(line, base) // a command runs once
			}
			b.StopTimer()
			b.ReportMetric(cpu/float64(b.N), "cpu-ns/op")
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "wall-s")
			b.ReportMetric(peak, "peak-MB")
			b.ReportMetric(float64(must(os.Stat(cmd.Path)).Size())/1e6, "size-MB")
			for unit, n := range map[string]float64{"handshakes": float64(s.handshakes.Load()) / float64(b.N),
				"tokens": float64(s.tokens.Load()), "fsyncs/file": fsyncs / float64(few(2000))} {
				if n > 0 {
					b.ReportMetric(n, unit)
				}
			}
		})
	}
}

// BenchmarkServe compares serve with bare handlers. One makes a file durable
// with one fsync. The other, named, makes its name durable, too, with a second
// fsync.
func BenchmarkServe(b *testing.B) {
	clients := map[string]func(string, *http.Client) send{"M": putpostForm, "P": putpostPresigned}
	each(b, "Serve/", func(b *testing.B, of settings) {
		where, atOnce := of["store"], must(strconv.Atoi(of["at"]))
		if where == "disk" {
			where = b.TempDir()
		}
		cmd := sinkProcess(where)
		switch of["peer"] {
		case "putpost":
			cmd = exec.Command(thing("putpost", ""), "serve", "--addr", "127.0.0.1:0", "--store", where)
		case "named":
			cmd = sinkProcess("named:" + where)
		}
		urls, stop := start(cmd)
		defer stop()
		send := clients[of["way"]](urls[0], stock(atOnce))
		repeat(b, send, file(kib), min(4*atOnce, b.N), atOnce) // opens connections
		before := cpuOf(cmd)
		b.ResetTimer()
		repeat(b, send, sized(of["size"]), b.N, atOnce)
		b.StopTimer()
		b.ReportMetric((cpuOf(cmd)-before)/float64(b.N), "cpu-ns/op")
	})
}
