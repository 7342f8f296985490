package local_test

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/mkv"
)

// BenchmarkOverLoopback is AWS's SDK against the endpoint, both in this process: client, signature, TCP, endpoint.
func BenchmarkOverLoopback(b *testing.B) {
	creds := local.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	for _, wire := range []struct {
		name string
		opts []func(*kinesis.Options)
	}{{"JSON", nil}, {"CBOR", []func(*kinesis.Options){speakCBOR}}} {
		for _, size := range []struct {
			name    string
			n, size int
		}{{"500x1kB", 500, 1000}, {"9x1MiB", 9, 1<<20 - 100}} {
			b.Run(wire.name+"/"+size.name, func(b *testing.B) {
				set := demo(4)
				set.Limits, set.Credentials = local.LimitsNone, []local.Credentials{creds}
				c := localtest.Client(localtest.Start(b, set), creds, wire.opts...)
				in := &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: large(size.n, size.size)}
				b.SetBytes(int64(size.n * size.size))
				for b.Loop() {
					_, err := c.PutRecords(b.Context(), in)
					require.NoError(b, err)
				}
			})
		}
	}
}

// BenchmarkPutMedia is sessions of ten fragments of 500 kB, in memory and on disk.
func BenchmarkPutMedia(b *testing.B) {
	body := header(b, film(1))
	for i := range 10 {
		body = mkv.AppendCluster(body, uint64(epoch+int64(i)*1000))
		for k := range 25 {
			body = block(body, 1, int16(k*40), k == 0, 20_000)
		}
	}
	for name, dir := range map[string]string{"memory": "", "disk": b.TempDir()} {
		b.Run(name, func(b *testing.B) {
			srv := video(b, inDir(dir), func(s *local.Settings) { s.VideoDisk = 256 << 20 })
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				require.Len(b, putAll(b, srv, "cam", bytes.NewReader(body)), 30)
			}
		})
	}
}
