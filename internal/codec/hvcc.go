package codec

import "encoding/binary"

// Types of NAL units of H.265 (Table 7-1).
const (
	h265FirstIRAP = 16
	h265CRA       = 21
	h265LastIRAP  = 23
	h265LastVCL   = 31
	h265VPS       = 32
	h265SPS       = 33
	h265PPS       = 34
)

// hvccHead is the size of a record before its arrays.
const hvccHead = 23

// HVCC is an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1): 01, profile_tier_level's first 12 bytes, min_spatial_segmentation_idc
// (12 bits), parallelismType, chroma format, bit depths, average frame rate (2 bytes), constant frame rate, temporal layers and nesting,
// length size - 1, number of arrays; an array is completeness and type, number of units (2 bytes), each after its length (2 bytes).
type HVCC struct {
	Space, Tier, Profile         byte
	Compatibility                uint32
	Constraints                  [6]byte
	Level                        byte
	Chroma                       int
	BitDepthLuma, BitDepthChroma int
	TemporalLayers               int
	TemporalNested               bool
	LengthSize                   int      // bytes of a NAL unit's length: 1, 2 or 4
	VPS, SPS, PPS                [][]byte // NAL units; they share the record's memory. No SPS: the sets are in band (hev1)
	Complete                     bool     // all SPS are here, none is in band (hvc1)
}

// ParseHVCC reads an hvcC. Arrays of other units (SEI) and what may follow are passed over.
func ParseHVCC(record []byte) (HVCC, error) {
	const what = "the hvcC"
	var c HVCC
	if len(record) < hvccHead {
		return c, fault(what, parseH265, "%d bytes are no HEVCDecoderConfigurationRecord: it has %d before its parameter sets", len(record), hvccHead)
	}
	if record[0] != 1 {
		return c, fault(what, parseH265, "configurationVersion is %d, not 1", record[0])
	}
	c.Space, c.Tier, c.Profile = record[1]>>6, record[1]>>5&1, record[1]&31
	c.Compatibility = binary.BigEndian.Uint32(record[2:])
	copy(c.Constraints[:], record[6:])
	c.Level = record[12]
	c.Chroma, c.BitDepthLuma, c.BitDepthChroma = int(record[16]&3), 8+int(record[17]&7), 8+int(record[18]&7)
	c.TemporalLayers, c.TemporalNested, c.LengthSize = int(record[21]>>3&7), record[21]>>2&1 == 1, int(record[21]&3)+1
	if c.LengthSize == 3 {
		return c, fault(what, parseH265, "NAL unit lengths of 3 bytes do not exist")
	}
	s := sets{what: what, remedy: parseH265, rest: record[hvccHead:]}
	for range record[22] {
		c.array(&s)
	}
	return c, s.err
}

// array reads an array of units.
func (c *HVCC) array(s *sets) {
	kind := s.byte("type of an array")
	n := s.byte("size of an array") << 8
	n |= s.byte("size of an array")
	name, list := "NAL unit", (*[][]byte)(nil)
	switch kind & 63 {
	case h265VPS:
		name, list = "VPS", &c.VPS
	case h265SPS:
		name, list = "SPS", &c.SPS
		c.Complete = kind&128 != 0
	case h265PPS:
		name, list = "PPS", &c.PPS
	}
	nals := s.list(name, n, kind&63, func(nal []byte) int { return int(nal[0] >> 1 & 63) })
	if list != nil {
		*list = append(*list, nals...)
	}
}

// Record writes the hvcC. It needs a VPS, an SPS and a PPS. Profile, tier, level, chroma format, bit depths and layers are those of the SPS:
// the first one's, with the highest level. That pictures can be decoded in parallel, and the frame rate, it leaves unspecified (0).
func (c *HVCC) Record() ([]byte, error) {
	const what = "the parameter sets for an hvcC"
	if len(c.VPS) == 0 || len(c.SPS) == 0 || len(c.PPS) == 0 {
		return nil, fault(what, "wait for a key frame, or "+parseH265, "%d VPS, %d SPS and %d PPS: one of each is needed", len(c.VPS), len(c.SPS), len(c.PPS))
	}
	var first H265SPS
	for i, nal := range c.SPS {
		s, err := ParseH265SPS(nal)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			first = s
		}
		first.Level = max(first.Level, s.Level)
		first.TemporalLayers = max(first.TemporalLayers, s.TemporalLayers)
		first.TemporalNested = first.TemporalNested && s.TemporalNested
	}
	b := append(make([]byte, 0, 256), 1, first.Space<<6|first.Tier<<5|first.Profile)
	b = binary.BigEndian.AppendUint32(b, first.Compatibility)
	b = append(b, first.Constraints[:]...)
	b = append(b, first.Level, 0xF0, 0, 0xFC, 0xFC|byte(first.Chroma), 0xF8|byte(first.BitDepthLuma-8), 0xF8|byte(first.BitDepthChroma-8), 0, 0)
	size, nested, complete := c.LengthSize, byte(0), byte(0)
	if size == 0 {
		size = lengthBytes
	}
	if first.TemporalNested {
		nested = 1
	}
	if c.Complete {
		complete = 128
	}
	b = append(b, byte(first.TemporalLayers)<<3|nested<<2|byte(size-1), 3)
	for i, nals := range [][][]byte{c.VPS, c.SPS, c.PPS} {
		var err error
		b = binary.BigEndian.AppendUint16(append(b, complete|byte(h265VPS+i)), uint16(len(nals)))
		if b, err = appendSets(b, nals); err != nil {
			return nil, err
		}
	}
	return b, nil
}
