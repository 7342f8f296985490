// Package recordenc is the elements that make a record of each buffer: msgpackenc a msgpack map, jsonenc the same map as JSON.
//
//	gst-launch-1.0 rtspsrc location=rtsp://camera/1 ! rtph264depay ! avdec_h264 ! subsample gap=3 ! videoconvert ! jpegenc !
//	  msgpackenc sensor-name=north ! kinesissink stream-name=frames region=eu-central-1
//
// The map is described in internal/frame. JPEG, PNG and raw video become ImageData, everything else BytesData. msgpackenc puts a header and
// a trailer around the input's own memory and copies the payload only where the rows of a raw frame are padded.
package recordenc

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/frame"
	"gst-kinesis/internal/stamp"
)

// MsgpackClass describes msgpackenc. All its instances, and those of jsonenc, draw their frame ids from ids.
func MsgpackClass(ids *frame.Snowflakes) *gst.Class {
	c := class("msgpackenc", "GstMsgpackEnc", "Msgpack record encoder", "msgpack", msgpackMedia)
	c.Properties = msgpackProperties
	c.New = func(e *gst.Element) any {
		return &element{e: e, settings: gst.NewStore(e, msgpackProperties), ids: ids, json: false}
	}
	return c
}

// JSONClass describes jsonenc.
func JSONClass(ids *frame.Snowflakes) *gst.Class {
	c := class("jsonenc", "GstJSONEnc", "JSON record encoder", "JSON", jsonMedia)
	c.Properties = jsonProperties
	c.New = func(e *gst.Element) any {
		return &element{e: e, settings: gst.NewStore(e, jsonProperties), ids: ids, json: true}
	}
	return c
}

func class(factory, name, long, format, media string) *gst.Class {
	return &gst.Class{
		Factory: factory, Type: name, LongName: long, Klass: "Encoder/Generic",
		Description: "Makes a record of each buffer: a " + format + " map of the payload, its sensor and its times",
		Author:      "gst-kinesis",
		Kind:        gst.KindGenerate,
		Pads: []gst.PadTemplate{
			{Name: "sink", Direction: gst.PadSink, Presence: gst.PadAlways, Caps: "ANY"},
			{Name: "src", Direction: gst.PadSrc, Presence: gst.PadAlways, Caps: media},
		},
	}
}

// element belongs to the streaming thread between Start and Stop, except for settings and the counters.
type element struct {
	e        *gst.Element
	settings *gst.Store[Settings]
	ids      *frame.Snowflakes
	json     bool

	newline bool
	input   input // what the caps say
	meta    frame.Meta
	id      *frame.Snowflake
	stamper *stamp.Stamper
	head    []byte // scratch
	tail    []byte

	records, bytes, changes atomic.Uint64
	source                  atomic.Int32
}

// Start reads the settings.
func (s *element) Start() error {
	settings := s.settings.Get()
	device, err := settings.deviceName()
	if err != nil {
		return err
	}
	want, err := stamp.Parse(settings.TimestampSource)
	if err != nil {
		return err
	}
	s.meta = frame.Meta{DeviceName: device, SensorName: s.sensorName(), DataType: settings.DataType}
	if s.meta.Extra, err = fields(settings.Extra); err != nil {
		return err
	}
	for _, kind := range []frame.Kind{frame.Image, frame.Bytes} {
		m := s.meta
		m.Kind = kind
		if err := m.Validate(); err != nil {
			return fmt.Errorf("%w; change the property extra", err)
		}
	}
	s.newline = settings.Newline
	s.id = s.ids.Node(int(settings.NodeID))
	s.stamper = stamp.New(want)
	s.records.Store(0)
	s.bytes.Store(0)
	s.changes.Store(0)
	s.source.Store(int32(stamp.Auto))
	return nil
}

// Stop forgets the stream.
func (s *element) Stop() { s.input.close() }

func (s *element) sensorName() string {
	if name := s.settings.Get().SensorName; name != "" {
		return name
	}
	return s.e.Name()
}

// TransformCaps: anything goes in, records come out. They carry the sensor's name, and the caps of what they hold.
func (s *element) TransformCaps(direction gst.PadDirection, caps gst.Caps) gst.Caps {
	if direction == gst.PadSrc {
		return gst.AnyCaps()
	}
	out := gst.NewStructure(msgpackMedia)
	if s.json {
		out.Name = jsonMedia
	}
	if !caps.IsAny() && !caps.IsEmpty() && caps.IsFixed() {
		out.Set("sensor-name", s.sensorName())
		out.Set("original-caps", gst.Opaque{Type: "GstCaps", Text: caps.String()})
	}
	return gst.NewCaps(gst.CapsStructure{Structure: out})
}

// SetCaps learns what comes.
func (s *element) SetCaps(in, _ gst.Caps) error {
	s.input.close()
	var err error
	s.input, err = newInput(in)
	return err
}

// Event lets a byte stream through that has no caps.
func (s *element) Event(ev gst.Event) bool {
	if ev.Type() == gst.EventSegment && !s.input.known() {
		octets := gst.NewCaps(gst.CapsStructure{Structure: gst.NewStructure("application/octet-stream")})
		defer octets.Unref()
		s.e.ParentEvent(gst.NewCapsEvent(octets))
	}
	return s.e.ParentEvent(ev)
}

// Generate makes a record of a buffer.
func (s *element) Generate(in *gst.View, out *gst.Outputs) gst.Flow {
	if !s.input.probed {
		s.input.probe(in)
	}
	now := time.Now().UnixNano()
	s.input.describe(&s.meta, in)
	s.meta.CaptureTime = frame.SecondsOfNanos(s.captured(in, now))
	s.meta.CreationTime = frame.SecondsOfNanos(now)
	s.meta.FrameID = s.id.Next()

	payload := in.Buffer()
	if s.input.raw {
		if payload = payload.PackVideo(s.input.caps); payload.IsNil() {
			s.e.PostError(&gst.Error{
				Code: gst.StreamFormat,
				Text: fmt.Sprintf("A buffer of %d bytes is no frame of the caps %s. Put videoconvert before %s.", in.Size(), s.input.caps, s.e.Name()),
			})
			return gst.FlowError
		}
		defer payload.Unref()
	}
	n := payload.Size()
	if s.json {
		s.writeJSON(payload, out)
	} else {
		s.head = frame.AppendHeader(s.head[:0], &s.meta, n)
		s.tail = frame.AppendTrailer(s.tail[:0], &s.meta)
		out.WrapBuffer(s.head, payload, s.tail)
	}
	s.records.Add(1)
	s.bytes.Add(uint64(n))
	return gst.FlowOK
}

// writeJSON encodes the payload straight into the record's memory.
func (s *element) writeJSON(payload gst.Buffer, out *gst.Outputs) {
	s.head = frame.AppendJSONHeader(s.head[:0], &s.meta)
	s.tail = frame.AppendJSONTrailer(s.tail[:0], &s.meta, s.newline)
	n := frame.JSONLen(payload.Size())
	dst := out.Build(len(s.head) + n + len(s.tail))
	copy(dst, s.head)
	at := len(s.head)
	err := payload.View(func(v *gst.View) { encodeBase64(dst[at:at+n], v) })
	if err != nil {
		panic(err) // a buffer that cannot be read: the element cannot go on
	}
	copy(dst[at+n:], s.tail)
}

// encodeBase64 encodes memory by memory; the bytes that do not fill a group of three at the end of one are carried into the next.
func encodeBase64(dst []byte, v *gst.View) {
	var carry [3]byte
	held := 0
	for i := range v.Memories() {
		m := v.Memory(i)
		for held > 0 && held < 3 && len(m) > 0 {
			carry[held], m, held = m[0], m[1:], held+1
		}
		if held == 3 {
			base64.StdEncoding.Encode(dst, carry[:])
			dst, held = dst[4:], 0
		}
		whole := len(m) / 3 * 3
		base64.StdEncoding.Encode(dst, m[:whole])
		dst = dst[whole/3*4:]
		if rest := m[whole:]; len(rest) > 0 {
			held = copy(carry[:], rest)
		}
	}
	base64.StdEncoding.Encode(dst, carry[:held])
}

// captured finds the time at which the frame was taken, in ns since 1970.
func (s *element) captured(in *gst.View, now int64) int64 {
	t := stamp.Times{Arrival: now}
	t.Reference, t.HasReference = in.UnixTime()
	t.Clock, t.HasClock = s.e.UnixTime(in.RunningTime())
	ns, change := s.stamper.Stamp(t)
	s.source.Store(int32(s.stamper.Current()))
	s.changes.Store(s.stamper.Changes())
	if change != nil {
		s.tell(change)
	}
	return ns
}

func (s *element) tell(c *stamp.Change) {
	if c.Skewed {
		s.e.PostWarning(&gst.Error{
			Code: gst.StreamFormat,
			Text: fmt.Sprintf("The camera's clock differs from this host's by %s, so capture_timestamp is not read from it. "+
				"Set the camera's clock (NTP), or timestamp-source=reference to use it as it is.", time.Duration(c.Shift).Round(time.Millisecond)),
		})
		return
	}
	s.e.PostInfo(&gst.Error{
		Code: gst.StreamFormat,
		Text: fmt.Sprintf("capture_timestamp is read from %s now, before from %s: a difference of %s.", c.To, c.From,
			time.Duration(c.Shift).Round(time.Microsecond)),
	})
}

// ReadProperty gives the stats.
func (s *element) ReadProperty(string) any {
	return gst.NewStructure("application/x-"+strings.TrimSuffix(s.e.Factory(), "enc")+"-stats",
		gst.Field{Name: "records", Value: s.records.Load()},
		gst.Field{Name: "bytes", Value: s.bytes.Load()},
		gst.Field{Name: "timestamp-source", Value: stamp.Source(s.source.Load()).String()},
		gst.Field{Name: "timestamp-changes", Value: s.changes.Load()},
	)
}
