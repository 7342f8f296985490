// Package picture paints the camera's test picture, and reads from any picture of it which frame it is and when it was
// taken. Pure Go: tests anywhere may import it to say exactly which frames arrived.
//
// The picture, from the top:
//
//	1/8 of the height  the code: 4 rows of 26 cells, black or white (below)
//	3/8                colour bars
//	1/4                the wall clock (UTC, milliseconds) and the frame's number, to be read by people
//	1/4                a box that moves one step a frame over a grey ramp
//
// The code. Cell (row, column) covers the rectangle from column*W/26 to (column+1)*W/26 and from row*H/32 to (row+1)*H/32.
// Column 0 is white, black, white, black from the top, column 25 the inverse: they give the threshold and show that there
// is a code at all. Columns 1 to 24 hold 96 bits, white is 1, row by row, most significant bit first:
//
//	32 bits  frame number, counted from the camera's start, modulo 2^32
//	48 bits  time of capture, milliseconds since 1970 UTC
//	16 bits  CRC-16/CCITT-FALSE over the ten bytes before
//
// Positions are relative to the picture, so the code survives coding, scaling and conversion to JPEG or RGB.
package picture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"time"
)

const (
	codeRows    = 4
	codeColumns = 26
	codeHeight  = 32 // a row of cells is 1/32 of the picture's height
	codeBytes   = 12

	// MinWidth and MinHeight are the smallest picture whose code survives an encoder.
	MinWidth, MinHeight = 160, 96
)

// A Stamp is what a picture tells of itself.
type Stamp struct {
	Frame uint32
	Time  time.Time // UTC, whole milliseconds
}

// ErrNoCode says that a picture bears no code, or that it cannot be read any more.
var ErrNoCode = errors.New("no frame code in the picture")

func (s Stamp) bytes() [codeBytes]byte {
	var b [codeBytes]byte
	binary.BigEndian.PutUint32(b[:], s.Frame)
	ms := uint64(s.Time.UnixMilli())
	binary.BigEndian.PutUint16(b[4:], uint16(ms>>32))
	binary.BigEndian.PutUint32(b[6:], uint32(ms))
	binary.BigEndian.PutUint16(b[10:], crc16(b[:10]))
	return b
}

func parseStamp(b [codeBytes]byte) (Stamp, error) {
	if crc16(b[:10]) != binary.BigEndian.Uint16(b[10:]) {
		return Stamp{}, fmt.Errorf("%w: checksum differs", ErrNoCode)
	}
	ms := uint64(binary.BigEndian.Uint16(b[4:]))<<32 | uint64(binary.BigEndian.Uint32(b[6:]))
	return Stamp{Frame: binary.BigEndian.Uint32(b[:]), Time: time.UnixMilli(int64(ms)).UTC()}, nil
}

// crc16 is CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xffff.
func crc16(p []byte) uint16 {
	crc := uint16(0xffff)
	for _, b := range p {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// cell is the rectangle of one cell in a picture of w x h.
func cell(row, column, w, h int) image.Rectangle {
	return image.Rect(column*w/codeColumns, row*h/codeHeight, (column+1)*w/codeColumns, (row+1)*h/codeHeight)
}

// marker tells whether the marker cell of a row is white.
func marker(row, column int) bool {
	return (row%2 == 0) == (column == 0)
}

// Read finds out which frame a picture is. Any picture of the camera will do: decoded, scaled, JPEG.
func Read(img image.Image) (Stamp, error) {
	bounds := img.Bounds()
	w, h := bounds.Dx(), bounds.Dy()
	luma := lumaOf(img)
	return read(w, h, func(x, y int) int { return luma(bounds.Min.X+x, bounds.Min.Y+y) })
}

// ReadLuma is Read for a plane of luma, as I420, NV12 and GRAY8 have it.
func ReadLuma(plane []byte, stride, w, h int) (Stamp, error) {
	if stride < w || h < 1 || len(plane) < stride*(h-1)+w {
		return Stamp{}, fmt.Errorf("%w: the plane is too small", ErrNoCode)
	}
	return read(w, h, func(x, y int) int { return int(plane[y*stride+x]) })
}

func lumaOf(img image.Image) func(x, y int) int {
	switch m := img.(type) {
	case *image.YCbCr:
		return func(x, y int) int { return int(m.Y[m.YOffset(x, y)]) }
	case *image.Gray:
		return func(x, y int) int { return int(m.GrayAt(x, y).Y) }
	}
	return func(x, y int) int {
		r, g, b, _ := img.At(x, y).RGBA()
		return int((299*r + 587*g + 114*b) / 1000 >> 8)
	}
}

func read(w, h int, luma func(x, y int) int) (Stamp, error) {
	threshold, err := findThreshold(w, h, luma)
	if err != nil {
		return Stamp{}, err
	}
	var b [codeBytes]byte
	for bit := range codeBytes * 8 {
		if brightness(cell(bit/24, 1+bit%24, w, h), luma) > threshold {
			b[bit/8] |= 0x80 >> (bit % 8)
		}
	}
	return parseStamp(b)
}

// findThreshold looks at the markers: the darkest white must stand clear of the brightest black.
func findThreshold(w, h int, luma func(x, y int) int) (int, error) {
	if w < codeColumns || h < codeHeight {
		return 0, fmt.Errorf("%w: %dx%d is too small", ErrNoCode, w, h)
	}
	white, black := 255, 0
	for row := range codeRows {
		for _, column := range []int{0, codeColumns - 1} {
			v := brightness(cell(row, column, w, h), luma)
			if marker(row, column) {
				white = min(white, v)
			} else {
				black = max(black, v)
			}
		}
	}
	if white-black < 48 {
		return 0, fmt.Errorf("%w: its markers are not there", ErrNoCode)
	}
	return (white + black) / 2, nil
}

// brightness is the mean over the middle half of a cell, away from its neighbours.
func brightness(r image.Rectangle, luma func(x, y int) int) int {
	dx, dy := r.Dx()/4, r.Dy()/4
	sum, n := 0, 0
	for y := r.Min.Y + dy; y < r.Max.Y-dy; y++ {
		for x := r.Min.X + dx; x < r.Max.X-dx; x++ {
			sum += luma(x, y)
			n++
		}
	}
	return sum / max(n, 1)
}
