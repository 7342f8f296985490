package video

import (
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"time"

	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/front"
	"gst-kinesis/internal/local/videostreams"
	"gst-kinesis/internal/mkv"
)

// emptyHash is the SHA-256 of nothing: what stands for PutMedia's body in its signature.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// putMedia serves one session: media comes in the request's body while acknowledgements go out in the answer's.
func (s *Service) putMedia(c *front.Call) {
	// Without this, the server would read the body before it answers anything at all.
	_ = http.NewResponseController(c.W).EnableFullDuplex()
	c.W.Header().Set("Connection", "close")
	in, err := readPutHeader(c.R.Header)
	if err == nil {
		c.Stream = s.store.Stream(in.ref)
	}
	if denied := c.Verify(SigningName, emptyHash); denied != nil {
		err = unauthorized(denied)
	}
	if err != nil {
		s.refuse(c, err)
		return
	}
	plan := c.Plan()
	if !s.before(c, plan) {
		linger(c, "")
		return
	}
	var w *videostreams.Writer
	if err = s.store.Call(in.ref, opPutMedia); err == nil {
		w, err = s.store.Write(in.ref)
	}
	if err != nil {
		s.refuse(c, err)
		return
	}
	defer w.Close()
	newPutSession(s, c, w, plan, in).run()
}

// refuse answers with an error while the client may still be sending.
func (s *Service) refuse(c *front.Call, err error) {
	s.fail(c, err)
	linger(c, "")
}

// lingerTime bounds how long what a client still sends is read and thrown away, so that it sees the answer and no reset.
const lingerTime = 500 * time.Millisecond

// linger ends the connection after an answer: last is written, then what still comes is thrown away for a moment.
func linger(c *front.Call, last string) {
	_ = http.NewResponseController(c.W).Flush()
	hijacker, ok := c.W.(http.Hijacker)
	if !ok {
		return
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return // it was cut before
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(lingerTime))
	_, _ = io.WriteString(conn, last)
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, conn)
}

// lastChunk ends an answer in chunks.
const lastChunk = "0\r\n\r\n"

// putSession is one session of PutMedia. It belongs to the request's goroutine; its watcher only interrupts the body and sends
// IDLE.
type putSession struct {
	s     *Service
	c     *front.Call
	w     *videostreams.Writer
	plan  fault.Plan
	body  *body
	acks  *acker
	entry *entry
	in    *ingest
	about *videostreams.Fragment // that an error is about
	count int                    // fragments that were complete
}

func newPutSession(s *Service, c *front.Call, w *videostreams.Writer, plan fault.Plan, in putHeader) *putSession {
	p := &putSession{s: s, c: c, w: w, plan: plan}
	p.entry = s.books.open(Session{Stream: w.Stream(), Remote: c.R.RemoteAddr, Header: c.R.Header.Clone(), Started: s.set.Now()})
	p.body = newBody(c.R.Body, http.NewResponseController(c.W), plan.Media, s.store.Limited())
	p.acks = newAcker(c.W, p.entry, s.set.Now, plan.Acks, p.body.quit)
	p.in = newIngest(in.relative, w.Begin)
	return p
}

func (p *putSession) run() {
	if p.c.R.Header.Get("Expect") != "" {
		goOn(p.c.W)
	}
	p.c.W.Header().Set("Content-Type", jsonType)
	p.c.W.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(p.c.W).Flush()
	unwatch := p.watch()
	why, wrong := p.receive()
	unwatch()
	if wrong != nil {
		ack := Ack{Type: AckError, ErrorID: wrong.id}
		if p.about != nil {
			ack = p.ack(AckError, p.about)
			ack.ErrorID = wrong.id
		}
		p.acks.sendError(ack)
		why = "error " + errorCode(wrong.id) + ": " + wrong.detail
	}
	p.acks.finish()
	p.close(why, wrong)
}

// goOn tells a client that waits to send its body: after the answer's header the server would not do so any more. The header of the
// answer is kept out of it.
func goOn(w http.ResponseWriter) {
	kept := w.Header().Clone()
	clear(w.Header())
	w.WriteHeader(http.StatusContinue)
	maps.Copy(w.Header(), kept)
}

// close ends the connection and closes the books.
func (p *putSession) close(why string, wrong *problem) {
	p.w.Close()
	p.entry.change(func(s *Session) {
		s.Ended, s.End, s.Bytes = p.s.set.Now(), why, p.body.read.Load()
	})
	p.c.Moved.Bytes = p.body.read.Load()
	code := why
	switch {
	case wrong != nil:
		code = errorCode(wrong.id)
	case why == endBody || why == endIdle:
		code = ""
	}
	p.c.Settle(http.StatusOK, code)
	p.s.set.Logger.Debug("a session of PutMedia ended", "stream", p.w.Stream(), "why", why, "fragments", p.c.Moved.Records,
		"bytes", p.c.Moved.Bytes)
	switch why {
	case endBody:
	case endLost, endStopped, endCut:
		p.c.Drop()
	default:
		linger(p.c, lastChunk)
	}
}

// Why a session ended, beside errors.
const (
	endBody    = "end"
	endIdle    = "idle"
	endLost    = "lost"
	endStopped = "stopped"
	endCut     = "cut"
)

// receive reads the media to its end. It returns why that came; a problem is to be told to the client.
func (p *putSession) receive() (why string, wrong *problem) {
	r := mkv.NewReader(p.body, mkv.Limits{})
	for {
		event, err := r.Next()
		if err != nil {
			return p.over(err)
		}
		before := p.in.current
		done, wrong := p.in.take(r, event)
		p.about = p.in.current
		if wrong != nil {
			return "", wrong
		}
		if p.in.current != nil && p.in.current != before && !p.buffering() {
			return endCut, nil
		}
		if done == nil {
			continue
		}
		if why, wrong := p.complete(done); why != "" || wrong != nil {
			return why, wrong
		}
	}
}

// over finds out what an error of the reader means.
func (p *putSession) over(err error) (why string, wrong *problem) {
	p.about = p.in.current
	switch p.body.interrupted() {
	case wasStopped:
		return endStopped, nil
	case wasIdle:
		return endIdle, nil
	case tookTooLong:
		return "", problemOf(errConnection, "after %v", p.s.set.Times.MaxConnection)
	case wasDeleted:
		return "", problemOf(errDeleted, "the stream was deleted")
	}
	if errors.Is(err, errCut) {
		return endCut, nil
	}
	if failed := p.body.failed; failed != nil && !errors.Is(failed, io.EOF) {
		if isClosed(p.c.Stopped()) { // the connection was closed before the watcher saw why
			return endStopped, nil
		}
		if errors.Is(failed, io.ErrUnexpectedEOF) || errors.As(failed, new(net.Error)) {
			return endLost, nil
		}
		return "", problemOf(errRead, "%v", failed) // the client is there, but its chunks are none
	}
	return endBody, p.in.broken(err)
}

// buffering tells that a fragment has begun; false when the connection is to be cut instead.
func (p *putSession) buffering() bool {
	ack := p.ack(AckBuffering, p.in.current)
	switch {
	case p.count > 0:
	case p.plan.Cut == fault.CutMidAnswer:
		line := ack.append(nil)
		_ = p.acks.write(line[:len(line)/2])
		return false
	case p.plan.Garble:
		_ = p.acks.write([]byte("\xff\xfe{]\n"))
		return true
	}
	p.acks.send(ack)
	return true
}

// complete stores a fragment and acknowledges it.
func (p *putSession) complete(f *videostreams.Fragment) (why string, wrong *problem) {
	p.count++
	p.about = f
	if e := p.plan.ErrorAck; e != nil && max(e.Fragment, 1) == p.count {
		return "", problemOf(e.ID, "as a fault rule says")
	}
	if p.plan.Cut == fault.CutAfterBody {
		return endCut, nil
	}
	received, persistedAck := p.ack(AckReceived, f), p.ack(AckPersisted, f)
	persisted, err := p.w.Store(f)
	if p.plan.Cut == fault.CutAfterProcessing {
		return endCut, nil
	}
	p.acks.send(received)
	if err != nil {
		if isClosed(p.w.Ended()) {
			return "", problemOf(errDeleted, "the stream was deleted")
		}
		return "", problemOf(errArchival, "%v", err)
	}
	p.c.Moved.Records++
	p.entry.change(func(s *Session) { s.Fragments, s.Bytes = p.c.Moved.Records, p.body.read.Load() })
	if persisted {
		p.acks.send(persistedAck)
	}
	p.about = nil
	p.body.counted()
	return "", nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (p *putSession) ack(kind string, f *videostreams.Fragment) Ack {
	return Ack{Type: kind, Timecode: f.Header.Milliseconds(f.Timecode), Number: f.Number}
}
