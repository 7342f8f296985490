package frame

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// The values of data_type.
const (
	DataTypeImage = "msight_core.data.image.ImageData"
	DataTypeBytes = "msight_core.data.bytes.BytesData"
)

// MaxPayload is the largest payload in bytes. It lies far above what a data
// stream takes and below what 32 bit platforms can hold.
const MaxPayload = math.MaxInt32

// The keys of the map.
const (
	keyDataType   = "data_type"
	keySensor     = "sensor_name"
	keyCapture    = "capture_timestamp"
	keyCreation   = "creation_timestamp"
	keyFrameID    = "frame_id"
	keyDevice     = "device_name"
	keyImage      = "image"
	keyIsEncoded  = "is_encoded"
	keyDetections = "detection_results"
	keySize       = "size"
	keyData       = "data"
	keyCodec      = "codec"
	keyCaps       = "caps"
	keyKeyFrame   = "key_frame"
)

// Kind says which of the two maps a record is.
type Kind uint8

// The kinds of record.
const (
	Bytes Kind = iota // BytesData: anything that is not a picture
	Image             // ImageData: one picture, encoded or raw
)

// String returns the class name, as users of the toolkit know it.
func (k Kind) String() string {
	if k == Image {
		return "ImageData"
	}
	return "BytesData"
}

// Meta is everything of a record except its payload.
//
// A Meta may be written by one goroutine at a time; encoding only reads it.
type Meta struct {
	Kind Kind
	// DataType overrides data_type; empty means that of the Kind.
	DataType   string
	SensorName string
	// CaptureTime and CreationTime are seconds since 1970; see [Seconds].
	CaptureTime  float64
	CreationTime float64
	FrameID      int64
	DeviceName   string

	// Encoded, Detections and Size belong to Image. A zero Size is unknown and
	// written as nil. A zero Detections is nil.
	Encoded    bool
	Detections Value
	Size       [3]int // height, width, channels

	// Codec and Caps are always written for Bytes, and for Image when set.
	Codec string
	Caps  string
	// KeyFrame belongs to Bytes: decoding can start at this record.
	KeyFrame bool

	// Extra are more keys, written last and in this order.
	Extra []Field
}

// Seconds turns a time into the float of capture_timestamp, rounded to whole
// microseconds, which a float64 holds exactly enough until the year 2255.
func Seconds(t time.Time) float64 {
	return secondsOf(t.Unix(), int64(t.Nanosecond()))
}

// SecondsOfNanos does the same for nanoseconds since 1970.
func SecondsOfNanos(ns int64) float64 {
	sec, rest := ns/1e9, ns%1e9
	if rest < 0 {
		sec, rest = sec-1, rest+1e9
	}
	return secondsOf(sec, rest)
}

func secondsOf(sec, ns int64) float64 {
	return float64(sec*1e6+(ns+500)/1000) / 1e6
}

// Time turns the float of a timestamp back into a time, to the microsecond. A
// value outside the years 1 to 9999, or not a number, is the zero time.
func Time(seconds float64) time.Time {
	const first, last = -62135596800, 253402300799
	if !(seconds >= first && seconds <= last) {
		return time.Time{}
	}
	whole, part := math.Modf(seconds) // apart, or the product rounds the last microsecond away
	return time.Unix(int64(whole), int64(math.Round(part*1e6))*1000).UTC()
}

// dataType is what is written under data_type.
func (m *Meta) dataType() string {
	switch {
	case m.DataType != "":
		return m.DataType
	case m.Kind == Image:
		return DataTypeImage
	default:
		return DataTypeBytes
	}
}

// keys is the number of keys in the map.
func (m *Meta) keys() int {
	n := 10 + len(m.Extra)
	if m.Kind == Image {
		if m.Codec != "" {
			n++
		}
		if m.Caps != "" {
			n++
		}
	}
	return n
}

// ErrReservedKey says that an extra key is one that the map has anyway.
var ErrReservedKey = errors.New("key is one of the record's own")

// Validate finds what the encoders would write all the same but readers would
// stumble over: extra keys that are empty, given twice or the record's own,
// and values nested deeper than [MaxDepth]. It is meant for the moment a
// setting changes, not for every frame.
func (m *Meta) Validate() error {
	seen := make(map[string]bool, len(m.Extra))
	for _, f := range m.Extra {
		switch {
		case f.Key == "":
			return errors.New("checking extra keys: a key is empty")
		case seen[f.Key]:
			return fmt.Errorf("checking extra keys: %q is given twice", f.Key)
		case m.owns(f.Key):
			return fmt.Errorf("checking extra keys: %q: %w", f.Key, ErrReservedKey)
		case f.Value.depth() > MaxDepth-1:
			return fmt.Errorf("checking extra keys: %q is nested deeper than %d levels", f.Key, MaxDepth)
		}
		seen[f.Key] = true
	}
	return nil
}

// owns tells whether a key is taken in this kind of record.
func (m *Meta) owns(key string) bool {
	switch key {
	case keyDataType, keySensor, keyCapture, keyCreation, keyFrameID, keyDevice, keyImage, keyData,
		keyCodec, keyCaps:
		return true
	case keyIsEncoded, keyDetections, keySize:
		return m.Kind == Image
	case keyKeyFrame:
		return m.Kind == Bytes
	}
	return false
}
