package streams

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSequenceOfTheService(t *testing.T) {
	t.Parallel()
	// The example in the API reference of PutRecord, a number that the service gave out.
	const given = "49543463076570308322303623326179887152428262250726293522"
	s, err := ParseSequence(given)
	require.NoError(t, err)
	require.Equal(t, given, s.String())
	require.EqualValues(t, 1, s.Shard)
	require.EqualValues(t, 2014, yearOf(s.Created))
}

func yearOf(second int64) int { return 1970 + int(second/31556952) }

func TestSequenceRoundTripAndOrder(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		s := Sequence{Created: rng.Int64N(1 << 34), Index: rng.Uint64N(endIndex), Time: rng.Int64N(1 << 34), Shard: rng.Uint32N(1 << 31)}
		w := s.words()
		want := new(big.Int)
		for _, word := range w {
			want.Lsh(want, 64).Or(want, new(big.Int).SetUint64(word))
		}
		require.Equal(t, want.String(), s.String())
		back, err := ParseSequence(s.String())
		require.NoError(t, err)
		require.Equal(t, s, back)

		later := s
		later.Index++
		later.Time = rng.Int64N(1 << 34)
		require.Negative(t, compare(s, later), "a later record has a greater number")
		child := Sequence{Created: s.Created + 1, Shard: rng.Uint32N(1 << 31)}
		require.Negative(t, compare(s, child), "a child shard has greater numbers")
	}
}

func compare(a, b Sequence) int {
	x, _ := new(big.Int).SetString(a.String(), 10)
	y, _ := new(big.Int).SetString(b.String(), 10)
	return x.Cmp(y)
}

func TestParseSequenceRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "0", "1", "-1", "12x", "49543463076570308322303623326179887152428262250726293523",
		"999999999999999999999999999999999999999999999999999999999", "99999999999999999999999999999999999999999999999999999999999999"} {
		_, err := ParseSequence(text)
		require.Error(t, err, text)
	}
}

func FuzzParseSequence(f *testing.F) {
	f.Add("49543463076570308322303623326179887152428262250726293522")
	f.Add("0")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSequence(text)
		if err != nil {
			return
		}
		n, ok := new(big.Int).SetString(text, 10)
		require.True(t, ok)
		require.Equal(t, n.String(), s.String())
	})
}
