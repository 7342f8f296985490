package rtsptest

import (
	"context"
	"time"
)

// A Unit is what the RTP packets of one timestamp carry: a picture, or a packet's worth of audio.
type Unit struct {
	Time     int64 // RTP time, unwrapped, from the stream's first unit on
	Arrived  time.Time
	Payloads [][]byte
}

// A Recording is what a client received.
type Recording struct {
	Streams []StreamRecording // as Client.Streams
}

// A StreamRecording is one stream of a Recording. The last unit may lack packets.
type StreamRecording struct {
	Stream
	Units   []Unit
	Reports []Packet // sender reports, in order
	Gaps    int      // sequence numbers that did not follow the one before
	SSRCs   int      // how many senders there were
	First   uint32   // RTP timestamp of the first unit

	seq  uint16
	ssrc uint32
}

// Record reads until enough says so, or ctx ends, or the connection. It asks after each packet.
func (c *Client) Record(ctx context.Context, enough func(*Recording) bool) (*Recording, error) {
	r := &Recording{Streams: make([]StreamRecording, len(c.Streams))}
	for i, s := range c.Streams {
		r.Streams[i].Stream = s
	}
	for !enough(r) {
		p, err := c.Read(ctx)
		if err != nil {
			return r, err
		}
		r.Streams[p.Stream].add(p)
	}
	return r, nil
}

func (s *StreamRecording) add(p Packet) {
	if p.Report {
		s.Reports = append(s.Reports, p)
		return
	}
	if len(s.Units) == 0 {
		s.First = p.Timestamp
	} else if p.Seq != s.seq+1 {
		s.Gaps++
	}
	if p.SSRC != s.ssrc || s.SSRCs == 0 {
		s.SSRCs++
	}
	s.seq, s.ssrc = p.Seq, p.SSRC
	at := int64(int32(p.Timestamp - s.First)) // recordings are shorter than the 13 hours after which it wraps
	if n := len(s.Units); n == 0 || s.Units[n-1].Time != at {
		s.Units = append(s.Units, Unit{Time: at, Arrived: p.Arrived})
	}
	last := &s.Units[len(s.Units)-1]
	last.Payloads = append(last.Payloads, p.Payload)
}

// Whole are the units that have all their packets.
func (s *StreamRecording) Whole() []Unit {
	return s.Units[:max(0, len(s.Units)-1)]
}

// Wall is the wall clock at an RTP time of Unit.Time, by the last sender report; false if there was none.
func (s *StreamRecording) Wall(at int64) (time.Time, bool) {
	if len(s.Reports) == 0 {
		return time.Time{}, false
	}
	return s.WallBy(s.Reports[len(s.Reports)-1], at), true
}

// WallBy is the wall clock at an RTP time of Unit.Time by one of the sender reports.
func (s *StreamRecording) WallBy(report Packet, at int64) time.Time {
	ticks := at - int64(int32(report.Timestamp-s.First))
	return report.NTP.Add(time.Duration(ticks) * time.Second / time.Duration(s.Clock))
}

// Of is the first stream of a kind, video or audio; nil if there is none.
func (r *Recording) Of(kind string) *StreamRecording {
	for i := range r.Streams {
		if r.Streams[i].Media == kind {
			return &r.Streams[i]
		}
	}
	return nil
}

// H264 puts the NAL units of a picture together again (RFC 6184: single, STAP-A, FU-A) as a byte stream.
func (u Unit) H264() []byte {
	var out []byte
	start := []byte{0, 0, 0, 1}
	for _, p := range u.Payloads {
		if len(p) < 2 {
			continue
		}
		switch p[0] & 0x1f {
		case 24: // STAP-A
			for q := p[1:]; len(q) > 2; {
				n := int(q[0])<<8 | int(q[1])
				if n > len(q)-2 {
					break
				}
				out = append(append(out, start...), q[2:2+n]...)
				q = q[2+n:]
			}
		case 28: // FU-A
			if p[1]&0x80 != 0 {
				out = append(append(out, start...), p[0]&0xe0|p[1]&0x1f)
			}
			out = append(out, p[2:]...)
		default:
			out = append(append(out, start...), p...)
		}
	}
	return out
}

// AAC takes the one frame out of a packet of RFC 3640 with 16-bit headers; nil if there are more.
func (u Unit) AAC() []byte {
	if len(u.Payloads) != 1 || len(u.Payloads[0]) < 4 || u.Payloads[0][0] != 0 || u.Payloads[0][1] != 16 {
		return nil
	}
	return u.Payloads[0][4:]
}
