package chaos

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
)

// row is a line of the table.
type row struct {
	name, ordering               string
	accepted, delivered, dropped int64
	stored, duplicates, possible int64
	took                         time.Duration
	note                         string
}

// check holds the books, after the end, against what the endpoint stored:
//
//   - accepted = delivered + dropped + dead-lettered + spooled + in flight, and nothing is in flight any more;
//   - accepted is what was put;
//   - each delivery that was told lies in its shard, under its key, once, with its size;
//   - each record that was put and not dropped is stored, and nothing else is;
//   - copies are at most the possible duplicates that were counted.
//
// Where records were dropped, those whose request's fate was not known may be stored all the same.
func (r *rig) check(ordered bool) row {
	r.Helper()
	b := r.p.Books()
	require.True(r, b.Balanced(), "%+v", b)
	require.Zero(r, b.InFlight, "%+v", b)
	require.Equal(r, r.accepted(), b.Accepted.Records)
	stored, err := r.srv.Records(stream)
	require.NoError(r, err)
	r.checkTold(stored, b.Delivered.Records)
	firsts := first(stored)
	distinct, dropped := int64(len(firsts)), b.DroppedAll().Records
	r.checkData(firsts, dropped)
	require.GreaterOrEqual(r, distinct, b.Delivered.Records)
	require.LessOrEqual(r, distinct, b.Delivered.Records+dropped)
	duplicates := int64(len(stored)) - distinct
	require.LessOrEqual(r, duplicates, b.PossibleDuplicates, "copies that are stored")
	if ordered {
		inOrder(r.T, firsts)
	}
	return row{
		accepted: b.Accepted.Records, delivered: b.Delivered.Records, dropped: dropped, stored: int64(len(stored)),
		duplicates: duplicates, possible: b.PossibleDuplicates,
	}
}

// checkTold looks up each delivery.
func (r *rig) checkTold(stored []local.Record, delivered int64) {
	r.Helper()
	at := make(map[place]local.Record, len(stored))
	for _, s := range stored {
		at[place{s.ShardID, s.SequenceNumber}] = s
	}
	require.Len(r, at, len(stored))
	r.heard.mu.Lock()
	defer r.heard.mu.Unlock()
	require.Zero(r, r.heard.twice, "deliveries that were told twice")
	require.EqualValues(r, delivered, len(r.heard.told), "each delivery is told")
	for p, d := range r.heard.told {
		s, ok := at[p]
		require.True(r, ok, "%v was told and is not stored", p)
		require.Equal(r, s.PartitionKey, d.key)
		require.Len(r, s.Data, d.bytes)
	}
}

// checkData compares records byte by byte with what was put.
func (r *rig) checkData(firsts []local.Record, dropped int64) {
	r.Helper()
	left := map[string][]byte{}
	for _, list := range r.put {
		for _, data := range list {
			left[numberOf(data)] = data
		}
	}
	for _, s := range firsts {
		want, ok := left[numberOf(s.Data)]
		require.True(r, ok, "a record is stored that nobody put: %.20q", s.Data)
		require.True(r, bytes.Equal(want, s.Data), "%.20q has changed", s.Data)
		require.Equal(r, s.PartitionKey, strings.Fields(string(s.Data[:20]))[0])
		delete(left, numberOf(s.Data))
	}
	require.LessOrEqual(r, int64(len(left)), dropped, "records that were neither stored nor dropped")
}

// numberOf is the head of a record, its key and its number.
func numberOf(data []byte) string { return string(data[:min(len(data), len("key00 00000000"))]) }

// first leaves out all copies of a record but the one stored first. A key moves to shards with higher numbers alone, so what lies in a shard with a
// lower one is older.
func first(stored []local.Record) []local.Record {
	seen := make(map[string]bool, len(stored))
	var firsts []local.Record
	for _, s := range stored {
		if n := numberOf(s.Data); !seen[n] {
			seen[n] = true
			firsts = append(firsts, s)
		}
	}
	return firsts
}

// inOrder checks that the records of each key lie in the order of their numbers.
func inOrder(t *testing.T, firsts []local.Record) {
	t.Helper()
	last := map[string]string{}
	for _, s := range firsts {
		n := numberOf(s.Data)
		require.Less(t, last[s.PartitionKey], n, "the order of %s", s.PartitionKey)
		last[s.PartitionKey] = n
	}
}

// table collects rows of tests that run side by side.
type table struct {
	mu   sync.Mutex
	rows []row
}

func (b *table) add(r row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = append(b.rows, r)
}

// print shows the table.
func (b *table) print(t *testing.T) {
	t.Helper()
	sort.SliceStable(b.rows, func(i, j int) bool { return b.rows[i].name+b.rows[i].ordering < b.rows[j].name+b.rows[j].ordering })
	var text strings.Builder
	fmt.Fprintf(&text, "\n%-38s %-11s %8s %9s %7s %10s %8s %7s %7s  %s\n", "fault", "ordering", "accepted", "delivered", "stored", "duplicates",
		"possible", "dropped", "time", "")
	for _, r := range b.rows {
		fmt.Fprintf(&text, "%-38s %-11s %8d %9d %7d %10d %8d %7d %6.1fs  %s\n", r.name, r.ordering, r.accepted, r.delivered, r.stored, r.duplicates,
			r.possible, r.dropped, r.took.Seconds(), r.note)
	}
	t.Log(text.String())
}
