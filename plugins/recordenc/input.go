package recordenc

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/frame"
)

// The media types of records. application/vnd.msgpack is IANA's.
const (
	msgpackMedia = "application/vnd.msgpack"
	jsonMedia    = "application/json"
)

// input is what is known of the stream that comes in.
type input struct {
	caps   gst.Caps // owned
	kind   frame.Kind
	raw    bool // raw video
	codec  string
	text   string // the caps, for records whose readers need them
	size   [3]int
	probed bool // the first picture was looked at
}

func newInput(caps gst.Caps) (input, error) {
	i := input{caps: caps.Ref(), text: caps.String(), probed: true}
	media := caps.Structure(0)
	switch media.Name {
	case "video/x-raw":
		if media.Features != "" {
			caps.Unref()
			return input{}, fmt.Errorf("reading raw video from %s: the frames are not in system memory; put a download element (such as gldownload) and videoconvert before", media.Features)
		}
		i.kind, i.raw = frame.Image, true
		layout, _ := caps.VideoLayout()
		i.size = [3]int{layout.Height, layout.Width, layout.Components}
		i.codec = layout.Format
	case "image/jpeg", "image/png":
		i.kind = frame.Image
		i.size = [3]int{int(media.Uint64("height")), int(media.Uint64("width")), 3}
		i.probed = false
	default:
		i.kind = frame.Bytes
		i.codec = codec(media.Structure)
	}
	return i, nil
}

func (i *input) known() bool { return !i.caps.IsNil() }

func (i *input) close() {
	if i.known() {
		i.caps.Unref()
	}
	*i = input{}
}

// probe looks at the first picture: the caps of many sources say nothing of the number of channels, or of the size.
func (i *input) probe(v *gst.View) {
	i.probed = true
	if v.Map(false) != nil {
		return
	}
	data := make([]byte, v.Size())
	v.CopyTo(data)
	decode := jpeg.DecodeConfig
	if i.caps.Name() == "image/png" {
		decode = png.DecodeConfig
	}
	config, err := decode(bytes.NewReader(data))
	if err != nil {
		return // a broken picture is passed on as it is; its reader decides
	}
	i.size = [3]int{config.Height, config.Width, channels(config)}
}

func channels(c image.Config) int {
	switch c.ColorModel {
	case color.GrayModel, color.Gray16Model:
		return 1
	case color.NRGBAModel, color.NRGBA64Model, color.CMYKModel: // RGBAModel is what PNG without alpha has
		return 4
	}
	return 3
}

// describe fills in what the caps and the buffer say of a record.
func (i *input) describe(m *frame.Meta, v *gst.View) {
	m.Kind = i.kind
	if i.kind == frame.Image {
		m.Encoded, m.Size = !i.raw, i.size
		if i.size[0] == 0 || i.size[1] == 0 {
			m.Size = [3]int{}
		}
		m.Codec, m.Caps = "", ""
		if i.raw { // nobody can read the rows without their format
			m.Codec, m.Caps = i.codec, i.text
		}
		return
	}
	m.Codec, m.Caps = i.codec, i.text
	m.KeyFrame = !v.Has(gst.BufferDeltaUnit)
}

// codec gives a short name of a media type: h264, aac, opus, …
func codec(s *gst.Structure) string {
	if s.Name == "audio/mpeg" {
		if s.Uint64("mpegversion") == 1 {
			return fmt.Sprintf("mp%d", max(s.Uint64("layer"), 1))
		}
		return "aac"
	}
	_, name, _ := strings.Cut(s.Name, "/")
	return strings.TrimPrefix(name, "x-")
}

// value makes a record value of a structure's.
func value(v any) (frame.Value, error) {
	switch v := v.(type) {
	case string:
		return frame.String(v), nil
	case bool:
		return frame.Bool(v), nil
	case int32:
		return frame.Int(int64(v)), nil
	case uint32:
		return frame.Int(int64(v)), nil
	case int64:
		return frame.Int(v), nil
	case uint64:
		return frame.Uint(v), nil
	case float64:
		return frame.Float(v), nil
	case []byte:
		return frame.Binary(v), nil
	case gst.Fraction:
		return frame.Float(float64(v.Num) / float64(v.Den)), nil
	case *gst.Structure:
		f, err := fields(v)
		return frame.Map(f...), err
	case []any:
		return values(v)
	case gst.Array:
		return values(v)
	}
	return frame.Value{}, fmt.Errorf("a %T cannot stand in a record", v)
}

func values(list []any) (frame.Value, error) {
	out := make([]frame.Value, len(list))
	for i, x := range list {
		var err error
		if out[i], err = value(x); err != nil {
			return frame.Value{}, err
		}
	}
	return frame.List(out...), nil
}
