package kinesisvideosink

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gst-kinesis/cgo/kvsproducer"
	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/putmedia"
)

// The engine of AWS's producer SDK for C: a putmedia.Delegate decides where fragments begin, finds the stream and keeps the books, and
// cgo/kvsproducer sends. It is there in builds with the tag kvsproducer.

// sdk opens it.
func sdk(o *opening) (engine, func(), error) {
	if !kvsproducer.Built {
		return nil, nil, fmt.Errorf("engine=sdk: %w; or leave engine=native", kvsproducer.ErrNotBuilt)
	}
	return sdkBy(dialSDK, openStream)(o)
}

// way is how the service is reached, and as whom.
type way struct {
	client      putmedia.Client // finds the stream
	region      string
	credentials aws.CredentialsProvider
}

// dialSDK gives the way to AWS, or to what endpoint-uri says.
func dialSDK(o *opening) (way, func(), error) {
	session, err := openSession(o)
	if err != nil {
		return way{}, nil, err
	}
	service := putmedia.NewService(session, o.spec)
	closeAll := func() { service.Close(); session.Close() }
	return way{client: service, region: session.Region(), credentials: session.Config().Credentials}, closeAll, nil
}

// stream is an open stream of the SDK.
type stream interface {
	Put(f kvsproducer.Frame) error
	EndFragment() error
	AddMetadata(name, value string, persist bool) error
	AddEvent(signal kvsproducer.Signal, prefix string, pairs []kvsproducer.Tag) error
	Stats() (kvsproducer.Stats, error)
	Close(ctx context.Context) error
}

// openStream opens one.
func openStream(ctx context.Context, set kvsproducer.Settings, events func(kvsproducer.Event)) (stream, error) {
	return kvsproducer.Open(ctx, set, events)
}

// sdkBy opens the engine over a way to the service and something that opens streams.
func sdkBy(dial func(*opening) (way, func(), error), open func(context.Context, kvsproducer.Settings, func(kvsproducer.Event)) (stream, error)) opener {
	return func(o *opening) (engine, func(), error) {
		w, closeWay, err := dial(o)
		if err != nil {
			return nil, nil, err
		}
		o.settings.Region = w.region
		set := o.sdk()
		set.Region = w.region
		client := &sdkClient{way: w, open: open, set: set, hear: func(kvsproducer.Event) {}}
		if r, ok := o.observer.(*reporter); ok {
			client.hear = r.heard
		}
		d, err := putmedia.NewDelegate(client, o.settings, set.Buffer, o.observer)
		if err != nil {
			closeWay()
			return nil, nil, err
		}
		return d, closeWay, nil
	}
}

// sdkClient opens streams of the SDK for a Delegate.
type sdkClient struct {
	way
	open func(context.Context, kvsproducer.Settings, func(kvsproducer.Event)) (stream, error)
	set  kvsproducer.Settings // but for credentials and tracks
	hear func(kvsproducer.Event)

	keeps atomic.Int64 // the stream's retention, as a Duration
}

// Locate finds the stream, or makes it.
func (c *sdkClient) Locate(ctx context.Context) (putmedia.Place, error) {
	place, err := c.client.Locate(ctx)
	c.keeps.Store(int64(place.Retention))
	return place, err //nolint:wrapcheck // it says what it is about
}

// RefreshCredentials forgets cached credentials.
func (c *sdkClient) RefreshCredentials() { c.client.RefreshCredentials() }

// Open opens a stream with the credentials that there are now.
func (c *sdkClient) Open(ctx context.Context, tracks []mkv.Track, report func(putmedia.Report)) (putmedia.Producer, time.Time, error) {
	credentials, err := c.credentials.Retrieve(ctx)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("asking for credentials: %w", err)
	}
	set := c.set
	set.AccessKey, set.SecretKey, set.Token = credentials.AccessKeyID, credentials.SecretAccessKey, credentials.SessionToken
	set.Retention = time.Duration(c.keeps.Load())
	for _, t := range tracks {
		set.Tracks = append(set.Tracks, kvsproducer.Track{
			ID: t.Number, Type: kvsproducer.TrackType(t.Type), Codec: t.CodecID, Name: t.Name, Private: t.CodecPrivate,
			Width: t.Width, Height: t.Height, Rate: t.SamplingFrequency, Chans: t.Channels, Bits: t.BitDepth,
		})
		if t.Type == mkv.Audio {
			set.FrameRate += audioRate
		}
	}
	if err := set.Check(); err != nil {
		return nil, time.Time{}, &awserr.Known{Err: err, Fault: awserr.Fault{Class: awserr.Permanent, Party: awserr.Caller, Code: codeSettings,
			Message: "opening AWS's SDK: " + err.Error(), Remedy: "set the property that it names, or engine=native"}}
	}
	p := &sdkProducer{}
	s, err := c.open(ctx, set, func(e kvsproducer.Event) {
		c.hear(e)
		r, ok := reportOf(e)
		if ok {
			report(r)
		}
		if ok && r.Kind == putmedia.ReportAck {
			p.count()
		}
	})
	if err != nil {
		return nil, time.Time{}, sdkError(err)
	}
	p.stream = s
	p.opened.Store(true)
	if credentials.CanExpire {
		return p, credentials.Expires, nil
	}
	return p, time.Time{}, nil
}

// sdkProducer is a stream of the SDK.
type sdkProducer struct {
	stream stream
	opened atomic.Bool // the stream is there
	sent   atomic.Int64
}

// Put gives a frame. What the SDK takes for a key frame is what begins a fragment.
func (p *sdkProducer) Put(f *putmedia.Frame, begins bool) error {
	return sdkError(p.stream.Put(kvsproducer.Frame{
		Track: f.Track, PTS: time.Duration(f.PTS), DTS: time.Duration(f.DTS), Key: begins, Data: f.Data,
	}))
}

// EndFragment ends the fragment.
func (p *sdkProducer) EndFragment() error { return sdkError(p.stream.EndFragment()) }

// Tag adds a tag to the next fragment.
func (p *sdkProducer) Tag(t mkv.Tag) error {
	return sdkError(p.stream.AddMetadata(t.Name, t.Value, false))
}

// Signal adds an event to the next fragment.
func (p *sdkProducer) Signal(e putmedia.Event) error {
	var signal kvsproducer.Signal
	if e.Image {
		signal |= kvsproducer.GenerateImage
	}
	if e.Notify {
		signal |= kvsproducer.Notify
	}
	pairs := make([]kvsproducer.Tag, 0, len(e.Fields))
	for _, f := range e.Fields {
		pairs = append(pairs, kvsproducer.Tag{Name: f.Name, Value: f.Value})
	}
	return sdkError(p.stream.AddEvent(signal, e.Prefix, pairs))
}

// Sent is what the SDK had sent at the last acknowledgement: to ask it takes its lock.
func (p *sdkProducer) Sent() int64 { return p.sent.Load() }

// count asks the SDK what it has sent.
func (p *sdkProducer) count() {
	if !p.opened.Load() {
		return
	}
	if s, err := p.stream.Stats(); err == nil {
		p.sent.Store(int64(s.Bytes)) //nolint:gosec // a count
	}
}

// Close stops it, and waits until the SDK has let go.
func (p *sdkProducer) Close() {
	p.count()
	_ = p.stream.Close(context.Background()) // what it had not stored is booked already
}

// audioRate is how many frames of audio a second the SDK's index is made for.
const audioRate = 100

// leastRate is that of video at least: the SDK keeps buffer-duration of so many.
const leastRate = 60

// leastStop is the shortest time that the SDK takes for stopping.
const leastStop = time.Second

// sdk gives the settings as the SDK takes them. The stream is found, made and tagged before.
func (o *opening) sdk() kvsproducer.Settings {
	p, set := &o.properties, kvsproducer.Defaults()
	set.Stream, set.Endpoint, set.CAPath, set.UserAgent = p.StreamName, o.aws.EndpointURI, o.aws.CAFile, p.AWS.UserAgent
	set.Create, set.KMSKey = false, ""
	switch p.StreamingType {
	case nearRealtime:
		set.Mode = kvsproducer.NearRealtime
	case offline:
		set.Mode = kvsproducer.Offline
	}
	set.Storage = uint64(p.StorageSize) << 20
	set.Buffer, set.Replay = duration(p.Ignored.BufferDuration), duration(p.Ignored.ReplayDuration)
	set.Staleness = duration(p.Staleness)
	set.Latency = 0 // with B-frames the SDK takes a step back for an age without end, and breaks a connection that works
	set.Bandwidth, set.FrameRate = p.Ignored.AvgBandwidth, max(p.Ignored.Framerate, leastRate)
	set.StopTimeout = max(duration(p.StopTimeout), leastStop)
	set.Continuous, set.Ordered = true, true // the Delegate ends fragments, and puts the tracks in order
	return set
}

// errProperty is wrapped by what is said of a property that the SDK has no use for.
var errProperty = errors.New("engine=sdk")

// checkSDK says which property AWS's SDK cannot do as it says.
func (s *Settings) checkSDK() error {
	const memory, bandwidth = "AWS's SDK keeps frames in memory only", "AWS's SDK sends as fast as it can"
	d := &defaults
	for _, c := range []struct {
		property string
		refused  bool
		why      string
	}{
		{"spool-directory", s.SpoolDirectory != "", memory},
		{"spool-max-bytes", s.SpoolMaxBytes != d.SpoolMaxBytes, memory},
		{"spool-max-age", s.SpoolMaxAge != d.SpoolMaxAge, memory},
		{"spool-sync", s.SpoolSync != d.SpoolSync, memory},
		{"outage", s.Outage != d.Outage && (s.StreamingType != offline || s.Outage != putmedia.Block.String()),
			"AWS's SDK drops the oldest frames, and blocks with streaming-type=offline"},
		{"max-bandwidth", s.MaxBandwidth != 0, bandwidth},
		{"bandwidth-group", s.BandwidthGroup != "", bandwidth},
		{"priority", s.Priority != 0, bandwidth},
		{"max-latency", s.MaxLatency != d.MaxLatency, "AWS's SDK reckons it wrong where there are B-frames; connection-staleness finds connections that are dead"},
		{"rotation-period", s.RotationPeriod != d.RotationPeriod, "AWS's SDK changes its connection by itself, every 40 minutes at the latest"},
		{"proxy", s.AWS.Proxy != "", "AWS's SDK takes it from the environment alone (HTTPS_PROXY, NO_PROXY)"},
		{"absolute-fragment-times", !s.AbsoluteTimes, "AWS's SDK tells the service a wrong beginning of relative times, by up to 0.9 s"},
		{"fragment-acks", !s.Acks, "without acknowledgements AWS's SDK does not say what it has sent"},
		{"timecode-scale", s.Ignored.TimecodeScale != 1, "fragments are known by their times in ms"},
		{"frame-timecodes", !s.Ignored.FrameTimecodes, "fragments are known by the times of their frames"},
	} {
		if c.refused {
			return fmt.Errorf("%w: %s: %s; leave %s out, or set engine=native", errProperty, c.property, c.why, c.property)
		}
	}
	return s.checkSDKValues()
}
