package local

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"gst-kinesis/internal/local/front"
)

// headerTimeout bounds how long a client may take to send the header of a request.
const headerTimeout = 30 * time.Second

// listener is one time of listening, from Start to Stop or Close.
type listener struct {
	addr   string
	front  *front.Front
	server *http.Server
	served chan struct{} // closed when Serve has returned
	busy   gate

	mu       sync.Mutex
	fresh    map[net.Conn]bool // connections that have not sent a request yet
	draining bool
}

// listen binds the address and serves in the background.
func listen(addr string, conf *tls.Config, f *front.Front, log *slog.Logger) (*listener, error) {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", addr, err)
	}
	addr = ln.Addr().String()
	if conf != nil {
		// HTTP/1.1 alone, as the service answers these operations; a cut connection is then one request.
		conf = conf.Clone()
		conf.NextProtos = []string{"http/1.1"}
		ln = tls.NewListener(ln, conf)
	}
	l := &listener{addr: addr, front: f, served: make(chan struct{}), fresh: map[net.Conn]bool{}}
	l.server = &http.Server{
		Handler:           l.busy.around(f),
		ReadHeaderTimeout: headerTimeout,
		ConnState:         l.track,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(l.served)
		if err := l.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the endpoint does not listen any more", "error", err)
		}
	}()
	return l, nil
}

// kill cuts all connections and waits for the handlers.
func (l *listener) kill() {
	l.front.Stop()
	_ = l.server.Close() // its error is that of closing a listener, which helps nobody
	<-l.served
	l.busy.wait()
}

// track remembers connections without a request. http.Server.Shutdown would wait five seconds for each, and clients do
// open connections that they never use.
func (l *listener) track(conn net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if state != http.StateNew {
		delete(l.fresh, conn)
		return
	}
	if l.draining {
		_ = conn.Close()
		return
	}
	l.fresh[conn] = true
}

// dropFresh closes the connections without a request, those that are still to come included.
func (l *listener) dropFresh() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draining = true
	for conn := range l.fresh {
		_ = conn.Close()
	}
}

// drain lets requests finish until ctx ends.
func (l *listener) drain(ctx context.Context) error {
	l.front.Stop()
	l.dropFresh()
	err := l.server.Shutdown(ctx)
	if err != nil {
		_ = l.server.Close()
		err = fmt.Errorf("cutting requests that were not done in time: %w", err)
	}
	<-l.served
	l.busy.wait()
	return err
}

// gate counts the handlers at work. Unlike a WaitGroup it may be entered while somebody waits.
type gate struct {
	mu   sync.Mutex
	cond *sync.Cond
	n    int
}

func (g *gate) add(d int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n += d
	if g.n == 0 && g.cond != nil {
		g.cond.Broadcast()
	}
}

func (g *gate) wait() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cond == nil {
		g.cond = sync.NewCond(&g.mu)
	}
	for g.n > 0 {
		g.cond.Wait()
	}
}

func (g *gate) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.add(1)
		defer g.add(-1)
		h.ServeHTTP(w, r)
	})
}
