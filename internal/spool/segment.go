package spool

import (
	"math/bits"
	"slices"
)

// segment is a file of records and what memory knows about it. It is guarded by Spool.mu, but
// for file, which belongs to the writer.
type segment struct {
	origin
	path string

	file    file   // while it is the active one
	sum     uint32 // its seed; while active
	size    int64  // where its frames end
	disk    int64  // what the file takes
	synced  int    // entries that are known to survive the loss of power; while active
	durable int64  // their size
	syncing bool   // somebody is syncing the file
	failed  error  // of a sync: nothing is to be appended any more

	entries []entry  // by ID - first
	done    []uint64 // a bit each
	low     int      // all entries below are done
	live    int      // entries that are not
	bytes   int64    // their data
	sealed  bool     // nothing is appended any more
	damaged bool     // the file is kept for a person
}

// end is the ID behind its last.
func (s *segment) end() ID { return s.first + ID(len(s.entries)) }

func (s *segment) isDone(i int) bool { return s.done[i>>6]&(1<<(i&63)) != 0 }

// add appends a record to the index.
func (s *segment) add(e entry) {
	if len(s.entries)&63 == 0 {
		s.done = append(s.done, 0)
	}
	s.entries = append(s.entries, e)
	s.live++
	s.bytes += int64(e.size)
}

// mark makes a record done; it reports false if it was.
func (s *segment) mark(i int) bool {
	if s.isDone(i) {
		return false
	}
	s.done[i>>6] |= 1 << (i & 63)
	s.live--
	s.bytes -= int64(s.entries[i].size)
	return true
}

// cut removes the entries from n on and returns how many of them were live, and their bytes.
func (s *segment) cut(n int) (live int, bytes int64) {
	for i := n; i < len(s.entries); i++ {
		size := int64(s.entries[i].size)
		if s.mark(i) {
			live++
			bytes += size
		}
	}
	s.entries = s.entries[:n]
	s.done = s.done[:(n+63)>>6]
	if n&63 != 0 {
		s.done[n>>6] &= 1<<(n&63) - 1
	}
	s.low = min(s.low, n)
	return live, bytes
}

// nextLive returns the first entry from i on that is not done, len(entries) if there is none.
func (s *segment) nextLive(i int) int {
	i = max(i, s.low)
	fromLow := i == s.low
	for i < len(s.entries) {
		word := ^s.done[i>>6] >> (i & 63)
		if word != 0 {
			i += bits.TrailingZeros64(word)
			break
		}
		i = (i | 63) + 1
	}
	i = min(i, len(s.entries))
	if fromLow {
		s.low = i
	}
	return i
}

// runs yields the runs of done entries as IDs.
func (s *segment) runs(yield func(first ID, n int)) {
	for i := 0; i < len(s.entries); {
		end := s.nextLive(i)
		if end > i {
			yield(s.first+ID(i), end-i)
		}
		for i = end; i < len(s.entries) && !s.isDone(i); i++ {
		}
	}
}

// trim gives memory back that growing took in advance.
func (s *segment) trim() {
	if cap(s.entries) > len(s.entries)+len(s.entries)/8 {
		s.entries = slices.Clone(s.entries)
	}
	if cap(s.done) > len(s.done)+len(s.done)/8 {
		s.done = slices.Clone(s.done)
	}
}

// visible is how many entries a reader may see: what Append has not vouched for yet it
// may still take back.
func (s *segment) visible(policy Sync) int {
	if s.sealed || policy != SyncAlways {
		return len(s.entries)
	}
	return s.synced
}
