package producer

import (
	"maps"
	"time"

	"gst-kinesis/internal/shard"
)

const (
	// leastShards is how many shards are remembered at least, closed ones included: as many again as are open, where
	// that is more. What is told of others is summed up, so that a process may live through any number of reshards.
	leastShards = 256
	// shardMemory is how long a shard is remembered in any case.
	shardMemory = 10 * time.Minute
	// mostCodes bounds the error codes that are kept apart, of the stream and of each shard.
	mostCodes = 32
)

// OtherShards is the ID under which shards are summed up that are not remembered.
const OtherShards = "other"

// OtherCodes is the error code for those beyond the bound.
const OtherCodes = "Other"

// figures count what the books do not: by shard, by error code, and by time. They are guarded by the producer's mu.
type figures struct {
	buffering Histogram
	request   Histogram
	retries   Tries
	unitBytes int64
	errors    codes

	shards    map[string]*shardFigures
	others    shardFigures
	open      *shard.Map
	nextFold  instant // no shard is to be forgotten before
	forgotten int64   // shards summed up in others so far, of tests
}

// shardFigures count what a shard took and refused. id is empty once it is forgotten.
type shardFigures struct {
	ShardStats
	id     string
	codes  codes
	latest instant
}

// ShardStats is what became of records on one shard.
type ShardStats struct {
	// ID is the shard's, or OtherShards.
	ID string
	// Put are the records that were delivered there, as the books count them.
	Put Count
	// KinesisRecords and KinesisBytes are what the service counts: aggregates and parts once each, data and partition keys.
	KinesisRecords, KinesisBytes int64
	// Retries and Throttled are records that were put back to be sent again, and those refused for the shard's limits.
	Retries, Throttled int64
	// Errors counts the Kinesis records that the shard refused, by AWS's code.
	Errors map[string]int64
	// Limited says that the shard's limits are kept, and Factor which part of them the throttling of late leaves, 0 to 1.
	Limited bool
	Factor  float64
}

// codes count by error code.
type codes map[string]int64

func (c *codes) add(code string, n int64) {
	if *c == nil {
		*c = make(codes)
	}
	if _, known := (*c)[code]; !known && len(*c) >= mostCodes {
		code = OtherCodes
	}
	(*c)[code] += n
}

// Tries tells how often records had to be sent again until they were delivered.
type Tries struct {
	// Retries is the sum over all records.
	Retries int64
	// Records are numbers of records by RetryBounds, the last one of those beyond.
	Records [len(retryBounds) + 1]int64
}

// retryBounds are how many retries the buckets of Tries hold at most.
var retryBounds = [...]int32{0, 1, 2, 3, 5, 10, 20, 50}

// RetryBound is the most retries of a record in bucket i of Tries; i is less than the last.
func RetryBound(i int) int { return int(retryBounds[i]) }

// again counts a delivered record that was sent more than once.
func (t *Tries) again(retries int32) {
	t.Retries += int64(retries)
	i := 0
	for i < len(retryBounds) && retryBounds[i] < retries {
		i++
	}
	t.Records[i]++
}

// of returns the figures of a shard by the lane whose record went there, which remembers them.
func (f *figures) of(l *lane, id string, now instant) *shardFigures {
	if s := l.figures; s != nil && s.id == id {
		s.latest = now
		return s
	}
	l.figures = f.at(id, now)
	return l.figures
}

// at returns the figures of a shard, those of the others if there are too many.
func (f *figures) at(id string, now instant) *shardFigures {
	if id == "" { // the answer does not say where
		return &f.others
	}
	s := f.shards[id]
	if s == nil {
		if len(f.shards) >= f.bound() && !f.fold(now) {
			return &f.others
		}
		if f.shards == nil {
			f.shards = make(map[string]*shardFigures)
		}
		s = &shardFigures{id: id}
		f.shards[id] = s
	}
	s.latest = now
	return s
}

func (f *figures) bound() int {
	if f.open == nil {
		return leastShards
	}
	return max(leastShards, 2*f.open.Len())
}

// fold sums the shard up with the others that was not heard of for the longest time; false if all are in use.
func (f *figures) fold(now instant) bool {
	if now < f.nextFold {
		return false
	}
	var oldest *shardFigures
	for _, s := range f.shards {
		if oldest == nil || s.latest < oldest.latest {
			oldest = s
		}
	}
	if now-oldest.latest < shardMemory {
		f.nextFold = oldest.latest + shardMemory
		return false
	}
	delete(f.shards, oldest.id)
	f.others.absorb(oldest)
	f.forgotten++
	oldest.id = "" // for the lanes that remember it
	return true
}

// absorb adds what another shard had.
func (s *shardFigures) absorb(o *shardFigures) {
	s.Put = s.Put.plus(o.Put)
	s.KinesisRecords += o.KinesisRecords
	s.KinesisBytes += o.KinesisBytes
	s.Retries += o.Retries
	s.Throttled += o.Throttled
	for code, n := range o.codes {
		s.codes.add(code, n)
	}
}

func (s *shardFigures) snapshot(id string) ShardStats {
	out := s.ShardStats
	out.ID, out.Errors = id, maps.Clone(map[string]int64(s.codes))
	return out
}
