//go:build kvsproducer && cgo

package standin

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/kvsproducer"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/mkv"
)

// These run with AWS's SDK itself against the embedded endpoint, which checks signatures and Matroska and keeps what came: make test-sdk.

const limit = 60 * time.Second

var credentials = local.Credentials{AccessKeyID: "AKIDSDK", SecretAccessKey: "secret"}

type events struct {
	mu   sync.Mutex
	list []kvsproducer.Event
}

func (e *events) hear(v kvsproducer.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, v)
}

func (e *events) of(k kvsproducer.Kind) (list []kvsproducer.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, v := range e.list {
		if v.Kind == k {
			list = append(list, v)
		}
	}
	return list
}

func endpoint(t *testing.T) *local.Server {
	t.Helper()
	return localtest.Start(t, local.Settings{Limits: local.LimitsNone, Credentials: []local.Credentials{credentials},
		VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: 2 * time.Hour}}})
}

func settings(srv *local.Server) kvsproducer.Settings {
	s := kvsproducer.Defaults()
	s.Stream, s.Endpoint, s.Region = "cam", srv.URL(), local.DefaultRegion
	s.AccessKey, s.SecretKey = credentials.AccessKeyID, credentials.SecretAccessKey
	s.Tracks = []kvsproducer.Track{{ID: 1, Type: kvsproducer.Video, Codec: mkv.CodecAVC, Name: "video", Width: 640, Height: 360,
		Private: []byte{1, 0x42, 0xC0, 0x1E, 0xFF, 0xE0, 0}}}
	return s
}

// unitOf makes the nth access unit at 25 a second, a key frame each second.
func unitOf(n int, start time.Duration) kvsproducer.Frame {
	at := start + time.Duration(n)*40*time.Millisecond
	payload := []byte(fmt.Sprintf("access unit %d %s", n, strings.Repeat("x", n*37%1500)))
	data := append([]byte{0, 0, byte(len(payload) >> 8), byte(len(payload))}, payload...)
	return kvsproducer.Frame{Track: 1, PTS: at, DTS: at, Key: n%25 == 0, Data: data}
}

func now() time.Duration {
	return time.Duration(time.Now().UnixMilli()) * time.Millisecond
}

func closeIt(t *testing.T, s *kvsproducer.Stream) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	require.NoError(t, s.Close(ctx))
}

// TestFramesThroughTheSDK: bytes, times and order are those that were put, metadata is in its fragment, and each fragment is acknowledged thrice.
func TestFramesThroughTheSDK(t *testing.T) {
	srv, heard := endpoint(t), &events{}
	s, err := kvsproducer.Open(t.Context(), settings(srv), heard.hear)
	require.NoError(t, err)
	start := now()
	for n := range 125 {
		f := unitOf(n, start)
		if n == 50 {
			require.NoError(t, s.AddMetadata("plate", "ABC 1", false))
		}
		require.NoError(t, s.Put(f))
		clear(f.Data)
	}
	stats, err := s.Stats()
	require.NoError(t, err)
	require.EqualValues(t, 128<<20, stats.StoreSize)
	closeIt(t, s)

	fragments, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Len(t, fragments, 5)
	n := 0
	for i, f := range fragments {
		require.EqualValues(t, int64(start/time.Millisecond)+int64(i)*1000, f.Timecode)
		require.Equal(t, mkv.CodecAVC, f.Tracks[0].CodecID)
		for _, got := range f.Frames {
			want := unitOf(n, start)
			require.EqualValues(t, want.PTS/time.Millisecond, got.Timestamp)
			require.True(t, bytes.Equal(want.Data, got.Data), "frame %d", n)
			require.Equal(t, want.Key, got.Key)
			n++
		}
		require.Equal(t, i == 2, len(f.Tags) == 1, "tags of fragment %d: %v", i, f.Tags)
	}
	require.Equal(t, 125, n)
	require.Equal(t, "ABC 1", fragments[2].Tags[0].Value)
	acknowledged(t, heard, fragments)
	require.NotEmpty(t, heard.of(kvsproducer.Closed))
}

// acknowledged: each fragment in the order BUFFERING, RECEIVED, PERSISTED, by its number and timecode.
func acknowledged(t *testing.T, heard *events, fragments []local.VideoFragment) {
	t.Helper()
	got := map[string][]kvsproducer.AckType{}
	for _, e := range heard.of(kvsproducer.Ack) {
		got[fmt.Sprint(e.Fragment, " ", e.Timecode.Milliseconds())] = append(got[fmt.Sprint(e.Fragment, " ", e.Timecode.Milliseconds())], e.Ack)
	}
	require.Len(t, got, len(fragments))
	for _, f := range fragments {
		require.Equal(t, []kvsproducer.AckType{kvsproducer.Buffering, kvsproducer.Received, kvsproducer.Persisted},
			got[fmt.Sprint(f.Number, " ", f.Timecode)])
	}
}

// TestTLSThroughTheSDK: the file of certificates is used, and without it the endpoint is not trusted.
func TestTLSThroughTheSDK(t *testing.T) {
	conf, trust, err := local.SelfSigned(time.Now())
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(path, trust, 0o600))
	srv := localtest.Start(t, local.Settings{Limits: local.LimitsNone, TLS: conf, VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: 2 * time.Hour}}})
	set, heard := settings(srv), &events{}
	set.CAPath = path
	s, err := kvsproducer.Open(t.Context(), set, heard.hear)
	require.NoError(t, err)
	start := now()
	for n := range 30 {
		require.NoError(t, s.Put(unitOf(n, start)))
	}
	closeIt(t, s)
	fragments, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Len(t, fragments, 2)
	acknowledged(t, heard, fragments)
	set.CAPath, set.OpenTimeout = "", 2*time.Second
	_, err = kvsproducer.Open(t.Context(), set, nil)
	require.ErrorContains(t, err, "certificate")
}

// TestTwoTracksThroughTheSDK: sound and picture keep their bytes and times, each fragment has both.
func TestTwoTracksThroughTheSDK(t *testing.T) {
	srv, heard := endpoint(t), &events{}
	set := settings(srv)
	set.Tracks = append(set.Tracks, kvsproducer.Track{ID: 2, Type: kvsproducer.Audio, Codec: mkv.CodecAAC, Name: "audio", Private: []byte{0x11, 0x90}, Rate: 48000, Chans: 2})
	s, err := kvsproducer.Open(t.Context(), set, heard.hear)
	require.NoError(t, err)
	start := now()
	for n := range 100 {
		require.NoError(t, s.Put(unitOf(n, start)))
		sound := unitOf(n, start+20*time.Millisecond)
		sound.Track, sound.Key = 2, false
		require.NoError(t, s.Put(sound))
	}
	closeIt(t, s)
	fragments, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Len(t, fragments, 4)
	counts := map[uint64]int{}
	for _, f := range fragments {
		for _, got := range f.Frames {
			n := counts[got.Track]
			counts[got.Track]++
			want := unitOf(n, start+time.Duration(got.Track-1)*20*time.Millisecond)
			require.EqualValues(t, want.PTS/time.Millisecond, got.Timestamp, "frame %d of track %d", n, got.Track)
			require.True(t, bytes.Equal(want.Data, got.Data))
		}
	}
	require.Equal(t, map[uint64]int{1: 100, 2: 100}, counts)
	acknowledged(t, heard, fragments)
}

// TestClosingTheSDKHasADeadline: where no acknowledgement comes, Close returns when its context ends, and what is behind ends by StopTimeout.
func TestClosingTheSDKHasADeadline(t *testing.T) {
	srv := endpoint(t)
	script, err := local.ParseFaults([]byte("rules:\n  - operation: PutMedia\n    acks: never\n"))
	require.NoError(t, err)
	for _, r := range script.Rules {
		_, err := srv.AddFault(r)
		require.NoError(t, err)
	}
	set := settings(srv)
	set.StopTimeout = 3 * time.Second
	s, err := kvsproducer.Open(t.Context(), set, nil)
	require.NoError(t, err)
	start := now()
	for n := range 50 {
		require.NoError(t, s.Put(unitOf(n, start)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	require.ErrorIs(t, s.Close(ctx), context.DeadlineExceeded)
	require.Less(t, time.Since(began), 2*time.Second)
	require.ErrorIs(t, s.Put(unitOf(50, start)), kvsproducer.ErrClosed)
	select {
	case <-s.Done():
	case <-time.After(limit):
		t.Fatal("the SDK does not end")
	}
	var e *kvsproducer.Error
	require.ErrorAs(t, s.Close(t.Context()), &e)
	require.Equal(t, kvsproducer.StatusTimedOut, e.Status)
}

// TestErrorThroughTheSDK: an ERROR of the service comes as such, and nothing is lost without another.
func TestErrorThroughTheSDK(t *testing.T) {
	srv, heard := endpoint(t), &events{}
	script, err := local.ParseFaults([]byte("rules:\n  - operation: PutMedia\n    count: 1\n    error-ack: 5001 at fragment 2\n"))
	require.NoError(t, err)
	for _, r := range script.Rules {
		_, err := srv.AddFault(r)
		require.NoError(t, err)
	}
	s, err := kvsproducer.Open(t.Context(), settings(srv), heard.hear)
	require.NoError(t, err)
	start := now()
	for n := range 100 {
		require.NoError(t, s.Put(unitOf(n, start)))
	}
	require.Eventually(t, func() bool { return len(heard.of(kvsproducer.Failed)) > 0 }, limit, 5*time.Millisecond)
	closeIt(t, s)
	require.Equal(t, kvsproducer.Status(0x5200006e), heard.of(kvsproducer.Failed)[0].Status)
	var results []int
	for _, e := range heard.of(kvsproducer.Ack) {
		if e.Ack == kvsproducer.AckError {
			results = append(results, e.Result)
		}
	}
	require.Equal(t, 5001, results[0])
	times := map[int64]bool{}
	fragments, err := srv.Fragments("cam")
	require.NoError(t, err)
	for _, f := range fragments {
		times[f.Timecode-int64(start/time.Millisecond)] = true
	}
	if len(times) < 4 { // the SDK resumed without Matroska's header: see docs/engine-sdk.md
		require.Contains(t, statuses(heard), kvsproducer.Status(0x52000062), "fragments are missing without a word: %v", times)
	}
}

func statuses(heard *events) (list []kvsproducer.Status) {
	for _, e := range heard.of(kvsproducer.Failed) {
		list = append(list, e.Status)
	}
	return list
}

// TestRefusedByTheService: wrong keys end Open within its time, and leave nothing.
func TestRefusedByTheService(t *testing.T) {
	srv := endpoint(t)
	set := settings(srv)
	set.SecretKey = "wrong"
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	began := time.Now()
	_, err := kvsproducer.Open(ctx, set, nil)
	require.ErrorContains(t, err, "HTTP Error 403")
	require.NotContains(t, err.Error(), "Canonical")
	require.Less(t, time.Since(began), 10*time.Second)
}

// TestNothingIsLeftByTheSDK: threads, descriptors and goroutines are as many after many streams as after a few.
func TestNothingIsLeftByTheSDK(t *testing.T) {
	srv := endpoint(t)
	count := func(dir string) int {
		list, err := os.ReadDir(dir)
		require.NoError(t, err)
		return len(list)
	}
	cycle := func(times int) {
		for range times {
			s, err := kvsproducer.Open(t.Context(), settings(srv), nil)
			require.NoError(t, err)
			start := now()
			for n := range 26 {
				require.NoError(t, s.Put(unitOf(n, start)))
			}
			closeIt(t, s)
		}
	}
	cycle(5)
	threads, files, goroutines := count("/proc/self/task"), count("/proc/self/fd"), runtime.NumGoroutine()
	cycle(20)
	require.LessOrEqual(t, count("/proc/self/task"), threads+8)
	require.LessOrEqual(t, count("/proc/self/fd"), files+4)
	require.LessOrEqual(t, runtime.NumGoroutine(), goroutines+8)
}

// BenchmarkPutThroughTheSDK is a 4 KiB access unit's way into the SDK, at 25 a second of the stream's time.
func BenchmarkPutThroughTheSDK(b *testing.B) {
	srv := localtest.Start(b, local.Settings{Limits: local.LimitsNone, Credentials: []local.Credentials{credentials},
		VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: 2 * time.Hour}}})
	s, err := kvsproducer.Open(b.Context(), settings(srv), nil)
	require.NoError(b, err)
	f, start := unitOf(0, now()), now()
	f.Data = make([]byte, 4096)
	b.SetBytes(int64(len(f.Data)))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		f.PTS = start + time.Duration(n)*40*time.Millisecond
		f.DTS, f.Key = f.PTS, n%25 == 0
		require.NoError(b, s.Put(f))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_ = s.Close(ctx)
}
