package envelope

import (
	"container/list"
	"fmt"
	"sync"
	"time"
)

// Defaults of AssemblerSettings.
const (
	DefaultMaxMessage = 64 << 20
	DefaultMaxBytes   = 256 << 20
	DefaultMaxPending = 1024
	DefaultTimeout    = 10 * time.Minute
	DefaultRemembered = 4096
)

// AssemblerSettings bound an Assembler. Zero values mean the defaults.
type AssemblerSettings struct {
	// MaxMessage is the most bytes of a message, compressed and decompressed.
	MaxMessage int
	// MaxBytes is the most bytes of bodies held for incomplete messages, at least
	// MaxMessage. The room for a message is taken with its first part. Decompressing
	// takes MaxMessage more for a moment.
	MaxBytes int
	// MaxPending is the most incomplete messages.
	MaxPending int
	// Timeout is how long after its last new part a message is given up.
	Timeout time.Duration
	// Remembered is how many finished messages are known by their ids, so that parts
	// which come again begin nothing new.
	Remembered int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Place is where a record was read: a shard, or whatever has checkpoints of its own,
// and the position in it, a sequence number.
type Place struct{ Source, Position string }

// Assembler reads records: it unwraps, puts parts together and decompresses. One
// Assembler serves all shards of a stream, and any number of goroutines; what reads
// a shard gives it that shard's records in order. It holds incomplete messages up
// to its bounds; those that go beyond are given up, the one longest without a new
// part first, and counted in [Stats].
type Assembler struct {
	settings AssemblerSettings

	mu       sync.Mutex // guards all below; nothing else is locked while it is held
	decoder  *Decoder
	pending  map[Header]*list.Element // by keyOf
	order    *list.List               // of *partial, the one longest without a new part first
	arrivals uint64
	done     remembered
	stats    Stats
}

// partial is a message that lacks parts.
type partial struct {
	key    Header
	data   []byte    // all bodies, each in its place
	have   []uint64  // a bit for each part
	left   int       // parts that are missing
	places []arrival // of the first part from each source
	news   time.Time // when the last new part came
}

// arrival is a part's place, and its number among all parts.
type arrival struct {
	Place
	number uint64
}

// NewAssembler checks the settings and returns an Assembler.
func NewAssembler(s AssemblerSettings) (*Assembler, error) {
	defaultTo(&s.MaxMessage, DefaultMaxMessage)
	defaultTo(&s.MaxBytes, max(DefaultMaxBytes, s.MaxMessage))
	defaultTo(&s.MaxPending, DefaultMaxPending)
	defaultTo(&s.Remembered, DefaultRemembered)
	defaultTo(&s.Timeout, DefaultTimeout)
	if s.Now == nil {
		s.Now = time.Now
	}
	switch {
	case s.MaxPending < 1 || s.Remembered < 1 || s.Timeout < 1:
		return nil, fmt.Errorf("preparing to assemble messages: a bound is negative")
	case s.MaxBytes < s.MaxMessage:
		return nil, fmt.Errorf("preparing to assemble messages: %d bytes for all of them are less than %d for one", s.MaxBytes, s.MaxMessage)
	}
	d, err := NewDecoder(s.MaxMessage)
	if err != nil {
		return nil, err
	}
	return &Assembler{
		settings: s, decoder: d, pending: make(map[Header]*list.Element), order: list.New(),
		done: remembered{known: make(map[Header]bool), most: s.Remembered},
	}, nil
}

func defaultTo[T int | time.Duration](value *T, standard T) {
	if *value == 0 {
		*value = standard
	}
}

// Add takes one record. If it completes a message, ok is true and the payload is the
// message: the caller's to keep, but a part of the record if that is no envelope (it
// is then a message as it is) or holds a whole message uncompressed. If parts are
// still missing, or the part was there before, ok is false. The error concerns this
// record alone and wraps [ErrCorrupt], [ErrUnknown] or [ErrTooLarge]; it is counted,
// and reading goes on.
func (a *Assembler) Add(at Place, record []byte) (payload []byte, ok bool, err error) {
	if !Is(record) {
		return record, true, nil
	}
	h, body, err := Parse(record)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire()
	a.stats.Records++
	switch {
	case err != nil:
		return nil, false, a.count(err)
	case max(h.Size, h.Original) > a.settings.MaxMessage:
		return nil, false, a.refuse(h)
	case h.Count == 1:
		return a.finish(h, body)
	}
	p := a.partialOf(h)
	if p == nil {
		return nil, false, nil
	}
	a.arrivals++
	if !p.add(arrival{at, a.arrivals}, h, body) {
		a.stats.Duplicates++
		return nil, false, nil
	}
	if p.left > 0 {
		p.news = a.settings.Now()
		a.order.MoveToBack(a.pending[p.key])
		return nil, false, nil
	}
	a.remove(a.pending[p.key], true)
	if sumOf(p.data) != h.Sum {
		return nil, false, a.count(fmt.Errorf("joining the %d parts of message %s: %w: the sum is wrong", h.Count, h.ID, ErrCorrupt))
	}
	return a.finish(h, p.data)
}

// finish makes the message of its joined bodies.
func (a *Assembler) finish(h Header, body []byte) ([]byte, bool, error) {
	if h.Codec != None {
		message, err := a.decoder.Append(nil, h, body)
		if err != nil {
			return nil, false, a.count(fmt.Errorf("reading message %s: %w", h.ID, err))
		}
		body = message
	}
	a.stats.Messages++
	return body, true, nil
}

// refuse counts a message that is too large, and its other parts as late.
func (a *Assembler) refuse(h Header) error {
	key := keyOf(h)
	if _, known := a.done.known[key]; known && h.Count > 1 {
		a.stats.Late++
		return nil
	}
	a.done.add(key, false)
	return a.count(fmt.Errorf("reading message %s of %d parts: %w: %d bytes, limit %d",
		h.ID, h.Count, ErrTooLarge, max(h.Size, h.Original), a.settings.MaxMessage))
}

func (a *Assembler) count(err error) error {
	a.stats.countError(err)
	return err
}

// keyOf is what a message is known by.
func keyOf(h Header) Header {
	h.Index = 0
	return h
}

// partialOf finds the message of a part or begins it. It gives nil if the message
// has ended already.
func (a *Assembler) partialOf(h Header) *partial {
	key := keyOf(h)
	if e := a.pending[key]; e != nil {
		return e.Value.(*partial)
	}
	if complete, known := a.done.known[key]; known {
		if complete {
			a.stats.Duplicates++
		} else {
			a.stats.Late++
		}
		return nil
	}
	for a.order.Len() > 0 && (a.order.Len() >= a.settings.MaxPending || a.stats.PendingBytes+h.Size > a.settings.MaxBytes) {
		a.stats.Evicted++
		a.remove(a.order.Front(), false)
	}
	p := &partial{key: key, left: h.Count, news: a.settings.Now(), data: make([]byte, h.Size), have: make([]uint64, (h.Count+63)/64)}
	a.pending[key] = a.order.PushBack(p)
	a.stats.PendingBytes += h.Size
	return p
}

// add puts a body in its place and reports whether it was missing.
func (p *partial) add(at arrival, h Header, body []byte) bool {
	word, bit := &p.have[h.Index/64], uint64(1)<<(h.Index%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	p.left--
	copy(p.data[h.offset():], body)
	for _, known := range p.places {
		if known.Source == at.Source {
			return true
		}
	}
	p.places = append(p.places, at)
	return true
}

// remove takes a message off the pending ones and remembers how it ended.
func (a *Assembler) remove(e *list.Element, complete bool) {
	p := a.order.Remove(e).(*partial)
	delete(a.pending, p.key)
	a.stats.PendingBytes -= p.key.Size
	a.done.add(p.key, complete)
}

// expire gives up what has waited too long.
func (a *Assembler) expire() {
	if a.order.Len() == 0 {
		return
	}
	now := a.settings.Now()
	for e := a.order.Front(); e != nil && now.Sub(e.Value.(*partial).news) >= a.settings.Timeout; e = a.order.Front() {
		a.stats.Expired++
		a.remove(e, false)
	}
}
