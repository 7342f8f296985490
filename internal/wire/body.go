package wire

import (
	"errors"
	"io"
	"sync"
)

// errGone is what a body says that is read after its call has ended.
var errGone = errors.New("reading a request's body: the call has ended")

var errSeek = errors.New("seeking in a request's body: outside of it")

// body is a request's body as the transport reads it. Its bytes leave only by Read, which
// copies them out under the lock, so that nobody can hold on to the memory.
//
// It has no WriteTo on purpose: smithy-go closes a body as soon as the header of the
// answer is there, and a closed body's WriteTo fails in net/http's eyes (see
// awscfg.Steady).
type body struct {
	mu       sync.Mutex
	packed   *packed // nil after the end
	piece    int     // the one that is read next
	offset   int     // in that piece
	read     int     // bytes, since the start
	answered bool    // the answer was read whole, since the start
}

// Read implements io.Reader.
func (b *body) Read(into []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.packed == nil {
		return 0, errGone
	}
	n := 0
	for n < len(into) {
		if b.piece == b.packed.pieces() {
			break
		}
		rest := b.packed.piece(b.piece)[b.offset:]
		took := copy(into[n:], rest)
		n += took
		b.offset += took
		if took == len(rest) {
			b.piece, b.offset = b.piece+1, 0
		}
	}
	b.read += n
	if n == 0 && len(into) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Seek implements io.Seeker; the SDK goes back to the start for each further try.
func (b *body) Seek(offset int64, whence int) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.packed == nil {
		return 0, errGone
	}
	switch whence {
	case io.SeekCurrent:
		offset += int64(b.read)
	case io.SeekEnd:
		offset += int64(b.packed.size)
	}
	if offset < 0 || offset > int64(b.packed.size) {
		return 0, errSeek
	}
	if whence == io.SeekCurrent && offset == int64(b.read) {
		return offset, nil
	}
	b.answered = false
	b.read = int(offset)
	b.piece, b.offset = 0, int(offset)
	for b.piece < b.packed.pieces() && b.offset >= len(b.packed.piece(b.piece)) {
		b.offset -= len(b.packed.piece(b.piece))
		b.piece++
	}
	return offset, nil
}

// Len is how many bytes are left to read, by which the SDK sets Content-Length.
func (b *body) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.packed == nil {
		return 0
	}
	return b.packed.size - b.read
}

// hash returns what packed.hash does.
func (b *body) hash() (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.packed == nil {
		return "", errGone
	}
	return b.packed.hash(), nil
}

// settle notes that the answer to the try under way was read whole.
func (b *body) settle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answered = true
}

// end closes the body for all who still hold it. It returns the memory if it may be used
// again: if the last try was read to its end and answered. nil otherwise.
func (b *body) end() *packed {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.packed
	b.packed = nil
	if p == nil || !b.answered || b.read != p.size {
		return nil
	}
	return p
}
