//go:build !linux

package socket

import "net"

func raw(net.Conn) Tryer { return nil }
