package consumer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
)

func TestExpiredIterators(t *testing.T) {
	for name, first := range map[string]string{"after a record": "k 0", "at the tip": ""} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				f, g := newFake(1), &got{}
				f.iterLife = time.Minute
				var down atomic.Bool
				f.fail = func(string, string) error {
					if down.Load() {
						return syscall.ECONNRESET
					}
					return nil
				}
				f.put(0, "k", "before")
				time.Sleep(time.Second)
				c := start(t, f, Options{}, g.handle)
				time.Sleep(time.Second)
				var want []string
				if first != "" {
					f.put(0, "k", "0")
					want = append(want, first)
					time.Sleep(time.Second)
				}
				down.Store(true)
				f.put(0, "k", "1")
				time.Sleep(3 * time.Minute)
				down.Store(false)
				time.Sleep(20 * time.Second)
				require.Equal(t, append(want, "k 1"), g.all(), "nothing lost, nothing twice")
				require.EqualValues(t, 1, c.Stats().Expired)
				require.NoError(t, c.Close())
				require.NotContains(t, f.asked[1:], f.shards[0].id+" LATEST", "the tip has moved on by then")
			})
		})
	}
}

func TestLimitsOfAShardAreKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, g := newFake(1), &got{}
		f.perCall = 1
		for range 20 {
			f.put(0, "k", "x")
		}
		for range 10 {
			f.put(0, "k", strings.Repeat("x", 1<<20))
		}
		f.latency = time.Millisecond
		c := start(t, f, Options{From: TrimHorizon()}, g.handle)
		time.Sleep(30 * time.Second)
		require.Len(t, g.all(), 30)
		require.NoError(t, c.Close())
		calls := f.calls["GetRecords "+f.shards[0].id]
		for i := range calls[:20] {
			require.GreaterOrEqual(t, calls[i+1].Sub(calls[i]), 200*time.Millisecond)
			require.Less(t, calls[i+1].Sub(calls[i]), 210*time.Millisecond, "no slower than permitted while behind")
		}
		for i := range 9 {
			require.GreaterOrEqual(t, calls[21+i].Sub(calls[20+i]), 500*time.Millisecond, "1 MiB at 2 MiB/s")
		}
	})
}

// logBuffer takes log lines from several goroutines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestThrottlingIsBackedOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, g := newFake(1), &got{}
		f.put(0, "k", "0")
		f.fail = func(operation, _ string) error {
			if operation == "GetRecords" && time.Since(epoch(t)) < time.Minute {
				return &types.ProvisionedThroughputExceededException{Message: aws.String("Rate exceeded for shard")}
			}
			return nil
		}
		var log logBuffer
		c := start(t, f, Options{From: TrimHorizon(), Log: slog.New(slog.NewTextHandler(&log, nil))}, g.handle)
		time.Sleep(2 * time.Minute)
		require.Equal(t, []string{"k 0"}, g.all())
		require.NoError(t, c.Close())
		s := c.Stats()
		require.EqualValues(t, len(f.calls["GetRecords "+f.shards[0].id]), s.Calls)
		require.Less(t, int(s.Throttled), 60, "back-off grows")
		require.Greater(t, int(s.Throttled), 10)
		require.Contains(t, log.String(), "class=throttled")
		require.Contains(t, log.String(), "works again")
	})
}

func TestTransientFailuresAreWaitedOutWithFewWarnings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, g := newFake(20), &got{}
		f.put(7, "k", "0")
		f.fail = func(string, string) error {
			if time.Since(epoch(t)) < time.Hour {
				return fmt.Errorf("dial tcp: %w", syscall.ECONNREFUSED)
			}
			return nil
		}
		var log logBuffer
		c := start(t, f, Options{From: TrimHorizon(), Log: slog.New(slog.NewTextHandler(&log, nil))}, g.handle)
		time.Sleep(59 * time.Minute)
		require.NotEmpty(t, log.String())
		first, _, _ := strings.Cut(log.String(), "\n")
		require.Contains(t, first, "time=2000-01-01T00:00:00", "the first is told at once")
		require.Contains(t, first, "listing the shards of stream s failed")
		require.Contains(t, first, "code="+awserr.CodeRefused)
		time.Sleep(2 * time.Minute)
		require.Equal(t, []string{"k 0"}, g.all())
		require.NoError(t, c.Close())
	})
}

func TestWarningsAreAtMostOneASecond(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := newFake(50)
		f.fail = func(operation, _ string) error {
			if operation == "GetRecords" {
				return fmt.Errorf("read: %w", syscall.ECONNRESET)
			}
			return nil
		}
		var log logBuffer
		c := start(t, f, Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, (&got{}).handle)
		time.Sleep(time.Minute)
		require.NoError(t, c.Close())
		lines := strings.Count(log.String(), "failed, trying again")
		require.LessOrEqual(t, lines, 61)
		require.Greater(t, lines, 30)
		require.Contains(t, log.String(), "more-since-last=", "what was kept back is counted")
	})
}

func TestPermanentFailuresEndIt(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform: kinesis:GetRecords"}
	missing := &types.ResourceNotFoundException{Message: aws.String("Stream s under account 1 not found.")}
	expired := &smithy.GenericAPIError{Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}
	for name, c := range map[string]struct {
		operation string
		err       error
		want      []string
		calls     int
	}{
		"stream missing":      {"ListShards", missing, []string{"listing the shards of stream s: ResourceNotFoundException", "gst-kinesis stream create s"}, 1},
		"not allowed":         {"GetRecords", denied, []string{"reading shard shardId-000000000000: AccessDeniedException", "kinesis:GetShardIterator and kinesis:GetRecords"}, 1},
		"iterator denied":     {"GetShardIterator", denied, []string{"AccessDenied"}, 1},
		"expired credentials": {"GetRecords", expired, []string{"ExpiredToken", "renew"}, lastingTries},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				f := newFake(1)
				f.fail = func(operation, _ string) error {
					if operation == c.operation {
						return c.err
					}
					return nil
				}
				err := start(t, f, Options{Region: "eu-west-1"}, (&got{}).handle).Wait()
				for _, want := range c.want {
					require.ErrorContains(t, err, want)
				}
				var e *Error
				require.ErrorAs(t, err, &e)
				require.ErrorIs(t, err, c.err)
				calls := 0
				for key, at := range f.calls {
					if strings.HasPrefix(key, c.operation) {
						calls += len(at)
					}
				}
				require.Equal(t, c.calls, calls)
			})
		})
	}
}

func TestHandlerErrorsEndIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := newFake(3)
		f.put(1, "k", "0")
		full := errors.New("disk full")
		c := start(t, f, Options{From: TrimHorizon()}, func(context.Context, Batch) error { return full })
		require.ErrorIs(t, c.Wait(), full)
		require.ErrorIs(t, c.Close(), full)
	})
}

func TestHandlerErrorsEndItWhileListingHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := newFake(2)
		f.reshard(2, 0)
		f.put(1, "k", "0")
		f.fail = func(operation, _ string) error {
			if operation == "ListShards" && len(f.calls["ListShards"]) > 1 {
				return syscall.ECONNREFUSED
			}
			return nil
		}
		full := errors.New("disk full")
		c := start(t, f, Options{From: TrimHorizon()}, func(_ context.Context, b Batch) error {
			if b.End {
				return nil
			}
			time.Sleep(time.Minute)
			return full
		})
		require.ErrorIs(t, c.Wait(), full)
	})
}

func TestCloseInterruptsEverything(t *testing.T) {
	for name, setUp := range map[string]func(f *fakeStream){
		"a slow call":   func(f *fakeStream) { f.latency = time.Hour },
		"a back-off":    func(f *fakeStream) { f.fail = func(string, string) error { return syscall.ECONNREFUSED } },
		"a handler":     func(*fakeStream) {},
		"a long answer": func(f *fakeStream) { f.put(0, "k", strings.Repeat("x", 20<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				f := newFake(2)
				f.put(1, "k", "0")
				setUp(f)
				c := start(t, f, Options{From: TrimHorizon()}, func(ctx context.Context, b Batch) error {
					if name == "a handler" {
						<-ctx.Done()
						return ctx.Err()
					}
					return nil
				})
				time.Sleep(time.Second)
				before := time.Now()
				require.NoError(t, c.Close())
				require.Equal(t, before, time.Now(), "at once")
			})
		})
	}
}

func TestSlowCallsTimeOutAndAreTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, g := newFake(1), &got{}
		f.put(0, "k", "0")
		f.latency = time.Minute
		c := start(t, f, Options{From: TrimHorizon(), RequestTimeout: time.Second}, g.handle)
		time.Sleep(time.Minute)
		require.Empty(t, g.all())
		require.NotZero(t, c.Stats().Retried)
		f.mu.Lock()
		f.latency = 0
		f.mu.Unlock()
		time.Sleep(time.Minute)
		require.Equal(t, []string{"k 0"}, g.all())
	})
}
