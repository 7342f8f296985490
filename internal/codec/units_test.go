package codec

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// all gives the units, which share the access unit's memory.
func all(u Units) (list [][]byte, err error) {
	for nal, ok := u.Next(); ok; nal, ok = u.Next() {
		list = append(list, nal)
	}
	return list, u.Err()
}

func TestAnnexB(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		au   string
		want []string
		err  string
	}{
		"one":                          {au: "\x00\x00\x01\x65abc", want: []string{"\x65abc"}},
		"4-byte codes":                 {au: "\x00\x00\x00\x01\x67a\x00\x00\x00\x01\x65b", want: []string{"\x67a", "\x65b"}},
		"mixed codes":                  {au: "\x00\x00\x00\x01\x67a\x00\x00\x01\x65b", want: []string{"\x67a", "\x65b"}},
		"zeros before, between, after": {au: "\x00\x00\x00\x00\x00\x01\x67a\x00\x00\x00\x00\x00\x01\x65b\x00\x00\x00", want: []string{"\x67a", "\x65b"}},
		"empty units":                  {au: "\x00\x00\x01\x00\x00\x01\x67a\x00\x00\x01\x00\x00\x01", want: []string{"\x67a"}},
		"emulation prevention":         {au: "\x00\x00\x01\x65\x00\x00\x03\x01\x00\x00\x03", want: []string{"\x65\x00\x00\x03\x01\x00\x00\x03"}},
		"a header that begins with 0":  {au: "\x00\x00\x01\x00\x01\xAA\x00\x00\x01\x02\x01\xBB", want: []string{"\x00\x01\xAA", "\x02\x01\xBB"}},
		"a single byte":                {au: "\x00\x00\x01\x0A", want: []string{"\x0A"}},
		"nothing":                      {au: "", err: "reading an access unit of 0 bytes: there is no start code"},
		"lengths":                      {au: "\x00\x00\x00\x03\x65ab", err: "stream-format=byte-stream, the data does not"},
		"something before":             {au: "ab\x00\x00\x01\x65", err: "2 bytes stand before its first start code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := all(AnnexB([]byte(c.au)))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				_, err = ConvertedSize([]byte(c.au))
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			var got []string
			for _, nal := range list {
				got = append(got, string(nal))
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestPrefixed(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 4} {
		var au []byte
		want := [][]byte{{0x67, 1, 0, 0, 1}, bytes.Repeat([]byte{0x65}, 200), {1}}
		for i, nal := range want {
			au = append(au, make([]byte, size*i)...) // empty units
			au = append(append(au, make([]byte, size-1)...), byte(len(nal)))
			au = append(au, nal...)
		}
		got, err := all(Prefixed(au, size))
		require.NoError(t, err)
		require.Equal(t, want, got)
		got, err = all(Prefixed(au[:len(au)-1], size))
		require.ErrorContains(t, err, "a NAL unit of 1 bytes where 0 are left")
		require.Equal(t, want[:2], got)
		if size > 1 {
			_, err = all(Prefixed(append(slices.Clip(au), 0), size))
			require.ErrorContains(t, err, "1 bytes are left for a length of "+strconv.Itoa(size))
		}
	}
	for _, size := range []int{-1, 0, 3, 5} {
		_, err := all(Prefixed([]byte{0, 0, 1, 2, 3, 4}, size))
		require.ErrorContains(t, err, "do not exist")
	}
	_, err := all(Prefixed([]byte{0xFF, 0xFF, 0xFF, 0xFF, 1}, 4))
	require.ErrorContains(t, err, "a NAL unit of 4294967295 bytes where 1 are left")
}

// naive is Annex B's B.1.1, byte by byte.
func naive(au []byte) (list [][]byte) {
	begin := -1
	for i := 0; i <= len(au); i++ {
		code := i+3 <= len(au) && bytes.Equal(au[i:i+3], []byte{0, 0, 1})
		if code || i == len(au) {
			if begin >= 0 {
				if nal := bytes.TrimRight(au[begin:i], "\x00"); len(nal) > 0 {
					list = append(list, nal)
				}
			}
			if i += 2; code {
				begin = i + 1
			}
		}
	}
	return list
}

// random gives bytes of few values, so that start codes and almost such are many.
func random(r *rand.Rand, n, values int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(values))
	}
	return b
}

// checkConversion: what is converted holds the units of the naive reading, at the size that was told, and no more is written.
func checkConversion(t *testing.T, au []byte) {
	t.Helper()
	size, err := ConvertedSize(au)
	if err != nil {
		start := bytes.Index(au, []byte{0, 0, 1})
		require.True(t, start < 0 || len(bytes.Trim(au[:start], "\x00")) > 0, "%x: %v", au, err)
		return
	}
	dst := bytes.Repeat([]byte{0xEE}, size+8)
	require.Equal(t, size, Convert(dst, au))
	require.Equal(t, bytes.Repeat([]byte{0xEE}, 8), dst[size:])
	got, err := all(Prefixed(dst[:size], 4))
	require.NoError(t, err)
	require.Equal(t, naive(au), got)
	direct, err := all(AnnexB(au))
	require.NoError(t, err)
	require.Equal(t, got, direct)
}

func TestConversion(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		checkConversion(t, append([]byte{0, 0, 1}, random(r, r.IntN(300), 2+r.IntN(6))...))
	}
	for _, n := range []int{1 << 10, 1 << 16} {
		checkConversion(t, append([]byte{0, 0, 1}, bytes.Repeat([]byte{1}, n)...))
		checkConversion(t, append([]byte{0, 0, 1}, bytes.Repeat([]byte{1, 0}, n)...))
		checkConversion(t, append([]byte{0, 0, 1}, bytes.Repeat([]byte{0}, n)...))
		checkConversion(t, bytes.Repeat([]byte{0, 0, 1}, n))
		checkConversion(t, append([]byte{0, 0, 1}, random(r, n, 256)...))
	}
}

func TestStartCode(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 50000 {
		b := random(r, r.IntN(80), 2+r.IntN(3))
		require.Equal(t, bytes.Index(b, []byte{0, 0, 1}), startCode(b), "%x", b)
		require.Equal(t, bytes.Index(b, []byte{0, 0, 1}), denseStartCode(b, 2), "%x", b)
	}
}

func FuzzUnits(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x67a\x00\x00\x01\x65b"), uint8(4))
	f.Add([]byte("\x00\x00\x00\x02\x67a\x00\x00\x00\x01\x65"), uint8(4))
	f.Add([]byte("\x02\x67a\x01\x65"), uint8(1))
	f.Fuzz(func(t *testing.T, au []byte, size uint8) {
		checkConversion(t, au)
		list, err := all(Prefixed(au, int(size)))
		n := 0
		for _, nal := range list {
			n += int(size) + len(nal)
		}
		require.LessOrEqual(t, n, len(au))
		if err == nil && size == 4 { // what is whole is written again the same, but for empty units
			var again []byte
			for _, nal := range list {
				again = append(binary.BigEndian.AppendUint32(again, uint32(len(nal))), nal...)
			}
			got, err := all(Prefixed(again, 4))
			require.NoError(t, err)
			require.Equal(t, list, got)
		}
		for _, u := range []Units{AnnexB(au), Prefixed(au, int(size))} {
			H264Access(u)
			H265Access(u)
			for _, sets := range []*Sets{NewH264Sets(), NewH265Sets()} {
				if _, err := sets.Update(u); err == nil {
					change, err := sets.Update(u)
					require.NoError(t, err)
					require.LessOrEqual(t, change, SequenceSets)
				}
			}
		}
	})
}

// frame makes an access unit like an encoder's: a delimiter, parameter sets and slices of random bytes without start codes.
func frame(slices, size int) []byte {
	r := rand.New(rand.NewPCG(5, 6))
	au := []byte{0, 0, 0, 1, 9, 0xF0}
	for range slices {
		au = append(au, 0, 0, 1, 0x41, 0x9A)
		for range size {
			b := byte(r.UintN(256))
			if n := len(au); au[n-1] == 0 && au[n-2] == 0 && b <= 3 {
				au = append(au, 3)
			}
			au = append(au, b)
		}
		au = append(au, 0x80)
	}
	return au
}

func TestNothingIsAllocated(t *testing.T) {
	sets := NewH264Sets()
	key := slices.Concat(frame(0, 0), []byte{0, 0, 0, 1}, testSPS, []byte{0, 0, 1}, testPPS, []byte{0, 0, 1}, frame(1, 1000)[9:])
	delta := frame(3, 1000)
	dst := make([]byte, 4096)
	_, err := sets.Update(AnnexB(key))
	require.NoError(t, err)
	adts := adtsFrame(t)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for _, au := range [][]byte{key, delta} {
			n, err := ConvertedSize(au)
			if err != nil || Convert(dst, au) != n {
				t.Error("not converted", err)
			}
			if change, err := sets.Update(AnnexB(au)); change != Same || err != nil {
				t.Error(change, err)
			}
			H264Access(Prefixed(dst[:n], 4))
			H265Access(AnnexB(au))
		}
		if _, _, err := StripADTS(adts); err != nil || CheckRaw(dst) != nil {
			t.Error(err)
		}
	}))
}

func BenchmarkConvert(b *testing.B) {
	for _, c := range []struct {
		name string
		au   []byte
	}{
		{"key frame 200 KB", frame(4, 50<<10)},
		{"frame 20 KB", frame(1, 20<<10)},
		{"frame 2 KB", frame(1, 2<<10)},
		{"ones 200 KB", append([]byte{0, 0, 1}, bytes.Repeat([]byte{1}, 200<<10)...)},
		{"almost codes 200 KB", append([]byte{0, 0, 1}, bytes.Repeat([]byte{0, 0, 3, 1}, 50<<10)...)},
	} {
		dst := make([]byte, 2*len(c.au))
		b.Run("size/"+c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.au)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := ConvertedSize(c.au); err != nil || n == 0 {
					b.Fatal(err)
				}
			}
		})
		b.Run("size, convert, access and sets/"+c.name, func(b *testing.B) {
			sets := NewH264Sets()
			b.SetBytes(int64(len(c.au)))
			b.ReportAllocs()
			for b.Loop() {
				n, err := ConvertedSize(c.au)
				if err != nil || Convert(dst, c.au) != n {
					b.Fatal(err)
				}
				H264Access(AnnexB(c.au))
				if _, err := sets.Update(AnnexB(c.au)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
