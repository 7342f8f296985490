package rtsptest

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
)

// Hang plays the first stream of a mount by TCP and then reads nothing, as a client that hangs, until it is closed.
func Hang(rawURL string) (io.Closer, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout("tcp", u.Host, requestTimeout)
	if err != nil {
		return nil, err
	}
	if err := hang(conn.(*net.TCPConn), rawURL); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func hang(conn *net.TCPConn, target string) error {
	if err := conn.SetReadBuffer(4096); err != nil {
		return err
	}
	_, err := fmt.Fprintf(conn, "SETUP %s/stream=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n", target)
	if err != nil {
		return err
	}
	answer := make([]byte, 1024)
	n, err := conn.Read(answer)
	if err != nil {
		return err
	}
	_, session, found := strings.Cut(string(answer[:n]), "Session: ")
	if !found {
		return fmt.Errorf("SETUP: %q", answer[:n])
	}
	session, _, _ = strings.Cut(strings.TrimSpace(session), ";")
	_, err = fmt.Fprintf(conn, "PLAY %s RTSP/1.0\r\nCSeq: 2\r\nSession: %s\r\n\r\n", target, session)
	return err
}
