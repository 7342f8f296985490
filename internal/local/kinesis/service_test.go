package kinesis

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/codec"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/streams"
	"gst-kinesis/internal/shard"
)

func newTestService(t testing.TB) *Service {
	t.Helper()
	store := streams.NewStore(streams.Settings{Account: "000000000000", Region: "us-east-1", Now: time.Now, MaxBytes: 1 << 30,
		ShardLimit: 100, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, store.Create(streams.CreateSpec{Name: "s", Shards: 4, MaxRecord: 10 * shard.MiB}))
	return New(store, fault.NewSet(1, time.Now))
}

// call runs one operation on a body.
func call(s *Service, op string, f codec.Format, body []byte) ([]byte, error) {
	w, err := s.Prepare(op, f, body)
	if err != nil {
		return nil, err
	}
	w.Subject()
	out, _, err := w.Run(context.Background())
	return out, err
}

// putBody writes a PutRecords request of n records.
func putBody(f codec.Format, n, size int) []byte {
	in := putRecordsInput{StreamName: new(string)}
	*in.StreamName = "s"
	key := "partition-key"
	for i := range n {
		data := make([]byte, size)
		for j := range data {
			data[j] = byte(i + j*7)
		}
		in.Records = append(in.Records, putRecordsEntry{PartitionKey: &key, Data: data})
	}
	w := f.NewWriter(nil)
	codec.ShapeOf[putRecordsInput]().Encode(w, &in)
	return w.Bytes()
}

func TestLargestRequest(t *testing.T) {
	t.Parallel()
	s := newTestService(t)
	const key = len("partition-key")
	for _, tc := range []struct {
		records, size int
		code          string
	}{
		{1, 10*shard.MiB - key, ""},
		{1, 10*shard.MiB - key + 1, apierr.Validation},
		{10, shard.MiB - key, ""},
		{11, shard.MiB - key, apierr.InvalidArgument},
		{500, 1, ""},
		{501, 1, apierr.Validation},
	} {
		_, err := call(s, "PutRecords", codec.CBOR, putBody(codec.CBOR, tc.records, tc.size))
		if tc.code == "" {
			require.NoError(t, err, "%+v", tc)
			continue
		}
		var e *apierr.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, tc.code, e.Code, "%+v", tc)
	}
}

func BenchmarkPutRecords(b *testing.B) {
	for name, f := range map[string]codec.Format{"JSON": codec.JSON, "CBOR": codec.CBOR} {
		for _, size := range []struct {
			name    string
			n, size int
		}{{"500x1kB", 500, 1000}, {"80x50KiB", 80, 50 << 10}, {"9x1MiB", 9, 1 << 20}} {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				store := streams.NewStore(streams.Settings{Account: "000000000000", Region: "us-east-1", Now: time.Now, MaxBytes: 256 << 20,
					ShardLimit: 100, Logger: slog.New(slog.DiscardHandler)})
				require.NoError(b, store.Create(streams.CreateSpec{Name: "s", Shards: 4, MaxRecord: 10 * shard.MiB}))
				s := New(store, fault.NewSet(1, time.Now))
				body := putBody(f, size.n, size.size)
				b.SetBytes(int64(size.n * size.size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := call(s, "PutRecords", f, body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
