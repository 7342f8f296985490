package videostreams

import (
	"log/slog"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"gst-kinesis/internal/local/apierr"
)

// Codes of errors that only this service has.
const (
	codeClientLimit     = "ClientLimitExceededException"
	codeConnectionLimit = "ConnectionLimitExceededException"
	codeVersionMismatch = "VersionMismatchException"
	codeTooManyTags     = "TagsPerResourceExceededLimitException"
)

// Settings of a Store. All fields must be set except Files.
type Settings struct {
	Account, Region string
	Now             func() time.Time
	Limits          bool          // whether calls and connections are limited as AWS limits them
	MaxBytes        int64         // bound on what is held in memory, over all streams
	MaxDisk         int64         // bound on what is held in Files
	StateDelay      time.Duration // how long CREATING, UPDATING and DELETING last
	Logger          *slog.Logger
	Files           Files // keeps streams and fragments on disk; nil for memory only
}

// Files keeps streams on disk. Calls about one stream never come at the same time.
type Files interface {
	// Save keeps a stream's settings in place of what was kept before.
	Save(meta Meta) error
	// Append keeps a fragment. An error means that it is not kept.
	Append(stream string, created time.Time, f *Fragment) (Kept, error)
	// Remove forgets a stream.
	Remove(stream string, created time.Time) error
}

// Meta is all of a stream but its fragments.
type Meta struct {
	Name      string
	Created   time.Time
	Status    Status // what it is doing until Ready
	Ready     time.Time
	Revision  int // counts changes; Version is made of it
	Device    string
	MediaType string
	KMSKey    string
	Retention int // hours
	Tags      map[string]string
}

// Store holds all video streams of one account in one region. It is safe for concurrent use.
//
// Lock order: mu, then the locks of streams in the order of their names. Only trimming holds more than one of those.
type Store struct {
	set Settings

	mu      sync.RWMutex
	streams map[string]*stream
	creates Rate // CreateStream of the account
	lists   Rate

	bytes    atomic.Int64 // in memory
	disk     atomic.Int64
	trimmed  atomic.Int64 // fragments dropped because of MaxBytes and MaxDisk
	expired  atomic.Int64 // fragments dropped because of retention
	trimOnce sync.Once
	swept    atomic.Int64 // when retention was applied to all streams, ms
}

// NewStore returns an empty Store.
func NewStore(set Settings) *Store {
	now := set.Now()
	return &Store{set: set, streams: map[string]*stream{}, creates: NewRate(createRate, now), lists: NewRate(listRate, now)}
}

// now returns the time at the resolution that the service shows.
func (s *Store) now() time.Time { return s.set.Now().Truncate(time.Millisecond).UTC() }

// Usage is what a Store holds and dropped.
type Usage struct{ Bytes, Disk, Trimmed, Expired int64 }

// Usage returns the counters.
func (s *Store) Usage() Usage {
	return Usage{Bytes: s.bytes.Load(), Disk: s.disk.Load(), Trimmed: s.trimmed.Load(), Expired: s.expired.Load()}
}

// Ref is how a request names a stream: by name, by ARN, or by both.
type Ref struct{ Name, ARN string }

// NotFound is the answer for a stream that is not there.
func NotFound() *apierr.Error {
	e := apierr.New(apierr.ResourceNotFound, "The requested stream is not found or not active.")
	e.Status = 404
	return e
}

// Throttled is the answer to calls that come too fast.
func Throttled() *apierr.Error {
	return apierr.New(codeClientLimit, "Rate exceeded. The limit of allowed client calls is reached; try making the call later.")
}

// find returns the stream locked, whatever its state; the caller unlocks it.
func (s *Store) find(ref Ref) (*stream, error) {
	name := ref.Name
	if name == "" {
		if ref.ARN == "" {
			return nil, apierr.New(apierr.InvalidArgument, "StreamName or StreamARN must be specified.")
		}
		var err error
		if name, err = nameOf(ref.ARN); err != nil {
			return nil, err
		}
	}
	s.mu.RLock()
	st := s.streams[name]
	s.mu.RUnlock()
	if st == nil {
		return nil, NotFound()
	}
	st.mu.Lock()
	switch {
	case st.gone(s.now()):
		st.mu.Unlock()
		s.forget(st)
		return nil, NotFound()
	case ref.ARN != "" && ref.ARN != s.arn(st):
		st.mu.Unlock()
		return nil, NotFound()
	}
	return st, nil
}

// usable returns the stream locked if media can be put and read.
func (s *Store) usable(ref Ref) (*stream, error) {
	st, err := s.find(ref)
	if err != nil {
		return nil, err
	}
	if status := st.status(s.now()); status == StatusCreating || status == StatusDeleting {
		st.mu.Unlock()
		return nil, NotFound()
	}
	return st, nil
}

// forget removes a stream whose deletion is done.
func (s *Store) forget(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[st.name] != st {
		return
	}
	delete(s.streams, st.name)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.end()
	for len(st.fragments) > 0 {
		s.drop(st)
	}
	if s.set.Files == nil {
		return
	}
	if err := s.set.Files.Remove(st.name, st.created); err != nil {
		s.set.Logger.Error("removing a video stream from the data directory", "stream", st.name, "error", err)
	}
}

// all returns the streams that exist now, by name.
func (s *Store) all() []*stream {
	now := s.now()
	s.mu.RLock()
	list := make([]*stream, 0, len(s.streams))
	for _, st := range s.streams {
		list = append(list, st)
	}
	s.mu.RUnlock()
	kept := list[:0]
	for _, st := range list {
		st.mu.Lock()
		gone := st.gone(now)
		st.mu.Unlock()
		if gone {
			s.forget(st)
			continue
		}
		kept = append(kept, st)
	}
	sort.Slice(kept, func(i, j int) bool { return kept[i].name < kept[j].name })
	return kept
}

// Stream is the name of the stream that a request names, empty if there is none.
func (s *Store) Stream(ref Ref) string {
	st, err := s.find(ref)
	if err != nil {
		return ""
	}
	defer st.mu.Unlock()
	return st.name
}
