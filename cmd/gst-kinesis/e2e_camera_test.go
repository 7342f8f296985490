//go:build cgo && unix

package main

import (
	"bytes"
	"image/jpeg"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	testpicture "gst-kinesis/cmd/gst-kinesis-camera/picture"
	"gst-kinesis/internal/frame"
	"gst-kinesis/internal/local"
)

type frameRec = frame.Record

// watched is a run of rtsp-frames on a camera.
type watched struct {
	*process
	srv *local.Server
}

func watch(t *testing.T, c *camera, protocol string, args ...string) *watched {
	t.Helper()
	srv, flags := endpoint(t, local.Settings{Create: streams("cams")})
	all := append([]string{"run", "rtsp-frames", "--set", "location=" + c.url, "--set", "protocols=" + protocol, "--set", "stream-name=cams",
		"--set", "latency=50ms", "--stall", "1s", "--status-interval", "1s"}, sets(flags)...)
	return &watched{startCLI(t, append(all, args...)...), srv}
}

// finish ends the run and checks that the books say of it what the endpoint does, and that the frames are in order.
func (w *watched) finish(t *testing.T) {
	t.Helper()
	w.interrupt(t)
	require.Zero(t, w.status(t, 30*time.Second), w.log.String())
	w.settled(t, w.srv, "cams")
	recs := frames(t, w.srv, "cams")
	slices.SortFunc(recs, func(a, b frameRec) int { return int(a.Meta.FrameID - b.Meta.FrameID) })
	for i := 1; i < len(recs); i++ {
		require.GreaterOrEqual(t, recs[i].Meta.CaptureTime, recs[i-1].Meta.CaptureTime, "time never goes back, nor over a loss")
	}
}

func TestCameraKilledAndBack(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"tcp", "udp"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			c := newCamera(t).begin(t)
			w := watch(t, c, protocol)
			w.lines(t, 5)
			c.die()
			w.log.waitFor(t, "the source is lost and is started again")
			w.log.waitFor(t, "Could not open resource")
			c.begin(t)
			w.log.waitFor(t, "the source is back")
			w.more(t, 5)
			w.log.waitFor(t, "reconnects=1")
			w.finish(t)
		})
	}
}

// A camera with sound: the pads of picture and sound come on threads of their own, and whichever is first, the picture is linked.
func TestCameraWithSound(t *testing.T) {
	t.Parallel()
	c := newCamera(t, "--audio").begin(t)
	for range 8 {
		w := watch(t, c, "tcp")
		w.lines(t, 2)
		w.finish(t)
	}
}

func TestCameraHangs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		protocol string
		replaced bool
	}{
		"tcp and goes on": {"tcp", false}, "udp and goes on": {"udp", false}, "tcp and is replaced": {"tcp", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cam := newCamera(t).begin(t)
			w := watch(t, cam, c.protocol)
			w.lines(t, 5)
			cam.signal(t, syscall.SIGSTOP)
			w.log.waitFor(t, "nothing came for 1")
			if c.replaced {
				cam.die()
				cam.begin(t)
			} else {
				cam.signal(t, syscall.SIGCONT)
			}
			w.log.waitFor(t, "the source is back")
			w.more(t, 5)
			w.finish(t)
		})
	}
}

func TestCameraComesLater(t *testing.T) {
	t.Parallel()
	c := newCamera(t)
	w := watch(t, c, "tcp")
	w.log.waitFor(t, "the source is lost and is started again")
	c.begin(t)
	w.lines(t, 5)
	w.finish(t)
}

func TestCameraIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, retry := range map[string]string{"at once": "0", "in time": "1s"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCamera(t).begin(t)
			w := watch(t, c, "tcp", "--retry-for", retry)
			w.lines(t, 5)
			c.die()
			require.Equal(t, statusFailed, w.status(t, 30*time.Second), w.log.String())
			require.Contains(t, w.log.String(), "gst-kinesis: rtspsrc0 is lost")
			w.settled(t, w.srv, "cams")
		})
	}
}

func TestCameraNeverThere(t *testing.T) {
	t.Parallel()
	w := watch(t, newCamera(t), "tcp")
	w.log.waitFor(t, "is started again")
	w.interrupt(t)
	require.Zero(t, w.status(t, 20*time.Second), w.log.String())
	require.Zero(t, w.settled(t, w.srv, "cams").accepted)
}

func TestCameraWithAPassword(t *testing.T) {
	t.Parallel()
	c := newCamera(t, "--user", "me", "--password", "it's \"a\" pass!").begin(t)
	w := watch(t, c, "tcp", "--set", "user-id=me", "--set", "user-pw=wrong")
	require.Equal(t, statusFailed, w.status(t, 20*time.Second), "a wrong password is not tried for ever: %s", w.log)
	require.NotContains(t, w.log.String(), "is started again")
	w = watch(t, c, "tcp", "--set", "user-id=me", "--set", "user-pw=it's \"a\" pass!")
	w.lines(t, 2)
	w.finish(t)
}

// The camera paints the time into each picture and tells it in its sender reports: both are in the record.
func TestCaptureTimestampIsTheCameras(t *testing.T) {
	t.Parallel()
	c := newCamera(t, "--size", "320x192").begin(t)
	w := watch(t, c, "tcp")
	w.log.waitFor(t, "capture_timestamp is read from reference now")
	w.more(t, 10)
	w.finish(t)
	recs := frames(t, w.srv, "cams")
	slices.SortFunc(recs, func(a, b frameRec) int { return int(a.Meta.FrameID - b.Meta.FrameID) })
	for _, r := range recs[len(recs)-8:] {
		img, err := jpeg.Decode(bytes.NewReader(r.Payload))
		require.NoError(t, err)
		stamp, err := testpicture.Read(img)
		require.NoError(t, err)
		off := r.Meta.CaptureTime - float64(stamp.Time.UnixMicro())/1e6
		require.InDelta(t, 0, off, 0.1, "seconds between the camera's clock and the record's")
	}
}
