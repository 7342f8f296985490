package codec

// bitReader reads bit after bit, the highest first. Past the end it reads zeros and remembers that (short).
type bitReader struct {
	data    []byte
	escaped bool // step over the 03 of 00 00 03 (emulation prevention, H.264 7.3.1, H.265 7.3.1.1)
	zeros   int  // of the bytes just read
	current byte
	left    int // bits of current
	short   bool
}

// rbsp reads the payload of a NAL unit after a header of n bytes.
func rbsp(nal []byte, n int) bitReader { return bitReader{data: nal[min(n, len(nal)):], escaped: true} }

func (r *bitReader) bit() uint32 {
	if r.left == 0 {
		if r.escaped && r.zeros >= 2 && len(r.data) > 0 && r.data[0] == 3 {
			r.data, r.zeros = r.data[1:], 0
		}
		if len(r.data) == 0 {
			r.short = true
			return 0
		}
		r.current, r.data, r.left = r.data[0], r.data[1:], 8
		if r.zeros++; r.current != 0 {
			r.zeros = 0
		}
	}
	r.left--
	return uint32(r.current>>r.left) & 1
}

func (r *bitReader) flag() bool { return r.bit() == 1 }

// u reads n bits, at most 32.
func (r *bitReader) u(n int) (v uint32) {
	for ; n > 0; n-- {
		v = v<<1 | r.bit()
	}
	return v
}

func (r *bitReader) skip(n int) {
	for ; n > 0 && !r.short; n-- {
		r.bit()
	}
}

// align passes over what is left of a byte.
func (r *bitReader) align() { r.skip(r.left) }

// available is the number of bits that are left, with emulation prevention counted.
func (r *bitReader) available() int { return r.left + 8*len(r.data) }

// ue reads an Exp-Golomb code (H.264 9.1, H.265 9.2). One of more than 32 bits counts as cut short.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.bit() == 0 {
		if zeros++; zeros > 31 || r.short {
			r.short = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.u(zeros)
}

// se reads a signed Exp-Golomb code.
func (r *bitReader) se() int32 {
	k := r.ue()
	if k&1 == 1 {
		return int32(k/2 + 1)
	}
	return -int32(k / 2)
}

// ues passes over n Exp-Golomb codes.
func (r *bitReader) ues(n uint32) {
	for ; n > 0 && !r.short; n-- {
		r.ue()
	}
}
