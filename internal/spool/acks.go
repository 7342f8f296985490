package spool

// # Ack journal, version 1
//
// The file acks says which records are done. Integers are little-endian, sums CRC-32C.
//
//	header, 48 bytes
//	 0  [8]  "GKSPACK1"
//	 8  u32  version, 1
//	12  u32  flags; 1: the spool was closed as it should be
//	16  u32  nonce, at random
//	20  u32  0
//	24  u64  floor: every ID below is done
//	32  u64  next: the ID the run started at, or with flag 1 the one it would have given next
//	40  u32  0
//	44  u32  sum of bytes 0 to 44
//
//	entries, 16 bytes each
//	 0  u64  ID
//	 8  u32  top bit 0: as many IDs from ID on are done; top bit 1: the other bits say
//	         which of the 31 IDs from ID on are
//	12  u32  sum of the nonce, then bytes 0 to 12
//
// An entry whose sum is wrong is passed over, and so is a torn one at the end: the records it
// spoke of come back, which is the harmless side to err on. Entries of IDs that no segment holds
// mean nothing. Each Open and Close, and Done when the file has grown beyond 64 KiB and twice
// what is needed, writes acks.new from memory, syncs it and renames it.

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/bits"
)

const (
	acksMagic   = "GKSPACK1"
	acksVersion = 1
	acksHeader  = 48
	ackSize     = 16
	ackMask     = 1 << 31
	maskWidth   = 31

	flagClean = 1
)

// acksHead is the header.
type acksHead struct {
	clean       bool
	nonce       uint32
	floor, next ID
}

func (h acksHead) seed() uint32 {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], h.nonce)
	return crc32.Checksum(b[:], castagnoli())
}

func (h acksHead) append(b []byte) []byte {
	start := len(b)
	var flags uint32
	if h.clean {
		flags = flagClean
	}
	b = append(b, acksMagic...)
	b = binary.LittleEndian.AppendUint32(b, acksVersion)
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = binary.LittleEndian.AppendUint32(b, h.nonce)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.floor))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.next))
	b = binary.LittleEndian.AppendUint32(b, 0)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli()))
}

func parseAcksHead(b []byte) (acksHead, headerState) {
	if len(b) < acksHeader || string(b[:8]) != acksMagic ||
		crc32.Checksum(b[:44], castagnoli()) != binary.LittleEndian.Uint32(b[44:]) {
		return acksHead{}, headerDamaged
	}
	if binary.LittleEndian.Uint32(b[8:]) > acksVersion {
		return acksHead{}, headerNewer
	}
	return acksHead{
		clean: binary.LittleEndian.Uint32(b[12:])&flagClean != 0,
		nonce: binary.LittleEndian.Uint32(b[16:]),
		floor: ID(binary.LittleEndian.Uint64(b[24:])),
		next:  ID(binary.LittleEndian.Uint64(b[32:])),
	}, headerGood
}

// ackCoder gathers entries. Runs must be added with rising IDs; flush ends them.
type ackCoder struct {
	buf  []byte
	seed uint32
	base ID
	mask uint32 // of IDs from base on that wait; bit 0 is set if any is
}

func (c *ackCoder) reset() { c.buf, c.mask = c.buf[:0], 0 }

// add takes a run. Short ones that lie close to each other share an entry.
func (c *ackCoder) add(first ID, n int) {
	if n > maskWidth {
		c.flush()
		for ; n > 0; n -= ackMask - 1 {
			c.entry(first, uint32(min(n, ackMask-1)))
			first += ackMask - 1
		}
		return
	}
	for id := first; id < first+ID(n); id++ {
		if c.mask != 0 && id-c.base >= maskWidth {
			c.flush()
		}
		if c.mask == 0 {
			c.base = id
		}
		c.mask |= 1 << (id - c.base)
	}
}

func (c *ackCoder) flush() {
	switch {
	case c.mask == 0:
		return
	case c.mask&(c.mask+1) == 0: // ones only: a run
		c.entry(c.base, uint32(bits.OnesCount32(c.mask)))
	default:
		c.entry(c.base, c.mask|ackMask)
	}
	c.mask = 0
}

func (c *ackCoder) entry(id ID, word uint32) {
	start := len(c.buf)
	c.buf = binary.LittleEndian.AppendUint64(c.buf, uint64(id))
	c.buf = binary.LittleEndian.AppendUint32(c.buf, word)
	c.buf = binary.LittleEndian.AppendUint32(c.buf, crc32.Update(c.seed, castagnoli(), c.buf[start:]))
}

// parseAck reads an entry.
func parseAck(b []byte, seed uint32) (id ID, word uint32, ok bool) {
	ok = crc32.Update(seed, castagnoli(), b[:12]) == binary.LittleEndian.Uint32(b[12:])
	return ID(binary.LittleEndian.Uint64(b)), binary.LittleEndian.Uint32(b[8:]), ok
}

// walkAcks yields the runs of done IDs of a journal. It counts the bytes that say nothing: bad ones,
// and torn ones at the end, which a run that was killed leaves.
func walkAcks(src io.ReaderAt, size int64, yield func(first ID, n int)) (f acksFound, err error) {
	f.state = headerDamaged
	room := make([]byte, scanRoom)
	for off := int64(0); off < size; {
		n, err := src.ReadAt(room[:min(int64(len(room)), size-off)], off)
		if n == 0 {
			return f, ignoreEOF(err)
		}
		b := room[:n]
		if off == 0 {
			if f.acksHead, f.state = parseAcksHead(b); f.state != headerGood {
				f.bad = size
				return f, nil
			}
			b = b[acksHeader:]
		}
		off += int64(n)
		for ; len(b) >= ackSize; b = b[ackSize:] {
			id, word, ok := parseAck(b, f.seed())
			if !ok {
				f.torn += ackSize
				continue
			}
			f.bad, f.torn = f.bad+f.torn, 0
			yieldAck(id, word, yield)
		}
		f.torn += int64(len(b))
	}
	return f, nil
}

// acksFound is what a journal is found to be.
type acksFound struct {
	acksHead
	state     headerState
	bad, torn int64
}

func yieldAck(id ID, word uint32, yield func(first ID, n int)) {
	if word&ackMask == 0 {
		yield(id, int(word))
		return
	}
	for mask := word &^ ackMask; mask != 0; mask &= mask - 1 {
		yield(id+ID(bits.TrailingZeros32(mask)), 1)
	}
}

func ignoreEOF(err error) error {
	if err == io.EOF { //nolint:errorlint // as ReadAt returns it
		return nil
	}
	return err
}
