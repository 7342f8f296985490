// Package launch runs the main job as a user types it: gst-kinesis-camera, gst-launch-1.0 with libgstkinesis.so on the plugin path, and a
// stream; and says of each frame which one it is.
package launch

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cmd/gst-kinesis-camera/picture"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/tests/kit"
)

func TestMain(m *testing.M) {
	kit.Isolate()
	flag.Parse()
	_ = flag.Set("test.parallel", "3") // film takes its time whatever the processors do
	os.Exit(m.Run())
}

// enough is how many records a run waits for: with two keys and every fourth frame some 10 s of film.
const enough = 32

// received is one record, decoded.
type received struct {
	*kit.Message
	local.Record
	picture image.Image
}

// run lets the launch line work until enough records are stored, then ends it as Ctrl-C does, and gives the records in the order of
// their frames. The leaks tracer must find nothing, and the log must tell each record's sequence number.
func run(t *testing.T, url, protocol, sensor string) []received {
	t.Helper()
	stored := make(chan int, 1000)
	srv := localtest.Start(t, local.Settings{
		Create:      []local.StreamSpec{{Name: "frames", Shards: 2}},
		Credentials: []local.Credentials{localtest.AnyCredentials()},
		Observe: func(r local.Request) {
			if r.Operation == "PutRecords" {
				stored <- r.Records - r.Failed
			}
		},
	})
	env, check := kit.Leaks(t, "kinesissink:4")
	line := fmt.Sprintf("rtspsrc location=%s protocols=%s ! rtph264depay ! h264parse ! avdec_h264 ! subsample gap=3 ! videoconvert ! jpegenc ! "+
		"msgpackenc sensor-name=%s ! kinesissink stream-name=frames shards=2 region=us-east-1 endpoint-uri=%s access-key=test secret-access-key=test",
		url, protocol, sensor, srv.URL())
	p := kit.Start(t, kit.GStreamer(t, env...), "gst-launch-1.0", append([]string{"-e"}, strings.Fields(line)...)...)
	over := time.After(kit.Limit)
	for n := 0; n < enough; {
		select {
		case k := <-stored:
			n += k
		case <-p.Done():
			t.Fatal("gst-launch-1.0 has ended")
		case <-over:
			t.Fatalf("%d records within %v", n, kit.Limit)
		}
	}
	p.Signal(os.Interrupt)
	require.Zero(t, p.Wait())
	check()
	records, err := srv.Records("frames")
	require.NoError(t, err)
	told(t, env, records)
	return unpack(t, records, sensor)
}

// told checks that the debug log tells of each record where it went.
func told(t *testing.T, env []string, records []local.Record) {
	t.Helper()
	i := slices.IndexFunc(env, func(e string) bool { return strings.HasPrefix(e, "GST_DEBUG_FILE=") })
	log, err := os.ReadFile(strings.TrimPrefix(env[i], "GST_DEBUG_FILE="))
	require.NoError(t, err)
	for _, r := range records {
		line := fmt.Sprintf("SequenceNumber=%s ShardId=%s PartitionKey=%s Bytes=%d", r.SequenceNumber, r.ShardID, r.PartitionKey, len(r.Data))
		require.Equal(t, 1, bytes.Count(log, []byte(line)), line)
	}
}

func unpack(t *testing.T, records []local.Record, sensor string) []received {
	t.Helper()
	list := make([]received, len(records))
	for i, r := range records {
		m := kit.Unpack(t, r.Data)
		img, err := jpeg.Decode(bytes.NewReader(m.Image))
		require.NoError(t, err, "each JPEG decodes")
		require.Equal(t, []int{img.Bounds().Dy(), img.Bounds().Dx(), 3}, m.Size)
		require.Equal(t, sensor, m.SensorName)
		require.Equal(t, "msight_core.data.image.ImageData", m.DataType)
		require.True(t, m.Encoded)
		list[i] = received{m, r, img}
	}
	slices.SortFunc(list, func(a, b received) int { return int(a.FrameID - b.FrameID) })
	return list
}

// keys checks S1's rotation: name1, name0, name1, …, from the first frame on. The keys lie on different shards here.
func keys(t *testing.T, list []received, sensor string) {
	t.Helper()
	shards := map[string]string{}
	for i, r := range list {
		require.Equal(t, fmt.Sprintf("%s%d", sensor, (i+1)%2), r.PartitionKey, "record %d", i)
		shards[r.PartitionKey] = r.ShardID
	}
	require.Len(t, shards, 2)
	require.NotEqual(t, shards[sensor+"0"], shards[sensor+"1"], "both shards are used")
}

// times checks that capture timestamps rise by four frame times. rtspsrc's jitter buffer moves its timestamps with what it learns of the
// camera's clock from the arrival of packets, on a busy machine by tens of milliseconds; a frame time is allowed. That the frames are the right ones
// their pictures have shown already.
func times(t *testing.T, list []received, frame time.Duration) {
	t.Helper()
	for i := 1; i < len(list); i++ {
		step := (list[i].CaptureTimestamp - list[i-1].CaptureTimestamp) * float64(time.Second)
		require.InDelta(t, 4*frame, step, float64(frame), "step %d", i)
		require.GreaterOrEqual(t, list[i].CreationTimestamp, list[i].CaptureTimestamp)
	}
	whole := (list[len(list)-1].CaptureTimestamp - list[0].CaptureTimestamp) * float64(time.Second)
	require.InDelta(t, float64(len(list)-1)*4*float64(frame), whole, float64(frame), "no drift")
}

// TestRoadClip: every fourth frame of the clip arrives, none other, in order.
func TestRoadClip(t *testing.T) {
	clip := kit.Clip(t)
	ref := newReference(t, clip)
	for protocol, sensor := range map[string]string{"tcp": "road-tcp", "udp": "road-udp"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			list := run(t, kit.Camera(t, "--file", clip), protocol, sensor)
			require.GreaterOrEqual(t, len(list), enough)
			last, margin := 0, 1e9
			for i, r := range list {
				p, err := printOf(r.picture)
				require.NoError(t, err)
				frame, best, second := ref.find(p)
				require.Less(t, best*1.5, second, "record %d is frame %d beyond doubt", i, frame)
				margin = min(margin, second/best)
				if i > 0 {
					require.Equal(t, (last+4)%len(ref), frame, "record %d", i)
				}
				last = frame
			}
			t.Logf("%d records, the last of frame %d; any other frame is at least %.2f times as far", len(list), last, margin)
			keys(t, list, sensor)
			times(t, list, 80*time.Millisecond)
		})
	}
	t.Run("numbered", testNumbered)
}

// testNumbered: the camera's own picture bears its number and its time, so the frames say themselves which they are.
func testNumbered(t *testing.T) {
	t.Parallel()
	list := run(t, kit.Camera(t, "--size", "320x240", "--rate", "25"), "tcp", "numbered-")
	var last picture.Stamp
	for i, r := range list {
		s, err := picture.Read(r.picture)
		require.NoError(t, err)
		if i > 0 {
			require.Equal(t, last.Frame+4, s.Frame, "record %d", i)
		}
		last = s
		// Camera and pipeline share a clock here. A capture timestamp by the pipeline's clock is that of the arrival, a little later.
		require.InDelta(t, float64(s.Time.UnixMilli())/1000, r.CaptureTimestamp, 1)
	}
	keys(t, list, "numbered-")
	times(t, list, 40*time.Millisecond)
}
