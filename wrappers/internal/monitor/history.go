package monitor

import "slices"

// history holds the last exchanges, limited in number and in bytes.
type history struct {
	count int
	bytes int64

	entries []*entry
	held    int64
	last    int64
}

// entry is an exchange in the history, with its size.
type entry struct {
	Exchange
	size    int64
	dropped bool
}

// add begins to remember an exchange.
func (h *history) add(x *entry) {
	h.last++
	x.ID = h.last
	h.entries = append(h.entries, x)
	h.measure(x)
}

// measure updates the size of x, and drops the oldest exchanges while the
// history is too large.
func (h *history) measure(x *entry) {
	if x.dropped {
		return
	}
	h.held -= x.size
	x.size = x.Exchange.size()
	h.held += x.size
	drop := 0
	for len(h.entries)-drop > h.count || h.held > h.bytes {
		h.held -= h.entries[drop].size
		h.entries[drop].dropped = true
		drop++
	}
	clear(h.entries[:drop])
	h.entries = h.entries[drop:] // append frees their space when it grows
}

// forget drops all exchanges except those that are not answered yet.
func (h *history) forget() {
	h.entries = slices.DeleteFunc(h.entries, func(x *entry) bool {
		if x.dropped = x.Over || x.Status != 0; x.dropped {
			h.held -= x.size
		}
		return x.dropped
	})
}
