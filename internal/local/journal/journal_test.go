package journal

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/streams"
	"gst-kinesis/internal/shard"
)

// site is a store over a journal that a test can close and open again.
type site struct {
	t       *testing.T
	dir     string
	opts    Options
	now     time.Time
	most    int64
	store   *streams.Store
	journal *Journal
}

func newSite(t *testing.T) *site {
	t.Helper()
	return &site{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC), most: 1 << 30,
		opts: Options{SegmentBytes: 4096, Logger: slog.New(slog.DiscardHandler)}}
}

func (s *site) open() {
	s.t.Helper()
	j, err := Open(s.dir, s.opts)
	require.NoError(s.t, err)
	s.store = streams.NewStore(streams.Settings{Account: "000000000000", Region: "us-east-1", Now: func() time.Time { return s.now },
		MaxBytes: s.most, ShardLimit: 1000, Logger: s.opts.Logger, Journal: j})
	s.journal = j
	require.NoError(s.t, j.Load(s.store))
}

func (s *site) close() { require.NoError(s.t, s.journal.Close()) }

func (s *site) reopen() {
	s.close()
	s.open()
}

// put stores n records and returns their sequence numbers.
func (s *site) put(stream string, n, size int) []string {
	s.t.Helper()
	var items []streams.Item
	for i := range n {
		key := fmt.Sprintf("key%d", i)
		items = append(items, streams.Item{Key: key, Hash: shard.HashKey(key), Data: []byte(strings.Repeat(string(rune('a'+i%26)), size))})
	}
	res, err := s.store.Put(stream, items, nil)
	require.NoError(s.t, err)
	var sequences []string
	for _, p := range res.Placed {
		require.Nil(s.t, p.Err)
		sequences = append(sequences, p.Sequence)
	}
	return sequences
}

func (s *site) records(stream string) []streams.Stored {
	s.t.Helper()
	list, err := s.store.Records(stream)
	require.NoError(s.t, err)
	return list
}

// segments returns the paths of all segment files, oldest first.
func (s *site) segments() []string {
	s.t.Helper()
	list, err := filepath.Glob(filepath.Join(s.dir, streamPrefix+"*", "*"+".seg"))
	require.NoError(s.t, err)
	return list
}

func TestRestart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.open()
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "a", Shards: 2, Tags: map[string]string{"k": "v"}, MaxRecord: 2 << 20}))
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "b", Mode: streams.OnDemand}))
	s.put("a", 50, 300)
	s.put("b", 5, 0)
	require.NoError(t, s.store.SetRetention("a", 48, true))
	require.NoError(t, s.store.SplitShard("a", "0", shard.EvenRanges(2)[0].Middle()))
	require.NoError(t, s.store.SetEncryption("a", streams.EncryptionKMS, "alias/k"))
	s.put("a", 50, 300)
	recordsA, recordsB := s.records("a"), s.records("b")
	infoA, shardsA, _, err := s.store.DescribeShards("a", nil, 100)
	require.NoError(t, err)

	for range 3 {
		s.reopen()
		require.Equal(t, recordsA, s.records("a"))
		require.Equal(t, recordsB, s.records("b"))
		info, shards, _, err := s.store.DescribeShards("a", nil, 100)
		require.NoError(t, err)
		require.Equal(t, infoA, info)
		require.Equal(t, shardsA, shards)
		tags, _, err := s.store.Tags("a", "", 0)
		require.NoError(t, err)
		require.Equal(t, []streams.Tag{{Key: "k", Value: "v"}}, tags)
	}
	seen := map[string]bool{}
	for _, r := range recordsA {
		seen[r.SequenceNumber] = true
	}
	for _, seq := range s.put("a", 50, 1) {
		require.False(t, seen[seq], "a number is never given twice")
	}
	s.close()
}

func TestDeletedStreamStaysDeleted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.open()
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "a"}))
	s.put("a", 3, 10)
	require.NoError(t, s.store.Delete("a"))
	require.Empty(t, s.segments())
	s.now = s.now.Add(time.Second)
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "a"}))
	s.put("a", 1, 10)
	s.reopen()
	require.Len(t, s.records("a"), 1)
	s.close()
}

func TestSegmentsGoWithTheirRecords(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.open()
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "a"}))
	first := s.put("a", 40, 500)
	for range 3 {
		s.put("a", 40, 500)
	}
	require.Len(t, s.segments(), 4)
	s.now = s.now.Add(25 * time.Hour)
	require.Empty(t, s.records("a"))
	require.Len(t, s.segments(), 1, "the active segment stays")
	for range 2 {
		s.reopen()
		require.Empty(t, s.records("a"))
		require.Len(t, s.segments(), 1)
	}
	require.Greater(t, s.put("a", 1, 1)[0], first[39], "numbers go on where they stood")
	s.close()
}

func TestMemoryBoundBoundsTheDisk(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.most = 100 << 10
	s.open()
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "a", Shards: 3}))
	for range 100 {
		s.put("a", 10, 1000)
		s.now = s.now.Add(time.Second)
	}
	var size int64
	for _, path := range s.segments() {
		info, err := os.Stat(path)
		require.NoError(t, err)
		size += info.Size()
	}
	require.Less(t, size, s.most+3*s.opts.SegmentBytes+20000)
	held := s.records("a")
	s.reopen()
	again := s.records("a")
	require.GreaterOrEqual(t, len(again), len(held)*9/10)
	require.LessOrEqual(t, s.store.Usage().Bytes, s.most)
	s.close()
}

// TestTornAnywhere cuts the newest segment at each byte: what was whole comes back, and nothing else.
func TestTornAnywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.open()
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "a"}))
	var sequences []string
	for range 4 {
		sequences = append(sequences, s.put("a", 1, 20)...)
	}
	s.close()
	path := s.segments()[0]
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for cut := range len(whole) {
		require.NoError(t, os.WriteFile(path, whole[:cut], 0o600))
		s.open()
		got := s.records("a")
		for i, r := range got {
			require.Equal(t, sequences[i], r.SequenceNumber, "cut at %d", cut)
		}
		next := s.put("a", 1, 20)[0]
		require.NotContains(t, sequences, next, "cut at %d", cut)
		s.reopen()
		require.Len(t, s.records("a"), len(got)+1, "cut at %d", cut)
		s.close()
		for _, other := range s.segments() {
			require.NoError(t, os.Remove(other))
		}
	}
}

// TestBrokenAnywhere changes bytes at random: the reading never fails and yields only records that were written.
func TestBrokenAnywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.open()
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "a"}))
	want := map[string]string{}
	for range 30 {
		for _, seq := range s.put("a", 3, 200) {
			want[seq] = ""
		}
	}
	for _, r := range s.records("a") {
		want[r.SequenceNumber] = string(r.Data)
	}
	s.close()
	paths := s.segments()
	require.Greater(t, len(paths), 2)
	kept := map[string][]byte{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		kept[path] = b
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		for path, b := range kept {
			require.NoError(t, os.WriteFile(path, b, 0o600))
		}
		path := paths[rng.IntN(len(paths))]
		b := append([]byte(nil), kept[path]...)
		b[rng.IntN(len(b))] ^= byte(1 + rng.IntN(255))
		require.NoError(t, os.WriteFile(path, b, 0o600))
		s.open()
		for _, r := range s.records("a") {
			require.Equal(t, want[r.SequenceNumber], string(r.Data))
		}
		s.put("a", 1, 1)
		s.close()
		for _, other := range s.segments() {
			if kept[other] == nil {
				require.NoError(t, os.Remove(other))
			}
		}
	}
}

func TestOneOwner(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.open()
	_, err := Open(s.dir, s.opts)
	require.ErrorContains(t, err, "is in use by another endpoint")
	s.close()
	s.open()
	s.close()
}

func TestHalfMadeStreamIsForgotten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	require.NoError(t, os.MkdirAll(filepath.Join(s.dir, "stream-000007"), 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(s.dir, "removed-stream-000003"), 0o700))
	s.open()
	entries, err := os.ReadDir(s.dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "a"}))
	s.close()
}

func TestWritesFailWithoutHarm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.open()
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "a"}))
	s.put("a", 1, 10)
	// The file is taken away from under the segment: writing fails as it does on a full disk.
	l, err := s.journal.folders.Log("a", s.now)
	require.NoError(t, err)
	require.NoError(t, l.active.File.Close())
	_, err = s.store.Put("a", []streams.Item{{Key: "k", Data: []byte("lost")}}, nil)
	require.ErrorContains(t, err, "InternalFailure")
	require.Len(t, s.records("a"), 1, "what was not written is not there")
	s.put("a", 1, 10)
	s.reopen()
	require.Len(t, s.records("a"), 2)
	s.close()
}

func TestSync(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.opts.Sync = true
	s.open()
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "a"}))
	s.put("a", 3, 10)
	s.reopen()
	require.Len(t, s.records("a"), 3)
	s.close()
}

func FuzzScan(f *testing.F) {
	record := appendRecord([]byte(magic), streams.Entry{Shard: 1, Record: &streams.Record{Index: 7, Arrival: 9, Key: "k", Data: []byte("data")}})
	f.Add(record)
	f.Add(appendMarks(record, map[int]uint64{0: 5, 1: 8}))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		again := []byte(magic)
		sc := scanner{record: func(e streams.Entry) { again = appendRecord(again, e) }, mark: func(int, uint64) {}}
		good, err := sc.scan(b)
		require.LessOrEqual(t, good, len(b))
		require.Equal(t, err == nil, good == len(b) && good > 0)
		sc = scanner{record: func(streams.Entry) {}, mark: func(int, uint64) {}}
		_, err = sc.scan(again)
		require.NoError(t, err, "records are written so that they can be read")
	})
}
