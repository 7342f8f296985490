package journal

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"gst-kinesis/internal/filesys"
	"gst-kinesis/internal/local/streams"
)

// restartGap is added to record indexes when the newest segment has no end: indexes of lost records may have been told to
// clients.
const restartGap = 1 << 16

// streamLog is one stream's folder. It is guarded by the lock of its stream.
type streamLog struct {
	dir    string
	opts   Options
	active *segment // nil until the first append
	number int      // of the newest segment
	next   map[int]uint64
	buf    []byte

	// Only while a stream is read back:
	shards int        // how many it has
	torn   bool       // the newest segment has no end
	loaded []*segment // oldest first
	err    error      // of drain
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
	if err := seg.append(l.buf, l.opts.Sync); err != nil {
		return err
	}
	for _, e := range records {
		e.Record.Origin = seg
		seg.live++
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
	if l.active != nil && l.active.file != nil && l.active.size < l.opts.SegmentBytes {
		return nil
	}
	seg, err := createSegment(l.dir, l.number+1, l.opts.Logger)
	if err != nil {
		return err
	}
	l.number++
	if err := seg.append(appendMarks(nil, l.next), l.opts.Sync); err != nil {
		seg.seal()
		return err
	}
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
	err := l.active.append(appendEnd(nil), true)
	if l.active.file == nil {
		return err
	}
	if closeErr := l.active.file.Close(); err == nil {
		err = closeErr
	}
	l.active.file = nil
	if err != nil {
		return fmt.Errorf("closing a segment: %w", err)
	}
	return nil
}

// load finds the segments, repairs the last one and reads what indexes come next.
func (l *streamLog) load() error {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return fmt.Errorf("looking for segments: %w", err)
	}
	for _, entry := range entries {
		if n, ok := segmentNumber(entry.Name()); ok {
			l.loaded = append(l.loaded, &segment{path: filepath.Join(l.dir, entry.Name()), number: n, log: l.opts.Logger})
			l.number = max(l.number, n)
		}
	}
	sort.Slice(l.loaded, func(i, j int) bool { return l.loaded[i].number < l.loaded[j].number })
	if len(l.loaded) == 0 {
		return nil
	}
	return l.repair(l.loaded[len(l.loaded)-1])
}

// repair cuts a torn frame off the newest segment.
func (l *streamLog) repair(seg *segment) error {
	buf, err := os.ReadFile(seg.path)
	if err != nil {
		return fmt.Errorf("reading a segment: %w", err)
	}
	sc := scanner{record: func(streams.Entry) {}, mark: l.mark}
	good, err := sc.scan(buf)
	l.torn = err != nil || !sc.ended
	if err == nil {
		return nil
	}
	l.opts.Logger.Warn("the end of the newest segment is torn and cut off", "file", seg.path, "bytes", len(buf)-good)
	if good == 0 {
		// Not even the magic was written.
		if err := os.WriteFile(seg.path, []byte(magic), fileMode); err != nil {
			return fmt.Errorf("repairing a segment: %w", err)
		}
		return nil
	}
	if err := os.Truncate(seg.path, int64(good)); err != nil {
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

func (l *streamLog) read(seg *segment, yield func(streams.Entry) bool) {
	buf, err := os.ReadFile(seg.path)
	if err != nil {
		l.opts.Logger.Error("a segment cannot be read: its records are lost", "file", seg.path, "error", err)
		return
	}
	seg.live++ // keeps the file while it is being read
	sc := scanner{mark: l.mark, record: func(e streams.Entry) {
		seg.live++
		e.Record.Origin = seg
		l.mark(e.Shard, e.Record.Index+1)
		yield(e)
	}}
	good, err := sc.scan(buf)
	if err != nil {
		l.opts.Logger.Warn("a segment is broken: the rest of it is lost", "file", seg.path, "bytes", len(buf)-good)
	}
	seg.Release()
}

const metaName = "stream.json"

func readMeta(dir string) (streams.Meta, error) {
	var meta streams.Meta
	b, err := os.ReadFile(filepath.Join(dir, metaName))
	if err != nil {
		return meta, err
	}
	if err := json.Unmarshal(b, &meta); err != nil {
		return meta, fmt.Errorf("reading %s: %w", metaName, err)
	}
	return meta, nil
}

// writeMeta replaces the file as a whole, so that it is either the old or the new one whatever happens.
func writeMeta(dir string, meta streams.Meta) error {
	b, err := json.MarshalIndent(meta, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", metaName, err)
	}
	if err := filesys.Replace(filepath.Join(dir, metaName), append(b, '\n'), fileMode); err != nil {
		return fmt.Errorf("writing %s: %w", metaName, err)
	}
	return nil
}
