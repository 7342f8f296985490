package videostreams

import (
	"time"

	"gst-kinesis/internal/local/apierr"
)

// The service's limits. Source: developer guide, "service quotas": control plane, media and archived media.
const (
	createRate = 50  // CreateStream calls a second of an account
	listRate   = 300 // ListStreams calls a second of an account
	callRate   = 5   // calls a second of a stream, each operation for itself

	MaxPutting = 1 // connections of PutMedia of a stream
	MaxGetting = 3 // of GetMedia
	MaxListing = 5 // of GetMediaForFragmentList

	FragmentRate = 5     // fragments a second of a session
	metadataRate = 10000 // points a second of a stream: ListFragments, GetClip
	mediaRate    = 500   // points a second of a stream: GetMediaForFragmentList, GetClip

	PutBytes = 12.5e6 // bytes a second that PutMedia reads of a stream
	GetBytes = 25e6   // bytes a second that a session of GetMedia sends
)

// limits of one stream.
type limits struct {
	calls           map[string]*Rate
	metadata, media Rate
}

func newLimits(now time.Time) limits {
	return limits{calls: map[string]*Rate{}, metadata: NewRate(metadataRate, now), media: NewRate(mediaRate, now)}
}

// Call counts a call of an operation against the stream's limit. A stream that is not there is no error here.
func (s *Store) Call(ref Ref, operation string) error {
	if !s.set.Limits {
		return nil
	}
	st, err := s.find(ref)
	if err != nil {
		return nil
	}
	defer st.mu.Unlock()
	now := s.set.Now()
	r := st.limits.calls[operation]
	if r == nil {
		made := NewRate(callRate, now)
		r = &made
		st.limits.calls[operation] = r
	}
	if r.Take(1, now) {
		return nil
	}
	return Throttled()
}

// CallAccount counts a call of CreateStream, or of ListStreams, against the account's limit.
func (s *Store) CallAccount(create bool) error {
	if !s.set.Limits {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &s.lists
	if create {
		r = &s.creates
	}
	if r.Take(1, s.set.Now()) {
		return nil
	}
	return Throttled()
}

// Points counts fragments of archived media against the stream's limits.
func (s *Store) Points(ref Ref, metadata, media int) error {
	if !s.set.Limits {
		return nil
	}
	st, err := s.find(ref)
	if err != nil {
		return err
	}
	defer st.mu.Unlock()
	now := s.set.Now()
	if metadata > 0 && !st.limits.metadata.Take(float64(metadata), now) || media > 0 && !st.limits.media.Take(float64(media), now) {
		return Throttled()
	}
	return nil
}

// Limited tells whether limits hold.
func (s *Store) Limited() bool { return s.set.Limits }

// connect enters a connection; the stream is locked.
func (s *Store) connect(count *int, most int) error {
	if s.set.Limits && *count >= most {
		return apierr.New(codeConnectionLimit, "Connection limit exceeded: the stream has its %d connection(s) of this operation already; "+
			"end the one that is open, or wait for its end.", most)
	}
	*count++
	return nil
}
