package aggregate

import (
	"bytes"
	"iter"
	"slices"
)

// LineWriter joins payloads to lines. It has the methods of [Writer] and the same
// contract; the keys are taken and not kept. The zero value is ready for use.
type LineWriter struct {
	payloads [][]byte
	size     int
}

// Reset empties the aggregate and lets go of the payloads.
func (w *LineWriter) Reset() {
	clear(w.payloads)
	w.payloads, w.size = w.payloads[:0], 0
}

// Len is the number of payloads in the aggregate.
func (w *LineWriter) Len() int { return len(w.payloads) }

// Size is the exact number of bytes that [LineWriter.AppendTo] appends.
func (w *LineWriter) Size() int { return w.size }

// SizeWith is what Size would be at most after Add with a payload of dataLen
// bytes: it counts a '\n' that is not needed where the payload ends with one.
func (w *LineWriter) SizeWith(_, _ string, dataLen int) int { return w.size + dataLen + 1 }

// Add adds a payload. The data is kept, not copied, until Reset.
func (w *LineWriter) Add(_, _ string, data []byte) {
	w.payloads = append(w.payloads, data)
	w.size += len(data)
	if !ended(data) {
		w.size++
	}
}

// AppendTo appends the lines to dst and leaves the LineWriter as it is. It does not
// allocate if dst has room for Size bytes.
func (w *LineWriter) AppendTo(dst []byte) []byte {
	dst = slices.Grow(dst, w.size)
	for _, data := range w.payloads {
		dst = append(dst, data...)
		if !ended(data) {
			dst = append(dst, '\n')
		}
	}
	return dst
}

func ended(data []byte) bool { return len(data) > 0 && data[len(data)-1] == '\n' }

// Lines yields the lines of a record and their numbers from 0, as subslices without
// the '\n'. Empty lines are lines. What follows the last '\n' is a line if it is not
// empty, so that a record of anybody's is read too.
func Lines(data []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for i := 0; len(data) > 0; i++ {
			end, next := len(data), len(data)
			if at := bytes.IndexByte(data, '\n'); at >= 0 {
				end, next = at, at+1
			}
			if !yield(i, data[:end:end]) {
				return
			}
			data = data[next:]
		}
	}
}
