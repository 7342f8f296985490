package kinesisvideosink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/interleave"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/putmedia"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/uplink"
	"gst-kinesis/plugins/internal/bus"
)

// session is what lives between Start and Stop.
type session struct {
	settings Settings
	region   string
	engine   engine
	close    func() // after the engine
	uplink   *uplink.Share
	member   *metrics.Member
	spool    *spool.Spool // nil: none
	report   *reporter
	times    *timeline
	queue    *interleave.Queue[item]
	failed   atomic.Bool // the stream cannot go on
	own      losses
	drain    *bus.Canceller // ends a drain at the end of the stream
	running  sync.WaitGroup // the sender, and drains that no streaming thread waits for

	sending sync.Mutex // held while a frame is given to the engine, which is one thread but for the moment when a second pad comes
	layout  layout     // under sending
}

// item is what goes through the queue: a frame, or that its pad's stream has ended.
type item struct {
	frame *putmedia.Frame // nil: the end
	pad   *pad
	track *description
}

const (
	mostQueued = 32 << 20
	// fileWait is how long a frame of a file waits for the other track, which may be encoded slower than it is played.
	fileWait = 10 * time.Second
	// beginWait is how long the first frames wait for a pad that has had none: a session whose tracks are complete from its start is better than two.
	beginWait = 2 * time.Second
)

func (s *session) begin() {
	s.queue = interleave.New[item](interleave.Settings{
		Wait: time.Duration(s.settings.InterleaveWait), Begin: beginWait, //nolint:gosec // bounded by the property
		MostBytes: min(mostQueued, int64(s.settings.StorageSize)<<20/4),
	})
	s.running.Go(func() {
		for it, ok := s.queue.Next(context.Background()); ok; it, ok = s.queue.Next(context.Background()) {
			s.send(context.Background(), it) // it ends by the engine's Close
		}
	})
}

// pace sets how long a frame waits for the other track: as interleave-wait says, and as much longer as what feeds the sink says that it takes.
func (s *session) pace(live bool, latency uint64) {
	wait := time.Duration(s.settings.InterleaveWait) //nolint:gosec // bounded by the property
	begin := beginWait
	if live {
		more := time.Duration(min(latency, uint64(time.Minute))) //nolint:gosec // bounded
		wait, begin = wait+more, begin+more
	} else {
		wait = max(wait, fileWait)
	}
	s.queue.SetWait(wait, begin)
}

// put takes a frame of a pad to the engine, by the queue where there is another pad. It waits only where that was asked for, until ctx is done.
func (s *session) put(ctx context.Context, track *interleave.Track[item], it item, turn int64) gst.Flow {
	size := 0
	if it.frame != nil {
		size = len(it.frame.Data)
	}
	direct, err := track.Put(ctx, it, turn, size)
	switch {
	case err != nil:
		s.refuse(it)
		return gst.FlowFlushing
	case direct:
		return s.send(ctx, it)
	case s.failed.Load():
		s.report.word.Await(ctx)
		return gst.FlowError
	}
	return gst.FlowOK
}

// send gives an item to the engine, whichever thread it is on, and tells what became of it.
func (s *session) send(ctx context.Context, it item) gst.Flow {
	if it.frame == nil {
		s.sending.Lock()
		defer s.sending.Unlock()
		s.layout.end(it.pad)
		return gst.FlowOK
	}
	token, pts, size := it.frame.Token, it.frame.PTS, int64(len(it.frame.Data))
	err := s.give(ctx, it)
	reason, flow := reasonFlushed, gst.FlowFlushing
	switch {
	case err == nil:
		return gst.FlowOK
	case errors.Is(err, errBeforeKey):
		reason, flow = putmedia.ReasonBeforeKey, gst.FlowOK
	case errors.Is(err, putmedia.ErrFailed): // which the engine has told
		s.failed.Store(true)
		s.report.word.Await(ctx)
		reason, flow = reasonFailed, gst.FlowError
	case errors.Is(err, errTracks):
		s.failed.Store(true)
		s.report.fail(&gst.Error{Code: gst.StreamFormat, Text: bus.Sentence(err)})
		reason, flow = reasonFailed, gst.FlowError
	}
	s.own.add(reason, size)
	s.report.Dropped(reason, 1, pts, tokens(token))
	return flow
}

// Errors of give, beside those of the engine's Put.
var (
	errBeforeKey = errors.New("the frame came before the key frame that its track waits for")
	errTracks    = errors.New("telling the tracks")
)

// give gives a frame to the engine; it is gone in any case.
func (s *session) give(ctx context.Context, it item) error {
	s.sending.Lock()
	defer s.sending.Unlock()
	number, err := s.layout.arrange(it, s.engine.SetTracks)
	switch {
	case err != nil:
		s.engine.Release(it.frame)
		return fmt.Errorf("%w: %w", errTracks, err)
	case number == 0:
		s.engine.Release(it.frame)
		return errBeforeKey
	}
	it.frame.Track = number
	return s.engine.Put(ctx, it.frame)
}

// tokens is a list of the token, where there is one.
func tokens(token any) []any {
	if token == nil {
		return nil
	}
	return []any{token}
}

// refuse gives back a frame that is not taken because its pad flushes or the element stops.
func (s *session) refuse(it item) {
	if it.frame == nil {
		return
	}
	token, pts := it.frame.Token, it.frame.PTS
	s.own.add(reasonFlushed, int64(len(it.frame.Data)))
	s.engine.Release(it.frame)
	s.report.Dropped(reasonFlushed, 1, pts, tokens(token))
}

// drop counts a buffer that no frame was made of.
func (s *session) drop(reason string, v *gst.View, pts int64) {
	s.own.add(reason, int64(v.Size()))
	s.report.Dropped(reason, 1, pts, tokens(tokenOf(v)))
}

// tune applies the settings that may change while the session lives.
func (s *session) tune(now Settings) {
	if s.settings.Engine == engineSDK {
		if err := now.checkSDK(); err != nil { // once it runs it goes on as it was
			s.report.notice(err.Error())
		}
		return
	}
	s.uplink.SetBandwidth(now.MaxBandwidth)
	s.uplink.SetPriority(int(now.Priority))
}

// end ends the session: what waits for another pad goes first, and the engine has stop-stream-timeout.
func (s *session) end() {
	ctx, cancel := context.WithTimeout(context.Background(), queueTimeout)
	defer cancel()
	_ = s.queue.Drain(ctx) // what is left is refused below, and counted
	s.queue.Close()
	s.engine.Close()
	s.running.Wait()
	s.report.flush()
}

// queueTimeout is how long the engine may take to take what waits in the queue; longer only where it blocks.
const queueTimeout = 500 * time.Millisecond

// Reasons for which frames are dropped before the engine has them, beside the engine's own.
const (
	reasonFlushed   = "flushed"   // refused while the pad was flushed or the element stopped
	reasonFailed    = "failed"    // refused since the stream cannot go on
	reasonClipped   = "clipped"   // outside the segment
	reasonMalformed = "malformed" // not what the caps say
)

// losses count frames that the engine has never had. Safe from any thread.
type losses struct {
	mu       sync.Mutex
	byReason map[string]putmedia.Count
}

func (l *losses) add(reason string, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byReason == nil {
		l.byReason = map[string]putmedia.Count{}
	}
	c := l.byReason[reason]
	l.byReason[reason] = putmedia.Count{Frames: c.Frames + 1, Bytes: c.Bytes + bytes}
}

// into adds the losses to books: they were accepted, and dropped.
func (l *losses) into(b *putmedia.Books) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for reason, c := range l.byReason {
		sum := b.Dropped[reason]
		b.Dropped[reason] = putmedia.Count{Frames: sum.Frames + c.Frames, Bytes: sum.Bytes + c.Bytes}
		b.Accepted.Frames += c.Frames
		b.Accepted.Bytes += c.Bytes
	}
}

// Stats are the engine's with what it never had.
func (s *session) Stats() putmedia.Stats {
	stats := s.engine.Stats()
	if stats.Books.Dropped == nil {
		stats.Books.Dropped = map[string]putmedia.Count{}
	}
	s.own.into(&stats.Books)
	return stats
}
