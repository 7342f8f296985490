package codec

import (
	"encoding/binary"
	"slices"
)

// Audio object types (ISO/IEC 14496-3, table 1.17).
const (
	aacLC     = 2
	aacSBR    = 5
	aacPS     = 29
	aacEscape = 31
)

// aacRates are the sampling rates by samplingFrequencyIndex (table 1.18); 15 stands for 24 explicit bits.
func aacRates() []int {
	return []int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}
}

// aacChannels are the channels by channelConfiguration (table 1.19); 0: a program_config_element, or reserved.
func aacChannels() []int { return []int{0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0} }

// AudioConfig is an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): object type (5 bits, or 31 and 6), sampling rate (4, or 15 and 24), channels
// (4), for SBR and PS another rate and the object type below, the object's own part, and for backward-compatible SBR and PS 2B7 and 548.
type AudioConfig struct {
	ObjectType int // of the core: 2 is AAC LC
	SampleRate int // of the core, Hz
	Channels   int // of the core; 0: not told
	// SBR and PS say that the stream has spectral band replication (HE-AAC) or parametric stereo (HE-AAC v2); a decoder then gives OutputRate, and
	// with PS two channels. Both can be there without being told.
	SBR, PS    bool
	OutputRate int // Hz; SampleRate without SBR
	FrameSize  int // samples of the core a frame: 1024 or 960, with AAC LD 512 or 480; 0: not told
}

// ParseAudioConfig reads an AudioSpecificConfig: the codec_data of AAC's caps.
func ParseAudioConfig(asc []byte) (AudioConfig, error) {
	const what = "the AudioSpecificConfig"
	if ADTS(asc) {
		return AudioConfig{}, fault(what, parseAAC, "it is an ADTS header")
	}
	r := bitReader{data: asc}
	c := AudioConfig{ObjectType: aacObject(&r)}
	c.SampleRate = aacRate(&r)
	channels := r.u(4)
	c.Channels = aacChannels()[channels]
	c.OutputRate = c.SampleRate
	explicit := c.ObjectType == aacSBR || c.ObjectType == aacPS
	if explicit {
		c.SBR, c.PS = true, c.ObjectType == aacPS
		c.OutputRate = aacRate(&r)
		c.ObjectType = aacObject(&r)
	}
	if r.short || c.SampleRate == 0 || c.OutputRate == 0 {
		return c, fault(what, parseAAC, "%x: it is cut short, or has a sampling rate that does not exist", asc)
	}
	if !slices.Contains([]int{1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23}, c.ObjectType) { // those with a GASpecificConfig
		if channels == 0 {
			return c, fault(what, parseAAC, "%x: object type %d does not tell its channels", asc, c.ObjectType)
		}
		return c, nil
	}
	if err := c.general(&r, channels == 0); err != nil {
		return c, err
	}
	if !explicit {
		c.extension(&r)
	}
	return c, nil
}

func aacObject(r *bitReader) int {
	if t := int(r.u(5)); t != aacEscape {
		return t
	}
	return 32 + int(r.u(6))
}

// aacRate gives 0 for a rate that does not exist.
func aacRate(r *bitReader) int {
	rates := aacRates()
	switch i := int(r.u(4)); {
	case i == 15:
		return int(r.u(24))
	case i < len(rates):
		return rates[i]
	}
	return 0
}

// general reads a GASpecificConfig (4.4.1).
func (c *AudioConfig) general(r *bitReader, program bool) error {
	const what = "the AudioSpecificConfig"
	c.FrameSize = 1024
	if r.flag() {
		c.FrameSize = 960
	}
	if c.ObjectType == 23 {
		c.FrameSize /= 2
	}
	if r.flag() {
		r.skip(14) // coreCoderDelay
	}
	extension := r.flag()
	if program {
		c.Channels = aacProgram(r)
	}
	if c.ObjectType == 6 || c.ObjectType == 20 {
		r.skip(3) // layerNr
	}
	if extension {
		switch c.ObjectType {
		case 22:
			r.skip(16) // numOfSubFrame, layer_length
		case 17, 19, 20, 23:
			r.skip(3) // resilience flags
		}
		r.bit() // extensionFlag3
	}
	if r.short || c.Channels == 0 {
		return fault(what, parseAAC, "it is cut short, or tells no channels")
	}
	return nil
}

// aacProgram counts the channels of a program_config_element (4.4.1.1): the elements' 1 or 2 each, and the low-frequency ones.
func aacProgram(r *bitReader) (channels int) {
	r.skip(4 + 2 + 4)
	elements := int(r.u(4)) + int(r.u(4)) + int(r.u(4))
	lfe, data, coupling := int(r.u(2)), int(r.u(3)), int(r.u(4))
	for _, bits := range []int{4, 4, 3} { // mono, stereo and matrix mixdown
		if r.flag() {
			r.skip(bits)
		}
	}
	for range elements {
		channels++
		if r.flag() { // is_cpe
			channels++
		}
		r.skip(4)
	}
	channels += lfe
	r.skip(4*lfe + 4*data + 5*coupling)
	r.align()               // relative to the config's first bit
	r.skip(8 * int(r.u(8))) // comment
	return channels
}

// extension reads the backward-compatible signals of SBR and PS, where there are any.
func (c *AudioConfig) extension(r *bitReader) {
	if r.available() < 16 || r.u(11) != 0x2B7 || aacObject(r) != aacSBR || !r.flag() {
		return
	}
	if rate := aacRate(r); rate != 0 && !r.short {
		c.SBR, c.OutputRate = true, rate
	}
	if r.available() >= 12 && r.u(11) == 0x548 {
		c.PS = r.flag()
	}
}

// BuildAudioConfig gives the AudioSpecificConfig of AAC LC: 2 bytes, or 5 for a rate (Hz) that has no index. channels is 1 to 8.
func BuildAudioConfig(rate, channels int) ([]byte, error) {
	config := slices.Index(aacChannels(), channels)
	if channels < 1 || config < 0 || rate < 1 || rate >= 1<<24 {
		return nil, fault("AAC's caps", parseAAC, "a rate of %d Hz and %d channels: AAC has 1 to 8 channels, and a rate below 16777216 Hz", rate, channels)
	}
	if i := slices.Index(aacRates(), rate); i >= 0 {
		return binary.BigEndian.AppendUint16(nil, uint16(aacLC<<11|i<<7|config<<3)), nil
	}
	v := uint64(aacLC)<<35 | 15<<31 | uint64(rate)<<7 | uint64(config)<<3
	return binary.BigEndian.AppendUint64(nil, v<<24)[:5], nil
}
