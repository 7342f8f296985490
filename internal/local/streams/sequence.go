package streams

import (
	"errors"
	"math/bits"
)

// A sequence number is a decimal of 56 digits. In hex it is 47 digits, which the service is seen to fill so:
//
//	2 ccccccccc i nnnnnnnnnnnnnnnn bb ttttttttt ssssssss 2
//
//	c  second in which the shard was created
//	i  last digit of the shard's index
//	n  index of the record in its shard, below 2^63
//	b  always 00 here
//	t  second in which the record was accepted
//	s  index of the shard
//
// The shard's creation stands first, so numbers of a child shard are greater than all of its parents', which were
// created a second earlier at least.

// Sequence is a sequence number taken apart.
type Sequence struct {
	Created int64  // unix second of the shard's creation
	Index   uint64 // index of the record in its shard
	Time    int64  // unix second of the record's acceptance
	Shard   uint32 // index of the shard
}

// endIndex stands in the ending sequence number of a closed shard: no record has it.
const endIndex = 1<<63 - 1

const (
	seqVersion = 2
	secondMask = 1<<36 - 1
	decDigits  = 19 // decimal digits that fit a uint64
	decUnit    = 1e19
)

var errSequence = errors.New("parsing a sequence number: not of this form")

// words returns the number as three words, the most significant first.
func (s Sequence) words() [3]uint64 {
	created, seconds := uint64(s.Created)&secondMask, uint64(s.Time)&secondMask
	return [3]uint64{
		seqVersion<<56 | created<<20 | uint64(s.Shard&15)<<16 | s.Index>>48,
		s.Index<<16 | seconds>>28,
		seconds<<36 | uint64(s.Shard)<<4 | seqVersion,
	}
}

// String returns the decimal form.
func (s Sequence) String() string {
	w := s.words()
	var digits [3 * decDigits]byte
	end := len(digits)
	for part := 0; part < 3; part++ {
		var rem uint64
		for i := range w {
			w[i], rem = bits.Div64(rem, w[i], decUnit)
		}
		for range decDigits {
			end--
			digits[end] = byte('0' + rem%10)
			rem /= 10
		}
	}
	start := 0
	for start < len(digits)-1 && digits[start] == '0' {
		start++
	}
	return string(digits[start:])
}

// ParseSequence takes a sequence number of this endpoint's form apart.
func ParseSequence(text string) (Sequence, error) {
	if len(text) == 0 || len(text) > 3*decDigits {
		return Sequence{}, errSequence
	}
	var w [3]uint64
	for i := range len(text) {
		d := text[i] - '0'
		if d > 9 {
			return Sequence{}, errSequence
		}
		carry := uint64(d)
		for j := 2; j >= 0; j-- {
			hi, lo := bits.Mul64(w[j], 10)
			lo, c := bits.Add64(lo, carry, 0)
			w[j], carry = lo, hi+c
		}
		if carry != 0 {
			return Sequence{}, errSequence
		}
	}
	s := Sequence{
		Created: int64(w[0] >> 20 & secondMask),
		Index:   w[0]<<48 | w[1]>>16,
		Time:    int64((w[1]&0xff)<<28 | w[2]>>36),
		Shard:   uint32(w[2] >> 4),
	}
	if s.words() != w || s.Index > endIndex {
		return Sequence{}, errSequence
	}
	return s, nil
}
