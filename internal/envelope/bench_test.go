package envelope

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// rawVideo is a frame of 8-bit luma: gradients with a little noise.
func rawVideo(n int) []byte {
	random := rand.New(rand.NewPCG(1, 1))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i%1280/8+i/1280/4) + byte(random.IntN(3))
	}
	return data
}

var benchPayloads = []struct {
	name string
	data []byte
}{
	{"json_4KiB", payloadOf(1, 4<<10)},
	{"json_1MiB", payloadOf(1, 1<<20)},
	{"raw_900KiB", rawVideo(1280 * 720)},
	{"jpeg_100KiB", noiseOf(1, 100<<10)},
}

var benchLevels = []struct {
	codec Codec
	level int
}{{Gzip, 1}, {Gzip, 6}, {Zstd, 1}, {Zstd, 3}, {Zstd, 7}}

func BenchmarkCompress(b *testing.B) {
	for _, l := range benchLevels {
		for _, p := range benchPayloads {
			b.Run(fmt.Sprintf("%s%d/%s", l.codec, l.level, p.name), func(b *testing.B) {
				e := newEncoder(b, l.codec, l.level)
				body, _ := e.Compress(p.data)
				b.SetBytes(int64(len(p.data)))
				b.ReportAllocs()
				for b.Loop() {
					body, _ = e.Compress(p.data)
				}
				b.ReportMetric(float64(len(p.data))/float64(len(body.Data)), "ratio")
			})
		}
	}
}

func BenchmarkDecompress(b *testing.B) {
	for _, codec := range []Codec{Gzip, Zstd} {
		for _, p := range benchPayloads[:3] {
			b.Run(codec.String()+"/"+p.name, func(b *testing.B) {
				d, _ := NewDecoder(0)
				body, h := bodyOf(b, codec, p.data), Header{Codec: codec, Original: len(p.data)}
				buffer, _ := d.Append(nil, h, body)
				b.SetBytes(int64(len(p.data)))
				b.ReportAllocs()
				for b.Loop() {
					var err error
					if buffer, err = d.Append(buffer[:0], h, body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	e := newEncoder(b, None, 0)
	payload := noiseOf(1, 3<<20)
	buffer := make([]byte, 0, 1<<20)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		p, err := e.Split(Whole(payload), 1<<20)
		if err != nil {
			b.Fatal(err)
		}
		for i := range p.Len() {
			buffer = p.AppendTo(buffer[:0], i)
		}
	}
}

func BenchmarkAssemble(b *testing.B) {
	e := newEncoder(b, None, 0)
	payload := noiseOf(1, 3<<20)
	a, err := NewAssembler(AssemblerSettings{})
	if err != nil {
		b.Fatal(err)
	}
	records := partsOf(b, e, Whole(payload), 1<<20)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		a.Reset()
		for i, r := range records {
			if _, ok, err := a.Add(Place{"shard", "1"}, r); err != nil || ok != (i == len(records)-1) {
				b.Fatal(ok, err)
			}
		}
	}
}

func BenchmarkRecordsWithoutEnvelope(b *testing.B) {
	a, _ := NewAssembler(AssemblerSettings{})
	record := noiseOf(1, 1000)
	for b.Loop() {
		if _, ok, _ := a.Add(Place{"shard", "1"}, record); !ok {
			b.Fatal("swallowed")
		}
	}
}
