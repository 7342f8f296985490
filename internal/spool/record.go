package spool

import "time"

// ID names a record within a directory. It rises with each Append and is never
// used again. 0 is no record's.
type ID uint64

// NoPTS is the PTS of a record that has none.
const NoPTS = ^uint64(0)

// Record is one record. The spool keeps no reference to Data.
type Record struct {
	// Key is the partition key, at most 4096 bytes.
	Key string
	// ExplicitHash is empty or the explicit hash key, at most 255 bytes.
	ExplicitHash string
	// PTS is a timestamp in nanoseconds, or NoPTS.
	PTS uint64
	// Accepted is by the wall clock; age counts from it. A time before 2020 says
	// that the clock was not set: such a record has no age and never expires.
	Accepted time.Time
	// Data is at most 64 MiB and may be empty.
	Data []byte
}

// clockSet is the time before which a clock cannot have been set right: boxes
// without a battery start in 1970 or at a build date.
const clockSet = 1577836800 // 2020-01-01 in unix seconds

// secondOf packs a wall clock time; 0 is unknown. It lasts until 2156.
func secondOf(unixNano int64) uint32 {
	s := unixNano/int64(time.Second) - clockSet
	if unixNano < 0 || s < 1 || s > 1<<32-1 {
		return 0
	}
	return uint32(s)
}

// timeOf is the inverse of secondOf, to the second.
func timeOf(second uint32) time.Time { return time.Unix(clockSet+int64(second), 0) }
