package intake

import "io"

const (
	// firstWindow is how much is read at a time, until a record needs more.
	firstWindow = 128 << 10
	// slack is what the window holds beside the largest record.
	slack = 64 << 10
	// mostIdle is how often a reader may give nothing without an error.
	mostIdle = 100
)

// window is the part of an input that lies in memory: what was read and not yet
// taken. It grows, up to a limit, when something larger is asked for.
type window struct {
	in     io.Reader
	buf    []byte
	begin  int   // of what is not taken
	end    int   // of what was read
	offset int64 // of begin in the input
	most   int   // of buf
	err    error // of the reader, given when all before it was taken
}

func newWindow(largest int) window {
	most := largest + slack
	return window{most: most, buf: make([]byte, min(firstWindow, most))}
}

// reset begins another input.
func (w *window) reset(in io.Reader) {
	w.in, w.begin, w.end, w.offset, w.err = in, 0, 0, 0, nil
}

// unread is what was read and not taken. It is valid until more is called.
func (w *window) unread() []byte { return w.buf[w.begin:w.end] }

// take gives up the first n bytes of what is unread; they stay valid until more is called.
func (w *window) take(n int) []byte {
	taken := w.buf[w.begin : w.begin+n : w.begin+n]
	w.begin += n
	w.offset += int64(n)
	return taken
}

// more reads on; after it unread is longer. It returns the reader's error, io.EOF
// at the end.
func (w *window) more() error {
	if w.err != nil {
		return w.err
	}
	w.makeRoom()
	for range mostIdle {
		n, err := w.in.Read(w.buf[w.end:])
		w.end += n
		if n > 0 {
			w.err = err
			return nil
		}
		if err != nil {
			w.err = err
			return err
		}
	}
	w.err = io.ErrNoProgress
	return w.err
}

// makeRoom sees to it that reads are large: it moves what is unread to the front,
// and grows where that takes half of the room.
func (w *window) makeRoom() {
	n := w.end - w.begin
	if len(w.buf)-w.end >= len(w.buf)/4 {
		return
	}
	to := w.buf
	if n >= len(w.buf)/2 && len(w.buf) < w.most {
		to = make([]byte, min(2*len(w.buf), w.most))
	} else if w.begin == 0 {
		return
	}
	copy(to, w.buf[w.begin:w.end])
	w.buf, w.begin, w.end = to, 0, n
}

// fill reads until n bytes are unread, which must be no more than the limit allows.
func (w *window) fill(n int) error {
	for w.end-w.begin < n {
		if err := w.more(); err != nil {
			return err
		}
	}
	return nil
}
