package putmedia

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/mkv"
)

func TestDelegateHandsOver(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		r.play(3 * time.Second)
		r.flush()
		r.inOrder()
		s := r.d.Stats()
		require.EqualValues(t, 75, s.Books.Persisted.Frames)
		require.EqualValues(t, 3, s.Books.FragmentsPersisted)
		require.Equal(t, []int64{3, 3, 3, 1}, []int64{s.Buffering, s.Received, s.Persisted, s.Sessions})
		require.True(t, s.Connected)
		require.EqualValues(t, 75*len("frame 000000"), s.Uplink.Sent)
		require.Len(t, r.o.acks, 9)
		require.Equal(t, r.o.acks[0].Timecode, r.o.acks[0].ProducerTime)
		require.Equal(t, "https://data", r.o.up[0].Endpoint)
		require.Empty(t, r.o.troubles)
		r.d.Close()
		require.Equal(t, "the stream ends", r.o.down[0].Reason)
		require.Equal(t, []int64{3, 75 * int64(len("frame 000000"))}, []int64{int64(r.o.down[0].Fragments), r.o.down[0].Bytes})
	})
}

// A fragment begins with a key frame, a second after the last at the earliest, and after 20 s in any case.
func TestDelegateCuts(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		for n := range 750 {
			require.NoError(t, r.putAs(n == 0 || n == 10 || n == 50))
		}
		r.flush()
		var begins []int
		for n, f := range r.f.all() {
			if f.begins {
				begins = append(begins, n)
			}
		}
		require.Equal(t, []int{0, 50, 550}, begins)
		require.Equal(t, "fragment-cut", r.o.notices[0].Code)
	})
}

// What producers refuse, they are not given: times before the fragment's own, times of decoding that go back.
func TestDelegateOrdersTimes(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		base := r.began.UnixNano()
		for _, c := range []struct{ pts, dts int64 }{{100e6, 100e6}, {60e6, 50e6}, {180e6, 90e6}, {140e6, 120e6}} {
			f := r.d.Reserve(1)
			f.Track, f.Key, f.PTS, f.DTS, f.Token = 1, r.n == 0, base+c.pts, base+c.dts, r.n
			r.n++
			require.NoError(t, r.d.Put(context.Background(), f))
		}
		r.flush()
		last := int64(0)
		for i, f := range r.f.all() {
			require.GreaterOrEqual(t, f.dts, last)
			last = f.dts
			require.Equal(t, []int64{100, 100, 180, 140}[i], f.ms-base/1e6)
		}
		require.Equal(t, "time-moved", r.o.notices[0].Code)
	})
}

func TestDelegateTags(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		require.NoError(t, r.d.AddEvent(Event{Notify: true}))
		require.NoError(t, r.d.AddMetadata("all", "1", true))
		r.play(time.Second)
		require.NoError(t, r.d.AddMetadata("once", "2", false))
		require.NoError(t, r.d.AddEvent(Event{Image: true}))
		require.ErrorContains(t, r.d.AddEvent(Event{Image: true}), "of this type already")
		require.ErrorIs(t, r.d.AddEvent(Event{}), ErrMetadata)
		require.ErrorIs(t, r.d.AddMetadata("AWS_x", "2", false), ErrMetadata)
		for range 7 {
			require.NoError(t, r.d.AddMetadata("n", "", false))
		}
		require.ErrorContains(t, r.d.AddMetadata("n", "", false), "takes 10 tags")
		r.play(time.Second)
		require.NoError(t, r.d.AddMetadata("all", "", true))
		r.play(time.Second)
		r.flush()
		frames := r.f.all()
		require.Equal(t, []string{"all=1"}, frames[0].tags)
		require.Equal(t, []string{"image=false notify=true", "image=true notify=false"}, frames[25].tags[9:], "the first event waited for a second fragment")
		require.Equal(t, []string{"all=1", "once=2"}, frames[25].tags[:2])
		require.Empty(t, frames[50].tags)
	})
}

// Other tracks, and a time that goes back, are for another producer, when all that the one before had is stored.
func TestDelegateChangesProducers(t *testing.T) {
	delegate(t, func(_ *Settings, f *fakeProducers) { f.closing = 3 * time.Second }, func(r *desk) {
		r.play(2 * time.Second)
		other := videoTrack
		other.CodecPrivate = []byte("another")
		require.NoError(t, r.d.SetTracks([]mkv.Track{other, audioTrack}))
		r.play(2 * time.Second)
		r.flush()
		require.Len(t, r.f.list, 2)
		require.Len(t, r.f.list[0].frames, 50)
		require.Len(t, r.f.list[1].tracks, 2)
		require.NotEmpty(t, r.o.down[0].Reason)
		r.inOrder()
		r.at = 0
		before := r.n
		r.play(time.Second)
		r.flush()
		require.Len(t, r.f.list, 3)
		require.Equal(t, r.n-before, len(r.f.list[2].frames))
		require.EqualValues(t, r.n, r.d.Stats().Books.Persisted.Frames)
	})
}

func TestDelegateRenewsCredentials(t *testing.T) {
	delegate(t, func(_ *Settings, f *fakeProducers) { f.expires = 3 * time.Minute }, func(r *desk) {
		r.play(10 * time.Minute)
		r.flush()
		r.inOrder()
		require.InDelta(t, 5, len(r.f.list), 1)
	})
}

func TestDelegateEndsWhatIsSilent(t *testing.T) {
	delegate(t, nil, func(r *desk) {
		r.play(time.Second)
		time.Sleep(r.set.Silence + 2*time.Second)
		synctest.Wait()
		require.EqualValues(t, 25, r.d.Stats().Books.Persisted.Frames)
		require.NoError(t, r.putAs(false))
		require.EqualValues(t, 1, r.d.Stats().Books.Dropped[ReasonBeforeKey].Frames)
	})
}

// What comes while nothing can be opened waits, and no more than storage-size of it.
func TestDelegateWaitsForTheService(t *testing.T) {
	delegate(t, func(s *Settings, f *fakeProducers) {
		s.StorageSize = 1 << 20
		f.opening = func(_ context.Context, n int) error {
			if n < 8 {
				return errors.New("not yet")
			}
			return nil
		}
	}, func(r *desk) {
		r.play(5 * time.Second)
		require.NotEmpty(t, r.o.troubles)
		require.Less(t, r.o.troubleAt[0].Sub(r.began), 2*time.Second)
		for len(r.f.all()) == 0 {
			r.play(time.Second)
		}
		r.play(2 * time.Second)
		r.flush()
		r.inOrder()
		require.NotEmpty(t, r.o.recoveries)
	})
}

func TestDelegateDropsTheOldest(t *testing.T) {
	delegate(t, func(s *Settings, f *fakeProducers) {
		s.StorageSize = 1 << 20
		f.opening = func(ctx context.Context, _ int) error {
			select {
			case <-time.After(20 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}, func(r *desk) {
		var most int64
		for range 15 {
			for i := range 25 {
				f := r.d.Reserve(8 << 10)
				f.Track, f.Key, f.PTS = 1, i == 0, r.began.Add(r.at).UnixNano()
				f.DTS, f.Token = f.PTS, r.n
				r.n++
				r.at += 40 * time.Millisecond
				require.NoError(t, r.d.Put(context.Background(), f))
				most = max(most, r.d.Stats().Memory)
			}
			time.Sleep(time.Second)
		}
		require.LessOrEqual(t, most, r.set.StorageSize)
		require.NotZero(t, r.d.Stats().Books.Dropped[ReasonStorage].Frames)
		time.Sleep(10 * time.Second)
		r.flush()
		frames := r.f.all()
		require.True(t, frames[0].begins)
		require.Equal(t, r.n, len(frames)+int(r.d.Stats().Books.Dropped[ReasonStorage].Frames))
	})
}

func TestDelegateFailsForGood(t *testing.T) {
	denied := &awserr.Known{Fault: awserr.Fault{Class: awserr.Permanent, Party: awserr.Caller, Code: "AccessDeniedException", Message: "no", Remedy: "allow it"}}
	delegate(t, func(_ *Settings, f *fakeProducers) {
		f.locate = func(context.Context) error { time.Sleep(time.Second); return denied }
	}, func(r *desk) {
		require.NoError(t, r.put())
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Len(t, r.o.failures, 1)
		require.ErrorIs(t, r.put(), ErrFailed)
		require.ErrorIs(t, r.d.Flush(context.Background()), ErrFailed)
		require.EqualValues(t, 1, r.d.Stats().Books.Dropped["AccessDeniedException"].Frames)
	})
}

// Once the stream has worked, an error that does not go away is borne for permanent-grace.
func TestDelegateBearsErrors(t *testing.T) {
	delegate(t, func(s *Settings, _ *fakeProducers) { s.PermanentGrace = 10 * time.Second }, func(r *desk) {
		r.play(time.Second)
		p := r.f.list[0]
		for range 12 {
			p.f.with(func() {
				p.f.silent = map[string]bool{"BUFFERING": true, "RECEIVED": true, "PERSISTED": true}
				p.tell(Report{Kind: ReportTrouble, Fault: awserr.Fault{Class: awserr.Permanent, Party: awserr.Caller, Code: "STREAM_DELETED"}})
			})
			time.Sleep(time.Second)
			synctest.Wait()
		}
		require.NotEmpty(t, r.o.troubles)
		require.Len(t, r.o.failures, 1)
		require.InDelta(t, 11, r.o.failedAt.Sub(r.began).Seconds(), 1)
	})
}

func TestDelegateStartTimeout(t *testing.T) {
	delegate(t, func(s *Settings, f *fakeProducers) {
		s.StartTimeout = 5 * time.Second
		f.silent = map[string]bool{"BUFFERING": true, "RECEIVED": true, "PERSISTED": true}
	}, func(r *desk) {
		r.play(4 * time.Second)
		r.o.with(func() { require.Empty(t, r.o.failures) })
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Len(t, r.o.failures, 1)
		require.NotZero(t, r.d.Stats().Books.Dropped[ReasonStartTimeout].Frames)
	})
}

// TestDelegateBooks holds the books under random faults: each frame becomes one thing.
func TestDelegateBooks(t *testing.T) {
	for seed := range uint64(60) {
		t.Run("", func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			var mu sync2
			draw := func(n int) int { mu.Lock(); defer mu.Unlock(); return random.IntN(n) }
			chance := func(n int) bool { return draw(n) == 0 }
			delegate(t, func(s *Settings, f *fakeProducers) {
				s.StorageSize, s.Staleness = 1<<20, 5*time.Second
				f.closing = time.Duration(draw(3)) * time.Second
				f.opening = func(context.Context, int) error { return ifThen(chance(3), errors.New("not yet")) }
				f.locate = func(context.Context) error { return ifThen(chance(4), errors.New("not found")) }
				f.putting = func(int) error {
					switch {
					case chance(200):
						return &awserr.Known{Fault: awserr.Fault{Class: awserr.RecordFault, Code: "sdk-1"}}
					case chance(400):
						return errors.New("stopped")
					}
					return nil
				}
				f.silent, f.refused = map[string]bool{}, map[int]Report{}
				for n := range 100 {
					for _, kind := range []AckType{Buffering, Received, Persisted} {
						if chance(12) {
							f.silent[string(kind)+" "+itoa(n)] = true
						}
					}
					if chance(10) {
						f.refused[n] = Report{Kind: ReportAck, Retried: chance(3), DTS: -1, Ack: Ack{Type: Failed, ErrorID: 4004, HasTimecode: chance(2)}}
					}
				}
			}, func(r *desk) {
				for range 40 {
					switch {
					case chance(12):
						other := videoTrack
						other.Width = 640 + 2*draw(2)
						require.NoError(t, r.d.SetTracks([]mkv.Track{other}))
					case chance(12):
						_ = r.d.Flush(context.Background())
					case chance(12):
						time.Sleep(30 * time.Second)
					case chance(20):
						r.at -= 5 * time.Second
					}
					r.play(time.Second)
				}
				require.True(t, r.d.Stats().Books.Balanced())
			})
		})
	}
}
