package mediacall_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mediacall"
)

// frames is a body of n frames of 17 KiB, which lie in one place.
type frames struct {
	io.ReadCloser
	n    int
	room []byte
}

func (f *frames) Close() error { return nil }

func (f *frames) WriteTo(w io.Writer) (sum int64, err error) {
	size := len(f.room) - mediacall.RoomBefore - mediacall.RoomAfter
	for range f.n {
		var n int
		if chunks, ok := w.(*mediacall.Chunks); ok {
			n, err = chunks.WriteWithin(f.room, mediacall.RoomBefore, mediacall.RoomBefore+size)
		} else {
			n, err = w.Write(f.room[mediacall.RoomBefore : mediacall.RoomBefore+size])
		}
		if sum += int64(n); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// BenchmarkFrames is what a frame of 17 KiB costs, the server in the same process included.
func BenchmarkFrames(b *testing.B) {
	discard := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, r.Body, make([]byte, 256<<10))
	})
	for scheme, srv := range map[string]*httptest.Server{"http": httptest.NewServer(discard), "https": httptest.NewTLSServer(discard)} {
		defer srv.Close()
		for kind, rt := range both(trusting(srv)) {
			b.Run(scheme+"/"+kind, func(b *testing.B) {
				b.SetBytes(17 << 10)
				b.ReportAllocs()
				body := &frames{n: b.N, room: make([]byte, mediacall.RoomBefore+17<<10+mediacall.RoomAfter)}
				request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, srv.URL, body)
				require.NoError(b, err)
				request.ContentLength = -1
				answer, err := clientOf(rt).Do(request)
				require.NoError(b, err)
				_, err = io.Copy(io.Discard, answer.Body)
				require.NoError(b, err)
				require.NoError(b, answer.Body.Close())
			})
		}
	}
}
