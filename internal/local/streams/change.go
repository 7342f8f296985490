package streams

import (
	"regexp"
	"sort"
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/shard"
)

// change runs f on an ACTIVE stream and makes it UPDATING when f succeeds.
func (s *Store) change(name string, f func(st *stream, now time.Time) error) error {
	st, err := s.active(name)
	if err != nil {
		return err
	}
	defer st.mu.Unlock()
	now := s.now()
	if err := f(st, now); err != nil {
		return err
	}
	st.begin(StatusUpdating, now, s.set.StateDelay)
	return s.save(st)
}

// SetRetention changes how long records are kept. longer tells which of the two operations was called: each goes one way
// only.
func (s *Store) SetRetention(name string, hours int, longer bool) error {
	return s.change(name, func(st *stream, now time.Time) error {
		have := int(st.retention / time.Hour)
		const least, most = int(shard.MinRetention / time.Hour), int(shard.MaxRetention / time.Hour)
		switch {
		case hours < least:
			return apierr.New(apierr.InvalidArgument, "Minimum allowed retention period is %d hours. Requested retention period "+
				"(%d hours) is too short.", least, hours)
		case hours > most:
			return apierr.New(apierr.InvalidArgument, "Maximum allowed retention period is %d hours. Requested retention period "+
				"(%d hours) is too long.", most, hours)
		case longer && hours < have:
			return apierr.New(apierr.InvalidArgument, "Requested retention period (%d hours) for stream %s can not be shorter than "+
				"existing retention period (%d hours). Use DecreaseRetentionPeriod API.", hours, name, have)
		case !longer && hours > have:
			return apierr.New(apierr.InvalidArgument, "Requested retention period (%d hours) for stream %s can not be longer than "+
				"existing retention period (%d hours). Use IncreaseRetentionPeriod API.", hours, name, have)
		}
		st.retention = time.Duration(hours) * time.Hour
		for _, sh := range st.shards {
			s.expire(st, sh, now)
		}
		return nil
	})
}

// SetMaxRecord changes the largest record, in bytes.
func (s *Store) SetMaxRecord(name string, bytes int) error {
	return s.change(name, func(st *stream, _ time.Time) error {
		st.maxRecord = bytes
		return nil
	})
}

// SetMode switches between provisioned and on-demand.
func (s *Store) SetMode(name, mode string) error {
	return s.change(name, func(st *stream, _ time.Time) error {
		st.mode = mode
		return nil
	})
}

// SetEncryption switches server-side encryption on, with a key, or off, with an empty key.
func (s *Store) SetEncryption(name, kind, key string) error {
	return s.change(name, func(st *stream, _ time.Time) error {
		st.encryption, st.keyID = kind, key
		return nil
	})
}

// tagChars is what AWS allows in keys and values of tags.
var tagChars = regexp.MustCompile(`^[\p{L}\p{N}\p{Z}_./=+\-%@:]*$`)

// CheckTags fails if a key or value holds what AWS does not allow.
func CheckTags(tags map[string]string) error {
	for key, value := range tags {
		if !tagChars.MatchString(key) || !tagChars.MatchString(value) {
			return apierr.New(apierr.InvalidArgument, "Some tags contain invalid characters. Valid characters: Unicode letters, "+
				"digits, white space, _ . / = + - %% @.")
		}
	}
	return nil
}

// AddTags sets tags of a stream.
func (s *Store) AddTags(name string, tags map[string]string) error {
	st, err := s.find(name)
	if err != nil {
		return err
	}
	defer st.mu.Unlock()
	if err := CheckTags(tags); err != nil {
		return err
	}
	n := len(st.tags)
	for key := range tags {
		if _, have := st.tags[key]; !have {
			n++
		}
	}
	if n > shard.MaxTags {
		return apierr.New(apierr.InvalidArgument, "Failed to add tags to stream %s under account %s because a given stream cannot "+
			"have more than %d tags associated with it.", name, s.set.Account, shard.MaxTags)
	}
	for key, value := range tags {
		st.tags[key] = value
	}
	return s.save(st)
}

// RemoveTags removes tags by key; keys that are not there do no harm.
func (s *Store) RemoveTags(name string, keys []string) error {
	st, err := s.find(name)
	if err != nil {
		return err
	}
	defer st.mu.Unlock()
	for _, key := range keys {
		delete(st.tags, key)
	}
	return s.save(st)
}

// Tag is one tag of a stream.
type Tag struct{ Key, Value string }

// Tags returns up to limit tags (0: all) after a key, in the order of their keys.
func (s *Store) Tags(name, after string, limit int) (tags []Tag, more bool, err error) {
	st, err := s.find(name)
	if err != nil {
		return nil, false, err
	}
	defer st.mu.Unlock()
	tags = []Tag{}
	for key, value := range st.tags {
		if key > after {
			tags = append(tags, Tag{key, value})
		}
	}
	sort.Slice(tags, func(i, j int) bool { return tags[i].Key < tags[j].Key })
	if limit > 0 && len(tags) > limit {
		return tags[:limit], true, nil
	}
	return tags, false, nil
}
