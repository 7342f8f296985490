package mkv

import (
	"errors"
	"fmt"
	"math"
)

// The limits of the service. Source: Kinesis Video Streams API reference, and its quotas.
const (
	MaxTracks       = 3
	MaxCodecID      = 32      // bytes
	MaxTrackName    = 32      // bytes
	MaxCodecPrivate = 1 << 20 // bytes
	MaxFragment     = 50 << 20
	MaxTags         = 10  // a fragment
	MaxTagName      = 128 // bytes
	MaxTagValue     = 256 // bytes
)

// maxApp is how long a title and the names of programs may be: their sizes have one byte.
const maxApp = 126

// CodecIDs that the service plays, and Opus, which it only stores.
const (
	CodecAVC  = "V_MPEG4/ISO/AVC"  // CodecPrivate: AVCDecoderConfigurationRecord
	CodecHEVC = "V_MPEGH/ISO/HEVC" // CodecPrivate: HEVCDecoderConfigurationRecord
	CodecAAC  = "A_AAC"            // CodecPrivate: AudioSpecificConfig
	CodecACM  = "A_MS/ACM"         // CodecPrivate: WAVEFORMATEX, see [WaveFormat]
	CodecOpus = "A_OPUS"           // CodecPrivate: an OpusHead
)

// DefaultTimecodeScale is a tick of one millisecond, in nanoseconds.
const DefaultTimecodeScale = 1_000_000

// TrackType is what a track carries.
type TrackType uint8

// What there is, as far as the service knows it.
const (
	Video TrackType = 1
	Audio TrackType = 2
)

// String gives a name for messages.
func (t TrackType) String() string {
	switch t {
	case Video:
		return "video"
	case Audio:
		return "audio"
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Track is one TrackEntry. What is 0 or empty is not written, except for Number, UID, Type, Name and CodecID.
type Track struct {
	Number, UID     uint64 // from 1
	Type            TrackType
	DefaultDuration uint64 // of a frame, in ns
	CodecDelay      uint64 // ns, of Opus
	SeekPreRoll     uint64 // ns, of Opus
	Name, CodecID   string
	CodecPrivate    []byte

	Width, Height     int     // of video, in pixels
	SamplingFrequency float64 // of audio, in Hz
	Channels          int
	BitDepth          int

	// Encoded is set by the reader alone: the frames of this track are compressed or encrypted by Matroska's own means
	// (ContentEncodings), which are not undone here.
	Encoded bool
}

// Header is what a stream begins with.
type Header struct {
	SegmentUID                   [16]byte
	TimecodeScale                uint64 // ns a tick; 0 means DefaultTimecodeScale
	Title, MuxingApp, WritingApp string
	Tracks                       []Track
}

// Check holds the header to the service's limits. The error names the field, the limit and what was there.
func (h *Header) Check() error {
	for _, f := range [...]struct{ name, value string }{{"Title", h.Title}, {"MuxingApp", h.MuxingApp}, {"WritingApp", h.WritingApp}} {
		if err := atMost(f.name, len(f.value), maxApp); err != nil {
			return err
		}
	}
	if len(h.Tracks) == 0 {
		return errors.New("writing a Matroska header: there is no track")
	}
	if len(h.Tracks) > MaxTracks {
		return fmt.Errorf("writing a Matroska header: %d tracks, and the service takes at most %d", len(h.Tracks), MaxTracks)
	}
	for i := range h.Tracks {
		t := &h.Tracks[i]
		if err := t.check(); err != nil {
			return err
		}
		for _, other := range h.Tracks[:i] {
			if other.Number == t.Number || other.UID == t.UID {
				return fmt.Errorf("writing a Matroska header: two tracks have the number %d or the UID %d", t.Number, t.UID)
			}
		}
	}
	return nil
}

func (t *Track) check() error {
	switch {
	case t.Number < 1 || t.Number > maxTrackNumber:
		return fmt.Errorf("writing a Matroska header: track number %d is not within 1..%d", t.Number, uint64(maxTrackNumber))
	case t.UID == 0:
		return fmt.Errorf("writing a Matroska header: track %d has no UID", t.Number)
	case t.Type == 0:
		return fmt.Errorf("writing a Matroska header: track %d has no type", t.Number)
	case t.CodecID == "":
		return fmt.Errorf("writing a Matroska header: track %d has no CodecID", t.Number)
	case t.SamplingFrequency < 0 || math.IsNaN(t.SamplingFrequency) || math.IsInf(t.SamplingFrequency, 0):
		return fmt.Errorf("writing a Matroska header: track %d has a SamplingFrequency of %v Hz", t.Number, t.SamplingFrequency)
	}
	for _, f := range [...]struct {
		name       string
		got, limit int
	}{
		{"Name", len(t.Name), MaxTrackName}, {"CodecID", len(t.CodecID), MaxCodecID}, {"CodecPrivate", len(t.CodecPrivate), MaxCodecPrivate},
	} {
		if err := atMost(fmt.Sprintf("%s of track %d", f.name, t.Number), f.got, f.limit); err != nil {
			return err
		}
	}
	for _, f := range [...]struct {
		name       string
		got, limit int
	}{
		{"Width", t.Width, math.MaxUint16}, {"Height", t.Height, math.MaxUint16}, {"Channels", t.Channels, math.MaxUint8},
		{"BitDepth", t.BitDepth, math.MaxUint8},
	} {
		if f.got < 0 || f.got > f.limit {
			return fmt.Errorf("writing a Matroska header: %s of track %d is %d, not within 0..%d", f.name, t.Number, f.got, f.limit)
		}
	}
	return nil
}

func atMost(field string, got, limit int) error {
	if got <= limit {
		return nil
	}
	return fmt.Errorf("writing a Matroska header: %s has %d bytes, and at most %d are allowed", field, got, limit)
}
