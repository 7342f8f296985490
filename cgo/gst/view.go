package gst

// #include "ggo.h"
import "C"

import (
	"errors"
	"unsafe"
)

// View is a buffer as it came over the boundary, in one C struct: reading it costs no further call. It is borrowed: it and the bytes it
// gives live until the callback returns. Use it only from the thread of the callback.
type View C.GgoView

// ErrMap says that a buffer's memory could not be mapped for the access asked for.
var ErrMap = errors.New("mapping a buffer's memory")

// PTS is the presentation time in ns of the segment's time line, or ClockTimeNone.
func (v *View) PTS() uint64 { return uint64(v.pts) }

// DTS is the decoding time in ns, or ClockTimeNone.
func (v *View) DTS() uint64 { return uint64(v.dts) }

// Duration in ns, or ClockTimeNone.
func (v *View) Duration() uint64 { return uint64(v.duration) }

// Offset is the buffer's offset, of a meaning that the stream gives it.
func (v *View) Offset() uint64 { return uint64(v.offset) }

// RunningTime is that of the PTS (else the DTS) in the current segment in ns, or ClockTimeNone.
func (v *View) RunningTime() uint64 { return uint64(v.running_time) }

// SignedRunningTime is, of a buffer that came by a pad's Inbox, the running time of the PTS (else the DTS) in ns, which is negative before the
// segment; false where it has none.
func (v *View) SignedRunningTime() (int64, bool) {
	return int64(v.running), v.running != C.G_MAXINT64
}

// UnixZero is, of a buffer that came by a pad's Inbox, the wall-clock time in ns since 1970 of the running time 0, as it was when the buffer came; false
// where there is no clock, or it came before PLAYING.
func (v *View) UnixZero() (int64, bool) { return int64(v.unix_zero), v.unix_zero >= 0 }

// Flags are the buffer's flags.
func (v *View) Flags() uint32 { return uint32(v.flags) }

// Has says whether any of the flags is set.
func (v *View) Has(flags uint32) bool { return uint32(v.flags)&flags != 0 }

// Size is the number of bytes in all memories.
func (v *View) Size() int { return int(v.size) }

// SetSize says how much of an output buffer was filled, in bytes; for the output of a ResizeTransform.
func (v *View) SetSize(n int) { v.size = C.guint64(n) }

// Memories is the number of memories.
func (v *View) Memories() int { return int(v.n_memory) }

// Memory gives the bytes of memory i, mapped. A sink's View is mapped for reading when it comes; a transform's after Map.
func (v *View) Memory(i int) []byte {
	m := &v.memory[i]
	if m.size == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(m.data)), int(m.size))
}

// Map maps the memories one by one, for reading or also for writing, which the buffer must be writable for. It is undone when the callback
// returns. Bytes from Memory before Map(true) are not used after it: memory that somebody else reads too is copied then.
func (v *View) Map(write bool) error {
	flags := C.gint(C.GST_MAP_READ)
	if write {
		flags |= C.GST_MAP_WRITE
	}
	if C.ggo_view_map((*C.GgoView)(v), flags) == 0 {
		return ErrMap
	}
	return nil
}

// CopyTo copies the bytes of all memories to dst, which has room for Size, and gives their number.
func (v *View) CopyTo(dst []byte) int {
	n := 0
	for i := range int(v.n_memory) {
		n += copy(dst[n:], v.Memory(i))
	}
	return n
}

// Reference is the kind of clock a reference timestamp counts by.
type Reference int32

// The references whose epoch is known: 1900 and 1970, both in ns.
const (
	ReferenceNone Reference = C.GGO_REFERENCE_NONE
	ReferenceNTP  Reference = C.GGO_REFERENCE_NTP
	ReferenceUnix Reference = C.GGO_REFERENCE_UNIX
)

// ntpToUnix is the time from 1900-01-01 to 1970-01-01 in seconds (RFC 5905, figure 4).
const ntpToUnix = 2208988800

// UnixTime gives the time of the GstReferenceTimestampMeta in ns since 1970; false where the buffer has none of a known epoch.
func (v *View) UnixTime() (int64, bool) {
	switch Reference(v.reference) {
	case ReferenceUnix:
		return int64(v.reference_time), true
	case ReferenceNTP:
		return int64(uint64(v.reference_time) - ntpToUnix*1e9), true
	}
	return 0, false
}

// Token is the buffer's delivery token, borrowed; the zero Token where it has none.
func (v *View) Token() Token { return Token{(*C.GgoToken)(v.token)} }

// Buffer is the buffer itself, borrowed.
func (v *View) Buffer() Buffer { return Buffer{v.buffer} }
