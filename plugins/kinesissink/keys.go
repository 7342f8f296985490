package kinesissink

import (
	"errors"
	"fmt"
	"strings"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/frame"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
)

// keyField is where partition-key-mode=field finds its key.
type keyField struct {
	place fieldPlace
	name  string // of the metadata
	path  string // of the field, in it or in the payload or caps
	value string // of the caps
}

type fieldPlace int

const (
	fieldOfPayload fieldPlace = iota
	fieldOfCaps
	fieldOfMeta
)

// parseField reads partition-key-field.
func parseField(s string) (keyField, error) {
	if path, ok := strings.CutPrefix(s, "caps:"); ok && path != "" {
		return keyField{place: fieldOfCaps, path: path}, nil
	}
	if rest, ok := strings.CutPrefix(s, "meta:"); ok {
		name, path, _ := strings.Cut(rest, ".")
		if name == "" || path == "" {
			return keyField{}, fmt.Errorf("reading partition-key-field: %q is not meta:NAME.FIELD", s)
		}
		return keyField{place: fieldOfMeta, name: name, path: path}, nil
	}
	return keyField{path: s}, nil
}

// textOf gives the value of a field as text, "" where there is none.
func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// keyName is what the key of a buffer is made of: the sensor's name, or a field that came with it.
func (s *session) keyName(sensor string, v *gst.View) string {
	switch s.field.place {
	case fieldOfCaps:
		return s.field.value
	case fieldOfMeta:
		if m := v.Buffer().CustomMeta(s.field.name); m != nil {
			return textOf(m.Get(s.field.path))
		}
		return ""
	}
	return sensor
}

// keyer makes the partition keys.
func (s *Settings) keyer(shards func() *shard.Map) (*shard.Keyer, keyField, error) {
	mode, err := shard.ParseMode(s.PartitionKeyMode)
	if err != nil {
		return nil, keyField{}, err
	}
	if err := s.checkKeys(mode); err != nil {
		return nil, keyField{}, fmt.Errorf("choosing partition keys: %w", err)
	}
	set := shard.KeyerSettings{Mode: mode, Key: s.PartitionKey, Shards: int(s.Shards), Map: shards}
	field, err := parseField(s.PartitionKeyField)
	if err != nil {
		return nil, keyField{}, err
	}
	if mode == shard.Field && field.place == fieldOfPayload {
		set.Field = func(data []byte) (string, error) { return frame.Text(data, field.path) }
	}
	keyer, err := shard.NewKeyer(set)
	return keyer, field, err
}

// checkKeys finds properties that do not go with the mode, or are missing.
func (s *Settings) checkKeys(mode shard.Mode) error {
	switch {
	case s.PartitionKey != "" && mode != shard.Static:
		return fmt.Errorf("partition-key is set, but partition-key-mode is %s; set partition-key-mode=static to use it", mode)
	case s.PartitionKey == "" && mode == shard.Static:
		return errors.New("partition-key-mode=static needs partition-key, the key of all records")
	case s.PartitionKeyField != "" && mode != shard.Field:
		return fmt.Errorf("partition-key-field is set, but partition-key-mode is %s; set partition-key-mode=field to use it", mode)
	case s.PartitionKeyField == "" && mode == shard.Field:
		return errors.New("partition-key-mode=field needs partition-key-field, where the key is found")
	case s.ExplicitHashKey != "" && mode == shard.Spread:
		return errors.New("explicit-hash-key is set, but partition-key-mode=spread chooses hash keys itself; leave one of them out")
	}
	if s.ExplicitHashKey != "" {
		if _, err := shard.ParseHash(s.ExplicitHashKey); err != nil {
			return fmt.Errorf("reading explicit-hash-key %q: %w", s.ExplicitHashKey, err)
		}
	}
	return nil
}

// mixesOrder says what strict order does not mean with these keys, "" where there is nothing to say.
func (s *Settings) mixesOrder() string {
	several := s.PartitionKeyMode == shard.Random.String() || s.PartitionKeyMode == shard.Spread.String() && s.Shards != 1 ||
		s.PartitionKeyMode == shard.SensorName.String() && s.Shards > 1
	if s.Ordering != producer.Strict.String() || !several {
		return ""
	}
	return "Strict order is that of the records of one partition key, and here a sensor's records have several keys in turn: use one key (shards=1) " +
		"if the sensor's records are to be read in order."
}
