package consumer_test

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/consumer"
	"gst-kinesis/internal/envelope"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
)

func noise(n int) string {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// write puts records, key and data in turn, by a producer with the settings.
func write(t *testing.T, srv *local.Server, change func(*producer.Settings), records ...string) {
	t.Helper()
	set := producer.Default()
	set.Stream = "s"
	change(&set)
	p, err := producer.New(localtest.Client(srv, localtest.AnyCredentials()), set, nil)
	require.NoError(t, err)
	for i := 0; i < len(records); i += 2 {
		r := p.Reserve(len(records[i+1]))
		copy(r.Data, records[i+1])
		r.PartitionKey = records[i]
		require.NoError(t, p.Put(context.Background(), r))
	}
	require.NoError(t, p.Flush(context.Background()))
	p.Close()
	require.EqualValues(t, len(records)/2, p.Books().Delivered.Records)
}

// What a producer aggregates, compresses and divides is read as it was put.
func TestReadsWhatTheProducerShapes(t *testing.T) {
	t.Parallel()
	big, text := noise(3*shard.MiB), strings.Repeat("a long text ", 1000)
	for name, change := range map[string]func(*producer.Settings){
		"aggregated": func(s *producer.Settings) { s.Aggregation, s.Oversize = producer.AggregateKPL, producer.OversizeSplit },
		"by gzip":    func(s *producer.Settings) { s.Compression, s.Oversize = envelope.Gzip, producer.OversizeSplit },
		"by zstd, and aggregated": func(s *producer.Settings) {
			s.Compression, s.Oversize, s.Aggregation = envelope.Zstd, producer.OversizeSplit, producer.AggregateKPL
		},
		"in parts": func(s *producer.Settings) { s.Oversize = producer.OversizeSplit },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := localtest.Start(t, local.Settings{Create: []local.StreamSpec{{Name: "s", Shards: 1}}, Limits: local.LimitsNone})
			write(t, srv, change, "a", "1", "a", text, "a", big, "b", "", "a", "2", "a", "3")
			r := read(t, srv, consumer.Options{From: consumer.TrimHorizon(), UntilTip: true})
			require.NoError(t, r.Wait())
			want := map[string][]string{"a": {"1", text, big, "2", "3"}, "b": {""}}
			got := map[string][]string{}
			for _, line := range r.got {
				key, data, _ := strings.Cut(line, " ")
				got[key] = append(got[key], data)
			}
			require.Equal(t, want, got)
			require.EqualValues(t, 6, r.Stats().Records)
			require.Zero(t, r.Stats().Unread)

			raw := read(t, srv, consumer.Options{From: consumer.TrimHorizon(), UntilTip: true, Raw: true})
			require.NoError(t, raw.Wait())
			require.NotEqual(t, r.got, raw.got)
		})
	}
}

// What is damaged is discarded, counted and said, and the rest is read.
func TestDamagedRecordsAreDiscarded(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, local.Settings{Create: []local.StreamSpec{{Name: "s", Shards: 1}}})
	enc, err := envelope.NewEncoder(envelope.EncoderSettings{})
	require.NoError(t, err)
	parts, err := enc.Split(envelope.Whole([]byte("a message in parts")), envelope.Overhead+5)
	require.NoError(t, err)
	damaged := parts.AppendTo(nil, 0)
	damaged[len(damaged)-1] ^= 1
	write(t, srv, func(*producer.Settings) {}, "k", "before", "k", string(damaged), "k", string(parts.AppendTo(nil, 1)), "k", "after")
	var log bytes.Buffer
	r := read(t, srv, consumer.Options{From: consumer.TrimHorizon(), UntilTip: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, r.Wait())
	require.Equal(t, []string{"k before", "k after"}, r.got)
	require.EqualValues(t, 1, r.Stats().Unread)
	require.Equal(t, 1, r.Stats().Partial)
	require.Contains(t, log.String(), "discarding records that cannot be read")
	require.Contains(t, log.String(), "the envelope is damaged")
}
