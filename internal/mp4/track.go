package mp4

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Codec is what a track's samples are coded in.
type Codec uint8

// The codecs there are.
const (
	AVC   Codec = iota + 1 // samples of length-prefixed NAL units; Config: AVCDecoderConfigurationRecord
	HEVC                   // the same; Config: HEVCDecoderConfigurationRecord
	AAC                    // raw frames; Config: AudioSpecificConfig
	ALaw                   // G.711; no Config
	MuLaw                  // G.711; no Config
)

func (c Codec) video() bool { return c == AVC || c == HEVC }

// ErrConfig is a track's configuration that its samples cannot be decoded with.
var ErrConfig = errors.New("invalid codec configuration")

// Track describes one track.
type Track struct {
	Codec         Codec
	Config        []byte
	Timescale     uint32 // ticks a second of its samples' times
	Width, Height int    // of video, in pixels
	SampleRate    int    // of audio, in Hz
	Channels      int
}

func (t *Track) check(place int) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("describing track %d of an MP4: %s: %w", place, fmt.Sprintf(format, args...), ErrConfig)
	}
	switch {
	case t.Codec < AVC || t.Codec > MuLaw:
		return fail("there is no codec %d", t.Codec)
	case t.Timescale == 0:
		return fail("the timescale is 0")
	case t.Width < 0 || t.Width > math.MaxUint16 || t.Height < 0 || t.Height > math.MaxUint16:
		return fail("%d x %d pixels", t.Width, t.Height)
	case t.Codec.video():
		if _, err := t.lengthSize(); err != nil {
			return fail("%v", err)
		}
		return nil
	case t.Channels < 1 || t.Channels > math.MaxUint8 || t.SampleRate < 1:
		return fail("%d channels, %d Hz", t.Channels, t.SampleRate)
	case t.Codec == AAC && (len(t.Config) < 2 || len(t.Config) > maxASC):
		return fail("an AudioSpecificConfig of %d bytes", len(t.Config))
	}
	return nil
}

// maxASC keeps the sizes of descriptors within one byte.
const maxASC = 64

// lengthSize is how many bytes the length before a NAL unit has.
func (t *Track) lengthSize() (int, error) {
	at, least := 4, 7
	if t.Codec == HEVC {
		at, least = 21, 23
	}
	if len(t.Config) < least || t.Config[0] > 1 || t.Codec == AVC && t.Config[0] != 1 {
		return 0, fmt.Errorf("%d bytes are no decoder configuration record", len(t.Config))
	}
	return int(t.Config[at]&3) + 1, nil
}

// CheckSample tells whether bytes can be a sample of the track: video has to be NAL units with their lengths.
func (t *Track) CheckSample(data []byte) error {
	if len(data) == 0 {
		return errors.New("checking a sample: it is empty")
	}
	if !t.Codec.video() {
		return nil
	}
	n, err := t.lengthSize()
	if err != nil {
		return fmt.Errorf("checking a sample: %w", err)
	}
	for rest := data; len(rest) > 0; {
		if len(rest) < n {
			return fmt.Errorf("checking a sample: %d bytes are left over behind its last NAL unit", len(rest))
		}
		var size [4]byte
		copy(size[4-n:], rest[:n])
		length := binary.BigEndian.Uint32(size[:])
		if uint64(length) > uint64(len(rest)-n) {
			return fmt.Errorf("checking a sample: a NAL unit of %d bytes, and there are %d: is it a byte stream with start codes?", length, len(rest)-n)
		}
		rest = rest[n+int(length):]
	}
	return nil
}

// Sample is one sample, which the caller keeps the bytes of.
type Sample struct {
	Size     int    // bytes
	Time     int64  // of its presentation, in ticks of the track, from whatever zero all tracks share
	Duration uint32 // ticks; 0: until the next one. Only that of the last sample is looked at
	Key      bool   // decoding can begin here; audio's all are
}
