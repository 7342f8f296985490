package gstrtsp

import (
	"context"
	"errors"
	"fmt"
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

// The simplest live media: raw pictures, packed by RFC 4175.
const (
	rawLaunch = "appsrc name=video ! rtpvrawpay name=pay0 pt=96"
	rawStep   = 20 * time.Millisecond
)

// raw feeds square pictures of this side, one every rawStep.
type raw struct{ side int }

func (r raw) size() int { return r.side * r.side * 2 }

func (r raw) caps() string {
	return fmt.Sprintf("video/x-raw,format=UYVY,width=%d,height=%d,framerate=50/1", r.side, r.side)
}

func rawTimes() Times {
	now := Now()
	return Times{PTS: now, DTS: now, Duration: rawStep}
}

// prime pushes a first picture as soon as the media plays.
func (r raw) prime(ctx context.Context, m *Media, b *Buffer) {
	if m.SetCaps(Video, r.caps()) != nil {
		return
	}
	for errors.Is(m.Prime(Video, b, rawTimes()), ErrIdle) {
		select {
		case <-m.Need():
		case <-ctx.Done():
			return
		}
	}
}

func (r raw) feed(ctx context.Context, m *Media) {
	b := BufferFrom(make([]byte, r.size()))
	defer b.Unref()
	r.prime(ctx, m, b)
	tick := time.NewTicker(rawStep)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
			if errors.Is(m.Push(Video, b, rawTimes(), 50), ErrFailed) {
				return
			}
		case <-ctx.Done():
		}
	}
}

// small pictures, where nothing depends on them.
func small() raw { return raw{side: 64} }

// serveRaw starts a server with one mount, /raw, until the test ends.
func serveRaw(t *testing.T, cfg Config, pictures raw) *Server {
	t.Helper()
	s, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Mount("/raw", Mount{Launch: rawLaunch, Feed: pictures.feed}))
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
	}}, small())
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
		b := BufferFrom(make([]byte, small().size()))
		defer b.Unref()
		small().prime(ctx, m, b)
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
		return n >= small().size()/1400
	})
	require.NoError(t, err)
	require.Len(t, r.Streams[0].Units, 1, "one picture, not the one that primed")
	require.Zero(t, r.Streams[0].Gaps)
}

// A client that does not read its connection must not hold up another one.
func TestClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	s := serveRaw(t, Config{}, raw{side: 256})
	url := s.URL("/raw")
	deaf, err := rtsptest.Hang(url)
	require.NoError(t, err)
	defer deaf.Close()

	c, err := rtsptest.Dial(url, rtsptest.Options{})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Play())
	r, err := c.Record(patient(t), func(r *rtsptest.Recording) bool { return len(r.Streams[0].Units) > 200 })
	require.NoError(t, err)
	require.Zero(t, r.Streams[0].Gaps)
	units := r.Streams[0].Whole()
	for i := 1; i < len(units); i++ {
		require.Less(t, units[i].Time-units[i-1].Time, int64(2*90000), "no picture was held up for long")
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
		go func() { defer close(fed); small().feed(ctx, m) }()
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
	first := serveRaw(t, Config{}, small())
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
		require.NoError(t, s.Mount("/raw", Mount{Launch: line, Feed: small().feed}))
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
			small().feed(feeding, m)
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
			m.Has(Video), m.Has(Audio), m.SetCaps(Video, "not caps, at all") != nil, m.SetCaps(Audio, small().caps()) != nil,
		}
		small().feed(ctx, m)
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
