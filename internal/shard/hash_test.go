package shard

import (
	"crypto/md5"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func bigMax() *big.Int {
	return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
}

func randomHash(r *rand.Rand) Hash {
	h := Hash{Hi: r.Uint64(), Lo: r.Uint64()}
	switch r.IntN(5) {
	case 0:
		h.Hi = 0
	case 1:
		h.Lo = ^uint64(0)
	case 2:
		h.Hi >>= r.IntN(64)
	}
	return h
}

func TestHashKeyIsTheMD5Sum(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "a", "camera0", "鍵", strings.Repeat("é", 256), strings.Repeat("x", 5000)} {
		sum := md5.Sum([]byte(key))
		require.Equal(t, new(big.Int).SetBytes(sum[:]), HashKey(key).Big(), key)
	}
	// A value of the service's documentation style: MD5("a") = 0cc175b9c0f1b6a831c399e269772661.
	require.Equal(t, "16955237001963240173058271559858726497", HashKey("a").String())
}

func TestParseHash(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Hash{
		"0": {}, "1": {Lo: 1}, "18446744073709551616": {Hi: 1}, bigMax().String(): MaxHash(),
	} {
		got, err := ParseHash(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
		require.Equal(t, text, got.String())
	}
	over := new(big.Int).Add(bigMax(), big.NewInt(1)).String()
	for _, text := range []string{"", "00", "01", "-1", "+1", " 1", "1 ", "0x1", "1e3", "١", over, strings.Repeat("9", 39), strings.Repeat("9", 40), "1" + strings.Repeat("0", 400)} {
		_, err := ParseHash(text)
		require.Error(t, err, text)
	}
}

func FuzzParseHash(f *testing.F) {
	for _, s := range []string{"0", "1", "01", "340282366920938463463374607431768211455", "340282366920938463463374607431768211456", "-", "９"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseHash(s)
		want, ok := new(big.Int).SetString(s, 10)
		valid := ok && want.Sign() >= 0 && want.Cmp(bigMax()) <= 0 && want.String() == s
		if valid != (err == nil) {
			t.Fatalf("%q: %v", s, err)
		}
		if err == nil && h.Big().Cmp(want) != 0 {
			t.Fatalf("%q read as %s", s, h)
		}
	})
}

func TestHashArithmeticAgainstBig(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	one, modulus := big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 128)
	for range 5000 {
		a, b := randomHash(r), randomHash(r)
		require.Equal(t, a.Big().Cmp(b.Big()), a.Compare(b))
		require.Zero(t, new(big.Int).Mod(new(big.Int).Add(a.Big(), one), modulus).Cmp(a.Next().Big()))
		require.Equal(t, a, a.Next().Prev())
		if a.Compare(b) > 0 {
			a, b = b, a
		}
		rng := Range{a, b}
		middle := new(big.Int).Add(a.Big(), b.Big())
		middle.Add(middle, one).Rsh(middle, 1)
		require.Zero(t, middle.Cmp(rng.Middle().Big()), "%v", rng)
		require.True(t, rng.Contains(a) && rng.Contains(b) && rng.Contains(rng.Middle()))
		if lower, upper, ok := rng.SplitAt(rng.Middle()); ok {
			require.True(t, lower.Adjacent(upper) && upper.Adjacent(lower))
			require.Equal(t, rng, lower.Join(upper))
			require.Equal(t, rng, upper.Join(lower))
		} else {
			require.Equal(t, a, b)
		}
	}
}

func TestEvenRanges(t *testing.T) {
	t.Parallel()
	three := EvenRanges(3)
	require.Equal(t, "113427455640312821154458202477256070484", three[0].End.String())
	require.Equal(t, "226854911280625642308916404954512140970", three[2].Start.String())
	for n := 1; n <= 1000; n += 1 + n/20 {
		ranges := EvenRanges(n)
		require.Len(t, ranges, n)
		require.Equal(t, Hash{}, ranges[0].Start)
		require.Equal(t, MaxHash(), ranges[n-1].End)
		size := new(big.Int).Div(new(big.Int).Add(bigMax(), big.NewInt(1)), big.NewInt(int64(n)))
		for i := range ranges {
			if new(big.Int).Mul(size, big.NewInt(int64(i))).Cmp(ranges[i].Start.Big()) != 0 {
				t.Fatalf("range %d of %d starts at %s", i, n, ranges[i].Start)
			}
			if i > 0 && (ranges[i].Start != ranges[i-1].End.Next() || !ranges[i].Adjacent(ranges[i-1])) {
				t.Fatalf("a gap before range %d of %d", i, n)
			}
		}
	}
}

func TestSplitAtTheEdges(t *testing.T) {
	t.Parallel()
	r := Range{Hash{Lo: 10}, Hash{Lo: 20}}
	for at, ok := range map[uint64]bool{9: false, 10: false, 11: true, 20: true, 21: false} {
		_, _, got := r.SplitAt(Hash{Lo: at})
		require.Equal(t, ok, got, at)
	}
	full := FullRange()
	require.False(t, full.Adjacent(full), "the end of all does not touch its beginning")
}

func TestParseRange(t *testing.T) {
	t.Parallel()
	r, err := ParseRange("0", bigMax().String())
	require.NoError(t, err)
	require.Equal(t, FullRange(), r)
	for _, bad := range [][2]string{{"x", "1"}, {"0", "y"}, {"2", "1"}} {
		_, err := ParseRange(bad[0], bad[1])
		require.Error(t, err, fmt.Sprint(bad))
	}
}
