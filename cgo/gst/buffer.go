package gst

// #include "ggo.h"
import "C"

import (
	"fmt"
	"runtime/cgo"
	"unsafe"
)

// Buffer is a GstBuffer. It is a plain pointer: copying it takes no reference.
type Buffer struct{ c *C.GstBuffer }

func bytesPtr(b []byte) *C.guint8 { return (*C.guint8)(unsafe.SliceData(b)) }

// NewBuffer gives a buffer with a copy of data, owned by the caller, without times.
func NewBuffer(data []byte) Buffer {
	return Buffer{C.ggo_buffer_from_bytes(bytesPtr(data), C.gsize(len(data)))}
}

// IsNil says whether there is no buffer.
func (b Buffer) IsNil() bool { return b.c == nil }

// Same says whether both are the same GstBuffer.
func (b Buffer) Same(other Buffer) bool { return b.c == other.c }

// Ref takes a reference and gives the buffer, now owned.
func (b Buffer) Ref() Buffer {
	C.gst_buffer_ref(b.c)
	return b
}

// Unref gives a reference back.
func (b Buffer) Unref() { C.gst_buffer_unref(b.c) }

// Writable gives a buffer whose metadata may be written; it takes b and returns owned. The memory stays shared.
func (b Buffer) Writable() Buffer { return Buffer{C.ggo_buffer_make_writable(b.c)} }

// IsWritable says whether the metadata may be written.
func (b Buffer) IsWritable() bool { return C.ggo_buffer_is_writable(b.c) != 0 }

// Size in bytes.
func (b Buffer) Size() int { return int(C.gst_buffer_get_size(b.c)) }

// Memories is the number of memories.
func (b Buffer) Memories() int { return int(C.gst_buffer_n_memory(b.c)) }

// PTS in ns or ClockTimeNone; DTS, Duration and Offset likewise.
func (b Buffer) PTS() uint64      { return uint64(b.c.pts) }
func (b Buffer) DTS() uint64      { return uint64(b.c.dts) }
func (b Buffer) Duration() uint64 { return uint64(b.c.duration) }
func (b Buffer) Offset() uint64   { return uint64(b.c.offset) }

// SetPTS sets the presentation time in ns; the buffer must be writable, as for the other setters.
func (b Buffer) SetPTS(ns uint64)      { b.c.pts = C.GstClockTime(ns) }
func (b Buffer) SetDTS(ns uint64)      { b.c.dts = C.GstClockTime(ns) }
func (b Buffer) SetDuration(ns uint64) { b.c.duration = C.GstClockTime(ns) }
func (b Buffer) SetOffset(n uint64)    { b.c.offset = C.guint64(n) }

// Flags are the buffer's flags.
func (b Buffer) Flags() uint32 { return uint32(b.c.mini_object.flags) }

// SetFlags sets and clears flags.
func (b Buffer) SetFlags(set, unset uint32) {
	C.ggo_buffer_set_flags(b.c, C.guint(set), C.guint(unset))
}

// Append adds a memory with a copy of data.
func (b Buffer) Append(data []byte) {
	C.ggo_buffer_append_bytes(b.c, bytesPtr(data), C.gsize(len(data)))
}

// Region gives an owned buffer that shares a part of b's memory and has its flags and metas, a delivery token among them, and, where it
// begins with b's first byte, its PTS and DTS; it is used to cut one buffer into several.
// It panics, as slicing does, where that part is not inside b.
func (b Buffer) Region(offset, size int) Buffer {
	if offset < 0 || size < 0 || size > b.Size()-offset {
		panic(fmt.Sprintf("gst: bytes %d to %d of a buffer of %d", offset, offset+size, b.Size()))
	}
	return Buffer{C.ggo_buffer_region(b.c, C.gsize(offset), C.gsize(size))}
}

// Bytes copies the content out.
func (b Buffer) Bytes() []byte {
	out := make([]byte, b.Size())
	n := C.gst_buffer_extract(b.c, 0, C.gpointer(unsafe.Pointer(unsafe.SliceData(out))), C.gsize(len(out)))
	return out[:n]
}

// AddReferenceTime adds a GstReferenceTimestampMeta of ns since the reference's epoch; the buffer must be writable.
func (b Buffer) AddReferenceTime(r Reference, ns uint64) {
	name := cstr("timestamp/x-unix")
	if r == ReferenceNTP {
		cfree(name)
		name = cstr("timestamp/x-ntp")
	}
	defer cfree(name)
	C.ggo_buffer_add_reference_time(b.c, name, C.guint64(ns))
}

// UnixTime gives the reference timestamp in ns since 1970; false where there is none of a known epoch.
func (b Buffer) UnixTime() (int64, bool) {
	var v View
	v.reference = C.gint32(C.ggo_buffer_reference_time(b.c, &v.reference_time))
	return v.UnixTime()
}

// SetToken attaches a delivery token, in place of the one that was there; the buffer takes a reference of its own. False where it is not writable.
func (b Buffer) SetToken(t Token) bool { return C.ggo_buffer_set_token(b.c, t.c) != 0 }

// Token is the buffer's delivery token, borrowed; the zero Token where it has none.
func (b Buffer) Token() Token { return Token{C.ggo_buffer_token(b.c)} }

// Outcome is what became of what a delivery token stands for.
type Outcome int32

// The outcomes. OutcomeLost is the answer where the last buffer was freed and nobody had said anything.
const (
	OutcomeLost      Outcome = C.GGO_OUTCOME_LOST
	OutcomeDelivered Outcome = C.GGO_OUTCOME_DELIVERED
	OutcomeDropped   Outcome = C.GGO_OUTCOME_DROPPED
	OutcomeFailed    Outcome = C.GGO_OUTCOME_FAILED
)

// Token tells a source what became of a buffer. The source attaches it; transforms carry it on; who makes k buffers of one says
// Expect(k-1); who ends a buffer on purpose says Complete. It reports once, when its last reference is gone: delivered where
// all were completed and none failed, dropped where all were dropped on purpose. Safe from any thread.
type Token struct{ c *C.GgoToken }

// NewToken gives an owned token; done is called once, from whichever thread gives the last reference back.
func NewToken(done func(Outcome)) Token {
	return Token{C.ggo_token_new(C.uintptr_t(cgo.NewHandle(done)))}
}

// TokenFromPointer is the inverse of Pointer.
func TokenFromPointer(p uintptr) Token {
	return Token{*(**C.GgoToken)(unsafe.Pointer(&p))}
}

// Pointer gives the token as a number, to be kept where no C type is known. It takes no reference.
func (t Token) Pointer() uintptr { return uintptr(unsafe.Pointer(t.c)) }

// IsNil says whether there is no token.
func (t Token) IsNil() bool { return t.c == nil }

// Ref takes a reference; Unref gives one back.
func (t Token) Ref() Token {
	C.ggo_token_ref(t.c)
	return t
}

// Unref gives a reference back.
func (t Token) Unref() { C.ggo_token_unref(t.c) }

// Expect says that so many more parts must be completed.
func (t Token) Expect(more int) { C.ggo_token_expect(t.c, C.gint(more)) }

// Complete says what became of one part.
func (t Token) Complete(o Outcome) { C.ggo_token_complete(t.c, C.gint(o)) }

//export ggoGoTokenDone
func ggoGoTokenDone(h C.uintptr_t, outcome C.gint) {
	handle := cgo.Handle(h)
	done := handle.Value().(func(Outcome))
	handle.Delete()
	defer func() {
		if x := recover(); x != nil {
			complain(nil, "a delivery token's function", x)
		}
	}()
	done(Outcome(outcome))
}

// Pool is a GstBufferPool of buffers of one size.
type Pool struct{ c *C.GstBufferPool }

// NewPool gives an active pool of buffers of size bytes, at least min and at most max (0: no bound) of them.
func NewPool(size, min, max int) (*Pool, error) {
	p := C.gst_buffer_pool_new()
	config := C.gst_buffer_pool_get_config(p)
	C.gst_buffer_pool_config_set_params(config, nil, C.guint(size), C.guint(min), C.guint(max))
	if C.gst_buffer_pool_set_config(p, config) == 0 || C.gst_buffer_pool_set_active(p, 1) == 0 {
		C.gst_object_unref(C.gpointer(unsafe.Pointer(p)))
		return nil, fmt.Errorf("configuring a pool of %d to %d buffers of %d bytes", min, max, size)
	}
	return &Pool{p}, nil
}

// Acquire gives an owned buffer; it blocks where max are out. FlowFlushing after Close.
func (p *Pool) Acquire() (Buffer, Flow) {
	var b *C.GstBuffer
	r := C.gst_buffer_pool_acquire_buffer(p.c, &b, nil)
	return Buffer{b}, Flow(r)
}

// Close makes the pool inactive and gives it back; buffers that are out stay valid.
func (p *Pool) Close() {
	C.gst_buffer_pool_set_active(p.c, 0)
	C.gst_object_unref(C.gpointer(unsafe.Pointer(p.c)))
}

// Fill copies data into the buffer from offset and gives the number of bytes copied.
func (b Buffer) Fill(offset int, data []byte) int {
	return int(C.gst_buffer_fill(b.c, C.gsize(offset), C.gconstpointer(unsafe.Pointer(unsafe.SliceData(data))), C.gsize(len(data))))
}

// BufferList is a GstBufferList.
type BufferList struct{ c *C.GstBufferList }

// NewBufferList gives an owned list; it takes the buffers.
func NewBufferList(buffers ...Buffer) BufferList {
	l := C.gst_buffer_list_new_sized(C.guint(len(buffers)))
	for _, b := range buffers {
		C.gst_buffer_list_insert(l, -1, b.c)
	}
	return BufferList{l}
}

// Len is the number of buffers.
func (l BufferList) Len() int { return int(C.gst_buffer_list_length(l.c)) }

// At gives buffer i, borrowed.
func (l BufferList) At(i int) Buffer { return Buffer{C.ggo_list_at(l.c, C.guint(i))} }

// Unref gives a reference back.
func (l BufferList) Unref() { C.gst_mini_object_unref((*C.GstMiniObject)(unsafe.Pointer(l.c))) }

// SharesMemory says whether memory i of b and memory j of other are the same bytes.
func (b Buffer) SharesMemory(i int, other Buffer, j int) bool {
	return C.gst_buffer_peek_memory(b.c, C.guint(i)) == C.gst_buffer_peek_memory(other.c, C.guint(j))
}
