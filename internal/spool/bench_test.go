package spool

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func benchSettings(b testing.TB, policy Sync) Settings {
	b.Helper()
	return Settings{Directory: b.TempDir(), Sync: policy, MaxBytes: 1 << 40, Log: slog.New(slog.DiscardHandler)}
}

// BenchmarkAppend stores records and acknowledges them a hundred later, as a working link does.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1 << 10, 200 << 10} {
		for policy := SyncInterval; policy <= SyncNone; policy++ {
			b.Run(fmt.Sprintf("%dKiB/%s", size>>10, policy), func(b *testing.B) {
				s, err := Open(benchSettings(b, policy))
				require.NoError(b, err)
				r := Record{Key: "camera0", Accepted: time.Now(), Data: make([]byte, size)}
				ids := make([]ID, 0, 100)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					id, err := s.Append(r)
					if err != nil {
						b.Fatal(err)
					}
					if ids = append(ids, id); len(ids) == cap(ids) {
						if err := s.Done(ids); err != nil {
							b.Fatal(err)
						}
						ids = ids[:0]
					}
				}
				require.NoError(b, s.Close())
			})
		}
	}
}

// BenchmarkAppendTogether has 32 goroutines share syncs.
func BenchmarkAppendTogether(b *testing.B) {
	s, err := Open(benchSettings(b, SyncAlways))
	require.NoError(b, err)
	b.SetParallelism(32 / runtime.GOMAXPROCS(0))
	b.SetBytes(1 << 10)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r := Record{Key: "camera0", Accepted: time.Now(), Data: make([]byte, 1<<10)}
		for pb.Next() {
			id, err := s.Append(r)
			if err == nil {
				err = s.Done([]ID{id})
			}
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(s.Stats().Syncs)/float64(b.N), "syncs/op")
	require.NoError(b, s.Close())
}

func BenchmarkReplay(b *testing.B) {
	for _, size := range []int{1 << 10, 200 << 10} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			s, err := Open(benchSettings(b, SyncNone))
			require.NoError(b, err)
			fillTo(b, s, (128<<20)/size, size)
			r := s.Reader(0)
			room := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				_, _, err := r.Next(func(n int) []byte { return room[:n] })
				if errors.Is(err, io.EOF) {
					r.Close()
					r = s.Reader(0)
				} else if err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, s.Close())
		})
	}
}

func fillTo(b testing.TB, s *Spool, n, size int) {
	b.Helper()
	r := Record{Key: "camera0", Accepted: time.Now(), Data: make([]byte, size)}
	for range n {
		_, err := s.Append(r)
		require.NoError(b, err)
	}
}

// BenchmarkOpen opens a backlog, after Close and after the end of the process.
func BenchmarkOpen(b *testing.B) {
	for _, c := range []struct {
		name    string
		n, size int
	}{{"1e6 of 100 B", 1e6, 100}, {"5000 of 200 KiB", 5000, 200 << 10}} {
		b.Run(c.name, func(b *testing.B) {
			set := benchSettings(b, SyncNone)
			s, err := Open(set)
			require.NoError(b, err)
			fillTo(b, s, c.n, c.size)
			require.NoError(b, s.Close())
			for b.Loop() {
				s, err := Open(set)
				require.NoError(b, err)
				require.Equal(b, int64(c.n), s.Stats().Records)
				b.StopTimer()
				require.NoError(b, s.Close())
				b.StartTimer()
			}
		})
	}
}

// BenchmarkScan reads a segment that was not ended as it should be, which Open does with the last one.
func BenchmarkScan(b *testing.B) {
	s, err := Open(benchSettings(b, SyncNone))
	require.NoError(b, err)
	fillTo(b, s, 15_000, 1<<10)
	src, size, err := s.fs.Open(s.active.path)
	require.NoError(b, err)
	room := make([]byte, scanRoom)
	b.SetBytes(size)
	for b.Loop() {
		v := scanSegment(src, s.active.origin, size, room)
		require.Len(b, v.entries, 15_000)
	}
	require.NoError(b, src.Close())
	require.NoError(b, s.Close())
}

// BenchmarkMemory says what an outstanding record takes.
func BenchmarkMemory(b *testing.B) {
	const n = 1e6
	set := benchSettings(b, SyncNone)
	s, err := Open(set)
	require.NoError(b, err)
	fillTo(b, s, n, 10)
	require.NoError(b, s.Close())
	before := heap()
	for b.Loop() {
		s, err = Open(set)
		require.NoError(b, err)
		b.StopTimer()
		b.ReportMetric(float64(heap()-before)/n, "B/record")
		require.NoError(b, s.Close())
		b.StartTimer()
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestAllocs: neither storing nor replaying nor acknowledging allocates for each record.
func TestAllocs(t *testing.T) {
	for policy := SyncInterval; policy <= SyncNone; policy++ {
		s, err := Open(benchSettings(t, policy))
		require.NoError(t, err)
		r := Record{Key: "camera0", Accepted: time.Now(), Data: make([]byte, 1000)}
		ids := make([]ID, 1)
		room := make([]byte, 1000)
		reader := s.Reader(0)
		alloc := func(n int) []byte { return room[:n] }
		one := func() {
			id, err := s.Append(r)
			require.NoError(t, err)
			_, got, err := reader.Next(alloc)
			require.NoError(t, err)
			require.Equal(t, id, got)
			ids[0] = id
			require.NoError(t, s.Done(ids))
		}
		for range 200 {
			one()
		}
		if !raceEnabled {
			require.Less(t, testing.AllocsPerRun(200, one), 4.0, policy) // require.Equal makes 2
		}
		reader.Close()
		require.NoError(t, s.Close())
	}
}
