package putmedia

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/trouble"
)

// Delegate is a Stream's like that leaves the sending to a Producer, and keeps the books over what that says: it decides where fragments begin,
// opens producers and changes them where the tracks or the credentials do, and tells the observer the same things.
//
// A frame waits here until the producer has taken it; what of it is stored then is known by its fragment's acknowledgements. What the producer
// gives up without a word is found by what it says of later fragments, or by its age, and dropped as unacknowledged.
//
// All methods are safe for concurrent use. Lock order: putting before mu before pool.mu; mu is held across nothing that blocks.
type Delegate struct {
	client   ProducerClient
	observer Observer
	settings Settings
	buffer   time.Duration
	subject  awserr.Subject
	pool     pool
	start    time.Time

	base     context.Context // of all calls
	cancel   context.CancelFunc
	wake     chan struct{} // whoever waits before the next try
	quit     chan struct{} // all end
	closed   chan struct{} // Close is done
	reporter *trouble.Reporter
	running  sync.WaitGroup // all but the feeder, which may be in the midst of a call of the producer
	fed      chan struct{}  // the feeder has ended
	hearing  sync.WaitGroup // reports that are being told

	putting sync.Mutex
	cutter  cutter
	events  []Event // of the next fragment, under putting

	mu      sync.Mutex
	work    sync.Cond // the feeder waits for something to do
	space   sync.Cond // Put waits for room
	settled sync.Cond // Flush and Close wait
	random  *rand.Rand
	seq     uint64
	line    []*charge // oldest first
	open    *charge   // the last of them, while frames come
	refusal int       // the error id for which the last one was skipped while it was open
	memory  int64     // of frames that wait
	books   Books
	care    *care             // the producer there is
	before  []<-chan struct{} // of producers that are closing
	sent    int64             // by producers that are gone
	health  health
	phase   phase
	tally   tally
	lastPut time.Duration
	leaving []loss       // to be told to the observer
	stored  []any        // tokens, to be told to the observer
	ended   []Connection // to be told to the observer
	noticed map[string]bool
	probe   probe

	deferred []Event // of the feeder: of a producer's first fragment, for the next one
}

// charge is a fragment that waits, or is a producer's.
type charge struct {
	fragment
	events    []Event
	entries   []entry
	next      int   // the first that was not given
	left      int   // those neither stored nor given up
	care      *care // whose it is; nil: it waits
	endTold   bool
	upload    uint64        // the connection it was sent by; 0: not known
	overtaken time.Duration // when a later one was stored; 0: none was
}

// entry is a frame of a charge. When it was given, only what the books need is left of it.
type entry struct {
	frame *Frame // nil once it was given
	pts   int64
	dts   int64 // as it was given
	bytes int64
	token any
	gone  bool // stored or given up
}

// care is a producer and what is known of it.
type care struct {
	p          Producer
	layout     *layout
	place      Place
	expires    time.Duration // when its credentials end; 0: never
	opened     time.Duration
	dts        int64 // given last
	begun      bool  // it has had a frame
	over       bool  // it is given up
	due        string
	heard      time.Duration // when the last acknowledgement came
	refused    time.Duration // DTS of the report of that
	upload     uint64
	connection Connection
	connected  time.Duration
}

// ReasonUnacknowledged is of frames that a producer has taken and of which nothing was heard, though of later ones it was. The service may have them.
const ReasonUnacknowledged = "unacknowledged"

// NewDelegate starts a stream by producers of the client, which must stay usable until Close returns. buffer is the longest that a producer keeps
// frames. Of the settings those of sessions (SessionDuration, MaxLatency) are the producer's own business; Outage is DropOldest, or Block where
// its Put waits for room. The observer may be nil.
func NewDelegate(client ProducerClient, settings Settings, buffer time.Duration, observer Observer) (*Delegate, error) {
	if err := settings.Validate(); err != nil {
		return nil, fmt.Errorf("checking the settings: %w", err)
	}
	if observer == nil {
		observer = silent{}
	}
	d := &Delegate{
		client: client, observer: observer, settings: settings, buffer: buffer,
		subject: awserr.VideoSubject(settings.Stream, settings.Region, settings.Endpoint),
		pool:    pool{most: settings.StorageSize / 2},
		start:   time.Now(),
		wake:    make(chan struct{}, 1), quit: make(chan struct{}), closed: make(chan struct{}), fed: make(chan struct{}),
		random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), //nolint:gosec // jitter
		books:  Books{Dropped: map[string]Count{}, Skipped: map[string]Count{}},
		health: health{lasting: -1, ledger: trouble.NewLedger()},
		phase:  phase{since: -1},
		cutter: cutter{latest: nothing, floor: nothing},

		noticed: map[string]bool{},
	}
	d.work.L, d.space.L, d.settled.L = &d.mu, &d.mu, &d.mu
	d.reporter = newReporter(&d.mu, &d.health, &d.phase, &d.settled, d.now, d.observer)
	d.base, d.cancel = context.WithCancel(context.Background())
	go d.feed()
	d.running.Go(d.watch)
	d.running.Go(func() { d.reporter.Run(d.quit) })
	return d, nil
}

func (d *Delegate) now() time.Duration { return time.Since(d.start) }

// SetTracks is as Stream has it: what follows goes by a producer of its own, when all before is stored.
func (d *Delegate) SetTracks(tracks []mkv.Track) error {
	l, err := newLayout(tracks)
	if err != nil {
		return err
	}
	d.putting.Lock()
	defer d.putting.Unlock()
	if d.cutter.layout == nil || d.cutter.layout.text != l.text {
		d.cutter.layout, d.cutter.needsKey = l, true
	}
	return nil
}

// Stats returns a consistent snapshot.
func (d *Delegate) Stats() Stats {
	d.mu.Lock()
	var p Producer
	if d.care != nil {
		p = d.care.p
	}
	d.mu.Unlock()
	var sent int64
	if p != nil {
		sent = p.Sent() // it may wait for the producer's own lock
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tally
	s := Stats{
		Books: d.books.clone(), Memory: d.memory, Fragments: len(d.line),
		Sessions: t.sessions, Failures: t.failures, Resent: t.resent, Connected: d.care != nil && d.care.upload != 0,
		Buffering: t.buffering, Received: t.received, Persisted: t.persisted, Errors: t.errors, Latency: t.latency,
	}
	s.Uplink.Sent = d.sent
	if d.care != nil && d.care.p == p {
		s.Uplink.Sent += sent
	}
	return s
}

// AddMetadata is as Stream has it.
func (d *Delegate) AddMetadata(name, value string, persist bool) error {
	t := mkv.Tag{Name: name, Value: value}
	ends := persist && value == ""
	if !ends || name == "" {
		if err := t.Check(); err != nil {
			return fmt.Errorf("adding metadata: %w: %w", ErrMetadata, err)
		}
	}
	d.putting.Lock()
	defer d.putting.Unlock()
	c := &d.cutter
	if persist {
		c.lasting = slices.DeleteFunc(slices.Clone(c.lasting), func(t mkv.Tag) bool { return t.Name == name })
	}
	if ends {
		return nil
	}
	if err := d.hasRoomForTags(1); err != nil {
		return err
	}
	if persist {
		c.lasting = append(c.lasting, t)
	} else {
		c.pending = append(c.pending, t)
	}
	return nil
}

// AddEvent is as Stream has it, but for the first fragment of a producer, whose event goes with the second.
func (d *Delegate) AddEvent(e Event) error {
	tags, err := e.tags()
	if err != nil {
		return err
	}
	d.putting.Lock()
	defer d.putting.Unlock()
	if err := d.hasRoomForTags(len(tags)); err != nil {
		return err
	}
	for _, other := range d.events {
		if other.Image && e.Image || other.Notify && e.Notify {
			return fmt.Errorf("adding an event: %w: the next fragment has an event of this type already; wait for it to begin", ErrMetadata)
		}
	}
	d.events = append(d.events, e)
	return nil
}

// hasRoomForTags checks that the next fragment takes n more, with putting held.
func (d *Delegate) hasRoomForTags(n int) error {
	have := slices.Concat(d.cutter.lasting, d.cutter.pending)
	for _, e := range d.events {
		tags, _ := e.tags()
		have = append(have, tags...)
	}
	return tagsFit(have, n)
}
