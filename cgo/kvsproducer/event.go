package kvsproducer

import (
	"strings"
	"time"
)

// Kind is what an Event tells.
type Kind int

const (
	Ack             Kind = iota + 1 // an acknowledgement: Ack, Timecode, Fragment; of an error Result too
	Failed                          // an error: Status, Timecode. The SDK goes on if it can
	LatencyPressure                 // Amount of time waits to be sent
	Stale                           // no BUFFERING for Amount
	BufferPressure                  // Amount of time is left in the buffer
	StoragePressure                 // Bytes are left in the store
	DroppedFrame                    // the frame at Timecode was dropped before it was sent
	DroppedFragment                 // the fragment at Timecode was dropped before it was sent
	Ready                           // the stream takes frames
	Closed                          // all is sent and acknowledged, after Close
	Log                             // a line of the SDK's log: Level, Text. It may be about another stream of the process
)

// String gives the kind's name.
func (k Kind) String() string {
	names := [...]string{"", "ack", "error", "latency", "stale", "buffer", "storage", "dropped-frame", "dropped-fragment", "ready", "closed", "log"}
	if k > 0 && int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// AckType is the type of an acknowledgement.
type AckType int

const (
	Buffering AckType = iota + 1
	Received
	Persisted
	AckError
	Idle
)

// String gives the type as the service writes it.
func (a AckType) String() string {
	names := [...]string{"", "BUFFERING", "RECEIVED", "PERSISTED", "ERROR", "IDLE"}
	if a > 0 && int(a) < len(names) {
		return names[a]
	}
	return "UNDEFINED"
}

// Event is what the SDK has to tell. Which fields are set depends on the kind.
type Event struct {
	Kind     Kind
	Ack      AckType
	Timecode time.Duration // of the frame or fragment; as in Frame
	Fragment string        // the fragment's number
	Result   int           // the service's code in an ERROR: 4000 to 5001
	Status   Status
	Amount   time.Duration
	Bytes    uint64
	Upload   uint64 // the SDK's number of the connection
	Ignored  bool   // the SDK does not heed the acknowledgement: it is of a connection that was given up, and what it sent is sent again, or of what is kept no more
	Level    LogLevel
	Text     string
}

// Frame is an access unit.
type Frame struct {
	Track uint64
	PTS   time.Duration // since 1970 where Settings.Absolute; the SDK counts in 100 ns
	DTS   time.Duration
	Key   bool   // no other frame is needed to decode it
	Data  []byte // copied by Put
}

// Signal is a set of the service's features that an event asks for.
type Signal uint32

const (
	GenerateImage Signal = 1 << iota
	Notify
)

// Stats are the SDK's own counts, and one of this package.
type Stats struct {
	StoreSize, StoreFree, StoreUsed uint64        // bytes
	Pending, Kept                   time.Duration // not yet sent; all that is kept
	PendingBytes, KeptBytes         uint64
	FrameRate                       float64 // 1/s
	TransferRate                    uint64  // byte/s
	Uptime                          time.Duration
	Bytes                           uint64 // sent
	Sessions, ActiveSessions        uint64
	Buffering, Received, Persisted  uint64 // acknowledgements
	Errors                          uint64
	DroppedFrames, DroppedFragments uint64
	SkippedFrames                   uint64
	StoragePressures                uint64
	LatencyPressures                uint64
	BufferPressures                 uint64
	Stales                          uint64
	PutErrors                       uint64
	EventsLost                      uint64 // their queue was full
}

// harmless is a line of the SDK's log without what must not be kept: the SDK writes whole requests, and the service's answers repeat them, with the
// session token. It keeps the first line, up to the first escaped one, of no more than 400 bytes, and nothing of one that speaks of the token.
func harmless(line string) string {
	for _, end := range []string{"\n", `\n`} {
		line, _, _ = strings.Cut(line, end)
	}
	if strings.Contains(strings.ToLower(line), "security-token") {
		return "(a line with the session token)"
	}
	return strings.ToValidUTF8(line[:min(len(line), 400)], "")
}
