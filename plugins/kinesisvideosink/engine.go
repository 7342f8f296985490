package kinesisvideosink

import (
	"context"
	"errors"
	"net"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/putmedia"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/uplink"
)

// engine takes frames to the service. What it does is as putmedia.Stream says, which is one: Put accounts for the frame, waits only where that
// was asked for, and what becomes of it the observer hears, from goroutines of the engine. All methods are safe for concurrent use.
type engine interface {
	SetTracks(tracks []mkv.Track) error
	Reserve(size int) *putmedia.Frame
	Release(f *putmedia.Frame)
	Put(ctx context.Context, f *putmedia.Frame) error
	AddMetadata(name, value string, persist bool) error
	AddEvent(e putmedia.Event) error
	Flush(ctx context.Context) error
	Close()
	Stats() putmedia.Stats
}

// opening is what an engine is opened with. It has not spoken to the service when it is open, and what is wrong there it tells the observer.
type opening struct {
	settings   putmedia.Settings
	properties Settings // as they were set
	spec       putmedia.Spec
	aws        awscfg.Settings
	observer   putmedia.Observer
	uplink     *uplink.Share
	spool      *spool.Spool // nil: none
}

// opener opens an engine; the region is the one that was settled on. close is called after the engine's Close.
type opener func(o *opening) (e engine, close func(), err error)

// dialer gives the way to the service, and the region.
type dialer func(o *opening) (client putmedia.Client, region string, close func(), err error)

// dial gives the way to AWS, or to what endpoint-uri says.
func dial(o *opening) (putmedia.Client, string, func(), error) {
	session, err := openSession(o)
	if err != nil {
		return nil, "", nil, err
	}
	service := putmedia.NewService(session, o.spec)
	return service, session.Region(), func() { service.Close(); session.Close() }, nil
}

// openSession settles on credentials and a region, without speaking to AWS.
func openSession(o *opening) (*awscfg.Session, error) {
	stream := awscfg.Stream{Name: o.spec.Name}
	session, err := awscfg.Open(context.Background(), o.aws, stream)
	if errors.Is(err, awscfg.ErrNoRegion) { // as kvssink has it
		o.aws.Region = defaultRegion
		session, err = awscfg.Open(context.Background(), o.aws, stream)
	}
	return session, err //nolint:wrapcheck // it says what it is about
}

// native opens gst-kinesis' own engine.
func native(dial dialer) opener {
	return func(o *opening) (engine, func(), error) {
		o.aws.Conn = func(c net.Conn) net.Conn { return o.uplink.Conn(c) }
		client, region, closeClient, err := dial(o)
		if err != nil {
			return nil, nil, err
		}
		o.settings.Region = region
		options := []putmedia.Option{putmedia.WithUplink(o.uplink)}
		if o.spool != nil {
			options = append(options, putmedia.WithSpool(o.spool))
		}
		stream, err := putmedia.New(client, o.settings, o.observer, options...)
		if err != nil {
			closeClient()
			return nil, nil, err
		}
		return stream, closeClient, nil
	}
}
