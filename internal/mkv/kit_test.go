package mkv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// someHeader is a camera's with sound.
func someHeader() Header {
	return Header{
		SegmentUID: [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		Title:      "Road", MuxingApp: "gst-kinesis", WritingApp: "gst-kinesis 1.0",
		Tracks: []Track{
			{Number: 1, UID: 1, Type: Video, Name: "kinesis_video", CodecID: CodecAVC, Width: 768, Height: 432,
				CodecPrivate: []byte{1, 0x42, 0xC0, 0x1E, 0xFF, 0xE0, 0}},
			{Number: 2, UID: 2, Type: Audio, Name: "audio", CodecID: CodecAAC, SamplingFrequency: 48000, Channels: 2,
				CodecPrivate: []byte{0x11, 0x90}},
		},
	}
}

// kept is an event with what it pointed to, and where it was.
type kept struct {
	event Event
	at    int64
	raw   []byte
}

// keep copies what is only valid until the next event.
func keep(r *Reader, e Event) kept {
	k := kept{at: r.Offset(), raw: bytes.Clone(r.Raw())}
	switch e := e.(type) {
	case *EBMLHeader:
		c := *e
		k.event = &c
	case *SegmentStart:
		c := *e
		k.event = &c
	case *Info:
		c := *e
		k.event = &c
	case *Tracks:
		c := *e
		k.event = &c
	case *Tags:
		c := *e
		k.event = &c
	case *ClusterStart:
		c := *e
		k.event = &c
	case *Block:
		c := *e
		c.Data = bytes.Clone(e.Data)
		if c.Data == nil {
			c.Data = []byte{}
		}
		k.event = &c
	case *ClusterEnd:
		c := *e
		k.event = &c
	case *SegmentEnd:
		c := *e
		k.event = &c
	default:
		panic(fmt.Sprintf("%T", e))
	}
	return k
}

// readAll reads to the end, or to an error.
func readAll(r *Reader) (list []kept, err error) {
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		list = append(list, keep(r, e))
	}
}

// read reads a stream that has to be sound, in one piece.
func read(tb testing.TB, stream []byte) []kept {
	tb.Helper()
	list, err := readAll(NewReader(bytes.NewReader(stream), Limits{}))
	require.NoError(tb, err)
	return list
}

// events leaves out where they were.
func events(list []kept) (out []Event) {
	for _, k := range list {
		out = append(out, k.event)
	}
	return out
}

// pieces reads in pieces of random length, some of none.
type pieces struct {
	src  io.Reader
	rand *rand.Rand
	most int
}

func (p pieces) Read(b []byte) (int, error) {
	if p.rand.IntN(8) == 0 {
		return 0, nil
	}
	return p.src.Read(b[:min(len(b), 1+p.rand.IntN(p.most))])
}

// made is a stream and what has to be read from it.
type made struct {
	bytes []byte
	want  []Event
}

func randomText(r *rand.Rand, most int) string {
	b := make([]byte, r.IntN(most+1))
	for i := range b {
		b[i] = byte('!' + r.IntN(90))
	}
	return string(b)
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func randomHeader(r *rand.Rand) Header {
	h := Header{TimecodeScale: 1 + r.Uint64N(1<<40), Title: randomText(r, maxApp), MuxingApp: randomText(r, maxApp), WritingApp: randomText(r, maxApp)}
	copy(h.SegmentUID[:], randomBytes(r, 16))
	for i := range 1 + r.IntN(MaxTracks) {
		t := Track{Number: uint64(i + 1), UID: 1 + r.Uint64N(1<<63) + uint64(i), Type: Video, Name: randomText(r, MaxTrackName),
			CodecID: "V" + randomText(r, MaxCodecID-1), Width: 1 + r.IntN(65535), Height: r.IntN(65536)}
		if r.IntN(4) == 0 {
			t.Number = 1000*t.Number + r.Uint64N(1000)
		}
		if r.IntN(2) == 0 {
			t = Track{Number: t.Number, UID: t.UID, Type: Audio, CodecID: CodecOpus, SamplingFrequency: r.Float64() * 96000, Channels: r.IntN(256),
				BitDepth: r.IntN(65), DefaultDuration: r.Uint64N(1 << 40), CodecDelay: r.Uint64N(2) * 6500000, SeekPreRoll: r.Uint64N(2) * 80000000}
		}
		if n := []int{0, 40, 20000}[r.IntN(3)]; n > 0 {
			t.CodecPrivate = randomBytes(r, n)
		}
		h.Tracks = append(h.Tracks, t)
	}
	return h
}

// randomStream writes sessions one after another.
func randomStream(tb testing.TB, r *rand.Rand) (m made) {
	for range 1 + r.IntN(3) {
		h := randomHeader(r)
		begin := len(m.bytes)
		var err error
		m.bytes, err = AppendHeader(m.bytes, h)
		require.NoError(tb, err)
		require.Equal(tb, HeaderSize(h), len(m.bytes)-begin)
		begin += len(ebmlHeader)
		m.want = append(m.want, &EBMLHeader{"matroska", 2, 2, 4, 8}, &SegmentStart{-1},
			&Info{SegmentUID: h.SegmentUID, HasUID: true, TimecodeScale: h.TimecodeScale, Title: h.Title, MuxingApp: h.MuxingApp, WritingApp: h.WritingApp},
			&Tracks{h.Tracks})
		for range r.IntN(5) {
			m.randomFragment(tb, r, h)
		}
		m.want = append(m.want, &SegmentEnd{int64(len(m.bytes) - begin)})
	}
	return m
}

func (m *made) randomFragment(tb testing.TB, r *rand.Rand, h Header) {
	for range r.IntN(3) {
		var tags []Tag
		for range 1 + r.IntN(3) {
			tags = append(tags, Tag{randomText(r, MaxTagName), randomText(r, MaxTagValue)})
		}
		before := len(m.bytes)
		m.bytes = AppendTags(m.bytes, tags)
		require.Equal(tb, TagsSize(tags), len(m.bytes)-before)
		m.want = append(m.want, &Tags{tags})
	}
	begin, timecode := len(m.bytes), r.Uint64N(1<<41)
	m.bytes = AppendCluster(m.bytes, timecode)
	require.Equal(tb, ClusterSize, len(m.bytes)-begin)
	m.want = append(m.want, &ClusterStart{timecode, -1})
	for range r.IntN(12) {
		track, relative := h.Tracks[r.IntN(len(h.Tracks))].Number, int16(r.Uint32())
		payload := randomBytes(r, r.IntN([]int{1, 100, 5000, 1, 100, 3000, 1, 200000}[r.IntN(8)]))
		flags := BlockFlags(r.Uint32()) & (KeyFrame | Invisible | Discardable)
		before := len(m.bytes)
		m.bytes = AppendSimpleBlockHeader(m.bytes, track, relative, flags, len(payload))
		require.Equal(tb, SimpleBlockHeaderSize(track), len(m.bytes)-before)
		m.bytes = append(m.bytes, payload...)
		m.want = append(m.want, &Block{Track: track, Relative: relative, Timecode: int64(timecode) + int64(relative), Key: flags&KeyFrame != 0,
			Invisible: flags&Invisible != 0, Discardable: flags&Discardable != 0, Frames: 1, Data: payload})
	}
	m.want = append(m.want, &ClusterEnd{int64(len(m.bytes) - begin)})
	if r.IntN(3) == 0 {
		m.bytes = AppendEndOfFragment(m.bytes)
		m.want = append(m.want, &Tags{[]Tag{{Name: TagEndOfFragment}}})
	}
}
