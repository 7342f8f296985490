package deadletter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gst-kinesis/internal/filesys"
)

// # Directory
//
//	letters-<UTC time>-<process id>-<n>.jsonl
//
// Everything else is left alone. Files are 0600 in a folder 0700. A file belongs to the
// place that made it, which opens and locks it for the time of one Write: so it may be
// locked, read and removed by somebody who sends its letters again, whereupon the
// place begins another. A file is begun too when one has grown large and each day (UTC).
//
// What a Write appended counts only when it is synced. After an error it is truncated
// away, at once or, where that fails, before the next append.

const (
	fileMode   = 0o600
	dirMode    = 0o700
	filePrefix = "letters-"
	fileSuffix = ".jsonl"
	nameTime   = "20060102T150405.000000000Z"
	flushBytes = 256 << 10
	mostNames  = 1000 // that are tried for a new file
)

// disk is what is done to an open file; tests bring one that fills up.
type disk interface {
	WriteAt(p []byte, off int64) (int, error)
	Truncate(size int64) error
	Sync() error
}

// files keeps letters in a directory.
type files struct {
	dir      string
	settings *Settings
	disk     func(*os.File) disk
	path     string // of the file that is appended to, "" for none
	began    time.Time
	size     int64 // of what counts in it
	buf      []byte
}

func openFiles(dir string, s *Settings) (*files, error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("%w; name a directory that this user may make", err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err == nil {
		err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	}
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, remedyOf(dir, err))
	}
	return &files{dir: dir, settings: s, disk: func(f *os.File) disk { return f }}, nil
}

func (f *files) close() error { return nil }

// remedyOf says what to do about a directory that cannot be written to.
func remedyOf(dir string, err error) string {
	switch {
	case filesys.IsFull(err):
		return fmt.Sprintf("make room on the disk of %s, or send the letters again and so remove them: gst-kinesis redrive file:%s", dir, dir)
	case errors.Is(err, fs.ErrPermission):
		return "let this user write in " + dir
	default:
		return "see that files can be written in " + dir
	}
}

// keep implements keeper.
func (f *files) keep(ctx context.Context, letters []Letter) error {
	heads, bytes, err := headsOf(letters)
	if err != nil {
		return err
	}
	if err := f.checkRoom(bytes); err != nil {
		return err
	}
	h, err := f.take()
	if err == nil {
		err = f.write(ctx, h, letters, heads)
	}
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w; %s", err, remedyOf(f.dir, err))
	}
	return err
}

// headsOf encodes all but the data, and says how many bytes the lines have.
func headsOf(letters []Letter) (heads [][]byte, bytes int64, err error) {
	heads = make([][]byte, len(letters))
	for i := range letters {
		if heads[i], err = letters[i].head(); err != nil {
			return nil, 0, err
		}
		bytes += int64(letters[i].lineBytes(heads[i]))
	}
	return heads, bytes, nil
}

// checkRoom holds to the bound of the directory, whoever wrote into it.
func (f *files) checkRoom(more int64) error {
	if f.settings.MaxBytes < 0 {
		return nil
	}
	list, err := listFiles(f.dir)
	if err != nil {
		return fmt.Errorf("%w; %s", err, remedyOf(f.dir, err))
	}
	held := int64(0)
	for _, l := range list {
		held += l.size
	}
	if held+more > f.settings.MaxBytes {
		return fmt.Errorf("%s holds %d bytes of letters, and %d more would be beyond its bound of %d; send them again and so remove them (gst-kinesis redrive file:%s), or raise the bound",
			f.dir, held, more, f.settings.MaxBytes, f.dir)
	}
	return nil
}

// take opens the file to append to, locked.
func (f *files) take() (*os.File, error) {
	now := f.settings.Now().UTC()
	if f.path != "" && f.size < f.settings.FileBytes && f.began.YearDay() == now.YearDay() && f.began.Year() == now.Year() {
		if h := f.reopen(); h != nil {
			return h, nil
		}
	}
	f.path = ""
	h, err := create(f.dir, now.Format(nameTime))
	if err != nil {
		return nil, err
	}
	f.path, f.began, f.size = h.Name(), now, 0
	return h, nil
}

// reopen opens the file again, unless somebody else has it or has done something to it.
func (f *files) reopen() *os.File {
	h, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	if info, err := hold(h); err == nil && info != nil {
		if info.Size() > f.size {
			err = f.disk(h).Truncate(f.size) // what a failed write left
		}
		if err == nil && info.Size() >= f.size {
			return h
		}
	}
	release(h)
	return nil
}

// lockPlace lies beyond any letter.
const lockPlace = 1 << 31

// hold locks an open file and says how it is; nil if somebody else has it, or if it is not
// at its path any more.
func hold(h *os.File) (fs.FileInfo, error) {
	if err := filesys.Lock(h, lockPlace); errors.Is(err, filesys.ErrLocked) {
		return nil, nil //nolint:nilnil // somebody else's: said above
	} else if err != nil {
		return nil, err
	}
	info, err := h.Stat()
	if err != nil {
		return nil, err
	}
	now, err := os.Stat(h.Name())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil //nolint:nilnil // it went: said above
	case err != nil:
		return nil, err
	case !os.SameFile(info, now):
		return nil, nil //nolint:nilnil
	}
	return info, nil
}

func release(h *os.File) {
	_ = filesys.Unlock(h, lockPlace)
	_ = h.Close() // what had to reach the disk is synced
}

// create makes a file with a new name, locked.
func create(dir, at string) (*os.File, error) {
	stem := fmt.Sprintf("%s%s-%d", filePrefix, at, os.Getpid())
	for n := range mostNames {
		name := fmt.Sprintf("%s-%03d%s", stem, n, fileSuffix)
		h, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		_ = filesys.KeepOwner(h) // where that is not to be had it works without
		info, err := hold(h)
		if err == nil && info != nil {
			return h, nil
		}
		release(h) // who sends letters again saw it empty, and removed it
		if err != nil {
			return nil, errors.Join(err, os.Remove(h.Name()))
		}
	}
	return nil, fmt.Errorf("no name is free that begins with %s", stem)
}

// write appends letters to an open file, all or none, and closes it.
func (f *files) write(ctx context.Context, h *os.File, letters []Letter, heads [][]byte) error {
	d := f.disk(h)
	end, err := f.append(ctx, d, letters, heads)
	if err == nil {
		if err = d.Sync(); err == nil && f.size == 0 {
			err = filesys.SyncDir(f.dir)
		}
		if err != nil {
			defer func() { f.path = "" }() // what the kernel holds of it is not to be trusted any more
		}
	}
	if err == nil {
		f.size = end
		release(h)
		return nil
	}
	undone := d.Truncate(f.size)
	if undone == nil {
		undone = d.Sync()
	}
	release(h)
	if f.size == 0 {
		f.path = ""
		undone = os.Remove(h.Name())
	}
	if undone != nil {
		err = fmt.Errorf("%w (taking back what was written failed, so some of it may lie there: %w)", err, undone)
	}
	return err
}

// append writes the lines behind what counts and returns where they end.
func (f *files) append(ctx context.Context, d disk, letters []Letter, heads [][]byte) (end int64, err error) {
	end = f.size
	f.buf = f.buf[:0]
	for i := range letters {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		f.buf = letters[i].appendLine(f.buf, heads[i])
		if len(f.buf) < flushBytes && i < len(letters)-1 {
			continue
		}
		if _, err := d.WriteAt(f.buf, end); err != nil {
			return 0, err
		}
		end += int64(len(f.buf))
		f.buf = f.buf[:0]
	}
	return end, nil
}

// listed is a file of letters.
type listed struct {
	path string
	size int64
}

// listFiles gives the files of letters, oldest first.
func listFiles(dir string) ([]listed, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []listed
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filePrefix) || !strings.HasSuffix(e.Name(), fileSuffix) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			list = append(list, listed{filepath.Join(dir, e.Name()), info.Size()})
		}
	}
	return list, nil
}
