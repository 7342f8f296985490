package kinesisvideosink

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/kvsproducer"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/putmedia"
	"gst-kinesis/internal/uplink"
)

// Piece is a fragment as it came to a service, whichever there was; frames' bytes by their FNV-1a.
type Piece struct {
	MS     int64
	Tags   []string // NAME=VALUE
	Tracks int
	Frames []PieceFrame
}

// PieceFrame is a frame of it.
type PieceFrame struct {
	Track uint64
	MS    int64
	Sum   string
}

// SumOf is how a frame's bytes are named.
func SumOf(data []byte) string {
	h := fnv.New64a()
	h.Write(data)
	return fmt.Sprintf("%016x", h.Sum64())
}

// SDKFake is a video stream in memory behind what looks like AWS's SDK, or an endpoint of the stand-in for it.
type SDKFake struct {
	Endpoint string // the stand-in's; empty: in memory
	Denied   bool   // the service knows us not
	Mute     bool   // it acknowledges nothing

	mu     sync.Mutex
	pieces []Piece
	Opened []kvsproducer.Settings
}

// SDKFakes are those there are, by stream-name.
var SDKFakes sdkFakes

type sdkFakes struct {
	mu    sync.Mutex
	named map[string]*SDKFake
}

// Add adds one.
func (f *sdkFakes) Add(name string, s *SDKFake) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.named == nil {
		f.named = map[string]*SDKFake{}
	}
	f.named[name] = s
}

func (f *sdkFakes) find(name string) *SDKFake {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.named[name]
}

// SDKFakeClass is the element with engine=sdk over SDKFakes: with the SDK, or the stand-in, that is built in where they have an endpoint.
func SDKFakeClass() *gst.Class {
	dial := func(o *opening) (way, func(), error) {
		f := SDKFakes.find(o.spec.Name)
		if f == nil {
			return way{}, nil, errors.New("there is no fake of that name")
		}
		o.aws.EndpointURI = f.Endpoint
		return way{client: &sdkFakeClient{f: f}, region: "nowhere", credentials: credentials.NewStaticCredentialsProvider("k", "s", "t")}, func() {}, nil
	}
	open := func(ctx context.Context, set kvsproducer.Settings, events func(kvsproducer.Event)) (stream, error) {
		f := SDKFakes.find(set.Stream)
		f.mu.Lock()
		f.Opened = append(f.Opened, set)
		f.mu.Unlock()
		if f.Endpoint != "" {
			return openStream(ctx, set, events)
		}
		return newSDKStream(f, set, events), nil
	}
	c := class(map[string]opener{engineSDK: sdkBy(dial, open)}, Shared{Uplinks: new(uplink.Links), Metrics: new(metrics.Registry)})
	c.Factory, c.Type = "kvssdkfake", "GstKinesisVideoSDKFake"
	return c
}

type sdkFakeClient struct {
	putmedia.Client
	f *SDKFake
}

func (c *sdkFakeClient) Locate(context.Context) (putmedia.Place, error) {
	if c.f.Denied {
		return putmedia.Place{}, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}
	}
	return putmedia.Place{Endpoint: "http://fake", Retention: time.Hour}, nil
}

func (c *sdkFakeClient) RefreshCredentials() {}

// Pieces are what came so far.
func (f *SDKFake) Pieces() []Piece {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Piece(nil), f.pieces...)
}

// Settings are those that streams were opened with.
func (f *SDKFake) Settings() []kvsproducer.Settings {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]kvsproducer.Settings(nil), f.Opened...)
}

// sdkStream makes fragments as the SDK does, and acknowledges them.
type sdkStream struct {
	f      *SDKFake
	set    kvsproducer.Settings
	events chan kvsproducer.Event
	done   chan struct{}

	mu     sync.Mutex
	closed bool
	open   bool
	begun  bool
	tags   []string
	sent   uint64
}

func newSDKStream(f *SDKFake, set kvsproducer.Settings, events func(kvsproducer.Event)) *sdkStream {
	s := &sdkStream{f: f, set: set, events: make(chan kvsproducer.Event, 1000), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for e := range s.events {
			events(e)
		}
	}()
	return s
}

func (s *sdkStream) Put(f kvsproducer.Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return kvsproducer.ErrClosed
	}
	if !f.Key && !s.open {
		return errors.New("no key frame")
	}
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if f.Key {
		s.finish()
		s.f.pieces = append(s.f.pieces, Piece{MS: f.PTS.Milliseconds(), Tags: s.tags, Tracks: len(s.set.Tracks)})
		s.tags, s.open, s.begun = nil, true, true
		s.ack(kvsproducer.Buffering)
	}
	p := &s.f.pieces[len(s.f.pieces)-1]
	p.Frames = append(p.Frames, PieceFrame{Track: f.Track, MS: f.PTS.Milliseconds(), Sum: SumOf(f.Data)})
	s.sent += uint64(len(f.Data))
	return nil
}

func (s *sdkStream) finish() {
	if s.open {
		s.ack(kvsproducer.Received)
		s.ack(kvsproducer.Persisted)
		s.open = false
	}
}

func (s *sdkStream) ack(kind kvsproducer.AckType) {
	if n := len(s.f.pieces); !s.f.Mute {
		at := time.Duration(s.f.pieces[n-1].MS) * time.Millisecond
		s.events <- kvsproducer.Event{Kind: kvsproducer.Ack, Ack: kind, Timecode: at, Fragment: fmt.Sprint(n)}
	}
}

func (s *sdkStream) EndFragment() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.finish()
	return nil
}

func (s *sdkStream) AddMetadata(name, value string, _ bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tags = append(s.tags, name+"="+value)
	return nil
}

func (s *sdkStream) AddEvent(signal kvsproducer.Signal, _ string, pairs []kvsproducer.Tag) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun {
		return errors.New("no frame came yet")
	}
	s.tags = append(s.tags, fmt.Sprintf("signal=%d", signal))
	for _, p := range pairs {
		s.tags = append(s.tags, p.Name+"="+p.Value)
	}
	return nil
}

func (s *sdkStream) Stats() (kvsproducer.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return kvsproducer.Stats{Bytes: s.sent}, nil
}

func (s *sdkStream) Close(context.Context) error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		s.f.mu.Lock()
		s.finish()
		s.f.mu.Unlock()
		close(s.events)
	}
	s.mu.Unlock()
	<-s.done
	return nil
}
