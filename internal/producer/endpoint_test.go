package producer

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/shard"
)

func TestEndpointTakesEverything(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{Limits: local.LimitsNone}, 4)
	f.start()
	f.put(5000, 7)
	require.NoError(t, f.p.Flush(context.Background()))
	f.checkComplete()
	f.checkOrder()
	require.Len(t, f.o.snapshot().deliveries, 5000)
}

func TestEndpointWrongSecret(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{Credentials: []local.Credentials{{AccessKeyID: "test", SecretAccessKey: "right"}}}, 1)
	f.startAs("test", "wrong")
	f.put(1, 1)
	f.until("failure", func(o *fakeObserver) bool { return len(o.failures) == 1 })
	failure := f.o.snapshot().failures[0]
	require.Equal(t, "InvalidSignatureException", failure.Code)
	require.Contains(t, failure.Remedy, "secret-access-key")
	require.NotEmpty(t, failure.RequestID)
	require.NotZero(t, failure.HTTPStatus)
	require.EqualValues(t, 1, f.p.Books().Dropped["InvalidSignatureException"].Records)
}

func TestEndpointUnknownKey(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{Credentials: []local.Credentials{{AccessKeyID: "test", SecretAccessKey: "right"}}}, 1)
	f.startAs("nobody", "wrong")
	f.put(1, 1)
	f.until("failure", func(o *fakeObserver) bool { return len(o.failures) == 1 })
	require.Equal(t, "UnrecognizedClientException", f.o.snapshot().failures[0].Code)
}

func TestEndpointMissingStream(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{}, 0)
	f.start()
	f.put(1, 1)
	f.until("failure", func(o *fakeObserver) bool { return len(o.failures) == 1 })
	failure := f.o.snapshot().failures[0]
	require.Equal(t, "ResourceNotFoundException", failure.Code)
	require.Contains(t, failure.Remedy, "gst-kinesis stream create frames --shards 1")
	require.Contains(t, failure.Remedy, local.DefaultRegion)
}

func TestEndpointStreamRedeployed(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{}, 1)
	f.start()
	f.put(1, 1)
	require.NoError(t, f.p.Flush(context.Background()))
	require.NoError(t, f.server.DeleteStream("frames"))
	f.put(3, 1)
	f.until("a warning", func(o *fakeObserver) bool { return len(o.troubles) > 0 })
	require.NoError(t, f.server.CreateStream(local.StreamSpec{Name: "frames", Shards: 2}))
	require.NoError(t, f.p.Flush(context.Background()), "deleted and created anew within permanent-grace")
	require.Len(t, f.stored(), 3)
	require.Empty(t, f.o.snapshot().failures)
}

func TestEndpointDownAtStart(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{}, 2)
	f.server.Stop()
	f.start()
	f.put(10, 3)
	f.until("a warning", func(o *fakeObserver) bool { return len(o.troubles) > 0 })
	require.Equal(t, awserr.CodeRefused, f.o.snapshot().troubles[0].Code)
	require.NoError(t, f.server.Start())
	require.NoError(t, f.p.Flush(context.Background()))
	f.checkComplete()
	f.checkOrder()
	f.until("recovery", func(o *fakeObserver) bool { return len(o.recoveries) == 1 })
}

func TestEndpointKilledMidStream(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{Limits: local.LimitsNone}, 2)
	f.settings.Linger = 0
	f.start()
	f.put(200, 5)
	f.until("a delivery", func(o *fakeObserver) bool { return len(o.deliveries) > 0 })
	f.server.Stop()
	f.put(200, 5)
	f.until("a warning", func(o *fakeObserver) bool { return len(o.troubles) > 0 })
	require.NoError(t, f.server.Start())
	f.put(200, 5)
	require.NoError(t, f.p.Flush(context.Background()))
	f.checkComplete()
}

func TestEndpointFaultsOfTheConnection(t *testing.T) {
	t.Parallel()
	rules := map[string]fault.Rule{
		"garbled": {Garble: true, Count: 3},
		"500":     {Error: &fault.Failure{Code: "InternalFailure"}, Count: 3},
		"503":     {Error: &fault.Failure{Code: "ServiceUnavailable"}, Count: 3},
		"hung":    {Hang: true, Count: 2},
		"slow":    {Latency: fault.Span{Least: 300 * time.Millisecond}, Count: 2},
		"kms":     {Error: &fault.Failure{Code: "KMSThrottlingException"}, Count: 3},
		"limit":   {Error: &fault.Failure{Code: "LimitExceededException"}, Count: 3},
	}
	for _, cut := range []fault.Cut{fault.CutBeforeBody, fault.CutAfterBody, fault.CutAfterProcessing, fault.CutMidAnswer} {
		rules["cut "+string(cut)] = fault.Rule{Cut: cut, Count: 3}
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule.Operations = []string{"PutRecords"}
			f := newField(t, local.Settings{Limits: local.LimitsNone, Faults: []local.Rule{rule}}, 2)
			f.settings.RequestTimeout, f.settings.MaxBatchRecords = 500*time.Millisecond, 50
			f.start()
			f.put(500, 5)
			require.NoError(t, f.p.Flush(context.Background()))
			f.checkComplete()
		})
	}
}

func TestEndpointTenPercentOfRecordsFail(t *testing.T) {
	t.Parallel()
	rule := fault.Rule{Operations: []string{"PutRecords"}, Probability: 0.1, Record: &fault.Failure{Code: "InternalFailure", Message: "no"}}
	f := newField(t, local.Settings{Limits: local.LimitsNone, Faults: []local.Rule{rule}, Seed: 1}, 2)
	f.start()
	f.put(2000, 5)
	require.NoError(t, f.p.Flush(context.Background()))
	f.checkComplete()
	require.Greater(t, f.p.Stats().Retries, int64(100))
	require.Zero(t, f.p.Books().PossibleDuplicates)
}

func TestEndpointOneOfTwoShardsThrottled(t *testing.T) {
	t.Parallel()
	rule := fault.Rule{Operations: []string{"PutRecords"}, Shard: "shardId-000000000000", Throttle: true, Until: 2 * time.Second}
	f := newField(t, local.Settings{Limits: local.LimitsNone, Faults: []local.Rule{rule}}, 2)
	f.start()
	f.put(1000, 50)
	cold := func(o *fakeObserver) (n int) {
		for _, d := range o.deliveries {
			if d.ShardID == "shardId-000000000001" {
				n++
			}
		}
		return n
	}
	want := 0
	for i := range 1000 {
		if shard.EvenRanges(2)[1].Contains(shard.HashKey(fmt.Sprint("key", i%50))) {
			want++
		}
	}
	f.until("the other shard's records", func(o *fakeObserver) bool { return cold(o) == want })
	require.Less(t, len(f.o.snapshot().deliveries), 1000)
	require.NoError(t, f.p.Flush(context.Background()))
	f.checkComplete()
	require.Positive(t, f.p.Stats().Throttled)
}

func TestEndpointAWSLimits(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{}, 1) // 1000 records a second
	f.start()
	f.put(2500, 3)
	require.NoError(t, f.p.Flush(context.Background()))
	f.checkComplete()
	require.Positive(t, f.p.Stats().Throttled)
}

func TestEndpointSizes(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{Limits: local.LimitsNone}, 1)
	f.settings.MaxRecordSize = shard.MaxMaxRecordBytes // more than the stream takes
	f.start()
	for _, size := range []int{0, 1, shard.DefaultMaxRecordBytes - 1, shard.DefaultMaxRecordBytes, 12 * shard.MiB, 5} {
		r := f.p.Reserve(size)
		r.PartitionKey = "k"
		require.NoError(t, f.p.Put(context.Background(), r))
	}
	require.NoError(t, f.p.Flush(context.Background()))
	books := f.p.Books()
	require.True(t, books.Balanced())
	require.EqualValues(t, 4, books.Delivered.Records, "%+v", books)
	require.EqualValues(t, 1, books.Dropped[ReasonOversize].Records, "12 MiB")
	require.EqualValues(t, 2, books.DroppedAll().Records, "and one that the stream itself refused: %+v", books)
	require.Empty(t, f.o.snapshot().failures)
}

func TestEndpointByARN(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{}, 1)
	f.settings.StreamARN = "arn:aws:kinesis:" + local.DefaultRegion + ":" + local.DefaultAccount + ":stream/frames"
	f.start()
	f.put(10, 1)
	require.NoError(t, f.p.Flush(context.Background()))
	f.checkComplete()
}

func TestEndpointStopWithoutDrain(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{Faults: []local.Rule{{Hang: true}}}, 1)
	f.settings.StopTimeout = 100 * time.Millisecond
	f.start()
	f.put(100, 3)
	f.p.Close()
	books := f.p.Books()
	require.True(t, books.Balanced())
	require.EqualValues(t, 100, books.Dropped[ReasonStop].Records)
}

// measure returns how many goroutines there are and what the heap holds.
func measure() (goroutines int, heap uint64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}

// TestEndpointNothingIsLeft starts and stops producers and sessions, in good and
// bad times, and looks at goroutines and memory afterwards.
func TestEndpointNothingIsLeft(t *testing.T) { //nolint:paralleltest // counts the process's goroutines
	server := localtest.Start(t, local.Settings{Limits: local.LimitsNone, Create: []local.StreamSpec{{Name: "frames", Shards: 2}}})
	const rounds = 24
	once := func(bad bool) {
		settings := Default()
		settings.Stream, settings.StopTimeout = "frames", 10*time.Millisecond
		endpoint := server.URL()
		if bad {
			endpoint = "http://127.0.0.1:1"
		}
		session, err := awscfg.Open(context.Background(), awscfg.Settings{
			Region: local.DefaultRegion, EndpointURI: endpoint, AccessKey: "a", SecretAccessKey: "b",
		}, awscfg.Stream{})
		require.NoError(t, err)
		defer session.Close()
		p, err := New(session.Kinesis(), settings, nil, WithCredentials(session.CheckCredentials, nil))
		require.NoError(t, err)
		defer p.Close()
		for i := range 20 {
			r := p.Reserve(10 << 10)
			r.PartitionKey = strconv.Itoa(i)
			require.NoError(t, p.Put(context.Background(), r))
		}
		if !bad {
			require.NoError(t, p.Flush(context.Background()))
		}
	}
	once(false)
	once(true)
	before, heapBefore := measure()
	for i := range rounds {
		once(i%4 == 0)
	}
	after, _ := measure()
	for limit := time.Now().Add(10 * time.Second); after > before && time.Now().Before(limit); after, _ = measure() {
		runtime.Gosched() // the server's side of closed connections ends by itself
	}
	require.LessOrEqual(t, after, before)
	_, heapAfter := measure()
	stored := uint64(rounds*20) * (10<<10 + 1024) // what the endpoint holds now
	require.Less(t, heapAfter, heapBefore+stored+8*shard.MiB)
}

func TestEndpointManyPutters(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{Limits: local.LimitsNone}, 4)
	f.settings.MaxSizeBuffers = 100
	f.start()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				r := f.p.Reserve(8)
				copy(r.Data, fmt.Sprintf("%d.%06d", g, i))
				r.PartitionKey = fmt.Sprint(g)
				if err := f.p.Put(context.Background(), r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, f.p.Flush(context.Background()))
	records, err := f.server.Records("frames")
	require.NoError(t, err)
	require.Len(t, records, 4000)
	last := make(map[string]string)
	for _, r := range records {
		require.Less(t, last[r.PartitionKey], string(r.Data))
		last[r.PartitionKey] = string(r.Data)
	}
}
