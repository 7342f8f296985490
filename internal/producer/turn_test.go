package producer

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/uplink"
)

// onUplink is a client whose requests go through a share's connections.
type onUplink struct {
	next  *fakeClient
	share *uplink.Share
}

func (u *onUplink) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, o ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	c := u.share.Conn(nowhere{})
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	bytes := 0
	for _, e := range in.Records {
		bytes += len(e.Data) + len(*e.PartitionKey)
	}
	if _, err := c.Write(make([]byte, bytes)); err != nil {
		return nil, context.Cause(ctx)
	}
	return u.next.PutRecords(ctx, in, o...)
}

// nowhere is a connection that takes everything at once.
type nowhere struct{ net.Conn }

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }

const mbit = 1_000_000

// newOn returns a producer on a share of a link.
func newOn(t *testing.T, links *uplink.Links, group string, bits uint64, priority int, prepare func(*Settings), options ...Option) (*Producer, *fakeClient, *fakeObserver) {
	share := links.Join(group)
	share.SetBandwidth(bits)
	share.SetPriority(priority)
	t.Cleanup(share.Leave)
	c, o, s := &fakeClient{shards: 1, latency: func() time.Duration { return 10 * time.Millisecond }}, newFakeObserver(), Default()
	s.Stream, s.Region, s.DrainTimeout = "frames", "eu-west-1", -1
	if prepare != nil {
		prepare(&s)
	}
	p, err := New(&onUplink{c, share}, s, o, append([]Option{WithSeed(1), WithUplink(share)}, options...)...)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p, c, o
}

func putOne(t *testing.T, p *Producer, key string, size int) {
	r := p.Reserve(size)
	r.PartitionKey = key
	require.NoError(t, p.Put(t.Context(), r))
}

// Requests are as small as the bandwidth asks for, take as long as it says, and that is no trouble, even where one takes longer than request-timeout.
func TestMaxBandwidth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, c, o := newOn(t, new(uplink.Links), "", mbit, 0, func(s *Settings) { s.RequestTimeout = time.Second })
		began := time.Now()
		for i := range 100 {
			putOne(t, p, fmt.Sprint("key", i), 20_000)
		}
		putOne(t, p, "large", 900_000)
		require.NoError(t, p.Flush(t.Context()))
		require.InEpsilon(t, 2_900_000*8/mbit, time.Since(began).Seconds(), 0.05)
		for _, bytes := range c.bytes[:len(c.bytes)-1] {
			require.LessOrEqual(t, bytes, mbit/8/2)
		}
		require.Empty(t, o.snapshot().troubles)
		s := p.Stats()
		require.Zero(t, s.Retries)
		require.EqualValues(t, mbit, s.Uplink.Bandwidth)
		require.Greater(t, s.Uplink.Sent, int64(2_900_000))
		require.LessOrEqual(t, s.BatchBytes, mbit/8/2)
	})
}

// A dispatcher that waits for its turn does not look again and again.
func TestWaitingForATurnCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := &countingClock{}
		p, _, _ := newOn(t, new(uplink.Links), "", 8000, 0, nil, WithClock(clock))
		for range 20 {
			putOne(t, p, "key", 1000)
		}
		time.Sleep(10 * time.Second)
		require.Less(t, clock.set.Load(), int64(500))
		p.uplink.SetBandwidth(0)
		require.NoError(t, p.Flush(t.Context()))
	})
}

// Two cameras on a modem that carries less than both: the one with priority loses nothing and waits little.
func TestPriorityBetweenProducers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var links uplink.Links
		small := func(s *Settings) { s.MaxSizeBytes, s.Leaky = 1<<20, LeakyDownstream }
		gate, _, heard := newOn(t, &links, "modem", 2*mbit, 5, small)
		yard, _, _ := newOn(t, &links, "modem", 0, 0, small)
		for range 300 { // each wants 1.6 Mbit/s for 30 s
			putOne(t, gate, "gate", 20_000)
			putOne(t, yard, "yard", 20_000)
			time.Sleep(100 * time.Millisecond)
		}
		require.Zero(t, gate.Books().DroppedAll())
		require.Less(t, gate.Stats().Latency.Max, 2*time.Second)
		for _, d := range heard.snapshot().deliveries {
			require.Less(t, d.Latency, 2*time.Second)
		}
		b := yard.Books()
		require.Positive(t, b.Dropped[ReasonLeakyOldest].Records)
		require.Positive(t, b.Delivered.Records, "nothing starves")
	})
}

// What an outage left behind does not hold up what is live, and is sent with what is left of the bandwidth.
func TestLiveGoesBeforeBacklog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openSpool(t, dir, nil)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		p, c, o := newOn(t, new(uplink.Links), "", 2*mbit, 0, func(s *Settings) { s.MaxSizeBytes = 4 << 20 }, WithSpool(s))
		p.uplink.SetBandwidth(8) // the link is as good as gone
		for i := range 400 {
			putOne(t, p, "old", 20_000)
			require.Equal(t, int64(i+1), p.Books().Accepted.Records)
		}
		require.Greater(t, p.Books().Spooled.Records, int64(100))
		p.uplink.SetBandwidth(2 * mbit)
		time.Sleep(20 * time.Second) // what was in memory goes first
		for range 100 {              // 1 Mbit/s
			putOne(t, p, "new", 12_500)
			time.Sleep(100 * time.Millisecond)
		}
		require.Positive(t, p.Books().Spooled.Records, "the backlog is still there")
		require.NoError(t, p.Flush(t.Context()))
		time.Sleep(time.Minute)
		require.Len(t, c.all(), 500)
		var worst time.Duration
		for _, d := range o.snapshot().deliveries {
			if strings.HasPrefix(d.PartitionKey, "new") {
				worst = max(worst, d.Latency)
			}
		}
		t.Logf("worst latency of live records %v", worst)
		require.Less(t, worst, 3*time.Second)
	})
}
