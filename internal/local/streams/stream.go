package streams

import (
	"sort"
	"sync"
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/shard"
)

// Status of a stream, as DescribeStream names it.
type Status string

// The states of a stream.
const (
	StatusCreating Status = "CREATING"
	StatusActive   Status = "ACTIVE"
	StatusUpdating Status = "UPDATING"
	StatusDeleting Status = "DELETING"
)

// Modes of a stream and kinds of encryption.
const (
	Provisioned = "PROVISIONED"
	OnDemand    = "ON_DEMAND"

	EncryptionNone = "NONE"
	EncryptionKMS  = "KMS"
)

// onDemandShards is what a new on-demand stream starts with.
const onDemandShards = 4

// stream is one stream; mu guards all that follows it and the shards inside.
type stream struct {
	name    string
	created time.Time

	mu         sync.Mutex
	pending    Status    // what it is doing until ready
	ready      time.Time // when pending is over
	shards     []*shardState
	open       []*shardState // by hash range
	retention  time.Duration
	mode       string
	maxRecord  int // bytes
	encryption string
	keyID      string
	tags       map[string]string
	scaled     []time.Time // when UpdateShardCount was used in the last 24 hours
}

func (st *stream) status(now time.Time) Status {
	if st.pending == StatusDeleting || now.Before(st.ready) {
		return st.pending
	}
	return StatusActive
}

// gone tells whether its deletion is done.
func (st *stream) gone(now time.Time) bool {
	return st.pending == StatusDeleting && !now.Before(st.ready)
}

// begin starts a state that lasts for the delay; without delay it is over whatever the clock does.
func (st *stream) begin(what Status, now time.Time, delay time.Duration) {
	st.pending, st.ready = what, time.Time{}
	if delay > 0 {
		st.ready = now.Add(delay)
	}
}

// add appends a shard and puts it among the open ones.
func (st *stream) add(sh *shardState) {
	st.shards = append(st.shards, sh)
	st.open = append(st.open, sh)
	sort.Slice(st.open, func(i, j int) bool { return st.open[i].hashes.Start.Compare(st.open[j].hashes.Start) < 0 })
}

// owner returns the open shard whose range holds h. The open shards cover all hash keys, so there is always one.
func (st *stream) owner(h shard.Hash) *shardState {
	i := sort.Search(len(st.open), func(i int) bool { return st.open[i].hashes.End.Compare(h) >= 0 })
	return st.open[i]
}

// CreateSpec says how a new stream is to be. Zero values mean the service's defaults.
type CreateSpec struct {
	Name      string
	Shards    int    // 0: one, or four for an on-demand stream
	Mode      string // Provisioned (default) or OnDemand
	MaxRecord int    // largest record in bytes, 0: shard.DefaultMaxRecordBytes
	Tags      map[string]string
}

// Create makes a stream.
func (s *Store) Create(spec CreateSpec) error {
	shards := spec.Shards
	if shards == 0 {
		shards = 1
		if spec.Mode == OnDemand {
			shards = onDemandShards
		}
	}
	if s.exists(spec.Name) {
		return s.inUse(spec.Name)
	}
	if err := s.room(shards); err != nil {
		return err
	}
	now := s.now()
	st := &stream{
		name: spec.Name, created: now, retention: shard.MinRetention, mode: Provisioned, maxRecord: shard.DefaultMaxRecordBytes,
		encryption: EncryptionNone, tags: map[string]string{},
	}
	st.begin(StatusCreating, now, s.set.StateDelay)
	if spec.Mode != "" {
		st.mode = spec.Mode
	}
	if spec.MaxRecord != 0 {
		st.maxRecord = spec.MaxRecord
	}
	for key, value := range spec.Tags {
		st.tags[key] = value
	}
	for i, hashes := range shard.EvenRanges(shards) {
		st.add(newShard(i, hashes, now.Unix(), now))
	}
	return s.insert(st)
}

func (s *Store) insert(st *stream) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[st.name] != nil {
		return s.inUse(st.name)
	}
	if err := s.save(st); err != nil {
		return err
	}
	s.streams[st.name] = st
	return nil
}

func (s *Store) exists(name string) bool {
	st, err := s.find(name)
	if err != nil {
		return false
	}
	st.mu.Unlock()
	return true
}

func (s *Store) inUse(name string) error {
	return apierr.New(apierr.ResourceInUse, "Stream %s under account %s already exists.", name, s.set.Account)
}

// Delete starts the deletion of a stream; its records are unreachable at once.
func (s *Store) Delete(name string) error {
	st, err := s.find(name)
	if err != nil {
		return err
	}
	now := s.now()
	if st.pending != StatusDeleting {
		st.begin(StatusDeleting, now, s.set.StateDelay)
	}
	gone := st.gone(now)
	err = s.save(st)
	st.mu.Unlock()
	if gone {
		s.forget(st)
	}
	return err
}

// save writes the stream's settings and shards to the journal; the stream is locked or not yet shared.
func (s *Store) save(st *stream) error {
	if s.set.Journal == nil {
		return nil
	}
	if err := s.set.Journal.Save(st.meta()); err != nil {
		s.set.Logger.Error("writing a stream to the data directory", "stream", st.name, "error", err)
		return apierr.Internal()
	}
	return nil
}
