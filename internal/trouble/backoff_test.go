package trouble

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
)

func TestBackoffs(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, class := range []awserr.Class{awserr.Transient, awserr.Throttled, awserr.Permanent, awserr.Expired, awserr.ClockSkew, awserr.Canceled} {
		b := BackoffFor(class)
		for n := 1; n < 70; n += 1 + n/8 {
			limit, longest := min(b.First<<min(n-1, 20), b.Most), time.Duration(0)
			for range 200 {
				w := b.Wait(n, random)
				if w < b.Floor || w > max(limit, b.Floor) {
					t.Fatalf("%v after %d failures of class %v", w, n, class)
				}
				longest = max(longest, w)
			}
			require.Greater(t, longest, limit/2, "full jitter reaches up to the limit")
		}
	}
}
