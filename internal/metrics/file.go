package metrics

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	// mostFileBytes is how large a file grows before it becomes the old one, PATH.1, in place of the one before.
	mostFileBytes = 16 << 20
	// writeLimit bounds the time of a write where the system can, as into a pipe that nobody reads.
	writeLimit = 5 * time.Second
)

// file is where lines of the embedded metric format go. It is opened for each write, so that it may be moved away by
// whoever turns logs over.
type file struct {
	path  string
	out   io.Writer // in place of the path "-"
	users int       // guarded by the registry's mu

	mu sync.Mutex // held while lines are written
}

// check sees that lines can be written there, and makes an empty file if there is none.
func (f *file) check() error {
	if f.path == "-" {
		if f.out == nil {
			return errors.New("there is no standard error to write to here; name a file")
		}
		return nil
	}
	return f.append(nil)
}

// write appends lines, all of them or none so far as the system has it so.
func (f *file) write(lines []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path == "-" {
		if _, err := f.out.Write(lines); err != nil {
			return fmt.Errorf("writing metrics: %w", err)
		}
		return nil
	}
	if err := f.append(lines); err != nil {
		return fmt.Errorf("writing metrics to %s: %w", f.path, err)
	}
	return nil
}

func (f *file) append(lines []byte) error {
	if info, err := os.Stat(f.path); err == nil && info.Mode().IsRegular() && info.Size() > 0 && info.Size()+int64(len(lines)) > mostFileBytes {
		if err := os.Rename(f.path, f.path+".1"); err != nil {
			return fmt.Errorf("putting the full one aside: %w; see that its folder can be written to", err)
		}
	}
	to, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|dontWait, 0o640) //nolint:gosec // whoever collects logs reads it
	if err != nil {
		return fmt.Errorf("%w; name a file in a folder that can be written to", err)
	}
	_ = to.SetWriteDeadline(time.Now().Add(writeLimit)) // files have none
	_, err = to.Write(lines)
	return errors.Join(err, to.Close())
}
