package video

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// What is remembered of sessions: of each stream the last sessions, of each session the last acknowledgements, fewer of the older
// ones.
const (
	keptSessions = 64
	keptAcks     = 4096
	newSessions  = 8   // that keep all of them
	oldAcks      = 128 // of each older one
	keptStreams  = 1024
)

// Session is what is known of one session of PutMedia.
type Session struct {
	Stream    string
	Remote    string
	Header    http.Header // of the request
	Started   time.Time   // by the injected clock
	Ended     time.Time   // zero while it goes on
	Bytes     int64       // of the body, read
	Fragments int         // stored
	Acks      []Ack       // that were written, the last 4096, of older sessions the last 128
	AckCount  int         // of all that were written
	// End says why it ended: "end" of the body, "error ID: words", "idle", "lost" (the client went away), "stopped" (the endpoint),
	// "cut" (a fault).
	End string
}

// books keeps the sessions of all streams. It is safe for concurrent use.
type books struct {
	mu     sync.Mutex
	by     map[string][]*entry
	recent []string // streams, the one that was written to last at the end
}

// entry is a session that may go on.
type entry struct {
	mu      sync.Mutex
	session Session
}

// open begins a session's entry.
func (b *books) open(s Session) *entry {
	e := &entry{session: s}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by == nil {
		b.by = map[string][]*entry{}
	}
	list := append(b.by[s.Stream], e)
	if len(list) > keptSessions {
		list = slices.Delete(list, 0, len(list)-keptSessions)
	}
	if len(list) > newSessions {
		list[len(list)-1-newSessions].forget()
	}
	b.by[s.Stream] = list
	b.recent = append(slices.DeleteFunc(b.recent, func(name string) bool { return name == s.Stream }), s.Stream)
	if len(b.recent) > keptStreams {
		delete(b.by, b.recent[0])
		b.recent = slices.Delete(b.recent, 0, 1)
	}
	return e
}

// forget keeps the last acknowledgements of a session that is not among the newest any more.
func (e *entry) forget() {
	e.change(func(s *Session) {
		if len(s.Acks) > oldAcks {
			s.Acks = slices.Clone(s.Acks[len(s.Acks)-oldAcks:])
		}
	})
}

// change changes an entry.
func (e *entry) change(apply func(s *Session)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	apply(&e.session)
}

func (e *entry) ack(a Ack) {
	e.change(func(s *Session) {
		s.AckCount++
		if s.Acks = append(s.Acks, a); len(s.Acks) > keptAcks {
			s.Acks = slices.Delete(s.Acks, 0, len(s.Acks)-keptAcks/2)
		}
	})
}

// Sessions returns the last sessions of PutMedia on a stream, oldest first; those that go on included.
func (s *Service) Sessions(stream string) []Session {
	s.books.mu.Lock()
	list := slices.Clone(s.books.by[stream])
	s.books.mu.Unlock()
	out := make([]Session, len(list))
	for i, e := range list {
		e.change(func(s *Session) {
			out[i] = *s
			out[i].Acks = slices.Clone(s.Acks)
		})
	}
	return out
}
