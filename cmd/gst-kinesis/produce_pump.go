package main

import (
	"context"
	"io"
)

// pumpBlock is how much a pump reads at a time; it holds two of them.
const pumpBlock = 64 << 10

// pump reads in a goroutine from what may never give anything, such as a terminal or a pipe, so that the wait for it can be given up:
// Read returns when ctx is done. The goroutine then ends with the read that is under way, which may be when the process does.
type pump struct {
	ctx  context.Context //nolint:containedctx // io.Reader has no other way
	full chan block
	free chan []byte
	now  block
	rest []byte // of now, not yet taken
}

type block struct {
	data []byte
	err  error
}

// newPump also opens in the goroutine, since to open a named pipe is to wait for its writer.
func newPump(ctx context.Context, open func() (io.ReadCloser, error)) *pump {
	p := &pump{ctx: ctx, full: make(chan block), free: make(chan []byte, 2)}
	for range cap(p.free) {
		p.free <- make([]byte, pumpBlock)
	}
	go p.run(open)
	return p
}

func (p *pump) run(open func() (io.ReadCloser, error)) {
	in, err := open()
	if err != nil {
		p.give(block{err: err})
		return
	}
	defer in.Close()
	for err == nil {
		var buf []byte
		select {
		case buf = <-p.free:
		case <-p.ctx.Done():
			return
		}
		var n int
		n, err = in.Read(buf)
		if !p.give(block{data: buf[:n], err: err}) {
			return
		}
	}
}

func (p *pump) give(b block) (taken bool) {
	select {
	case p.full <- b:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// Read implements io.Reader.
func (p *pump) Read(to []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.now.err != nil {
			return 0, p.now.err
		}
		if p.now.data != nil {
			p.free <- p.now.data[:pumpBlock]
			p.now = block{}
		}
		select {
		case p.now = <-p.full:
			p.rest = p.now.data
		case <-p.ctx.Done():
			return 0, context.Cause(p.ctx)
		}
	}
	n := copy(to, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
