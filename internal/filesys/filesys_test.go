package filesys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLockIsForOneOpening(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "LOCK")
	open := func() *os.File {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		require.NoError(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	first, second := open(), open()
	locked := func() bool {
		f, err := os.Open(name)
		require.NoError(t, err)
		defer f.Close()
		is, err := IsLocked(f, 1)
		require.NoError(t, err)
		return is
	}
	require.False(t, locked())
	require.NoError(t, Lock(first, 1))
	require.True(t, locked())
	require.ErrorIs(t, Lock(second, 1), ErrLocked)
	require.NoError(t, Unlock(first, 1))
	require.NoError(t, Lock(second, 1))
}

func TestSyncDir(t *testing.T) {
	t.Parallel()
	require.NoError(t, SyncDir(t.TempDir()))
	require.ErrorIs(t, SyncDir(filepath.Join(t.TempDir(), "none")), fs.ErrNotExist)
}

func TestWhatErrorsMean(t *testing.T) {
	t.Parallel()
	wrap := func(err error) error {
		return fmt.Errorf("writing: %w", &fs.PathError{Op: "write", Path: "/x", Err: err})
	}
	for err, want := range map[error][2]bool{
		syscall.ENOSPC: {true, false}, syscall.EDQUOT: {true, false}, syscall.EROFS: {false, true}, syscall.EIO: {false, false}, errors.New("x"): {false, false},
	} {
		require.Equal(t, want, [2]bool{IsFull(wrap(err)), IsReadOnly(wrap(err))}, "%v", err)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"first", "", "second"} {
		require.NoError(t, Replace(name, []byte(text), 0o600))
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
		require.NoFileExists(t, name+".new")
	}
	require.ErrorIs(t, Replace(filepath.Join(name, "below"), nil, 0o600), syscall.ENOTDIR)
}
