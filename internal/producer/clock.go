package producer

import "time"

// Clock is the time as the producer sees it; tests may bring their own.
type Clock interface {
	// Now returns the time, monotonic within a process.
	Now() time.Time
	// AfterFunc calls f in a goroutine of its own after d.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is what AfterFunc returns; *time.Timer is one.
type Timer interface {
	Stop() bool
	Reset(d time.Duration) bool
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }

// instant is a moment on the producer's own clock: the time since New.
type instant = time.Duration

// never is an instant that does not come.
const never instant = 1<<63 - 1
