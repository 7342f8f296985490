// Package datadir keeps streams of one kind in a data directory: a folder for each, with its settings in one small file and what came into it
// in segment files. What stands in a segment its owner says.
//
//	PREFIX000001/             one a stream, readable by its owner only
//	    stream.json           settings; replaced as a whole
//	    0000000001.seg        oldest file first; appended to
package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gst-kinesis/internal/filesys"
)

// Modes of files and folders: they are their owner's alone.
const (
	FileMode = 0o600
	DirMode  = 0o700
)

const metaName = "stream.json"

// Log is what writes into a stream's folder.
type Log interface {
	Dir() string
	// Close ends writing.
	Close() error
}

// Folders are those of all streams of a kind. Streams are independent of each other: calls for different ones may come at the same time.
type Folders[L Log] struct {
	dir, prefix, gone string
	open              func(dir string) L

	mu   sync.Mutex
	logs map[id]L
	last int // highest number of a folder
}

// id tells a stream from a later one of the same name.
type id struct {
	name    string
	created int64
}

func idOf(name string, created time.Time) id { return id{name, created.UnixMilli()} }

// New returns the folders in a directory that is there and that nobody else writes to. Names begin with prefix, and where a stream is being removed
// with gone; open makes what writes into a folder.
func New[L Log](dir, prefix, gone string, open func(dir string) L) *Folders[L] {
	return &Folders[L]{dir: dir, prefix: prefix, gone: gone, open: open, logs: map[id]L{}}
}

// Close closes all logs. No other method may be called then.
func (f *Folders[L]) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, l := range f.logs {
		errs = append(errs, l.Close())
	}
	f.logs = nil
	return errors.Join(errs...)
}

// Load gives the log of each folder to read, which adds it where it is of a stream. What was being removed goes.
func (f *Folders[L]) Load(read func(L) error) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("reading a data directory: %w", err)
	}
	for _, entry := range entries {
		path := filepath.Join(f.dir, entry.Name())
		var n int
		switch {
		case strings.HasPrefix(entry.Name(), f.gone):
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("clearing a removed stream away: %w", err)
			}
		case !strings.HasPrefix(entry.Name(), f.prefix):
		default:
			if _, err := fmt.Sscanf(entry.Name(), f.prefix+"%d", &n); err != nil {
				continue
			}
			f.last = max(f.last, n)
			if err := read(f.open(path)); err != nil {
				return fmt.Errorf("reading %s: %w", path, err)
			}
		}
	}
	return nil
}

// Add takes a log that was loaded.
func (f *Folders[L]) Add(name string, created time.Time, l L) { f.logs[idOf(name, created)] = l }

// Log returns that of a stream, making its folder if there is none yet.
func (f *Folders[L]) Log(name string, created time.Time) (l L, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, ok := f.logs[idOf(name, created)]
	if ok {
		return l, nil
	}
	if f.logs == nil {
		return l, errors.New("writing to a data directory that was closed")
	}
	path := filepath.Join(f.dir, fmt.Sprintf("%s%06d", f.prefix, f.last+1))
	if err := os.Mkdir(path, DirMode); err != nil {
		return l, fmt.Errorf("making a stream's folder: %w", err)
	}
	f.last++
	l = f.open(path)
	f.logs[idOf(name, created)] = l
	return l, nil
}

// Remove removes a stream's folder, if there is one.
func (f *Folders[L]) Remove(name string, created time.Time) error {
	f.mu.Lock()
	key := idOf(name, created)
	l, ok := f.logs[key]
	delete(f.logs, key)
	f.mu.Unlock()
	if !ok {
		return nil
	}
	if err := l.Close(); err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	gone := filepath.Join(f.dir, f.gone+filepath.Base(l.Dir()))
	if err := os.Rename(l.Dir(), gone); err != nil {
		return fmt.Errorf("removing a stream's folder: %w", err)
	}
	return os.RemoveAll(gone)
}

// ReadMeta reads a stream's settings. Where they are missing the process died between making the folder and naming the stream, and nothing was
// promised to anybody: the folder is removed, and there are none.
func ReadMeta(dir string, meta any) (there bool, err error) {
	b, err := os.ReadFile(filepath.Join(dir, metaName))
	if os.IsNotExist(err) {
		return false, os.RemoveAll(dir)
	}
	if err == nil {
		err = json.Unmarshal(b, meta)
	}
	if err != nil {
		return false, fmt.Errorf("reading %s: %w", metaName, err)
	}
	return true, nil
}

// WriteMeta replaces a stream's settings as a whole, so that they are either the old or the new ones whatever happens.
func WriteMeta(dir string, meta any) error {
	b, err := json.MarshalIndent(meta, "", "  ")
	if err == nil {
		err = filesys.Replace(filepath.Join(dir, metaName), append(b, '\n'), FileMode)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", metaName, err)
	}
	return nil
}
