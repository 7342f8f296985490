package producer

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFlushDoesNotLinger(t *testing.T) {
	bench(t, func(s *Settings, _ *fakeClient) { s.Linger = time.Hour }, func(r *rig) {
		r.putN("k", 5)
		r.flush()
		require.Equal(r, 10*time.Millisecond, r.since())
		require.Len(r, r.heard().deliveries, 5, "the observer was told")
		r.put("k", "later") // lingers again
		r.settle(time.Minute)
		require.Equal(r, 1, r.c.callCount())
	})
}

func TestFlushOfNothing(t *testing.T) {
	bench(t, nil, func(r *rig) {
		r.flush()
		require.Zero(r, r.since())
	})
}

func TestFlushDropsWhatIsLeft(t *testing.T) {
	t.Run("waiting and in flight", func(t *testing.T) {
		bench(t, func(s *Settings, f *fakeClient) { hang(s, f); s.DrainTimeout = 3 * time.Second; s.MaxBatchRecords = 2 }, func(r *rig) {
			r.putN("k", 5)
			err := r.p.Flush(context.Background())
			require.ErrorIs(r, err, ErrDrainTimeout)
			require.Equal(r, 3*time.Second, r.since())
			require.Len(r, r.heard().lost[ReasonDrain], 5)
			r.settle(0)
			require.Zero(r, r.p.Stats().RequestsInFlight)
			last := r.heard().troubles[len(r.heard().troubles)-1]
			require.Equal(r, ReasonDrain, last.Reason)
			require.Equal(r, 5, last.Records)
		})
	})
	t.Run("backing off", func(t *testing.T) {
		bench(t, func(s *Settings, f *fakeClient) {
			s.DrainTimeout = 3 * time.Second
			f.script = failWith(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}, 1)
		}, func(r *rig) {
			r.putN("k", 5)
			require.ErrorIs(r, r.p.Flush(context.Background()), ErrDrainTimeout)
			require.Equal(r, 3*time.Second, r.since())
			require.Len(r, r.heard().lost[ReasonDrain], 5)
		})
	})
	t.Run("at once", func(t *testing.T) {
		bench(t, func(s *Settings, f *fakeClient) { hang(s, f); s.DrainTimeout = 0 }, func(r *rig) {
			r.putN("k", 5)
			require.ErrorIs(r, r.p.Flush(context.Background()), ErrDrainTimeout)
			require.Zero(r, r.since())
		})
	})
}

func TestFlushIsCancelled(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) { hang(s, f); s.DrainTimeout = -1; s.StopTimeout = 0 }, func(r *rig) {
		r.putN("k", 5)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(r, r.p.Flush(ctx), context.DeadlineExceeded)
		require.Equal(r, time.Second, r.since())
		require.EqualValues(r, 5, r.p.Books().InFlight.Records, "nothing is dropped")
	})
}

func TestFlushIgnoresWhatComesLater(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) {
		s.Linger = time.Hour
		f.latency = func() time.Duration { return time.Second }
	}, func(r *rig) {
		r.put("k", "0000")
		done := make(chan error)
		go func() { done <- r.p.Flush(context.Background()) }()
		synctest.Wait()
		stop := make(chan struct{})
		go func() { // an endless stream of others
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Millisecond):
					_ = r.p.Put(context.Background(), r.record("k", fmt.Sprint(i)))
				}
			}
		}()
		require.NoError(r, <-done)
		require.Equal(r, time.Second, r.since())
		close(stop)
		synctest.Wait()
	})
}

func TestFlushKeepsLaterRecordsOfACutRequest(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) {
		s.DrainTimeout, s.Linger = time.Second, 0
		slow := true
		f.latency = func() time.Duration {
			if slow {
				slow = false
				return 9 * time.Second
			}
			return time.Millisecond
		}
	}, func(r *rig) {
		r.put("k", "0000")
		r.settle(0)
		done := make(chan error)
		go func() { done <- r.p.Flush(context.Background()) }()
		synctest.Wait()
		r.put("k", "0001")
		require.ErrorIs(r, <-done, ErrDrainTimeout)
		r.settle(time.Second)
		require.Equal(r, []string{"0001"}, datas(r.c.all()))
	})
}

func TestCloseDrainsWithinItsTime(t *testing.T) {
	bench(t, func(s *Settings, _ *fakeClient) { s.Linger = time.Hour }, func(r *rig) {
		r.putN("k", 700)
		r.p.Close()
		require.Equal(r, 20*time.Millisecond, r.since())
		r.inOrder(r.c.all(), 700)
	})
}

func TestCloseDropsWhatIsLeft(t *testing.T) {
	for _, timeout := range []time.Duration{0, 2 * time.Second} {
		t.Run(fmt.Sprint(timeout), func(t *testing.T) {
			bench(t, func(s *Settings, f *fakeClient) { hang(s, f); s.StopTimeout = timeout; s.MaxBatchRecords = 2 }, func(r *rig) {
				r.putN("k", 5)
				r.p.Close()
				require.Equal(r, timeout, r.since())
				require.Len(r, r.heard().lost[ReasonStop], 5)
				require.Equal(r, ReasonStop, r.heard().troubles[len(r.heard().troubles)-1].Reason)
				require.Equal(r, 5, r.heard().troubles[len(r.heard().troubles)-1].Records)
			})
		})
	}
}

func TestCloseDuringFlush(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) { hang(s, f); s.StopTimeout = time.Second }, func(r *rig) {
		r.putN("k", 5)
		done := make(chan error)
		go func() { done <- r.p.Flush(context.Background()) }()
		synctest.Wait()
		r.p.Close()
		require.NoError(r, <-done, "all is accounted for: dropped(stop)")
		require.Len(r, r.heard().lost[ReasonStop], 5)
	})
}

func TestSeveralClosesWaitForTheEnd(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) { hang(s, f); s.StopTimeout = time.Second }, func(r *rig) {
		r.put("k", "x")
		done := make(chan time.Duration)
		for range 3 {
			go func() {
				r.p.Close()
				done <- r.since()
			}()
		}
		for range 3 {
			require.Equal(r, time.Second, <-done)
		}
	})
}

func TestRestartedManyTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for range 200 { // a bubble ends only when all goroutines have
			inBubble(t, nil, func(r *rig) { r.put("k", "0000") })
		}
	})
}

// slowObserver holds the calls of Dropped and Delivered until it is let go.
type slowObserver struct {
	*fakeObserver
	hold chan struct{}
}

func (o *slowObserver) Dropped(reason string, lost []Lost) {
	<-o.hold
	o.fakeObserver.Dropped(reason, lost)
}

func (o *slowObserver) Delivered(a *Answer) {
	<-o.hold
	o.fakeObserver.Delivered(a)
}

func TestFlushWaitsForTheObserver(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{"delivered": "x", "dropped": "much too large"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := &slowObserver{newFakeObserver(), make(chan struct{})}
				s := Default()
				s.Stream, s.MaxRecordSize, s.DrainTimeout = "frames", 5, -1
				p, err := New(&fakeClient{}, s, o)
				require.NoError(t, err)
				defer p.Close()
				go func() {
					r := p.Reserve(len(data))
					r.PartitionKey = "k"
					_ = p.Put(context.Background(), r)
				}()
				synctest.Wait()
				flushed := make(chan error, 1)
				go func() { flushed <- p.Flush(context.Background()) }()
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Empty(t, flushed)
				close(o.hold)
				require.NoError(t, <-flushed)
				require.Len(t, o.deliveries, map[string]int{"delivered": 1}[name])
			})
		})
	}
}

// TestFailureBetweenAnswerAndEndOfARequest lets the stream fail while the observer
// is being told of an answer of which a record is to be sent again.
func TestFailureBetweenAnswerAndEndOfARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &slowObserver{newFakeObserver(), make(chan struct{})}
		c := &fakeClient{shards: 1}
		c.recordFault = func(call int, r stored) (string, string) {
			if r.data == "again" {
				return "InternalFailure", ""
			}
			return "", ""
		}
		c.script = func(call int, _ []stored) (bool, error) {
			if call > 1 {
				return false, apiError("AccessDeniedException", 400)
			}
			return false, nil
		}
		s := Default()
		s.Stream, s.PermanentGrace = "frames", 0
		p, err := New(c, s, o)
		require.NoError(t, err)
		defer p.Close()
		put := func(key, data string) {
			r := p.Reserve(len(data))
			copy(r.Data, data)
			r.PartitionKey = key
			require.NoError(t, p.Put(context.Background(), r))
		}
		put("a", "good")
		put("a", "again")
		time.Sleep(time.Second)
		synctest.Wait() // the observer holds the answer
		put("b", "x")
		time.Sleep(time.Second)
		synctest.Wait() // the second request failed for good
		close(o.hold)
		synctest.Wait()
		require.Len(t, o.snapshot().failures, 1)
		books := p.Books()
		require.Zero(t, books.InFlight, "%+v", books)
		require.EqualValues(t, 2, books.Dropped["AccessDeniedException"].Records)
		require.ErrorIs(t, p.Flush(context.Background()), ErrFailed)
	})
}
