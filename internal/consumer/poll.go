package consumer

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go/middleware"

	"gst-kinesis/internal/shard"
)

// leastSpacing is the time between two calls for one shard.
const leastSpacing = time.Second / shard.ReadCallsPerSecond

// fetched is a batch with what only the coordinator needs.
type fetched struct {
	Batch
	children []types.ChildShard
}

// source yields the batches of one shard, one after the other, until one with
// End. Polling is one; another is a subscription (fan-out).
type source interface {
	next(ctx context.Context) (fetched, error)
}

// poller reads a shard by GetShardIterator and GetRecords. One goroutine.
type poller struct {
	caller
	shardID  string
	at       Position // where the next iterator is taken
	iterator string   // "" when one must be taken
	due      time.Time
	unpacker unpacker
}

func (c *Consumer) newPoller(shardID string, at Position) *poller {
	return &poller{caller: caller{c: c, doing: "reading shard " + shardID}, shardID: shardID, at: at, unpacker: unpacker{c: c, shardID: shardID}}
}

// next waits until the shard may be asked again, and asks.
func (p *poller) next(ctx context.Context) (fetched, error) {
	for {
		if p.iterator == "" {
			if err := p.takeIterator(ctx); err != nil {
				return fetched{}, err
			}
		}
		out, err := p.getRecords(ctx)
		if isExpired(err) {
			p.c.o.Log.Debug("replacing an expired iterator", "shard", p.shardID, "from", p.at.String())
			p.c.counts.expired.Add(1)
			p.iterator = ""
			continue
		}
		if err != nil {
			return fetched{}, err
		}
		f := p.take(out)
		if !p.c.o.Raw {
			f.Records = p.unpacker.unpack(f.Records)
		}
		return f, nil
	}
}

// takeIterator asks for an iterator at p.at. One at the tip pins the time, so
// that a later one for the same place leaves no gap.
func (p *poller) takeIterator(ctx context.Context) error {
	return p.do(ctx, func(ctx context.Context) error {
		asked := p.c.o.Now()
		out, err := p.c.client.GetShardIterator(ctx, p.at.input(p.c.stream, p.shardID), noRetry)
		if err != nil {
			return err
		}
		p.iterator = aws.ToString(out.ShardIterator)
		if p.iterator == "" {
			return errNoIterator
		}
		if p.at.isLatest() {
			p.at = AtTimestamp(serverTime(out.ResultMetadata, asked))
		}
		return nil
	}, nil)
}

var errNoIterator = errors.New("the service answered without an iterator")

func (p *poller) getRecords(ctx context.Context) (*kinesis.GetRecordsOutput, error) {
	var out *kinesis.GetRecordsOutput
	in := &kinesis.GetRecordsInput{ShardIterator: aws.String(p.iterator), StreamARN: p.c.stream.arn}
	if n := p.c.o.MaxRecords; n > 0 {
		in.Limit = aws.Int32(int32(n))
	}
	if err := p.c.sleep(ctx, p.due.Sub(p.c.o.Now())); err != nil {
		return nil, err
	}
	err := p.do(ctx, func(ctx context.Context) (err error) {
		if err := p.c.sleep(ctx, p.due.Sub(p.c.o.Now())); err != nil { // a try counts like any call
			return err
		}
		p.due = p.c.o.Now().Add(leastSpacing)
		p.c.counts.calls.Add(1)
		out, err = p.c.client.GetRecords(ctx, in, noRetry)
		return err
	}, isExpired)
	return out, err
}

// take turns an answer into a batch and notes where to go on, and when.
func (p *poller) take(out *kinesis.GetRecordsOutput) fetched {
	f := fetched{Batch: Batch{
		ShardID: p.shardID,
		Records: make([]Record, len(out.Records)),
		Behind:  time.Duration(aws.ToInt64(out.MillisBehindLatest)) * time.Millisecond,
	}, children: out.ChildShards}
	bytes := 0
	for i := range out.Records {
		r := &out.Records[i]
		f.Records[i] = Record{
			SequenceNumber: aws.ToString(r.SequenceNumber),
			PartitionKey:   aws.ToString(r.PartitionKey),
			Data:           r.Data,
			Arrived:        aws.ToTime(r.ApproximateArrivalTimestamp),
		}
		bytes += len(r.Data) + len(f.Records[i].PartitionKey)
	}
	if n := len(f.Records); n > 0 {
		p.at = AfterSequence(f.Records[n-1].SequenceNumber)
	}
	p.iterator = aws.ToString(out.NextShardIterator)
	f.End = p.iterator == ""
	p.pace(bytes, f.Behind == 0)
	return f
}

// pace sets when the shard may be asked again: p.due already holds the moment
// by the number of calls, which at the tip is put off to the poll interval; a
// long answer costs time at the shard's rate.
func (p *poller) pace(bytes int, tip bool) {
	asked := p.due.Add(-leastSpacing)
	if tip {
		p.due = asked.Add(p.c.o.PollInterval)
	}
	cost := time.Duration(float64(bytes) / shard.ReadBytesPerSecond * float64(time.Second))
	if due := asked.Add(cost); due.After(p.due) {
		p.due = due
	}
}

func isExpired(err error) bool {
	var expired *types.ExpiredIteratorException
	return errors.As(err, &expired)
}

// serverTime is the service's own idea of now, from the answer's Date, or else
// the moment of asking.
func serverTime(m middleware.Metadata, asked time.Time) time.Time {
	if t, ok := awsmiddleware.GetServerTime(m); ok && !t.IsZero() {
		return t
	}
	return asked
}
