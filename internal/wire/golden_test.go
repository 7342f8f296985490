package wire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

const someARN = "arn:aws:kinesis:eu-west-1:000000000000:stream/name"

// requests are the inputs whose bytes are pinned and compared with the SDK's.
func requests() map[string]*kinesis.PutRecordsInput {
	everything := &kinesis.PutRecordsInput{
		StreamName: aws.String("name"), StreamARN: aws.String(someARN),
		StreamId: aws.String("id"), DryRun: aws.Bool(true),
	}
	for _, n := range []int{0, 1, 2, 3, 23, 24, 255, 256, 4095, 4096, 4097} {
		e := entry(strings.Repeat("k", 1+n%256), bytes.Repeat([]byte{0xfb, 0xef, byte(n)}, n)[:n])
		if n%2 == 1 {
			e.ExplicitHashKey = aws.String("340282366920938463463374607431768211455")
		}
		everything.Records = append(everything.Records, e)
	}
	odd := &kinesis.PutRecordsInput{StreamName: aws.String("s"), DryRun: aws.Bool(false)}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, key := range []string{
		"", "ä€𝄞", "<&>", "\u2028\u2029", "a\"\\/\b\f\n\r\t\x00\x1f\x7f", "\xff\xc3",
		"a\xe2\x82b", string(all), "\ufffd", strings.Repeat("€", 256),
	} {
		odd.Records = append(odd.Records, entry(key, []byte(key)))
	}
	odd.Records = append(odd.Records, types.PutRecordsRequestEntry{Data: []byte{}})
	return map[string]*kinesis.PutRecordsInput{
		"one": one(), "everything": everything, "odd-keys": odd, "none": {Records: []types.PutRecordsRequestEntry{}, StreamARN: aws.String(someARN)},
	}
}

// put sends an input and returns what came over the wire.
func put(t *testing.T, in *kinesis.PutRecordsInput, options ...func(*kinesis.Options)) sent {
	t.Helper()
	c := (&recorder{t: t}).then(200, "", "")
	_, err := benchClient(c, options...).PutRecords(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, c.seen, 1)
	return c.seen[0]
}

func modeOf(f wire.Format) wire.Mode {
	if f == wire.CBOR {
		return wire.PreferCBOR
	}
	return wire.OnlyJSON
}

func TestGoldenRequests(t *testing.T) {
	t.Parallel()
	for name, in := range requests() {
		for _, f := range []wire.Format{wire.JSON, wire.CBOR} {
			got := put(t, in, wire.New(wire.Settings{Mode: modeOf(f)}).Install)
			require.Equal(t, f.String(), got.format())
			require.Equal(t, len(got.body), f.Request(in).Wire, "%s %s", name, f)
			file := filepath.Join("testdata", "requests", name+"."+f.String())
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, got.body, 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got.body), "%s changed", file)
		}
	}
}

// TestAsJavaSendsIt compares with bytes that AWS's SDK for Java is known to send.
func TestAsJavaSendsIt(t *testing.T) {
	t.Parallel()
	got := put(t, one(), wire.New(wire.Settings{Mode: wire.PreferCBOR}).Install)
	require.Equal(t, "\xbfgRecords\x9f\xbfdDataMhello, world!lPartitionKeylpartitionkey\xff\xffjStreamNamedtest\xff", string(got.body))
}

func TestJSONIsTheSDKs(t *testing.T) {
	t.Parallel()
	for name, in := range requests() {
		want, got := put(t, in), put(t, in, wire.New(wire.Settings{Mode: wire.OnlyJSON}).Install)
		for i := range min(len(want.body), len(got.body)) {
			if want.body[i] != got.body[i] {
				t.Fatalf("%s: from %d on\n%.60q\n%.60q", name, i, want.body[i:], got.body[i:])
			}
		}
		require.True(t, bytes.Equal(want.body, got.body), "%s:\n%.300s\n%.300s", name, want.body, got.body)
		requireSameHeaders(t, want, got)
	}
}

func requireSameHeaders(t *testing.T, want, got sent) {
	t.Helper()
	require.Equal(t, want.path, got.path)
	for _, h := range []sent{want, got} { // what differs from call to call
		h.header.Del("Amz-Sdk-Invocation-Id")
		h.header.Del("Authorization")
		h.header.Del("X-Amz-Date")
		h.header.Del("Content-Length")
	}
	require.Equal(t, want.header, got.header)
}

func TestCBORSaysWhatTheSDKsJSONSays(t *testing.T) {
	t.Parallel()
	for name, in := range requests() {
		var want map[string]any
		require.NoError(t, json.Unmarshal(put(t, in).body, &want))
		got := put(t, in, wire.New(wire.Settings{Mode: wire.PreferCBOR}).Install)
		require.Equal(t, "Kinesis_20131202.PutRecords", got.header.Get("X-Amz-Target"))
		require.Equal(t, "/", got.path)
		v, err := cbor.Decode(got.body)
		require.NoError(t, err, name)
		require.Equal(t, want, plain(v), name)
	}
}

// plain turns CBOR into what encoding/json makes of the same in JSON.
func plain(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Map:
		m := map[string]any{}
		for k, item := range v {
			m[k] = plain(item)
		}
		return m
	case cbor.List:
		l := []any{}
		for _, item := range v {
			l = append(l, plain(item))
		}
		return l
	case cbor.Slice:
		text, _ := json.Marshal([]byte(v))
		return strings.Trim(string(text), `"`)
	case cbor.String:
		return string(v)
	case cbor.Bool:
		return bool(v)
	default:
		return v
	}
}

func TestPutRecordInBothFormats(t *testing.T) {
	t.Parallel()
	in := &kinesis.PutRecordInput{
		Data: bytes.Repeat([]byte("x"), 5000), DryRun: aws.Bool(true), ExplicitHashKey: aws.String("1"), PartitionKey: aws.String("k"),
		SequenceNumberForOrdering: aws.String("2"), StreamARN: aws.String(someARN), StreamId: aws.String("id"), StreamName: aws.String("n"),
	}
	var bodies [3][]byte
	for i, options := range [][]func(*kinesis.Options){
		nil, {wire.New(wire.Settings{Mode: wire.OnlyJSON}).Install}, {wire.New(wire.Settings{Mode: wire.PreferCBOR}).Install},
	} {
		c := (&recorder{t: t}).then(200, "", "")
		_, err := benchClient(c, options...).PutRecord(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, "Kinesis_20131202.PutRecord", c.seen[0].header.Get("X-Amz-Target"))
		bodies[i] = c.seen[0].body
	}
	require.Equal(t, string(bodies[0]), string(bodies[1]))
	var want map[string]any
	require.NoError(t, json.Unmarshal(bodies[0], &want))
	v, err := cbor.Decode(bodies[2])
	require.NoError(t, err)
	require.Equal(t, want, plain(v))
}

func TestSizes(t *testing.T) {
	t.Parallel()
	in := requests()["everything"]
	for _, f := range []wire.Format{wire.JSON, wire.CBOR} {
		records := wire.Size{}
		for i := range in.Records {
			s := f.Record(&in.Records[i])
			require.Equal(t, len(in.Records[i].Data)+len(*in.Records[i].PartitionKey), s.Payload)
			records.Payload += s.Payload
			records.Wire += s.Wire
		}
		whole := f.Request(in)
		require.Equal(t, records.Payload, whole.Payload)
		around := f.Request(&kinesis.PutRecordsInput{
			StreamName: in.StreamName, StreamARN: in.StreamARN, StreamId: in.StreamId, DryRun: in.DryRun, Records: []types.PutRecordsRequestEntry{},
		}).Wire
		if f == wire.JSON {
			around += len(in.Records) - 1
		}
		require.Equal(t, whole.Wire, around+records.Wire)
	}
	thousand, large := benchCases()[0], benchCases()[2]
	for _, c := range []struct {
		benchCase
		most float64
	}{{thousand, 1.035}, {large, 1.002}} {
		s := wire.CBOR.Request(c.input())
		require.LessOrEqual(t, float64(s.Wire)/float64(c.n*c.size), c.most)
	}
}
