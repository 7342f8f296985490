package gstrtsp

// #include "gstrtsp.h"
import "C"

import (
	"context"
	"runtime/cgo"
)

// What C calls. Each finds its Go value by a handle, returns at once and lets no panic out into C.

// guard keeps a panic from crossing into C. Without a server there is nobody to tell: the handle itself was wrong.
func guard(s **Server) {
	if r := recover(); r != nil && *s != nil {
		(*s).panicked(r)
	}
}

//export gstrtspMediaNew
func gstrtspMediaNew(mount C.uintptr_t, feed *C.GrFeed) C.uintptr_t {
	var s *Server
	defer guard(&s)
	mt := cgo.Handle(mount).Value().(*mounted)
	s = mt.server
	ctx, cancel := context.WithCancel(context.Background())
	m := &Media{
		server: s, path: mt.path, c: feed,
		need: make(chan struct{}, 1), play: make(chan struct{}, 1),
		ctx: ctx, cancel: cancel,
	}
	s.mu.Lock()
	s.live[m] = struct{}{}
	s.feeds.Add(1)
	s.mu.Unlock()
	go m.run(mt)
	return C.uintptr_t(cgo.NewHandle(m))
}

//export gstrtspMediaNeed
func gstrtspMediaNeed(media C.uintptr_t) {
	var s *Server
	defer guard(&s)
	m := cgo.Handle(media).Value().(*Media)
	s = m.server
	signal(m.need)
}

//export gstrtspMediaPlay
func gstrtspMediaPlay(media C.uintptr_t) {
	var s *Server
	defer guard(&s)
	m := cgo.Handle(media).Value().(*Media)
	s = m.server
	m.ForceKey()
	signal(m.play)
}

//export gstrtspMediaFailed
func gstrtspMediaFailed(media C.uintptr_t, message, debug *C.char) {
	var s *Server
	defer guard(&s)
	m := cgo.Handle(media).Value().(*Media)
	s = m.server
	if s.cfg.OnFailure != nil {
		s.cfg.OnFailure(m.path, &Error{Message: C.GoString(message), Debug: C.GoString(debug)})
	}
}

//export gstrtspMediaGone
func gstrtspMediaGone(media C.uintptr_t) {
	var s *Server
	defer guard(&s)
	h := cgo.Handle(media)
	m := h.Value().(*Media)
	s = m.server
	h.Delete()
	m.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, m)
	s.changed.Broadcast()
}

//export gstrtspClient
func gstrtspClient(server C.uintptr_t, event C.int, peer, path *C.char) {
	var s *Server
	defer guard(&s)
	s = cgo.Handle(server).Value().(*Server)
	e := ClientEvent{Kind: ClientKind(event), Peer: C.GoString(peer), Path: C.GoString(path)}
	s.count(e.Kind)
	if s.cfg.OnClient != nil {
		s.cfg.OnClient(e)
	}
}

// count keeps the number of clients that may call back.
func (s *Server) count(kind ClientKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kind {
	case ClientConnected:
		s.clients++
	case ClientClosed:
		s.clients--
		s.changed.Broadcast()
	}
}
