package kinesisvideosink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/putmedia"
	"gst-kinesis/internal/uplink"
)

// FakeClass is the element under another name, with video streams in memory: those of Fakes, by stream-name.
func FakeClass() *gst.Class {
	client := func(o *opening) (putmedia.Client, string, func(), error) {
		f := Fakes.find(o.spec.Name)
		if f == nil {
			return nil, "", nil, errors.New("there is no fake of that name")
		}
		f.mu.Lock()
		f.Spec = o.spec
		f.mu.Unlock()
		return f, "nowhere", func() {}, nil
	}
	c := class(map[string]opener{engineNative: native(client)}, Shared{Uplinks: new(uplink.Links), Metrics: new(metrics.Registry)})
	c.Factory, c.Type = "kvsfake", "GstKinesisVideoFake"
	return c
}

// DiscardClass is the element with an engine that takes everything and forgets it: what is left is the element's own cost.
func DiscardClass() *gst.Class {
	c := class(map[string]opener{engineNative: func(*opening) (engine, func(), error) { return new(discard), func() {}, nil }},
		Shared{Uplinks: new(uplink.Links), Metrics: new(metrics.Registry)})
	c.Factory, c.Type = "kvsdiscard", "GstKinesisVideoDiscard"
	return c
}

// discard keeps one frame.
type discard struct {
	frame putmedia.Frame
	n     atomic.Int64
}

func (d *discard) Reserve(size int) *putmedia.Frame {
	data := d.frame.Data
	if cap(data) < size {
		data = make([]byte, size)
	}
	d.frame = putmedia.Frame{Data: data[:size]}
	return &d.frame
}

func (d *discard) Put(context.Context, *putmedia.Frame) error { d.n.Add(1); return nil }

func (d *discard) Stats() (s putmedia.Stats) {
	s.Books.Accepted.Frames = d.n.Load()
	return s
}

func (*discard) SetTracks([]mkv.Track) error            { return nil }
func (*discard) Release(*putmedia.Frame)                {}
func (*discard) AddMetadata(string, string, bool) error { return nil }
func (*discard) AddEvent(putmedia.Event) error          { return nil }
func (*discard) Flush(context.Context) error            { return nil }
func (*discard) Close()                                 {}

// Fakes are the streams there are.
var Fakes fakes

type fakes struct {
	mu    sync.Mutex
	named map[string]*Fake
}

// Add adds a stream.
func (f *fakes) Add(name string, s *Fake) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.named == nil {
		f.named = map[string]*Fake{}
	}
	f.named[name] = s
}

func (f *fakes) find(name string) *Fake {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.named[name]
}

// Fake is a video stream in memory, which reads Matroska and acknowledges fragments.
type Fake struct {
	// OnLocate may fail, or hang until the context is done. Stall lets it read nothing; Mute lets it acknowledge nothing.
	OnLocate func(context.Context) error
	Stall    chan struct{} // nil: does not
	Mute     bool

	mu       sync.Mutex
	Spec     putmedia.Spec
	sessions []*FakeSession
}

// FakeSession is one call of PutMedia.
type FakeSession struct {
	Tracks    []mkv.Track
	Frames    []FakeFrame
	Fragments []FakeFragment
}

// FakeFragment is a Cluster.
type FakeFragment struct {
	MS   int64
	Tags []mkv.Tag
}

// FakeFrame is a block.
type FakeFrame struct {
	Track                       uint64
	MS                          int64
	Key, Invisible, Discardable bool
	Data                        string
}

// Sessions are copies of what came so far.
func (f *Fake) Sessions() []FakeSession {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []FakeSession
	for _, s := range f.sessions {
		out = append(out, FakeSession{Tracks: slices.Clone(s.Tracks), Frames: slices.Clone(s.Frames), Fragments: slices.Clone(s.Fragments)})
	}
	return out
}

// Forget forgets what came so far.
func (f *Fake) Forget() { f.change(func() { f.sessions = nil }) }

// Unmute lets it acknowledge again.
func (f *Fake) Unmute() { f.change(func() { f.Mute = false }) }

// Locate implements putmedia.Client.
func (f *Fake) Locate(ctx context.Context) (putmedia.Place, error) {
	if f.OnLocate != nil {
		if err := f.OnLocate(ctx); err != nil {
			return putmedia.Place{}, err
		}
	}
	return putmedia.Place{Endpoint: "http://fake", Retention: time.Hour}, nil
}

// RefreshCredentials implements putmedia.Client.
func (f *Fake) RefreshCredentials() {}

// PutMedia implements putmedia.Client.
func (f *Fake) PutMedia(ctx context.Context, _ putmedia.Place, in putmedia.Input) (putmedia.Output, error) {
	f.mu.Lock()
	s := &FakeSession{}
	f.sessions = append(f.sessions, s)
	n := len(f.sessions)
	f.mu.Unlock()
	upR, upW := io.Pipe()
	downR, downW := io.Pipe()
	stop := context.AfterFunc(ctx, func() {
		_ = upR.CloseWithError(context.Cause(ctx))
		_ = downW.CloseWithError(context.Cause(ctx))
		_ = in.Body.Close()
	})
	go func() {
		_, err := in.Body.(io.WriterTo).WriteTo(upW)
		_ = upW.CloseWithError(err)
	}()
	go func() {
		defer stop()
		err := f.serve(ctx, s, n, upR, downW)
		_ = upR.CloseWithError(io.ErrClosedPipe)
		_ = downW.CloseWithError(err)
		_ = in.Body.Close()
	}()
	return putmedia.Output{RequestID: fmt.Sprint("request-", n), Acks: downR}, nil
}

func (f *Fake) serve(ctx context.Context, s *FakeSession, n int, r io.Reader, acks io.Writer) error {
	if f.Stall != nil {
		select {
		case <-f.Stall:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	reader, current := mkv.NewReader(r, mkv.Limits{}), int64(-1)
	var tags []mkv.Tag
	ack := func(kind string) error {
		f.mu.Lock()
		mute := f.Mute
		f.mu.Unlock()
		if mute {
			return nil
		}
		text, _ := json.Marshal(map[string]any{"EventType": kind, "FragmentTimecode": current, "FragmentNumber": fmt.Sprint(n, "-", current)})
		_, err := acks.Write(text)
		return err
	}
	finish := func() error {
		if current < 0 {
			return nil
		}
		err := errors.Join(ack("RECEIVED"), ack("PERSISTED"))
		current = -1
		return err
	}
	for {
		e, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return finish()
		}
		if err != nil {
			return err
		}
		switch e := e.(type) {
		case *mkv.Tracks:
			f.change(func() { s.Tracks = e.Tracks })
		case *mkv.Tags:
			if len(e.Tags) == 1 && e.Tags[0].Name == mkv.TagEndOfFragment {
				err = finish()
			} else {
				tags = append(tags, e.Tags...)
			}
		case *mkv.ClusterStart:
			err = finish()
			current = int64(e.Timecode)
			f.change(func() { s.Fragments = append(s.Fragments, FakeFragment{current, tags}) })
			tags = nil
			err = errors.Join(err, ack("BUFFERING"))
		case *mkv.Block:
			f.change(func() {
				s.Frames = append(s.Frames, FakeFrame{e.Track, e.Timecode, e.Key, e.Invisible, e.Discardable, string(e.Data)})
			})
		}
		if err != nil {
			return err
		}
	}
}

func (f *Fake) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}
