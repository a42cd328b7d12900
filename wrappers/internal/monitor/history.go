package monitor

import (
	"slices"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

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
	check   *contract.Exchange // is parked; nil: was checked
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
	h.weigh(x)
	drop := 0
	for len(h.entries)-drop > h.count || h.held > h.bytes {
		h.held -= h.entries[drop].size
		h.entries[drop].dropped = true
		drop++
	}
	clear(h.entries[:drop])
	h.entries = h.entries[drop:] // append frees their space when it grows
}

func (h *history) weigh(x *entry) {
	h.held -= x.size
	x.size = x.Exchange.size()
	if x.check != nil {
		x.size += int64(x.check.Holds())
	}
	h.held += x.size
}

// settle does the checks that have waited, and reports whether there was one.
func (h *history) settle() (some bool) {
	for _, x := range h.entries {
		if x.check == nil {
			continue
		}
		some = true
		for _, broken := range x.check.CheckParked() {
			x.Violations = append(x.Violations, *broken)
		}
		x.FileIDs, x.Files = x.check.FileIDs(), x.check.Files()
		x.check = nil
		h.weigh(x)
	}
	return some
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
