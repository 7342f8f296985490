package consumer

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// lineage knows the shards of a stream, which descends from which, and how far
// each is. It decides what is read next. Used by the coordinator alone.
type lineage struct {
	from   Position
	after  map[string]string
	shards map[string]*member
	begun  bool // the first listing was taken in
}

// progress of a shard.
type progress uint8

const (
	waiting progress = iota // for its parents
	reading
	finished
)

// member is one shard of the lineage.
type member struct {
	id      string
	parents []string
	start   Position
	state   progress
}

func newLineage(from Position, after map[string]string) *lineage {
	return &lineage{from: from, after: after, shards: map[string]*member{}}
}

// takeIn learns a complete listing of the stream's shards. Finished shards that
// the service no longer lists are forgotten.
func (l *lineage) takeIn(listed []types.Shard) {
	present := make(map[string]bool, len(listed))
	for i := range listed {
		s := &listed[i]
		id := aws.ToString(s.ShardId)
		present[id] = true
		if l.shards[id] == nil {
			l.shards[id] = &member{id: id, parents: parentsOf(s)}
			l.place(l.shards[id], isClosed(s))
		}
	}
	if !l.begun {
		l.startAfterAncestors()
	}
	l.begun = true
	for id, m := range l.shards {
		if m.state == finished && !present[id] {
			delete(l.shards, id)
		}
	}
}

// learn adds shards that an answer of the service named as children.
func (l *lineage) learn(children []types.ChildShard) {
	for _, c := range children {
		id := aws.ToString(c.ShardId)
		if id != "" && l.shards[id] == nil {
			l.shards[id] = &member{id: id, parents: slices.Clone(c.ParentShards), start: TrimHorizon()}
		}
	}
}

// place decides where a new shard begins.
func (l *lineage) place(m *member, closed bool) {
	number, known := l.after[m.id]
	switch {
	case known && number == ShardEnd:
		m.state = finished
	case known:
		m.start = AfterSequence(number)
	case l.begun:
		m.start = TrimHorizon()
	case l.from.isLatest() && closed && len(l.after) == 0:
		m.state = finished // nothing can come from it any more
	default:
		m.start = l.from
	}
}

// startAfterAncestors lets shards of the first listing that descend from one
// with a known position begin at their beginning: they came after it.
func (l *lineage) startAfterAncestors() {
	if len(l.after) == 0 {
		return
	}
	for id, m := range l.shards {
		if _, known := l.after[id]; known {
			continue
		}
		if l.descends(m, map[string]bool{}) {
			m.start = TrimHorizon()
		}
	}
}

// descends tells whether an ancestor has a known position.
func (l *lineage) descends(m *member, seen map[string]bool) bool {
	for _, id := range m.parents {
		if _, known := l.after[id]; known {
			return true
		}
		if p := l.shards[id]; p != nil && !seen[id] {
			seen[id] = true
			if l.descends(p, seen) {
				return true
			}
		}
	}
	return false
}

// ready marks and returns the shards that may be read now, in order of their
// ids. A parent that the stream no longer has counts as read.
func (l *lineage) ready() []*member {
	var now []*member
	for _, m := range l.shards {
		if m.state == waiting && !slices.ContainsFunc(m.parents, l.unfinished) {
			now = append(now, m)
		}
	}
	for _, m := range now {
		m.state = reading
	}
	slices.SortFunc(now, func(a, b *member) int { return strings.Compare(a.id, b.id) })
	return now
}

func (l *lineage) unfinished(id string) bool {
	m := l.shards[id]
	return m != nil && m.state != finished
}

// finish notes that a shard was read to its end.
func (l *lineage) finish(id string) { l.shards[id].state = finished }

// hasChild tells whether any shard known descends directly from this one.
func (l *lineage) hasChild(id string) bool {
	for _, m := range l.shards {
		if slices.Contains(m.parents, id) {
			return true
		}
	}
	return false
}

// count returns how many shards are in a state.
func (l *lineage) count(state progress) int {
	n := 0
	for _, m := range l.shards {
		if m.state == state {
			n++
		}
	}
	return n
}

func parentsOf(s *types.Shard) []string {
	var parents []string
	for _, p := range []*string{s.ParentShardId, s.AdjacentParentShardId} {
		if id := aws.ToString(p); id != "" {
			parents = append(parents, id)
		}
	}
	return parents
}

func isClosed(s *types.Shard) bool {
	return s.SequenceNumberRange != nil && aws.ToString(s.SequenceNumberRange.EndingSequenceNumber) != ""
}
