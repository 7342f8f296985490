package producer

import "gst-kinesis/internal/spool"

// NoPTS is the PTS of a record that has none.
const NoPTS = ^uint64(0)

// Record is one record on its way into the stream. Reserve gives one; after Put
// it belongs to the producer and must not be touched.
type Record struct {
	// Data has the length that was asked of Reserve; it may be made shorter.
	// Empty data is valid: the service takes blobs of 0 bytes and more.
	Data []byte
	// PartitionKey has 1 to 256 characters.
	PartitionKey string
	// KeyError says why no key could be made; the record is dropped (bad-key) then.
	KeyError error
	// ExplicitHashKey is empty or a decimal number below 2^128.
	ExplicitHashKey string
	// PTS is a timestamp in nanoseconds, or NoPTS. It comes back to the observer
	// and max-size-time counts by it.
	PTS uint64
	// Token comes back to the observer.
	Token any

	buffer   []byte   // the pool's memory
	class    int8     // the pool's size class; -1 is none
	state    state    // while a request holds it
	unsure   bool     // a request that held it ended without an answer
	spool    spool.ID // in the spool; 0 is not there
	kept     bool     // given up, and left in the spool
	paged    bool     // it was read from the spool: it is backlog, not live
	own      bool     // what it is lost for is its own fault
	payload  int      // bytes of what was put, for the books
	message  *message // that it is a part of; nil for one that is whole
	untold   bool     // another part of its message was told of
	alone    bool     // not to be aggregated: it was refused with others
	tries    int32    // how often it was sent
	seq      uint64   // its place among all accepted
	accepted instant  // when Put took it
	code     string   // of the last try that failed
	reason   string   // why it was dropped
	lane     *lane
	next     *Record
}

// state is what a request found out about a record.
type state int8

const (
	pending   state = iota
	delivered       // the service has it
	lost            // given up
	again           // to be sent again
)

// recordOverhead is what a record takes in memory beside its data.
const recordOverhead = 320

// size is what the service counts of the record.
func (r *Record) size() int { return len(r.Data) + len(r.PartitionKey) }

// cost is what the record takes in memory.
func (r *Record) cost() int64 {
	return int64(max(cap(r.buffer), len(r.Data)) + recordOverhead)
}

// list is a queue of records, linked through them. The zero value is empty.
type list struct {
	head, tail *Record
	n          int
}

func (l *list) pushBack(r *Record) {
	r.next = nil
	if l.tail == nil {
		l.head = r
	} else {
		l.tail.next = r
	}
	l.tail = r
	l.n++
}

func (l *list) pushFront(r *Record) {
	r.next = l.head
	l.head = r
	if l.tail == nil {
		l.tail = r
	}
	l.n++
}

// cost is what all records take in memory.
func (l *list) cost() (sum int64) {
	for r := l.head; r != nil; r = r.next {
		sum += r.cost()
	}
	return sum
}

// append moves the records of another list behind its own.
func (l *list) append(other *list) {
	for r := other.popFront(); r != nil; r = other.popFront() {
		l.pushBack(r)
	}
}

// insert adds a record behind those that were accepted before it.
func (l *list) insert(r *Record) {
	before := (*Record)(nil)
	for next := l.head; next != nil && next.seq < r.seq; next = next.next {
		before = next
	}
	switch {
	case before == nil:
		l.pushFront(r)
	case before == l.tail:
		l.pushBack(r)
	default:
		r.next, before.next = before.next, r
		l.n++
	}
}

// popFront returns the first record, nil if there is none.
func (l *list) popFront() *Record {
	r := l.head
	if r == nil {
		return nil
	}
	l.head = r.next
	if l.head == nil {
		l.tail = nil
	}
	r.next = nil
	l.n--
	return r
}
