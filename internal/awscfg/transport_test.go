package awscfg

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tracked tells of each request over which connection it went, whether that was used before, and whether TLS was resumed.
type tracked struct {
	reused  bool
	resumed bool
	local   string
}

func get(t *testing.T, client *http.Client, url string) (got tracked) {
	t.Helper()
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { got.reused, got.local = i.Reused, i.Conn.LocalAddr().String() },
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	require.NoError(t, err)
	answer, err := client.Do(r)
	require.NoError(t, err)
	got.resumed = answer.TLS != nil && answer.TLS.DidResume
	_, err = io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return got
}

// TestConnectionsDoNotGrowOld: after maxConnectionAge requests go over a new connection, with the TLS session of the old; those under way are not cut.
func TestConnectionsDoNotGrowOld(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		e := newEndpoint(t, true)
		s := testSettings(e)
		s.CAFile, s.HTTP2 = e.authority(t), http2
		session := open(t, s, Stream{})
		pool := session.HTTPClient().Transport.(*rotating)
		now := time.Now()
		pool.now, pool.born = func() time.Time { return now }, now
		first := get(t, session.HTTPClient(), e.URL)
		require.False(t, first.reused || first.resumed)
		now = now.Add(maxConnectionAge - 1)
		second := get(t, session.HTTPClient(), e.URL)
		require.True(t, second.reused)
		require.Equal(t, first.local, second.local)

		under, leave := make(chan struct{}), make(chan struct{})
		ok := e.answer
		var held atomic.Bool
		e.answer = func(w http.ResponseWriter, r *http.Request) {
			if held.CompareAndSwap(false, true) {
				close(under)
				<-leave
			}
			ok(w, r)
		}
		late := make(chan error, 1)
		go func() { late <- put(t, session, Stream{Name: "s"}) }()
		<-under
		now = now.Add(1)
		third := get(t, session.HTTPClient(), e.URL)
		require.False(t, third.reused)
		require.True(t, third.resumed, "the session of TLS goes on")
		require.NotEqual(t, first.local, third.local)
		close(leave)
		require.NoError(t, <-late, "the request under way ends where it is")
	}
}

// TestTheOldPoolEmptiesItself: nothing is left of it, neither what was idle nor what was in use.
func TestTheOldPoolEmptiesItself(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, false)
	closed := make(chan net.Conn, 10)
	url := e.watched(t, func(c net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- c
		}
	})
	session := open(t, testSettings(e), Stream{})
	pool := session.HTTPClient().Transport.(*rotating)
	now := time.Now()
	pool.now, pool.born = func() time.Time { return now }, now
	busy, err := session.HTTPClient().Get(url) // its answer is not read yet
	require.NoError(t, err)
	get(t, session.HTTPClient(), url)
	now = now.Add(maxConnectionAge)
	get(t, session.HTTPClient(), url)
	<-closed
	require.NoError(t, busy.Body.Close())
	<-closed
	require.Empty(t, closed, "the new one stays")
}

// TestAsManyConnectionsAreKeptAsMayBeUsed: requests at a time do not open connections anew.
func TestAsManyConnectionsAreKeptAsMayBeUsed(t *testing.T) {
	t.Parallel()
	const many = 40
	e := newEndpoint(t, false)
	opened := make(chan net.Conn, 10*many)
	var together sync.WaitGroup
	ok := e.answer
	e.answer = func(w http.ResponseWriter, r *http.Request) {
		together.Done()
		together.Wait() // all are there before one is answered
		ok(w, r)
	}
	s := testSettings(e)
	s.EndpointURI = e.watched(t, func(c net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened <- c
		}
	})
	s.MaxConnections = many
	session := open(t, s, Stream{})
	for range 5 {
		together.Add(many)
		var round sync.WaitGroup
		for range many {
			round.Go(func() { _ = put(t, session, Stream{Name: "s"}) })
		}
		round.Wait()
	}
	require.Len(t, opened, many)
	require.Equal(t, 5*many, e.count())
}
