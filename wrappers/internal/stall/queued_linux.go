package stall

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// queued returns the number of bytes in the connection's send buffer. The peer
// does not have them yet.
func queued(conn net.Conn) (n int) {
	for {
		above, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = above.NetConn()
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	return n
}
