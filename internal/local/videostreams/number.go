package videostreams

import (
	"cmp"
	"fmt"
	"math/big"
)

// Number names a fragment. AWS's are decimal numbers of 47 digits just above 2^156 that grow in the order of ingestion; these
// are 2^156 + high·2^64 + low, where high is the time in milliseconds and low counts.
type Number struct{ high, low uint64 }

func numberBase() *big.Int { return new(big.Int).Lsh(big.NewInt(1), 156) }

// String gives the decimal form.
func (n Number) String() string {
	sum := new(big.Int).SetUint64(n.high)
	sum.Lsh(sum, 64).Add(sum, new(big.Int).SetUint64(n.low))
	return sum.Add(sum, numberBase()).String()
}

// Compare orders numbers as they were given.
func (n Number) Compare(other Number) int {
	return cmp.Or(cmp.Compare(n.high, other.high), cmp.Compare(n.low, other.low))
}

// IsZero tells whether n is no number at all.
func (n Number) IsZero() bool { return n == Number{} }

// ParseNumber reads the decimal form. A number that cannot be one of this endpoint's is read as one that comes before or after
// all of them.
func ParseNumber(text string) (Number, error) {
	const most = 128 // digits, by the API's model
	v, ok := new(big.Int), len(text) > 0 && len(text) <= most
	for _, c := range text {
		ok = ok && c >= '0' && c <= '9'
	}
	if ok {
		_, ok = v.SetString(text, 10)
	}
	if !ok {
		return Number{}, fmt.Errorf("reading a fragment number: %.40q is not a decimal number", text)
	}
	v.Sub(v, numberBase())
	switch {
	case v.Sign() < 0:
		return Number{}, nil
	case v.BitLen() > 128:
		return Number{high: ^uint64(0), low: ^uint64(0)}, nil
	}
	low := new(big.Int).And(v, new(big.Int).SetUint64(^uint64(0)))
	return Number{high: v.Rsh(v, 64).Uint64(), low: low.Uint64()}, nil
}

// MarshalText implements encoding.TextMarshaler.
func (n Number) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *Number) UnmarshalText(text []byte) (err error) {
	*n, err = ParseNumber(string(text))
	return err
}
