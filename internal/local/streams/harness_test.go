package streams

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/shard"
)

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// newTestStore returns a store with limits and a stream "s".
func newTestStore(t *testing.T, shards int, opts ...func(*Settings)) (*Store, *clock) {
	t.Helper()
	c := newClock()
	set := Settings{Account: "000000000000", Region: "us-east-1", Now: c.now, Limits: true, MaxBytes: 1 << 30, ShardLimit: 1000,
		Logger: slog.New(slog.DiscardHandler)}
	for _, opt := range opts {
		opt(&set)
	}
	s := NewStore(set)
	require.NoError(t, s.Create(CreateSpec{Name: "s", Shards: shards}))
	return s, c
}

func unlimited(s *Settings) { s.Limits = false }

func item(key string, data string) Item {
	return Item{Key: key, Hash: shard.HashKey(key), Data: []byte(data)}
}

// put stores records and returns what became of them.
func put(t *testing.T, s *Store, items ...Item) []Placed {
	t.Helper()
	res, err := s.Put("s", items, nil)
	require.NoError(t, err)
	return res.Placed
}

// iterator makes an iterator on stream "s".
func iterator(t *testing.T, s *Store, spec IteratorSpec) string {
	t.Helper()
	it, err := s.Iterator("s", spec)
	require.NoError(t, err)
	return it
}

func datas(b Batch) []string {
	list := []string{}
	for _, r := range b.Records {
		list = append(list, string(r.Data))
	}
	return list
}

// requireCode fails unless err is the service's error with a code.
func requireCode(t *testing.T, err error, code string) *apierr.Error {
	t.Helper()
	var e *apierr.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, e.Message)
	return e
}
