package mkv

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// TestWhatIsWrittenIsRead: random streams, whatever pieces they come in.
func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	seeds := uint64(30)
	if os.Getenv("GST_KINESIS_SOAK") != "" {
		seeds = 3000
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 1))
		m := randomStream(t, r)
		for name, src := range map[string]io.Reader{
			"whole":  bytes.NewReader(m.bytes),
			"bytes":  iotest.OneByteReader(bytes.NewReader(m.bytes)),
			"halves": iotest.HalfReader(bytes.NewReader(m.bytes)),
			"eof":    iotest.DataErrReader(bytes.NewReader(m.bytes)),
			"pieces": pieces{bytes.NewReader(m.bytes), r, 1 + r.IntN(100_000)},
		} {
			list, err := readAll(NewReader(src, Limits{}))
			require.NoError(t, err, "seed %d, %s", seed, name)
			require.Equal(t, len(m.want), len(list), "seed %d, %s", seed, name)
			for i, k := range list {
				if !equal(m.want[i], k.event) {
					require.Equal(t, m.want[i], k.event, "seed %d, %s, event %d", seed, name, i)
				}
				if k.raw != nil {
					require.True(t, bytes.HasPrefix(m.bytes[k.at:], k.raw), "seed %d, %s, event %d: %s", seed, name, i, fmt.Sprintf("%T", k.event))
				}
			}
		}
	}
}

// equal is quick where the payloads are large.
func equal(want, got Event) bool {
	a, isBlock := want.(*Block)
	b, also := got.(*Block)
	if !isBlock || !also || !bytes.Equal(a.Data, b.Data) {
		return false
	}
	x, y := *a, *b
	x.Data, y.Data = nil, nil
	return fmt.Sprint(x) == fmt.Sprint(y)
}
