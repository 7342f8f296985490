package spool

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncData leaves out the time stamps, which saves a write to the file system's
// journal.
func syncData(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var syncErr error
	err = raw.Control(func(fd uintptr) {
		for syncErr = unix.Fdatasync(int(fd)); errors.Is(syncErr, unix.EINTR); syncErr = unix.Fdatasync(int(fd)) {
		}
	})
	return errors.Join(err, syncErr)
}
