//go:build kvsproducer && cgo

package kvsproducer_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/kvsproducer"
)

// TestNothingIsLeft opens and closes a hundred streams, some of which fail: no object, thread, descriptor or goroutine stays. It runs alone.
func TestNothingIsLeft(t *testing.T) {
	count := func(dir string) int {
		list, err := os.ReadDir(dir)
		require.NoError(t, err)
		return len(list)
	}
	path := journal(t)
	cycle := func(i int) {
		faults := []string{"", "", "pressure", "denied", "broken=1"}[i%5]
		s, err := kvsproducer.Open(t.Context(), settings(path, faults), nil)
		if faults == "denied" {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		for n := range 30 {
			f, _ := frame(n)
			require.NoError(t, s.Put(f))
		}
		require.NoError(t, s.Close(t.Context()))
	}
	cycle(0)
	threads, files, goroutines := count("/proc/self/task"), count("/proc/self/fd"), runtime.NumGoroutine()
	for i := range 100 {
		cycle(i)
	}
	freed := lines(t, path, "freed")
	require.Len(t, freed, 101)
	for _, l := range freed {
		require.Equal(t, "devices=0 providers=0 clients=0 streams=0 items=0", l)
	}
	require.LessOrEqual(t, count("/proc/self/task"), threads+8) // Go keeps threads for calls that block
	require.LessOrEqual(t, count("/proc/self/fd"), files+2)
	require.LessOrEqual(t, runtime.NumGoroutine(), goroutines+2)
}

// TestFrames: bytes, times, order and flags reach the SDK, which has them sent in fragments that begin with key frames, each acknowledged.
func TestFrames(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	want := b.put(t, 0, 100)
	require.NoError(t, b.Close(t.Context()))
	require.Equal(t, want, lines(t, b.path, "frame"))
	require.Len(t, lines(t, b.path, "fragment"), 4)
	var got []string
	for _, e := range b.of(kvsproducer.Ack) {
		got = append(got, fmt.Sprintf("%v %v %s", e.Ack, e.Timecode, e.Fragment))
	}
	var acks []string
	for n := range 4 {
		at := 1_700_000_000*time.Second + time.Duration(n)*time.Second
		for _, a := range []string{"BUFFERING", "RECEIVED", "PERSISTED"} {
			acks = append(acks, fmt.Sprintf("%s %v %020d", a, at, n+1))
		}
	}
	require.Equal(t, acks, got)
	require.Len(t, b.of(kvsproducer.Ready), 1)
	require.Len(t, b.of(kvsproducer.Closed), 1)
}

// TestSettings: what is set reaches the SDK, in its units.
func TestSettings(t *testing.T) {
	t.Parallel()
	b := open(t, "", func(s *kvsproducer.Settings) {
		s.Token, s.CAPath, s.UserAgent, s.KMSKey = "token", "/ca.pem", "agent", "arn:key"
		s.Mode, s.Retention, s.Storage, s.Buffer, s.Replay = kvsproducer.Offline, 3*time.Hour, 20<<20, 50*time.Second, 10*time.Second
		s.Latency, s.Staleness, s.Fragment, s.Timecode = 7*time.Second, 8*time.Second, 9*time.Second, 10*time.Millisecond
		s.OpenTimeout, s.StopTimeout, s.Log, s.Continuous = 11*time.Second, 12*time.Second, kvsproducer.LogError, true
		s.Bandwidth, s.FrameRate, s.Create, s.Recover, s.KeyFrames = 1000, 30, false, false, false
		s.Tags = []kvsproducer.Tag{{Name: "site", Value: "north"}, {Name: "empty"}}
		s.Tracks = append(s.Tracks, kvsproducer.Track{ID: 2, Type: kvsproducer.Audio, Codec: "A_AAC", Name: "audio", Private: []byte("asc"), Rate: 48000, Chans: 2})
	})
	require.NoError(t, b.Close(t.Context()))
	for word, want := range map[string][]string{
		"provider": {"access=key secret=secret token=token region=eu-west-1 ca=/ca.pem agent=agent expires=0"},
		"client":   {"storage=20971520 open=110000000 stop=120000000 log=5 continuous=1"},
		"stream": {"name=cam content=video/h264,audio/aac mode=2 retention=108000000000 buffer=500000000 replay=100000000 latency=70000000 stale=80000000 " +
			"fragment=90000000 scale=100000 order=5 nal=0"},
		"caps":         {"key=0 times=1 absolute=1 acks=1 recover=0 create=0 bandwidth=1000 rate=30 kms=arn:key"},
		"resource-tag": {"site=north", "empty="},
		"track":        {"id=1 type=1 codec=V_MPEG4/ISO/AVC name=video private=avcC", "id=2 type=2 codec=A_AAC name=audio private=asc"},
	} {
		require.Equal(t, want, lines(t, b.path, word), word)
	}
}

// TestOrdered: frames that come in order are not held back.
func TestOrdered(t *testing.T) {
	t.Parallel()
	b := open(t, "", func(s *kvsproducer.Settings) {
		s.Ordered = true
		s.Tracks = append(s.Tracks, kvsproducer.Track{ID: 2, Type: kvsproducer.Audio, Codec: "A_AAC"})
	})
	require.NoError(t, b.Close(t.Context()))
	require.Contains(t, lines(t, b.path, "stream")[0], "order=0 ")
}

// TestContentType: the service is told of the stream by its tracks, or as it is set.
func TestContentType(t *testing.T) {
	t.Parallel()
	for want, list := range map[string][]kvsproducer.Track{
		"video/h265":                 {{ID: 1, Type: kvsproducer.Video, Codec: "V_MPEGH/ISO/HEVC"}},
		"video/h264,audio/alaw":      {{ID: 1, Type: kvsproducer.Video, Codec: "V_MPEG4/ISO/AVC"}, {ID: 2, Type: kvsproducer.Audio, Codec: "A_MS/ACM", Private: []byte{6, 0}}},
		"audio/mulaw":                {{ID: 1, Type: kvsproducer.Audio, Codec: "A_MS/ACM", Private: []byte{7, 0}}},
		"video/x-matroska":           {{ID: 1, Type: kvsproducer.Video, Codec: "V_AV1"}},
		"audio/x-matroska,audio/aac": {{ID: 1, Type: kvsproducer.Audio, Codec: "A_OPUS"}, {ID: 2, Type: kvsproducer.Audio, Codec: "A_AAC"}},
	} {
		b := open(t, "", func(s *kvsproducer.Settings) { s.Tracks = list })
		require.NoError(t, b.Close(t.Context()))
		require.Contains(t, lines(t, b.path, "stream")[0], "content="+want+" ")
	}
	b := open(t, "", func(s *kvsproducer.Settings) { s.ContentType = "video/own" })
	require.NoError(t, b.Close(t.Context()))
	require.Contains(t, lines(t, b.path, "stream")[0], "content=video/own ")
}

// TestFragmentsByDuration: where key frames do not begin them, the duration does.
func TestFragmentsByDuration(t *testing.T) {
	t.Parallel()
	b := open(t, "", func(s *kvsproducer.Settings) { s.KeyFrames, s.Fragment = false, 2*time.Second })
	b.put(t, 0, 120)
	require.NoError(t, b.Close(t.Context()))
	require.Len(t, lines(t, b.path, "fragment"), 3)
}

// TestTags: metadata, events, private data and ends of fragments keep their place among the frames.
func TestTags(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	require.ErrorContains(t, b.AddEvent(kvsproducer.Notify, "", nil), "0x5200008c (no frame came yet)")
	require.NoError(t, b.SetCodec(1, []byte("new")))
	b.put(t, 0, 25)
	require.NoError(t, b.AddMetadata("plate", "ABC 1", true))
	require.NoError(t, b.AddMetadata("once", "x", false))
	require.NoError(t, b.AddEvent(kvsproducer.GenerateImage|kvsproducer.Notify, "front/", []kvsproducer.Tag{{Name: "a", Value: "b"}}))
	require.NoError(t, b.EndFragment())
	require.ErrorContains(t, b.EndFragment(), "ending a fragment of the video stream \"cam\": AWS's SDK: putKinesisVideoFrame: 0x52000078")
	b.put(t, 25, 1)
	require.ErrorContains(t, b.AddMetadata("AWSthing", "x", false), "0x52000077 (invalid tag name")
	require.ErrorContains(t, b.SetCodec(9, []byte("new")), "0x32000026 (no such track)")
	require.ErrorContains(t, b.AddEvent(kvsproducer.Notify, "", make([]kvsproducer.Tag, 11)), "at most 10")
	require.NoError(t, b.Close(t.Context()))
	require.Equal(t, []string{"plate=ABC 1 persist=1", "once=x persist=0"}, lines(t, b.path, "tag"))
	require.Equal(t, []string{"3 prefix=front/ a=b"}, lines(t, b.path, "event"))
	require.Equal(t, []string{"track=1 private=new"}, lines(t, b.path, "format"))
	text, err := os.ReadFile(b.path)
	require.NoError(t, err)
	order := []string{"format ", "frame 0 ", "frame 24 ", "tag plate", "tag once", "event ", "end 1", "fragment 2", "frame 25 ", "end 2", "freed "}
	at := 0
	for _, word := range order {
		next := strings.Index(string(text)[at:], "\n"+word)
		require.GreaterOrEqual(t, next, 0, "%s is not in its place:\n%s", word, text)
		at += next + 1
	}
}

// TestPutErrors: a frame that the SDK refuses is told of with its code, and the next one goes on.
func TestPutErrors(t *testing.T) {
	t.Parallel()
	b := open(t, "full=2")
	want := b.put(t, 0, 1)
	f, _ := frame(1)
	err := b.Put(f)
	var e *kvsproducer.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, kvsproducer.StatusOutOfStorage, e.Status)
	require.EqualError(t, err, `putting a frame into the video stream "cam": AWS's SDK: putKinesisVideoFrame: 0x5200002e (the store is full): give more storage-size, or a faster uplink`)
	require.ErrorContains(t, b.Put(kvsproducer.Frame{Track: 1}), "it has 0 bytes")
	f.Track = 5
	require.ErrorContains(t, b.Put(f), "0x32000026 (no such track)")
	stats, err := b.Stats()
	require.NoError(t, err)
	require.EqualValues(t, 2, stats.PutErrors)
	require.NoError(t, b.Close(t.Context()))
	require.Len(t, lines(t, b.path, "frame"), len(want))
	require.ErrorIs(t, b.Put(f), kvsproducer.ErrClosed)
	_, err = b.Stats()
	require.ErrorIs(t, err, kvsproducer.ErrClosed)
}

// TestEvents: an ERROR, and all other reports, come with their numbers in Go's units.
func TestEvents(t *testing.T) {
	t.Parallel()
	b := open(t, "broken=2,pressure")
	b.put(t, 0, 60)
	require.NoError(t, b.Close(t.Context()))
	base := 1_700_000_000 * time.Second
	failed := b.of(kvsproducer.Failed)
	require.Equal(t, []kvsproducer.Event{{Kind: kvsproducer.Failed, Status: 0x5200006e, Timecode: base + time.Second, Upload: 7}}, failed)
	var result []int
	for _, a := range b.of(kvsproducer.Ack) {
		if a.Ack == kvsproducer.AckError {
			result = append(result, a.Result)
		}
	}
	require.Equal(t, []int{5001}, result)
	for _, want := range []kvsproducer.Event{
		{Kind: kvsproducer.LatencyPressure, Amount: 61 * time.Second},
		{Kind: kvsproducer.Stale, Amount: 62 * time.Second},
		{Kind: kvsproducer.BufferPressure, Amount: 6 * time.Second},
		{Kind: kvsproducer.StoragePressure, Bytes: 4321},
		{Kind: kvsproducer.DroppedFrame, Timecode: 4 * time.Millisecond},
		{Kind: kvsproducer.DroppedFragment, Timecode: 5 * time.Millisecond},
	} {
		require.Equal(t, []kvsproducer.Event{want, want, want}, b.of(want.Kind), want.Kind)
	}
}

// TestIgnored: acknowledgements that the SDK does not count are told as such.
func TestIgnored(t *testing.T) {
	t.Parallel()
	b := open(t, "storm=2")
	b.put(t, 0, 30)
	require.NoError(t, b.Close(t.Context()))
	var got []bool
	for _, a := range b.of(kvsproducer.Ack) {
		got = append(got, a.Ignored)
	}
	require.Equal(t, []bool{false, true, true, false, false, false, false, false}, got)
}

// TestEventsAreBounded: a reader that does not read stops nobody; what it misses is counted.
func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	path, gate := journal(t), make(chan struct{})
	set := settings(path, "storm=500")
	set.Queue = 10
	var seen int
	s, err := kvsproducer.Open(t.Context(), set, func(e kvsproducer.Event) {
		if seen++; seen == 1 {
			<-gate
		}
	})
	require.NoError(t, err)
	f, _ := frame(0)
	require.NoError(t, s.Put(f))
	require.NoError(t, s.EndFragment())
	var lost uint64
	require.Eventually(t, func() bool {
		stats, err := s.Stats() // the reader stands still, the SDK does not
		lost = stats.EventsLost
		return err == nil && stats.Persisted == 1
	}, limit, time.Millisecond)
	require.Greater(t, lost, uint64(400))
	close(gate)
	require.NoError(t, s.Close(t.Context()))
	require.Less(t, seen, 100)
}

// TestReentry: the events' reader may use the stream.
func TestReentry(t *testing.T) {
	t.Parallel()
	path := journal(t)
	given := make(chan *kvsproducer.Stream, 1)
	var once sync.Once
	answer := make(chan error, 1)
	s, err := kvsproducer.Open(t.Context(), settings(path, ""), func(e kvsproducer.Event) {
		if e.Kind == kvsproducer.Ack {
			once.Do(func() { answer <- (<-given).AddMetadata("seen", e.Fragment, false) })
		}
	})
	require.NoError(t, err)
	given <- s
	f, _ := frame(0)
	require.NoError(t, s.Put(f))
	require.NoError(t, <-answer)
	require.NoError(t, s.Close(t.Context()))
	require.Len(t, lines(t, path, "tag"), 1)
}

// TestCloseHasADeadline: Close returns when its context ends; what is behind ends with the SDK's own time-out, which the next Close tells.
func TestCloseHasADeadline(t *testing.T) {
	t.Parallel()
	b := open(t, "stuck", func(s *kvsproducer.Settings) { s.StopTimeout = 2 * time.Second })
	b.put(t, 0, 30)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := b.Close(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, `closing the video stream "cam"`)
	f, _ := frame(30)
	require.ErrorIs(t, b.Put(f), kvsproducer.ErrClosed)
	err = b.Close(t.Context())
	var e *kvsproducer.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, kvsproducer.StatusTimedOut, e.Status)
	<-b.Done()
	require.Len(t, lines(t, b.path, "freed"), 1)
}

// TestOpenHasADeadline: Open returns when its context ends; the stream that comes late is closed.
func TestOpenHasADeadline(t *testing.T) {
	t.Parallel()
	path := journal(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := kvsproducer.Open(ctx, settings(path, "slow=500"), nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Eventually(t, func() bool { return len(lines(t, path, "freed")) == 1 }, limit, 10*time.Millisecond)
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	_, err = kvsproducer.Open(ctx, settings(path, ""), nil)
	require.ErrorIs(t, err, context.Canceled)
}

// TestRefused: the reason stands beside the SDK's time-out.
func TestRefused(t *testing.T) {
	t.Parallel()
	path := journal(t)
	_, err := kvsproducer.Open(t.Context(), settings(path, "denied"), nil)
	require.EqualError(t, err, `opening the video stream "cam": AWS's SDK: createKinesisVideoStreamSync: 0x0000000f (timed out); reported before: 0x52000010 (not authorized); its log: standin: client made, level 5: `+
		`check the keys, the session token's age, the clock, and the policy (DescribeStream, CreateStream, GetDataEndpoint, PutMedia)`)
	require.Len(t, lines(t, path, "freed"), 1)
}

// TestLog: lines of the level that is asked for, and no others, come as events.
func TestLog(t *testing.T) {
	t.Parallel()
	b := open(t, "", func(s *kvsproducer.Settings) { s.Log = kvsproducer.LogError })
	list := b.wait(t, 1, kvsproducer.Log)
	require.Equal(t, "standin: client made, level 5", list[0].Text)
	for _, e := range b.of(kvsproducer.Log) {
		require.Equal(t, kvsproducer.LogError, e.Level)
	}
	quiet := open(t, "", func(s *kvsproducer.Settings) { s.Log = kvsproducer.LogSilent })
	require.NoError(t, quiet.Close(t.Context()))
	require.Empty(t, quiet.of(kvsproducer.Log))
}

// TestManyGoroutines: puts from several sides, counts and closing meet without a frame lost or a call into what is freed.
func TestManyGoroutines(t *testing.T) {
	t.Parallel()
	b := open(t, "")
	f, _ := frame(0)
	var wait sync.WaitGroup
	var mu sync.Mutex
	put := 0
	for range 4 {
		wait.Go(func() {
			for {
				if err := b.Put(f); err != nil {
					assert.ErrorIs(t, err, kvsproducer.ErrClosed)
					return
				}
				mu.Lock()
				put++
				mu.Unlock()
				_, _ = b.Stats()
			}
		})
	}
	b.wait(t, 30, kvsproducer.Ack)
	err := b.Close(t.Context())
	wait.Wait()
	require.NoError(t, err)
	require.Len(t, lines(t, b.path, "frame"), put)
}

// TestPutAllocatesNothing on the Go side.
func TestPutAllocatesNothing(t *testing.T) {
	b := open(t, "")
	b.put(t, 0, 1)
	f, _ := frame(1) // of the same fragment: acknowledgements do allocate, of each fragment three
	b.wait(t, 1, kvsproducer.Ack)
	require.Zero(t, testing.AllocsPerRun(200, func() {
		if err := b.Put(f); err != nil {
			t.Fatal(err)
		}
	}))
}
