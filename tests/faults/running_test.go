package faults

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/local"
	"gst-kinesis/tests/kit"
)

// running gives a rig whose first 20 records were delivered.
func running(t *testing.T, properties string) *rig {
	t.Helper()
	r := newRig(t, endpoint(t, local.Settings{}), properties)
	r.play()
	r.push(20, 1000)
	r.delivered(20)
	return r
}

// TestPermanentWhileRunning: WARNINGs for permanent-grace, then an ERROR. What the sink held is dropped by the error's code.
func TestPermanentWhileRunning(t *testing.T) {
	returns(t)
	r := running(t, "permanent-grace=2500000000")
	fault(t, r.srv, failure("AccessDeniedException", 400))
	since := time.Since(r.began)
	r.push(50, 4000)
	m := r.awaitWarning("AccessDeniedException")
	details(t, m, region, "permanent", 400)
	m = r.awaitError("AccessDeniedException")
	require.GreaterOrEqual(t, m.at-since, 2500*time.Millisecond)
	require.LessOrEqual(t, m.at-since, 2500*time.Millisecond+errorWithin)
	require.GreaterOrEqual(t, len(r.count(gst.MessageWarning, "AccessDeniedException")), 2, "it goes on warning")
	r.rate("AccessDeniedException")
	r.stop()
	b := r.balance(0)
	require.Equal(t, 20, b.delivered)
	require.Equal(t, b.dropped, r.dropped("AccessDeniedException"))
}

// TestPermanentIsMended: policies and streams are deployed anew; within permanent-grace nothing is lost.
func TestPermanentIsMended(t *testing.T) {
	returns(t)
	t.Run("all", func(t *testing.T) {
		t.Run("policy", func(t *testing.T) {
			t.Parallel()
			r := running(t, "")
			rule := fault(t, r.srv, failure("AccessDeniedException", 400))
			r.push(50, 4000)
			r.awaitWarning("AccessDeniedException")
			rule.Remove()
			r.mended()
		})
		t.Run("stream", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, endpoint(t, local.Settings{}), "")
			r.play()
			r.push(20, 1000)
			r.delivered(20)
			r.pushed = nil // they go with the stream
			require.NoError(t, r.srv.DeleteStream(stream))
			r.push(50, 4000)
			r.awaitWarning("ResourceNotFoundException")
			require.NoError(t, r.srv.CreateStream(local.StreamSpec{Name: stream, Shards: 4}))
			r.awaitRecovery()
			r.end()
			require.EqualValues(t, 70, r.stats().Uint64("records-delivered"))
			r.complete()
		})
		t.Run("key", func(t *testing.T) {
			t.Parallel()
			r := running(t, "")
			r.srv.SetCredentials(local.Credentials{AccessKeyID: access, SecretAccessKey: "another"})
			r.push(50, 4000)
			r.awaitWarning("InvalidSignatureException")
			r.srv.SetCredentials(local.Credentials{AccessKeyID: access, SecretAccessKey: secret})
			r.mended()
		})
	})
}

func (r *rig) mended() {
	r.t.Helper()
	r.awaitRecovery()
	r.end()
	r.allDelivered()
	require.Empty(r.t, r.count(gst.MessageError, ""))
}

// TestTroubleWhileDraining is the last column of the table: the end of the stream comes, and what was lost is counted and said.
func TestTroubleWhileDraining(t *testing.T) {
	returns(t)
	t.Run("all", func(t *testing.T) {
		for _, c := range []struct {
			name      string
			rule      *local.Rule // nil: the endpoint is killed
			reason    string
			delivered int
			least     time.Duration // that the drain takes
		}{
			{name: "permanent", rule: new(failure("AccessDeniedException", 400)), reason: "AccessDeniedException"},
			{name: "refused", reason: "drain", least: time.Second},
			{name: "no answer", rule: &local.Rule{Hang: true}, reason: "drain", least: time.Second},
			{name: "5xx", rule: new(failure("InternalFailure", 500)), reason: "drain", least: time.Second},
			{name: "throttled", rule: &local.Rule{Throttle: true}, reason: "drain", least: time.Second},
			{
				name: "the records' own", reason: "ValidationException", delivered: 40,
				rule: &local.Rule{Record: &local.Failure{Code: "ValidationException", Message: "1 validation error detected: Value at 'records.1.member.partitionKey'"}, Count: 10},
			},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				r := running(t, "drain-timeout=1000000000 linger=1000000000") // so that the end finds them waiting
				if c.rule == nil {
					r.srv.Stop()
				} else {
					fault(t, r.srv, *c.rule)
				}
				r.push(50, 1000)
				r.accepted(70)
				before := time.Now()
				r.end()
				took := time.Since(before)
				require.GreaterOrEqual(t, took, c.least)
				require.Less(t, took, c.least+5*time.Second)
				m := r.await("a warning", func(m said) bool { return m.Type == gst.MessageWarning && m.Structure.Str("reason") == c.reason })
				require.Positive(t, m.Structure.Uint64("records"))
				b := r.balance(0)
				require.Equal(t, 20+c.delivered, b.delivered)
				require.Equal(t, 50-c.delivered, r.dropped(c.reason))
				require.Empty(t, r.count(gst.MessageError, ""))
			})
		}
	})
}

// TestRecordsOwnFault: that record alone is dropped, with a WARNING that counts.
func TestRecordsOwnFault(t *testing.T) {
	returns(t)
	t.Run("all", func(t *testing.T) {
		t.Run("bad key", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, endpoint(t, local.Settings{}), "sensor-name="+strings.Repeat("n", 257))
			r.play()
			r.push(50, 1000)
			m := r.awaitWarning("bad-key")
			require.Contains(t, m.Err.Text, "256 characters")
			r.end()
			b := r.balance(0)
			require.Equal(t, 50, b.dropped)
			require.Equal(t, 50, r.dropped("bad-key"))
			require.Empty(t, r.count(gst.MessageError, ""))
		})
		t.Run("refused", func(t *testing.T) {
			t.Parallel()
			r := running(t, "")
			rule := recordFailure("ValidationException", "1 validation error detected: Value at 'records.1.member.partitionKey'")
			rule.Count = 5
			fault(t, r.srv, rule)
			r.push(50, 1000)
			m := r.awaitWarning("ValidationException")
			require.Equal(t, "record fault", m.Structure.Str("class"))
			require.Equal(t, "ValidationException", m.Structure.Str("reason"))
			r.end()
			b := r.balance(0)
			require.Equal(t, 65, b.delivered)
			require.Equal(t, 5, r.dropped("ValidationException"))
			require.Empty(t, r.count(gst.MessageError, ""))
		})
	})
}

// TestBounds: in an outage the bounds on memory decide what is lost, and it is counted. One record is under way to an endpoint that does not
// answer, so the others of its key wait.
func TestBounds(t *testing.T) {
	returns(t)
	t.Run("all", func(t *testing.T) {
		for _, c := range []struct {
			name, properties, reason string
			from, to                 int // of the 400 that come while it hangs, these are kept; 0, 0: not known exactly
		}{
			{"the oldest", "leaky=downstream max-size-buffers=50", "leaky-oldest", 351, 400},
			{"the new", "leaky=upstream max-size-buffers=50", "leaky-newest", 0, 49},
			{"by bytes", "leaky=downstream max-size-bytes=100000", "leaky-oldest", 0, 0},
			{"by time", "leaky=downstream max-size-bytes=0 max-size-time=49000000", "leaky-newest", 0, 0},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				r := running(t, c.properties)
				rule := fault(t, r.srv, local.Rule{Hang: true})
				r.push(1, 1000)
				kit.Until(t, "it is under way", func() bool { return rule.Fired() == 1 })
				r.push(400, 1000)
				r.accepted(421)
				require.Positive(t, r.dropped(c.reason))
				m := r.awaitWarning(c.reason)
				require.Positive(t, m.Structure.Uint64("records"))
				r.srv.Stop() // which ends the request that hangs
				rule.Remove()
				require.NoError(t, r.srv.Start())
				r.end()
				b := r.balance(0)
				require.Equal(t, b.dropped, r.dropped("leaky-oldest")+r.dropped("leaky-newest"))
				require.Equal(t, 421, b.delivered+b.dropped)
				if c.to > 0 {
					require.Equal(t, 351, r.dropped(c.reason))
					kept := r.kept(21)
					require.Len(t, kept, 49)
					require.Equal(t, c.from, kept[0])
					require.Equal(t, c.to-1, kept[48])
				}
				require.Empty(t, r.count(gst.MessageError, ""))
				require.NotEmpty(t, r.qos(), "QOS tells of drops")
			})
		}
	})
}

// kept gives which of the records that were pushed from a number on are stored, counted from there.
func (r *rig) kept(from int) (list []int) {
	r.t.Helper()
	stored := map[string]bool{}
	for _, s := range r.stored() {
		stored[string(s.Data)] = true
	}
	for i, data := range r.pushed[from:] {
		if stored[string(data)] {
			list = append(list, i)
		}
	}
	require.NotEmpty(r.t, list)
	return list
}

func (r *rig) qos() (list []said) {
	for _, m := range r.all() {
		if m.Type == gst.MessageQoS {
			list = append(list, m)
		}
	}
	return list
}

// TestBoundsBlock: where leaky is no, a bound holds up the stream, and nothing is lost.
func TestBoundsBlock(t *testing.T) {
	returns(t)
	r := running(t, "max-size-buffers=50")
	r.srv.Stop()
	r.push(400, 1000) // the source's own queue takes what the sink does not
	r.awaitStats("the sink is full", func(s *gst.Structure) bool { return s.Uint64("records-in-flight") == 50 })
	require.EqualValues(t, 70, r.stats().Uint64("records-accepted"))
	require.NoError(t, r.srv.Start())
	r.end()
	r.allDelivered()
}

// TestPatience: record-ttl and retry-attempts end what would go on for ever.
func TestPatience(t *testing.T) {
	returns(t)
	t.Run("all", func(t *testing.T) {
		t.Run("ttl", func(t *testing.T) {
			t.Parallel()
			r := running(t, "record-ttl=500000000")
			r.srv.Stop()
			r.push(50, 1000)
			r.awaitWarning("ttl")
			r.awaitStats("all are dropped", func(s *gst.Structure) bool { return s.Uint64("records-dropped") == 50 })
			require.NoError(t, r.srv.Start())
			for r.stats().Uint64("records-delivered") == 20 { // until it tries again
				n := r.stats().Uint64("requests")
				r.push(1, 1000)
				r.awaitStats("it is sent or dropped", func(s *gst.Structure) bool { return s.Uint64("requests") > n || s.Uint64("records-in-flight") == 0 })
			}
			r.push(50, 1000)
			r.end()
			b := r.balance(0)
			require.Equal(t, b.dropped, r.dropped("ttl"))
			require.GreaterOrEqual(t, b.delivered, 71)
			require.Equal(t, len(r.pushed), b.delivered+b.dropped)
		})
		t.Run("retries", func(t *testing.T) {
			t.Parallel()
			r := running(t, "retry-attempts=2")
			rule := fault(t, r.srv, recordFailure("InternalFailure", "Internal service failure."))
			r.push(50, 1000)
			r.awaitWarning("retries")
			r.awaitStats("all are dropped", func(s *gst.Structure) bool { return s.Uint64("records-dropped") == 50 })
			require.Equal(t, 150, rule.Fired(), "each was sent three times")
			rule.Remove()
			r.end()
			r.balance(0)
			require.Equal(t, 50, r.dropped("retries"))
		})
	})
}
