package videostreams

import (
	"maps"
	"strings"
	"time"

	"gst-kinesis/internal/local/apierr"
)

// Info describes a stream.
type Info struct {
	Name, ARN, Version        string
	Status                    Status
	Created                   time.Time
	Device, MediaType, KMSKey string
	Retention                 int // hours
}

func (s *Store) info(st *stream) Info {
	key := st.meta.KMSKey
	if key == "" {
		key = "arn:aws:kms:" + s.set.Region + ":" + s.set.Account + ":alias/" + defaultKey
	}
	return Info{Name: st.name, ARN: s.arn(st), Version: st.version(), Status: st.status(s.now()), Created: st.created,
		Device: st.meta.Device, MediaType: st.meta.MediaType, KMSKey: key, Retention: st.meta.Retention}
}

// Describe returns a stream's description.
func (s *Store) Describe(ref Ref) (Info, error) {
	st, err := s.find(ref)
	if err != nil {
		return Info{}, err
	}
	defer st.mu.Unlock()
	return s.info(st), nil
}

// List describes up to most streams whose names begin with prefix and come behind after; more tells whether there are others.
func (s *Store) List(prefix, after string, most int) (list []Info, more bool) {
	for _, st := range s.all() {
		if !strings.HasPrefix(st.name, prefix) || st.name <= after {
			continue
		}
		if len(list) == most {
			return list, true
		}
		st.mu.Lock()
		list = append(list, s.info(st))
		st.mu.Unlock()
	}
	return list, false
}

// changing returns the stream locked if it is ACTIVE and has the version, where one is given.
func (s *Store) changing(ref Ref, version string) (*stream, error) {
	st, err := s.find(ref)
	if err != nil {
		return nil, err
	}
	if status := st.status(s.now()); status != StatusActive {
		st.mu.Unlock()
		return nil, apierr.New(apierr.ResourceInUse, "The stream is in state %s, not ACTIVE.", status)
	}
	if version != "" && version != st.version() {
		st.mu.Unlock()
		return nil, apierr.New(codeVersionMismatch, "The stream version that you specified is not the latest version. "+
			"To get the latest version, use the DescribeStream API.")
	}
	return st, nil
}

// change applies a change of settings and unlocks the stream.
func (s *Store) change(st *stream, apply func(m *Meta)) error {
	defer st.mu.Unlock()
	before := st.meta
	apply(&st.meta)
	st.meta.Revision++
	st.begin(StatusUpdating, s.now(), s.set.StateDelay)
	if err := s.save(st); err != nil {
		st.meta = before
		return err
	}
	s.expire(st, s.now())
	return nil
}

// Delete starts the deletion of a stream; its media is unreachable at once.
func (s *Store) Delete(ref Ref, version string) error {
	st, err := s.changing(ref, version)
	if err != nil {
		return err
	}
	now := s.now()
	st.begin(StatusDeleting, now, s.set.StateDelay)
	gone := st.gone(now)
	err = s.save(st)
	st.end()
	st.mu.Unlock()
	if gone {
		s.forget(st)
	}
	return err
}

// UpdateRetention makes the retention longer or, with hours below 0, shorter.
func (s *Store) UpdateRetention(ref Ref, version string, hours int) error {
	st, err := s.changing(ref, version)
	if err != nil {
		return err
	}
	want := st.meta.Retention + hours
	if want < 0 || want > MaxRetention {
		st.mu.Unlock()
		return apierr.New(apierr.InvalidArgument, "The data retention would be %d hours; it must be 0 or from %d to %d hours.",
			want, MinRetention, MaxRetention)
	}
	return s.change(st, func(m *Meta) { m.Retention = want })
}

// Update changes the device and the media type, each if it is given.
func (s *Store) Update(ref Ref, version string, device, mediaType *string) error {
	st, err := s.changing(ref, version)
	if err != nil {
		return err
	}
	return s.change(st, func(m *Meta) {
		if device != nil {
			m.Device = *device
		}
		if mediaType != nil {
			m.MediaType = *mediaType
		}
	})
}

// Tags returns a stream's tags.
func (s *Store) Tags(ref Ref) (map[string]string, error) {
	st, err := s.find(ref)
	if err != nil {
		return nil, err
	}
	defer st.mu.Unlock()
	return maps.Clone(st.meta.Tags), nil
}

// Tag adds tags, in place of those of the same names.
func (s *Store) Tag(ref Ref, tags map[string]string) error {
	return s.retag(ref, func(m map[string]string) { maps.Copy(m, tags) })
}

// Untag removes tags.
func (s *Store) Untag(ref Ref, keys []string) error {
	return s.retag(ref, func(m map[string]string) {
		for _, key := range keys {
			delete(m, key)
		}
	})
}

func (s *Store) retag(ref Ref, apply func(map[string]string)) error {
	st, err := s.find(ref)
	if err != nil {
		return err
	}
	defer st.mu.Unlock()
	before := st.meta.Tags
	after := maps.Clone(before)
	apply(after)
	if len(after) > maxTags {
		return tooManyTags()
	}
	st.meta.Tags = after
	if err := s.save(st); err != nil {
		st.meta.Tags = before
		return err
	}
	return nil
}
