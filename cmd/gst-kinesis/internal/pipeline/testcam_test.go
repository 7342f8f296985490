package pipeline

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"gst-kinesis/cgo/gst"
)

// testcam makes cameras: live sources whose pads come when they have connected, as rtspsrc's do.
var testcam cameras

type cameras struct {
	mu   sync.Mutex
	last *cam
}

func (c *cameras) class() *gst.Class {
	return &gst.Class{
		Factory: "testcam", Type: "GstTestCam", LongName: "Test camera", Klass: "Source/Network", Description: "Does what a test says", Author: "test",
		Kind: gst.KindPlain,
		Pads: []gst.PadTemplate{template("video"), template("audio"), template("application")},
		New: func(e *gst.Element) any {
			e.SetSourceFlag()
			made := &cam{e: e, live: true, streams: []stream{{0, "video"}}, flowing: map[string]bool{"video": true, "audio": true}}
			c.mu.Lock()
			c.last = made
			c.mu.Unlock()
			return made
		},
	}
}

// template is of pads of one media, so that their caps are known when they come.
func template(media string) gst.PadTemplate {
	return gst.PadTemplate{Name: media + "_%u", Direction: gst.PadSrc, Presence: gst.PadSometimes, Caps: "application/x-rtp,media=" + media}
}

func (c *cameras) get(t *testing.T) *cam {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		t.Fatal("there is no testcam in the line")
	}
	made := c.last
	c.last = nil
	return made
}

// stream is one of a camera's.
type stream struct {
	number int
	media  string
}

type cam struct {
	e *gst.Element

	mu      sync.Mutex
	live    bool
	refuse  bool            // to connect
	streams []stream        // in the order in which their pads come
	flowing map[string]bool // by media
	ends    bool            // the streams end
	hang    chan struct{}   // going down waits for it
	starts  int
	conn    *connection
}

// connection is one time that the camera is up.
type connection struct {
	down chan struct{}
	done chan struct{}
	pads []*gst.Pad
}

func (c *cam) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// fail says what a camera says whose connection broke.
func (c *cam) fail(code gst.Code, debug string) {
	c.e.PostError(&gst.Error{Code: code, Text: "The camera failed", Debug: debug})
}

// ChangeState connects on the way up, off the thread, and hangs up on the way down.
func (c *cam) ChangeState(t gst.StateChange) gst.StateChangeReturn {
	if t == gst.PausedToReady {
		c.hangUp()
	}
	r := c.e.ParentChangeState(t)
	if t == gst.ReadyToPaused && r != gst.StateChangeFailure {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.starts++
		c.conn = &connection{down: make(chan struct{}), done: make(chan struct{})}
		go c.connect(c.conn, c.refuse, append([]stream(nil), c.streams...))
		if c.live {
			return gst.StateChangeNoPreroll
		}
	}
	if t == gst.PlayingToPaused && c.live && r == gst.StateChangeSuccess {
		return gst.StateChangeNoPreroll
	}
	return r
}

func (c *cam) connect(conn *connection, refuse bool, streams []stream) {
	defer close(conn.done)
	if refuse {
		c.fail(gst.ResourceOpenRead, "Connection refused.")
		return
	}
	for _, s := range streams {
		p := c.pad(conn, s)
		c.e.AddPad(p)
		conn.pads = append(conn.pads, p)
		p.StartTask()
	}
	c.e.NoMorePads()
}

func (c *cam) hangUp() {
	c.mu.Lock()
	conn, hang := c.conn, c.hang
	c.mu.Unlock()
	if hang != nil {
		<-hang
	}
	close(conn.down)
	<-conn.done
	for _, p := range conn.pads {
		c.e.RemovePad(p)
	}
}

// pace is the time from buffer to buffer.
const pace = 5 * time.Millisecond

func (c *cam) pad(conn *connection, s stream) *gst.Pad {
	begun := false
	return c.e.NewPad(s.media+"_%u", fmt.Sprintf("stream_%d", s.number), gst.PadFuncs{
		Query: func(p *gst.Pad, q gst.Query) bool {
			if q.Type() == gst.QueryLatency {
				q.SetLatency(true, 0, gst.ClockTimeNone)
				return true
			}
			return p.QueryDefault(q)
		},
		Task: func(p *gst.Pad) bool {
			select {
			case <-conn.down:
				return false
			case <-time.After(pace):
			}
			c.mu.Lock()
			flows, ends := c.flowing[s.media], c.ends
			c.mu.Unlock()
			if ends {
				p.PushEvent(gst.NewEOS())
				return false
			}
			if !flows || c.live && c.e.RunningTime() == gst.ClockTimeNone {
				return true
			}
			if !begun {
				begun = true
				c.begin(p, s)
			}
			return c.push(p, s)
		},
	})
}

func (c *cam) begin(p *gst.Pad, s stream) {
	p.PushEvent(gst.NewStreamStart(fmt.Sprintf("stream-%d-%d", c.starts, s.number)))
	caps, err := gst.ParseCaps("application/x-rtp,media=" + s.media)
	if err != nil {
		panic(err)
	}
	p.PushEvent(gst.NewCapsEvent(caps))
	caps.Unref()
	segment := gst.NewTimeSegment()
	p.PushEvent(gst.NewSegmentEvent(&segment))
}

func (c *cam) push(p *gst.Pad, s stream) bool {
	b := gst.NewBuffer([]byte(s.media))
	if now := c.e.RunningTime(); now != gst.ClockTimeNone {
		b.SetPTS(now)
	}
	switch r := p.Push(b); r {
	case gst.FlowOK, gst.FlowFlushing, gst.FlowEOS, gst.FlowNotLinked:
		return r != gst.FlowFlushing && r != gst.FlowEOS
	default:
		c.fail(gst.StreamFailed, "streaming stopped, reason "+r.String())
		return false
	}
}

// SendEvent passes an end of stream on, as rtspsrc does.
func (c *cam) SendEvent(ev gst.Event) bool {
	if ev.Type() != gst.EventEOS {
		return c.e.ParentSendEvent(ev)
	}
	ev.Unref()
	c.set(func() { c.ends = true })
	return true
}
