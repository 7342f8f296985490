package limit

import (
	"sync"
	"time"
)

// Stream is the limiters of a stream's shards.
type Stream struct {
	mu     sync.Mutex
	shards map[string]*Shard
}

// NewStream returns the limiters of a stream that nobody else shares.
func NewStream() *Stream { return &Stream{shards: make(map[string]*Shard)} }

// Shard returns the limiter of a shard; a new one has full tanks.
func (s *Stream) Shard(id string, now time.Time) *Shard {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.shards[id]
	if l == nil {
		l = newShard(now)
		s.shards[id] = l
	}
	return l
}

// Keep forgets the shards that are not open any more.
func (s *Stream) Keep(open func(id string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.shards {
		if !open(id) {
			delete(s.shards, id)
		}
	}
}

// States returns how each shard's limiter stands.
func (s *Stream) States(now time.Time) map[string]State {
	s.mu.Lock()
	defer s.mu.Unlock()
	states := make(map[string]State, len(s.shards))
	for id, l := range s.shards {
		states[id] = l.State(now)
	}
	return states
}

// Registry hands out one Stream for all producers of a stream in a process. The
// zero value is ready for use.
type Registry struct {
	mu      sync.Mutex
	streams map[string]*entry
}

type entry struct {
	stream *Stream
	users  int
}

// Join returns the stream of a name that tells streams apart (endpoint, region and
// name, or the ARN), and what to call when it is not used any more.
func (r *Registry) Join(name string) (s *Stream, leave func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.streams == nil {
		r.streams = make(map[string]*entry)
	}
	e := r.streams[name]
	if e == nil {
		e = &entry{stream: NewStream()}
		r.streams[name] = e
	}
	e.users++
	return e.stream, sync.OnceFunc(func() { r.leave(name, e) })
}

func (r *Registry) leave(name string, e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.users--; e.users == 0 {
		delete(r.streams, name)
	}
}
