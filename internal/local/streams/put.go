package streams

import (
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/shard"
)

// Item is one record of a put.
type Item struct {
	Key  string
	Hash shard.Hash
	Data []byte // kept; must not be changed afterwards
}

// Placed says what became of one Item. Err is nil for a stored record.
type Placed struct {
	Shard    string
	Sequence string
	Err      *apierr.Error
}

// Inject may fail single records of a put before they count against any limit; nil lets the record pass. It is called
// under the stream's lock and must be quick.
type Inject func(shardID string) *apierr.Error

// PutResult is the outcome of a put.
type PutResult struct {
	Placed     []Placed
	Encryption string
}

// Put stores items in their order, each on its own: some may fail and others not. The error is for the whole call.
func (s *Store) Put(name string, items []Item, inject Inject) (PutResult, error) {
	st, err := s.usable(name)
	if err != nil {
		return PutResult{}, err
	}
	res, err := s.put(st, items, inject)
	st.mu.Unlock()
	if s.bytes.Load() > s.set.MaxBytes {
		s.trim()
	}
	return res, err
}

// put does the work of Put on a locked stream.
func (s *Store) put(st *stream, items []Item, inject Inject) (PutResult, error) {
	now := s.now()
	res := PutResult{Placed: make([]Placed, len(items)), Encryption: st.encryption}
	entries := make([]Entry, 0, len(items))
	records := make([]Record, len(items))
	next := map[int]uint64{}
	for i := range items {
		sh := st.owner(items[i].Hash)
		if res.Placed[i].Err = s.refuse(st, sh, &items[i], now, inject); res.Placed[i].Err != nil {
			continue
		}
		if next[sh.index] == 0 {
			next[sh.index] = sh.next
		}
		sh.newest = max(sh.newest, now.UnixMilli())
		records[i] = Record{Index: next[sh.index], Arrival: sh.newest, Key: items[i].Key, Data: items[i].Data,
			Encrypted: st.encryption == EncryptionKMS}
		next[sh.index]++
		entries = append(entries, Entry{Shard: sh.index, Record: &records[i]})
		res.Placed[i].Shard = sh.id()
		res.Placed[i].Sequence = sh.sequence(records[i].Index, records[i].Arrival).String()
	}
	if err := s.journal(st, entries); err != nil {
		return PutResult{}, err
	}
	var added int64
	for _, e := range entries {
		sh := st.shards[e.Shard]
		sh.records.push(*e.Record)
		sh.next = e.Record.Index + 1
		added += e.Record.cost()
	}
	s.bytes.Add(added)
	for index := range next {
		s.expire(st, st.shards[index], now)
	}
	return res, nil
}

func (s *Store) journal(st *stream, entries []Entry) error {
	if s.set.Journal == nil || len(entries) == 0 {
		return nil
	}
	if err := s.set.Journal.Append(st.name, st.created, entries); err != nil {
		s.set.Logger.Error("writing records to the data directory", "stream", st.name, "error", err)
		return apierr.Internal()
	}
	return nil
}

// refuse returns why an item cannot be stored now.
func (s *Store) refuse(st *stream, sh *shardState, item *Item, now time.Time, inject Inject) *apierr.Error {
	if inject != nil {
		if e := inject(sh.id()); e != nil {
			return e
		}
	}
	if s.set.Limits && !sh.writable(now, len(item.Data)+len(item.Key)) {
		return s.Throttled(st.name, sh.id())
	}
	return nil
}

// Throttled makes the error of a shard whose limit is used up.
func (s *Store) Throttled(stream, shardID string) *apierr.Error {
	return apierr.New(apierr.ThroughputExceeded, "Rate exceeded for shard %s in stream %s under account %s.",
		shardID, stream, s.set.Account)
}

// MaxRecord returns the largest record, data and key together, that the stream takes, in bytes.
func (s *Store) MaxRecord(name string) (int, error) {
	st, err := s.usable(name)
	if err != nil {
		return 0, err
	}
	defer st.mu.Unlock()
	return st.maxRecord, nil
}

// CheckOrdering fails if a sequence number cannot be the SequenceNumberForOrdering of a put to the stream.
func (s *Store) CheckOrdering(name, sequence string) error {
	invalid := apierr.New(apierr.InvalidArgument,
		"ExclusiveMinimumSequenceNumber %s used in PutRecord on stream %s under account %s is invalid.", sequence, name, s.set.Account)
	seq, err := ParseSequence(sequence)
	if err != nil {
		return invalid
	}
	st, err := s.usable(name)
	if err != nil {
		return err
	}
	defer st.mu.Unlock()
	if int(seq.Shard) >= len(st.shards) || st.shards[seq.Shard].created != seq.Created {
		return invalid
	}
	return nil
}

// OverLimit makes the error of a call that comes too often. The stream may be empty.
func (s *Store) OverLimit(stream string) *apierr.Error {
	if stream == "" {
		return apierr.New(apierr.LimitExceeded, "Rate exceeded for account %s.", s.set.Account)
	}
	return apierr.New(apierr.LimitExceeded, "Rate exceeded for stream %s under account %s.", stream, s.set.Account)
}

// Owners returns the ids of the shards that items go to now, each once; none if the stream cannot be used.
func (s *Store) Owners(name string, items []Item) []string {
	st, err := s.usable(name)
	if err != nil {
		return nil
	}
	defer st.mu.Unlock()
	var ids []string
	seen := map[int]bool{}
	for i := range items {
		if sh := st.owner(items[i].Hash); !seen[sh.index] {
			seen[sh.index] = true
			ids = append(ids, sh.id())
		}
	}
	return ids
}
