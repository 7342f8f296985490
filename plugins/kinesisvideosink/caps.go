package kinesisvideosink

import (
	"errors"
	"fmt"
	"slices"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/codec"
	"gst-kinesis/internal/mkv"
)

// The caps of the pads. Those of kvssink come first, so that negotiation prefers them; byte-stream is converted.
const (
	videoCaps = "video/x-h264, stream-format=(string){ avc, avc3, byte-stream }, alignment=(string)au; " +
		"video/x-h265, stream-format=(string){ hvc1, hev1, byte-stream }, alignment=(string)au"
	audioCaps = "audio/mpeg, mpegversion=(int){ 2, 4 }, stream-format=(string)raw; audio/x-alaw; audio/x-mulaw; audio/x-opus"
)

// contentTypes are what CreateStream is told of caps.
var contentTypes = map[string]string{
	"video/x-h264": codec.ContentH264, "video/x-h265": codec.ContentH265, "audio/mpeg": codec.ContentAAC,
	"audio/x-alaw": codec.ContentALaw, "audio/x-mulaw": codec.ContentMuLaw, "audio/x-opus": codec.ContentOpus,
}

// newFormat reads caps.
func newFormat(caps gst.Caps, s *Settings) (*format, error) {
	c := caps.Structure(0)
	f := &format{kind: mkv.Audio, trackName: "audio"}
	data := content(c.Get("codec_data"))
	switch c.Name {
	case "video/x-h264", "video/x-h265":
		f.kind, f.trackName, f.h265 = mkv.Video, s.TrackName, c.Name == "video/x-h265"
		if !f.h265 {
			f.codecID = s.CodecID
		}
		return f, f.video(c.Str("stream-format"), data)
	case "audio/mpeg":
		return f, f.aac(c, data)
	case "audio/x-alaw":
		return f, f.describe(codec.ALaw(number(c, "rate"), number(c, "channels")))
	case "audio/x-mulaw":
		return f, f.describe(codec.MuLaw(number(c, "rate"), number(c, "channels")))
	case "audio/x-opus":
		return f, f.opus(c)
	}
	return nil, fmt.Errorf("reading the caps: %s is nothing that Video Streams takes", c.Name)
}

func number(c gst.CapsStructure, name string) int {
	n, _ := c.Get(name).(int32)
	return int(n)
}

// content is that of a buffer in caps; nil where there is none.
func content(value any) []byte {
	o, _ := value.(gst.Opaque)
	return o.Bytes()
}

// video learns where the parameter sets are: in the caps, or in band.
func (f *format) video(form string, data []byte) error {
	describe, sets, parse := codec.H264, codec.NewH264Sets, "h264parse"
	if f.h265 {
		describe, sets, parse = codec.H265, codec.NewH265Sets, "h265parse"
	}
	switch form {
	case "byte-stream":
		f.convert, f.lengthSize, f.sets = true, 4, sets()
		return nil
	case "avc3", "hev1":
		f.lengthSize = 4
		if size, err := lengthSize(data, f.h265); err == nil {
			f.lengthSize = size
		}
		f.sets = sets()
		f.sets.LengthSize = f.lengthSize
		return nil
	}
	if data == nil {
		return fmt.Errorf("reading the caps: stream-format=%s has no codec_data; put %s before the sink", form, parse)
	}
	t, err := describe(data)
	f.lengthSize = t.LengthSize
	return f.describe(t, err)
}

// lengthSize is how many bytes a NAL unit's length has, by the record of caps whose sets are in band.
func lengthSize(data []byte, h265 bool) (int, error) {
	if h265 {
		c, err := codec.ParseHVCC(data)
		return c.LengthSize, err
	}
	c, err := codec.ParseAVCC(data)
	return c.LengthSize, err
}

func (f *format) aac(c gst.CapsStructure, data []byte) error {
	if data == nil {
		var err error
		if data, err = codec.BuildAudioConfig(number(c, "rate"), number(c, "channels")); err != nil {
			return err
		}
	}
	f.raw = true
	return f.describe(codec.AAC(data))
}

// opus takes the OpusHead of the stream's header, or makes one of the caps.
func (f *format) opus(c gst.CapsStructure) error {
	if list, ok := c.Get("streamheader").(gst.Array); ok && len(list) > 0 {
		if head := content(list[0]); head != nil {
			config, err := codec.ParseOpusHead(head)
			if err != nil {
				return err
			}
			return f.describe(codec.Opus(config))
		}
	}
	config := codec.OpusConfig{
		Channels: number(c, "channels"), InputRate: number(c, "rate"), Family: number(c, "channel-mapping-family"),
		Streams: number(c, "stream-count"), Coupled: number(c, "coupled-count"),
	}
	if config.Channels == 0 {
		config.Channels = 2
	}
	if list, ok := c.Get("channel-mapping").(gst.Array); ok {
		for _, m := range list {
			n, _ := m.(int32)
			config.Mapping = append(config.Mapping, byte(n)) //nolint:gosec // checked below
		}
	}
	return f.describe(codec.Opus(config))
}

// describe takes a description, unless it is the one there is.
func (f *format) describe(t codec.Track, err error) error {
	if err != nil {
		return err
	}
	d := &description{Type: f.kind, Name: f.trackName, CodecID: t.CodecID, CodecPrivate: t.Private, Width: t.Width, Height: t.Height,
		SamplingFrequency: float64(t.SampleRate), Channels: t.Channels,
		CodecDelay: uint64(t.CodecDelay), SeekPreRoll: uint64(t.SeekPreRoll)}
	if f.codecID != "" {
		d.CodecID = f.codecID
	}
	if t.CodecID == codec.CodecACM {
		wave := mkv.WaveFormat{Tag: int(t.FormatTag), Channels: t.Channels, SampleRate: t.SampleRate, BitsPerSample: t.BitDepth}
		if d.CodecPrivate, err = wave.Append(nil); err != nil {
			return err
		}
	}
	if !d.same(f.track) {
		f.track = d
	}
	return nil
}

// description is a track without its number. It is not changed once it is made: who has the same one has the same track.
type description mkv.Track

func (d *description) same(o *description) bool {
	return o != nil && d.Type == o.Type && d.Name == o.Name && d.CodecID == o.CodecID && slices.Equal(d.CodecPrivate, o.CodecPrivate) &&
		d.Width == o.Width && d.Height == o.Height && d.SamplingFrequency == o.SamplingFrequency && d.Channels == o.Channels &&
		d.CodecDelay == o.CodecDelay && d.SeekPreRoll == o.SeekPreRoll
}

// numbered gives the track as the header has it.
func (d *description) numbered(n uint64) mkv.Track {
	t := mkv.Track(*d)
	t.Number, t.UID = n, n
	return t
}

// errNoSets is why a frame of a stream whose parameter sets are in band cannot be sent.
var errNoSets = errors.New("no parameter sets came yet")
