package shard

import (
	"crypto/md5" //nolint:gosec // the service defines the placement of records by MD5
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
)

// Hash is a hash key: an unsigned integer of 128 bits. The zero value is the
// least hash key. Hashes compare with == and Compare.
type Hash struct{ Hi, Lo uint64 }

// MaxHash returns the greatest hash key, 2^128-1.
func MaxHash() Hash { return Hash{Hi: 1<<64 - 1, Lo: 1<<64 - 1} }

// HashKey returns where the service places a partition key: the MD5 sum of its
// UTF-8 bytes read as a big-endian integer. It allocates nothing.
func HashKey(partitionKey string) Hash {
	var buf [4 * MaxPartitionKeyChars]byte
	n := copy(buf[:], partitionKey)
	data := buf[:n]
	if n < len(partitionKey) { // longer than any valid key
		data = []byte(partitionKey)
	}
	sum := md5.Sum(data) //nolint:gosec // see above
	return Hash{Hi: binary.BigEndian.Uint64(sum[:8]), Lo: binary.BigEndian.Uint64(sum[8:])}
}

var (
	errHashForm  = errors.New("an explicit hash key is a decimal number without sign or leading zeros")
	errHashRange = errors.New("an explicit hash key is below 2^128")
)

// ParseHash reads the decimal form 0|([1-9]\d{0,38}) of a hash key, below 2^128.
// It allocates nothing.
func ParseHash(s string) (Hash, error) {
	if s == "" || (s[0] == '0' && len(s) > 1) {
		return Hash{}, errHashForm
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return Hash{}, errHashForm
		}
	}
	if len(s) > MaxHashKeyDigits {
		return Hash{}, errHashRange
	}
	var h Hash
	for i := range len(s) {
		carry, lo := bits.Mul64(h.Lo, 10)
		over, hi := bits.Mul64(h.Hi, 10)
		lo, c := bits.Add64(lo, uint64(s[i]-'0'), 0)
		hi, c = bits.Add64(hi, carry, c)
		if over != 0 || c != 0 {
			return Hash{}, errHashRange
		}
		h = Hash{Hi: hi, Lo: lo}
	}
	return h, nil
}

// Big returns h as a big integer.
func (h Hash) Big() *big.Int {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], h.Hi)
	binary.BigEndian.PutUint64(b[8:], h.Lo)
	return new(big.Int).SetBytes(b[:])
}

// String returns h in decimal, as the API writes hash keys.
func (h Hash) String() string { return h.Big().String() }

// Compare returns -1, 0 or 1 as h is less than, equal to or greater than o.
func (h Hash) Compare(o Hash) int {
	switch {
	case h.Hi < o.Hi || (h.Hi == o.Hi && h.Lo < o.Lo):
		return -1
	case h == o:
		return 0
	default:
		return 1
	}
}

// Next returns h+1; after MaxHash it wraps to zero.
func (h Hash) Next() Hash {
	lo, c := bits.Add64(h.Lo, 1, 0)
	return Hash{Hi: h.Hi + c, Lo: lo}
}

// Prev returns h-1; before zero it wraps to MaxHash.
func (h Hash) Prev() Hash {
	lo, b := bits.Sub64(h.Lo, 1, 0)
	return Hash{Hi: h.Hi - b, Lo: lo}
}

// Range is a closed range of hash keys, as a shard holds it.
type Range struct{ Start, End Hash }

// FullRange returns the range of all hash keys.
func FullRange() Range { return Range{End: MaxHash()} }

// ParseRange reads a range from its two decimal bounds.
func ParseRange(start, end string) (Range, error) {
	s, err := ParseHash(start)
	if err != nil {
		return Range{}, fmt.Errorf("reading the starting hash key: %w", err)
	}
	e, err := ParseHash(end)
	if err != nil {
		return Range{}, fmt.Errorf("reading the ending hash key: %w", err)
	}
	if e.Compare(s) < 0 {
		return Range{}, fmt.Errorf("reading a hash range: %s is below %s", end, start)
	}
	return Range{Start: s, End: e}, nil
}

// Contains reports whether h lies in r.
func (r Range) Contains(h Hash) bool { return h.Compare(r.Start) >= 0 && h.Compare(r.End) <= 0 }

// Adjacent reports whether o begins right after r or ends right before it, which
// is what MergeShards asks of two shards.
func (r Range) Adjacent(o Range) bool {
	return (r.End != MaxHash() && r.End.Next() == o.Start) || (o.End != MaxHash() && o.End.Next() == r.Start)
}

// Join returns the range that covers the adjacent ranges r and o.
func (r Range) Join(o Range) Range {
	if o.Start.Compare(r.Start) < 0 {
		r, o = o, r
	}
	return Range{Start: r.Start, End: o.End}
}

// Middle returns the hash key that splits r evenly: the start of the upper half.
func (r Range) Middle() Hash {
	// (start + end + 1) / 2 without leaving 129 bits.
	lo, c := bits.Add64(r.Start.Lo, r.End.Lo, 1)
	hi, c := bits.Add64(r.Start.Hi, r.End.Hi, c)
	return Hash{Hi: hi>>1 | c<<63, Lo: lo>>1 | hi<<63}
}

// SplitAt cuts r so that the upper part starts at h. The service wants h inside
// r and not at its start; ok is false otherwise.
func (r Range) SplitAt(h Hash) (lower, upper Range, ok bool) {
	if !r.Contains(h) || h == r.Start {
		return Range{}, Range{}, false
	}
	return Range{Start: r.Start, End: h.Prev()}, Range{Start: h, End: r.End}, true
}

// EvenRanges divides all hash keys among n shards (n ≥ 1) as CreateStream does: each
// holds floor(2^128/n) keys and the last one also what remains.
func EvenRanges(n int) []Range {
	size := share(uint64(n)) //nolint:gosec // n is positive by contract
	ranges := make([]Range, n)
	var start Hash
	for i := range ranges {
		next := start.add(size)
		ranges[i] = Range{Start: start, End: next.Prev()}
		start = next
	}
	ranges[n-1].End = MaxHash()
	return ranges
}

// share returns floor(2^128/n); n = 1 wraps to zero, which EvenRanges' closed
// ends make right again.
func share(n uint64) Hash {
	// 2^128 = (2^128-1) + 1: divide the former and correct when the remainder is n-1.
	most := MaxHash()
	hi, rem := most.Hi/n, most.Hi%n
	lo, rem := bits.Div64(rem, most.Lo, n)
	q := Hash{Hi: hi, Lo: lo}
	if rem == n-1 {
		q = q.Next()
	}
	return q
}

func (h Hash) add(o Hash) Hash {
	lo, c := bits.Add64(h.Lo, o.Lo, 0)
	hi, _ := bits.Add64(h.Hi, o.Hi, c)
	return Hash{Hi: hi, Lo: lo}
}
