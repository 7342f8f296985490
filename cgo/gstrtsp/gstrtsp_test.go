package gstrtsp

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gstrtsp/rtsptest"
)

// patience bounds every wait on something that must come.
const patience = 60 * time.Second

func patient(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// The simplest live media: raw pictures of 64x64, packed by RFC 4175.
const (
	rawLaunch = "appsrc name=video ! rtpvrawpay name=pay0 pt=96"
	rawCaps   = "video/x-raw,format=UYVY,width=64,height=64,framerate=50/1"
	rawSize   = 64 * 64 * 2
	rawStep   = 20 * time.Millisecond
)

func rawTimes() Times {
	now := Now()
	return Times{PTS: now, DTS: now, Duration: rawStep}
}

// feedRaw primes the source and pushes a picture every rawStep.
func feedRaw(ctx context.Context, m *Media) {
	b := NewBuffer(rawSize)
	defer b.Unref()
	_ = b.Fill(func(p []byte) { clear(p) })
	if m.SetCaps(Video, rawCaps) != nil {
		return
	}
	for errors.Is(m.Prime(Video, b, rawTimes()), ErrIdle) {
		select {
		case <-m.Need():
		case <-ctx.Done():
			return
		}
	}
	tick := time.NewTicker(rawStep)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := m.Push(Video, b, rawTimes(), 50); errors.Is(err, ErrFailed) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// serveRaw starts a server with one mount, /raw, until the test ends.
func serveRaw(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Mount("/raw", Mount{Launch: rawLaunch, Feed: feedRaw}))
	require.NoError(t, s.Start())
	return s
}

// see connects, waits for some packets and goes, or drops the connection without a word.
func see(ctx context.Context, url string, opts rtsptest.Options, drop bool) error {
	c, err := rtsptest.Dial(url, opts)
	if err != nil {
		return err
	}
	err = c.Play()
	for n := 0; n < 3 && err == nil; n++ {
		_, err = c.Read(ctx)
	}
	if err != nil || drop {
		c.Drop()
		return err
	}
	return c.Close()
}

func TestServe(t *testing.T) {
	t.Parallel()
	var connected, plays, closed atomic.Int32
	s := serveRaw(t, Config{OnClient: func(e ClientEvent) {
		switch e.Kind {
		case ClientConnected:
			connected.Add(1)
		case ClientPlays:
			if e.Path == "/raw" && e.Peer == "127.0.0.1" {
				plays.Add(1)
			}
		case ClientClosed:
			closed.Add(1)
		}
	}})
	require.Positive(t, s.Port())
	for i := range 6 {
		require.NoError(t, see(patient(t), s.URL("/raw"), rtsptest.Options{UDP: i%2 == 1}, i%3 == 0))
	}
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "twice is once")
	require.EqualValues(t, 6, connected.Load())
	require.EqualValues(t, 6, plays.Load())
	require.EqualValues(t, 6, closed.Load())
}

// What primes the media reaches nobody: the first client's first picture is of its own time.
func TestPrimeIsHidden(t *testing.T) {
	t.Parallel()
	s, err := New(Config{})
	require.NoError(t, err)
	defer s.Close()
	primed := make(chan time.Time, 1)
	require.NoError(t, s.Mount("/raw", Mount{Launch: rawLaunch, Feed: func(ctx context.Context, m *Media) {
		b := NewBuffer(rawSize)
		defer b.Unref()
		if m.SetCaps(Video, rawCaps) != nil {
			return
		}
		for errors.Is(m.Prime(Video, b, rawTimes()), ErrIdle) {
			<-m.Need()
		}
		primed <- time.Now()
		for { // only what the client comes for
			select {
			case <-m.Play():
				_ = m.Push(Video, b, rawTimes(), 50)
			case <-ctx.Done():
				return
			}
		}
	}}))
	require.NoError(t, s.Start())
	<-primed
	c, err := rtsptest.Dial(s.URL("/raw"), rtsptest.Options{})
	require.NoError(t, err)
	defer c.Drop()
	require.NoError(t, c.Play())
	r, err := c.Record(patient(t), func(r *rtsptest.Recording) bool {
		n := 0
		for _, u := range r.Streams[0].Units {
			n += len(u.Payloads)
		}
		return n >= rawSize/1400
	})
	require.NoError(t, err)
	require.Len(t, r.Streams[0].Units, 1, "one picture, not the one that primed")
	require.Zero(t, r.Streams[0].Gaps)
}

// A client that does not read its connection must not hold up another one.
func TestClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	s := serveRaw(t, Config{})
	deaf, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.URL(""), "rtsp://"), "/"))
	require.NoError(t, err)
	defer deaf.Close()
	require.NoError(t, deaf.(*net.TCPConn).SetReadBuffer(4096))
	url := s.URL("/raw")
	for _, request := range []string{
		"SETUP " + url + "/stream=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n",
	} {
		_, err = deaf.Write([]byte(request))
		require.NoError(t, err)
	}
	answer := make([]byte, 1024)
	n, err := deaf.Read(answer)
	require.NoError(t, err)
	_, session, found := strings.Cut(string(answer[:n]), "Session: ")
	require.True(t, found, "%s", answer[:n])
	session, _, _ = strings.Cut(session, ";")
	_, err = deaf.Write([]byte("PLAY " + url + " RTSP/1.0\r\nCSeq: 2\r\nSession: " + session + "\r\n\r\n"))
	require.NoError(t, err)

	c, err := rtsptest.Dial(url, rtsptest.Options{})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Play())
	r, err := c.Record(patient(t), func(r *rtsptest.Recording) bool { return len(r.Streams[0].Units) > 200 })
	require.NoError(t, err)
	require.Zero(t, r.Streams[0].Gaps)
	units := r.Streams[0].Whole()
	for i := 1; i < len(units); i++ {
		require.Less(t, units[i].Time-units[i-1].Time, int64(90000), "no picture was held up for a second")
	}
}

func TestViewersAreCounted(t *testing.T) {
	t.Parallel()
	counts := make(chan int, 1)
	ask := make(chan struct{})
	s, err := New(Config{})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Mount("/raw", Mount{Launch: rawLaunch, Feed: func(ctx context.Context, m *Media) {
		fed := make(chan struct{})
		go func() { defer close(fed); feedRaw(ctx, m) }()
		defer func() { <-fed }()
		for {
			select {
			case <-ask:
				counts <- m.Viewers()
			case <-ctx.Done():
				return
			}
		}
	}}))
	require.NoError(t, s.Start())
	viewers := func() int { ask <- struct{}{}; return <-counts }
	require.Zero(t, viewers())
	var clients []*rtsptest.Client
	for i := range 3 {
		c, err := rtsptest.Dial(s.URL("/raw"), rtsptest.Options{UDP: i == 1})
		require.NoError(t, err)
		require.NoError(t, c.Play())
		clients = append(clients, c)
		require.Eventually(t, func() bool { return viewers() == i+1 }, patience, time.Millisecond)
	}
	clients[0].Drop()
	require.NoError(t, clients[1].Close())
	require.NoError(t, clients[2].Pause())
	require.Eventually(t, func() bool { return viewers() == 0 }, patience, time.Millisecond)
	clients[2].Drop()
}

func TestPortIsTaken(t *testing.T) {
	t.Parallel()
	first := serveRaw(t, Config{})
	second, err := New(Config{Port: first.Port()})
	require.NoError(t, err)
	defer second.Close()
	err = second.Start()
	var e *Error
	require.ErrorAs(t, err, &e)
	require.True(t, e.AddressInUse(), "%+v", e)
}

func TestMountRefusesABadLine(t *testing.T) {
	t.Parallel()
	s, err := New(Config{})
	require.NoError(t, err)
	defer s.Close()
	for line, want := range map[string]string{"appsrc ! nosuchelement name=pay0": "nosuchelement", "appsrc !": "", "fakesink nosuch=1": "nosuch"} {
		err := s.Mount("/a", Mount{Launch: line})
		require.Error(t, err, line)
		require.Contains(t, err.Error(), want)
	}
}

// A pipeline that fails at the start, later, a Feed that ends, a Feed that panics: the server says so and closes all the same.
func TestFailures(t *testing.T) {
	t.Parallel()
	failures, panics := make(chan error, 10), make(chan error, 10)
	cfg := Config{OnFailure: func(_ string, err error) { failures <- err }, OnPanic: func(err error) { panics <- err }}

	t.Run("caps that the payloader does not take", func(t *testing.T) {
		s, err := New(cfg)
		require.NoError(t, err)
		defer s.Close()
		require.NoError(t, s.Mount("/raw", Mount{Launch: rawLaunch, Feed: func(ctx context.Context, m *Media) {
			b := NewBuffer(10)
			defer b.Unref()
			_ = m.SetCaps(Video, "audio/x-raw")
			for errors.Is(m.Prime(Video, b, rawTimes()), ErrIdle) {
				select {
				case <-m.Need():
				case <-ctx.Done():
				}
			}
		}}))
		require.Error(t, s.Start())
		require.ErrorContains(t, <-failures, "data stream error")
	})
	t.Run("an error later", func(t *testing.T) {
		s, err := New(cfg)
		require.NoError(t, err)
		defer s.Close()
		line := "appsrc name=video ! identity error-after=10 ! rtpvrawpay name=pay0 pt=96"
		require.NoError(t, s.Mount("/raw", Mount{Launch: line, Feed: feedRaw}))
		require.NoError(t, s.Start())
		require.ErrorContains(t, <-failures, "Failed after iterations")
	})
	t.Run("panic", func(t *testing.T) {
		s, err := New(cfg)
		require.NoError(t, err)
		defer s.Close()
		require.NoError(t, s.Mount("/raw", Mount{Launch: rawLaunch, Feed: func(ctx context.Context, m *Media) {
			feeding, stop := context.WithCancel(ctx)
			time.AfterFunc(10*rawStep, stop)
			feedRaw(feeding, m)
			panic("ouch")
		}}))
		require.NoError(t, s.Start())
		require.ErrorContains(t, <-panics, "ouch")
	})
}

func TestCaps(t *testing.T) {
	t.Parallel()
	s, err := New(Config{})
	require.NoError(t, err)
	defer s.Close()
	result := make(chan []bool, 1)
	require.NoError(t, s.Mount("/raw", Mount{Launch: rawLaunch, Feed: func(ctx context.Context, m *Media) {
		result <- []bool{
			m.Has(Video), m.Has(Audio), m.SetCaps(Video, "not caps, at all") != nil, m.SetCaps(Audio, rawCaps) != nil,
		}
		feedRaw(ctx, m)
	}}))
	require.NoError(t, s.Start())
	require.Equal(t, []bool{true, false, true, true}, <-result)
}

func TestURL(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"127.0.0.1": "rtsp://127.0.0.1:5/x", "0.0.0.0": "rtsp://127.0.0.1:5/x", "::1": "rtsp://[::1]:5/x", "::": "rtsp://[::1]:5/x", "cam.local": "rtsp://cam.local:5/x",
	} {
		s := &Server{cfg: Config{Address: address}, port: 5}
		require.Equal(t, want, s.URL("/x"))
	}
}

// --- files ----------------------------------------------------------------------------------------------

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
