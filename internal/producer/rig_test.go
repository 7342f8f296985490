package producer

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// rig is a producer on a fake stream in a bubble of virtual time, which also
// sees to it that no goroutine is left behind.
type rig struct {
	*testing.T
	p     *Producer
	c     *fakeClient
	o     *fakeObserver
	s     Settings
	began time.Time
}

// bench runs body with a producer whose settings and client were prepared, closes
// it and checks the books.
func bench(t *testing.T, prepare func(*Settings, *fakeClient), body func(*rig), options ...Option) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { inBubble(t, prepare, body, options...) })
}

func inBubble(t *testing.T, prepare func(*Settings, *fakeClient), body func(*rig), options ...Option) {
	r := &rig{T: t, c: &fakeClient{shards: 1}, o: newFakeObserver(), s: Default(), began: time.Now()}
	r.s.Stream, r.s.Region = "frames", "eu-west-1"
	r.c.latency = func() time.Duration { return 10 * time.Millisecond }
	if prepare != nil {
		prepare(&r.s, r.c)
	}
	var err error
	r.p, err = New(r.c, r.s, r.o, append([]Option{WithSeed(1)}, options...)...)
	require.NoError(t, err)
	defer r.p.Close() // also when body gives up: else the bubble would panic
	body(r)
	r.p.Close()
	books := r.p.Books()
	require.True(t, books.Balanced(), "%+v", books)
	require.Zero(t, books.InFlight)
	require.EqualValues(t, len(r.heard().deliveries), books.Delivered.Records)
	checkFigures(t, r.p.Stats())
	for reason, lost := range r.heard().lost {
		require.EqualValues(t, len(lost), books.Dropped[reason].Records, reason)
	}
}

// checkFigures sees to it that what is counted by shard and by time adds up to the books.
func checkFigures(t *testing.T, s Stats) {
	t.Helper()
	var put Count
	var units, bytes, retries int64
	for _, shard := range s.Shards {
		put = put.plus(shard.Put)
		units, bytes, retries = units+shard.KinesisRecords, bytes+shard.KinesisBytes, retries+shard.Retries
	}
	require.Equal(t, s.Books.Delivered, put)
	require.Equal(t, s.KinesisRecords, units)
	require.Equal(t, s.KinesisBytes, bytes)
	require.LessOrEqual(t, retries, s.Retries)
	require.Equal(t, s.Books.Delivered.Records, s.Delivery.Count())
	require.LessOrEqual(t, s.Request.Count(), s.Requests)
	require.GreaterOrEqual(t, s.Tries.Records[0], int64(0))
}

// record makes a record.
func (r *rig) record(key, data string) *Record {
	rec := r.p.Reserve(len(data))
	copy(rec.Data, data)
	rec.PartitionKey, rec.Token = key, data
	return rec
}

// put puts a record that must be taken.
func (r *rig) put(key, data string) {
	r.Helper()
	require.NoError(r, r.p.Put(context.Background(), r.record(key, data)))
}

// putN puts records "0000".. of one key.
func (r *rig) putN(key string, n int) {
	r.Helper()
	for i := range n {
		r.put(key, fmt.Sprintf("%04d", i))
	}
}

func (r *rig) flush() {
	r.Helper()
	require.NoError(r, r.p.Flush(context.Background()))
}

// settle lets virtual time pass.
func (r *rig) settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// heard returns what the observer heard so far.
func (r *rig) heard() *fakeObserver { return r.o.snapshot() }

func (r *rig) since() time.Duration { return time.Since(r.began) }

// datas returns the data of stored records.
func datas(records []stored) []string {
	out := make([]string, len(records))
	for i, r := range records {
		out[i] = r.data
	}
	return out
}

// inOrder reports "0000", "0001", … without gaps and repeats.
func (r *rig) inOrder(records []stored, n int) {
	r.Helper()
	require.Len(r, records, n)
	for i, rec := range records {
		require.Equal(r, fmt.Sprintf("%04d", i), rec.data)
	}
}
