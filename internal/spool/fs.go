package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"gst-kinesis/internal/filesys"
)

const (
	fileMode = 0o600
	dirMode  = 0o700
)

// file is what the spool needs of one. Sync makes the data and the size of the
// file survive the loss of power.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// listed is a file in a directory.
type listed struct {
	name string
	size int64 // -1 if it is not a regular file
}

// fileSystem is what the spool needs of one; tests bring one that fails. Paths are
// whole. Methods may be called from several goroutines.
type fileSystem interface {
	MkdirAll(dir string) error
	List(dir string) ([]listed, error)
	Create(path string) (file, error)      // empty, for reading and writing
	Open(path string) (file, int64, error) // for reading; and its size
	Edit(path string) (file, error)        // for reading and writing, as it is
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(dir string) error // makes creations, renames and removals survive the loss of power
	// Lock holds the file at path and writes the process's id into it, until the closer is
	// called. *InUseError says that somebody else does.
	Lock(path string) (io.Closer, error)
}

// osFS is the real one.
type osFS struct{}

func (osFS) MkdirAll(dir string) error    { return os.MkdirAll(dir, dirMode) }
func (osFS) Rename(from, to string) error { return os.Rename(from, to) }
func (osFS) Remove(path string) error     { return os.Remove(path) }
func (osFS) SyncDir(dir string) error     { return filesys.SyncDir(dir) }

func (osFS) List(dir string) ([]listed, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	list := make([]listed, 0, len(entries))
	for _, e := range entries {
		l := listed{name: e.Name(), size: -1}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			l.size = info.Size()
		} else if errors.Is(err, fs.ErrNotExist) {
			continue // it went meanwhile: Inspect looks on while the owner works
		}
		list = append(list, l)
	}
	return list, nil
}

func (osFS) Create(path string) (file, error) {
	f, err := openFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR)
	if err == nil {
		_ = filesys.KeepOwner(f.File) // where that is not to be had it works without
	}
	return f, err
}

func (osFS) Edit(path string) (file, error) { return openFile(path, os.O_RDWR) }

func (osFS) Open(path string) (file, int64, error) {
	f, err := openFile(path, os.O_RDONLY)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

func openFile(path string, flags int) (osFile, error) {
	f, err := os.OpenFile(path, flags, fileMode)
	return osFile{f}, err
}

// osFile is a file whose Sync leaves out what need not be written.
type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncData(f.File) }

// lockPlace lies beyond the pid, which others must be able to read.
const lockPlace = 1

// Inspect shares the lock for a moment to see whether it is held; who opens the spool then tries again, for 80 ms
// at most.
const (
	lockTries = 5
	lockPause = 20 * time.Millisecond
)

func (osFS) Lock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	err = filesys.Lock(f, lockPlace)
	for n := 1; n < lockTries && errors.Is(err, filesys.ErrLocked); n++ {
		<-time.After(lockPause)
		err = filesys.Lock(f, lockPlace)
	}
	if err != nil {
		pid := readPID(f)
		_ = f.Close()
		if errors.Is(err, filesys.ErrLocked) {
			return nil, &InUseError{PID: pid}
		}
		return nil, err
	}
	_ = filesys.KeepOwner(f)
	// The pid is for people: on a full disk the lock holds without it.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(fmt.Sprintf("%d\n", os.Getpid())), 0)
	}
	return lockedFile{f}, nil
}

// lockedFile gives the lock up when it is closed.
type lockedFile struct{ *os.File }

func (l lockedFile) Close() error {
	_ = l.Truncate(0)
	return errors.Join(filesys.Unlock(l.File, lockPlace), l.File.Close())
}

// isHeld reports whether somebody holds a lock file; false also where that cannot be found out.
func isHeld(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	held, _ := filesys.IsLocked(f, lockPlace)
	_ = f.Close()
	return held
}

// readPID returns the process id in a lock file, 0 if there is none.
func readPID(r io.ReaderAt) int {
	var b [20]byte
	n, err := r.ReadAt(b[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

// kindOf classifies what a file system answered.
func kindOf(err error) DiskKind {
	switch {
	case filesys.IsFull(err):
		return DiskFull
	case filesys.IsReadOnly(err):
		return DiskReadOnly
	case errors.Is(err, fs.ErrPermission):
		return DiskDenied
	default:
		return DiskBroken
	}
}
