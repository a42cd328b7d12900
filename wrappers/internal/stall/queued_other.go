//go:build !linux

package stall

import "net"

// queued returns 0: only Linux is asked what its buffer holds.
func queued(net.Conn) int { return 0 }
