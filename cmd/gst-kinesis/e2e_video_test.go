//go:build cgo

package main

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
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
