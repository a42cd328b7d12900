package stall

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// queued returns how many bytes of a connection the other side does not have
// yet. They are in the system's buffer.
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
