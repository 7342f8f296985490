package rtsptest

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"time"
)

// A Packet is one RTP packet, or a sender report.
type Packet struct {
	Stream  int // index in Client.Streams
	Arrived time.Time

	// RTP
	Seq       uint16
	Timestamp uint32
	Marker    bool
	SSRC      uint32
	Payload   []byte

	// Report is set for a sender report: the wall clock at RTP time Timestamp.
	Report bool
	NTP    time.Time
}

// ntpEpoch is 1900 in seconds before 1970.
const ntpEpoch = 2208988800

// deliver parses what came on a channel (RTP on even ones, RTCP on odd ones). What cannot be parsed is dropped; a reader
// that does not keep up loses the packet, and its test sees the gap.
func (c *Client) deliver(channel int, p []byte) {
	pkt := Packet{Stream: channel / 2, Arrived: time.Now()}
	ok := false
	if channel%2 == 0 {
		ok = pkt.parseRTP(p)
	} else {
		ok = pkt.parseRTCP(p)
	}
	if !ok {
		return
	}
	select {
	case c.packets <- pkt:
	default:
	}
}

// parseRTP reads an RTP header (RFC 3550, 5.1).
func (k *Packet) parseRTP(p []byte) bool {
	if len(p) < 12 || p[0]>>6 != 2 {
		return false
	}
	n := 12 + 4*int(p[0]&0x0f)
	if p[0]&0x10 != 0 { // extension
		if len(p) < n+4 {
			return false
		}
		n += 4 + 4*int(binary.BigEndian.Uint16(p[n+2:]))
	}
	if len(p) < n {
		return false
	}
	k.Marker = p[1]&0x80 != 0
	k.Seq = binary.BigEndian.Uint16(p[2:])
	k.Timestamp = binary.BigEndian.Uint32(p[4:])
	k.SSRC = binary.BigEndian.Uint32(p[8:])
	k.Payload = p[n:]
	return true
}

// parseRTCP finds the sender report that a compound packet begins with (RFC 3550, 6.4.1).
func (k *Packet) parseRTCP(p []byte) bool {
	if len(p) < 28 || p[1] != 200 {
		return false
	}
	k.Report = true
	k.SSRC = binary.BigEndian.Uint32(p[4:])
	seconds, fraction := binary.BigEndian.Uint32(p[8:]), binary.BigEndian.Uint32(p[12:])
	k.NTP = time.Unix(int64(seconds)-ntpEpoch, int64(uint64(fraction)*uint64(time.Second)>>32)).UTC()
	k.Timestamp = binary.BigEndian.Uint32(p[16:])
	return true
}

// Read returns the next packet.
func (c *Client) Read(ctx context.Context) (Packet, error) {
	select {
	case p := <-c.packets:
		return p, nil
	case <-ctx.Done():
		return Packet{}, ctx.Err()
	case <-c.done:
	}
	select {
	case p := <-c.packets:
		return p, nil
	default:
		return Packet{}, errors.New("the connection ended")
	}
}

// listenPair opens two UDP ports in a row, the first one even.
func (c *Client) listenPair(stream int) (int, error) {
	host := c.conn.LocalAddr().(*net.TCPAddr).IP
	for range 100 {
		rtp, err := net.ListenUDP("udp", &net.UDPAddr{IP: host})
		if err != nil {
			return 0, err
		}
		port := rtp.LocalAddr().(*net.UDPAddr).Port
		rtcp, err := net.ListenUDP("udp", &net.UDPAddr{IP: host, Port: port + 1})
		if port%2 != 0 || err != nil {
			rtp.Close()
			if err == nil {
				rtcp.Close()
			}
			continue
		}
		_ = rtp.SetReadBuffer(1 << 20) // a smaller one shows as a gap
		c.udp = append(c.udp, rtp, rtcp)
		c.readers.Add(2)
		go c.readUDP(rtp, 2*stream)
		go c.readUDP(rtcp, 2*stream+1)
		return port, nil
	}
	return 0, errors.New("no two UDP ports in a row are free")
}

func (c *Client) readUDP(conn *net.UDPConn, channel int) {
	defer c.readers.Done()
	for {
		p := make([]byte, 2048)
		n, err := conn.Read(p)
		if err != nil {
			return
		}
		c.deliver(channel, p[:n])
	}
}
