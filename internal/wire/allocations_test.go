//go:build !race

package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/wire"
)

// TestAllocations checks that more records do not mean more allocations. The race detector makes pools forget.
func TestAllocations(t *testing.T) {
	for _, mode := range []wire.Mode{wire.OnlyJSON, wire.PreferCBOR} {
		per := func(n, size int) float64 {
			client, in := contender(mode, n), benchCase{"", n, size}.input()
			return testing.AllocsPerRun(50, func() {
				_, err := client.PutRecords(t.Context(), in)
				require.NoError(t, err)
			})
		}
		few, many, large := per(1, 1000), per(500, 1000), per(80, 50<<10)
		require.InDelta(t, few, many, 10, "%s", mode)
		require.InDelta(t, few, large, 10, "%s", mode)
	}
}
