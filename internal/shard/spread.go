package shard

import (
	"fmt"
	"sort"
	"strconv"
)

// spread chooses explicit hash keys that lie on different shards. Keys keep theirs
// as long as they do, also through reshards, so that a key moves to another shard
// only where two would come to share one.
type spread struct {
	shards *Map     // that the hashes were chosen for
	hashes []string // in turn
	values []Hash
	turns  map[string]*turn
}

// turn is where a sensor's rotation is.
type turn struct {
	next int
	keys []string
}

// nextSpread returns the next key of a sensor: its name with the number of the hash
// key that goes with it. It counts as SensorName does: name1, name2, name0.
func (k *Keyer) nextSpread(sensor string) (Key, error) {
	if err := ValidateKey(sensor); err != nil {
		return Key{}, fmt.Errorf("making a key of the sensor's name: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	s := &k.spread
	s.choose(k.shardMap(), k.settings.Shards)
	t := s.turns[sensor]
	if t == nil {
		t = s.begin(sensor)
	}
	if t.next++; t.next >= len(s.hashes) {
		t.next = 0
	}
	key := Key{Hash: s.hashes[t.next]}
	for len(t.keys) <= t.next && len(t.keys) < maxCachedTurn {
		t.keys = append(t.keys, sensor+strconv.Itoa(len(t.keys)))
	}
	if t.next < len(t.keys) {
		key.Partition = t.keys[t.next]
	} else {
		key.Partition = sensor + strconv.Itoa(t.next)
	}
	if err := ValidateKey(key.Partition); err != nil {
		return Key{}, fmt.Errorf("making a key of the sensor's name: %w", err)
	}
	return key, nil
}

// maxCachedTurn bounds the keys that are remembered of a sensor.
const maxCachedTurn = 64

func (k *Keyer) shardMap() *Map {
	if k.settings.Map == nil {
		return nil
	}
	return k.settings.Map()
}

// begin begins a sensor's rotation; as in Keyer.remember memory stays bounded.
func (s *spread) begin(sensor string) *turn {
	if s.turns == nil {
		s.turns = make(map[string]*turn)
	}
	if len(s.turns) >= maxSensors {
		for name := range s.turns {
			delete(s.turns, name)
			break
		}
	}
	t := new(turn)
	s.turns[string([]byte(sensor))] = t
	return t
}

// choose makes the hash keys fit a map: n of them, or with 0 one for each shard.
func (s *spread) choose(m *Map, n int) {
	if len(s.hashes) > 0 && (m == s.shards || m == nil) {
		return
	}
	s.shards = m
	var ranges []Range
	switch {
	case m != nil:
		for i := range m.Len() {
			ranges = append(ranges, m.At(i).Range)
		}
	default:
		ranges = EvenRanges(max(n, 1))
	}
	if n == 0 {
		n = len(ranges)
	}
	s.pick(ranges, n)
}

// pick keeps the hash keys that still lie on ranges of their own and chooses the
// others: in the middle of the ranges that have the fewest, spaced evenly.
func (s *spread) pick(ranges []Range, n int) {
	most := (n + len(ranges) - 1) / len(ranges) // of hash keys on one range
	taken, kept, values := make([]int, len(ranges)), make([]bool, n), make([]Hash, n)
	for i := range min(n, len(s.values)) {
		if at := rangeOf(ranges, s.values[i]); taken[at] < most {
			taken[at]++
			kept[i], values[i] = true, s.values[i]
		}
	}
	for i := range values {
		if !kept[i] {
			at := fewest(taken, i*len(ranges)/n)
			taken[at]++
			values[i] = ranges[at].Middle()
		}
	}
	s.values, s.hashes = values, make([]string, n)
	for i, h := range values {
		s.hashes[i] = h.String()
	}
}

func rangeOf(ranges []Range, h Hash) int {
	return sort.Search(len(ranges)-1, func(i int) bool { return h.Compare(ranges[i].End) <= 0 })
}

// fewest returns where the least number lies, the first such at or after from, around the end.
func fewest(taken []int, from int) int {
	best := from
	for step := range taken {
		if at := (from + step) % len(taken); taken[at] < taken[best] {
			best = at
		}
	}
	return best
}
