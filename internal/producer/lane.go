package producer

import (
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/trouble"
)

// lane is records that go one after another: of a shard, of a range of hash keys,
// or with strict order of a single key. The oldest come first.
type lane struct {
	waiting list
	bytes   int     // data and partition keys waiting
	held    int     // requests that hold records of it: 1, but for lanes joined by a reshard
	until   instant // backs off, or waits for its shard's limits, until then
	failing int     // failures in a row
	again   int     // of those waiting, the first ones, which were sent before
	window  int     // most records in a request: less after throttling
	most    int     // and the most that can ever be
	place   int     // among the active lanes; notActive if nothing waits

	stale bool         // its shard is not that any more: it waits to be laid anew
	shard string       // where its records are expected to go; "" if that is not known
	tanks *limit.Shard // of that shard
	key   string       // with strict order: the key, and its hash
	hash  shard.Hash

	figures *shardFigures // of the shard that a record went to last

	// What the request that holds the lane found; only valid while held.
	ok, bad   int
	throttled bool
	badWait   trouble.Backoff
}

const notActive = -1

// isReady reports whether records of the lane may be sent.
func (l *lane) isReady(now instant) bool {
	return l.waiting.n > 0 && l.held == 0 && l.until <= now && !l.stale
}

// share is how many records a request may take: those that failed go alone, so
// that nothing overtakes them if they fail again.
func (l *lane) share() int {
	if l.again > 0 {
		return min(l.again, l.window)
	}
	return min(l.waiting.n, l.window)
}

func (l *lane) pop() *Record {
	r := l.waiting.popFront()
	l.bytes -= r.size()
	l.again = max(0, l.again-1)
	return r
}
