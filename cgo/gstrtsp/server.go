package gstrtsp

/*
#include <stdlib.h>
#include "gstrtsp.h"
*/
import "C"

import (
	"context"
	"fmt"
	"net"
	"runtime/cgo"
	"strconv"
	"sync"
	"time"
	"unsafe"
)

// closeWait bounds how long Close waits for media that clients still hold.
const closeWait = 10 * time.Second

// Config says where a server listens and who may look.
type Config struct {
	Address        string // default 127.0.0.1
	Port           int    // 0: a free one
	User, Password string // empty user: everybody; else RTSP digest and basic authentication
	NoTCP, NoUDP   bool   // transports that are refused
	MaxThreads     int    // threads that serve clients, default 8: one would let a client that prerolls block the others
	OnClient       func(ClientEvent)
	// OnFailure hears that a mount's pipeline has ended by an error. It is called on GStreamer's threads and must not block.
	OnFailure func(path string, err error)
	OnPanic   func(error) // what a Feed or OnClient panicked with; default: it is dropped
}

// ClientKind says what a client did.
type ClientKind int

// What clients do.
const (
	ClientConnected ClientKind = iota
	ClientPlays
	ClientClosed
)

// A ClientEvent is told on the server's threads; who hears it must not block.
type ClientEvent struct {
	Kind ClientKind
	Peer string // IP address
	Path string // of ClientPlays
}

// A Mount is one path of the server.
type Mount struct {
	// Launch describes the media: appsrcs named "video" and, if wanted, "audio", payloaders named pay0, pay1. An element
	// named "encoder" is asked for a key frame when a client begins to play.
	Launch string
	// Feed is run on a goroutine of its own from Start on, until ctx ends; then it must return.
	Feed func(ctx context.Context, media *Media)
}

// A Server serves mounts by RTSP. Mount all before Start. Safe for concurrent use.
//
// Locks: mu only; it is never held across a call into C.
type Server struct {
	cfg    Config
	c      *C.GrServer
	handle cgo.Handle
	mounts []cgo.Handle
	port   int

	mu      sync.Mutex
	live    map[*Media]struct{} // media that may call back
	clients int                 // clients that may call back
	changed *sync.Cond          // live or clients
	closed  bool
	feeds   sync.WaitGroup
}

// New makes a server that does not listen yet.
func New(cfg Config) (*Server, error) {
	if err := Init(); err != nil {
		return nil, err
	}
	if cfg.Address == "" {
		cfg.Address = "127.0.0.1"
	}
	if cfg.MaxThreads == 0 {
		cfg.MaxThreads = 8
	}
	s := &Server{cfg: cfg, live: map[*Media]struct{}{}}
	s.changed = sync.NewCond(&s.mu)
	s.handle = cgo.NewHandle(s)
	s.c = s.newC()
	return s, nil
}

func (s *Server) newC() *C.GrServer {
	address, service := C.CString(s.cfg.Address), C.CString(strconv.Itoa(s.cfg.Port))
	defer C.free(unsafe.Pointer(address))
	defer C.free(unsafe.Pointer(service))
	config := C.GrServerConfig{
		address: address, service: service,
		tcp: boolInt(!s.cfg.NoTCP), udp: boolInt(!s.cfg.NoUDP),
		max_threads: C.int(s.cfg.MaxThreads),
		handle:      C.uintptr_t(s.handle),
	}
	if s.cfg.User != "" {
		user, password := C.CString(s.cfg.User), C.CString(s.cfg.Password)
		defer C.free(unsafe.Pointer(user))
		defer C.free(unsafe.Pointer(password))
		config.user, config.password = user, password
	}
	return C.gr_server_new(&config)
}

func boolInt(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// Mount adds a path. It fails if the launch line does not parse.
func (s *Server) Mount(path string, m Mount) error {
	name, launch := C.CString(path), C.CString(m.Launch)
	defer C.free(unsafe.Pointer(name))
	defer C.free(unsafe.Pointer(launch))
	h := cgo.NewHandle(&mounted{server: s, path: path, Mount: m})
	var e C.GrError
	if C.gr_server_mount(s.c, name, launch, C.uintptr_t(h), &e) == 0 {
		h.Delete()
		return fmt.Errorf("mounting %s: %w", path, takeError(&e))
	}
	s.mounts = append(s.mounts, h)
	return nil
}

type mounted struct {
	Mount
	server *Server
	path   string
}

// Start listens, brings the media of all mounts to life and serves. It blocks until each Feed has pushed a first buffer
// into every source.
func (s *Server) Start() error {
	var e C.GrError
	port := C.gr_server_start(s.c, &e)
	if port < 0 {
		return fmt.Errorf("listening on %s: %w", net.JoinHostPort(s.cfg.Address, strconv.Itoa(s.cfg.Port)), takeError(&e))
	}
	s.port = int(port)
	return nil
}

// Port is the port that Start bound.
func (s *Server) Port() int { return s.port }

// URL is where a mount is found. A server that listens everywhere is named by its loopback address.
func (s *Server) URL(path string) string {
	host := s.cfg.Address
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.To4() == nil {
			host = "::1"
		}
	}
	return "rtsp://" + net.JoinHostPort(host, strconv.Itoa(s.port)) + path
}

// Close ends all feeds, closes the port and all connections and waits for everything to be gone.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for m := range s.live {
		m.cancel()
	}
	s.mu.Unlock()

	s.feeds.Wait()
	C.gr_server_stop(s.c)
	if err := s.awaitSilence(); err != nil {
		return err // what they would call back into must stay
	}
	C.gr_server_free(s.c)
	s.c = nil
	for _, h := range s.mounts {
		h.Delete()
	}
	s.handle.Delete()
	return nil
}

// awaitSilence waits until no media and no client can call back any more, for at most closeWait.
func (s *Server) awaitSilence() error {
	late := false
	alarm := time.AfterFunc(closeWait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.changed.Broadcast()
	})
	defer alarm.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.live)+s.clients > 0 && !late {
		s.changed.Wait()
	}
	if len(s.live)+s.clients > 0 {
		return fmt.Errorf("closing the server: %d media and %d clients stay", len(s.live), s.clients)
	}
	return nil
}

func (s *Server) panicked(what any) {
	if s.cfg.OnPanic != nil {
		s.cfg.OnPanic(fmt.Errorf("panic in the camera: %v", what))
	}
}
