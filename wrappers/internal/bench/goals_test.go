package bench

import (
	"cmp"
	"flag"
	"fmt"
	"math"
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
	"time"
)

var (
	quick  = flag.Bool("quick", false, "measure everything once and briefly; the figures mean nothing")
	rounds = flag.Int("rounds", 7, "how often everything is measured")
	only   = flag.String("only", "", "measure only the goals that match this pattern, and write no files")
)

// few returns n, or less in a quick run.
func few(n int) int {
	if *quick {
		return min(n, max(20, n/100))
	}
	return n
}

// goal is one line of the table: the unit and the benchmark that reports it.
// With "/ peer" or "- peer" it is compared with that peer of the same
// benchmark.
type goal struct {
	what string
	most float64 // the wanted bound
}

var goals = []goal{
	{"cpu-ns/op Upload/way=TLS/size=16KiB/at=16/peer=putpost-M / put", 0.90},
	{"cpu-ns/op Upload/way=plain/size=16KiB/at=16/peer=putpost-M / put", 1.25},
	{"cpu-ns/op Solo/peer=putpost-M / put", 0.92},
	{"cpu-ns/op Upload/way=TLS/size=16KiB/at=16/peer=putpost-M / buffer", 0.48},
	{"cpu-ns/op Upload/way=plain/size=16KiB/at=16/peer=putpost-M / buffer", 0.45},
	{"cpu-ns/op Upload/way=TLS/size=16KiB/at=16/peer=putpost-P / two", 0.80},
	{"cpu-ns/op Upload/way=plain/size=16KiB/at=16/peer=putpost-P / two", 1.00},
	{"cpu-ns/op Upload/way=TLS/size=1KiB/at=16/peer=putpost-M / put", 1.05},
	{"cpu-ns/op Upload/way=TLS/size=64KiB/at=16/peer=putpost-M / put", 1.00},
	{"cpu-ns/op Upload/way=plain/size=64KiB/at=16/peer=putpost-M / put", 1.60},
	{"cpu-ns/op Upload/way=TLS/size=256KiB/at=16/peer=putpost-M / put", 0.80},
	{"cpu-ns/op Upload/way=TLS/size=10MiB/at=1/peer=putpost-M / put", 0.80},
	{"cpu-ns/op Upload/way=h2/size=10MiB/at=1/peer=putpost-M / put", 0.72},
	{"p50-ns Upload/way=TLS/size=16KiB/at=1/peer=putpost-M / put", 1.08},
	{"allocs/op Upload/way=TLS/size=16KiB/at=1/peer=putpost-M", 110},
	{"B/op Upload/way=TLS/size=16KiB/at=1/peer=putpost-M", 9000},
	{"cpu-ns/op Many/peer=many - no-op", 1300},
	{"peak-MB Program/lean/way=M/peer=1GiB", 14},
	{"peak-MB Program/lean/way=M/peer=1GiB - 16KiB", 1},
	{"peak-MB Program/lean/way=P/peer=1GiB", 14},
	{"peak-MB Program/lean/way=P/peer=1GiB - 16KiB", 1},
	{"wall-s Program/batch=10000/delay=50ms/at=32/way=M", 1.15 * 10_000 * 0.05 / 32},
	{"wall-s Program/batch=10000/delay=50ms/at=32/way=P", 1.15 * 2 * 10_000 * 0.05 / 32},
	{"tokens Program/batch=10000/delay=50ms/at=32/way=P", 1},
	{"handshakes Program/send=2000/at=16/peer=putpost", 16},
	{"cpu-ns/op Program/send=2000/at=16/peer=putpost / curl", 0.90},
	{"cpu-ns/op Program/send=2000/at=16/peer=putpost / node", 0.25},
	{"fsyncs/file Program/journal/at=16/by=strace-seccomp", 0.45},
	{"fsyncs/file Program/journal/at=64/by=strace-seccomp", 0.15},
	{"cpu-ns/op Program/resume=100000/peer=putpost / find", 5},
	{"peak-MB Program/resume=100000/peer=putpost", 40},
	{"cpu-ns/op Program/load=1000000/peer=putpost / sha256sum", 2.7},
	{"peak-MB Program/load=1000000/peer=putpost", 160},
	{"cpu-ns/op Serve/store=disk/way=M/size=16KiB/at=16/peer=putpost / bare", 1.3},
	{"cpu-ns/op Serve/store=memory/way=M/size=16KiB/at=16/peer=putpost / bare", 1.1},
	{"cpu-ns/op Serve/store=memory/way=P/size=16KiB/at=16/peer=putpost / bare", 1.25},
	{"ns/op Serve/store=disk/way=M/size=16KiB/at=16/peer=putpost / named", 2},
	{"ns/op Serve/store=disk/way=M/size=1GiB/at=1/peer=putpost / named", 1.15},
	{"ns/op Serve/store=disk/way=P/size=1GiB/at=1/peer=putpost / named", 1.15},
	{"wall-s Program/help/peer=putpost / hello", 1.5},
	{"size-MB Program/help/peer=putpost", 13.4},
}

// charted lists the settings of the chart.
var charted = []string{"way=TLS/size=16KiB/at=16", "way=TLS/size=10MiB/at=1", "way=TLS/size=1GiB/at=1"}

// counts says how often a benchmark does its work in one process: as the first
// matching pattern says, or once. A file of 1 GiB is sent once, because few
// programs send several of them.
var counts = []struct {
	pattern string
	n       int
}{
	{"=1GiB", 1}, {"=10MiB", 10}, {"Upload/", 2000}, {"Serve/", 2000}, {"Solo/", 5000}, {"Many", 200_000}, {"/help/", 100},
}

// slow is the time above which a benchmark runs in the first round only.
const slow = float64(12 * time.Second)

// names returns the goal's benchmarks: one, or two to compare.
func (g goal) names() []string {
	words := strings.Fields(g.what)
	if len(words) == 2 {
		return words[1:]
	}
	return []string{words[1], group(words[1]) + "/peer=" + words[3]}
}

// group returns the part of a name that compared peers share.
func group(name string) string {
	before, _, _ := strings.Cut(name, "/peer=")
	return before
}

// figures returns one figure for each round, sorted.
func (g goal) figures(r results) []float64 {
	unit, names := strings.Fields(g.what)[0], g.names()
	all := slices.Clone(r[unit+" "+names[0]])
	if len(names) == 2 {
		other := r[unit+" "+names[1]]
		all = all[:min(len(all), len(other))]
		for i := range all {
			if strings.Contains(g.what, " - ") {
				all[i] -= other[i]
			} else {
				all[i] /= other[i]
			}
		}
	}
	all = slices.DeleteFunc(all, math.IsNaN) // some kernels do not count some units
	slices.Sort(all)
	return all
}

// results holds the figures of each round, by unit and name of the benchmark.
type results map[string][]float64

var processors = regexp.MustCompile(`-\d+$`) // at the end of a benchmark's name

// add reads a line that a benchmark printed.
func (r results) add(line string) {
	fields := strings.Fields(strings.TrimPrefix(line, "Benchmark"))
	name := processors.ReplaceAllString(fields[0], "")
	fields = slices.Replace(fields, 0, 2, fields[1], "n") // the number of runs comes first
	for i := 0; i+1 < len(fields); i += 2 {
		what := fields[i+1] + " " + name
		r[what] = append(r[what], must(strconv.ParseFloat(fields[i], 64)))
	}
}

// median returns the median of sorted figures, or 0 if there are none.
func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	if n := len(all); n > 0 {
		return (all[(n-1)/2] + all[n/2]) / 2
	}
	return 0
}

// benchmarks returns the names of the goals' benchmarks and of the chart's, in
// random order, but with compared ones side by side.
func benchmarks(asked []goal, chart bool) (names []string) {
	for _, g := range asked {
		names = append(names, g.names()...)
	}
	for i := 0; i < len(peers) && chart; i++ {
		for _, setting := range charted {
			names = append(names, "Upload/"+setting+"/peer="+peers[i].Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	place := map[string]int{}
	for i, name := range names {
		place[group(name)] = i
	}
	slices.SortStableFunc(names, func(a, b string) int { return place[group(a)] - place[group(b)] })
	return names
}

// settings are those in a benchmark's name: way=TLS is settings["way"].
type settings map[string]string

// each runs the benchmarks whose names begin so.
func each(b *testing.B, begin string, run func(b *testing.B, of settings)) {
	for _, name := range benchmarks(goals, true) {
		if name, found := strings.CutPrefix(name, begin); found {
			b.Run(name, func(b *testing.B) {
				of := settings{}
				for part := range strings.SplitSeq(name, "/") {
					key, value, _ := strings.Cut(part, "=")
					of[key] = value
				}
				run(b, of)
			})
		}
	}
}

// TestGoals measures everything and prints the table of goals.
func TestGoals(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves the benchmark out")
	}
	asked := slices.DeleteFunc(slices.Clone(goals), func(g goal) bool {
		return !regexp.MustCompile(*only).MatchString(g.what)
	})
	r, why, lines := results{}, map[string]string{}, ""
	for round := 0; round < *rounds && !(*quick && round > 0); round++ {
		for _, name := range benchmarks(asked, *only == "") {
			if why[name] != "" {
				continue
			}
			line, failed := measure(name)
			t.Log(cmp.Or(line, name+" "+failed))
			if why[name] = failed; failed != "" {
				continue
			}
			r.add(line)
			lines += line + "\n"
			if r["n "+name][0]*r["ns/op "+name][0] > slow {
				why[name] = "once is enough"
			}
		}
	}
	table := r.table(asked, why)
	t.Log("\n" + table)
	if strings.Contains(table, "FAIL: ") {
		t.Fail()
	}
	if *quick || *only != "" {
		return
	}
	for name, text := range map[string]string{"goals.txt": table, "bench.txt": lines, "chart.svg": r.chart()} {
		check(os.WriteFile(filepath.Join("results", name), []byte(text), 0o644))
	}
}

var (
	printed = regexp.MustCompile(`(?m)^Benchmark\S+\s+\d+\s+.*$`)
	reason  = regexp.MustCompile(`(?m)^(?:panic| +\w+_test.go:\d+): (.*)$`)
)

// measure runs one benchmark in a process of its own, and returns the line that
// it prints, or why it prints none.
func measure(name string) (line, why string) {
	n := 1
	for _, c := range slices.Backward(counts) {
		if strings.Contains(name, c.pattern) {
			n = c.n
		}
	}
	exact := "^Benchmark" + strings.ReplaceAll(name, "/", "$/^") + "$"
	text, err := exec.Command(os.Args[0], "-test.v", "-test.run=^$", "-test.bench="+exact, "-test.timeout=30m",
		fmt.Sprintf("-test.benchtime=%dx", few(n)), fmt.Sprint("-quick=", *quick)).CombinedOutput()
	found := append(reason.FindSubmatch(text), nil, text)
	switch line = string(printed.Find(text)); {
	case err != nil:
		return "", fmt.Sprintf("FAIL: %v: %.200s", err, found[1])
	case line == "":
		return "", fmt.Sprintf("SKIP: %s", found[1])
	}
	return line, ""
}

// table returns the table of goals. why has the benchmarks without a figure.
func (r results) table(asked []goal, why map[string]string) string {
	const layout = "%-72s  %-27s  %-9s  %s\n"
	var text strings.Builder
	fmt.Fprintf(&text, "%s, %s/%s, %d processors\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Fprintf(&text, layout, "goal", "seen", "wanted", "")
	for _, g := range asked {
		names := g.names()
		seen, verdict := cmp.Or(why[names[0]], why[names[len(names)-1]], "SKIP: not counted here"), ""
		if all := g.figures(r); len(all) > 0 {
			seen, verdict = fmt.Sprintf("%.2f (%.2f-%.2f)", median(all), all[0], all[len(all)-1]), "reached"
			if median(all) > g.most {
				verdict = "NOT REACHED"
			}
		}
		if *quick {
			verdict = ""
		}
		fmt.Fprintf(&text, layout, g.what, seen, fmt.Sprintf("<= %.4v", g.most), verdict)
	}
	return text.String()
}
