package lab

import "sync"

// Lock is a mutex. Those who wait for it do not hold up the fake time of a test, as
// they do at a [sync.Mutex].
type Lock struct {
	mu   sync.Mutex
	free sync.Cond
	held bool
}

func (l *Lock) Lock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.free.L = &l.mu; l.held; {
		l.free.Wait()
	}
	l.held = true
}

func (l *Lock) Unlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = false
	l.free.Signal()
}
