package mp4

import "encoding/binary"

// writer appends boxes. Numbers are big-endian.
type writer struct{ b []byte }

func (w *writer) u8(v ...uint8) { w.b = append(w.b, v...) }
func (w *writer) u16(v ...uint16) {
	for _, n := range v {
		w.b = binary.BigEndian.AppendUint16(w.b, n)
	}
}
func (w *writer) u32(v ...uint32) {
	for _, n := range v {
		w.b = binary.BigEndian.AppendUint32(w.b, n)
	}
}
func (w *writer) u64(v ...uint64) {
	for _, n := range v {
		w.b = binary.BigEndian.AppendUint64(w.b, n)
	}
}
func (w *writer) text(s string) { w.b = append(w.b, s...) }
func (w *writer) zeros(n int)   { w.b = append(w.b, make([]byte, n)...) }

// box writes a box whose content is written by fill.
func (w *writer) box(kind string, fill func()) {
	start := len(w.b)
	w.u32(0)
	w.text(kind)
	fill()
	binary.BigEndian.PutUint32(w.b[start:], uint32(len(w.b)-start))
}

// full writes a box with a version and flags.
func (w *writer) full(kind string, version uint8, flags uint32, fill func()) {
	w.box(kind, func() {
		w.u32(uint32(version)<<24 | flags)
		fill()
	})
}

// matrix is the one that changes nothing.
func (w *writer) matrix() {
	w.u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
}
