package gst

// The interfaces of an element's Go half. Each class has one of the first six, as its Kind says; the others are added at will.

// Sink takes buffers. Render runs on the streaming thread; the View is mapped for reading. It may block if the sink is an Unlocker: changes of
// state go on meanwhile, and when Unlock(true) has ended its waiting it calls Element.WaitPreroll and, if that says FlowOK, goes on where it was.
// Where the class has an Inbox Render runs on a goroutine, and goes on over a pause; Unlock(true) ends its waiting only before the sink goes down.
type Sink interface {
	Render(v *View) Flow
}

// Tryer is a sink with an Inbox that can take buffers without waiting. Where they come fast TryRender is called on the streaming thread, when Render is
// through with those before: that costs less than a goroutine then. Where it would have to wait it answers false, and Render gets the buffer.
type Tryer interface {
	TryRender(v *View) (Flow, bool)
}

// InPlaceTransform changes a buffer in place (v.Map(true) first) or lets it pass. FlowDropped drops it.
type InPlaceTransform interface {
	TransformInPlace(v *View) Flow
}

// ResizeTransform writes an output of another size. Both views are mapped; out.SetSize says how much was filled.
type ResizeTransform interface {
	Transform(in, out *View) Flow
	// TransformSize gives the size in bytes that the other side needs for size bytes on the side of direction.
	TransformSize(direction PadDirection, size int) (int, bool)
}

// GenerateTransform makes any number of buffers from one, none among them: that is FlowOK without an output, and no discontinuity. What it gave out before it
// answers anything but FlowOK is not passed on. The view is not mapped until Map is called.
type GenerateTransform interface {
	Generate(in *View, out *Outputs) Flow
}

// Source makes buffers. Create may block; Unlock must end it with FlowFlushing. The buffer it gives is owned by GStreamer then.
type Source interface {
	Create() (Buffer, Flow)
}

// PadElement is a plain element: it makes its pads in New by Element.NewPad, or when asked as a PadRequester.
type PadElement any

// Starter is called on READY to PAUSED, before any data (a plain element's pads are not active yet). An error becomes an element error and the change fails. No network here: it must return at once.
type Starter interface{ Start() error }

// Stopper is called on PAUSED to READY, after the last data, and ends what Start began.
type Stopper interface{ Stop() }

// Freer is told when the element is gone: it gives back what New made on the C heap. No method of Element may be called any more.
type Freer interface{ Free() }

// Unlocker ends what blocks: Unlock(true) must make Render, Create or a waiting Event return soon; Unlock(false) allows them to block again.
type Unlocker interface{ Unlock(flushing bool) }

// CapsSetter hears of negotiated caps, borrowed: for a sink in, for a source out, for a transform both. An error refuses them and stands on the bus.
type CapsSetter interface{ SetCaps(in, out Caps) error }

// Eventer gets the events that come from upstream (for a source: from downstream), on a streaming thread. It takes the event and hands it to
// Element.ParentEvent, or unrefs it. A sink may drain in its EOS, which can come in PAUSED too; Unlock(true) before a state below must end that.
type Eventer interface{ Event(ev Event) bool }

// SrcEventer of a transform gets the events that come from downstream; it hands them to Element.ParentSrcEvent.
type SrcEventer interface{ SrcEvent(ev Event) bool }

// SendEventer gets events that an application sends to the element; it hands them to Element.ParentSendEvent.
type SendEventer interface{ SendEvent(ev Event) bool }

// Querier answers queries, borrowed; what it does not know it hands to Element.ParentQuery. direction is the pad's for a transform. For a
// plain element these are the queries that are asked of the element itself, as a pipeline asks its sinks; pads have PadFuncs.Query.
type Querier interface {
	Query(direction PadDirection, q Query) bool
}

// StateChanger wraps state changes; it calls Element.ParentChangeState between what comes before and after.
type StateChanger interface {
	ChangeState(t StateChange) StateChangeReturn
}

// CapsTransformer gives owned caps: what may stand on the other side when caps (borrowed) stand on the side of direction. Caps may be ANY, which
// has no structures. It is called from several threads, often.
type CapsTransformer interface {
	TransformCaps(direction PadDirection, caps Caps) Caps
}

// CapsFixer chooses among other (taken; returns owned) when caps (borrowed) are fixed on the side of direction.
type CapsFixer interface {
	FixateCaps(direction PadDirection, caps, other Caps) Caps
}

// MetaTransformer says whether a meta of the API's name is copied to the output; GStreamer's rule otherwise: those without tags.
type MetaTransformer interface{ TransformMeta(api string) bool }

// CapsProvider of a source or sink gives owned caps of what it can make or take; the zero Caps: the template's.
type CapsProvider interface{ Caps() Caps }

// PropertyReader computes the ReadOnly properties. From any thread, in any state.
type PropertyReader interface{ ReadProperty(name string) any }

// Actor answers action signals, from the thread that emits. Objects, caps and buffers come borrowed; those in the result are taken.
type Actor interface {
	Action(name string, args []any) any
}

// URIHandler gives and takes the URI of a class with a URISpec. SetURI is called in NULL and READY only.
type URIHandler interface {
	URI() string
	SetURI(uri string) error
}

// PadRequester makes and releases request pads.
type PadRequester interface {
	// RequestPad gives a pad of the template, not yet added; name is "" unless the caller asks for one. nil refuses.
	RequestPad(template, name string, caps Caps) *Pad
	// ReleasePad removes the pad by Element.RemovePad.
	ReleasePad(p *Pad)
}
