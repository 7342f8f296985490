// Package local is the embedded endpoint: Amazon Kinesis Data Streams and Kinesis Video Streams on loopback, in process, without
// an account, both on one port. It speaks the services' protocols (JSON 1.1 and CBOR; JSON, Matroska and acknowledgements), keeps
// their rules for hashing, order, iterators, fragments, limits, retention and errors, checks signatures, and goes wrong on demand.
//
//	srv, err := local.New(local.Settings{Create: []local.StreamSpec{{Name: "demo", Shards: 2}}})
//	err = srv.Start()
//	defer srv.Close(ctx)
//	client := kinesis.New(kinesis.Options{BaseEndpoint: aws.String(srv.URL()), …})
//
// What it leaves out answers UnknownOperationException: fan-out consumers, resource policies, enhanced monitoring,
// channels. Calls of the control plane are not throttled by themselves; a fault rule can do it.
//
// Parts: front (HTTP, signatures, faults), codec (bodies), fault (rules), sigv4; of Data Streams kinesis (operations), streams (the
// model), journal (files); of Video Streams video (operations), videostreams (the model), videofiles (files).
package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/front"
	"gst-kinesis/internal/local/journal"
	"gst-kinesis/internal/local/kinesis"
	"gst-kinesis/internal/local/sigv4"
	"gst-kinesis/internal/local/streams"
	"gst-kinesis/internal/local/video"
	"gst-kinesis/internal/local/videostreams"
)

// Server is one endpoint with its streams. It is safe for concurrent use.
//
// Lock order: mu alone; it is never held while a request is served.
type Server struct {
	set     Settings
	store   *streams.Store
	footage *videostreams.Store
	video   *video.Service
	faults  *fault.Set
	closers []func() error // of the data directory; the one that holds its lock comes last

	mu          sync.Mutex
	addr        string    // where it listens or last listened; the port is known after the first Start
	listening   *listener // nil while stopped
	past        []*front.Front
	credentials map[string]Credentials
	closed      bool
}

// New makes a Server with its streams; it does not listen yet. With a DataDir it reads back what is there.
func New(set Settings) (*Server, error) {
	set, err := set.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("setting up the embedded endpoint: %w", err)
	}
	s := &Server{set: set, addr: set.Addr, faults: fault.NewSet(set.Seed, set.Now)}
	s.SetCredentials(set.Credentials...)
	region := set.Region
	if region == "" {
		region = DefaultRegion
	}
	model := streams.Settings{
		Account: set.Account, Region: region, Now: set.Now, Limits: set.Limits == LimitsAWS, MaxBytes: set.MaxBytes,
		StateDelay: set.StateDelay, ShardLimit: set.ShardLimit, Logger: set.Logger,
	}
	if err := s.open(model); err != nil {
		return nil, fmt.Errorf("setting up the embedded endpoint: %w", err)
	}
	if err := s.openVideo(region); err != nil {
		return nil, fmt.Errorf("setting up the embedded endpoint: %w", errors.Join(err, s.release()))
	}
	return s, nil
}

// release gives up what New opened.
func (s *Server) release() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// open makes the store, reads the data directory back into it, and prepares streams and faults.
func (s *Server) open(model streams.Settings) error {
	if s.set.DataDir == "" {
		s.store = streams.NewStore(model)
		return s.prepare()
	}
	j, err := journal.Open(s.set.DataDir, journal.Options{Sync: s.set.Sync, Logger: s.set.Logger})
	if err != nil {
		return err
	}
	model.Journal = j
	s.store, s.closers = streams.NewStore(model), append(s.closers, j.Close)
	if err = j.Load(s.store); err == nil {
		err = s.prepare()
	}
	if err != nil {
		return errors.Join(err, s.release())
	}
	return nil
}

// prepare creates streams and faults.
func (s *Server) prepare() error {
	for _, spec := range s.set.Create {
		if err := checkName(spec.Name); err != nil {
			return err
		}
		if _, err := s.store.Describe(spec.Name); err == nil {
			continue
		}
		if err := s.store.Create(spec); err != nil {
			return fmt.Errorf("creating stream %s: %w", spec.Name, err)
		}
	}
	for i := range s.set.Faults {
		if _, err := s.AddFault(s.set.Faults[i]); err != nil {
			return err
		}
	}
	return nil
}

// SetCredentials replaces what clients must sign with. Without any, signatures are no longer looked at.
func (s *Server) SetCredentials(list ...Credentials) {
	m := make(map[string]Credentials, len(list))
	for _, c := range list {
		m[c.AccessKeyID] = c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.credentials = m
}

func (s *Server) lookup(id string) (Credentials, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.credentials[id]
	return c, ok
}

// verifier returns the check of signatures, nil while there are no credentials.
func (s *Server) verifier() *sigv4.Verifier {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.credentials) == 0 {
		return nil
	}
	return &sigv4.Verifier{Lookup: s.lookup, Region: s.set.Region, Service: kinesis.SigningName, Now: s.set.Now}
}

// newFront makes the handler for one time of listening.
func (s *Server) newFront() *front.Front {
	return front.New(front.Settings{
		Service: kinesis.New(s.store, s.faults), Direct: s.video, Verifier: s.verifier, Faults: s.faults, Now: s.set.Now, Observe: s.observe,
	})
}

func (s *Server) observe(r Request) {
	s.set.Logger.Debug("request", "operation", r.Operation, "stream", r.Stream, "status", r.Status, "code", r.Code,
		"duration", r.Duration.Round(time.Microsecond), "records", r.Records, "failed", r.Failed, "bytes", r.Bytes,
		"request-id", r.RequestID)
	if s.set.Observe != nil {
		s.set.Observe(r)
	}
}

// Start listens and serves in the background. After Stop it comes back on the same address, with all streams.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errors.New("starting the embedded endpoint: it was closed")
	case s.listening != nil:
		return errors.New("starting the embedded endpoint: it is started already")
	}
	l, err := listen(s.addr, s.set.TLS, s.newFront(), s.set.Logger)
	if err != nil {
		return fmt.Errorf("starting the embedded endpoint: %w", err)
	}
	s.listening, s.addr = l, l.addr
	s.past = append(s.past, l.front)
	s.set.Logger.Info("the endpoint listens", "url", s.scheme()+l.addr)
	return nil
}

// Stop ends listening at once, as a crash does: connections are cut, requests under way lose their answer. Streams are
// kept. It waits until no request is being worked on. Stopping what is stopped does nothing.
func (s *Server) Stop() {
	s.mu.Lock()
	l := s.listening
	s.listening = nil
	s.mu.Unlock()
	if l != nil {
		l.kill()
	}
}

// Close ends the Server for good: it stops accepting, lets requests under way finish until ctx ends and cuts them then,
// and closes the data directory. Closing twice does nothing.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	l := s.listening
	s.listening = nil
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	var err error
	if l != nil {
		err = l.drain(ctx)
	}
	if err = errors.Join(err, s.release()); err != nil {
		return fmt.Errorf("closing the embedded endpoint: %w", err)
	}
	return nil
}

// Addr returns host:port; the port is 0 before the first Start when it was left to the system.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// URL returns what clients on this machine take as their endpoint: one that listens on all addresses is at the loopback one too.
func (s *Server) URL() string {
	host, port, err := net.SplitHostPort(s.Addr())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return s.scheme() + net.JoinHostPort(host, port)
}

func (s *Server) scheme() string {
	if s.set.TLS != nil {
		return "https://"
	}
	return "http://"
}

// AddFault puts a fault rule in force.
func (s *Server) AddFault(rule Rule) (*FaultHandle, error) {
	if err := rule.Check(Operations()); err != nil {
		return nil, fmt.Errorf("adding a fault rule: %w", err)
	}
	return s.faults.Add(rule)
}

// ClearFaults ends all fault rules.
func (s *Server) ClearFaults() { s.faults.Clear() }

// CreateStream makes a stream.
func (s *Server) CreateStream(spec StreamSpec) error {
	if err := checkName(spec.Name); err != nil {
		return err
	}
	return s.store.Create(spec)
}

// DeleteStream removes a stream and its records.
func (s *Server) DeleteStream(name string) error { return s.store.Delete(name) }

// Records returns what a stream holds now, shard by shard, oldest first in each: the books of what was really stored.
func (s *Server) Records(stream string) ([]Record, error) { return s.store.Records(stream) }

// ParseFaults reads a fault script; errors name line and remedy.
func ParseFaults(yaml []byte) (Script, error) { return fault.Parse(yaml, Operations()) }

// Operations returns the names of all operations that the endpoint knows.
func Operations() []string { return append(kinesis.Operations(), video.Operations()...) }
