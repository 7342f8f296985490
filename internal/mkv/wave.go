package mkv

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Format tags of WAVEFORMATEX. Source: RFC 2361.
const (
	WavePCM   = 1
	WaveALaw  = 6
	WaveMuLaw = 7
)

// WaveFormatSize is how many bytes a [WaveFormat] takes.
const WaveFormatSize = 18

// WaveFormat is the private data of a track of [CodecACM]: Microsoft's WAVEFORMATEX, whose numbers are little-endian.
//
//	offset  bytes  what
//	0       2      wFormatTag
//	2       2      nChannels
//	4       4      nSamplesPerSec
//	8       4      nAvgBytesPerSec = nSamplesPerSec * nBlockAlign
//	12      2      nBlockAlign = nChannels * wBitsPerSample / 8
//	14      2      wBitsPerSample
//	16      2      cbSize: bytes of extra data that follow, 0
type WaveFormat struct {
	Tag           int // WaveALaw and WaveMuLaw are what the service plays
	Channels      int
	SampleRate    int // Hz
	BitsPerSample int // 8 with G.711
}

// Append appends the format's bytes, or fails if a number does not fit its field.
func (w WaveFormat) Append(dst []byte) ([]byte, error) {
	align := w.Channels * w.BitsPerSample / 8
	rate := int64(w.SampleRate) * int64(align)
	if w.Tag < 1 || w.Tag > math.MaxUint16 || w.Channels < 1 || w.Channels > math.MaxUint8 || w.SampleRate < 1 || int64(w.SampleRate) > math.MaxUint32 ||
		w.BitsPerSample < 1 || w.BitsPerSample > 64 || rate > math.MaxUint32 {
		return dst, fmt.Errorf("writing a WAVEFORMATEX: format %d, %d channels, %d Hz, %d bits a sample is no audio format",
			w.Tag, w.Channels, w.SampleRate, w.BitsPerSample)
	}
	le := binary.LittleEndian
	dst = le.AppendUint16(dst, uint16(w.Tag))
	dst = le.AppendUint16(dst, uint16(w.Channels))
	dst = le.AppendUint32(dst, uint32(w.SampleRate))
	dst = le.AppendUint32(dst, uint32(rate))
	dst = le.AppendUint16(dst, uint16(align))
	dst = le.AppendUint16(dst, uint16(w.BitsPerSample))
	return le.AppendUint16(dst, 0), nil
}

// ParseWaveFormat reads a WAVEFORMATEX, or a WAVEFORMAT of 16 bytes. Extra data after it is not looked at.
func ParseWaveFormat(b []byte) (WaveFormat, error) {
	if len(b) < 16 {
		return WaveFormat{}, fmt.Errorf("reading a WAVEFORMATEX: %d bytes, and it has at least 16", len(b))
	}
	le := binary.LittleEndian
	return WaveFormat{
		Tag: int(le.Uint16(b)), Channels: int(le.Uint16(b[2:])), SampleRate: int(le.Uint32(b[4:])), BitsPerSample: int(le.Uint16(b[14:])),
	}, nil
}
