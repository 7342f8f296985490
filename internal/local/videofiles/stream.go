package videofiles

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"gst-kinesis/internal/filesys"
	"gst-kinesis/internal/local/datadir"
	"gst-kinesis/internal/local/videostreams"
	"gst-kinesis/internal/mkv"
)

// streamLog is one stream's folder. It is guarded by the lock of its stream.
type streamLog struct {
	dir     string
	opts    Options
	active  *datadir.Segment             // nil until the first append
	headers map[*videostreams.Header]int // in it, by their numbers
	number  int                          // of the newest segment
}

// Dir implements datadir.Log.
func (l *streamLog) Dir() string { return l.dir }

// Close implements datadir.Log.
func (l *streamLog) Close() error { return l.active.Close() }

func checkOf(media []byte) uint32 { return crc32.Checksum(media, castagnoli()) }

// append writes a fragment to the active segment, beginning a new one when it is full, and before it its header if that segment does not
// have it yet.
func (l *streamLog) append(f *videostreams.Fragment) (videostreams.Kept, error) {
	if err := l.roll(); err != nil {
		return nil, err
	}
	number, known := l.headers[f.Header]
	var frames []byte
	var err error
	if !known {
		number = len(l.headers) + 1
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
	k := &kept{seg: l.active, offset: l.active.Size + int64(len(frames)), size: int64(len(f.Media)), check: checkOf(f.Media)}
	if err := l.active.Append(l.opts.Sync, frames, f.Media); err != nil {
		return nil, err //nolint:wrapcheck // it says what it is about
	}
	l.headers[f.Header] = number
	l.active.Live++
	return k, nil
}

// roll makes sure that the active segment has room.
func (l *streamLog) roll() error {
	if l.active != nil && l.active.IsOpen() && l.active.Size < l.opts.SegmentBytes {
		return nil
	}
	seg, err := datadir.Create(l.dir, l.number+1, magic, l.opts.Logger)
	if err != nil {
		return err //nolint:wrapcheck // it says what it is about
	}
	l.number++
	if l.active != nil {
		l.active.Seal()
	}
	l.active, l.headers = seg, map[*videostreams.Header]int{}
	if l.opts.Sync {
		return filesys.SyncDir(l.dir)
	}
	return nil
}

// find lists the segments, oldest first.
func (l *streamLog) find() ([]*datadir.Segment, error) {
	list, err := datadir.Find(l.dir, l.opts.Logger)
	if len(list) > 0 {
		l.number = list[len(list)-1].Number
	}
	return list, err //nolint:wrapcheck // it says what it is about
}

// read yields the fragments of a segment. Of the newest one media is checked too, and what is torn is cut off. A segment that holds
// nothing is removed.
func (l *streamLog) read(seg *datadir.Segment, newest bool, yield func(*videostreams.Fragment, videostreams.Kept) bool) error {
	file, err := os.Open(seg.Path)
	if err != nil {
		return fmt.Errorf("opening a segment: %w", err)
	}
	good, err := scan(file, seg, newest, yield)
	size, sizeErr := file.Seek(0, io.SeekEnd)
	err = errors.Join(err, sizeErr, file.Close())
	switch {
	case err == nil:
	case newest && errors.Is(err, errFrame):
		l.opts.Logger.Warn("the end of the newest segment is torn and cut off", "file", seg.Path, "bytes", size-good)
		if err := os.Truncate(seg.Path, good); err != nil {
			return fmt.Errorf("repairing a segment: %w", err)
		}
	case errors.Is(err, errFrame):
		l.opts.Logger.Warn("a segment is broken: the rest of it is lost", "file", seg.Path, "bytes", size-good)
	default:
		return fmt.Errorf("reading a segment: %w", err)
	}
	seg.Sweep()
	return nil
}

// scan reads the frames; good is how many bytes are sound.
func scan(file io.ReaderAt, seg *datadir.Segment, check bool, yield func(*videostreams.Fragment, videostreams.Kept) bool) (good int64, err error) {
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
		if err := take(seg, file, at, h, d, headers, check, yield); err != nil {
			return good, err
		}
		good = at + h.media
	}
}

// take takes one frame.
func take(seg *datadir.Segment, file io.ReaderAt, at int64, h head, d description, headers map[int]*videostreams.Header, check bool,
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
	seg.Live++
	yield(f, &kept{seg: seg, offset: at, size: h.media, check: h.mediaCheck})
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
