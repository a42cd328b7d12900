package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// The measurements of this file concern the program, or run once.

// build builds a main package, stripped, and returns its path.
func build(tb testing.TB, pkg, dir string) string {
	tb.Helper()
	to := filepath.Join(folder(tb), filepath.Base(pkg))
	if _, err := os.Stat(to); err == nil {
		return to
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, pkg)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("building %s: %v: %s", pkg, err, text)
	}
	return to
}

// putpost is the program, with credentials and addresses for a server.
func putpost(tb testing.TB, s server, way string, args ...string) *exec.Cmd {
	tb.Helper()
	cmd := exec.Command(build(tb, "./wrappers/cmd/putpost", "../../.."), args...)
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+s.CA,
		"NCLOUD_ACCESS_KEY=test-access-key", "NCLOUD_SECRET_KEY=test-secret-key",
		"NCLOUD_MAILER_BASE_URL="+s.Base[way]+"/api/v1",
		"TWENTYFOURSEVEN_TOKEN="+token, "TWENTYFOURSEVEN_BASE_URL="+s.Base[way]+"/v1")
	return cmd
}

// several is a folder with count files of size bytes, and their paths.
func several(tb testing.TB, count int, size int64) (dir string, paths []string) {
	tb.Helper()
	content, err := os.ReadFile(file(tb, size))
	must(tb, err)
	dir = filepath.Join(folder(tb), fmt.Sprintf("%dx%d", count, size))
	must(tb, os.MkdirAll(dir, 0o700))
	for i := range count {
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("f%06d.pdf", i)))
		if _, err := os.Stat(paths[i]); err != nil {
			must(tb, os.WriteFile(paths[i], content, 0o600))
		}
	}
	return dir, paths
}

// seconds is the processor time of a program that runs to its end.
func seconds(tb testing.TB, cmd *exec.Cmd) float64 {
	u := usage(tb, cmd)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// peak is the most memory of a program in MB. It is asked for while the program
// runs: getrusage begins with the memory of this process.
func peak(tb testing.TB, cmd *exec.Cmd) (most float64) {
	tb.Helper()
	must(tb, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			must(tb, err)
			return most / 1e6
		case <-time.After(5 * time.Millisecond):
			most = max(most, proc(cmd.Process.Pid, true))
		}
	}
}

const undici = `
const fs = require('fs'), path = require('path');
const [dir, base] = process.argv.slice(1);
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

// sendAgainst compares send with another client of 2,000 small files.
func sendAgainst(other string) func(*run) []float64 {
	return func(r *run) []float64 {
		r.needs(other)
		dir, paths := several(r, r.count(2000), 16*kib)
		return r.pairs(func() float64 {
			return seconds(r, putpost(r, r.server, tlsH1, "send", "--to", "ncloudmailer", "-c", "16", "-r", dir))
		}, func() float64 {
			if other == "curl" {
				return seconds(r, curlForms(r.server.Base[tlsH1], r.server.CA, paths, 16))
			}
			cmd := exec.Command("node", "-e", undici, dir, r.server.Base[tlsH1])
			cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+r.server.CA)
			return seconds(r, cmd)
		})
	}
}

func handshakes(r *run) []float64 {
	dir, _ := several(r, r.count(1000), 16*kib)
	return r.times(func() float64 {
		var before, after figures
		r.server.ask(r, "/counts", &before)
		usage(r, putpost(r, r.server, tlsH1, "send", "--to", "ncloudmailer", "-c", "16", "-r", dir))
		r.server.ask(r, "/counts", &after)
		return float64(after.Handshakes - before.Handshakes)
	})
}

func fsyncs(atOnce int) func(*run) []float64 {
	return func(r *run) []float64 {
		r.needs("strace")
		files := r.count(1000)
		dir, _ := several(r, files, 16*kib)
		log := filepath.Join(r.TempDir(), "strace")
		cmd := putpost(r, r.server, tlsH1, "send", "--to", "ncloudmailer", "-c", strconv.Itoa(atOnce), "--journal",
			filepath.Join(r.TempDir(), "journal"), "-r", dir)
		cmd.Args = append([]string{"strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", log, cmd.Path},
			cmd.Args[1:]...)
		path, err := exec.LookPath("strace")
		must(r, err)
		cmd.Path = path
		usage(r, cmd)
		text, err := os.ReadFile(log)
		must(r, err)
		return []float64{float64(len(regexp.MustCompile(`f(data)?sync\(`).FindAll(text, -1))) / float64(files)}
	}
}

// resume sends a folder that the journal knows whole.
func (r *run) resume() (cmd func() *exec.Cmd, dir, journal string) {
	dir, _ = several(r, r.count(100_000), 1)
	journal = filepath.Join(folder(r), "resume")
	cmd = func() *exec.Cmd {
		return putpost(r, r.server, plain, "send", "--to", "ncloudmailer", "-c", "64", "--journal", journal, "-r", dir)
	}
	if _, err := os.Stat(journal); err != nil {
		usage(r, cmd())
	}
	return cmd, dir, journal
}

func resumeCPU(r *run) []float64 {
	r.needs("find")
	cmd, dir, _ := r.resume()
	return r.pairs(func() float64 { return seconds(r, cmd()) },
		func() float64 { return seconds(r, exec.Command("find", dir, "-printf", "%s %T@ %p\\n")) })
}

func resumeMemory(r *run) []float64 {
	cmd, _, _ := r.resume()
	return r.times(func() float64 { return peak(r, cmd()) })
}

// longJournal has a million lines, made of those of resume's journal.
func (r *run) longJournal() (load func() *exec.Cmd, path string) {
	_, _, short := r.resume()
	path = filepath.Join(folder(r), "long")
	if _, err := os.Stat(path); err != nil {
		text, err := os.ReadFile(short)
		must(r, err)
		f, err := os.Create(path)
		must(r, err)
		for i := range 10 {
			_, err = f.WriteString(strings.ReplaceAll(string(text), "/f", fmt.Sprint("/", i)))
			must(r, err)
		}
		must(r, f.Close())
	}
	return func() *exec.Cmd {
		return putpost(r, r.server, plain, "send", "--to", "ncloudmailer", "--journal", path, "--dry-run", file(r, kib))
	}, path
}

func journalCPU(r *run) []float64 {
	r.needs("sha256sum")
	load, path := r.longJournal()
	return r.pairs(func() float64 { return seconds(r, load()) },
		func() float64 { return seconds(r, exec.Command("sha256sum", path)) })
}

func journalMemory(r *run) []float64 {
	load, _ := r.longJournal()
	return r.times(func() float64 { return peak(r, load()) })
}

// serveAgainst compares serve with a bare handler, in processor time or, if wall
// is set, in the time of an upload.
func serveAgainst(peer, store string, size int64, wall bool) func(*run) []float64 {
	return func(r *run) []float64 {
		keep, count, atOnce := "memory", r.count(4000), 16
		if store == "disk" {
			store, keep = r.TempDir(), r.TempDir()
			if wall { // compare what survives, with the file's description
				keep = "described:" + keep
			}
		}
		if size = min(size, r.huge()); size > mib {
			count, atOnce = 1, 1
		}
		cmd := exec.Command(build(r, "./wrappers/cmd/putpost", "../../.."), "serve", "--addr", "127.0.0.1:0", "--store", store)
		for _, v := range os.Environ() {
			if !strings.HasPrefix(v, "TWENTYFOURSEVEN_") && !strings.HasPrefix(v, "NCLOUD_") {
				cmd.Env = append(cmd.Env, v)
			}
		}
		ours := server{Base: map[string]string{plain: start(r, cmd)}, Control: "none"}
		ours.pid = cmd.Process.Pid
		bare := startServer(r, keep, 0)
		price := func(s server) func() float64 {
			return func() float64 {
				before := proc(s.pid, false)
				took := r.child(s, "BenchmarkUpload/"+setting{plain, size, atOnce}.String()+"/peer="+peer, count)
				if wall {
					return took["ns/op"]
				}
				return proc(s.pid, false) - before
			}
		}
		return r.pairs(price(ours), price(bare))
	}
}

func helpTime(r *run) []float64 {
	program, hello := build(r, "./wrappers/cmd/putpost", "../../.."), build(r, "./hello", ".")
	wall := func(path string, args ...string) func() float64 {
		return func() float64 {
			begin := time.Now()
			for range r.count(100) {
				usage(r, exec.Command(path, args...))
			}
			return time.Since(begin).Seconds()
		}
	}
	return r.pairs(wall(program, "--help"), wall(hello))
}

func binarySize(r *run) []float64 {
	info, err := os.Stat(build(r, "./wrappers/cmd/putpost", "../../.."))
	must(r, err)
	return []float64{float64(info.Size()) / 1e6}
}

// leanPeak is the peak memory of the smallest program, in MB; beyond subtracts
// its peak for a small file.
func leanPeak(provider string, beyond bool) func(*run) []float64 {
	return func(r *run) []float64 {
		peak := func(size int64) float64 {
			cmd := exec.Command(build(r, "./lean", "."), provider, r.server.Base[tlsH1], file(r, size))
			cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+r.server.CA)
			text, err := cmd.Output()
			must(r, err)
			kb, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
			must(r, err)
			return kb * kib / 1e6
		}
		return r.times(func() float64 {
			if !beyond {
				return peak(r.huge())
			}
			return peak(r.huge()) - peak(16*kib)
		})
	}
}

// batch is the wall time of many files through a slow server, over the ideal.
func batch(way string, roundTrips int) func(*run) []float64 {
	return func(r *run) []float64 {
		const delay, atOnce = 50 * time.Millisecond, 32
		far, files := startServer(r, "discard", delay), r.count(10_000)
		ideal := float64(delay) * float64(roundTrips*files) / atOnce
		took := r.child(far, "BenchmarkBatch/way="+way, files)["ns/op"] * float64(files)
		return []float64{took / ideal}
	}
}

// fetching is a client that fetches its tokens.
func fetching(tb testing.TB, base string) (upload.Uploader, error) {
	tb.Helper()
	credentials := twentyfourseven.ClientCredentials{ClientID: "test-client-id", ClientSecret: "test-client-secret",
		Organization: "1", TokenURL: base + "/oauth/token"}
	return office(base, credentials.TokenSource(context.Background()))
}

func tokens(r *run) []float64 {
	var before, after figures
	r.server.ask(r, "/counts", &before)
	r.child(r.server, "BenchmarkBatch/way=P", 100)
	r.server.ask(r, "/counts", &after)
	return []float64{float64(after.Tokens-before.Tokens) / 2} // the benchmark runs twice, first with one file
}
