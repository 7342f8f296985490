package filesys

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// Lock takes a file for this opening of it alone, or returns ErrLocked at once. offset
// is where the lock lies, in units of 4 GiB: locks of Windows keep others from reading, so
// it lies beyond what they are to read.
func Lock(f *os.File, offset uint32) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
		&windows.Overlapped{OffsetHigh: offset})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}

// Unlock gives the lock up.
func Unlock(f *os.File, offset uint32) error {
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &windows.Overlapped{OffsetHigh: offset})
}

// IsLocked reports whether somebody has a file locked that is open for reading. To find out it
// shares the lock for a moment, which makes Lock fail in that moment.
func IsLocked(f *os.File, offset uint32) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{OffsetHigh: offset})
	switch {
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION):
		return true, nil
	case err != nil:
		return false, err
	}
	return false, Unlock(f, offset)
}

// KeepOwner has nothing to do: rights are inherited from the folder.
func KeepOwner(*os.File) error { return nil }

// SyncDir has nothing to do: NTFS keeps its folders in a journal.
func SyncDir(string) error { return nil }

// IsFull reports whether an error says that there is no room, or none for this user.
func IsFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) ||
		errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// IsReadOnly reports whether an error says that the file system may only be read.
func IsReadOnly(err error) bool {
	return errors.Is(err, windows.ERROR_WRITE_PROTECT) || errors.Is(err, syscall.EROFS)
}
