package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gst-kinesis/internal/filesys"
	"gst-kinesis/internal/local/streams"
)

// defaultSegmentBytes is how large a segment grows before the next one is begun: small against the bound on memory, so
// that disk use stays near what is held.
const defaultSegmentBytes = 8 << 20

const (
	lockName     = "LOCK"
	streamPrefix = "stream-"
	gonePrefix   = "removed-"
)

// Options of a Journal.
type Options struct {
	SegmentBytes int64 // default 8 MiB
	Sync         bool  // fsync(2) each append
	Logger       *slog.Logger
}

// Journal implements streams.Journal in one directory. Streams are independent of each other: calls for different
// streams may come at the same time.
type Journal struct {
	dir  string
	opts Options
	lock *os.File

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

// Open takes a directory into possession, making it if need be. It fails while another process, or another Journal in
// this one, has it.
func Open(dir string, opts Options) (*Journal, error) {
	if opts.SegmentBytes == 0 {
		opts.SegmentBytes = defaultSegmentBytes
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("opening a data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, fmt.Errorf("opening a data directory: %w", err)
	}
	if err := filesys.Lock(f, 0); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("opening a data directory: %s is in use by another endpoint: %w", dir, err)
	}
	return &Journal{dir: dir, opts: opts, lock: f, logs: map[id]*streamLog{}}, nil
}

// Close ends writing and gives the directory up. No other method may be called then.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var errs []error
	for _, l := range j.logs {
		errs = append(errs, l.close())
	}
	j.logs = nil
	return errors.Join(append(errs, filesys.Unlock(j.lock, 0), j.lock.Close())...)
}

// Load reads back all streams into a store.
func (j *Journal) Load(store *streams.Store) error {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return fmt.Errorf("reading a data directory: %w", err)
	}
	for _, entry := range entries {
		path := filepath.Join(j.dir, entry.Name())
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
			j.last = max(j.last, n)
			if err := j.loadStream(path, store); err != nil {
				return fmt.Errorf("reading %s: %w", path, err)
			}
		}
	}
	return nil
}

func (j *Journal) loadStream(path string, store *streams.Store) error {
	meta, err := readMeta(path)
	if os.IsNotExist(err) {
		// The process died between making the folder and naming the stream: nothing was promised to anybody.
		return os.RemoveAll(path)
	}
	if err != nil {
		return err
	}
	l := &streamLog{dir: path, opts: j.opts, next: map[int]uint64{}, shards: len(meta.Shards)}
	if err := l.load(); err != nil {
		return err
	}
	j.logs[idOf(meta.Name, meta.Created)] = l
	return errors.Join(store.Restore(meta, l.next, l.drain), l.err)
}

// log returns the files of a stream, making its folder if there is none yet.
func (j *Journal) log(name string, created time.Time) (*streamLog, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l := j.logs[idOf(name, created)]; l != nil {
		return l, nil
	}
	if j.logs == nil {
		return nil, errors.New("writing to a data directory that was closed")
	}
	path := filepath.Join(j.dir, fmt.Sprintf("%s%06d", streamPrefix, j.last+1))
	if err := os.Mkdir(path, dirMode); err != nil {
		return nil, fmt.Errorf("making a stream's folder: %w", err)
	}
	j.last++
	l := &streamLog{dir: path, opts: j.opts, next: map[int]uint64{}}
	j.logs[idOf(name, created)] = l
	return l, nil
}

// Save implements streams.Journal.
func (j *Journal) Save(meta streams.Meta) error {
	l, err := j.log(meta.Name, meta.Created)
	if err != nil {
		return err
	}
	return writeMeta(l.dir, meta)
}

// Append implements streams.Journal.
func (j *Journal) Append(stream string, created time.Time, records []streams.Entry) error {
	l, err := j.log(stream, created)
	if err != nil {
		return err
	}
	return l.append(records)
}

// Remove implements streams.Journal.
func (j *Journal) Remove(stream string, created time.Time) error {
	j.mu.Lock()
	key := idOf(stream, created)
	l := j.logs[key]
	delete(j.logs, key)
	j.mu.Unlock()
	if l == nil {
		return nil
	}
	if err := l.close(); err != nil {
		return err
	}
	gone := filepath.Join(j.dir, gonePrefix+filepath.Base(l.dir))
	if err := os.Rename(l.dir, gone); err != nil {
		return fmt.Errorf("removing a stream's folder: %w", err)
	}
	return os.RemoveAll(gone)
}
