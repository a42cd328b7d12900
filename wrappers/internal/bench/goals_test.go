package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
)

// goal is one line of the table: a metric of one setting, over that of another
// peer if there is one, or what of measures.
type goal struct {
	setting
	mine, other, metric string

	what string
	of   func(*run) []float64
	most float64 // the wanted bound
}

func (g goal) String() string {
	switch {
	case g.of != nil:
		return g.what
	case g.other == "":
		return g.metric + " " + g.setting.String() + " " + g.mine
	}
	return fmt.Sprintf("%s %s %s / %s", g.metric, g.setting, g.mine, g.other)
}

func (g goal) figures(r *run) []float64 {
	if g.of != nil {
		return g.of(r)
	}
	all := r.metrics(g.setting, g.mine, g.metric)
	if g.other != "" {
		for i, other := range r.metrics(g.setting, g.other, g.metric) {
			all[i] /= other
		}
	}
	return all
}

var goals = []goal{
	{setting: setting{tlsH1, 16 * kib, 16}, mine: "putpost-M", other: "put", metric: "cpu-ns/op", most: 0.90},
	{setting: setting{plain, 16 * kib, 16}, mine: "putpost-M", other: "put", metric: "cpu-ns/op", most: 1.25},
	{what: "CPU, TLS 16KiB, solo: putpost-M / put", most: 0.92, of: solo},
	{setting: setting{tlsH1, 16 * kib, 16}, mine: "putpost-M", other: "buffer", metric: "cpu-ns/op", most: 0.48},
	{setting: setting{plain, 16 * kib, 16}, mine: "putpost-M", other: "buffer", metric: "cpu-ns/op", most: 0.45},
	{setting: setting{tlsH1, 16 * kib, 16}, mine: "putpost-P", other: "two", metric: "cpu-ns/op", most: 0.80},
	{setting: setting{plain, 16 * kib, 16}, mine: "putpost-P", other: "two", metric: "cpu-ns/op", most: 1.00},
	{setting: setting{tlsH1, kib, 16}, mine: "putpost-M", other: "put", metric: "cpu-ns/op", most: 1.05},
	{setting: setting{tlsH1, 64 * kib, 16}, mine: "putpost-M", other: "put", metric: "cpu-ns/op", most: 1.00},
	{setting: setting{plain, 64 * kib, 16}, mine: "putpost-M", other: "put", metric: "cpu-ns/op", most: 1.60},
	{setting: setting{tlsH1, 256 * kib, 16}, mine: "putpost-M", other: "put", metric: "cpu-ns/op", most: 0.80},
	{setting: setting{tlsH1, 10 * mib, 1}, mine: "putpost-M", other: "put", metric: "cpu-ns/op", most: 0.80},
	{setting: setting{tlsH2, 10 * mib, 1}, mine: "putpost-M", other: "put", metric: "cpu-ns/op", most: 0.72},
	{setting: setting{tlsH1, 16 * kib, 1}, mine: "putpost-M", other: "put", metric: "p50-ns", most: 1.08},
	{setting: setting{tlsH1, 16 * kib, 1}, mine: "putpost-M", metric: "allocs/op", most: 110},
	{setting: setting{tlsH1, 16 * kib, 1}, mine: "putpost-M", metric: "B/op", most: 9000},
	{what: "upload.Many, us an item over a deep no-op", most: 1.3, of: many},
	{what: "peak MB, least program, M, 1GiB", most: 14, of: leanPeak("ncloudmailer", false)},
	{what: "peak MB, the same, beyond 16KiB", most: 1, of: leanPeak("ncloudmailer", true)},
	{what: "peak MB, least program, P, 1GiB", most: 14, of: leanPeak("twentyfourseven", false)},
	{what: "peak MB, the same, beyond 16KiB", most: 1, of: leanPeak("twentyfourseven", true)},
	{what: "wall / ideal, M, 10,000 files at 50 ms, 32 at once", most: 1.15, of: batch("M", 1)},
	{what: "wall / ideal, P, the same", most: 1.15, of: batch("P", 2)},
	{what: "tokens fetched for 100 uploads at once", most: 1, of: tokens},
	{what: "TLS handshakes, send -c 16 of 1,000 files", most: 16, of: handshakes},
	{what: "CPU, 2,000 files of 16KiB: send / curl --parallel -F", most: 0.90, of: sendAgainst("curl")},
	{what: "CPU, the same: send / Node undici", most: 0.25, of: sendAgainst("node")},
	{what: "fsyncs a file with --journal, -c 16", most: 0.45, of: fsyncs(16)},
	{what: "fsyncs a file with --journal, -c 64", most: 0.15, of: fsyncs(64)},
	{what: "CPU, resume of 100,000 sent files / find -printf", most: 5, of: resumeCPU},
	{what: "peak MB, the same", most: 40, of: resumeMemory},
	{what: "CPU, loading a journal of 1,000,000 lines / sha256sum", most: 2.7, of: journalCPU},
	{what: "peak MB, the same", most: 160, of: journalMemory},
	{what: "CPU, serve --store DIR, M / bare handler, one fsync", most: 1.3, of: serveAgainst("putpost-M", "disk", 16*kib, false)},
	{what: "CPU, serve in memory, M / bare handler", most: 1.1, of: serveAgainst("putpost-M", "memory", 16*kib, false)},
	{what: "CPU, serve in memory, P / bare handler", most: 1.25, of: serveAgainst("putpost-P", "memory", 16*kib, false)},
	{what: "time, serve --store DIR, M of 16KiB x16 / bare", most: 2, of: serveAgainst("putpost-M", "disk", 16*kib, true)},
	{what: "time, serve --store DIR, M of 1GiB / bare", most: 1.15, of: serveAgainst("putpost-M", "disk", gib, true)},
	{what: "time, serve --store DIR, P of 1GiB / bare", most: 1.15, of: serveAgainst("putpost-P", "disk", gib, true)},
	{what: "wall, putpost --help / a Go TLS hello", most: 1.5, of: helpTime},
	{what: "MB, the program, stripped", most: 13.4, of: binarySize},
}

// charted are the settings of the chart, beside those of the goals.
var charted = []setting{{tlsH1, 16 * kib, 16}, {tlsH1, 10 * mib, 1}, {tlsH1, gib, 1}}

// run is one run of the benchmark.
type run struct {
	*testing.T
	server server
	lines  map[string][]metrics // by the benchmark's name
	raw    *strings.Builder
}

type metrics map[string]float64 // by unit

// TestGoals measures everything and prints the table of goals.
func TestGoals(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves the benchmark out")
	}
	r := &run{T: t, lines: map[string][]metrics{}, raw: &strings.Builder{}, server: startServer(t, "discard", 0)}
	r.checkBytes()
	r.uploads()
	var table strings.Builder
	fmt.Fprintf(&table, "%s, %s/%s, %d processors\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "goal\tseen\twanted\t")
	for _, g := range goals {
		t.Run(g.String(), func(t *testing.T) {
			seen := "not measured"
			defer func() {
				fmt.Fprintf(w, "%s\t%s\t<= %v\t%s\n", g, seen, g.most, g.verdict(seen))
			}()
			one := *r
			one.T = t
			figures := g.figures(&one)
			slices.Sort(figures)
			seen = fmt.Sprintf("%.2f (%.2f-%.2f)", middle(figures), figures[0], figures[len(figures)-1])
		})
	}
	w.Flush()
	t.Log("\n" + table.String())
	if *quick {
		return
	}
	must(t, os.MkdirAll(*out, 0o755))
	for name, text := range map[string]string{"goals.txt": table.String(), "bench.txt": r.raw.String(),
		"chart.svg": r.chart()} {
		must(t, os.WriteFile(filepath.Join(*out, name), []byte(text), 0o644))
	}
}

// middle is the median of sorted figures.
func middle(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (g goal) verdict(seen string) string {
	var median float64
	switch _, err := fmt.Sscan(seen, &median); {
	case err != nil || *quick:
		return ""
	case median <= g.most:
		return "reached"
	}
	return "NOT REACHED"
}

// rounds is how often each comparison is made.
func (r *run) rounds() int {
	if *quick {
		return 1
	}
	return *rounds
}

func (r *run) count(n int) int {
	if *quick {
		return max(20, n/100)
	}
	return n
}

func (r *run) huge() int64 {
	if *quick {
		return 32 * mib
	}
	return gib
}

func (r *run) needs(program string) {
	if _, err := exec.LookPath(program); err != nil {
		r.Skipf("%s is not installed", program)
	}
}

func (r *run) times(f func() float64) (all []float64) {
	for range min(3, r.rounds()) {
		all = append(all, f())
	}
	return all
}

// pairs is mine over other, in turn, so that a busy minute falls on both.
func (r *run) pairs(mine, other func() float64) (all []float64) {
	for range r.rounds() {
		m, o := mine(), other()
		all = append(all, m/o)
	}
	return all
}

// uploads runs every peer of the chart and of the goals, in random order.
func (r *run) uploads() {
	type job struct {
		setting
		peer
	}
	var jobs []job
	add := func(s setting, p peer) {
		same := func(j job) bool { return j.setting == s && j.peer.name == p.name }
		if !slices.ContainsFunc(jobs, same) {
			jobs = append(jobs, job{s, p})
		}
	}
	for _, p := range peers {
		for _, s := range charted {
			if s.size = min(s.size, r.huge()); p.holds && s.size == gib && free() < 10*gib {
				continue
			}
			add(s, p)
		}
	}
	for _, p := range peers {
		for _, g := range goals {
			if g.of == nil && (p.name == g.mine || p.name == g.other) {
				add(g.setting, p)
			}
		}
	}
	for round := range r.rounds() {
		rand.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
		for _, j := range jobs {
			if j.program != nil {
				if _, err := exec.LookPath("curl"); err != nil {
					continue
				}
			}
			if round > 0 && j.holds && j.size == gib {
				continue
			}
			name := "BenchmarkUpload/" + j.setting.String() + "/peer=" + j.peer.name
			r.lines[name] = append(r.lines[name], r.child(r.server, name, r.each(j.setting)))
		}
	}
}

// each is how many uploads a round takes. A large file is sent once: most
// programs do not send one such file after the other.
func (r *run) each(s setting) int {
	if s.size > mib {
		return 1
	}
	return r.count(2000)
}

// metrics are the figures of a peer, one for each round.
func (r *run) metrics(s setting, peer, metric string) (all []float64) {
	for _, m := range r.lines["BenchmarkUpload/"+s.String()+"/peer="+peer] {
		all = append(all, m[metric])
	}
	return all
}

func solo(r *run) []float64 {
	one := func(peer string) func() float64 {
		return func() float64 {
			return r.child(server{}, "BenchmarkSolo/peer="+peer, r.count(5000))["cpu-ns/op"]
		}
	}
	return r.pairs(one("putpost-M"), one("put"))
}

func many(r *run) []float64 {
	one := func(how string) float64 {
		return r.child(server{}, "BenchmarkMany/how="+how, r.count(200_000))["cpu-ns/op"]
	}
	return r.times(func() float64 { return (one("many") - one("direct")) / 1e3 })
}

var line = regexp.MustCompile(`(?m)^Benchmark\S+\s+\d+\s+.*$`)

// child runs one benchmark count times in a process of its own.
func (r *run) child(s server, name string, count int) metrics {
	r.Helper()
	var exact []string
	for part := range strings.SplitSeq(name, "/") {
		exact = append(exact, "^"+regexp.QuoteMeta(part)+"$")
	}
	said, _ := json.Marshal(s)
	cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench="+strings.Join(exact, "/"),
		"-test.benchtime="+strconv.Itoa(count)+"x", "-test.timeout=30m")
	cmd.Env = append(os.Environ(), envServer+"="+string(said))
	if s.CA != "" {
		cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+s.CA)
	}
	text, err := cmd.CombinedOutput()
	found := line.FindString(string(text))
	if err != nil || found == "" {
		r.Fatalf("%s: %v: %.500s", name, err, text)
	}
	r.raw.WriteString(found + "\n")
	_, m := parse(found)
	return m
}

// parse reads a line that a benchmark prints. The number of processors is no
// part of the name.
func parse(line string) (name string, m metrics) {
	fields := strings.Fields(line)
	m = metrics{}
	for i := 2; i+1 < len(fields); i += 2 {
		m[fields[i+1]], _ = strconv.ParseFloat(fields[i], 64)
	}
	return regexp.MustCompile(`-\d+$`).ReplaceAllString(fields[0], ""), m
}

// checkBytes has every peer send each size once, and asks what arrived.
func (r *run) checkBytes() {
	for _, size := range []int64{kib, 64 * kib, 10 * mib} {
		want := strings.Fields(string(r.output("sha256sum", file(r, size))))[0]
		for _, p := range peers {
			if p.program != nil {
				if _, err := exec.LookPath("curl"); err != nil {
					continue
				}
			}
			var seen map[string]int
			r.server.ask(r, "/check/on", &seen)
			r.child(r.server, "BenchmarkUpload/"+setting{tlsH1, size, 1}.String()+"/peer="+p.name, 1)
			r.server.ask(r, "/check/off", &seen)
			if len(seen) != 1 || seen[want] == 0 {
				r.Errorf("%s: %s arrived as %v, want %s", p.name, inUnits(size), seen, want)
			}
		}
	}
}

func (r *run) output(name string, args ...string) []byte {
	text, err := exec.Command(name, args...).Output()
	must(r, err)
	return text
}

// free is the free memory in bytes, by the kernel.
func free() int64 {
	text, _ := os.ReadFile("/proc/meminfo")
	_, after, _ := strings.Cut(string(text), "MemAvailable:")
	kb, _ := strconv.ParseInt(strings.Fields(after + " 0 ")[0], 10, 64)
	return kb * kib
}
