package spool

import (
	"bytes"
	"hash/crc32"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fuzzOrigin is the segment of the fuzz corpus, whose sums depend on it.
func fuzzOrigin() origin { return origin{first: 5, nonce: 0xabcdef01} }

// segmentOf builds a segment's file.
func segmentOf(o origin, records []Record, indexed bool) []byte {
	b := o.appendHeader(nil, 7)
	var entries []entry
	for i, r := range records {
		b = appendFrame(b, o, o.first+ID(i), r)
		entries = append(entries, entry{size: uint32(len(r.Data)), second: secondOf(r.Accepted.UnixNano())})
	}
	if indexed {
		b = appendIndex(b, o, entries, int64(len(b)))
	}
	return b
}

func appendFrame(b []byte, o origin, id ID, r Record) []byte {
	h := head{data: uint32(len(r.Data)), key: uint16(len(r.Key)), hash: uint8(len(r.ExplicitHash)), kind: kindRecord, id: id, pts: r.PTS,
		accepted: r.Accepted.UnixNano(), dataSum: crc32.Checksum(r.Data, castagnoli())}
	return append(h.appendMeta(b, o.seed(), r.Key, r.ExplicitHash), r.Data...)
}

// FuzzSegment reads any bytes as a segment: it must end, stay within what the file can hold, find
// the same by index and by scan where both are whole, and what it finds must read back.
func FuzzSegment(f *testing.F) {
	o := fuzzOrigin()
	records := []Record{{Key: "a", Data: []byte("one")}, {Key: "b", ExplicitHash: "12", Data: []byte("two")}, {}}
	whole := segmentOf(o, records, true)
	f.Add(whole)
	f.Add(segmentOf(o, records, false))
	f.Add(whole[:len(whole)-5])
	f.Add(append(bytes.Clone(whole[:70]), whole[90:]...))
	f.Add(append(bytes.Clone(whole[:headerSize]), bytes.Repeat([]byte(frameMark), 40)...))
	f.Add(whole[:headerSize])
	f.Fuzz(func(t *testing.T, b []byte) {
		src, size := bytes.NewReader(b), int64(len(b))
		o.checkHeader(b[:min(len(b), headerSize)])
		v := scanSegment(src, o, size, nil)
		require.NoError(t, v.err)
		require.LessOrEqual(t, int64(len(v.entries)), size/frameHead+2)
		require.LessOrEqual(t, v.end, size)
		require.LessOrEqual(t, v.corrupt+v.torn, size)
		if ix, ok := readIndex(src, o, size); ok && !v.damaged() && v.torn == 0 {
			require.Equal(t, len(ix.entries), len(v.entries))
			require.Equal(t, ix.end, v.end)
		}
		s := newScan(src, o, size, make([]byte, scanRoom))
		found := 0
		for {
			h, _, err := s.find()
			if err == io.EOF { //nolint:errorlint // as find returns it
				break
			}
			require.NoError(t, err)
			_, _, err = s.texts(h)
			require.NoError(t, err)
			ok, err := s.dataOK(h)
			require.NoError(t, err)
			same, err := s.read(h, make([]byte, h.data))
			require.NoError(t, err)
			require.Equal(t, ok, same)
			if ok && h.kind == kindRecord {
				found++
			}
			s.pass(h)
		}
		require.Equal(t, len(v.entries)-len(v.lost), found)
	})
}

// FuzzAcks reads any bytes as a journal.
func FuzzAcks(f *testing.F) {
	h := acksHead{nonce: 3, floor: 4, next: 900}
	c := ackCoder{buf: h.append(nil), seed: h.seed()}
	c.add(5, 1)
	c.add(8, 3)
	c.add(100, 500)
	c.add(700, 1)
	c.flush()
	f.Add(c.buf)
	f.Add(c.buf[:len(c.buf)-3])
	f.Add(c.buf[:acksHeader])
	f.Add([]byte(acksMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := walkAcks(bytes.NewReader(b), int64(len(b)), func(_ ID, n int) { require.GreaterOrEqual(t, n, 0) })
		require.NoError(t, err)
		require.LessOrEqual(t, found.bad+found.torn, int64(len(b)))
		if found.state != headerGood {
			return
		}
		// A spool that finds it opens, and goes on behind every ID it can have given out.
		d := newDisk(1)
		s := &site{t: t, set: Settings{Directory: "/spool", fs: d, Log: slog.New(slog.DiscardHandler), ticks: make(chan time.Time)}}
		o := origin{first: 5, nonce: 1}
		s.write(o.name(), segmentOf(o, []Record{{}, {}, {}}, true))
		s.write(acksName, b)
		s.open()
		require.LessOrEqual(t, s.Stats().Records, int64(3))
		require.NoError(t, s.Close())
	})
}

// FuzzAckCoder encodes sets of IDs: what is read back is the same set.
func FuzzAckCoder(f *testing.F) {
	f.Add([]byte{1, 2, 3, 40, 41, 200, 255})
	f.Add(bytes.Repeat([]byte{1, 3}, 50))
	f.Fuzz(func(t *testing.T, steps []byte) {
		h := acksHead{nonce: 9}
		c := ackCoder{buf: h.append(nil), seed: h.seed()}
		want := map[ID]bool{}
		id := ID(1)
		for _, step := range steps { // a gap, then a run
			id += ID(step >> 4)
			n := int(step&15) * int(step&15)
			if n == 0 {
				continue
			}
			c.add(id, n)
			for range n {
				want[id] = true
				id++
			}
		}
		c.flush()
		got := map[ID]bool{}
		found, err := walkAcks(bytes.NewReader(c.buf), int64(len(c.buf)), func(first ID, n int) {
			for i := range n {
				require.False(t, got[first+ID(i)])
				got[first+ID(i)] = true
			}
		})
		require.NoError(t, err)
		require.Zero(t, found.bad+found.torn)
		require.Equal(t, headerGood, found.state)
		require.Equal(t, want, got)
	})
}
