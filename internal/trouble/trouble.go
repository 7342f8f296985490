// Package trouble is what goes wrong on the way to a stream, as it is told to people:
// each kind at most once a second with a count, the end of it, and what ends the
// stream. It also says how long to wait before trying again.
package trouble

import (
	"strings"
	"time"

	"gst-kinesis/internal/awserr"
)

// Trouble is something that goes wrong, or went wrong for good.
type Trouble struct {
	awserr.Fault
	// Reason is set when something was dropped over this, to one of the reasons of the
	// books.
	Reason string
	// Count is how often this happened since it was last told.
	Count int
	// Records is how many records (of Video Streams: frames) that concerned.
	Records int
	// Stream and Region say where.
	Stream string
	Region string
	// Err is the error itself; nil when there is none behind it.
	Err error
}

// Error writes the trouble as one line.
func (t Trouble) Error() string {
	var b strings.Builder
	b.WriteString(t.Code)
	if t.Message != "" {
		b.WriteString(": " + t.Message)
	}
	where := t.Stream
	if t.Region != "" {
		where += " in " + t.Region
	}
	if where != "" {
		b.WriteString(" (stream " + where)
		if t.RequestID != "" {
			b.WriteString(", request " + t.RequestID)
		}
		b.WriteString(")")
	}
	if t.Remedy != "" {
		b.WriteString("; " + t.Remedy)
	}
	return b.String()
}

// Unwrap returns the error behind the trouble.
func (t Trouble) Unwrap() error { return t.Err }

// Recovery is the end of troubles.
type Recovery struct {
	// Failures counts those that were not told one by one.
	Failures int
	// Lasted is the time from the first trouble to the recovery.
	Lasted time.Duration
}

// Notice is something worth knowing that keeps nothing from working.
type Notice struct {
	// Code tells notices apart.
	Code string
	// Text is a sentence without a full stop.
	Text string
	// Err is what is behind it; nil where there is none.
	Err error
}
