package kit

import (
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// Message is a record of msgpackenc as a reader in Go sees it.
type Message struct {
	DataType          string  `msgpack:"data_type"`
	SensorName        string  `msgpack:"sensor_name"`
	CaptureTimestamp  float64 `msgpack:"capture_timestamp"`
	CreationTimestamp float64 `msgpack:"creation_timestamp"`
	FrameID           int64   `msgpack:"frame_id"`
	DeviceName        string  `msgpack:"device_name"`
	Image             []byte  `msgpack:"image"`
	Data              []byte  `msgpack:"data"`
	Encoded           bool    `msgpack:"is_encoded"`
	Size              []int   `msgpack:"size"`
}

// Unpack decodes a record.
func Unpack(tb testing.TB, data []byte) *Message {
	tb.Helper()
	m := new(Message)
	if err := msgpack.Unmarshal(data, m); err != nil {
		tb.Fatalf("decoding a record of %d bytes: %v", len(data), err)
	}
	return m
}
