package producer

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"gst-kinesis/internal/aggregate"
)

// Aggregation is how several records become one of Kinesis', which costs less: a
// provisioned stream counts in units of 25 KB, and a shard takes 1000 records a second.
type Aggregation int32

const (
	// AggregateNone makes each record one.
	AggregateNone Aggregation = iota
	// AggregateKPL is the format of the Kinesis Producer Library, which KCL, Lambda's
	// helpers and Firehose take apart. A record alone goes as it is.
	AggregateKPL
	// AggregateNewline joins records as lines.
	AggregateNewline
)

// String returns the nick of the value.
func (a Aggregation) String() string {
	switch a {
	case AggregateNone:
		return "none"
	case AggregateKPL:
		return "kpl"
	case AggregateNewline:
		return "newline"
	default:
		return "Aggregation(" + strconv.Itoa(int(a)) + ")"
	}
}

// ParseAggregation reads a nick.
func ParseAggregation(s string) (Aggregation, error) {
	for a := AggregateNone; a <= AggregateNewline; a++ {
		if s == a.String() {
			return a, nil
		}
	}
	return 0, fmt.Errorf("reading an aggregation: %q is none of none, kpl, newline", s)
}

// unit is the records of a request that become one record of Kinesis', all of one lane.
type unit struct {
	from, to int    // in the request's records
	size     int    // what the service counts: data and partition key
	shard    string // where it was expected to go when it was made; "" if that was not known
}

// packer puts records together. It refers to their data until Reset.
type packer interface {
	Reset()
	Len() int
	Size() int
	SizeWith(key, explicitHash string, dataLen int) int
	Add(key, explicitHash string, data []byte)
	AppendTo(dst []byte) []byte
}

func newPacker(a Aggregation) packer {
	switch a {
	case AggregateKPL:
		return new(aggregate.Writer)
	case AggregateNewline:
		return new(aggregate.LineWriter)
	default:
		return nil
	}
}

// step is what a record would add to a request.
type step struct {
	units int // 1: it begins a unit; 0: it joins the last one
	bytes int
}

// stepOf plans where a record of a lane goes in a request that holds it from
// unit onwards, -1 if it holds nothing of the lane yet.
func (p *Producer) stepOf(q *request, l *lane, unit int, r *Record) step {
	alone := step{units: 1, bytes: r.size()}
	if p.packer == nil {
		return alone
	}
	if p.settings.Aggregation == AggregateNewline {
		alone.bytes++
	}
	if unit < 0 || r.alone {
		return alone
	}
	u := &q.units[len(q.units)-1]
	first := q.records[u.from]
	size := p.packer.SizeWith(r.PartitionKey, r.ExplicitHashKey, len(r.Data)) + len(first.PartitionKey)
	if first.alone || p.packer.Len() >= p.settings.AggregateMaxCount || size > p.settings.AggregateMaxSize || !p.goTogether(l, first, r) {
		return alone
	}
	return step{bytes: size - u.size}
}

// goTogether reports whether records of a lane lie on the same shard, so far as is known.
func (p *Producer) goTogether(l *lane, a, b *Record) bool {
	return l.shard != "" || p.settings.Aggregation == AggregateNewline ||
		a.PartitionKey == b.PartitionKey && a.ExplicitHashKey == b.ExplicitHashKey
}

// take adds a record to a request as planned.
func (p *Producer) take(q *request, r *Record, s step) {
	if s.units > 0 {
		q.units = append(q.units, unit{from: len(q.records), to: len(q.records), shard: r.lane.shard})
		if p.packer != nil {
			p.packer.Reset()
		}
	}
	if p.packer != nil {
		p.packer.Add(r.PartitionKey, r.ExplicitHashKey, r.Data)
	}
	q.records = append(q.records, r)
	u := &q.units[len(q.units)-1]
	u.to++
	u.size += s.bytes
	q.bytes += s.bytes
	if q.first == nil || r.seq < q.first.seq {
		q.first = r
	}
}

// of returns the records of some units that lie side by side.
func (q *request) of(units []unit) []*Record {
	return q.records[units[0].from:units[len(units)-1].to]
}

// data gives the data of a unit as one record of Kinesis'.
func (q *request) data(u unit, a Aggregation) []byte {
	r := q.records[u.from]
	if a == AggregateNone || a == AggregateKPL && u.to-u.from == 1 {
		if r.Data == nil {
			return emptyData
		}
		return r.Data
	}
	q.packer.Reset()
	for _, r := range q.records[u.from:u.to] {
		q.packer.Add(r.PartitionKey, r.ExplicitHashKey, r.Data)
	}
	from := len(q.packed)
	q.packed = q.packer.AppendTo(q.packed)
	q.packer.Reset()
	return q.packed[from:len(q.packed):len(q.packed)]
}

// fill writes some units of the request into its input. What a unit's first record
// has as its key is the key of all.
func (q *request) fill(s *Settings, units []unit) {
	if s.Aggregation != AggregateNone {
		if q.packer == nil {
			q.packer = newPacker(s.Aggregation)
		}
		q.packed = slices.Grow(q.packed[:0], q.bytes)
	}
	q.entries = q.entries[:0]
	for _, u := range units {
		r := q.records[u.from]
		e := types.PutRecordsRequestEntry{Data: q.data(u, s.Aggregation), PartitionKey: &r.PartitionKey}
		if r.ExplicitHashKey != "" {
			e.ExplicitHashKey = &r.ExplicitHashKey
		}
		q.entries = append(q.entries, e)
	}
	q.address(s)
}
