package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/control"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
)

// The size of the load: 4 streams with 64 shards in all, each a lane, and records of 1 kB.
const (
	steadyStreams = 4
	steadyShards  = 16
	steadyKeys    = 4 // of a shard
	steadySize    = 1000
)

// The bounds of the load.
const (
	steadyHeap   = 8 << 20  // that the heap may have grown since the warm-up
	steadyRSS    = 48 << 20 // and the resident memory
	steadyShare  = 0.5      // of its fair share that each lane has in each window
	steadyBeside = 8        // goroutines of a producer beside those for each request in flight
)

// TestSteadyLoad: many records a second on many lanes, for long. Memory is flat, goroutines are bounded, no lane is forgotten, the books balance. The
// endpoint is another process. Nothing runs beside it: it measures its own process.
func TestSteadyLoad(t *testing.T) { //nolint:paralleltest // measures the process
	perSecond, lasts, window := 20_000, 8*time.Second, time.Second
	switch {
	case soak():
		perSecond, lasts, window = 20_000, 10*time.Minute, 10*time.Second
	case raced:
		perSecond = 5000
	}
	l := newSteady(t)
	goroutines := runtime.NumGoroutine()
	l.open(t)
	ctx, stop := context.WithCancel(t.Context())
	began := time.Now()
	var loading sync.WaitGroup
	for _, s := range l.streams {
		loading.Go(func() { s.load(ctx, t, perSecond/steadyStreams) })
	}
	peak, worst := l.watch(began, lasts, window, perSecond/steadyStreams)
	stop()
	loading.Wait()
	took := time.Since(began)
	l.settle(t, took)

	// While the machine is busy elsewhere records wait here, and their memory is kept for a while: that comes and goes. What grows raises the least that
	// is ever seen.
	n := len(l.samples)
	warm, end, high := least(l.samples[n/8:n/3+1]), least(l.samples[n-n/3-1:]), most(l.samples)
	t.Logf("%d windows of %v: heap %.1f MiB at least after the warm-up, %.1f MiB towards the end, %.1f MiB at most; resident %.1f, %.1f and %.1f MiB; records held and "+
		"kept for use again at most %.1f MiB; at most %d goroutines; the worst lane had %.0f %% of its share in its worst window", n, window, warm.heap/(1<<20),
		end.heap/(1<<20), high.heap/(1<<20), warm.rss/(1<<20), end.rss/(1<<20), high.rss/(1<<20), high.records/(1<<20), peak, 100*worst)
	require.Less(t, end.heap-warm.heap, float64(steadyHeap))
	require.Less(t, end.rss-warm.rss, float64(steadyRSS))
	require.LessOrEqual(t, high.records, float64(steadyStreams*producer.Default().MaxSizeBytes), "the bound that is set holds")
	require.Greater(t, worst, steadyShare)
	require.LessOrEqual(t, worst, 1.0, "it was measured")
	// A request in flight has a sender, two goroutines of its connection, and one that waits for its time to be over.
	require.LessOrEqual(t, peak-goroutines, steadyStreams*(4*producer.Default().MaxInFlight+steadyBeside))
}

// steady is the load.
type steady struct {
	server  *process
	streams []*steadyStream
	samples []sample
}

// steadyStream is a stream with its producer.
type steadyStream struct {
	p       *producer.Producer
	url     string
	name    string
	keys    []string // each shard's one after another
	heard   *lanesHeard
	session *awscfg.Session
}

func newSteady(t *testing.T) *steady {
	t.Helper()
	l := new(steady)
	var specs []local.StreamSpec
	for i := range steadyStreams {
		specs = append(specs, local.StreamSpec{Name: fmt.Sprint("stream", i), Shards: steadyShards})
	}
	l.server = role{Endpoint: specs}.start(t)
	var url string
	_, err := fmt.Fscanln(l.server.stdout, &url)
	require.NoError(t, err)
	for _, spec := range specs {
		l.streams = append(l.streams, &steadyStream{url: url, name: spec.Name, keys: evenKeys(steadyShards, steadyKeys), heard: newLanesHeard()})
	}
	return l
}

// evenKeys finds so many keys for each of n even shards.
func evenKeys(n, each int) (keys []string) {
	ranges, found := shard.EvenRanges(n), make([][]string, n)
	for i, left := 0, n*each; left > 0; i++ {
		key := fmt.Sprint("camera", i)
		for at, r := range ranges {
			if r.Contains(shard.HashKey(key)) && len(found[at]) < each {
				found[at] = append(found[at], key)
				left--
			}
		}
	}
	for k := range each {
		for at := range n {
			keys = append(keys, found[at][k])
		}
	}
	return keys
}

func (l *steady) open(t *testing.T) {
	t.Helper()
	for _, s := range l.streams {
		var err error
		s.session, err = awscfg.Open(t.Context(), awscfg.Settings{Region: local.DefaultRegion, EndpointURI: s.url, AccessKey: "a", SecretAccessKey: "b"}, awscfg.Stream{})
		require.NoError(t, err)
		client, set := s.session.Kinesis(), producer.Default()
		set.Stream, set.Region, set.Endpoint, set.DrainTimeout = s.name, local.DefaultRegion, s.url, time.Minute
		s.p, err = producer.New(client, set, s.heard, producer.WithShards(func(ctx context.Context) ([]shard.Shard, error) {
			return control.OpenShards(ctx, client, s.name, "")
		}))
		require.NoError(t, err)
		t.Cleanup(s.session.Close)
		t.Cleanup(s.p.Close)
	}
}

// load puts records of all keys in turn.
func (s *steadyStream) load(ctx context.Context, t *testing.T, perSecond int) {
	payload, began, done := bytes.Repeat([]byte{'.'}, steadySize), time.Now(), 0
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ; ctx.Err() == nil; <-tick.C {
		due := int(time.Since(began).Seconds() * float64(perSecond))
		for ; done < due; done++ {
			r := s.p.Reserve(steadySize)
			copy(r.Data, payload)
			r.PartitionKey, r.PTS = s.keys[done%len(s.keys)], producer.NoPTS
			if err := s.p.Put(ctx, r); err != nil {
				if ctx.Err() == nil {
					t.Errorf("putting a record: %v", err)
				}
				return
			}
		}
	}
}

// watch looks at memory, goroutines and each lane's share, window by window. The first one, in which connections are made, and shards are listed, is left
// out. A window in which the machine had no time for a stream's perSecond is made one with the next.
func (l *steady) watch(began time.Time, lasts, window time.Duration, perSecond int) (goroutines int, worst float64) {
	worst = math.Inf(1)
	enough := int(window.Seconds() * float64(perSecond) / 2)
	for n := 1; time.Since(began) < lasts; n++ {
		time.Sleep(time.Until(began.Add(time.Duration(n) * window)))
		goroutines = max(goroutines, runtime.NumGoroutine())
		for _, s := range l.streams {
			if share, ok := s.heard.window(steadyShards, enough); ok && n > 1 {
				worst = min(worst, share)
			}
		}
		l.samples = append(l.samples, l.look())
	}
	return goroutines, worst
}

// settle ends all, and compares with what the endpoint counted.
func (l *steady) settle(t *testing.T, took time.Duration) {
	t.Helper()
	var accepted, delivered, possible, bytes int64
	var latency time.Duration
	for _, s := range l.streams {
		require.NoError(t, s.p.Flush(t.Context()))
		st := s.p.Stats()
		s.p.Close()
		b := s.p.Books()
		require.True(t, b.Balanced(), "%+v", b)
		require.Equal(t, b.Accepted, b.Delivered, "%+v", b)
		require.EqualValues(t, b.Delivered.Records, s.heard.total())
		accepted, delivered = accepted+b.Accepted.Records, delivered+b.Delivered.Records
		possible, bytes = possible+b.PossibleDuplicates, bytes+b.Delivered.Bytes
		latency = max(latency, st.Latency.P99)
	}
	require.NoError(t, l.server.stdin.Close())
	var c counters
	require.NoError(t, json.NewDecoder(l.server.stdout).Decode(&c))
	require.GreaterOrEqual(t, c.Records, delivered)
	require.LessOrEqual(t, c.Records, delivered+possible)
	t.Logf("%d records accepted in %v, %.0f a second, %.1f MB/s; %d delivered, %d stored, %d possible duplicates; the worst stream's p99 is %v", accepted,
		took.Round(time.Millisecond), float64(accepted)/took.Seconds(), float64(bytes)/took.Seconds()/1e6, delivered, c.Records, possible, latency)
}

// sample is the memory of the process, and how much of it is records: waiting, under way, and kept for use again.
type sample struct{ heap, rss, records float64 }

func (l *steady) look() sample {
	var s sample
	for _, stream := range l.streams {
		st := stream.p.Stats()
		s.records += float64(st.Memory + st.MemoryKept)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.heap = float64(m.HeapAlloc)
	if text, err := os.ReadFile("/proc/self/status"); err == nil {
		_, after, _ := strings.Cut(string(text), "VmRSS:")
		var kib float64
		_, _ = fmt.Sscan(after, &kib)
		s.rss = kib * 1024
	}
	return s
}

// least and most give the least and the most of each.
func least(list []sample) sample {
	m := list[0]
	for _, s := range list {
		m = sample{min(m.heap, s.heap), min(m.rss, s.rss), min(m.records, s.records)}
	}
	return m
}

func most(list []sample) (m sample) {
	for _, s := range list {
		m = sample{max(m.heap, s.heap), max(m.rss, s.rss), max(m.records, s.records)}
	}
	return m
}

// lanesHeard counts deliveries by shard.
type lanesHeard struct {
	*heard
	mu  sync.Mutex
	now map[string]int
	all int64
}

func newLanesHeard() *lanesHeard { return &lanesHeard{heard: newHeard(), now: map[string]int{}} }

func (h *lanesHeard) Delivered(a *producer.Answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range a.Records {
		h.now[a.Records[i].ShardID]++
	}
	h.all += int64(len(a.Records))
}

// window gives what the worst of n lanes had of its fair share since the last call that gave one; ok is false where there was not enough to be shared.
func (h *lanesHeard) window(n, enough int) (share float64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sum, least := 0, math.MaxInt
	for _, c := range h.now {
		sum, least = sum+c, min(least, c)
	}
	if sum < enough {
		return 0, false
	}
	if len(h.now) < n {
		least = 0
	}
	for id := range h.now {
		h.now[id] = 0
	}
	return float64(least) * float64(n) / float64(sum), true
}

func (h *lanesHeard) total() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all
}
