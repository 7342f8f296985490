package gst_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

func TestCapsRoundTrips(t *testing.T) {
	gsttest.LeakCheck(t)
	for _, text := range []string{
		"video/x-raw",
		"video/x-raw, format=(string)I420, width=(int)640, height=(int)480, framerate=(fraction)30/1",
		"video/x-raw, width=(int)[ 1, 2147483647 ], height=(int)[ 2, 100, 2 ], framerate=(fraction)[ 0/1, 2147483647/1 ]",
		"video/x-raw, format=(string){ I420, NV12 }, framerate=(fraction){ 30/1, 25/1, [ 1/1, 5/1 ] }",
		"video/x-raw(memory:DMABuf), width=(int)1; video/x-raw, width=(int)2",
		"video/x-raw(memory:DMABuf, meta:GstVideoMeta), width=(int)1",
		"video/x-raw(ANY), width=(int)1",
		"audio/x-raw, channels=(int)2, channel-mask=(bitmask)0x0000000000000003, rate=(int)44100",
		"video/x-h264, codec_data=(buffer)01640028ffe1, stream-format=(string)avc, alignment=(string)au",
		"application/x-theora, streamheader=(buffer)< 0102, 0304 >",
		"application/x-rtp, ssrc=(uint)123456789, a-framesize=(string)\"96\\ 1280-720\", big=(gint64)[ 0, 5000000000 ]",
		"application/x-test, d=(double)[ 0.5, 2.25 ], e=(double)1.5, b=(boolean)true, u64=(guint64)18446744073709551615, i64=(gint64)-5",
		"application/x-test, s=(structure)[inner, k=(int)5;]",
		"application/x-test, list=(int){ 1, 2 }, array=(int)< 1, 2 >, nested=(int)< < 1, 2 >, < 3 > >",
		"application/x-test, f=(float)1.5, c=(guchar)7, flags=(GstSeekFlags)flush+key-unit, e=(GstFormat)GST_FORMAT_TIME",
		"application/x-test, date=(date)2024-02-29, time=(datetime)2024-02-29T12:30:15Z",
		"image/jpeg, sensor-name=(string)gate, parsed=(boolean)true",
		"ANY", "EMPTY",
	} {
		c, err := gst.ParseCaps(text)
		require.NoError(t, err, text)
		if text == "ANY" {
			require.True(t, c.IsAny())
			c.Unref()
			continue
		}
		again := gst.NewCaps(c.Structures()...)
		require.Equal(t, c.String(), again.String())
		require.True(t, again.Equal(c), text)
		again.Unref()
		c.Unref()
	}
}

func TestCaps(t *testing.T) {
	gsttest.LeakCheck(t)
	_, err := gst.ParseCaps("video/x-raw, width=(int")
	require.Error(t, err)
	require.True(t, gst.Caps{}.IsNil())
	require.Empty(t, gst.Caps{}.String())
	require.Empty(t, gst.Caps{}.Name())

	a := gst.NewCaps(
		gst.CapsStructure{Structure: gst.NewStructure("video/x-raw", gst.Field{Name: "width", Value: gst.IntRange{Min: 1, Max: 100}})},
		gst.CapsStructure{Structure: gst.NewStructure("image/jpeg"), Features: "memory:DMABuf"},
	)
	defer a.Unref()
	require.Equal(t, 2, a.Len())
	require.False(t, a.IsFixed())
	require.Equal(t, "video/x-raw", a.Name())
	require.Equal(t, "memory:DMABuf", a.Structure(1).Features)
	b, err := gst.ParseCaps("video/x-raw, width=50, height=5")
	require.NoError(t, err)
	defer b.Unref()
	require.True(t, b.IsFixed())
	require.True(t, a.CanIntersect(b))
	both := a.Intersect(b)
	defer both.Unref()
	require.Equal(t, "video/x-raw, width=(int)50, height=(int)5", both.String())
	any := gst.AnyCaps()
	defer any.Unref()
	require.True(t, any.IsAny())
	require.Zero(t, any.Len())
	require.Empty(t, any.Name())
	none := gst.NewCaps()
	defer none.Unref()
	require.True(t, none.IsEmpty())
	require.Empty(t, none.Name())
	require.False(t, none.CanIntersect(any))
}

func TestVideoLayout(t *testing.T) {
	gsttest.LeakCheck(t)
	for text, want := range map[string]gst.VideoLayout{
		"video/x-raw,format=RGB,width=5,height=3":   {Width: 5, Height: 3, Components: 3, Format: "RGB"},
		"video/x-raw,format=GRAY8,width=7,height=1": {Width: 7, Height: 1, Components: 1, Format: "GRAY8"},
		"video/x-raw,format=I420,width=6,height=4":  {Width: 6, Height: 4, Components: 3, Format: "I420"},
		"image/jpeg,width=5,height=3":               {},
	} {
		c, err := gst.ParseCaps(text)
		require.NoError(t, err)
		got, ok := c.VideoLayout()
		require.Equal(t, want.Width > 0, ok, text)
		require.Equal(t, want, got, text)
		c.Unref()
	}
}

// Templates are what the class says, and bound what is negotiated.
func TestCapsTemplates(t *testing.T) {
	gsttest.LeakCheck(t)
	name := define(t, gst.Class{Kind: gst.KindSink, New: func(*gst.Element) any { return renderFunc(func(*gst.View) gst.Flow { return gst.FlowOK }) },
		Pads: []gst.PadTemplate{{Name: "sink", Direction: gst.PadSink, Presence: gst.PadAlways, Caps: "image/jpeg; video/x-raw, format={ RGB, GRAY8 }"}}})
	e := newElement(t, name)
	pad := e.StaticPad("sink")
	defer pad.Unref()
	require.False(t, pad.IsSrcPad())
	c := pad.PadCaps()
	require.Equal(t, "image/jpeg; video/x-raw, format=(string){ RGB, GRAY8 }", c.String())
	c.Unref()
	_, err := gst.Parse("videotestsrc ! video/x-raw,format=I420 ! " + name)
	require.ErrorContains(t, err, "could not link")
	p := gsttest.Parse(t, "videotestsrc num-buffers=1 ! "+name+" name=s")
	p.Run()
	got := p.Element("s").StaticPad("sink")
	defer got.Unref()
	c = got.PadCaps()
	require.Contains(t, []any{"RGB", "GRAY8"}, c.Structure(0).Get("format"))
	c.Unref()
}

// limitedSink takes what its settings allow.
type limitedSink struct{ renderFunc }

func (l limitedSink) Caps() gst.Caps {
	c, err := gst.ParseCaps("video/x-raw,width=16,height=8")
	if err != nil {
		return gst.Caps{}
	}
	return c
}

func TestSinkWithCapsOfItsOwn(t *testing.T) {
	gsttest.LeakCheck(t)
	name := define(t, gst.Class{Kind: gst.KindSink, New: func(*gst.Element) any {
		return limitedSink{func(v *gst.View) gst.Flow { return gst.FlowOK }}
	}})
	p := gsttest.Parse(t, "videotestsrc num-buffers=1 ! "+name+" name=s")
	p.Run()
	pad := p.Element("s").StaticPad("sink")
	defer pad.Unref()
	c := pad.PadCaps()
	defer c.Unref()
	require.Equal(t, int32(16), c.Structure(0).Get("width"))
}

func TestBuffersInCaps(t *testing.T) {
	c, err := gst.ParseCaps("video/x-h264, codec_data=(buffer)01640028ffe1")
	require.NoError(t, err)
	defer c.Unref()
	data, _ := c.Structure(0).Get("codec_data").(gst.Opaque)
	require.Equal(t, []byte{1, 0x64, 0, 0x28, 0xff, 0xe1}, data.Bytes())
	require.Nil(t, gst.Opaque{Type: "GstBitmask", Text: "01"}.Bytes())
}
