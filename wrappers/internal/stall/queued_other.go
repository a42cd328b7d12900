//go:build !linux

package stall

import "net"

// queued returns 0: the buffer is read only on Linux.
func queued(net.Conn) int { return 0 }
