package spool

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// tmpfs mounts a small file system; ok is false where that is not allowed. What it shows is shown by the fake file system everywhere.
func tmpfs(t *testing.T, options string) (dir string, ok bool) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Logf("mounting a file system is not allowed here: %v", err)
		return "", false
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir, true
}

// TestRealDiskFills fills a file system and frees it by acknowledging.
func TestRealDiskFills(t *testing.T) {
	t.Parallel()
	dir, ok := tmpfs(t, "size=1m")
	if !ok {
		return
	}
	s := newSite(t, func(set *Settings) {
		set.Directory = filepath.Join(dir, "spool")
		set.SegmentBytes = 64 << 10
		set.Sync = SyncAlways
	})
	for range 3 {
		var ids []ID
		var err error
		for err == nil {
			var id ID
			if id, err = s.Append(Record{Data: make([]byte, 3000)}); err == nil {
				ids = append(ids, id)
			}
		}
		var disk *DiskError
		require.ErrorAs(t, err, &disk)
		require.Equal(t, DiskFull, disk.Kind)
		require.Greater(t, len(ids), 200)
		got, losses := s.all()
		require.Equal(t, ids, got)
		require.Empty(t, losses)
		_ = s.Done(ids[:len(ids)/2])
		require.NoError(t, s.Done(ids[len(ids)/2:len(ids)-1]))
		s.reopen()
		got, _ = s.all()
		require.Equal(t, ids[len(ids)-1:], got)
		require.NoError(t, s.Done(got))
	}
}
