package intake

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func BenchmarkReader(b *testing.B) {
	text := bytes.Repeat([]byte{'x'}, 1021)
	quoted := append(append([]byte{'"'}, text...), '"', '\n')
	bin := append([]byte{0xc5, 0x03, 0xfd}, text...)
	for name, c := range map[string]struct {
		set    Settings
		head   string
		record []byte
	}{
		"lines":           {Settings{Format: Lines}, "", append(text[:1021:1021], "yz\n"...)},
		"ndjson":          {Settings{Format: NDJSON}, "", quoted},
		"length-prefixed": {Settings{Format: LengthPrefixed}, "", append([]byte{0, 0, 3, 0xfd}, text...)},
		"msgpack":         {Settings{Format: Msgpack}, "", bin},
		"bulk":            {Settings{Format: Bulk}, "\xa31.0", bin},
	} {
		input := append([]byte(c.head), bytes.Repeat(c.record, 4096)...)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			r := NewReader("in", nil, c.set)
			for b.Loop() {
				r.Reset("in", bytes.NewReader(input))
				n := 0
				for {
					_, err := r.Next()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != 4096 {
					b.Fatal(n)
				}
			}
		})
	}
}
