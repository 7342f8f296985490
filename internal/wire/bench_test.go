package wire_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"gst-kinesis/internal/local/codec"
	"gst-kinesis/internal/wire"
)

// benchCases are the requests that are measured: telemetry, frames, large frames.
func benchCases() []benchCase {
	return []benchCase{{"500x1000B", 500, 1000}, {"80x50KiB", 80, 50 << 10}, {"9x1MiB", 9, 1 << 20}}
}

type benchCase struct {
	name    string
	n, size int
}

func (c benchCase) input() *kinesis.PutRecordsInput {
	in := &kinesis.PutRecordsInput{StreamName: aws.String("s")}
	for i := range c.n {
		data := make([]byte, c.size)
		for j := range data {
			data[j] = byte(j * (i + 1))
		}
		in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: data, PartitionKey: aws.String(fmt.Sprintf("cam-%03d", i))})
	}
	return in
}

// memory is an HTTP client that reads a request once and answers it from memory.
type memory struct{ answers map[string][]byte } // by content type

func newMemory(n int) *memory {
	m := &memory{answers: map[string][]byte{}}
	for _, f := range []codec.Format{codec.JSON, codec.CBOR} {
		w := f.NewWriter(nil)
		w.MapStart()
		w.Key("FailedRecordCount")
		w.Int(0)
		w.Key("Records")
		w.ListStart()
		for range n {
			w.MapStart()
			w.Key("SequenceNumber")
			w.String("49640000000000000000000000000000000000000000000000000002")
			w.Key("ShardId")
			w.String("shardId-000000000000")
			w.MapEnd()
		}
		w.ListEnd()
		w.MapEnd()
		m.answers[f.ContentType()] = w.Bytes()
	}
	return m
}

func (m *memory) Do(r *http.Request) (*http.Response, error) {
	// WriteTo is used where a body has it, as a transport would.
	if _, err := io.Copy(discard{}, r.Body); err != nil {
		return nil, err
	}
	media := r.Header.Get("Content-Type")
	return &http.Response{
		StatusCode: http.StatusOK, ContentLength: int64(len(m.answers[media])), Body: io.NopCloser(bytes.NewReader(m.answers[media])),
		Header: http.Header{"Content-Type": {media}, "X-Amzn-Requestid": {"id"}}, Request: r,
	}, nil
}

// discard has no ReadFrom, so that a copy to it is io.Copy's own with 32 KiB.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func benchClient(doer kinesis.HTTPClient, options ...func(*kinesis.Options)) *kinesis.Client {
	return kinesis.New(kinesis.Options{
		Region: "eu-west-1", HTTPClient: doer, Retryer: aws.NopRetryer{},
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("AKID", "secret", "")),
	}, options...)
}

func contender(mode wire.Mode, n int) *kinesis.Client {
	return benchClient(newMemory(n), wire.New(wire.Settings{Mode: mode}).Install)
}

// rounds is how many requests make a turn: enough for each contender to collect its own
// garbage in it.
const rounds = 30

func hashAll(in *kinesis.PutRecordsInput) {
	h := sha256.New()
	for _, r := range in.Records {
		h.Write(r.Data)
	}
	h.Sum(nil)
}

// BenchmarkRatios measures the SDK's own client, ours, and the signature's hash in turns,
// so that they meet the same machine, on one core; the best turn of each counts, which
// others on the machine disturbed least. MB are 10^6 bytes of data.
func BenchmarkRatios(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, c := range benchCases() {
		b.Run(c.name, func(b *testing.B) {
			in := c.input()
			clients := []*kinesis.Client{benchClient(newMemory(c.n)), contender(wire.OnlyJSON, c.n), contender(wire.PreferCBOR, c.n)}
			var best [4]time.Duration
			turn := func(i int) {
				runtime.GC() // nobody pays for the garbage of another
				start := time.Now()
				for range rounds {
					if i == len(clients) {
						hashAll(in)
					} else if _, err := clients[i].PutRecords(b.Context(), in); err != nil {
						b.Fatal(err)
					}
				}
				if spent := time.Since(start); best[i] == 0 || spent < best[i] {
					best[i] = spent
				}
			}
			for b.Loop() {
				for i := range best {
					turn(i)
				}
			}
			rate := func(i int) float64 { return float64(rounds*c.n*c.size) / best[i].Seconds() / 1e6 }
			for i, name := range []string{"sdk", "json", "cbor", "sha256"} {
				b.ReportMetric(rate(i), name+"-MB/s")
			}
			b.ReportMetric(rate(1)/rate(0), "json/sdk")
			b.ReportMetric(rate(2)/rate(0), "cbor/sdk")
			b.ReportMetric(rate(2)/rate(3), "cbor/sha256")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkPutRecords is one contender alone, for profiles and allocations.
func BenchmarkPutRecords(b *testing.B) {
	for _, c := range benchCases() {
		for name, client := range map[string]*kinesis.Client{
			"sdk": benchClient(newMemory(c.n)), "json": contender(wire.OnlyJSON, c.n), "cbor": contender(wire.PreferCBOR, c.n),
		} {
			b.Run(strings.Join([]string{c.name, name}, "/"), func(b *testing.B) {
				in := c.input()
				b.SetBytes(int64(c.n * c.size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := client.PutRecords(b.Context(), in); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
