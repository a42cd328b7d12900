package bench

import (
	"cmp"
	"flag"
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

var (
	rounds = flag.Int("rounds", 7, "how often everything is measured")
	only   = flag.String("only", "", "measure only the goals that match this pattern, and write no files")
)

// goal is one line of the table: the unit, the benchmark that reports it, and
// its peer. Than compares the peer with another one of the same benchmark.
type goal struct {
	unit, group, peer, than string
	most                    float64 // the wanted bound
}

var goals = []goal{
	{"cpu-ns/op", "Upload/way=TLS/size=16KiB/at=16", "putpost-M", "/ put", 0.90},
	{"cpu-ns/op", "Upload/way=plain/size=16KiB/at=16", "putpost-M", "/ put", 1.25},
	{"cpu-ns/op", "Solo", "putpost-M", "/ put", 0.92},
	{"cpu-ns/op", "Upload/way=TLS/size=16KiB/at=16", "putpost-M", "/ buffer", 0.48},
	{"cpu-ns/op", "Upload/way=plain/size=16KiB/at=16", "putpost-M", "/ buffer", 0.45},
	{"cpu-ns/op", "Upload/way=TLS/size=16KiB/at=16", "putpost-P", "/ two", 0.80},
	{"cpu-ns/op", "Upload/way=plain/size=16KiB/at=16", "putpost-P", "/ two", 1.00},
	{"cpu-ns/op", "Upload/way=TLS/size=1KiB/at=16", "putpost-M", "/ put", 1.05},
	{"cpu-ns/op", "Upload/way=TLS/size=64KiB/at=16", "putpost-M", "/ put", 1.00},
	{"cpu-ns/op", "Upload/way=plain/size=64KiB/at=16", "putpost-M", "/ put", 1.60},
	{"cpu-ns/op", "Upload/way=TLS/size=256KiB/at=16", "putpost-M", "/ put", 0.80},
	{"cpu-ns/op", "Upload/way=TLS/size=10MiB/at=1", "putpost-M", "/ put", 0.80},
	{"cpu-ns/op", "Upload/way=h2/size=10MiB/at=1", "putpost-M", "/ put", 0.72},
	{"p50-ns", "Upload/way=TLS/size=16KiB/at=1", "putpost-M", "/ put", 1.08},
	{"allocs/op", "Upload/way=TLS/size=16KiB/at=1", "putpost-M", "", 110},
	{"B/op", "Upload/way=TLS/size=16KiB/at=1", "putpost-M", "", 9000},
	{"cpu-ns/op", "Many", "many", "- no-op", 1300},
	{"peak-MB", "Program/lean/way=M", "1GiB", "", 14},
	{"peak-MB", "Program/lean/way=M", "1GiB", "- 16KiB", 1},
	{"peak-MB", "Program/lean/way=P", "1GiB", "", 14},
	{"peak-MB", "Program/lean/way=P", "1GiB", "- 16KiB", 1},
	{"wall-s", "Program/batch=10000/delay=50ms/at=32/way=M", "putpost", "", 1.15 * 10_000 * 0.05 / 32},
	{"wall-s", "Program/batch=10000/delay=50ms/at=32/way=P", "putpost", "", 1.15 * 2 * 10_000 * 0.05 / 32},
	{"tokens", "Program/batch=10000/delay=50ms/at=32/way=P", "putpost", "", 1},
	{"handshakes", "Program/send=2000/at=16", "putpost", "", 16},
	{"cpu-ns/op", "Program/send=2000/at=16", "putpost", "/ curl", 0.90},
	{"cpu-ns/op", "Program/send=2000/at=16", "putpost", "/ node", 0.25},
	{"fsyncs/file", "Program/journal/at=16", "putpost", "", 0.45},
	{"fsyncs/file", "Program/journal/at=64", "putpost", "", 0.15},
	{"cpu-ns/op", "Program/resume=100000", "putpost", "/ find", 5},
	{"peak-MB", "Program/resume=100000", "putpost", "", 40},
	{"cpu-ns/op", "Program/load=1000000", "putpost", "/ sha256sum", 2.7},
	{"peak-MB", "Program/load=1000000", "putpost", "", 160},
	{"cpu-ns/op", "Serve/store=disk/way=M/size=16KiB/at=16", "putpost", "/ bare", 1.3},
	{"cpu-ns/op", "Serve/store=memory/way=M/size=16KiB/at=16", "putpost", "/ bare", 1.1},
	{"cpu-ns/op", "Serve/store=memory/way=P/size=16KiB/at=16", "putpost", "/ bare", 1.25},
	{"ns/op", "Serve/store=disk/way=M/size=16KiB/at=16", "putpost", "/ named", 2},
	{"ns/op", "Serve/store=disk/way=M/size=1GiB/at=1", "putpost", "/ named", 1.15},
	{"ns/op", "Serve/store=disk/way=P/size=1GiB/at=1", "putpost", "/ named", 1.15},
	{"wall-s", "Program/help", "putpost", "/ hello", 1.5},
	{"size-MB", "Program/help", "putpost", "", 13.4},
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
	{"=1GiB", 1}, {"=10MiB", 10}, {"Upload/", 2000}, {"Serve/", 2000}, {"Solo/", 5000}, {"Many", 200_000},
	{"/help/", 100},
}

// slow is the time above which a benchmark runs in the first round only.
const slow = float64(12 * time.Second)

func (g goal) String() string {
	return strings.TrimSpace(fmt.Sprint(g.unit, " ", g.group, "/peer=", g.peer, " ", g.than))
}

// figures returns one figure for each round, sorted.
func (g goal) figures(r results) (all []float64) {
	how, other, _ := strings.Cut(g.than, " ")
	theirs := r[g.unit+" "+g.group+"/peer="+other]
	for i, n := range r[g.unit+" "+g.group+"/peer="+g.peer] {
		switch {
		case how == "":
		case i >= len(theirs):
			continue
		case how == "/":
			n /= theirs[i]
		case how == "-":
			n -= theirs[i]
		}
		if !math.IsNaN(n) { // some kernels do not count some units
			all = append(all, n)
		}
	}
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
func benchmarks(asked []goal, chart bool) []string {
	groups := map[string]string{} // by name
	add := func(group, peer string) { groups[group+"/peer="+peer] = group }
	for _, g := range asked {
		add(g.group, g.peer)
		if _, other, compared := strings.Cut(g.than, " "); compared {
			add(g.group, other)
		}
	}
	for i := 0; i < len(peers) && chart; i++ {
		for _, setting := range charted {
			add("Upload/"+setting, peers[i].Name)
		}
	}
	seed := maphash.MakeSeed()
	place := func(text string) uint64 { return maphash.String(seed, text) }
	return slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(cmp.Compare(place(groups[a]), place(groups[b])), cmp.Compare(place(a), place(b)))
	})
}

// each runs the benchmarks whose names begin with a text. It hands over a
// function for the settings in the name: of way=TLS, of("way") is TLS.
func each(b *testing.B, begin string, run func(b *testing.B, of func(string) string, atOnce int)) {
	for _, name := range benchmarks(goals, true) {
		if name, found := strings.CutPrefix(name, begin); found {
			settings := must(url.ParseQuery(strings.ReplaceAll(name, "/", "&")))
			atOnce, _ := strconv.Atoi(settings.Get("at"))
			b.Run(name, func(b *testing.B) { run(b, settings.Get, atOnce) })
		}
	}
}

// TestGoals measures everything and prints the table of goals.
func TestGoals(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves the benchmark out")
	}
	asked := slices.DeleteFunc(slices.Clone(goals), func(g goal) bool {
		return !regexp.MustCompile(*only).MatchString(g.String())
	})
	r, enough, lines := results{}, map[string]bool{}, ""
	for round := 0; round < *rounds && !(*quick && round > 0); round++ {
		for _, name := range benchmarks(asked, *only == "") {
			if enough[name] {
				continue
			}
			line := runOne(t, name)
			if line == "" {
				enough[name] = true
				continue
			}
			r.add(line)
			lines += line + "\n"
			enough[name] = r["n "+name][0]*r["ns/op "+name][0] > slow
		}
	}
	table := r.table(asked)
	t.Log("\n" + table)
	if !*quick && *only == "" {
		write("results/goals.txt", table)
		write("results/bench.txt", lines)
	}
}

var printed = regexp.MustCompile(`(?m)^Benchmark\S+\s+\d+\s+.*$`)

// runOne runs one benchmark in a process of its own and returns the line that
// it prints. It returns "" if the benchmark fails or is skipped.
func runOne(t *testing.T, name string) (line string) {
	n := 1
	for _, c := range slices.Backward(counts) {
		if strings.Contains(name, c.pattern) {
			n = c.n
		}
	}
	exact := "^Benchmark" + strings.ReplaceAll(name, "/", "$/^") + "$"
	text, err := exec.Command(os.Args[0], "-test.v", "-test.run=^$", "-test.bench="+exact, "-test.timeout=30m",
		fmt.Sprintf("-test.benchtime=%dx", few(n)), fmt.Sprint("-quick=", *quick), "-at="+*at).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v: %.2000s", name, err, text)
		return ""
	}
	line = string(printed.Find(text))
	t.Log(cmp.Or(line, string(text)))
	return line
}

// table returns the table of goals.
func (r results) table(asked []goal) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s, %s/%s, %d processors\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU())
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "goal\tseen\twanted\n")
	for _, g := range asked {
		seen, verdict := "not measured here", ""
		if all := g.figures(r); len(all) > 0 {
			seen, verdict = fmt.Sprintf("%.2f (%.2f-%.2f)", median(all), all[0], all[len(all)-1]), "reached"
			if median(all) > g.most {
				verdict = "NOT REACHED"
			}
		}
		if *quick {
			verdict = ""
		}
		fmt.Fprintf(w, "%s\t%s\t<= %.4v\t%s\n", g, seen, g.most, verdict)
	}
	w.Flush()
	return text.String()
}
