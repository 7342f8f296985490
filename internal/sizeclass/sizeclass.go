// Package sizeclass sorts buffers by size for pools: four classes to an octave, so that at
// most a quarter of a buffer lies idle.
package sizeclass

import "math/bits"

// Steps is how many classes there are to an octave: Range.Count is (Most-Least)*Steps + 1.
const Steps = 4

// Range is the sizes that a pool keeps: from 1<<Least bytes, which smaller ones take too, to
// 1<<Most. Least is at least 2.
type Range struct{ Least, Most int }

// None is the class of a size that is too large to be pooled.
const None = -1

// Count returns the number of classes.
func (r Range) Count() int { return (r.Most-r.Least)*Steps + 1 }

// Of returns the class of buffers for a size.
func (r Range) Of(size int) int {
	if size <= 1<<r.Least {
		return 0
	}
	if size > 1<<r.Most {
		return None
	}
	top := bits.Len(uint(size-1)) - 1 // the octave: 1<<top < size <= 2<<top
	return (top-r.Least)*Steps + (size-1)>>(top-2)&(Steps-1) + 1
}

// Bytes returns the size of a class's buffers.
func (r Range) Bytes(class int) int {
	octave, step := class/Steps, class%Steps
	return (Steps + step) << (octave + r.Least - 2)
}
