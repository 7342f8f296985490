package streams

import (
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/shard"
)

// maxScalings is how often UpdateShardCount may be used on one stream in 24 hours.
const maxScalings = 10

// close ends a shard's life as an open one and returns the second in which its children are created, later than its own.
func (st *stream) close(sh *shardState, now time.Time) int64 {
	sh.closedAt = now
	return max(now.Unix(), sh.created+1)
}

// split closes a shard and opens two that share its range.
func (st *stream) split(sh *shardState, lower, upper shard.Range, now time.Time) {
	created := st.close(sh, now)
	st.reopen()
	for _, hashes := range []shard.Range{lower, upper} {
		child := newShard(len(st.shards), hashes, created, now)
		child.parent = sh.index
		sh.children = append(sh.children, child.index)
		st.add(child)
	}
}

// merge closes two adjacent shards and opens one in their place.
func (st *stream) merge(a, b *shardState, now time.Time) {
	created := max(st.close(a, now), st.close(b, now))
	st.reopen()
	child := newShard(len(st.shards), a.hashes.Join(b.hashes), created, now)
	child.parent, child.merged = a.index, b.index
	a.children = append(a.children, child.index)
	b.children = append(b.children, child.index)
	st.add(child)
}

// openShard returns an open shard of a locked stream by its id.
func (s *Store) openShard(st *stream, id string) (*shardState, error) {
	index, ok := parseShardID(id)
	if !ok || index >= len(st.shards) {
		name := id
		if ok {
			name = ShardID(index)
		}
		return nil, apierr.New(apierr.ResourceNotFound, "Could not find shard %s in stream %s under account %s.",
			name, st.name, s.set.Account)
	}
	sh := st.shards[index]
	if !sh.open() {
		return nil, apierr.New(apierr.InvalidArgument, "Shard %s in stream %s under account %s has already been merged or split, "+
			"and thus is not eligible for merging or splitting.", sh.id(), st.name, s.set.Account)
	}
	return sh, nil
}

// SplitShard splits an open shard at a hash key.
func (s *Store) SplitShard(name, shardID string, at shard.Hash) error {
	if _, err := s.Describe(name); err != nil {
		return err
	}
	if err := s.room(1); err != nil {
		return err
	}
	return s.change(name, func(st *stream, now time.Time) error {
		sh, err := s.openShard(st, shardID)
		if err != nil {
			return err
		}
		lower, upper, ok := sh.hashes.SplitAt(at)
		if !ok || at == sh.hashes.Start.Next() || at == sh.hashes.End {
			return apierr.New(apierr.InvalidArgument, "NewStartingHashKey %s used in SplitShard() on shard %s in stream %s under "+
				"account %s is not both greater than one plus the shard's StartingHashKey %s and less than the shard's "+
				"EndingHashKey %s.", at, sh.id(), name, s.set.Account, sh.hashes.Start, sh.hashes.End)
		}
		st.split(sh, lower, upper, now)
		return nil
	})
}

// MergeShards merges two open shards whose ranges are adjacent.
func (s *Store) MergeShards(name, shardID, adjacentID string) error {
	return s.change(name, func(st *stream, now time.Time) error {
		a, err := s.openShard(st, shardID)
		if err != nil {
			return err
		}
		b, err := s.openShard(st, adjacentID)
		if err != nil {
			return err
		}
		if !a.hashes.Adjacent(b.hashes) {
			return apierr.New(apierr.InvalidArgument, "Shards %s and %s in stream %s under account %s are not an adjacent pair of "+
				"shards eligible for merging", a.id(), b.id(), name, s.set.Account)
		}
		st.merge(a, b, now)
		return nil
	})
}

// UpdateShardCount reshapes the stream to target open shards of even ranges and returns how many there were.
func (s *Store) UpdateShardCount(name string, target int) (current int, err error) {
	info, err := s.Describe(name)
	if err != nil {
		return 0, err
	}
	if err := s.room(target - info.OpenShards); err != nil {
		return 0, err
	}
	err = s.change(name, func(st *stream, now time.Time) error {
		current = len(st.open)
		if err := s.scalable(st, target, now); err != nil {
			return err
		}
		st.scaled = append(st.scaled, now)
		st.reshape(shard.EvenRanges(target), now)
		return nil
	})
	return current, err
}

// scalable checks the service's rules for UpdateShardCount.
func (s *Store) scalable(st *stream, target int, now time.Time) error {
	recent := st.scaled[:0:0]
	for _, t := range st.scaled {
		if now.Sub(t) < 24*time.Hour {
			recent = append(recent, t)
		}
	}
	st.scaled = recent
	have := len(st.open)
	switch {
	case st.mode == OnDemand:
		return apierr.New(apierr.Validation, "The request is not valid for streams that use the ON_DEMAND capacity mode.")
	case target > 2*have:
		return apierr.New(apierr.InvalidArgument, "UpdateShardCount cannot scale up over double your current open shard count. "+
			"Current open shard count: %d Target shard count: %d", have, target)
	case 2*target < have:
		return apierr.New(apierr.InvalidArgument, "UpdateShardCount cannot scale down below half your current open shard count. "+
			"Current open shard count: %d Target shard count: %d", have, target)
	case s.set.Limits && len(recent) >= maxScalings:
		return apierr.New(apierr.LimitExceeded, "Stream %s under account %s has been scaled %d times within the last 24 hours, "+
			"which is the most that is allowed.", st.name, s.set.Account, len(recent))
	}
	return nil
}

// reshape splits at every bound of the wanted ranges that is missing, then merges what is too fine. That makes shards
// which live only a moment, as UpdateShardCount does.
func (st *stream) reshape(want []shard.Range, now time.Time) {
	for _, r := range want {
		if sh := st.owner(r.Start); sh.hashes.Start != r.Start {
			if lower, upper, ok := sh.hashes.SplitAt(r.Start); ok {
				st.split(sh, lower, upper, now)
			}
		}
	}
	for _, r := range want {
		for {
			sh := st.owner(r.Start)
			if sh.hashes.End == r.End {
				break
			}
			st.merge(sh, st.owner(sh.hashes.End.Next()), now)
		}
	}
}
