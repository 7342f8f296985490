// Package spool stores records on disk until they are delivered, so that neither
// an outage of the link nor the loss of power loses what was accepted.
//
//	s, err := spool.Open(spool.Settings{Directory: dir, MaxBytes: 8 << 30, Sync: spool.SyncInterval})
//	id, err := s.Append(spool.Record{Key: "camera0", Accepted: time.Now(), Data: frame})
//	err = s.Done([]spool.ID{id}) // delivered: it never comes back
//
//	r := s.Reader(0) // what an earlier run left, oldest first
//	record, id, err := r.Next(nil)
//
// # Directory
//
//	LOCK                            held while a process owns the directory; holds its pid
//	acks                            what is done; see acks.go
//	acks.new                        the next acks while it is being written
//	<first id>-<nonce>.seg          records, IDs rising by one; see frame.go
//	<first id>-<nonce>.seg.bad      a segment in which something was damaged, kept for a person
//
// Everything else in the directory is left alone and named in the log and by
// Inspect. Files are 0600 in a folder 0700.
//
// # Invariants
//
//   - IDs rise with each Append. Within a segment they rise by one; between
//     segments they may leap. An ID is never given twice: each Open writes and syncs
//     acks with the ID it starts at before it gives out any, and begins 2^32
//     further if the run before did not end with Close, which is more than can have
//     been appended and lost since the kernel last wrote.
//   - A segment is appended to only by the run that created it. The first failure
//     to sync it ends that: what the kernel then holds of it is not to be trusted.
//   - A frame lies whole below segment.size or is not in the index. What a failed
//     write left is truncated away, or the segment is ended and the ID marked done.
//   - A record is done in memory before it is done in acks, and its segment's file
//     is removed after both. acks forgets a segment only when the removal has been
//     synced: a file that comes back finds its acks.
//   - Records leave only by Done, DropOldest, Expire and a LossError of a Reader;
//     each returns to the caller what went.
//
// # What survives
//
// The end of the process, at any point, loses nothing that Append or Done returned
// without an error. The loss of power may lose appends since the last sync and
// may repeat what was done since then: with SyncAlways no append that returned; with
// SyncInterval those of SyncEvery; with SyncNone as much as the kernel holds. Acks
// are synced each SyncEvery with SyncAlways too. A record whose Append failed can
// come back only if not even the truncation and acks could be written.
//
// # Memory
//
// A record that lies in a segment takes 8 bytes and one bit, whatever its size: 10
// million outstanding records take 82 MB. Done ones take that until their segment
// goes. A Reader holds 64 KiB.
package spool
