package producer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/uplink"
)

// fakeLetters keeps letters, or fails.
type fakeLetters struct {
	random  *rand.Rand // of one goroutine: the undertaker
	faulty  float64
	hangs   bool
	reasons map[string]int
	letters []Letter
}

func (f *fakeLetters) Write(ctx context.Context, letters []Letter) error {
	if f.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	time.Sleep(time.Millisecond)
	if f.random != nil && f.random.Float64() < f.faulty {
		return errors.New("no space left on device")
	}
	if f.reasons == nil {
		f.reasons = map[string]int{}
	}
	for _, l := range letters {
		f.reasons[l.Reason]++
		l.Data = append([]byte(nil), l.Data...)
		f.letters = append(f.letters, l)
	}
	return nil
}

func benchLetters(t *testing.T, f *fakeLetters, prepare func(*Settings, *fakeClient), body func(*rig)) {
	t.Helper()
	bench(t, prepare, body, WithDeadLetters(f))
}

// What can never be delivered is written down with what is known of it, and is not counted as dropped.
func TestDeadLetters(t *testing.T) {
	f := new(fakeLetters)
	benchLetters(t, f, func(s *Settings, c *fakeClient) {
		s.RetryAttempts = 2
		c.recordFault = func(_ int, rec stored) (string, string) {
			switch rec.data {
			case "refused":
				return "ValidationException", "1 validation error detected"
			case "failing":
				return "InternalFailure", "Internal service failure."
			}
			return "", ""
		}
	}, func(r *rig) {
		big := large(2 * shard.MiB)
		for _, data := range []string{"good", "refused", "failing", big} {
			r.put("k", data)
		}
		r.put("", "no key")
		r.flush()
		want := map[string]int{"ValidationException": 1, ReasonRetries: 1, ReasonOversize: 1, ReasonBadKey: 1}
		require.Equal(r, want, f.reasons)
		books := r.p.Books()
		require.Equal(r, Count{4, int64(len("refused") + len("failing") + len(big) + len("no key"))}, books.DeadLettered)
		require.Empty(r, books.Dropped)
		require.Empty(r, r.heard().lost)
		require.Len(r, r.heard().letters, 4)
		require.Zero(r, r.p.Stats().Memory)
		for _, l := range f.letters {
			if l.Reason == ReasonRetries {
				require.Equal(r, Letter{Reason: ReasonRetries, Code: "InternalFailure", PartitionKey: "k", Data: []byte("failing"), PTS: NoPTS, Tries: 3, Accepted: l.Accepted}, l)
				require.False(r, l.Accepted.Before(r.began))
			}
		}
	})
}

// Letters that cannot be written are dropped after all, and that is said.
func TestDeadLettersThatCannotBeWritten(t *testing.T) {
	f := &fakeLetters{random: rand.New(rand.NewPCG(1, 1)), faulty: 1}
	benchLetters(t, f, nil, func(r *rig) {
		r.put("", "no key")
		r.flush()
		require.Equal(r, Count{1, 6}, r.p.Books().Dropped[ReasonBadKey])
		require.Len(r, r.heard().lost[ReasonBadKey], 1)
		codes := map[string]Trouble{}
		for _, t := range r.heard().troubles {
			codes[t.Code] = t
		}
		require.Contains(r, codes, ReasonBadKey)
		require.Contains(r, codes[reasonNoLetter].Message, "no space left on device")
	})
}

// A place that hangs holds nothing up for longer than a request may take.
func TestDeadLettersThatHang(t *testing.T) {
	benchLetters(t, &fakeLetters{hangs: true}, func(s *Settings, _ *fakeClient) { s.RequestTimeout = 3 * time.Second }, func(r *rig) {
		for range mostLetters + 1 {
			r.put("", "no key")
		}
		r.flush()
		require.InDelta(r, 6, r.since().Seconds(), 0.5)
		r.put("", "no key")
		begun := r.since()
		r.p.Close()
		require.LessOrEqual(r, r.since()-begun, r.s.StopTimeout+letterGrace+time.Second)
		require.EqualValues(r, mostLetters+2, r.p.Books().Dropped[ReasonBadKey].Records)
	})
}

// When the stream fails for good, all that is held is written down; what leaks is not.
func TestDeadLettersOfAStreamThatFails(t *testing.T) {
	f := new(fakeLetters)
	benchLetters(t, f, func(s *Settings, c *fakeClient) {
		c.script = failWith(apiError("AccessDeniedException", 400), 1)
		s.MaxSizeBuffers, s.Leaky, s.Linger = 10, LeakyDownstream, time.Second
	}, func(r *rig) {
		for i := range 15 {
			r.put("k", fmt.Sprint(i))
		}
		r.settle(5 * time.Second)
		require.Len(r, r.heard().failures, 1)
		require.Equal(r, map[string]int{"AccessDeniedException": 10}, f.reasons)
		require.EqualValues(r, 5, r.p.Books().Dropped[ReasonLeakyOldest].Records)
	})
}

// A record in parts is one letter in the books, and each part that was not delivered is written down.
func TestDeadLettersOfParts(t *testing.T) {
	f := new(fakeLetters)
	benchLetters(t, f, func(s *Settings, c *fakeClient) {
		split(s, c)
		s.MaxBatchRecords, s.RetryAttempts = 1, 0
		c.script = func(call int, _ []stored) (bool, error) {
			if call == 2 {
				return false, apiError("InternalFailure", 500)
			}
			return false, nil
		}
	}, func(r *rig) {
		r.put("k", large(3*shard.MiB))
		r.flush()
		require.EqualValues(r, Count{1, 3 * shard.MiB}, r.p.Books().DeadLettered)
		require.Len(r, f.letters, 3, "of four parts one was delivered")
	})
}

// sizedLetters keeps how many bytes came at a time, and for how long each was let.
type sizedLetters struct {
	bytes []int
	times []time.Duration
}

func (s *sizedLetters) Write(ctx context.Context, letters []Letter) error {
	sum := 0
	for _, l := range letters {
		sum += len(l.Data)
	}
	s.bytes = append(s.bytes, sum)
	until, _ := ctx.Deadline()
	s.times = append(s.times, time.Until(until))
	return nil
}

// No more is written at a time than can be within it: large letters go few at a time, and on a link with
// a bound they get the time that they take there.
func TestDeadLettersThatAreLarge(t *testing.T) {
	f := new(sizedLetters)
	share := new(uplink.Links).Join("")
	share.SetBandwidth(8 << 20) // 1 MiB/s
	bench(t, nil, func(r *rig) {
		big := large(3 * shard.MiB)
		for range 7 {
			r.put("k", big)
		}
		r.put("k", large(20*shard.MiB))
		r.flush()
		require.EqualValues(r, 8, r.p.Books().DeadLettered.Records)
		sum := 0
		for i, n := range f.bytes {
			sum += n
			require.True(r, n <= letterBytes || n == 20*shard.MiB, "%d bytes at a time", n)
			require.GreaterOrEqual(r, f.times[i], r.s.RequestTimeout+time.Duration(n/shard.MiB)*time.Second)
		}
		require.Equal(r, 41*shard.MiB, sum)
	}, WithDeadLetters(f), WithUplink(share))
}
