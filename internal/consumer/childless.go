package consumer

import "time"

// firstLook is when shards are listed again after one ended whose children the
// service did not yet show.
const firstLook = time.Second

// childless are closed shards without a known child. A closed shard always has
// children, unless its stream goes away: until they are seen the shards are
// listed more often than usual, ever more rarely.
type childless struct {
	wait  time.Duration // the usual interval
	ids   map[string]bool
	early time.Duration
}

func (o *childless) add(id string) {
	if o.ids == nil {
		o.ids = map[string]bool{}
	}
	o.ids[id] = true
	o.early = firstLook
}

// check drops those whose children have come to light.
func (o *childless) check(l *lineage) {
	for id := range o.ids {
		if l.hasChild(id) || l.shards[id] == nil {
			delete(o.ids, id)
		}
	}
}

// next is how long to wait until the shards are listed again.
func (o *childless) next() time.Duration {
	if len(o.ids) == 0 || o.early >= o.wait {
		return o.wait
	}
	d := o.early
	o.early *= 2
	return d
}
