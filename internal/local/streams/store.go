package streams

import (
	"log/slog"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gst-kinesis/internal/local/apierr"
)

// Settings of a Store. All fields must be set except Journal.
type Settings struct {
	Account    string           // 12 digits
	Region     string           // as in ARNs
	Now        func() time.Time // the clock of everything here
	Limits     bool             // whether shards throttle as AWS's do
	MaxBytes   int64            // bound on records in memory, over all streams
	StateDelay time.Duration    // how long CREATING, UPDATING and DELETING last
	ShardLimit int              // open shards an account may have
	Logger     *slog.Logger
	Journal    Journal // keeps everything on disk; nil for memory only
}

// Journal keeps streams on disk. Its methods are called under a stream's lock, never at the same time for one stream.
type Journal interface {
	// Save keeps a stream's settings and shards, in place of what it kept before.
	Save(meta Meta) error
	// Append keeps records that were just accepted and sets their Origin. An error means that none is kept.
	Append(stream string, created time.Time, records []Entry) error
	// Remove forgets a stream.
	Remove(stream string, created time.Time) error
}

// Store holds all streams of one account in one region. It is safe for concurrent use.
//
// Lock order: mu, then the locks of streams in the order of their names. Only trimming holds more than one of those.
type Store struct {
	set Settings

	mu      sync.RWMutex
	streams map[string]*stream

	bytes    atomic.Int64 // cost of all records held
	trimmed  atomic.Int64 // records dropped because of MaxBytes
	expired  atomic.Int64 // records dropped because of retention
	trimOnce sync.Once
}

// NewStore returns an empty Store.
func NewStore(set Settings) *Store {
	return &Store{set: set, streams: map[string]*stream{}}
}

// now returns the time at the resolution that AWS shows.
func (s *Store) now() time.Time { return s.set.Now().Truncate(time.Millisecond).UTC() }

// ARN returns the ARN of a stream.
func (s *Store) ARN(name string) string {
	return "arn:aws:kinesis:" + s.set.Region + ":" + s.set.Account + ":stream/" + name
}

// Resolve returns the stream's name from what a request holds: name, ARN or both. Pointers may be nil.
func (s *Store) Resolve(name, arn *string) (string, error) {
	if arn == nil {
		if name == nil {
			return "", apierr.New(apierr.InvalidArgument, "Either StreamName or StreamARN should be provided.")
		}
		return *name, nil
	}
	parts := strings.SplitN(*arn, ":", 6)
	got := strings.TrimPrefix(parts[len(parts)-1], "stream/")
	if len(parts) != 6 || parts[4] != s.set.Account || parts[3] != s.set.Region {
		account := ""
		if len(parts) == 6 {
			account = parts[4]
		}
		return "", apierr.New(apierr.ResourceNotFound, "Stream %s under account %s not found.", got, account)
	}
	if name != nil && *name != got {
		return "", apierr.New(apierr.InvalidArgument,
			"StreamARN %s and StreamName %s do not name the same stream.", *arn, *name)
	}
	return got, nil
}

func (s *Store) notFound(name string) error {
	return apierr.New(apierr.ResourceNotFound, "Stream %s under account %s not found.", name, s.set.Account)
}

// find returns the stream locked, whatever its state; the caller unlocks it.
func (s *Store) find(name string) (*stream, error) {
	now := s.now()
	s.mu.RLock()
	st := s.streams[name]
	s.mu.RUnlock()
	if st == nil {
		return nil, s.notFound(name)
	}
	st.mu.Lock()
	if st.gone(now) {
		st.mu.Unlock()
		s.forget(st)
		return nil, s.notFound(name)
	}
	return st, nil
}

// usable returns the stream locked if records can be put and read: AWS does not find a stream that is being created or
// deleted.
func (s *Store) usable(name string) (*stream, error) {
	st, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if status := st.status(s.now()); status == StatusCreating || status == StatusDeleting {
		st.mu.Unlock()
		return nil, s.notFound(name)
	}
	return st, nil
}

// active returns the stream locked if it is ACTIVE, as changes to a stream need it.
func (s *Store) active(name string) (*stream, error) {
	st, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if status := st.status(s.now()); status != StatusActive {
		st.mu.Unlock()
		return nil, apierr.New(apierr.ResourceInUse, "Stream %s under account %s not ACTIVE, instead in state %s",
			name, s.set.Account, status)
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
	for _, sh := range st.shards {
		for sh.records.len() > 0 {
			s.drop(sh)
		}
	}
	if s.set.Journal == nil {
		return
	}
	if err := s.set.Journal.Remove(st.name, st.created); err != nil {
		s.set.Logger.Error("removing a stream from the data directory", "stream", st.name, "error", err)
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

// openShards counts the open shards of all streams.
func (s *Store) openShards() int {
	n := 0
	for _, st := range s.all() {
		st.mu.Lock()
		n += len(st.open)
		st.mu.Unlock()
	}
	return n
}

// room fails if extra more open shards would be too many for the account. No lock may be held.
func (s *Store) room(extra int) error {
	have := s.openShards()
	if have+extra <= s.set.ShardLimit {
		return nil
	}
	return apierr.New(apierr.LimitExceeded, "This request would exceed the shard limit for the account %s in %s. "+
		"Current shard count for the account: %d. Limit: %d. Number of additional shards that would have resulted from this "+
		"request: %d. Refer to the AWS Service Limits page (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) "+
		"for current limits and how to request higher limits.", s.set.Account, s.set.Region, have, s.set.ShardLimit, extra)
}
