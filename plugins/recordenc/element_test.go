package recordenc_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/frame"
	"gst-kinesis/plugins"
)

func TestMain(m *testing.M) { gsttest.Main(m, plugins.Info()) }

func start(t *testing.T, element, caps string, set map[string]any) *gsttest.Harness {
	e, err := gst.NewElement(element, "")
	require.NoError(t, err)
	defer e.Unref()
	for name, v := range set {
		require.NoError(t, e.Set(name, v))
	}
	h := gsttest.NewPads(t, e, "sink", "src")
	h.Play()
	h.SetSrcCaps(caps)
	return h
}

// encode pushes one buffer and decodes the record that comes out.
func encode(t *testing.T, h *gsttest.Harness, data []byte) (frame.Meta, []byte, []byte) {
	t.Helper()
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, data)))
	out := h.Pull()
	r := decode(t, out.Data)
	return r.Meta, r.Payload, out.Data
}

func decode(t *testing.T, data []byte) frame.Record {
	t.Helper()
	r, err := frame.Decode(data)
	require.NoError(t, err)
	return r
}

func jpegOf(t *testing.T, w, h int, gray bool) []byte {
	var b bytes.Buffer
	var img image.Image = image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	if gray {
		img = image.NewGray(image.Rect(0, 0, w, h))
	}
	require.NoError(t, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

func TestAPictureBecomesImageData(t *testing.T) {
	t.Setenv("MSIGHT_EDGE_DEVICE_NAME", "box-7")
	var p bytes.Buffer
	require.NoError(t, png.Encode(&p, image.NewNRGBA(image.Rect(0, 0, 5, 3))))
	for name, c := range map[string]struct {
		caps string
		data []byte
		size [3]int
	}{
		"jpeg":               {"image/jpeg,width=32,height=16", jpegOf(t, 32, 16, false), [3]int{16, 32, 3}},
		"jpeg without size":  {"image/jpeg", jpegOf(t, 32, 16, false), [3]int{16, 32, 3}},
		"gray":               {"image/jpeg,width=32,height=16", jpegOf(t, 32, 16, true), [3]int{16, 32, 1}},
		"png":                {"image/png", p.Bytes(), [3]int{3, 5, 4}},
		"broken, with caps":  {"image/jpeg,width=32,height=16", []byte("no picture"), [3]int{16, 32, 3}},
		"broken, of no size": {"image/jpeg", []byte("no picture"), [3]int{}},
	} {
		for _, element := range []string{"msgpackenc", "jsonenc"} {
			t.Run(name+" "+element, func(t *testing.T) {
				before := time.Now()
				meta, payload, _ := encode(t, start(t, element, c.caps, map[string]any{"sensor-name": "north"}), c.data)
				require.Equal(t, frame.Image, meta.Kind)
				require.Equal(t, frame.DataTypeImage, meta.DataType)
				require.Equal(t, "north", meta.SensorName)
				require.Equal(t, "box-7", meta.DeviceName)
				require.True(t, meta.Encoded)
				require.Equal(t, c.size, meta.Size)
				require.Equal(t, c.data, payload)
				require.Empty(t, meta.Codec, "an encoded picture has S1's keys and no more")
				require.Empty(t, meta.Caps)
				require.InDelta(t, float64(before.UnixMicro())/1e6, meta.CreationTime, 5)
				require.InDelta(t, meta.CreationTime, meta.CaptureTime, 5)
				require.NotZero(t, meta.FrameID)
			})
		}
	}
}

func TestRawVideoHasNoPadding(t *testing.T) {
	// Rows of 5 pixels lie 8 bytes apart in GStreamer's default layout.
	h := start(t, "msgpackenc", "video/x-raw,format=GRAY8,width=5,height=2,framerate=25/1", nil)
	meta, payload, _ := encode(t, h, []byte("abcde...fghij..."))
	require.Equal(t, "abcdefghij", string(payload))
	require.Equal(t, [3]int{2, 5, 1}, meta.Size)
	require.False(t, meta.Encoded)
	require.Equal(t, "GRAY8", meta.Codec)
}

func TestRawVideoThatIsNoFrameIsAnError(t *testing.T) {
	h := start(t, "msgpackenc", "video/x-raw,format=GRAY8,width=5,height=2,framerate=25/1", nil)
	require.Equal(t, gst.FlowError, h.Push(gsttest.FrameAt(0, []byte("abc"))))
	m := h.AwaitMessage(gst.MessageError)
	require.Contains(t, m.Err.Text, "3 bytes")
	require.Contains(t, m.Err.Text, "videoconvert")
}

func TestEverythingElseBecomesBytesData(t *testing.T) {
	for name, c := range map[string]struct{ caps, codec string }{
		"h264": {"video/x-h264,stream-format=byte-stream,alignment=au", "h264"},
		"h265": {"video/x-h265", "h265"},
		"aac":  {"audio/mpeg,mpegversion=4", "aac"},
		"mp3":  {"audio/mpeg,mpegversion=1,layer=3", "mp3"},
		"raw":  {"audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved", "raw"},
		"text": {"text/x-raw,format=utf8", "raw"},
		"own":  {"application/x-radar", "radar"},
	} {
		t.Run(name, func(t *testing.T) {
			meta, payload, _ := encode(t, start(t, "msgpackenc", c.caps, nil), []byte("payload"))
			require.Equal(t, frame.Bytes, meta.Kind)
			require.Equal(t, frame.DataTypeBytes, meta.DataType)
			require.Equal(t, c.codec, meta.Codec)
			require.Contains(t, meta.Caps, c.caps[:10])
			require.True(t, meta.KeyFrame)
			require.Equal(t, "payload", string(payload))
		})
	}
}

func TestDeltaUnitsAreNoKeyFrames(t *testing.T) {
	h := start(t, "msgpackenc", "video/x-h264,stream-format=byte-stream,alignment=au", nil)
	f := gsttest.FrameAt(0, []byte("p"))
	f.Flags = gst.BufferDeltaUnit
	h.Push(f)
	meta := decode(t, h.Pull().Data).Meta
	require.False(t, meta.KeyFrame)
}

func TestAByteStreamNeedsNoCaps(t *testing.T) {
	name := t.TempDir() + "/in"
	require.NoError(t, os.WriteFile(name, []byte("0123456789"), 0o600))
	out := t.TempDir() + "/out"
	gsttest.Parse(t, "filesrc location="+name+" blocksize=4 ! jsonenc newline=true sensor-name=s ! filesink location="+out).Run()
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	var payload []byte
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	require.Len(t, lines, 3)
	for _, line := range lines {
		var record struct{ Data []byte }
		require.NoError(t, json.Unmarshal(line, &record))
		payload = append(payload, record.Data...)
	}
	require.Equal(t, "0123456789", string(payload))
}

// A buffer of several memories, cut anywhere, gives the same base64 as one of one.
func TestBase64OverSeveralMemories(t *testing.T) {
	data := []byte("The payload is encoded memory by memory, whatever their sizes are.")
	h := start(t, "jsonenc", "application/x-test", nil)
	for cut := range len(data) {
		b := gsttest.FrameAt(0, data[:cut/2]).Buffer()
		b.Append(data[cut/2 : cut])
		b.Append(data[cut:])
		require.Equal(t, gst.FlowOK, h.PushBuffer(b))
		payload := decode(t, h.Pull().Data).Payload
		require.Equal(t, string(data), string(payload), "cut at %d", cut)
	}
}

func TestThePayloadIsNotCopied(t *testing.T) {
	h := start(t, "msgpackenc", "application/x-test", nil)
	b := gsttest.FrameAt(0, []byte("shared")).Buffer()
	held := b.Ref()
	defer held.Unref()
	h.PushBuffer(b)
	out := h.PullBuffer()
	defer out.Unref()
	require.Equal(t, 3, out.Memories(), "header, the input's own, trailer")
	require.True(t, out.SharesMemory(1, held, 0))
}

func TestOutputCapsCarryTheSensorAndTheCapsInside(t *testing.T) {
	h := start(t, "msgpackenc", "image/jpeg,width=32,height=16", map[string]any{"sensor-name": "south"})
	encode(t, h, jpegOf(t, 32, 16, false))
	ev := h.AwaitEvent(gst.EventCaps)
	defer ev.Unref()
	s := ev.Caps().Structure(0)
	require.Equal(t, "application/vnd.msgpack", s.Name)
	require.Equal(t, "south", s.Str("sensor-name"))
	require.Contains(t, s.Get("original-caps").(gst.Opaque).Text, "image/jpeg")
}

func TestExtraKeys(t *testing.T) {
	h := start(t, "msgpackenc", "application/x-test", map[string]any{
		"extra":     "extra,site=(string)north,lane=(int)2,on=(boolean)true,at=(double)1.5,list=(int)<1,2>",
		"data-type": "my.Type",
	})
	meta, _, _ := encode(t, h, []byte("x"))
	require.Equal(t, "my.Type", meta.DataType)
	require.Equal(t, []frame.Field{
		{Key: "site", Value: frame.String("north")},
		{Key: "lane", Value: frame.Int(2)},
		{Key: "on", Value: frame.Bool(true)},
		{Key: "at", Value: frame.Float(1.5)},
		{Key: "list", Value: frame.List(frame.Int(1), frame.Int(2))},
	}, meta.Extra)
}

func TestAReservedExtraKeyIsRefusedWithTheWord(t *testing.T) {
	p := gsttest.Parse(t, `fakesrc ! msgpackenc extra="extra,sensor_name=(string)x" ! fakesink`)
	require.Equal(t, gst.StateChangeFailure, p.SetState(gst.StatePlaying))
	m := p.Await(gst.MessageError)
	require.Contains(t, m.Err.Text, "sensor_name")
	require.Contains(t, m.Err.Text, "extra")
}

func TestFrameIDsGrowAcrossElements(t *testing.T) {
	a := start(t, "msgpackenc", "application/x-test", nil)
	b := start(t, "jsonenc", "application/x-test", nil)
	last := int64(0)
	for range 50 {
		for _, h := range []*gsttest.Harness{a, b} {
			meta, _, _ := encode(t, h, []byte("x"))
			require.Greater(t, meta.FrameID, last)
			last = meta.FrameID
		}
	}
}

func TestTheNodeStandsInTheFrameID(t *testing.T) {
	meta, _, _ := encode(t, start(t, "msgpackenc", "application/x-test", map[string]any{"node-id": 77}), []byte("x"))
	_, node, _ := frame.SnowflakeParts(meta.FrameID)
	require.Equal(t, 77, node)
}

// The camera's own time comes with a reference timestamp; the change is said, counted, and does not go back.
func TestTheReferenceTimestampWins(t *testing.T) {
	h := start(t, "msgpackenc", "application/x-test", nil)
	last := 0.0
	for i := range 40 {
		b := gsttest.FrameAt(uint64(i)*1e6, []byte("x")).Buffer()
		taken := time.Now().Add(-20 * time.Millisecond)
		if i >= 10 {
			b.AddReferenceTime(gst.ReferenceNTP, uint64(taken.UnixNano())+2208988800*1e9)
		}
		h.PushBuffer(b)
		meta := decode(t, h.Pull().Data).Meta
		require.Greater(t, meta.CaptureTime, last, "frame %d", i)
		last = meta.CaptureTime
	}
	m := h.AwaitMessage(gst.MessageInfo)
	require.Contains(t, m.Err.Text, "reference")
	stats := h.Get("stats").(*gst.Structure)
	require.Equal(t, "reference", stats.Str("timestamp-source"))
	require.EqualValues(t, 1, stats.Uint64("timestamp-changes"))
	require.EqualValues(t, 40, stats.Uint64("records"))
}

func TestACameraWithoutAClockIsSaid(t *testing.T) {
	h := start(t, "msgpackenc", "application/x-test", nil)
	b := gsttest.FrameAt(0, []byte("x")).Buffer()
	b.AddReferenceTime(gst.ReferenceUnix, 1e9)
	h.PushBuffer(b)
	meta := decode(t, h.Pull().Data).Meta
	require.InDelta(t, float64(time.Now().Unix()), meta.CaptureTime, 10)
	m := h.AwaitMessage(gst.MessageWarning)
	require.Contains(t, m.Err.Text, "timestamp-source=reference")
}
