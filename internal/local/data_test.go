package local_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/shard"
)

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func TestPutRecordsGoWhereTheirKeysHash(t *testing.T) {
	t.Parallel()
	set := demo(4)
	set.Limits = local.LimitsNone
	b := newBench(t, set)
	ranges := shard.EvenRanges(4)
	var entries []types.PutRecordsRequestEntry
	for i := range 100 {
		entries = append(entries, entry(fmt.Sprintf("key-%d-ä", i), []byte{byte(i)}))
	}
	for i, r := range ranges {
		e := entry("same", []byte(fmt.Sprint(i)))
		e.ExplicitHashKey = aws.String(r.End.String())
		entries = append(entries, e)
	}
	out, err := b.client.PutRecords(b.ctx, &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: entries})
	require.NoError(t, err)
	require.Zero(t, *out.FailedRecordCount)
	for i, r := range out.Records {
		h := shard.HashKey(*entries[i].PartitionKey)
		if entries[i].ExplicitHashKey != nil {
			h, err = shard.ParseHash(*entries[i].ExplicitHashKey)
			require.NoError(t, err)
		}
		var n int
		_, err := fmt.Sscanf(*r.ShardId, "shardId-%012d", &n)
		require.NoError(t, err)
		require.True(t, ranges[n].Contains(h))
		require.Nil(t, r.ErrorCode)
	}
	keys, _ := b.read("demo", "shardId-000000000003")
	require.Equal(t, "same", keys[len(keys)-1])
}

func TestOrderingOfSequenceNumbers(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(2))
	in := &kinesis.PutRecordInput{StreamName: aws.String("demo"), PartitionKey: aws.String("k"), Data: []byte("x")}
	for range 10 {
		out, err := b.client.PutRecord(b.ctx, in)
		require.NoError(t, err)
		if in.SequenceNumberForOrdering != nil {
			require.Greater(t, *out.SequenceNumber, *in.SequenceNumberForOrdering)
		}
		in.SequenceNumberForOrdering = out.SequenceNumber
	}
	in.SequenceNumberForOrdering = aws.String("123")
	_, err := b.client.PutRecord(b.ctx, in)
	requireError(t, err, "InvalidArgumentException", "ExclusiveMinimumSequenceNumber 123 used in PutRecord on stream demo under account 000000000000 is invalid.")
}

func TestPutErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(1))
	many := make([]types.PutRecordsRequestEntry, 501)
	for i := range many {
		many[i] = entry("k", []byte{1})
	}
	one := many[:1]
	mib := bytes.Repeat([]byte{1}, shard.MiB)
	withHash := func(h string) []types.PutRecordsRequestEntry {
		e := entry("k", nil)
		e.Data, e.ExplicitHashKey = []byte{}, &h
		return []types.PutRecordsRequestEntry{e}
	}
	for name, tc := range map[string]struct {
		stream      string
		records     []types.PutRecordsRequestEntry
		code, words string
	}{
		"no stream":   {"none", one, "ResourceNotFoundException", "Stream none under account 000000000000 not found."},
		"501 records": {"demo", many, "ValidationException", "at 'records' failed to satisfy constraint: Member must have length less than or equal to 500"},
		"no records":  {"demo", many[:0], "ValidationException", "Value '[]' at 'records' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		"no key":      {"demo", []types.PutRecordsRequestEntry{entry("", []byte{1})}, "ValidationException", "Value '' at 'records.1.member.partitionKey' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		"long key":    {"demo", []types.PutRecordsRequestEntry{entry(strings.Repeat("ä", 257), []byte{1})}, "ValidationException", "Member must have length less than or equal to 256"},
		"large record": {"demo", []types.PutRecordsRequestEntry{many[0], entry("k", mib)}, "ValidationException",
			"1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=1048576 cap=1048576]' at 'records.2.member.data' failed to satisfy constraint: Member must have length less than or equal to 1048576"},
		"largest hash": {"demo", withHash("340282366920938463463374607431768211456"), "InvalidArgumentException",
			"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was 340282366920938463463374607431768211456"},
		"no number": {"demo", withHash("007"), "ValidationException", "Value '007' at 'records.1.member.explicitHashKey' failed to satisfy constraint: Member must satisfy regular expression pattern: 0|([1-9]\\d{0,38})"},
	} {
		_, err := b.client.PutRecords(b.ctx, &kinesis.PutRecordsInput{StreamName: &tc.stream, Records: tc.records})
		requireError(t, err, tc.code, tc.words)
		_ = name
	}
	books, err := b.srv.Records("demo")
	require.NoError(t, err)
	require.Empty(t, books, "a request that fails as a whole stores nothing")

	_, err = b.client.PutRecord(b.ctx, &kinesis.PutRecordInput{StreamName: aws.String("demo"), PartitionKey: aws.String("k"), Data: mib})
	requireError(t, err, "ValidationException", "at 'data' failed to satisfy constraint: Member must have length less than or equal to 1048576")
	_, err = b.client.PutRecord(b.ctx, &kinesis.PutRecordInput{PartitionKey: aws.String("k"), Data: []byte{1}})
	requireError(t, err, "InvalidArgumentException", "Either StreamName or StreamARN should be provided.")
	_, err = b.client.PutRecord(b.ctx, &kinesis.PutRecordInput{StreamName: aws.String("demo"), PartitionKey: aws.String("k"), Data: []byte{}})
	require.NoError(t, err, "an empty record is a record")
}

func large(n, size int) []types.PutRecordsRequestEntry {
	list := make([]types.PutRecordsRequestEntry, n)
	for i := range list {
		list[i] = entry("k", bytes.Repeat([]byte{byte(i)}, size))
	}
	return list
}

func TestThrottledRecords(t *testing.T) {
	t.Parallel()
	c := newClock()
	set := demo(2)
	set.Now = c.now
	b := newBench(t, set)
	ranges := shard.EvenRanges(2)
	hot, cold := ranges[0].Start.String(), ranges[1].Start.String()
	entries := large(400, 10)
	for i := range entries {
		entries[i].ExplicitHashKey = &hot
	}
	put := func() *kinesis.PutRecordsOutput {
		out, err := b.client.PutRecords(b.ctx, &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: entries})
		require.NoError(t, err)
		return out
	}
	require.Zero(t, *put().FailedRecordCount)
	require.Zero(t, *put().FailedRecordCount)
	entries[300].ExplicitHashKey = &cold
	out := put()
	require.EqualValues(t, 199, *out.FailedRecordCount, "the hot shard takes 1000 records a second, the other is idle")
	require.Nil(t, out.Records[199].ErrorCode)
	require.Equal(t, "shardId-000000000001", *out.Records[300].ShardId)
	require.Equal(t, "ProvisionedThroughputExceededException", *out.Records[301].ErrorCode)
	require.Equal(t, "Rate exceeded for shard shardId-000000000000 in stream demo under account 000000000000.", *out.Records[301].ErrorMessage)
	require.Nil(t, out.Records[301].SequenceNumber)
	require.Nil(t, out.Records[301].ShardId)

	one := &kinesis.PutRecordInput{StreamName: aws.String("demo"), PartitionKey: aws.String("k"), ExplicitHashKey: &hot, Data: []byte{1}}
	_, err := b.client.PutRecord(b.ctx, one)
	requireError(t, err, "ProvisionedThroughputExceededException", "Rate exceeded for shard shardId-000000000000 in stream demo under account 000000000000.")
	c.add(time.Second)
	_, err = b.client.PutRecord(b.ctx, one)
	require.NoError(t, err)
	require.EqualValues(t, 200, b.srv.Stats().Failed)
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, demo(1))
	name, yes := aws.String("demo"), aws.Bool(true)
	put := func(stream string) error {
		_, err := b.client.PutRecords(b.ctx, &kinesis.PutRecordsInput{StreamName: &stream, DryRun: yes, Records: []types.PutRecordsRequestEntry{entry("k", []byte("x"))}})
		return err
	}
	var dry *types.DryRunOperationException
	require.ErrorAs(t, put("demo"), &dry)
	requireError(t, put("none"), "ResourceNotFoundException", "none")
	_, err := b.client.PutRecord(b.ctx, &kinesis.PutRecordInput{StreamName: name, DryRun: yes, PartitionKey: aws.String("k"), Data: []byte("x")})
	require.ErrorAs(t, err, &dry)
	in := &kinesis.GetShardIteratorInput{StreamName: name, ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeLatest}
	it, err := b.client.GetShardIterator(b.ctx, in)
	require.NoError(t, err)
	in.DryRun = yes
	_, err = b.client.GetShardIterator(b.ctx, in)
	require.ErrorAs(t, err, &dry)
	_, err = b.client.GetRecords(b.ctx, &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator, DryRun: yes})
	require.ErrorAs(t, err, &dry)
	books, err := b.srv.Records("demo")
	require.NoError(t, err)
	require.Empty(t, books)
}

func TestIteratorsThroughTheAPI(t *testing.T) {
	t.Parallel()
	c := newClock()
	set := demo(1)
	set.Now = c.now
	b := newBench(t, set)
	name, id := aws.String("demo"), aws.String("shardId-000000000000")
	var sequences []string
	var times []time.Time
	for i := range 4 {
		out, err := b.client.PutRecord(b.ctx, &kinesis.PutRecordInput{StreamName: name, PartitionKey: aws.String("k"), Data: []byte{byte('0' + i)}})
		require.NoError(t, err)
		sequences, times = append(sequences, *out.SequenceNumber), append(times, c.now())
		c.add(10 * time.Second)
	}
	first := func(in kinesis.GetShardIteratorInput) string {
		in.StreamName, in.ShardId = name, id
		it, err := b.client.GetShardIterator(b.ctx, &in)
		require.NoError(t, err)
		out, err := b.client.GetRecords(b.ctx, &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator, Limit: aws.Int32(1)})
		require.NoError(t, err)
		c.add(time.Second)
		if len(out.Records) == 0 {
			return ""
		}
		return string(out.Records[0].Data)
	}
	require.Equal(t, "0", first(kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeTrimHorizon}))
	require.Equal(t, "", first(kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeLatest}))
	require.Equal(t, "2", first(kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber, StartingSequenceNumber: &sequences[2]}))
	require.Equal(t, "3", first(kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAfterSequenceNumber, StartingSequenceNumber: &sequences[2]}))
	at := times[1].Add(time.Millisecond)
	require.Equal(t, "2", first(kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtTimestamp, Timestamp: &at}))

	it, err := b.client.GetShardIterator(b.ctx, &kinesis.GetShardIteratorInput{StreamName: name, ShardId: id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	require.NoError(t, err)
	c.add(301 * time.Second)
	set2 := &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator}
	_, err = b.client.GetRecords(b.ctx, set2)
	requireError(t, err, "ExpiredIteratorException", "Iterator expired. The iterator was created at time ")
}
