package pipeline

import (
	"fmt"
	"strings"

	"gst-kinesis/cgo/gst"
)

// close gives back what an outlet holds.
func (o *outlet) close() {
	o.watch.Close()
	o.pad.Unref()
}

// mediaOf says what a pad carries, for telling a camera's pads apart: the media type, and of RTP what it carries; "" where that is not known yet.
func mediaOf(pad *gst.Object) string {
	caps := pad.PadCaps()
	defer caps.Unref()
	if caps.IsAny() || caps.IsEmpty() || !caps.IsFixed() {
		return ""
	}
	s := caps.Structure(0)
	return s.Name + "/" + s.Str("media")
}

// keyOf is what stays of a pad's name from one connection to the next: rtspsrc puts a stream's number, the sender's random number and the payload type into it.
func keyOf(pad *gst.Object) string {
	name := pad.Name()
	if rest, ok := strings.CutPrefix(name, "recv_rtp_src_"); ok {
		number, _, _ := strings.Cut(rest, "_")
		return "recv_rtp_src_" + number
	}
	return name
}

// added begins to watch a source pad of the unit and links it to where its forerunner was linked. It runs on the thread that adds the pad; where
// gst_parse_launch links the pad, it has done so before.
func (u *unit) added(pad *gst.Object) {
	if !pad.IsSrcPad() {
		return
	}
	o := &outlet{pad: pad.Ref(), watch: gst.NewWatch(), name: keyOf(pad), media: mediaOf(pad)}
	o.watch.Add(pad)
	u.mu.Lock()
	o.watch.HoldEOS(u.hold)
	u.pads[pad.Ptr()] = o
	u.mu.Unlock()
	if u.note(o) {
		return
	}
	if t := u.targetOf(o); t != nil {
		u.link(o, t)
	}
}

// note remembers what an outlet is linked to; false where it is not linked.
func (u *unit) note(o *outlet) bool {
	sink := o.pad.Peer()
	if sink == nil {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	o.used = true
	for _, t := range u.targets {
		if t.sink.Same(sink) {
			t.name, t.media = o.name, o.media
			sink.Unref()
			return true
		}
	}
	u.targets = append(u.targets, &target{name: o.name, media: o.media, sink: sink})
	return true
}

// remember notes the links of all outlets.
func (u *unit) remember() {
	u.mu.Lock()
	outlets := make([]*outlet, 0, len(u.pads))
	for _, o := range u.pads {
		outlets = append(outlets, o)
	}
	u.mu.Unlock()
	for _, o := range outlets {
		u.note(o)
	}
}

// targetOf finds where an outlet's forerunner of the same name and media was linked; nil where nowhere.
func (u *unit) targetOf(o *outlet) *target {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, t := range u.targets {
		if t.name == o.name && t.media == o.media {
			return t
		}
	}
	return nil
}

// link links an outlet where its forerunner was.
func (u *unit) link(o *outlet, t *target) {
	if peer := t.sink.Peer(); peer != nil {
		peer.Unref()
		return
	}
	if err := o.pad.LinkPad(t.sink); err != nil {
		u.failed(fmt.Errorf("linking the source's pad %s again: %w; the stream is another now", o.name, err))
		return
	}
	u.note(o)
}

// complete links what has no pad of its old name any more to one of the same media. It runs when the source has all its pads.
func (u *unit) complete() {
	for _, t := range u.free() {
		o := u.spare(t.media)
		if o == nil {
			u.failed(fmt.Errorf("linking the source again: it has no %s any more", t.media))
			return
		}
		u.link(o, t)
	}
}

// free gives the targets that nothing is linked to.
func (u *unit) free() []*target {
	u.mu.Lock()
	targets := append([]*target(nil), u.targets...)
	u.mu.Unlock()
	var free []*target
	for _, t := range targets {
		if peer := t.sink.Peer(); peer != nil {
			peer.Unref()
		} else {
			free = append(free, t)
		}
	}
	return free
}

// spare finds an outlet of the media that is linked to nothing.
func (u *unit) spare(media string) *outlet {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, o := range u.pads {
		if !o.used && o.media == media {
			return o
		}
	}
	return nil
}

// removed forgets a pad; where it was linked stays remembered.
func (u *unit) removed(pad *gst.Object) {
	u.mu.Lock()
	o := u.pads[pad.Ptr()]
	if o == nil {
		u.mu.Unlock()
		return
	}
	delete(u.pads, pad.Ptr())
	if o.used {
		u.gone += o.watch.Buffers()
		u.eos = u.eos || o.watch.EOS()
	}
	u.mu.Unlock()
	o.close()
}

func (u *unit) failed(err error) {
	if sup := u.supervisor(); sup != nil {
		sup.Failed(err)
	}
}

// end gives the elements behind the unit an end of stream, as a source that ends would. It may block as long as they take to drain.
func (u *unit) end() {
	u.mu.Lock()
	sinks := make([]*gst.Object, 0, len(u.targets))
	for _, t := range u.targets {
		sinks = append(sinks, t.sink.Ref())
	}
	u.mu.Unlock()
	defer unref(sinks)
	for _, s := range sinks {
		s.SendPadEvent(gst.NewEOS())
	}
}
