package frame

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendJSONHeader appends everything that precedes the base64 of the payload
// in the JSON record, the opening quote included. It does not allocate if dst
// has room.
func AppendJSONHeader(dst []byte, m *Meta) []byte {
	dst = appendJSONString(append(dst, `{"data_type":`...), m.dataType())
	dst = appendJSONString(append(dst, `,"sensor_name":`...), m.SensorName)
	dst = appendJSONFloat(append(dst, `,"capture_timestamp":`...), m.CaptureTime)
	dst = appendJSONFloat(append(dst, `,"creation_timestamp":`...), m.CreationTime)
	dst = strconv.AppendInt(append(dst, `,"frame_id":`...), m.FrameID, 10)
	dst = appendJSONString(append(dst, `,"device_name":`...), m.DeviceName)
	if m.Kind == Image {
		return append(dst, `,"image":"`...)
	}
	return append(dst, `,"data":"`...)
}

// AppendJSONTrailer appends everything that follows the base64 of the payload,
// from the closing quote on; with newline a line feed ends the record, as line
// based readers need it. It does not allocate if dst has room.
func AppendJSONTrailer(dst []byte, m *Meta, newline bool) []byte {
	dst = append(dst, '"')
	if m.Kind == Image {
		dst = strconv.AppendBool(append(dst, `,"is_encoded":`...), m.Encoded)
		dst = m.Detections.appendJSON(append(dst, `,"detection_results":`...))
		dst = appendJSONSize(append(dst, `,"size":`...), m.Size)
		if m.Codec != "" {
			dst = appendJSONString(append(dst, `,"codec":`...), m.Codec)
		}
		if m.Caps != "" {
			dst = appendJSONString(append(dst, `,"caps":`...), m.Caps)
		}
	} else {
		dst = appendJSONString(append(dst, `,"codec":`...), m.Codec)
		dst = appendJSONString(append(dst, `,"caps":`...), m.Caps)
		dst = strconv.AppendBool(append(dst, `,"key_frame":`...), m.KeyFrame)
	}
	for i := range m.Extra {
		dst = appendJSONString(append(dst, ','), m.Extra[i].Key)
		dst = m.Extra[i].Value.appendJSON(append(dst, ':'))
	}
	dst = append(dst, '}')
	if newline {
		dst = append(dst, '\n')
	}
	return dst
}

// AppendJSON appends the whole JSON record.
func AppendJSON(dst []byte, m *Meta, payload []byte, newline bool) []byte {
	dst = AppendJSONHeader(dst, m)
	dst = base64.StdEncoding.AppendEncode(dst, payload)
	return AppendJSONTrailer(dst, m, newline)
}

// Base64 encodes a payload that comes in several pieces, one memory after the
// other, as one standard base64 text. The zero value is ready, and it is ready
// again after Finish. Not safe for concurrent use.
type Base64 struct {
	rest [3]byte // the bytes that do not yet make a group of three
	n    int
}

// Append appends the base64 of the groups of three bytes that are complete.
func (b *Base64) Append(dst, piece []byte) []byte {
	if b.n > 0 {
		k := copy(b.rest[b.n:], piece)
		b.n += k
		piece = piece[k:]
		if b.n < 3 {
			return dst
		}
		dst = base64.StdEncoding.AppendEncode(dst, b.rest[:])
	}
	whole := len(piece) - len(piece)%3
	dst = base64.StdEncoding.AppendEncode(dst, piece[:whole])
	b.n = copy(b.rest[:], piece[whole:])
	return dst
}

// Finish appends what is left, padded.
func (b *Base64) Finish(dst []byte) []byte {
	dst = base64.StdEncoding.AppendEncode(dst, b.rest[:b.n])
	b.n = 0
	return dst
}

// JSONLen is the number of bytes that the base64 of a payload takes.
func JSONLen(payloadLen int) int { return base64.StdEncoding.EncodedLen(payloadLen) }

func appendJSONSize(dst []byte, size [3]int) []byte {
	if size == ([3]int{}) {
		return append(dst, "null"...)
	}
	for i, n := range size {
		dst = strconv.AppendInt(append(dst, "[,,"[i]), int64(n), 10)
	}
	return append(dst, ']')
}

func (v Value) appendJSON(dst []byte) []byte {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(dst, v.num != 0)
	case KindInt:
		return strconv.AppendInt(dst, int64(v.num), 10)
	case KindUint:
		return strconv.AppendUint(dst, v.num, 10)
	case KindFloat:
		return appendJSONFloat(dst, math.Float64frombits(v.num))
	case KindString:
		return appendJSONString(dst, v.str)
	case KindBinary, KindExt:
		return appendJSONBinary(dst, v.str)
	case KindList:
		dst = append(dst, '[')
		for i := range v.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = v.items[i].Value.appendJSON(dst)
		}
		return append(dst, ']')
	case KindMap:
		dst = append(dst, '{')
		for i := range v.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendJSONString(dst, v.items[i].Key), ':')
			dst = v.items[i].Value.appendJSON(dst)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// appendJSONBinary encodes through a small array: the bytes are a string, and
// turning the whole into a slice would allocate.
func appendJSONBinary(dst []byte, s string) []byte {
	var group [96]byte
	dst = append(dst, '"')
	for len(s) > 0 {
		n := copy(group[:], s)
		dst = base64.StdEncoding.AppendEncode(dst, group[:n])
		s = s[n:]
	}
	return append(dst, '"')
}

func appendJSONFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

const hexDigits = "0123456789abcdef"

// appendJSONString writes a quoted text. Only what JSON demands is escaped.
func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = appendEscape(append(dst, s[start:i]...), c)
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
