package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"github.com/stretchr/testify/require"
)

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

func ycbcr(w, h int, ratio image.YCbCrSubsampleRatio) image.Image {
	return image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
}

func TestJPEGFits(t *testing.T) {
	t.Parallel()
	standard, err := standardHuffman()
	require.NoError(t, err)
	require.Len(t, standard, 4)

	good := jpegOf(t, ycbcr(64, 48, image.YCbCrSubsampleRatio420))
	require.NoError(t, jpegFits(good, standard))

	edit := func(marker byte, offset int, value byte) []byte {
		p := bytes.Clone(good)
		at := bytes.Index(p, []byte{0xff, marker})
		require.Positive(t, at)
		p[at+offset] = value
		return p
	}
	for name, c := range map[string]struct {
		picture []byte
		want    string
	}{
		"gray":            {jpegOf(t, image.NewGray(image.Rect(0, 0, 64, 48))), "three components"},
		"size":            {jpegOf(t, ycbcr(60, 48, image.YCbCrSubsampleRatio420)), "multiples of 8"},
		"progressive":     {edit(markerSOF0, 1, 0xc2), "baseline"},
		"12 bits":         {edit(markerSOF0, 4, 12), "8 bits"},
		"4:4:4":           {edit(markerSOF0, 4+7, 0x11), "chroma"},
		"other tables":    {edit(markerDHT, 4+17, 99), "Huffman"},
		"cut":             {good[:100], "not a JPEG"},
		"empty":           {nil, "not a JPEG"},
		"something else":  {[]byte("RIFFxxxxAVI LIST"), "not a JPEG"},
		"without a frame": {append([]byte{0xff, 0xd8, 0xff, markerSOS, 0, 3, 0}, good...), "not a JPEG"},
	} {
		err := jpegFits(c.picture, standard)
		require.ErrorContains(t, err, c.want, name)
	}
}

func FuzzJPEGFits(f *testing.F) {
	standard, err := standardHuffman()
	require.NoError(f, err)
	f.Add(jpegOf(f, ycbcr(8, 8, image.YCbCrSubsampleRatio420)))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xff, 0xff, 0xc4, 0, 2, 0xff, 0xda, 0, 2})
	f.Add([]byte{0xff, 0xd8, 0xff, 0xc4, 0, 19, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, p []byte) {
		_ = jpegFits(p, standard)
	})
}
