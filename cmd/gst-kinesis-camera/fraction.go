package main

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// A fraction is a frame rate: n frames in d seconds. Zero means: not given.
type fraction struct{ n, d int64 }

// maxRate bounds what a camera may be asked for.
const maxRate = 1000

func parseFraction(s string) (fraction, error) {
	num, den, found := strings.Cut(s, "/")
	if !found {
		den = "1"
	}
	n, err1 := strconv.ParseInt(strings.TrimSpace(num), 10, 32)
	d, err2 := strconv.ParseInt(strings.TrimSpace(den), 10, 32)
	if err1 != nil || err2 != nil || n < 1 || d < 1 || n > maxRate*d {
		return fraction{}, fmt.Errorf("%q is not a frame rate: write it as 25 or 30000/1001, at most %d", s, maxRate)
	}
	return fraction{n, d}, nil
}

func (f fraction) String() string { return fmt.Sprintf("%d/%d", f.n, f.d) }

func (f fraction) perSecond() float64 { return float64(f.n) / float64(f.d) }

// times is when frame i begins, counted from frame 0.
func (f fraction) times(i int64) time.Duration {
	whole, rest := i/f.n, i%f.n
	return time.Duration(whole*f.d)*time.Second + time.Duration(mulDiv(rest*f.d, int64(time.Second), f.n))
}

// count is how many whole frames fit in t; none in a negative one.
func (f fraction) count(t time.Duration) int64 {
	t = max(t, 0)
	period := time.Duration(f.d) * time.Second // of f.n frames
	return int64(t/period)*f.n + mulDiv(int64(t%period), f.n, int64(period))
}

// mulDiv is a*b/c, rounded down, where only the product may overflow; none is negative.
func mulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(q)
}
