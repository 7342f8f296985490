package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cmd/gst-kinesis-camera/picture"
)

// patience bounds every wait on something that must come; a busy machine may take long.
const patience = 60 * time.Second

func patient(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// --- the camera in this process -------------------------------------------------------------------------

// syncBuffer is a buffer that one goroutine may read while another writes.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// A camera is one that runs in this process until the test ends.
type camera struct {
	urls   map[string]string // by mount
	stderr *syncBuffer
	stop   func() int
}

// startCamera runs the command on a free port and waits until it serves. It must end with status 0.
func startCamera(t *testing.T, args ...string) *camera {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, stdout := io.Pipe()
	c := &camera{stderr: &syncBuffer{}}
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, append([]string{"gst-kinesis-camera", "--port", "0", "-v"}, args...), stdout, c.stderr)
		stdout.Close()
		ended <- code
	}()
	c.stop = sync.OnceValue(func() int { cancel(); return <-ended })
	t.Cleanup(func() {
		if code := c.stop(); code != exitOK {
			t.Errorf("the camera ended with %d", code)
		}
		for _, bad := range []string{"defect", "not clean", "nothing more"} {
			if strings.Contains(c.stderr.String(), bad) {
				t.Errorf("the camera should not say %q", bad)
			}
		}
		if t.Failed() {
			t.Logf("the camera says:\n%s", c.stderr)
		}
	})
	c.urls = readURLs(t, out, mountsIn(args))
	require.NotEmpty(t, c.urls, "the camera does not serve: %s", c.stderr)
	return c
}

// mountsIn counts the mounts that these arguments make.
func mountsIn(args []string) int {
	n := 0
	for _, a := range args {
		if a == "--mount" {
			n++
		}
	}
	return max(n, 1)
}

func readURLs(t *testing.T, r io.Reader, n int) map[string]string {
	t.Helper()
	urls := map[string]string{}
	lines := bufio.NewScanner(r)
	for len(urls) < n && lines.Scan() {
		url := lines.Text()
		require.Regexp(t, `^rtsp://127\.0\.0\.1:[0-9]+/`, url)
		_, rest, _ := strings.Cut(strings.TrimPrefix(url, "rtsp://"), "/")
		urls["/"+rest] = url
	}
	return urls
}

// --- clips whose pictures are numbered ------------------------------------------------------------------

const (
	clipWidth, clipHeight = 320, 240
	clipFrames            = 30
)

// clipOnDisk encodes clipFrames numbered pictures by ffmpeg with these arguments, at 25 a second.
func clipOnDisk(t *testing.T, name string, args ...string) string {
	t.Helper()
	p, err := picture.NewPainter(clipWidth, clipHeight)
	require.NoError(t, err)
	raw := make([]byte, 0, clipFrames*p.Size())
	for i := range clipFrames {
		buf := make([]byte, p.Size())
		p.Paint(buf, picture.Stamp{Frame: uint32(i), Time: time.UnixMilli(int64(i) * 40)})
		raw = append(raw, buf...)
	}
	path := filepath.Join(t.TempDir(), name)
	in := []string{"-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", clipWidth, clipHeight),
		"-r", "25", "-i", "-"}
	cmd := exec.CommandContext(patient(t), "ffmpeg", append(append(in, args...), "-y", path)...)
	cmd.Stdin = bytes.NewReader(raw)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// Encodings for clipOnDisk.
func h264Clip() []string {
	return []string{"-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "15", "-pix_fmt", "yuv420p"}
}

func h265Clip() []string {
	return []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=15:bframes=2", "-pix_fmt", "yuv420p"}
}

func mjpegClip() []string {
	return []string{"-c:v", "mjpeg", "-q:v", "3", "-huffman", "default", "-pix_fmt", "yuvj420p"}
}

// withTone adds a tone of the clip's length.
func withTone(video []string, codec ...string) []string {
	args := []string{"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=1.2"}
	return append(append(args, video...), codec...)
}

// --- judges ---------------------------------------------------------------------------------------------

// watch decodes n pictures of a camera by gst-launch-1.0 and says which they are. The mount must have no audio: of two
// pads of rtspsrc that come at one moment gst-launch-1.0 at times links none.
func watch(t *testing.T, url, protocol string, n int, more ...string) []picture.Stamp {
	t.Helper()
	args := []string{"-q", "rtspsrc", "name=src", "location=" + url, "protocols=" + protocol, "latency=200"}
	args = append(args, more...)
	args = append(args, strings.Fields("src. ! application/x-rtp,media=video ! decodebin ! videoconvert ! video/x-raw,format=I420 ! fdsink fd=1")...)
	return decode(t, n, args...)
}

// decode runs gst-launch-1.0, which writes I420 pictures of the clip's or the test picture's size to its standard output.
func decode(t *testing.T, n int, args ...string) []picture.Stamp {
	t.Helper()
	ctx, cancel := context.WithCancel(patient(t))
	defer cancel()
	cmd := exec.CommandContext(ctx, "gst-launch-1.0", args...)
	var stderr syncBuffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		cancel()
		_ = cmd.Wait()
	}()
	var stamps []picture.Stamp
	buf := make([]byte, clipWidth*clipHeight*3/2)
	for len(stamps) < n {
		_, err := io.ReadFull(out, buf)
		require.NoError(t, err, "after %d pictures: %s", len(stamps), &stderr)
		s, err := picture.ReadLuma(buf, clipWidth, clipWidth, clipHeight)
		if err != nil && len(stamps) == 0 {
			continue // before its first key frame a decoder may show what it has: nothing
		}
		require.NoError(t, err, "picture %d", len(stamps))
		stamps = append(stamps, s)
	}
	return stamps
}

// mediaFolder is where real footage may lie: GST_KINESIS_MEDIA, or shared/media beside the project.
func mediaFolder(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("GST_KINESIS_MEDIA"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "..", "shared", "media")
		}
		require.NotEqual(t, filepath.Dir(dir), dir, "no go.mod above")
		dir = filepath.Dir(dir)
	}
}
