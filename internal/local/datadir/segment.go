package datadir

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const segmentSuffix = ".seg"

// Segment is one file. It is guarded by the lock of its stream, but for Path.
type Segment struct {
	Path   string
	Number int
	// Size is how long it is, while it is open.
	Size int64
	// Live is how many things in it are still held: with the last of them the file goes, if it is not open.
	Live int
	// File is nil once it is sealed.
	File *os.File

	log *slog.Logger
}

// Create makes the file of a number, which begins with magic, and opens it for writing.
func Create(dir string, number int, magic string, log *slog.Logger) (*Segment, error) {
	s := &Segment{Path: filepath.Join(dir, fmt.Sprintf("%010d%s", number, segmentSuffix)), Number: number, log: log}
	f, err := os.OpenFile(s.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, FileMode)
	if err != nil {
		return nil, fmt.Errorf("creating a segment: %w", err)
	}
	if _, err := f.WriteString(magic); err != nil {
		_ = f.Close()
		_ = os.Remove(s.Path)
		return nil, fmt.Errorf("creating a segment: %w", err)
	}
	s.File, s.Size = f, int64(len(magic))
	return s, nil
}

// Find lists the segments in a folder, oldest first, none of them open.
func Find(dir string, log *slog.Logger) ([]*Segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for segments: %w", err)
	}
	var list []*Segment
	for _, entry := range entries {
		digits, found := strings.CutSuffix(entry.Name(), segmentSuffix)
		if n, err := strconv.ParseUint(digits, 10, 31); found && err == nil {
			list = append(list, &Segment{Path: filepath.Join(dir, entry.Name()), Number: int(n), log: log})
		}
	}
	slices.SortFunc(list, func(a, b *Segment) int { return a.Number - b.Number })
	return list, nil
}

// IsOpen says whether it can be written to.
func (s *Segment) IsOpen() bool { return s.File != nil }

// Append writes at the end; when that fails the file is as before or, if not even that can be had, sealed.
func (s *Segment) Append(sync bool, parts ...[]byte) error {
	end := s.Size
	var err error
	for _, p := range parts {
		if err == nil {
			_, err = s.File.WriteAt(p, end)
			end += int64(len(p))
		}
	}
	if err == nil && sync {
		err = s.File.Sync()
	}
	if err == nil {
		s.Size = end
		return nil
	}
	if cut := s.File.Truncate(s.Size); cut != nil {
		s.Seal()
	}
	return fmt.Errorf("appending to a segment: %w", err)
}

// Seal ends writing; the file goes away as soon as nothing in it is needed.
func (s *Segment) Seal() {
	if s.File == nil {
		return
	}
	if err := s.File.Close(); err != nil {
		s.log.Warn("closing a segment", "file", s.Path, "error", err)
	}
	s.File = nil
	s.Sweep()
}

// Close ends writing, when all is on the disk itself, and keeps the file.
func (s *Segment) Close() error {
	if s == nil || s.File == nil {
		return nil
	}
	err := errors.Join(s.File.Sync(), s.File.Close())
	s.File = nil
	if err != nil {
		return fmt.Errorf("closing a segment: %w", err)
	}
	return nil
}

// Release gives one thing up that was held.
func (s *Segment) Release() {
	s.Live--
	s.Sweep()
}

// Sweep removes the file if nothing in it is held and nobody writes to it.
func (s *Segment) Sweep() {
	if s.Live > 0 || s.File != nil {
		return
	}
	if err := os.Remove(s.Path); err != nil && !os.IsNotExist(err) {
		s.log.Warn("removing a segment that is not needed any more", "file", s.Path, "error", err)
	}
}
