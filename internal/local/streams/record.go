package streams

import (
	"sort"
	"time"
)

// recordOverhead is what a record costs in memory beside its data and key, roughly; it keeps a flood of tiny records
// within the bound on memory.
const recordOverhead = 128

// Record is one stored record. Its Data is shared and must not be changed.
type Record struct {
	Index     uint64 // its place in the shard, growing
	Arrival   int64  // unix milliseconds
	Key       string
	Data      []byte
	Encrypted bool // the stream had server-side encryption on when it arrived

	// Origin is set by a journal that keeps the record; nil otherwise.
	Origin Origin
}

// Origin is a place in a journal. Release is called once, under the stream's lock, when the record is dropped.
type Origin interface{ Release() }

// cost is what the record counts against the bound on memory.
func (r *Record) cost() int64 { return int64(len(r.Data)+len(r.Key)) + recordOverhead }

// size is what the record counts against the service's limits.
func (r *Record) size() int { return len(r.Data) + len(r.Key) }

// ArrivalTime returns when the record was accepted.
func (r *Record) ArrivalTime() time.Time { return time.UnixMilli(r.Arrival).UTC() }

// queue holds a shard's records, oldest first. Taking from the front is amortised constant.
type queue struct {
	items []Record
	head  int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) live() []Record { return q.items[q.head:] }

func (q *queue) front() *Record { return &q.items[q.head] }

func (q *queue) push(r Record) { q.items = append(q.items, r) }

// pop drops the oldest record and lets go of its memory.
func (q *queue) pop() {
	q.items[q.head] = Record{}
	q.head++
	const worthwhile = 64
	if q.head == len(q.items) && cap(q.items) > worthwhile {
		q.items, q.head = nil, 0
		return
	}
	if q.head >= worthwhile && q.head*2 >= len(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
}

// from returns the records at and after an index.
func (q *queue) from(index uint64) []Record {
	live := q.live()
	return live[sort.Search(len(live), func(i int) bool { return live[i].Index >= index }):]
}

// since returns the index of the first record that arrived at ms or later, ok false if there is none.
func (q *queue) since(ms int64) (index uint64, ok bool) {
	live := q.live()
	i := sort.Search(len(live), func(i int) bool { return live[i].Arrival >= ms })
	if i == len(live) {
		return 0, false
	}
	return live[i].Index, true
}
