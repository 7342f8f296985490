package codec

import (
	"encoding/hex"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/apierr"
)

// unhex reads hex with spaces.
func unhex(t *testing.T, text string) string {
	t.Helper()
	clean := ""
	for _, c := range text {
		if c != ' ' {
			clean += string(c)
		}
	}
	b, err := hex.DecodeString(clean)
	require.NoError(t, err)
	return string(b)
}

func TestCBORDecode(t *testing.T) {
	t.Parallel()
	// Text, Small, Flag, When = tag 1 with milliseconds, Data, List of definite length, Inner, an unknown float.
	body := "bf 6454657874 6161 65536d616c6c 03 64466c6167 f5 645768656e c1 1b 0000014b10d9a3fd 6444617461 43010203 " +
		"644c697374 82 6178 6179 65496e6e6572 a1 644e616d65 6141 63466f6f fb3ff8000000000000 ff"
	v, err := decode(t, CBOR, unhex(t, body))
	require.NoError(t, err)
	require.Equal(t, "a", *v.Text)
	require.EqualValues(t, 3, *v.Small)
	require.True(t, *v.Flag)
	require.Equal(t, time.UnixMilli(0x14b10d9a3fd).UTC(), *v.When)
	require.Equal(t, []byte{1, 2, 3}, v.Data)
	require.Equal(t, []string{"x", "y"}, v.List)
	require.Equal(t, "A", *v.Inner.Name)
}

func TestCBORStringsInChunks(t *testing.T) {
	t.Parallel()
	v, err := decode(t, CBOR, unhex(t, "a2 6454657874 7f 6161 6162 ff 6444617461 5f 4101 420203 ff"))
	require.NoError(t, err)
	require.Equal(t, "ab", *v.Text)
	require.Equal(t, []byte{1, 2, 3}, v.Data)
}

func TestCBORBytesAsText(t *testing.T) {
	t.Parallel()
	v, err := decode(t, CBOR, unhex(t, "a1 6444617461 64 41514944"))
	require.NoError(t, err)
	require.Equal(t, []byte{1, 2, 3}, v.Data)
}

func TestCBORNumbers(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]float64{"00": 0, "17": 23, "1818": 24, "190100": 256, "1a00010000": 65536, "1b0000000100000000": 1 << 32,
		"20": -1, "3863": -100, "f93c00": 1, "f9c400": -4, "f90001": 5.960464477539063e-8, "fa47c35000": 100000, "fb3ff199999999999a": 1.1,
		"f97c00": math.Inf(1)} {
		n, err := CBOR.NewReader([]byte(unhex(t, body))).Number()
		require.NoError(t, err)
		require.Equal(t, want, n, body)
	}
	n, err := CBOR.NewReader([]byte(unhex(t, "f97e00"))).Number()
	require.NoError(t, err)
	require.True(t, math.IsNaN(n))
}

func TestCBORBroken(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "ff", "bf", "80", "a1", "a1 64", "a1 6454657874", "bf 6454657874 6161", "a1 01 01", "a1 6454657874 61ff",
		"a0 00", "bb ffffffffffffffff", "a1 6454657874 7b ffffffffffffffff", "a1 6454657874 7f 4161 ff", "a1 6454657874 1c", "a1 6454657874 fc",
		"a1 63466f6f c2c2c2 00", "a1 63466f6f 9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f"} {
		_, err := decode(t, CBOR, unhex(t, body))
		var e *apierr.Error
		require.ErrorAs(t, err, &e, body)
		require.Equal(t, apierr.Serialization, e.Code)
	}
}

func TestCBORRoundTrip(t *testing.T) {
	t.Parallel()
	text, n, large, flag, when := "ä", int32(-500), int64(1)<<40, false, time.UnixMilli(-1421891322045).UTC()
	in := sample{Text: &text, Small: &n, Large: &large, Flag: &flag, When: &when, Data: make([]byte, 70000), List: []string{"a"},
		Inners: []inner{{Name: &text}, {}}}
	w := CBOR.NewWriter(nil)
	ShapeOf[sample]().Encode(w, &in)
	out, err := decode(t, CBOR, string(w.Bytes()))
	require.NoError(t, err)
	require.Equal(t, in, out)
}

// TestCBORAsJavaWritesIt compares with the bytes that AWS's Java SDK is known to send.
func TestCBORAsJavaWritesIt(t *testing.T) {
	t.Parallel()
	w := CBOR.NewWriter(nil)
	w.MapStart()
	w.Key("StreamName")
	w.String("test")
	w.Key("Data")
	w.Blob([]byte("hello, world!"))
	w.MapEnd()
	require.Equal(t, "\xbfjStreamNamedtestdDataMhello, world!\xff", string(w.Bytes()))
}

// FuzzCBOR checks that whatever is taken can be written and read back to the same.
func FuzzCBOR(f *testing.F) {
	f.Add([]byte("\xbfjStreamNamedtestdDataMhello, world!\xff"))
	f.Add([]byte("\xa1dWhen\xc1\x1b\x00\x00\x01\x4b\x10\xd9\xa3\xfd"))
	f.Add([]byte("\xbfdList\x9fax\xff\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var v sample
		if err := ShapeOf[sample]().Decode(CBOR.NewReader(body), &v); err != nil {
			return
		}
		w := CBOR.NewWriter(nil)
		ShapeOf[sample]().Encode(w, &v)
		var again sample
		require.NoError(t, ShapeOf[sample]().Decode(CBOR.NewReader(w.Bytes()), &again))
		require.Equal(t, v, again)
	})
}
