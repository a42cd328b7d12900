package monitor

import (
	"cmp"
	"slices"
)

// Ended returns the number of exchanges that are over.
func (m *Monitor) Ended() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ended
}

// After returns the exchanges that ended after the n-th, in the order in which
// they ended. The parameter most limits their number. If one is no longer
// remembered, its number is missing in [Exchange.Ended]. The channel is closed
// as soon as another exchange has ended, or by Wake.
func (m *Monitor) After(n int64, most int) (ended []Exchange, more <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.history.settle()
	if m.woken == nil {
		m.woken = make(chan struct{})
	}
	var found []*entry
	// The search begins at the newest entry. There may be many, and a listener
	// mostly lacks only the last one.
	for i := len(m.history.entries) - 1; i >= 0 && int64(len(found)) < m.ended-n; i-- {
		if x := m.history.entries[i]; x.Ended > n {
			found = append(found, x)
		}
	}
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Compare(a.Ended, b.Ended) })
	for _, x := range found[:min(len(found), most)] {
		ended = append(ended, x.Exchange)
	}
	return ended, m.woken
}

// Wake closes the channel that After returned, though no exchange has ended.
func (m *Monitor) Wake() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wake()
}

// wake tells all who wait that an exchange has ended. The caller holds m.mu.
func (m *Monitor) wake() {
	if m.woken != nil {
		close(m.woken)
		m.woken = nil
	}
}
