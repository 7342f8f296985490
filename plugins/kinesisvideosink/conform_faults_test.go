package kinesisvideosink_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/plugins/kinesisvideosink"
)

// fates are what became of frames, by their bytes.
type fates struct {
	mu  sync.Mutex
	all map[string][]gst.Outcome
}

func (f *fates) token(sum string) gst.Token {
	return gst.NewToken(func(o gst.Outcome) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.all[sum] = append(f.all[sum], o)
	})
}

// Whatever goes wrong on the way, what is told of a frame is so: delivered is stored, each frame becomes one thing, the books are balanced, and
// what is not stored stands on the bus.
func TestConformFaults(t *testing.T) {
	frames := footage(t, 240, 160, 0)
	sums := sumsOf(t, frames)
	for _, fault := range []string{
		"count: 1;error-ack: 5001 at fragment 2",
		"count: 1;error-ack: 4004 at fragment 2",
		"count: 1;error-ack: 4006 at fragment 3",
		"count: 1;cut-after: 60kB",
		"count: 1;cut: after-body",
		"count: 1;cut: after-processing",
		"count: 1;error: {status: 500, code: InternalFailure}",
		"acks: late 2s",
	} {
		t.Run(strings.ReplaceAll(fault, ";", ","), func(t *testing.T) {
			t.Parallel()
			conformAtEndpoint(t, fault, func(t *testing.T, at target) {
				h := videoSink(t, at.line+wait)
				h.SetSrcCaps(byteStream)
				f := &fates{all: map[string][]gst.Outcome{}}
				for i, frame := range frames { // 8 s of media in 2 s
					b, token := frame.Buffer(), f.token(sums[i])
					require.True(t, b.SetToken(token))
					token.Unref()
					require.Equal(t, gst.FlowOK, h.PushBuffer(b))
					if i%30 == 29 {
						await30(t, h, i+1)
					}
				}
				s := end(t, h)
				h.Element().SetState(gst.StateNull)
				holdFates(t, f, sums, at.pieces(), s)
			})
		})
	}
}

// Where the service takes nothing, a file's upstream is blocked when storage-size is reached, and a stop ends that.
func TestConformBlocks(t *testing.T) {
	frames := footage(t, 60, 640, 0)
	conformAtEndpoint(t, mute, func(t *testing.T, at target) {
		h := videoSink(t, at.line+" streaming-type=offline storage-size=10 stop-stream-timeout=1")
		h.SetSrcCaps(byteStream)
		flow := make(chan gst.Flow, 1)
		go func() {
			for n := uint64(0); ; n++ {
				for _, f := range frames {
					f.PTS += n * 2 * uint64(time.Second)
					f.DTS = gst.ClockTimeNone
					if r := h.Push(f); r != gst.FlowOK {
						flow <- r
						return
					}
				}
			}
		}()
		last, since := uint64(0), time.Now()
		require.Eventually(t, func() bool {
			if n := stats(h.Element()).Uint64("frames-accepted"); n != last {
				last, since = n, time.Now()
			}
			return last > 60 && time.Since(since) > time.Second
		}, gsttest.Limit, 10*time.Millisecond, "it does not block")
		require.Less(t, stats(h.Element()).Uint64("bytes-accepted"), uint64(17<<20))
		began := time.Now()
		h.Element().SetState(gst.StateNull)
		require.Less(t, time.Since(began), 4*time.Second)
		require.Equal(t, gst.FlowFlushing, await(t, flow))
		s := stats(h.Element())
		balanced(t, s)
		require.EqualValues(t, s.Uint64("frames-accepted"), s.Uint64("frames-dropped"))
	})
}

// await30 lets a quarter of a second pass, in which the service may answer, and holds that all frames are accepted.
func await30(t *testing.T, h *gsttest.Harness, n int) {
	t.Helper()
	began := time.Now()
	require.Eventually(t, func() bool {
		return stats(h.Element()).Uint64("frames-accepted") == uint64(n) && time.Since(began) > 250*time.Millisecond
	}, gsttest.Limit, 10*time.Millisecond)
}

func holdFates(t *testing.T, f *fates, sums []string, pieces []kinesisvideosink.Piece, s *gst.Structure) {
	t.Helper()
	stored := map[string]bool{}
	for _, frame := range framesOf(pieces, 1) {
		stored[frame.Sum] = true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delivered := 0
	for i, sum := range sums {
		require.Len(t, f.all[sum], 1, "frame %d became %v", i, f.all[sum])
		if f.all[sum][0] == gst.OutcomeDelivered {
			delivered++
			require.True(t, stored[sum], "frame %d is said to be stored, and is not", i)
		}
	}
	require.EqualValues(t, delivered, s.Uint64("frames-persisted"))
	t.Logf("%d of %d delivered, %d stored; %v %v", delivered, len(sums), len(stored), s.Get("dropped-by-reason"), s.Get("skipped-by-error"))
}
