package gst

// #include "ggo.h"
import "C"

import "fmt"

// Caps is a GstCaps. It is a plain pointer: copying it takes no reference.
type Caps struct{ c *C.GstCaps }

// CapsStructure is one structure of caps with its features ("" for system memory).
type CapsStructure struct {
	*Structure
	Features string
}

// ParseCaps gives owned caps from their text form.
func ParseCaps(text string) (Caps, error) {
	t := cstr(text)
	defer cfree(t)
	c := C.gst_caps_from_string(t)
	if c == nil {
		return Caps{}, fmt.Errorf("parsing the caps %q", text)
	}
	return Caps{c}, nil
}

// AnyCaps gives owned caps that take anything.
func AnyCaps() Caps { return Caps{C.gst_caps_new_any()} }

// NewCaps gives owned caps of the structures, the preferred first.
func NewCaps(structures ...CapsStructure) Caps {
	c := C.gst_caps_new_empty()
	for _, s := range structures {
		appendStructure(c, s)
	}
	return Caps{c}
}

func appendStructure(c *C.GstCaps, s CapsStructure) {
	var features *C.GstCapsFeatures
	if s.Features != "" {
		t := cstr(s.Features)
		features = C.gst_caps_features_from_string(t)
		cfree(t)
	}
	C.gst_caps_append_structure_full(c, s.Structure.toC(), features)
}

// IsNil says whether there are no caps.
func (c Caps) IsNil() bool { return c.c == nil }

// Ref takes a reference; Unref gives one back.
func (c Caps) Ref() Caps {
	C.gst_caps_ref(c.c)
	return c
}

// Unref gives a reference back.
func (c Caps) Unref() { C.gst_caps_unref(c.c) }

// IsAny says whether the caps take anything.
func (c Caps) IsAny() bool { return C.gst_caps_is_any(c.c) != 0 }

// IsEmpty says whether the caps take nothing.
func (c Caps) IsEmpty() bool { return C.gst_caps_is_empty(c.c) != 0 }

// IsFixed says whether the caps are one format.
func (c Caps) IsFixed() bool { return C.gst_caps_is_fixed(c.c) != 0 }

// Len is the number of structures.
func (c Caps) Len() int { return int(C.gst_caps_get_size(c.c)) }

// Structure gives a copy of structure i with its features.
func (c Caps) Structure(i int) CapsStructure {
	s := CapsStructure{Structure: structureFromC(C.gst_caps_get_structure(c.c, C.guint(i)))}
	f := C.gst_caps_get_features(c.c, C.guint(i))
	if text := takeString(C.gst_caps_features_to_string(f)); text != systemMemory {
		s.Features = text
	}
	return s
}

// Structures gives copies of all structures.
func (c Caps) Structures() []CapsStructure {
	out := make([]CapsStructure, c.Len())
	for i := range out {
		out[i] = c.Structure(i)
	}
	return out
}

// Name is the media type of the first structure, "" for any or empty caps.
func (c Caps) Name() string {
	if c.c == nil || c.IsAny() || c.IsEmpty() {
		return ""
	}
	return gstring(C.gst_structure_get_name(C.gst_caps_get_structure(c.c, 0)))
}

// Equal says whether both describe the same.
func (c Caps) Equal(other Caps) bool { return C.gst_caps_is_equal(c.c, other.c) != 0 }

// CanIntersect says whether something fits both.
func (c Caps) CanIntersect(other Caps) bool { return C.gst_caps_can_intersect(c.c, other.c) != 0 }

// Intersect gives owned caps of what fits both, in c's order.
func (c Caps) Intersect(other Caps) Caps {
	return Caps{C.gst_caps_intersect_full(c.c, other.c, C.GST_CAPS_INTERSECT_FIRST)}
}

// String gives the text form.
func (c Caps) String() string {
	if c.c == nil {
		return ""
	}
	return takeString(C.gst_caps_to_string(c.c))
}

const systemMemory = "memory:SystemMemory"
