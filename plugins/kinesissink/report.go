package kinesissink

import (
	"fmt"
	"sync"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/producer"
	"gst-kinesis/plugins/internal/bus"
)

// reporter is the only place that turns what the producer tells into messages. Its methods run on the producer's goroutines.
type reporter struct {
	e    *gst.Element
	acks bool
	word *bus.Word // of why the stream cannot go on

	mu        sync.Mutex
	delivered uint64
	dropped   uint64
	lastQoS   time.Time
}

func newReporter(e *gst.Element, s Settings) *reporter {
	return &reporter{e: e, acks: s.Acks == acksMessages, word: bus.NewWord()}
}

// Delivered logs the sequence numbers and posts them where asked for.
func (r *reporter) Delivered(a *producer.Answer) {
	r.mu.Lock()
	r.delivered += uint64(len(a.Records))
	r.mu.Unlock()
	if r.e.Logs(gst.LevelInfo) {
		for i := range a.Records {
			d := &a.Records[i]
			r.e.Log(gst.LevelInfo, "SequenceNumber=%s ShardId=%s PartitionKey=%s Bytes=%d", d.SequenceNumber, d.ShardID, d.PartitionKey, d.Bytes)
		}
	}
	if r.acks {
		r.e.PostElement(ackStructure(a))
	}
	for i := range a.Records {
		bus.Complete(a.Records[i].Token, gst.OutcomeDelivered)
	}
}

// Dropped ends the records' tokens, and says so as QOS: at most once a second, with the sums so far.
func (r *reporter) Dropped(reason string, lost []producer.Lost) {
	r.mu.Lock()
	r.dropped += uint64(len(lost))
	delivered, dropped := r.delivered, r.dropped
	due := time.Since(r.lastQoS) >= time.Second
	if due {
		r.lastQoS = time.Now()
	}
	r.mu.Unlock()
	r.e.Log(gst.LevelWarning, "dropped %d records: %s", len(lost), reason)
	if due && len(lost) > 0 {
		r.e.PostQoS(gst.QoS{
			Live: true, RunningTime: r.e.RunningTime(), StreamTime: gst.ClockTimeNone, Timestamp: lost[0].PTS, Duration: gst.ClockTimeNone,
			Processed: delivered, Dropped: dropped,
		})
	}
	for i := range lost {
		bus.Complete(lost[i].Token, gst.OutcomeFailed)
	}
}

// DeadLettered ends the records' tokens: they were given up on purpose.
func (r *reporter) DeadLettered(reason string, lost []producer.Lost) {
	r.e.Log(gst.LevelWarning, "wrote %d dead letters: %s", len(lost), reason)
	for i := range lost {
		bus.Complete(lost[i].Token, gst.OutcomeDropped)
	}
}

// Spooled ends the records' tokens: they are on disk, and come again after a restart.
func (r *reporter) Spooled(list []producer.Lost) {
	for i := range list {
		bus.Complete(list[i].Token, gst.OutcomeDelivered)
	}
}

// Trouble warns.
func (r *reporter) Trouble(t producer.Trouble) { r.e.PostWarning(bus.Trouble(t, "records")) }

// Recovered says that the trouble is over.
func (r *reporter) Recovered(rec producer.Recovery) {
	text := fmt.Sprintf("Records flow again after %s.", rec.Lasted.Round(time.Millisecond))
	r.e.PostInfo(&gst.Error{Code: gst.ResourceWrite, Text: text})
}

// Noticed says what is worth knowing once.
func (r *reporter) Noticed(n producer.Notice) {
	info := bus.Notice(n)
	r.e.Log(gst.LevelInfo, "%s %s", info.Text, info.Debug)
	r.e.PostInfo(info)
}

// Failed ends the stream.
func (r *reporter) Failed(t producer.Trouble) {
	r.e.PostError(bus.Trouble(t, "records"))
	r.word.Give()
}

// metricsFailed warns that lines of metrics-emf are not written.
func (r *reporter) metricsFailed(err error) {
	r.e.PostWarning(&gst.Error{Code: gst.ResourceWrite, Text: bus.Sentence(err) + " What they say comes with the next line that can be written."})
}

// ackStructure tells of the records that one answer took, a list for each of their fields.
func ackStructure(a *producer.Answer) *gst.Structure {
	n := len(a.Records)
	sequence, shards, keys := make([]string, n), make([]string, n), make([]string, n)
	sizes, pts, latency := make([]uint64, n), make([]uint64, n), make([]uint64, n)
	for i := range a.Records {
		d := &a.Records[i]
		sequence[i], shards[i], keys[i] = d.SequenceNumber, d.ShardID, d.PartitionKey
		sizes[i], pts[i], latency[i] = uint64(d.Bytes), d.PTS, uint64(d.Latency)
	}
	return gst.NewStructure("kinesissink-ack",
		gst.Field{Name: "sequence-number", Value: sequence},
		gst.Field{Name: "shard-id", Value: shards},
		gst.Field{Name: "partition-key", Value: keys},
		gst.Field{Name: "bytes", Value: sizes},
		gst.Field{Name: "pts", Value: pts},
		gst.Field{Name: "latency-ns", Value: latency},
		gst.Field{Name: "request-id", Value: a.RequestID},
	)
}
