// Package kinesissink is the sink that writes each buffer as a record to an Amazon Kinesis data stream.
//
//	gst-launch-1.0 videotestsrc is-live=true ! jpegenc ! msgpackenc sensor-name=north !
//	  kinesissink stream-name=frames region=eu-central-1
//
// The element is thin: it copies the payload once into a record of internal/producer, which batches, sends, retries and keeps the books. What the
// producer tells comes back to the bus in report.go. Sequence numbers are logged at INFO: GST_DEBUG=kinesissink:4.
package kinesissink

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/control"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/metrics/datastream"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/uplink"
	"gst-kinesis/plugins/internal/bus"
)

// Shared is what the elements of a process share.
type Shared struct {
	Limits  *limit.Registry   // of the streams' shards
	Uplinks *uplink.Links     // by bandwidth-group
	Metrics *metrics.Registry // by metrics-address
}

// Class describes the element.
func Class(shared Shared) *gst.Class { return class(dial, shared) }

// dialer opens the way to the service.
type dialer func(settings awscfg.Settings, stream awscfg.Stream) (way, error)

// way is what a session needs of the service.
type way interface {
	producer.Client
	control.ShardLister
	control.Describer
	Region() string
	CheckCredentials(context.Context) error
	RefreshCredentials()
	Close()
}

// dial opens the way to AWS, or to what endpoint-uri says.
func dial(settings awscfg.Settings, stream awscfg.Stream) (way, error) {
	session, err := awscfg.Open(context.Background(), settings, stream)
	if err != nil {
		return nil, err
	}
	return struct {
		*kinesis.Client
		*awscfg.Session
	}{session.Kinesis(), session}, nil
}

func class(dial dialer, shared Shared) *gst.Class {
	return &gst.Class{
		Factory: "kinesissink", Type: "GstKinesisSink", LongName: "Amazon Kinesis Data Streams sink", Klass: "Sink/Network",
		Description: "Writes each buffer as a record to an Amazon Kinesis data stream",
		Author:      "gst-kinesis",
		Kind:        gst.KindSink,
		Lists:       true,
		Inbox:       true,
		Pads:        []gst.PadTemplate{{Name: "sink", Direction: gst.PadSink, Presence: gst.PadAlways, Caps: "ANY"}},
		Properties:  properties,
		URI:         &gst.URISpec{Sink: true, Protocols: []string{scheme}},
		New: func(e *gst.Element) any {
			s := &element{e: e, dial: dial, shared: shared, settings: gst.NewStore(e, properties)}
			s.settings.Changed = s.changed
			return s
		},
	}
}

// element: sensor belongs to the goroutine of Render, and to the streaming thread when that has settled; everything else is safe from any.
type element struct {
	e        *gst.Element
	dial     dialer
	shared   Shared
	settings *gst.Store[Settings]

	sensor string // of the caps, or as set

	mu      sync.Mutex // never held across a call into the producer or C
	session *session   // nil: stopped
	last    producer.Stats
}

// Start opens the way to the service without speaking to it; what is wrong is found by the producer, off this thread.
func (s *element) Start() error {
	settings := s.settings.Get()
	stream, err := awscfg.StreamOf(settings.StreamName, settings.StreamARN)
	if err != nil {
		return bus.Settings(err)
	}
	reporter := newReporter(s.e, settings)
	aws, err := settings.aws(stream, func(text string) { reporter.Noticed(producer.Notice{Text: text}) })
	if err != nil {
		return bus.Settings(err)
	}
	uplink := s.shared.Uplinks.Join(settings.BandwidthGroup)
	aws.Conn = uplink.Conn
	way, err := s.dial(aws, stream)
	if err != nil {
		uplink.Leave()
		return bus.Settings(err)
	}
	s.sensor = cmp.Or(settings.SensorName, s.e.Name())
	session := &session{way: way, uplink: uplink, settings: settings, word: reporter.word, wait: bus.NewCanceller(), drain: bus.NewCanceller()}
	session.tune(settings)
	if err := s.begin(session, stream, aws, reporter); err != nil {
		way.Close()
		uplink.Leave()
		return bus.Settings(err)
	}
	s.mu.Lock()
	s.session = session
	s.mu.Unlock()
	s.e.Inbox().SetPrompt(settings.SpoolDirectory != "") // what upstream has given is in the spool
	session.tune(s.settings.Get())                       // what was changed meanwhile
	if text := settings.mixesOrder(); text != "" {
		s.e.PostWarning(&gst.Error{Code: gst.ResourceSettings, Text: text})
	}
	s.e.Log(gst.LevelInfo, "writing to stream %s in %s", stream, way.Region())
	return nil
}

// changed applies properties that may be written while the stream runs.
func (s *element) changed(string) {
	if session := s.current(); session != nil {
		session.tune(s.settings.Get())
	}
}

// begin starts the session and shows its figures where the properties say.
func (s *element) begin(session *session, stream awscfg.Stream, aws awscfg.Settings, reporter *reporter) error {
	var err error
	if session.member, err = s.shared.Metrics.Join(session.settings.metrics(reporter)); err != nil {
		return err
	}
	if err := session.begin(stream, aws, s.shared.Limits, reporter, slog.New(gst.NewLogHandler(s.e))); err != nil {
		session.member.Leave()
		return err
	}
	session.member.Publish(datastream.New(session.producer, datastream.Names{
		Stream: stream.Name, Region: session.way.Region(), Sensor: s.sensor, Element: s.e.Name(),
	}))
	if url := session.member.URL(); url != "" {
		reporter.Noticed(producer.Notice{Text: "metrics are at " + url})
	}
	return nil
}

// SetCaps learns the sensor's name where upstream gives it.
func (s *element) SetCaps(in, _ gst.Caps) error {
	if in.IsAny() || in.IsEmpty() {
		return nil
	}
	if session := s.current(); session != nil && session.field.place == fieldOfCaps {
		session.field.value = textOf(in.Structure(0).Get(session.field.path))
	}
	if s.settings.Get().SensorName != "" {
		return nil
	}
	if name := in.Structure(0).Str("sensor-name"); name != "" {
		s.sensor = name
	}
	return nil
}

// TryRender copies the payload into a record and gives it to the producer, if that has room.
func (s *element) TryRender(v *gst.View) (gst.Flow, bool) {
	session := s.current()
	err := session.put(s.sensor, v, session.producer.TryPut)
	if errors.Is(err, producer.ErrWouldBlock) {
		return gst.FlowOK, false
	}
	return s.flow(session, err), true
}

// Render does it too, and waits for room where the producer lets it.
func (s *element) Render(v *gst.View) gst.Flow {
	session := s.current()
	return s.flow(session, session.put(s.sensor, v, func(r *producer.Record) error { return session.producer.Put(session.wait.Context(), r) }))
}

// flow is what upstream hears of a Put.
func (s *element) flow(session *session, err error) gst.Flow {
	switch {
	case err == nil:
		return gst.FlowOK
	case errors.Is(err, producer.ErrFailed):
		session.word.Await(session.wait.Context())
		return gst.FlowError
	case errors.Is(err, producer.ErrOversize):
		s.e.PostError(&gst.Error{Code: gst.ResourceWrite, Text: bus.Sentence(err) + " Send smaller buffers, raise max-record-size if the stream takes " +
			"larger records, or set oversize to drop or split."})
		return gst.FlowError
	}
	return gst.FlowFlushing
}

// Event drains at the end of the stream, before the base class says that it ended, and learns at a new segment who feeds it.
func (s *element) Event(ev gst.Event) bool {
	session := s.current()
	switch ev.Type() {
	case gst.EventEOS:
		if session != nil {
			s.drain(session)
		}
	case gst.EventFlushStart:
		if session != nil {
			s.unblock(session)
		}
	case gst.EventFlushStop:
		if session != nil {
			session.wait.Renew()
			session.drain.Renew()
			s.e.Inbox().Resume(gst.FlowFlushing)
		}
	case gst.EventSegment:
		ok := s.e.ParentEvent(ev)
		if live, known := s.e.UpstreamLive(); known && session != nil {
			session.producer.SetLeaky(session.settings.leaky(live))
		}
		return ok
	}
	return s.e.ParentEvent(ev)
}

// drain waits until what was accepted is accounted for. What goes wrong meanwhile the producer has told already.
func (s *element) drain(session *session) {
	s.e.PostProgress(gst.ProgressStart, "drain", "Waiting for the records that are left")
	if err := session.producer.Flush(session.drain.Context()); err != nil {
		s.e.Log(gst.LevelWarning, "draining: %v", err)
		s.e.PostProgress(gst.ProgressCanceled, "drain", bus.Sentence(err))
		return
	}
	s.e.PostProgress(gst.ProgressComplete, "drain", "All records are accounted for")
}

// Unlock ends what blocks before the sink goes down. A pause ends only the streaming thread's waiting for the inbox, which is not in Go.
func (s *element) Unlock(flushing bool) {
	session := s.current()
	if next := s.e.NextState(); session != nil && flushing && (next == gst.StateReady || next == gst.StateNull) {
		s.unblock(session)
	}
}

// settleTimeout is how long the inbox may take to become empty before what blocks Render is ended.
const settleTimeout = 100 * time.Millisecond

// unblock ends a drain, and Render's waiting for room. Where nothing blocks, what is in the inbox is not lost.
func (s *element) unblock(session *session) {
	session.drain.Cancel()
	s.e.Inbox().SettleWithin(settleTimeout)
	session.wait.Cancel()
}

// Stop ends the producer; what it could not deliver within stop-timeout is counted as dropped.
func (s *element) Stop() {
	session := s.current()
	if session == nil {
		return
	}
	session.producer.Close()
	session.member.Leave()
	session.leave()
	session.way.Close()
	session.uplink.Leave()
	if err := session.places.Close(); err != nil {
		s.e.PostWarning(&gst.Error{Code: gst.ResourceWrite, Text: bus.Sentence(err)})
	}
	last := session.producer.Stats()
	s.mu.Lock()
	s.session, s.last = nil, last
	s.mu.Unlock()
	b := last.Books
	s.e.Log(gst.LevelInfo, "accepted %d records, delivered %d, dropped %d", b.Accepted.Records, b.Delivered.Records, b.DroppedAll().Records)
}

// ReadProperty gives the stats: of the stream now, or of the last one.
func (s *element) ReadProperty(string) any {
	s.mu.Lock()
	session, last := s.session, s.last
	s.mu.Unlock()
	if session != nil {
		last = session.producer.Stats()
	}
	return statsStructure(s.e.BaseSinkStats(), last)
}

func (s *element) current() *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session
}
