package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/envelope"
)

// Consumer reads a stream. Its methods are safe for concurrent use.
type Consumer struct {
	client  Client
	o       Options
	handle  Handler
	stream  streamRef
	subject awserr.Subject
	warn    *warner
	parts   *envelope.Assembler
	counts  counters

	cancel context.CancelCauseFunc // with the error that ends the consumer, or nil
	ended  chan outcome            // from readers to the coordinator
	done   chan struct{}           // closed when all goroutines have ended
	err    error                   // valid after done

	mu     sync.Mutex // guards behind; held for moments only
	behind map[string]time.Duration
}

type counters struct {
	records, bytes, calls, throttled, retried, expired atomic.Uint64
	reading, waiting                                   atomic.Int64
}

// Stats are the numbers of a consumer so far.
type Stats struct {
	Reading   int    // shards being read
	Waiting   int    // shards that wait for their parents
	Records   uint64 // handed over
	Bytes     uint64 // of their data
	Calls     uint64 // of GetRecords
	Throttled uint64 // answers that said: slower
	Retried   uint64 // failures that were tried again
	Expired   uint64 // iterators that had to be replaced
	// Unread are records and messages that were discarded: damaged, of a later version,
	// too large, or with parts that did not come. Partial are those still incomplete.
	Unread  uint64
	Partial int
	// Behind is how far the shard that is most behind was from its end.
	Behind time.Duration
}

// outcome is how a reader came to its end.
type outcome struct {
	shardID  string
	children []types.ChildShard
	closed   bool // read to the shard's end, not only to the tip
}

// Start begins to read. It returns an error only for options that cannot be;
// failures of the service come from Wait. The caller closes the consumer.
func Start(client Client, o Options, handle Handler) (*Consumer, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("starting consumer: %w", err)
	}
	parts, err := envelope.NewAssembler(envelope.AssemblerSettings{Now: o.Now})
	if err != nil {
		return nil, fmt.Errorf("starting consumer: %w", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	c := &Consumer{
		parts:  parts,
		client: client, o: o, handle: handle, stream: refOf(o),
		warn:    &warner{log: o.Log, now: o.Now},
		cancel:  cancel,
		ended:   make(chan outcome),
		done:    make(chan struct{}),
		behind:  map[string]time.Duration{},
		subject: subjectOf(o),
	}
	go c.run(ctx)
	return c, nil
}

// subjectOf is what errors are about.
func subjectOf(o Options) awserr.Subject {
	name := o.Stream
	if o.StreamARN != "" {
		name = o.StreamARN[strings.LastIndexByte(o.StreamARN, '/')+1:]
	}
	return awserr.Subject{
		Stream: name, Region: o.Region, Endpoint: o.Endpoint,
		Actions: "kinesis:ListShards, kinesis:GetShardIterator and kinesis:GetRecords",
		Create:  "gst-kinesis stream create " + name + " --shards 1",
	}
}

// Wait blocks until the consumer has ended and returns why: nil after Close, or
// when UntilTip is reached; the handler's error; or an [*Error].
func (c *Consumer) Wait() error {
	<-c.done
	return c.err
}

// Done is closed when the consumer has ended.
func (c *Consumer) Done() <-chan struct{} { return c.done }

// Close ends the consumer, waits for its goroutines and handlers, and returns
// what Wait returns. It may be called more than once.
func (c *Consumer) Close() error {
	c.cancel(nil)
	return c.Wait()
}

// Stats returns the numbers so far.
func (c *Consumer) Stats() Stats {
	n := &c.counts
	s := Stats{
		Reading: int(n.reading.Load()), Waiting: int(n.waiting.Load()), Records: n.records.Load(), Bytes: n.bytes.Load(),
		Calls: n.calls.Load(), Throttled: n.throttled.Load(), Retried: n.retried.Load(), Expired: n.expired.Load(),
	}
	parts := c.parts.Stats()
	s.Unread, s.Partial = parts.Dropped(), parts.Pending
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.behind {
		s.Behind = max(s.Behind, d)
	}
	return s
}

// run is the consumer's life: the coordinator, then the end of all readers.
func (c *Consumer) run(ctx context.Context) {
	var readers sync.WaitGroup
	c.cancel(c.coordinate(ctx, &readers))
	readers.Wait()
	if why := context.Cause(ctx); !errors.Is(why, context.Canceled) {
		c.err = why
	}
	close(c.done)
}

// coordinate lists shards and starts readers until something ends it.
func (c *Consumer) coordinate(ctx context.Context, readers *sync.WaitGroup) error {
	l := newLineage(c.o.From, c.o.After)
	orphans := &childless{wait: c.o.SyncInterval}
	if err := c.sync(ctx, l); err != nil {
		return err
	}
	for {
		for _, m := range l.ready() {
			c.o.Log.Debug("reading a shard", "shard", m.id, "from", m.start.String())
			readers.Go(func() { c.read(ctx, m.id, m.start) })
		}
		c.counts.reading.Store(int64(l.count(reading)))
		c.counts.waiting.Store(int64(l.count(waiting)))
		if c.o.UntilTip && l.count(reading) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case out := <-c.ended:
			l.finish(out.shardID)
			l.learn(out.children)
			if out.closed {
				orphans.add(out.shardID)
			}
		case <-c.o.Timer(orphans.next()):
		}
		if err := c.sync(ctx, l); err != nil {
			return err
		}
		orphans.check(l)
	}
}

// sync lists the shards into the lineage.
func (c *Consumer) sync(ctx context.Context, l *lineage) error {
	var all []types.Shard
	in := &kinesis.ListShardsInput{StreamName: c.stream.name, StreamARN: c.stream.arn}
	k := caller{c: c, doing: "listing the shards of stream " + c.subject.Stream}
	for {
		var out *kinesis.ListShardsOutput
		err := k.do(ctx, func(ctx context.Context) (err error) {
			out, err = c.client.ListShards(ctx, in, noRetry)
			return err
		}, isExpiredToken)
		if isExpiredToken(err) { // the pages took longer than a token lives
			all, in = nil, &kinesis.ListShardsInput{StreamName: c.stream.name, StreamARN: c.stream.arn}
			continue
		}
		if err != nil {
			return err
		}
		all = append(all, out.Shards...)
		if out.NextToken == nil || *out.NextToken == "" {
			break
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
	l.takeIn(all)
	return nil
}

// read is a reader's goroutine.
func (c *Consumer) read(ctx context.Context, shardID string, from Position) {
	out, err := c.readShard(ctx, c.newPoller(shardID, from))
	if err != nil {
		c.cancel(err)
		return
	}
	out.shardID = shardID
	c.mu.Lock()
	delete(c.behind, shardID)
	c.mu.Unlock()
	select {
	case c.ended <- out:
	case <-ctx.Done():
	}
}

// readShard hands the batches of one shard over until its end, the tip if that
// is the aim, or an error.
func (c *Consumer) readShard(ctx context.Context, s source) (outcome, error) {
	for {
		f, err := s.next(ctx)
		if err != nil {
			return outcome{}, err
		}
		c.note(f.Batch)
		if len(f.Records) > 0 || f.End {
			if err := c.handle(ctx, f.Batch); err != nil {
				return outcome{}, err
			}
		}
		switch {
		case f.End:
			return outcome{closed: true, children: f.children}, nil
		case c.o.UntilTip && f.Behind == 0:
			return outcome{}, nil
		}
	}
}

// note keeps the numbers of a batch.
func (c *Consumer) note(b Batch) {
	c.counts.records.Add(uint64(len(b.Records)))
	bytes := 0
	for i := range b.Records {
		bytes += len(b.Records[i].Data)
	}
	c.counts.bytes.Add(uint64(bytes))
	c.mu.Lock()
	c.behind[b.ShardID] = b.Behind
	c.mu.Unlock()
}

// sleep waits, or returns the context's error. No wait is no wait.
func (c *Consumer) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.o.Timer(d):
		return nil
	}
}

func isExpiredToken(err error) bool {
	var expired *types.ExpiredNextTokenException
	return errors.As(err, &expired)
}
