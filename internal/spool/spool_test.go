package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// site is a spool in a real directory that a test can close and open again.
type site struct {
	*Spool
	t   *testing.T
	set Settings
	now atomic.Int64
	log bytes.Buffer
}

func newSite(t *testing.T, change func(*Settings)) *site {
	t.Helper()
	s := &site{t: t}
	s.now.Store(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC).UnixNano())
	s.set = Settings{Directory: filepath.Join(t.TempDir(), "spool"), SegmentBytes: 4096, ticks: make(chan time.Time),
		Now: s.time, Log: slog.New(slog.NewTextHandler(&s.log, nil))}
	if change != nil {
		change(&s.set)
	}
	s.open()
	t.Cleanup(func() {
		if s.Spool != nil {
			_ = s.Close()
		}
	})
	return s
}

func (s *site) time() time.Time         { return time.Unix(0, s.now.Load()) }
func (s *site) advance(d time.Duration) { s.now.Add(int64(d)) }

func (s *site) open() {
	s.t.Helper()
	var err error
	s.Spool, err = Open(s.set)
	require.NoError(s.t, err)
}

func (s *site) reopen() {
	s.t.Helper()
	require.NoError(s.t, s.Close())
	s.open()
}

// fill appends n records whose data end with their number.
func (s *site) fill(n, size int) []ID {
	s.t.Helper()
	var ids []ID
	for i := range n {
		id, err := s.Append(Record{Key: fmt.Sprintf("key%d", i%3), PTS: uint64(i), Accepted: s.time(), Data: numbered(i, size)})
		require.NoError(s.t, err)
		ids = append(ids, id)
	}
	return ids
}

func numbered(i, size int) []byte {
	return append(bytes.Repeat([]byte{byte(i)}, size), fmt.Sprintf("#%d", i)...)
}

// all reads everything and returns the IDs; losses are counted.
func (s *site) all() (ids []ID, losses []*LossError) {
	s.t.Helper()
	r := s.Reader(0)
	defer r.Close()
	for {
		_, id, err := r.Next(nil)
		var loss *LossError
		switch {
		case errors.Is(err, io.EOF):
			return ids, losses
		case errors.As(err, &loss):
			losses = append(losses, loss)
		default:
			require.NoError(s.t, err)
			ids = append(ids, id)
		}
	}
}

func (s *site) fsys() fileSystem {
	if s.set.fs != nil {
		return s.set.fs
	}
	return osFS{}
}

func (s *site) path(name string) string { return filepath.Join(s.set.Directory, name) }

// files returns the names of all files, sorted.
func (s *site) files() []string {
	s.t.Helper()
	list, err := s.fsys().List(s.set.Directory)
	require.NoError(s.t, err)
	var names []string
	for _, l := range list {
		names = append(names, l.name)
	}
	slices.Sort(names)
	return names
}

// ending returns the names of the files that end so.
func (s *site) ending(suffix string) []string {
	s.t.Helper()
	return slices.DeleteFunc(s.files(), func(name string) bool { return !strings.HasSuffix(name, suffix) })
}

func (s *site) read(name string) []byte {
	s.t.Helper()
	f, size, err := s.fsys().Open(s.path(name))
	require.NoError(s.t, err)
	b := make([]byte, size)
	n, err := f.ReadAt(b, 0)
	require.Equal(s.t, len(b), n, err)
	require.NoError(s.t, f.Close())
	return b
}

func (s *site) write(name string, b []byte) {
	s.t.Helper()
	f, err := s.fsys().Create(s.path(name))
	require.NoError(s.t, err)
	_, err = f.WriteAt(b, 0)
	require.NoError(s.t, err)
	require.NoError(s.t, f.Close())
}

func (s *site) copies() map[string][]byte {
	s.t.Helper()
	files := map[string][]byte{}
	for _, name := range s.files() {
		files[name] = s.read(name)
	}
	return files
}

// restore puts the directory back.
func (s *site) restore(files map[string][]byte) {
	s.t.Helper()
	for _, name := range s.files() {
		require.NoError(s.t, s.fsys().Remove(s.path(name)))
	}
	for name, b := range files {
		s.write(name, b)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	want := []Record{
		{Key: "a", ExplicitHash: "340282366920938463463374607431768211455", PTS: NoPTS, Accepted: s.time(), Data: []byte("one")},
		{},
		{Key: strings.Repeat("é", 256), PTS: 7, Accepted: s.time(), Data: bytes.Repeat([]byte("x"), 3*smallData)},
	}
	for i, r := range want {
		id, err := s.Append(r)
		require.NoError(t, err)
		require.Equal(t, ID(i+1), id)
	}
	s.reopen()
	r := s.Reader(0)
	defer r.Close()
	room := make([]byte, 4*smallData)
	for i, w := range want {
		got, id, err := r.Next(func(n int) []byte { return room[:n] })
		require.NoError(t, err)
		require.Equal(t, ID(i+1), id)
		require.Equal(t, string(w.Data), string(got.Data))
		require.True(t, w.Accepted.Equal(got.Accepted))
		require.Equal(t, []any{w.Key, w.ExplicitHash, w.PTS}, []any{got.Key, got.ExplicitHash, got.PTS})
	}
	_, _, err := r.Next(nil)
	require.ErrorIs(t, err, io.EOF)
	id, err := s.Append(Record{Data: []byte("later")})
	require.NoError(t, err)
	require.Equal(t, ID(4), id, "after Close no ID is left out")
	got, id, err := r.Next(nil)
	require.NoError(t, err)
	require.Equal(t, ID(4), id)
	require.Equal(t, "later", string(got.Data))
}

func TestDoneStaysDone(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	ids := s.fill(200, 100)
	var rest []ID
	for i, id := range ids {
		if i%3 == 0 || i > 150 {
			require.NoError(t, s.Done([]ID{id, id}))
		} else {
			rest = append(rest, id)
		}
	}
	require.NoError(t, s.Done([]ID{0, 1 << 60}), "unknown IDs mean nothing")
	for range 3 {
		got, _ := s.all()
		require.Equal(t, rest, got)
		require.Equal(t, int64(len(rest)), s.Stats().Records)
		s.reopen()
	}
}

func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for range 5 {
		require.NoError(t, s.Done(s.fill(300, 100)))
		require.LessOrEqual(t, len(s.files()), 3, "all but the active segment are gone")
		s.tend()
		require.Len(t, s.files(), 3, "a busy stream keeps its segment")
		s.advance(idleAfter)
		s.tend()
		require.Equal(t, []string{lockName, acksName}, s.files())
		require.Zero(t, s.Stats().Segments)
	}
	require.Less(t, s.Stats().DiskBytes, int64(8<<10))
	s.reopen()
	require.Equal(t, int64(acksHeader), s.Stats().DiskBytes)
}

// TestYear appends, acknowledges and restarts for long: neither files nor memory grow.
func TestYear(t *testing.T) {
	t.Parallel()
	s, _ := newFaulty(t, nil)
	var waiting []ID
	for range 300 {
		waiting = append(waiting, s.fill(20, 100)...)
		half := len(waiting) / 2
		require.NoError(t, s.Done(waiting[:half]))
		waiting = waiting[half:]
		s.reopen()
		require.LessOrEqual(t, len(s.files()), 20)
		require.LessOrEqual(t, s.Stats().DiskBytes, int64(80<<10))
	}
	got, _ := s.all()
	require.Equal(t, waiting, got)
}

func TestAcksAreCompacted(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	keep := s.fill(1, 10)
	for range 6000 {
		require.NoError(t, s.Done(s.fill(1, 0)))
	}
	require.Less(t, s.acks.size, int64(acksKeep+2*s.acks.base))
	got, _ := s.all()
	require.Equal(t, keep, got)
}

func TestFull(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(set *Settings) { set.MaxBytes = 64 << 10 })
	_, err := s.Append(Record{Data: make([]byte, 64<<10)})
	require.ErrorIs(t, err, ErrTooLarge)
	require.ErrorContains(t, err, s.set.Directory)
	var ids []ID
	for {
		id, err := s.Append(Record{Data: make([]byte, 1000)})
		if err != nil {
			require.ErrorIs(t, err, ErrFull)
			require.ErrorContains(t, err, s.set.Directory)
			require.ErrorContains(t, err, "spool-max-bytes")
			break
		}
		ids = append(ids, id)
	}
	require.Greater(t, len(ids), 50)
	require.LessOrEqual(t, s.Stats().DiskBytes, s.set.MaxBytes)
	d, err := s.DropOldest(1)
	require.NoError(t, err)
	require.Equal(t, ids[:len(d.IDs)], d.IDs)
	require.Equal(t, int64(1000*len(d.IDs)), d.Bytes)
	_, err = s.Append(Record{Data: make([]byte, 1000)})
	require.NoError(t, err)
	got, _ := s.all()
	require.Equal(t, ids[len(d.IDs):], got[:len(got)-1])
	d, err = s.DropOldest(1 << 40)
	require.NoError(t, err)
	require.Equal(t, got, d.IDs, "all goes, the active segment's too")
	require.Zero(t, s.Stats().Records)
}

func TestExpire(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(set *Settings) { set.MaxAge = time.Hour })
	unknown, err := s.Append(Record{Accepted: time.Unix(1000, 0)})
	require.NoError(t, err)
	old := s.fill(3, 10)
	s.advance(30 * time.Minute)
	young := s.fill(2, 10)
	d, err := s.Expire()
	require.NoError(t, err)
	require.Empty(t, d.IDs)
	s.advance(30*time.Minute + time.Second)
	require.Zero(t, s.Stats().Oldest, "the first record's age is not known")
	d, err = s.Expire()
	require.NoError(t, err)
	require.Equal(t, old, d.IDs)
	require.Equal(t, int64(3*12), d.Bytes)
	got, _ := s.all()
	require.Equal(t, append([]ID{unknown}, young...), got, "a record that was taken before the clock was set stays")
	require.NoError(t, s.Done([]ID{unknown}))
	require.Equal(t, 30*time.Minute+time.Second, s.Stats().Oldest)
	s.now.Store(time.Unix(1000, 0).UnixNano())
	d, err = s.Expire()
	require.NoError(t, err)
	require.Empty(t, d.IDs, "nothing expires while the clock is not set")
}

func TestStrangers(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.fill(100, 100)
	require.NoError(t, s.Close())
	names := []string{"notes.txt", "0000000000000001-5f3a09c2.seg.bak", "0-0.seg", "subfolder"}
	for _, name := range names[:3] {
		require.NoError(t, os.WriteFile(filepath.Join(s.set.Directory, name), []byte("mine"), 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(s.set.Directory, names[3]), 0o700))
	s.open()
	for _, name := range names {
		require.Contains(t, s.log.String(), name)
	}
	r, err := Inspect(t.Context(), s.set.Directory)
	require.NoError(t, err)
	require.ElementsMatch(t, names, r.Unknown)
	ids, _ := s.all()
	require.Len(t, ids, 100)
	require.NoError(t, s.Done(ids))
	require.NoError(t, s.Close())
	require.Subset(t, s.files(), names)
}

func TestInspect(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	ids := s.fill(100, 100)
	require.NoError(t, s.Done(ids[10:20]))
	r, err := Inspect(t.Context(), s.set.Directory)
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), r.Owner)
	require.True(t, r.Owned)
	require.Equal(t, 100, r.Records)
	require.Equal(t, 10, r.Done)
	require.Equal(t, s.Stats().Bytes, r.Bytes)
	require.Equal(t, s.Stats().DiskBytes, r.DiskBytes+r.AcksBytes)
	require.Greater(t, len(r.Segments), 2)
	require.Equal(t, ids[0], r.Segments[0].First)
	require.True(t, r.Segments[0].Sealed)
	require.True(t, s.time().Equal(r.Segments[0].Oldest))
	last := r.Segments[len(r.Segments)-1]
	require.Equal(t, ids[99], last.Last)
	require.False(t, last.Sealed)
	for _, seg := range r.Segments {
		require.Zero(t, seg.CorruptBytes+seg.TornBytes)
		require.False(t, seg.HeaderDamaged)
	}
	require.NoError(t, s.Close())
	r, err = Inspect(t.Context(), s.set.Directory)
	require.NoError(t, err)
	require.Zero(t, r.Owner)
	require.False(t, r.Owned)
	require.NoError(t, os.WriteFile(filepath.Join(s.set.Directory, lockName), []byte("7\n"), 0o600))
	r, err = Inspect(t.Context(), s.set.Directory)
	require.NoError(t, err)
	require.Equal(t, 7, r.Owner)
	require.False(t, r.Owned, "it ended without closing it")
	require.Equal(t, 100-10, r.Records-r.Done)
	_, err = Inspect(t.Context(), filepath.Join(s.set.Directory, "none"))
	require.ErrorContains(t, err, "inspecting the spool in")
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"always", "interval", "none"} {
		policy, err := ParseSync(name)
		require.NoError(t, err)
		require.Equal(t, name, policy.String())
	}
	_, err := ParseSync("often")
	require.Error(t, err)
	_, err = Open(Settings{})
	require.ErrorContains(t, err, "spool-directory")
	_, err = Open(Settings{Directory: t.TempDir(), MaxBytes: -1})
	require.Error(t, err)
	set, err := Settings{Directory: "x"}.withDefaults()
	require.NoError(t, err)
	require.Equal(t, []int64{1 << 30, 16 << 20}, []int64{set.MaxBytes, set.SegmentBytes})
	set, err = Settings{Directory: "x", MaxBytes: 1 << 20}.withDefaults()
	require.NoError(t, err)
	require.Equal(t, int64(1<<17), set.SegmentBytes)
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.fill(1, 1)
	r := s.Reader(0)
	require.NoError(t, s.Close())
	_, err := s.Append(Record{})
	require.ErrorIs(t, err, ErrClosed)
	_, err = s.DropOldest(1)
	require.ErrorIs(t, err, ErrClosed)
	_, err = s.Expire()
	require.ErrorIs(t, err, ErrClosed)
	_, _, err = r.Next(nil)
	require.ErrorIs(t, err, ErrClosed)
	for _, err := range []error{s.Done([]ID{1}), s.Sync(), s.Close()} {
		require.ErrorIs(t, err, ErrClosed)
	}
	require.Equal(t, int64(1), s.Stats().Records)
}

// TestTogether appends, reads and acknowledges from many goroutines.
func TestTogether(t *testing.T) {
	t.Parallel()
	for policy := SyncInterval; policy <= SyncNone; policy++ {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, func(set *Settings) { set.Sync = policy; set.SegmentBytes = 16 << 10 })
			const writers, each = 8, 100
			var group sync.WaitGroup
			for w := range writers {
				group.Go(func() {
					for i := range each {
						_, err := s.Append(Record{Key: fmt.Sprint(w), PTS: uint64(i), Accepted: s.time(), Data: numbered(i, 200)})
						if err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			group.Go(func() {
				for range 50 {
					s.tend()
					s.Stats()
				}
			})
			next := map[string]uint64{}
			r := s.Reader(0)
			defer r.Close()
			for n := 0; n < writers*each; {
				got, id, err := r.Next(nil)
				if errors.Is(err, io.EOF) {
					continue
				}
				require.NoError(t, err)
				require.Equal(t, next[got.Key], got.PTS, "in order for each key")
				next[got.Key]++
				n++
				require.NoError(t, s.Done([]ID{id}))
			}
			group.Wait()
			require.Zero(t, s.Stats().Records)
			s.reopen()
			require.Zero(t, s.Stats().Records)
		})
	}
}
