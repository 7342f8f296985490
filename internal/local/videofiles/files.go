package videofiles

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gst-kinesis/internal/filesys"
	"gst-kinesis/internal/local/videostreams"
)

// defaultSegmentBytes is how large a segment grows before the next one is begun.
const defaultSegmentBytes = 64 << 20

const (
	streamPrefix = "video-"
	gonePrefix   = "videogone-"
	metaName     = "stream.json"
)

// Options of Files.
type Options struct {
	SegmentBytes int64 // default 64 MiB
	Sync         bool  // fsync(2) each fragment
	Logger       *slog.Logger
}

// Files implements videostreams.Files in one directory. Streams are independent of each other: calls for different streams may come
// at the same time.
type Files struct {
	dir  string
	opts Options

	mu   sync.Mutex
	logs map[id]*streamLog
	last int // highest number of a stream's folder
}

// id tells a stream from a later one of the same name.
type id struct {
	name    string
	created int64
}

func idOf(name string, created time.Time) id { return id{name, created.UnixMilli()} }

// New returns the files in a directory that is there and that nobody else writes to.
func New(dir string, opts Options) *Files {
	if opts.SegmentBytes == 0 {
		opts.SegmentBytes = defaultSegmentBytes
	}
	return &Files{dir: dir, opts: opts, logs: map[id]*streamLog{}}
}

// Close ends writing. No other method may be called then.
func (f *Files) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, l := range f.logs {
		errs = append(errs, l.close())
	}
	f.logs = nil
	return errors.Join(errs...)
}

// Load reads back all streams into a store.
func (f *Files) Load(store *videostreams.Store) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("reading a data directory: %w", err)
	}
	for _, entry := range entries {
		path := filepath.Join(f.dir, entry.Name())
		var n int
		switch {
		case strings.HasPrefix(entry.Name(), gonePrefix):
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("clearing a removed stream away: %w", err)
			}
		case !strings.HasPrefix(entry.Name(), streamPrefix):
		default:
			if _, err := fmt.Sscanf(entry.Name(), streamPrefix+"%d", &n); err != nil {
				continue
			}
			f.last = max(f.last, n)
			if err := f.loadStream(path, store); err != nil {
				return fmt.Errorf("reading %s: %w", path, err)
			}
		}
	}
	return nil
}

func (f *Files) loadStream(path string, store *videostreams.Store) error {
	b, err := os.ReadFile(filepath.Join(path, metaName))
	if os.IsNotExist(err) {
		// The process died between making the folder and naming the stream: nothing was promised to anybody.
		return os.RemoveAll(path)
	}
	var meta videostreams.Meta
	if err == nil {
		err = json.Unmarshal(b, &meta)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", metaName, err)
	}
	l := &streamLog{dir: path, opts: f.opts}
	segments, err := l.find()
	if err != nil {
		return err
	}
	f.logs[idOf(meta.Name, meta.Created)] = l
	store.Restore(meta, func(yield func(*videostreams.Fragment, videostreams.Kept) bool) {
		for i, seg := range segments {
			if err == nil {
				err = l.read(seg, i == len(segments)-1, yield)
			}
		}
	})
	return err
}

// log returns the files of a stream, making its folder if there is none yet.
func (f *Files) log(name string, created time.Time) (*streamLog, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l := f.logs[idOf(name, created)]; l != nil {
		return l, nil
	}
	if f.logs == nil {
		return nil, errors.New("writing to a data directory that was closed")
	}
	path := filepath.Join(f.dir, fmt.Sprintf("%s%06d", streamPrefix, f.last+1))
	if err := os.Mkdir(path, dirMode); err != nil {
		return nil, fmt.Errorf("making a stream's folder: %w", err)
	}
	f.last++
	l := &streamLog{dir: path, opts: f.opts}
	f.logs[idOf(name, created)] = l
	return l, nil
}

// Save implements videostreams.Files.
func (f *Files) Save(meta videostreams.Meta) error {
	l, err := f.log(meta.Name, meta.Created)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(meta, "", "  ")
	if err == nil {
		err = filesys.Replace(filepath.Join(l.dir, metaName), append(b, '\n'), fileMode)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", metaName, err)
	}
	return nil
}

// Append implements videostreams.Files.
func (f *Files) Append(stream string, created time.Time, fragment *videostreams.Fragment) (videostreams.Kept, error) {
	l, err := f.log(stream, created)
	if err != nil {
		return nil, err
	}
	return l.append(fragment)
}

// Remove implements videostreams.Files.
func (f *Files) Remove(stream string, created time.Time) error {
	f.mu.Lock()
	key := idOf(stream, created)
	l := f.logs[key]
	delete(f.logs, key)
	f.mu.Unlock()
	if l == nil {
		return nil
	}
	if err := l.close(); err != nil {
		return err
	}
	gone := filepath.Join(f.dir, gonePrefix+filepath.Base(l.dir))
	if err := os.Rename(l.dir, gone); err != nil {
		return fmt.Errorf("removing a stream's folder: %w", err)
	}
	return os.RemoveAll(gone)
}
