package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gst-kinesis/internal/filesys"
	"gst-kinesis/internal/local/datadir"
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
	lock    *os.File
	folders *datadir.Folders[*streamLog]
}

// Open takes a directory into possession, making it if need be. It fails while another process, or another Journal in
// this one, has it.
func Open(dir string, opts Options) (*Journal, error) {
	if opts.SegmentBytes == 0 {
		opts.SegmentBytes = defaultSegmentBytes
	}
	if err := os.MkdirAll(dir, datadir.DirMode); err != nil {
		return nil, fmt.Errorf("opening a data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, datadir.FileMode)
	if err != nil {
		return nil, fmt.Errorf("opening a data directory: %w", err)
	}
	if err := filesys.Lock(f, 0); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("opening a data directory: %s is in use by another endpoint: %w", dir, err)
	}
	open := func(folder string) *streamLog { return &streamLog{dir: folder, opts: opts, next: map[int]uint64{}} }
	return &Journal{lock: f, folders: datadir.New(dir, streamPrefix, gonePrefix, open)}, nil
}

// Close ends writing and gives the directory up. No other method may be called then.
func (j *Journal) Close() error {
	return errors.Join(j.folders.Close(), filesys.Unlock(j.lock, 0), j.lock.Close())
}

// Load reads back all streams into a store.
func (j *Journal) Load(store *streams.Store) error {
	return j.folders.Load(func(l *streamLog) error {
		var meta streams.Meta
		if there, err := datadir.ReadMeta(l.dir, &meta); !there {
			return err
		}
		l.shards = len(meta.Shards)
		if err := l.load(); err != nil {
			return err
		}
		j.folders.Add(meta.Name, meta.Created, l)
		return errors.Join(store.Restore(meta, l.next, l.drain), l.err)
	})
}

// Save implements streams.Journal.
func (j *Journal) Save(meta streams.Meta) error {
	l, err := j.folders.Log(meta.Name, meta.Created)
	if err != nil {
		return err
	}
	return datadir.WriteMeta(l.dir, meta)
}

// Append implements streams.Journal.
func (j *Journal) Append(stream string, created time.Time, records []streams.Entry) error {
	l, err := j.folders.Log(stream, created)
	if err != nil {
		return err
	}
	return l.append(records)
}

// Remove implements streams.Journal.
func (j *Journal) Remove(stream string, created time.Time) error {
	return j.folders.Remove(stream, created)
}
