package kit

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Address gives an address on loopback for a server that goes away and comes back: meanwhile nobody takes it. It lies below the ports that the kernel
// gives out, and a UDP socket of the same number keeps it from other tests, in this process and others, until this one ends.
func Address(tb testing.TB) string {
	tb.Helper()
	const first, count = 12000, 18000
	var err error
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(count))
		var guard net.PacketConn
		if guard, err = net.ListenPacket("udp", address); err != nil {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", address); err != nil {
			guard.Close()
			continue
		}
		l.Close()
		tb.Cleanup(func() { guard.Close() })
		return address
	}
	tb.Fatalf("looking for a free address: %v", err)
	return ""
}
