package producer

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
)

// gate stands before the embedded endpoint and refuses tokens that have expired, as AWS does.
func gate(t *testing.T, f *field, expired func(token string) bool) (address string, refused *atomic.Int64) {
	t.Helper()
	to, err := url.Parse(f.server.URL())
	require.NoError(t, err)
	through := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }}
	refused = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !expired(r.Header.Get("X-Amz-Security-Token")) {
			through.ServeHTTP(w, r)
			return
		}
		refused.Add(1)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, refused
}

// tokenFile is a credential file that another program would write.
func tokenFile(t *testing.T) (path string, write func(token string, end time.Time)) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "credential")
	return path, func(token string, end time.Time) {
		text := "CREDENTIALS ASIA " + end.UTC().Format(time.RFC3339) + " secret " + token + "\n"
		require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
		require.NoError(t, os.Rename(path+".new", path))
	}
}

// TestATokenThatEndsMidStream: it ends before its time, new ones are there, and no record is lost.
func TestATokenThatEndsMidStream(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{Limits: local.LimitsNone}, 4)
	var over atomic.Int64 // tokens up to this number have ended
	endpoint, refused := gate(t, f, func(token string) bool {
		n, err := strconv.ParseInt(strings.TrimPrefix(token, "token"), 10, 64)
		return err != nil || n <= over.Load()
	})
	path, write := tokenFile(t)
	far := time.Now().Add(24 * time.Hour)
	write("token1", far)
	f.identity = func(s *awscfg.Settings) { s.EndpointURI, s.CredentialPath = endpoint, path }
	f.settings.MaxBatchRecords = 20
	f.start()
	for round := range int64(4) {
		for range 10 {
			f.put(100, 7)
		}
		f.until("deliveries", func(o *fakeObserver) bool { return len(o.deliveries) > int(round)*1000 })
		write(fmt.Sprint("token", round+2), far)
		over.Store(round + 1)
	}
	f.put(100, 7)
	require.NoError(t, f.p.Flush(context.Background()))
	f.checkComplete()
	require.Empty(t, f.o.snapshot().failures)
	require.NotZero(t, refused.Load(), "the old tokens were met")
	require.Zero(t, f.p.Books().PossibleDuplicates, "a refusal stores nothing")
}

// TestTokensAreRenewedBeforeTheyEnd: nobody ever meets one that has ended.
func TestTokensAreRenewedBeforeTheyEnd(t *testing.T) {
	t.Parallel()
	f := newField(t, local.Settings{Limits: local.LimitsNone}, 2)
	seen := make(chan string, 1<<16)
	endpoint, refused := gate(t, f, func(token string) bool {
		seen <- token
		end, err := strconv.ParseInt(token, 10, 64)
		return err != nil || time.Now().Unix() >= end
	})
	path, write := tokenFile(t)
	renew := func() {
		end := time.Now().Add(6 * time.Second).Truncate(time.Second)
		write(strconv.FormatInt(end.Unix(), 10), end)
	}
	renew()
	f.identity = func(s *awscfg.Settings) { s.EndpointURI, s.CredentialPath = endpoint, path }
	f.start()
	length := 8 * time.Second
	if os.Getenv("GST_KINESIS_SOAK") != "" {
		length = 2 * time.Minute
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < length; <-tick.C {
		renew()
		f.put(5, 3)
	}
	require.NoError(t, f.p.Flush(context.Background()))
	f.checkComplete()
	require.Zero(t, refused.Load())
	require.Empty(t, f.o.snapshot().troubles)
	tokens := map[string]bool{}
	for len(seen) > 0 {
		tokens[<-seen] = true
	}
	require.Greater(t, len(tokens), 1)
}
