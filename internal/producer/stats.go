package producer

import (
	"cmp"
	"maps"
	"slices"

	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/uplink"
)

// tally counts what is not in the books.
type tally struct {
	requests, failedRequests, retries, throttled, units int64
}

// Stats is a snapshot of everything that is counted and measured.
type Stats struct {
	Books Books
	// Waiting is the number of records that wait; the rest of Books.InFlight is
	// being sent.
	Waiting int
	// Memory is what records held take, MemoryKept what is kept for use again, in bytes.
	Memory, MemoryKept int64
	// Requests counts calls of PutRecords, FailedRequests those that failed as a
	// whole; RequestsInFlight is how many there are now.
	Requests, FailedRequests int64
	RequestsInFlight         int
	// KinesisRecords counts what the service took and counts as records: aggregates once.
	// KinesisBytes is their data and partition keys.
	KinesisRecords, KinesisBytes int64
	// Retries counts records put back to be sent again, Throttled those for throttling.
	Retries, Throttled int64
	// Errors counts the Kinesis records that were not taken, by error code: one by one, or with a request that failed
	// as a whole. A record that fails several times counts each time.
	Errors map[string]int64
	// BatchBytes is the size requests may have now; it shrinks on slow links.
	BatchBytes int
	// Uplink is how max-bandwidth stands; Sent is what connections took.
	Uplink  uplink.Stats
	Latency Latency
	// Buffering is the time from Put to when a record is sent for the first time, Request that of calls of PutRecords
	// which were answered, Delivery the time from Put to the answer that took the record.
	Buffering, Request, Delivery Histogram
	// Tries tells how often delivered records were sent again.
	Tries Tries
	// Shards is what became of records on each shard that any was sent to, in the order of their IDs, and last of all
	// those that are not remembered one by one, if there are any.
	Shards []ShardStats
	// OpenShards is how many shards the stream has, 0 while that is not known.
	OpenShards int
	// RateLimit is how much of each shard's limits is used.
	RateLimit limit.Rate
	// Spool is what is on disk; nil without a spool.
	Spool *spool.Stats
}

// Stats returns a consistent snapshot. It allocates, and copies what is known of each shard: a few times a second is well.
func (p *Producer) Stats() Stats {
	_, kept := p.pool.levels()
	var disk *spool.Stats
	if p.spool != nil {
		s := p.spool.Stats()
		disk = &s
	}
	states := p.limits.States(p.clock.Now())
	p.mu.Lock()
	s := p.snapshot()
	p.mu.Unlock()
	s.MemoryKept, s.Spool = kept, disk
	s.finishShards(states)
	return s
}

// snapshot copies what mu guards.
func (p *Producer) snapshot() Stats {
	f := &p.figures
	s := Stats{
		Books:            p.books.clone(),
		Waiting:          p.waiting,
		Memory:           p.held,
		Requests:         p.tally.requests,
		FailedRequests:   p.tally.failedRequests,
		RequestsInFlight: len(p.flying.requests),
		KinesisRecords:   p.tally.units,
		KinesisBytes:     f.unitBytes,
		Retries:          p.tally.retries,
		Throttled:        p.tally.throttled,
		Errors:           maps.Clone(map[string]int64(f.errors)),
		BatchBytes:       p.target(),
		Uplink:           p.uplink.Stats(),
		Buffering:        f.buffering,
		Request:          f.request,
		Tries:            f.retries,
		RateLimit:        p.settings.RateLimit,
	}
	s.Latency, s.Delivery = p.latency.snapshot(p.now())
	s.Tries.Records[0] = s.Books.Delivered.Records
	for _, n := range s.Tries.Records[1:] {
		s.Tries.Records[0] -= n
	}
	if f.open != nil {
		s.OpenShards = f.open.Len()
	}
	s.Shards = make([]ShardStats, 0, len(f.shards)+1)
	for id, shard := range f.shards {
		s.Shards = append(s.Shards, shard.snapshot(id))
	}
	if o := &f.others; o.KinesisRecords > 0 || o.Retries > 0 || len(o.codes) > 0 {
		s.Shards = append(s.Shards, o.snapshot(OtherShards))
	}
	return s
}

// finishShards sorts them and tells of their limits.
func (s *Stats) finishShards(states map[string]limit.State) {
	slices.SortFunc(s.Shards, func(a, b ShardStats) int {
		switch {
		case a.ID == OtherShards: // it comes last
			return 1
		case b.ID == OtherShards:
			return -1
		}
		return cmp.Compare(a.ID, b.ID)
	})
	if s.RateLimit == limit.Off {
		return
	}
	for i := range s.Shards {
		if state, ok := states[s.Shards[i].ID]; ok {
			s.Shards[i].Limited, s.Shards[i].Factor = true, state.Factor
		}
	}
}
