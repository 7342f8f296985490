package streams

import (
	"container/heap"
	"time"
)

// trimShare is how much more than needed a trim frees, as a share of MaxBytes: trimming locks all streams, so it should
// not come with every put.
const trimShare = 32

// drop removes a shard's oldest record.
func (s *Store) drop(sh *shardState) {
	r := sh.records.front()
	s.bytes.Add(-r.cost())
	if r.Origin != nil {
		r.Origin.Release()
	}
	sh.records.pop()
}

// expire drops what is older than the stream's retention.
func (s *Store) expire(st *stream, sh *shardState, now time.Time) {
	oldest := now.Add(-st.retention).UnixMilli()
	for sh.records.len() > 0 && sh.records.front().Arrival < oldest {
		s.drop(sh)
		s.expired.Add(1)
	}
}

// oldestFirst orders shards by the arrival of their oldest record.
type oldestFirst []*shardState

func (h oldestFirst) Len() int { return len(h) }
func (h oldestFirst) Less(i, j int) bool {
	return h[i].records.front().Arrival < h[j].records.front().Arrival
}
func (h oldestFirst) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *oldestFirst) Push(x any)   { *h = append(*h, x.(*shardState)) }
func (h *oldestFirst) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// trim drops the oldest records of all streams until the memory bound holds again.
func (s *Store) trim() {
	list := s.all()
	for _, st := range list {
		st.mu.Lock()
		defer st.mu.Unlock()
	}
	var shards oldestFirst
	for _, st := range list {
		for _, sh := range st.shards {
			if sh.records.len() > 0 {
				shards = append(shards, sh)
			}
		}
	}
	heap.Init(&shards)
	target := s.set.MaxBytes - s.set.MaxBytes/trimShare
	n := int64(0)
	for s.bytes.Load() > target && len(shards) > 0 {
		s.drop(shards[0])
		n++
		if shards[0].records.len() == 0 {
			heap.Pop(&shards)
		} else {
			heap.Fix(&shards, 0)
		}
	}
	s.trimmed.Add(n)
	if n > 0 {
		s.trimOnce.Do(func() {
			s.set.Logger.Warn("the endpoint's memory is full: the oldest records are dropped from now on (said once)",
				"max-bytes", s.set.MaxBytes)
		})
	}
}
