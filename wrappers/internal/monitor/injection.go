package monitor

import "slices"

// Injection is a fault and the requests that meet it.
type Injection struct {
	ID       int64  // set by [Monitor.Inject]
	Provider string // empty: any
	Op       string // empty: any
	Times    int    // how many requests may still meet it; negative: all until it is removed
	Met      int    // how many requests have met it
	Kind     string // its name in records
	Note     any    // any value of the caller's; [Monitor.Injections] returns it
	Fault    Fault
}

// Inject makes the next requests of an operation meet a fault. If several
// faults fit, the one that was injected first applies until it is used up.
func (m *Monitor) Inject(f Injection) Injection {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastFault++
	f.ID = m.lastFault
	m.faults = append(m.faults, &f)
	return f
}

// Remove removes a fault and reports whether it was there.
func (m *Monitor) Remove(id int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.faults)
	m.faults = slices.DeleteFunc(m.faults, func(f *Injection) bool { return f.ID == id })
	return len(m.faults) < before
}

// Injections returns the injected faults. One that is used up is listed until
// it is removed.
func (m *Monitor) Injections() []Injection {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Injection
	for _, f := range m.faults {
		list = append(list, *f)
	}
	return list
}

// meet returns the fault for the next request of an operation, or nil. The
// caller holds m.mu.
func (m *Monitor) meet(provider, op string) *Injection {
	for _, f := range m.faults {
		if f.Times != 0 && (f.Provider == "" || f.Provider == provider) && (f.Op == "" || f.Op == op) {
			f.Times = max(f.Times-1, -1)
			f.Met++
			return f
		}
	}
	return nil
}
