//go:build cgo

package main

import "time"

// sayAgain is how long the same words are not said again.
const sayAgain = 10 * time.Second

// maxRepeats bounds how many different words are kept in mind.
const maxRepeats = 64

// repeats keeps a log from saying the same over and over. It is used from one goroutine.
type repeats struct{ said map[string]*repeated }

type repeated struct {
	at    time.Time
	times int // that it was held back since
}

// again says whether words were said a short while ago and are held back now. If not, times is how often they were held back before.
func (r *repeats) again(words string, now time.Time) (again bool, times int) {
	if r.said == nil || len(r.said) >= maxRepeats {
		r.said = map[string]*repeated{}
	}
	last := r.said[words]
	if last == nil {
		r.said[words] = &repeated{at: now}
		return false, 0
	}
	if now.Sub(last.at) < sayAgain {
		last.times++
		return true, 0
	}
	times = last.times
	last.at, last.times = now, 0
	return false, times
}
