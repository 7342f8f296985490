package deadletter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
)

// fakeS3 answers in place of S3.
func fakeS3(t *testing.T, handler http.HandlerFunc) (Target, Settings) {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return Target{Kind: Bucket, Bucket: "dead", Endpoint: srv.URL},
		Settings{Stream: "cams", Region: local.DefaultRegion, AWS: awscfg.Settings{Region: local.DefaultRegion, AccessKey: "a", SecretAccessKey: "s"}}
}

// TestPutObject looks at the request: what it says of its body is true, after a failed try too.
func TestPutObject(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	bodies := make(chan []byte, 1)
	target, set := fakeS3(t, func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		sum := sha256.Sum256(text)
		crc := binary.BigEndian.AppendUint32(nil, crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
		switch {
		case err != nil, r.Method != http.MethodPut, !strings.HasPrefix(r.URL.Path, "/dead/20"), r.Header.Get("Content-Type") != contentType,
			r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]), r.Header.Get("X-Amz-Checksum-Crc32c") != base64.StdEncoding.EncodeToString(crc):
			w.WriteHeader(http.StatusBadRequest)
		case tries.Add(1) == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			bodies <- text
		}
	})
	letters := oddLetters()
	require.NoError(t, openTarget(t, target, set).Write(within(t, 30*time.Second), letters))
	sameLetters(t, letters, readAll(t, <-bodies))
}

// TestPutObjectHangs: a Write ends with its context, and nothing reads the letters then.
func TestPutObjectHangs(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	target, set := fakeS3(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = r.Body.Read(make([]byte, 1000))
		<-over
	})
	t.Cleanup(func() { close(over) }) // before the server is closed
	letters := plainLetters(4, 4<<20)
	began := time.Now()
	err := openTarget(t, target, set).Write(within(t, 500*time.Millisecond), letters)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(began), 5*time.Second)
	for i := range letters {
		clear(letters[i].Data) // the race detector sees who still reads
	}
}

func TestS3Remedies(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"PermanentRedirect": "the bucket is in another region: write s3://BUCKET/PREFIX?region=REGION",
		"AccessDenied":      "s3:PutObject",
	} {
		target, set := fakeS3(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>no</Message></Error>")
		})
		err := openTarget(t, target, set).Write(within(t, 20*time.Second), plainLetters(1, 10))
		require.ErrorContains(t, err, "writing dead letters to s3://dead?endpoint-uri=")
		require.ErrorContains(t, err, code+": no")
		require.ErrorContains(t, err, want)
	}
}

// TestBody holds the body of an object to what a reader in memory does.
func TestBody(t *testing.T) {
	t.Parallel()
	var letters []Letter
	var text []byte
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		l := randomLetter(r)
		letters, text = append(letters, l), append(text, lineOf(t, l)...)
	}
	b, err := newBody(letters)
	require.NoError(t, err)
	require.EqualValues(t, len(text), b.size)
	require.NoError(t, iotest.TestReader(b, text))
	want := bytes.NewReader(text)
	for range 500 {
		offset, whence, size := r.Int64N(int64(len(text)))-100, r.IntN(3), r.IntN(3000)
		wantAt, wantErr := want.Seek(offset, whence)
		at, err := b.Seek(offset, whence)
		require.Equal(t, wantErr == nil, err == nil)
		require.Equal(t, wantAt, at)
		wantPiece, piece := make([]byte, size), make([]byte, size)
		n, _ := io.ReadFull(want, wantPiece)
		m, _ := io.ReadFull(b, piece)
		require.Equal(t, wantPiece[:n], piece[:m])
	}
	_, err = b.Seek(0, io.SeekStart)
	require.NoError(t, err)
	b.shut()
	_, err = b.Read(make([]byte, 1))
	require.True(t, errors.Is(err, errShut))
}
