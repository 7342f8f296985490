package frame

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// The keys as msgpack has them: a fixstr, its length in the first byte.
const (
	mpKeyDataType   = "\xa9" + keyDataType
	mpKeySensor     = "\xab" + keySensor
	mpKeyCapture    = "\xb1" + keyCapture
	mpKeyCreation   = "\xb2" + keyCreation
	mpKeyFrameID    = "\xa8" + keyFrameID
	mpKeyDevice     = "\xab" + keyDevice
	mpKeyImage      = "\xa5" + keyImage
	mpKeyIsEncoded  = "\xaa" + keyIsEncoded
	mpKeyDetections = "\xb1" + keyDetections
	mpKeySize       = "\xa4" + keySize
	mpKeyData       = "\xa4" + keyData
	mpKeyCodec      = "\xa5" + keyCodec
	mpKeyCaps       = "\xa4" + keyCaps
	mpKeyKeyFrame   = "\xa9" + keyKeyFrame
)

// AppendHeader appends everything that precedes the payload in the msgpack
// record: the map's length, the keys up to the payload's, and the header of
// its byte string. It does not allocate if dst has room. It panics if
// payloadLen is negative or above [MaxPayload].
func AppendHeader(dst []byte, m *Meta, payloadLen int) []byte {
	if payloadLen < 0 || payloadLen > MaxPayload {
		panic(fmt.Sprintf("frame: payload of %d bytes", payloadLen))
	}
	dst = appendMapLen(dst, m.keys())
	dst = appendString(append(dst, mpKeyDataType...), m.dataType())
	dst = appendString(append(dst, mpKeySensor...), m.SensorName)
	dst = appendFloat(append(dst, mpKeyCapture...), m.CaptureTime)
	dst = appendFloat(append(dst, mpKeyCreation...), m.CreationTime)
	dst = appendInt(append(dst, mpKeyFrameID...), m.FrameID)
	dst = appendString(append(dst, mpKeyDevice...), m.DeviceName)
	if m.Kind == Image {
		return appendBinLen(append(dst, mpKeyImage...), payloadLen)
	}
	return appendBinLen(append(dst, mpKeyData...), payloadLen)
}

// AppendTrailer appends everything that follows the payload in the msgpack
// record. It does not allocate if dst has room.
func AppendTrailer(dst []byte, m *Meta) []byte {
	if m.Kind == Image {
		dst = appendBool(append(dst, mpKeyIsEncoded...), m.Encoded)
		dst = m.Detections.appendMsgpack(append(dst, mpKeyDetections...))
		dst = appendSize(append(dst, mpKeySize...), m.Size)
		if m.Codec != "" {
			dst = appendString(append(dst, mpKeyCodec...), m.Codec)
		}
		if m.Caps != "" {
			dst = appendString(append(dst, mpKeyCaps...), m.Caps)
		}
	} else {
		dst = appendString(append(dst, mpKeyCodec...), m.Codec)
		dst = appendString(append(dst, mpKeyCaps...), m.Caps)
		dst = appendBool(append(dst, mpKeyKeyFrame...), m.KeyFrame)
	}
	for i := range m.Extra {
		dst = appendString(dst, m.Extra[i].Key)
		dst = m.Extra[i].Value.appendMsgpack(dst)
	}
	return dst
}

// Append appends the whole msgpack record, which copies the payload. Who can
// hand the three parts on as they are uses [AppendHeader] and [AppendTrailer].
func Append(dst []byte, m *Meta, payload []byte) []byte {
	dst = AppendHeader(dst, m, len(payload))
	dst = append(dst, payload...)
	return AppendTrailer(dst, m)
}

func appendSize(dst []byte, size [3]int) []byte {
	if size == ([3]int{}) {
		return append(dst, 0xc0)
	}
	dst = append(dst, 0x93)
	for _, n := range size {
		dst = appendInt(dst, int64(n))
	}
	return dst
}

func (v Value) appendMsgpack(dst []byte) []byte {
	switch v.kind {
	case KindBool:
		return appendBool(dst, v.num != 0)
	case KindInt:
		return appendInt(dst, int64(v.num))
	case KindUint:
		return appendUint(dst, v.num)
	case KindFloat:
		return appendFloat(dst, math.Float64frombits(v.num))
	case KindString:
		return appendString(dst, v.str)
	case KindBinary:
		return append(appendBinLen(dst, len(v.str)), v.str...)
	case KindExt:
		return append(appendExtLen(dst, int8(v.num), len(v.str)), v.str...)
	case KindList:
		dst = appendArrayLen(dst, len(v.items))
		for i := range v.items {
			dst = v.items[i].Value.appendMsgpack(dst)
		}
		return dst
	case KindMap:
		dst = appendMapLen(dst, len(v.items))
		for i := range v.items {
			dst = v.items[i].Value.appendMsgpack(appendString(dst, v.items[i].Key))
		}
		return dst
	}
	return append(dst, 0xc0)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 0xc3)
	}
	return append(dst, 0xc2)
}

func appendFloat(dst []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 0xcb), math.Float64bits(f))
}

// appendInt writes the shortest form.
func appendInt(dst []byte, i int64) []byte {
	switch {
	case i >= 0:
		return appendUint(dst, uint64(i))
	case i >= -32:
		return append(dst, byte(i))
	case i >= math.MinInt8:
		return append(dst, 0xd0, byte(i))
	case i >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(dst, 0xd1), uint16(i))
	case i >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(dst, 0xd2), uint32(i))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xd3), uint64(i))
}

func appendUint(dst []byte, u uint64) []byte {
	switch {
	case u <= math.MaxInt8:
		return append(dst, byte(u))
	case u <= math.MaxUint8:
		return append(dst, 0xcc, byte(u))
	case u <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xcd), uint16(u))
	case u <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(u))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xcf), u)
}

// appendLen writes the length of a kind that has 8, 16 and 32 bit forms;
// code8 is 0 where there is none of 8 bits.
func appendLen(dst []byte, n int, code8, code16, code32 byte) []byte {
	switch {
	case n <= math.MaxUint8 && code8 != 0:
		return append(dst, code8, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, code16), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, code32), uint32(n))
}

func appendBinLen(dst []byte, n int) []byte { return appendLen(dst, n, 0xc4, 0xc5, 0xc6) }

func appendArrayLen(dst []byte, n int) []byte {
	if n < 16 {
		return append(dst, 0x90|byte(n))
	}
	return appendLen(dst, n, 0, 0xdc, 0xdd)
}

func appendMapLen(dst []byte, n int) []byte {
	if n < 16 {
		return append(dst, 0x80|byte(n))
	}
	return appendLen(dst, n, 0, 0xde, 0xdf)
}

func appendExtLen(dst []byte, code int8, n int) []byte {
	switch n {
	case 1:
		dst = append(dst, 0xd4)
	case 2:
		dst = append(dst, 0xd5)
	case 4:
		dst = append(dst, 0xd6)
	case 8:
		dst = append(dst, 0xd7)
	case 16:
		dst = append(dst, 0xd8)
	default:
		dst = appendLen(dst, n, 0xc7, 0xc8, 0xc9)
	}
	return append(dst, byte(code))
}

// appendString writes text, each byte of invalid UTF-8 as U+FFFD.
func appendString(dst []byte, s string) []byte {
	if utf8.ValidString(s) {
		return append(appendStringLen(dst, len(s)), s...)
	}
	n := 0
	for _, r := range s {
		n += utf8.RuneLen(r)
	}
	dst = appendStringLen(dst, n)
	for _, r := range s {
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

func appendStringLen(dst []byte, n int) []byte {
	if n < 32 {
		return append(dst, 0xa0|byte(n))
	}
	return appendLen(dst, n, 0xd9, 0xda, 0xdb)
}
