package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// The chart's measures, in its own units; it scales to the page.
const (
	chartWidth = 840
	labelWidth = 196
	panelGap   = 26
	panelWidth = (chartWidth - labelWidth - 3*panelGap) / 3
	valueWidth = 62 // of a panel, for the figures
	rowHeight  = 21
	barHeight  = 11
	chartTop   = 62
)

// panel is one property of all peers, side by side with the others.
type panel struct {
	title, unit string
	of          func(peer string) (float64, bool)
	text        func(float64) string
	reference   float64 // where a line stands; 0: none
}

// chart is the README's picture: processor time of a small and of a large file,
// and the memory that the largest takes. It follows the page's colours, light
// or dark. A run that did not measure all of it draws nothing.
func (b *bench) chart() (svg []byte, drawn bool) {
	huge, measured := b.hugeColumn()
	if !measured {
		return nil, false
	}
	small, large := column{tlsH1, 16 * kib, 16}, column{tlsH1, 10 * mib, 1}
	processor := func(title string, c column) panel {
		return panel{
			title: title, unit: "1 = net/http's PUT, " + duration(b.cpu(c, barePut)), reference: 1,
			of: func(peer string) (float64, bool) {
				r, measured := b.ratio(c, peer, barePut)
				return r.median, measured
			},
			text: func(v float64) string { return fmt.Sprintf("%.2f", v) },
		}
	}
	return draw([]panel{
		processor("CPU, 16 KiB, 16 at once", small),
		processor("CPU, 10 MiB", large),
		{
			title: "Memory, " + bytesText(b.huge), unit: "peak, beyond that of 16 KiB",
			of: func(peer string) (float64, bool) {
				v := b.rss(huge, peer)
				return max(0, v-b.rss(small, peer)), v > 0
			},
			text: func(v float64) string { return fmt.Sprintf("%.0f MB", v/mb) },
		},
	}, b.peers), true
}

func draw(panels []panel, names []string) []byte {
	var out bytes.Buffer
	text := func(class string, x, y float64, anchor, s string) {
		fmt.Fprintf(&out, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">`, class, x, y, anchor)
		xml.EscapeText(&out, []byte(s))
		out.WriteString("</text>\n")
	}
	left := func(i int) float64 { return float64(labelWidth + panelGap + i*(panelWidth+panelGap)) }
	for i, p := range panels {
		text("title", left(i), 22, "start", p.title)
		text("faint", left(i), 39, "start", p.unit)
	}
	y := float64(chartTop)
	for _, k := range []struct {
		kind kind
		name string
	}{{form, "Multipart POST"}, {twoCall, "Presigned PUT: ask, then send"}} {
		text("group", 0, y+10, "start", k.name)
		y += rowHeight
		for _, name := range names {
			p, err := peerNamed(name)
			if err != nil || p.kind != k.kind {
				continue
			}
			class := "theirs"
			if name == ourForm || name == ourTwo {
				class = "ours"
			}
			text("label "+class, labelWidth, y+10, "end", name)
			for i, p := range panels {
				v, measured := p.of(name)
				if !measured {
					text("faint", left(i), y+10, "start", "not measured")
					continue
				}
				width := max(1, v/p.most(names)*(panelWidth-valueWidth))
				fmt.Fprintf(&out, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%d" rx="2"/>`+"\n", class, left(i), y, width, barHeight)
				text("value "+class, left(i)+panelWidth, y+10, "end", p.text(v))
			}
			y += rowHeight
		}
		y += 9
	}
	var lines strings.Builder
	for i, p := range panels {
		if p.reference > 0 {
			x := left(i) + p.reference/p.most(names)*(panelWidth-valueWidth)
			fmt.Fprintf(&lines, `<line class="reference" x1="%.1f" y1="%d" x2="%.1f" y2="%.1f"/>`+"\n", x, chartTop-8, x, y-9)
		}
	}
	height := y + 22
	text("faint", float64(chartWidth), y+12, "end", "over TLS on loopback, client only, medians; less is better")
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" width="%d" height="%.0f" role="img" aria-label="What an upload costs the client, by how it is sent">
<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; fill: #1f2328 }
.title, .group { font-weight: 600 }
.faint, .value.theirs { fill: #59636e }
.faint { font-size: 11px }
rect.theirs { fill: #afb8c1 }
rect.ours { fill: #0969da }
text.ours { fill: #0969da; font-weight: 600 }
.reference { stroke: #59636e; stroke-width: 1; stroke-dasharray: 2 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .faint, .value.theirs { fill: #9198a1 }
  rect.theirs { fill: #4d5661 }
  rect.ours { fill: #4493f8 }
  text.ours { fill: #4493f8 }
  .reference { stroke: #9198a1 }
}
</style>
`, chartWidth, height, chartWidth, height)
	return []byte(head + lines.String() + out.String() + "</svg>\n")
}

// most is the largest figure that a panel shows.
func (p panel) most(names []string) float64 {
	most := p.reference
	for _, name := range names {
		if k, err := peerNamed(name); err == nil && k.kind != putOnly {
			if v, measured := p.of(name); measured {
				most = max(most, v)
			}
		}
	}
	return most
}
