package faults

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/local"
	"gst-kinesis/tests/kit"
)

// books are the stats of a sink as numbers.
type books struct {
	accepted, delivered, dropped, inFlight, duplicates int
}

// balance checks the sink's books after the end and against what the endpoint stored:
//
//   - accepted = delivered + dropped + in flight, in records and bytes, and nothing is in flight after the end;
//   - the reasons of the dropped add up;
//   - each sequence number that was told is stored under its shard and key, once, with that size;
//   - what is stored beside these is what may have been stored without our hearing of it: at most the possible duplicates, and uncertain
//     records that were dropped while the fate of their request was unknown.
func (r *rig) balance(uncertain int) books {
	r.t.Helper()
	s := r.stats()
	b := books{
		accepted: int(s.Uint64("records-accepted")), delivered: int(s.Uint64("records-delivered")), dropped: int(s.Uint64("records-dropped")),
		inFlight: int(s.Uint64("records-in-flight")), duplicates: int(s.Uint64("possible-duplicates")),
	}
	for _, unit := range []string{"records-", "bytes-"} {
		require.Equal(r.t, s.Uint64(unit+"accepted"), s.Uint64(unit+"delivered")+s.Uint64(unit+"dropped")+s.Uint64(unit+"dead-lettered")+
			s.Uint64(unit+"spooled")+s.Uint64(unit+"in-flight"), "the books balance in %s: %s", unit, s)
	}
	require.Zero(r.t, b.inFlight, "%s", s)
	require.Zero(r.t, s.Uint64("records-waiting"))
	sum := 0
	if reasons, ok := s.Get("dropped-by-reason").(*gst.Structure); ok {
		for _, f := range reasons.Fields {
			sum += int(reasons.Uint64(f.Name))
		}
	}
	require.Equal(r.t, b.dropped, sum, "the reasons add up: %s", s)
	if r.srv != nil {
		r.compare(b, uncertain)
	}
	return b
}

// place is where a record lies.
type place struct{ shard, sequence string }

func (r *rig) compare(b books, uncertain int) {
	r.t.Helper()
	kit.Until(r.t, "each delivered record is told", func() bool { return r.told() == b.delivered })
	stored := r.stored()
	at := make(map[place]local.Record, len(stored))
	for _, s := range stored {
		at[place{s.ShardID, s.SequenceNumber}] = s
	}
	require.Len(r.t, at, len(stored))
	r.eachAck(func(p place, key string, bytes uint64) {
		s, ok := at[p]
		require.True(r.t, ok, "%v was told once and is stored", p)
		require.Equal(r.t, s.PartitionKey, key)
		require.EqualValues(r.t, len(s.Data), bytes)
		delete(at, p)
	})
	require.LessOrEqual(r.t, len(at), b.duplicates+uncertain, "what is stored and was not told")
}

// eachAck calls f for each record that the sink told of.
func (r *rig) eachAck(f func(p place, key string, bytes uint64)) {
	for _, m := range r.all() {
		if m.Type != gst.MessageElement || m.Structure.Name != "kinesissink-ack" {
			continue
		}
		list := func(name string) []any { return m.Structure.Get(name).([]any) }
		shards, keys, sizes := list("shard-id"), list("partition-key"), list("bytes")
		for i, sequence := range list("sequence-number") {
			f(place{shards[i].(string), sequence.(string)}, keys[i].(string), sizes[i].(uint64))
		}
	}
}

func (r *rig) told() (n int) {
	r.eachAck(func(place, string, uint64) { n++ })
	return n
}

// stored gives what the stream holds.
func (r *rig) stored() []local.Record {
	r.t.Helper()
	list, err := r.srv.Records(stream)
	require.NoError(r.t, err)
	return list
}

// complete checks that all that was pushed is stored: each record, and none changed.
func (r *rig) complete() {
	r.t.Helper()
	times := map[string]int{}
	for _, s := range r.stored() {
		times[string(s.Data)]++
	}
	for i, data := range r.pushed {
		require.Positive(r.t, times[string(data)], "record %d of %d, %d bytes, is stored", i, len(r.pushed), len(data))
		delete(times, string(data))
	}
	require.Empty(r.t, times, "nothing is stored that was not pushed")
}

// inOrder checks that the records of each shard lie in the order they were pushed in. Copies may follow.
func (r *rig) inOrder() {
	r.t.Helper()
	last := map[string][]byte{}
	seen := map[string]bool{}
	for _, s := range r.stored() {
		if seen[string(s.Data)] {
			continue
		}
		seen[string(s.Data)] = true
		require.Positive(r.t, bytes.Compare(s.Data, last[s.PartitionKey]), "order in %s", s.PartitionKey)
		last[s.PartitionKey] = s.Data
	}
}

// allDelivered is the usual end of a test: the books balance, nothing was dropped, and all is stored.
func (r *rig) allDelivered() {
	r.t.Helper()
	b := r.balance(0)
	require.Equal(r.t, len(r.pushed), b.accepted)
	require.Equal(r.t, len(r.pushed), b.delivered)
	r.complete()
}

// noSecret checks that nothing of the credentials stands in a message.
func noSecret(t *testing.T, list []said) {
	t.Helper()
	for _, m := range list {
		require.NotContains(t, m.String(), secret)
	}
}
