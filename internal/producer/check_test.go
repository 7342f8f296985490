package producer

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
)

// dryClient answers the check, and lets a fake stream answer everything else.
type dryClient struct {
	*fakeClient
	answer func(ctx context.Context, n int) error // of the nth check
	asked  atomic.Int64
}

func (c *dryClient) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, o ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	if in.DryRun == nil || !*in.DryRun {
		return c.fakeClient.PutRecords(ctx, in, o...)
	}
	if err := c.answer(ctx, int(c.asked.Add(1))); err != nil {
		return nil, err
	}
	return &kinesis.PutRecordsOutput{}, nil
}

// checked runs body with a producer that checks at its start.
func checked(t *testing.T, answer func(context.Context, int) error, body func(p *Producer, c *dryClient, o *fakeObserver), options ...Option) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, o := &dryClient{fakeClient: &fakeClient{shards: 1}, answer: answer}, newFakeObserver()
		s := Default()
		s.Stream, s.Region = "frames", "eu-west-1"
		p, err := New(c, s, o, append(options, WithSeed(1), WithCheck())...)
		require.NoError(t, err)
		defer p.Close()
		body(p, c, o)
	})
}

func sleepFor(d time.Duration) { time.Sleep(d); synctest.Wait() }

func TestACheckThatSucceedsSaysNothing(t *testing.T) {
	checked(t, func(context.Context, int) error { return apiError(dryRunCode, 400) }, func(p *Producer, c *dryClient, o *fakeObserver) {
		sleepFor(time.Minute)
		require.EqualValues(t, 1, c.asked.Load())
		require.Empty(t, o.snapshot().failures)
		require.Empty(t, o.snapshot().troubles)
		require.Empty(t, o.snapshot().notices)
		require.Zero(t, p.Books().Accepted)
		require.Zero(t, c.callCount())
	})
}

func TestACheckFindsWhatIsNotAllowedWithoutARecord(t *testing.T) {
	checked(t, func(context.Context, int) error { return apiError("AccessDeniedException", 400) }, func(p *Producer, _ *dryClient, o *fakeObserver) {
		sleepFor(time.Second)
		require.Len(t, o.snapshot().failures, 1)
		require.Equal(t, "AccessDeniedException", o.snapshot().failures[0].Code)
		require.Contains(t, o.snapshot().failures[0].Remedy, "kinesis:PutRecords")
		r := p.Reserve(1)
		r.PartitionKey = "k"
		require.ErrorIs(t, p.Put(t.Context(), r), ErrFailed)
	})
}

func TestACheckThatIsNotAnswered(t *testing.T) {
	silent := func(ctx context.Context, n int) error {
		if n > 3 {
			return apiError(dryRunCode, 400)
		}
		<-ctx.Done()
		return ctx.Err()
	}
	checked(t, silent, func(_ *Producer, c *dryClient, o *fakeObserver) {
		sleepFor(2 * time.Second)
		require.NotEmpty(t, o.snapshot().troubles, "told within 2 s")
		require.Equal(t, awserr.CodeTimeout, o.snapshot().troubles[0].Code)
		sleepFor(time.Hour)
		require.EqualValues(t, 4, c.asked.Load())
		require.Empty(t, o.snapshot().failures)
	})
}

func TestACheckWithExpiredCredentials(t *testing.T) {
	refreshed := 0
	answer := func(context.Context, int) error {
		if refreshed == 0 {
			return apiError("ExpiredTokenException", 400)
		}
		return apiError(dryRunCode, 400)
	}
	checked(t, answer, func(_ *Producer, c *dryClient, o *fakeObserver) {
		sleepFor(time.Minute)
		require.EqualValues(t, 2, c.asked.Load())
		require.Equal(t, 1, refreshed)
		require.Empty(t, o.snapshot().failures)
	}, WithCredentials(nil, func() { refreshed++ }))
}

func TestACheckStandsBehindTheCredentials(t *testing.T) {
	checked(t, func(context.Context, int) error { return apiError(dryRunCode, 400) }, func(_ *Producer, c *dryClient, o *fakeObserver) {
		sleepFor(time.Minute)
		require.Zero(t, c.asked.Load())
		require.Len(t, o.snapshot().failures, 1)
	}, WithCredentials(func(context.Context) error { return apiError("AccessDenied", 403) }, nil))
}

func TestACheckThatIsTakenForARecord(t *testing.T) {
	checked(t, func(context.Context, int) error { return nil }, func(_ *Producer, c *dryClient, o *fakeObserver) {
		sleepFor(time.Minute)
		require.EqualValues(t, 1, c.asked.Load())
		require.Len(t, o.snapshot().notices, 1)
		require.Equal(t, NoticeStored, o.snapshot().notices[0].Code)
		require.Contains(t, o.snapshot().notices[0].Text, checkKey)
	})
}

// TestTheEndpointIsChecked: both formats, through the SDK, against the embedded endpoint.
func TestTheEndpointIsChecked(t *testing.T) {
	t.Parallel()
	var seen []local.Request
	observe := make(chan local.Request, 100)
	f := newField(t, local.Settings{Observe: func(r local.Request) { observe <- r }}, 1)
	f.options = []Option{WithCheck()}
	f.start()
	for len(seen) == 0 || seen[len(seen)-1].Operation != "PutRecords" {
		seen = append(seen, <-observe)
	}
	require.Equal(t, dryRunCode, seen[len(seen)-1].Code)
	f.put(1, 1)
	require.NoError(t, f.p.Flush(context.Background()))
	f.checkComplete()
	require.Empty(t, f.o.snapshot().troubles)

	denied := newField(t, local.Settings{Faults: []local.Rule{{Error: &fault.Failure{Code: "AccessDeniedException", Message: "no"}}}}, 1)
	denied.options = []Option{WithCheck()}
	began := time.Now()
	denied.start()
	denied.until("failure", func(o *fakeObserver) bool { return len(o.failures) == 1 })
	require.Less(t, time.Since(began), 5*time.Second)
	failure := denied.o.snapshot().failures[0]
	require.Equal(t, "AccessDeniedException", failure.Code)
	require.NotEmpty(t, failure.RequestID)

	missing := newField(t, local.Settings{}, 0)
	missing.options = []Option{WithCheck()}
	missing.start()
	missing.until("failure", func(o *fakeObserver) bool { return len(o.failures) == 1 })
	require.Equal(t, "ResourceNotFoundException", missing.o.snapshot().failures[0].Code)
}
