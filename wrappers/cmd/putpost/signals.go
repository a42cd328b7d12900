package main

import (
	"os"
	"os/signal"
	"syscall"
)

// onInterrupt calls first at the first SIGINT or SIGTERM, and second at the
// second. A third one ends the process. Release ends this.
func onInterrupt(first, second func()) (release func()) {
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for _, act := range []func(){first, second} {
			select {
			case <-ch:
				act()
			case <-done:
				return
			}
		}
		signal.Stop(ch)
	}()
	return func() {
		signal.Stop(ch)
		close(done)
	}
}
