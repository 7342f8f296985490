package launch

import (
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

// The picture is told by the mean luma of squares of this side: coding to JPEG changes that hardly, motion does.
const square = 8

// print is what a frame is known by.
type print []float32

// reference holds the prints of a clip's frames, in order.
type reference []print

// newReference decodes the clip as the pipelines do.
func newReference(t *testing.T, clip string) reference {
	t.Helper()
	c := exec.Command("gst-launch-1.0", "-q", "filesrc", "location="+clip, "!", "qtdemux", "!", "h264parse", "!", "avdec_h264", "!",
		"video/x-raw,format=I420", "!", "fdsink", "fd=1")
	c.Env = kit.GStreamer(t)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	var ref reference
	frame := make([]byte, kit.ClipWidth*kit.ClipHeight*3/2)
	for {
		if _, err = io.ReadFull(out, frame); err != nil {
			break
		}
		ref = append(ref, newPrint(frame[:kit.ClipWidth*kit.ClipHeight], kit.ClipWidth, kit.ClipWidth, kit.ClipHeight))
	}
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, c.Wait())
	require.Len(t, ref, kit.ClipFrames)
	return ref
}

func newPrint(luma []byte, stride, w, h int) print {
	p := make(print, 0, (w/square)*(h/square))
	for y := 0; y+square <= h; y += square {
		for x := 0; x+square <= w; x += square {
			sum := 0
			for row := range square {
				for _, v := range luma[(y+row)*stride+x:][:square] {
					sum += int(v)
				}
			}
			p = append(p, float32(sum)/square/square)
		}
	}
	return p
}

func printOf(img image.Image) (print, error) {
	m, ok := img.(*image.YCbCr)
	if !ok {
		return nil, fmt.Errorf("the picture is a %T", img)
	}
	return newPrint(m.Y, m.YStride, m.Rect.Dx(), m.Rect.Dy()), nil
}

// distance is the mean square difference.
func (p print) distance(q print) float64 {
	sum := 0.0
	for i := range p {
		d := float64(p[i] - q[i])
		sum += d * d
	}
	return sum / float64(len(p))
}

// find gives the frame that a picture is of, how far it is, and how far the next likely one is.
func (r reference) find(p print) (frame int, best, second float64) {
	best, second = math.MaxFloat64, math.MaxFloat64
	for i, q := range r {
		switch d := p.distance(q); {
		case d < best:
			frame, best, second = i, d, best
		case d < second:
			second = d
		}
	}
	return frame, best, second
}
