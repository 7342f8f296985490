//go:build unix

package deadletter

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes a file for this opening of it alone, and reports false if somebody else has
// it. It ends when the file is closed.
func lock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// unlock gives the lock up at once: closing would not while a child that is being started
// still has the descriptor.
func unlock(f *os.File) { _ = unix.Flock(int(f.Fd()), unix.LOCK_UN) }

// syncDir makes the creation and removal of files survive the loss of power.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, unix.EINVAL) {
		err = nil // some file systems cannot sync folders and need not
	}
	return errors.Join(err, f.Close())
}

func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
