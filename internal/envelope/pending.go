package envelope

import "errors"

// Stats counts what an Assembler has met since it was made. Missing, TooLarge,
// Evicted and Expired count messages that were lost to the reader; Corrupt and
// Unknown count records, and messages whose parts were sound but did not join or
// decompress.
type Stats struct {
	Records    uint64 // envelopes read
	Messages   uint64 // messages given out, records without an envelope not counted
	Duplicates uint64 // parts that had come before
	Late       uint64 // parts of messages that had been given up

	Missing  uint64 // incomplete when Leave or Flush said that no more would come
	Corrupt  uint64
	Unknown  uint64 // made by a later version
	TooLarge uint64
	Evicted  uint64 // incomplete when the memory or number of messages ran out
	Expired  uint64 // incomplete when the time was over

	Pending      int // messages that are incomplete now
	PendingBytes int // the memory that is held for them
}

// Dropped is the sum of all that was lost.
func (s Stats) Dropped() uint64 {
	return s.Missing + s.Corrupt + s.Unknown + s.TooLarge + s.Evicted + s.Expired
}

func (s *Stats) countError(err error) {
	switch {
	case errors.Is(err, ErrUnknown):
		s.Unknown++
	case errors.Is(err, ErrTooLarge):
		s.TooLarge++
	default:
		s.Corrupt++
	}
}

// Stats returns the counts, after giving up what has waited too long.
func (a *Assembler) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire()
	s := a.stats
	s.Pending = a.order.Len()
	return s
}

// Oldest tells how far a reader may set the checkpoint of a source: position is that
// of the first record in it whose message is incomplete, and ok is false if there is
// none. Who begins to read again after a later position loses that message.
func (a *Assembler) Oldest(source string) (position string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire()
	return a.oldest(source)
}

func (a *Assembler) oldest(source string) (position string, ok bool) {
	var first uint64
	for e := a.order.Front(); e != nil; e = e.Next() {
		p := e.Value.(*partial)
		for _, at := range p.places {
			if at.Source == source && (!ok || at.number < first) {
				position, first, ok = at.Position, at.number, true
			}
		}
	}
	return position, ok
}

// Leave says that nothing more is read for the messages with a part from a source,
// because another program has taken it over. They are given up and counted as
// missing. A shard that has ended is not left: after a reshard its children bring
// the rest.
func (a *Assembler) Leave(source string) {
	a.giveUp(func(p *partial) bool {
		for _, at := range p.places {
			if at.Source == source {
				return true
			}
		}
		return false
	})
}

// Flush says that nothing more is read at all: what is incomplete is given up and
// counted as missing.
func (a *Assembler) Flush() { a.giveUp(func(*partial) bool { return true }) }

func (a *Assembler) giveUp(concerned func(*partial) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire()
	for e := a.order.Front(); e != nil; {
		next := e.Next()
		if concerned(e.Value.(*partial)) {
			a.stats.Missing++
			a.remove(e, false)
		}
		e = next
	}
}

// Reset forgets all messages, the finished ones too, so that a stream can be read
// again from an earlier position. Nothing is counted as lost.
func (a *Assembler) Reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.pending)
	a.order.Init()
	a.done.reset()
	a.stats.PendingBytes = 0
}

// remembered are the messages that ended last, and whether they were complete.
type remembered struct {
	known map[Header]bool
	ring  []Header
	next  int
	most  int
}

func (r *remembered) add(key Header, complete bool) {
	if len(r.ring) < r.most {
		r.ring = append(r.ring, key)
	} else {
		delete(r.known, r.ring[r.next])
		r.ring[r.next] = key
		r.next = (r.next + 1) % r.most
	}
	r.known[key] = complete
}

func (r *remembered) reset() {
	clear(r.known)
	r.ring, r.next = r.ring[:0], 0
}
