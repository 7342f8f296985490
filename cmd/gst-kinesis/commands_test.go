package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/control"
	"gst-kinesis/internal/frame"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

// put writes a record as another program would.
func put(t *testing.T, srv *local.Server, stream, key string, data []byte) string {
	t.Helper()
	out, err := localtest.Client(srv, localtest.AnyCredentials()).PutRecord(context.Background(),
		&kinesis.PutRecordInput{StreamName: aws.String(stream), PartitionKey: aws.String(key), Data: data})
	require.NoError(t, err)
	return aws.ToString(out.SequenceNumber)
}

func picture(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, image.NewGray(image.Rect(0, 0, 16, 8)), nil))
	return buf.Bytes()
}

// frameRecord is a good record of a camera.
func frameRecord(t *testing.T, id int64) ([]byte, frame.Meta) {
	t.Helper()
	now := frame.Seconds(time.Now())
	m := frame.Meta{
		Kind: frame.Image, SensorName: "cam1", DeviceName: "edge", FrameID: id, CaptureTime: now - 0.25, CreationTime: now, Encoded: true, Size: [3]int{8, 16, 1},
	}
	return frame.Append(nil, &m, picture(t)), m
}

func with(flags []string, args ...string) []string { return append(args, flags...) }

func TestStreamLife(t *testing.T) {
	t.Parallel()
	_, flags := endpoint(t, local.Settings{StateDelay: 50 * time.Millisecond})
	status, out, stderr := run(t, with(flags, "stream", "create", "cams", "--shards", "3", "--wait", "--json")...)
	require.Zero(t, status, stderr)
	var made control.Stream
	require.NoError(t, json.Unmarshal([]byte(out), &made))
	require.Equal(t, "ACTIVE", made.Status)
	require.Equal(t, "PROVISIONED", made.Mode)
	require.Len(t, made.Shards, 3)
	require.Equal(t, "0", made.Shards[0].FirstKey)
	require.Equal(t, "340282366920938463463374607431768211455", made.Shards[2].LastKey)

	status, out, stderr = run(t, with(flags, "stream", "create", "elastic", "--mode", "on-demand", "--wait")...)
	require.Zero(t, status, stderr)
	require.Regexp(t, `Mode +ON_DEMAND`, out)

	status, out, stderr = run(t, with(flags, "stream", "describe", "cams")...)
	require.Zero(t, status, stderr)
	require.Regexp(t, `ARN +arn:aws:kinesis:us-east-1:\d{12}:stream/cams`, out)
	require.Regexp(t, `shardId-000000000000 +OPEN +0-113427455640312821154458202477256070484`, out)
	_, byARN, _ := run(t, with(flags, "stream", "describe", made.ARN)...)
	require.Equal(t, out, byARN)

	status, out, stderr = run(t, with(flags, "stream", "list")...)
	require.Zero(t, status, stderr)
	require.Regexp(t, `(?m)^cams +ACTIVE +PROVISIONED +3 +24 h +arn:`, out)
	require.Regexp(t, `(?m)^elastic `, out)

	status, _, stderr = run(t, with(flags, "stream", "create", "cams")...)
	require.Equal(t, statusFailed, status)
	require.Regexp(t, `^gst-kinesis: creating stream cams: ResourceInUseException: .+ \(request .+\)`, stderr)

	status, _, stderr = run(t, with(flags, "stream", "delete", "cams", "--wait")...)
	require.Zero(t, status, stderr)
	status, _, stderr = run(t, with(flags, "stream", "describe", "cams")...)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "gst-kinesis stream create")
	status, out, stderr = run(t, with(flags, "stream", "list", "--json")...)
	require.Zero(t, status, stderr)
	require.NotContains(t, out, `"cams"`)
}

func TestConsumeLines(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	want := map[string]bool{}
	for i := range 10 {
		key := fmt.Sprintf("key %d", i)
		n := put(t, srv, "s", key, bytes.Repeat([]byte("x"), i))
		want[fmt.Sprintf(`SequenceNumber=%s ShardId=… PartitionKey="%s" Bytes=%d`, n, key, i)] = true
	}
	status, out, stderr := run(t, with(flags, "consume", "s", "--from", "trim-horizon", "--count", "10")...)
	require.Zero(t, status, stderr)
	got := map[string]bool{}
	shards := map[string]bool{}
	shard := regexp.MustCompile(`ShardId=(\S+)`)
	for line := range strings.Lines(out) {
		shards[shard.FindStringSubmatch(line)[1]] = true
		got[strings.TrimSpace(shard.ReplaceAllString(line, "ShardId=…"))] = true
	}
	require.Equal(t, want, got)
	require.Len(t, shards, 2, "both shards were read")
	require.Contains(t, stderr, "records=10")
}

func TestConsumeFollowsAndEndsOnInterrupt(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	put(t, srv, "s", "old", []byte("x"))
	r := begin(t, "", with(flags, "consume", "s", "--from", "1h")...)
	r.out.waitFor(t, "PartitionKey=old Bytes=1\n")
	put(t, srv, "s", "new", []byte("xx"))
	r.out.waitFor(t, "PartitionKey=new Bytes=2\n")
	r.stop()
	require.Zero(t, r.wait(t))
	require.Contains(t, r.err.String(), "ended-by=interrupt")
}

func TestConsumeEnds(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s"), Limits: local.LimitsNone})
	put(t, srv, "s", "k", []byte("x"))
	for name, c := range map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"at the end":               {[]string{"--follow=false"}, 0, `ended-by="the end of the stream"`},
		"by timeout":               {[]string{"--timeout", "100ms"}, 0, "ended-by=timeout"},
		"by silence":               {[]string{"--idle", "2s"}, 0, "ended-by=silence"},
		"by timeout with too few":  {[]string{"--timeout", "2s", "--count", "2"}, 3, "gst-kinesis: consuming s: ended by timeout after 1 of 2 records"},
		"at the end with too few":  {[]string{"--follow=false", "--count", "2"}, 3, "ended by the end of the stream after 1 of 2 records"},
		"by silence with too few":  {[]string{"--idle", "2s", "--count", "2"}, 3, "ended by silence after 1 of 2 records"},
		"with what was asked for":  {[]string{"--count", "1"}, 0, "ended-by=count"},
		"quietly, with few a call": {[]string{"--count", "1", "--quiet", "--max-records", "1"}, 0, "records=1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, out, stderr := run(t, with(flags, append([]string{"consume", "s", "--from=trim-horizon"}, c.args...)...)...)
			require.Equal(t, c.status, status, stderr)
			require.Contains(t, stderr, c.stderr)
			if strings.HasPrefix(name, "quietly") {
				require.Empty(t, out)
			}
		})
	}
}

func TestConsumeJSON(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	put(t, srv, "s", "k", []byte("{\"Name\":\"Shadowfax\",\n \"HealthPoints\":150}\n"))
	args := with(flags, "consume", "s", "--from", "trim-horizon", "--count", "1")
	_, out, _ := run(t, append(args, "--pretty")...)
	require.Equal(t, "{\n    \"Name\": \"Shadowfax\",\n    \"HealthPoints\": 150\n}\n", out)
	_, out, _ = run(t, append(args, "--json")...)
	require.Equal(t, "{\"Name\":\"Shadowfax\",\"HealthPoints\":150}\n", out)
}

func TestConsumeSaves(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	for i := range 4 {
		data, _ := frameRecord(t, int64(i))
		put(t, srv, "s", fmt.Sprint("cam1", i), data)
	}
	dir := filepath.Join(t.TempDir(), "frames")
	status, _, stderr := run(t, with(flags, "consume", "s", "--from", "trim-horizon", "--count", "4", "--save", dir)...)
	require.Zero(t, status, stderr)
	require.Contains(t, stderr, "saved=4")
	files, err := filepath.Glob(filepath.Join(dir, "cam1_*.jpg"))
	require.NoError(t, err)
	require.Len(t, files, 4)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.Equal(t, picture(t), content)

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	status, _, stderr = run(t, with(flags, "consume", "s", "--save", file)...)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "creating folder to save in")
}

func TestConsumeErrors(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s"), Region: local.DefaultRegion,
		Credentials: []local.Credentials{{AccessKeyID: "a", SecretAccessKey: "other"}}})
	status, _, stderr := run(t, with(flags, "consume", "s")...)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "InvalidSignatureException")
	require.Contains(t, stderr, "check secret-access-key")

	srv.SetCredentials()
	status, _, stderr = run(t, with(flags, "consume", "nowhere")...)
	require.Equal(t, statusFailed, status)
	require.Regexp(t, `(?m)^gst-kinesis: listing the shards of stream nowhere: ResourceNotFoundException: .+; create it: gst-kinesis stream create nowhere --shards 1`, stderr)

	status, _, stderr = run(t, with(flags, "consume", "arn:aws:kinesis:eu-west-1:000000000000:stream/s")...)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "region")
	status, _, stderr = run(t, with(flags, "consume", "no/name")...)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "stream")
}

func TestConsumeWaitsForAnEndpoint(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := ln.Addr().String()
	require.NoError(t, ln.Close())
	r := begin(t, "", "consume", "s", "--from", "trim-horizon", "--count", "1", "--endpoint-uri", "http://"+addr, "--region", "us-east-1", "--access-key", "a", "--secret-access-key", "s")
	r.err.waitFor(t, "trying again")
	srv := localtest.Start(t, local.Settings{Addr: addr, Create: streams("s")})
	put(t, srv, "s", "k", []byte("x"))
	require.Zero(t, r.wait(t), r.err.String())
}

func TestInspectFiles(t *testing.T) {
	t.Parallel()
	data, meta := frameRecord(t, 1763712000123<<22|5<<12|7)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	status, out, stderr := run(t, "inspect", write("good.msgpack", data))
	require.Zero(t, status, stderr)
	require.Contains(t, out, "node 5, sequence 7")
	require.Contains(t, out, "(jpeg, 16x8), created 250")
	require.NotContains(t, out, "warning")

	r := begin(t, string(frame.AppendJSON(nil, &meta, picture(t), true)), "inspect", "-")
	require.Zero(t, r.wait(t))
	require.Contains(t, r.out.String(), "standard input: json, ")

	status, out, stderr = run(t, "inspect", write("cut", data[:len(data)-100]))
	require.Equal(t, statusFailed, status)
	require.Contains(t, out, "\"device_name\"", "what is there is shown")
	require.Regexp(t, `error: decoding record: key "image" at offset \d+: cut short`, out)
	require.Empty(t, stderr, "said already")

	status, _, stderr = run(t, "inspect", filepath.Join(dir, "none"))
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "gst-kinesis: inspecting: open")
}

func TestInspectStream(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	data, _ := frameRecord(t, 1)
	put(t, srv, "s", "k", data)
	put(t, srv, "s", "k", []byte("nonsense"))
	status, out, stderr := run(t, with(flags, "inspect", "--stream", "s")...)
	require.Zero(t, status, stderr)
	require.Contains(t, out, "shardId-00000000000")
	status, out, stderr = run(t, with(flags, "inspect", "--stream", "s", "--count", "2")...)
	require.Equal(t, statusFailed, status, stderr)
	require.Contains(t, out, "neither a msgpack map nor a JSON object")
	status, _, stderr = run(t, with(flags, "inspect", "--stream", "s", "--count", "3", "--timeout", "500ms")...)
	require.Equal(t, statusIncomplete, status)
	require.Contains(t, stderr, "only 2 of 3 records came")
	status, _, stderr = run(t, with(flags, "inspect", "--stream", "none")...)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "ResourceNotFoundException")
}
