package kvsproducer

import (
	"errors"
	"fmt"
	"time"
)

// ErrNotBuilt is what Open answers where the SDK is not built in.
var ErrNotBuilt = errors.New("AWS's producer SDK is not built in: build with -tags kvsproducer where pkg-config finds libcproducer, libkvsCommonCurl and libkvspic; " +
	"how to build these: https://github.com/awslabs/amazon-kinesis-video-streams-producer-c#build")

// ErrClosed is what a Stream answers from Close on.
var ErrClosed = errors.New("the stream is closed")

// Mode is how the SDK treats frames that it cannot send yet.
type Mode int

const (
	Realtime     Mode = iota // frames leave at once; the oldest are dropped when the store is full
	NearRealtime             // as Realtime, and replayed from where acknowledgements stopped
	Offline                  // Put blocks while the store is full; needs a retention and acknowledgements
)

// TrackType is a track's type as Matroska numbers it.
type TrackType int

const (
	Video TrackType = 1
	Audio TrackType = 2
)

// Track is one track of the stream.
type Track struct {
	ID      uint64 // from 1 on, unique
	Type    TrackType
	Codec   string // Matroska's: V_MPEG4/ISO/AVC, V_MPEGH/ISO/HEVC, A_AAC, A_MS/ACM; at most 32 bytes
	Name    string // at most 32 bytes
	Private []byte // Matroska's CodecPrivate: avcC, hvcC, AudioSpecificConfig; may come later, by SetCodec, before the first frame
	Width   int    // pixels, of a video track; 0: the SDK reads the private data
	Height  int
	Rate    float64 // Hz, of an audio track
	Chans   int
	Bits    int
}

// Tag is a tag of the stream as a resource.
type Tag struct{ Name, Value string }

// LogLevel is the SDK's.
type LogLevel int

const (
	LogVerbose LogLevel = iota + 1
	LogDebug
	LogInfo
	LogWarn
	LogError
	LogFatal
	LogSilent
)

// Settings are what a Stream is opened with; Defaults gives those of AWS's own element.
type Settings struct {
	Stream      string // at most 256 bytes
	ContentType string // empty: video/h264 and the like, by the tracks
	Endpoint    string // the control plane's URL; empty: the region's
	Region      string
	AccessKey   string
	SecretKey   string
	Token       string
	CAPath      string // a file of certificates; empty: the SDK's own place
	UserAgent   string // appended to the SDK's
	KMSKey      string // ARN, for a stream that is made

	Mode      Mode
	Create    bool          // make the stream if it is not there
	Retention time.Duration // of a stream that is made; 0, or an hour or more
	Tags      []Tag         // at most 50
	Tracks    []Track       // 1 to 3

	Storage   uint64        // bytes that the frames may take, 10 MiB to 10 GiB
	Buffer    time.Duration // of frames that are kept at most
	Replay    time.Duration // how far to go back after a connection is lost
	Latency   time.Duration // from this much not yet sent on, the latency event comes and the connection is made anew; 0: never
	Staleness time.Duration // without a BUFFERING for so long, the stale event comes and the connection is made anew; 0: never
	Fragment  time.Duration // a fragment's length, where key frames do not begin them
	Timecode  time.Duration // the unit of Matroska's times; 0: 1 ms
	Bandwidth uint32        // bit/s, average; sizes the SDK's index
	FrameRate uint32        // 1/s; sizes the SDK's index; 0: the SDK's default

	KeyFrames      bool // a key frame begins a fragment
	FrameTimecodes bool // the frames' own times, not those of their arrival
	Absolute       bool // times since 1970, not since the stream's start
	Acks           bool // ask for acknowledgements
	Recover        bool // go on after errors that allow it
	Metrics        bool // keep the rates of Stats up to date
	Continuous     bool // do not end a fragment after 20 s without frames
	Ordered        bool // frames of several tracks come as they are to be sent, with DTS that do not go back: the SDK holds none back to put them in order

	OpenTimeout time.Duration // the longest that opening takes at the service; a nearer deadline of Open's context counts
	StopTimeout time.Duration // the longest that closing waits for the last acknowledgement
	Log         LogLevel
	Queue       int // events that may wait for their reader; beyond it they are counted in Stats.EventsLost
}

// Defaults are the settings of AWS's own element (kvssink), with no log and an hour's room for events.
func Defaults() Settings {
	return Settings{
		Region: "us-west-2", Mode: Realtime, Create: true, Retention: 2 * time.Hour,
		Storage: 128 << 20, Buffer: 120 * time.Second, Replay: 40 * time.Second, Latency: 60 * time.Second, Staleness: 60 * time.Second,
		Fragment: 2 * time.Second, Timecode: time.Millisecond, Bandwidth: 4 << 20, FrameRate: 25,
		KeyFrames: true, FrameTimecodes: true, Absolute: true, Acks: true, Recover: true, Metrics: true,
		OpenTimeout: 30 * time.Second, StopTimeout: 120 * time.Second, Log: LogWarn, Queue: 8192,
	}
}

// The SDK's bounds.
const (
	maxName    = 256
	maxCodec   = 32
	maxTracks  = 3
	maxTags    = 50
	minStorage = 10 << 20
	maxStorage = 10 << 30
	maxPrivate = 1 << 20
)

// Check says what of the settings the SDK would not take, before it is asked.
func (s *Settings) Check() error {
	switch {
	case s.Stream == "" || len(s.Stream) > maxName:
		return fmt.Errorf("the stream's name %q must have 1 to %d bytes", s.Stream, maxName)
	case s.AccessKey == "" || s.SecretKey == "":
		return errors.New("AWS's SDK needs an access key and a secret key: the chain of credentials must have been asked before")
	case s.Region == "" && s.Endpoint == "":
		return errors.New("AWS's SDK needs a region or an endpoint")
	case s.Retention != 0 && s.Retention < time.Hour:
		return fmt.Errorf("a retention of %v is too short: give 0, or an hour or more", s.Retention)
	case s.Mode == Offline && (s.Retention == 0 || !s.Acks):
		return errors.New("offline streaming needs a retention and acknowledgements")
	case s.Storage < minStorage || s.Storage > maxStorage:
		return fmt.Errorf("a storage of %d bytes is out of range: give 10 MiB to 10 GiB", s.Storage)
	case s.Buffer <= 0:
		return fmt.Errorf("a buffer duration of %v: give more than 0", s.Buffer)
	case s.Replay < 0 || s.Replay > s.Buffer:
		return fmt.Errorf("a replay duration of %v: give 0 to the buffer duration, %v", s.Replay, s.Buffer)
	case s.Queue <= 0:
		return fmt.Errorf("a queue of %d events: give 1 or more", s.Queue)
	case s.OpenTimeout <= 0 || s.StopTimeout <= 0:
		return errors.New("the timeouts of opening and stopping must be more than 0")
	case len(s.Tags) > maxTags:
		return fmt.Errorf("%d tags: at most %d", len(s.Tags), maxTags)
	}
	return checkTracks(s.Tracks)
}

func checkTracks(tracks []Track) error {
	if len(tracks) == 0 || len(tracks) > maxTracks {
		return fmt.Errorf("%d tracks: give 1 to %d", len(tracks), maxTracks)
	}
	seen := map[uint64]bool{}
	for _, t := range tracks {
		switch {
		case t.ID == 0 || seen[t.ID]:
			return fmt.Errorf("track %d: the numbers must be unique, from 1 on", t.ID)
		case t.Type != Video && t.Type != Audio:
			return fmt.Errorf("track %d: it must be video or audio", t.ID)
		case t.Codec == "" || len(t.Codec) > maxCodec || len(t.Name) > maxCodec:
			return fmt.Errorf("track %d: codec %q and name %q may have %d bytes, and there must be a codec", t.ID, t.Codec, t.Name, maxCodec)
		case len(t.Private) > maxPrivate:
			return fmt.Errorf("track %d: %d bytes of private data: at most %d", t.ID, len(t.Private), maxPrivate)
		}
		seen[t.ID] = true
	}
	return nil
}
