package deadletter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gst-kinesis/internal/filesys"
)

// A file is locked for the time of a Write, too, so one that is in use is tried again.
const (
	busyTries = 40
	busyPause = 50 * time.Millisecond
)

// folder is the letters in the files of a directory.
type folder struct {
	list  []listed
	take  bool
	tries int // that are left for files in use
}

func openFolder(dir string, take bool) (*folder, error) {
	list, err := listFiles(dir)
	if err != nil {
		return nil, err
	}
	return &folder{list: list, take: take, tries: busyTries}, nil
}

// Close implements Source.
func (f *folder) Close() error { return nil }

// Next implements Source.
func (f *folder) Next(ctx context.Context) (Bundle, error) {
	for len(f.list) > 0 {
		first := f.list[0]
		path := first.path
		f.list = f.list[1:]
		h, err := f.open(path)
		switch {
		case err != nil && f.tries > 0 && errors.As(err, new(*BusyError)):
			f.tries--
			f.list = append(f.list, first)
			if err := sleep(ctx, busyPause); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, fmt.Errorf("reading dead letters: %w", err)
		case ctx.Err() != nil:
			return nil, errors.Join(ctx.Err(), closeIf(h))
		case h != nil:
			return &sheet{reading: reading{name: path, lines: newScanner(h)}, file: h}, nil
		}
	}
	return nil, io.EOF
}

func closeIf(h *os.File) error {
	if h == nil {
		return nil
	}
	return h.Close()
}

// open opens a file, locked if letters are to be taken out. It returns nil where there is
// nothing in it, or where it went meanwhile.
func (f *folder) open(path string) (*os.File, error) {
	flags := os.O_RDONLY
	if f.take {
		flags = os.O_RDWR
	}
	h, err := os.OpenFile(path, flags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // said above
	}
	if err != nil || !f.take {
		return h, err
	}
	info, err := hold(h)
	switch {
	case err == nil && info != nil && info.Size() > 0:
		return h, nil
	case err == nil && info != nil:
		return nil, remove(h) // what was left when the last one who sent letters was ended
	}
	release(h)
	if _, gone := os.Stat(path); err != nil || errors.Is(gone, fs.ErrNotExist) {
		return nil, err
	}
	return nil, &BusyError{Place: path}
}

// sheet is the letters of a file.
type sheet struct {
	reading
	file *os.File
}

// Name implements Bundle.
func (s *sheet) Name() string { return s.name }

// Next implements Bundle.
func (s *sheet) Next(ctx context.Context) (Letter, error) {
	if err := ctx.Err(); err != nil {
		return Letter{}, err
	}
	return s.next()
}

// Close implements Bundle.
func (s *sheet) Close() error {
	if s.file != nil {
		release(s.file)
	}
	return nil
}

// Settle implements Bundle. What is kept is synced in a file of its own before the old one goes.
func (s *sheet) Settle(_ context.Context, keep func(n int) bool) error {
	err := s.keep(keep)
	if err == nil {
		h := s.file
		s.file = nil
		err = remove(h)
	}
	if err != nil {
		return fmt.Errorf("taking letters out of %s: %w; %s", s.name, err, remedyOf(filepath.Dir(s.name), err))
	}
	return nil
}

// keep copies what is kept into a new file, if there is anything.
func (s *sheet) keep(keep func(n int) bool) error {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	dir, name := filepath.Split(s.name)
	at, _, _ := strings.Cut(strings.TrimPrefix(name, filePrefix), "-")
	rest := &newFile{dir: dir, at: strings.TrimSuffix(at, fileSuffix)}
	out := bufio.NewWriter(rest)
	_, err := copyKept(out, s.file, keep)
	if err == nil {
		err = out.Flush()
	}
	if rest.file == nil {
		return err
	}
	if err == nil {
		if err = rest.file.Sync(); err == nil {
			err = filesys.SyncDir(dir)
		}
	}
	if err != nil {
		return errors.Join(err, remove(rest.file))
	}
	release(rest.file)
	return nil
}

// newFile is a file that is made with the first that is written: on a full disk letters can
// be taken out.
type newFile struct {
	dir, at string
	file    *os.File
}

// Write implements io.Writer.
func (n *newFile) Write(p []byte) (int, error) {
	if n.file == nil {
		var err error
		if n.file, err = create(n.dir, n.at); err != nil {
			return 0, err
		}
	}
	return n.file.Write(p)
}

// remove empties a locked file first: a writer that opens it between its closing, which
// some systems want before, and its removal sees that it is not its own any more.
func remove(h *os.File) error {
	err := h.Truncate(0)
	release(h)
	if err != nil {
		return err
	}
	return os.Remove(h.Name())
}
