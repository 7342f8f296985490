package kinesisvideosink

import (
	"fmt"
	"strings"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/putmedia"
	"gst-kinesis/plugins/internal/bus"
)

// The events that carry metadata, by the names of their structures:
//
//	kvs-add-metadata        name (string), value (string), persist (boolean): a tag of the next fragment, or of all that follow (kvssink's)
//	kvs-put-event-metadata  image, notification (boolean), image-prefix (string); other fields are strings that go with it
const (
	addMetadata = "kvs-add-metadata"
	putEvent    = "kvs-put-event-metadata"
)

// The action signals do the same, and say whether it was taken.
const (
	actionAdd = "add-metadata"
	actionPut = "put-event-metadata"
)

// Action answers the action signals.
func (s *element) Action(name string, args []any) any {
	session := s.current()
	if session == nil {
		s.e.PostWarning(&gst.Error{Code: gst.StreamFailed, Text: "Metadata were added while the element is stopped, and are lost. Add them in PAUSED or PLAYING."})
		return false
	}
	s.eachPad(func(p *pad) { p.p.Inbox().SettleWithin(settleTimeout) }) // what came before goes before
	if name == actionAdd {
		key, _ := args[0].(string)
		value, _ := args[1].(string)
		persist, _ := args[2].(bool)
		return session.metadata(session.engine.AddMetadata(key, value, persist))
	}
	fields, _ := args[0].(*gst.Structure)
	return session.metadata(session.addEvent(fields))
}

// custom takes an event of an application's. Metadata go to the fragment that begins next.
func (s *session) custom(fields *gst.Structure) {
	if fields == nil {
		return
	}
	switch fields.Name {
	case addMetadata:
		s.metadata(s.addMetadata(fields))
	case putEvent:
		s.metadata(s.addEvent(fields))
	}
}

// metadata warns of what could not be added.
func (s *session) metadata(err error) bool {
	if err != nil {
		s.report.e.PostWarning(&gst.Error{Code: gst.StreamFormat, Text: bus.Sentence(err) + " They are not sent; the stream goes on."})
	}
	return err == nil
}

func (s *session) addMetadata(fields *gst.Structure) error {
	name, err := textField(fields, "name")
	if err != nil {
		return err
	}
	value, err := textField(fields, "value")
	if err != nil {
		return err
	}
	persist, err := boolField(fields, "persist")
	if err != nil {
		return err
	}
	return s.engine.AddMetadata(name, value, persist)
}

func (s *session) addEvent(fields *gst.Structure) error {
	if fields == nil {
		return fmt.Errorf("reading %s: there is no structure", putEvent)
	}
	var e putmedia.Event
	var err error
	for _, f := range fields.Fields {
		switch f.Name {
		case "image":
			e.Image, err = boolField(fields, f.Name)
		case "notification":
			e.Notify, err = boolField(fields, f.Name)
		case "image-prefix":
			e.Prefix, err = textField(fields, f.Name)
		default:
			var value string
			value, err = textField(fields, f.Name)
			e.Fields = append(e.Fields, mkv.Tag{Name: f.Name, Value: value})
		}
		if err != nil {
			return err
		}
	}
	return s.engine.AddEvent(e)
}

func textField(fields *gst.Structure, name string) (string, error) {
	text, ok := fields.Get(name).(string)
	if !ok {
		return "", wrongField(fields, name, "a string")
	}
	return text, nil
}

// boolField is false where the field is missing.
func boolField(fields *gst.Structure, name string) (bool, error) {
	value := fields.Get(name)
	if value == nil {
		return false, nil
	}
	on, ok := value.(bool)
	if !ok {
		return false, wrongField(fields, name, "a boolean")
	}
	return on, nil
}

func wrongField(fields *gst.Structure, name, kind string) error {
	was := "missing"
	if v := fields.Get(name); v != nil {
		was = strings.TrimPrefix(fmt.Sprintf("%T", v), "*") + " " + fmt.Sprint(v)
	}
	return fmt.Errorf("reading %s: the field %s must be %s and is %s", fields.Name, name, kind, was)
}
