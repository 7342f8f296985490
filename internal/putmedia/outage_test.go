package putmedia

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/uplink"
)

func refusedError() error { return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED} }

func apiFault(code string) error {
	return &smithy.OperationError{ServiceID: "Kinesis Video", OperationName: "PutMedia", Err: &smithy.GenericAPIError{Code: code, Message: "no"}}
}

// between fails while the stream is between two ages.
func between(r **rig, from, to time.Duration, err error) func(int) error {
	return func(int) error {
		if since := time.Since((*r).began); since >= from && since < to {
			return err
		}
		return nil
	}
}

// cutBetween cuts sessions between two ages.
func cutBetween(r **rig, from, to time.Duration) func(int, int, int64) reaction {
	return func(int, int, int64) reaction {
		since := time.Since((*r).began)
		return reaction{cut: since >= from && since < to}
	}
}

// An outage that memory can bear loses nothing; tries are spaced.
func TestOutageInMemory(t *testing.T) {
	var it *rig
	bench(t, func(_ *Settings, f *fakeService) {
		f.open = between(&it, 10*time.Second, 70*time.Second, refusedError())
		f.script = cutBetween(&it, 10*time.Second, 70*time.Second)
	}, func(r *rig) {
		it = r
		r.play(100 * time.Second)
		r.flush()
		r.inOrder()
		require.Less(r, len(r.f.opened), 60, "spaced")
		gaps := map[time.Duration]bool{}
		for i := 2; i < len(r.f.opened)-1; i++ {
			gaps[r.f.opened[i].Sub(r.f.opened[i-1])] = true
		}
		require.Greater(r, len(gaps), 10, "with jitter")
		require.Len(r, r.o.recoveries, 1)
		require.InDelta(r, 60, r.o.recoveries[0].Lasted.Seconds(), 10)
	})
}

// What does not fit is given up by whole fragments, oldest first or newest first, and counted.
func TestOutageBeyondMemory(t *testing.T) {
	for name, c := range map[string]struct {
		outage Outage
		check  func(r *rig, frames []storedFrame)
	}{
		"drop-oldest": {DropOldest, func(r *rig, frames []storedFrame) {
			require.Equal(r, fmt.Sprintf("frame %06d", r.n-1), frames[len(frames)-1].data, "the newest is there")
		}},
		"drop-newest": {DropNewest, func(r *rig, frames []storedFrame) {
			for i := range 250 + 1000 {
				require.Equal(r, fmt.Sprintf("frame %06d", i), frames[i].data, "what came first is there")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var it *rig
			bench(t, func(s *Settings, f *fakeService) {
				s.StorageSize, s.Outage = 1<<20, c.outage
				f.open = between(&it, 10*time.Second, 200*time.Second, refusedError())
				f.script = cutBetween(&it, 10*time.Second, 200*time.Second)
			}, func(r *rig) {
				it = r
				for r.at < 300*time.Second {
					r.play(time.Second)
					require.LessOrEqual(r, r.s.Stats().Memory, int64(1<<20))
				}
				r.flush()
				frames, _, _ := r.f.all()
				b := r.s.Books()
				dropped := b.DroppedAll().Frames
				require.Positive(r, dropped)
				require.Less(r, dropped, int64(190*25))
				require.EqualValues(r, r.n, int64(len(frames))+dropped)
				require.EqualValues(r, dropped, len(r.o.lost))
				for i := 1; i < len(frames); i++ {
					require.Less(r, frames[i-1].data, frames[i].data)
					if frames[i].key {
						continue
					}
					require.Equal(r, frames[i-1].ms+40, frames[i].ms, "no hole within a group of pictures")
				}
				c.check(r, frames)
			})
		})
	}
}

// With a file nothing is lost: Put waits.
func TestOutageBlocks(t *testing.T) {
	var it *rig
	bench(t, func(s *Settings, f *fakeService) {
		s.StorageSize, s.Outage, s.DrainTimeout = 1<<20, Block, -1
		f.open = between(&it, 0, 30*time.Second, refusedError())
	}, func(r *rig) {
		it = r
		for range 10000 {
			require.NoError(r, r.put())
		}
		require.Greater(r, time.Since(r.began), 30*time.Second, "it waited")
		r.flush()
		r.inOrder()
	})
}

func openSpool(t *testing.T, dir string, change func(*spool.Settings)) *spool.Spool {
	t.Helper()
	set := spool.Settings{Directory: dir, MaxBytes: 256 << 20, Sync: spool.SyncNone}
	if change != nil {
		change(&set)
	}
	s, err := spool.Open(set)
	require.NoError(t, err)
	return s
}

// An outage of hours is borne by the disk: all arrives, in order, and memory keeps its bound.
func TestOutageThroughTheSpool(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openSpool(t, dir, nil)
		defer s.Close()
		var it *rig
		inBubble(t, func(set *Settings, f *fakeService) {
			set.StorageSize, set.DrainTimeout = 1<<20, -1
			f.open = between(&it, 10*time.Second, 600*time.Second, refusedError())
			f.script = cutBetween(&it, 10*time.Second, 600*time.Second)
		}, func(r *rig) {
			it = r
			for r.at < 700*time.Second {
				r.play(10 * time.Second)
				st := r.s.Stats()
				require.LessOrEqual(r, st.Memory, int64(1<<20)+20_000)
				require.True(r, st.Books.Balanced(), "%+v", st.Books)
				if r.at == 500*time.Second {
					require.Positive(r, st.Books.Spooled.Frames)
				}
			}
			r.flush()
			r.inOrder()
			require.Zero(r, s.Stats().Records)
			require.Zero(r, r.s.Books().DroppedAll())
		}, WithSpool(s))
	})
}

// A Put that waits ends with its context, and its frame is refused, not lost without a word.
func TestABlockedPutEndsWithItsContext(t *testing.T) {
	bench(t, func(s *Settings, f *fakeService) {
		s.StorageSize, s.Outage, s.DrainTimeout, s.StopTimeout = 1<<20, Block, 0, 0
		f.open = func(int) error { return refusedError() }
	}, func(r *rig) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var err error
		for n := 0; err == nil; n++ {
			f := r.s.Reserve(1000)
			f.Track, f.Key, f.PTS = 1, n%25 == 0, r.began.Add(time.Duration(n)*40*time.Millisecond).UnixNano()
			err = r.s.Put(ctx, f)
		}
		require.ErrorIs(r, err, context.DeadlineExceeded)
		require.Equal(r, time.Minute, time.Since(r.began))
		require.EqualValues(r, 1, r.s.Books().Refused.Frames)
	})
}

// With a spool a file is not held up either: what memory has no room for is on disk.
func TestSpoolInPlaceOfBlocking(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openSpool(t, dir, nil)
		defer s.Close()
		var it *rig
		inBubble(t, func(set *Settings, f *fakeService) {
			set.StorageSize, set.DrainTimeout, set.Outage = 1<<20, -1, Block
			f.open = between(&it, 0, time.Minute, refusedError())
		}, func(r *rig) {
			it = r
			for range 10000 {
				require.NoError(r, r.put())
			}
			require.Less(r, time.Since(r.began), time.Minute, "it did not wait")
			require.Positive(r, r.s.Books().Spooled.Frames)
			r.flush()
			r.inOrder()
		}, WithSpool(s))
	})
}

// What is left at the end is sent by the next run, before what comes new, also where the tracks are others.
func TestSpoolOverRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeService{retention: time.Hour}
		n, base := 0, time.Now()
		for run := range 4 {
			s := openSpool(t, dir, nil)
			defer s.Close() //nolint:errcheck // closed below
			inBubble(t, func(set *Settings, fake *fakeService) {
				fake.open = func(int) error {
					if run < 3 {
						return refusedError()
					}
					return nil
				}
				set.DrainTimeout = -1
				if run < 3 {
					set.DrainTimeout, set.StopTimeout = time.Second, 0
				}
			}, func(r *rig) {
				r.n, r.began = n, base
				r.at = time.Duration(n) * 40 * time.Millisecond
				track := videoTrack
				track.CodecPrivate = fmt.Append(nil, "run ", run)
				require.NoError(r, r.s.SetTracks([]mkv.Track{track}))
				r.play(20 * time.Second)
				n = r.n
				if run < 3 {
					require.ErrorIs(r, r.s.Flush(context.Background()), ErrDrainTimeout)
					r.s.Close()
					b := r.s.Books()
					require.EqualValues(r, n, b.Spooled.Frames)
					require.Zero(r, b.DroppedAll())
					return
				}
				r.flush()
				r.inOrder()
				require.Len(r, r.f.sessions, 4, "one for each run's tracks")
				f = r.f
			}, WithSpool(s))
			require.NoError(t, s.Close())
		}
		require.NotEmpty(t, f.stored)
	})
}

// A full spool gives up the oldest; the books say how many.
func TestSpoolFull(t *testing.T) {
	t.Parallel()
	for _, outage := range []Outage{DropOldest, DropNewest} {
		t.Run(outage.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				s := openSpool(t, dir, func(set *spool.Settings) { set.MaxBytes = 2 << 20 })
				defer s.Close()
				var it *rig
				inBubble(t, func(set *Settings, f *fakeService) {
					set.StorageSize, set.DrainTimeout, set.Outage = 1<<20, -1, outage
					f.open = between(&it, 0, 3000*time.Second, refusedError())
				}, func(r *rig) {
					it = r
					for r.at < 3100*time.Second {
						r.play(10 * time.Second)
						require.True(r, r.s.Books().Balanced(), "%+v", r.s.Books())
					}
					r.flush()
					frames, _, _ := r.f.all()
					b := r.s.Books()
					require.Positive(r, b.Dropped[ReasonSpoolFull].Frames)
					require.EqualValues(r, r.n, int64(len(frames))+b.DroppedAll().Frames)
					for i := 1; i < len(frames); i++ {
						require.Less(r, frames[i-1].data, frames[i].data, "in order")
					}
				}, WithSpool(s))
			})
		})
	}
}

// What is wrong at the start is known within seconds, before there is a frame.
func TestStartFailures(t *testing.T) {
	for code, fails := range map[string]bool{
		"AccessDeniedException": true, "ResourceNotFoundException": true, "InvalidSignatureException": true, "InvalidArgumentException": true,
		"ClientLimitExceededException": false, "InternalFailure": false,
	} {
		t.Run(code, func(t *testing.T) {
			bench(t, func(_ *Settings, f *fakeService) { f.locate = func(int) error { return apiFault(code) } }, func(r *rig) {
				r.pause(5 * time.Second)
				if fails {
					require.Len(r, r.o.failures, 1)
					require.Equal(r, code, r.o.failures[0].Code)
					require.Less(r, r.o.failedAt.Sub(r.began), 5*time.Second)
					require.ErrorIs(r, r.put(), ErrFailed)
					return
				}
				require.Empty(r, r.o.failures)
				require.Less(r, r.o.troubleAt[0].Sub(r.began), 2*time.Second)
				require.Less(r, r.f.located, 60)
			})
		})
	}
	t.Run("hang", func(t *testing.T) {
		bench(t, func(_ *Settings, f *fakeService) { f.locate = func(int) error { return errHang } }, func(r *rig) {
			r.pause(3 * time.Second)
			require.Len(r, r.o.troubles, 1)
			require.Contains(r, r.o.troubles[0].Message, "no answer")
		})
	})
}

// Credentials that expire are asked for anew; a session ends before its own do.
func TestCredentials(t *testing.T) {
	t.Run("expired", func(t *testing.T) {
		bench(t, func(_ *Settings, f *fakeService) {
			f.open = func(call int) error {
				if call == 1 {
					return apiFault("ExpiredTokenException")
				}
				return nil
			}
		}, func(r *rig) {
			r.play(5 * time.Second)
			r.flush()
			r.inOrder()
			require.Equal(r, 1, r.f.refreshed)
			require.Empty(r, r.o.troubles)
		})
	})
	t.Run("rotation", func(t *testing.T) {
		bench(t, func(_ *Settings, f *fakeService) { f.expire = 5 * time.Minute }, func(r *rig) {
			r.play(20 * time.Minute)
			r.flush()
			r.inOrder()
			_, _, twice := r.f.all()
			require.Zero(r, twice)
			require.InDelta(r, 5, len(r.f.sessions), 1)
			for _, s := range r.f.sessions[:len(r.f.sessions)-1] {
				require.True(r, s.ended, "in good order")
			}
			require.Empty(r, r.o.troubles)
		})
	})
	t.Run("session-duration", func(t *testing.T) {
		bench(t, nil, func(r *rig) {
			r.play(2 * time.Hour)
			r.flush()
			r.inOrder()
			require.Len(r, r.f.sessions, 3)
			require.Empty(r, r.o.troubles)
		})
	})
}

// A second connection is refused for a while after the first was lost: it is waited out.
func TestConnectionLimit(t *testing.T) {
	var it *rig
	bench(t, func(_ *Settings, f *fakeService) {
		f.script = func(session, fragment int, _ int64) reaction { return reaction{cut: session == 0 && fragment == 4} }
		f.open = between(&it, 4*time.Second, 30*time.Second, apiFault("ConnectionLimitExceededException"))
	}, func(r *rig) {
		it = r
		r.play(60 * time.Second)
		r.flush()
		r.inOrder()
		require.Less(r, len(r.f.opened), 60)
		require.Contains(r, r.o.troubles[1].Remedy, "one connection at a time")
	})
}

// max-bandwidth holds for media too.
func TestBandwidth(t *testing.T) {
	var links uplink.Links
	var share *uplink.Share
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		share = links.Join("")
		defer share.Leave()
		share.SetBandwidth(80_000) // 10 kB/s
		inBubble(t, func(s *Settings, _ *fakeService) { s.DrainTimeout = -1 }, func(r *rig) {
			for i := range 10 {
				f := r.s.Reserve(10_000)
				f.Track, f.Key, f.PTS = 1, true, r.began.Add(time.Duration(i)*time.Second).UnixNano()
				require.NoError(r, r.s.Put(context.Background(), f))
			}
			r.flush()
			require.InDelta(r, 10, time.Since(r.began).Seconds(), 1.5)
		}, WithUplink(share))
	})
}
