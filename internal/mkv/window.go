package mkv

import (
	"errors"
	"io"
)

// firstWindow is what a window begins with.
const firstWindow = 64 << 10

// window is the part of the stream that is in memory. It asks the reader below only for what an element still lacks, and takes what
// that gives beyond it: so nothing waits for bytes that it does not need.
type window struct {
	src    io.Reader
	buf    []byte
	start  int // buf[start:end] has been read from src and not been taken
	end    int
	offset int64 // of buf[start] in the stream
	err    error // of src; no Read follows it
}

func (w *window) reset(src io.Reader) {
	*w = window{src: src, buf: w.buf}
}

// have is how many bytes are there.
func (w *window) have() int { return w.end - w.start }

// peek is the next n bytes, which have to be there.
func (w *window) peek(n int) []byte { return w.buf[w.start : w.start+n : w.start+n] }

// take passes n bytes, which have to be there.
func (w *window) take(n int) {
	w.start += n
	w.offset += int64(n)
}

// need sees to it that n bytes are there. The error is that of src: io.EOF where it ended, with fewer bytes or none there.
func (w *window) need(n int) error {
	for w.have() < n {
		if w.err != nil {
			return w.err
		}
		if w.end == len(w.buf) || w.start > 0 && n > len(w.buf)-w.start {
			w.makeRoom()
		}
		w.fill()
	}
	return nil
}

// makeRoom moves what is there to the front; if it fills the buffer, that is doubled: never more than twice of what has come.
func (w *window) makeRoom() {
	into := w.buf
	if w.have() == len(w.buf) {
		into = make([]byte, max(2*len(w.buf), firstWindow))
	}
	w.end = copy(into, w.buf[w.start:w.end])
	w.start, w.buf = 0, into
}

// fill reads once, or a few times if nothing comes. There has to be room.
func (w *window) fill() {
	for range 100 {
		n, err := w.src.Read(w.buf[w.end:])
		if n < 0 || n > len(w.buf)-w.end {
			n, err = 0, errors.New("the reader below gave an impossible count of bytes")
		}
		w.end += n
		w.err = err
		if n > 0 || err != nil {
			return
		}
	}
	w.err = io.ErrNoProgress
}

// skip passes n bytes, and says how many it passed before the error.
func (w *window) skip(n int64) (passed int64, err error) {
	for {
		part := int(min(n-passed, int64(w.have())))
		w.take(part)
		passed += int64(part)
		if passed == n {
			return passed, nil
		}
		if w.err != nil {
			return passed, w.err
		}
		w.start, w.end = 0, 0
		if len(w.buf) == 0 {
			w.makeRoom()
		}
		w.fill()
	}
}
