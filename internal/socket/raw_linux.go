package socket

import (
	"fmt"
	"net"
	"syscall"
	"unsafe"
)

// rawConn sends by send(2), without telling Go's scheduler: a call that does not wait is no reason to wake its monitor, which costs
// more than the call where there are few of them (30 a second, say).
type rawConn struct {
	conn syscall.RawConn
	send func(fd uintptr) // made once, so that nothing is allocated for a call

	p   []byte // of the call under way
	n   int
	err error
}

func raw(c net.Conn) Tryer {
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	conn, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	r := &rawConn{conn: conn}
	r.send = r.sendNow
	return r
}

// TryWrite implements Tryer.
func (r *rawConn) TryWrite(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	r.p, r.n, r.err = p, 0, nil
	err := r.conn.Control(r.send)
	r.p = nil
	if err != nil {
		return 0, fmt.Errorf("writing to the connection: %w", err)
	}
	return r.n, r.err
}

func (r *rawConn) sendNow(fd uintptr) {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(r.p))), uintptr(len(r.p)),
			syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			r.n = int(n) //nolint:gosec // at most len(r.p)
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			r.err = &net.OpError{Op: "write", Net: "tcp", Err: errno}
		}
		return
	}
}
