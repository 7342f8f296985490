package streams

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/shard"
)

func TestIteratorTypes(t *testing.T) {
	t.Parallel()
	fill := func() (s *Store, sequences []string, times []time.Time) {
		s, c := newTestStore(t, 1, unlimited)
		for i := range 5 {
			sequences = append(sequences, put(t, s, item("k", fmt.Sprint(i)))[0].Sequence)
			times = append(times, c.now())
			c.add(10 * time.Second)
		}
		return s, sequences, times
	}
	_, sequences, times := fill() // the same in each store
	between := times[2].Add(time.Second)
	after := times[4].Add(time.Second)
	early := times[0].Add(-time.Hour)
	for _, tc := range []iteratorCase{
		{"trim horizon", IteratorSpec{Type: TrimHorizon}, []string{"0", "1", "2", "3", "4"}},
		{"latest", IteratorSpec{Type: Latest}, []string{"new"}},
		{"at sequence", IteratorSpec{Type: AtSequenceNumber, Sequence: &sequences[3]}, []string{"3", "4"}},
		{"after sequence", IteratorSpec{Type: AfterSequenceNumber, Sequence: &sequences[3]}, []string{"4"}},
		{"after the last", IteratorSpec{Type: AfterSequenceNumber, Sequence: &sequences[4]}, []string{"new"}},
		{"at a record's time", IteratorSpec{Type: AtTimestamp, At: &times[1]}, []string{"1", "2", "3", "4"}},
		{"between records", IteratorSpec{Type: AtTimestamp, At: &between}, []string{"3", "4"}},
		{"after all records", IteratorSpec{Type: AtTimestamp, At: &after}, []string{"new"}},
		{"before all records", IteratorSpec{Type: AtTimestamp, At: &early}, []string{"0", "1", "2", "3", "4"}},
	} {
		s, _, _ := fill()
		tc.check(t, s)
	}
}

// iteratorCase says which records an iterator yields; "new" stands for the first one that is put after it was made.
type iteratorCase struct {
	name string
	spec IteratorSpec
	want []string
}

func (tc iteratorCase) check(t *testing.T, s *Store) {
	t.Helper()
	tc.spec.Shard = "shardId-000000000000"
	it := iterator(t, s, tc.spec)
	if tc.want[0] == "new" {
		b, err := s.Get(it, 0)
		require.NoError(t, err)
		require.Empty(t, b.Records, tc.name)
		put(t, s, item("k", "new"))
		it = b.Next
	}
	b, err := s.Get(it, len(tc.want))
	require.NoError(t, err)
	require.Equal(t, tc.want, datas(b), tc.name)
}

func TestIteratorErrors(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 2, unlimited)
	seq := put(t, s, item("k", "x"))[0]
	other := ShardID(1 - int(seq.Shard[len(seq.Shard)-1]-'0'))
	future, foreign, bad := c.now().Add(time.Hour), Sequence{Created: 1, Index: 1, Time: 1}.String(), "12"
	for _, tc := range []struct {
		stream string
		spec   IteratorSpec
		code   string
		text   string
	}{
		{"s", IteratorSpec{Shard: "nonsense", Type: Latest}, apierr.ResourceNotFound,
			"Could not find shard nonsense in stream s under account 000000000000."},
		{"s", IteratorSpec{Shard: "shardId-000000000007", Type: Latest}, apierr.ResourceNotFound,
			"Shard shardId-000000000007 in stream s under account 000000000000 does not exist"},
		{"none", IteratorSpec{Shard: "shardId-000000000000", Type: Latest}, apierr.ResourceNotFound,
			"Shard shardId-000000000000 in stream none under account 000000000000 does not exist"},
		{"s", IteratorSpec{Shard: "0", Type: Latest, Sequence: &seq.Sequence}, apierr.InvalidArgument, "and also a StartingSequenceNumber."},
		{"s", IteratorSpec{Shard: "0", Type: AtSequenceNumber}, apierr.InvalidArgument, "Request specified AT_SEQUENCE_NUMBER and no StartingSequenceNumber."},
		{"s", IteratorSpec{Shard: "0", Type: AtSequenceNumber, Sequence: &bad}, apierr.InvalidArgument,
			"StartingSequenceNumber 12 used in GetShardIterator on shard shardId-000000000000 in stream s under account 000000000000 is invalid."},
		{"s", IteratorSpec{Shard: other, Type: AtSequenceNumber, Sequence: &seq.Sequence}, apierr.InvalidArgument,
			"Invalid StartingSequenceNumber. It encodes " + seq.Shard + ", while it was used in a call to a shard with " + other},
		{"s", IteratorSpec{Shard: "0", Type: AtSequenceNumber, Sequence: &foreign}, apierr.InvalidArgument, "because it did not come from this stream."},
		{"s", IteratorSpec{Shard: "0", Type: AtTimestamp}, apierr.InvalidArgument, "Must specify timestampInMillis parameter"},
		{"s", IteratorSpec{Shard: "0", Type: AtTimestamp, At: &future}, apierr.InvalidArgument, "cannot be greater than the currentTimestampInMillis"},
	} {
		_, err := s.Iterator(tc.stream, tc.spec)
		require.Contains(t, requireCode(t, err, tc.code).Message, tc.text)
	}
}

func TestIteratorExpires(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 1, unlimited)
	it := iterator(t, s, IteratorSpec{Shard: "0", Type: Latest})
	c.add(5 * time.Minute)
	b, err := s.Get(it, 0)
	require.NoError(t, err)
	c.add(time.Second)
	_, err = s.Get(it, 0)
	require.Equal(t, "Iterator expired. The iterator was created at time Mon Nov 02 08:00:00 UTC 2026 while right now it is "+
		"Mon Nov 02 08:05:01 UTC 2026 which is further in the future than the tolerated delay of 300000 milliseconds.",
		requireCode(t, err, apierr.ExpiredIterator).Message)
	_, err = s.Get(b.Next, 0)
	require.NoError(t, err, "the next iterator is fresh")
}

func TestIteratorOfAnotherStream(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 1, unlimited)
	it := iterator(t, s, IteratorSpec{Shard: "0", Type: TrimHorizon})
	require.NoError(t, s.Delete("s"))
	c.add(time.Second)
	require.NoError(t, s.Create(CreateSpec{Name: "s"}))
	_, err := s.Get(it, 0)
	requireCode(t, err, apierr.ResourceNotFound)
	for _, text := range []string{"", "x", "AAAA", strings.Repeat("A", 200), it[:len(it)-4] + "AAAA"} {
		_, err := s.Get(text, 0)
		require.Equal(t, "Invalid ShardIterator.", requireCode(t, err, apierr.InvalidArgument).Message)
	}
}

func TestGetBounds(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 1, unlimited)
	for range 12 {
		put(t, s, item("k", strings.Repeat("x", shard.MiB-1)))
		c.add(time.Second)
	}
	b, err := s.Get(iterator(t, s, IteratorSpec{Shard: "0", Type: TrimHorizon}), 0)
	require.NoError(t, err)
	require.Len(t, b.Records, 10, "an answer holds 10 MiB")
	require.EqualValues(t, 3000, b.MillisBehind)
	b, err = s.Get(b.Next, 0)
	require.NoError(t, err)
	require.Len(t, b.Records, 2)
	require.Zero(t, b.MillisBehind)

	small := make([]Item, 11000)
	for i := range small {
		small[i] = item("k", "")
	}
	put(t, s, small...)
	b, err = s.Get(b.Next, 0)
	require.NoError(t, err)
	require.Len(t, b.Records, 10000)
}

func TestRetention(t *testing.T) {
	t.Parallel()
	s, c := newTestStore(t, 1, unlimited)
	put(t, s, item("k", "old"))
	c.add(12 * time.Hour)
	put(t, s, item("k", "young"))
	c.add(12*time.Hour + time.Second)
	b, err := s.Get(iterator(t, s, IteratorSpec{Shard: "0", Type: TrimHorizon}), 0)
	require.NoError(t, err)
	require.Equal(t, []string{"young"}, datas(b))
	require.NoError(t, s.SetRetention("s", 48, true))
	c.add(24 * time.Hour)
	books, err := s.Records("s")
	require.NoError(t, err)
	require.Len(t, books, 1)
	require.NoError(t, s.SetRetention("s", 24, false))
	require.EqualValues(t, 2, s.Usage().Expired)
	require.Zero(t, s.Usage().Bytes)
}

func TestRetentionErrors(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, 1)
	require.NoError(t, s.SetRetention("s", 72, true))
	for _, tc := range []struct {
		hours  int
		longer bool
		text   string
	}{
		{23, true, "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short."},
		{8761, true, "Maximum allowed retention period is 8760 hours. Requested retention period (8761 hours) is too long."},
		{48, true, "Requested retention period (48 hours) for stream s can not be shorter than existing retention period (72 hours). Use DecreaseRetentionPeriod API."},
		{96, false, "Requested retention period (96 hours) for stream s can not be longer than existing retention period (72 hours). Use IncreaseRetentionPeriod API."},
	} {
		require.Equal(t, tc.text, requireCode(t, s.SetRetention("s", tc.hours, tc.longer), apierr.InvalidArgument).Message)
	}
}

func TestMemoryBound(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	s, c := newTestStore(t, 4, unlimited, func(set *Settings) { set.MaxBytes = most })
	require.NoError(t, s.Create(CreateSpec{Name: "other", Shards: 2}))
	for i := range 4000 {
		name := "s"
		if i%3 == 0 {
			name = "other"
		}
		_, err := s.Put(name, []Item{item(fmt.Sprint("key", i), strings.Repeat("x", 1000))}, nil)
		require.NoError(t, err)
		require.LessOrEqual(t, s.Usage().Bytes, int64(most))
		c.add(time.Millisecond)
	}
	var oldest time.Time
	held := 0
	for _, name := range []string{"s", "other"} {
		books, err := s.Records(name)
		require.NoError(t, err)
		held += len(books)
		for _, r := range books {
			if oldest.IsZero() || r.Arrival.Before(oldest) {
				oldest = r.Arrival
			}
		}
	}
	require.EqualValues(t, 4000, int64(held)+s.Usage().Trimmed, "every record is held or counted")
	require.Equal(t, int(c.now().Sub(oldest).Milliseconds()), held, "what is held is the newest")
	require.Greater(t, held, 800)
}
