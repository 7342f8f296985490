package frame

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// settableClock is a clock that tests move, backwards too.
type settableClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *settableClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *settableClock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func TestSnowflakeLayout(t *testing.T) {
	t.Parallel()
	clock := &settableClock{at: time.UnixMilli(1763712000123)}
	s := NewSnowflake(5, clock.Now)
	first := s.Next()
	require.Equal(t, int64(1763712000123)<<22|5<<12, first)
	require.Equal(t, first+1, s.Next())
	at, node, sequence := SnowflakeParts(first + 1)
	require.Equal(t, clock.at.UTC(), at)
	require.Equal(t, 5, node)
	require.Equal(t, 1, sequence)
	require.Equal(t, 5, s.Node())
	require.Equal(t, 1, NewSnowflake(MaxNode+2, clock.Now).Node())
	clock.Move(time.Millisecond)
	require.Equal(t, int64(1763712000124)<<22|5<<12, s.Next())
}

func TestSnowflakeGrowsWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	clock := &settableClock{at: time.UnixMilli(1763712000000)}
	s := NewSnowflake(1023, clock.Now)
	last := int64(0)
	for i := range 50000 {
		switch i {
		case 10000:
			clock.Move(-time.Hour)
		case 20000:
			clock.Move(time.Hour)
		case 30000:
			clock.Move(time.Hour)
		case 40000:
			clock.Move(-100 * 365 * 24 * time.Hour) // before 1970
		}
		id := s.Next()
		if _, node, _ := SnowflakeParts(id); id <= last || node != 1023 {
			t.Fatalf("id %d of node %d follows %d", id, node, last)
		}
		last = id
	}
	at, _, _ := SnowflakeParts(last)
	require.WithinDuration(t, time.UnixMilli(1763712000000).Add(time.Hour), at, 10*time.Millisecond, "borrowed no more than it needed")
}

func TestSnowflakeCatchesUpAfterBorrowing(t *testing.T) {
	t.Parallel()
	clock := &settableClock{at: time.UnixMilli(1000)}
	s := NewSnowflake(0, clock.Now)
	for range 4096*2 + 1 {
		s.Next()
	}
	clock.Move(3 * time.Millisecond)
	require.Equal(t, int64(1003)<<22, s.Next())
}

func TestSnowflakeIsSharedByMany(t *testing.T) {
	t.Parallel()
	clock := &settableClock{at: time.UnixMilli(1763712000000)}
	owner := NewSnowflakes(clock.Now)
	const workers, each = 8, 5000
	ids := make([][]int64, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			s := owner.Node(7)
			for i := range each {
				if i%100 == 0 {
					clock.Move(time.Duration(i%7-3) * time.Millisecond)
				}
				ids[w] = append(ids[w], s.Next())
			}
		})
	}
	wg.Wait()
	for _, of := range ids {
		require.True(t, slices.IsSorted(of))
	}
	all := slices.Concat(ids...)
	slices.Sort(all)
	require.Len(t, slices.Compact(all), workers*each)
}

func TestSnowflakesOwner(t *testing.T) {
	t.Parallel()
	owner := NewSnowflakes(time.Now)
	require.Same(t, owner.Node(3), owner.Node(3))
	require.Same(t, owner.Node(3), owner.Node(3+MaxNode+1))
	require.NotSame(t, owner.Node(3), owner.Node(4))
	require.Same(t, owner.Node(-1), owner.Node(-2))
	nodes := map[int]bool{}
	for range 50 {
		nodes[NewSnowflakes(time.Now).Node(-1).Node()] = true
	}
	require.Greater(t, len(nodes), 10, "the default node is random")
}

func TestSnowflakeDoesNotAllocate(t *testing.T) {
	s := NewSnowflake(1, time.Now)
	require.Zero(t, testing.AllocsPerRun(100, func() { s.Next() }))
}

func BenchmarkSnowflake(b *testing.B) {
	s := NewSnowflake(1, time.Now)
	b.ReportAllocs()
	for b.Loop() {
		s.Next()
	}
}
