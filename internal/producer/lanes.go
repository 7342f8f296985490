package producer

import (
	"cmp"
	"hash/maphash"
	"slices"

	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/shard"
)

// laneBits is how many of the hash key's highest bits choose the lane while the
// stream's shards are not known: equal ranges stand in for them. The lanes of a
// shard lie side by side, and only a lane on a border belongs to two.
const laneBits = 6

// lanes are all lanes, and the way from a record to one.
//
//   - Each record that waits is in one lane, which is then among the active ones.
//   - All records of a key are in the same lane, those in flight counted too.
//   - A lane's records lie in the order they were accepted in.
type lanes struct {
	most   int              // records of a lane in a request
	shards *shard.Map       // nil: not known
	tanks  []*limit.Shard   // of the shards, in the map's order
	ranges []*lane          // by shard, or by the highest bits of the hash key
	keys   map[string]*lane // with strict order, in place of ranges
	active []*lane          // those in which something waits

	seed maphash.Seed
	// known remembers keys used lately, in place of hashing them again.
	known [256]knownKey
	// ready is the dispatcher's.
	ready []*lane
}

type knownKey struct {
	key  string
	lane *lane
}

func newLanes(o Ordering, most int) *lanes {
	ls := &lanes{most: most, seed: maphash.MakeSeed()}
	if o == Strict {
		ls.most, ls.keys = 1, make(map[string]*lane)
		return ls
	}
	ls.ranges = make([]*lane, 1<<laneBits)
	for i := range ls.ranges {
		ls.ranges[i] = ls.newLane()
	}
	return ls
}

func (ls *lanes) newLane() *lane {
	return &lane{window: ls.most, most: ls.most, place: notActive}
}

// of returns the lane of a record whose keys were checked.
func (ls *lanes) of(r *Record) *lane {
	switch {
	case ls.keys != nil:
		return ls.ofKey(r)
	case r.ExplicitHashKey != "":
		return ls.at(hashOf(r))
	}
	slot := &ls.known[maphash.String(ls.seed, r.PartitionKey)%uint64(len(ls.known))]
	if slot.key != r.PartitionKey || slot.lane == nil {
		*slot = knownKey{key: r.PartitionKey, lane: ls.at(hashOf(r))}
	}
	return slot.lane
}

// hashOf returns where the service places a record.
func hashOf(r *Record) shard.Hash {
	if r.ExplicitHashKey != "" {
		h, _ := shard.ParseHash(r.ExplicitHashKey)
		return h
	}
	return shard.HashKey(r.PartitionKey)
}

func (ls *lanes) at(h shard.Hash) *lane {
	if ls.shards != nil {
		return ls.ranges[ls.shards.Find(h)]
	}
	return ls.ranges[h.Hi>>(64-laneBits)]
}

// ofKey returns the lane of a record's key, which is there only while it holds
// something. Records of a key that differ in their explicit hash keys may lie on
// different shards, between which there is no order.
func (ls *lanes) ofKey(r *Record) *lane {
	key := r.PartitionKey
	if r.ExplicitHashKey != "" {
		key = r.ExplicitHashKey + " " + key
	}
	l := ls.keys[key]
	if l == nil {
		l = ls.newLane()
		l.key, l.hash = key, hashOf(r)
		ls.expect(l, l.hash)
		ls.keys[key] = l
	}
	return l
}

// leave forgets the lane of a key that holds nothing any more.
func (ls *lanes) leave(l *lane) {
	if ls.keys != nil && l.waiting.n == 0 && l.held == 0 && ls.keys[l.key] == l {
		delete(ls.keys, l.key)
	}
}

// push adds a new record behind the others of its lane.
func (ls *lanes) push(r *Record) {
	l := ls.of(r)
	r.lane = l
	l.waiting.pushBack(r)
	l.bytes += r.size()
	ls.activate(l)
}

// putBack returns a record that was sent to its place, which is the front but for
// lanes that were joined by a reshard.
func (ls *lanes) putBack(r *Record) {
	l := r.lane
	l.waiting.insert(r)
	l.again++
	l.bytes += r.size()
	ls.activate(l)
}

// pop takes the first record out of a lane.
func (ls *lanes) pop(l *lane) *Record {
	r := l.pop()
	if l.waiting.n == 0 {
		last := len(ls.active) - 1
		moved := ls.active[last]
		ls.active[l.place], moved.place = moved, l.place
		ls.active[last] = nil
		ls.active, l.place = ls.active[:last], notActive
	}
	return r
}

func (ls *lanes) activate(l *lane) {
	if l.place == notActive {
		l.place = len(ls.active)
		ls.active = append(ls.active, l)
	}
}

// oldest returns the lane whose first record was accepted before all others that
// wait, nil if none waits.
func (ls *lanes) oldest() *lane {
	var found *lane
	for _, l := range ls.active {
		if found == nil || l.waiting.head.seq < found.waiting.head.seq {
			found = l
		}
	}
	return found
}

// adopt lays the lanes anew after a map of the stream's shards, or with nil without
// one. Records keep their order, and a lane stays held while a request is under
// way with a record that would come before its own.
func (ls *lanes) adopt(m *shard.Map, tanks func(id string) *limit.Shard, flying []*request) {
	ls.shards, ls.tanks = m, nil
	if m != nil {
		for i := range m.Len() {
			ls.tanks = append(ls.tanks, tanks(m.At(i).ID))
		}
	}
	ls.known = [256]knownKey{}
	if ls.keys != nil {
		for _, l := range ls.keys {
			ls.expect(l, l.hash)
		}
		return
	}
	waiting := ls.takeAll()
	ls.layRanges()
	for _, r := range waiting {
		sent := r.tries > 0
		ls.push(r)
		if l := r.lane; sent && l.again == l.waiting.n-1 {
			l.again++
		}
	}
	for _, q := range flying {
		q.lanes = q.lanes[:0]
		for _, r := range q.records {
			r.lane = ls.of(r)
			q.hold(r.lane)
		}
	}
}

// expect tells a lane where records of a hash key go.
func (ls *lanes) expect(l *lane, h shard.Hash) {
	l.shard, l.tanks, l.stale = "", nil, false
	if ls.shards != nil {
		i := ls.shards.Find(h)
		l.shard, l.tanks = ls.shards.At(i).ID, ls.tanks[i]
	}
}

// takeAll empties the lanes and returns what waited, in the order it was accepted in.
func (ls *lanes) takeAll() []*Record {
	var waiting []*Record
	for len(ls.active) > 0 {
		waiting = append(waiting, ls.pop(ls.active[len(ls.active)-1]))
	}
	slices.SortFunc(waiting, func(a, b *Record) int { return cmp.Compare(a.seq, b.seq) })
	return waiting
}

// layRanges makes a lane for each shard; one that stays open keeps its back-off.
func (ls *lanes) layRanges() {
	before := make(map[string]*lane, len(ls.ranges))
	for _, l := range ls.ranges {
		before[l.shard] = l
	}
	n := 1 << laneBits
	if ls.shards != nil {
		n = ls.shards.Len()
	}
	ls.ranges = make([]*lane, n)
	for i := range ls.ranges {
		l := ls.newLane()
		ls.ranges[i] = l
		if ls.shards == nil {
			continue
		}
		s := ls.shards.At(i)
		ls.expect(l, s.Range.Start)
		if old := before[s.ID]; old != nil && s.ID != "" {
			l.until, l.failing, l.window = old.until, old.failing, old.window
		}
	}
}

// refresh lets stale lanes go on: the shards are as they were after all.
func (ls *lanes) refresh() {
	for _, l := range ls.ranges {
		l.stale = false
	}
	for _, l := range ls.keys {
		l.stale = false
	}
}

// failing returns how many lanes back off.
func (ls *lanes) failing() (n int) {
	for _, l := range ls.ranges {
		if l.failing > 0 {
			n++
		}
	}
	for _, l := range ls.keys {
		if l.failing > 0 {
			n++
		}
	}
	return n
}
