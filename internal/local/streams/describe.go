package streams

import (
	"strings"
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/shard"
)

// Info describes a stream at one moment.
type Info struct {
	Name       string
	ARN        string
	Status     Status
	Created    time.Time
	Retention  time.Duration
	Mode       string
	MaxRecord  int // bytes
	Encryption string
	KeyID      string
	OpenShards int
}

// ShardInfo describes a shard at one moment. Strings are empty where there is nothing to say.
type ShardInfo struct {
	ID             string
	Parent         string
	AdjacentParent string
	Start, End     string // hash keys
	First, Last    string // sequence numbers; Last only of a closed shard
}

func (s *Store) info(st *stream, now time.Time) Info {
	return Info{
		Name: st.name, ARN: s.ARN(st.name), Status: st.status(now), Created: st.created, Retention: st.retention, Mode: st.mode,
		MaxRecord: st.maxRecord, Encryption: st.encryption, KeyID: st.keyID, OpenShards: len(st.open),
	}
}

func (sh *shardState) info() ShardInfo {
	info := ShardInfo{ID: sh.id(), Start: sh.hashes.Start.String(), End: sh.hashes.End.String(), First: sh.starting().String()}
	if sh.parent != noParent {
		info.Parent = ShardID(sh.parent)
	}
	if sh.merged != noParent {
		info.AdjacentParent = ShardID(sh.merged)
	}
	if !sh.open() {
		info.Last = sh.ending().String()
	}
	return info
}

func (st *stream) childrenOf(sh *shardState) []ShardInfo {
	list := make([]ShardInfo, 0, len(sh.children))
	for _, i := range sh.children {
		list = append(list, st.shards[i].info())
	}
	return list
}

// Describe returns a stream's settings.
func (s *Store) Describe(name string) (Info, error) {
	st, err := s.find(name)
	if err != nil {
		return Info{}, err
	}
	defer st.mu.Unlock()
	return s.info(st, s.now()), nil
}

// DescribeShards returns a stream's settings and up to limit of its shards after an id (nil: from the first).
func (s *Store) DescribeShards(name string, after *string, limit int) (info Info, shards []ShardInfo, more bool, err error) {
	st, err := s.find(name)
	if err != nil {
		return Info{}, nil, false, err
	}
	defer st.mu.Unlock()
	now := s.now()
	if info = s.info(st, now); info.Status == StatusCreating {
		return info, []ShardInfo{}, false, nil
	}
	start, err := s.after(st, after)
	if err != nil {
		return Info{}, nil, false, err
	}
	shards, next := st.page(start, limit, func(sh *shardState) bool { return !st.past(sh, now) })
	return info, shards, next != 0, nil
}

// after returns the index that follows a shard id.
func (s *Store) after(st *stream, id *string) (int, error) {
	if id == nil {
		return 0, nil
	}
	index, ok := parseShardID(*id)
	if !ok {
		return 0, apierr.New(apierr.ResourceNotFound, "Could not find shard %s in stream %s under account %s.", *id, st.name, s.set.Account)
	}
	return index + 1, nil
}

// page returns up to limit shards from an index that pass keep, and the index where the next page starts, 0 at the end.
func (st *stream) page(start, limit int, keep func(*shardState) bool) (list []ShardInfo, next int) {
	list = []ShardInfo{}
	for i := start; i < len(st.shards); i++ {
		if !keep(st.shards[i]) {
			continue
		}
		if len(list) == limit {
			return list, i
		}
		list = append(list, st.shards[i].info())
	}
	return list, 0
}

// Kinds of shard filters.
const (
	FilterAfterShardID    = "AFTER_SHARD_ID"
	FilterAtTrimHorizon   = "AT_TRIM_HORIZON"
	FilterFromTrimHorizon = "FROM_TRIM_HORIZON"
	FilterAtLatest        = "AT_LATEST"
	FilterAtTimestamp     = "AT_TIMESTAMP"
	FilterFromTimestamp   = "FROM_TIMESTAMP"
)

// ShardFilter chooses shards for ListShards. The zero value is all that retention still holds.
type ShardFilter struct {
	Type  string
	Shard *string
	At    *time.Time
}

// ListShards returns a page of shards: the first one by a filter, or the next one by a token. The token of the answer is
// empty on the last page.
func (s *Store) ListShards(name string, filter ShardFilter, after *string, limit int) ([]ShardInfo, string, error) {
	st, err := s.find(name)
	if err != nil {
		return nil, "", err
	}
	defer st.mu.Unlock()
	now := s.now()
	if st.status(now) == StatusCreating {
		return nil, "", apierr.New(apierr.ResourceInUse, "Stream %s under account %s is CREATING.", name, s.set.Account)
	}
	start, err := s.after(st, after)
	if err != nil {
		return nil, "", err
	}
	if filter.Type == FilterAfterShardID {
		if start, err = s.after(st, filter.Shard); err != nil {
			return nil, "", err
		}
	}
	list, next := st.page(start, limit, filter.keep(st, now))
	if next == 0 {
		return list, "", nil
	}
	var ms uint64
	if filter.At != nil {
		ms = uint64(filter.At.UnixMilli())
	}
	t := token{kind: tokenShards, issued: now, created: st.created, position: ms, shard: next, stream: filter.Type + "/" + name}
	return list, t.String(), nil
}

// NextShards returns the page that a token of ListShards stands for.
func (s *Store) NextShards(next string, limit int) ([]ShardInfo, string, error) {
	t, ok := parseToken(next, tokenShards)
	kind, name, _ := strings.Cut(t.stream, "/")
	if !ok {
		return nil, "", apierr.New(apierr.InvalidArgument, "NextToken is invalid.")
	}
	now := s.now()
	if now.Sub(t.issued) > shard.NextTokenLife {
		return nil, "", apierr.New(apierr.ExpiredNextToken, "NextToken has expired. It was created at %s and is valid for %d seconds.",
			javaDate(t.issued), int(shard.NextTokenLife.Seconds()))
	}
	at := time.UnixMilli(int64(t.position)).UTC()
	filter := ShardFilter{Type: kind, At: &at}
	before := ShardID(t.shard - 1)
	filter.Shard = &before
	return s.ListShards(name, filter, &before, limit)
}

// keep returns the test that a filter stands for.
func (f ShardFilter) keep(st *stream, now time.Time) func(*shardState) bool {
	horizon := now.Add(-st.retention)
	at := horizon
	if f.At != nil && f.At.After(horizon) {
		at = *f.At
	}
	alive := func(sh *shardState, t time.Time) bool { return sh.open() || !sh.closedAt.Before(t) }
	switch f.Type {
	case FilterAtLatest:
		return (*shardState).open
	case FilterAtTrimHorizon:
		horizon = later(horizon, st.created)
		return func(sh *shardState) bool { return !sh.openedAt.After(horizon) && alive(sh, horizon) }
	case FilterAtTimestamp:
		at = later(at, st.created)
		return func(sh *shardState) bool { return !sh.openedAt.After(at) && alive(sh, at) }
	case FilterFromTimestamp:
		return func(sh *shardState) bool { return alive(sh, at) }
	}
	return func(sh *shardState) bool { return alive(sh, horizon) }
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ListStreams returns up to limit streams after a name, in the order of their names.
func (s *Store) ListStreams(after string, limit int) (list []Info, more bool) {
	now := s.now()
	list = []Info{}
	for _, st := range s.all() {
		if st.name <= after {
			continue
		}
		if len(list) == limit {
			return list, true
		}
		st.mu.Lock()
		list = append(list, s.info(st, now))
		st.mu.Unlock()
	}
	return list, false
}

// StreamsToken makes the NextToken of ListStreams.
func (s *Store) StreamsToken(last string) string {
	return token{kind: tokenStreams, issued: s.now(), stream: last}.String()
}

// ParseStreamsToken returns the name after which the page of a NextToken starts.
func (s *Store) ParseStreamsToken(text string) (string, error) {
	t, ok := parseToken(text, tokenStreams)
	if !ok {
		return "", apierr.New(apierr.InvalidArgument, "NextToken is invalid.")
	}
	if s.now().Sub(t.issued) > shard.NextTokenLife {
		return "", apierr.New(apierr.ExpiredNextToken, "NextToken has expired.")
	}
	return t.stream, nil
}

// Limits of the account.
type Limits struct{ ShardLimit, OpenShards, OnDemandStreams int }

// Limits returns the account's limits and how much is used.
func (s *Store) Limits() Limits {
	l := Limits{ShardLimit: s.set.ShardLimit}
	for _, st := range s.all() {
		st.mu.Lock()
		l.OpenShards += len(st.open)
		if st.mode == OnDemand {
			l.OnDemandStreams++
		}
		st.mu.Unlock()
	}
	return l
}
