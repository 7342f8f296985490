package media

import (
	"context"
	"fmt"
	"io"
	"time"
)

// silence ends a request whose answer stops coming.
type silence struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	after  time.Duration
}

// silent is an answer that stopped coming.
type silent struct{ after time.Duration }

// Error says so.
func (s *silent) Error() string { return fmt.Sprintf("nothing came for %v", s.after) }

// Timeout says that it was a matter of time.
func (s *silent) Timeout() bool { return true }

// newSilence watches over an answer once it is there: after 0 does not.
func newSilence(parent context.Context, after time.Duration) *silence {
	s := &silence{after: after}
	s.ctx, s.cancel = context.WithCancelCause(parent)
	return s
}

func (s *silence) stop() { s.cancel(context.Canceled) }

// over gives a body that fails when a read takes too long, and ends the request when it is closed.
func (s *silence) over(body io.ReadCloser) io.ReadCloser {
	w := &watched{silence: s, body: body}
	if s.after > 0 {
		w.timer = time.AfterFunc(s.after, func() { s.cancel(&silent{s.after}) })
		w.timer.Stop()
	}
	return w
}

type watched struct {
	*silence
	body  io.ReadCloser
	timer *time.Timer // nil without a bound; runs while a read does
}

// Read reads. The error of an answer that was ended is why it was ended.
func (w *watched) Read(p []byte) (int, error) {
	if w.timer != nil {
		w.timer.Reset(w.after)
		defer w.timer.Stop()
	}
	n, err := w.body.Read(p)
	if err != nil && err != io.EOF {
		if cause := context.Cause(w.ctx); cause != nil {
			err = cause
		}
	}
	return n, err //nolint:wrapcheck // of the body
}

// Close ends the request.
func (w *watched) Close() error {
	w.stop()
	return w.body.Close() //nolint:wrapcheck // of the body
}
