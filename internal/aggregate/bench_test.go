package aggregate

import (
	"fmt"
	"testing"
)

// benchUsers is an aggregate of about 50 KiB (KPL's default), or of 1 MiB.
func benchUsers(total, each, keys int) []user {
	users := make([]user, total/each)
	for i := range users {
		users[i] = user{key: fmt.Sprint("sensor-north-", i%keys), data: make([]byte, each)}
	}
	return users
}

var benchCases = []struct {
	name              string
	total, each, keys int
}{
	{"50KiB_of_100B_1_key", 50 << 10, 100, 1},
	{"50KiB_of_100B_64_keys", 50 << 10, 100, 64},
	{"50KiB_of_1KiB", 50 << 10, 1 << 10, 4},
	{"1MiB_of_1KiB", 1 << 20, 1 << 10, 16},
	{"1MiB_of_16KiB", 1 << 20, 16 << 10, 4},
}

func BenchmarkWriter(b *testing.B)     { benchBuilder(b, new(Writer)) }
func BenchmarkLineWriter(b *testing.B) { benchBuilder(b, new(LineWriter)) }

func benchBuilder(b *testing.B, w builder) {
	for _, c := range benchCases {
		b.Run(c.name, func(b *testing.B) {
			users := benchUsers(c.total, c.each, c.keys)
			buffer := build(w, users)
			b.SetBytes(int64(len(buffer)))
			b.ReportAllocs()
			for b.Loop() {
				w.Reset()
				for i := range users {
					u := &users[i]
					if w.SizeWith(u.key, u.hash, len(u.data)) > 10<<20 {
						b.Fatal("too large")
					}
					w.Add(u.key, u.hash, u.data)
				}
				buffer = w.AppendTo(buffer[:0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(users)), "ns/record")
		})
	}
}

func BenchmarkReader(b *testing.B) {
	for _, c := range benchCases {
		b.Run(c.name, func(b *testing.B) {
			data := build(new(Writer), benchUsers(c.total, c.each, c.keys))
			var r Reader
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if !r.Open(data) {
					b.Fatal("no aggregate")
				}
				n := 0
				for record := range r.All() {
					n += len(record.Data)
				}
				if n == 0 {
					b.Fatal("no data")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(r.Len()), "ns/record")
		})
	}
}

func BenchmarkIsOnOtherRecords(b *testing.B) {
	data := make([]byte, 64<<10)
	for b.Loop() {
		if Is(data) {
			b.Fatal("an aggregate")
		}
	}
}
