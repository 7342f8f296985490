package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asImage shows what a painter painted.
func asImage(p *Painter, buf []byte) *image.YCbCr {
	return &image.YCbCr{
		Y: buf[:p.offsetU], Cb: buf[p.offsetU:p.offsetV], Cr: buf[p.offsetV:],
		YStride: p.strideY, CStride: p.strideC,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, p.w, p.h),
	}
}

func paint(t testing.TB, w, h int, s Stamp) (*Painter, []byte) {
	t.Helper()
	p, err := NewPainter(w, h)
	require.NoError(t, err)
	buf := make([]byte, p.Size())
	p.Paint(buf, s)
	return p, buf
}

func TestReadsWhatWasPainted(t *testing.T) {
	t.Parallel()
	sizes := [][2]int{{160, 96}, {162, 98}, {320, 240}, {640, 480}, {768, 432}, {854, 480}, {1280, 720}, {1920, 1080}}
	stamps := []Stamp{
		{Frame: 0, Time: time.UnixMilli(0).UTC()},
		{Frame: 1, Time: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)},
		{Frame: 1<<32 - 1, Time: time.UnixMilli(1<<48 - 1).UTC()},
	}
	for _, size := range sizes {
		for _, s := range stamps {
			p, buf := paint(t, size[0], size[1], s)
			got, err := Read(asImage(p, buf))
			require.NoError(t, err, "%v", size)
			require.Equal(t, s, got)
			got, err = ReadLuma(buf, p.strideY, size[0], size[1])
			require.NoError(t, err)
			require.Equal(t, s, got)
		}
	}
}

// Every bit of the code counts, through JPEG of a poor quality, too.
func TestSurvivesJPEG(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		s := Stamp{Frame: r.Uint32(), Time: time.UnixMilli(r.Int64N(1 << 48)).UTC()}
		p, buf := paint(t, 320, 240, s)
		var b bytes.Buffer
		require.NoError(t, jpeg.Encode(&b, asImage(p, buf), &jpeg.Options{Quality: 30}))
		img, err := jpeg.Decode(&b)
		require.NoError(t, err)
		got, err := Read(img)
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
}

// Positions are relative: a scaled picture, in RGB and not at the origin, reads the same.
func TestSurvivesScaling(t *testing.T) {
	t.Parallel()
	s := Stamp{Frame: 4711, Time: time.UnixMilli(1767225600123).UTC()}
	p, buf := paint(t, 640, 480, s)
	src := asImage(p, buf)
	for _, size := range [][2]int{{320, 180}, {300, 222}, {1000, 700}} {
		dst := image.NewRGBA(image.Rect(7, 9, 7+size[0], 9+size[1]))
		for y := range size[1] {
			for x := range size[0] {
				dst.Set(7+x, 9+y, src.At(x*640/size[0], y*480/size[1]))
			}
		}
		got, err := Read(dst)
		require.NoError(t, err, "%v", size)
		require.Equal(t, s, got)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	p, buf := paint(t, 320, 240, Stamp{Frame: 5})
	upsideDown := image.NewGray(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		copy(upsideDown.Pix[(239-y)*320:], buf[y*p.strideY:][:320])
	}
	gray := image.NewGray(image.Rect(0, 0, 320, 240))
	for i := range gray.Pix {
		gray.Pix[i] = 128
	}
	for name, img := range map[string]image.Image{
		"gray": gray, "upside down": upsideDown, "empty": image.NewGray(image.Rectangle{}), "tiny": image.NewGray(image.Rect(0, 0, 20, 20)),
	} {
		_, err := Read(img)
		require.ErrorIs(t, err, ErrNoCode, name)
	}
	_, err := ReadLuma(make([]byte, 100), 320, 320, 240)
	require.ErrorIs(t, err, ErrNoCode)

	damaged := bytes.Clone(buf)
	r := cell(1, 7, 320, 240)
	p.rectangle(damaged, r, lumaWhite)
	one := cell(1, 7, 320, 240).Min
	if buf[one.Y*p.strideY+one.X] == lumaWhite {
		p.rectangle(damaged, r, lumaBlack)
	}
	_, err = ReadLuma(damaged, p.strideY, 320, 240)
	require.ErrorIs(t, err, ErrNoCode, "one bit differs")
}

func TestPicturesMove(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(0).UTC()
	_, a := paint(t, 320, 240, Stamp{Frame: 0, Time: at})
	_, b := paint(t, 320, 240, Stamp{Frame: 1, Time: at})
	differ := 0
	for y := 180; y < 240; y++ {
		for x := range 320 {
			if a[y*320+x] != b[y*320+x] {
				differ++
			}
		}
	}
	require.Greater(t, differ, 100, "the box moved")
	// The box stays in the picture however long the camera runs.
	for _, n := range []uint32{1 << 31, 1<<32 - 1, 123456789} {
		p, buf := paint(t, 320, 240, Stamp{Frame: n})
		require.Len(t, buf, p.Size())
	}
}

func TestPainterRefuses(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{0, 0}, {158, 96}, {160, 94}, {161, 96}, {160, 97}, {-640, 480}} {
		_, err := NewPainter(size[0], size[1])
		require.Error(t, err, "%v", size)
	}
}

func TestCRC(t *testing.T) {
	t.Parallel()
	require.Equal(t, uint16(0x29b1), crc16([]byte("123456789")), "the check value of CRC-16/CCITT-FALSE")
}

func FuzzReadLuma(f *testing.F) {
	_, buf := paint(f, 160, 96, Stamp{Frame: 77, Time: time.UnixMilli(1767225600123)})
	f.Add(buf[:160*96], 160, 160, 96)
	f.Add([]byte{}, 0, 0, 0)
	f.Add(bytes.Repeat([]byte{255, 0}, 1000), 40, 40, 50)
	f.Fuzz(func(t *testing.T, plane []byte, stride, w, h int) {
		if w > 4096 || h > 4096 {
			return
		}
		s, err := ReadLuma(plane, stride, w, h)
		if err == nil && s.Time.UnixMilli() < 0 {
			t.Fatalf("a time before 1970: %v", s)
		}
	})
}

func BenchmarkPaint(b *testing.B) {
	p, err := NewPainter(1280, 720)
	require.NoError(b, err)
	buf := make([]byte, p.Size())
	b.SetBytes(int64(len(buf)))
	for i := range b.N {
		p.Paint(buf, Stamp{Frame: uint32(i)})
	}
}
