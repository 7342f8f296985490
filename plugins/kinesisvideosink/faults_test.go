package kinesisvideosink_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/plugins/kinesisvideosink"
)

const live = "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=30/1 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! h264parse ! "

// accepter is a listener that does something with each connection; it notes when they came.
type accepter struct {
	url string
	mu  sync.Mutex
	at  []time.Time
}

func accept(t *testing.T, each func(net.Conn)) *accepter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	a := &accepter{url: "http://" + l.Addr().String()}
	var open []net.Conn
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			a.mu.Lock()
			a.at, open = append(a.at, time.Now()), append(open, c)
			a.mu.Unlock()
			each(c)
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
		for _, c := range open {
			c.Close()
		}
	})
	return a
}

func (a *accepter) times() []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]time.Time(nil), a.at...)
}

// place is where a sink finds its service, which goes wrong.
type place func(t *testing.T) (url string)

// ruled is an endpoint with a rule.
func ruled(rule local.Rule) place {
	return func(t *testing.T) string {
		srv := localtest.Start(t, local.Settings{Limits: local.LimitsNone, VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
		_, err := srv.AddFault(rule)
		require.NoError(t, err)
		return srv.URL()
	}
}

func failing(status int, code string, operations ...string) place {
	return ruled(local.Rule{Operations: operations, Error: &local.Failure{Code: code, Status: status, Message: "no"}})
}

func media(m fault.Media) place { return ruled(local.Rule{Operations: []string{"PutMedia"}, Media: m}) }

// places are the faults of docs/from-kvssink.md, and more.
func places() map[string]place {
	all := map[string]place{
		"refused":        func(*testing.T) string { return "http://127.0.0.1:9" },
		"no such host":   func(*testing.T) string { return "http://nobody.invalid" },
		"never answers":  func(t *testing.T) string { return accept(t, func(net.Conn) {}).url },
		"closes at once": func(t *testing.T) string { return accept(t, func(c net.Conn) { c.Close() }).url },
		"speaks otherwise": func(t *testing.T) string {
			return accept(t, func(c net.Conn) { _, _ = c.Write([]byte("220 mail\r\n")) }).url
		},
		"all 500":           failing(500, "InternalFailure"),
		"PutMedia 503":      failing(503, "ServiceUnavailable", "PutMedia"),
		"PutMedia denied":   failing(403, "AccessDeniedException", "PutMedia"),
		"throttled":         failing(400, "ClientLimitExceededException"),
		"one connection":    failing(400, "ConnectionLimitExceededException", "PutMedia"),
		"expired":           failing(403, "ExpiredTokenException", "PutMedia"),
		"garbled":           ruled(local.Rule{Garble: true}),
		"slow":              ruled(local.Rule{Latency: fault.Span{Least: 3 * time.Second}}),
		"cut in the header": media(fault.Media{CutAfter: 100}),
		"cut in a fragment": media(fault.Media{CutAfter: 5000}),
		"never acks":        media(fault.Media{Acks: &fault.Acks{Never: true}}),
		"acks late":         media(fault.Media{Acks: &fault.Acks{Late: 5 * time.Second}}),
	}
	for name, operation := range map[string]string{"DescribeStream hangs": "VideoDescribeStream", "GetDataEndpoint hangs": "GetDataEndpoint", "PutMedia hangs": "PutMedia"} {
		all[name] = ruled(local.Rule{Operations: []string{operation}, Hang: true})
	}
	for name, id := range map[string]int{"error 4004": 4004, "error 4006": 4006, "error 4008": 4008, "error 4500": 4500, "error 5001": 5001} {
		all[name] = media(fault.Media{ErrorAck: &fault.ErrorAck{ID: id, Fragment: 1}})
	}
	return all
}

// Whatever goes wrong, no change of state takes a second, but the one that ends the stream, which has stop-stream-timeout; and the books balance.
func TestStateChangesInAllFaults(t *testing.T) {
	const stop = time.Second
	for name, where := range places() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := gsttest.Parse(t, live+"kinesisvideosink name=k stream-name=cam stop-stream-timeout=1 storage-size=1"+keys+where(t))
			k := p.Element("k")
			to := func(s gst.State, bound time.Duration) {
				began := time.Now()
				p.SetState(s)
				require.Less(t, time.Since(began), bound, "to %v", s)
			}
			for range 2 {
				to(gst.StatePlaying, time.Second)
				p.Message(1500*time.Millisecond, gst.MessageError) // frames come, and fail; or the stream has
				to(gst.StatePaused, time.Second)
				to(gst.StatePlaying, time.Second)
				to(gst.StateReady, stop+time.Second)
				balanced(t, stats(k))
				to(gst.StateNull, time.Second)
			}
			require.Zero(t, stats(k).Uint64("frames-in-flight"))
		})
	}
}

// What is wrong at the start is on the bus soon: what stays so as an ERROR within 5 s, with what to do; what may pass as a WARNING within 2 s, and
// as an ERROR when start-timeout is over.
func TestStartFailuresAreOnTheBusSoon(t *testing.T) {
	for name, c := range map[string]struct {
		where    place
		settings string
		error    bool
		text     string
	}{
		"no stream":                {func(t *testing.T) string { return localtest.Start(t, local.Settings{}).URL() }, "allow-create-stream=false", true, "allow-create-stream"},
		"DescribeStream denied":    {failing(403, "AccessDeniedException", "VideoDescribeStream"), "", true, "kinesisvideo:"},
		"GetDataEndpoint denied":   {failing(403, "AccessDeniedException", "GetDataEndpoint"), "", true, "kinesisvideo:"},
		"PutMedia denied":          {failing(403, "AccessDeniedException", "PutMedia"), "", true, "kinesisvideo:"},
		"the clock is wrong":       {ruled(local.Rule{Error: &local.Failure{Code: "InvalidSignatureException", Status: 403, Message: "Signature expired: 20261120T212636Z is now earlier than 20261120T222136Z"}}), "", true, "clock"},
		"refused":                  {func(*testing.T) string { return "http://127.0.0.1:9" }, "", false, "127.0.0.1:9"},
		"no such host":             {func(*testing.T) string { return "http://nobody.invalid" }, "", false, "nobody.invalid"},
		"never answers":            {func(t *testing.T) string { return accept(t, func(net.Conn) {}).url }, "", false, "no answer"},
		"PutMedia never answers":   {ruled(local.Rule{Operations: []string{"PutMedia"}, Hang: true}), "", false, "no answer"},
		"refused, and no patience": {func(*testing.T) string { return "http://127.0.0.1:9" }, "start-timeout=3000000000", true, "127.0.0.1:9"},
		"no answer, no patience":   {func(t *testing.T) string { return accept(t, func(net.Conn) {}).url }, "start-timeout=3000000000", true, "Check the network"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := gsttest.Parse(t, live+"kinesisvideosink name=k stream-name=cam stop-stream-timeout=0 "+c.settings+keys+c.where(t))
			began := time.Now()
			p.Play()
			kind, bound := gst.MessageWarning, 3*time.Second // of which 1 s is for a busy machine
			if c.error {
				kind, bound = gst.MessageError, 5*time.Second
			}
			m := p.Message(bound, kind)
			require.NotNil(t, m, "after %v", time.Since(began))
			require.Contains(t, m.Err.Text, c.text)
			require.NotEmpty(t, m.Structure.Str("remedy"))
			require.Equal(t, "cam", m.Structure.Str("stream-name"))
			if c.settings == "start-timeout=3000000000" {
				require.Equal(t, "start-timeout", m.Structure.Str("reason"))
			}
		})
	}
}

// Tries to connect are spaced, with jitter: kvssink makes 92 a second.
func TestTriesAreSpaced(t *testing.T) {
	t.Parallel()
	a := accept(t, func(c net.Conn) { c.Close() })
	p := gsttest.Parse(t, live+"kinesisvideosink name=k stream-name=cam stop-stream-timeout=0"+keys+a.url)
	p.Play()
	require.Nil(t, p.Message(12*time.Second, gst.MessageError), "it is tried for ever")
	at := a.times()
	require.Greater(t, len(at), 3)
	require.Less(t, len(at), 40, "in 12 s")
	gaps := map[time.Duration]bool{}
	late := 0
	for i := 1; i < len(at); i++ {
		gap := at[i].Sub(at[i-1])
		gaps[gap.Truncate(10*time.Millisecond)] = true
		if gap > time.Second {
			late++
		}
	}
	require.Greater(t, len(gaps), 3, "with jitter: %v", gaps)
	require.Positive(t, late, "they grow rarer: %v", gaps)
}

// Live video and sound, of which kvssink refuses some frames: from the first picture on none is dropped here, in one session. A frame of sound that comes before
// it has no fragment to be in, and is counted.
func TestNoFrameOfVideoAndSoundIsDropped(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, local.Settings{})
	s := run(t, "videotestsrc is-live=true num-buffers=240 ! video/x-raw,width=160,height=120,framerate=30/1 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! h264parse ! k. "+
		"audiotestsrc is-live=true num-buffers=344 samplesperbuffer=1024 ! audio/x-raw,rate=44100,channels=2 ! avenc_aac ! aacparse ! k. kinesisvideosink name=k stream-name=cam"+keys+srv.URL())
	require.GreaterOrEqual(t, s.Uint64("frames-accepted"), uint64(583), s)
	before := s.Get("dropped-by-reason").(*gst.Structure).Uint64("before-key")
	require.LessOrEqual(t, before, uint64(2), "sound before the first picture")
	require.Equal(t, s.Uint64("frames-accepted"), s.Uint64("frames-persisted")+before, s)
	require.EqualValues(t, 1, s.Uint64("sessions"), s)
	fragments, err := srv.Fragments("cam")
	require.NoError(t, err)
	var last [2]int64 // ms
	for _, f := range fragments {
		for _, frame := range f.Frames {
			at := frame.Timestamp + f.ProducerTimestamp.UnixMilli() - f.Timecode
			if i := frame.Track - 1; last[i] != 0 {
				require.InDelta(t, [2]int64{33, 23}[i], at-last[i], 2, "track %d has no hole", frame.Track)
			}
			last[frame.Track-1] = at
		}
	}
}

// When upstream is told that the stream has failed, which makes it post an error that says nothing, ours is on the bus already.
func TestTheReasonIsOnTheBusFirst(t *testing.T) {
	frames := footage(t, 30, 160, 0)
	for range 100 {
		release := make(chan struct{})
		h := videoSink(t, fake(&kinesisvideosink.Fake{OnLocate: func(context.Context) error {
			<-release
			return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
		}})+" stop-stream-timeout=0")
		h.SetSrcCaps(byteStream)
		for i := 0; ; i++ {
			if i == 10 {
				close(release)
			}
			f := frames[i%len(frames)]
			f.PTS, f.DTS = f.PTS+uint64(i/len(frames))*uint64(time.Second), gst.ClockTimeNone
			if r := h.Push(f); r != gst.FlowOK {
				require.Equal(t, gst.FlowError, r)
				break
			}
		}
		m := h.Message(0, gst.MessageError)
		require.NotNil(t, m, "upstream hears of it before the bus")
		require.Contains(t, m.Err.Text, "kinesisvideo:")
		h.Close()
	}
}
