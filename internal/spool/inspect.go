package spool

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"
)

// Report is what Inspect finds.
type Report struct {
	Directory string
	// Owned says that a process has the spool open now. Owner is the process that noted itself as the
	// owner, by the number that it has for itself; if the spool is not owned, that one ended without closing it. 0 if
	// it was closed as it should be.
	Owned    bool
	Owner    int
	Segments []SegmentReport
	// Records, Done, Bytes and DiskBytes are sums over the segments; Bytes leaves out what is done.
	Records, Done    int
	Bytes, DiskBytes int64
	// Oldest and Newest are of the records that are not done; zero if not known.
	Oldest, Newest time.Time
	// AcksBytes is the size of the journal of acks; AcksDamaged how many bytes of it say nothing.
	AcksBytes, AcksDamaged int64
	// Bad are damaged segments that the spool keeps for a person, Unknown files that are not its
	// own.
	Bad, Unknown []string
}

// SegmentReport is what Inspect finds in a segment.
type SegmentReport struct {
	Name      string
	DiskBytes int64
	// Records are all that are whole, Done those of them that are done.
	Records, Done int
	// Bytes is the size of the data of those that are not done.
	Bytes       int64
	First, Last ID // 0 if there is none
	// Oldest and Newest are of those that are not done, by the wall clock and to the second; zero if not known.
	Oldest, Newest time.Time
	Sealed         bool // it was ended as it should be
	HeaderDamaged  bool
	// CorruptBytes lie before something whole, TornBytes at the end; the active segment of a running
	// process may have a torn end for a moment. Lost is how many records are known to be lost.
	CorruptBytes, TornBytes int64
	Lost                    int
	// Err is the disk's, for what could not be read.
	Err error
}

// Inspect reads a spool's directory without changing anything, all records included. It needs no
// lock: of a running spool it sees a state that may be a moment old. It fails only if the
// directory cannot be listed, or when ctx is done.
func Inspect(ctx context.Context, dir string) (Report, error) {
	owned := isHeld(filepath.Join(dir, lockName))
	r, err := inspect(ctx, osFS{}, dir)
	r.Owned = owned
	return r, err
}

// Exists reports whether a directory holds a spool, or what is left of one.
func Exists(dir string) (bool, error) {
	c, err := look(osFS{}, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, newDiskError("looking for", dir, err)
	}
	return c.acks || c.leftover || len(c.segments)+len(c.bad) > 0, nil
}

func inspect(ctx context.Context, fsys fileSystem, dir string) (Report, error) {
	r := Report{Directory: dir}
	c, err := look(fsys, dir)
	if err != nil {
		return r, newDiskError("inspecting", dir, err)
	}
	r.Unknown = c.unknown
	for _, b := range c.bad {
		r.Bad = append(r.Bad, b.name)
	}
	if f, _, err := fsys.Open(filepath.Join(dir, lockName)); err == nil {
		r.Owner = readPID(f)
		_ = f.Close()
	}
	// The acks first: who is done when they are read is in them, whatever comes after.
	acks := r.inspectAcks(fsys)
	room := make([]byte, scanRoom)
	for _, f := range c.segments {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		seg, err := inspectSegment(fsys, dir, f, acks, room)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it went meanwhile
		}
		seg.Err = errors.Join(seg.Err, err)
		r.Segments = append(r.Segments, seg)
		r.Records += seg.Records
		r.Done += seg.Done
		r.Bytes += seg.Bytes
		r.DiskBytes += seg.DiskBytes
		r.Oldest, r.Newest = earlier(r.Oldest, seg.Oldest), later(r.Newest, seg.Newest)
	}
	return r, nil
}

// ackRuns are runs of IDs that are done, rising and apart.
type ackRuns []ackRun

type ackRun struct{ first, end ID }

func (a ackRuns) has(id ID) bool {
	i, _ := slices.BinarySearchFunc(a, id, func(r ackRun, id ID) int {
		if r.end <= id {
			return -1
		}
		return 1
	})
	return i < len(a) && a[i].first <= id
}

// merged sorts runs and joins those that touch.
func (a ackRuns) merged() ackRuns {
	slices.SortFunc(a, func(x, y ackRun) int { return cmp.Compare(x.first, y.first) })
	out := a[:0]
	for _, r := range a {
		if n := len(out); n > 0 && r.first <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, r.end)
			continue
		}
		out = append(out, r)
	}
	return out
}

func (r *Report) inspectAcks(fsys fileSystem) ackRuns {
	f, size, err := fsys.Open(filepath.Join(r.Directory, acksName))
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	r.AcksBytes = size
	var runs ackRuns
	found, _ := walkAcks(f, size, func(first ID, n int) {
		if end := first + ID(n); end > first {
			runs = append(runs, ackRun{first, end})
		}
	})
	r.AcksDamaged = found.bad
	if found.state == headerGood && found.floor > 1 {
		runs = append(runs, ackRun{1, found.floor})
	}
	return runs.merged()
}

func inspectSegment(fsys fileSystem, dir string, f found, acks ackRuns, room []byte) (SegmentReport, error) {
	seg := SegmentReport{Name: f.name(), DiskBytes: f.size}
	src, size, err := fsys.Open(filepath.Join(dir, seg.Name))
	if err != nil {
		return seg, err
	}
	defer func() { _ = src.Close() }()
	b := make([]byte, headerSize)
	n, _ := src.ReadAt(b, 0)
	seg.DiskBytes = size
	seg.HeaderDamaged = f.checkHeader(b[:n]) == headerDamaged
	v := scanSegment(src, f.origin, size, room)
	seg.Sealed, seg.CorruptBytes, seg.TornBytes, seg.Lost, seg.Err = v.indexed, v.corrupt, v.torn, len(v.lost), v.err
	lost := v.lost
	for i, e := range v.entries {
		if len(lost) > 0 && lost[0] == i {
			lost = lost[1:]
			continue
		}
		seg.count(f.first+ID(i), e, acks)
	}
	return seg, nil
}

// count adds a record that is whole.
func (s *SegmentReport) count(id ID, e entry, acks ackRuns) {
	s.Records++
	if s.First == 0 {
		s.First = id
	}
	s.Last = id
	if acks.has(id) {
		s.Done++
		return
	}
	s.Bytes += int64(e.size)
	if e.second != 0 {
		t := timeOf(e.second)
		s.Oldest, s.Newest = earlier(s.Oldest, t), later(s.Newest, t)
	}
}

// earlier and later choose among times of which the zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
