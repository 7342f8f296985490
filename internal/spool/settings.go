package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Sync says when what was written is made to survive the loss of power.
type Sync int8

// Policies.
const (
	SyncInterval Sync = iota // each SyncEvery
	SyncAlways               // before Append returns; concurrent appends share a sync
	SyncNone                 // when the kernel pleases, and at Close
)

// String returns the policy's name as ParseSync takes it.
func (s Sync) String() string {
	switch s {
	case SyncInterval:
		return "interval"
	case SyncAlways:
		return "always"
	case SyncNone:
		return "none"
	default:
		return fmt.Sprintf("Sync(%d)", int8(s))
	}
}

// ParseSync reads a policy's name.
func ParseSync(name string) (Sync, error) {
	for s := SyncInterval; s <= SyncNone; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("reading a sync policy: %q is none of always, interval, none", name)
}

// Settings of a Spool. The zero value of a field takes its default.
type Settings struct {
	// Directory is made if need be. Its parent decides the file system.
	Directory string
	// MaxBytes bounds the bytes of all files; default 1 GiB. Append returns ErrFull
	// beyond it. Acks alone, some 100 KiB, may exceed it.
	MaxBytes int64
	// MaxAge is the age from which Expire gives records up, to the second; 0 is never.
	MaxAge time.Duration
	// Sync is the policy; SyncEvery the time between syncs, default 1 s.
	Sync      Sync
	SyncEvery time.Duration
	// SegmentBytes is how large a segment grows, between 4 KiB and 256 MiB; default 16 MiB,
	// and never more than an eighth of MaxBytes. Space comes free by segments.
	SegmentBytes int64
	// Now is the wall clock; default time.Now.
	Now func() time.Time
	// Log hears of repairs, damage and unknown files; default slog.Default.
	Log *slog.Logger

	fs    fileSystem       // for tests; nil is the real one
	ticks <-chan time.Time // for tests; nil is a ticker of SyncEvery
}

const (
	// DefaultMaxBytes is 1 GiB.
	DefaultMaxBytes     = 1 << 30
	defaultSegmentBytes = 16 << 20
	minSegmentBytes     = 4 << 10
	maxSegmentBytes     = 256 << 20
	defaultSyncEvery    = time.Second
)

// withDefaults checks the settings and fills them in.
func (s Settings) withDefaults() (Settings, error) {
	if s.Directory == "" {
		return s, errors.New("opening a spool: no directory is given; set spool-directory")
	}
	if s.MaxBytes < 0 || s.MaxAge < 0 || s.SyncEvery < 0 || s.SegmentBytes < 0 || s.Sync < 0 || s.Sync > SyncNone {
		return s, fmt.Errorf("opening the spool in %s: a setting is negative or unknown", s.Directory)
	}
	setDefault(&s.MaxBytes, DefaultMaxBytes)
	setDefault(&s.SyncEvery, defaultSyncEvery)
	setDefault(&s.SegmentBytes, defaultSegmentBytes)
	s.SegmentBytes = max(minSegmentBytes, min(s.SegmentBytes, s.MaxBytes/8, maxSegmentBytes))
	if s.Now == nil {
		s.Now = time.Now
	}
	setDefault(&s.Log, slog.Default())
	if s.fs == nil {
		s.fs = osFS{}
	}
	return s, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
