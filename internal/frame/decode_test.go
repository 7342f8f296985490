package frame

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"
)

// asJSONReadsIt is a value after a round trip through JSON, which has neither
// bytes nor extensions, and no number that is none.
func asJSONReadsIt(v Value) Value {
	switch v.kind {
	case KindBinary, KindExt:
		text, _ := strings.CutSuffix(strings.TrimPrefix(v.String(), `"`), `"`)
		return String(text)
	case KindString:
		return String(string([]rune(v.str)))
	case KindList, KindMap:
		items := make([]Field, len(v.items))
		for i, item := range v.items {
			items[i] = Field{string([]rune(item.Key)), asJSONReadsIt(item.Value)}
		}
		return Value{kind: v.kind, items: items}
	}
	return v
}

// asReaders is a Meta as readers get it: valid UTF-8 throughout.
func asReaders(m Meta, value func(Value) Value) Meta {
	clean := func(s string) string { return string([]rune(s)) }
	m.DataType, m.SensorName, m.DeviceName = clean(m.dataType()), clean(m.SensorName), clean(m.DeviceName)
	m.Codec, m.Caps = clean(m.Codec), clean(m.Caps)
	m.Detections = value(m.Detections)
	extra := m.Extra
	m.Extra = nil
	for _, f := range extra {
		m.Extra = append(m.Extra, Field{clean(f.Key), value(f.Value)})
	}
	return m
}

// cleanText replaces invalid UTF-8 everywhere in a value.
func cleanText(v Value) Value {
	switch v.kind {
	case KindString:
		return String(string([]rune(v.str)))
	case KindList, KindMap:
		items := make([]Field, len(v.items))
		for i, item := range v.items {
			items[i] = Field{string([]rune(item.Key)), cleanText(item.Value)}
		}
		return Value{kind: v.kind, items: items}
	}
	return v
}

// sameMeta compares by what is written: empty and missing items are the same.
func sameMeta(t *testing.T, want, got Meta, hint string) {
	t.Helper()
	require.Equal(t, string(Append(nil, &want, nil)), string(Append(nil, &got, nil)), hint)
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	metas := someMetas()
	for seed := range uint64(200) {
		metas[string(rune('0'+seed))] = randomMeta(rand.New(rand.NewPCG(seed, 4)))
	}
	payload := []byte("\xff\xd8\xff payload")
	for name, m := range metas {
		rec, err := Decode(Append(nil, &m, payload))
		require.NoError(t, err, name)
		require.Equal(t, Msgpack, rec.Format)
		require.Equal(t, payload, rec.Payload, name)
		sameMeta(t, asReaders(m, cleanText), rec.Meta, name)

		rec, err = Decode(AppendJSON([]byte(" \n"), &m, payload, true))
		require.NoError(t, err, name)
		require.Equal(t, JSON, rec.Format)
		require.Equal(t, payload, rec.Payload, name)
		sameMeta(t, asReaders(m, asJSONReadsIt), rec.Meta, name)
	}
}

func TestDecodeAliasesMsgpackPayloads(t *testing.T) {
	t.Parallel()
	data := Append(nil, &Meta{}, []byte("payload"))
	rec, err := Decode(data)
	require.NoError(t, err)
	data[bytes.Index(data, []byte("payload"))] = 'P'
	require.Equal(t, "Payload", string(rec.Payload))
	require.Equal(t, len(rec.Payload), cap(rec.Payload), "appending must not write into the record")
}

func TestDecodeTakesKeysInAnyOrder(t *testing.T) {
	t.Parallel()
	m := someMetas()["extra"]
	m.Kind, m.Size, m.Encoded = Image, [3]int{1, 2, 3}, true
	fields := fieldsOf(m, []byte("x"))
	for seed := range uint64(50) {
		rand.New(rand.NewPCG(seed, 5)).Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
		rec, err := Decode(Map(fields...).appendMsgpack(nil))
		require.NoError(t, err)
		require.Equal(t, "x", string(rec.Payload))
		require.Equal(t, m.Size, rec.Meta.Size)
		require.Equal(t, m.FrameID, rec.Meta.FrameID)
		require.ElementsMatch(t, m.Extra, rec.Meta.Extra)
	}
}

func TestDecodeIsTolerant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		json  string
		check func(t *testing.T, r Record)
	}{
		"names and payload only": {`{"sensor_name":"a","image":"/9j/"}`, func(t *testing.T, r Record) {
			require.Equal(t, Image, r.Meta.Kind)
			require.True(t, r.Meta.Encoded, "unless said otherwise")
			require.Equal(t, "\xff\xd8\xff", string(r.Payload))
		}},
		"nulls": {`{"data_type":null,"sensor_name":null,"capture_timestamp":null,"frame_id":null,"image":null,"size":null,"device_name":null}`,
			func(t *testing.T, r Record) {
				require.Nil(t, r.Payload)
				require.Equal(t, Meta{Kind: Image, Encoded: true}, r.Meta)
			}},
		"whole seconds": {`{"data_type":"x","capture_timestamp":1700000000,"data":""}`, func(t *testing.T, r Record) {
			require.Equal(t, 1.7e9, r.Meta.CaptureTime)
			require.Equal(t, Bytes, r.Meta.Kind)
		}},
		"size without channels": {`{"data_type":"x","image":"","size":[2,3]}`, func(t *testing.T, r Record) {
			require.Equal(t, [3]int{2, 3, 1}, r.Meta.Size)
		}},
		"both payload keys": {`{"data_type":"m.BytesData","image":"AAAA","data":"AQ=="}`, func(t *testing.T, r Record) {
			require.Equal(t, Bytes, r.Meta.Kind)
			require.Equal(t, "\x01", string(r.Payload))
			require.Equal(t, []Field{{"image", String("AAAA")}}, r.Meta.Extra)
		}},
		"keys of the other kind": {`{"data_type":"x","data":"","size":7,"is_encoded":"?"}`, func(t *testing.T, r Record) {
			require.Equal(t, []Field{{"size", Int(7)}, {"is_encoded", String("?")}}, r.Meta.Extra)
		}},
		"escapes": {`{"sensor_name":"\u00fc\ud83d\ude00\ud83dx\/\b\f\n\r\t\"\\","data":"\u0041A\u003d="}`, func(t *testing.T, r Record) {
			require.Equal(t, "ü😀\ufffdx/\b\f\n\r\t\"\\", r.Meta.SensorName)
			require.Equal(t, "\x00", string(r.Payload))
		}},
		"numbers": {`{"data_type":"x","data":"","a":[-0,1e3,18446744073709551615,18446744073709551616,-9223372036854775808,0.5E-1]}`,
			func(t *testing.T, r Record) {
				require.Equal(t, `[-0.0,1000.0,18446744073709551615,18446744073709552000.0,-9223372036854775808,0.05]`, r.Meta.Extra[0].Value.String())
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec, err := Decode([]byte(c.json))
			require.NoError(t, err)
			c.check(t, rec)
		})
	}
}

func TestDecodeMsgpackOfOldWriters(t *testing.T) {
	t.Parallel()
	// Without use_bin_type bytes are str; keys may be bin, and numbers float 32.
	data := []byte("\x84\xc4\x09data_type\xc4\x01x\xa4data\xa2\xff\x00\xb1capture_timestamp\xca\x3f\x00\x00\x00\xa1m\x83\x05\xa1a\xc3\xd7\xff12345678\xc0\xc7\x03\x7fabc")
	rec, err := Decode(data)
	require.NoError(t, err)
	require.Equal(t, "\xff\x00", string(rec.Payload))
	require.Equal(t, 0.5, rec.Meta.CaptureTime)
	require.Equal(t, Map(Field{"5", String("a")}, Field{"true", Ext(-1, []byte("12345678"))}, Field{"null", Ext(127, []byte("abc"))}), rec.Meta.Extra[0].Value)
}

func nested(open, middle, end string, n int) string {
	return strings.Repeat(open, n) + middle + strings.Repeat(end, n)
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	const head = `{"data_type":"x","data":"",`
	for name, c := range map[string]struct{ data, want string }{
		"empty":             {"", "decoding record: neither a msgpack map nor a JSON object: it is empty"},
		"jpeg":              {"\xff\xd8\xff\xe0", "decoding record: neither a msgpack map nor a JSON object: it begins with 0xff"},
		"json list":         {"[]", "it begins with 0x5b"},
		"no payload":        {`{"data_type":"x"}`, "decoding record: at offset 0: not a frame record: it has neither an image nor a data key"},
		"another map":       {`{"data":"AAAA"}`, "neither data_type nor sensor_name"},
		"cut json":          {`{"data_type":"x","da`, `decoding record: at offset 20: cut short`},
		"cut in a value":    {`{"data_type":tr`, `decoding record: key "data_type" at offset 13: expected a value, found 't'`},
		"bad base64":        {`{"data_type":"x","data":"A*=="}`, `decoding record: key "data" at offset 24: expected base64`},
		"unpadded base64":   {`{"data_type":"x","data":"QQ"}`, "expected base64"},
		"payload a number":  {`{"data_type":"x","data":1}`, `key "data" at offset 24: expected bytes, found int`},
		"type":              {head + `"frame_id":"7"}`, `key "frame_id" at offset 38: expected an integer, found string`},
		"fraction":          {head + `"frame_id":7.5}`, `expected an integer, found float`},
		"too large":         {head + `"frame_id":9223372036854775808}`, `9223372036854775808 does not fit 64 bits with a sign`},
		"name a number":     {head + `"sensor_name":1}`, `key "sensor_name" at offset 41: expected string, found int`},
		"time a text":       {head + `"capture_timestamp":"now"}`, `expected a number, found string`},
		"flag a number":     {head + `"key_frame":1}`, `expected true or false, found int`},
		"size a number":     {`{"data_type":"x","image":"","size":1}`, `expected [height, width, channels], found int of 0`},
		"size of texts":     {`{"data_type":"x","image":"","size":[1,"2",3]}`, `expected [height, width, channels], found string in it`},
		"size negative":     {`{"data_type":"x","image":"","size":[1,-2,3]}`, `expected [height, width, channels]`},
		"key twice":         {head + `"codec":"a","codec":"b"}`, `key "codec" at offset 47: given twice`},
		"payload twice":     {head + `"data":""}`, `key "data" at offset 34: given twice`},
		"two records":       {head + `"a":1}` + "\n{}", `at offset 34: 2 bytes follow the record`},
		"no colon":          {`{"a" 1}`, `at offset 5: expected a colon, found '1'`},
		"no comma":          {head + `"a":[1 2]}`, `key "a" at offset 34: expected a comma or ']', found '2'`},
		"trailing comma":    {head + `}`, `expected a key, found '}'`},
		"control":           {head + "\"a\":\"\x01\"}", `a control character in a string`},
		"control later":     {head + "\"a\":\"\\n\x01\"}", `a control character in a string`},
		"escape":            {head + `"a":"\x"}`, `an escape that JSON does not have`},
		"hex":               {head + `"a":"\u12g4"}`, `an escape that JSON does not have`},
		"open string":       {head + `"a":"\`, `cut short`},
		"open escape":       {head + `"a":"\n`, `cut short`},
		"number":            {head + `"a":01}`, `expected a comma or '}', found '1'`},
		"minus":             {head + `"a":-}`, `expected a value`},
		"fraction cut":      {head + `"a":1.}`, `expected a digit`},
		"exponent cut":      {head + `"a":1e}`, `expected a digit`},
		"out of range":      {head + `"a":1e999}`, `key "a" at offset 31: a number is out of range`},
		"deep json":         {head + `"a":` + nested("[", "", "]", 1000) + "}", `nested deeper than 64 levels`},
		"many in json":      {head + `"a":[` + strings.Repeat("0,", 70000) + "0]}", `more than 65536 keys and items`},
		"long key":          {`{"` + strings.Repeat("k", 1000) + `":x}`, `kkk"… at offset`},
		"cut msgpack":       {"\x82\xa4data\xc4\x05abc", `key "data" at offset 11: cut short`},
		"cut header":        {"\xde\x00", `at offset 2: cut short`},
		"claimed pairs":     {"\xdf\x7f\xff\xff\xff", `cut short`},
		"claimed more":      {"\xdf\xff\xff\xff\xff", `cut short`},
		"claimed items":     {"\x81\xa1a\xdd\x3f\xff\xff\xff", `key "a" at offset 8: cut short`},
		"claimed bytes":     {"\x81\xa1a\xc6\xff\xff\xff\xff", `cut short`},
		"deep msgpack":      {"\x81\xa1a" + nested("\x91", "\xc0", "", 1000), `key "a" at offset 66: nested deeper than 64 levels`},
		"many in msgpack":   {"\x81\xa1a\xdd\x00\x01\x11\x70" + strings.Repeat("\xc0", 70000), `more than 65536 keys and items`},
		"not msgpack":       {"\x81\xa1a\xc1", `key "a" at offset 3: 0xc1 is not msgpack`},
		"a list as key":     {"\x81\x90\xc0", `at offset 1: a map's key is a list`},
		"two in msgpack":    {"\x82\xa9data_type\xa1x\xa4data\xc4\x00\x80", `1 bytes follow the record`},
		"type in msgpack":   {"\x82\xa9data_type\x01\xa4data\xc4\x00", `key "data_type" at offset 11: expected string, found int`},
		"list as a payload": {"\x82\xa9data_type\xa1x\xa4data\x90", `key "data" at offset 18: expected bytes, found list`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Decode([]byte(c.data))
			require.ErrorContains(t, err, c.want)
			require.Less(t, len(err.Error()), 200)
		})
	}
	_, err := Decode([]byte(`{"a":1}`))
	require.ErrorIs(t, err, ErrForeign)
	_, err = Decode([]byte("x"))
	require.ErrorIs(t, err, ErrNotRecord)
	var where *DecodeError
	_, err = Decode([]byte(`{"a":`))
	require.ErrorAs(t, err, &where)
	require.Equal(t, "a", where.Key)
	require.Equal(t, 5, where.Offset)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	m := Meta{Kind: Image, SensorName: "cam", Size: [3]int{2, 3, 3}}
	for _, data := range [][]byte{Append(nil, &m, []byte("abc")), AppendJSON(nil, &m, []byte("abc"), false)} {
		keys, format, err := Keys(data)
		require.NoError(t, err)
		var names []string
		for _, k := range keys {
			names = append(names, k.Key)
			require.Equal(t, k.Size, len(data[k.Offset:k.Offset+k.Size]))
		}
		require.Equal(t, []string{"data_type", "sensor_name", "capture_timestamp", "creation_timestamp", "frame_id",
			"device_name", "image", "is_encoded", "detection_results", "size"}, names)
		require.Equal(t, "[2,3,3]", keys[9].Value.String())
		if format == JSON {
			require.Equal(t, `"YWJj"`, string(data[keys[6].Offset:keys[6].Offset+keys[6].Size]))
			require.Equal(t, KindString, keys[6].Kind)
		} else {
			require.Equal(t, "\xc4\x03abc", string(data[keys[6].Offset:keys[6].Offset+keys[6].Size]))
			require.Equal(t, KindBinary, keys[6].Kind)
		}
		cut, _, err := Keys(data[:keys[3].Offset+2])
		require.Error(t, err)
		require.Len(t, cut, 3, "what could be read is listed")
	}
}

// FuzzDecode looks for crashes and for records that do not survive being
// written again.
func FuzzDecode(f *testing.F) {
	for _, m := range someMetas() {
		f.Add(Append(nil, &m, []byte("payload")))
		f.Add(AppendJSON(nil, &m, []byte("payload"), true))
	}
	f.Add([]byte("\x82\xa9data_type\xa1x\xa4data\xc4\x05abc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, keysErr := Keys(data)
		rec, err := Decode(data)
		if err != nil {
			return
		}
		require.NoError(t, keysErr)
		again, err := Decode(Append(nil, &rec.Meta, rec.Payload))
		if err != nil {
			require.ErrorIs(t, err, errTooMany) // writing adds the keys that were missing
			return
		}
		require.True(t, bytes.Equal(rec.Payload, again.Payload))
		sameMeta(t, rec.Meta, again.Meta, "msgpack")
		again, err = Decode(AppendJSON(nil, &rec.Meta, rec.Payload, true))
		if err != nil {
			require.ErrorIs(t, err, errTooMany)
			return
		}
		require.True(t, bytes.Equal(rec.Payload, again.Payload))
	})
}

// FuzzJSON holds the reader against encoding/json.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":[1,-0.5e+3,null,true,"\u00e4\ud800"]}`, `{"a" : {"b":{}} } `, `{"a":01}`, `{"a":"` + "\xff" + `"}`, `{"a":1e999}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
			return
		}
		entries, err := scanJSON(data, nil)
		if err != nil {
			if json.Valid(data) {
				require.True(t, isBound(err), "%v", err)
			}
			return
		}
		require.True(t, json.Valid(data))
		for _, e := range entries {
			require.True(t, json.Valid(data[e.off:e.end]))
			var want any
			if e.kind == KindString {
				require.NoError(t, json.Unmarshal(data[e.off:e.end], &want))
				require.Equal(t, want, string([]rune(string(e.text))))
			}
		}
	})
}

func isBound(err error) bool {
	for _, bound := range []error{errTooDeep, errTooMany, errNumber} {
		if strings.Contains(err.Error(), bound.Error()) {
			return true
		}
	}
	return false
}

// FuzzMsgpack holds the reader against the msgpack module.
func FuzzMsgpack(f *testing.F) {
	for _, m := range someMetas() {
		f.Add(Append(nil, &m, []byte("payload")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || !isMapCode(data[0]) {
			return
		}
		entries, err := scanMsgpack(data, nil)
		if err != nil {
			return
		}
		dec := msgpack.NewDecoder(bytes.NewReader(data))
		n, err := dec.DecodeMapLen()
		require.NoError(t, err)
		require.Len(t, entries, n)
		for _, e := range entries {
			require.NoError(t, dec.Skip())
			raw, err := dec.DecodeRaw()
			require.NoError(t, err)
			require.Equal(t, string(data[e.off:e.end]), string(raw))
		}
	})
}
