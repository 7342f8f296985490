package codec

import "encoding/binary"

// Types of NAL units of H.264 (Table 7-1).
const (
	h264Slice      = 1
	h264PartitionA = 2
	h264PartitionC = 4
	h264IDR        = 5
	h264SEI        = 6
	h264SPS        = 7
	h264PPS        = 8
	h264SPSExt     = 13
)

// AVCC is an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1): 01, profile, constraints, level, 111111 and length size - 1,
// 111 and number of SPS, each after its length in 2 bytes, number of PPS, likewise; for profiles other than 66, 77 and 88 then chroma format,
// bit depths and SPS extensions, which older writers leave out.
type AVCC struct {
	Profile, Constraints, Level byte
	LengthSize                  int      // bytes of a NAL unit's length: 1, 2 or 4
	SPS, PPS, SPSExt            [][]byte // NAL units; they share the record's memory. No SPS: the sets are in band (avc3)
}

// ParseAVCC reads an avcC. What may follow it is passed over.
func ParseAVCC(record []byte) (AVCC, error) {
	const what = "the avcC"
	var c AVCC
	if len(record) < 6 {
		return c, fault(what, parseH264, "%d bytes are no AVCDecoderConfigurationRecord", len(record))
	}
	if record[0] != 1 {
		return c, fault(what, parseH264, "configurationVersion is %d, not 1", record[0])
	}
	c.Profile, c.Constraints, c.Level, c.LengthSize = record[1], record[2], record[3], int(record[4]&3)+1
	if c.LengthSize == 3 {
		return c, fault(what, parseH264, "NAL unit lengths of 3 bytes do not exist")
	}
	s := sets{what: what, remedy: parseH264, rest: record[6:]}
	h264Type := func(nal []byte) int { return int(nal[0] & 31) }
	c.SPS = s.list("SPS", int(record[5]&31), h264SPS, h264Type)
	c.PPS = s.list("PPS", s.byte("number of PPS"), h264PPS, h264Type)
	if c.extended() && len(s.rest) >= 4 {
		n := int(s.rest[3])
		s.rest = s.rest[4:]
		c.SPSExt = s.list("SPS extension", n, h264SPSExt, h264Type)
	}
	return c, s.err
}

// extended says whether a record of this profile has chroma format and bit depths.
func (c *AVCC) extended() bool { return c.Profile != 66 && c.Profile != 77 && c.Profile != 88 }

// sets reads the parameter sets of a record. After an error it gives nothing.
type sets struct {
	what, remedy string
	rest         []byte
	err          error
}

func (s *sets) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fault(s.what, s.remedy, format, args...)
	}
}

func (s *sets) byte(name string) int {
	if s.err != nil || len(s.rest) == 0 {
		s.fail("it is cut short before the %s", name)
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return int(b)
}

// list reads n units of a type, each after its length in two bytes.
func (s *sets) list(name string, n, kind int, typeOf func(nal []byte) int) (nals [][]byte) {
	for i := range n {
		if s.err != nil {
			return nil
		}
		if len(s.rest) < 2 {
			s.fail("it is cut short before the length of %s %d of %d", name, i+1, n)
			return nil
		}
		size := int(binary.BigEndian.Uint16(s.rest))
		if s.rest = s.rest[2:]; size > len(s.rest) {
			s.fail("%s %d of %d has %d bytes, of which %d are there", name, i+1, n, size, len(s.rest))
			return nil
		}
		nal := s.rest[:size:size]
		s.rest = s.rest[size:]
		if size == 0 || typeOf(nal) != kind {
			s.fail("%s %d of %d, of %d bytes, is no NAL unit of type %d", name, i+1, n, size, kind)
			return nil
		}
		nals = append(nals, nal)
	}
	return nals
}

// Record writes the avcC. It needs an SPS and a PPS. Profile, constraints, level, chroma format and bit depths are those of the SPS: the
// first one's, with the constraints that all keep and the highest level.
func (c *AVCC) Record() ([]byte, error) {
	const what = "the parameter sets for an avcC"
	if len(c.SPS) == 0 || len(c.PPS) == 0 {
		return nil, fault(what, "wait for a key frame, or "+parseH264, "%d SPS and %d PPS: one of each is needed", len(c.SPS), len(c.PPS))
	}
	if len(c.SPS) > 31 || len(c.PPS) > 255 || len(c.SPSExt) > 255 {
		return nil, fault(what, parseH264, "%d SPS, %d PPS and %d SPS extensions: a record holds 31, 255 and 255", len(c.SPS), len(c.PPS), len(c.SPSExt))
	}
	var first H264SPS
	for i, nal := range c.SPS {
		s, err := ParseH264SPS(nal)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			first = s
		}
		first.Constraints &= s.Constraints
		first.Level = max(first.Level, s.Level)
	}
	size := c.LengthSize
	if size == 0 {
		size = lengthBytes
	}
	head := AVCC{Profile: first.Profile}
	b := []byte{1, first.Profile, first.Constraints, first.Level, 0xFC | byte(size-1), 0xE0 | byte(len(c.SPS))}
	b, err := appendSets(b, c.SPS)
	if err == nil {
		b, err = appendSets(append(b, byte(len(c.PPS))), c.PPS)
	}
	if err == nil && head.extended() {
		b = append(b, 0xFC|byte(first.Chroma), 0xF8|byte(first.BitDepthLuma-8), 0xF8|byte(first.BitDepthChroma-8), byte(len(c.SPSExt)))
		b, err = appendSets(b, c.SPSExt)
	}
	return b, err
}

// appendSets writes units after their lengths.
func appendSets(b []byte, nals [][]byte) ([]byte, error) {
	for _, nal := range nals {
		if len(nal) > 1<<16-1 {
			return nil, fault("a parameter set", "see what the encoder writes", "%d bytes, more than a record can hold", len(nal))
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(nal)))
		b = append(b, nal...)
	}
	return b, nil
}
