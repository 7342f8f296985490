package envelope

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// bodyOf is a payload compressed.
func bodyOf(t testing.TB, codec Codec, payload []byte) []byte {
	t.Helper()
	b, smaller := newEncoder(t, codec, 0).Compress(payload)
	require.True(t, smaller)
	return bytes.Clone(b.Data)
}

func TestDecoderAppends(t *testing.T) {
	t.Parallel()
	d, err := NewDecoder(0)
	require.NoError(t, err)
	payload := payloadOf(1, 1000)
	buffer := make([]byte, 6, 2000)
	copy(buffer, "before")
	for range 3 {
		for _, codec := range []Codec{Gzip, Zstd} {
			got, err := d.Append(buffer, Header{Codec: codec, Original: 1000}, bodyOf(t, codec, payload))
			require.NoError(t, err)
			require.Equal(t, "before"+string(payload), string(got))
			require.Same(t, &buffer[0], &got[0], "room that is there is used")
		}
	}
	got, err := d.Append(nil, Header{Original: 1000}, payload)
	require.NoError(t, err)
	require.Equal(t, payload, got)
}

// TestBombs: the claim is checked before memory is taken, and the claim is held to.
func TestBombs(t *testing.T) {
	t.Parallel()
	d, err := NewDecoder(1 << 20)
	require.NoError(t, err)
	for _, codec := range []Codec{Gzip, Zstd} {
		bomb := bodyOf(t, codec, make([]byte, 8<<20))
		require.Less(t, len(bomb), 128<<10)
		dst := []byte("before")
		for _, claim := range []int{0, 1, 100, 1000, 70_000, 1 << 20} {
			got, err := d.Append(dst, Header{Codec: codec, Original: claim}, bomb)
			require.ErrorIs(t, err, ErrCorrupt, "%s claims %d", codec, claim)
			require.Equal(t, dst, got)
		}
		_, err := d.Append(dst, Header{Codec: codec, Original: 8 << 20}, bomb)
		require.ErrorIs(t, err, ErrTooLarge)
		require.EqualError(t, err, "decompressing a message: the message is larger than the limit: 8388608 bytes, limit 1048576")
	}
}

// TestBombsTakeNoMemory runs alone: it looks at what the whole process allocates.
func TestBombsTakeNoMemory(t *testing.T) {
	d, err := NewDecoder(1 << 20)
	require.NoError(t, err)
	for _, codec := range []Codec{Gzip, Zstd} {
		bomb := bodyOf(t, codec, make([]byte, 16<<20))
		var before, after runtime.MemStats
		_, _ = d.Append(nil, Header{Codec: codec, Original: 1000}, bomb)
		runtime.ReadMemStats(&before)
		for range 10 {
			_, err := d.Append(nil, Header{Codec: codec, Original: 1000}, bomb)
			require.ErrorIs(t, err, ErrCorrupt)
		}
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), codec)
	}
}

func TestDamagedBodies(t *testing.T) {
	t.Parallel()
	d, err := NewDecoder(0)
	require.NoError(t, err)
	payload := payloadOf(2, 2000)
	for _, codec := range []Codec{Gzip, Zstd} {
		body := bodyOf(t, codec, payload)
		h := Header{Codec: codec, Original: len(payload)}
		for i := range body {
			_, err := d.Append(nil, h, body[:i])
			require.ErrorIs(t, err, ErrCorrupt, "%s cut at %d", codec, i)
			bad := bytes.Clone(body)
			bad[i] ^= 0x10
			if got, err := d.Append(nil, h, bad); err == nil { // gzip's header has bytes of no weight
				require.True(t, bytes.Equal(payload, got), "%s byte %d", codec, i)
			}
		}
		for _, wrong := range []int{0, 1, len(payload) - 1, len(payload) + 1, 2 * len(payload)} {
			_, err := d.Append(nil, Header{Codec: codec, Original: wrong}, body)
			require.ErrorIs(t, err, ErrCorrupt, "%s said to be %d", codec, wrong)
		}
		_, err := d.Append(nil, h, append(bytes.Clone(body), "more"...))
		require.ErrorIs(t, err, ErrCorrupt, codec)
		_, err = d.Append(nil, h, append(bytes.Clone(body), body...))
		require.ErrorIs(t, err, ErrCorrupt, codec)
		got, err := d.Append(nil, h, body)
		require.NoError(t, err, "a Decoder survives what it refuses")
		require.True(t, bytes.Equal(payload, got))
	}
	_, err = d.Append(nil, Header{Codec: 9, Original: 1}, []byte("x"))
	require.ErrorContains(t, err, "there is no codec 9")
	_, err = d.Append(nil, Header{Original: 2}, []byte("x"))
	require.ErrorIs(t, err, ErrCorrupt)
	_, err = d.Append(nil, Header{Original: -1}, nil)
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestDecoderSettings(t *testing.T) {
	t.Parallel()
	_, err := NewDecoder(-1)
	require.EqualError(t, err, "preparing decompression: a limit of -1 bytes is not within 1..2147483647")
	d, err := NewDecoder(1)
	require.NoError(t, err)
	got, err := d.Append(nil, Header{Original: 1}, []byte("x"))
	require.NoError(t, err)
	require.Equal(t, "x", string(got))
}

func TestDecoderDoesNotAllocate(t *testing.T) {
	payload := payloadOf(3, 50_000)
	for _, codec := range []Codec{None, Gzip, Zstd} {
		body := payload
		if codec != None {
			body = bodyOf(t, codec, payload)
		}
		d, err := NewDecoder(0)
		require.NoError(t, err)
		var buffer []byte
		once := func() {
			if buffer, err = d.Append(buffer[:0], Header{Codec: codec, Original: len(payload)}, body); err != nil {
				panic(err)
			}
		}
		once()
		require.LessOrEqual(t, testing.AllocsPerRun(20, once), float64(strayAllocs), codec)
	}
}
