package frame

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNoText says that a map has no text or number under a name.
var ErrNoText = errors.New("no text or number there")

// Text returns a text, a number or a boolean of a msgpack map or JSON object, whatever
// other keys it has, as a text. The path is a key, or keys with points between them
// for maps in the map; a key with points in it is found first. It copies no payload.
func Text(data []byte, path string) (string, error) {
	var room [24]entry
	entries, _, err := scan(data, room[:0])
	if err != nil {
		return "", err
	}
	name, rest, _ := strings.Cut(path, ".")
	inner := Nil()
	for i := range entries {
		switch e := &entries[i]; {
		case e.key == path:
			if text, ok := e.asText(); ok {
				return text, nil
			}
		case e.key == name && rest != "":
			inner = e.val
		}
	}
	for rest != "" && inner.kind == KindMap {
		v, left, found := inner.step(rest)
		if !found {
			break
		}
		if left == "" {
			if text, ok := v.asText(); ok {
				return text, nil
			}
			break
		}
		inner, rest = v, left
	}
	return "", fmt.Errorf("looking for %s in a record: %w", quoteKey(path), ErrNoText)
}

// step goes one key of a path down.
func (v Value) step(path string) (inner Value, rest string, ok bool) {
	name, rest, _ := strings.Cut(path, ".")
	for _, f := range v.items {
		if f.Key == path {
			return f.Value, "", true
		}
	}
	for _, f := range v.items {
		if f.Key == name {
			return f.Value, rest, true
		}
	}
	return Nil(), "", false
}

func (e *entry) asText() (string, bool) {
	if e.kind == KindString {
		return string(e.text), true
	}
	return e.val.asText()
}

func (v Value) asText() (string, bool) {
	switch v.kind {
	case KindString:
		return v.str, true
	case KindBool, KindInt, KindUint, KindFloat:
		return v.String(), true
	}
	return "", false
}
