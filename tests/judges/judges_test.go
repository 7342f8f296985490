// Package judges lets others say what arrived: Python with boto3 and msgpack, as the users' own programs read, and kinesis-local from npm in place of our
// endpoint. What went into the encoders is kept in files beside, and compared payload by payload.
package judges

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/tests/kit"
)

func TestMain(m *testing.M) {
	kit.Isolate()
	os.Exit(m.Run())
}

const (
	stream = "frames"
	device = "roadside unit 7, Straße" // not ASCII
)

// seen is a record as read.py tells of it.
type seen struct {
	Shard, Key, Form, Sensor, Type, Codec, Caps, Digest string
	Newline                                             bool
	Encoded                                             *bool
	Size                                                []int
	Frame                                               int64
	Captured                                            float64
	Bytes, Length                                       int
}

// branch is a part of the pipeline: a source whose buffers go into a file each, and through an encoder into the stream.
type branch struct {
	sensor  string
	source  string
	encoder string
	shards  int
	trim    func(data []byte) []byte
	check   func(t *testing.T, s seen)
}

// frames is how many frames each source gives: few, since kinesis-local is slow.
const frames = 20

func video(format string, width, height int) string {
	return fmt.Sprintf("videotestsrc is-live=true num-buffers=%d pattern=ball ! video/x-raw,format=%s,width=%d,height=%d,framerate=25/1", frames, format, width, height)
}

func branches() []branch {
	image := func(encoded bool, size ...int) func(*testing.T, seen) {
		return func(t *testing.T, s seen) {
			require.Equal(t, "msight_core.data.image.ImageData", s.Type)
			require.Equal(t, encoded, *s.Encoded)
			require.Equal(t, size, s.Size)
		}
	}
	data := func(codec, caps string) func(*testing.T, seen) {
		return func(t *testing.T, s seen) {
			require.Equal(t, "msight_core.data.bytes.BytesData", s.Type)
			require.Equal(t, codec, s.Codec)
			require.Contains(t, s.Caps, caps)
		}
	}
	return []branch{
		{sensor: "jpeg", source: video("I420", 160, 120) + " ! jpegenc", encoder: "msgpackenc", shards: 3, check: image(true, 120, 160, 3)},
		{sensor: "png", source: video("RGB", 64, 48) + " ! pngenc", encoder: "msgpackenc", shards: 1, check: image(true, 48, 64, 3)},
		{
			// Rows of 50 bytes lie 52 apart in memory; in the record they are next to each other.
			sensor: "raw", source: video("GRAY8", 50, 30), encoder: "msgpackenc", shards: 2, check: image(false, 30, 50, 1),
			trim: func(data []byte) []byte {
				var packed []byte
				for row := range slices.Chunk(data, 52) {
					packed = append(packed, row[:50]...)
				}
				return packed
			},
		},
		{
			sensor: "h264", source: video("I420", 160, 120) + " ! x264enc tune=zerolatency key-int-max=10 ! video/x-h264,stream-format=byte-stream,alignment=au",
			encoder: "msgpackenc", shards: 2, check: data("h264", "alignment=(string)au"),
		},
		{
			sensor: "sound", source: fmt.Sprintf("audiotestsrc is-live=true num-buffers=%d samplesperbuffer=160 ! audio/x-raw,format=S16LE,rate=8000,channels=1", frames),
			encoder: "msgpackenc", shards: 1, check: data("raw", "rate=(int)8000"),
		},
		{sensor: "json", source: video("I420", 160, 120) + " ! jpegenc", encoder: "jsonenc newline=true", shards: 2, check: image(true, 120, 160, 3)},
		{sensor: "gemüse", source: video("GRAY8", 64, 8), encoder: "jsonenc", shards: 1, check: image(false, 8, 64, 1)},
	}
}

// write runs all branches at once under gst-launch-1.0 into the stream, and gives the folder with what went in.
func write(t *testing.T, url string, list []branch) string {
	t.Helper()
	dir := t.TempDir()
	var line []string
	for i, b := range list {
		line = append(line, fmt.Sprintf("%s ! tee name=t%d t%d. ! queue ! multifilesink location=%s.%%05d t%d. ! queue ! %s sensor-name=%q ! "+
			"kinesissink shards=%d stream-name=%s region=us-east-1 endpoint-uri=%s access-key=test secret-access-key=test",
			b.source, i, i, filepath.Join(dir, b.sensor), i, b.encoder, b.sensor, b.shards, stream, url))
	}
	env := kit.GStreamer(t, "MSIGHT_EDGE_DEVICE_NAME="+device)
	kit.Run(t, env, "gst-launch-1.0", append([]string{"-q"}, strings.Fields(strings.Join(line, " "))...)...)
	return dir
}

// read lets Python read the stream.
func read(t *testing.T, url string) map[string][]seen {
	t.Helper()
	env := kit.Environ("AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "PYTHONIOENCODING=utf-8")
	out, _ := kit.Run(t, env, "/usr/bin/python3", "testdata/read.py", url, stream, device)
	list := map[string][]seen{}
	kit.Each(out, func(line string) {
		var s seen
		require.NoError(t, json.Unmarshal([]byte(line), &s), line)
		list[s.Sensor] = append(list[s.Sensor], s)
	})
	for _, l := range list {
		slices.SortFunc(l, func(a, b seen) int { return int(a.Frame - b.Frame) })
	}
	return list
}

// compare holds what was read against what went in: each payload, in order, with S1's rotation of keys.
func compare(t *testing.T, dir string, got map[string][]seen, list []branch) {
	t.Helper()
	require.Len(t, got, len(list))
	for _, b := range list {
		files, err := filepath.Glob(filepath.Join(dir, b.sensor+".*"))
		require.NoError(t, err)
		require.Len(t, got[b.sensor], len(files), b.sensor)
		require.GreaterOrEqual(t, len(files), frames-1, b.sensor)
		for i, s := range got[b.sensor] {
			want, err := os.ReadFile(files[i])
			require.NoError(t, err)
			if b.trim != nil {
				want = b.trim(want)
			}
			digest := sha256.Sum256(want)
			require.Equal(t, hex.EncodeToString(digest[:]), s.Digest, "payload %d of %s", i, b.sensor)
			require.Equal(t, len(want), s.Length)
			require.Equal(t, fmt.Sprintf("%s%d", b.sensor, (i+1)%b.shards), s.Key, "key %d of %s", i, b.sensor)
			form, _, _ := strings.Cut(b.encoder, "enc")
			require.Equal(t, form, s.Form)
			require.Equal(t, strings.Contains(b.encoder, "newline=true"), s.Newline)
			b.check(t, s)
		}
	}
}

// TestPythonReads: everything that the elements write, read by Debian's boto3 and msgpack from our endpoint, whose signatures are checked. The stream is split
// while it is in use, so there are closed shards too.
func TestPythonReads(t *testing.T) {
	t.Parallel()
	creds := localtest.AnyCredentials()
	srv := localtest.Start(t, local.Settings{Create: []local.StreamSpec{{Name: stream, Shards: 2}}, Credentials: []local.Credentials{creds}})
	client := localtest.Client(srv, creds)
	list := branches()
	first, second := list[:3], list[3:]
	dirs := []string{write(t, srv.URL(), first)}
	split(t, client)
	dirs = append(dirs, write(t, srv.URL(), second))
	got := read(t, srv.URL())
	for i, part := range [][]branch{first, second} {
		of := map[string][]seen{}
		for _, b := range part {
			of[b.sensor] = got[b.sensor]
		}
		compare(t, dirs[i], of, part)
	}
	require.Len(t, got, len(list))
	stored, err := srv.Records(stream)
	require.NoError(t, err)
	total := 0
	for _, l := range got {
		total += len(l)
	}
	require.Len(t, stored, total, "the loop over all shards finds all")
}

// split splits the first shard in the middle.
func split(t *testing.T, client *kinesis.Client) {
	t.Helper()
	_, err := client.SplitShard(context.Background(), &kinesis.SplitShardInput{
		StreamName: aws.String(stream), ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: aws.String("85070591730234615865843651857942052864"),
	})
	require.NoError(t, err)
}
