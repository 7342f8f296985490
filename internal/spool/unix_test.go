//go:build unix

package spool

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestPermissions(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.fill(100, 100)
	require.NoError(t, s.Done([]ID{1}))
	require.NoError(t, filepath.Walk(s.set.Directory, func(path string, info os.FileInfo, err error) error {
		require.NoError(t, err)
		want := os.FileMode(fileMode)
		if info.IsDir() {
			want = dirMode
		}
		require.Equal(t, want, info.Mode().Perm(), path)
		return nil
	}))
}

func TestDenied(t *testing.T) {
	t.Parallel()
	require.Equal(t, DiskDenied, kindOf(&fs.PathError{Op: "mkdir", Path: "/x", Err: unix.EACCES}))
	if os.Getuid() == 0 { // who may do everything
		return
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	_, err := Open(Settings{Directory: filepath.Join(dir, "spool")})
	var disk *DiskError
	require.ErrorAs(t, err, &disk)
	require.Equal(t, DiskDenied, disk.Kind)
}
