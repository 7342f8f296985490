package main

import (
	"bytes"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gstrtsp"
	"gst-kinesis/cgo/gstrtsp/rtsptest"
)

// look records a mount until its video has n units and each stream a sender report.
func look(t *testing.T, url string, opts rtsptest.Options, n int) *rtsptest.Recording {
	t.Helper()
	c, err := rtsptest.Dial(url, opts)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Play())
	r, err := c.Record(patient(t), func(r *rtsptest.Recording) bool {
		for _, s := range r.Streams {
			if len(s.Reports) == 0 {
				return false
			}
		}
		return len(r.Of("video").Units) > n
	})
	require.NoError(t, err)
	return r
}

// requireSeamless: every packet is there, and in the order of display each picture is one step after the one before.
func requireSeamless(t *testing.T, s *rtsptest.StreamRecording, step int64, reorder int) {
	t.Helper()
	require.Zero(t, s.Gaps, "RTP sequence numbers")
	require.Equal(t, 1, s.SSRCs)
	var times []int64
	begin := int64(-1)
	for i, u := range s.Whole() {
		times = append(times, u.Time)
		if i < reorder { // who joins while others look missed pictures that are shown between the first ones
			begin = max(begin, u.Time)
		}
	}
	slices.Sort(times)
	times = slices.DeleteFunc(times, func(at int64) bool { return at < begin })
	times = times[:len(times)-reorder] // pictures before the last ones may be on their way
	require.Greater(t, len(times), 3*clipFrames)
	for i := 1; i < len(times); i++ {
		require.InDelta(t, step, times[i]-times[i-1], 1, "picture %d of %d", i, len(times))
	}
}

// requirePace: no picture comes long before its time or in a heap with others.
func requirePace(t *testing.T, s *rtsptest.StreamRecording) {
	t.Helper()
	units := s.Whole()
	span := units[len(units)-1].Arrived.Sub(units[0].Arrived)
	media := time.Duration(units[len(units)-1].Time-units[0].Time) * time.Second / time.Duration(s.Clock)
	require.InDelta(t, media.Seconds(), span.Seconds(), 1, "%d units", len(units))
}

func TestSeam(t *testing.T) {
	t.Parallel()
	h264 := clipOnDisk(t, "b.mp4", withTone(h264Clip(), "-c:a", "aac")...)
	var mounts []string
	for path, clip := range map[string]string{
		"/h264":  h264,
		"/h265":  clipOnDisk(t, "b.mkv", h265Clip()...),
		"/mjpeg": clipOnDisk(t, "b.mov", mjpegClip()...),
		"/es":    clipOnDisk(t, "b.h264", h264Clip()...),
		"/es5":   clipOnDisk(t, "b.h265", h265Clip()...),
		"/vp8":   clipOnDisk(t, "b.webm", withTone([]string{"-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M"}, "-c:a", "libopus")...),
	} {
		mounts = append(mounts, "--mount", path+"="+clip)
	}
	cam := startCamera(t, append(mounts, "--audio")...)
	silent := startCamera(t, mounts...)
	for path, url := range cam.urls {
		for _, udp := range []bool{false, true} {
			name := path[1:] + map[bool]string{false: " tcp", true: " udp"}[udp]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := look(t, url, rtsptest.Options{UDP: udp}, 4*clipFrames)
				requireSeamless(t, r.Of("video"), 3600, 8)
				requirePace(t, r.Of("video"))
				requireSeamless(t, r.Of("audio"), aacSamples, 0)
				if path == "/h264" {
					requireInSync(t, r, h264)
				}
			})
		}
		t.Run(path[1:]+" decoded", func(t *testing.T) {
			t.Parallel()
			requireNumbersInTurn(t, silent.urls[path])
		})
	}
}

// requireNumbersInTurn: what a decoder gives is each picture of the clip once, in order, over the seams.
func requireNumbersInTurn(t *testing.T, url string) {
	t.Helper()
	stamps := watch(t, url, "tcp", 2*clipFrames+20)
	seams := 0
	for i := 1; i < len(stamps); i++ {
		require.Equal(t, (stamps[i-1].Frame+1)%clipFrames, stamps[i].Frame, "picture %d", i)
		if stamps[i].Frame == 0 {
			seams++
		}
	}
	require.GreaterOrEqual(t, seams, 2)
}

// requireInSync: by the wall clock of the sender reports, each frame of audio is heard while the picture of its time is
// seen, to half a frame of audio and what the reports round.
func requireInSync(t *testing.T, r *rtsptest.Recording, path string) {
	t.Helper()
	l := newLoader(&settings{audio: true, maxClip: 1 << 30}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	m, err := l.load(patient(t), path)
	require.NoError(t, err)
	defer l.unref()
	video, audio := r.Of("video"), r.Of("audio")

	begin := func(u rtsptest.Unit, s *rtsptest.StreamRecording, offset time.Duration) time.Time {
		at, ok := s.Wall(u.Time)
		require.True(t, ok)
		return at.Add(-offset)
	}
	var film time.Time // when some repetition began
	for _, u := range video.Whole() {
		if bytes.Contains(u.H264(), nal(t, m.film.frames[0].buffer)) {
			film = begin(u, video, m.film.frames[0].pts)
		}
	}
	require.False(t, film.IsZero(), "the first picture of the clip came by")
	heard := 0
	for _, u := range audio.Whole() {
		for i, b := range m.sound.frames {
			if !same(t, b, u.AAC()) {
				continue
			}
			off := begin(u, audio, m.sound.start+m.sound.time(int64(i))).Sub(film) % m.sound.period
			off = min((off+m.sound.period).Abs()%m.sound.period, (m.sound.period-off).Abs()%m.sound.period)
			require.LessOrEqual(t, off, m.sound.length()/2+5*time.Millisecond, "audio frame %d", i)
			heard++
			break
		}
	}
	require.Greater(t, heard, len(audio.Whole())/2)
}

// nal is the last NAL unit of an access unit with four-byte lengths: the picture itself.
func nal(t *testing.T, b *gstrtsp.Buffer) []byte {
	t.Helper()
	var last []byte
	require.NoError(t, b.Read(func(p []byte) {
		for len(p) > 4 {
			n := int(p[0])<<24 | int(p[1])<<16 | int(p[2])<<8 | int(p[3])
			last = bytes.Clone(p[4 : 4+n])
			p = p[4+n:]
		}
	}))
	return last
}

func same(t *testing.T, b *gstrtsp.Buffer, data []byte) bool {
	t.Helper()
	equal := false
	require.NoError(t, b.Read(func(p []byte) { equal = bytes.Equal(p, data) }))
	return equal
}
