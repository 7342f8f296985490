//go:build cgo

package main

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/tests/kit"
)

// The video of a camera is stored as it comes, and the pictures beside it lie within the same time.
func TestCameraToVideoStreams(t *testing.T) {
	t.Parallel()
	for _, preset := range []string{"rtsp-video", "rtsp-both"} {
		t.Run(preset, func(t *testing.T) {
			t.Parallel()
			c := newCamera(t, "--audio").begin(t)
			srv, flags := endpoint(t, local.Settings{Create: streams("cams"), VideoCreate: []local.VideoStreamSpec{{Name: "footage", Retention: time.Hour}}})
			args := []string{"run", preset, "--set", "location=" + c.url, "--set", "latency=50ms", "--status-interval", "1s"}
			if preset == "rtsp-both" {
				args = append(args, "--set", "stream-name=cams", "--set", "video-stream-name=footage", "--set", "max-rate=5")
			} else {
				args = append(args, "--set", "stream-name=footage")
			}
			p := startCLI(t, append(args, sets(flags)...)...)
			fragments := func() []local.VideoFragment {
				list, err := srv.Fragments("footage")
				require.NoError(t, err)
				return list
			}
			require.Eventually(t, func() bool { return len(fragments()) >= 4 }, 40*time.Second, 20*time.Millisecond)
			p.interrupt(t)
			require.Zero(t, p.status(t, 30*time.Second), p.log.String())
			require.Regexp(t, `kinesisvideosink0 to footage: accepted \d+ .*, delivered \d+, dropped 0, in flight 0`, p.log.String())
			list := fragments()
			for i, f := range list {
				require.True(t, f.Frames[0].Key, "fragment %d begins with a key frame", i)
				require.Equal(t, "V_MPEG4/ISO/AVC", f.Tracks[0].CodecID)
				require.Equal(t, 160, f.Tracks[0].Width)
			}
			require.WithinDuration(t, time.Now(), list[0].ProducerTimestamp, 60*time.Second)
			if preset == "rtsp-both" {
				recs := frames(t, srv, "cams")
				require.NotEmpty(t, recs)
				for _, r := range recs {
					require.Less(t, nearest(list, r.Meta.CaptureTime), 0.02, "the picture is one of the video's, 100 ms apart")
				}
			}
		})
	}
}

// videoLine is a live picture into a video stream.
func videoLine(srv *local.Server, more ...string) []string {
	line := []string{"videotestsrc", "is-live=true", "!", "video/x-raw,width=160,height=96,framerate=25/1", "!", "x264enc", "tune=zerolatency",
		"speed-preset=ultrafast", "key-int-max=25", "!", "h264parse", "!", "kinesisvideosink", "name=k", "stream-name=s",
		"aws-region=us-east-1", "access-key=a", "secret-key=s", "endpoint-uri=" + srv.URL()}
	return append(line, more...)
}

// The metrics that run was asked for are the video sinks', too.
func TestRunShowsMetricsOfVideo(t *testing.T) {
	t.Parallel()
	srv, _ := endpoint(t, local.Settings{})
	emf := filepath.Join(t.TempDir(), "emf.log")
	p := startCLI(t, runLine([]string{"--metrics", "127.0.0.1:0", "--metrics-emf", emf, "--metrics-interval", "100ms"}, videoLine(srv))...)
	url := p.metricsURL(t)
	require.Eventually(t, func() bool { return scraped(t, url, "video_frames_persisted_total", "k") >= 25 }, 40*time.Second, 20*time.Millisecond)
	p.interrupt(t)
	require.Zero(t, p.status(t, 30*time.Second), p.log)
	b := p.books(t)
	require.Zero(t, b.dropped+b.inFlight)
	require.EqualValues(t, b.delivered, summed(t, emf, "FramesPersisted"))
}

// The end waits for what is left as long as stop-stream-timeout says, and what is lost then stands in the books as lost.
func TestVideoDrainsAsLongAsItMay(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]int{"back": 30, "gone": 9} { // tries may be 5 s apart
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, _ := endpoint(t, local.Settings{Addr: kit.Address(t)})
			p := startCLI(t, runLine([]string{"--status-interval", "500ms"}, videoLine(srv, fmt.Sprint("stop-stream-timeout=", limit)))...)
			p.log.waitFor(t, "delivered=50 ")
			srv.Stop()
			p.log.waitFor(t, "level=WARN")
			p.interrupt(t)
			began := time.Now()
			if name == "back" {
				time.Sleep(8 * time.Second)
				require.NoError(t, srv.Start())
				require.Zero(t, p.status(t, 30*time.Second), p.log)
				b := p.books(t)
				require.Zero(t, b.dropped+b.inFlight, b.line)
				return
			}
			require.Equal(t, statusIncomplete, p.status(t, 30*time.Second), p.log)
			require.InDelta(t, limit, time.Since(began).Seconds(), 3)
			b := p.books(t)
			require.Positive(t, b.dropped, b.line)
			require.Zero(t, b.inFlight, b.line)
		})
	}
}

// nearest is how many seconds the frame of a video lies off that is the nearest to a time.
func nearest(list []local.VideoFragment, seconds float64) float64 {
	least := math.Inf(1)
	for _, f := range list {
		for _, frame := range f.Frames {
			at := f.ProducerTimestamp.Add(time.Duration(frame.Timestamp-f.Timecode) * time.Millisecond)
			least = min(least, math.Abs(float64(at.UnixMicro())/1e6-seconds))
		}
	}
	return least
}
