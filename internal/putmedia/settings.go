package putmedia

import (
	"errors"
	"fmt"
	"time"
)

// Timecodes says what the fragments' times count from.
type Timecodes int8

const (
	// Absolute timecodes count from 1970.
	Absolute Timecodes = iota
	// Relative timecodes count from the beginning of their session.
	Relative
)

// String returns the value as the service's header has it.
func (t Timecodes) String() string {
	if t == Relative {
		return "RELATIVE"
	}
	return "ABSOLUTE"
}

// Outage says what happens when no more fits: into memory, or with a spool onto the disk.
type Outage int8

const (
	// DropOldest drops the oldest fragments that are not being sent.
	DropOldest Outage = iota
	// DropNewest drops what comes, up to the next key frame for which there is room.
	DropNewest
	// Block lets Put wait until there is room: for files.
	Block
)

// ParseOutage reads a nick.
func ParseOutage(text string) (Outage, error) {
	for o := DropOldest; o <= Block; o++ {
		if o.String() == text {
			return o, nil
		}
	}
	return 0, fmt.Errorf("reading what happens in an outage: %q is none of drop-oldest, drop-newest, block", text)
}

// String returns the nick of the value.
func (o Outage) String() string { return [...]string{"drop-oldest", "drop-newest", "block"}[o] }

// Settings say how a stream is sent. Default gives those of kvssink where they are good.
type Settings struct {
	// Stream, Region and Endpoint are what messages name.
	Stream, Region, Endpoint string

	// Timecodes is what is sent; readers see the same times either way.
	Timecodes Timecodes
	// KeyFrameFragments begins a fragment at each key frame at least a second after the
	// last one began; without it at the first that is FragmentDuration after it.
	KeyFrameFragments bool
	FragmentDuration  time.Duration
	// Acks asks for acknowledgements. Without them a fragment counts as persisted when
	// it was sent.
	Acks bool

	// StorageSize bounds the memory of frames in bytes, and Outage says what happens then.
	StorageSize int64
	Outage      Outage

	// SessionDuration is after how long a session ends at a fragment's boundary, before
	// the service ends it (45 minutes and more).
	SessionDuration time.Duration
	// Staleness is how long the service may leave what it was sent without the
	// acknowledgement that is due; then the connection is opened anew.
	Staleness time.Duration
	// MaxLatency is how old what waits to be sent may become before a connection that
	// seems to work is opened anew; once a session.
	MaxLatency time.Duration
	// Silence is how long nothing may come before the fragment is ended, so that it is stored.
	Silence time.Duration
	// CompletionTimeout bounds calls of the control plane, and the end of a session.
	CompletionTimeout time.Duration
	// PermanentGrace is how long an error that does not go away by itself is borne once
	// the stream has worked; StartTimeout how long the first acknowledgement may take
	// after the first frame, 0 for ever.
	PermanentGrace time.Duration
	StartTimeout   time.Duration
	// DrainTimeout bounds Flush, StopTimeout Close; what is left then is dropped, or stays
	// in the spool.
	DrainTimeout, StopTimeout time.Duration

	// Title, MuxingApp and WritingApp stand in the Matroska header.
	Title, MuxingApp, WritingApp string
}

// The service's limits of a fragment. Source: quotas of Kinesis Video Streams.
const (
	MinFragment      = time.Second
	MaxFragment      = 20 * time.Second
	MaxFragmentBytes = 50 * 1000 * 1000
	// MaxAttempts is how often a fragment is sent that the service fails each time by an
	// error of its own; then it is skipped, so that it does not hold up the others.
	MaxAttempts = 10
)

// Default returns the settings of a stream of a camera.
func Default() Settings {
	return Settings{
		KeyFrameFragments: true,
		FragmentDuration:  2 * time.Second,
		Acks:              true,
		StorageSize:       128 << 20,
		SessionDuration:   40 * time.Minute,
		Staleness:         60 * time.Second,
		MaxLatency:        60 * time.Second,
		Silence:           20 * time.Second,
		CompletionTimeout: 10 * time.Second,
		PermanentGrace:    30 * time.Second,
		DrainTimeout:      10 * time.Second,
		StopTimeout:       2 * time.Second,
		Title:             "gst-kinesis",
		MuxingApp:         "gst-kinesis",
		WritingApp:        "gst-kinesis",
	}
}

// Validate checks the settings; the error names the setting and what it may be.
func (s *Settings) Validate() error {
	switch {
	case s.Stream == "":
		return errors.New("stream-name is not set")
	case s.FragmentDuration < MinFragment || s.FragmentDuration > MaxFragment:
		return fmt.Errorf("fragment-duration %v: the service takes %v to %v", s.FragmentDuration, MinFragment, MaxFragment)
	case s.StorageSize < 1<<20:
		return fmt.Errorf("storage-size %d: at least 1 MiB is needed", s.StorageSize)
	case s.SessionDuration <= 0 || s.Staleness <= 0 || s.MaxLatency <= 0 || s.Silence <= 0 || s.CompletionTimeout <= 0:
		return errors.New("session-duration, connection-staleness, max-latency, silence and completion-timeout must be above 0")
	case s.PermanentGrace < 0 || s.StartTimeout < 0 || s.StopTimeout < 0:
		return errors.New("permanent-grace, start-timeout and stop-timeout must not be negative")
	}
	return nil
}
