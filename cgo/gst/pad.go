package gst

// #include "ggo.h"
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// PadFuncs are what a pad of a plain element does. nil fields take GStreamer's defaults. All run on streaming threads.
type PadFuncs struct {
	// Chain takes the buffer.
	Chain func(p *Pad, b Buffer) Flow
	// Take, in place of Chain, gets the buffer on a goroutine of the pad's Inbox, to which the streaming thread only hands it.
	Take func(v *View) Flow
	// ChainList takes the list; nil: Chain is called for each of its buffers.
	ChainList func(p *Pad, l BufferList) Flow
	// Event takes the event; Pad.EventDefault is the default.
	Event func(p *Pad, ev Event) bool
	// Query borrows the query; Pad.QueryDefault is the default.
	Query func(p *Pad, q Query) bool
	// Unlinked is called when the peer is gone.
	Unlinked func(p *Pad)
	// Activate is called when the pad begins (true) or ends push mode; a source pad starts its task here. When it ends, Activate makes a Task that
	// blocks return; the task is stopped after it.
	Activate func(p *Pad, active bool) bool
	// Task is one round of the pad's task, begun by StartTask; false pauses it.
	Task func(p *Pad) bool
}

// Pad is a pad of a plain element, made in Go. It lives as long as the GstPad.
type Pad struct {
	c       *C.GstPad
	funcs   PadFuncs
	element *Element
	inbox   *Inbox // nil without Take
}

func (p *Pad) ptr() C.gpointer { return C.gpointer(unsafe.Pointer(p.c)) }

// NewPad makes a pad of a template of the class; name "" lets GStreamer choose. It is the caller's to AddPad; nil where the class has no such template.
func (e *Element) NewPad(template, name string, funcs PadFuncs) *Pad {
	p := &Pad{funcs: funcs, element: e}
	h := cgo.NewHandle(p)
	t := cstr(template)
	defer cfree(t)
	var n *C.gchar
	if name != "" {
		n = cstr(name)
		defer cfree(n)
	}
	var mask C.guint32
	for bit, on := range map[C.guint32]bool{
		C.GGO_PAD_CHAIN: funcs.Chain != nil, C.GGO_PAD_CHAIN_LIST: funcs.ChainList != nil, C.GGO_PAD_EVENT: funcs.Event != nil,
		C.GGO_PAD_QUERY: funcs.Query != nil, C.GGO_PAD_UNLINKED: funcs.Unlinked != nil,
		C.GGO_PAD_ACTIVATE: funcs.Activate != nil || funcs.Task != nil, C.GGO_PAD_TAKE: funcs.Take != nil,
	} {
		if on {
			mask |= bit
		}
	}
	p.c = C.ggo_pad_new(e.c, t, n, C.uintptr_t(h), mask)
	if p.c == nil {
		h.Delete()
		return nil
	}
	if funcs.Take != nil {
		p.inbox = &Inbox{c: C.ggo_pad_inbox(p.c), in: e.instance, take: funcs.Take}
	}
	return p
}

// Inbox is the pad's, where it has Take.
func (p *Pad) Inbox() *Inbox { return p.inbox }

// AddPad adds the pad to its element, which then owns it; false, and the pad is gone, where it has one of the name. A pad that is added to an element
// in PAUSED or above, or on its way there, is active.
func (e *Element) AddPad(p *Pad) bool {
	state := e.NextState()
	if state == StateVoidPending {
		state = e.State()
	}
	return C.ggo_pad_add(e.c, p.c, gbool(state >= StatePaused)) != 0
}

// RemovePad ends the pad's data flow, waiting for its task, and removes it: the pad is not used any more. Not from the pad's own task.
func (e *Element) RemovePad(p *Pad) bool {
	C.gst_pad_set_active(p.c, 0)
	return C.gst_element_remove_pad(e.c, p.c) != 0
}

// NoMorePads says that all sometimes pads are there.
func (e *Element) NoMorePads() { C.gst_element_no_more_pads(e.c) }

// SetSinkFlag marks a plain element as a sink: the pipeline waits for its EOS message.
func (e *Element) SetSinkFlag() { C.ggo_element_set_flag(e.c, C.GST_ELEMENT_FLAG_SINK) }

// SetSourceFlag marks a plain element as a source.
func (e *Element) SetSourceFlag() { C.ggo_element_set_flag(e.c, C.GST_ELEMENT_FLAG_SOURCE) }

// PostEOS says on the bus that a sink has played to its end, for the event of the seqnum.
func (e *Element) PostEOS(seqnum uint32) { C.ggo_element_post_eos(e.c, C.guint32(seqnum)) }

// Name of the pad.
func (p *Pad) Name() string { return takeString(C.ggo_dup_object_name(p.ptr())) }

// Element is the pad's element.
func (p *Pad) Element() *Element { return p.element }

// Same says whether both are the same GstPad.
func (p *Pad) Same(q *Pad) bool { return p.c == q.c }

// Push gives an owned buffer to the peer.
func (p *Pad) Push(b Buffer) Flow { return Flow(C.gst_pad_push(p.c, b.c)) }

// PushList gives an owned list to the peer.
func (p *Pad) PushList(l BufferList) Flow { return Flow(C.gst_pad_push_list(p.c, l.c)) }

// PushEvent gives an owned event to the peer.
func (p *Pad) PushEvent(ev Event) bool { return C.gst_pad_push_event(p.c, ev.c) != 0 }

// EventDefault does what GStreamer does with an event, which it takes.
func (p *Pad) EventDefault(ev Event) bool { return C.ggo_pad_event_default(p.c, ev.c) != 0 }

// QueryDefault does what GStreamer does with a query.
func (p *Pad) QueryDefault(q Query) bool { return C.ggo_pad_query_default(p.c, q.c) != 0 }

// PeerQuery asks the peer.
func (p *Pad) PeerQuery(q Query) bool { return C.gst_pad_peer_query(p.c, q.c) != 0 }

// IsLinked says whether the pad has a peer.
func (p *Pad) IsLinked() bool { return C.gst_pad_is_linked(p.c) != 0 }

// CurrentCaps gives the owned caps of the last CAPS event; the zero Caps before.
func (p *Pad) CurrentCaps() Caps { return Caps{C.gst_pad_get_current_caps(p.c)} }

// PeerCaps gives owned caps of what the peer takes.
func (p *Pad) PeerCaps() Caps { return Caps{C.gst_pad_peer_query_caps(p.c, nil)} }

// NeedsReconfigure says once that downstream asked for other caps.
func (p *Pad) NeedsReconfigure() bool { return C.gst_pad_check_reconfigure(p.c) != 0 }

// StartTask runs Task on a streaming thread of the pad's until it returns false or the task is stopped.
func (p *Pad) StartTask() bool { return C.ggo_pad_start_task(p.c) != 0 }

// PauseTask keeps the task from its next round, without waiting.
func (p *Pad) PauseTask() bool { return C.gst_pad_pause_task(p.c) != 0 }

// StopTask ends the task and waits for it; not from the task itself.
func (p *Pad) StopTask() bool { return C.gst_pad_stop_task(p.c) != 0 }

// View runs f with a view of an owned or borrowed buffer, mapped for reading.
func (b Buffer) View(f func(v *View)) error {
	v := (*C.GgoView)(C.g_malloc(C.sizeof_GgoView))
	defer C.g_free(C.gpointer(unsafe.Pointer(v)))
	C.ggo_view_init(v, b.c, nil)
	if C.ggo_view_map(v, C.GST_MAP_READ) == 0 {
		return ErrMap
	}
	defer C.ggo_view_unmap(v)
	f((*View)(v))
	return nil
}

// FlowCombiner makes one flow return of those of several source pads. Use it from one thread at a time.
type FlowCombiner struct{ c *C.GstFlowCombiner }

// NewFlowCombiner gives a combiner; Free gives it back.
func NewFlowCombiner() FlowCombiner { return FlowCombiner{C.gst_flow_combiner_new()} }

// Free gives the combiner back.
func (f FlowCombiner) Free() { C.gst_flow_combiner_free(f.c) }

// Add makes a pad count; Remove undoes it.
func (f FlowCombiner) Add(p *Pad)    { C.gst_flow_combiner_add_pad(f.c, p.c) }
func (f FlowCombiner) Remove(p *Pad) { C.gst_flow_combiner_remove_pad(f.c, p.c) }

// Update notes what a pad answered and gives what the element answers upstream.
func (f FlowCombiner) Update(p *Pad, r Flow) Flow {
	return Flow(C.gst_flow_combiner_update_pad_flow(f.c, p.c, C.GstFlowReturn(r)))
}

// ---- from C ----

func padOf(h C.uintptr_t) *Pad { return cgo.Handle(h).Value().(*Pad) }

func (p *Pad) caughtFlow(r *C.GstFlowReturn) {
	if x := recover(); x != nil {
		p.element.instance.panicked(x)
		*r = C.GST_FLOW_ERROR
	}
}

func (p *Pad) caught() {
	if x := recover(); x != nil {
		p.element.instance.panicked(x)
	}
}

//export ggoGoPadChain
func ggoGoPadChain(h C.uintptr_t, b *C.GstBuffer) (r C.GstFlowReturn) {
	p := padOf(h)
	defer p.caughtFlow(&r)
	return C.GstFlowReturn(p.funcs.Chain(p, Buffer{b}))
}

//export ggoGoPadChainList
func ggoGoPadChainList(h C.uintptr_t, l *C.GstBufferList) (r C.GstFlowReturn) {
	p := padOf(h)
	defer p.caughtFlow(&r)
	return C.GstFlowReturn(p.funcs.ChainList(p, BufferList{l}))
}

//export ggoGoPadEvent
func ggoGoPadEvent(h C.uintptr_t, ev *C.GstEvent) (ok C.gboolean) {
	p := padOf(h)
	defer p.caught()
	return gbool(p.funcs.Event(p, Event{ev}))
}

//export ggoGoPadQuery
func ggoGoPadQuery(h C.uintptr_t, q *C.GstQuery) (ok C.gboolean) {
	p := padOf(h)
	defer p.caught()
	return gbool(p.funcs.Query(p, Query{q}))
}

//export ggoGoPadUnlinked
func ggoGoPadUnlinked(h C.uintptr_t) {
	p := padOf(h)
	defer p.caught()
	p.funcs.Unlinked(p)
}

//export ggoGoPadActivate
func ggoGoPadActivate(h C.uintptr_t, active C.gboolean) (ok C.gboolean) {
	p := padOf(h)
	defer p.caught()
	if p.funcs.Activate == nil {
		return 1
	}
	return gbool(p.funcs.Activate(p, active != 0))
}

//export ggoGoPadTask
func ggoGoPadTask(h C.uintptr_t) (again C.gboolean) {
	p := padOf(h)
	defer p.caught()
	return gbool(p.funcs.Task(p))
}

//export ggoGoRequestPad
func ggoGoRequestPad(h C.uintptr_t, template, name *C.gchar, caps *C.GstCaps) (r *C.GstPad) {
	in := instanceOf(h)
	defer in.caught()
	wanted := ""
	if name != nil {
		wanted = gstring(name)
	}
	p := in.impl.(PadRequester).RequestPad(gstring(template), wanted, Caps{caps})
	if p == nil || !in.element.AddPad(p) {
		return nil
	}
	return p.c
}

//export ggoGoReleasePad
func ggoGoReleasePad(h C.uintptr_t, pad *C.GstPad) {
	in := instanceOf(h)
	defer in.caught()
	in.impl.(PadRequester).ReleasePad(padOf(C.uintptr_t(C.ggo_pad_handle(pad))))
}
