package spool

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// Spool is a directory of records. Its methods may be called from several goroutines.
// Append, Done and those that drop do file I/O in the calling goroutine; Stats does none.
//
// Lock order: writing, acking, mu. mu is never held during I/O. A sync of the active segment
// holds none of them, so that others append meanwhile.
type Spool struct {
	settings Settings
	fs       fileSystem
	log      *slog.Logger
	lock     io.Closer
	errFull  error
	quit     chan struct{} // ends the upkeep
	ended    chan struct{} // closed when it has

	writing sync.Mutex // the active segment's file, and everything that makes or ends one
	active  *segment   // nil until the first append
	scratch []byte     // a frame
	lastUse time.Time  // of the last append

	acking sync.Mutex // the journal, and the removal of files
	acks   journal
	coder  ackCoder
	sorted []ID       // scratch of Done
	trash  []*segment // through, but their files are not gone yet
	bad    []listed   // segments kept for a person, oldest first
	over   bool       // nothing is written any more

	acksStale atomic.Bool // acks.stale, for those who do not hold acking

	mu       sync.Mutex
	turned   sync.Cond  // a batch is over, a sync has ended
	segments []*segment // rising
	next     ID
	batch    *batch // the appends that wait for the next sync
	spare    *batch
	leading  bool     // somebody syncs for all
	room     *segment // whose index memory the next one takes over
	emptied  bool     // a sealed segment has no live record any more
	dirDirty bool     // files came or went since the directory was synced
	closed   bool
	records  int64
	bytes    int64
	disk     int64
	count    counters
	trouble  bool // the last upkeep failed
}

// counters only grow.
type counters struct {
	corrupt, torn, lost, syncs, diskErrors int64
}

// locate returns the segment and the entry of an ID, nil if there is none. mu is held.
func (s *Spool) locate(id ID) (*segment, int) {
	n := sort.Search(len(s.segments), func(i int) bool { return s.segments[i].first > id }) - 1
	if n < 0 {
		return nil, 0
	}
	seg := s.segments[n]
	if i := id - seg.first; i < ID(len(seg.entries)) {
		return seg, int(i)
	}
	return nil, 0
}

// markDone makes a record done in memory. mu is held.
func (s *Spool) markDone(seg *segment, i int) bool {
	if !seg.mark(i) {
		return false
	}
	s.records--
	s.bytes -= int64(seg.entries[i].size)
	if seg.live == 0 && seg.sealed {
		s.emptied = true
	}
	return true
}

// diskError wraps what the file system answered and counts it. nil stays nil. mu is not held.
func (s *Spool) diskError(op string, err error) error {
	if err == nil {
		return nil
	}
	s.mu.Lock()
	s.count.diskErrors++
	s.mu.Unlock()
	return newDiskError(op, s.settings.Directory, err)
}

func newDiskError(op, dir string, err error) error {
	var known *DiskError
	var used *InUseError
	if errors.As(err, &known) || errors.As(err, &used) {
		return err
	}
	return &DiskError{Op: op, Directory: dir, Kind: kindOf(err), Err: err}
}

// NextID is the ID that the next Append gives, or a later one: all that is in the spool now has lower ones.
func (s *Spool) NextID() ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// Has reports whether a record is there and not done. It does no I/O.
func (s *Spool) Has(id ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg, i := s.locate(id)
	return seg != nil && !seg.isDone(i)
}

// isClosed is asked by each method first.
func (s *Spool) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// grow adds to what the files take.
func (s *Spool) grow(bytes int64) {
	s.mu.Lock()
	s.disk += bytes
	s.mu.Unlock()
}

// nonce returns 32 random bits.
func nonce() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint32(b[:])
}

func fullError(dir string) error {
	return fmt.Errorf("appending to the spool in %s: %w; wait for deliveries, drop records or raise spool-max-bytes", dir, ErrFull)
}
