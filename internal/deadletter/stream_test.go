package deadletter

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
)

// deadStream starts an endpoint with a stream for letters.
func deadStream(t *testing.T, set local.Settings) (*local.Server, Target, Settings) {
	t.Helper()
	set.Create = append(set.Create, local.StreamSpec{Name: "dead", Shards: 2})
	if set.Limits == "" {
		set.Limits = local.LimitsNone
	}
	srv := localtest.Start(t, set)
	aws := awscfg.Settings{EndpointURI: srv.URL(), AccessKey: "a", SecretAccessKey: "s", RequestTimeout: 10 * time.Second}
	return srv, Target{Kind: Stream, Stream: "dead", Region: local.DefaultRegion}, Settings{Stream: "cams", Region: local.DefaultRegion, AWS: aws}
}

func openTarget(t *testing.T, target Target, set Settings) Place {
	t.Helper()
	p, err := Open(context.Background(), target, set)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// within is a context for one Write.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// oddLetters are letters of all kinds and sizes, with keys that differ.
func oddLetters() (list []producer.Letter) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 60 {
		l := randomLetter(r).Letter
		l.PartitionKey += string(rune('a' + i))
		list = append(list, l)
	}
	for _, size := range []int{shard.MiB - 1000, shard.MiB - 5, 3 * shard.MiB} {
		list = append(list, producer.Letter{Reason: "oversize", PartitionKey: "large", Data: bytes.Repeat([]byte("0123456789abcdef"), size/16), PTS: uint64(size)})
	}
	return append(list, producer.Letter{Reason: "bad-key", PartitionKey: strings.Repeat("long", 1<<19), Data: []byte("x"), PTS: 1})
}

// sameLetters compares what was written with what was read, in any order.
func sameLetters(t *testing.T, want []producer.Letter, got []Letter) {
	t.Helper()
	name := func(l producer.Letter) string { return string(recordOf(t, Letter{Letter: l})) }
	left := map[string]int{}
	for _, l := range want {
		left[name(l)]++
	}
	for _, l := range got {
		require.Equal(t, "cams "+local.DefaultRegion, l.Stream+" "+l.Region)
		require.WithinDuration(t, time.Now(), l.Written, time.Minute)
		left[name(l.Letter)]--
	}
	for _, n := range left {
		require.Zero(t, n)
	}
	require.Len(t, got, len(want))
}

func TestStream(t *testing.T) {
	t.Parallel()
	_, target, set := deadStream(t, local.Settings{})
	p := openTarget(t, target, set)
	letters := oddLetters()
	require.NoError(t, p.Write(within(t, 30*time.Second), letters))
	sameLetters(t, letters, drain(t, target, set, takeAll))
	require.Len(t, drain(t, target, set, nil), len(letters), "they stay until they expire")
}

// TestStreamFaults: what passes is tried again, and each letter is there once.
func TestStreamFaults(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]fault.Rule{
		"records fail": {Probability: 0.5, Record: &fault.Failure{Code: "InternalFailure", Message: "no"}},
		"throttled":    {Count: 3, Throttle: true},
		"500":          {Count: 2, Error: &fault.Failure{Code: "InternalFailure"}},
		"cut":          {Count: 2, Cut: fault.CutBeforeBody},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule.Operations = []string{"PutRecords"}
			_, target, set := deadStream(t, local.Settings{Faults: []local.Rule{rule}, Seed: 1})
			letters := plainLetters(50, 100)
			require.NoError(t, openTarget(t, target, set).Write(within(t, 30*time.Second), letters))
			sameLetters(t, letters, drain(t, target, set, nil))
		})
	}
}

// TestStreamFails: what lasts is said at once, and what the stream has all the same.
func TestStreamFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule fault.Rule
		want []string
	}{
		"denied":      {fault.Rule{Error: &fault.Failure{Code: "AccessDeniedException", Message: "no"}}, []string{"AccessDeniedException: no", "kinesis:PutRecord"}},
		"no stream":   {fault.Rule{Error: &fault.Failure{Code: "ResourceNotFoundException"}}, []string{"ResourceNotFoundException", "gst-kinesis stream create dead"}},
		"a record":    {fault.Rule{Count: 1, Record: &fault.Failure{Code: "ValidationException", Message: "bad"}}, []string{"ValidationException: bad", "(49 records of these 50 letters are in the stream all the same)"}},
		"hanging":     {fault.Rule{Hang: true}, []string{"deadline exceeded"}},
		"never":       {fault.Rule{Error: &fault.Failure{Code: "InternalFailure", Message: "Oh"}}, []string{"InternalFailure: Oh"}},
		"unavailable": {fault.Rule{Throttle: true}, []string{"ProvisionedThroughputExceeded"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.rule.Operations = []string{"PutRecords"}
			_, target, set := deadStream(t, local.Settings{Faults: []local.Rule{c.rule}})
			p := openTarget(t, target, set)
			began := time.Now()
			err := p.Write(within(t, 1500*time.Millisecond), plainLetters(50, 100))
			require.Less(t, time.Since(began), 5*time.Second)
			require.ErrorContains(t, err, "writing dead letters to kinesis://us-east-1/dead: ")
			for _, text := range c.want {
				require.ErrorContains(t, err, text)
			}
		})
	}
}

// TestStreamTooLarge: what no number of parts can hold.
func TestStreamTooLarge(t *testing.T) {
	t.Parallel()
	_, target, set := deadStream(t, local.Settings{})
	set.MaxRecordSize = 60
	err := openTarget(t, target, set).Write(within(t, 10*time.Second), plainLetters(1, shard.MiB))
	require.ErrorContains(t, err, "does not fit a stream")
	require.ErrorContains(t, err, "use file: or s3:")
}

// TestStreamHoldsOthers: what is no letter is passed over.
func TestStreamHoldsOthers(t *testing.T) {
	t.Parallel()
	srv, target, set := deadStream(t, local.Settings{})
	client := localtest.Client(srv, localtest.AnyCredentials())
	putRecord(t, client, "dead", "k", []byte("no letter"))
	putRecord(t, client, "dead", "k", lineOf(t, letterOf("ttl", "k", []byte("copied from a file"))))
	source, err := OpenSource(context.Background(), target, set, time.Now().Add(-time.Hour), false)
	require.NoError(t, err)
	var got []string
	for len(got) < 2 {
		b, err := source.Next(within(t, 20*time.Second))
		require.NoError(t, err)
		require.Contains(t, b.Name(), "stream dead, shardId-")
		for range 2 {
			l, err := b.Next(context.Background())
			switch {
			case err == nil:
				got = append(got, string(l.Data))
			case err.Error() != "EOF":
				require.ErrorContains(t, err, "reading a dead letter in stream dead, shardId-")
				got = append(got, "damaged")
			}
		}
	}
	require.ElementsMatch(t, []string{"damaged", "copied from a file"}, got)
	require.NoError(t, source.Close())
}

func TestStreamNotThere(t *testing.T) {
	t.Parallel()
	_, target, set := deadStream(t, local.Settings{})
	target.Stream = "none"
	source, err := OpenSource(context.Background(), target, set, time.Time{}, true)
	require.NoError(t, err)
	_, err = source.Next(within(t, 20*time.Second))
	require.ErrorContains(t, err, "reading dead letters: ")
	require.ErrorContains(t, err, "ResourceNotFoundException")
	require.NoError(t, source.Close())
}
