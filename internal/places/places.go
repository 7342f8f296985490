// Package places opens what a producer keeps records in beside memory, by the settings that
// users write: a spool for what cannot be delivered now, and a place for dead letters, what
// can never be delivered.
//
//	kept, err := places.Open(ctx, places.Settings{SpoolDirectory: dir, SpoolSync: "interval", DeadLetter: "file:/var/lib/dead"})
//	p, err := producer.New(client, settings, observer, kept.Options()...)
//	…
//	p.Close()
//	err = kept.Close()
package places

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/deadletter"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/spool"
)

// Settings are named as the properties and flags are.
type Settings struct {
	// SpoolDirectory is empty where there is no spool. SpoolMaxBytes and SpoolMaxAge are 0 for
	// the spool's own defaults: 1 GiB, and no bound.
	SpoolDirectory string
	SpoolSync      string
	SpoolMaxBytes  int64
	SpoolMaxAge    time.Duration
	// DeadLetter is a URI as deadletter.Parse takes it, or empty where there is no such place.
	DeadLetter string

	// Stream, a name or an ARN, and Region are where the records are to go.
	Stream, Region string
	// AWS is who we are to AWS, where dead letters go there.
	AWS awscfg.Settings
	// Log hears of repairs and damage.
	Log *slog.Logger
}

// Places are what was opened. They belong to one producer.
type Places struct {
	spool   *spool.Spool     // nil: none
	letters deadletter.Place // nil: none
}

// Open opens both, or neither. It does file I/O and speaks to no service. Errors say what to do.
func Open(ctx context.Context, s Settings) (*Places, error) {
	p := new(Places)
	var err error
	if s.DeadLetter != "" {
		if p.letters, err = openLetters(ctx, s); err != nil {
			return nil, err
		}
	}
	if s.SpoolDirectory != "" {
		if p.spool, err = openSpool(s); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

func openLetters(ctx context.Context, s Settings) (deadletter.Place, error) {
	target, err := deadletter.Parse(s.DeadLetter)
	if err != nil {
		return nil, err
	}
	return deadletter.Open(ctx, target, deadletter.Settings{Stream: s.Stream, Region: s.Region, AWS: s.AWS, Log: s.Log})
}

func openSpool(s Settings) (*spool.Spool, error) {
	sync, err := spool.ParseSync(s.SpoolSync)
	if err != nil {
		return nil, err
	}
	return spool.Open(spool.Settings{Directory: s.SpoolDirectory, MaxBytes: s.SpoolMaxBytes, MaxAge: s.SpoolMaxAge, Sync: sync, Log: s.Log})
}

// Spool returns the spool, nil where there is none.
func (p *Places) Spool() *spool.Spool { return p.spool }

// Options let a producer use the places.
func (p *Places) Options() (list []producer.Option) {
	if p.spool != nil {
		list = append(list, producer.WithSpool(p.spool))
	}
	if p.letters != nil {
		list = append(list, producer.WithDeadLetters(p.letters))
	}
	return list
}

// Close closes both, after the producer's Close. A second call does nothing.
func (p *Places) Close() (err error) {
	if p.spool != nil {
		err = p.spool.Close()
	}
	if p.letters != nil {
		err = errors.Join(err, p.letters.Close())
	}
	p.spool, p.letters = nil, nil
	return err
}
