package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gstrtsp/rtsptest"
)

// commandBinary builds the command once for all tests.
var commandBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.Getenv(binaryFolder), "gst-kinesis-camera")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// A process is a camera of its own.
type process struct {
	*exec.Cmd
	urls   map[string]string
	stderr *syncBuffer
}

func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	path, err := commandBinary()
	require.NoError(t, err)
	p := &process{Cmd: exec.Command(path, args...), stderr: &syncBuffer{}}
	p.Stderr = p.stderr
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	t.Cleanup(func() {
		_ = p.Process.Kill() // an error says that it has ended already
		_ = p.Wait()
	})
	p.urls = readURLs(t, out, mountsIn(args))
	require.NotEmpty(t, p.urls, "it does not serve: %s", p.stderr)
	return p
}

// end sends a signal and returns the exit status.
func (p *process) end(t *testing.T, sig syscall.Signal) int {
	t.Helper()
	require.NoError(t, p.Process.Signal(sig))
	_ = p.Wait()
	return p.ProcessState.ExitCode()
}

func TestSignalsEndIt(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := startProcess(t, "--port", "0", "--mount", "/a", "--mount", "/b")
		c, err := rtsptest.Dial(p.urls["/a"], rtsptest.Options{})
		require.NoError(t, err)
		require.NoError(t, c.Play())
		_, err = c.Read(patient(t))
		require.NoError(t, err)
		require.Equal(t, 0, p.end(t, sig), "%s", p.stderr)
		require.NotContains(t, p.stderr.String(), "not clean")
		for err == nil { // the client sees the connection end
			_, err = c.Read(patient(t))
		}
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		c.Drop()
	}
}

// Killed while clients look, it can have its port back at once: a camera that was restarted.
func TestRestartOnTheSamePort(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "--port", "0")
	url := p.urls["/cam"]
	port := url[strings.LastIndex(url, ":")+1 : strings.LastIndex(url, "/")]
	for range 3 {
		c, err := rtsptest.Dial(url, rtsptest.Options{})
		require.NoError(t, err)
		require.NoError(t, c.Play())
		_, err = c.Read(patient(t))
		require.NoError(t, err)
		p.end(t, syscall.SIGKILL)
		p = startProcess(t, "--port", port)
		require.Equal(t, url, p.urls["/cam"])
		c.Drop()
	}
}

// Stopped and continued, as a camera that hangs: it goes on with the present and does not send all that it missed.
func TestHungAndBack(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "--port", "0", "--size", "320x240")
	c, err := rtsptest.Dial(p.urls["/cam"], rtsptest.Options{})
	require.NoError(t, err)
	defer c.Drop()
	require.NoError(t, c.Play())
	_, err = c.Record(patient(t), func(r *rtsptest.Recording) bool { return len(r.Streams[0].Units) > 10 })
	require.NoError(t, err)

	require.NoError(t, p.Process.Signal(syscall.SIGSTOP))
	quiet, cancel := context.WithTimeout(t.Context(), tooLate+time.Second)
	_, err = c.Record(quiet, func(*rtsptest.Recording) bool { return false })
	cancel()
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, p.Process.Signal(syscall.SIGCONT))

	began := time.Now()
	r, err := c.Record(patient(t), func(r *rtsptest.Recording) bool { return len(r.Streams[0].Units) > 25 })
	require.NoError(t, err)
	require.Greater(t, time.Since(began), 600*time.Millisecond, "25 pictures take their time")
	require.Zero(t, r.Streams[0].Gaps)
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	code, stderr := fails(t, "--port", port)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "in use")
	require.Contains(t, stderr, "--port")
}

// fails runs the command in this process and returns what it said when it ended by itself.
func fails(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(patient(t), append([]string{"gst-kinesis-camera"}, args...), &stdout, &stderr)
	require.Empty(t, stdout.String(), "no URL is printed")
	return code, stderr.String()
}

// What cannot be shown is said at the start, with what to do about it, and ends with status 1.
func TestClipsThatCannotBeShown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	clip := clipOnDisk(t, "a.mp4", h264Clip()...)
	whole, err := os.ReadFile(clip)
	require.NoError(t, err)
	sound := filepath.Join(dir, "sound.wav")
	out, err := exec.CommandContext(patient(t), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", sound).CombinedOutput()
	require.NoError(t, err, "%s", out)

	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"missing":       {[]string{"--file", filepath.Join(dir, "none.mp4")}, "no file"},
		"folder":        {[]string{"--file", dir}, "not a file"},
		"empty":         {[]string{"--file", write("empty.mp4", nil)}, "not a file with anything in it"},
		"text":          {[]string{"--file", write("a.txt", bytes.Repeat([]byte("hello world\n"), 1000))}, "a.txt"},
		"cut":           {[]string{"--file", write("cut.mp4", whole[:len(whole)/2])}, "cut.mp4"},
		"audio only":    {[]string{"--file", sound}, "has no video"},
		"too large":     {[]string{"--file", clipOnDisk(t, "large.mov", "-c:v", "mjpeg", "-q:v", "1", "-pix_fmt", "yuvj420p"), "--codec", "mjpeg", "--size", "1920x1080", "--quality", "100", "--max-clip-size", "1"}, "--max-clip-size"},
		"mjpeg size":    {[]string{"--file", clipOnDisk(t, "b.mp4", append([]string{"-vf", "scale=324:242"}, h264Clip()...)...), "--codec", "mjpeg"}, "choose another --size"},
		"one of two":    {[]string{"--mount", "/a", "--mount", "/b=" + filepath.Join(dir, "none.mp4")}, "no file"},
		"wrong address": {[]string{"--address", "192.0.2.1"}, "192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stderr := fails(t, append([]string{"--port", "0"}, c.args...)...)
			require.Equal(t, exitError, code, stderr)
			require.Contains(t, stderr, c.want)
		})
	}
}

// A GStreamer without the plug-ins: the error names the Debian package.
func TestMissingPlugin(t *testing.T) {
	t.Parallel()
	path, err := commandBinary()
	require.NoError(t, err)
	for element, pkg := range map[string]string{"x264enc": "gstreamer1.0-plugins-ugly", "rtph264pay": "gstreamer1.0-plugins-good"} {
		cmd := exec.CommandContext(patient(t), path, "--port", "0")
		cmd.Env = append(os.Environ(), "GST_PLUGIN_FEATURE_RANK=", "GST_PLUGIN_SYSTEM_PATH="+pluginsWithout(t, element),
			"GST_REGISTRY="+filepath.Join(t.TempDir(), "registry"))
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Equal(t, exitError, cmd.ProcessState.ExitCode(), "%s", out)
		require.Contains(t, string(out), element)
		require.Contains(t, string(out), "apt install "+pkg)
	}
}

// pluginsWithout is a folder of links to all of the machine's plug-ins but the one that has this element.
func pluginsWithout(t *testing.T, element string) string {
	t.Helper()
	out, err := exec.CommandContext(patient(t), "gst-inspect-1.0", element).Output()
	require.NoError(t, err)
	var file string
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "Filename" {
			file = f[1]
		}
	}
	require.NotEmpty(t, file)
	all, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*.so"))
	require.NoError(t, err)
	dir := t.TempDir()
	for _, f := range all {
		if f != file {
			require.NoError(t, os.Symlink(f, filepath.Join(dir, filepath.Base(f))))
		}
	}
	return dir
}

func TestPassword(t *testing.T) {
	t.Parallel()
	cam := startCamera(t, append(pictureSize(), "--user", "eye", "--password", "s3cret: %")...)
	url := cam.urls["/cam"]
	require.NotContains(t, url, "eye")
	for _, opts := range []rtsptest.Options{
		{User: "eye", Password: "s3cret: %"}, {User: "eye", Password: "s3cret: %", Basic: true}, {User: "eye", Password: "s3cret: %", UDP: true},
	} {
		c, err := rtsptest.Dial(url, opts)
		require.NoError(t, err)
		require.NoError(t, c.Play())
		_, err = c.Read(patient(t))
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
	for _, opts := range []rtsptest.Options{
		{}, {User: "eye", Password: "wrong"}, {User: "eye", Password: "wrong", Basic: true}, {User: "you", Password: "s3cret: %"},
	} {
		_, err := rtsptest.Dial(url, opts)
		var status *rtsptest.StatusError
		require.ErrorAs(t, err, &status)
		require.Equal(t, 401, status.Code)
	}
	require.Len(t, watch(t, url, "tcp", 3, "user-id=eye", "user-pw=s3cret: %"), 3)
	require.NotContains(t, cam.stderr.String(), "s3cret")
}

func TestTransport(t *testing.T) {
	t.Parallel()
	for transport, udpWorks := range map[string]bool{"tcp": false, "udp": true} {
		cam := startCamera(t, append(pictureSize(), "--transport", transport)...)
		for _, udp := range []bool{false, true} {
			c, err := rtsptest.Dial(cam.urls["/cam"], rtsptest.Options{UDP: udp})
			require.NoError(t, err)
			err = c.Play()
			if udp == udpWorks {
				require.NoError(t, err)
				_, err = c.Read(patient(t))
				require.NoError(t, err)
			} else {
				var status *rtsptest.StatusError
				require.ErrorAs(t, err, &status)
				require.Equal(t, 461, status.Code, "unsupported transport")
			}
			c.Drop()
		}
	}
}

func TestUnknownPath(t *testing.T) {
	t.Parallel()
	cam := startCamera(t)
	_, err := rtsptest.Dial(cam.urls["/cam"]+"era", rtsptest.Options{})
	var status *rtsptest.StatusError
	require.ErrorAs(t, err, &status)
	require.Equal(t, 404, status.Code)
}

// Without a password everybody who reaches the machine can look: that is said.
func TestOpenToAll(t *testing.T) {
	t.Parallel()
	cam := startCamera(t, append(pictureSize(), "--address", "0.0.0.0")...)
	require.Contains(t, cam.stderr.String(), "--password")
	require.Len(t, watch(t, cam.urls["/cam"], "udp", 3), 3)
}

// A client that plays and then reads nothing, as one that hangs: its backlog grows with pictures out of order, for the
// clip has B-frames. Others do not notice.
func TestClientThatHangs(t *testing.T) {
	t.Parallel()
	clip := clipOnDisk(t, "noise.mp4", append([]string{"-vf", "noise=alls=100:allf=t", "-qp", "8"}, h264Clip()...)...)
	p := startProcess(t, "--port", "0", "--file", clip)
	url := p.urls["/cam"]
	deaf, err := rtsptest.Hang(url)
	require.NoError(t, err)
	defer deaf.Close()

	for _, udp := range []bool{false, true} {
		r := look(t, url, rtsptest.Options{UDP: udp}, 4*clipFrames)
		video := r.Of("video")
		bytes := 0
		for _, u := range video.Whole() {
			for _, payload := range u.Payloads {
				bytes += len(payload)
			}
		}
		require.Greater(t, bytes, 8<<20, "more than the deaf client's connection holds")
		if !udp {
			requireSeamless(t, video, 3600, 8)
		}
		requirePace(t, video)
	}
	require.Equal(t, 0, p.end(t, syscall.SIGTERM), "%s", p.stderr)
}
