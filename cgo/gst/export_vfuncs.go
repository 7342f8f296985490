package gst

// #include "ggo.h"
import "C"

import (
	"unsafe"
)

// Outputs takes what a GenerateTransform makes, in order.
type Outputs struct {
	c  *C.GQueue
	in *View
}

// Push gives an owned buffer on; it is taken.
func (o *Outputs) Push(b Buffer) { C.g_queue_push_tail(o.c, C.gpointer(unsafe.Pointer(b.c))) }

// Pass gives the input itself on: the same buffer, no copy.
func (o *Outputs) Pass() { o.Push(o.in.Buffer().Ref()) }

// Wrap gives on a buffer of head, the input's memories (shared, not copied), and tail, with the input's times, flags and the metas that
// do not speak of the memory's layout. head and tail are copied.
func (o *Outputs) Wrap(head, tail []byte) { o.wrap(head, true, tail) }

// Replace gives on a buffer of data in place of the input's memories, otherwise as Wrap.
func (o *Outputs) Replace(data []byte) { o.wrap(data, false, nil) }

func (o *Outputs) wrap(head []byte, share bool, tail []byte) {
	o.Push(Buffer{C.ggo_buffer_wrap(o.in.buffer, bytesPtr(head), C.gsize(len(head)), gbool(share), bytesPtr(tail), C.gsize(len(tail)))})
}

//export ggoGoRender
func ggoGoRender(h C.uintptr_t, v *C.GgoView) (r C.GstFlowReturn) {
	in := instanceOf(h)
	defer in.caughtFlow(&r)
	return C.GstFlowReturn(in.impl.(Sink).Render((*View)(v)))
}

//export ggoGoTryRender
func ggoGoTryRender(h C.uintptr_t, v *C.GgoView, done *C.gboolean) (r C.GstFlowReturn) {
	in := instanceOf(h)
	*done = 1
	defer in.caughtFlow(&r)
	flow, ok := in.impl.(Tryer).TryRender((*View)(v))
	*done = gbool(ok)
	return C.GstFlowReturn(flow)
}

//export ggoGoTransform
func ggoGoTransform(h C.uintptr_t, a, b *C.GgoView) (r C.GstFlowReturn) {
	in := instanceOf(h)
	defer in.caughtFlow(&r)
	switch in.class.Kind {
	case KindInPlace:
		return C.GstFlowReturn(in.impl.(InPlaceTransform).TransformInPlace((*View)(a)))
	case KindResize:
		return C.GstFlowReturn(in.impl.(ResizeTransform).Transform((*View)(a), (*View)(b)))
	}
	out := Outputs{C.ggo_outputs(in.element.c), (*View)(a)}
	return C.GstFlowReturn(in.impl.(GenerateTransform).Generate((*View)(a), &out))
}

//export ggoGoTransformSize
func ggoGoTransformSize(h C.uintptr_t, direction C.gint, size C.gsize, other *C.gsize) (ok C.gboolean) {
	in := instanceOf(h)
	defer in.caught()
	n, fits := in.impl.(ResizeTransform).TransformSize(PadDirection(direction), int(size))
	*other = C.gsize(n)
	return gbool(fits)
}

//export ggoGoCreate
func ggoGoCreate(h C.uintptr_t, out *unsafe.Pointer) (r C.GstFlowReturn) {
	in := instanceOf(h)
	defer in.caughtFlow(&r)
	b, flow := in.impl.(Source).Create()
	*out = unsafe.Pointer(b.c)
	return C.GstFlowReturn(flow)
}

//export ggoGoStart
func ggoGoStart(h C.uintptr_t) (ok C.gboolean) {
	in := instanceOf(h)
	defer in.caught()
	if s, ok := in.impl.(Starter); ok {
		if err := s.Start(); err != nil {
			in.element.PostError(asError(err, ResourceSettings))
			return 0
		}
	}
	if b := in.element.inbox; b != nil {
		if err := b.Open(); err != nil {
			in.element.PostError(asError(err, ResourceFailed))
			in.stop()
			return 0
		}
	}
	return 1
}

func (in *instance) stop() {
	if s, ok := in.impl.(Stopper); ok {
		s.Stop()
	}
}

//export ggoGoStop
func ggoGoStop(h C.uintptr_t) (ok C.gboolean) {
	in := instanceOf(h)
	defer in.caught()
	if b := in.element.inbox; b != nil {
		b.Close()
	}
	in.stop()
	return 1
}

//export ggoGoUnlock
func ggoGoUnlock(h C.uintptr_t, flushing C.gboolean) {
	in := instanceOf(h)
	defer in.caught()
	in.impl.(Unlocker).Unlock(flushing != 0)
}

//export ggoGoSetCaps
func ggoGoSetCaps(h C.uintptr_t, a, b *C.GstCaps) (ok C.gboolean) {
	in := instanceOf(h)
	defer in.caught()
	if err := in.impl.(CapsSetter).SetCaps(Caps{a}, Caps{b}); err != nil {
		in.element.PostError(asError(err, CoreNegotiation))
		return 0
	}
	return 1
}

//export ggoGoTransformCaps
func ggoGoTransformCaps(h C.uintptr_t, direction C.gint, caps *C.GstCaps) (r *C.GstCaps) {
	in := instanceOf(h)
	defer func() {
		if p := recover(); p != nil {
			in.panicked(p)
			r = C.gst_caps_new_empty()
		}
	}()
	return in.impl.(CapsTransformer).TransformCaps(PadDirection(direction), Caps{caps}).c
}

//export ggoGoFixateCaps
func ggoGoFixateCaps(h C.uintptr_t, direction C.gint, caps, other *C.GstCaps) (r *C.GstCaps) {
	in := instanceOf(h)
	defer in.caught()
	return in.impl.(CapsFixer).FixateCaps(PadDirection(direction), Caps{caps}, Caps{other}).c
}

//export ggoGoTransformMeta
func ggoGoTransformMeta(h C.uintptr_t, api *C.gchar) (ok C.gboolean) {
	in := instanceOf(h)
	defer in.caught()
	return gbool(in.impl.(MetaTransformer).TransformMeta(gstring(api)))
}

//export ggoGoCaps
func ggoGoCaps(h C.uintptr_t) (r *C.GstCaps) {
	in := instanceOf(h)
	defer in.caught()
	return in.impl.(CapsProvider).Caps().c
}

//export ggoGoEvent
func ggoGoEvent(h C.uintptr_t, from C.gint, ev *C.GstEvent) (ok C.gboolean) {
	in := instanceOf(h)
	defer in.caught()
	switch from {
	case 1:
		return gbool(in.impl.(SrcEventer).SrcEvent(Event{ev}))
	case 2:
		return gbool(in.impl.(SendEventer).SendEvent(Event{ev}))
	}
	return gbool(in.impl.(Eventer).Event(Event{ev}))
}

//export ggoGoQuery
func ggoGoQuery(h C.uintptr_t, direction C.gint, q *C.GstQuery) (ok C.gboolean) {
	in := instanceOf(h)
	defer in.caught()
	return gbool(in.impl.(Querier).Query(PadDirection(direction), Query{q}))
}

//export ggoGoChangeState
func ggoGoChangeState(h C.uintptr_t, t C.gint) (r C.GstStateChangeReturn) {
	in := instanceOf(h)
	defer in.caught()
	return C.GstStateChangeReturn(in.impl.(StateChanger).ChangeState(StateChange(t)))
}

//export ggoGoAction
func ggoGoAction(h C.uintptr_t, name *C.gchar, n C.guint, args *C.GgoValue, out *C.GgoValue) {
	in := instanceOf(h)
	defer in.caught()
	values := make([]any, int(n))
	for i := range values {
		values[i] = valueToGo(&unsafe.Slice(args, int(n))[i])
	}
	valueFromGo(in.impl.(Actor).Action(gstring(name), values), out)
}

//export ggoGoGetURI
func ggoGoGetURI(h C.uintptr_t) (r *C.gchar) {
	in := instanceOf(h)
	defer in.caught()
	if uri := in.impl.(URIHandler).URI(); uri != "" {
		return cstr(uri)
	}
	return nil
}

//export ggoGoSetURI
func ggoGoSetURI(h C.uintptr_t, uri *C.gchar) (why *C.gchar) {
	in := instanceOf(h)
	defer in.caught()
	if err := in.impl.(URIHandler).SetURI(gstring(uri)); err != nil {
		return cstr(validUTF8(err.Error()))
	}
	return nil
}
