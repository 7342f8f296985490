package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
)

// Settings of a place. The zero value will do for files.
type Settings struct {
	// Stream, a name or an ARN, and Region are where the records are to go; they stand
	// in each letter.
	Stream, Region string
	// AWS is who we are to AWS, for streams and buckets. Its endpoint is used for a stream
	// in the same region, never for a bucket; a target's own goes before.
	AWS awscfg.Settings
	// FileBytes is how large a file grows, within one Write, before the next one is begun;
	// 0 means 16 MiB.
	FileBytes int64
	// MaxBytes bounds all letters in a directory; Write then returns an error. 0 means 1 GiB,
	// below 0 is no bound.
	MaxBytes int64
	// MaxRecordSize is the most data and key bytes that a target stream takes as one record;
	// 0 means 1 MiB.
	MaxRecordSize int
	// Log takes what is worth knowing of reading a stream; nil discards.
	Log *slog.Logger
	// Now is the clock; nil means the system's.
	Now func() time.Time
}

const (
	defaultFileBytes = 16 * shard.MiB
	defaultMaxBytes  = 1024 * shard.MiB
)

func (s *Settings) fill() {
	s.FileBytes = cmp.Or(s.FileBytes, defaultFileBytes)
	s.MaxBytes = cmp.Or(s.MaxBytes, defaultMaxBytes)
	s.MaxRecordSize = cmp.Or(s.MaxRecordSize, shard.DefaultMaxRecordBytes)
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Now == nil {
		s.Now = time.Now
	}
}

// Place keeps letters. Its methods are not for several goroutines at once.
type Place interface {
	producer.DeadLetters
	// Close gives up what the place holds. All that Write took is safe before.
	Close() error
}

// Open opens a place for writing. It makes a directory that is not there and tries that files
// can be written in it; to services it does not speak. The place must be closed.
func Open(ctx context.Context, t Target, s Settings) (Place, error) {
	s.fill()
	var k keeper
	var err error
	switch t.Kind {
	case Files:
		k, err = openFiles(t.Directory, &s)
	case Stream:
		k, err = openStream(ctx, t, &s)
	case Bucket:
		k, err = openBucket(ctx, t, &s)
	default:
		err = errForm
	}
	if err != nil {
		return nil, fmt.Errorf("opening the dead-letter place %s: %w", t, err)
	}
	return &place{target: t, settings: s, keeper: k}, nil
}

// keeper is what kinds of places differ in.
type keeper interface {
	// keep keeps all letters, or returns an error that says what to do.
	keep(ctx context.Context, letters []Letter) error
	close() error
}

// place makes letters of what the producer gives up.
type place struct {
	target   Target
	settings Settings
	keeper   keeper
	letters  []Letter // used again
}

// Write implements producer.DeadLetters.
func (p *place) Write(ctx context.Context, letters []producer.Letter) error {
	if len(letters) == 0 {
		return nil
	}
	now := p.settings.Now()
	p.letters = p.letters[:0]
	for _, l := range letters {
		p.letters = append(p.letters, Letter{Letter: l, Written: now, Stream: p.settings.Stream, Region: p.settings.Region})
	}
	err := ctx.Err()
	if err == nil {
		err = p.keeper.keep(ctx, p.letters)
	}
	clear(p.letters) // their data is the producer's again
	if err != nil {
		return fmt.Errorf("writing dead letters to %s: %w", p.target, err)
	}
	return nil
}

// Close implements Place.
func (p *place) Close() error { return p.keeper.close() }

// connect opens a way to AWS for a target.
func connect(ctx context.Context, t Target, s *Settings) (*awscfg.Session, error) {
	set := s.AWS
	switch {
	case t.Kind == Bucket:
		set.EndpointURI = t.Endpoint
		set.Region = cmp.Or(t.Region, set.Region, s.Region)
	default:
		if here := cmp.Or(s.Region, set.Region); here != "" && here != t.Region {
			set.EndpointURI = "" // it is another region's
		}
		set.EndpointURI = cmp.Or(t.Endpoint, set.EndpointURI)
		set.Region = t.Region
	}
	return awscfg.Open(ctx, set, awscfg.Stream{})
}

var errOwnStream = errors.New("it is the stream itself that its letters would go to: name another one")

// isOwn reports whether a target is the stream whose records end there.
func isOwn(t Target, s *Settings) bool {
	stream, err := awscfg.ParseStream(s.Stream)
	return err == nil && stream.Name == t.Stream && (s.Region == t.Region || s.Region == "")
}
