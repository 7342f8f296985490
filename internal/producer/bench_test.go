package producer

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/localtest"
)

// discard is a client that takes everything at once and allocates little.
type discard struct{ entries []types.PutRecordsResultEntry }

func newDiscard() *discard {
	d := &discard{entries: make([]types.PutRecordsResultEntry, 500)}
	for i := range d.entries {
		d.entries[i] = types.PutRecordsResultEntry{SequenceNumber: aws.String("1"), ShardId: aws.String("shardId-000000000000")}
	}
	return d
}

func (d *discard) PutRecords(_ context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	return &kinesis.PutRecordsOutput{Records: d.entries[:len(in.Records)]}, nil
}

func benchmarkPut(b *testing.B, size int, keys ...string) {
	s := Default()
	s.Stream = "bench"
	p, err := New(newDiscard(), s, nil)
	if err != nil {
		b.Fatal(err)
	}
	payload := make([]byte, size)
	ctx := context.Background()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		r := p.Reserve(size)
		copy(r.Data, payload)
		r.PartitionKey = keys[i%len(keys)]
		if err := p.Put(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	p.Close()
	if books := p.Books(); books.Delivered.Records != int64(b.N) || !books.Balanced() {
		b.Fatalf("books: %+v", books)
	}
}

func BenchmarkPut1KiB(b *testing.B) { benchmarkPut(b, 1<<10, "camera0") }
func BenchmarkPut1KiBKeys(b *testing.B) {
	benchmarkPut(b, 1<<10, "a0", "b1", "c2", "d3", "e4", "f5", "g6", "h7")
}
func BenchmarkPut200KiB(b *testing.B) { benchmarkPut(b, 200<<10, "camera0", "camera1") }

// BenchmarkInFlight sends to the embedded endpoint, 30 ms away, with several
// numbers of requests in flight; it is how the default was chosen.
func BenchmarkInFlight(b *testing.B) {
	for _, load := range []struct {
		name       string
		size, keys int
	}{{"1KiBx50keys", 1 << 10, 50}, {"200KiBx8keys", 200 << 10, 8}} {
		for _, inFlight := range []int{1, 2, 4, 8, 16} {
			b.Run(fmt.Sprintf("%s/%d", load.name, inFlight), func(b *testing.B) { benchmarkInFlight(b, inFlight, load.size, load.keys) })
		}
	}
}

func benchmarkInFlight(b *testing.B, inFlight, size, keys int) {
	server := localtest.Start(b, local.Settings{
		Limits: local.LimitsNone, MaxBytes: 64 << 20, Create: []local.StreamSpec{{Name: "bench", Shards: 4}},
		Faults: []local.Rule{{Latency: fault.Span{Least: 30 * time.Millisecond}}},
	})
	s := Default()
	s.Stream, s.MaxInFlight = "bench", inFlight
	session, err := awscfg.Open(context.Background(), awscfg.Settings{
		Region: local.DefaultRegion, EndpointURI: server.URL(), AccessKey: "a", SecretAccessKey: "b",
	}, awscfg.Stream{})
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	p, err := New(session.Kinesis(), s, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	b.SetBytes(int64(size))
	b.ResetTimer()
	for i := range b.N {
		r := p.Reserve(size)
		r.PartitionKey = fmt.Sprint("key", i%keys)
		if err := p.Put(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	stats := p.Stats()
	b.ReportMetric(float64(stats.Latency.P50.Milliseconds()), "p50-ms")
	b.ReportMetric(float64(stats.Latency.P99.Milliseconds()), "p99-ms")
	b.ReportMetric(float64(b.N)/float64(stats.Requests), "records/request")
	b.ReportMetric(float64(stats.FailedRequests), "failed")
}
