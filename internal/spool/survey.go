package spool

import (
	"errors"
	"hash/crc32"
	"io"
)

// firstJump is how far a scan goes on behind a place of the disk that cannot be read. It doubles
// each time: a dying disk takes seconds for each try.
const firstJump = 4096

// survey is what a segment is found to hold.
type survey struct {
	entries []entry
	lost    []int // entries that cannot be read
	end     int64 // where whole frames end, index not counted
	corrupt int64 // bytes that are nothing, with something whole behind them, or broken data
	torn    int64 // bytes behind the last whole frame
	indexed bool  // it ends with an index that agrees
	err     error // of the disk; it was passed over
}

// damaged reports whether a person may want to see the file.
func (v *survey) damaged() bool { return v.corrupt > 0 || v.err != nil }

// readIndex opens a segment that was ended as it should be, without reading its records.
func readIndex(src io.ReaderAt, o origin, size int64) (survey, bool) {
	var b [trailerSize]byte
	if size < headerSize+indexSize(0) {
		return survey{}, false
	}
	if n, _ := src.ReadAt(b[:], size-trailerSize); n != trailerSize {
		return survey{}, false
	}
	at, ok := parseTrailer(b[:], o.seed())
	n := (size - at - indexSize(0)) / indexEntry
	if !ok || n < 0 || at+indexSize(int(n)) != size || n > size/frameHead {
		return survey{}, false
	}
	block := make([]byte, size-at-trailerSize)
	if n, _ := src.ReadAt(block, at); n != len(block) {
		return survey{}, false
	}
	h, ok := parseHead(block)
	if !ok || h.kind != kindIndex || h.size() != int64(len(block)) || !sumOK(block[:frameHead], o.seed()) ||
		crc32.Checksum(block[frameHead:], castagnoli()) != h.dataSum {
		return survey{}, false
	}
	return survey{entries: parseEntries(block[frameHead:]), end: at, indexed: true}, true
}

// scanSegment reads a whole segment and finds what is in it.
func scanSegment(src io.ReaderAt, o origin, size int64, room []byte) survey {
	v := survey{end: min(size, headerSize)}
	s := newScan(src, o, size, room)
	jump, pending := int64(firstJump), int64(0)
	for {
		h, skipped, err := s.find()
		pending += skipped
		if errors.Is(err, io.EOF) {
			break
		}
		ok := false
		if err == nil {
			ok, err = s.dataOK(h)
		}
		if err != nil {
			v.err = err
			s.jump(jump)
			pending += jump
			jump *= 2
			continue
		}
		v.corrupt += pending
		pending = 0
		v.take(h, o, ok)
		s.pass(h)
		if h.kind == kindRecord {
			v.end = s.off
		} else {
			v.indexed = s.off+trailerSize == size
			pending -= min(trailerSize, size-s.off)
		}
	}
	v.torn = max(0, pending)
	return v
}

// take counts a frame. IDs that are missing before it were lost.
func (v *survey) take(h head, o origin, ok bool) {
	for o.first+ID(len(v.entries)) < h.id {
		v.lost = append(v.lost, len(v.entries))
		v.entries = append(v.entries, entry{})
	}
	if !ok {
		v.corrupt += h.size()
	}
	if h.kind != kindRecord {
		return
	}
	if !ok {
		v.lost = append(v.lost, len(v.entries))
	}
	v.entries = append(v.entries, entry{size: h.data, second: secondOf(h.accepted)})
}
