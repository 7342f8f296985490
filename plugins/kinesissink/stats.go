package kinesissink

import (
	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/producer"
)

// mostShardsShown bounds the shards in the stats: who reads them a few times a second has no use for thousands.
const mostShardsShown = 100

// statsStructure adds the books to the base class's own figures. All fields are there from the start.
func statsStructure(base *gst.Structure, s producer.Stats) *gst.Structure {
	out := &gst.Structure{Name: "application/x-kinesis-sink-stats", Fields: base.Fields}
	b := s.Books
	count := func(name string, c producer.Count) {
		out.Set("records-"+name, uint64(c.Records))
		out.Set("bytes-"+name, uint64(c.Bytes))
	}
	count("accepted", b.Accepted)
	count("delivered", b.Delivered)
	count("dropped", b.DroppedAll())
	count("dead-lettered", b.DeadLettered)
	count("spooled", b.Spooled)
	count("in-flight", b.InFlight)
	count("refused", b.Refused)
	reasons := gst.NewStructure("dropped-by-reason")
	for reason, c := range b.Dropped {
		reasons.Set(reason, uint64(c.Records))
	}
	out.Set("dropped-by-reason", reasons)
	out.Set("possible-duplicates", uint64(b.PossibleDuplicates))
	out.Set("records-waiting", uint64(s.Waiting))
	out.Set("records-retried", uint64(s.Retries))
	out.Set("records-throttled", uint64(s.Throttled))
	out.Set("kinesis-records", uint64(s.KinesisRecords))
	out.Set("kinesis-bytes", uint64(s.KinesisBytes))
	out.Set("requests", uint64(s.Requests))
	out.Set("requests-failed", uint64(s.FailedRequests))
	out.Set("requests-in-flight", uint64(s.RequestsInFlight))
	out.Set("memory-bytes", uint64(s.Memory+s.MemoryKept))
	out.Set("wire-bytes", uint64(s.Uplink.Sent))
	out.Set("bandwidth-wait", uint64(s.Uplink.Waited))
	out.Set("latency-last", uint64(s.Latency.Last))
	out.Set("latency-mean", uint64(s.Latency.Mean))
	out.Set("latency-max", uint64(s.Latency.Max))
	out.Set("latency-p50", uint64(s.Latency.P50))
	out.Set("latency-p99", uint64(s.Latency.P99))
	moreStats(out, &s)
	return out
}

// moreStats adds what metrics tell too. Times are ns.
func moreStats(out *gst.Structure, s *producer.Stats) {
	errors := gst.NewStructure("errors-by-code")
	for code, n := range s.Errors {
		errors.Set(code, uint64(n))
	}
	out.Set("errors-by-code", errors)
	mean := func(name string, h *producer.Histogram) {
		n := h.Count()
		out.Set(name+"-count", uint64(n))
		out.Set(name+"-mean", uint64(h.Sum)/uint64(max(n, 1)))
	}
	mean("buffering-time", &s.Buffering)
	mean("request-time", &s.Request)
	var disk, diskErrors int64
	if s.Spool != nil {
		disk, diskErrors = s.Spool.DiskBytes, s.Spool.DiskErrors
	}
	out.Set("spool-bytes", uint64(disk))
	out.Set("spool-disk-errors", uint64(diskErrors))
	out.Set("shards-open", uint64(s.OpenShards))
	out.Set("shards", shardStats(s.Shards))
}

// shardStats is a list for each figure, in which the shards have the same places. Those beyond mostShardsShown are the last of it, together.
func shardStats(shards []producer.ShardStats) *gst.Structure {
	if len(shards) > mostShardsShown {
		shards = append(shards[:mostShardsShown-1:mostShardsShown-1], sumOf(shards[mostShardsShown-1:]))
	}
	n := len(shards)
	ids := make([]string, n)
	records, bytes, units, unitBytes := make([]uint64, n), make([]uint64, n), make([]uint64, n), make([]uint64, n)
	retried, throttled, errors, limits := make([]uint64, n), make([]uint64, n), make([]uint64, n), make([]any, n)
	for i := range shards {
		s := &shards[i]
		ids[i], records[i], bytes[i] = s.ID, uint64(s.Put.Records), uint64(s.Put.Bytes)
		units[i], unitBytes[i] = uint64(s.KinesisRecords), uint64(s.KinesisBytes)
		retried[i], throttled[i] = uint64(s.Retries), uint64(s.Throttled)
		for _, n := range s.Errors {
			errors[i] += uint64(n)
		}
		limits[i] = 1.0
		if s.Limited {
			limits[i] = s.Factor
		}
	}
	return gst.NewStructure("shards",
		gst.Field{Name: "shard-id", Value: ids},
		gst.Field{Name: "records-delivered", Value: records},
		gst.Field{Name: "bytes-delivered", Value: bytes},
		gst.Field{Name: "kinesis-records", Value: units},
		gst.Field{Name: "kinesis-bytes", Value: unitBytes},
		gst.Field{Name: "records-retried", Value: retried},
		gst.Field{Name: "records-throttled", Value: throttled},
		gst.Field{Name: "errors", Value: errors},
		gst.Field{Name: "limit-factor", Value: limits},
	)
}

// sumOf sums shards up.
func sumOf(shards []producer.ShardStats) producer.ShardStats {
	sum := producer.ShardStats{ID: producer.OtherShards, Errors: map[string]int64{}}
	for i := range shards {
		s := &shards[i]
		sum.Put.Records += s.Put.Records
		sum.Put.Bytes += s.Put.Bytes
		sum.KinesisRecords += s.KinesisRecords
		sum.KinesisBytes += s.KinesisBytes
		sum.Retries += s.Retries
		sum.Throttled += s.Throttled
		for code, n := range s.Errors {
			sum.Errors[code] += n
		}
	}
	return sum
}
