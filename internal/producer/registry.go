package producer

import "gst-kinesis/internal/spool"

// registry tells which of the spool's records are on the books. A record is in the spool
// a moment before it is accepted, and in that moment the pager may come across it.
type registry struct {
	pending int                   // appends whose records are not on the books yet
	upTo    spool.ID              // all records up to here are
	beyond  map[spool.ID]struct{} // and these
	highest spool.ID              // of all that are
}

// begin is called before an append.
func (g *registry) begin() { g.pending++ }

// enter puts a record on the books; with 0 the append has failed.
func (g *registry) enter(id spool.ID) {
	g.pending--
	g.highest = max(g.highest, id)
	switch {
	case g.pending == 0: // also over ids that were used up by appends that failed
		g.upTo = max(g.upTo, g.highest)
		clear(g.beyond)
		return
	case id == 0:
		return
	case id != g.upTo+1:
		if g.beyond == nil {
			g.beyond = make(map[spool.ID]struct{})
		}
		g.beyond[id] = struct{}{}
		return
	}
	for g.upTo = id; ; g.upTo++ {
		if _, ok := g.beyond[g.upTo+1]; !ok {
			return
		}
		delete(g.beyond, g.upTo+1)
	}
}

// has reports whether a record is on the books.
func (g *registry) has(id spool.ID) bool {
	if id <= g.upTo {
		return true
	}
	_, ok := g.beyond[id]
	return ok
}
