package listing

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/frame"
)

func TestLines(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"cam1":       "PartitionKey=cam1 ",
		"tür":        "PartitionKey=tür ",
		"a b":        `PartitionKey="a b" `,
		"a\nBytes=9": `PartitionKey="a\nBytes=9" `,
		`q"`:         `PartitionKey="q\"" `,
		"\x1b[31m":   `PartitionKey="\x1b[31m" `,
		"\xff":       `PartitionKey="\xff" `,
	} {
		line := string(AppendLine([]byte("before "), Record{SequenceNumber: "49", ShardID: "shardId-000000000001", PartitionKey: key, Data: []byte("12345")}))
		require.Equal(t, "before SequenceNumber=49 ShardId=shardId-000000000001 "+want+"Bytes=5\n", line)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	m := frame.Meta{SensorName: "mic", Codec: "opus"}
	for name, c := range map[string]struct {
		data         []byte
		line, pretty string
	}{
		"json":   {[]byte("{ \"a\": 1.50, \"b\": [1,2] }\n"), `{"a":1.50,"b":[1,2]}`, "{\n    \"a\": 1.50,\n    \"b\": [\n        1,\n        2\n    ]\n}"},
		"a text": {[]byte(`"x"`), `"x"`, `"x"`},
		"msgpack": {frame.Append(nil, &m, []byte("abc")),
			`{"data_type":"msight_core.data.bytes.BytesData","sensor_name":"mic","capture_timestamp":0.0,"creation_timestamp":0.0,"frame_id":0,"device_name":"","data":"YWJj","codec":"opus","caps":"","key_frame":false}`, ""},
		"bytes": {[]byte{1, 2, 255}, `{"Data":"AQL/","PartitionKey":"k","SequenceNumber":"7","ShardId":"s"}`, ""},
		"empty": {nil, `{"Data":"","PartitionKey":"k","SequenceNumber":"7","ShardId":"s"}`, ""},
	} {
		r := Record{SequenceNumber: "7", ShardID: "s", PartitionKey: "k", Data: c.data}
		require.Equal(t, c.line+"\n", string(AppendJSON(nil, r, false)), name)
		pretty := string(AppendJSON([]byte("> "), r, true))
		require.JSONEq(t, c.line, strings.TrimPrefix(pretty, "> "), name)
		if c.pretty != "" {
			require.Equal(t, "> "+c.pretty+"\n", pretty, name)
		}
	}
}

// FuzzJSON says that whatever is in a record, the line is JSON.
func FuzzJSON(f *testing.F) {
	m := frame.Meta{Kind: frame.Image, SensorName: "\xff", Extra: []frame.Field{{Key: "x", Value: frame.Float(math.NaN())}}}
	f.Add(frame.Append(nil, &m, []byte("abc")))
	f.Add([]byte("{}"))
	f.Add([]byte("\xc1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := Record{PartitionKey: string(data), Data: data}
		for _, pretty := range []bool{false, true} {
			require.True(t, json.Valid(AppendJSON(nil, r, pretty)))
		}
		require.Equal(t, 1, bytes.Count(AppendLine(nil, r), []byte("\n")))
		var out bytes.Buffer
		err := Inspect(&out, "x", data, time.Unix(0, 0))
		require.True(t, err == nil || errors.Is(err, ErrBroken))
	})
}

func pictures(t *testing.T) (jpg, pngs []byte) {
	t.Helper()
	var a, b bytes.Buffer
	require.NoError(t, jpeg.Encode(&a, image.NewGray(image.Rect(0, 0, 16, 8)), nil))
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 8))))
	return a.Bytes(), b.Bytes()
}

func TestFindings(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	jpg, pngs := pictures(t)
	good := func() frame.Record {
		return frame.Record{Payload: jpg, Meta: frame.Meta{
			Kind: frame.Image, DataType: frame.DataTypeImage, SensorName: "cam", CaptureTime: frame.Seconds(now), CreationTime: frame.Seconds(now),
			Encoded: true, Size: [3]int{8, 16, 3},
		}}
	}
	for name, c := range map[string]struct {
		change func(r *frame.Record)
		want   string
	}{
		"good":             {func(*frame.Record) {}, ""},
		"good png":         {func(r *frame.Record) { r.Payload = pngs }, ""},
		"good raw":         {func(r *frame.Record) { r.Meta.Encoded, r.Payload = false, make([]byte, 8*16*3) }, ""},
		"size unknown":     {func(r *frame.Record) { r.Meta.Size = [3]int{} }, ""},
		"empty":            {func(r *frame.Record) { r.Payload = nil }, "the payload is empty"},
		"no sensor":        {func(r *frame.Record) { r.Meta.SensorName = "" }, "sensor_name is empty"},
		"other type":       {func(r *frame.Record) { r.Meta.DataType = frame.DataTypeBytes }, "data_type is"},
		"no time":          {func(r *frame.Record) { r.Meta.CaptureTime = 0 }, "capture_timestamp is not set"},
		"milliseconds":     {func(r *frame.Record) { r.Meta.CreationTime *= 1000 }, "creation_timestamp looks like milliseconds"},
		"not a time":       {func(r *frame.Record) { r.Meta.CaptureTime = math.NaN() }, "capture_timestamp is no time"},
		"in the future":    {func(r *frame.Record) { r.Meta.CaptureTime += 3600 }, "capture_timestamp lies in the future by 1h0m0s"},
		"other size":       {func(r *frame.Record) { r.Meta.Size = [3]int{9, 16, 3} }, "size says 16x9, the picture is 16x8"},
		"cut":              {func(r *frame.Record) { r.Payload = jpg[:len(jpg)-2] }, "the JPEG has no end"},
		"cut early":        {func(r *frame.Record) { r.Payload = jpg[:10] }, "the payload is a broken picture"},
		"no picture":       {func(r *frame.Record) { r.Payload = []byte("\x00\x00\x00\x01\x67") }, "no JPEG or PNG (it begins with 00 00 00 01 67)"},
		"too little raw":   {func(r *frame.Record) { r.Meta.Encoded = false }, "size says 8 x 16 x 3 = 384 bytes of raw picture"},
		"a size too large": {func(r *frame.Record) { r.Meta.Encoded, r.Meta.Size = false, [3]int{1 << 30, 1 << 30, 1 << 30} }, "of raw picture"},
	} {
		rec := good()
		c.change(&rec)
		found := strings.Join(Findings(rec, now), "\n")
		if c.want == "" {
			require.Empty(t, found, name)
			continue
		}
		require.Contains(t, found, c.want, name)
		require.NotContains(t, found, "\n", name)
	}
}

func TestInspect(t *testing.T) {
	t.Parallel()
	jpg, _ := pictures(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m := frame.Meta{
		Kind: frame.Image, SensorName: "cam1", DeviceName: "edge", FrameID: now.UnixMilli()<<22 | 3<<12, Encoded: true, Size: [3]int{8, 16, 1},
		CaptureTime: frame.Seconds(now), CreationTime: frame.Seconds(now.Add(12 * time.Millisecond)),
		Extra: []frame.Field{{Key: "note", Value: frame.String(strings.Repeat("long ", 100))}},
	}
	var out bytes.Buffer
	require.NoError(t, Inspect(&out, "cam1.msgpack", frame.Append(nil, &m, jpg), now))
	text := out.String()
	for _, want := range []string{
		"cam1.msgpack: msgpack, ",
		`"capture_timestamp"   float   9 B    1767323045.0  2026-01-02T03:04:05Z`,
		"2026-01-02T03:04:05Z, node 3, sequence 0",
		`"size"`, "[8,16,1]", "long…",
		`ImageData of sensor "cam1", device "edge": payload of `, "(jpeg, 16x8), created 12ms after capture\n",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "warning")

	for name, c := range map[string]struct{ data, want string }{
		"a file":    {string(jpg), "looks like a bare jpg file\nerror: decoding record: neither a msgpack map nor a JSON object"},
		"foreign":   {`{"Name":"Shadowfax"}`, "\"Name\"  string  11 B  \"Shadowfax\"\nerror: decoding record: at offset 0: not a frame record"},
		"cut":       {`{"sensor_name":"a","frame_id":1`, "cut short"},
		"empty":     {"", "x: 0 bytes\nerror: decoding record: neither a msgpack map nor a JSON object: it is empty"},
		"one byte":  {"x", "x: 1 byte\n"},
		"hostile":   {`{"` + strings.Repeat("k", 5000) + `":"` + strings.Repeat("v", 5000) + `"}`, "kkk…"},
		"terminals": {"{\"a\":\"\\u001b[31m\u009b\",\"\u009b\":1}", `"\u009b"`},
	} {
		out.Reset()
		require.ErrorIs(t, Inspect(&out, "x", []byte(c.data), now), ErrBroken, name)
		require.Contains(t, out.String(), c.want, name)
		require.Less(t, out.Len(), 700, name)
		require.NotContains(t, out.String(), "\x1b", name)
		require.NotContains(t, out.String(), "\u009b", name)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestInspectReportsWriteErrors(t *testing.T) {
	t.Parallel()
	require.EqualError(t, Inspect(fullDisk{}, "x", nil, time.Now()), "disk full")
}
