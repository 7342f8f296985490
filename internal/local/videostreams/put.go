package videostreams

import (
	"bytes"
	"sync"
	"time"
)

// Writer is one session of PutMedia on a stream. It belongs to one goroutine, but Close.
type Writer struct {
	store *Store
	st    *stream
	once  sync.Once
}

// Write begins a session.
func (s *Store) Write(ref Ref) (*Writer, error) {
	st, err := s.usable(ref)
	if err != nil {
		return nil, err
	}
	defer st.mu.Unlock()
	if err := s.connect(&st.putting, MaxPutting); err != nil {
		return nil, err
	}
	return &Writer{store: s, st: st}, nil
}

// Close ends the session. Closing twice does nothing.
func (w *Writer) Close() {
	w.once.Do(func() {
		w.st.mu.Lock()
		defer w.st.mu.Unlock()
		w.st.putting--
	})
}

// Stream is the stream's name.
func (w *Writer) Stream() string { return w.st.name }

// Ended is closed when the stream is deleted.
func (w *Writer) Ended() <-chan struct{} { return w.st.ended }

// Begin gives a new fragment its number and its time of arrival.
func (w *Writer) Begin() (Number, time.Time) {
	w.st.mu.Lock()
	defer w.st.mu.Unlock()
	now := w.store.now()
	w.st.last = Number{high: max(uint64(now.UnixMilli()), w.st.last.high), low: w.st.last.low + 1}
	return w.st.last, now
}

// Store keeps a whole fragment. persisted tells whether the stream persists at all. The fragment belongs to the store then.
func (w *Writer) Store(f *Fragment) (persisted bool, err error) {
	st := w.st
	st.mu.Lock()
	select {
	case <-st.ended:
		st.mu.Unlock()
		return false, NotFound()
	default:
	}
	persisted, err = w.store.add(st, f)
	st.mu.Unlock()
	w.store.bound()
	w.store.sweep()
	return persisted, err
}

// sweepEvery is how often writing to one stream applies retention to all: those that nobody writes to or reads from any more must
// not keep what is too old.
const sweepEvery = time.Minute

// sweep applies retention to all streams, now and then. No lock may be held.
func (s *Store) sweep() {
	now := s.now()
	last := s.swept.Load()
	if now.UnixMilli()-last < sweepEvery.Milliseconds() || !s.swept.CompareAndSwap(last, now.UnixMilli()) {
		return
	}
	for _, st := range s.all() {
		st.mu.Lock()
		s.expire(st, now)
		st.mu.Unlock()
	}
}

// add keeps a fragment; the stream is locked.
func (s *Store) add(st *stream, f *Fragment) (persisted bool, err error) {
	f.Bytes = int64(len(f.Media))
	if persisted = st.meta.Retention > 0; persisted && s.set.Files != nil {
		if f.kept, err = s.set.Files.Append(st.name, st.created, f); err != nil {
			s.set.Logger.Error("writing a fragment to the data directory", "stream", st.name, "fragment", f.Number.String(), "error", err)
			return false, err
		}
		f.Media = nil
	}
	if spare := cap(f.Media) - len(f.Media); spare > len(f.Media)/8 {
		f.Media = bytes.Clone(f.Media) // what is held is what is counted
	}
	s.attach(st, f)
	s.expire(st, s.now())
	close(st.changed)
	st.changed = make(chan struct{})
	return persisted, nil
}

// attach puts a fragment behind the others; the stream is locked or not yet shared.
func (s *Store) attach(st *stream, f *Fragment) {
	st.order++
	f.order = st.order
	if f.Number.Compare(st.last) > 0 {
		st.last = f.Number
	}
	st.fragments = append(st.fragments, f)
	st.byNumber[f.Number] = f
	s.count(st, f, 1)
}

// count enters a fragment into the sums, or takes it out with -1. What is on disk costs memory too.
func (s *Store) count(st *stream, f *Fragment, sign int64) {
	st.bytes += sign * (f.Bytes + overhead)
	s.bytes.Add(sign * overhead)
	if f.kept != nil {
		s.disk.Add(sign * f.Bytes)
	} else {
		s.bytes.Add(sign * f.Bytes)
	}
}

// drop removes a stream's oldest fragment; the stream is locked.
func (s *Store) drop(st *stream) {
	f := st.fragments[0]
	st.fragments[0] = nil
	st.fragments = st.fragments[1:]
	delete(st.byNumber, f.Number)
	s.count(st, f, -1)
	if f.kept != nil {
		f.kept.Release()
	}
}

// What a stream without retention holds for those who read along. Source: API reference, CreateStream, DataRetentionInHours.
const (
	bufferTime  = 5 * time.Minute
	bufferBytes = 200 << 20
)

// expire drops what is older than the stream's retention; the stream is locked.
func (s *Store) expire(st *stream, now time.Time) {
	keep, most := time.Duration(st.meta.Retention)*time.Hour, int64(-1)
	if st.meta.Retention == 0 {
		keep, most = bufferTime, bufferBytes
	}
	oldest := now.Add(-keep)
	for len(st.fragments) > 0 && (st.fragments[0].Server.Before(oldest) || most >= 0 && st.bytes > most) {
		s.drop(st)
		s.expired.Add(1)
	}
}

// trimShare is how much more than needed a trim frees, as a share of the bound.
const trimShare = 32

// bound drops the oldest fragments of all streams until both bounds hold again. No lock may be held.
func (s *Store) bound() {
	if s.bytes.Load() > s.set.MaxBytes {
		s.trim(func() bool { return s.bytes.Load() > s.set.MaxBytes-s.set.MaxBytes/trimShare }, func(*Fragment) bool { return true })
	}
	if s.disk.Load() > s.set.MaxDisk {
		s.trim(func() bool { return s.disk.Load() > s.set.MaxDisk-s.set.MaxDisk/trimShare }, func(f *Fragment) bool { return f.kept != nil })
	}
}

// trim drops the oldest fragments of all streams while that is wanted, those that help if there are such.
func (s *Store) trim(wanted func() bool, helps func(*Fragment) bool) {
	list := s.all()
	for _, st := range list {
		st.mu.Lock()
		defer st.mu.Unlock()
	}
	n := int64(0)
	for wanted() {
		st := oldest(list, helps)
		if st == nil {
			break
		}
		s.drop(st)
		n++
	}
	s.trimmed.Add(n)
	if n > 0 {
		s.trimOnce.Do(func() {
			s.set.Logger.Warn("the endpoint's room for video is full: the oldest fragments are dropped from now on (said once)",
				"memory", s.set.MaxBytes, "disk", s.set.MaxDisk)
		})
	}
}

// oldest is the stream with the oldest fragment that helps; if there is none, with the oldest at all; nil if all are empty.
func oldest(list []*stream, helps func(*Fragment) bool) *stream {
	var best *stream
	good := false
	for _, st := range list {
		if len(st.fragments) == 0 {
			continue
		}
		f := st.fragments[0]
		if h := helps(f); best == nil || h && !good || h == good && f.Server.Before(best.fragments[0].Server) {
			best, good = st, h
		}
	}
	return best
}
