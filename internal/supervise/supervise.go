package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Source is the live part of a pipeline. Silence, EOS and Buffers are called from the supervisor's goroutine and must return at once. Start and
// Stop come from other goroutines, never two at a time, and may block.
type Source interface {
	// Start begins again after a Stop. It returns when the source tries, not when data flows.
	Start() error
	// Stop ends the source so that it can be started again, whatever state it is in.
	Stop() error
	// Silence is the time since data last flowed, or since the last Start; 0 while those downstream hold the data up.
	Silence() time.Duration
	// EOS says whether the source has ended its stream since the last Start.
	EOS() bool
	// Buffers counts what flowed since ever; it never goes back.
	Buffers() uint64
}

// Cause is why a source is lost.
type Cause string

// The causes.
const (
	CauseEOS      Cause = "end-of-stream" // a live source has no end: its peer closed the connection
	CauseStall    Cause = "stall"         // silent for longer than Settings.Stall
	CauseNoData   Cause = "no-data"       // nothing came after a start
	CauseError    Cause = "error"         // said by the source
	CauseNotBegun Cause = "not-started"   // Start failed
)

// Loss is one time that a source was lost.
type Loss struct {
	Cause  Cause
	Err    error         // what the source said; nil where it said nothing
	Silent time.Duration // how long no data had come
	Played time.Duration // how long it had played, 0 where it had not
	Tries  int           // starts since it last played, 0 for the first loss after that
	Down   time.Duration // time since it last played
	Next   time.Duration // when it is started again; 0 where it is given up
}

// Error describes the loss, for a log and as the reason why a run ended.
func (l Loss) Error() string {
	text := ""
	switch l.Cause {
	case CauseEOS:
		text = "its stream ended"
	case CauseStall:
		text = fmt.Sprintf("nothing came for %v", l.Silent.Round(100*time.Millisecond))
	case CauseNoData:
		text = fmt.Sprintf("nothing came within %v after the start", l.Silent.Round(100*time.Millisecond))
	case CauseNotBegun:
		text = "it did not start"
	default:
		text = "it failed"
	}
	if l.Err != nil {
		text += ": " + l.Err.Error()
	}
	return text
}

// Unwrap gives what the source said.
func (l Loss) Unwrap() error { return l.Err }

// Observer hears what happens, from the supervisor's goroutine; it must not block for long, nor call the supervisor's Close.
type Observer interface {
	// Lost: data stopped, or did not come; the source is stopped and started again after Loss.Next.
	Lost(l Loss)
	// Stuck: the source does not come back from being stopped or started (doing) within Settings.StopLimit.
	Stuck(doing string)
	// Back: data flows again, after down.
	Back(down time.Duration)
}

// State is where a source is.
type State string

// The states.
const (
	Starting State = "starting" // started, no data yet
	Playing  State = "playing"
	Lost     State = "lost" // stopped, or being stopped; waiting for the next start
	GivenUp  State = "given-up"
	Ended    State = "ended" // by Close
)

// Stats are a source's figures.
type Stats struct {
	State      State
	Losses     uint64        // times that data stopped, failed starts in between not counted
	Reconnects uint64        // times that it flowed again
	Tries      uint64        // starts after a loss
	Downtime   time.Duration // sum of the times without data after a loss, the present one included
}

// ErrPermanent is wrapped by errors that no retry mends while the source has never played, such as a wrong password.
var ErrPermanent = errors.New("retrying does not help")

// Supervisor keeps one source going. Its methods are safe for concurrent use.
type Supervisor struct {
	src  Source
	set  Settings
	obs  Observer
	ctx  context.Context
	stop context.CancelFunc
	done chan struct{}
	fail chan error // one error that has not been looked at yet

	// Of the goroutine alone.
	playedAt time.Time     // when data began to flow; zero before
	base     uint64        // Buffers at the last start
	tries    int           // starts since it last played
	attempt  int           // exponent of the next pause
	pause    time.Duration // the last one

	mu    sync.Mutex // guards the rest; held for moments only
	stats Stats
	since time.Time // of the present downtime; zero while there is none
	err   error     // why it was given up
}

// New gives a supervisor of a source that is being started by its caller. obs may be nil.
func New(src Source, set Settings, obs Observer) *Supervisor {
	set.fill()
	if obs == nil {
		obs = silent{}
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Supervisor{src: src, set: set, obs: obs, ctx: ctx, stop: stop, done: make(chan struct{}), fail: make(chan error, 1),
		stats: Stats{State: Starting}}
}

// Start begins to watch. Close ends it.
func (s *Supervisor) Start() { go s.run() }

// Close ends the watching and waits for it; the source stays as it is. A Start or Stop of the source that is under way is left to come to its end by
// itself. Call it after Start only.
func (s *Supervisor) Close() {
	s.stop()
	<-s.done
}

// Failed tells that the source said it failed. An error that wraps ErrPermanent gives it up at once if it never played.
func (s *Supervisor) Failed(err error) {
	select {
	case s.fail <- err:
	default: // one is enough
	}
}

// Done is closed when the supervisor has ended: by Close, or because it gave the source up.
func (s *Supervisor) Done() <-chan struct{} { return s.done }

// Err is why the source was given up, a Loss; nil before Done and after Close.
func (s *Supervisor) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Stats gives the figures so far.
func (s *Supervisor) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	if !s.since.IsZero() {
		st.Downtime += s.set.Now().Sub(s.since)
	}
	return st
}

type silent struct{}

func (silent) Lost(Loss)          {}
func (silent) Stuck(string)       {}
func (silent) Back(time.Duration) {}
