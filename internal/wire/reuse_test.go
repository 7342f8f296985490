package wire_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/wire"
)

// server is a stand-in over TCP that checks each body it gets whole against the hash that
// was signed, and misbehaves at random: answers early, cuts, dawdles, fails.
type server struct {
	whole, wrong atomic.Int64
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	media := r.Header.Get("Content-Type")
	dice := rand.IntN(10)
	if dice == 0 { // an answer before the body was read
		w.Header().Set("Content-Type", jsonType)
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"__type":"InternalFailure"}`)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	s.whole.Add(1)
	sum := sha256.Sum256(body)
	if signedHash(r) != hex.EncodeToString(sum[:]) {
		s.wrong.Add(1)
	}
	switch dice {
	case 1:
		panic(http.ErrAbortHandler)
	case 2:
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
	case 3:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", media)
	if media == cborType {
		_, _ = io.WriteString(w, okCBOR)
	} else {
		_, _ = io.WriteString(w, okJSON)
	}
}

// signedHash is what the client computed before it sent, which it puts into a header.
func signedHash(r *http.Request) string { return r.Header.Get("X-Amz-Content-Sha256") }

// TestMemoryIsNeverSharedByRequests performs calls that are canceled, cut, answered early
// and tried again, many at a time: whatever arrives whole is what was signed.
func TestMemoryIsNeverSharedByRequests(t *testing.T) {
	t.Parallel()
	for _, steady := range []bool{true, false} {
		bothFormats(t, func(t *testing.T, install func(*kinesis.Options)) {
			var s server
			srv := httptest.NewServer(&s)
			defer srv.Close()
			transport := &http.Transport{MaxIdleConnsPerHost: 8}
			defer transport.CloseIdleConnections()
			var below kinesis.HTTPClient = &http.Client{Transport: transport}
			if steady {
				below = awscfg.Steady(below)
			}
			client := benchClient(below, install, func(o *kinesis.Options) {
				o.BaseEndpoint = aws.String(srv.URL)
				o.Retryer = twice{}
				o.APIOptions = append(o.APIOptions, showHash)
			})
			var wg sync.WaitGroup
			for worker := range 8 {
				wg.Go(func() { hammer(client, byte(worker)) })
			}
			wg.Wait()
			require.Zero(t, s.wrong.Load())
			require.Positive(t, s.whole.Load())
		})
	}
}

// hammer performs calls and writes to the records as soon as each has ended.
func hammer(client *kinesis.Client, worker byte) {
	r := rand.New(rand.NewPCG(uint64(worker), 1))
	in := &kinesis.PutRecordsInput{StreamName: aws.String("s")}
	for i := range 20 {
		in.Records = append(in.Records, entry("k", make([]byte, []int{100, 5000, 60000}[i%3])))
	}
	for round := range rounds / 2 {
		for _, e := range in.Records {
			for i := range e.Data {
				e.Data[i] = worker ^ byte(round)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		if r.IntN(3) == 0 {
			time.AfterFunc(time.Duration(r.IntN(3000))*time.Microsecond, cancel)
		}
		_, _ = client.PutRecords(ctx, in)
		cancel()
	}
}

// TestWithoutSteady has the race of smithy-go's early close out of the way: a body of ours
// has no WriteTo, so no connection is lost and no accepted request looks failed.
func TestWithoutSteady(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", cborType)
		_, _ = io.WriteString(w, okCBOR)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	client, _ := clientOf(srv.Client(), wire.Settings{}, func(o *kinesis.Options) { o.BaseEndpoint = aws.String(srv.URL) })
	in := benchCase{"", 20, 8 << 10}.input()
	for range 500 {
		_, err := client.PutRecords(t.Context(), in)
		require.NoError(t, err)
	}
	// On a busy machine net/http itself gives a connection up now and then: it waits 50 ms for the word that the body was written.
	require.Less(t, connections.Load(), int64(10))
}

// TestAStragglerReadsNothing keeps a body beyond its call, as a transport might.
func TestAStragglerReadsNothing(t *testing.T) {
	t.Parallel()
	var kept io.Reader
	c := doer(func(r *http.Request) (*http.Response, error) {
		kept = r.Body
		return nil, errors.New("cut")
	})
	client, _ := clientOf(c, wire.Settings{}, func(o *kinesis.Options) { o.APIOptions = append(o.APIOptions, keepStream(&kept)) })
	in := one()
	in.Records[0].Data = bytes.Repeat([]byte("secret"), 1000)
	_, err := client.PutRecords(t.Context(), in)
	require.Error(t, err)
	got, err := io.ReadAll(kept)
	require.ErrorContains(t, err, "the call has ended")
	require.Empty(t, got)
}

func TestTooLongAnAnswer(t *testing.T) {
	t.Parallel()
	for _, announced := range []int64{-1, 9 << 20} {
		c := doer(func(r *http.Request) (*http.Response, error) {
			a := answer(r, 200, jsonType, nil)
			a.ContentLength, a.Body = announced, io.NopCloser(strings.NewReader(strings.Repeat(" ", 9<<20)))
			return a, nil
		})
		client, _ := clientOf(c, wire.Settings{})
		_, err := client.PutRecords(t.Context(), one())
		require.ErrorContains(t, err, "longer than any valid one")
	}
}
