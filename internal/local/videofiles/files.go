package videofiles

import (
	"log/slog"
	"time"

	"gst-kinesis/internal/local/datadir"
	"gst-kinesis/internal/local/videostreams"
)

// defaultSegmentBytes is how large a segment grows before the next one is begun.
const defaultSegmentBytes = 64 << 20

const (
	streamPrefix = "video-"
	gonePrefix   = "videogone-"
)

// Options of Files.
type Options struct {
	SegmentBytes int64 // default 64 MiB
	Sync         bool  // fsync(2) each fragment
	Logger       *slog.Logger
}

// Files implements videostreams.Files in one directory. Streams are independent of each other: calls for different streams may come
// at the same time.
type Files struct{ folders *datadir.Folders[*streamLog] }

// New returns the files in a directory that is there and that nobody else writes to.
func New(dir string, opts Options) *Files {
	if opts.SegmentBytes == 0 {
		opts.SegmentBytes = defaultSegmentBytes
	}
	open := func(folder string) *streamLog { return &streamLog{dir: folder, opts: opts} }
	return &Files{datadir.New(dir, streamPrefix, gonePrefix, open)}
}

// Close ends writing. No other method may be called then.
func (f *Files) Close() error { return f.folders.Close() }

// Load reads back all streams into a store.
func (f *Files) Load(store *videostreams.Store) error {
	return f.folders.Load(func(l *streamLog) error {
		var meta videostreams.Meta
		if there, err := datadir.ReadMeta(l.dir, &meta); !there {
			return err
		}
		segments, err := l.find()
		if err != nil {
			return err
		}
		f.folders.Add(meta.Name, meta.Created, l)
		store.Restore(meta, func(yield func(*videostreams.Fragment, videostreams.Kept) bool) {
			for i, seg := range segments {
				if err == nil {
					err = l.read(seg, i == len(segments)-1, yield)
				}
			}
		})
		return err
	})
}

// Save implements videostreams.Files.
func (f *Files) Save(meta videostreams.Meta) error {
	l, err := f.folders.Log(meta.Name, meta.Created)
	if err != nil {
		return err
	}
	return datadir.WriteMeta(l.dir, meta)
}

// Append implements videostreams.Files.
func (f *Files) Append(stream string, created time.Time, fragment *videostreams.Fragment) (videostreams.Kept, error) {
	l, err := f.folders.Log(stream, created)
	if err != nil {
		return nil, err
	}
	return l.append(fragment)
}

// Remove implements videostreams.Files.
func (f *Files) Remove(stream string, created time.Time) error {
	return f.folders.Remove(stream, created)
}
