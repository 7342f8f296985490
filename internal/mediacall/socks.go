package mediacall

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

// SOCKS 5, as far as a client of TCP needs it. Source: RFC 1928; RFC 1929 for the password.
//
//	-> 5, number of methods, methods            <- 5, method
//	-> 1, length, user, length, password        <- 1, 0           (method 2)
//	-> 5, 1 (connect), 0, type, address, port   <- 5, reply, 0, type, address, port
const (
	socksVersion  = 5
	socksNone     = 0
	socksPassword = 2
	socksConnect  = 1
	socksIPv4     = 1
	socksName     = 3
	socksIPv6     = 4
)

// socksReplies say why a way was not opened.
var socksReplies = [...]string{
	1: "general SOCKS server failure", 2: "connection not allowed by ruleset", 3: "network unreachable", 4: "host unreachable",
	5: "connection refused", 6: "TTL expired", 7: "command not supported", 8: "address type not supported",
}

// socks lets a proxy open the way to a target, of which it finds the address itself.
func socks(conn io.ReadWriter, user *url.Userinfo, target string) error {
	hello := []byte{socksVersion, 1, socksNone}
	if user != nil {
		hello = []byte{socksVersion, 2, socksNone, socksPassword}
	}
	var got [2]byte
	if err := ask(conn, hello, got[:]); err != nil {
		return err
	}
	switch {
	case got[0] != socksVersion:
		return fmt.Errorf("unexpected protocol version %d", got[0])
	case got[1] == socksPassword && user != nil:
		if err := socksLogin(conn, user); err != nil {
			return err
		}
	case got[1] != socksNone:
		return errors.New("no acceptable authentication methods")
	}
	request, err := socksRequest(target)
	if err != nil {
		return err
	}
	var head [4]byte
	if err := ask(conn, request, head[:]); err != nil {
		return err
	}
	switch {
	case head[0] != socksVersion:
		return fmt.Errorf("unexpected protocol version %d", head[0])
	case head[1] != 0 && int(head[1]) < len(socksReplies):
		return errors.New(socksReplies[head[1]])
	case head[1] != 0:
		return fmt.Errorf("unknown code: %d", head[1])
	}
	return socksBound(conn, head[3])
}

// socksLogin says who we are.
func socksLogin(conn io.ReadWriter, user *url.Userinfo) error {
	name := user.Username()
	secret, _ := user.Password()
	if name == "" || len(name) > 255 || len(secret) > 255 {
		return errors.New("invalid username/password authentication: a name has 1 to 255 bytes, a password at most 255")
	}
	login := append([]byte{1, byte(len(name))}, name...)
	login = append(append(login, byte(len(secret))), secret...)
	var got [2]byte
	if err := ask(conn, login, got[:]); err != nil {
		return err
	}
	if got[0] != 1 || got[1] != 0 {
		return errors.New("username/password authentication failed")
	}
	return nil
}

// socksRequest asks for the way to a host and a port.
func socksRequest(target string) ([]byte, error) {
	host, service, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the address
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("port number out of range %s", service)
	}
	request := []byte{socksVersion, socksConnect, 0}
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.Is4():
		request = append(append(request, socksIPv4), ip.AsSlice()...)
	case err == nil:
		request = append(append(request, socksIPv6), ip.AsSlice()...)
	case len(host) > 255:
		return nil, errors.New("FQDN too long")
	default:
		request = append(append(request, socksName, byte(len(host))), host...)
	}
	return binary.BigEndian.AppendUint16(request, uint16(port)), nil
}

// socksBound reads the address that the proxy uses, which nobody needs.
func socksBound(conn io.Reader, kind byte) error {
	length := 0
	switch kind {
	case socksIPv4:
		length = net.IPv4len
	case socksIPv6:
		length = net.IPv6len
	case socksName:
		var n [1]byte
		if _, err := io.ReadFull(conn, n[:]); err != nil {
			return err //nolint:wrapcheck // of the connection
		}
		length = int(n[0])
	default:
		return fmt.Errorf("unknown address type %d", kind)
	}
	_, err := io.ReadFull(conn, make([]byte, length+2))
	return err //nolint:wrapcheck // of the connection
}

// ask writes, and reads as much as is expected.
func ask(conn io.ReadWriter, question, answer []byte) error {
	if _, err := conn.Write(question); err != nil {
		return err //nolint:wrapcheck // of the connection
	}
	_, err := io.ReadFull(conn, answer)
	return err //nolint:wrapcheck // of the connection
}
