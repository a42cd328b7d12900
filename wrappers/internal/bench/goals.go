package main

import (
	"context"
	"fmt"
	"slices"
)

// goal is one thing that must be true, and what was seen.
type goal struct {
	number string
	what   string
	got    string
	limit  string
	met    bool
}

// verdict is empty where a run was too short for one.
func (g goal) verdict(judged bool) string {
	switch {
	case !judged:
		return ""
	case g.met:
		return "reached"
	}
	return "NOT REACHED"
}

// otherGoals are those that are not about processor time. Each is measured here.
func (b *bench) otherGoals(ctx context.Context) ([]goal, error) {
	var all []goal
	for _, part := range []func(context.Context) ([]goal, error){b.memoryGoals, b.allocationGoals, b.batchGoals, b.connectionGoals, b.standinGoals} {
		more, err := part(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// processorGoals are read off the rounds. What a plan does not measure is left
// out.
func (b *bench) processorGoals() []goal {
	small := func(way string) column { return column{way, 16 * kib, 16} }
	large := func(way string) column { return column{way, 10 * mib, 1} }
	var all []goal
	for _, g := range []struct {
		number   string
		column   column
		peer, to string
		limit    float64
	}{
		{"1", small(tlsH1), ourForm, barePut, 0.90},
		{"1", small(tlsH1), ourForm, bufferForm, 0.45},
		{"1", small(plain), ourForm, barePut, 1.20},
		{"1", small(plain), ourForm, bufferForm, 0.45},
		{"2", small(tlsH1), ourTwo, bareTwo, 0.88},
		{"2", small(plain), ourTwo, bareTwo, 1.00},
		{"3", large(tlsH1), ourTwo, barePut, 1.05},
		{"3", large(tlsH1), ourForm, barePut, 1.05},
		{"3", large(tlsH1), ourForm, bufferForm, 0.22},
		{"3", large(tlsH2), ourTwo, barePut, 0.80},
		{"3", large(tlsH2), ourForm, barePut, 0.80},
	} {
		r, measured := b.ratio(g.column, g.peer, g.to)
		if !measured {
			continue
		}
		all = append(all, goal{
			number: g.number,
			what:   fmt.Sprintf("CPU, %s: %s / %s", g.column, g.peer, g.to),
			got:    fmt.Sprintf("%.2f (%.2f-%.2f)", r.median, r.low, r.high),
			limit:  fmt.Sprintf("<= %.2f", g.limit),
			met:    r.median <= g.limit,
		})
	}
	return all
}

// The units of the goals are decimal.
const (
	kb = 1000
	mb = 1000 * kb
)

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/mb) }

func (b *bench) memoryGoals(ctx context.Context) ([]goal, error) {
	var all []goal
	for _, provider := range []string{"ncloudmailer", "twentyfourseven"} {
		fmt.Fprintf(b.log, "memory of the least program, %s\n", provider)
		var small, large []int64
		for range min(3, b.rounds) {
			s, err := b.lean(ctx, provider, 16*kib)
			if err != nil {
				return nil, err
			}
			l, err := b.lean(ctx, provider, b.huge)
			if err != nil {
				return nil, err
			}
			small, large = append(small, s), append(large, l)
		}
		slices.Sort(small)
		slices.Sort(large)
		s, l := small[len(small)/2], large[len(large)/2]
		all = append(all,
			goal{"4", fmt.Sprintf("peak RSS, %s, least program, %s", provider, bytesText(b.huge)), megabytes(l), "<= 16 MB", l <= 16*mb},
			goal{"4", fmt.Sprintf("the same, beyond that of 16 KiB (%s)", megabytes(s)), megabytes(l - s), "<= 2 MB", l-s <= 2*mb})
	}
	return all, nil
}

func (b *bench) allocationGoals(ctx context.Context) ([]goal, error) {
	c, err := b.allocations(ctx, ourForm)
	return []goal{
		{"5", "allocations, M of 16 KiB over TLS, the file's description included", fmt.Sprint(c.Allocated), "<= 110", c.Allocated <= 110},
		{"5", "bytes allocated, the same", fmt.Sprintf("%.1f KB", float64(c.Bytes)/kb), "<= 9 KB", c.Bytes <= 9*kb},
	}, err
}

func (b *bench) batchGoals(ctx context.Context) ([]goal, error) {
	var all []goal
	for _, m := range []struct {
		provider, peer string
		roundTrips     int
	}{{"ncloudmailer", ourForm, 1}, {"twentyfourseven", ourTwo, 2}} {
		fmt.Fprintf(b.log, "%d files of 100 KB over a wire of %s, %s\n", b.batch, wireDelay, m.peer)
		w, err := b.overLongWire(ctx, m.provider, m.roundTrips, b.batch)
		if err != nil {
			return nil, err
		}
		ratio := float64(w.Took.Wall) / float64(w.Ideal)
		all = append(all,
			goal{"6", fmt.Sprintf("%s, %d files of 100 KB, %s round trip, %d at once: wall / ideal (%.1f s / %.1f s)",
				m.peer, w.Files, wireDelay, wireConcurrency, w.Took.Wall.Seconds(), w.Ideal.Seconds()),
				fmt.Sprintf("%.2f", ratio), "<= 1.15", ratio <= 1.15},
			goal{"6", "connections open at once", fmt.Sprint(w.Connections.Most), fmt.Sprintf("<= %d", wireConcurrency), w.Connections.Most <= wireConcurrency},
			goal{"6", fmt.Sprintf("peak RSS, beyond that of a tenth of the files (%s)", megabytes(w.Small.RSS)),
				megabytes(w.Took.RSS - w.Small.RSS), "<= 2 MB", w.Took.RSS-w.Small.RSS <= 2*mb})
	}
	return all, nil
}

func (b *bench) connectionGoals(ctx context.Context) ([]goal, error) {
	var all []goal
	for _, peer := range []string{ourForm, ourTwo} {
		n, err := b.connect(ctx, peer, b.shakes, 16)
		if err != nil {
			return nil, err
		}
		all = append(all, goal{"", fmt.Sprintf("TLS handshakes, %s, %d uploads, 16 at once", peer, b.shakes), fmt.Sprint(n.Handshakes), "<= 16", n.Handshakes <= 16})
	}
	n, err := b.tokens(ctx)
	return append(all, goal{"", "tokens fetched, 100 uploads that start together", fmt.Sprint(n.Tokens), "= 1", n.Tokens == 1}), err
}

func (b *bench) standinGoals(ctx context.Context) ([]goal, error) {
	if b.standin == 0 {
		return nil, nil
	}
	s, err := b.measureStandins(ctx)
	if err != nil {
		return nil, err
	}
	var all []goal
	for _, peer := range []string{ourForm, ourTwo} {
		rate, huge, peak := s.rate[peer], s.huge[peer], s.peak[peer]
		all = append(all,
			goal{"", "serve --store DIR, " + peer + ", 16 KiB x16: rate / bare handler", fmt.Sprintf("%.2f (%.2f-%.2f)", rate.median, rate.low, rate.high), ">= 0.50", rate.median >= 0.5},
			goal{"", "the same, " + bytesText(b.huge) + ": time / bare handler", fmt.Sprintf("%.2f (%.2f-%.2f)", huge.median, huge.low, huge.high), "<= 1.15", huge.median <= 1.15},
			goal{"4", "the same: peak RSS of serve", megabytes(peak), "<= 32 MB", peak <= 32*mb})
	}
	return all, nil
}
