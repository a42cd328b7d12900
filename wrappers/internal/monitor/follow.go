package monitor

import (
	"cmp"
	"slices"
)

// Ended returns how many exchanges are over.
func (m *Monitor) Ended() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ended
}

// After returns exchanges that ended after the n-th that did, in the order in
// which they ended. It returns those that come first, so many at most. If one
// is no longer remembered, a number is missing in [Exchange.Ended]. The channel
// is closed as soon as another exchange has ended.
func (m *Monitor) After(n int64, most int) (ended []Exchange, more <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.woken == nil {
		m.woken = make(chan struct{})
	}
	var found []*entry
	// Mostly these are the last few. An exchange ends soon after it came.
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

// wake tells those who follow that an exchange has ended. The monitor is
// locked.
func (m *Monitor) wake() {
	if m.woken != nil {
		close(m.woken)
		m.woken = nil
	}
}
