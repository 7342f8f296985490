package videostreams

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Selector says where reading starts.
type Selector string

// The places to start at, as the API names them. A continuation token is the number of the last fragment that was read.
const (
	FromNow       Selector = "NOW"
	FromEarliest  Selector = "EARLIEST"
	AfterFragment Selector = "FRAGMENT_NUMBER"
	AtServer      Selector = "SERVER_TIMESTAMP"
	AtProducer    Selector = "PRODUCER_TIMESTAMP"
)

// Start is a place to start at.
type Start struct {
	Selector Selector
	After    Number    // of AfterFragment
	At       time.Time // of AtServer and AtProducer
}

// Reader is one session of GetMedia on a stream. It belongs to one goroutine, but Close.
type Reader struct {
	store *Store
	st    *stream
	next  uint64 // the order of the fragment to be read next, if it is still there
	once  sync.Once
}

// Read begins a session.
//
// NOW is the fragment that is coming in, or the next one: AWS's developers answer that media has to come for NOW to give any
// (amazon-kinesis-video-streams-producer-sdk-java issue 47). A timestamp is the fragment that contains it, or else the first one
// after it.
func (s *Store) Read(ref Ref, start Start) (*Reader, error) {
	st, err := s.usable(ref)
	if err != nil {
		return nil, err
	}
	defer st.mu.Unlock()
	if err := s.connect(&st.getting, MaxGetting); err != nil {
		return nil, err
	}
	s.expire(st, s.now())
	return &Reader{store: s, st: st, next: st.find(start)}, nil
}

// find gives the order of the fragment to start with.
func (st *stream) find(start Start) uint64 {
	for _, f := range st.fragments {
		var found bool
		switch start.Selector {
		case FromNow:
		case AfterFragment:
			found = f.Number.Compare(start.After) > 0
		case AtServer:
			found = f.Server.Add(f.Length).After(start.At) || f.Server.Equal(start.At)
		case AtProducer:
			found = f.Producer.Add(f.Length).After(start.At) || f.Producer.Equal(start.At)
		default:
			found = true
		}
		if found {
			return f.order
		}
	}
	return st.order + 1
}

// Next gives the next fragment, nil if there is none yet: wait for more then, or for Ended. behind is how much later the newest
// fragment came.
func (r *Reader) Next() (f *Fragment, behind time.Duration, more <-chan struct{}) {
	st := r.st
	st.mu.Lock()
	defer st.mu.Unlock()
	i, _ := slices.BinarySearchFunc(st.fragments, r.next, func(f *Fragment, order uint64) int { return cmp.Compare(f.order, order) })
	if i == len(st.fragments) {
		return nil, 0, st.changed
	}
	f = st.fragments[i]
	r.next = f.order + 1
	return f, max(0, st.fragments[len(st.fragments)-1].Server.Sub(f.Server)), nil
}

// Ended is closed when the stream is deleted.
func (r *Reader) Ended() <-chan struct{} { return r.st.ended }

// Stream is the stream's name.
func (r *Reader) Stream() string { return r.st.name }

// Close ends the session. Closing twice does nothing.
func (r *Reader) Close() {
	r.once.Do(func() {
		r.st.mu.Lock()
		defer r.st.mu.Unlock()
		r.st.getting--
	})
}

// Listing enters a connection of GetMediaForFragmentList; done ends it.
func (s *Store) Listing(ref Ref) (done func(), err error) {
	st, err := s.usable(ref)
	if err != nil {
		return nil, err
	}
	defer st.mu.Unlock()
	if err := s.connect(&st.listing, MaxListing); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.listing--
	}), nil
}

// Fragments returns what a stream holds now, by number, and its retention in hours.
func (s *Store) Fragments(ref Ref) (list []*Fragment, retention int, err error) {
	st, err := s.usable(ref)
	if err != nil {
		return nil, 0, err
	}
	defer st.mu.Unlock()
	s.expire(st, s.now())
	list = slices.Clone(st.fragments)
	slices.SortFunc(list, func(a, b *Fragment) int { return a.Number.Compare(b.Number) })
	return list, st.meta.Retention, nil
}

// Fragment returns one fragment, nil if it is not there.
func (s *Store) Fragment(ref Ref, n Number) (*Fragment, error) {
	st, err := s.usable(ref)
	if err != nil {
		return nil, err
	}
	defer st.mu.Unlock()
	s.expire(st, s.now())
	return st.byNumber[n], nil
}
