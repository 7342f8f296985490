package putmedia

import (
	"maps"
	"strconv"
)

// Reasons for which frames are dropped.
const (
	ReasonBeforeKey    = "before-key"    // no key frame came yet, or since something was dropped
	ReasonStorage      = "storage"       // storage-size was reached
	ReasonSpoolFull    = "spool-full"    // spool-max-bytes was reached, or the disk is full
	ReasonSpoolDamaged = "spool-damaged" // the disk lost them
	ReasonSpoolAge     = "spool-age"     // older than spool-max-age
	ReasonTimestamp    = "timestamp"     // too far from the other tracks to stand in one fragment
	ReasonOversize     = "oversize"      // larger than a fragment may be
	ReasonDrain        = "drain"         // left over when drain-timeout was over
	ReasonStop         = "stop"          // left over when stop-timeout was over
	ReasonStartTimeout = "start-timeout" // nothing was acknowledged within start-timeout
	ReasonOther        = "other"         // more different codes than are kept apart
)

// mostReasons bounds how many reasons are kept apart.
const mostReasons = 64

// Count is a number of frames and the bytes of their data.
type Count struct {
	Frames int64
	Bytes  int64
}

func (c *Count) add(d Count) { c.Frames, c.Bytes = c.Frames+d.Frames, c.Bytes+d.Bytes }
func (c *Count) sub(d Count) { c.Frames, c.Bytes = c.Frames-d.Frames, c.Bytes-d.Bytes }

// Books account for every frame:
//
//	Accepted = Persisted + all Dropped + all Skipped + Spooled + InFlight
type Books struct {
	// Accepted are the frames that Put took, those it dropped at once included, and those
	// that an earlier run left in the spool.
	Accepted Count
	// Persisted are those the service has stored.
	Persisted Count
	// Dropped are those given up here, by reason or by AWS's error code.
	Dropped map[string]Count
	// Skipped are those of fragments that the service refused, by its error id.
	Skipped map[string]Count
	// Spooled are those that lie on disk and not in memory.
	Spooled Count
	// InFlight are those in memory, sent or not.
	InFlight Count
	// Refused are those that Put returned with an error; they are not accepted.
	Refused Count

	// FragmentsPersisted and FragmentsSkipped count fragments; PossibleDuplicates those that
	// were sent again though the service had all of them and its answer was lost.
	FragmentsPersisted, FragmentsSkipped, PossibleDuplicates int64
}

// Balanced reports whether the equation holds.
func (b Books) Balanced() bool {
	sum := b.Persisted
	sum.add(b.DroppedAll())
	sum.add(b.SkippedAll())
	sum.add(b.Spooled)
	sum.add(b.InFlight)
	return sum == b.Accepted
}

// DroppedAll returns the sum over all reasons.
func (b Books) DroppedAll() Count { return sumOf(b.Dropped) }

// SkippedAll returns the sum over all error ids.
func (b Books) SkippedAll() Count { return sumOf(b.Skipped) }

func sumOf(m map[string]Count) (sum Count) {
	for _, c := range m {
		sum.add(c)
	}
	return sum
}

func (b *Books) clone() Books {
	c := *b
	c.Dropped, c.Skipped = maps.Clone(b.Dropped), maps.Clone(b.Skipped)
	return c
}

func (b *Books) drop(reason string, c Count) { addTo(b.Dropped, reason, c) }

func (b *Books) skip(id int, c Count) { addTo(b.Skipped, strconv.Itoa(id), c) }

func addTo(m map[string]Count, key string, c Count) {
	if _, known := m[key]; !known && len(m) >= mostReasons {
		key = ReasonOther
	}
	sum := m[key]
	sum.add(c)
	m[key] = sum
}
