package limit

import (
	"fmt"
	"strconv"
	"strings"
)

// Rate is how much of a shard's limits a producer makes use of: a percentage, or Off.
type Rate int

const (
	// Off sends whatever there is; the service's throttling is the only limit.
	Off Rate = 0
	// Auto is all of a shard's limits.
	Auto Rate = 100
	// MaxRate is the most: for streams that take more than is documented.
	MaxRate Rate = 1000
)

// ParseRate reads auto, off, or a percentage from 1 to MaxRate, with or without a
// percent sign.
func ParseRate(s string) (Rate, error) {
	switch s {
	case "auto":
		return Auto, nil
	case "off":
		return Off, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(s, "%"))
	if err != nil || n < 1 || Rate(n) > MaxRate {
		return 0, fmt.Errorf("reading a rate limit: %q is neither auto, off nor a percentage from 1 to %d", s, MaxRate)
	}
	return Rate(n), nil
}

// String gives what ParseRate reads.
func (r Rate) String() string {
	switch r {
	case Off:
		return "off"
	case Auto:
		return "auto"
	default:
		return strconv.Itoa(int(r)) + "%"
	}
}

// weight is what one record or byte takes out of a shard's tanks: half at twice the rate.
func (r Rate) weight() float64 { return 100 / float64(r) }
