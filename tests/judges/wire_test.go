package judges

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/wire"
	"gst-kinesis/tests/kit"
)

// TestWireAtAnotherEndpoint: kinesis-local understands our own CBOR and JSON; what it stores, read by boto3 and by the SDK as JSON, is what was put, byte
// for byte, with its partition keys, where its explicit hash keys say.
func TestWireAtAnotherEndpoint(t *testing.T) {
	t.Parallel()
	url := startCounterpart(t)
	createStream(t, url)
	list := awkward()
	for _, mode := range []wire.Mode{wire.PreferCBOR, wire.OnlyJSON} {
		sendAll(t, url, mode, list)
	}
	sent := append(slices.Clone(list), list...)
	t.Run("boto3", func(t *testing.T) { sameRecords(t, sent, readRaw(t, url)) })
	t.Run("sdk", func(t *testing.T) { sameRecords(t, sent, readSDK(t, url)) })
}

// TestWireAtOurEndpoint: the same at the embedded endpoint, which is held to the same readers.
func TestWireAtOurEndpoint(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, local.Settings{Limits: local.LimitsNone, Create: []local.StreamSpec{{Name: stream, Shards: 2}}})
	list := awkward()
	sendAll(t, srv.URL(), wire.PreferCBOR, list)
	sendAll(t, srv.URL(), wire.OnlyJSON, list)
	require.Positive(t, srv.Stats().Count("PutRecords", ""))
	sent := append(slices.Clone(list), list...)
	sameRecords(t, sent, readRaw(t, srv.URL()))
	sameRecords(t, sent, readSDK(t, srv.URL()))
}

// sent is a record on its way.
type sent struct {
	key, hash string
	data      []byte
}

// awkward is records of all sizes, with keys and bytes that encoders get wrong. It is little: kinesis-local is slow.
func awkward() []sent {
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(n int) []byte {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		return data
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	const quotes = `a "quoted" \ key / <&> ` + "\t\u2028\x7f"
	list := []sent{
		{key: "one byte", data: []byte{0}}, {key: "one byte", data: []byte{0xff}}, {key: "one byte", data: []byte("{")},
		{key: "all bytes", data: all}, {key: quotes, data: draw(1000)}, {key: "Straße 🚦", data: draw(1001)}, {key: strings.Repeat("ü", 256), data: draw(1002)},
		{key: "lowest", hash: "0", data: draw(1000)}, {key: "highest", hash: shard.MaxHash().String(), data: draw(1000)},
		{key: "below the middle", hash: shard.EvenRanges(2)[0].End.String(), data: draw(1000)},
		{key: "the middle", hash: shard.EvenRanges(2)[1].Start.String(), data: draw(1000)},
		{key: "50 KiB", data: draw(50 << 10)}, {key: "50 KiB of one", data: bytes.Repeat([]byte{0x80}, 50<<10)},
	}
	const large = "just under 1 MiB"
	list = append(list, sent{key: large, data: draw(shard.DefaultMaxRecordBytes - len(large) - 1)})
	for range 30 { // a request of several
		list = append(list, sent{key: "1 kB", data: draw(1 + random.IntN(1000))})
	}
	return list
}

// sendAll lets a producer deliver the records, in the given protocol.
func sendAll(t *testing.T, url string, mode wire.Mode, list []sent) {
	t.Helper()
	notices := make(chan string, 10)
	session, err := awscfg.Open(t.Context(), awscfg.Settings{Region: "us-east-1", EndpointURI: url, AccessKey: "test", SecretAccessKey: "test", Wire: mode,
		Notice: func(text string) { notices <- text }}, awscfg.Stream{})
	require.NoError(t, err)
	defer session.Close()
	spy := &spy{next: session.HTTPClient().Transport}
	session.HTTPClient().Transport = spy
	set := producer.Default()
	set.Stream, set.Region, set.Endpoint, set.DrainTimeout, set.RequestTimeout = stream, "us-east-1", url, kit.Limit, kit.Limit
	p, err := producer.New(session.Kinesis(), set, nil)
	require.NoError(t, err)
	defer p.Close()
	for _, s := range list {
		r := p.Reserve(len(s.data))
		copy(r.Data, s.data)
		r.PartitionKey, r.ExplicitHashKey, r.PTS = s.key, s.hash, producer.NoPTS
		require.NoError(t, p.Put(t.Context(), r))
	}
	require.NoError(t, p.Flush(t.Context()))
	b := p.Books()
	require.True(t, b.Balanced())
	require.EqualValues(t, len(list), b.Delivered.Records, "%+v", b)
	require.Zero(t, b.PossibleDuplicates)
	require.Empty(t, notices, "the protocol was not given up for the other one")
	spy.mu.Lock()
	defer spy.mu.Unlock()
	want := map[wire.Mode]string{wire.PreferCBOR: "application/x-amz-cbor-1.1", wire.OnlyJSON: "application/x-amz-json-1.1"}[mode]
	require.Equal(t, []string{want}, slices.Sorted(maps.Keys(spy.types)))
}

// spy sees in which protocol PutRecords goes out.
type spy struct {
	next  http.RoundTripper
	mu    sync.Mutex
	types map[string]bool
}

// RoundTrip implements http.RoundTripper.
func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutRecords") {
		s.mu.Lock()
		if s.types == nil {
			s.types = map[string]bool{}
		}
		s.types[r.Header.Get("Content-Type")] = true
		s.mu.Unlock()
	}
	return s.next.RoundTrip(r)
}

// found is a record as a reader sees it.
type found struct {
	Shard, First, Last, Key, Digest string
	Length                          int
}

// sameRecords compares what was sent with what is stored, as sets: the order of a key's records is another test's.
func sameRecords(t *testing.T, list []sent, stored []found) {
	t.Helper()
	type content struct {
		key, digest string
		length      int
	}
	left := map[content][]sent{}
	for _, s := range list {
		digest := sha256.Sum256(s.data)
		c := content{s.key, hex.EncodeToString(digest[:]), len(s.data)}
		left[c] = append(left[c], s)
	}
	for _, f := range stored {
		c := content{f.Key, f.Digest, f.Length}
		same := left[c]
		require.NotEmpty(t, same, "%d bytes with key %q are stored and were not sent", f.Length, f.Key)
		r, err := shard.ParseRange(f.First, f.Last)
		require.NoError(t, err)
		hash := shard.HashKey(same[0].key)
		if same[0].hash != "" {
			hash, err = shard.ParseHash(same[0].hash)
			require.NoError(t, err)
		}
		require.True(t, r.Contains(hash), "%q lies in %s", f.Key, f.Shard)
		if left[c] = same[1:]; len(left[c]) == 0 {
			delete(left, c)
		}
	}
	for c := range left {
		t.Errorf("%d bytes with key %q are not stored", c.length, c.key)
	}
}

// readRaw lets boto3 read the stream.
func readRaw(t *testing.T, url string) (list []found) {
	t.Helper()
	env := kit.Environ("AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "PYTHONIOENCODING=utf-8")
	out, _ := kit.Run(t, env, "/usr/bin/python3", "testdata/raw.py", url, stream)
	for line := range strings.Lines(out) {
		var f found
		require.NoError(t, json.Unmarshal([]byte(line), &f), line)
		list = append(list, f)
	}
	return list
}

// readSDK reads the stream by AWS's own client, as JSON.
func readSDK(t *testing.T, url string) (list []found) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), kit.Limit)
	defer cancel()
	client := localtest.ClientAt(url, localtest.AnyCredentials())
	shards, err := client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: aws.String(stream)})
	require.NoError(t, err)
	for _, s := range shards.Shards {
		at, err := client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: aws.String(stream), ShardId: s.ShardId,
			ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
		require.NoError(t, err)
		for it := at.ShardIterator; it != nil; {
			out, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: it})
			require.NoError(t, err)
			for _, r := range out.Records {
				digest := sha256.Sum256(r.Data)
				list = append(list, found{Shard: *s.ShardId, First: *s.HashKeyRange.StartingHashKey, Last: *s.HashKeyRange.EndingHashKey, Key: *r.PartitionKey,
					Digest: hex.EncodeToString(digest[:]), Length: len(r.Data)})
			}
			if it = out.NextShardIterator; len(out.Records) == 0 && aws.ToInt64(out.MillisBehindLatest) == 0 {
				break
			}
		}
	}
	return list
}
