package streams

import "time"

// Stored is one record as tests and tools see it.
type Stored struct {
	ShardID        string
	SequenceNumber string
	PartitionKey   string
	Data           []byte // shared: must not be changed
	Arrival        time.Time
}

// Records returns what a stream holds now, shard by shard, oldest first in each.
func (s *Store) Records(name string) ([]Stored, error) {
	st, err := s.find(name)
	if err != nil {
		return nil, err
	}
	defer st.mu.Unlock()
	now := s.now()
	var list []Stored
	for _, sh := range st.shards {
		s.expire(st, sh, now)
		for i := range sh.records.live() {
			r := &sh.records.live()[i]
			list = append(list, Stored{ShardID: sh.id(), SequenceNumber: sh.sequence(r.Index, r.Arrival).String(),
				PartitionKey: r.Key, Data: r.Data, Arrival: r.ArrivalTime()})
		}
	}
	return list, nil
}

// Usage is what a Store holds and what it let go.
type Usage struct {
	Bytes   int64 // in memory, with overhead
	Trimmed int64 // records dropped because of the bound on memory
	Expired int64 // records dropped because of retention
}

// Usage returns the present figures.
func (s *Store) Usage() Usage {
	return Usage{Bytes: s.bytes.Load(), Trimmed: s.trimmed.Load(), Expired: s.expired.Load()}
}
