package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/intake"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
)

// accepting is a service that takes everything at once.
type accepting struct{ entries []types.PutRecordsResultEntry }

func newAccepting() *accepting {
	a := &accepting{entries: make([]types.PutRecordsResultEntry, shard.MaxRequestRecords)}
	for i := range a.entries {
		a.entries[i] = types.PutRecordsResultEntry{SequenceNumber: aws.String("1"), ShardId: aws.String("shardId-000000000000")}
	}
	return a
}

func (a *accepting) PutRecords(_ context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	return &kinesis.PutRecordsOutput{Records: a.entries[:len(in.Records)]}, nil
}

// BenchmarkProduce reads a file of lines of 1 kB into a producer, whose client takes no time.
func BenchmarkProduce(b *testing.B) {
	const lines = 100_000
	path := filepath.Join(b.TempDir(), "lines")
	require.NoError(b, os.WriteFile(path, bytes.Repeat(append(bytes.Repeat([]byte{'x'}, 1023), '\n'), lines), 0o600))
	for name, mode := range map[string]shard.KeyerSettings{
		"random": {Mode: shard.Random}, "static": {Mode: shard.Static, Key: "k"},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(lines * 1024)
			b.ReportAllocs()
			keyer, err := shard.NewKeyer(mode)
			require.NoError(b, err)
			set := producer.Default()
			set.Stream = "s"
			p, err := producer.New(newAccepting(), set, nil)
			require.NoError(b, err)
			defer p.Close()
			to := &sender{producer: p, keys: &recordKeys{mode: mode.Mode, keyer: keyer}}
			for b.Loop() {
				f := &feed{passes: 1, intake: intake.Settings{Format: intake.Lines}, sources: []*source{{name: path, path: path}}}
				require.NoError(b, f.run(context.Background(), to))
				require.NoError(b, p.Flush(context.Background()))
			}
			books := p.Books()
			require.Zero(b, books.Delivered.Records%lines)
		})
	}
}
