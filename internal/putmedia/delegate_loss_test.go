package putmedia

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/mkv"
)

type sync2 = sync.Mutex

func itoa(n int) string { return strconv.Itoa(n) }

func ifThen(holds bool, err error) error {
	if holds {
		return err
	}
	return nil
}

// A refused fragment is skipped where the producer skips it, and what still comes of it too.
func TestDelegateSkips(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		r.f.refused = map[int]Report{2: {Kind: ReportAck, Ack: Ack{Type: Failed, ErrorID: 4004, HasTimecode: true}}}
		r.play(4 * time.Second)
		r.flush()
		b := r.d.Stats().Books
		require.EqualValues(t, 25, b.Skipped["4004"].Frames)
		require.EqualValues(t, 1, b.FragmentsSkipped)
		require.EqualValues(t, 75, b.Persisted.Frames)
		require.Equal(t, "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS", r.o.troubles[0].Code)
	})
}

func TestDelegateSkipsWhatIsOpen(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		r.play(400 * time.Millisecond)
		p := r.f.list[0]
		r.f.with(func() {
			p.tell(Report{Kind: ReportAck, Upload: 1, Ack: Ack{Type: Failed, ErrorID: 4006, Timecode: p.current, HasTimecode: true}})
			p.current = 0
		})
		synctest.Wait()
		r.play(1600 * time.Millisecond)
		r.flush()
		b := r.d.Stats().Books
		require.EqualValues(t, 25, b.Skipped["4006"].Frames)
		require.EqualValues(t, 25, b.Persisted.Frames)
	})
}

// A refusal that does not say of which fragment is of all that was sent up to a time and not stored.
func TestDelegateSkipsWithoutATimecode(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		r.f.silent = map[string]bool{"PERSISTED 2": true, "RECEIVED 2": true, "RECEIVED 3": true}
		r.f.refused = map[int]Report{3: {Kind: ReportAck, DTS: time.Duration(r.began.UnixNano()) + 2500*time.Millisecond, Ack: Ack{Type: Failed, ErrorID: 4006}}}
		r.play(5 * time.Second)
		r.flush()
		b := r.d.Stats().Books
		require.EqualValues(t, 50, b.Skipped["4006"].Frames)
		require.EqualValues(t, 75, b.Persisted.Frames)
	})
}

// One that the producer sends again is not lost.
func TestDelegateLetsProducersRetry(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		r.f.refused = map[int]Report{2: {Kind: ReportAck, Retried: true, Ack: Ack{Type: Failed, ErrorID: 5001, HasTimecode: true}}}
		r.play(2500 * time.Millisecond)
		p := r.f.list[0]
		again := r.began.Add(time.Second).UnixMilli()
		r.f.with(func() {
			p.upload = 9
			for _, kind := range []AckType{Buffering, Received, Persisted} {
				p.tell(Report{Kind: ReportAck, Upload: 9, Ack: Ack{Type: kind, Timecode: again, HasTimecode: true}})
			}
		})
		synctest.Wait()
		require.EqualValues(t, 50, r.d.Stats().Books.Persisted.Frames)
		r.flush()
		s := r.d.Stats()
		require.EqualValues(t, r.n, s.Books.Persisted.Frames)
		require.Equal(t, []int64{1, 1, 2}, []int64{s.Books.PossibleDuplicates, s.Errors, s.Sessions})
		require.GreaterOrEqual(t, s.Resent, int64(1))
		require.Len(t, r.o.up, 2)
	})
}

// An acknowledgement that the producer does not heed settles nothing: what came by a connection that was given up may be a part.
func TestDelegateLetsProducersIgnore(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		r.f.silent = map[string]bool{"PERSISTED 1": true, "RECEIVED 1": true}
		r.play(1080 * time.Millisecond)
		p := r.f.list[0]
		told := func(upload uint64, ignored bool, kinds ...AckType) {
			r.f.with(func() {
				for _, kind := range kinds {
					p.tell(Report{Kind: ReportAck, Upload: upload, Ignored: ignored,
						Ack: Ack{Type: kind, Timecode: r.began.UnixMilli(), HasTimecode: true, ErrorID: 4004}})
				}
			})
			synctest.Wait()
		}
		told(1, true, Received, Persisted, Failed)
		require.Zero(t, r.d.Stats().Books.Persisted.Frames)
		require.Zero(t, r.d.Stats().Books.SkippedAll().Frames)
		told(2, false, Buffering, Received, Persisted)
		told(1, true, Persisted)
		require.EqualValues(t, 25, r.d.Stats().Books.Persisted.Frames)
		require.EqualValues(t, 2, r.d.Stats().Sessions)
		r.f.with(func() { p.upload = 2 })
		r.flush()
	})
}

// What the producer says it has lost is dropped, frame by frame; what it has forgotten is found by what is stored after it.
func TestDelegateFindsLosses(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		r.f.silent = map[string]bool{"PERSISTED 1": true, "PERSISTED 2": true, "RECEIVED 2": true, "BUFFERING 2": true}
		r.play(1500 * time.Millisecond)
		p := r.f.list[0]
		r.f.with(func() {
			for n := range 3 {
				p.tell(Report{Kind: ReportLost, DTS: time.Duration(r.began.UnixMilli()+int64(n)*40) * time.Millisecond})
			}
			p.tell(Report{Kind: ReportLost, DTS: time.Hour})
		})
		synctest.Wait()
		require.EqualValues(t, 3, r.d.Stats().Books.Dropped[ReasonStorage].Frames)
		r.play(1480 * time.Millisecond)
		r.flush()
		b := r.d.Stats().Books
		require.EqualValues(t, 47, b.Dropped[ReasonUnacknowledged].Frames)
		require.EqualValues(t, 25, b.Persisted.Frames)
		require.NotEmpty(t, r.o.troubles)
	})
}

// A fragment of a connection that ended is not given up because one of the next is stored: the acknowledgement may still come.
func TestDelegateWaitsForTheConnectionBefore(t *testing.T) {
	delegate(t, func(s *Settings, _ *fakeProducers) { s.Staleness = 10 * time.Second }, func(r *desk) {
		r.f.silent = map[string]bool{"PERSISTED 1": true}
		r.play(1400 * time.Millisecond)
		r.f.with(func() { r.f.list[0].upload = 2 })
		r.play(1600 * time.Millisecond)
		r.flush0()
		require.EqualValues(t, 50, r.d.Stats().Books.InFlight.Frames)
		r.play(12 * time.Second)
		require.EqualValues(t, 50, r.d.Stats().Books.Dropped[ReasonUnacknowledged].Frames+r.d.Stats().Books.InFlight.Frames)
	})
}

func (r *desk) flush0() { time.Sleep(100 * time.Millisecond); synctest.Wait() }

// Nothing grows where nothing is ever acknowledged.
func TestDelegateIsBounded(t *testing.T) {
	delegate(t, func(s *Settings, f *fakeProducers) {
		s.Staleness = time.Hour
		f.silent = map[string]bool{"BUFFERING": true, "RECEIVED": true, "PERSISTED": true}
	}, func(r *desk) {
		r.play(10 * time.Minute)
		s := r.d.Stats()
		require.LessOrEqual(t, s.Fragments, 135)
		require.NotZero(t, s.Books.Dropped[ReasonUnacknowledged].Frames)
	})
}

// Where nothing is acknowledged the service is looked for: what is wrong is told soon, and not asked too often. A producer that stays silent
// though the service answers is changed.
func TestDelegateSeeks(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		r.play(2 * time.Second)
		r.f.with(func() {
			r.f.silent = map[string]bool{"BUFFERING": true, "RECEIVED": true, "PERSISTED": true}
			r.f.locate = func(context.Context) error { return errors.New("refused") }
		})
		began, located := time.Now(), r.f.located
		r.play(10 * time.Second)
		require.NotEmpty(t, r.o.troubles)
		require.Less(t, r.o.troubleAt[0].Sub(began), 5*time.Second)
		r.play(time.Minute)
		require.Less(t, r.f.located-located, 10)
		require.Len(t, r.f.list, 1, "what the producer has is not thrown away meanwhile")
		r.f.with(func() { r.f.locate = nil })
		r.play(3 * time.Minute)
		require.GreaterOrEqual(t, len(r.f.list), 2)
		r.f.with(func() { r.f.silent = nil })
		r.play(3 * time.Minute)
		r.flush()
		require.NotEmpty(t, r.o.recoveries)
	})
}

// That frames flow again is said when something is acknowledged, and not before.
func TestDelegateRecovers(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		r.play(2 * time.Second)
		r.f.with(func() {
			r.f.silent = map[string]bool{"BUFFERING": true, "RECEIVED": true, "PERSISTED": true}
			r.f.list[0].tell(Report{Kind: ReportTrouble, Fault: awserr.Fault{Class: awserr.Transient, Code: "Stale"}})
		})
		r.play(10 * time.Second)
		r.o.with(func() {
			require.Len(t, r.o.troubles, 1)
			require.Empty(t, r.o.recoveries)
		})
		r.f.with(func() { r.f.silent = nil })
		r.play(5 * time.Second)
		require.Len(t, r.o.recoveries, 1)
		require.InDelta(t, 10, r.o.recoveries[0].Lasted.Seconds(), 1)
	})
}

func TestDelegateDrains(t *testing.T) {
	delegate(t, func(s *Settings, f *fakeProducers) {
		s.DrainTimeout = 3 * time.Second
		f.silent = map[string]bool{"PERSISTED": true}
	}, func(r *desk) {
		r.play(2 * time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, r.d.Flush(ctx), context.DeadlineExceeded)
		require.EqualValues(t, 50, r.d.Stats().Books.InFlight.Frames)
		began := time.Now()
		require.ErrorIs(t, r.d.Flush(context.Background()), ErrDrainTimeout)
		require.Equal(t, 3*time.Second, time.Since(began))
		require.EqualValues(t, 50, r.d.Stats().Books.Dropped[ReasonDrain].Frames)
		r.f.with(func() { r.f.silent = nil })
		r.play(2 * time.Second)
		r.flush()
		require.EqualValues(t, 50, r.d.Stats().Books.Persisted.Frames, "the stream goes on")
	})
}

func TestDelegateCloses(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*Settings, *fakeProducers)
		within  time.Duration
	}{
		"nothing is acknowledged": {func(_ *Settings, f *fakeProducers) { f.silent = map[string]bool{"PERSISTED": true} }, 3 * time.Second},
		"the producer does not end": {func(_ *Settings, f *fakeProducers) {
			f.silent = map[string]bool{"PERSISTED": true}
			f.closing = time.Minute
		}, 3 * time.Second},
		"opening": {func(_ *Settings, f *fakeProducers) {
			f.opening = func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }
		}, 3 * time.Second},
		"finding": {func(_ *Settings, f *fakeProducers) {
			f.locate = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		}, 3 * time.Second},
		"at once": {func(s *Settings, f *fakeProducers) {
			s.StopTimeout = 0
			f.silent = map[string]bool{"PERSISTED": true}
			f.closing = time.Minute
		}, 1100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			delegate(t, c.prepare, func(r *desk) {
				r.play(time.Second)
				began := time.Now()
				r.d.Close()
				require.LessOrEqual(t, time.Since(began), c.within)
				require.EqualValues(t, 25, r.d.Stats().Books.Dropped[ReasonStop].Frames)
				require.ErrorIs(t, r.put(), ErrClosed)
				time.Sleep(2 * time.Minute)
			})
		})
	}
}

// A producer that waits for room stops who puts, and Close ends it.
func TestDelegateBlocks(t *testing.T) {
	delegate(t, func(s *Settings, f *fakeProducers) {
		s.Outage, s.StorageSize = Block, 1<<20
		f.putting = func(n int) error {
			if n < 10 {
				return nil
			}
			f.mu.Lock()
			p := f.list[0]
			f.mu.Unlock()
			<-p.blocked
			return errors.New("stopped")
		}
	}, func(r *desk) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var err error
		for err == nil {
			f := r.d.Reserve(64 << 10)
			f.Track, f.Key, f.PTS, f.Token = 1, r.n%25 == 0, r.began.Add(r.at).UnixNano(), r.n
			f.DTS = f.PTS
			r.n++
			r.at += 40 * time.Millisecond
			err = r.d.Put(ctx, f)
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, r.n, 30)
		require.LessOrEqual(t, r.d.Stats().Memory, int64(1<<20))
	})
}

// A frame that a producer refuses is dropped by its code; without its first frame a fragment is none.
func TestDelegateDropsWhatIsRefused(t *testing.T) {
	bad := &awserr.Known{Fault: awserr.Fault{Class: awserr.RecordFault, Party: awserr.Record, Code: "sdk-32000002", Message: "the time", Remedy: "mend it"}}
	delegate(t, func(_ *Settings, f *fakeProducers) {
		f.putting = func(n int) error { return ifThen(n == 5 || n == 25, bad) }
	}, func(r *desk) {
		r.play(3 * time.Second)
		r.flush()
		b := r.d.Stats().Books
		require.EqualValues(t, 1+1, b.Dropped["sdk-32000002"].Frames)
		require.EqualValues(t, 24, b.Dropped[ReasonBeforeKey].Frames)
		require.EqualValues(t, 49, b.Persisted.Frames)
	})
}

// A frame costs no allocation.
func TestDelegateAllocatesNothing(t *testing.T) {
	f := &fakeProducers{retention: time.Hour}
	set := Default()
	set.Stream = "s"
	d, err := NewDelegate(takers{f}, set, time.Minute, nil)
	require.NoError(t, err)
	defer d.Close()
	require.NoError(t, d.SetTracks(tracksOf(videoTrack)))
	at, n := time.Now().UnixNano(), 0
	put := func() {
		frame := d.Reserve(1000)
		frame.Track, frame.Key, frame.PTS, frame.DTS = 1, n%250 == 0, at, at
		at += 4e6
		n++
		if err := d.Put(context.Background(), frame); err != nil {
			t.Fatal(err)
		}
		for waits := true; waits; runtime.Gosched() {
			d.mu.Lock()
			waits = d.memory != 0
			d.mu.Unlock()
		}
	}
	for range 1000 {
		put()
	}
	require.Less(t, testing.AllocsPerRun(2000, put), 0.2)
}

// takers opens producers that take all and say nothing.
type takers struct{ *fakeProducers }

func (takers) Open(context.Context, []mkv.Track, func(Report)) (Producer, time.Time, error) {
	return new(taker), time.Time{}, nil
}

type taker struct{}

func (*taker) Put(*Frame, bool) error { return nil }
func (*taker) EndFragment() error     { return nil }
func (*taker) Tag(mkv.Tag) error      { return nil }
func (*taker) Signal(Event) error     { return nil }
func (*taker) Sent() int64            { return 0 }
func (*taker) Close()                 {}

func tracksOf(t ...mkv.Track) []mkv.Track { return t }
