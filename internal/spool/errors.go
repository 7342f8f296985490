package spool

import (
	"errors"
	"fmt"
)

// Errors of Append.
var (
	// ErrFull says that MaxBytes is reached. Done, DropOldest and Expire make room.
	ErrFull = errors.New("the spool is full")
	// ErrTooLarge says that the record can never be taken.
	ErrTooLarge = errors.New("the record is too large for the spool")
	// ErrClosed is returned by every method after Close.
	ErrClosed = errors.New("the spool is closed")
)

// DiskKind is what is wrong with a disk.
type DiskKind int8

// Kinds.
const (
	DiskBroken   DiskKind = iota // an I/O error, or anything that is not one of the others
	DiskFull                     // no space or inode is left, or the quota is used up
	DiskReadOnly                 // the file system is mounted read-only, or was remounted so after an error
	DiskDenied                   // the process may not
)

// DiskError is what the file system answered. The spool stays consistent and the
// operation may be tried again: it works as soon as the disk does.
type DiskError struct {
	Op        string // what was done, as in "appending to"
	Directory string
	Kind      DiskKind
	Err       error
}

// Error names the directory and what to do.
func (e *DiskError) Error() string {
	return fmt.Sprintf("%s the spool in %s: %v; %s", e.Op, e.Directory, e.Err, e.remedy())
}

// Unwrap returns the file system's error.
func (e *DiskError) Unwrap() error { return e.Err }

func (e *DiskError) remedy() string {
	switch e.Kind {
	case DiskFull:
		return "free space on this disk or lower spool-max-bytes; it goes on by itself when there is room"
	case DiskReadOnly:
		return "look into the kernel's log, check the disk and mount it writable; it then goes on by itself"
	case DiskDenied:
		return "let the process read and write this directory, or set another spool-directory"
	default:
		return "look into the kernel's log and check the disk"
	}
}

// InUseError says that another process, or another Spool of this one, owns the
// directory.
type InUseError struct {
	Directory string
	PID       int // 0 if it is not known
}

// Error names the owner.
func (e *InUseError) Error() string {
	owner := "another process"
	if e.PID > 0 {
		owner = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("opening the spool in %s: it is in use by %s; give each sink a spool-directory of its own", e.Directory, owner)
}

// LossError is returned by Next for records that were in the index and can no
// longer be read. They are done; count them and go on.
type LossError struct {
	Directory string
	// First and Last are the IDs between which records were lost.
	First, Last ID
	Records     int
	// Bytes is the size of their data.
	Bytes int64
}

// Error names the segment's directory.
func (e *LossError) Error() string {
	return fmt.Sprintf("reading the spool in %s: %d records (%d bytes, ids %d to %d) are damaged and lost; the segment is kept as .bad",
		e.Directory, e.Records, e.Bytes, e.First, e.Last)
}
