package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// What somebody may do to the listener.
const (
	mostConnections = 32
	mostScrapes     = 4
	mostHeaderBytes = 16 << 10
	readTimeout     = 10 * time.Second
	scrapeTimeout   = 10 * time.Second
	writeTimeout    = 30 * time.Second
	idleTimeout     = 2 * time.Minute
	closeTimeout    = time.Second
)

// server answers Prometheus.
type server struct {
	name     string // as it was asked for
	users    int    // guarded by the registry's mu
	listener net.Listener
	sources  collector
	http     http.Server
	serving  sync.WaitGroup
}

// listen opens an address. It resolves no names: the registry is locked meanwhile.
func listen(address string) (*server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w; write HOST:PORT, such as 127.0.0.1:9464", err)
	}
	switch {
	case host == "localhost":
		host = "127.0.0.1"
	case host != "" && net.ParseIP(strings.SplitN(host, "%", 2)[0]) == nil:
		return nil, fmt.Errorf("%q is no IP address; write one of this machine's, or nothing before the colon for all of them", host)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, remedy(err))
	}
	s := &server{listener: l}
	s.http = http.Server{
		Handler: s.handler(), ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: mostHeaderBytes, ErrorLog: log.New(io.Discard, "", 0),
	}
	s.serving.Go(func() { _ = s.http.Serve(newNarrow(l, mostConnections)) })
	return s, nil
}

func remedy(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program has that port: choose another one, or port 0 for any"
	case errors.Is(err, syscall.EACCES):
		return "ports below 1024 are for privileged programs: choose another one"
	}
	return "name an address of this machine and a free port, such as 127.0.0.1:9464"
}

// handler serves /metrics, and /healthz for those who ask whether anybody is there.
func (s *server) handler() http.Handler {
	all := prometheus.NewRegistry()
	all.MustRegister(&s.sources, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(all, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: mostScrapes, Timeout: scrapeTimeout, EnableOpenMetrics: true,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	return mux
}

func (s *server) url() string { return "http://" + s.listener.Addr().String() + "/metrics" }

// close lets answers that are under way be taken, for a moment.
func (s *server) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	s.serving.Wait()
}

// narrow is a listener that lets so many connections in at a time; the others wait in the system's queue.
type narrow struct {
	net.Listener
	room chan struct{}
	done chan struct{}
	once sync.Once
}

func newNarrow(l net.Listener, n int) *narrow {
	return &narrow{Listener: l, room: make(chan struct{}, n), done: make(chan struct{})}
}

// Accept implements net.Listener.
func (n *narrow) Accept() (net.Conn, error) {
	select {
	case n.room <- struct{}{}:
	case <-n.done:
		return nil, net.ErrClosed
	}
	c, err := n.Listener.Accept()
	if err != nil {
		<-n.room
		return nil, err
	}
	return &narrowConn{Conn: c, leave: sync.OnceFunc(func() { <-n.room })}, nil
}

// Close implements net.Listener.
func (n *narrow) Close() error {
	n.once.Do(func() { close(n.done) })
	return n.Listener.Close()
}

type narrowConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *narrowConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
