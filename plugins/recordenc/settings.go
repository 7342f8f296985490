package recordenc

import (
	"fmt"
	"os"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/frame"
	"gst-kinesis/internal/stamp"
)

// Settings are the elements' properties.
type Settings struct {
	SensorName      string
	DeviceName      string
	DataType        string
	NodeID          int32
	Extra           *gst.Structure
	TimestampSource string
	Newline         bool // jsonenc only
}

var defaults = Settings{NodeID: -1, TimestampSource: stamp.Auto.String()}

var sources = []gst.EnumValue{
	{Nick: stamp.Auto.String(), Name: "The first of reference, clock and arrival that is there", Value: int32(stamp.Auto)},
	{Nick: stamp.Reference.String(), Name: "The camera's own clock: GstReferenceTimestampMeta with NTP or Unix time", Value: int32(stamp.Reference)},
	{Nick: stamp.Clock.String(), Name: "The frame's timestamp, by the pipeline's clock", Value: int32(stamp.Clock)},
	{Nick: stamp.Arrival.String(), Name: "The moment the frame comes to the element", Value: int32(stamp.Arrival)},
}

// shared are the properties of both elements.
var shared = []gst.Property[Settings]{
	{
		Name:  "sensor-name",
		Blurb: "Name of the sensor in each record, and in the output caps, where kinesissink finds it for its partition keys (unset: the element's name)",
		Field: func(s *Settings) any { return &s.SensorName },
	},
	{
		Name:  "device-name",
		Blurb: "Name of this device in each record (unset: the environment's MSIGHT_EDGE_DEVICE_NAME, else the host's name)",
		Field: func(s *Settings) any { return &s.DeviceName },
	},
	{
		Name:  "data-type",
		Blurb: "The record's data_type (unset: ImageData for JPEG, PNG and raw video, BytesData for everything else)",
		Field: func(s *Settings) any { return &s.DataType },
	},
	{
		Name:  "node-id",
		Blurb: "Node number in the frame ids; two processes that must not repeat each other's ids need different ones (-1 = random)",
		Field: func(s *Settings) any { return &s.NodeID },
		Min:   -1, Max: frame.MaxNode,
	},
	{
		Name:  "extra",
		Blurb: "More keys for each record, behind its own, such as extra,site=(string)north,lane=(int)2",
		Field: func(s *Settings) any { return &s.Extra },
	},
	{
		Name:     "timestamp-source",
		Blurb:    "Clock that capture_timestamp is read from",
		Field:    func(s *Settings) any { return &s.TimestampSource },
		EnumName: "GstRecordTimestampSource",
		Values:   sources,
	},
	{
		Name:  "stats",
		Blurb: "Records made, bytes, the timestamp source in use and how often it changed",
		Field: func(*Settings) any { return new(*gst.Structure) },
		Flags: gst.ReadOnly,
	},
}

var msgpackProperties = &gst.Properties[Settings]{Defaults: defaults, List: shared}

var jsonProperties = &gst.Properties[Settings]{
	Defaults: defaults,
	List: append(append([]gst.Property[Settings]{}, shared...), gst.Property[Settings]{
		Name:  "newline",
		Blurb: "End each record with a newline, as readers of lines need it behind Firehose",
		Field: func(s *Settings) any { return &s.Newline },
	}),
}

// deviceName is the name that the records carry.
func (s *Settings) deviceName() (string, error) {
	if s.DeviceName != "" {
		return s.DeviceName, nil
	}
	if name := os.Getenv("MSIGHT_EDGE_DEVICE_NAME"); name != "" {
		return name, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("asking for the host's name: %w; set device-name", err)
	}
	return name, nil
}

// fields makes record keys of a structure's fields.
func fields(s *gst.Structure) ([]frame.Field, error) {
	if s == nil {
		return nil, nil
	}
	out := make([]frame.Field, 0, len(s.Fields))
	for _, f := range s.Fields {
		v, err := value(f.Value)
		if err != nil {
			return nil, fmt.Errorf("reading the field %q of extra: %w", f.Name, err)
		}
		out = append(out, frame.Field{Key: f.Name, Value: v})
	}
	return out, nil
}
