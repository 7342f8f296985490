package sizeclass

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClasses(t *testing.T) {
	t.Parallel()
	for _, r := range []Range{{8, 24}, {8, 26}, {2, 10}} {
		for size := range 1<<min(r.Most, 16) + 1 {
			class := r.Of(size)
			require.Less(t, class, r.Count())
			require.GreaterOrEqual(t, r.Bytes(class), size)
			if class > 0 {
				require.Less(t, r.Bytes(class-1), size, "the class before is too small")
				require.LessOrEqual(t, r.Bytes(class)*4, size*5+4, "a quarter lies idle at most")
			}
		}
		require.Equal(t, r.Count()-1, r.Of(1<<r.Most))
		require.Equal(t, 1<<r.Most, r.Bytes(r.Count()-1))
		require.Equal(t, None, r.Of(1<<r.Most+1))
	}
}
