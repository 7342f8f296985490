package chaos

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/producer"
	"gst-kinesis/tests/kit"
)

// trouble is a line of the table: something that goes wrong while records flow, for a time.
type trouble struct {
	name string
	// long is how long it lasts in the long form; 0: 10 s.
	long time.Duration
	// rule is in force meanwhile; or inject begins it and gives what ends it.
	rule   *local.Rule
	inject func(r *rig, lasts time.Duration) (heal func())
	change func(r *rig, s *setup)
	// disorder: single records are refused, so that best effort does not keep order.
	disorder bool
	// unsure: requests end without an answer, so that there must be possible duplicates; cuts: there may be some. Else there must be none.
	unsure, cuts bool
	// drops: records are given up.
	drops bool
	// code is one that the observer must have heard of.
	code string
}

func rule(r local.Rule) *local.Rule {
	r.Operations = []string{"PutRecords"}
	return &r
}

// lossy is answers that get lost now and then.
func lossy() local.Rule { return local.Rule{Cut: fault.CutAfterProcessing, Probability: 0.2} }

func failure(code string, status int) *local.Failure {
	return &local.Failure{Code: code, Message: "by the test", Status: status}
}

// impatient makes a request that hangs end soon.
func impatient(_ *rig, s *setup) { s.producer.RequestTimeout = 300 * time.Millisecond }

func troubles() []trouble {
	list := []trouble{
		{name: "one shard throttled", rule: rule(local.Rule{Shard: "shardId-000000000001", Throttle: true}), disorder: true,
			code: "ProvisionedThroughputExceededException"},
		{name: "30 % of the records fail", rule: rule(local.Rule{Record: failure("InternalFailure", 0), Probability: 0.3}), disorder: true, code: "InternalFailure"},
		{name: "500 for half of the requests", rule: rule(local.Rule{Error: failure("InternalFailure", 500), Probability: 0.5}), unsure: true, code: "InternalFailure"},
		{name: "503 for all", rule: rule(local.Rule{Error: failure("ServiceUnavailable", 503)}), unsure: true, code: "ServiceUnavailable"},
		{name: "half of the requests time out", rule: rule(local.Rule{Hang: true, Probability: 0.5}), change: impatient, unsure: true, code: awserr.CodeTimeout},
		{name: "answers come too late", rule: rule(local.Rule{Latency: fault.Span{Least: 100 * time.Millisecond, Most: 600 * time.Millisecond}}), change: impatient,
			unsure: true, code: awserr.CodeTimeout},
		{name: "cut before the body", rule: rule(local.Rule{Cut: fault.CutBeforeBody, Probability: 0.4}), unsure: true},
		{name: "cut after the body", rule: rule(local.Rule{Cut: fault.CutAfterBody, Probability: 0.4}), unsure: true},
		{name: "cut after the work", rule: rule(local.Rule{Cut: fault.CutAfterProcessing, Probability: 0.4}), unsure: true},
		{name: "answers cut in the middle", rule: rule(local.Rule{Cut: fault.CutMidAnswer, Probability: 0.4}), unsure: true},
		{name: "answers garbled", rule: rule(local.Rule{Garble: true, Probability: 0.4}), unsure: true, code: awserr.CodeBadAnswer},
		{name: "cut at any byte", inject: cutAnywhere, change: throughRelay, unsure: true},
		{name: "KMS throttles requests", rule: rule(local.Rule{Error: failure("KMSThrottlingException", 0), Probability: 0.5}), code: "KMSThrottlingException"},
		{name: "KMS throttles records", rule: rule(local.Rule{Record: failure("KMSThrottlingException", 0), Probability: 0.3}), disorder: true, code: "KMSThrottlingException"},
		{name: "endpoint gone", long: time.Minute, inject: gone, cuts: true, code: awserr.CodeRefused},
		{name: "endpoint gone, records expire", inject: gone, cuts: true, drops: true, code: awserr.CodeRefused,
			change: func(_ *rig, s *setup) { s.producer.RecordTTL = 500 * time.Millisecond }},
		{name: "DNS gone", long: time.Minute, inject: dnsGone, cuts: true, change: throughDNS, code: awserr.CodeDNS},
		{name: "clock jumps 10 min back", inject: clockOff(10 * time.Minute), change: signed},
		{name: "clock jumps 10 min ahead", inject: clockOff(-10 * time.Minute), change: signed},
		{name: "clock 10 min off from the start", inject: clockOff(10 * time.Minute), change: func(r *rig, s *setup) {
			signed(r, s)
			r.off.Store(int64(10 * time.Minute))
		}},
		{name: "token expires", inject: rotate(0), change: expiring("ready")},
		{name: "token expires, the next comes late", inject: rotate(2 * time.Second), change: expiring("late"), code: "ExpiredTokenException"},
	}
	return append(list, reshards()...)
}

// TestFaults is the table: each fault under both orders, with books that balance at any moment and are those of the endpoint at the end.
func TestFaults(t *testing.T) {
	t.Parallel()
	began := time.Now()
	var all table
	t.Cleanup(func() {
		all.print(t)
		t.Logf("all in %v", time.Since(began).Round(100*time.Millisecond))
	})
	for _, f := range troubles() {
		for _, ordering := range []producer.Ordering{producer.BestEffort, producer.Strict} {
			t.Run(fmt.Sprintf("%s, %s", f.name, ordering), func(t *testing.T) {
				t.Parallel()
				all.add(f.run(t, ordering))
			})
		}
	}
}

// The load of one line.
const (
	rate  = 200 // records a second
	keys  = 20
	batch = 50 // records of a request at most: few, so that there are requests to go wrong
)

func (f *trouble) run(t *testing.T, ordering producer.Ordering) row {
	t.Helper()
	began := time.Now()
	r := newRig(t, ordering, f.change)
	ctx, stop := context.WithCancel(t.Context())
	var loading sync.WaitGroup
	loading.Go(func() { r.load(ctx, rate, keys) })
	defer loading.Wait()
	defer stop()
	r.delivers(50)

	lasts := lasting(2*time.Second, 10*time.Second)
	if f.long > 0 {
		lasts = lasting(3*time.Second, f.long)
	}
	note := f.strike(r, lasts)
	r.delivers(100) // it has come back
	stop()
	loading.Wait()
	require.NoError(t, r.p.Flush(t.Context()))
	r.p.Close()

	line := r.check(!f.disorder || ordering == producer.Strict)
	line.name, line.ordering, line.took, line.note = f.name, ordering.String(), time.Since(began), note
	require.Equal(t, f.drops, line.dropped > 0, "%d were dropped", line.dropped)
	switch {
	case f.unsure:
		require.Positive(t, line.possible, "requests whose fate is not known are sent again")
	case !f.cuts:
		require.Zero(t, line.possible, "each request was answered")
	}
	require.Empty(t, r.heard.failed)
	if f.code != "" {
		kit.Until(t, "the observer hears of "+f.code, func() bool {
			r.heard.mu.Lock()
			defer r.heard.mu.Unlock()
			return r.heard.troubles[f.code] > 0
		})
	}
	return line
}

// strike lets it go wrong for a time.
func (f *trouble) strike(r *rig, lasts time.Duration) (note string) {
	r.Helper()
	if f.rule != nil {
		h, err := r.srv.AddFault(*f.rule)
		require.NoError(r, err)
		time.Sleep(lasts) // the load goes on meanwhile
		kit.Until(r, "it has struck", func() bool { return h.Fired() >= 3 })
		h.Remove()
		return fmt.Sprintf("struck %d times", h.Fired())
	}
	heal := f.inject(r, lasts)
	heal()
	return r.note
}

// gone takes the endpoint away for a time; its streams stay.
func gone(r *rig, lasts time.Duration) func() {
	r.srv.Stop()
	time.Sleep(lasts)
	return func() {
		kit.Until(r, "the endpoint is back", func() bool { return r.srv.Start() == nil })
	}
}
