package kit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The road clip: what the camera shows. A clip made in its place is equal in these.
const (
	ClipName   = "car-detection.mp4"
	ClipWidth  = 768
	ClipHeight = 432
	ClipFrames = 377
	ClipRate   = "25/2"
)

// Clip gives the road clip: from the folder that GST_KINESIS_MEDIA names, else from shared/media beside the module. Where neither has
// it, a clip with the same size, rate, length and profile is made once, with another picture.
func Clip(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("GST_KINESIS_MEDIA")
	if dir == "" {
		dir = filepath.Join(filepath.Dir(Root(tb)), "shared", "media")
	}
	clip := filepath.Join(dir, ClipName)
	if _, err := os.Stat(clip); err == nil {
		return clip
	}
	tb.Logf("%s is not there: a made clip takes its place", clip)
	dir = Cache(tb, "clip-1", func(dir string) error {
		c := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i",
			fmt.Sprintf("testsrc2=size=%dx%d:rate=%s", ClipWidth, ClipHeight, ClipRate), "-frames:v", fmt.Sprint(ClipFrames),
			"-c:v", "libx264", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", "60", "-b:v", "700k", filepath.Join(dir, ClipName))
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("making a clip: %w\n%s", err, out)
		}
		return nil
	})
	return filepath.Join(dir, ClipName)
}

// Camera starts gst-kinesis-camera on a free port and gives its URL.
func Camera(tb testing.TB, args ...string) string {
	tb.Helper()
	p := Start(tb, Environ(), filepath.Join(Build(tb), "gst-kinesis-camera"), append([]string{"--port", "0"}, args...)...)
	return p.Line("rtsp://")
}
