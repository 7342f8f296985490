// Package front is the HTTP side of the embedded endpoint: it reads requests, checks signatures, finds the service and
// the operation, brings scripted faults to bear, answers in the request's format, and keeps the books about all that. It
// knows no stream.
package front

import (
	"context"
	"net/http"
	"sync"
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/codec"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/sigv4"
)

// Service is a service that is called with one body and answers with one, chosen by a request's target.
type Service interface {
	// Match returns the operation that a request asks for. ok is false when the request is not the service's at all; an
	// operation that is empty means that the service does not know it.
	Match(r *http.Request) (operation string, ok bool)
	// Prepare reads and checks a body and returns what is to be done.
	Prepare(operation string, format codec.Format, body []byte) (Work, error)
}

// Work is a request that was understood. Its methods are called at most once each, Subject first.
type Work interface {
	Subject() fault.Subject
	// Throttled returns the answer to a request that is throttled as a whole.
	Throttled() *apierr.Error
	// Run carries the request out and returns the answer's body.
	Run(ctx context.Context) (body []byte, books Books, err error)
}

// Books says what a request moved.
type Books struct {
	Records int   // stored or read
	Failed  int   // refused one by one
	Bytes   int64 // of data and partition keys, stored or read
}

// Seen is one request whose answer is ready, for logs.
type Seen struct {
	Time      time.Time // by the injected clock
	Operation string
	Stream    string
	Status    int           // 0: no answer was sent
	Code      string        // of an error; "cut", "garbled" or "hung" for a scripted fault without an answer of AWS
	Duration  time.Duration // until the answer was ready
	RequestID string
	Remote    string
	Books
}

// Settings of a Front.
type Settings struct {
	Service  Service
	Direct   Direct                 // may be nil; asked first
	Verifier func() *sigv4.Verifier // returns nil while signatures are not looked at
	Faults   *fault.Set
	Now      func() time.Time
	Observe  func(Seen) // may be nil; called once for each request, before its answer is sent, from many goroutines
}

// maxBody bounds a request's body. The largest that is valid is 10 MiB in base64 and around it 500 keys.
const maxBody = 20 << 20

// Front answers requests. It is safe for concurrent use.
type Front struct {
	set     Settings
	buffers sync.Pool // of *[]byte
	stop    chan struct{}
	once    sync.Once

	mu     sync.Mutex
	counts map[Key]int64
	totals Books
}

// Key is what requests are counted by. Code is empty for success.
type Key struct {
	Operation string
	Status    int
	Code      string
}

// New returns a Front.
func New(set Settings) *Front {
	return &Front{set: set, stop: make(chan struct{}), counts: map[Key]int64{}}
}

// Stop lets requests go that a fault holds: they are cut. It does not wait.
func (f *Front) Stop() { f.once.Do(func() { close(f.stop) }) }

// Counts returns how many requests were answered, and what they moved.
func (f *Front) Counts() (map[Key]int64, Books) {
	f.mu.Lock()
	defer f.mu.Unlock()
	counts := make(map[Key]int64, len(f.counts))
	for k, n := range f.counts {
		counts[k] = n
	}
	return counts, f.totals
}

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{front: f, w: w, r: r, started: time.Now()}
	x.seen = Seen{Time: f.set.Now(), Remote: r.RemoteAddr}
	x.serve()
}

func (f *Front) count(seen *Seen) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[Key{seen.Operation, seen.Status, seen.Code}]++
	f.totals.Records += seen.Records
	f.totals.Failed += seen.Failed
	f.totals.Bytes += seen.Bytes
}
