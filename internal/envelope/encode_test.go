package envelope

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSplitDividesEqually(t *testing.T) {
	t.Parallel()
	e := newEncoder(t, None, 0)
	for _, c := range []struct {
		size, room int
		want       []int // bytes of the bodies
	}{
		{0, 1, []int{0}},
		{1, 1, []int{1}},
		{3, 1, []int{1, 1, 1}},
		{10, 10, []int{10}},
		{11, 10, []int{6, 5}},
		{20, 10, []int{10, 10}},
		{21, 10, []int{7, 7, 7}},
		{10, 2, []int{2, 2, 2, 2, 2}},
		{9, 2, []int{2, 2, 2, 2, 1}},
		{17, 4, []int{4, 4, 4, 4, 1}},
		{10, 3, []int{3, 3, 3, 1}},
	} {
		p, err := e.Split(Whole(make([]byte, c.size)), c.room+Overhead)
		require.NoError(t, err)
		var got []int
		for i := range p.Len() {
			got = append(got, p.Size(i)-Overhead)
		}
		require.Equal(t, c.want, got, "%d bytes by %d", c.size, c.room)
	}
}

// TestSplitKeepsItsWord: for random sizes the parts are as long as was said, never too long, as few as can be, and all sound.
func TestSplitKeepsItsWord(t *testing.T) {
	t.Parallel()
	e := newEncoder(t, None, 0)
	random := rand.New(rand.NewPCG(1, 3))
	var buffer []byte
	for range 400 {
		payload := noiseOf(1, random.IntN(5000))
		maxRecord := Overhead + 1 + random.IntN(1+random.IntN(3000))
		p, err := e.Split(Whole(payload), maxRecord)
		require.NoError(t, err)
		require.LessOrEqual(t, p.Len(), max(1, (len(payload)+maxRecord-Overhead-1)/(maxRecord-Overhead)))
		var joined []byte
		for i := range p.Len() {
			buffer = p.AppendTo(buffer[:0], i)
			require.Len(t, buffer, p.Size(i))
			require.LessOrEqual(t, len(buffer), maxRecord)
			h, body, err := Parse(buffer)
			require.NoError(t, err)
			require.Equal(t, p.ID(), h.ID)
			require.Equal(t, i, h.Index)
			joined = append(joined, body...)
		}
		require.True(t, bytes.Equal(payload, joined))
	}
}

func TestSplitLimits(t *testing.T) {
	t.Parallel()
	e := newEncoder(t, None, 0)
	_, err := e.Split(Whole([]byte("x")), Overhead)
	require.EqualError(t, err, "splitting a message: records of 44 bytes leave no room beside the header of 44")
	p, err := e.Split(Whole(make([]byte, MaxParts)), Overhead+1)
	require.NoError(t, err)
	require.Equal(t, MaxParts, p.Len())
	_, err = e.Split(Whole(make([]byte, MaxParts+1)), Overhead+1)
	require.ErrorIs(t, err, ErrTooLarge)
	if tooMuch := MaxSize; tooMuch < math.MaxInt { // not where int has 32 bits
		_, err = e.Split(Body{Codec: Zstd, Original: tooMuch + 1}, 1000)
		require.ErrorIs(t, err, ErrTooLarge)
	}
	require.PanicsWithValue(t, "envelope: part 65535 of 65535", func() { p.Size(MaxParts) })
	require.Panics(t, func() { p.AppendTo(nil, -1) })
}

func TestAppendToFillsInPlace(t *testing.T) {
	t.Parallel()
	p, err := newEncoder(t, None, 0).Split(Whole(payloadOf(1, 500)), 200)
	require.NoError(t, err)
	whole := p.AppendTo([]byte("before"), 1)
	require.Equal(t, "before", string(whole[:6]))
	_, _, err = Parse(whole[6:])
	require.NoError(t, err)
	buffer := make([]byte, 0, p.Size(1))
	require.Same(t, &buffer[:1][0], &p.AppendTo(buffer, 1)[0])
}

func TestIDsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[ID]bool{}
	for range 4 {
		e := newEncoder(t, None, 0)
		for range 100 {
			p, err := e.Split(Whole(nil), 100)
			require.NoError(t, err)
			require.False(t, seen[p.ID()])
			seen[p.ID()] = true
		}
	}
}

func TestCompress(t *testing.T) {
	t.Parallel()
	d, err := NewDecoder(0)
	require.NoError(t, err)
	for _, codec := range []Codec{Gzip, Zstd} {
		for _, level := range []int{0, 1, 6, 9} {
			e := newEncoder(t, codec, level)
			for _, size := range []int{200, 1000, 5000, 70_000, windowBytes + 1000} {
				payload := payloadOf(uint64(size), size)
				b, smaller := e.Compress(payload)
				require.True(t, smaller)
				require.Equal(t, codec, b.Codec)
				require.Equal(t, size, b.Original)
				require.Less(t, len(b.Data)+Overhead, size)
				got, err := d.Append(nil, Header{Codec: codec, Original: size}, b.Data)
				require.NoError(t, err)
				require.True(t, bytes.Equal(payload, got))
			}
		}
	}
}

func TestCompressionThatDoesNotHelp(t *testing.T) {
	t.Parallel()
	for _, codec := range []Codec{None, Gzip, Zstd} {
		e := newEncoder(t, codec, 0)
		for _, payload := range [][]byte{nil, {}, []byte("short"), bytes.Repeat([]byte("a"), Overhead), noiseOf(1, 100), noiseOf(2, 100_000)} {
			b, smaller := e.Compress(payload)
			require.False(t, smaller, "%s, %d bytes", codec, len(payload))
			require.Equal(t, Whole(payload), b)
		}
	}
	b, smaller := newEncoder(t, None, 0).Compress(payloadOf(1, 10_000))
	require.False(t, smaller)
	require.Equal(t, None, b.Codec)
}

func TestEncoderSettings(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]EncoderSettings{
		"preparing compression gzip: level 10 is not within 0..9":      {Codec: Gzip, Level: 10},
		"preparing compression zstd: level 23 is not within 0..22":     {Codec: Zstd, Level: 23},
		"preparing compression zstd: level -1 is not within 0..22":     {Codec: Zstd, Level: -1},
		"preparing compression none: level 1 is not within 0..0":       {Level: 1},
		"preparing compression Codec(7): there is no such codec":       {Codec: 7},
		"drawing the message ids' prefix: unexpected EOF":              {Random: strings.NewReader("short")},
		"drawing the message ids' prefix: " + io.ErrClosedPipe.Error(): {Random: closedPipe()},
	} {
		_, err := NewEncoder(s)
		require.EqualError(t, err, want)
	}
}

func closedPipe() io.Reader {
	r, _ := io.Pipe()
	_ = r.Close()
	return r
}

func TestEncoderDoesNotAllocate(t *testing.T) {
	payload := payloadOf(1, 50_000)
	for _, codec := range []Codec{None, Gzip, Zstd} {
		e := newEncoder(t, codec, 0)
		var buffer []byte
		once := func() {
			b, _ := e.Compress(payload)
			p, err := e.Split(b, 20_000)
			if err != nil {
				panic(err)
			}
			for i := range p.Len() {
				buffer = p.AppendTo(buffer[:0], i)
			}
		}
		once()
		require.LessOrEqual(t, testing.AllocsPerRun(20, once), float64(strayAllocs), codec)
	}
}

// TestNoGoroutines: neither the encoders nor the decoders leave any behind.
func TestNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	d, err := NewDecoder(0)
	require.NoError(t, err)
	for _, codec := range []Codec{Gzip, Zstd} {
		payload := payloadOf(1, 2<<20)
		b, _ := newEncoder(t, codec, 0).Compress(payload)
		_, err := d.Append(nil, Header{Codec: codec, Original: len(payload)}, b.Data)
		require.NoError(t, err)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}
