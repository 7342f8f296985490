package mkv

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNothingIsAllocated for each block that is written or read, nor for a cluster or its end, once the buffers have their size.
func TestNothingIsAllocated(t *testing.T) {
	stream, payload := benchStream(t, 20_000, 400)
	src := bytes.NewReader(stream)
	r := NewReader(src, Limits{})
	readSome := func() {
		for range 100 {
			_, err := r.Next()
			require.NoError(t, err)
		}
	}
	readSome()
	require.Zero(t, testing.AllocsPerRun(2, func() {
		for range 100 {
			if _, err := r.Next(); err != nil {
				panic(err)
			}
		}
	}))
	buf := make([]byte, 0, 1<<20)
	tags := []Tag{{"a", "b"}}
	require.Zero(t, testing.AllocsPerRun(10, func() {
		buf = AppendCluster(buf[:0], 1)
		buf = append(AppendSimpleBlockHeader(buf, 1, 0, KeyFrame, len(payload)), payload...)
		buf = AppendEndOfFragment(AppendTags(buf, tags))
	}))
}

// benchStream is a session of clusters of 30 frames.
func benchStream(tb testing.TB, size, frames int) (stream, payload []byte) {
	stream, err := AppendHeader(nil, someHeader())
	require.NoError(tb, err)
	payload = make([]byte, size)
	for i := range frames {
		var flags BlockFlags
		if i%30 == 0 {
			flags = KeyFrame
			stream = AppendCluster(stream, uint64(i)*33)
		}
		stream = append(AppendSimpleBlockHeader(stream, 1, int16(i%30*33), flags, size), payload...)
	}
	return stream, payload
}

var benchSizes = []int{200, 4 << 10, 20_000, 200_000}

// BenchmarkWriter builds a frame's block, the payload copied once.
func BenchmarkWriter(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			payload := make([]byte, size)
			buf := make([]byte, 0, size+SimpleBlockHeaderSize(1))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				buf = AppendSimpleBlockHeader(buf[:0], 1, 33, 0, size)
				buf = append(buf, payload...)
			}
		})
	}
}

// BenchmarkReader reads from memory, in pieces of at most 32 KiB as an HTTP body gives them.
func BenchmarkReader(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			stream, _ := benchStream(b, size, max(300, 4<<20/size))
			src := bytes.NewReader(stream)
			r := NewReader(nil, Limits{})
			blocks := 0
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				src.Reset(stream)
				r.Reset(chunks{src})
				blocks = 0
				for {
					e, err := r.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					if _, ok := e.(*Block); ok {
						blocks++
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(blocks), "ns/block")
		})
	}
}

type chunks struct{ src io.Reader }

func (c chunks) Read(b []byte) (int, error) { return c.src.Read(b[:min(len(b), 32<<10)]) }
