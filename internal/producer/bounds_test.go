package producer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/shard"
)

// hang makes the client hold every request.
func hang(s *Settings, c *fakeClient) {
	s.Linger, s.RequestTimeout = 0, time.Hour
	c.latency = func() time.Duration { return time.Hour }
}

func TestPutBlocksUntilThereIsRoom(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		s.MaxSizeBuffers, s.Linger = 2, time.Second
		c.latency = func() time.Duration { return 100 * time.Millisecond }
	}, func(r *rig) {
		r.putN("k", 2)
		require.Zero(r, r.since())
		r.put("k", "0002")
		require.Equal(r, 1100*time.Millisecond, r.since())
		r.flush()
		r.inOrder(r.c.all(), 3)
	})
}

func TestTryPutNeverWaits(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) { hang(s, c); s.MaxSizeBuffers = 2; s.StopTimeout = 0 }, func(r *rig) {
		require.NoError(r, r.p.TryPut(r.record("k", "0000")))
		require.NoError(r, r.p.TryPut(r.record("k", "0001")))
		require.ErrorIs(r, r.p.TryPut(r.record("k", "0002")), ErrWouldBlock)
		require.Zero(r, r.since())
		require.Equal(r, Count{2, 8}, r.p.Books().Accepted)
		require.Zero(r, r.p.Books().Refused, "it is put once more, by who may wait")
		r.p.Close()
		require.ErrorIs(r, r.p.TryPut(r.record("k", "0003")), ErrClosed)
		require.Equal(r, Count{1, 4}, r.p.Books().Refused)
	})
}

func TestPutGivesUpWithItsContext(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) { hang(s, c); s.MaxSizeBuffers = 1; s.StopTimeout = 0 }, func(r *rig) {
		r.put("k", "0000")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := r.p.Put(ctx, r.record("k", "0001"))
		require.ErrorIs(r, err, context.DeadlineExceeded)
		require.Equal(r, time.Second, r.since())
		require.Equal(r, Count{1, 4}, r.p.Books().Refused)
		require.Equal(r, Count{1, 4}, r.p.Books().Accepted)
	})
}

func TestPutIsWokenByClose(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) { hang(s, c); s.MaxSizeBuffers = 1; s.StopTimeout = time.Second }, func(r *rig) {
		r.put("k", "0000")
		result := make(chan error, 1)
		go func() { result <- r.p.Put(context.Background(), r.record("k", "0001")) }()
		synctest.Wait()
		go r.p.Close()
		require.ErrorIs(r, <-result, ErrClosed)
		require.Zero(r, r.since())
	})
}

func TestBounds(t *testing.T) {
	kilobyte := strings.Repeat("x", 1000)
	for _, c := range []struct {
		name    string
		prepare func(*Settings)
		room    int
	}{
		{"buffers", func(s *Settings) { s.MaxSizeBuffers = 7 }, 7},
		{"bytes", func(s *Settings) { s.MaxSizeBytes = 5 * (1024 + recordOverhead) }, 5},
		{"time", func(s *Settings) { s.MaxSizeTime = 4 * time.Second }, 4},
		{"the first that is reached", func(s *Settings) { s.MaxSizeBuffers = 7; s.MaxSizeTime = 3 * time.Second }, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			bench(t, func(s *Settings, c2 *fakeClient) {
				hang(s, c2)
				s.Leaky = LeakyUpstream
				s.StopTimeout = 0
				c.prepare(s)
			}, func(r *rig) {
				for i := range 20 {
					rec := r.record("k", kilobyte)
					rec.PTS = uint64(i) * uint64(time.Second)
					require.NoError(r, r.p.Put(context.Background(), rec))
				}
				require.EqualValues(r, c.room, r.p.Books().InFlight.Records)
				require.EqualValues(r, 20-c.room, r.p.Books().Dropped[ReasonLeakyNewest].Records)
			})
		})
	}
}

func TestMaxSizeTimeWithoutTimestamps(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		hang(s, c)
		s.Leaky, s.MaxSizeTime, s.StopTimeout = LeakyUpstream, time.Second, 0
	}, func(r *rig) {
		for range 20 {
			r.put("k", "x")
			time.Sleep(100 * time.Millisecond)
		}
		require.EqualValues(r, 10, r.p.Books().InFlight.Records)
	})
}

func TestARecordLargerThanTheBoundIsTakenAlone(t *testing.T) {
	bench(t, func(s *Settings, _ *fakeClient) { s.MaxSizeBytes = 100; s.Linger = 0 }, func(r *rig) {
		for range 3 {
			r.put("k", strings.Repeat("x", 5000))
		}
		r.flush()
		require.Len(r, r.c.all(), 3)
	})
}

func TestLeakyDownstreamDropsTheOldestWaiting(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		s.MaxSizeBuffers, s.Linger, s.Leaky = 5, 0, LeakyDownstream
		c.latency = func() time.Duration { return time.Second }
	}, func(r *rig) {
		r.put("a", "0000")
		r.settle(0) // in flight: it stays
		for i := 1; i < 20; i++ {
			r.put([]string{"a", "b"}[i%2], fmt.Sprintf("%04d", i))
		}
		r.flush()
		kept := map[string]bool{}
		for _, d := range datas(r.c.all()) {
			kept[d] = true
		}
		require.True(r, kept["0000"])
		require.True(r, kept["0019"])
		for _, l := range r.heard().lost[ReasonLeakyOldest] {
			require.False(r, kept[l.Token.(string)])
		}
		require.Len(r, r.c.all(), 20-len(r.heard().lost[ReasonLeakyOldest]))
		require.NotEmpty(r, r.heard().lost[ReasonLeakyOldest])
		last := ""
		for _, l := range r.heard().lost[ReasonLeakyOldest] { // the oldest first
			require.Less(r, last, l.Token.(string))
			last = l.Token.(string)
		}
	})
}

func TestLeakyDownstreamNeverBlocks(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		hang(s, c)
		s.MaxSizeBuffers, s.Leaky, s.StopTimeout = 1, LeakyDownstream, 0
	}, func(r *rig) {
		r.put("k", "0000")
		r.settle(0)
		r.put("k", "0001") // nothing waits that could be dropped
		require.Equal(r, Count{1, 4}, r.p.Books().Dropped[ReasonLeakyNewest])
		require.Zero(r, r.since())
	})
}

func TestSetLeakyWakesPut(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) { hang(s, c); s.MaxSizeBuffers = 1; s.StopTimeout = 0 }, func(r *rig) {
		r.put("k", "0000")
		result := make(chan error, 1)
		go func() { result <- r.p.Put(context.Background(), r.record("k", "0001")) }()
		synctest.Wait()
		r.p.SetLeaky(LeakyUpstream)
		require.NoError(r, <-result)
		require.Equal(r, Count{1, 4}, r.p.Books().Dropped[ReasonLeakyNewest])
	})
}

func TestLeaksAreToldOnceASecond(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		hang(s, c)
		s.MaxSizeBuffers, s.Leaky, s.StopTimeout = 1, LeakyUpstream, 0
	}, func(r *rig) {
		for range 350 {
			r.put("k", "x")
			time.Sleep(10 * time.Millisecond)
		}
		count := 0
		var at []time.Duration
		for i, trouble := range r.heard().troubles {
			if trouble.Reason == ReasonLeakyNewest {
				count += trouble.Count
				at = append(at, r.heard().troubleAt[i].Sub(r.began))
			}
		}
		require.Equal(r, []time.Duration{10 * time.Millisecond, 1010 * time.Millisecond, 2010 * time.Millisecond, 3010 * time.Millisecond}, at)
		require.Less(r, count, 350)
	})
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	require.Error(t, Default().Validate())
	for name, change := range map[string]func(*Settings){
		"no bound":         func(s *Settings) { s.MaxSizeBytes = 0 },
		"negative bound":   func(s *Settings) { s.MaxSizeBuffers = -1 },
		"leaky":            func(s *Settings) { s.Leaky = 3 },
		"batch records":    func(s *Settings) { s.MaxBatchRecords = 501 },
		"batch bytes":      func(s *Settings) { s.MaxBatchBytes = shard.MaxRequestBytes + 1 },
		"in flight":        func(s *Settings) { s.MaxInFlight = 0 },
		"record size":      func(s *Settings) { s.MaxRecordSize = shard.MaxMaxRecordBytes + 1 },
		"retries":          func(s *Settings) { s.RetryAttempts = -2 },
		"linger":           func(s *Settings) { s.Linger = -1 },
		"request timeout":  func(s *Settings) { s.RequestTimeout = 0 },
		"stop timeout":     func(s *Settings) { s.StopTimeout = -1 },
		"record ttl":       func(s *Settings) { s.RecordTTL = -1 },
		"permanent grace":  func(s *Settings) { s.PermanentGrace = -1 },
		"no stream at all": func(s *Settings) { s.Stream = "" },
	} {
		s := Default()
		s.Stream = "frames"
		require.NoError(t, s.Validate())
		change(&s)
		require.Error(t, s.Validate(), name)
		_, err := New(&fakeClient{}, s, nil)
		require.Error(t, err, name)
	}
	s := Default()
	s.StreamARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/frames"
	require.NoError(t, s.Validate())
}

func TestErrorsOfAClosedProducer(t *testing.T) {
	bench(t, nil, func(r *rig) {
		r.p.Close()
		r.p.Close()
		err := r.p.Put(context.Background(), r.record("k", "x"))
		require.ErrorIs(r, err, ErrClosed)
		require.False(r, errors.Is(err, ErrFailed))
		require.NoError(r, r.p.Flush(context.Background()))
	})
}

// Who waits for Flush has heard of every loss when it returns, though one of the kind was told just before.
func TestFlushTellsOfLosses(t *testing.T) {
	bench(t, nil, func(r *rig) {
		for i := range 5 {
			r.put("", "x")
			r.flush()
			told := 0
			for _, trouble := range r.heard().troubles {
				require.Equal(r, ReasonBadKey, trouble.Reason)
				told += trouble.Records
			}
			require.Equal(r, i+1, told)
		}
		require.Less(r, r.since(), time.Second)
	})
}
