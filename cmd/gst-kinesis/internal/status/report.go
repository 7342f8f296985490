package status

import (
	"fmt"
	"strings"
	"time"
)

// Sample is how things stand at a moment.
type Sample struct {
	Records, Bytes uint64 // delivered so far
	Frames         bool   // the records are frames of video streams
	Dropped        uint64 // records, by whatever reason
	InFlight       uint64
	Spooled        uint64 // that wait in a spool
	DeadLettered   uint64
	Live           bool   // there are live sources that are kept going
	Losses         uint64 // of theirs
	Reconnects     uint64
	Downtime       time.Duration
	Read           uint64 // records read back
	Reads          bool   // somebody reads back
	Note           string // what is the matter now; empty if nothing
}

// Report is a sample with what it means.
type Report struct {
	Sample
	Elapsed    time.Duration
	RecordRate float64 // records a second, of late
	ByteRate   float64 // bytes a second, of late
}

// window is the time that rates are taken over.
const window = 2 * time.Second

// Meter makes reports of samples. It is used from one goroutine.
type Meter struct {
	begun time.Time
	past  []point
}

type point struct {
	at             time.Time
	records, bytes uint64
}

// NewMeter begins to measure.
func NewMeter(now time.Time) *Meter { return &Meter{begun: now, past: []point{{at: now}}} }

// Report gives the report of a sample taken now.
func (m *Meter) Report(now time.Time, s Sample) Report {
	m.past = append(m.past, point{now, s.Records, s.Bytes})
	for len(m.past) > 2 && now.Sub(m.past[1].at) >= window {
		m.past = m.past[1:]
	}
	r := Report{Sample: s, Elapsed: now.Sub(m.begun)}
	if d := now.Sub(m.past[0].at).Seconds(); d > 0 {
		r.RecordRate = float64(s.Records-m.past[0].records) / d
		r.ByteRate = float64(s.Bytes-m.past[0].bytes) / d
	}
	return r
}

// unit is what is counted; records are called as the caller does.
func (r Report) unit(records string) string {
	if r.Frames {
		return "frames"
	}
	return records
}

// Line is the status line. What matters most stands first, as the end may be cut.
func (r Report) Line() string {
	parts := []string{
		Clock(r.Elapsed),
		fmt.Sprintf("%.1f %s/s", r.RecordRate, r.unit("rec")),
		Size(r.ByteRate) + "/s",
		fmt.Sprintf("delivered %d", r.Records),
		fmt.Sprintf("dropped %d", r.Dropped),
		fmt.Sprintf("in flight %d", r.InFlight),
	}
	if r.Spooled > 0 {
		parts = append(parts, fmt.Sprintf("spooled %d", r.Spooled))
	}
	if r.DeadLettered > 0 {
		parts = append(parts, fmt.Sprintf("dead-lettered %d", r.DeadLettered))
	}
	if r.Reads {
		parts = append(parts, fmt.Sprintf("read back %d", r.Read))
	}
	if r.Live {
		parts = append(parts, fmt.Sprintf("reconnects %d", r.Reconnects))
	}
	if r.Note != "" {
		parts = append(parts[:1], append([]string{r.Note}, parts[1:]...)...)
	}
	return strings.Join(parts, "  ")
}

// Attrs are the report for a log.
func (r Report) Attrs() []any {
	attrs := []any{
		"elapsed", r.Elapsed.Round(time.Second), r.unit("records") + "/s", round(r.RecordRate), "bytes/s", uint64(r.ByteRate),
		"delivered", r.Records, "dropped", r.Dropped, "in-flight", r.InFlight,
	}
	if r.Spooled > 0 {
		attrs = append(attrs, "spooled", r.Spooled)
	}
	if r.DeadLettered > 0 {
		attrs = append(attrs, "dead-lettered", r.DeadLettered)
	}
	if r.Reads {
		attrs = append(attrs, "read-back", r.Read)
	}
	if r.Live {
		attrs = append(attrs, "losses", r.Losses, "reconnects", r.Reconnects, "downtime", r.Downtime.Round(100*time.Millisecond))
	}
	if r.Note != "" {
		attrs = append(attrs, "note", r.Note)
	}
	return attrs
}

func round(f float64) float64 { return float64(int64(f*10+0.5)) / 10 }

// Clock writes a time that has passed as 1:02:03.
func Clock(d time.Duration) string {
	s := int64(d / time.Second)
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// Size writes a number of bytes as people read it.
func Size(bytes float64) string {
	for _, u := range []struct {
		name  string
		bytes float64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if bytes >= u.bytes {
			return fmt.Sprintf("%.1f %s", bytes/u.bytes, u.name)
		}
	}
	return fmt.Sprintf("%.0f B", bytes)
}
