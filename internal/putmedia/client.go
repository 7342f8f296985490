package putmedia

import (
	"context"
	"io"
	"time"
)

// Client is what a Stream needs of the service; Service is one.
type Client interface {
	// Locate finds the stream, makes it where that was asked for, and returns where
	// media go to. It must return soon after ctx is done.
	Locate(ctx context.Context) (Place, error)
	// PutMedia begins a session. It returns when the answer's header is there; in.Body is
	// read until it ends or ctx is done, also after that.
	PutMedia(ctx context.Context, place Place, in Input) (Output, error)
	// RefreshCredentials forgets cached credentials, so that fresh ones are asked for.
	RefreshCredentials()
}

// Place is where a stream's media go to.
type Place struct {
	// Endpoint is the URL of PutMedia without its path.
	Endpoint string
	// Retention is how long the stream keeps media; 0: not at all.
	Retention time.Duration
}

// Input is what a session begins with.
type Input struct {
	Timecodes Timecodes
	// Start is the producer's start timestamp, in ms since 1970.
	Start int64
	Acks  bool
	// Body is Matroska. It is an io.WriterTo that writes a frame at a time.
	Body io.ReadCloser
}

// Output is the service's answer.
type Output struct {
	RequestID string
	// Acks are lines of JSON, until the session ends. The caller closes it.
	Acks io.ReadCloser
	// Expires is when the credentials end with which the session was opened; zero: never.
	Expires time.Time
}
