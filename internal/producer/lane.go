package producer

import (
	"hash/maphash"

	"gst-kinesis/internal/shard"
)

// laneBits is how many of the hash key's highest bits choose the lane. Without
// the stream's shard map equal ranges stand in for shards: the lanes of a shard
// lie side by side, and only a lane on a border belongs to two.
const laneBits = 6

// lane is a range of hash keys with the records that wait in it, oldest first.
type lane struct {
	waiting list
	bytes   int     // data and partition keys waiting
	busy    bool    // a request holds records of it
	until   instant // backs off until then
	failing int     // failures in a row
	again   int     // of those waiting, the first ones, which were sent before
	window  int     // most records in a request: less after throttling

	// What the request that holds the lane found; only valid while busy.
	ok, bad   int
	throttled bool
	badWait   backoff
}

// isReady reports whether records of the lane may be sent.
func (l *lane) isReady(now instant) bool {
	return l.waiting.n > 0 && !l.busy && l.until <= now
}

// share is how many records a request may take: those that failed go alone, so
// that nothing overtakes them if they fail again.
func (l *lane) share() int {
	if l.again > 0 {
		return min(l.again, l.window)
	}
	return min(l.waiting.n, l.window)
}

func (l *lane) push(r *Record) {
	r.lane = l
	l.waiting.pushBack(r)
	l.bytes += r.size()
}

func (l *lane) pop() *Record {
	r := l.waiting.popFront()
	l.bytes -= r.size()
	l.again = max(0, l.again-1)
	return r
}

// putBack returns a record to the front.
func (l *lane) putBack(r *Record) {
	l.again++
	l.waiting.pushFront(r)
	l.bytes += r.size()
}

// lanes are all lanes, and the way from a key to one.
type lanes struct {
	all  [1 << laneBits]lane
	seed maphash.Seed
	// known remembers keys used lately, in place of hashing them again.
	known [256]knownKey
	// readyScratch is used by the dispatcher.
	ready []*lane
}

type knownKey struct {
	key  string
	lane *lane
}

func newLanes() *lanes {
	ls := &lanes{seed: maphash.MakeSeed(), ready: make([]*lane, 0, 1<<laneBits)}
	for i := range ls.all {
		ls.all[i].window = shard.MaxRequestRecords
	}
	return ls
}

// of returns the lane of a record whose keys were checked.
func (ls *lanes) of(r *Record) *lane {
	if r.ExplicitHashKey != "" {
		h, _ := shard.ParseHash(r.ExplicitHashKey)
		return ls.at(h)
	}
	slot := &ls.known[maphash.String(ls.seed, r.PartitionKey)%uint64(len(ls.known))]
	if slot.key != r.PartitionKey {
		*slot = knownKey{key: r.PartitionKey, lane: ls.at(shard.HashKey(r.PartitionKey))}
	}
	return slot.lane
}

func (ls *lanes) at(h shard.Hash) *lane { return &ls.all[h.Hi>>(64-laneBits)] }

// oldest returns the lane whose first record was accepted before all others that
// wait, nil if none waits.
func (ls *lanes) oldest() *lane {
	var found *lane
	for i := range ls.all {
		l := &ls.all[i]
		if l.waiting.n > 0 && (found == nil || l.waiting.head.seq < found.waiting.head.seq) {
			found = l
		}
	}
	return found
}
