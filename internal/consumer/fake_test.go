package consumer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// fakeStream is a stream in memory that keeps the service's rules for readers:
// iterators that expire, five reads a second, closed shards that point to their
// children. Faults are set by the tests.
type fakeStream struct {
	mu     sync.Mutex
	shards []*fakeShard
	number int // the last sequence number

	pageSize   int           // of ListShards; 0 is all
	iterLife   time.Duration // 0 is five minutes
	hideLists  int           // so many listings leave the newest two shards out
	noChildren bool          // GetRecords does not name children
	perCall    int           // records in an answer; 0 is ten
	latency    time.Duration
	fail       func(operation, shard string) error

	calls map[string][]time.Time // by operation and shard
	asked []string               // iterators asked for: "shard type"
}

type fakeShard struct {
	id       string
	parents  []string
	records  []types.Record
	closed   bool
	removed  bool // no longer listed
	children []types.ChildShard
}

func newFake(shards int) *fakeStream {
	f := &fakeStream{calls: map[string][]time.Time{}}
	for range shards {
		f.addShard()
	}
	return f
}

func (f *fakeStream) addShard(parents ...string) *fakeShard {
	s := &fakeShard{id: fmt.Sprintf("shardId-%012d", len(f.shards)), parents: parents}
	f.shards = append(f.shards, s)
	return s
}

func (f *fakeStream) find(id string) *fakeShard {
	i := slices.IndexFunc(f.shards, func(s *fakeShard) bool { return s.id == id })
	return f.shards[i]
}

// put stores a record in shard number i and returns its sequence number.
func (f *fakeStream) put(i int, key, data string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.number++
	n := fmt.Sprintf("%020d", f.number)
	f.shards[i].records = append(f.shards[i].records, types.Record{
		Data: []byte(data), PartitionKey: aws.String(key), SequenceNumber: aws.String(n), ApproximateArrivalTimestamp: aws.Time(time.Now()),
	})
	return n
}

// reshard closes shards and gives them n children.
func (f *fakeStream) reshard(n int, closing ...int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var parents []string
	for _, i := range closing {
		f.shards[i].closed = true
		parents = append(parents, f.shards[i].id)
	}
	var children []types.ChildShard
	for range n {
		children = append(children, types.ChildShard{ShardId: aws.String(f.addShard(parents...).id), ParentShards: parents})
	}
	for _, i := range closing {
		f.shards[i].children = children
	}
}

// hide leaves the newest two shards out of the next n listings.
func (f *fakeStream) hide(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hideLists = n
}

// enter counts a call, waits the latency and lets the script fail it, which
// is called under the lock.
func (f *fakeStream) enter(ctx context.Context, operation, shard string) error {
	f.mu.Lock()
	key := strings.TrimSpace(operation + " " + shard)
	f.calls[key] = append(f.calls[key], time.Now())
	latency := f.latency
	f.mu.Unlock()
	if latency > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(latency):
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail(operation, shard)
	}
	return ctx.Err()
}

func (f *fakeStream) ListShards(ctx context.Context, in *kinesis.ListShardsInput, _ ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	if err := f.enter(ctx, "ListShards", ""); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if in.NextToken == nil && in.StreamName == nil && in.StreamARN == nil || in.NextToken != nil && in.StreamName != nil {
		return nil, &types.InvalidArgumentException{Message: aws.String("NextToken and StreamName cannot be provided together.")}
	}
	visible := f.shards
	if in.NextToken == nil && f.hideLists > 0 {
		f.hideLists--
		visible = visible[:len(visible)-2]
	}
	first, _ := strconv.Atoi(aws.ToString(in.NextToken))
	last := len(visible)
	if f.pageSize > 0 {
		last = min(first+f.pageSize, last)
	}
	out := &kinesis.ListShardsOutput{}
	for _, s := range visible[first:last] {
		if !s.removed {
			out.Shards = append(out.Shards, s.describe())
		}
	}
	if last < len(visible) {
		out.NextToken = aws.String(strconv.Itoa(last))
	}
	return out, nil
}

func (s *fakeShard) describe() types.Shard {
	d := types.Shard{ShardId: aws.String(s.id), SequenceNumberRange: &types.SequenceNumberRange{StartingSequenceNumber: aws.String("0")}}
	if s.closed {
		d.SequenceNumberRange.EndingSequenceNumber = aws.String("9")
	}
	for i, p := range s.parents {
		*[]**string{&d.ParentShardId, &d.AdjacentParentShardId}[i] = aws.String(p)
	}
	return d
}

func (f *fakeStream) GetShardIterator(ctx context.Context, in *kinesis.GetShardIteratorInput, _ ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error) {
	id := aws.ToString(in.ShardId)
	if err := f.enter(ctx, "GetShardIterator", id); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, id+" "+string(in.ShardIteratorType))
	s := f.find(id)
	at := 0
	switch in.ShardIteratorType {
	case types.ShardIteratorTypeLatest:
		at = len(s.records)
	case types.ShardIteratorTypeAtTimestamp:
		at, _ = slices.BinarySearchFunc(s.records, *in.Timestamp, func(r types.Record, t time.Time) int { return r.ApproximateArrivalTimestamp.Compare(t) })
	case types.ShardIteratorTypeAfterSequenceNumber:
		at, _ = slices.BinarySearchFunc(s.records, *in.StartingSequenceNumber+"+", func(r types.Record, n string) int { return cmp.Compare(*r.SequenceNumber, n) })
	}
	return &kinesis.GetShardIteratorOutput{ShardIterator: f.iterator(id, at)}, nil
}

func (f *fakeStream) iterator(id string, at int) *string {
	return aws.String(fmt.Sprintf("%s|%d|%d", id, at, time.Now().UnixNano()))
}

func (f *fakeStream) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error) {
	parts := strings.Split(aws.ToString(in.ShardIterator), "|")
	id := parts[0]
	if err := f.enter(ctx, "GetRecords", id); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	at, _ := strconv.Atoi(parts[1])
	born, _ := strconv.ParseInt(parts[2], 10, 64)
	if time.Since(time.Unix(0, born)) > cmp.Or(f.iterLife, 5*time.Minute) {
		return nil, &types.ExpiredIteratorException{Message: aws.String("Iterator expired.")}
	}
	s := f.find(id)
	n := cmp.Or(f.perCall, 10)
	if in.Limit != nil {
		n = min(n, int(*in.Limit))
	}
	end := min(at+n, len(s.records))
	out := &kinesis.GetRecordsOutput{Records: slices.Clone(s.records[at:end]), MillisBehindLatest: aws.Int64(0)}
	if end < len(s.records) {
		out.MillisBehindLatest = aws.Int64(time.Since(*s.records[end].ApproximateArrivalTimestamp).Milliseconds() + 1)
	}
	if end == len(s.records) && s.closed {
		if !f.noChildren {
			out.ChildShards = s.children
		}
		return out, nil
	}
	out.NextShardIterator = f.iterator(id, end)
	return out, nil
}

// got collects what a handler is given, in order.
type got struct {
	mu      sync.Mutex
	records []string // "key data"
	ends    []string
}

func (g *got) handle(_ context.Context, b Batch) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range b.Records {
		g.records = append(g.records, r.PartitionKey+" "+string(r.Data))
	}
	if b.End {
		g.ends = append(g.ends, b.ShardID)
	}
	return nil
}

func (g *got) all() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.records)
}
