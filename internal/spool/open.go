package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	lockName = "LOCK"
	// restartGap is how far IDs leap when the run before did not end with Close.
	restartGap = 1 << 32
)

// Open takes a directory into possession, repairs what the end of the run before left, and begins
// the upkeep, which Close ends. It returns *InUseError while somebody else owns the directory and
// *DiskError when the disk does not let it. A full disk does not keep it from opening.
func Open(settings Settings) (*Spool, error) {
	settings, err := settings.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Spool{
		settings: settings, fs: settings.fs, log: settings.Log, errFull: fullError(settings.Directory),
		quit: make(chan struct{}), ended: make(chan struct{}), batch: &batch{}, lastUse: settings.Now(),
	}
	s.turned.L = &s.mu
	s.acks = journal{fs: s.fs, dir: settings.Directory}
	if err := s.own(); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		_ = s.lock.Close()
		return nil, newDiskError("opening", settings.Directory, err)
	}
	s.begin()
	return s, nil
}

// own makes the directory and takes its lock.
func (s *Spool) own() error {
	dir := s.settings.Directory
	if err := s.fs.MkdirAll(dir); err != nil {
		return newDiskError("making", dir, err)
	}
	lock, err := s.fs.Lock(filepath.Join(dir, lockName))
	var used *InUseError
	if errors.As(err, &used) {
		used.Directory = dir
		return used
	}
	if err != nil {
		return newDiskError("locking", dir, err)
	}
	s.lock = lock
	return nil
}

// begin writes acks for this run and starts the upkeep.
func (s *Spool) begin() {
	s.acks.head.nonce = nonce()
	s.coder.seed = s.acks.head.seed()
	s.dirDirty = true
	_ = s.sweep() // tried again later
	if err := s.rewriteAcks(false); err != nil {
		s.log.Warn("the spool's disk makes trouble; nothing is stored until it works", "error", s.diskError("opening", err))
	}
	ticks := s.settings.ticks
	if ticks != nil {
		go s.keep(ticks)
		return
	}
	ticker := time.NewTicker(s.settings.SyncEvery)
	go func() {
		defer ticker.Stop()
		s.keep(ticker.C)
	}()
}

// contents is what a directory holds.
type contents struct {
	segments []found // rising
	bad      []listed
	unknown  []string
	acks     bool
	leftover bool // acks.new is there
}

// found is a segment's file.
type found struct {
	origin
	size int64
}

func look(fsys fileSystem, dir string) (contents, error) {
	list, err := fsys.List(dir)
	if err != nil {
		return contents{}, err
	}
	var c contents
	for _, l := range list {
		o, isSegment := parseName(l.name)
		_, isBad := parseName(strings.TrimSuffix(l.name, badSuffix))
		switch {
		case l.size < 0:
			c.unknown = append(c.unknown, l.name)
		case l.name == lockName:
		case l.name == acksName:
			c.acks = true
		case l.name == acksNewName:
			c.leftover = true
		case isSegment:
			c.segments = append(c.segments, found{o, l.size})
		case isBad:
			c.bad = append(c.bad, l)
		default:
			c.unknown = append(c.unknown, l.name)
		}
	}
	slices.SortFunc(c.segments, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.size, b.size))
	})
	slices.SortFunc(c.bad, func(a, b listed) int { return strings.Compare(a.name, b.name) })
	slices.Sort(c.unknown)
	return c, nil
}

// load reads the directory.
func (s *Spool) load() error {
	dir := s.settings.Directory
	c, err := look(s.fs, dir)
	if err != nil {
		return err
	}
	if len(c.unknown) > 0 {
		s.log.Warn("files in the spool's directory are not the spool's and left alone", "directory", dir, "files", c.unknown)
	}
	if c.leftover {
		_ = s.fs.Remove(filepath.Join(dir, acksNewName)) // otherwise written over
	}
	s.bad = c.bad
	for _, b := range c.bad {
		s.disk += b.size
	}
	room := make([]byte, scanRoom)
	for _, f := range c.segments {
		if err := s.loadSegment(f, room); err != nil {
			return err
		}
	}
	return s.loadAcks(c.acks)
}

// loadSegment takes a segment into the index.
func (s *Spool) loadSegment(f found, room []byte) error {
	path := filepath.Join(s.settings.Directory, f.name())
	src, size, err := s.fs.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	b := make([]byte, headerSize)
	n, _ := src.ReadAt(b, 0) // what is missing is damage
	state := f.checkHeader(b[:n])
	if state == headerNewer {
		return fmt.Errorf("%s was written by a newer version; use that one, or drain the spool with it", f.name())
	}
	v, indexed := readIndex(src, f.origin, size)
	if !indexed {
		v = scanSegment(src, f.origin, size, room)
	}
	seg := &segment{origin: f.origin, path: path, size: v.end, durable: v.end, disk: size, sealed: true}
	if s.settings.Sync == SyncNone || !indexed {
		seg.durable = 0 // it may lie in the kernel's hands still
	}
	s.disk += size
	if n := len(s.segments); n > 0 && s.segments[n-1].end() > seg.first {
		s.log.Warn("a segment repeats ids of another and is kept for a look at it", "file", path)
		seg.damaged = true
		s.trash = append(s.trash, seg)
		return nil
	}
	s.adopt(seg, &v, state == headerDamaged && size >= headerSize)
	if !indexed && !seg.damaged && seg.live > 0 {
		s.reindex(seg)
	}
	return nil
}

// adopt fills a segment with what was found in it.
func (s *Spool) adopt(seg *segment, v *survey, headerBroken bool) {
	seg.entries = v.entries
	seg.done = make([]uint64, (len(v.entries)+63)>>6)
	seg.live = len(v.entries)
	for _, e := range v.entries {
		seg.bytes += int64(e.size)
	}
	for _, i := range v.lost {
		seg.mark(i)
	}
	if headerBroken && seg.disk > headerSize {
		v.corrupt += headerSize
	}
	seg.damaged = v.damaged()
	s.count.corrupt += v.corrupt
	s.count.lost += int64(len(v.lost))
	s.count.torn += v.torn
	if v.err != nil {
		s.count.diskErrors++
	}
	switch {
	case seg.damaged:
		s.log.Warn("a segment is damaged: what is whole in it is used and the file then kept for a look at it", "file", seg.path,
			"bytes", v.corrupt+v.torn, "records", len(v.lost), "error", v.err)
	case v.torn > 0:
		s.log.Info("the torn end of a segment is cut off", "file", seg.path, "bytes", v.torn)
	}
	s.records += int64(seg.live)
	s.bytes += seg.bytes
	s.segments = append(s.segments, seg)
}

// reindex cuts a torn end off and writes the index that is missing. It may fail: then the next
// Open scans again.
func (s *Spool) reindex(seg *segment) {
	f, err := s.fs.Edit(seg.path)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	b := appendIndex(nil, seg.origin, seg.entries, seg.size)
	if s.settings.Sync != SyncNone {
		if s.diskError("syncing", f.Sync()) != nil {
			return // an index would say that all is well
		}
		seg.durable = seg.size
	}
	if f.Truncate(seg.size) != nil {
		return
	}
	disk := seg.size
	if _, err := f.WriteAt(b, seg.size); err == nil {
		disk += int64(len(b))
	} else {
		_ = f.Truncate(seg.size)
	}
	s.disk += disk - seg.disk
	seg.disk = disk
}

// loadAcks applies the journal and finds the ID to go on with.
func (s *Spool) loadAcks(exists bool) error {
	s.next = 1
	if n := len(s.segments); n > 0 {
		s.next = s.segments[n-1].end()
	}
	if !exists && len(s.segments) == 0 {
		return nil
	}
	h, good, err := s.readAcks()
	if err != nil {
		return err
	}
	if good && h.floor > 0 {
		s.ackRun(1, h.floor-1)
	} else {
		s.log.Warn("the journal of acks is missing or broken: records that were delivered come back", "directory", s.settings.Directory)
	}
	s.next = max(s.next, h.next)
	if !good || !h.clean {
		s.next += restartGap
	}
	return nil
}

func (s *Spool) readAcks() (h acksHead, good bool, err error) {
	src, size, err := s.fs.Open(filepath.Join(s.settings.Directory, acksName))
	if errors.Is(err, fs.ErrNotExist) {
		return acksHead{}, false, nil
	}
	if err != nil {
		return acksHead{}, false, err
	}
	defer func() { _ = src.Close() }()
	s.disk += size
	s.acks.size = size
	f, err := walkAcks(src, size, func(first ID, n int) { s.ackRun(first, ID(n)) })
	s.count.corrupt += f.bad
	s.count.torn += f.torn
	if f.state == headerNewer {
		return h, false, fmt.Errorf("%s was written by a newer version; use that one, or drain the spool with it", acksName)
	}
	if err != nil { // what was read counts; the rest comes back
		s.count.diskErrors++
	}
	return f.acksHead, f.state == headerGood, nil
}

// ackRun makes n records from first on done, as far as there are any.
func (s *Spool) ackRun(first, n ID) {
	last := first + n
	if last < first {
		last = ^ID(0)
	}
	at, _ := slices.BinarySearchFunc(s.segments, first, func(seg *segment, id ID) int {
		if seg.end() <= id {
			return -1
		}
		return 1
	})
	for _, seg := range s.segments[at:] {
		if seg.first >= last {
			return
		}
		for id := max(first, seg.first); id < min(last, seg.end()); id++ {
			s.markDone(seg, int(id-seg.first))
		}
	}
}
