package kinesissink

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/producer"
)

// reporter is the only place that turns what the producer tells into messages. Its methods run on the producer's goroutines.
type reporter struct {
	e    *gst.Element
	acks bool

	mu        sync.Mutex
	delivered uint64
	dropped   uint64
	lastQoS   time.Time
}

func newReporter(e *gst.Element, s Settings) *reporter {
	return &reporter{e: e, acks: s.Acks == acksMessages}
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
		complete(a.Records[i].Token, gst.OutcomeDelivered)
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
		complete(lost[i].Token, gst.OutcomeFailed)
	}
}

// DeadLettered ends the records' tokens: they were given up on purpose.
func (r *reporter) DeadLettered(reason string, lost []producer.Lost) {
	r.e.Log(gst.LevelWarning, "wrote %d dead letters: %s", len(lost), reason)
	for i := range lost {
		complete(lost[i].Token, gst.OutcomeDropped)
	}
}

// Spooled ends the records' tokens: they are on disk, and come again after a restart.
func (r *reporter) Spooled(list []producer.Lost) {
	for i := range list {
		complete(list[i].Token, gst.OutcomeDelivered)
	}
}

func complete(token any, o gst.Outcome) {
	if t, ok := token.(gst.Token); ok {
		t.Complete(o)
		t.Unref()
	}
}

// Trouble warns.
func (r *reporter) Trouble(t producer.Trouble) { r.e.PostWarning(busError(t)) }

// Recovered says that the trouble is over.
func (r *reporter) Recovered(rec producer.Recovery) {
	text := fmt.Sprintf("Records flow again after %s.", rec.Lasted.Round(time.Millisecond))
	r.e.PostInfo(&gst.Error{Code: gst.ResourceWrite, Text: text})
}

// Noticed says what is worth knowing once.
func (r *reporter) Noticed(n producer.Notice) {
	info := &gst.Error{Code: gst.ResourceWrite, Text: sentence(errors.New(n.Text))}
	if n.Err != nil {
		info.Debug = n.Err.Error()
	}
	r.e.Log(gst.LevelInfo, "%s %s", info.Text, info.Debug)
	r.e.PostInfo(info)
}

// Failed ends the stream.
func (r *reporter) Failed(t producer.Trouble) { r.e.PostError(busError(t)) }

// metricsFailed warns that lines of metrics-emf are not written.
func (r *reporter) metricsFailed(err error) {
	r.e.PostWarning(&gst.Error{Code: gst.ResourceWrite, Text: sentence(err) + " What they say comes with the next line that can be written."})
}

func busError(t producer.Trouble) *gst.Error {
	text := t.Message
	if text == "" {
		text = t.Error()
	}
	text = sentence(fmt.Errorf("writing to stream %s: %s", t.Stream, text))
	if t.Remedy != "" {
		text += " " + sentence(errors.New(t.Remedy))
	}
	return &gst.Error{
		Code: code(t.Fault), Text: text, Debug: t.Error(),
		Details: gst.NewStructure("details",
			gst.Field{Name: "aws-error-code", Value: t.Code},
			gst.Field{Name: "http-status-code", Value: uint32(t.HTTPStatus)},
			gst.Field{Name: "request-id", Value: t.RequestID},
			gst.Field{Name: "region", Value: t.Region},
			gst.Field{Name: "stream-name", Value: t.Stream},
			gst.Field{Name: "class", Value: t.Class.String()},
			gst.Field{Name: "reason", Value: t.Reason},
			gst.Field{Name: "remedy", Value: t.Remedy},
			gst.Field{Name: "count", Value: uint64(t.Count)},
			gst.Field{Name: "records", Value: uint64(t.Records)},
		),
	}
}

// code chooses GStreamer's word for a fault.
func code(f awserr.Fault) gst.Code {
	switch f.Code {
	case "ResourceNotFoundException":
		return gst.ResourceNotFound
	case awserr.CodeNoRegion, awserr.CodeEndpoint, "ValidationException", "InvalidArgumentException":
		return gst.ResourceSettings
	case "ProvisionedThroughputExceededException", "LimitExceededException", "KMSThrottlingException":
		return gst.ResourceBusy
	case awserr.CodeRefused, awserr.CodeDNS, awserr.CodeUnreachable:
		return gst.ResourceOpenWrite
	}
	if f.Class.Lasting() && f.Party == awserr.Caller {
		return gst.ResourceNotAuthorized
	}
	return gst.ResourceWrite
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
