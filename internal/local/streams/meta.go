package streams

import (
	"time"

	"gst-kinesis/internal/shard"
)

// Meta is all of a stream but its records, in the form the journal keeps.
type Meta struct {
	Name       string
	Created    time.Time
	Pending    Status
	Ready      time.Time
	Retention  time.Duration
	Mode       string
	MaxRecord  int
	Encryption string
	KeyID      string
	Tags       map[string]string
	Scaled     []time.Time
	Shards     []ShardMeta
}

// ShardMeta is all of a shard but its records.
type ShardMeta struct {
	Start, End     string // hash keys in decimal
	Parent, Merged int    // -1: none
	Children       []int
	Created        int64
	OpenedAt       time.Time
	ClosedAt       time.Time
}

// Entry is a record on its way to or from the journal.
type Entry struct {
	Shard  int
	Record *Record
}

func (st *stream) meta() Meta {
	m := Meta{
		Name: st.name, Created: st.created, Pending: st.pending, Ready: st.ready, Retention: st.retention, Mode: st.mode,
		MaxRecord: st.maxRecord, Encryption: st.encryption, KeyID: st.keyID, Tags: st.tags, Scaled: st.scaled,
	}
	for _, sh := range st.shards {
		m.Shards = append(m.Shards, ShardMeta{
			Start: sh.hashes.Start.String(), End: sh.hashes.End.String(), Parent: sh.parent, Merged: sh.merged,
			Children: sh.children, Created: sh.created, OpenedAt: sh.openedAt, ClosedAt: sh.closedAt,
		})
	}
	return m
}

// restore makes a stream of what the journal kept.
func restore(m Meta, now time.Time) (*stream, error) {
	st := &stream{
		name: m.Name, created: m.Created, pending: m.Pending, ready: m.Ready, retention: m.Retention, mode: m.Mode,
		maxRecord: m.MaxRecord, encryption: m.Encryption, keyID: m.KeyID, tags: m.Tags, scaled: m.Scaled,
	}
	if st.tags == nil {
		st.tags = map[string]string{}
	}
	for i, sm := range m.Shards {
		hashes, err := shard.ParseRange(sm.Start, sm.End)
		if err != nil {
			return nil, err
		}
		sh := newShard(i, hashes, sm.Created, now)
		sh.parent, sh.merged, sh.children = sm.Parent, sm.Merged, sm.Children
		sh.openedAt, sh.closedAt = sm.OpenedAt, sm.ClosedAt
		st.add(sh)
	}
	st.reopen()
	return st, nil
}

// Restore puts a stream that a journal kept into the store. records yields what it kept, in the order of arrival, their
// Origin set. next holds, once records is through, the least index of the next record of
// each shard.
func (s *Store) Restore(m Meta, next map[int]uint64, records func(yield func(Entry) bool)) error {
	st, err := restore(m, s.now())
	if err != nil {
		return err
	}
	records(func(e Entry) bool {
		if e.Shard >= len(st.shards) || e.Record.Index < st.shards[e.Shard].next {
			e.Record.Origin.Release()
			return true
		}
		sh := st.shards[e.Shard]
		sh.records.push(*e.Record)
		sh.next, sh.newest = e.Record.Index+1, max(sh.newest, e.Record.Arrival)
		s.bytes.Add(e.Record.cost())
		return true
	})
	for _, sh := range st.shards {
		sh.next = max(sh.next, next[sh.index])
	}
	s.mu.Lock()
	s.streams[st.name] = st
	s.mu.Unlock()
	if s.bytes.Load() > s.set.MaxBytes {
		s.trim()
	}
	return nil
}

// reopen makes the list of open shards anew.
func (st *stream) reopen() {
	kept := st.open[:0]
	for _, sh := range st.open {
		if sh.open() {
			kept = append(kept, sh)
		}
	}
	clear(st.open[len(kept):])
	st.open = kept
}
