// Package filesys is what files need of the operating system beyond package os: locks
// between processes, folders that survive a loss of power, and what an error means.
// It keeps no state; its functions may be called from any goroutine.
package filesys

import "errors"

// ErrLocked is the error of Lock where somebody else has the file.
var ErrLocked = errors.New("somebody else has the file locked")
