package codec

import (
	"encoding/binary"
	"slices"
	"time"
)

// OpusConfig is what OpusHead says (RFC 7845, 5.1): "OpusHead", 01, channels, pre-skip (2 bytes, little endian), input rate (4), gain (2), mapping
// family, and for families other than 0 streams, coupled streams and a mapping for each channel. GStreamer's caps have it as rate, channels,
// channel-mapping-family, stream-count, coupled-count and channel-mapping, and whole as the first buffer of streamheader.
type OpusConfig struct {
	Channels  int
	PreSkip   int // samples at 48 kHz
	InputRate int // Hz, before the encoder; 0: not told. Opus itself always has 48 kHz
	Gain      int // in 1/256 dB
	Family    int // 0: mono and stereo, 1: surround in Vorbis' order, 255: no order
	Streams   int // family 0: 1, or 0 for that
	Coupled   int // family 0: 0 for mono, 1 for stereo; whatever is given counts for nothing
	Mapping   []byte
}

const (
	opusMagic = "OpusHead"
	opusSize  = 19
	opusRate  = 48000
	// opusPreRoll is how far before a point decoding has to begin (RFC 7845, 4.6).
	opusPreRoll = 80 * time.Millisecond
	checkOpus   = "put opusparse before the sink"
)

// ParseOpusHead reads an OpusHead. Mapping shares its memory.
func ParseOpusHead(head []byte) (OpusConfig, error) {
	const what = "the OpusHead"
	var c OpusConfig
	if len(head) < opusSize || string(head[:len(opusMagic)]) != opusMagic {
		return c, fault(what, checkOpus, "%d bytes that do not begin with %q, or are fewer than %d", len(head), opusMagic, opusSize)
	}
	if head[8]>>4 != 0 { // the lower half is compatible
		return c, fault(what, checkOpus, "version %d is not known", head[8])
	}
	c.Channels, c.PreSkip = int(head[9]), int(binary.LittleEndian.Uint16(head[10:]))
	c.InputRate, c.Gain, c.Family = int(binary.LittleEndian.Uint32(head[12:])), int(int16(binary.LittleEndian.Uint16(head[16:]))), int(head[18])
	if c.Family != 0 {
		if len(head) < opusSize+2+c.Channels {
			return c, fault(what, checkOpus, "%d bytes, where mapping family %d with %d channels needs %d", len(head), c.Family, c.Channels, opusSize+2+c.Channels)
		}
		c.Streams, c.Coupled = int(head[19]), int(head[20])
		c.Mapping = head[21 : 21+c.Channels : 21+c.Channels]
	}
	return c, c.check(what)
}

// check says what RFC 7845, 5.1.1, does not allow.
func (c *OpusConfig) check(what string) error {
	if c.PreSkip>>16 != 0 || c.InputRate>>32 != 0 || c.Gain != int(int16(c.Gain)) || c.InputRate < 0 {
		return fault(what, checkOpus, "pre-skip %d, input rate %d and gain %d do not fit into 16, 32 and 16 bits", c.PreSkip, c.InputRate, c.Gain)
	}
	most := 255
	switch c.Family {
	case 0:
		most = 2
	case 1:
		most = 8
	}
	if c.Channels < 1 || c.Channels > most || c.Family < 0 || c.Family > 255 {
		return fault(what, checkOpus, "%d channels with mapping family %d, which has 1 to %d", c.Channels, c.Family, most)
	}
	if c.Family == 0 {
		return nil
	}
	if c.Streams < 1 || c.Coupled < 0 || c.Coupled > c.Streams || c.Streams+c.Coupled > 255 || len(c.Mapping) != c.Channels {
		return fault(what, checkOpus, "%d streams, of which %d coupled, and %d channels mapped of %d", c.Streams, c.Coupled, len(c.Mapping), c.Channels)
	}
	beyond := func(index byte) bool { return int(index) >= c.Streams+c.Coupled && index != 255 }
	if i := slices.IndexFunc(c.Mapping, beyond); i >= 0 {
		return fault(what, checkOpus, "channel %d is mapped to %d of %d decoded ones", i, c.Mapping[i], c.Streams+c.Coupled)
	}
	return nil
}

// Head writes the OpusHead: 19 bytes, and 2 more and one a channel for families other than 0.
func (c *OpusConfig) Head() ([]byte, error) {
	if err := c.check("Opus' caps"); err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, opusSize+2+len(c.Mapping)), opusMagic...)
	b = append(b, 1, byte(c.Channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(c.PreSkip))
	b = binary.LittleEndian.AppendUint32(b, uint32(c.InputRate))
	b = binary.LittleEndian.AppendUint16(b, uint16(int16(c.Gain)))
	b = append(b, byte(c.Family))
	if c.Family != 0 {
		b = append(append(b, byte(c.Streams), byte(c.Coupled)), c.Mapping...)
	}
	return b, nil
}

// delay is the pre-skip as time.
func (c *OpusConfig) delay() time.Duration { return time.Duration(c.PreSkip) * time.Second / opusRate }
