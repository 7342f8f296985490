package gst

// #include "ggo.h"
// #include "ggo_custom_meta.h"
import "C"

import "unsafe"

// RegisterCustomMeta makes a name known for metadata that programs and elements give to buffers as a structure (GstCustomMeta). Once for each name
// in a process; it goes with a buffer through any element that copies metadata.
func RegisterCustomMeta(name string) {
	t := cstr(name)
	defer cfree(t)
	C.ggo_register_custom_meta(t)
}

// AddCustomMeta gives a writable buffer metadata of a registered name; false where the name is not registered.
func (b Buffer) AddCustomMeta(s *Structure) bool {
	c := s.toC()
	defer C.gst_structure_free(c)
	return C.ggo_add_custom_meta(b.c, c) != 0
}

// CustomMeta gives a buffer's metadata of a name, nil where it has none.
func (b Buffer) CustomMeta(name string) *Structure {
	t := cstr(name)
	defer cfree(t)
	c := C.ggo_custom_meta(b.c, t)
	if c == nil {
		return nil
	}
	return structureFromC((*C.GstStructure)(unsafe.Pointer(c)))
}
