package putmedia

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/trouble"
	"gst-kinesis/internal/uplink"
)

// What the observer hears of what goes wrong.
type (
	Trouble  = trouble.Trouble
	Recovery = trouble.Recovery
	Notice   = trouble.Notice
)

// Observer hears what becomes of frames and fragments. Its methods are called without any
// lock held, from the stream's goroutines (Dropped also from the one that calls Put). They
// hold up the sending while they last and must not call Put, Flush or Close of the stream.
type Observer interface {
	// Acked is called with each acknowledgement but IDLE, in the order they come.
	Acked(a Ack)
	// Connected is called when a session has been opened, Disconnected when it has ended.
	Connected(c Connection)
	Disconnected(c Connection)
	// Settled is called with the tokens of frames that are persisted.
	Settled(tokens []any)
	// Dropped is called with frames that were given up for a reason, or skipped for the
	// service's error id, with the first one's PTS and the tokens there are.
	Dropped(reason string, frames int, pts int64, tokens []any)
	// Trouble is called when something goes wrong that does not end the stream, at most
	// once a second for one kind.
	Trouble(t Trouble)
	// Recovered is called when media flow again for a second after Trouble.
	Recovered(r Recovery)
	// Noticed is called with what a person should know once, and is no trouble.
	Noticed(n Notice)
	// Failed is called once, when the stream cannot go on: Put returns ErrFailed from then on.
	Failed(t Trouble)
}

// Connection is a session, as the observer hears of it.
type Connection struct {
	// Number counts the sessions of the stream from 1.
	Number int
	// Endpoint and RequestID are the service's.
	Endpoint, RequestID string
	// Reason says why it ended.
	Reason string
	// Lasted is how long it was open, Fragments and Bytes what it sent.
	Lasted    time.Duration
	Fragments int
	Bytes     int64
}

// Errors of Put and Flush.
var (
	// ErrClosed is returned after Close was called.
	ErrClosed = errors.New("the stream is closed")
	// ErrFailed is returned once the stream cannot go on; the error also wraps the
	// Trouble, which errors.As finds.
	ErrFailed = errors.New("the stream cannot go on")
	// ErrDrainTimeout is returned by Flush when something was left.
	ErrDrainTimeout = errors.New("not all was stored when drain-timeout was over")
	// ErrTrack is returned for a frame of a track that SetTracks did not name.
	ErrTrack = errors.New("there is no such track")
)

// failedError is ErrFailed together with the trouble.
type failedError struct{ trouble Trouble }

func (e *failedError) Error() string   { return ErrFailed.Error() + ": " + e.trouble.Error() }
func (e *failedError) Unwrap() []error { return []error{ErrFailed, e.trouble} }

// Stream sends to one video stream. All methods are safe for concurrent use.
//
// Lock order: putting before mu before pool.mu. putting is held across writes to the spool;
// mu across nothing that blocks.
type Stream struct {
	client   Client
	observer Observer
	settings Settings
	subject  awserr.Subject
	uplink   *uplink.Share
	spool    *spool.Spool // nil: frames are in memory alone
	pool     pool
	start    time.Time

	base     context.Context // of all calls
	cancel   context.CancelFunc
	wake     chan struct{} // the supervisor
	quit     chan struct{} // both end
	closed   chan struct{} // Close is done
	reporter *trouble.Reporter
	running  sync.WaitGroup

	putting sync.Mutex
	cutter  cutter // under putting

	mu      sync.Mutex
	work    sync.Cond // the session waits for frames, and for what it sent to be stored
	space   sync.Cond // Put waits for room
	settled sync.Cond // Flush and Close wait
	random  *rand.Rand
	seq     uint64
	front   []*fragment // in memory, oldest first; the session walks along them
	gap     gap         // on disk alone, after those
	back    []*fragment // in memory, after those; none while there is no gap
	open    *fragment   // the last of all, while frames come
	refusal int         // the error id for which the last one was skipped while it was open
	memory  int64
	books   Books
	session *session // under way
	health  health
	phase   phase
	tally   tally
	done    []spool.ID // to be told to the spool
	lastPut time.Duration
	leaving []loss // to be told to the observer
	stored  []any  // tokens, to be told to the observer
	noticed map[string]bool
	tidied  time.Duration // when memory and spool were looked through
}

// loss is frames given up, to be told.
type loss struct {
	reason string
	frames int
	pts    int64
	tokens []any
}

// phase is how far the end has come.
type phase struct {
	draining int           // Flushes under way
	closing  bool          // Close was called
	leaving  bool          // the time to send what is left is over
	over     bool          // all goroutines have ended
	failure  *failedError  // the stream cannot go on
	since    time.Duration // when the first frame came; -1 before
}

// tally counts what is not in the books.
type tally struct {
	sessions, failures                             int64
	buffering, received, persisted, errors, resent int64
	latency                                        time.Duration // of the last persisted fragment
}

// health is how the stream fares.
type health struct {
	proven   bool          // something was acknowledged: no longer "at start"
	failures int           // in a row
	lasting  time.Duration // since when errors are permanent; -1 if they are not
	chances  int           // given to expired credentials and a skewed clock
	latest   Trouble
	ledger   trouble.Ledger
}

// Option changes how a Stream works inside.
type Option func(*Stream)

// WithSeed makes the jitter of retries repeatable.
func WithSeed(seed uint64) Option {
	return func(s *Stream) { s.random = rand.New(rand.NewPCG(seed, seed)) } //nolint:gosec // jitter
}

// WithUplink lets the stream keep within the bandwidth of a link and share it with others.
// The client's connections are the caller's to wrap; see uplink.Share.Conn.
func WithUplink(u *uplink.Share) Option { return func(s *Stream) { s.uplink = u } }

// WithSpool keeps each frame on disk until it is stored by the service, so that neither an
// outage nor the end of the process loses it. A frame is in the spool before it counts as
// accepted. What is left at the end stays there, for the next run. The spool is the caller's
// to close, after Close.
func WithSpool(sp *spool.Spool) Option { return func(s *Stream) { s.spool = sp } }

// New starts a stream. The client must stay usable until Close returns; the observer may be
// nil. SetTracks must be called before the first Put.
func New(client Client, settings Settings, observer Observer, options ...Option) (*Stream, error) {
	if err := settings.Validate(); err != nil {
		return nil, fmt.Errorf("checking the settings: %w", err)
	}
	if observer == nil {
		observer = silent{}
	}
	s := &Stream{
		client: client, observer: observer, settings: settings,
		subject: awserr.VideoSubject(settings.Stream, settings.Region, settings.Endpoint),
		uplink:  new(uplink.Links).Join(""),
		pool:    pool{most: settings.StorageSize / 2},
		start:   time.Now(),
		wake:    make(chan struct{}, 1),
		quit:    make(chan struct{}), closed: make(chan struct{}),
		random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), //nolint:gosec // jitter
		books:  Books{Dropped: map[string]Count{}, Skipped: map[string]Count{}},
		health: health{lasting: -1, ledger: trouble.NewLedger()},
		phase:  phase{since: -1},
		cutter: cutter{latest: nothing, floor: nothing},

		noticed: map[string]bool{},
	}
	s.work.L, s.space.L, s.settled.L = &s.mu, &s.mu, &s.mu
	s.reporter = newReporter(&s.mu, &s.health, &s.phase, &s.settled, s.now, s.observer)
	s.base, s.cancel = context.WithCancel(context.Background())
	for _, option := range options {
		option(s)
	}
	if s.spool != nil {
		s.openGap()
	}
	s.running.Go(s.supervise)
	s.running.Go(func() { s.reporter.Run(s.quit) })
	return s, nil
}

// now is the time since the stream's start.
func (s *Stream) now() time.Duration { return time.Since(s.start) }

// SetTracks says which tracks the frames have that are put from here on: one of video at
// most, and one of audio. When they change, the fragment under way is ended, and what
// follows is sent in a session of its own.
func (s *Stream) SetTracks(tracks []mkv.Track) error {
	l, err := newLayout(tracks)
	if err != nil {
		return err
	}
	s.putting.Lock()
	defer s.putting.Unlock()
	if s.cutter.layout == nil || s.cutter.layout.text != l.text {
		s.cutter.layout, s.cutter.needsKey = l, true
	}
	return nil
}

// Discontinuity says that frames are missing: what comes cannot be decoded before a key
// frame, and is dropped until then.
func (s *Stream) Discontinuity() {
	s.putting.Lock()
	defer s.putting.Unlock()
	s.cutter.needsKey = true
}

// Stats are a snapshot of everything that is counted and measured.
type Stats struct {
	Books Books
	// Memory is what frames held take in bytes, of at most StorageSize.
	Memory int64
	// Fragments are those in memory.
	Fragments int
	// Sessions counts PutMedia calls, Failures those that ended otherwise than in good order
	// and tries to find the stream that failed, Resent fragments that were begun again.
	Sessions, Failures, Resent int64
	Connected                  bool
	// Acknowledgements by type.
	Buffering, Received, Persisted, Errors int64
	// Latency is from the first byte of the last persisted fragment to that acknowledgement.
	Latency time.Duration
	// Uplink is how max-bandwidth stands.
	Uplink uplink.Stats
}

// Stats returns a consistent snapshot.
func (s *Stream) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tally
	return Stats{
		Books: s.books.clone(), Memory: s.memory, Fragments: len(s.front) + len(s.back),
		Sessions: t.sessions, Failures: t.failures, Resent: t.resent, Connected: s.session != nil && s.session.answered,
		Buffering: t.buffering, Received: t.received, Persisted: t.persisted, Errors: t.errors,
		Latency: t.latency, Uplink: s.uplink.Stats(),
	}
}

// Books returns a consistent copy of the books.
func (s *Stream) Books() Books {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.books.clone()
}

// silent is the observer of a stream that has none.
type silent struct{}

func (silent) Acked(Ack)                         {}
func (silent) Connected(Connection)              {}
func (silent) Disconnected(Connection)           {}
func (silent) Settled([]any)                     {}
func (silent) Dropped(string, int, int64, []any) {}
func (silent) Trouble(Trouble)                   {}
func (silent) Recovered(Recovery)                {}
func (silent) Noticed(Notice)                    {}
func (silent) Failed(Trouble)                    {}
