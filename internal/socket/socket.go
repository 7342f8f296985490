// Package socket writes to connections without waiting.
package socket

import "net"

// Tryer is a connection, or what stands before one, that takes what it has room for at once.
type Tryer interface {
	// TryWrite writes as much of p as there is room for and never waits; 0 and nil say that there is none. One goroutine at a time,
	// and not beside Write.
	TryWrite(p []byte) (int, error)
}

// Try returns a way to write to a connection without waiting: its own, or that of its socket, where this system has one; nil where
// there is none.
func Try(c net.Conn) Tryer {
	if t, ok := c.(Tryer); ok {
		return t
	}
	return raw(c)
}
