package producer

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/spool"
)

// Appends that overlap, in any order and with some that fail: a record is known from the moment it is entered, and no other is.
func TestRegistry(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		g := registry{upTo: 41}
		known := map[spool.ID]bool{}
		var open []spool.ID
		next := spool.ID(42)
		for range 300 {
			if len(open) == 0 || r.IntN(2) == 0 {
				g.begin()
				open = append(open, next)
				next++
			} else {
				i := r.IntN(len(open))
				id := open[i]
				open = append(open[:i], open[i+1:]...)
				if r.IntN(5) == 0 {
					g.enter(0)
				} else {
					g.enter(id)
					known[id] = true
				}
			}
			for _, id := range open {
				require.False(t, g.has(id), "seed %d", seed)
			}
			for id := range known {
				require.True(t, g.has(id), "seed %d", seed)
			}
			require.True(t, g.has(41))
			require.False(t, g.has(next))
			require.LessOrEqual(t, len(g.beyond), 300)
		}
	}
}
