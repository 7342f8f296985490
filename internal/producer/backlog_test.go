package producer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/spool"
)

// openSpool opens a spool in a bubble; it is closed by the caller, in it.
func openSpool(t *testing.T, dir string, change func(*spool.Settings)) *spool.Spool {
	t.Helper()
	set := spool.Settings{Directory: dir, MaxBytes: 64 << 20, Sync: spool.SyncNone}
	if change != nil {
		change(&set)
	}
	s, err := spool.Open(set)
	require.NoError(t, err)
	return s
}

// spooled runs body with a producer on a spool in dir.
func spooled(t *testing.T, dir string, prepare func(*Settings, *fakeClient), body func(r *rig, s *spool.Spool)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := openSpool(t, dir, nil)
		defer s.Close()
		inBubble(t, prepare, func(r *rig) { body(r, s) }, WithSpool(s))
	})
}

// down is a stream that cannot be reached until it is told otherwise.
type down struct {
	mu sync.Mutex
	up bool
}

func (d *down) set(up bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.up = up
}

func (d *down) script(int, []stored) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.up {
		return false, nil
	}
	return false, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

// In an outage records go to disk when memory is full, and all arrive in order when it is over.
func TestOutageThroughTheSpool(t *testing.T) {
	t.Parallel()
	var link down
	spooled(t, t.TempDir(), func(s *Settings, f *fakeClient) {
		s.MaxSizeBuffers, s.DrainTimeout = 20, time.Minute
		f.script = link.script
	}, func(r *rig, s *spool.Spool) {
		r.putN("k", 500)
		r.settle(time.Minute)
		b := r.p.Books()
		require.EqualValues(r, 500, b.Accepted.Records)
		require.LessOrEqual(r, b.InFlight.Records, int64(20))
		require.EqualValues(r, 500, b.InFlight.Records+b.Spooled.Records)
		require.EqualValues(r, 500, s.Stats().Records)
		link.set(true)
		r.put("k", "0500")
		r.flush()
		r.inOrder(r.c.all(), 501)
		require.EqualValues(r, 501, r.p.Books().Delivered.Records)
		require.Zero(r, s.Stats().Records)
		require.Empty(r, r.p.backlog.resident)
		r.put("k", "0501")
		r.settle(time.Second)
		require.Len(r, r.c.all(), 502, "and it goes on live")
		require.Zero(r, r.p.Books().Spooled)
	})
}

// A key of which nothing waits on disk is not held up by those that do.
func TestLiveGoesBesideTheBacklog(t *testing.T) {
	t.Parallel()
	var link down
	spooled(t, t.TempDir(), func(s *Settings, f *fakeClient) {
		s.MaxSizeBuffers, s.DrainTimeout, s.RateLimit = 50, time.Minute, 100
		s.MaxBatchRecords, s.MaxInFlight = 1, 1
		f.latency = func() time.Duration { return 50 * time.Millisecond }
		f.script = link.script
	}, func(r *rig, _ *spool.Spool) {
		r.putN("old", 500)
		link.set(true)
		r.settle(6 * time.Second) // the back-off is over, and the backlog on its way: one record in 50 ms
		require.Positive(r, r.p.Books().Spooled.Records)
		before := len(r.c.all())
		r.put("new", "live")
		r.settle(5 * time.Second)
		for i, s := range r.c.all() {
			if s.key == "new" {
				require.Less(r, i-before, 60, "it waited for what was in memory, not for the disk")
				return
			}
		}
		r.Fatal("it did not come")
	})
}

// What is left at the end comes first in the next run.
func TestTheNextRunGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var link down
	spooled(t, dir, func(s *Settings, f *fakeClient) { s.MaxSizeBuffers, f.script = 20, link.script }, func(r *rig, _ *spool.Spool) {
		r.putN("k", 100)
		r.settle(time.Second)
		r.p.Close()
		b := r.p.Books()
		require.EqualValues(r, 100, b.Spooled.Records)
		require.Zero(r, b.InFlight)
		require.Empty(r, b.Dropped)
		require.Empty(r, r.heard().lost)
		require.GreaterOrEqual(r, r.heard().spooled, 100)
	})
	spooled(t, dir, nil, func(r *rig, s *spool.Spool) {
		require.EqualValues(r, 100, r.p.Books().Accepted.Records, "they count as accepted by this run too")
		r.put("k", "0100")
		r.flush()
		r.inOrder(r.c.all(), 101)
		require.EqualValues(r, 101, r.p.Books().Delivered.Records)
		require.Zero(r, s.Stats().Records)
	})
}

// The end of a drain, and a stream that fails for good, leave what they have in the spool; a record's own fault does not.
func TestWhatStaysInTheSpool(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script func(int, []stored) (bool, error)
		fault  func(int, stored) (string, string)
		stays  int64
		reason string
	}{
		"drain":     {script: new(down).script, stays: 10},
		"permanent": {script: failWith(apiError("AccessDeniedException", 400), 1), stays: 10},
		"its own fault": {fault: func(int, stored) (string, string) { return "ValidationException", "1 validation error" },
			reason: "ValidationException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spooled(t, t.TempDir(), func(s *Settings, f *fakeClient) { f.script, f.recordFault = c.script, c.fault }, func(r *rig, s *spool.Spool) {
				r.putN("k", 10)
				_ = r.p.Flush(context.Background())
				r.p.Close()
				b := r.p.Books()
				require.Equal(r, c.stays, b.Spooled.Records)
				require.Equal(r, c.stays, s.Stats().Records)
				if c.reason != "" {
					require.EqualValues(r, 10, b.Dropped[c.reason].Records)
				}
			})
		})
	}
}

// A disk that fails costs the safety, not the records: they go through memory, and it is said.
func TestSpoolThatFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	spooled(t, dir, nil, func(r *rig, s *spool.Spool) {
		r.putN("k", 5)
		r.settle(time.Second)
		require.NoError(r, s.Close())
		for i := range 5 {
			r.put("k", fmt.Sprintf("%04d", 5+i))
		}
		r.flush()
		r.inOrder(r.c.all(), 10)
		require.Equal(r, codeSpool, r.heard().troubles[0].Code)
		require.Contains(r, r.heard().troubles[0].Remedy, "spool-directory")
	})
}

// When the disk's share is full, leaky says what goes.
func TestSpoolThatIsFull(t *testing.T) {
	t.Parallel()
	for leaky, reason := range map[Leaky]string{LeakyUpstream: ReasonLeakyNewest, LeakyDownstream: ReasonLeakyOldest} {
		t.Run(leaky.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := openSpool(t, t.TempDir(), func(s *spool.Settings) { s.MaxBytes, s.SegmentBytes = 1<<20, 128<<10 })
				defer s.Close()
				var link down
				inBubble(t, func(s *Settings, f *fakeClient) {
					s.MaxSizeBuffers, s.Leaky, f.script, s.DrainTimeout = 4, leaky, link.script, time.Minute
				}, func(r *rig) {
					for i := range 100 {
						r.put("k", fmt.Sprintf("%04d", i)+large(20_000))
					}
					b := r.p.Books()
					require.EqualValues(r, 100, b.Accepted.Records)
					require.Greater(r, b.Dropped[reason].Records, int64(40))
					require.True(r, b.Balanced(), "%+v", b)
					link.set(true)
					r.flush()
					got := datas(r.c.all())
					require.EqualValues(r, len(got), 100-r.p.Books().Dropped[reason].Records)
					for i := 1; i < len(got); i++ {
						require.Less(r, got[i-1][:4], got[i][:4])
					}
					require.Zero(r, r.p.Books().Spooled)
				}, WithSpool(s))
			})
		})
	}
}

// A full spool holds up who may wait.
func TestFullSpoolBlocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openSpool(t, t.TempDir(), func(s *spool.Settings) { s.MaxBytes, s.SegmentBytes = 1<<20, 128<<10 })
		defer s.Close()
		var link down
		inBubble(t, func(s *Settings, f *fakeClient) {
			s.MaxSizeBuffers, f.script, s.DrainTimeout = 4, link.script, time.Minute
		}, func(r *rig) {
			var wg sync.WaitGroup
			wg.Go(func() {
				for i := range 200 {
					r.put("k", fmt.Sprintf("%04d", i)+large(20_000))
				}
			})
			r.settle(10 * time.Second)
			require.Less(r, r.p.Books().Accepted.Records, int64(60))
			link.set(true)
			wg.Wait()
			r.flush()
			require.Len(r, r.c.all(), 200)
			require.Empty(r, r.p.Books().Dropped)
		}, WithSpool(s))
	})
}

// Random faults over several runs on one directory: what was accepted is delivered, dropped and counted, or still there.
func TestSpoolUnderRandomFaults(t *testing.T) {
	t.Parallel()
	first := rand.Uint64()
	t.Logf("seeds from %d on", first)
	for i := range uint64(schedules / 16) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		require.NoError(t, err)
		runSpoolSchedule(t, first+i, filepath.Join(dir, "spool"))
		if t.Failed() {
			t.Fatalf("with seed %d", first+i)
		}
	}
}

func runSpoolSchedule(t *testing.T, seed uint64, dir string) {
	r := rand.New(rand.NewPCG(seed, 7))
	accepted, stream, dropped, strict := map[string]bool{}, map[string]int{}, 0, seed%2 == 0
	came := map[string][]string{} // by key, where it came first
	left := int64(0)
	runs := 2 + r.IntN(3)
	for run := range runs {
		synctest.Test(t, func(t *testing.T) {
			s := newSchedule(t, seed+uint64(run)<<32)
			s.settings.Aggregation, s.settings.Compression, s.settings.Oversize = AggregateNone, 0, OversizeDrop
			s.settings.MaxSizeBuffers, s.settings.RecordTTL, s.settings.RetryAttempts = 1+r.IntN(30), 0, -1
			if strict {
				s.settings.Ordering = Strict
			}
			s.letters, s.permanent, s.client.lines = nil, s.permanent && run < runs-1, false
			if run == runs-1 { // all is well in the end
				s.client = &fakeClient{shards: 2}
				s.settings.DrainTimeout = time.Hour
			}
			disk := openSpool(t, dir, func(set *spool.Settings) { set.SegmentBytes = 4 << 10 })
			defer disk.Close()
			p, err := New(s.client, s.settings, s.observer, WithSeed(seed), WithSpool(disk))
			require.NoError(t, err)
			defer p.Close()
			require.Equal(t, left, p.Books().Accepted.Records)
			for i := range 100 {
				data := fmt.Sprintf("%d:%05d", run, i)
				rec := p.Reserve(len(data))
				copy(rec.Data, data)
				rec.PartitionKey, rec.Token = fmt.Sprint("key", r.IntN(3)), data
				if err := p.Put(context.Background(), rec); err == nil {
					accepted[data] = true
				}
				if r.IntN(10) == 0 {
					time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
				}
			}
			if run == runs-1 || r.IntN(2) == 0 {
				_ = p.Flush(context.Background())
			}
			p.Close()
			books := p.Books()
			require.True(t, books.Balanced(), "%+v", books)
			require.Zero(t, books.InFlight)
			require.Equal(t, disk.Stats().Records, books.Spooled.Records)
			left = books.Spooled.Records
			dropped += int(books.DroppedAll().Records)
			for _, rec := range s.client.kept {
				if stream[rec.data]++; stream[rec.data] == 1 {
					came[rec.key] = append(came[rec.key], rec.data)
				}
			}
		})
	}
	require.Zero(t, left)
	missing := 0
	for data := range accepted {
		if stream[data] == 0 {
			missing++
		}
	}
	for key, list := range came {
		if strict {
			require.IsIncreasing(t, list, "the order of %s, also from run to run", key)
		}
	}
	require.LessOrEqual(t, missing, dropped, "what is not in the stream was counted")
}

func BenchmarkPutThroughTheSpool(b *testing.B) {
	for _, size := range []int{1 << 10, 200 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s, err := spool.Open(spool.Settings{Directory: b.TempDir(), MaxBytes: 1 << 30})
			require.NoError(b, err)
			defer s.Close()
			set := Default()
			set.Stream = "frames"
			p, err := New(newDiscard(), set, nil, WithSpool(s))
			require.NoError(b, err)
			defer p.Close()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r := p.Reserve(size)
				r.PartitionKey = "camera0"
				if err := p.Put(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
