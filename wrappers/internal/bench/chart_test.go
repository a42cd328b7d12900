package bench

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The chart's measures, in its own units; it scales to the page.
const (
	chartWidth, labelWidth, panelGap = 840, 196, 26
	panelWidth                       = (chartWidth - labelWidth - 3*panelGap) / 3
	valueWidth                       = 62 // of a panel, for the figures
	rowHeight, barHeight, chartTop   = 21, 11, 62
)

const style = `<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; fill: #1f2328 }
.title, .group { font-weight: 600 }
.faint, .value.theirs { fill: #59636e }
.faint { font-size: 11px }
rect.theirs { fill: #afb8c1 }
rect.ours { fill: #0969da }
text.ours { fill: #0969da; font-weight: 600 }
.reference { stroke: #59636e; stroke-dasharray: 2 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .faint, .value.theirs { fill: #9198a1 }
  rect.theirs { fill: #4d5661 }
  rect.ours { fill: #4493f8 }
  text.ours { fill: #4493f8 }
  .reference { stroke: #9198a1 }
}
</style>
`

// median is the middle of a peer's rounds, 0 where it has none.
func (r *run) median(s setting, peer, metric string) float64 {
	all := slices.Sorted(slices.Values(r.metrics(s, peer, metric)))
	if len(all) == 0 {
		return 0
	}
	return middle(all)
}

// chart is the README's picture, in the page's colours, light or dark:
// processor time of a small and of a large file, and memory for the largest.
func (r *run) chart() string {
	cpu := func(s setting) func(string) float64 {
		return func(peer string) float64 {
			return r.median(s, peer, "cpu-ns/op") / max(1, r.median(s, "put", "cpu-ns/op"))
		}
	}
	peak := func(peer string) float64 {
		huge := r.median(charted[2], peer, "peak-B")
		return min(huge, max(0.5e6, huge-r.median(charted[0], peer, "peak-B"))) / 1e6
	}
	panels := []struct {
		title, unit, format string
		of                  func(peer string) float64
		reference           float64 // where a line stands; 0: none
	}{
		{"CPU, 16 KiB, 16 at once", "1 = net/http's PUT", "%.2f", cpu(charted[0]), 1},
		{"CPU, 10 MiB", "1 = net/http's PUT", "%.2f", cpu(charted[1]), 1},
		{"Memory, 1 GiB", "peak, beyond that of 16 KiB", "%.0f MB", peak, 0},
	}
	var svg bytes.Buffer
	text := func(class string, x, y float64, anchor, s string) {
		fmt.Fprintf(&svg, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">`, class, x, y, anchor)
		_ = xml.EscapeText(&svg, []byte(s))
		svg.WriteString("</text>\n")
	}
	y := float64(chartTop)
	for _, kind := range []string{form, twoCall} {
		text("group", 0, y+10, "start", kind)
		y += rowHeight
		for _, p := range peers {
			if p.kind != kind {
				continue
			}
			class := "theirs"
			if strings.HasPrefix(p.name, "putpost") {
				class = "ours"
			}
			text("label "+class, labelWidth, y+10, "end", p.label)
			for i, panel := range panels {
				most, left := panel.reference, float64(labelWidth+panelGap+i*(panelWidth+panelGap))
				for _, other := range peers {
					if other.kind != putOnly {
						most = max(most, panel.of(other.name))
					}
				}
				v := panel.of(p.name)
				if v == 0 {
					text("faint", left, y+10, "start", "not measured")
					continue
				}
				scale := (panelWidth - valueWidth) / most
				fmt.Fprintf(&svg, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%d" rx="2"/>`+"\n", class, left, y,
					max(1, v*scale), barHeight)
				text("value "+class, left+panelWidth, y+10, "end", fmt.Sprintf(panel.format, v))
				if panel.reference > 0 {
					fmt.Fprintf(&svg, `<line class="reference" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", left+scale, y-5,
						left+scale, y+barHeight+5)
				}
			}
			y += rowHeight
		}
		y += 9
	}
	for i, panel := range panels {
		text("title", float64(labelWidth+panelGap+i*(panelWidth+panelGap)), 22, "start", panel.title)
		text("faint", float64(labelWidth+panelGap+i*(panelWidth+panelGap)), 39, "start", panel.unit)
	}
	text("faint", chartWidth, y+12, "end", "over TLS on loopback, client only, medians; less is better")
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" width="%[1]d" height="%.0[2]f" role="img" aria-label="What an upload costs the client, by how it is sent">`+"\n%[3]s%[4]s</svg>\n",
		chartWidth, y+22, style, svg.String())
}

// The last run's figures must draw a whole picture.
func TestChartShowsEveryPeer(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(*out, "bench.txt"))
	must(t, err)
	r := &run{T: t, lines: map[string][]metrics{}}
	for l := range strings.Lines(string(text)) {
		name, m := parse(l)
		r.lines[name] = append(r.lines[name], m)
	}
	drawn := r.chart()
	must(t, xml.Unmarshal([]byte(drawn), new(struct{})))
	for _, p := range peers {
		if p.kind != putOnly && !strings.Contains(drawn, ">"+p.label+"<") {
			t.Errorf("the chart has no %s", p.label)
		}
	}
	if os.Getenv("PUTPOST_BENCH_DRAW") != "" {
		must(t, os.WriteFile(filepath.Join(*out, "chart.svg"), []byte(drawn), 0o644))
	}
}
