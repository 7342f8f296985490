package frame

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// The layout of a frame_id: 41 bits of milliseconds since 1970 (until
// September 2039, when the sign bit is reached), 10 bits of node, 12 bits of
// sequence.
const (
	nodeBits     = 10
	sequenceBits = 12

	// MaxNode is the largest node number.
	MaxNode = 1<<nodeBits - 1
)

// Snowflake makes frame ids that grow strictly and never repeat within its
// life, also while the clock stands still, steps back or more than 4096 ids
// are asked for in one millisecond: it then counts on into the next
// milliseconds instead of waiting, until the clock has caught up. Safe for
// concurrent use; Next does not allocate and does not lock.
type Snowflake struct {
	now  func() time.Time
	node int64
	last atomic.Int64 // milliseconds and sequence side by side: carrying over borrows from the next millisecond
}

// NewSnowflake returns a generator. The node's low 10 bits count; two
// generators at work at the same time must differ in them.
func NewSnowflake(node int, now func() time.Time) *Snowflake {
	return &Snowflake{now: now, node: int64(node&MaxNode) << sequenceBits}
}

// Next returns the next id.
func (s *Snowflake) Next() int64 {
	tick := max(s.now().UnixMilli(), 0) << sequenceBits
	for {
		last := s.last.Load()
		next := max(tick, last+1)
		if s.last.CompareAndSwap(last, next) {
			const sequence = 1<<sequenceBits - 1
			return next>>sequenceBits<<(nodeBits+sequenceBits) | s.node | next&sequence
		}
	}
}

// Node returns the node number.
func (s *Snowflake) Node() int { return int(s.node >> sequenceBits) }

// SnowflakeParts takes a frame id apart.
func SnowflakeParts(id int64) (t time.Time, node, sequence int) {
	return time.UnixMilli(id >> (nodeBits + sequenceBits)).UTC(),
		int(id>>sequenceBits) & MaxNode,
		int(id & (1<<sequenceBits - 1))
}

// Snowflakes owns the generators of a process: one for each node number, so
// that all who use the same number draw from the same sequence. Safe for
// concurrent use.
type Snowflakes struct {
	now         func() time.Time
	defaultNode int

	mu     sync.Mutex
	byNode map[int]*Snowflake
}

// NewSnowflakes returns an owner whose default node is random, because two
// processes of one machine must not share a number.
func NewSnowflakes(now func() time.Time) *Snowflakes {
	return &Snowflakes{now: now, defaultNode: rand.IntN(MaxNode + 1), byNode: map[int]*Snowflake{}}
}

// Node returns the one generator of a node number; a negative number is the
// default node. Only the low 10 bits count.
func (s *Snowflakes) Node(node int) *Snowflake {
	if node < 0 {
		node = s.defaultNode
	}
	node &= MaxNode
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byNode[node] == nil {
		s.byNode[node] = NewSnowflake(node, s.now)
	}
	return s.byNode[node]
}
