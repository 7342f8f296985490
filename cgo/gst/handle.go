package gst

// #include "ggo.h"
import "C"

import (
	"fmt"
	"runtime/cgo"
	"runtime/debug"
	"sync/atomic"
	"unsafe"
)

// instance is the Go half of an element.
type instance struct {
	element *Element
	impl    any
	class   *Class
	c       *C.GgoInstance
}

func instanceOf(h C.uintptr_t) *instance { return cgo.Handle(h).Value().(*instance) }

// caught is deferred by every callback that has nothing to return but its zero value.
func (in *instance) caught() {
	if p := recover(); p != nil {
		in.panicked(p)
	}
}

// caughtFlow is deferred by callbacks on the data path.
func (in *instance) caughtFlow(r *C.GstFlowReturn) {
	if p := recover(); p != nil {
		in.panicked(p)
		*r = C.GST_FLOW_ERROR
	}
}

// panicked makes an element error of a panic; the C half answers GST_FLOW_ERROR from now on, until the element goes to PAUSED again.
func (in *instance) panicked(p any) {
	atomic.StoreInt32((*int32)(&in.c.poisoned), 1)
	in.element.PostError(&Error{
		Code:  LibraryFailed,
		Text:  fmt.Sprintf("%s failed inside: %v. This is a defect of the element; it stays stopped until it is started again.", in.class.Factory, p),
		Debug: string(debug.Stack()),
	})
}

// complain says in GStreamer's log that a function of the program panicked or was used wrongly; object may be nil.
func complain(object unsafe.Pointer, where string, what any) {
	text := cstr(validUTF8(fmt.Sprintf("%s failed: %v\n%s", where, what, debug.Stack())))
	defer cfree(text)
	C.ggo_complain(C.gpointer(object), text)
}

// misfit stands in for a Go half that cannot be used: it keeps the element from leaving NULL.
type misfit struct {
	e   *Element
	why string
}

// ChangeState refuses.
func (m *misfit) ChangeState(t StateChange) StateChangeReturn {
	if t == NullToReady {
		m.e.PostError(&Error{Code: LibraryInit, Text: m.why})
		return StateChangeFailure
	}
	return m.e.ParentChangeState(t)
}

// fits says what keeps an implementation from being used as its class describes it; "" where nothing does.
func (c *Class) fits(impl any, s store) string {
	ok := true
	switch c.Kind {
	case KindSink:
		_, ok = impl.(Sink)
	case KindInPlace:
		_, ok = impl.(InPlaceTransform)
	case KindResize:
		_, ok = impl.(ResizeTransform)
	case KindGenerate:
		_, ok = impl.(GenerateTransform)
	case KindSource:
		_, ok = impl.(Source)
	}
	if !ok {
		return fmt.Sprintf("%s: a %T has not the methods of its kind", c.Factory, impl)
	}
	for _, x := range c.Signals {
		if _, ok := impl.(Actor); x.Action && !ok {
			return fmt.Sprintf("%s has action signals and a %T is no Actor", c.Factory, impl)
		}
	}
	if _, ok := impl.(URIHandler); c.URI != nil && !ok {
		return fmt.Sprintf("%s has a URI and a %T is no URIHandler", c.Factory, impl)
	}
	return c.fitsProperties(impl, s)
}

func (c *Class) fitsProperties(impl any, s store) string {
	if c.Properties == nil {
		return ""
	}
	if s == nil {
		return c.Factory + " has properties and New makes no Store"
	}
	for i := range c.rows {
		if c.rows[i].Flags&ReadOnly == 0 {
			continue
		}
		if _, ok := impl.(PropertyReader); !ok {
			return fmt.Sprintf("%s has read-only properties and a %T is no PropertyReader", c.Factory, impl)
		}
	}
	return ""
}

//export ggoGoFree
func ggoGoFree(h C.uintptr_t) { cgo.Handle(h).Delete() }

//export ggoGoFreeInstance
func ggoGoFreeInstance(h C.uintptr_t) {
	in := instanceOf(h)
	cgo.Handle(h).Delete()
	if b := in.element.inbox; b != nil {
		C.ggo_inbox_free(b.c)
	}
	f, ok := in.impl.(Freer)
	if !ok {
		return
	}
	defer func() {
		if x := recover(); x != nil {
			complain(nil, in.class.Factory+": Free", x)
		}
	}()
	f.Free()
}
