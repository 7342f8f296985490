package shard

import (
	"errors"
	"fmt"
	"slices"
	"sort"
)

// Shard is one shard of a stream, as ListShards tells of it.
type Shard struct {
	ID    string
	Range Range
	// Closed shards take no records any more: they were split or merged.
	Closed bool
}

// ErrNoMap is the error of a list of shards whose open ones do not hold each hash
// key once, as can be seen while a stream is being resharded.
var ErrNoMap = errors.New("the open shards do not hold each hash key once")

// Map tells which open shard holds a hash key. It is immutable and may be used by
// several goroutines at once.
type Map struct {
	open []Shard // by their ranges
	byID map[string]int
}

// NewMap makes a map of all shards of a stream, in any order; closed ones are left
// out. The error wraps ErrNoMap.
func NewMap(list []Shard) (*Map, error) {
	m := &Map{byID: make(map[string]int)}
	for _, s := range list {
		if !s.Closed {
			m.open = append(m.open, s)
		}
	}
	slices.SortFunc(m.open, func(a, b Shard) int { return a.Range.Start.Compare(b.Range.Start) })
	next, full := Hash{}, len(m.open) == 0
	for i, s := range m.open {
		switch {
		case full:
			return nil, fmt.Errorf("mapping the shards: %s lies above the greatest hash key of another: %w", s.ID, ErrNoMap)
		case s.Range.Start != next || s.Range.End.Compare(s.Range.Start) < 0:
			return nil, fmt.Errorf("mapping the shards: %s begins at %v in place of %v: %w", s.ID, s.Range.Start, next, ErrNoMap)
		}
		full, next = s.Range.End == MaxHash(), s.Range.End.Next()
		m.byID[s.ID] = i
	}
	if !full || len(m.open) == 0 {
		return nil, fmt.Errorf("mapping the shards: none of %d open ones holds the hash key %v: %w", len(m.open), next, ErrNoMap)
	}
	return m, nil
}

// Len is the number of open shards, at least 1.
func (m *Map) Len() int { return len(m.open) }

// At returns an open shard, by its place among them from 0.
func (m *Map) At(i int) Shard { return m.open[i] }

// Find returns the place of the open shard that holds a hash key. It allocates nothing.
func (m *Map) Find(h Hash) int {
	return sort.Search(len(m.open), func(i int) bool { return h.Compare(m.open[i].Range.End) <= 0 })
}

// Index returns the place of an open shard; ok is false for one that is not open.
func (m *Map) Index(id string) (i int, ok bool) {
	i, ok = m.byID[id]
	return i, ok
}

// Equal reports whether two maps have the same open shards.
func (m *Map) Equal(o *Map) bool { return m != nil && o != nil && slices.Equal(m.open, o.open) }
