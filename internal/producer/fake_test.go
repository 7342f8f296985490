package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"gst-kinesis/internal/envelope"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/shard"
)

// fakeClient is a stream of several shards in memory. An answer may be scripted.
type fakeClient struct {
	shards int
	// latency is how long a call takes.
	latency func() time.Duration
	// script, if set, may fail the call as a whole; the records are stored first
	// if it says so.
	script func(call int, records []stored) (store bool, err error)
	// recordFault, if set, may fail one record by an error code.
	recordFault func(call int, r stored) (code, message string)
	// mangle, if set, may spoil the answer.
	mangle func(call int, out *kinesis.PutRecordsOutput)

	// limited refuses what is beyond the shards' limits.
	limited bool
	// listing, if set, may fail ListShards.
	listing func() error

	mu        sync.Mutex
	list      []shard.Shard // once layShards has made it
	listed    int           // calls of ListShards
	tanks     map[string]*limit.Shard
	throttle  int  // records refused for the limits
	lines     bool // records are lines
	assembler *envelope.Assembler
	units     int // records stored, aggregates counted once
	calls     int
	sequence  int
	kept      []stored
	sizes     []int // records of each call
	bytes     []int // bytes of each call
	at        []time.Time
	inFlight  int
	peak      int
}

// stored is a record as the service holds it.
type stored struct {
	data, key, shard, sequence string
	index                      int  // in an aggregate
	void                       bool // KCL throws the aggregate away
	shaped                     bool // it came in an envelope
	call                       int
}

func (c *fakeClient) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	call := c.begin(in)
	defer c.end()
	if c.latency != nil {
		select {
		case <-time.After(c.latency()):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	records := c.read(in, call)
	if c.script != nil {
		store, err := c.script(call, records)
		if store {
			c.put(call, records, nil)
		}
		if err != nil {
			return nil, err
		}
	}
	out := &kinesis.PutRecordsOutput{}
	c.put(call, records, out)
	if c.mangle != nil {
		c.mangle(call, out)
	}
	return out, nil
}

func (c *fakeClient) begin(in *kinesis.PutRecordsInput) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	c.inFlight++
	c.peak = max(c.peak, c.inFlight)
	bytes := 0
	for _, e := range in.Records {
		bytes += len(e.Data) + len(*e.PartitionKey)
	}
	c.sizes, c.bytes, c.at = append(c.sizes, len(in.Records)), append(c.bytes, bytes), append(c.at, time.Now())
	if len(in.Records) == 0 || len(in.Records) > shard.MaxRequestRecords || bytes > shard.MaxRequestBytes {
		panic(fmt.Sprintf("a request of %d records and %d bytes", len(in.Records), bytes))
	}
	return c.calls
}

func (c *fakeClient) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight--
}

// read copies the request: its memory belongs to the producer.
func (c *fakeClient) read(in *kinesis.PutRecordsInput, call int) []stored {
	c.layShards()
	records := make([]stored, len(in.Records))
	for i, e := range in.Records {
		if e.Data == nil {
			panic("the SDK refuses nil data")
		}
		hash := shard.HashKey(*e.PartitionKey)
		if e.ExplicitHashKey != nil {
			hash, _ = shard.ParseHash(*e.ExplicitHashKey)
		}
		records[i] = stored{data: string(e.Data), key: string([]byte(*e.PartitionKey)), call: call}
		for _, s := range c.list {
			if !s.Closed && s.Range.Contains(hash) {
				records[i].shard = s.ID
			}
		}
	}
	return records
}

func (c *fakeClient) put(call int, records []stored, out *kinesis.PutRecordsOutput) {
	for _, r := range records {
		if c.recordFault != nil {
			if code, message := c.recordFault(call, r); code != "" {
				if out != nil {
					out.Records = append(out.Records, types.PutRecordsResultEntry{ErrorCode: aws.String(code), ErrorMessage: aws.String(message)})
				}
				continue
			}
		}
		if c.limited && !c.tank(r.shard).Take(time.Now(), limit.Auto, 1, len(r.data)+len(r.key)) {
			c.throttle++
			out.Records = append(out.Records, types.PutRecordsResultEntry{ErrorCode: aws.String("ProvisionedThroughputExceededException"), ErrorMessage: aws.String("Rate exceeded")})
			continue
		}
		c.sequence++
		r.sequence = fmt.Sprintf("%056d", c.sequence)
		c.keep(r)
		if out != nil {
			out.Records = append(out.Records, types.PutRecordsResultEntry{SequenceNumber: aws.String(r.sequence), ShardId: aws.String(r.shard)})
		}
	}
}

// all returns what the stream holds.
func (c *fakeClient) all() []stored {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]stored(nil), c.kept...)
}

// requests returns how many records each call had.
func (c *fakeClient) requests() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sizes)
}

func (c *fakeClient) peakInFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peak
}

func (c *fakeClient) callCount() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// fakeObserver keeps everything it hears.
type fakeObserver struct {
	mu         sync.Mutex
	deliveries []Delivery
	lost       map[string][]Lost
	letters    map[string][]Lost
	spooled    int
	troubles   []Trouble
	troubleAt  []time.Time
	recoveries []Recovery
	recoverAt  []time.Time
	notices    []Notice
	failures   []Trouble
	failedAt   []time.Time
}

// snapshot returns a copy of what was heard so far.
func (o *fakeObserver) snapshot() *fakeObserver {
	o.mu.Lock()
	defer o.mu.Unlock()
	return &fakeObserver{
		deliveries: slices.Clone(o.deliveries), lost: maps.Clone(o.lost), letters: maps.Clone(o.letters), spooled: o.spooled,
		troubles: slices.Clone(o.troubles), troubleAt: slices.Clone(o.troubleAt),
		recoveries: slices.Clone(o.recoveries), recoverAt: slices.Clone(o.recoverAt),
		notices: slices.Clone(o.notices), failures: slices.Clone(o.failures), failedAt: slices.Clone(o.failedAt),
	}
}

func newFakeObserver() *fakeObserver {
	return &fakeObserver{lost: make(map[string][]Lost), letters: make(map[string][]Lost)}
}

func (o *fakeObserver) Delivered(a *Answer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.deliveries = append(o.deliveries, a.Records...)
}

func (o *fakeObserver) Dropped(reason string, lost []Lost) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost[reason] = append(o.lost[reason], lost...)
}

func (o *fakeObserver) DeadLettered(reason string, lost []Lost) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.letters[reason] = append(o.letters[reason], lost...)
}

func (o *fakeObserver) Spooled(list []Lost) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spooled += len(list)
}

func (o *fakeObserver) Trouble(t Trouble) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.troubles, o.troubleAt = append(o.troubles, t), append(o.troubleAt, time.Now())
}

func (o *fakeObserver) Recovered(r Recovery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.recoveries, o.recoverAt = append(o.recoveries, r), append(o.recoverAt, time.Now())
}

func (o *fakeObserver) Noticed(n Notice) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.notices = append(o.notices, n)
}

func (o *fakeObserver) Failed(t Trouble) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failures, o.failedAt = append(o.failures, t), append(o.failedAt, time.Now())
}
