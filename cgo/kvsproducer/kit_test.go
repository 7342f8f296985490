//go:build kvsproducer && cgo

package kvsproducer_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/kvsproducer"
)

// These tests run against the stand-in of tests/standin, whose endpoint is a file, the journal, and says what shall go wrong.

// limit is how long what must come may take.
const limit = 60 * time.Second

// ears keep the events of a stream.
type ears struct {
	mu   sync.Mutex
	list []kvsproducer.Event
	more chan struct{}
}

func (e *ears) hear(v kvsproducer.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, v)
	select {
	case e.more <- struct{}{}:
	default:
	}
}

func (e *ears) of(kinds ...kvsproducer.Kind) (list []kvsproducer.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, v := range e.list {
		for _, k := range kinds {
			if v.Kind == k {
				list = append(list, v)
			}
		}
	}
	return list
}

// wait waits until there are n events of a kind.
func (e *ears) wait(t *testing.T, n int, kind kvsproducer.Kind) []kvsproducer.Event {
	t.Helper()
	over := time.After(limit)
	for {
		if list := e.of(kind); len(list) >= n {
			return list
		}
		select {
		case <-e.more:
		case <-over:
			t.Fatalf("waiting for %d events %v: there are %v", n, kind, e.of(kind))
		}
	}
}

// bench is a stream under test.
type bench struct {
	*kvsproducer.Stream
	*ears
	path string
}

func settings(path, faults string) kvsproducer.Settings {
	s := kvsproducer.Defaults()
	s.Stream, s.Region, s.AccessKey, s.SecretKey = "cam", "eu-west-1", "key", "secret"
	s.Endpoint = "file://" + path + "#" + faults
	s.Tracks = []kvsproducer.Track{{ID: 1, Type: kvsproducer.Video, Codec: "V_MPEG4/ISO/AVC", Name: "video", Private: []byte("avcC")}}
	return s
}

func journal(t *testing.T) string { return filepath.Join(t.TempDir(), "journal") }

// open opens a stream that is closed at the end.
func open(t *testing.T, faults string, change ...func(*kvsproducer.Settings)) *bench {
	t.Helper()
	b := &bench{ears: &ears{more: make(chan struct{}, 1)}, path: journal(t)}
	set := settings(b.path, faults)
	for _, f := range change {
		f(&set)
	}
	var err error
	b.Stream, err = kvsproducer.Open(t.Context(), set, b.hear)
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	return b
}

// lines are those of the journal that begin with a word.
func lines(t *testing.T, path, word string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, l := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(l, word+" "); ok {
			list = append(list, rest)
		}
	}
	return list
}

// frame makes the nth frame at 25 a second, a key frame each second, and the line that the journal must have of it.
func frame(n int) (kvsproducer.Frame, string) {
	data := []byte(fmt.Sprintf("frame %d %s", n, strings.Repeat("x", n*37%1500)))
	f := kvsproducer.Frame{Track: 1, PTS: 1_700_000_000*time.Second + time.Duration(n)*40*time.Millisecond, Key: n%25 == 0, Data: data}
	f.DTS = f.PTS - 20*time.Millisecond
	h := fnv.New64a()
	h.Write(data)
	key := 0
	if f.Key {
		key = 1
	}
	return f, fmt.Sprintf("%d track=1 pts=%d dts=%d key=%d size=%d fnv=%016x", n, f.PTS/100, f.DTS/100, key, len(data), h.Sum64())
}

// put puts frames and gives the journal's lines.
func (b *bench) put(t *testing.T, first, count int) (want []string) {
	t.Helper()
	for n := first; n < first+count; n++ {
		f, line := frame(n)
		require.NoError(t, b.Put(f))
		clear(f.Data) // the SDK has its copy
		want = append(want, line)
	}
	return want
}
