package producer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
)

func TestExpiredCredentialsAreRefreshedOnce(t *testing.T) {
	refreshed := 0
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inBubble(t, func(_ *Settings, f *fakeClient) {
			f.script = func(call int, _ []stored) (bool, error) {
				if call >= 2 && refreshed == 0 {
					return false, apiError("ExpiredTokenException", 400)
				}
				return false, nil
			}
		}, func(r *rig) {
			r.put("k", "0000")
			r.flush()
			r.put("k", "0001")
			r.flush()
			r.settle(5 * time.Second)
			r.inOrder(r.c.all(), 2)
			require.Equal(t, 1, refreshed)
			require.Empty(t, r.heard().troubles)
		}, WithCredentials(nil, func() { refreshed++ }))
	})
}

// Whoever rotates the credentials may be late: it is looked again for new ones as long as the service says that those at hand have expired.
func TestCredentialsThatAreRotatedLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fresh atomic.Bool
		began := time.Now()
		inBubble(t, func(_ *Settings, f *fakeClient) {
			f.script = func(call int, _ []stored) (bool, error) {
				if call >= 2 && !fresh.Load() {
					return false, apiError("ExpiredTokenException", 400)
				}
				return false, nil
			}
		}, func(r *rig) {
			r.put("k", "0000")
			r.flush()
			r.put("k", "0001")
			r.settle(20 * time.Second)
			r.inOrder(r.c.all(), 2)
			require.Empty(t, r.heard().failures)
			require.NotEmpty(t, r.heard().troubles, "it is said meanwhile")
		}, WithCredentials(nil, func() { fresh.Store(time.Since(began) > 10*time.Second) }))
	})
}

func TestManyRequestsThatFindCredentialsExpiredAreOneChance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var refreshed atomic.Int64
		inBubble(t, func(s *Settings, f *fakeClient) {
			s.MaxInFlight, s.MaxBatchRecords, s.Linger = 8, 1, 0
			f.script = func(int, []stored) (bool, error) {
				if refreshed.Load() == 0 {
					return false, apiError("ExpiredTokenException", 400)
				}
				return false, nil
			}
		}, func(r *rig) {
			for i := range 20 {
				r.put(fmt.Sprint("key", i), "x")
			}
			r.flush()
			require.Greater(t, r.c.peakInFlight(), 4)
			require.EqualValues(t, 1, refreshed.Load())
			require.Empty(t, r.heard().failures)
		}, WithCredentials(nil, func() { refreshed.Add(1) }))
	})
}

func TestClockSkewIsGivenTheSDKsCorrection(t *testing.T) {
	bench(t, func(_ *Settings, f *fakeClient) {
		f.script = func(call int, _ []stored) (bool, error) {
			if call == 1 {
				return false, apiError("InvalidSignatureException", 400, "Signature expired: 20261101T000000Z is now earlier than 20261101T000500Z")
			}
			return false, nil
		}
	}, func(r *rig) {
		r.put("k", "0000")
		r.flush()
		require.Empty(r, r.heard().failures)
	})
}

func TestMissingCredentialsAreFoundWithoutARecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inBubble(t, nil, func(r *rig) {
			r.settle(2 * time.Second)
			require.Len(t, r.heard().failures, 1)
			require.Equal(t, awserr.CodeNoCredentials, r.heard().failures[0].Code)
			require.Zero(t, r.c.callCount())
		}, WithCredentials(func(context.Context) error {
			time.Sleep(time.Second)
			return errors.New("retrieve credentials: nothing found")
		}, nil))
	})
}

func TestCredentialsThatComeLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		checks := 0
		inBubble(t, nil, func(r *rig) {
			r.settle(time.Minute)
			require.Equal(t, 4, checks)
			require.Empty(t, r.heard().failures)
			require.NotEmpty(t, r.heard().troubles)
		}, WithCredentials(func(context.Context) error {
			if checks++; checks < 4 {
				return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
			}
			return nil
		}, nil))
	})
}

func TestCloseDoesNotWaitForTheCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inBubble(t, nil, func(r *rig) {
			r.p.Close()
			require.Zero(t, r.since())
		}, WithCredentials(func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}, nil))
	})
}
