package streams

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"gst-kinesis/internal/shard"
)

// noParent stands in parent fields of a shard that has none.
const noParent = -1

// shardState is one shard. It is guarded by its stream's lock.
type shardState struct {
	index          int
	name           string // its id
	hashes         shard.Range
	parent, merged int       // index of the parent; of the second parent of a merge
	children       []int     // set when it is closed
	created        int64     // the second its sequence numbers start with
	openedAt       time.Time // when it was made
	closedAt       time.Time // zero while open
	next           uint64    // index of the next record
	newest         int64     // arrival of the newest record; arrivals never go back

	records queue

	writeBytes, writeRecords bucket
	readBytes, readCalls     bucket
}

// firstIndex is the index of a shard's first record; 0 stands in its starting sequence number.
const firstIndex = 1

func newShard(index int, hashes shard.Range, created int64, now time.Time) *shardState {
	return &shardState{
		index: index, name: ShardID(index), hashes: hashes, parent: noParent, merged: noParent, created: created, openedAt: now, next: firstIndex,
		writeBytes:   newBucket(shard.WriteBytesPerSecond, shard.WriteBurstBytes, now),
		writeRecords: newBucket(shard.WriteRecordsPerSecond, shard.WriteRecordsPerSecond, now),
		readBytes:    newBucket(shard.ReadBytesPerSecond, shard.ReadBytesPerSecond, now),
		readCalls:    newBucket(shard.ReadCallsPerSecond, shard.ReadCallsPerSecond, now),
	}
}

func (s *shardState) open() bool { return s.closedAt.IsZero() }

func (s *shardState) id() string { return s.name }

// sequence returns the sequence number of a record of the shard.
func (s *shardState) sequence(index uint64, arrivalMs int64) Sequence {
	return Sequence{Created: s.created, Index: index, Time: max(arrivalMs/1000, s.created), Shard: uint32(s.index)}
}

func (s *shardState) starting() Sequence {
	return Sequence{Created: s.created, Time: s.created, Shard: uint32(s.index)}
}

func (s *shardState) ending() Sequence {
	return s.sequence(endIndex, s.closedAt.UnixMilli())
}

// writable takes n bytes and one record from the write limits, or tells that they are used up.
func (s *shardState) writable(now time.Time, n int) bool {
	s.writeBytes.refill(now)
	s.writeRecords.refill(now)
	if !s.writeRecords.has(1) || !s.writeBytes.has(float64(n)) {
		return false
	}
	s.writeRecords.take(1)
	s.writeBytes.take(float64(n))
	return true
}

// readable takes a call from the read limits, or tells that they are used up.
func (s *shardState) readable(now time.Time) bool {
	s.readBytes.refill(now)
	s.readCalls.refill(now)
	if !s.readCalls.has(1) || s.readBytes.tokens <= 0 {
		return false
	}
	s.readCalls.take(1)
	return true
}

// ShardID returns the id of the shard with an index.
func ShardID(index int) string { return fmt.Sprintf("shardId-%012d", index) }

// parseShardID returns the index in a shard id; AWS takes the bare number too.
func parseShardID(id string) (int, bool) {
	text := id
	if _, after, found := strings.Cut(id, "-"); found {
		text = after
	}
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err == nil
}
