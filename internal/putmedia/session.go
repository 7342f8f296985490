package putmedia

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"gst-kinesis/internal/mediacall"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/uplink"
)

// session is one PutMedia call. What is not named otherwise is under the stream's mu.
type session struct {
	s      *Stream
	number int
	layout *layout
	first  *fragment // until the header is written
	head   *mkv.Header
	tracks tracks // that the header announces
	start  int64  // ms since 1970, from which relative timecodes count
	ctx    context.Context
	cancel context.CancelCauseFunc
	opened time.Duration

	// Of the goroutine that writes the body.
	scratch []byte
	loader  loader

	at        *fragment // being sent
	next      int       // frame of it
	last      *fragment // that was begun latest
	tagged    bool      // the tags of at are sent
	mustEnd   bool      // a fragment was sent that nothing follows soon, and is not ended yet
	isEnded   bool      // the last fragment was ended by a tag
	leave     string    // why it is to end at a fragment's boundary; "" while it is not
	leaveBy   time.Duration
	finished  bool // the body has ended
	cut       bool // the session is over, whatever is written
	abandoned bool // it is to be cut within a fragment
	writing   bool // the body's goroutine is at work
	moved     bool // for max-latency: once a session

	handover handover

	keepsNothing bool // the stream does: RECEIVED is all there is

	answered  bool // the answer's header came
	requestID string
	expires   time.Duration // when its credentials end; 0: never
	fragments int           // begun
	stored    int
	silent    bool // it was told that nobody answers
	bytes     int64
	ackedAt   time.Duration // of the last acknowledgement
}

// errCut is why a body ends early.
var errCut = errors.New("the session is over")

// open makes a session that begins with a fragment.
func (s *Stream) newSession(f *fragment) (*session, error) {
	n := &session{s: s, layout: f.layout, first: f, start: f.timecode, opened: s.now()}
	n.ctx, n.cancel = context.WithCancelCause(s.base)
	n.head = &mkv.Header{
		Title: s.settings.Title, MuxingApp: s.settings.MuxingApp, WritingApp: s.settings.WritingApp, Tracks: f.layout.tracks,
	}
	if _, err := rand.Read(n.head.SegmentUID[:]); err != nil {
		return nil, fmt.Errorf("making a segment's UID: %w", err)
	}
	return n, n.head.Check() //nolint:wrapcheck // it says what it is about
}

// body is what PutMedia sends.
type body struct {
	n    *session
	rest []byte // of Read
	room []byte // for it
}

// piece is what is written at once.
type piece struct {
	bytes []byte
	room  []byte // in which it lies from at on, with room for HTTP before and after; nil: it does not
	at    int
	left  bool // it is what the connection has not taken of another one
}

// writeTo writes the piece, in its room if it has one and w knows about that.
func (p piece) writeTo(w io.Writer) (int, error) {
	if chunks, ok := w.(*mediacall.Chunks); ok && p.room != nil {
		return chunks.WriteWithin(p.room, p.at, p.at+len(p.bytes)) //nolint:wrapcheck // of the connection
	}
	return w.Write(p.bytes) //nolint:wrapcheck // of the connection
}

// begins says that the body's goroutine works on the fragments' memory from now on, and ends that it does not.
func (n *session) begins(chunks *mediacall.Chunks) {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	n.writing = true
	if chunks != nil && chunks.CanTry() {
		n.handover.chunks = chunks
	}
}

func (n *session) ends() {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	n.writing = false
	n.s.work.Broadcast()
}

// WriteTo writes until the session ends, each frame by one call. It is called by the HTTP
// client's goroutine. The next session waits for its end, as it works on the same memory.
func (b *body) WriteTo(w io.Writer) (sum int64, err error) {
	chunks, _ := w.(*mediacall.Chunks)
	b.n.begins(chunks)
	defer b.n.ends()
	for {
		p, class, err := b.n.piece()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return sum, err
		}
		if p.left {
			if err := chunks.Flush(); err != nil {
				return sum, err //nolint:wrapcheck // of the connection
			}
			continue
		}
		if err := b.n.s.uplink.Take(b.n.ctx, class, len(p.bytes)+chunkOverhead); err != nil {
			return sum, fmt.Errorf("waiting for bandwidth: %w", err)
		}
		n, err := p.writeTo(w)
		sum += int64(n)
		if err != nil {
			return sum, err
		}
	}
}

// chunkOverhead is about what HTTP and TLS add to a frame.
const chunkOverhead = 40

// Read is WriteTo for those who do not know it.
func (b *body) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		next, _, err := b.n.piece()
		if err != nil {
			return 0, err
		}
		b.rest = append(b.room[:0], next.bytes...)
		b.room = b.rest
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close ends the body; the HTTP client calls it when it needs no more of it.
func (b *body) Close() error {
	s := b.n.s
	s.mu.Lock()
	defer s.mu.Unlock()
	b.n.cut = true
	s.work.Broadcast()
	return nil
}

// piece returns what is to be written next, valid until the next call: it blocks until there
// is something. io.EOF ends the body in good order.
func (n *session) piece() (piece, uplink.Class, error) {
	s := n.s
	s.mu.Lock()
	defer s.unlockTelling()
	if n.head != nil && !n.cut {
		p, err := n.announce()
		n.bytes += int64(len(p))
		return piece{bytes: p}, uplink.Live, err
	}
	for {
		if n.cut || n.ctx.Err() != nil { // the HTTP client does not return before the body does
			return piece{}, 0, errCut
		}
		if n.handover.left {
			n.handover.left = false
			return piece{left: true}, 0, nil
		}
		p := n.step()
		if p.bytes != nil {
			n.bytes += int64(len(p.bytes))
			return p, n.class(), nil
		}
		if n.finished {
			return piece{}, 0, io.EOF
		}
	}
}

// class is backlog for fragments that an outage held up.
func (n *session) class() uplink.Class {
	if n.last != nil && n.last.backlog {
		return uplink.Backlog
	}
	return uplink.Live
}

// step makes one step and returns what is to be written for it; nothing if it has to be called again.
func (n *session) step() (p piece) {
	switch {
	case n.abandoned || n.at != nil && n.isWrong():
		n.abandon()
		return p
	case n.at != nil && n.next < len(n.at.frames):
		return n.frame()
	case n.at != nil && !n.at.closed:
		n.await()
		return p
	case n.at != nil:
		n.complete()
		return p
	case n.mustEnd:
		return piece{bytes: n.end()}
	case n.leave != "":
		return piece{bytes: n.finish()}
	default:
		n.begin()
		return p
	}
}

// begin goes on to the next fragment, or waits for one.
func (n *session) begin() {
	s := n.s
	f := s.following(n)
	switch {
	case f == nil && s.gap.exists() && s.hasRoomToLoad():
		if n.yields() {
			return
		}
		s.mu.Unlock()
		ok := s.load(&n.loader)
		s.mu.Lock()
		if !ok && s.gap.exists() && !n.cut {
			n.await() // the disk failed, or it is not there yet
		}
	case f == nil && s.gap.exists() && n.last != nil && n.last.sent && !n.isEnded:
		n.mustEnd = true // it is stored when it is ended, and what would end it waits for its memory
	case f == nil && !s.gap.exists() && (s.phase.draining > 0 || s.phase.closing):
		n.leaveFor("the end of the stream")
	case f == nil:
		n.await()
	case f.layout.text != n.layout.text || s.expects(f) != n.tracks:
		n.leaveFor(errTracks.Error())
	case f.apart && n.last != nil:
		n.leaveFor("time goes back")
	case f.objected != 0 && n.last != nil:
		n.leaveFor("a fragment that was refused begins the next one")
	default:
		n.at, n.next, n.last, n.tagged, n.isEnded = f, 0, f, len(f.tags) == 0, false
		f.session, f.begun = n, s.now()
		n.fragments++
		if f.wholly > 0 {
			s.books.PossibleDuplicates++
		}
	}
}

// following is the fragment in memory that comes next; nil if there is none.
func (s *Stream) following(n *session) *fragment {
	if n.last == nil {
		if len(s.front) == 0 {
			return nil
		}
		return s.front[0]
	}
	return s.after(n.last.seq)
}

// frame returns the block of the next frame, before the first the Tags and Cluster.
func (n *session) frame() piece {
	f := n.at
	if !n.tagged {
		n.tagged = true
		n.scratch = n.scratch[:0]
		for _, t := range f.tags { // an element each, as AWS's producer has it
			n.scratch = mkv.AppendTags(n.scratch, []mkv.Tag{t})
		}
		return piece{bytes: n.scratch}
	}
	frame := f.frames[n.next]
	cluster := int64(-1)
	if n.next == 0 {
		cluster = n.timecode(f)
	}
	n.next++
	relative, _ := f.relative(frame)
	return frame.block(cluster, relative)
}

// timecode is a fragment's as this session sends it.
func (n *session) timecode(f *fragment) int64 {
	if n.s.settings.Timecodes == Relative {
		return f.timecode - n.start
	}
	return max(f.timecode, 0)
}

// complete takes note that all of a fragment was written.
func (n *session) complete() {
	s, f := n.s, n.at
	f.sent, f.sentAt = true, s.now()
	f.wholly++
	n.at, n.mustEnd = nil, f.ended
	if !s.settings.Acks {
		s.persist(f)
	}
}

// end ends the last fragment by a tag.
func (n *session) end() []byte {
	n.mustEnd, n.isEnded = false, true
	n.scratch = mkv.AppendEndOfFragment(n.scratch[:0])
	return n.scratch
}

// leaveFor lets the session end at the boundary that it has come to.
func (n *session) leaveFor(reason string) {
	n.leave, n.leaveBy = reason, n.s.now()+n.s.settings.CompletionTimeout
	n.s.work.Broadcast()
}

// finish ends the last fragment, waits until all that was sent is stored, and ends the body.
func (n *session) finish() []byte {
	s := n.s
	if n.last != nil && !n.isEnded {
		return n.end()
	}
	if s.settings.Acks && n.owes() && s.now() < n.leaveBy {
		n.await() // the supervisor wakes it when the time is over
		return nil
	}
	n.finished = true
	return nil
}

// owes reports whether the service has not stored yet what this session sent.
func (n *session) owes() bool {
	for _, f := range n.s.front {
		if f.session == n && f.sent {
			return true
		}
	}
	return false
}
