package producer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gst-kinesis/internal/aggregate"
	"gst-kinesis/internal/envelope"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/shard"
)

// layShards makes the shards that the stream begins with. With c.mu held, as tank.
func (c *fakeClient) layShards() {
	if c.list != nil {
		return
	}
	for n, r := range shard.EvenRanges(max(c.shards, 1)) {
		c.list = append(c.list, shard.Shard{ID: fmt.Sprintf("shardId-%012d", n), Range: r})
	}
}

func (c *fakeClient) tank(id string) *limit.Shard {
	if c.tanks == nil {
		c.tanks = make(map[string]*limit.Shard)
	}
	if c.tanks[id] == nil {
		c.tanks[id] = limit.NewStream().Shard(id, time.Now())
	}
	return c.tanks[id]
}

// ListShards is what WithShards takes.
func (c *fakeClient) ListShards(context.Context) ([]shard.Shard, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed++
	if c.listing != nil {
		if err := c.listing(); err != nil {
			return nil, err
		}
	}
	c.layShards()
	return slices.Clone(c.list), nil
}

func (c *fakeClient) listings() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.listed
}

// open returns the places of the open shards in the list, by their ranges.
func (c *fakeClient) open() (at []int) {
	c.layShards()
	for i, s := range c.list {
		if !s.Closed {
			at = append(at, i)
		}
	}
	slices.SortFunc(at, func(a, b int) int { return c.list[a].Range.Start.Compare(c.list[b].Range.Start) })
	return at
}

// split splits the n-th of the open shards in the middle.
func (c *fakeClient) split(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	open := c.open()
	parent := &c.list[open[n%len(open)]]
	lower, upper, ok := parent.Range.SplitAt(parent.Range.Middle())
	if !ok {
		return
	}
	parent.Closed = true
	c.add(lower)
	c.add(upper)
}

// merge merges the n-th of the open shards with the next one.
func (c *fakeClient) merge(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	open := c.open()
	if len(open) < 2 {
		return
	}
	n %= len(open) - 1
	a, b := &c.list[open[n]], &c.list[open[n+1]]
	a.Closed, b.Closed = true, true
	c.add(a.Range.Join(b.Range))
}

func (c *fakeClient) add(r shard.Range) {
	c.list = append(c.list, shard.Shard{ID: fmt.Sprintf("shardId-%012d", len(c.list)), Range: r})
}

// throttled returns how many records were refused for the limits.
func (c *fakeClient) throttled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.throttle
}

// keepWhole stores a record as readers see it when its parts have come together.
func (c *fakeClient) keepWhole(r stored) {
	if c.assembler == nil {
		c.assembler, _ = envelope.NewAssembler(envelope.AssemblerSettings{})
	}
	r.shaped = envelope.Is([]byte(r.data))
	data, ok, err := c.assembler.Add(envelope.Place{Source: r.shard, Position: r.sequence}, []byte(r.data))
	switch {
	case err != nil:
		panic(err)
	case ok && !r.void:
		r.data = string(data)
		c.kept = append(c.kept, r)
	}
}

// keep stores a record as readers see it: aggregates and lines taken apart.
func (c *fakeClient) keep(r stored) {
	var a aggregate.Reader
	switch {
	case a.Open([]byte(r.data)):
		r.void = !a.Within(c.rangeOf(r.shard))
		for u := range a.All() {
			r.data, r.key, r.index = string(u.Data), u.PartitionKey, u.Index
			if r.void {
				c.kept = append(c.kept, r)
				continue
			}
			c.keepWhole(r)
		}
	case c.lines:
		for i, line := range aggregate.Lines([]byte(r.data)) {
			r.data, r.index = string(line), i
			c.kept = append(c.kept, r)
		}
	default:
		c.keepWhole(r)
	}
	c.units++
}

func (c *fakeClient) rangeOf(id string) shard.Range {
	i := slices.IndexFunc(c.list, func(s shard.Shard) bool { return s.ID == id })
	return c.list[i].Range
}
