package frame

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"
)

// someMetas are records as the elements write them, and some at the edges.
func someMetas() map[string]Meta {
	return map[string]Meta{
		"jpeg": {
			Kind: Image, SensorName: "cam1", DeviceName: "edge-7", FrameID: 7291234567890123456,
			CaptureTime: 1763712000.123457, CreationTime: 1763712000.2, Encoded: true, Size: [3]int{1080, 1920, 3},
		},
		"raw picture": {
			Kind: Image, SensorName: "cam 2", Size: [3]int{4, 6, 1}, Codec: "raw", Caps: "video/x-raw, format=(string)GRAY8",
			Detections: List(Map(Field{"class", String("car")}, Field{"box", List(Float(0.5), Int(-3))})),
		},
		"access unit": {
			Kind: Bytes, SensorName: "cam1", DeviceName: "edge", FrameID: 1, CaptureTime: 0.000001, CreationTime: 1e15,
			Codec: "h264", Caps: "video/x-h264", KeyFrame: true,
		},
		"nothing set": {},
		"text": {
			Kind: Bytes, DataType: "my.Own", SensorName: "tür \"7\"\\\n\t\x01\u2028😀", DeviceName: "bad\xff\xc3utf8\xed\xa0\x80",
		},
		"extra": {
			Kind: Bytes, FrameID: -5,
			Extra: []Field{
				{"z", Nil()}, {"lat", Float(48.25)}, {"n", Int(math.MinInt64)}, {"u", Uint(math.MaxUint64)}, {"a", Bool(true)},
				{"blob", Binary([]byte{0, 1, 255})}, {"list", List(Int(1), List(), Map(Field{"k", Bool(false)}))}, {"empty", Map()},
			},
		},
		"more than fifteen keys": {Kind: Image, Extra: []Field{{"a", Int(127)}, {"b", Int(128)}, {"c", Int(-32)}, {"d", Int(-33)}, {"e", Int(65536)}, {"f", Int(-129)}}},
	}
}

// reference encodes with the msgpack module.
type reference struct {
	*msgpack.Encoder
	t *testing.T
}

func (r reference) value(v Value) {
	r.t.Helper()
	switch v.kind {
	case KindNil:
		require.NoError(r.t, r.EncodeNil())
	case KindBool:
		require.NoError(r.t, r.EncodeBool(v.num != 0))
	case KindInt:
		require.NoError(r.t, r.EncodeInt(int64(v.num)))
	case KindUint:
		require.NoError(r.t, r.EncodeUint(v.num))
	case KindFloat:
		require.NoError(r.t, r.EncodeFloat64(math.Float64frombits(v.num)))
	case KindString:
		r.text(v.str)
	case KindBinary:
		require.NoError(r.t, r.EncodeBytes([]byte(v.str)))
	case KindExt:
		require.NoError(r.t, r.EncodeExtHeader(int8(v.num), len(v.str)))
		_, err := r.Writer().Write([]byte(v.str))
		require.NoError(r.t, err)
	case KindList:
		require.NoError(r.t, r.EncodeArrayLen(len(v.items)))
		for _, item := range v.items {
			r.value(item.Value)
		}
	case KindMap:
		require.NoError(r.t, r.EncodeMapLen(len(v.items)))
		for _, item := range v.items {
			r.text(item.Key)
			r.value(item.Value)
		}
	}
}

// text says what becomes of invalid UTF-8: each byte is replaced.
func (r reference) text(s string) { require.NoError(r.t, r.EncodeString(string([]rune(s)))) }

// fieldsOf is the map a Meta stands for, written out a second time.
func fieldsOf(m Meta, payload []byte) []Field {
	own := m.DataType
	if own == "" {
		own = map[Kind]string{Image: DataTypeImage, Bytes: DataTypeBytes}[m.Kind]
	}
	fields := []Field{
		{"data_type", String(own)}, {"sensor_name", String(m.SensorName)},
		{"capture_timestamp", Float(m.CaptureTime)}, {"creation_timestamp", Float(m.CreationTime)},
		{"frame_id", Int(m.FrameID)}, {"device_name", String(m.DeviceName)},
	}
	if m.Kind == Image {
		size := Nil()
		if m.Size != [3]int{} {
			size = List(Int(int64(m.Size[0])), Int(int64(m.Size[1])), Int(int64(m.Size[2])))
		}
		fields = append(fields, Field{"image", Binary(payload)}, Field{"is_encoded", Bool(m.Encoded)},
			Field{"detection_results", m.Detections}, Field{"size", size})
		if m.Codec != "" {
			fields = append(fields, Field{"codec", String(m.Codec)})
		}
		if m.Caps != "" {
			fields = append(fields, Field{"caps", String(m.Caps)})
		}
	} else {
		fields = append(fields, Field{"data", Binary(payload)}, Field{"codec", String(m.Codec)},
			Field{"caps", String(m.Caps)}, Field{"key_frame", Bool(m.KeyFrame)})
	}
	return append(fields, m.Extra...)
}

func referenceBytes(t *testing.T, m Meta, payload []byte) []byte {
	var buf bytes.Buffer
	reference{msgpack.NewEncoder(&buf), t}.value(Map(fieldsOf(m, payload)...))
	return buf.Bytes()
}

func TestMsgpackEqualsTheModule(t *testing.T) {
	t.Parallel()
	for name, m := range someMetas() {
		for _, n := range []int{0, 1, 255, 256, 65535, 65536} {
			payload := bytes.Repeat([]byte{0xa5}, n)
			require.Equal(t, referenceBytes(t, m, payload), Append(nil, &m, payload), "%s, %d bytes", name, n)
		}
	}
}

// randomValue makes values of all kinds.
func randomValue(r *rand.Rand, depth int) Value {
	kinds := 10
	if depth == 0 {
		kinds = 8
	}
	switch r.IntN(kinds) {
	case 0:
		return Nil()
	case 1:
		return Bool(r.IntN(2) == 0)
	case 2:
		return Int(int64(r.Uint64()) >> r.IntN(64))
	case 3:
		return Uint(r.Uint64() >> r.IntN(64))
	case 4:
		return Float(math.Float64frombits(r.Uint64()&^(0x7ff<<52) | uint64(r.IntN(2047))<<52))
	case 5:
		return String(randomText(r))
	case 6:
		return Binary([]byte(randomText(r)))
	case 7:
		return Ext(int8(r.IntN(256)), []byte(randomText(r)))
	case 8:
		values := make([]Value, r.IntN(20))
		for i := range values {
			values[i] = randomValue(r, depth-1)
		}
		return List(values...)
	}
	fields := make([]Field, r.IntN(20))
	for i := range fields {
		fields[i] = Field{randomText(r), randomValue(r, depth-1)}
	}
	return Map(fields...)
}

func randomText(r *rand.Rand) string {
	alphabet := []string{"a", "Z", " ", "\"", "\\", "/", "\x00", "\n", "ü", "\u2028", "😀", "\u007f", "\xff", "\xc3", "\xed\xa0\x80"}
	var b strings.Builder
	for range r.IntN(1 << r.IntN(9)) {
		b.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

func randomMeta(r *rand.Rand) Meta {
	m := Meta{
		Kind: Kind(r.IntN(2)), SensorName: randomText(r), DeviceName: randomText(r), FrameID: int64(r.Uint64()),
		CaptureTime: SecondsOfNanos(int64(r.Uint64() >> 2)), CreationTime: r.Float64() * 2e9, Codec: randomText(r), Caps: randomText(r),
	}
	if r.IntN(3) == 0 {
		m.DataType = "own" + randomText(r)
	}
	if m.Kind == Image {
		m.Encoded = r.IntN(2) == 0
		m.Detections = randomValue(r, 3)
		m.Size = [3]int{r.IntN(5000), r.IntN(5000), r.IntN(5)}
	} else {
		m.KeyFrame = r.IntN(2) == 0
	}
	for i := range r.IntN(20) {
		m.Extra = append(m.Extra, Field{string(rune('A'+i)) + randomText(r), randomValue(r, 3)})
	}
	return m
}

func TestMsgpackEqualsTheModuleForRandomRecords(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		m, payload := randomMeta(r), []byte(randomText(r))
		require.NoError(t, m.Validate(), "seed %d", seed)
		require.Equal(t, referenceBytes(t, m, payload), Append(nil, &m, payload), "seed %d", seed)
	}
}

func TestJSONIsWhatEncodingJSONReads(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		m, payload := randomMeta(r), []byte(randomText(r))
		line := AppendJSON(nil, &m, payload, false)
		var got map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(line, &got), "seed %d: %s", seed, line)
		var data []byte
		require.NoError(t, json.Unmarshal(got[map[Kind]string{Image: "image", Bytes: "data"}[m.Kind]], &data))
		require.True(t, bytes.Equal(payload, data), "seed %d", seed)
		var name string
		require.NoError(t, json.Unmarshal(got["sensor_name"], &name))
		require.Equal(t, string([]rune(m.SensorName)), name)
		var capture float64
		require.NoError(t, json.Unmarshal(got["capture_timestamp"], &capture))
		require.Equal(t, m.CaptureTime, capture)
		require.True(t, utf8.Valid(line))
		require.NotContains(t, string(line), "\n")
		require.Equal(t, string(line)+"\n", string(AppendJSON(nil, &m, payload, true)))
	}
}

func TestJSONFloats(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{
		0: "0.0", 1700000000: "1700000000.0", 1763712000.123457: "1763712000.123457", 1e21: "1000000000000000000000.0",
		1e-7: "0.0000001", math.Inf(1): "null", math.Inf(-1): "null", -0.5: "-0.5",
	} {
		require.Equal(t, want, string(appendJSONFloat(nil, f)))
	}
	require.Equal(t, "null", string(appendJSONFloat(nil, math.NaN())))
	require.Equal(t, "-0.0", string(appendJSONFloat(nil, math.Copysign(0, -1))))
}

func TestSecondsKeepMicroseconds(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		micros := r.Int64N(8e15) // until the year 2223
		at := time.UnixMicro(micros)
		seconds := Seconds(at)
		require.Equal(t, at.UTC(), Time(seconds))
		require.Equal(t, seconds, SecondsOfNanos(at.UnixNano()))
		text := string(appendJSONFloat(nil, seconds))
		_, fraction, _ := strings.Cut(text, ".")
		require.LessOrEqual(t, len(fraction), 6, text)
	}
	require.Equal(t, 1.000001, Seconds(time.Unix(1, 500)))
	require.Equal(t, 1.0, Seconds(time.Unix(1, 499)))
	require.Equal(t, -0.25, SecondsOfNanos(-250_000_000))
	require.Equal(t, -0.25, Seconds(time.Unix(0, -250_000_000)))
	for _, f := range []float64{math.NaN(), math.Inf(1), 1e300, -1e300} {
		require.True(t, Time(f).IsZero())
	}
}

func TestBase64InPieces(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	var b Base64
	for range 500 {
		var whole, out []byte
		for range r.IntN(6) {
			piece := []byte(randomText(r))
			whole = append(whole, piece...)
			out = b.Append(out, piece)
		}
		out = b.Finish(out)
		require.Equal(t, base64.StdEncoding.EncodeToString(whole), string(out))
		require.Len(t, out, JSONLen(len(whole)))
	}
}

func TestEncodingDoesNotAllocate(t *testing.T) {
	metas := someMetas()
	payload := make([]byte, 1000)
	dst := make([]byte, 0, 8192)
	for name, m := range metas {
		var b Base64
		got := testing.AllocsPerRun(100, func() {
			dst = AppendHeader(dst[:0], &m, len(payload))
			dst = AppendTrailer(dst, &m)
			dst = AppendJSONHeader(dst[:0], &m)
			dst = b.Finish(b.Append(dst, payload))
			dst = AppendJSONTrailer(dst, &m, true)
		})
		require.Zero(t, got, name)
	}
}

func TestAppendHeaderRefusesWhatMsgpackCannotHold(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() { AppendHeader(nil, &Meta{}, -1) })
	require.NotPanics(t, func() { AppendHeader(nil, &Meta{}, MaxPayload) })
}

func TestValidate(t *testing.T) {
	t.Parallel()
	deep := Int(1)
	for range MaxDepth - 1 {
		deep = List(deep)
	}
	for name, c := range map[string]struct {
		meta Meta
		want string
	}{
		"fine":               {Meta{Kind: Bytes, Extra: []Field{{"size", Int(1)}, {"a", Int(1)}}}, ""},
		"empty key":          {Meta{Extra: []Field{{"", Int(1)}}}, "a key is empty"},
		"twice":              {Meta{Extra: []Field{{"a", Int(1)}, {"a", Int(1)}}}, `"a" is given twice`},
		"own key":            {Meta{Kind: Image, Extra: []Field{{"size", Int(1)}}}, "one of the record's own"},
		"payload's key":      {Meta{Kind: Image, Extra: []Field{{"data", Int(1)}}}, "one of the record's own"},
		"too deep":           {Meta{Extra: []Field{{"a", deep}}}, "nested deeper"},
		"as deep as allowed": {Meta{Extra: []Field{{"a", deep.items[0].Value}}}, ""},
	} {
		err := c.meta.Validate()
		if c.want == "" {
			require.NoError(t, err, name)
			_, err = Decode(Append(nil, &c.meta, nil))
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, c.want, name)
	}
}

func BenchmarkAppendHeaderTrailer(b *testing.B) {
	m := someMetas()["jpeg"]
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendTrailer(AppendHeader(dst[:0], &m, 200<<10), &m)
	}
}

func BenchmarkAppendJSON200KiB(b *testing.B) {
	m := someMetas()["jpeg"]
	payload := make([]byte, 200<<10)
	var dst []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		dst = AppendJSON(dst[:0], &m, payload, true)
	}
}

func BenchmarkDecode200KiB(b *testing.B) {
	m := someMetas()["jpeg"]
	payload := make([]byte, 200<<10)
	for name, data := range map[string][]byte{"msgpack": Append(nil, &m, payload), "json": AppendJSON(nil, &m, payload, true)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
