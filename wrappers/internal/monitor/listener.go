package monitor

// Listener receives exchanges as they end. One that does not keep up loses the
// newest; nobody waits for it. It may find them in [Monitor.Exchanges].
type Listener struct {
	C    <-chan Exchange
	From int64 // how many exchanges were over before
	c    chan Exchange
	m    *Monitor
	lost int64
}

// Listen returns a listener that holds up to queue exchanges until they are
// received. It must be closed.
func (m *Monitor) Listen(queue int) *Listener {
	l := &Listener{c: make(chan Exchange, queue), m: m}
	l.C = l.c
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listeners[l], l.From = true, m.ended
	return l
}

// Lost returns how many exchanges did not reach the listener.
func (l *Listener) Lost() int64 {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	return l.lost
}

// Close ends the listening and closes C.
func (l *Listener) Close() {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.m.listeners[l] {
		delete(l.m.listeners, l)
		close(l.c)
	}
}

// tell hands an exchange to all listeners. The monitor is locked.
func (m *Monitor) tell(x Exchange) {
	for l := range m.listeners {
		select {
		case l.c <- x:
		default:
			l.lost++
		}
	}
}
