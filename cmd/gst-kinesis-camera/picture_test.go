package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gstrtsp/rtsptest"
)

// pictureSize is the test picture's in these tests: that of the clips, so that one decoder fits both.
func pictureSize() []string { return []string{"--size", fmt.Sprintf("%dx%d", clipWidth, clipHeight)} }

// Every codec by every transport: each frame arrives, with its number and the time when it was taken.
func TestPicture(t *testing.T) {
	t.Parallel()
	for _, codec := range []string{"h264", "h265", "mjpeg"} {
		cam := startCamera(t, append(pictureSize(), "--codec", codec)...)
		for _, protocol := range []string{"tcp", "udp"} {
			t.Run(codec+" "+protocol, func(t *testing.T) {
				t.Parallel()
				before := time.Now()
				stamps := watch(t, cam.urls["/cam"], protocol, 50)
				require.Greater(t, stamps[0].Time, before.Add(-time.Second), "a live picture")
				require.Less(t, stamps[49].Time, time.Now().Add(time.Millisecond))
				for i := 1; i < len(stamps); i++ {
					require.Equal(t, stamps[i-1].Frame+1, stamps[i].Frame)
					require.InDelta(t, 40, stamps[i].Time.Sub(stamps[i-1].Time).Milliseconds(), 2)
				}
			})
		}
	}
}

// What a sender report says of a picture's time is what the camera wrote into the picture.
func TestSenderReportsTellTheTimeOfCapture(t *testing.T) {
	t.Parallel()
	cam := startCamera(t, append(pictureSize(), "--audio")...)
	r := look(t, cam.urls["/cam"], rtsptest.Options{}, 30)
	video := r.Of("video")

	var stream bytes.Buffer
	units := video.Whole()
	for _, u := range units {
		stream.Write(u.H264())
	}
	path := filepath.Join(t.TempDir(), "seen.h264")
	require.NoError(t, os.WriteFile(path, stream.Bytes(), 0o600))
	stamps := decode(t, len(units), "-q", "filesrc", "location="+path, "!", "h264parse", "!", "avdec_h264",
		"!", "videoconvert", "!", "video/x-raw,format=I420", "!", "fdsink", "fd=1")
	for i, s := range stamps {
		at, ok := video.Wall(units[i].Time)
		require.True(t, ok)
		require.InDelta(t, 0, at.Sub(s.Time).Seconds(), 0.005, "picture %d", i)
	}
}

// Over a time in which nobody looked, RTP time, the wall clock and both streams stay together.
func TestTimeGoesOnWhileNobodyLooks(t *testing.T) {
	t.Parallel()
	cam := startCamera(t, append(pictureSize(), "--audio", "--mount", "/cam",
		"--mount", "/clip="+clipOnDisk(t, "a.mp4", withTone(h264Clip(), "-c:a", "aac")...))...)
	for path, url := range cam.urls {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			before := look(t, url, rtsptest.Options{}, 5)
			nobody, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			<-nobody.Done()
			after := look(t, url, rtsptest.Options{}, 5)
			for i, s := range after.Streams {
				earlier := before.Streams[i]
				passed := s.Units[0].Arrived.Sub(earlier.Units[0].Arrived)
				counted := time.Duration(s.First-earlier.First) * time.Second / time.Duration(s.Clock)
				require.InDelta(t, passed.Seconds(), counted.Seconds(), 1, s.Media)
				at, ok := s.Wall(0)
				require.True(t, ok)
				require.WithinDuration(t, s.Units[0].Arrived, at, time.Second)
				for _, report := range s.Reports {
					require.WithinDuration(t, at, s.WallBy(report, 0), 5*time.Millisecond)
				}
			}
		})
	}
}

// All clients see the same picture at the same time, and who comes later sees one soon. When all are gone the camera's
// time goes on.
func TestClientsShareOnePicture(t *testing.T) {
	t.Parallel()
	cam := startCamera(t, append(pictureSize(), "--key-int", "1000")...)
	url := cam.urls["/cam"]
	first, err := rtsptest.Dial(url, rtsptest.Options{})
	require.NoError(t, err)
	require.NoError(t, first.Play())
	_, err = first.Record(patient(t), func(r *rtsptest.Recording) bool { return len(r.Streams[0].Units) > 20 })
	require.NoError(t, err)

	// Only the first picture would be a key frame now; a second client gets one of its own.
	stamps := watch(t, url, "udp", 10)
	require.Greater(t, stamps[0].Frame, uint32(10))
	require.NoError(t, first.Close())

	again := watch(t, url, "tcp", 1)
	passed := again[0].Time.Sub(stamps[0].Time)
	require.InDelta(t, passed.Seconds()*25, float64(again[0].Frame-stamps[0].Frame), 1, "the camera did not stand still")
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	cam := startCamera(t, pictureSize()...)
	c, err := rtsptest.Dial(cam.urls["/cam"], rtsptest.Options{})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Play())
	read := func(n int) []rtsptest.Unit {
		r, err := c.Record(patient(t), func(r *rtsptest.Recording) bool { return len(r.Streams[0].Units) > n })
		require.NoError(t, err)
		return r.Streams[0].Whole()
	}
	read(10)
	require.NoError(t, c.Pause())
	require.NoError(t, c.Resume())
	units := read(40)
	for i := len(units) - 10; i < len(units); i++ { // what came before the pause is long gone
		require.InDelta(t, 3600, units[i].Time-units[i-1].Time, 1)
	}
}

// Several mounts, several sizes; what one shows does not touch the other.
func TestMounts(t *testing.T) {
	t.Parallel()
	clip := clipOnDisk(t, "a.mp4", h264Clip()...)
	cam := startCamera(t, append(pictureSize(), "--mount", "/clip="+clip, "--mount", "/again="+clip, "--mount", "/front/door")...)
	require.Len(t, cam.urls, 3)
	for path := range cam.urls {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			stamps := watch(t, cam.urls[path], "tcp", 20)
			if path == "/front/door" {
				require.WithinDuration(t, time.Now(), stamps[19].Time, 10*time.Second)
				return
			}
			for _, s := range stamps {
				require.Equal(t, int64(s.Frame)*40, s.Time.UnixMilli(), "as the clip was painted")
			}
		})
	}
}

// Size, rate and codec of a clip are what was asked for; its pictures are still those of the clip.
func TestClipEncodedAnew(t *testing.T) {
	t.Parallel()
	clip := clipOnDisk(t, "a.mp4", h264Clip()...)
	for name, c := range map[string]struct {
		args  []string
		codec string
		step  int64
	}{
		"key frames": {[]string{"--key-int", "5"}, "H264", 3600},
		"h265":       {[]string{"--codec", "h265"}, "H265", 3600},
		"mjpeg":      {[]string{"--codec", "mjpeg"}, "JPEG", 3600},
		"rate":       {[]string{"--rate", "50"}, "H264", 1800},
		"bit rate":   {[]string{"--bitrate", "300", "--size", "160x120"}, "H264", 3600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cam := startCamera(t, append(c.args, "--file", clip)...)
			require.Contains(t, cam.stderr.String(), "encoding the clip")
			r := look(t, cam.urls["/cam"], rtsptest.Options{}, 3*clipFrames+10)
			require.Equal(t, c.codec, r.Streams[0].Codec)
			requireSeamless(t, r.Of("video"), c.step, 0)
			if name == "key frames" {
				keys := 0
				for _, u := range r.Of("video").Whole()[:2*clipFrames] {
					if bytes.Contains(u.H264(), []byte{0, 0, 0, 1, 0x65}) {
						keys++
					}
				}
				require.Equal(t, 2*clipFrames/5, keys)
			}
		})
	}
}

// An elementary stream tells no rate, or a wrong one: --rate gives it, without touching the pictures.
func TestRateOfAnElementaryStream(t *testing.T) {
	t.Parallel()
	clip := clipOnDisk(t, "a.h264", h264Clip()...)
	cam := startCamera(t, "--file", clip, "--rate", "50")
	require.NotContains(t, cam.stderr.String(), "encoding the clip")
	r := look(t, cam.urls["/cam"], rtsptest.Options{}, 3*clipFrames+10)
	requireSeamless(t, r.Of("video"), 1800, 4)
}

// Only some of the streams may be asked for, and others later.
func TestAudioAlone(t *testing.T) {
	t.Parallel()
	cam := startCamera(t, append(pictureSize(), "--audio")...)
	for _, kind := range []string{"audio", "video"} {
		c, err := rtsptest.Dial(cam.urls["/cam"], rtsptest.Options{})
		require.NoError(t, err)
		require.NoError(t, c.Play(kind))
		r, err := c.Record(patient(t), func(r *rtsptest.Recording) bool { return len(r.Of(kind).Units) > 20 })
		require.NoError(t, err)
		units := r.Of(kind).Whole()
		span := time.Duration(units[19].Time) * time.Second / time.Duration(r.Of(kind).Clock)
		require.Less(t, span, 2*time.Second, "nothing old is sent first")
		require.NoError(t, c.Close())
	}
}

// Real footage where there is some: audio and video, a clip of a road and one with B-frames.
func TestFootage(t *testing.T) {
	t.Parallel()
	folder := mediaFolder(t)
	clips, err := filepath.Glob(filepath.Join(folder, "*.mp4"))
	require.NoError(t, err)
	if len(clips) == 0 {
		clips = []string{clipOnDisk(t, "own.mp4", withTone(h264Clip(), "-c:a", "aac")...)}
	}
	for _, clip := range clips {
		t.Run(filepath.Base(clip), func(t *testing.T) {
			t.Parallel()
			cam := startCamera(t, "--audio", "--file", clip)
			require.NotContains(t, cam.stderr.String(), "encoding the clip")
			r := look(t, cam.urls["/cam"], rtsptest.Options{UDP: true}, 25)
			require.Zero(t, r.Of("video").Gaps)
			requirePace(t, r.Of("video"))
			require.Zero(t, r.Of("audio").Gaps)
		})
	}
}
