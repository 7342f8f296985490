package codec

import "bytes"

// Change says what an access unit did to a stream's parameter sets.
type Change int

// The changes, the greater one where there are several.
const (
	// Same: nothing was new.
	Same Change = iota
	// PictureSets: a PPS was new or other than before. In band it suffices: encoders change them in mid-stream, some with every frame.
	PictureSets
	// SequenceSets: an SPS (or a VPS) was new or other than before. The record of before no longer describes the stream: a new session is needed.
	SequenceSets
)

// Sets collects the parameter sets that come in band (byte-stream, avc3, hev1), one for each identifier, and builds the record for Matroska's
// CodecPrivate. It copies what it keeps.
type Sets struct {
	h265  bool
	kinds [4][][]byte // by identifier. H.264: -, SPS, PPS, SPS extension. H.265: VPS, SPS, PPS
	// LengthSize goes into the record: 0 or 4 after Convert, else that of the record that came with avc3 or hev1.
	LengthSize int
}

// The places in Sets.kinds.
const (
	setVPS = iota
	setSPS
	setPPS
	setExt
)

// NewH264Sets collects SPS, PPS and SPS extensions of H.264.
func NewH264Sets() *Sets {
	s := &Sets{}
	s.kinds[setSPS] = make([][]byte, h264SPSs)
	s.kinds[setPPS] = make([][]byte, h264PPSs)
	s.kinds[setExt] = make([][]byte, h264SPSs)
	return s
}

// NewH265Sets collects VPS, SPS and PPS of H.265.
func NewH265Sets() *Sets {
	s := &Sets{h265: true}
	s.kinds[setVPS] = make([][]byte, h265VPSs)
	s.kinds[setSPS] = make([][]byte, h265SPSs)
	s.kinds[setPPS] = make([][]byte, h265PPSs)
	return s
}

// Update takes the parameter sets of an access unit, and tells whether any is other than before. It stops at the first slice: they
// precede it. An error names a set that cannot be read, or says that the access unit cannot; what was read before it stays.
func (s *Sets) Update(au Units) (Change, error) {
	change := Same
	for {
		head := au.peek()
		if len(head) == 0 || s.slice(head[0]) {
			return change, au.Err()
		}
		nal, ok := au.Next()
		if !ok {
			return change, au.Err()
		}
		kind, id, err := s.identify(nal)
		if err != nil {
			return change, err
		}
		if kind < 0 {
			continue
		}
		if old := s.kinds[kind][id]; !bytes.Equal(old, nal) {
			s.kinds[kind][id] = append(old[:0], nal...)
			if kind == setPPS {
				change = max(change, PictureSets)
			} else {
				change = SequenceSets
			}
		}
	}
}

// slice says whether a header is a slice's.
func (s *Sets) slice(header byte) bool {
	if s.h265 {
		return header>>1&63 <= h265LastVCL
	}
	return header&31 >= h264Slice && header&31 <= h264IDR
}

// identify tells which set a NAL unit is; kind -1: none.
func (s *Sets) identify(nal []byte) (kind, id int, err error) {
	what, remedy := "an H.264 parameter set", parseH264
	var r bitReader
	if s.h265 {
		what, remedy = "an H.265 parameter set", parseH265
		switch nal[0] >> 1 & 63 {
		case h265VPS:
			r = rbsp(nal, 2)
			kind, id = setVPS, int(r.u(4))
		case h265SPS:
			sps, err := ParseH265SPS(nal)
			return setSPS, sps.ID, err
		case h265PPS:
			r = rbsp(nal, 2)
			kind, id = setPPS, int(r.ue())
		default:
			return -1, 0, nil
		}
	} else {
		switch nal[0] & 31 {
		case h264SPS:
			sps, err := ParseH264SPS(nal)
			return setSPS, sps.ID, err
		case h264PPS:
			r = rbsp(nal, 1)
			kind, id = setPPS, int(r.ue())
		case h264SPSExt:
			r = rbsp(nal, 1)
			kind, id = setExt, int(r.ue())
		default:
			return -1, 0, nil
		}
	}
	if r.short || id >= len(s.kinds[kind]) {
		return -1, 0, fault(what, remedy, "%d bytes of type %#x with the identifier %d: cut short, or more than %d", len(nal), nal[0], id, len(s.kinds[kind])-1)
	}
	return kind, id, nil
}

// Ready says whether a record can be built: there is an SPS and a PPS (and a VPS).
func (s *Sets) Ready() bool {
	return s.some(setSPS) && s.some(setPPS) && (!s.h265 || s.some(setVPS))
}

func (s *Sets) some(kind int) bool {
	for _, nal := range s.kinds[kind] {
		if len(nal) > 0 {
			return true
		}
	}
	return false
}

// list gives the sets of a kind, by identifier. They are valid until the next Update.
func (s *Sets) list(kind int) (nals [][]byte) {
	for _, nal := range s.kinds[kind] {
		if len(nal) > 0 {
			nals = append(nals, nal)
		}
	}
	return nals
}

// Record gives the avcC or hvcC of the sets so far, in memory of its own. An error says which are missing (wait for a key frame) or too many.
func (s *Sets) Record() ([]byte, error) {
	if s.h265 {
		c := HVCC{LengthSize: s.LengthSize, VPS: s.list(setVPS), SPS: s.list(setSPS), PPS: s.list(setPPS)}
		return c.Record()
	}
	c := AVCC{LengthSize: s.LengthSize, SPS: s.list(setSPS), PPS: s.list(setPPS), SPSExt: s.list(setExt)}
	return c.Record()
}
