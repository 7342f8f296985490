package picture

import (
	"fmt"
	"image"
)

// Video range luma, neutral chroma.
const (
	lumaBlack   = 16
	lumaWhite   = 235
	chromaGray  = 128
	boxSpeed    = 4 // pixels a frame
	clockLayout = "2006-01-02 15:04:05.000"
)

// bars are white, yellow, cyan, green, magenta, red, blue at 75 %, as Y, Cb, Cr (BT.601).
var bars = [7][3]byte{
	{180, 128, 128}, {162, 44, 142}, {131, 156, 44}, {112, 72, 58}, {84, 184, 198}, {65, 100, 212}, {35, 212, 114},
}

// A Painter paints pictures of one size, in I420 with GStreamer's strides. Safe for concurrent use.
type Painter struct {
	w, h             int
	strideY, strideC int
	offsetU, offsetV int
	background       []byte
	glyph            int // pixels of one dot of a letter
}

// NewPainter prepares pictures of w x h: both even, at least MinWidth x MinHeight.
func NewPainter(w, h int) (*Painter, error) {
	if w < MinWidth || h < MinHeight || w%2 != 0 || h%2 != 0 {
		return nil, fmt.Errorf("%dx%d: the picture needs even sides and at least %dx%d", w, h, MinWidth, MinHeight)
	}
	p := &Painter{w: w, h: h, strideY: roundUp4(w), strideC: roundUp4(w / 2)}
	p.offsetU = p.strideY * h
	p.offsetV = p.offsetU + p.strideC*h/2
	p.glyph = max(1, min(w/(len(clockLayout)*6+6), h/4/18))
	p.background = make([]byte, p.offsetV+p.strideC*h/2)
	p.paintBackground()
	return p, nil
}

func roundUp4(n int) int { return (n + 3) &^ 3 }

// Size is the number of bytes of a picture.
func (p *Painter) Size() int { return len(p.background) }

// Paint writes one whole picture to dst, which has at least Size bytes.
func (p *Painter) Paint(dst []byte, s Stamp) {
	copy(dst, p.background)
	p.paintCode(dst, s)
	p.paintText(dst, p.h/2+p.glyph, s.Time.UTC().Format(clockLayout))
	p.paintText(dst, p.h/2+p.glyph*10, fmt.Sprintf("#%d", s.Frame))
	p.paintBox(dst, s.Frame)
}

func (p *Painter) paintBackground() {
	b := p.background
	fill(b[:p.offsetU], lumaBlack)
	fill(b[p.offsetU:], chromaGray)
	for i, c := range bars {
		r := image.Rect(i*p.w/len(bars)&^1, p.h/8&^1, (i+1)*p.w/len(bars)&^1, p.h/2&^1)
		p.rectangle(b, r, c[0])
		for y := r.Min.Y / 2; y < r.Max.Y/2; y++ {
			fill(b[p.offsetU+y*p.strideC+r.Min.X/2:][:r.Dx()/2], c[1])
			fill(b[p.offsetV+y*p.strideC+r.Min.X/2:][:r.Dx()/2], c[2])
		}
	}
	for y := p.h * 3 / 4; y < p.h; y++ {
		for x := range p.w {
			b[y*p.strideY+x] = byte(lumaBlack + x*(lumaWhite-lumaBlack)/p.w)
		}
	}
}

func (p *Painter) paintCode(dst []byte, s Stamp) {
	bits := s.bytes()
	for row := range codeRows {
		for column := range codeColumns {
			white := marker(row, column)
			if column > 0 && column < codeColumns-1 {
				bit := row*24 + column - 1
				white = bits[bit/8]&(0x80>>(bit%8)) != 0
			}
			v := byte(lumaBlack)
			if white {
				v = lumaWhite
			}
			p.rectangle(dst, cell(row, column, p.w, p.h), v)
		}
	}
}

// paintBox moves a box to and fro over the lowest quarter.
func (p *Painter) paintBox(dst []byte, frame uint32) {
	side := p.h / 8
	way := p.w - side
	x := int(uint64(frame) * boxSpeed % uint64(2*way))
	if x > way {
		x = 2*way - x
	}
	y := p.h*3/4 + p.h/16
	p.rectangle(dst, image.Rect(x, y, x+side, y+side), lumaWhite)
	p.rectangle(dst, image.Rect(x+side/4, y+side/4, x+side*3/4, y+side*3/4), lumaBlack)
}

func (p *Painter) paintText(dst []byte, y int, text string) {
	for i, r := range text {
		for dy, bits := range glyphs[r] {
			for dx := range 5 {
				if bits&(0x10>>dx) == 0 {
					continue
				}
				x := (1+i)*6*p.glyph + dx*p.glyph
				p.rectangle(dst, image.Rect(x, y+dy*p.glyph, x+p.glyph, y+(dy+1)*p.glyph), lumaWhite)
			}
		}
	}
}

// rectangle fills a part of the luma plane.
func (p *Painter) rectangle(dst []byte, r image.Rectangle, v byte) {
	r = r.Intersect(image.Rect(0, 0, p.w, p.h))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		fill(dst[y*p.strideY+r.Min.X:][:r.Dx()], v)
	}
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// glyphs are letters of 5 x 7 dots, a byte a line, the leftmost dot in bit 4.
var glyphs = map[rune][7]byte{
	'0': {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e},
	'1': {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e},
	'2': {0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f},
	'3': {0x0e, 0x11, 0x01, 0x06, 0x01, 0x11, 0x0e},
	'4': {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02},
	'5': {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e},
	'6': {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e},
	'7': {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08},
	'8': {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e},
	'9': {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c},
	'-': {0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00},
	':': {0x00, 0x04, 0x04, 0x00, 0x04, 0x04, 0x00},
	'.': {0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x04},
	'#': {0x0a, 0x0a, 0x1f, 0x0a, 0x1f, 0x0a, 0x0a},
}
