package producer

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/envelope"
	"gst-kinesis/internal/shard"
)

// large is what no compression makes small.
func large(n int) string { return hex.EncodeToString(noise(rand.New(rand.NewPCG(1, 2)), n))[:n] }

func split(s *Settings, _ *fakeClient) { s.Oversize = OversizeSplit }

// A record larger than the stream takes goes in parts, in order, and counts as one.
func TestLargeRecordsInParts(t *testing.T) {
	bench(t, split, func(r *rig) {
		big := large(5 * shard.MiB)
		r.put("k", "before")
		r.put("k", big)
		r.put("k", "behind")
		r.flush()
		require.Equal(r, []string{"before", big, "behind"}, datas(r.c.all()))
		require.Equal(r, 8, r.c.units)
		books := r.p.Books()
		require.Equal(r, Count{3, int64(len(big) + 12)}, books.Accepted)
		require.Equal(r, books.Accepted, books.Delivered)
		require.Len(r, r.heard().deliveries, 3)
		require.Equal(r, len(big), r.heard().deliveries[1].Bytes)
		require.Equal(r, big, r.heard().deliveries[1].Token)
	})
}

// A part that is lost loses its record, once, and what is left of that is not sent.
func TestLostPart(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) {
		split(s, f)
		s.MaxBatchRecords, s.RetryAttempts = 1, 0
		f.recordFault = func(_ int, rec stored) (string, string) {
			if h, _, err := envelope.Parse([]byte(rec.data)); err == nil && h.Index == 2 {
				return "ValidationException", "1 validation error detected"
			}
			return "", ""
		}
	}, func(r *rig) {
		r.put("k", large(6*shard.MiB))
		r.put("k", "behind")
		r.flush()
		require.Equal(r, []string{"behind"}, datas(r.c.all()))
		require.Equal(r, 2+1, r.c.units, "two parts went before, none after")
		require.Equal(r, map[string]Count{"ValidationException": {1, 6 * shard.MiB}}, r.p.Books().Dropped)
		require.Len(r, r.heard().lost["ValidationException"], 1)
		require.Equal(r, 6*shard.MiB, r.heard().lost["ValidationException"][0].Bytes)
		require.Zero(r, r.p.Stats().Memory)
	})
}

func TestOversizeModes(t *testing.T) {
	for name, c := range map[string]struct {
		oversize    Oversize
		compression envelope.Codec
		text        string
		delivered   int64
		err         error
		parts       int
	}{
		"dropped":                   {OversizeDrop, envelope.None, large(2 * shard.MiB), 0, nil, 0},
		"an error":                  {OversizeError, envelope.None, large(2 * shard.MiB), 0, ErrOversize, 0},
		"compressed it fits":        {OversizeDrop, envelope.Zstd, strings.Repeat("x", 2*shard.MiB), 1, nil, 1},
		"compressed by gzip":        {OversizeError, envelope.Gzip, strings.Repeat("x", 2*shard.MiB), 1, nil, 1},
		"compressed it does not":    {OversizeDrop, envelope.Zstd, large(4 * shard.MiB), 0, nil, 0},
		"compressed and in parts":   {OversizeSplit, envelope.Zstd, large(4 * shard.MiB), 1, nil, 3},
		"no smaller by compressing": {OversizeSplit, envelope.Zstd, string(noise(rand.New(rand.NewPCG(3, 4)), 1000)), 1, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bench(t, func(s *Settings, _ *fakeClient) { s.Oversize, s.Compression = c.oversize, c.compression }, func(r *rig) {
				err := r.p.Put(context.Background(), r.record("k", c.text))
				require.ErrorIs(r, err, c.err)
				r.flush()
				require.Equal(r, c.delivered, r.p.Books().Delivered.Records)
				require.Equal(r, c.parts, r.c.units)
				if c.delivered > 0 {
					require.Equal(r, []string{c.text}, datas(r.c.all()))
					require.Equal(r, c.parts > 0 && len(c.text) > shard.MiB, r.c.all()[0].shaped)
				}
				if c.err != nil {
					require.EqualValues(r, 1, r.p.Books().Refused.Records)
					require.ErrorContains(r, err, "frames, which takes 1048576")
				}
			})
		})
	}
}

// The bounds on memory count all parts, and a record is dropped as a whole.
func TestPartsAndBounds(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) {
		split(s, f)
		s.MaxSizeBytes, s.Leaky = 8*shard.MiB, LeakyDownstream
		f.latency = func() time.Duration { return time.Minute }
		s.RequestTimeout, s.DrainTimeout = time.Hour, time.Hour
	}, func(r *rig) {
		for i := range 6 {
			r.put("k", fmt.Sprint(i)+large(3*shard.MiB))
			require.LessOrEqual(r, r.p.Stats().Memory, int64(9*shard.MiB))
		}
		require.EqualValues(r, 6, r.p.Books().Accepted.Records)
		require.GreaterOrEqual(r, r.p.Books().Dropped[ReasonLeakyOldest].Records, int64(3))
		r.flush()
		for _, d := range r.heard().deliveries {
			require.Contains(r, datas(r.c.all()), d.Token)
		}
	})
}

// What the stream takes is asked for; a first record that may be too large waits for the answer, and not for ever.
func TestLargestRecordIsAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		takes  time.Duration
		answer int
		err    error
		within time.Duration
		good   int64
	}{
		"more":              {time.Second, 3 * shard.MiB, nil, 1500 * time.Millisecond, 1},
		"less":              {time.Second, 2 * shard.MiB, nil, 1500 * time.Millisecond, 0},
		"not allowed":       {time.Second, 0, apiError("AccessDeniedException", 400), 1500 * time.Millisecond, 0},
		"no answer in time": {time.Hour, 3 * shard.MiB, nil, 2500 * time.Millisecond, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ask := func(ctx context.Context) (int, error) {
				select {
				case <-time.After(c.takes):
					return c.answer, c.err
				case <-ctx.Done():
					return 0, ctx.Err()
				}
			}
			bench(t, nil, func(r *rig) {
				r.put("k", large(5*shard.MiB/2))
				require.LessOrEqual(r, r.since(), c.within)
				r.put("k", "small")
				r.flush()
				require.Equal(r, c.good+1, r.p.Books().Delivered.Records)
				require.Equal(r, 1-c.good, r.p.Books().Dropped[ReasonOversize].Records)
				begun := r.since()
				r.put("k", "small") // and never again does anything wait
				require.Equal(r, begun, r.since())
			}, WithRecordLimit(ask))
		})
	}
}

// While the service does not answer, large records are not held up one by one, and one that waits is let go of.
func TestLargeRecordsInAnOutage(t *testing.T) {
	ask := func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
	bench(t, nil, func(r *rig) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := r.p.Put(ctx, r.record("k", large(2*shard.MiB)))
		require.ErrorIs(r, err, context.DeadlineExceeded)
		require.Equal(r, time.Second, r.since())
		require.EqualValues(r, 1, r.p.Books().Refused.Records)
		for range 10 {
			r.put("k", large(2*shard.MiB))
		}
		require.Equal(r, sizePatience, r.since(), "all together")
	}, WithRecordLimit(ask))
}

func BenchmarkCompression(b *testing.B) {
	text := []byte(strings.Repeat(`{"plate":"AB 123","speed":51.5,"lane":2},`, 100))
	for _, codec := range []envelope.Codec{envelope.None, envelope.Gzip, envelope.Zstd} {
		b.Run(codec.String(), func(b *testing.B) {
			s := Default()
			s.Stream, s.Compression = "frames", codec
			p, err := New(newDiscard(), s, nil)
			require.NoError(b, err)
			defer p.Close()
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				r := p.Reserve(len(text))
				copy(r.Data, text)
				r.PartitionKey = "camera0"
				if err := p.Put(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
