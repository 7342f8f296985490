package gst

// #include "ggo.h"
import "C"

import (
	"fmt"
	"runtime/cgo"
	"strings"
	"unsafe"
)

// Class describes an element class. It is not changed after Register.
type Class struct {
	Factory     string // name in launch lines
	Type        string // GType name, such as GstKinesisSink
	LongName    string
	Klass       string // such as Sink/Network
	Description string // one sentence
	Author      string
	Rank        uint
	Pads        []PadTemplate
	Properties  propertyTable // a *Properties[S]; nil: none
	Signals     []Signal
	URI         *URISpec // nil: no URI handler

	// New makes the Go half of an instance: a Sink, InPlaceTransform, ResizeTransform, GenerateTransform, Source or PadElement,
	// as Kind says. It runs in instance_init: nothing but making structs.
	New  func(e *Element) any
	Kind Kind

	Lists             bool // sink: lists come without a stop between their buffers
	Inbox             bool // sink: Render runs on a goroutine, see Element.Inbox
	Sync              bool // sink: default of the property sync
	Live              bool // source: live
	ForwardAllocation bool // transform: upstream may use downstream's pool

	c    *C.GgoClass
	rows []propertyRow // of Properties, read once
}

// Kind is the base class of an element.
type Kind int

// The kinds.
const (
	KindSink     Kind = iota // GstBaseSink: Sink
	KindInPlace              // GstBaseTransform: InPlaceTransform
	KindResize               // GstBaseTransform: ResizeTransform
	KindGenerate             // GstBaseTransform: GenerateTransform
	KindSource               // GstPushSrc: Source
	KindPlain                // GstElement with pads of its own: PadElement
)

// PadTemplate describes pads. Caps in text form.
type PadTemplate struct {
	Name      string // such as "sink" or "video_%u"
	Direction PadDirection
	Presence  PadPresence
	Caps      string
}

// Signal describes a signal. Params and Result are exemplars of the types: "", false, int32(0), uint64(0), (*Structure)(nil), …; Result nil: none.
type Signal struct {
	Name   string
	Action bool // called by applications: goes to Actor
	Params []any
	Result any
}

// URISpec makes the class a GstURIHandler.
type URISpec struct {
	Sink      bool // else a source
	Protocols []string
}

// exemplarType gives the flat type of an exemplar.
func exemplarType(x any) C.gint {
	switch x.(type) {
	case nil:
		return C.GGO_NONE
	case *Structure:
		return C.GGO_STRUCTURE
	}
	var v C.GgoValue
	valueFromGo(x, &v)
	C.ggo_value_clear(&v)
	return v._type
}

func (k Kind) c() (C.GgoKind, C.GgoMode) {
	switch k {
	case KindSink:
		return C.GGO_KIND_SINK, 0
	case KindInPlace:
		return C.GGO_KIND_TRANSFORM, C.GGO_MODE_IN_PLACE
	case KindResize:
		return C.GGO_KIND_TRANSFORM, C.GGO_MODE_RESIZE
	case KindGenerate:
		return C.GGO_KIND_TRANSFORM, C.GGO_MODE_GENERATE
	case KindSource:
		return C.GGO_KIND_SOURCE, 0
	}
	return C.GGO_KIND_ELEMENT, 0
}

// Register makes the class known to GStreamer under the plugin, or without one where p is zero. Call it once a class and process.
func (c *Class) Register(p Plugin) error {
	var keep []*C.gchar
	str := func(s string) *C.gchar {
		t := cstr(s)
		keep = append(keep, t)
		return t
	}
	defer func() {
		for _, t := range keep {
			cfree(t)
		}
	}()
	kind, mode := c.Kind.c()
	c.c = C.ggo_class_new(kind, C.uintptr_t(cgo.NewHandle(c)), str(c.Factory), str(c.LongName), str(c.Klass),
		str(c.Description), str(c.Author), C.guint(c.Rank))
	c.c.mode = mode
	c.c.lists, c.c.sync, c.c.live = gbool(c.Lists), gbool(c.Sync), gbool(c.Live)
	c.c.forward_allocation = gbool(c.ForwardAllocation)
	for _, t := range c.Pads {
		C.ggo_class_add_template(c.c, str(t.Name), C.gint(t.Direction), C.gint(t.Presence), str(t.Caps))
	}
	c.describeProperties(str)
	for _, s := range c.Signals {
		sig := C.GgoSignal{name: str(s.Name), action: gbool(s.Action), result: exemplarType(s.Result), n_params: C.guint(len(s.Params))}
		for i, x := range s.Params {
			sig.params[i] = exemplarType(x)
		}
		C.ggo_class_add_signal(c.c, &sig)
	}
	if c.URI != nil {
		t := C.gint(C.GST_URI_SRC)
		if c.URI.Sink {
			t = C.GST_URI_SINK
		}
		C.ggo_class_set_uri(c.c, t, str(strings.Join(c.URI.Protocols, ",")))
	}
	if C.ggo_class_register(c.c, p.c, str(c.Type)) == 0 {
		return fmt.Errorf("registering the element %s", c.Factory)
	}
	return nil
}

func (c *Class) describeProperties(str func(string) *C.gchar) {
	if c.Properties == nil {
		return
	}
	c.rows = nil
	for i := range c.Properties.count() {
		row := c.Properties.row(i)
		c.rows = append(c.rows, row)
		var p C.GgoProperty
		row.describe(&p)
		p.name, p.nick, p.blurb = str(row.Name), str(title(row.Name)), str(row.Blurb)
		C.ggo_class_add_property(c.c, &p)
		cfree(p.def.str)
	}
}

// title makes a nick of a name: "max-size-bytes" -> "Max size bytes".
func title(name string) string {
	s := strings.ReplaceAll(name, "-", " ")
	return strings.ToUpper(s[:1]) + s[1:]
}

// has finds out what the Go half implements.
func has(impl any) (m C.guint32) {
	set := func(ok bool, bit C.guint32) {
		if ok {
			m |= bit
		}
	}
	_, ok := impl.(Eventer)
	set(ok, C.GGO_HAS_EVENT)
	_, ok = impl.(SrcEventer)
	set(ok, C.GGO_HAS_SRC_EVENT)
	_, ok = impl.(SendEventer)
	set(ok, C.GGO_HAS_SEND_EVENT)
	_, ok = impl.(Querier)
	set(ok, C.GGO_HAS_QUERY)
	_, ok = impl.(CapsSetter)
	set(ok, C.GGO_HAS_SET_CAPS)
	_, ok = impl.(Unlocker)
	set(ok, C.GGO_HAS_UNLOCK)
	_, ok = impl.(StateChanger)
	set(ok, C.GGO_HAS_CHANGE_STATE)
	_, ok = impl.(CapsTransformer)
	set(ok, C.GGO_HAS_TRANSFORM_CAPS)
	_, ok = impl.(CapsFixer)
	set(ok, C.GGO_HAS_FIXATE_CAPS)
	_, ok = impl.(MetaTransformer)
	set(ok, C.GGO_HAS_TRANSFORM_META)
	_, ok = impl.(CapsProvider)
	set(ok, C.GGO_HAS_CAPS)
	_, ok = impl.(Starter)
	set(ok, C.GGO_HAS_START)
	_, ok = impl.(Stopper)
	set(ok, C.GGO_HAS_STOP)
	_, ok = impl.(PadRequester)
	set(ok, C.GGO_HAS_REQUEST_PAD)
	return m
}

//export ggoGoNew
func ggoGoNew(class C.uintptr_t, object unsafe.Pointer, g *C.GgoInstance) C.uintptr_t {
	c := cgo.Handle(class).Value().(*Class)
	in := &instance{class: c, c: g}
	in.element = &Element{c: (*C.GstElement)(object), class: c, instance: in, threshold: (*int32)(C.ggo_category_threshold(c.c.category))}
	in.impl = c.make(in.element)
	g.has = has(in.impl)
	if sink, ok := in.impl.(Sink); ok && c.Inbox {
		g.inbox = C.ggo_inbox_new()
		in.element.inbox = &Inbox{c: g.inbox, in: in, take: sink.Render}
		g.has |= C.GGO_HAS_START | C.GGO_HAS_STOP
		if _, ok := in.impl.(Tryer); ok {
			g.has |= C.GGO_HAS_TRY_RENDER
		}
	}
	return C.uintptr_t(cgo.NewHandle(in))
}

// make gives the Go half, or what stands in for one that cannot be used.
func (c *Class) make(e *Element) (impl any) {
	defer func() {
		if x := recover(); x != nil {
			complain(nil, c.Factory+": New", x)
			impl = &misfit{e, fmt.Sprintf("%s failed inside when it was made: %v", c.Factory, x)}
		}
	}()
	impl = c.New(e)
	if why := c.fits(impl, e.store); why != "" {
		return &misfit{e, why}
	}
	return impl
}
