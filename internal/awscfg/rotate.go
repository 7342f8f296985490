package awscfg

import (
	"net/http"
	"sync"
	"time"
)

// maxConnectionAge is how long new requests go over a connection. The service moves its
// addresses, and a connection in use all the time would never be opened again to follow.
const maxConnectionAge = 5 * time.Minute

// rotating is a transport whose connections are replaced when they are old: from then on
// requests go over new ones, those under way end where they are, and their connection closes
// behind them. So none is cut for its age. New ones resume the TLS session of the old.
type rotating struct {
	fresh func() *http.Transport
	now   func() time.Time

	mu      sync.Mutex
	current *http.Transport
	born    time.Time
}

func newRotating(fresh func() *http.Transport) *rotating {
	return &rotating{fresh: fresh, now: time.Now, current: fresh(), born: time.Now()}
}

// RoundTrip implements http.RoundTripper.
func (r *rotating) RoundTrip(request *http.Request) (*http.Response, error) {
	return r.transport().RoundTrip(request)
}

func (r *rotating) transport() *http.Transport {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); now.Sub(r.born) >= maxConnectionAge {
		old := r.current
		r.current, r.born = r.fresh(), now
		// It takes the lock of the old pool alone. Connections in use close when they would
		// become idle, as no further request comes to that pool.
		old.CloseIdleConnections()
	}
	return r.current
}

// CloseIdleConnections closes what is idle; http.Client calls it.
func (r *rotating) CloseIdleConnections() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current.CloseIdleConnections()
}
