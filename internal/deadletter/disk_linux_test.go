package deadletter

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"golang.org/x/sys/unix"
	"gst-kinesis/internal/filesys"
)

// TestRealDiskFull fills a small file system; /dev/full stands in where none may be mounted.
func TestRealDiskFull(t *testing.T) {
	t.Parallel()
	require.True(t, filesys.IsFull(fullDevice(t)))
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Logf("mounting a file system is not allowed here: %v", err)
		return
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	p := openDir(t, dir, Settings{FileBytes: 10_000})
	kept, err := 0, error(nil)
	for ; err == nil; kept += 2 {
		err = p.Write(context.Background(), plainLetters(2, 1000))
	}
	kept -= 2
	require.ErrorIs(t, err, unix.ENOSPC)
	require.ErrorContains(t, err, "make room on the disk of "+dir+", or send the letters again")
	require.Len(t, drainDir(t, dir, nil), kept)
	require.Greater(t, kept, 20)
	require.Len(t, drainDir(t, dir, takeAll), kept, "letters can be taken out of a full disk")
	require.NoError(t, p.Write(context.Background(), plainLetters(2, 1000)))
}

func fullDevice(t *testing.T) error {
	fd, err := unix.Open("/dev/full", unix.O_WRONLY, 0)
	require.NoError(t, err)
	defer func() { _ = unix.Close(fd) }()
	_, err = unix.Write(fd, []byte("x"))
	require.Error(t, err)
	return err
}
