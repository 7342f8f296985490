package spool

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// resum makes a header's sum right again.
func resum(b []byte) []byte {
	n := len(b) - 4
	binary.LittleEndian.PutUint32(b[n:], crc32.Checksum(b[:n], castagnoli()))
	return b
}

// newFaulty is a spool on a disk in memory.
func newFaulty(t *testing.T, change func(*Settings)) (*site, *disk) {
	t.Helper()
	d := newDisk(1)
	s := newSite(t, func(set *Settings) {
		set.Directory, set.fs = "/spool", d
		if change != nil {
			change(set)
		}
	})
	return s, d
}

// failing makes one kind of operation fail.
func (d *disk) failing(op string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = func(o string) error {
		if o == op {
			return err
		}
		return nil
	}
}

func TestDiskErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op     string
		err    error
		kind   DiskKind
		remedy string
	}{
		{"write", syscall.ENOSPC, DiskFull, "free space"},
		{"write", syscall.EDQUOT, DiskFull, "free space"},
		{"write", syscall.EIO, DiskBroken, "check the disk"},
		{"write", syscall.EROFS, DiskReadOnly, "mount it writable"},
		{"sync", syscall.EIO, DiskBroken, "check the disk"},
		{"sync", syscall.ENOSPC, DiskFull, "free space"},
	} {
		t.Run(c.op+" "+c.err.Error(), func(t *testing.T) {
			t.Parallel()
			s, d := newFaulty(t, func(set *Settings) { set.Sync = SyncAlways })
			before := s.fill(3, 100)
			d.failing(c.op, c.err)
			for range 3 {
				_, err := s.Append(Record{Data: make([]byte, 100)})
				var disk *DiskError
				require.ErrorAs(t, err, &disk)
				require.Equal(t, c.kind, disk.Kind)
				require.ErrorIs(t, err, c.err)
				require.ErrorContains(t, err, "the spool in /spool")
				require.ErrorContains(t, err, c.remedy)
				require.Equal(t, int64(3), s.Stats().Records)
				got, _ := s.all()
				require.Equal(t, before, got)
			}
			require.Positive(t, s.Stats().DiskErrors)
			d.failing("", nil)
			after := s.fill(3, 100)
			got, _ := s.all()
			require.Equal(t, append(before, after...), got, "it goes on by itself")
			s.reopen()
			got, _ = s.all()
			require.Equal(t, append(before, after...), got)
		})
	}
}

// TestDiskFills lets the disk run full for real: done records make room although not even acks
// can be written.
func TestDiskFills(t *testing.T) {
	t.Parallel()
	s, d := newFaulty(t, nil)
	d.mu.Lock()
	d.room = 40 << 10
	d.mu.Unlock()
	var ids []ID
	var err error
	for err == nil {
		var id ID
		if id, err = s.Append(Record{Data: make([]byte, 900)}); err == nil {
			ids = append(ids, id)
		}
	}
	var disk *DiskError
	require.ErrorAs(t, err, &disk)
	require.Equal(t, DiskFull, disk.Kind)
	got, _ := s.all()
	require.Equal(t, ids, got)
	d.mu.Lock()
	d.room = 0
	d.mu.Unlock()
	require.ErrorAs(t, s.Done(ids[:1]), &disk, "the acks have no room")
	_ = s.Done(ids[1:20])
	require.NoError(t, s.Done(ids[20:21]), "the segments that went made some")
	s.end()
	d.kill()
	s.open()
	got, _ = s.all()
	require.Equal(t, ids[21:], got)
	d.crash()
}

func (s *site) end() { close(s.quit); <-s.ended }

func TestOpensOnFullDisk(t *testing.T) {
	t.Parallel()
	s, d := newFaulty(t, nil)
	ids := s.fill(10, 100)
	s.end()
	d.kill()
	d.failing("write", syscall.ENOSPC)
	s.open()
	got, _ := s.all()
	require.Equal(t, ids, got)
	_, err := s.Append(Record{})
	var disk *DiskError
	require.ErrorAs(t, err, &disk)
	s.tend()
	s.tend()
	require.Contains(t, s.log.String(), "makes trouble")
	d.failing("", nil)
	s.tend()
	require.Contains(t, s.log.String(), "works again")
	id, err := s.Append(Record{})
	require.NoError(t, err)
	require.Greater(t, id, ids[9])
}

// TestTakenBack: a record whose Append failed does not come back although its bytes could not be
// removed.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	s, d := newFaulty(t, func(set *Settings) { set.Sync = SyncAlways })
	ids := s.fill(2, 100)
	d.mu.Lock()
	d.fault = func(op string) error {
		if op == "sync" || op == "truncate" {
			return syscall.EIO
		}
		return nil
	}
	d.mu.Unlock()
	for range 3 {
		_, err := s.Append(Record{Data: []byte("failed")})
		require.ErrorIs(t, err, syscall.EIO)
	}
	d.failing("", nil)
	s.end()
	d.kill()
	s.open()
	got, _ := s.all()
	require.Equal(t, ids, got)
	require.Greater(t, s.fill(1, 1)[0], ids[1])
}

// TestFilesThatStay: segments that cannot be removed do not bring their records back, and go when
// they can.
func TestFilesThatStay(t *testing.T) {
	t.Parallel()
	s, d := newFaulty(t, nil)
	ids := s.fill(100, 200)
	d.failing("remove", syscall.EROFS)
	require.NoError(t, s.Done(ids[10:90]))
	require.Equal(t, int64(20), s.Stats().Records)
	require.NoError(t, s.Close())
	s.open()
	got, _ := s.all()
	require.Equal(t, append(slices.Clone(ids[:10]), ids[90:]...), got)
	before := s.Stats().DiskBytes
	dropped, err := s.DropOldest(10_000)
	var disk *DiskError
	require.ErrorAs(t, err, &disk)
	require.Equal(t, DiskReadOnly, disk.Kind)
	require.Empty(t, dropped.IDs, "what frees nothing is not given up")
	d.failing("", nil)
	s.tend()
	require.Less(t, s.Stats().DiskBytes, before/2)
}

// TestForgottenAcks: the power goes when a new journal is on the disk and the removal of segments,
// which it no longer speaks of, is not.
func TestForgottenAcks(t *testing.T) {
	t.Parallel()
	s, d := newFaulty(t, nil)
	ids := s.fill(100, 200)
	require.NoError(t, s.Sync())
	require.NoError(t, s.Done(ids[10:90]))
	require.NoError(t, s.acks.f.Sync())
	removals := len(d.changes)
	require.NotZero(t, removals)
	d.failing("syncdir", syscall.EIO)
	s.acking.Lock()
	require.Error(t, s.rewriteAcks(false))
	s.acking.Unlock()
	s.end()
	for _, f := range d.changes[removals:] {
		f(d.stable)
	}
	d.changes = nil
	d.crash()
	d.failing("", nil)
	s.open()
	got, _ := s.all()
	require.Equal(t, append(slices.Clone(ids[:10]), ids[90:]...), got)
}

// TestTogetherOnBadDisk appends from many goroutines while syncs and writes fail: what was vouched for is
// there, after a crash too, and nothing else.
func TestTogetherOnBadDisk(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		s, d := newFaulty(t, func(set *Settings) { set.Sync = SyncAlways })
		d.rng = rand.New(rand.NewPCG(seed, 3))
		d.fault = func(op string) error {
			if (op == "sync" || op == "write") && d.rng.IntN(8) == 0 {
				return syscall.EIO
			}
			return nil
		}
		var mu sync.Mutex
		want := map[string]bool{}
		var group sync.WaitGroup
		for w := range 8 {
			group.Go(func() {
				for i := range 40 {
					data := fmt.Sprintf("%d/%d", w, i)
					if _, err := s.Append(Record{Data: []byte(data)}); err == nil {
						mu.Lock()
						want[data] = true
						mu.Unlock()
					}
				}
			})
		}
		group.Wait()
		d.failing("", nil)
		require.Equal(t, want, s.dataOf(), "seed %d", seed)
		require.Equal(t, int64(len(want)), s.Stats().Records)
		s.end()
		d.crash()
		s.open()
		got := s.dataOf()
		for data := range want {
			require.True(t, got[data], "seed %d: %s is lost", seed, data)
		}
		require.NoError(t, s.Close())
	}
}

// TestUnreadablePlace: a sector that fails for good costs its records and no more.
func TestUnreadablePlace(t *testing.T) {
	t.Parallel()
	s, d := newFaulty(t, func(set *Settings) { set.SegmentBytes = 1 << 20 })
	ids := s.fill(200, 1000)
	path := s.active.path
	const from, to = 100_000, 104_096
	d.mu.Lock()
	d.reads = func(p string, off int64) error {
		if p == path && off+scanRoom > from && off < to {
			return syscall.EIO
		}
		return nil
	}
	d.mu.Unlock()
	r := s.Reader(0)
	var got []ID
	failures, lost := 0, 0
	for {
		_, id, err := r.Next(nil)
		if err == io.EOF { //nolint:errorlint // as Next returns it
			break
		}
		switch e := err.(type) { //nolint:errorlint // as Next returns it
		case nil:
			got = append(got, id)
		case *DiskError:
			failures++
		case *LossError:
			lost += e.Records
		}
	}
	require.GreaterOrEqual(t, failures, readTries-1)
	require.Equal(t, len(ids), len(got)+lost)
	require.Less(t, lost, 150)
	require.Equal(t, ids[199], got[len(got)-1])
}

// TestSyncIsShared: appends that come while a sync runs share the next one.
func TestSyncIsShared(t *testing.T) {
	t.Parallel()
	s, _ := newFaulty(t, func(set *Settings) { set.Sync = SyncAlways; set.SegmentBytes = 1 << 20 })
	s.fill(1, 1)
	begun, goOn := make(chan struct{}, 100), make(chan struct{})
	s.active.file = slowFile{s.active.file, begun, goOn}
	const appends = 20
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := s.Append(Record{}); err != nil {
			t.Error(err)
		}
	})
	<-begun
	for range appends {
		group.Go(func() {
			if _, err := s.Append(Record{}); err != nil {
				t.Error(err)
			}
		})
	}
	require.Eventually(t, func() bool { return s.Stats().Records == appends+2 }, 10*time.Second, time.Millisecond)
	got, _ := s.all()
	require.Len(t, got, 1, "a reader sees what is synced")
	close(goOn)
	group.Wait()
	require.LessOrEqual(t, s.Stats().Syncs, int64(4))
}

// slowFile's Sync waits.
type slowFile struct {
	file
	begun chan<- struct{}
	goOn  <-chan struct{}
}

func (f slowFile) Sync() error {
	f.begun <- struct{}{}
	<-f.goOn
	return f.file.Sync()
}
