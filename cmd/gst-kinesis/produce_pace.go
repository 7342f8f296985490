package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// rate is so many records, or bytes, a second.
type rate struct {
	perSecond float64
	bytes     bool
}

// leastRate keeps the time between records within what a clock can hold.
const leastRate = 0.001

// parseRate reads 100/s for records, 500kB/s for bytes; the /s may be left out.
func parseRate(text string) (rate, error) {
	number := strings.TrimSuffix(strings.TrimSpace(text), "/s")
	if n, err := strconv.ParseFloat(number, 64); err == nil {
		if n >= leastRate && !math.IsInf(n, 0) {
			return rate{perSecond: n}, nil
		}
	} else if n, err := parseSize(number); err == nil && n > 0 {
		return rate{perSecond: float64(n), bytes: true}, nil
	}
	return rate{}, fmt.Errorf("%q is no rate: give records a second, such as 100/s, or bytes a second, such as 500kB/s", text)
}

const (
	// lag is how much time that was lost in waiting for the stream is made up for.
	lag = 100 * time.Millisecond
	// nap is the shortest sleep: a shorter one would take longer than it says.
	nap = time.Millisecond
)

// pacer holds records back so that they keep to a rate. It is used from one goroutine.
type pacer struct {
	rate
	now   func() time.Time
	sleep func(context.Context, time.Duration) error
	due   time.Time // when the next record may go
}

// wait waits until a record of so many bytes may go.
func (p *pacer) wait(ctx context.Context, size int) error {
	now := p.now()
	if earliest := now.Add(-lag); p.due.IsZero() {
		p.due = now
	} else if p.due.Before(earliest) {
		p.due = earliest
	}
	if d := p.due.Sub(now); d >= nap {
		if err := p.sleep(ctx, d); err != nil {
			return err
		}
	}
	units := 1.0
	if p.bytes {
		units = float64(size)
	}
	p.due = p.due.Add(time.Duration(units / p.perSecond * float64(time.Second)))
	return nil
}

// sleep waits for a time, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
