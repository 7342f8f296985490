//go:build unix

package filesys

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Lock takes a file for this opening of it alone, or returns ErrLocked at once. It ends
// with Unlock or the process. The number is for Windows: see there.
func Lock(f *os.File, _ uint32) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// Unlock gives the lock up at once: closing would not while a child that is being
// started still has the descriptor.
func Unlock(f *os.File, _ uint32) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }

// SyncDir makes the creation and removal of files in a folder survive the loss of power.
func SyncDir(dir string) error {
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

// IsFull reports whether an error says that there is no room, or none for this user.
func IsFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// IsReadOnly reports whether an error says that the file system may only be read.
func IsReadOnly(err error) bool { return errors.Is(err, unix.EROFS) }

// IsLocked reports whether somebody has a file locked that is open for reading. To find out it
// shares the lock for a moment, which makes Lock fail in that moment.
func IsLocked(f *os.File, _ uint32) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return true, nil
	case err != nil:
		return false, err
	}
	return false, unix.Flock(int(f.Fd()), unix.LOCK_UN)
}

// KeepOwner gives a new file to whoever owns its folder, where this process is root's: what a
// person does with sudo would otherwise keep the owner from its own files afterwards.
func KeepOwner(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var dir unix.Stat_t
	if err := unix.Stat(filepath.Dir(f.Name()), &dir); err != nil {
		return err
	}
	return f.Chown(int(dir.Uid), int(dir.Gid))
}
