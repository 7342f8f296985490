package journal

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	segmentSuffix = ".seg"
	fileMode      = 0o600
	dirMode       = 0o700
)

// segment is one file of records. It is guarded by the lock of its stream.
type segment struct {
	path   string
	number int
	file   *os.File // nil once it is sealed
	size   int64
	live   int // records in it that are still held
	log    *slog.Logger
}

// createSegment makes the file with its magic.
func createSegment(dir string, number int, log *slog.Logger) (*segment, error) {
	s := &segment{path: segmentPath(dir, number), number: number, log: log}
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err != nil {
		return nil, fmt.Errorf("creating a segment: %w", err)
	}
	if _, err := f.WriteString(magic); err != nil {
		_ = f.Close()
		_ = os.Remove(s.path)
		return nil, fmt.Errorf("creating a segment: %w", err)
	}
	s.file, s.size = f, int64(len(magic))
	return s, nil
}

func segmentPath(dir string, number int) string {
	return filepath.Join(dir, fmt.Sprintf("%010d%s", number, segmentSuffix))
}

// segmentNumber returns the number in a file's name.
func segmentNumber(name string) (int, bool) {
	digits, found := strings.CutSuffix(name, segmentSuffix)
	n, err := strconv.ParseUint(digits, 10, 31)
	return int(n), found && err == nil
}

// append writes frames at the end; when that fails the file is as before or, if not even that can be had, sealed.
func (s *segment) append(frames []byte, sync bool) error {
	n, err := s.file.WriteAt(frames, s.size)
	if err == nil && sync {
		err = s.file.Sync()
	}
	if err == nil {
		s.size += int64(n)
		return nil
	}
	if cut := s.file.Truncate(s.size); cut != nil {
		s.seal()
	}
	return fmt.Errorf("appending to a segment: %w", err)
}

// seal ends writing; the file goes away as soon as nothing in it is needed.
func (s *segment) seal() {
	if s.file == nil {
		return
	}
	if err := s.file.Close(); err != nil {
		s.log.Warn("closing a segment", "file", s.path, "error", err)
	}
	s.file = nil
	s.sweep()
}

// Release implements streams.Origin.
func (s *segment) Release() {
	s.live--
	s.sweep()
}

func (s *segment) sweep() {
	if s.live > 0 || s.file != nil {
		return
	}
	if err := os.Remove(s.path); err != nil && !os.IsNotExist(err) {
		s.log.Warn("removing a segment that is not needed any more", "file", s.path, "error", err)
	}
}
