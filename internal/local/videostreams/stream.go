package videostreams

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"gst-kinesis/internal/local/apierr"
)

// Status of a stream, as DescribeStream names it.
type Status string

// The states of a stream.
const (
	StatusCreating Status = "CREATING"
	StatusActive   Status = "ACTIVE"
	StatusUpdating Status = "UPDATING"
	StatusDeleting Status = "DELETING"
)

// stream is one stream; mu guards all that follows it.
type stream struct {
	name    string
	created time.Time

	mu        sync.Mutex
	meta      Meta
	fragments []*Fragment // in the order they were stored
	byNumber  map[Number]*Fragment
	bytes     int64 // of fragments
	order     uint64
	last      Number
	changed   chan struct{} // closed and replaced when a fragment is stored
	ended     chan struct{} // closed when the stream is deleted
	putting   int           // sessions of PutMedia
	getting   int           // of GetMedia
	listing   int           // of GetMediaForFragmentList
	limits    limits
}

func newStream(meta Meta, now time.Time) *stream {
	return &stream{name: meta.Name, created: meta.Created, meta: meta, byNumber: map[Number]*Fragment{},
		changed: make(chan struct{}), ended: make(chan struct{}), limits: newLimits(now)}
}

func (st *stream) status(now time.Time) Status {
	if st.meta.Status == StatusDeleting || now.Before(st.meta.Ready) {
		return st.meta.Status
	}
	return StatusActive
}

// gone tells whether its deletion is done.
func (st *stream) gone(now time.Time) bool {
	return st.meta.Status == StatusDeleting && !now.Before(st.meta.Ready)
}

// begin starts a state that lasts for the delay.
func (st *stream) begin(what Status, now time.Time, delay time.Duration) {
	st.meta.Status, st.meta.Ready = what, time.Time{}
	if delay > 0 {
		st.meta.Ready = now.Add(delay)
	}
}

// end lets readers and writers know that the stream is deleted.
func (st *stream) end() {
	select {
	case <-st.ended:
	default:
		close(st.ended)
	}
}

// version is what changes of the stream must name: 20 characters that are other ones after each change, as AWS's are.
func (st *stream) version() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", st.name, st.created.UnixMilli(), st.meta.Revision))
	return base32.StdEncoding.EncodeToString(sum[:])[:20]
}

func (s *Store) arn(st *stream) string {
	return "arn:aws:kinesisvideo:" + s.set.Region + ":" + s.set.Account + ":stream/" + st.name + "/" + strconv.FormatInt(st.created.UnixMilli(), 10)
}

// nameOf takes the name out of an ARN.
func nameOf(arn string) (string, error) {
	parts := strings.Split(arn, "/")
	if !strings.HasPrefix(arn, "arn:") || len(parts) != 3 || parts[1] == "" {
		return "", apierr.New(apierr.InvalidArgument, "StreamARN %s is not the ARN of a video stream.", arn)
	}
	return parts[1], nil
}

// CreateSpec says how a new stream is to be.
type CreateSpec struct {
	Name      string
	Retention time.Duration // a whole number of hours; 0: nothing is persisted
	Device    string
	MediaType string
	KMSKey    string
	Tags      map[string]string
}

// The bounds of retention. Source: developer guide, producer SDK quotas.
const (
	MinRetention = 1             // hours, beside 0
	MaxRetention = 24 * 365 * 10 // hours
	maxTags      = 50            // a stream
	defaultKey   = "aws/kinesisvideo"
)

// Create makes a stream and returns its ARN.
func (s *Store) Create(spec CreateSpec) (arn string, err error) {
	hours := int(spec.Retention / time.Hour)
	if spec.Retention%time.Hour != 0 || hours < 0 || hours > MaxRetention {
		return "", apierr.New(apierr.InvalidArgument, "DataRetentionInHours must be 0 or from %d to %d hours.", MinRetention, MaxRetention)
	}
	now := s.now()
	meta := Meta{Name: spec.Name, Created: now, Device: spec.Device, MediaType: spec.MediaType, KMSKey: spec.KMSKey, Retention: hours,
		Tags: map[string]string{}}
	for key, value := range spec.Tags {
		meta.Tags[key] = value
	}
	if len(meta.Tags) > maxTags {
		return "", tooManyTags()
	}
	st := newStream(meta, now)
	st.begin(StatusCreating, now, s.set.StateDelay)
	return s.arn(st), s.insert(st)
}

func (s *Store) insert(st *stream) error {
	old, err := s.find(Ref{Name: st.name}) // forgets one whose deletion is done
	if err == nil {
		old.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[st.name] != nil {
		return apierr.New(apierr.ResourceInUse, "The stream %s already exists.", st.name)
	}
	if err := s.save(st); err != nil {
		return err
	}
	s.streams[st.name] = st
	return nil
}

// Restore brings back a stream that Files kept, with its fragments in the order they were stored.
func (s *Store) Restore(meta Meta, fragments func(yield func(*Fragment, Kept) bool)) {
	st := newStream(meta, s.now())
	if st.meta.Tags == nil {
		st.meta.Tags = map[string]string{}
	}
	for f, kept := range fragments {
		f.kept = kept
		s.attach(st, f)
	}
	s.mu.Lock()
	s.streams[meta.Name] = st
	s.mu.Unlock()
	st.mu.Lock()
	s.expire(st, s.now())
	st.mu.Unlock()
	s.bound()
}

// save writes the stream's settings to Files; the stream is locked or not yet shared.
func (s *Store) save(st *stream) error {
	if s.set.Files == nil {
		return nil
	}
	if err := s.set.Files.Save(st.meta); err != nil {
		s.set.Logger.Error("writing a video stream to the data directory", "stream", st.name, "error", err)
		return apierr.Internal()
	}
	return nil
}

func tooManyTags() error {
	return apierr.New(codeTooManyTags, "A stream can have at most %d tags.", maxTags)
}
