package local

import "gst-kinesis/internal/local/front"

// RequestKey is what requests are counted by. Code is empty for success; "cut", "garbled" and "hung" stand for scripted
// faults, with status 0 where nothing was answered.
type RequestKey = front.Key

// Stats are counters since New, and what is held now.
type Stats struct {
	Requests map[RequestKey]int64
	Records  int64 // stored and read, of all answers together
	Failed   int64 // records refused one by one
	Bytes    int64 // of records stored and read
	Held     int64 // bytes in memory for records, with overhead
	Trimmed  int64 // records dropped because of MaxBytes
	Expired  int64 // records dropped because of retention
	Faults   int64 // times that a fault rule struck

	VideoHeld    int64 // bytes in memory for fragments, with overhead
	VideoOnDisk  int64 // bytes of fragments in the data directory
	VideoTrimmed int64 // fragments dropped because of VideoMemory or VideoDisk
	VideoExpired int64 // fragments dropped because of retention
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	fronts := append([]*front.Front(nil), s.past...)
	s.mu.Unlock()
	st := Stats{Requests: map[RequestKey]int64{}, Faults: s.faults.Fired()}
	for _, f := range fronts {
		counts, books := f.Counts()
		for k, n := range counts {
			st.Requests[k] += n
		}
		st.Records += int64(books.Records)
		st.Failed += int64(books.Failed)
		st.Bytes += books.Bytes
	}
	u := s.store.Usage()
	st.Held, st.Trimmed, st.Expired = u.Bytes, u.Trimmed, u.Expired
	v := s.footage.Usage()
	st.VideoHeld, st.VideoOnDisk, st.VideoTrimmed, st.VideoExpired = v.Bytes, v.Disk, v.Trimmed, v.Expired
	return st
}

// Count returns how many requests of an operation were answered with a code ("" for success).
func (s Stats) Count(operation, code string) int64 {
	var n int64
	for k, c := range s.Requests {
		if k.Operation == operation && k.Code == code {
			n += c
		}
	}
	return n
}
