package fault

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/apierr"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newTestSet(seed uint64) (*Set, *clock) {
	c := &clock{time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
	return NewSet(seed, c.now), c
}

func add(t *testing.T, s *Set, r Rule) *Handle {
	t.Helper()
	h, err := s.Add(r)
	require.NoError(t, err)
	return h
}

func throttled() *apierr.Error { return apierr.New(apierr.ThroughputExceeded, "slow down") }

func TestConditions(t *testing.T) {
	t.Parallel()
	boom := &Failure{Code: "InternalFailure", Message: "boom"}
	put := Subject{Operation: "PutRecords", Stream: "a", Shards: func() []string { return []string{"shardId-000000000001"} }}
	for name, tc := range map[string]struct {
		rule Rule
		sub  Subject
		want bool
	}{
		"anything":        {Rule{}, put, true},
		"operation":       {Rule{Operations: []string{"GetRecords", "PutRecords"}}, put, true},
		"other operation": {Rule{Operations: []string{"GetRecords"}}, put, false},
		"stream":          {Rule{Stream: "a"}, put, true},
		"other stream":    {Rule{Stream: "b"}, put, false},
		"shard":           {Rule{Shard: "shardId-000000000001"}, put, true},
		"other shard":     {Rule{Shard: "shardId-000000000000"}, put, false},
		"no shards":       {Rule{Shard: "shardId-000000000000"}, Subject{Operation: "ListStreams"}, false},
		"certain":         {Rule{Probability: 1}, put, true},
	} {
		s, _ := newTestSet(1)
		tc.rule.Error = boom
		h := add(t, s, tc.rule)
		plan := s.Request(tc.sub)
		require.Equal(t, tc.want, plan.Error != nil, name)
		require.Equal(t, tc.want, h.Fired() == 1, name)
		if tc.want {
			require.Equal(t, 500, plan.Error.Status)
			require.Equal(t, "boom", plan.Error.Message)
		}
	}
}

func TestAfterAndCount(t *testing.T) {
	t.Parallel()
	s, _ := newTestSet(1)
	h := add(t, s, Rule{After: 2, Count: 3, Garble: true})
	var got []bool
	for range 8 {
		got = append(got, s.Request(Subject{Operation: "PutRecord"}).Garble)
	}
	require.Equal(t, []bool{false, false, true, true, true, false, false, false}, got)
	require.Equal(t, 3, h.Fired())
	require.EqualValues(t, 3, s.Fired())
}

func TestWindow(t *testing.T) {
	t.Parallel()
	s, c := newTestSet(1)
	add(t, s, Rule{From: 2 * time.Second, Until: 4 * time.Second, Hang: true})
	var got []bool
	for range 6 {
		got = append(got, s.Request(Subject{}).Hang)
		c.t = c.t.Add(time.Second)
	}
	require.Equal(t, []bool{false, false, true, true, false, false}, got)
}

func TestProbability(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) (hits []int) {
		s, _ := newTestSet(seed)
		add(t, s, Rule{Probability: 0.3, Garble: true})
		for i := range 2000 {
			if s.Request(Subject{}).Garble {
				hits = append(hits, i)
			}
		}
		return hits
	}
	require.InDelta(t, 600, len(run(1)), 80)
	require.Equal(t, run(1), run(1), "the same seed gives the same faults")
	require.NotEqual(t, run(1), run(2))
}

func TestFirstActionAndAllDelays(t *testing.T) {
	t.Parallel()
	s, _ := newTestSet(1)
	add(t, s, Rule{Latency: Span{Least: time.Second}})
	first := add(t, s, Rule{Cut: CutAfterBody, Latency: Span{Least: time.Second}})
	second := add(t, s, Rule{Garble: true})
	add(t, s, Rule{Latency: Span{Least: time.Second, Most: 3 * time.Second}})
	p := s.Request(Subject{})
	require.Equal(t, CutAfterBody, p.Cut)
	require.False(t, p.Garble)
	require.GreaterOrEqual(t, p.Latency, 3*time.Second)
	require.LessOrEqual(t, p.Latency, 5*time.Second)
	require.Equal(t, 1, first.Fired())
	require.Zero(t, second.Fired(), "a rule that had no effect did not strike")
	first.Remove()
	require.True(t, s.Request(Subject{}).Garble)
	s.Clear()
	require.Zero(t, s.Request(Subject{}))
}

func TestRecords(t *testing.T) {
	t.Parallel()
	s, _ := newTestSet(1)
	add(t, s, Rule{Throttle: true, Shard: "shardId-000000000001"})
	add(t, s, Rule{Record: &Failure{Code: "KMSThrottlingException", Message: "kms"}, Stream: "a", Count: 1})
	require.Nil(t, s.Record("PutRecords", "b", "shardId-000000000000", throttled))
	require.Equal(t, apierr.ThroughputExceeded, s.Record("PutRecords", "b", "shardId-000000000001", throttled).Code)
	require.Equal(t, "KMSThrottlingException", s.Record("PutRecord", "a", "shardId-000000000000", throttled).Code)
	require.Nil(t, s.Record("PutRecord", "a", "shardId-000000000000", throttled))

	get := Subject{Operation: "GetRecords", Shards: func() []string { return []string{"shardId-000000000001"} }}
	require.True(t, s.Request(get).Throttle, "reads are throttled as a whole")
	get.Operation = "PutRecords"
	require.Zero(t, s.Request(get), "puts are throttled by record")
}

func TestCutBeforeBody(t *testing.T) {
	t.Parallel()
	s, _ := newTestSet(1)
	add(t, s, Rule{Cut: CutBeforeBody, Operations: []string{"PutRecords"}, Count: 1})
	require.False(t, s.CutBeforeBody("GetRecords"))
	require.True(t, s.CutBeforeBody("PutRecords"))
	require.False(t, s.CutBeforeBody("PutRecords"))
	require.Zero(t, s.Request(Subject{Operation: "PutRecords"}))
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for f, want := range map[Failure]int{{Code: "ExpiredTokenException"}: 400, {Code: "InternalFailure"}: 500,
		{Code: "ServiceUnavailable"}: 503, {Code: "X", Status: 502}: 502} {
		require.Equal(t, want, f.Error().Status)
	}
}
