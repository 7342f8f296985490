package videofiles

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sort"

	"gst-kinesis/internal/filesys"
	"gst-kinesis/internal/local/videostreams"
	"gst-kinesis/internal/mkv"
)

// streamLog is one stream's folder. It is guarded by the lock of its stream.
type streamLog struct {
	dir    string
	opts   Options
	active *segment // nil until the first append
	number int      // of the newest segment
}

func checkOf(media []byte) uint32 { return crc32.Checksum(media, castagnoli()) }

// append writes a fragment to the active segment, beginning a new one when it is full.
func (l *streamLog) append(f *videostreams.Fragment) (videostreams.Kept, error) {
	if err := l.roll(); err != nil {
		return nil, err
	}
	k, err := l.active.append(f, l.opts.Sync)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// roll makes sure that the active segment has room.
func (l *streamLog) roll() error {
	if l.active != nil && l.active.file != nil && l.active.size < l.opts.SegmentBytes {
		return nil
	}
	seg, err := createSegment(l.dir, l.number+1, l.opts.Logger)
	if err != nil {
		return err
	}
	l.number++
	if l.active != nil {
		l.active.seal()
	}
	l.active = seg
	if l.opts.Sync {
		return filesys.SyncDir(l.dir)
	}
	return nil
}

func (l *streamLog) close() error {
	if l.active == nil || l.active.file == nil {
		return nil
	}
	err := errors.Join(l.active.file.Sync(), l.active.file.Close())
	l.active.file = nil
	if err != nil {
		return fmt.Errorf("closing a segment: %w", err)
	}
	return nil
}

// find lists the segments, oldest first.
func (l *streamLog) find() ([]*segment, error) {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, fmt.Errorf("looking for segments: %w", err)
	}
	var list []*segment
	for _, entry := range entries {
		if n, ok := segmentNumber(entry.Name()); ok {
			list = append(list, &segment{path: filepath.Join(l.dir, entry.Name()), number: n, log: l.opts.Logger})
			l.number = max(l.number, n)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].number < list[j].number })
	return list, nil
}

// read yields the fragments of a segment. Of the newest one media is checked too, and what is torn is cut off. A segment that holds
// nothing is removed.
func (l *streamLog) read(seg *segment, newest bool, yield func(*videostreams.Fragment, videostreams.Kept) bool) error {
	file, err := os.Open(seg.path)
	if err != nil {
		return fmt.Errorf("opening a segment: %w", err)
	}
	good, err := scan(file, seg, newest, yield)
	size, sizeErr := file.Seek(0, io.SeekEnd)
	err = errors.Join(err, sizeErr, file.Close())
	switch {
	case err == nil:
	case newest && errors.Is(err, errFrame):
		l.opts.Logger.Warn("the end of the newest segment is torn and cut off", "file", seg.path, "bytes", size-good)
		if err := os.Truncate(seg.path, good); err != nil {
			return fmt.Errorf("repairing a segment: %w", err)
		}
	case errors.Is(err, errFrame):
		l.opts.Logger.Warn("a segment is broken: the rest of it is lost", "file", seg.path, "bytes", size-good)
	default:
		return fmt.Errorf("reading a segment: %w", err)
	}
	seg.sweep()
	return nil
}

// scan reads the frames; good is how many bytes are sound.
func scan(file io.ReaderAt, seg *segment, check bool, yield func(*videostreams.Fragment, videostreams.Kept) bool) (good int64, err error) {
	start := make([]byte, len(magic))
	if n, _ := file.ReadAt(start, 0); n < len(magic) || string(start) != magic {
		return 0, errFrame
	}
	headers := map[int]*videostreams.Header{}
	for good = int64(len(magic)); ; {
		h, d, err := readHead(file, good)
		if errors.Is(err, io.EOF) {
			return good, nil
		}
		if err != nil {
			return good, err
		}
		at := good + headBytes + int64(h.description)
		if err := seg.take(file, at, h, d, headers, check, yield); err != nil {
			return good, err
		}
		good = at + h.media
	}
}

// take takes one frame.
func (s *segment) take(file io.ReaderAt, at int64, h head, d description, headers map[int]*videostreams.Header, check bool,
	yield func(*videostreams.Fragment, videostreams.Kept) bool) error {
	if d.Kind == kindHeader {
		raw, err := readMedia(file, at, h.media, h.mediaCheck)
		if err == nil {
			headers[d.Header], err = parseHeader(raw)
		}
		return err
	}
	if check {
		if _, err := readMedia(file, at, h.media, h.mediaCheck); err != nil {
			return err
		}
	} else if n, _ := file.ReadAt(make([]byte, 1), at+h.media-1); h.media > 0 && n == 0 {
		return errFrame
	}
	f, err := d.fragment(headers[d.Header], h.media)
	if err != nil || d.Kind != kindFragment {
		return errFrame
	}
	s.live++
	yield(f, &kept{seg: s, offset: at, size: h.media, check: h.mediaCheck})
	return nil
}

// parseHeader reads what a session began with.
func parseHeader(raw []byte) (*videostreams.Header, error) {
	out := &videostreams.Header{Raw: raw, Scale: mkv.DefaultTimecodeScale}
	r := mkv.NewReader(bytes.NewReader(raw), mkv.Limits{})
	for {
		switch e, err := r.Next(); {
		case err != nil && (!errors.Is(err, io.EOF) || out.Tracks == nil):
			return nil, errFrame
		case err != nil:
			return out, nil
		default:
			if info, ok := e.(*mkv.Info); ok {
				out.Scale = info.TimecodeScale
			}
			if tracks, ok := e.(*mkv.Tracks); ok {
				out.Tracks = tracks.Tracks
			}
		}
	}
}
