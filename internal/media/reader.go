package media

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gst-kinesis/internal/mkv"
)

// Reader gives fragments one after another. Where the connection breaks it goes on after the last whole fragment, by itself. It is
// used from one goroutine; the end of its context ends it.
type Reader struct {
	ctx      context.Context
	client   *Client
	source   source
	body     io.ReadCloser // nil where the next answer has to be asked for
	docs     documents
	seen     seen
	repeats  int64
	failures int // since the last fragment
	err      error
}

// source says what a Reader asks for.
type source interface {
	// open begins the next answer.
	open(ctx context.Context) (io.ReadCloser, error)
	// got hears of each fragment, repeats too.
	got(f *Fragment)
	// ended hears that an answer ended as answers do. again says whether another is to be asked for, and err, if any, why that is
	// not as it should be.
	ended() (again bool, err error)
	// operation is the call's name.
	operation() string
}

func (c *Client) reader(ctx context.Context, s source, trailing bool) (*Reader, error) {
	r := &Reader{ctx: ctx, client: c, source: s, docs: documents{trailing: trailing}}
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

// Repeats is how many fragments were left out that the producer had sent again.
func (r *Reader) Repeats() int64 { return r.repeats }

// Close ends reading. It does not interrupt a Next of another goroutine: the context does.
func (r *Reader) Close() {
	r.shut()
	if r.err == nil {
		r.err = io.ErrClosedPipe
	}
}

func (r *Reader) shut() {
	if r.body != nil {
		_ = r.body.Close()
		r.body = nil
	}
}

func (r *Reader) open() error {
	body, err := r.source.open(r.ctx)
	if err != nil {
		return err
	}
	r.body = body
	r.docs.reset(body, r.client.set.Limits)
	return nil
}

// Next gives the next fragment, and blocks until all of it is there. io.EOF is the end of a list, or of a stream whose service has
// ended GetMedia again and again without a further fragment. After an error it gives that error again.
func (r *Reader) Next() (*Fragment, error) {
	for r.err == nil {
		f, err := r.try()
		if err == nil && (f == nil || !r.client.set.Repeats && r.seen.before(f)) {
			if f != nil {
				r.repeats++
			}
			continue
		}
		if err == nil {
			return f, nil
		}
		r.shut()
		r.err = err
	}
	return nil, r.err
}

// try gives a fragment; nil where an answer ended after which another is to be asked for.
func (r *Reader) try() (*Fragment, error) {
	if r.body == nil {
		if err := r.open(); err != nil {
			return nil, err
		}
	}
	f, err := r.docs.next()
	switch {
	case err == nil:
		r.failures = 0
		r.source.got(f)
		return f, nil
	case r.ctx.Err() != nil:
		return nil, context.Cause(r.ctx) //nolint:wrapcheck // of the caller
	}
	r.shut()
	if err == io.EOF {
		again, why := r.source.ended()
		switch {
		case !again:
			return nil, io.EOF
		case why == nil:
			return nil, nil //nolint:nilnil // the next answer
		}
		err = why
	}
	return nil, r.recover(err)
}

// recover waits before an answer is asked for anew, or gives the error that a failure is.
func (r *Reader) recover(err error) error {
	var told *StreamError
	lasting := errors.Is(err, mkv.ErrInvalid) || errors.Is(err, mkv.ErrLimit) || errors.As(err, &told) && !told.Passes()
	if r.failures++; lasting || r.client.enough(r.failures) {
		if err == io.EOF {
			return io.EOF
		}
		if told == nil && !lasting {
			err = r.client.caller.Failed(r.source.operation(), err)
		}
		return fmt.Errorf("reading media: %w", err)
	}
	return r.client.pause(r.ctx, r.failures, fmt.Errorf("reading media: %w", err))
}

// mostSeen is how many fragments repeats are looked for among: with a fragment a second an hour, more than producers keep.
const mostSeen = 4096

// seen are the producer timestamps of the last fragments, in ms.
type seen struct {
	known map[int64]bool
	order []int64
	next  int
}

// before says whether there was a fragment that begins at the same time, and remembers it. One whose time is not told is a new one.
func (s *seen) before(f *Fragment) bool {
	if f.ProducerTime.IsZero() {
		return false
	}
	at := f.ProducerTime.UnixMilli()
	if s.known[at] {
		return true
	}
	if s.known == nil {
		s.known = map[int64]bool{}
	}
	if len(s.order) < mostSeen {
		s.order = append(s.order, at)
	} else {
		delete(s.known, s.order[s.next])
		s.order[s.next] = at
		s.next = (s.next + 1) % mostSeen
	}
	s.known[at] = true
	return false
}
