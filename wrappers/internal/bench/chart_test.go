package bench

import (
	"encoding/xml"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"text/template"
)

// panel is one of the chart's three columns.
type panel struct {
	Title, Unit, Format string
	X                   int
	Of                  func(peer string) float64 // 0 if not measured
	Reference           float64                   // the figure with a line; 0 for no line
}

// Percent is the length of a bar.
func (p panel) Percent(of float64) float64 {
	most := p.Reference
	for _, other := range peers {
		if other.Kind != putOnly {
			most = max(most, p.Of(other.Name))
		}
	}
	return max(1, 100*of/most)
}

// multiple returns a peer's processor time as a multiple of net/http's for a
// PUT, as the table of goals does: the median of each round's ratio.
func (r results) multiple(setting string) func(peer string) float64 {
	return func(peer string) float64 {
		return median(goal{"cpu-ns/op", "Upload/" + setting, peer, "/ put", 0}.figures(r))
	}
}

// chart returns the README's picture, in light and dark colours: processor time
// of a small and of a large file, and memory for the largest.
func (r results) chart() string {
	peak := func(peer string) float64 {
		huge := median(r["peak-MB Upload/"+charted[2]+"/peer="+peer])
		return min(huge, max(0.5, huge-median(r["peak-MB Upload/"+charted[0]+"/peer="+peer])))
	}
	y := 42
	down := func(by int) int { y += by; return y }
	var svg strings.Builder
	check(template.Must(template.New("chart.svg.tmpl").Funcs(template.FuncMap{"down": down}).
		ParseFiles("chart.svg.tmpl")).Execute(&svg, map[string]any{
		"Kinds": []string{form, twoCall}, "Peers": peers, "Panels": []panel{
			{"CPU, 16 KiB, 16 at once", "1 = net/http's PUT", "%.2f", 222, r.multiple(charted[0]), 1},
			{"CPU, 10 MiB", "1 = net/http's PUT", "%.2f", 436, r.multiple(charted[1]), 1},
			{"Memory, 1 GiB", "peak, beyond that of 16 KiB", "%.0f MB", 650, peak, 0},
		}}))
	return svg.String()
}

// readmeCosts are the README's figures.
var readmeCosts = regexp.MustCompile(strings.ReplaceAll("(does: )[0-9.]+(x for 16 KiB with 16 at once, )[0-9.]+"+
	"(x for 10 MiB. The usual `bytes.Buffer` costs )[0-9.]+(x and )[0-9.]+(x.)", " ", `\s+`))

// With PUTPOST_BENCH_DRAW=1 this test writes the files instead of comparing.
func TestChartAndREADMEShowTheLastRun(t *testing.T) {
	r := results{}
	for line := range strings.Lines(string(must(os.ReadFile("results/bench.txt")))) {
		r.add(line)
	}
	const readme = "../../../README.md"
	small, large := r.multiple(charted[0]), r.multiple(charted[1])
	says := fmt.Sprintf("${1}%.1f${2}%.1f${3}%.1f${4}%.1f${5}", small("putpost-M"), large("putpost-M"), small("buffer"),
		large("buffer"))
	text := must(os.ReadFile(readme))
	if !readmeCosts.Match(text) {
		t.Errorf("%s does not say what an upload costs, as in %s", readme, readmeCosts)
	}
	for path, want := range map[string]string{"results/chart.svg": r.chart(),
		readme: readmeCosts.ReplaceAllString(string(text), says)} {
		if os.Getenv("PUTPOST_BENCH_DRAW") != "" {
			check(os.WriteFile(path, []byte(want), 0o644))
		} else if want != string(must(os.ReadFile(path))) {
			t.Errorf("%s does not show the last run: run this test with PUTPOST_BENCH_DRAW=1", path)
		}
	}
	check(xml.Unmarshal([]byte(r.chart()), new(struct{})))
}
