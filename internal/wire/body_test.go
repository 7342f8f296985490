package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

// bodyOf returns a body with pieces of all kinds, and its bytes.
func bodyOf(t *testing.T, sizes ...int) (*body, []byte) {
	t.Helper()
	in := &kinesis.PutRecordsInput{StreamName: aws.String("s")}
	for i, n := range sizes {
		in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: bytes.Repeat([]byte{byte(i + 1)}, n), PartitionKey: aws.String("k")})
	}
	m := putRecords(in)
	p := New(Settings{}).pack(CBOR, &m)
	var whole []byte
	for i := range p.pieces() {
		whole = append(whole, p.piece(i)...)
	}
	require.Len(t, whole, p.size)
	return &body{packed: p}, whole
}

func TestBodyIsAReader(t *testing.T) {
	t.Parallel()
	for _, sizes := range [][]int{{}, {1}, {copyBelow}, {copyBelow, copyBelow}, {10, copyBelow - 1, copyBelow, 3, 70000, 0}} {
		b, whole := bodyOf(t, sizes...)
		require.NoError(t, iotest.TestReader(b, whole))
	}
}

func TestBodySeeks(t *testing.T) {
	t.Parallel()
	b, whole := bodyOf(t, 10, copyBelow, copyBelow+1, 5)
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		to := r.IntN(len(whole) + 1)
		at, err := b.Seek(int64(to), io.SeekStart)
		require.NoError(t, err)
		require.EqualValues(t, to, at)
		require.Equal(t, len(whole)-to, b.Len())
		some := make([]byte, r.IntN(2*copyBelow))
		n, _ := io.ReadFull(b, some)
		require.True(t, bytes.Equal(whole[to:to+n], some[:n]))
		here, err := b.Seek(0, io.SeekCurrent)
		require.NoError(t, err)
		require.EqualValues(t, to+n, here)
	}
	_, err := b.Seek(1, io.SeekEnd)
	require.Error(t, err)
	_, err = b.Seek(-1, io.SeekStart)
	require.Error(t, err)
}

func TestBodyHash(t *testing.T) {
	t.Parallel()
	b, whole := bodyOf(t, 10, copyBelow, 100000, 5)
	sum := sha256.Sum256(whole)
	hash, err := b.hash()
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString(sum[:]), hash)
}

// TestBodyIsUsedAgainOnlyWhenDone goes through what may have happened to it.
func TestBodyIsUsedAgainOnlyWhenDone(t *testing.T) {
	t.Parallel()
	readAll := func(b *body) { _, _ = io.Copy(io.Discard, b) }
	rewind := func(b *body) { _, _ = b.Seek(0, io.SeekStart) }
	for name, c := range map[string]struct {
		do   []func(*body)
		used bool
	}{
		"read and answered":           {[]func(*body){readAll, (*body).settle}, true},
		"answered, then read":         {[]func(*body){(*body).settle, readAll}, true},
		"answered too early":          {[]func(*body){(*body).settle}, false},
		"not answered":                {[]func(*body){readAll}, false},
		"not sent":                    {nil, false},
		"second try":                  {[]func(*body){readAll, rewind, readAll, (*body).settle}, true},
		"second try without answer":   {[]func(*body){readAll, (*body).settle, rewind, readAll}, false},
		"second try was not sent":     {[]func(*body){readAll, (*body).settle, rewind}, false},
		"ended already, for somebody": {[]func(*body){readAll, (*body).settle, func(b *body) { b.end() }}, false},
	} {
		b, _ := bodyOf(t, 10, copyBelow)
		for _, do := range c.do {
			do(b)
		}
		require.Equal(t, c.used, b.end() != nil, name)
		_, err := b.Read(make([]byte, 1))
		require.ErrorIs(t, err, errGone)
		_, err = b.Seek(0, io.SeekStart)
		require.ErrorIs(t, err, errGone)
		_, err = b.hash()
		require.ErrorIs(t, err, errGone)
		require.Zero(t, b.Len())
	}
}

func TestPoolKeepsNothingOfTheCaller(t *testing.T) {
	t.Parallel()
	var p pool
	b, _ := bodyOf(t, copyBelow, copyBelow)
	packed := b.packed
	p.put(packed)
	for _, c := range packed.cuts[:cap(packed.cuts)] {
		require.Nil(t, c.data)
	}
	large := p.get(maxPooled + 1)
	p.put(large)
	require.NotZero(t, cap(large.buf), "it was not taken")
	require.GreaterOrEqual(t, cap(p.get(100).buf), 100)
}

func TestBase64(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 300 {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		got := make([]byte, base64.StdEncoding.EncodedLen(n))
		encodeBase64(got, data)
		require.Equal(t, base64.StdEncoding.EncodeToString(data), string(got))
	}
}

func TestASDKWithOtherMembers(t *testing.T) {
	t.Parallel()
	require.True(t, complete())
	type newer struct{ Data, Priority []byte }
	require.False(t, hasFields[newer]("Data"))
	require.False(t, hasFields[newer]("Data", "Gone", "Priority"))
}
