package faults

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/local"
	"gst-kinesis/tests/kit"
)

// TestStopWithoutEOS: what was accepted is sent within stop-timeout.
func TestStopWithoutEOS(t *testing.T) {
	returns(t)
	srv := endpoint(t, local.Settings{})
	fault(t, srv, local.Rule{Latency: span(100, 100)})
	r := newRig(t, srv, "shards=2 sensor-name=cam linger=1000000000 stop-timeout=60000000000")
	r.play()
	r.push(500, 4000)
	r.accepted(500)
	r.stop()
	r.balance(0)
	require.EqualValues(t, 500, r.stats().Uint64("records-delivered"))
	r.complete()
}

// TestStopWhileHung: what cannot be sent within stop-timeout is dropped, counted and said; the stop does not hang.
func TestStopWhileHung(t *testing.T) {
	returns(t)
	srv := endpoint(t, local.Settings{})
	fault(t, srv, local.Rule{Hang: true})
	r := newRig(t, srv, "stop-timeout=500000000")
	r.play()
	r.push(500, 4000)
	r.accepted(500)
	before := time.Now()
	r.stop()
	took := time.Since(before)
	require.GreaterOrEqual(t, took, 500*time.Millisecond)
	require.Less(t, took, 5*time.Second)
	m := r.awaitWarning("stop")
	require.EqualValues(t, 500, m.Structure.Uint64("records"))
	require.Equal(t, "stop", m.Structure.Str("reason"))
	b := r.balance(0)
	require.Equal(t, 500, b.dropped)
	require.Equal(t, 500, r.dropped("stop"))
}

func (r *rig) accepted(n uint64) {
	r.t.Helper()
	r.awaitStats("the sink has taken all", func(s *gst.Structure) bool { return s.Uint64("records-accepted") >= n })
}

// TestStartsAndStops: one process starts and stops the sink 200 times, with and without an end of stream, with requests under way.
func TestStartsAndStops(t *testing.T) {
	returns(t)
	srv := endpoint(t, local.Settings{})
	r := newRig(t, srv, "linger=0 sensor-name=cam shards=2")
	stored, goroutines := 0, gsttest.GoroutineCount()
	for i := range 200 {
		r.play()
		n := r.push(1+i%7, 1000)
		if i%2 == 0 {
			r.end()
		} else {
			r.accepted(uint64(n))
		}
		r.stop()
		r.mu.Lock()
		r.said = nil
		r.mu.Unlock()
		s := r.stats()
		require.EqualValues(t, n, s.Uint64("records-accepted"), "each start has books of its own")
		require.EqualValues(t, n, s.Uint64("records-delivered"), "%s", s)
		stored += n
	}
	require.Len(t, r.stored(), stored)
	r.complete()
	kit.Until(t, "all goroutines of the sink have ended", func() bool { return gsttest.GoroutineCount() <= goroutines+2 })
}

// TestMakeAndDrop: elements that are made and dropped in whatever state leave nothing.
func TestMakeAndDrop(t *testing.T) {
	returns(t)
	srv := endpoint(t, local.Settings{})
	line := "kinesissink name=sink stream-name=" + stream + " region=" + region + " access-key=a secret-access-key=b endpoint-uri=" + srv.URL()
	for i := range 200 {
		p, err := gst.Parse("fakesrc num-buffers=5 sizetype=fixed sizemax=1000 ! " + line)
		require.NoError(t, err)
		for _, s := range [][]gst.State{{}, {gst.StateReady}, {gst.StatePaused}, {gst.StatePlaying}, {gst.StatePlaying, gst.StateReady, gst.StatePlaying}}[i%5] {
			p.SetState(s)
		}
		p.SetState(gst.StateNull)
		p.Unref()
	}
}
