package mediacall

import (
	"errors"
	"io"
	"sync/atomic"
)

// answerBody is an answer's body. Closing it ends the call.
type answerBody struct {
	call   *call
	from   io.Reader
	closed atomic.Bool
}

// Read reads; at the end of the answer it returns io.EOF.
func (b *answerBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, errClosed
	}
	n, err := b.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.call.because(err)
	}
	return n, err //nolint:wrapcheck // io.EOF stays what it is
}

// Close closes the connection: in good order if the request was sent to its end.
func (b *answerBody) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	c := b.call
	select {
	case <-c.done:
		if c.failed.Load() == nil {
			c.forget()
			_ = c.conn.Close() // TLS says so
			return nil
		}
	default:
	}
	c.end()
	return nil
}

// bounded is a connection of which so much may be read; below 0 there is no bound.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	switch {
	case b.left < 0:
		return b.r.Read(p) //nolint:wrapcheck // of the connection
	case b.left == 0:
		return 0, errHeader
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err //nolint:wrapcheck // of the connection
}
