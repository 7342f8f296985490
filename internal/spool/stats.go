package spool

import "time"

// Stats is a snapshot.
type Stats struct {
	// Records are those that are not done, Bytes is the size of their data.
	Records int64
	Bytes   int64
	// DiskBytes is what all files take, damaged ones that are kept included.
	DiskBytes int64
	Segments  int
	// Oldest is the age of the oldest record whose age is known.
	Oldest time.Duration
	// CorruptBytes could not be read and were not at a torn end; LostRecords are those of which that
	// is known. TornBytes were a record that was being written when the run before ended.
	CorruptBytes int64
	LostRecords  int64
	TornBytes    int64
	// Syncs is how often a segment was synced, DiskErrors how often the disk failed.
	Syncs      int64
	DiskErrors int64
}

// Stats returns the current figures. It does no I/O.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Records: s.records, Bytes: s.bytes, DiskBytes: s.disk, Segments: len(s.segments), Oldest: s.oldest(),
		CorruptBytes: s.count.corrupt, LostRecords: s.count.lost, TornBytes: s.count.torn,
		Syncs: s.count.syncs, DiskErrors: s.count.diskErrors,
	}
}
