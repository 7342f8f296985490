package front

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"

	"gst-kinesis/internal/local/apierr"
)

// cut closes the connection at once, without an answer.
func (x *exchange) cut(code string) {
	x.settle(0, code)
	x.drop()
}

// drop resets the connection.
func (x *exchange) drop() {
	hijacker, ok := x.w.(http.Hijacker)
	if !ok {
		return
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return
	}
	reset(conn)
	_ = conn.Close()
}

// reset makes the close of a TCP connection a reset, as the death of a peer is seen.
func reset(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// half announces the whole answer, sends half of it and ends the connection.
func (x *exchange) half(body []byte, err error) {
	status := http.StatusOK
	if err != nil {
		var e *apierr.Error
		if !errors.As(err, &e) {
			e = apierr.Internal()
		}
		status, body = e.Status, x.format.EncodeError(e)
	}
	x.settle(0, "cut")
	x.head(x.format.ContentType(), len(body)+1)
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body[:len(body)/2])
	_ = http.NewResponseController(x.w).Flush()
	// The connection is not reset, so that the half that was sent does arrive.
	if hijacker, ok := x.w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

// garble answers success with bytes that mean nothing.
func (x *exchange) garble(n int) {
	body := make([]byte, max(n, 16))
	_, _ = rand.Read(body) // never fails
	body[0] = 0xff         // neither JSON nor CBOR begins so
	x.write(http.StatusOK, "garbled", x.format.ContentType(), body)
}

// hostOnly is a Host without its port.
func hostOnly(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		if strings.Contains(h, ":") {
			return "[" + h + "]"
		}
		return h
	}
	return host
}
