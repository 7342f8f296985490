package rtsptest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseRTP(t *testing.T) {
	t.Parallel()
	plain := []byte{0x80, 0xe0, 0x12, 0x34, 0, 0, 0, 5, 0, 0, 0, 9, 'a', 'b'}
	var k Packet
	require.True(t, k.parseRTP(plain))
	require.Equal(t, Packet{Seq: 0x1234, Timestamp: 5, SSRC: 9, Marker: true, Payload: []byte("ab")}, k)

	extended := append([]byte{0x91, 0x60, 0, 1, 0, 0, 0, 5, 0, 0, 0, 9, 1, 2, 3, 4, 0xbe, 0xde, 0, 1, 7, 7, 7, 7}, 'x')
	k = Packet{}
	require.True(t, k.parseRTP(extended), "one CSRC and an extension")
	require.Equal(t, []byte("x"), k.Payload)
	require.False(t, k.Marker)

	for _, bad := range [][]byte{nil, plain[:11], {0x40, 11: 0}, extended[:20], extended[:23]} {
		require.False(t, k.parseRTP(bad), "%x", bad)
	}
}

func TestParseSenderReport(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 500e6, time.UTC)
	seconds := uint32(at.Unix() + ntpEpoch)
	p := []byte{
		0x80, 200, 0, 6, 0, 0, 0, 9, byte(seconds >> 24), byte(seconds >> 16), byte(seconds >> 8), byte(seconds),
		0x80, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0,
	}
	var k Packet
	require.True(t, k.parseRTCP(p))
	require.Equal(t, Packet{Report: true, SSRC: 9, NTP: at, Timestamp: 7}, k)
	require.False(t, k.parseRTCP(p[:27]))
	p[1] = 201
	require.False(t, k.parseRTCP(p), "a receiver report")
}

func TestUnits(t *testing.T) {
	t.Parallel()
	s := StreamRecording{Stream: Stream{Clock: 90000}}
	for i, ts := range []uint32{1<<32 - 90000, 1<<32 - 90000, 0, 90000, 45000} { // it wraps, and goes back
		s.add(Packet{Seq: uint16(65534 + i), Timestamp: ts, Payload: []byte{byte(i)}})
	}
	require.Zero(t, s.Gaps)
	require.Equal(t, 1, s.SSRCs)
	var times []int64
	for _, u := range s.Units {
		times = append(times, u.Time)
	}
	require.Equal(t, []int64{0, 90000, 180000, 135000}, times)
	require.Len(t, s.Units[0].Payloads, 2)
	require.Len(t, s.Whole(), 3)
	s.add(Packet{Seq: 7, Timestamp: 99, SSRC: 1})
	require.Equal(t, 1, s.Gaps)
	require.Equal(t, 2, s.SSRCs)

	_, ok := s.Wall(0)
	require.False(t, ok)
	at := time.Unix(1000, 0)
	s.add(Packet{Report: true, NTP: at, Timestamp: 90000})
	wall, ok := s.Wall(0)
	require.True(t, ok)
	require.Equal(t, at.Add(-2*time.Second), wall)
}

func TestH264(t *testing.T) {
	t.Parallel()
	u := Unit{Payloads: [][]byte{
		{24, 0, 2, 0x67, 1, 0, 2, 0x68, 2},                // STAP-A
		{0x06, 9},                                         // single
		{0x7c, 0x85, 3}, {0x7c, 0x05, 4}, {0x7c, 0x45, 5}, // FU-A
		{24, 0, 9, 1}, {1}, // broken
	}}
	require.Equal(t, []byte{0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 6, 9, 0, 0, 0, 1, 0x65, 3, 4, 5}, u.H264())
	require.Equal(t, []byte("xy"), Unit{Payloads: [][]byte{{0, 16, 0, 16, 'x', 'y'}}}.AAC())
	require.Nil(t, u.AAC())
}

func FuzzPacket(f *testing.F) {
	f.Add([]byte{0x91, 0x60, 0, 1, 0, 0, 0, 5, 0, 0, 0, 9, 1, 2, 3, 4, 0xbe, 0xde, 0, 1, 7, 7, 7, 7, 'x'})
	f.Add([]byte{0x80, 200, 0, 6, 27: 0})
	f.Add([]byte{0x80, 96, 11: 0, 12: 24, 13: 0, 14: 9})
	f.Fuzz(func(t *testing.T, p []byte) {
		var k Packet
		if k.parseRTP(p) {
			u := Unit{Payloads: [][]byte{k.Payload}}
			_, _ = u.H264(), u.AAC()
		}
		_ = k.parseRTCP(p)
	})
}
