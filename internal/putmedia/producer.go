package putmedia

import (
	"context"
	"time"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/mkv"
)

// ProducerClient is what a Delegate needs: the way to the service's control plane, and producers that send to a stream. AWS's producer SDK
// for C is one, by the element that has it.
type ProducerClient interface {
	// Locate and RefreshCredentials are as Client has them.
	Locate(ctx context.Context) (Place, error)
	RefreshCredentials()
	// Open makes a producer ready for frames of these tracks. It returns soon after ctx is done. What becomes of the frames report is told,
	// from one goroutine, in order, from then on until the producer's Close returns; report does not block for long and may not call Close.
	// expires is when its credentials end, zero for never. Errors that are known for what they are wrap an awserr.Known.
	Open(ctx context.Context, tracks []mkv.Track, report func(Report)) (p Producer, expires time.Time, err error)
}

// Producer makes fragments of frames, sends them, and sends them again where a connection is lost, as it sees fit. One goroutine puts, ends and
// tags; the other methods may be called from any.
type Producer interface {
	// Put gives a frame, whose data it copies. begins says that a fragment begins with it. It may wait for room, and Close ends that.
	Put(f *Frame, begins bool) error
	// EndFragment ends the fragment, so that it is stored though nothing follows. The next frame begins one.
	EndFragment() error
	// Tag adds a tag to the fragment that begins next, Signal an event. The first fragment of a producer can have no event.
	Tag(t mkv.Tag) error
	Signal(e Event) error
	// Sent is how many bytes were sent.
	Sent() int64
	// Close stops it, within a time of the producer's own, and returns when nothing of it is left and nothing more is reported.
	Close()
}

// ReportKind is what a Report tells.
type ReportKind int8

const (
	// ReportAck is an acknowledgement: Ack, Upload, Ignored, and of an error Retried.
	ReportAck ReportKind = iota
	// ReportRefused comes before the acknowledgement of an error: the service refused what was sent up to a frame of DTS.
	ReportRefused
	// ReportLost is a frame of DTS that was given up before it was sent.
	ReportLost
	// ReportTrouble is an error: Fault. The producer may or may not go on.
	ReportTrouble
)

// Report is what a Producer tells.
type Report struct {
	Kind    ReportKind
	Ack     Ack
	Retried bool          // the producer sends the refused fragment again
	Ignored bool          // the producer does not heed it: what the acknowledgement is about may be sent again, or was forgotten
	Upload  uint64        // numbers the connection
	DTS     time.Duration // since 1970, in whole ms
	Fault   awserr.Fault
}
