package putmedia

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gst-kinesis/internal/mkv"
)

// ErrMetadata is wrapped by the errors of metadata that a fragment cannot take.
var ErrMetadata = errors.New("the metadata do not fit")

// AddMetadata gives the next fragment a tag, and with persist all that follow; an empty
// value ends a persistent one. The limits are the service's: 10 tags a fragment, names of
// up to 128 bytes that do not begin with AWS, values of up to 256. It may be called from
// any thread.
func (s *Stream) AddMetadata(name, value string, persist bool) error {
	t := mkv.Tag{Name: name, Value: value}
	ends := persist && value == ""
	if !ends || name == "" {
		if err := t.Check(); err != nil {
			return fmt.Errorf("adding metadata: %w: %w", ErrMetadata, err)
		}
	}
	return s.addTags(persist, ends, t)
}

// Event is what AWS does at a fragment, when the stream is set up for it.
type Event struct {
	// Image generates an image; Notify sends a notification.
	Image, Notify bool
	// Prefix is that of the image's name in S3; it may be empty.
	Prefix string
	// Fields go with the image, or the notification.
	Fields []mkv.Tag
}

// AddEvent gives the next fragment the tags of an event. Source: developer guide, image
// generation and notifications.
func (s *Stream) AddEvent(e Event) error {
	tags, err := e.tags()
	if err != nil {
		return err
	}
	return s.addTags(false, false, tags...)
}

// tags are those of the event, or what is wrong with it.
func (e *Event) tags() ([]mkv.Tag, error) {
	if !e.Image && !e.Notify {
		return nil, fmt.Errorf("adding an event: %w: it is neither image generation nor notification", ErrMetadata)
	}
	var tags []mkv.Tag
	if e.Notify {
		tags = append(tags, mkv.Tag{Name: mkv.TagNotification})
	}
	if e.Image {
		tags = append(tags, mkv.Tag{Name: mkv.TagImageGeneration})
		if e.Prefix != "" {
			tags = append(tags, mkv.Tag{Name: mkv.TagImagePrefix, Value: e.Prefix})
		}
	}
	if len(e.Prefix) > mkv.MaxTagValue {
		return nil, fmt.Errorf("adding an event: %w: the image prefix has %d bytes, and at most %d are allowed", ErrMetadata, len(e.Prefix), mkv.MaxTagValue)
	}
	for _, t := range e.Fields {
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("adding an event: %w: %w", ErrMetadata, err)
		}
	}
	return append(tags, e.Fields...), nil
}

// addTags adds tags to the next fragment, or to all that follow; ends takes one of those away.
func (s *Stream) addTags(persist, ends bool, tags ...mkv.Tag) error {
	s.putting.Lock()
	defer s.putting.Unlock()
	c := &s.cutter
	if persist {
		c.lasting = slices.DeleteFunc(slices.Clone(c.lasting), func(t mkv.Tag) bool { return t.Name == tags[0].Name })
	}
	if ends {
		return nil
	}
	if err := tagsFit(slices.Concat(c.lasting, c.pending), len(tags)); err != nil {
		return err
	}
	if persist {
		c.lasting = append(c.lasting, tags...)
	} else {
		c.pending = append(c.pending, tags...)
	}
	return nil
}

// tagsFit checks that a fragment takes n more tags than it has.
func tagsFit(have []mkv.Tag, n int) error {
	if len(have)+n <= mkv.MaxTags {
		return nil
	}
	names := make([]string, 0, len(have))
	for _, t := range have {
		names = append(names, t.Name)
	}
	return fmt.Errorf("adding metadata: %w: a fragment takes %d tags, and the next one has %s already; wait for it to begin",
		ErrMetadata, mkv.MaxTags, strings.Join(names, ", "))
}
