package putmedia

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/spool"
)

// gap is the fragments that lie on disk alone: after those in front and before those in back.
type gap struct {
	count Count    // their frames; of those an earlier run left, bytes are as the spool counts them
	from  spool.ID // all of them are at or after it
	epoch int      // rises when from was set anew, not by reading on
}

func (g *gap) exists() bool { return g.count.Frames > 0 }

// take takes frames out of the count and returns the bytes that go with them; with the last
// of them all that are left.
func (g *gap) take(frames, bytes int64) Count {
	frames = min(frames, g.count.Frames)
	if frames == g.count.Frames {
		bytes = g.count.Bytes
	}
	c := Count{Frames: frames, Bytes: min(bytes, g.count.Bytes)}
	g.count.sub(c)
	return c
}

// openGap makes what an earlier run left the gap.
func (s *Stream) openGap() {
	left := s.spool.Stats()
	s.gap = gap{count: Count{Frames: left.Records, Bytes: left.Bytes}}
	s.books.Accepted.add(s.gap.count)
	s.books.Spooled.add(s.gap.count)
}

// loader reads the gap, a fragment at a time. It belongs to the session under way.
type loader struct {
	reader *spool.Reader
	epoch  int       // of the gap, when the reader was placed
	ahead  *Frame    // read already: it begins the fragment after
	opens  *fragment // that fragment
	layout *layout   // of the last fragment
}

// load reads the next fragment of the gap into memory, without the lock; false if there is
// none to be had now.
func (s *Stream) load(l *loader) bool {
	s.mu.Lock()
	from, epoch := s.gap.from, s.gap.epoch
	s.mu.Unlock()
	if l.reader == nil || l.epoch != epoch {
		l.close(s)
		l.reader, l.epoch = s.spool.Reader(from), epoch
	}
	g, frames := l.opens, []*Frame(nil)
	if l.ahead != nil {
		frames = append(frames, l.ahead)
	}
	l.opens, l.ahead = nil, nil
	for {
		f, begins, err := s.read(l)
		switch {
		case errors.Is(err, errBroken):
			continue
		case err != nil:
			return s.loaded(l, g, frames)
		case begins == nil && g == nil: // its beginning was lost
			s.lose(l, f)
		case begins == nil:
			frames = append(frames, f)
		case g == nil:
			g, frames = begins, append(frames, f)
		default:
			l.opens, l.ahead = begins, f
			return s.loaded(l, g, frames)
		}
	}
}

// hasRoomToLoad reports whether more of the gap may be read: not while half of memory holds
// what was sent already and is not stored yet.
func (s *Stream) hasRoomToLoad() bool {
	memory := int64(0)
	for _, f := range s.front {
		memory += f.memory
	}
	return memory <= s.settings.StorageSize/2
}

// errBroken is a record that could not be read and was given up.
var errBroken = errors.New("the record was given up")

// read reads one frame; begins is the fragment that it begins, if it does. It stops before
// what is in memory.
func (s *Stream) read(l *loader) (f *Frame, begins *fragment, err error) {
	s.mu.Lock()
	until := s.backBegins()
	s.mu.Unlock()
	record, id, err := l.reader.Next(nil)
	var damage *spool.LossError
	switch {
	case errors.As(err, &damage):
		s.damaged(damage)
		return nil, nil, errBroken
	case err != nil:
		if !errors.Is(err, io.EOF) {
			s.noteSpool(err)
		}
		return nil, nil, err //nolint:wrapcheck // the caller only looks whether it is there
	case until != 0 && id >= until:
		l.close(s) // where it stands now is behind
		return nil, nil, io.EOF
	}
	f, h, err := s.unspool(record.Data)
	if err == nil && h != nil {
		if begins, err = readHead(h, l.layout); err == nil {
			l.layout = begins.layout
			begins.timecode, begins.latest = f.ms(), f.PTS
		}
	}
	if err != nil {
		s.damaged(&spool.LossError{First: id, Last: id, Records: 1, Bytes: int64(len(record.Data))})
		s.mu.Lock()
		s.done = append(s.done, id)
		s.unlockTelling()
		return nil, nil, errBroken
	}
	f.id = id
	return f, begins, nil
}

// backBegins is the place of the first frame that is in memory after the gap; 0: there is none.
func (s *Stream) backBegins() spool.ID {
	for _, f := range s.back {
		for _, frame := range f.frames {
			if frame.id != 0 {
				return frame.id
			}
		}
	}
	return 0
}

// unspool is the inverse of Frame.spooled.
func (s *Stream) unspool(data []byte) (f *Frame, h []byte, err error) {
	if len(data) < spooledMeta || data[0] != spooledVersion {
		return nil, nil, fmt.Errorf("reading a frame in the spool: %d bytes, and not of a format of this version", len(data))
	}
	meta, payload := data[:spooledMeta], data[spooledMeta:]
	if meta[1]&spooledHead != 0 {
		if len(payload) < 4 || int64(binary.BigEndian.Uint32(payload)) > int64(len(payload)-4) {
			return nil, nil, errors.New("reading a frame in the spool: the fragment's head is cut")
		}
		n := binary.BigEndian.Uint32(payload)
		h, payload = payload[4:4+n], payload[4+n:]
	}
	f = s.pool.take(len(payload))
	copy(f.Data, payload)
	flags := mkv.BlockFlags(meta[1])
	f.Key, f.Invisible, f.Discardable = flags&mkv.KeyFrame != 0, flags&mkv.Invisible != 0, flags&mkv.Discardable != 0
	f.Track = uint64(meta[2])
	f.PTS, f.DTS = int64(binary.BigEndian.Uint64(meta[3:])), int64(binary.BigEndian.Uint64(meta[11:])) //nolint:gosec // as it was written
	return f, h, nil
}

// loaded takes a fragment into memory that was read; what was dropped from the spool
// meanwhile is on the books already.
func (s *Stream) loaded(l *loader, g *fragment, frames []*Frame) bool {
	s.mu.Lock()
	defer s.unlockTelling()
	if g == nil {
		return s.backIsNext()
	}
	ends := s.phase.leaving || s.phase.failure != nil
	if ends || l.epoch != s.gap.epoch { // they stay where they are: what comes before them is there now
		for _, f := range frames {
			s.pool.give(f)
		}
		s.gap.epoch++
		return !ends
	}
	now := s.now()
	for _, f := range frames {
		if !s.spool.Has(f.id) {
			s.pool.give(f)
			continue
		}
		c := s.gap.take(1, int64(len(f.Data)))
		s.books.Spooled.sub(c)
		s.books.Accepted.add(f.count()) // it is one of those counted already
		s.books.Accepted.sub(c)
		s.books.InFlight.add(f.count())
		f.accepted = now
		g.add(f)
		s.gap.from = f.id + 1
	}
	if len(g.frames) == 0 {
		return true
	}
	g.closed, g.backlog = true, true
	s.seq++
	g.seq = s.seq
	s.front = append(s.front, g)
	s.memory += g.memory
	s.backIsNext()
	for s.memory > s.settings.StorageSize && s.pageOut() {
	}
	return true
}

// backIsNext closes the gap if nothing is left in it; what was in back follows the front.
func (s *Stream) backIsNext() bool {
	if s.gap.exists() {
		return false
	}
	for _, f := range s.back { // numbered anew: they come after what was read
		s.seq++
		f.seq = s.seq
	}
	s.front, s.back = append(s.front, s.back...), nil
	return true
}

// lose drops a frame that was read and cannot be sent.
func (s *Stream) lose(l *loader, f *Frame) {
	s.mu.Lock()
	if s.spool.Has(f.id) && l.epoch == s.gap.epoch {
		c := s.gap.take(1, int64(len(f.Data)))
		s.books.Spooled.sub(c)
		s.books.drop(ReasonSpoolDamaged, c)
		s.leaving = append(s.leaving, loss{reason: ReasonSpoolDamaged, frames: 1, pts: f.PTS})
		s.done = append(s.done, f.id)
		s.gap.from = f.id + 1
		s.backIsNext()
	}
	s.pool.give(f)
	s.unlockTelling()
}

// damaged takes note of frames that the disk lost.
func (s *Stream) damaged(l *spool.LossError) {
	s.mu.Lock()
	n := int64(l.Records) - s.loosen(l.First, l.Last)
	s.vanish(ReasonSpoolDamaged, n, l.Bytes)
	s.unlockTelling()
	s.noteSpool(l)
}

// vanish takes frames out of the gap that are gone.
func (s *Stream) vanish(reason string, frames, bytes int64) {
	if frames <= 0 {
		return
	}
	c := s.gap.take(frames, bytes)
	s.books.Spooled.sub(c)
	s.books.drop(reason, c)
	s.leaving = append(s.leaving, loss{reason: reason, frames: int(c.Frames)})
	s.noteDrops(reason, int(c.Frames), 0)
	s.backIsNext() // what comes now must not stand before it
	s.settled.Broadcast()
}

// loosen takes note that frames in memory are not in the spool any more, and returns how
// many there are between two places.
func (s *Stream) loosen(first, last spool.ID) (n int64) {
	for _, list := range [][]*fragment{s.front, s.back} {
		for _, f := range list {
			for _, frame := range f.frames {
				if frame.id >= first && frame.id <= last && frame.id != 0 {
					f.loose = true
					n++
				}
			}
		}
	}
	for _, id := range s.done {
		if id >= first && id <= last {
			n++
		}
	}
	return n
}

// tidy frees memory that lay idle, and gives up what is too old in the spool.
func (s *Stream) tidy() {
	s.mu.Lock()
	due := s.now()-s.tidied >= tidyInterval
	if due {
		s.tidied = s.now()
	}
	s.mu.Unlock()
	if !due {
		return
	}
	s.pool.trim()
	if s.spool == nil {
		return
	}
	if d, err := s.spool.Expire(); err == nil {
		s.gone(d, ReasonSpoolAge)
	}
}

// tidyInterval is how often that is done.
const tidyInterval = 10 * time.Second

// dropSpooled makes room in the spool by giving up what is oldest in it; false if that
// brings nothing.
func (s *Stream) dropSpooled(bytes int64) bool {
	d, err := s.spool.DropOldest(bytes)
	if err != nil {
		s.noteSpool(err)
	}
	return s.gone(d, ReasonSpoolFull)
}

// gone takes note of what the spool gave up.
func (s *Stream) gone(d spool.Dropped, reason string) bool {
	if len(d.IDs) == 0 {
		return false
	}
	s.mu.Lock()
	n := int64(len(d.IDs)) - s.loosen(d.IDs[0], d.IDs[len(d.IDs)-1])
	s.vanish(reason, n, d.Bytes*max(n, 0)/int64(len(d.IDs)))
	s.unlockTelling()
	return true
}

func (l *loader) close(s *Stream) {
	if l.reader != nil {
		l.reader.Close()
		l.reader = nil
	}
	if l.ahead != nil {
		s.pool.give(l.ahead)
	}
	l.ahead, l.opens = nil, nil
}
