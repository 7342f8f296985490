package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// packed is an encoded body: a buffer, with the data of large records between its parts.
type packed struct {
	buf  []byte
	cuts []cut
	size int // of the whole
}

// cut is data that belongs into the body where it is cut; it is the caller's memory.
type cut struct {
	at   int // in buf
	data []byte
}

// copyBelow is up to which size data is copied into the buffer. Above it a copy costs
// more than the further piece does that hashing and sending then have to take.
const copyBelow = 4 << 10

// pieces is how many pieces there are, empty ones included: buffer, data, buffer, …
func (p *packed) pieces() int { return 2*len(p.cuts) + 1 }

func (p *packed) piece(i int) []byte {
	c := i / 2
	if i%2 == 1 {
		return p.cuts[c].data
	}
	from, to := 0, len(p.buf)
	if c > 0 {
		from = p.cuts[c-1].at
	}
	if c < len(p.cuts) {
		to = p.cuts[c].at
	}
	return p.buf[from:to]
}

// hash returns the SHA-256 of the body in hexadecimal, as a signature wants it.
func (p *packed) hash() string {
	h := sha256.New()
	for i := range p.pieces() {
		h.Write(p.piece(i)) // never fails
	}
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0]))
}

// maxPooled bounds the buffers that are kept, in bytes. The largest valid request is
// 10 MiB in base64 and around it 500 keys.
const maxPooled = 16 << 20

// pool keeps the memory of bodies that are done with. What is not used for a while goes
// to the garbage collector.
type pool struct{ free sync.Pool }

// get returns an empty body with room for a number of bytes in its buffer.
func (o *pool) get(room int) *packed {
	p, _ := o.free.Get().(*packed)
	if p == nil {
		p = new(packed)
	}
	if cap(p.buf) < room {
		p.buf = make([]byte, 0, room)
	}
	return p
}

// put takes memory back that nobody looks at any more.
func (o *pool) put(p *packed) {
	if cap(p.buf) > maxPooled {
		return
	}
	clear(p.cuts)
	*p = packed{buf: p.buf[:0], cuts: p.cuts[:0]}
	o.free.Put(p)
}
