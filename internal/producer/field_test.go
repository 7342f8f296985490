package producer

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

// field is a producer on the embedded endpoint through the SDK, in real time.
type field struct {
	*testing.T
	server   *local.Server
	session  *awscfg.Session
	settings Settings
	p        *Producer
	o        *waitingObserver
	sent     int
	options  []Option
	identity func(*awscfg.Settings) // who we are, in place of a key
}

// waitingObserver lets tests wait for what it hears.
type waitingObserver struct {
	fakeObserver
	heard chan struct{} // one token for "something new"
}

func (o *waitingObserver) stir() {
	select {
	case o.heard <- struct{}{}:
	default:
	}
}

func (o *waitingObserver) Delivered(a *Answer) { o.fakeObserver.Delivered(a); o.stir() }

func (o *waitingObserver) Dropped(r string, l []Lost) { o.fakeObserver.Dropped(r, l); o.stir() }

func (o *waitingObserver) Trouble(t Trouble) { o.fakeObserver.Trouble(t); o.stir() }

func (o *waitingObserver) Recovered(r Recovery) { o.fakeObserver.Recovered(r); o.stir() }

func (o *waitingObserver) Failed(t Trouble) { o.fakeObserver.Failed(t); o.stir() }

// newField prepares everything; start starts the producer.
func newField(t *testing.T, set local.Settings, shards int) *field {
	t.Helper()
	if shards > 0 {
		set.Create = []local.StreamSpec{{Name: "frames", Shards: shards}}
	}
	f := &field{T: t, server: localtest.Start(t, set), settings: Default()}
	f.o = &waitingObserver{fakeObserver: *newFakeObserver(), heard: make(chan struct{}, 1)}
	f.settings.Stream, f.settings.Region, f.settings.Endpoint = "frames", local.DefaultRegion, f.server.URL()
	return f
}

func (f *field) start() {
	f.startAs("test", "test")
}

func (f *field) startAs(access, secret string) {
	f.Helper()
	var err error
	set := awscfg.Settings{Region: local.DefaultRegion, EndpointURI: f.server.URL()}
	if set.AccessKey, set.SecretAccessKey = access, awscfg.Secret(secret); f.identity != nil {
		set.AccessKey, set.SecretAccessKey = "", ""
		f.identity(&set)
	}
	f.session, err = awscfg.Open(context.Background(), set, awscfg.Stream{})
	require.NoError(f, err)
	options := append([]Option{WithCredentials(f.session.CheckCredentials, f.session.RefreshCredentials)}, f.options...)
	f.p, err = New(f.session.Kinesis(), f.settings, f.o, options...)
	require.NoError(f, err)
	f.Cleanup(f.stop)
}

func (f *field) stop() {
	f.p.Close()
	f.session.Close()
}

// put sends n records that are numbered on, over some keys.
func (f *field) put(n, keys int) {
	f.Helper()
	for range n {
		data := strconv.Itoa(f.sent)
		r := f.p.Reserve(len(data))
		copy(r.Data, data)
		r.PartitionKey = fmt.Sprint("key", f.sent%keys)
		f.sent++
		require.NoError(f, f.p.Put(context.Background(), r))
	}
}

// until waits for a condition on what the observer heard.
func (f *field) until(what string, condition func(*fakeObserver) bool) {
	f.Helper()
	limit := time.After(20 * time.Second)
	for !condition(f.o.snapshot()) {
		select {
		case <-f.o.heard:
		case <-limit:
			f.Fatalf("waiting for %s: %+v", what, f.o.snapshot())
		}
	}
}

// stored returns how often each record was stored.
func (f *field) stored() map[string]int {
	f.Helper()
	records, err := f.server.Records("frames")
	require.NoError(f, err)
	count := make(map[string]int)
	for _, r := range records {
		count[string(r.Data)]++
	}
	return count
}

// checkComplete checks that all was delivered, and stored once but for what is
// counted as possible duplicates.
func (f *field) checkComplete() {
	f.Helper()
	books, extra := f.p.Books(), 0
	require.True(f, books.Balanced(), "%+v", books)
	require.EqualValues(f, f.sent, books.Delivered.Records, "%+v", books)
	stored := f.stored()
	require.Len(f, stored, f.sent)
	for _, n := range stored {
		extra += n - 1
	}
	require.LessOrEqual(f, int64(extra), books.PossibleDuplicates)
}

// checkOrder checks that each key's records lie in order, for schedules in which
// no single record failed and nothing was stored twice.
func (f *field) checkOrder() {
	f.Helper()
	records, err := f.server.Records("frames")
	require.NoError(f, err)
	last := make(map[string]int)
	for _, r := range records {
		n, err := strconv.Atoi(string(r.Data))
		require.NoError(f, err)
		before, seen := last[r.PartitionKey]
		if seen {
			require.Less(f, before, n, r.PartitionKey)
		}
		last[r.PartitionKey] = n
	}
}
