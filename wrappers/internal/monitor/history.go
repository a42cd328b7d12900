package monitor

import "slices"

// history holds the last exchanges, in at most so many bytes.
type history struct {
	count int
	bytes int64

	entries []*entry
	held    int64
	last    int64
}

// entry is an exchange in the history, and what it is counted with.
type entry struct {
	Exchange
	size int64
	gone bool
}

// add begins to remember an exchange.
func (h *history) add(x *entry) {
	h.last++
	x.ID = h.last
	h.entries = append(h.entries, x)
	h.measure(x)
}

// measure counts x anew, and lets the oldest go while there is too much.
func (h *history) measure(x *entry) {
	if x.gone {
		return
	}
	h.held -= x.size
	x.size = x.Exchange.size()
	h.held += x.size
	drop := 0
	for len(h.entries)-drop > 0 && (len(h.entries)-drop > h.count || h.held > h.bytes) {
		h.held -= h.entries[drop].size
		h.entries[drop].gone = true
		drop++
	}
	clear(h.entries[:drop])
	h.entries = h.entries[drop:] // their place is given back when more is needed
}

// forget lets all go but the exchanges that are not answered yet.
func (h *history) forget() {
	h.entries = slices.DeleteFunc(h.entries, func(x *entry) bool {
		if x.gone = x.Over || x.Status != 0; x.gone {
			h.held -= x.size
		}
		return x.gone
	})
}

func (h *history) list() []Exchange {
	list := make([]Exchange, len(h.entries))
	for i, x := range h.entries {
		list[i] = x.Exchange
	}
	return list
}
