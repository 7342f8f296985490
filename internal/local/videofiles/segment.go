package videofiles

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gst-kinesis/internal/local/videostreams"
)

const (
	segmentSuffix = ".seg"
	fileMode      = 0o600
	dirMode       = 0o700
)

// segment is one file of fragments. It is guarded by the lock of its stream, but for path.
type segment struct {
	path    string
	number  int
	file    *os.File // nil once it is sealed
	size    int64
	live    int // fragments in it that are still held
	headers map[*videostreams.Header]int
	log     *slog.Logger
}

// kept is a fragment's media. It implements videostreams.Kept.
type kept struct {
	seg    *segment
	offset int64
	size   int64
	check  uint32
}

// Read implements videostreams.Kept.
func (k *kept) Read() ([]byte, error) {
	file, err := os.Open(k.seg.path)
	if err != nil {
		return nil, fmt.Errorf("opening a segment: %w", err)
	}
	defer file.Close()
	b, err := readMedia(file, k.offset, k.size, k.check)
	if err != nil {
		return nil, fmt.Errorf("reading %s at byte %d: %w", k.seg.path, k.offset, err)
	}
	return b, nil
}

// Release implements videostreams.Kept.
func (k *kept) Release() {
	k.seg.live--
	k.seg.sweep()
}

// createSegment makes the file with its magic.
func createSegment(dir string, number int, log *slog.Logger) (*segment, error) {
	s := &segment{path: segmentPath(dir, number), number: number, log: log, headers: map[*videostreams.Header]int{}}
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

// append writes a fragment, and its header if the file does not have it yet. When that fails the file is as before or, if not even
// that can be had, sealed.
func (s *segment) append(f *videostreams.Fragment, sync bool) (*kept, error) {
	number, known := s.headers[f.Header]
	var frames []byte
	var err error
	if !known {
		number = len(s.headers) + 1
		if frames, err = appendHead(frames, description{Kind: kindHeader, Header: number}, f.Header.Raw); err == nil {
			frames = append(frames, f.Header.Raw...)
		}
	}
	if err == nil {
		frames, err = appendHead(frames, describe(f, number), f.Media)
	}
	if err != nil {
		return nil, fmt.Errorf("describing a fragment: %w", err)
	}
	k := &kept{seg: s, offset: s.size + int64(len(frames)), size: int64(len(f.Media)), check: checkOf(f.Media)}
	if err := s.write(frames, f.Media, sync); err != nil {
		return nil, err
	}
	s.headers[f.Header] = number
	s.live++
	return k, nil
}

func (s *segment) write(frames, media []byte, sync bool) error {
	_, err := s.file.WriteAt(frames, s.size)
	if err == nil {
		_, err = s.file.WriteAt(media, s.size+int64(len(frames)))
	}
	if err == nil && sync {
		err = s.file.Sync()
	}
	if err == nil {
		s.size += int64(len(frames) + len(media))
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
	s.file, s.headers = nil, nil
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
