// Package faults shows what becomes of records, messages and memory when something goes wrong: each test is one thing that goes wrong
// between kinesissink and the embedded endpoint, both in this process, under criticals that are fatal and the leaks tracer.
package faults

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/local"
)

// The bounds that the house rules give.
const (
	errorWithin   = 5 * time.Second      // from the start to the ERROR
	warningWithin = 2*time.Second + busy // from the start to the WARNING
	busy          = time.Second          // that a busy machine takes to tell
	outage        = 5 * time.Second
)

// TestWrongSecret: the stream never works and the user reads why.
func TestWrongSecret(t *testing.T) {
	returns(t)
	srv := endpoint(t, local.Settings{Credentials: []local.Credentials{{AccessKeyID: access, SecretAccessKey: "another"}}})
	r := newRig(t, srv, "")
	r.play()
	r.push(1000, 4000)
	m := r.awaitError("InvalidSignatureException")
	require.LessOrEqual(t, m.at, errorWithin)
	require.Equal(t, gst.ResourceNotAuthorized, m.Err.Code)
	require.Contains(t, m.Err.Text, stream)
	require.Contains(t, m.Err.Text, "heck secret-access-key")
	details(t, m, region, "permanent", 400)
	require.Contains(t, m.Structure.Str("remedy"), "secret-access-key")
	r.stop()
	b := r.balance(0)
	require.Zero(t, b.delivered)
	require.Equal(t, b.accepted, r.dropped("InvalidSignatureException"))
	require.Empty(t, r.stored())
	noSecret(t, r.all())
}

// TestMissingStream: as above; the remedy is the command that makes the stream.
func TestMissingStream(t *testing.T) {
	returns(t)
	srv := endpoint(t, local.Settings{Create: []local.StreamSpec{{Name: "another", Shards: 1}}})
	r := newRig(t, srv, "")
	r.play()
	r.push(1000, 4000)
	m := r.awaitError("ResourceNotFoundException")
	require.LessOrEqual(t, m.at, errorWithin)
	require.Equal(t, gst.ResourceNotFound, m.Err.Code)
	require.Contains(t, m.Err.Text, "gst-kinesis stream create "+stream)
	details(t, m, region, "permanent", 400)
	r.stop()
	r.srv = nil // which has no such stream
	b := r.balance(0)
	require.Zero(t, b.delivered)
	require.Equal(t, b.accepted, r.dropped("ResourceNotFoundException"))
}

// details checks what programs read of an error or a warning of the service.
func details(t *testing.T, m said, region, class string, status uint64) {
	t.Helper()
	require.Equal(t, region, m.Structure.Str("region"))
	require.Equal(t, stream, m.Structure.Str("stream-name"))
	require.Equal(t, class, m.Structure.Str("class"))
	require.NotEmpty(t, m.Structure.Str("remedy"))
	require.Positive(t, m.Structure.Uint64("count"))
	require.Equal(t, status, m.Structure.Uint64("http-status-code"))
	if status != 0 {
		require.NotEmpty(t, m.Structure.Str("request-id"))
	}
	require.Contains(t, m.Err.Debug, m.Structure.Str("request-id"))
	require.Contains(t, m.Err.Debug, m.Structure.Str("aws-error-code"))
}

// rate checks that warnings of one code come at most once a second: the first at the start or later, so the second after a second or later, and so on.
// Their distances would not tell: a busy machine may hold up one and not the next.
func (r *rig) rate(code string) {
	r.t.Helper()
	for i, m := range r.count(gst.MessageWarning, code) {
		require.GreaterOrEqual(r.t, m.at, time.Duration(i)*time.Second, "warning %d of %s", i, code)
	}
}

// TestDownAtStart: nothing is lost when the endpoint comes up 5 s after the stream began.
func TestDownAtStart(t *testing.T) {
	returns(t)
	srv := endpoint(t, local.Settings{})
	srv.Stop() // its address stays
	r := newRig(t, srv, "")
	r.play()
	r.push(200, 1000)
	m := r.awaitWarning("ConnectionRefused")
	require.LessOrEqual(t, m.at, warningWithin)
	require.Contains(t, m.Err.Text, srv.URL())
	require.Equal(t, gst.ResourceOpenWrite, m.Err.Code)
	details(t, m, region, "transient", 0)
	time.Sleep(outage - m.at)
	require.NoError(t, srv.Start())
	r.push(200, 1000)
	r.awaitRecovery()
	r.end()
	r.allDelivered()
	require.Empty(t, r.count(gst.MessageError, ""))
	require.GreaterOrEqual(t, len(r.count(gst.MessageWarning, "ConnectionRefused")), 2, "it goes on warning")
	r.rate("ConnectionRefused")
}

// TestKilledMidStream: the endpoint is killed while records flow, and comes back after 5 s.
func TestKilledMidStream(t *testing.T) {
	returns(t)
	srv := endpoint(t, local.Settings{})
	slow := fault(t, srv, local.Rule{Latency: span(2, 6)}) // so that the kill meets requests under way
	r := newRig(t, srv, "linger=0 sensor-name=cam shards=2")
	r.play()
	r.push(1000, 1000)
	srv.Stop()
	killed := time.Now()
	slow.Remove()
	r.push(500, 1000)
	m := r.await("a warning", func(m said) bool { return m.Type == gst.MessageWarning })
	require.LessOrEqual(t, m.at, time.Since(r.began))
	require.Equal(t, "transient", m.Structure.Str("class"))
	time.Sleep(outage - time.Since(killed))
	require.NoError(t, srv.Start())
	r.push(500, 1000)
	r.awaitRecovery()
	r.end()
	r.allDelivered()
	r.inOrder()
	require.Empty(t, r.count(gst.MessageError, ""))
	r.rate("ConnectionRefused")
}

func span(least, most time.Duration) (s struct{ Least, Most time.Duration }) {
	s.Least, s.Most = least*time.Millisecond, most*time.Millisecond
	return s
}

// TestThrottledShard: one of two shards is throttled; the other one's records flow meanwhile.
func TestThrottledShard(t *testing.T) {
	returns(t)
	srv := endpoint(t, local.Settings{})
	rule := fault(t, srv, local.Rule{Shard: "shardId-000000000000", Throttle: true})
	r := newRig(t, srv, "shards=2 sensor-name="+sensorFor(t))
	r.play()
	r.push(600, 4000)
	r.delivered(300)
	m := r.awaitWarning("ProvisionedThroughputExceededException")
	require.Equal(t, gst.ResourceBusy, m.Err.Code)
	require.Contains(t, m.Err.Text, "add shards")
	require.Contains(t, m.Err.Text, "shardId-000000000000", "it says which shard")
	details(t, m, region, "throttled", 200)
	for _, s := range r.stored() {
		require.Equal(t, "shardId-000000000001", s.ShardID)
	}
	require.EqualValues(t, 300, r.stats().Uint64("records-delivered"))
	require.Positive(t, r.stats().Uint64("records-throttled"))
	rule.Remove()
	r.push(100, 4000)
	r.awaitRecovery()
	r.end()
	r.allDelivered()
	r.rate("ProvisionedThroughputExceededException")
}

// TestTenPercentFail: one record in ten is refused for the time being; each is sent again until it is taken, the others are not.
func TestTenPercentFail(t *testing.T) {
	returns(t)
	srv := endpoint(t, local.Settings{Seed: 1})
	rule := fault(t, srv, local.Rule{Record: &local.Failure{Code: "InternalFailure", Message: "Internal service failure."}, Probability: 0.1})
	r := newRig(t, srv, "partition-key-mode=random")
	r.play()
	r.push(3000, 1000)
	r.end()
	r.allDelivered()
	m := r.awaitWarning("InternalFailure")
	details(t, m, region, "transient", 200)
	require.Positive(t, m.Structure.Uint64("records"))
	require.EqualValues(t, rule.Fired(), r.stats().Uint64("records-retried"), "only what failed was sent again")
	require.InDelta(t, 333, rule.Fired(), 100)
	require.Len(t, r.stored(), 3000, "nothing is there twice")
	r.rate("InternalFailure")
	require.Empty(t, r.count(gst.MessageError, ""))
}

// TestLargeBuffer: 12 MiB is more than any stream takes. That record alone is dropped.
func TestLargeBuffer(t *testing.T) {
	returns(t)
	srv := endpoint(t, local.Settings{})
	for _, properties := range []string{"", "max-record-size=10485760"} {
		t.Run(properties, func(t *testing.T) {
			r := newRig(t, srv, properties)
			r.play()
			before := len(r.stored())
			r.push(20, 1000)
			require.True(t, r.pushBytes(make([]byte, 12<<20)))
			r.push(20, 1000)
			m := r.awaitWarning("oversize")
			require.Contains(t, m.Err.Text, "12582")
			require.Contains(t, m.Err.Text, "max-record-size")
			require.Equal(t, "oversize", m.Structure.Str("reason"))
			require.EqualValues(t, 1, m.Structure.Uint64("records"))
			r.end()
			require.Equal(t, 1, r.dropped("oversize"))
			require.EqualValues(t, 12<<20, r.stats().Uint64("bytes-dropped"))
			require.EqualValues(t, 40, r.stats().Uint64("records-delivered"))
			require.Len(t, r.stored(), before+40)
			require.Empty(t, r.count(gst.MessageError, ""))
		})
	}
}

// TestEmptyBuffer: a record may be empty.
func TestEmptyBuffer(t *testing.T) {
	returns(t)
	r := newRig(t, endpoint(t, local.Settings{}), "")
	r.play()
	r.push(10, 1000)
	require.True(t, r.pushBytes(nil))
	r.push(10, 1000)
	r.end()
	r.allDelivered()
	require.Empty(t, r.count(gst.MessageWarning, ""))
}
