package codec

import "time"

// CBOR major types (RFC 8949 section 3.1), shifted into place.
const (
	cborUint   = 0 << 5
	cborNeg    = 1 << 5
	cborBytes  = 2 << 5
	cborText   = 3 << 5
	cborArray  = 4 << 5
	cborMap    = 5 << 5
	cborTag    = 6 << 5
	cborSimple = 7 << 5

	cborIndefinite = 31
	cborBreak      = 0xff
	cborTagTime    = 1
)

// cborWriter appends CBOR as AWS writes it: maps and lists of indefinite length.
type cborWriter struct{ buf []byte }

// head appends a major type with its argument in the shortest form.
func (w *cborWriter) head(major byte, n uint64) {
	switch {
	case n < 24:
		w.buf = append(w.buf, major|byte(n))
	case n < 1<<8:
		w.buf = append(w.buf, major|24, byte(n))
	case n < 1<<16:
		w.buf = append(w.buf, major|25, byte(n>>8), byte(n))
	case n < 1<<32:
		w.buf = append(w.buf, major|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	default:
		w.buf = append(w.buf, major|27, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32),
			byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}

func (w *cborWriter) MapStart()  { w.buf = append(w.buf, cborMap|cborIndefinite) }
func (w *cborWriter) MapEnd()    { w.buf = append(w.buf, cborBreak) }
func (w *cborWriter) ListStart() { w.buf = append(w.buf, cborArray|cborIndefinite) }
func (w *cborWriter) ListEnd()   { w.buf = append(w.buf, cborBreak) }

func (w *cborWriter) Key(name string) { w.String(name) }

func (w *cborWriter) String(s string) {
	w.head(cborText, uint64(len(s)))
	w.buf = append(w.buf, s...)
}

func (w *cborWriter) Int(n int64) {
	if n < 0 {
		w.head(cborNeg, uint64(-1-n))
		return
	}
	w.head(cborUint, uint64(n))
}

func (w *cborWriter) Bool(b bool) {
	if b {
		w.buf = append(w.buf, cborSimple|21)
		return
	}
	w.buf = append(w.buf, cborSimple|20)
}

func (w *cborWriter) Blob(b []byte) {
	w.head(cborBytes, uint64(len(b)))
	w.buf = append(w.buf, b...)
}

// Time writes tag 1 around milliseconds, which is what AWS's clients expect, not what the tag's definition says.
func (w *cborWriter) Time(t time.Time) {
	w.head(cborTag, cborTagTime)
	w.Int(t.UnixMilli())
}

func (w *cborWriter) Bytes() []byte { return w.buf }
