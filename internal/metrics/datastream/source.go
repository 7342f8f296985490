package datastream

import (
	"maps"
	"slices"
	"time"

	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/producer"
)

// Producer is what is asked; *producer.Producer is one. Stats may be called from any goroutine.
type Producer interface{ Stats() producer.Stats }

// Names are the labels of a producer. Element tells the producers of one process apart, Sensor says whose data it is.
type Names struct{ Stream, Region, Sensor, Element string }

// New makes a source of a producer. CloudWatch sums up the producers of a stream, as the Kinesis Producer Library does.
func New(p Producer, n Names) metrics.Source {
	f := newFamilies()
	return metrics.Source{
		Labels: []metrics.Assigned{
			{Label: metrics.Label{Name: "stream", Dimension: "StreamName"}, Value: n.Stream}, {Label: metrics.Label{Name: "region", Dimension: ""}, Value: n.Region},
			{Label: metrics.Label{Name: "sensor", Dimension: ""}, Value: n.Sensor}, {Label: metrics.Label{Name: "element", Dimension: ""}, Value: n.Element},
		},
		Families: f.all(),
		Snapshot: func() []metrics.Sample {
			s := p.Stats()
			return f.samples(&s)
		},
	}
}

// reasons are there from the start, so that the first loss shows as a change.
var reasons = []string{
	producer.ReasonStop, producer.ReasonDrain, producer.ReasonTTL, producer.ReasonRetries, producer.ReasonOversize, producer.ReasonLeakyOldest,
	producer.ReasonLeakyNewest, producer.ReasonBadKey, producer.ReasonStartTimeout, producer.ReasonSpoolDamaged,
}

// Families are all that a source tells of, for documents.
func Families() []*metrics.Family { return newFamilies().all() }

// list gathers samples.
type list []metrics.Sample

func (l *list) add(f *metrics.Family, value int64, labels ...string) {
	*l = append(*l, metrics.Sample{Family: f, Values: labels, Value: float64(value)})
}

func (l *list) distribution(f *metrics.Family, d metrics.Distribution) {
	*l = append(*l, metrics.Sample{Family: f, Distribution: &d})
}

func (f *families) samples(s *producer.Stats) []metrics.Sample {
	l := make(list, 0, 64+8*len(s.Shards))
	f.records(&l, s)
	f.service(&l, s)
	f.levels(&l, s)
	f.shards(&l, s)
	return l
}

func (f *families) records(l *list, s *producer.Stats) {
	b := &s.Books
	l.add(&f.received, b.Accepted.Records)
	l.add(&f.receivedBytes, b.Accepted.Bytes)
	l.add(&f.put, b.Delivered.Records)
	l.add(&f.putBytes, b.Delivered.Bytes)
	all := slices.Clone(reasons)
	for _, reason := range slices.Sorted(maps.Keys(b.Dropped)) {
		if !slices.Contains(all, reason) {
			all = append(all, reason)
		}
	}
	for _, reason := range all {
		l.add(&f.dropped, b.Dropped[reason].Records, reason)
	}
	for _, reason := range all {
		l.add(&f.droppedBytes, b.Dropped[reason].Bytes, reason)
	}
	l.add(&f.refused, b.Refused.Records)
	l.add(&f.deadLettered, b.DeadLettered.Records)
	l.add(&f.deadLetteredBytes, b.DeadLettered.Bytes)
	l.add(&f.retried, s.Retries)
	l.add(&f.throttled, s.Throttled)
	l.add(&f.duplicates, b.PossibleDuplicates)
}

func (f *families) service(l *list, s *producer.Stats) {
	l.add(&f.kinesis, s.KinesisRecords)
	l.add(&f.kinesisBytes, s.KinesisBytes)
	l.add(&f.requests, s.Requests)
	l.add(&f.failed, s.FailedRequests)
	for _, code := range slices.Sorted(maps.Keys(s.Errors)) {
		l.add(&f.errors, s.Errors[code], code)
	}
	l.distribution(&f.buffering, times(&s.Buffering))
	l.distribution(&f.request, times(&s.Request))
	l.distribution(&f.delivery, times(&s.Delivery))
	l.distribution(&f.retries, tries(&s.Tries))
}

func (f *families) levels(l *list, s *producer.Stats) {
	b := &s.Books
	l.add(&f.pending, b.InFlight.Records)
	l.add(&f.pendingBytes, b.InFlight.Bytes)
	l.add(&f.spooled, b.Spooled.Records)
	l.add(&f.spooledBytes, b.Spooled.Bytes)
	if s.Spool != nil {
		l.add(&f.disk, s.Spool.DiskBytes)
		l.add(&f.diskErrors, s.Spool.DiskErrors)
	}
	l.add(&f.memory, s.Memory+s.MemoryKept)
	l.add(&f.inFlight, int64(s.RequestsInFlight))
	l.add(&f.wire, s.Uplink.Sent)
	if s.OpenShards > 0 {
		l.add(&f.openShards, int64(s.OpenShards))
	}
}

// shards goes through the families one after another, as Prometheus wants them.
func (f *families) shards(l *list, s *producer.Stats) {
	each := func(f *metrics.Family, value func(*producer.ShardStats) int64) {
		for i := range s.Shards {
			l.add(f, value(&s.Shards[i]), s.Shards[i].ID)
		}
	}
	each(&f.shardPut, func(s *producer.ShardStats) int64 { return s.Put.Records })
	each(&f.shardPutBytes, func(s *producer.ShardStats) int64 { return s.Put.Bytes })
	each(&f.shardKinesis, func(s *producer.ShardStats) int64 { return s.KinesisRecords })
	each(&f.shardKinesisBytes, func(s *producer.ShardStats) int64 { return s.KinesisBytes })
	for i := range s.Shards {
		shard := &s.Shards[i]
		for _, code := range slices.Sorted(maps.Keys(shard.Errors)) {
			l.add(&f.shardErrors, shard.Errors[code], shard.ID, code)
		}
	}
	each(&f.shardRetried, func(s *producer.ShardStats) int64 { return s.Retries })
	each(&f.shardThrottled, func(s *producer.ShardStats) int64 { return s.Throttled })
	for i := range s.Shards {
		if shard := &s.Shards[i]; shard.Limited {
			ratio := shard.Factor * float64(s.RateLimit) / float64(limit.Auto)
			*l = append(*l, metrics.Sample{Family: &f.shardRate, Values: []string{shard.ID}, Value: ratio})
		}
	}
}

// bounds of the histograms in seconds, and those of retries. Nobody changes them.
var (
	timeBounds  = secondsOf(producer.HistogramBuckets, producer.HistogramBound)
	retryBounds = retriesOf(len(producer.Tries{}.Records) - 1)
)

func secondsOf(n int, bound func(int) time.Duration) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = bound(i).Seconds()
	}
	return all
}

func retriesOf(n int) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = float64(producer.RetryBound(i))
	}
	return all
}

func times(h *producer.Histogram) metrics.Distribution {
	return metrics.Distribution{Bounds: timeBounds, Counts: counts(h.Buckets[:]), Sum: h.Sum.Seconds(), Step: producer.HistogramOctave}
}

func tries(t *producer.Tries) metrics.Distribution {
	return metrics.Distribution{Bounds: retryBounds, Counts: counts(t.Records[:]), Sum: float64(t.Retries), Exact: true}
}

func counts(buckets []int64) []uint64 {
	all := make([]uint64, len(buckets))
	for i, n := range buckets {
		all[i] = uint64(max(n, 0)) //nolint:gosec // not negative
	}
	return all
}
