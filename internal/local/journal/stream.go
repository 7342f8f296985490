package journal

import (
	"errors"
	"fmt"
	"os"

	"gst-kinesis/internal/filesys"
	"gst-kinesis/internal/local/datadir"
	"gst-kinesis/internal/local/streams"
)

// restartGap is added to record indexes when the newest segment has no end: indexes of lost records may have been told to
// clients.
const restartGap = 1 << 16

// streamLog is one stream's folder. It is guarded by the lock of its stream.
type streamLog struct {
	dir    string
	opts   Options
	active *datadir.Segment // nil until the first append
	number int              // of the newest segment
	next   map[int]uint64
	buf    []byte

	// Only while a stream is read back:
	shards int                // how many it has
	torn   bool               // the newest segment has no end
	loaded []*datadir.Segment // oldest first
	err    error              // of drain
}

// append writes records to the active segment, beginning a new one when it is full.
func (l *streamLog) append(records []streams.Entry) error {
	if err := l.roll(); err != nil {
		return err
	}
	l.buf = l.buf[:0]
	for _, e := range records {
		l.buf = appendRecord(l.buf, e)
	}
	seg := l.active
	if err := seg.Append(l.opts.Sync, l.buf); err != nil {
		return err
	}
	for _, e := range records {
		e.Record.Origin = seg
		seg.Live++
		l.next[e.Shard] = e.Record.Index + 1
	}
	const keep = 1 << 20
	if cap(l.buf) > keep {
		l.buf = nil
	}
	return nil
}

// roll makes sure that the active segment has room.
func (l *streamLog) roll() error {
	if l.active != nil && l.active.IsOpen() && l.active.Size < l.opts.SegmentBytes {
		return nil
	}
	seg, err := datadir.Create(l.dir, l.number+1, magic, l.opts.Logger)
	if err != nil {
		return err
	}
	l.number++
	if err := seg.Append(l.opts.Sync, appendMarks(nil, l.next)); err != nil {
		seg.Seal()
		return err
	}
	if l.active != nil {
		l.active.Seal()
	}
	l.active = seg
	if l.opts.Sync {
		return filesys.SyncDir(l.dir)
	}
	return nil
}

// Dir implements datadir.Log.
func (l *streamLog) Dir() string { return l.dir }

// Close implements datadir.Log.
func (l *streamLog) Close() error {
	if l.active == nil || !l.active.IsOpen() {
		return nil
	}
	return errors.Join(l.active.Append(false, appendEnd(nil)), l.active.Close())
}

// load finds the segments, repairs the last one and reads what indexes come next.
func (l *streamLog) load() (err error) {
	if l.loaded, err = datadir.Find(l.dir, l.opts.Logger); err != nil {
		return err
	}
	if len(l.loaded) == 0 {
		return nil
	}
	newest := l.loaded[len(l.loaded)-1]
	l.number = newest.Number
	return l.repair(newest)
}

// repair cuts a torn frame off the newest segment.
func (l *streamLog) repair(seg *datadir.Segment) error {
	buf, err := os.ReadFile(seg.Path)
	if err != nil {
		return fmt.Errorf("reading a segment: %w", err)
	}
	sc := scanner{record: func(streams.Entry) {}, mark: l.mark}
	good, err := sc.scan(buf)
	l.torn = err != nil || !sc.ended
	if err == nil {
		return nil
	}
	l.opts.Logger.Warn("the end of the newest segment is torn and cut off", "file", seg.Path, "bytes", len(buf)-good)
	if good == 0 {
		// Not even the magic was written.
		if err := os.WriteFile(seg.Path, []byte(magic), datadir.FileMode); err != nil {
			return fmt.Errorf("repairing a segment: %w", err)
		}
		return nil
	}
	if err := os.Truncate(seg.Path, int64(good)); err != nil {
		return fmt.Errorf("repairing a segment: %w", err)
	}
	return nil
}

func (l *streamLog) mark(shard int, next uint64) { l.next[shard] = max(l.next[shard], next) }

// drain yields the records of all segments, one file in memory at a time, and then begins a segment, so that the next
// indexes stand somewhere when all that was read goes away. A segment from which nothing is held any more is removed.
func (l *streamLog) drain(yield func(streams.Entry) bool) {
	segments := l.loaded
	l.loaded = nil
	for _, seg := range segments {
		l.read(seg, yield)
	}
	if len(segments) == 0 {
		return
	}
	for shard := 0; l.torn && shard < l.shards; shard++ {
		l.next[shard] += restartGap
	}
	l.err = l.roll()
}

func (l *streamLog) read(seg *datadir.Segment, yield func(streams.Entry) bool) {
	buf, err := os.ReadFile(seg.Path)
	if err != nil {
		l.opts.Logger.Error("a segment cannot be read: its records are lost", "file", seg.Path, "error", err)
		return
	}
	seg.Live++ // keeps the file while it is being read
	sc := scanner{mark: l.mark, record: func(e streams.Entry) {
		seg.Live++
		e.Record.Origin = seg
		l.mark(e.Shard, e.Record.Index+1)
		yield(e)
	}}
	good, err := sc.scan(buf)
	if err != nil {
		l.opts.Logger.Warn("a segment is broken: the rest of it is lost", "file", seg.Path, "bytes", len(buf)-good)
	}
	seg.Release()
}
