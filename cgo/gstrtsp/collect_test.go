package gstrtsp

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const encodeLine = "videotestsrc num-buffers=30 ! video/x-raw,width=64,height=64,framerate=25/1 ! x264enc bframes=2 b-adapt=false key-int-max=10 ! h264parse"

func collect(t *testing.T, line string) *Reel {
	t.Helper()
	reel, err := Collect(patient(t), line, "", 1<<30)
	require.NoError(t, err)
	t.Cleanup(reel.Unref)
	return reel
}

func TestCollect(t *testing.T) {
	t.Parallel()
	reel := collect(t, encodeLine+" ! video/x-h264,stream-format=avc,alignment=au ! appsink name=video "+
		"audiotestsrc num-buffers=5 ! appsink name=audio")
	require.Len(t, reel.Video.Units, 30)
	require.Len(t, reel.Audio.Units, 5)
	require.Contains(t, reel.Video.Caps, "codec_data")
	require.False(t, reel.Video.CapsChanged)
	var times []time.Duration
	keys := 0
	for _, u := range reel.Video.Units {
		times = append(times, u.PTS)
		require.Equal(t, 40*time.Millisecond, u.Duration)
		require.NoError(t, u.Buffer.Read(func(p []byte) { require.Len(t, p, u.Size) }))
		if u.Key {
			keys++
		}
	}
	require.Equal(t, 3, keys)
	require.False(t, slices.IsSorted(times), "B-frames")
	slices.Sort(times)
	for i, at := range times {
		require.Equal(t, times[0]+time.Duration(i)*40*time.Millisecond, at)
	}
}

func TestCollectFails(t *testing.T) {
	t.Parallel()
	ctx := patient(t)
	_, err := Collect(ctx, "videotestsrc num-buffers=100 ! appsink name=video", "", 100<<10)
	require.ErrorIs(t, err, ErrTooBig)
	_, err = Collect(ctx, "filesrc name=file ! appsink name=video", filepath.Join(t.TempDir(), "none"), 1)
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "gst-resource-error-quark", e.Domain)
	_, err = Collect(ctx, "nosuchelement ! appsink name=video", "", 1)
	require.ErrorContains(t, err, "nosuchelement")

	cancelled, cancel := context.WithCancel(ctx)
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = Collect(cancelled, "videotestsrc is-live=true ! appsink name=video", "", 1<<40)
	require.ErrorIs(t, err, context.Canceled)
}

// The encoder's own times say how the pictures are shown; without them a decoder must find the same order.
func TestDisplayOrder(t *testing.T) {
	t.Parallel()
	for line, decoder := range map[string]string{
		encodeLine + " ! video/x-h264,stream-format=avc,alignment=au": "avdec_h264",
		"videotestsrc num-buffers=30 ! video/x-raw,width=64,height=64,framerate=25/1 ! x265enc option-string=bframes=3 ! h265parse ! video/x-h265,stream-format=hvc1,alignment=au": "avdec_h265",
	} {
		reel := collect(t, line+" ! appsink name=video")
		units := reel.Video.Units
		want := make([]int, len(units))
		for i := range want {
			want[i] = i
		}
		slices.SortFunc(want, func(a, b int) int { return int(units[a].PTS - units[b].PTS) })
		require.False(t, slices.IsSorted(want), "B-frames")
		got, err := DisplayOrder("appsrc name=source ! "+decoder+" ! appsink name=sink sync=false", reel.Video.Caps, units)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	got, err := DisplayOrder("appsrc name=source ! appsink name=sink", "video/x-h264", nil)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestInspect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a b%.mkv")
	_, err := Collect(patient(t), encodeLine+" ! matroskamux name=m ! filesink location=\""+path+"\" audiotestsrc num-buffers=50 ! avenc_aac ! m.", "", 1)
	require.NoError(t, err)
	info, err := Inspect(path, patience)
	require.NoError(t, err)
	require.Contains(t, info.Container, "matroska")
	require.Contains(t, info.Video, "video/x-h264")
	require.Contains(t, info.Audio, "audio/mpeg")
	require.InDelta(t, 1.2, info.Duration.Seconds(), 0.1)
	require.Empty(t, info.Missing)

	text := filepath.Join(dir, "a.txt")
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("nothing to see\n", 100)), 0o600))
	_, err = Inspect(text, patience)
	require.ErrorContains(t, err, "a.txt")
	_, err = Inspect(filepath.Join(dir, "none"), patience)
	require.Error(t, err)
}

func TestMissingWhat(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Foo decoder", missingWhat("gstreamer|1.0|app|Foo decoder|decoder-video/x-foo"))
	require.Equal(t, "odd", missingWhat("odd"))
	require.Empty(t, missingWhat(""))
	require.Equal(t, "m (no plug-in for: x)", (&Error{Message: "m", Missing: "x"}).Error())
}

func TestBuffer(t *testing.T) {
	t.Parallel()
	require.NoError(t, Init())
	b := BufferFrom([]byte("hello"))
	defer b.Unref()
	require.NoError(t, b.Fill(func(p []byte) { p[0] = 'j' }))
	require.NoError(t, b.Read(func(p []byte) { require.Equal(t, "jello", string(p)) }))
	empty := BufferFrom(nil)
	defer empty.Unref()
	require.NoError(t, empty.Read(func(p []byte) { require.Empty(t, p) }))
}

func TestNow(t *testing.T) {
	t.Parallel()
	require.NoError(t, Init())
	a := Now()
	require.Less(t, a, Now()+1)
}
