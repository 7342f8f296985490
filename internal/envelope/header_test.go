package envelope

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixed is a source of ids that is the same each time.
func fixed() *strings.Reader { return strings.NewReader("\x01\x23\x45\x67\x89\xab\xcd\xef") }

func newEncoder(t testing.TB, codec Codec, level int) *Encoder {
	t.Helper()
	e, err := NewEncoder(EncoderSettings{Codec: codec, Level: level})
	require.NoError(t, err)
	return e
}

// partsOf are the records of a message.
func partsOf(t testing.TB, e *Encoder, b Body, maxRecord int) [][]byte {
	t.Helper()
	p, err := e.Split(b, maxRecord)
	require.NoError(t, err)
	var records [][]byte
	for i := range p.Len() {
		records = append(records, p.AppendTo(nil, i))
	}
	return records
}

// payloadOf is data that compresses, the same for a seed.
func payloadOf(seed uint64, n int) []byte {
	random := rand.New(rand.NewPCG(seed, 1))
	var data []byte
	for len(data) < n {
		data = fmt.Appendf(data, `{"sensor_name":"north%d","frame_id":%d,"objects":[]}`, random.IntN(9), random.IntN(1e6))
	}
	return data[:n]
}

// noiseOf is data that does not compress.
func noiseOf(seed uint64, n int) []byte {
	data := make([]byte, n)
	random := rand.New(rand.NewPCG(seed, 2))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

// TestGoldenParts: the bytes of envelopes whose bodies are not compressed never change.
func TestGoldenParts(t *testing.T) {
	t.Parallel()
	e, err := NewEncoder(EncoderSettings{Random: fixed()})
	require.NoError(t, err)
	var dump strings.Builder
	for _, c := range []struct{ size, maxRecord int }{{0, 100}, {5, 100}, {16, 60}, {20, 52}, {70, 64}} {
		for i, r := range partsOf(t, e, Whole(payloadOf(1, c.size)), c.maxRecord) {
			fmt.Fprintf(&dump, "%d bytes, records of at most %d, part %d\n%s\n", c.size, c.maxRecord, i, hex.Dump(r))
		}
	}
	file := filepath.Join("testdata", "golden", "parts.hex")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(dump.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), dump.String())
}

// TestGoldenCompressed: what was compressed once is read for ever. The compressor's own bytes may change with its version.
func TestGoldenCompressed(t *testing.T) {
	t.Parallel()
	payload := payloadOf(2, 3000)
	for _, codec := range []Codec{Gzip, Zstd} {
		file := filepath.Join("testdata", "golden", codec.String()+".bin")
		if *update {
			e, err := NewEncoder(EncoderSettings{Codec: codec, Random: fixed()})
			require.NoError(t, err)
			b, smaller := e.Compress(payload)
			require.True(t, smaller)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, partsOf(t, e, b, 4000)[0], 0o644))
		}
		record, err := os.ReadFile(file)
		require.NoError(t, err)
		a, err := NewAssembler(AssemblerSettings{})
		require.NoError(t, err)
		got, ok, err := a.Add(Place{}, record)
		require.NoError(t, err)
		require.True(t, ok)
		require.True(t, bytes.Equal(payload, got))
	}
}

func TestNothingElseBeginsLikeIt(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"nothing": "", "three bytes": magic[:3], "kpl": "\xf3\x89\x9a\xc2", "fixmap": "\x8bgke", "map16": "\xde\x00\x10", "json": `{"a":1}`, "jpeg": "\xff\xd8\xff\xe0",
		"gzip": "\x1f\x8b\x08", "zstd": "\x28\xb5\x2f\xfd", "annex-b": "\x00\x00\x00\x01\x67", "matroska": "\x1a\x45\xdf\xa3", "mpeg-ts": "\x47\x40\x00\x10",
	} {
		require.False(t, Is([]byte(data)), name)
	}
	require.True(t, Is([]byte(magic)))
	require.True(t, Is(partsOf(t, newEncoder(t, None, 0), Whole([]byte("x")), 100)[0]))
}

// TestAnyByteMatters: no damaged or cut envelope is taken for a sound one.
func TestAnyByteMatters(t *testing.T) {
	t.Parallel()
	record := partsOf(t, newEncoder(t, None, 0), Whole(payloadOf(3, 100)), 100)[0]
	_, _, err := Parse(record)
	require.NoError(t, err)
	for i := range record {
		bad := bytes.Clone(record)
		bad[i] ^= 1 << (i % 8)
		_, _, err := Parse(bad)
		require.Error(t, err, "byte %d", i)
		_, _, err = Parse(record[:i])
		require.ErrorIs(t, err, ErrCorrupt, "cut at %d", i)
	}
	_, _, err = Parse(append(bytes.Clone(record), 0))
	require.ErrorIs(t, err, ErrCorrupt)
}

// edit changes a record and makes its checksum right again.
func edit(record []byte, change func(r []byte)) []byte {
	r := bytes.Clone(record)
	change(r)
	binary.BigEndian.PutUint32(r[crcOffset:], crcOf(r))
	return r
}

func set16(at int, v uint16) func(r []byte) {
	return func(r []byte) { binary.BigEndian.PutUint16(r[at:], v) }
}

func set32(at int, v uint32) func(r []byte) {
	return func(r []byte) { binary.BigEndian.PutUint32(r[at:], v) }
}

func TestHeadersThatLie(t *testing.T) {
	t.Parallel()
	record := partsOf(t, newEncoder(t, None, 0), Whole(payloadOf(3, 100)), 84)[1] // the second of three: 34, 34, 32
	for name, c := range map[string]struct {
		change func(r []byte)
		kind   error
		text   string
	}{
		"version":               {func(r []byte) { r[4] = 2 }, ErrUnknown, "reading the envelope: the envelope is of a version that this program does not know: version 2"},
		"codec":                 {func(r []byte) { r[5] = 3 }, ErrUnknown, "codec 3"},
		"flags":                 {set16(6, 0x8000), ErrUnknown, "flags 0x8000"},
		"index is count":        {set16(24, 3), ErrCorrupt, "part 3 of 3"},
		"no parts":              {set16(26, 0), ErrCorrupt, "part 1 of 0"},
		"more parts":            {set16(26, 4), ErrCorrupt, "a body of 34 bytes in place of 25"},
		"more parts than bytes": {set16(26, 101), ErrCorrupt, "100 bytes do not make 101 parts"},
		"parts left empty":      {set16(26, 60), ErrCorrupt, "100 bytes do not make 60 parts"},
		"size":                  {func(r []byte) { set32(28, 150)(r); set32(32, 150)(r) }, ErrCorrupt, "a body of 34 bytes in place of 50"},
		"no size":               {func(r []byte) { set32(28, 0)(r); set32(32, 0)(r) }, ErrCorrupt, "0 bytes do not make 3 parts"},
		"original":              {set32(32, 99), ErrCorrupt, "100 bytes uncompressed are said to be 99"},
		"huge size":             {set32(28, 1<<31), ErrCorrupt, "its sizes are beyond 2 GiB"},
		"huge original":         {set32(32, 1<<31), ErrCorrupt, "its sizes are beyond 2 GiB"},
		"last in the middle":    {set16(24, 2), ErrCorrupt, "a body of 34 bytes in place of 32"},
		"magic":                 {func(r []byte) { r[0] = 0 }, ErrCorrupt, "it has no magic number"},
	} {
		_, _, err := Parse(edit(record, c.change))
		require.ErrorIs(t, err, c.kind, name)
		require.ErrorContains(t, err, c.text, name)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	e, err := NewEncoder(EncoderSettings{Random: fixed()})
	require.NoError(t, err)
	payload := payloadOf(4, 100)
	records := partsOf(t, e, Whole(payload), 84)
	require.Len(t, records, 3)
	h, body, err := Parse(records[2])
	require.NoError(t, err)
	require.Equal(t, "0123456789abcdef0000000000000001", h.ID.String())
	require.Equal(t, Header{ID: h.ID, Codec: None, Index: 2, Count: 3, Size: 100, Original: 100, Sum: sumOf(payload)}, h)
	require.Equal(t, payload[68:], body)
	records[2][Overhead] = '!'
	require.Equal(t, byte('!'), body[0], "the body is a part of the record")
	require.Equal(t, len(body), cap(body), "appending must not write into the record")
}

func TestCodecNames(t *testing.T) {
	t.Parallel()
	for _, c := range []Codec{None, Gzip, Zstd} {
		got, err := ParseCodec(c.String())
		require.NoError(t, err)
		require.Equal(t, c, got)
	}
	_, err := ParseCodec("lz4")
	require.EqualError(t, err, `reading a compression: "lz4" is none of none, gzip, zstd`)
	require.Equal(t, "Codec(9)", Codec(9).String())
}
