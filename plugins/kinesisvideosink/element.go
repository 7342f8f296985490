// Package kinesisvideosink is the sink that sends video and audio to an Amazon Kinesis video stream. It takes the properties of AWS's kvssink.
//
//	gst-launch-1.0 v4l2src ! videoconvert ! x264enc tune=zerolatency key-int-max=60 ! h264parse !
//	  kinesisvideosink stream-name=door aws-region=eu-central-1
//
// The element is thin: its pads make frames of buffers, with times since 1970 (format.go, times.go), internal/interleave puts those of two pads
// in order, layout.go says which tracks there are, and an engine (internal/putmedia) makes fragments of them, sends them and keeps the books. What
// the engine tells comes back to the bus in report.go.
//
// It is a plain element with a sink's duties: an aggregator would need a source pad, and collect pads stall where one of two streams is sparse.
package kinesisvideosink

import (
	"log/slog"
	"slices"
	"strings"
	"sync"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/metrics/videostream"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/putmedia"
	"gst-kinesis/internal/uplink"
	"gst-kinesis/plugins/internal/bus"
)

// Shared is what the elements of a process share.
type Shared struct {
	Uplinks *uplink.Links     // by bandwidth-group
	Metrics *metrics.Registry // by metrics-address
}

const (
	videoTemplate = "video_%u"
	audioTemplate = "audio_%u"
)

// Class describes the element.
func Class(shared Shared) *gst.Class {
	return class(map[string]opener{engineNative: native(dial), engineSDK: sdk}, shared)
}

func class(engines map[string]opener, shared Shared) *gst.Class {
	request := func(name, caps string) gst.PadTemplate {
		return gst.PadTemplate{Name: name, Direction: gst.PadSink, Presence: gst.PadRequest, Caps: caps}
	}
	return &gst.Class{
		Factory: "kinesisvideosink", Type: "GstKinesisVideoSink", LongName: "Amazon Kinesis Video Streams sink", Klass: "Sink/Network",
		Description: "Sends H.264, H.265 and audio to an Amazon Kinesis video stream",
		Author:      "gst-kinesis",
		Kind:        gst.KindPlain,
		Pads:        []gst.PadTemplate{request(videoTemplate, videoCaps), request(audioTemplate, audioCaps)},
		Properties:  properties,
		Signals:     signals,
		New: func(e *gst.Element) any {
			e.SetSinkFlag()
			s := &element{e: e, engines: engines, shared: shared, settings: gst.NewStore(e, properties)}
			s.settings.Changed = s.changed
			return s
		},
	}
}

// element: all of it is safe from any thread.
type element struct {
	e        *gst.Element
	engines  map[string]opener
	shared   Shared
	settings *gst.Store[Settings]

	mu      sync.Mutex // never held across a call into the engine or C
	pads    []*pad
	session *session // nil: stopped
	last    putmedia.Stats
	playing bool
	seqnum  uint32 // of the last EOS
	ended   bool   // all is stored after the end of all pads, and no EOS message was posted yet
}

// Start opens the engine without speaking to the service; what is wrong there the engine finds, off this thread.
func (s *element) Start() error {
	settings := s.settings.Get()
	if err := settings.check(); err != nil {
		return bus.Settings(err)
	}
	session := &session{settings: settings, drain: bus.NewCanceller(), report: newReporter(s.e)}
	session.report.failed = func() { session.failed.Store(true) }
	session.report.posted = func() { s.eachPad(func(p *pad) { p.p.Inbox().Refuse(gst.FlowError) }) }
	var err error
	if session.times, err = newTimeline(&settings, session.report.notice); err != nil {
		return bus.Settings(err)
	}
	session.uplink = s.shared.Uplinks.Join(settings.BandwidthGroup)
	session.tune(settings)
	if err := s.open(session); err != nil {
		session.uplink.Leave()
		return bus.Settings(err)
	}
	session.begin()
	s.mu.Lock()
	s.session, s.ended = session, false
	s.mu.Unlock()
	s.eachPad(func(p *pad) { p.open(session) })
	session.tune(s.settings.Get()) // what was changed meanwhile
	s.e.Log(gst.LevelInfo, "sending to stream %s in %s", settings.StreamName, session.region)
	return nil
}

// open opens the engine, and what it needs; where one of them fails the others are closed.
func (s *element) open(session *session) (err error) {
	settings := &session.settings
	var undo []func()
	defer func() {
		if err != nil {
			for _, f := range slices.Backward(undo) {
				f()
			}
		}
	}()
	o := &opening{properties: *settings, observer: session.report, uplink: session.uplink}
	if o.aws, err = settings.aws(session.report.notice); err != nil {
		return err
	}
	if o.settings, err = settings.engine(o.aws.Region, o.aws.EndpointURI); err != nil {
		return err
	}
	if o.spec, err = settings.spec(s.contentType()); err != nil {
		return err
	}
	if session.member, err = s.shared.Metrics.Join(settings.metrics(session.report.metricsFailed)); err != nil {
		return err
	}
	undo = append(undo, session.member.Leave)
	if session.spool, err = settings.spool(slog.New(gst.NewLogHandler(s.e))); err != nil {
		return err
	}
	if o.spool = session.spool; o.spool != nil {
		undo = append(undo, func() { _ = session.spool.Close() })
	}
	if session.engine, session.close, err = s.engines[settings.Engine](o); err != nil {
		return err
	}
	session.region = o.settings.Region
	session.member.Publish(videostream.New(session, videostream.Names{Stream: settings.StreamName, Region: session.region, Element: s.e.Name()}))
	if url := session.member.URL(); url != "" {
		session.report.notice("metrics are at " + url)
	}
	return nil
}

// contentType is what the stream is made with where it is missing: by what is linked, as caps come later.
func (s *element) contentType() string {
	s.mu.Lock()
	pads := slices.Clone(s.pads)
	s.mu.Unlock()
	slices.SortFunc(pads, func(a, b *pad) int { return int(a.kind) - int(b.kind) }) // video first
	var types []string
	for _, p := range pads {
		caps := p.p.PeerCaps()
		if t := contentTypes[caps.Name()]; t != "" {
			types = append(types, t)
		}
		caps.Unref()
	}
	return strings.Join(types, ",")
}

// Stop ends the session; what could not be stored within stop-stream-timeout is counted as dropped, or stays in the spool.
func (s *element) Stop() {
	session := s.current()
	if session == nil {
		return
	}
	s.eachPad(func(p *pad) { p.p.Inbox().Close() })
	session.end()
	session.member.Leave()
	session.close()
	session.uplink.Leave()
	if session.spool != nil {
		if err := session.spool.Close(); err != nil {
			s.e.PostWarning(&gst.Error{Code: gst.ResourceWrite, Text: bus.Sentence(err)})
		}
	}
	last := session.Stats()
	s.mu.Lock()
	s.session, s.last = nil, last
	for _, p := range s.pads {
		p.track = nil
	}
	s.mu.Unlock()
	s.eachPad(func(p *pad) { p.p.Inbox().Close() }) // of a pad that came meanwhile
	b := last.Books
	s.e.Log(gst.LevelInfo, "accepted %d frames, %d are stored, %d dropped", b.Accepted.Frames, b.Persisted.Frames, b.DroppedAll().Frames)
}

// changed applies properties that may be written while the stream runs.
func (s *element) changed(string) {
	if session := s.current(); session != nil {
		session.tune(s.settings.Get())
	}
}

// ReadProperty gives the stats: of the stream now, or of the last one.
func (s *element) ReadProperty(string) any {
	s.mu.Lock()
	session, last := s.session, s.last
	s.mu.Unlock()
	if session == nil {
		return statsStructure(last, nil)
	}
	return statsStructure(session.Stats(), session)
}

func (s *element) current() *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session
}

func (s *element) padFor(g *gst.Pad) *pad {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pads {
		if p.p != nil && p.p.Same(g) {
			return p
		}
	}
	return nil
}

func (s *element) forget(p *pad) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pads = slices.DeleteFunc(s.pads, func(o *pad) bool { return o == p })
}

// comingOf is the track of a kind of which frames come, or are on their way; nil: none do.
func (s *element) comingOf(kind mkv.TrackType) *description {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pads {
		if p.kind == kind {
			return p.latest.Load()
		}
	}
	return nil
}
