package video

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

// The film: 10 s of H.264 at 4 Mbit/s, filled up where the picture needs less, a key frame a second; no two of its access units are equal.
const (
	filmSeconds = 10
	filmRate    = 25
	filmFrames  = filmSeconds * filmRate
	filmStep    = 1000 / filmRate // ms
	filmBits    = 4_000_000
	toAVC       = "h264parse ! video/x-h264,stream-format=avc,alignment=au"
)

// film is what senders show over and over.
type film struct {
	pattern string // of the files: a group of pictures each
	units   map[[sha256.Size]byte]int
}

// newFilm makes the film. What its access units are, between h264parse and a sink, GStreamer alone says.
func newFilm(t *testing.T) *film {
	t.Helper()
	dir := t.TempDir()
	f := &film{pattern: filepath.Join(dir, "film%02d.h264"), units: map[[sha256.Size]byte]int{}}
	kit.Run(t, kit.Environ(), "ffmpeg", "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=640x360:rate=%d", filmRate),
		"-frames:v", fmt.Sprint(filmFrames), "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "0", "-b:v", fmt.Sprint(filmBits),
		"-minrate", fmt.Sprint(filmBits), "-maxrate", fmt.Sprint(filmBits), "-bufsize", fmt.Sprint(filmBits),
		"-x264-params", fmt.Sprintf("nal-hrd=cbr:scenecut=0:repeat-headers=1:keyint=%d", filmRate), "-bsf:v", "filter_units=remove_types=6", "-f", "segment", "-segment_time", "1", "-segment_format", "h264", f.pattern)
	units := filepath.Join(dir, "unit%05d")
	kit.Run(t, kit.GStreamer(t), "gst-launch-1.0", words("-q multifilesrc location="+f.pattern+" ! "+toAVC+" ! multifilesink location="+units)...)
	bytes := 0
	for i := range filmFrames {
		data, err := os.ReadFile(fmt.Sprintf(units, i))
		require.NoError(t, err)
		bytes += len(data)
		f.units[sha256.Sum256(data)] = i
	}
	require.Len(t, f.units, filmFrames, "each tells which one it is")
	require.InDelta(t, filmBits, bytes*8/filmSeconds, filmBits/20, "bits a second")
	return f
}

// live is the elements that show the film again and again, as fast as it is shown.
func (f *film) live() string {
	return fmt.Sprintf("multifilesrc loop=true start-index=0 stop-index=%d location=%s ! %s ! identity sync=true ! ", filmSeconds-1, f.pattern, toAVC)
}
