package codec

import (
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf8"
)

// jsonWriter appends a JSON text. comma says that the next key or item needs a comma before it.
type jsonWriter struct {
	buf   []byte
	comma bool
}

func (w *jsonWriter) sep() {
	if w.comma {
		w.buf = append(w.buf, ',')
	}
	w.comma = true
}

func (w *jsonWriter) MapStart() {
	w.sep()
	w.buf = append(w.buf, '{')
	w.comma = false
}

func (w *jsonWriter) MapEnd() {
	w.buf = append(w.buf, '}')
	w.comma = true
}

func (w *jsonWriter) ListStart() {
	w.sep()
	w.buf = append(w.buf, '[')
	w.comma = false
}

func (w *jsonWriter) ListEnd() {
	w.buf = append(w.buf, ']')
	w.comma = true
}

func (w *jsonWriter) Key(name string) {
	w.sep()
	w.buf = appendQuoted(w.buf, name)
	w.buf = append(w.buf, ':')
	w.comma = false
}

func (w *jsonWriter) String(s string) {
	w.sep()
	w.buf = appendQuoted(w.buf, s)
}

func (w *jsonWriter) Int(n int64) {
	w.sep()
	w.buf = strconv.AppendInt(w.buf, n, 10)
}

func (w *jsonWriter) Bool(b bool) {
	w.sep()
	w.buf = strconv.AppendBool(w.buf, b)
}

func (w *jsonWriter) Blob(b []byte) {
	w.sep()
	w.buf = append(w.buf, '"')
	w.buf = base64.StdEncoding.AppendEncode(w.buf, b)
	w.buf = append(w.buf, '"')
}

// Time writes seconds with three decimals.
func (w *jsonWriter) Time(t time.Time) {
	w.sep()
	ms := t.UnixMilli()
	if ms < 0 {
		w.buf = append(w.buf, '-')
		ms = -ms
	}
	w.buf = strconv.AppendInt(w.buf, ms/1000, 10)
	frac := ms % 1000
	w.buf = append(w.buf, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
}

func (w *jsonWriter) Bytes() []byte { return w.buf }

// appendQuoted appends s as a JSON string.
func appendQuoted(buf []byte, s string) []byte {
	const hex = "0123456789abcdef"
	buf = append(buf, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				buf = append(buf, '\\', c)
			case c == '\n':
				buf = append(buf, '\\', 'n')
			case c < 0x20:
				buf = append(buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			default:
				buf = append(buf, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		buf = utf8.AppendRune(buf, r)
		i += n
	}
	return append(buf, '"')
}
