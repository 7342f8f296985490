package producer

import "maps"

// Reasons for which records are dropped. Beside these, a record that the service
// refuses for good is dropped with AWS's error code as the reason.
const (
	ReasonStop         = "stop"          // left over when stop-timeout was over
	ReasonDrain        = "drain"         // left over when drain-timeout was over
	ReasonTTL          = "ttl"           // older than record-ttl
	ReasonRetries      = "retries"       // failed more often than retry-attempts
	ReasonOversize     = "oversize"      // larger than max-record-size
	ReasonLeakyOldest  = "leaky-oldest"  // made room for a newer one
	ReasonLeakyNewest  = "leaky-newest"  // found no room
	ReasonBadKey       = "bad-key"       // partition key or explicit hash key is not valid
	ReasonStartTimeout = "start-timeout" // nothing was delivered within start-timeout
	ReasonOther        = "other"         // more different codes than are kept apart
)

// maxReasons bounds how many reasons are kept apart.
const maxReasons = 64

// Count is a number of records and the bytes of their data.
type Count struct {
	Records int64
	Bytes   int64
}

func (c *Count) add(bytes int) {
	c.Records++
	c.Bytes += int64(bytes)
}

func (c *Count) sub(bytes int) {
	c.Records--
	c.Bytes -= int64(bytes)
}

func (c Count) plus(o Count) Count {
	return Count{Records: c.Records + o.Records, Bytes: c.Bytes + o.Bytes}
}

func (c Count) minus(o Count) Count {
	return Count{Records: c.Records - o.Records, Bytes: c.Bytes - o.Bytes}
}

// Books account for every record:
//
//	Accepted = Delivered + all Dropped + DeadLettered + Spooled + InFlight
type Books struct {
	// Accepted are the records that Put took, those it dropped at once included, and
	// those that an earlier run left in the spool.
	Accepted Count
	// Delivered are those the service took.
	Delivered Count
	// Dropped are those given up, by reason.
	Dropped map[string]Count
	// DeadLettered and Spooled are those that lie in another place: Spooled those that
	// are in the spool and not in memory.
	DeadLettered Count
	Spooled      Count
	// InFlight are those that wait or are being sent.
	InFlight Count
	// Refused are those that Put returned with an error; they are not accepted.
	Refused Count
	// PossibleDuplicates are records that were sent again after a request whose
	// fate is not known, so that the service may have taken them twice.
	PossibleDuplicates int64
}

// DroppedAll returns the sum over all reasons.
func (b Books) DroppedAll() Count {
	var sum Count
	for _, c := range b.Dropped {
		sum = sum.plus(c)
	}
	return sum
}

// Balanced reports whether the equation holds.
func (b Books) Balanced() bool {
	return b.Accepted == b.Delivered.plus(b.DroppedAll()).plus(b.DeadLettered).plus(b.Spooled).plus(b.InFlight)
}

// drop counts a record under a reason.
func (b *Books) drop(reason string, bytes int) {
	c, known := b.Dropped[reason]
	if !known && len(b.Dropped) >= maxReasons {
		reason = ReasonOther
		c = b.Dropped[reason]
	}
	c.add(bytes)
	b.Dropped[reason] = c
}

func (b Books) clone() Books {
	b.Dropped = maps.Clone(b.Dropped)
	return b
}
