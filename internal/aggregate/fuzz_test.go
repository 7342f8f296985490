package aggregate

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzReader gives a message its magic number and MD5 sum, so that the fuzzer gets
// past them. What opens is read, written anew and read again.
func FuzzReader(f *testing.F) {
	for _, users := range someUsers() {
		data := build(new(Writer), users)
		f.Add(data[len(magic) : len(data)-16])
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		data := seal(message)
		var r Reader
		opened := r.Open(data)
		require.Equal(t, opened, Is(data))
		records := slices.Collect(r.All())
		require.Len(t, records, r.Len())
		if !opened || len(records) == 0 {
			require.Empty(t, records)
			return
		}
		var w Writer
		for _, u := range records {
			w.Add(u.PartitionKey, u.ExplicitHash, u.Data)
		}
		again := w.AppendTo(nil)
		require.Len(t, again, w.Size())
		var second Reader
		require.True(t, second.Open(again))
		require.Equal(t, records, slices.Collect(second.All()))
	})
}

// FuzzIs gives whole records, as a stream does.
func FuzzIs(f *testing.F) {
	f.Add(build(new(Writer), someUsers()["hashes"]))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		var r Reader
		require.Equal(t, Is(data), r.Open(data))
		for range r.All() {
		}
		require.True(t, bytes.Equal(before, data), "a reader writes nothing")
	})
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\n\nb"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var w LineWriter
		for _, line := range Lines(data) {
			require.NotContains(t, string(line), "\n")
			w.Add("", "", slices.Concat(line, []byte("\n")))
		}
		again := w.AppendTo(nil)
		if len(data) > 0 && !ended(data) {
			data = append(data, '\n')
		}
		require.True(t, bytes.Equal(data, again))
	})
}
