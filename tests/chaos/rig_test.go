package chaos

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/control"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
	"gst-kinesis/tests/kit"
)

const (
	stream = "frames"
	shards = 4
)

// setup is how a rig is made; a fault may change it.
type setup struct {
	server   local.Settings
	aws      awscfg.Settings
	producer producer.Settings
	session  func(r *rig) // what is done before the session is used
	client   func(o *kinesis.Options)
}

// rig is a producer on the embedded endpoint, as kinesissink makes one, with what was put into it.
type rig struct {
	*testing.T
	srv     *local.Server
	session *awscfg.Session
	p       *producer.Producer
	limits  *limit.Stream
	heard   *heard
	random  *rand.Rand
	helper  any    // of the fault
	note    string // for the table

	mu  sync.Mutex
	put map[string][][]byte // by key, in order
	n   int
	off atomic.Int64 // how far the endpoint's clock is ahead of ours, in ns
}

// newRig starts an endpoint and a producer on it. change may be nil.
func newRig(t *testing.T, ordering producer.Ordering, change func(r *rig, s *setup)) *rig {
	t.Helper()
	r := &rig{T: t, limits: limit.NewStream(), heard: newHeard(), random: seeded(t), put: map[string][][]byte{}}
	s := setup{producer: producer.Default()}
	s.server = local.Settings{
		Limits: local.LimitsNone, Seed: r.random.Uint64(), Create: []local.StreamSpec{{Name: stream, Shards: shards}},
		Now: func() time.Time { return time.Now().Add(time.Duration(r.off.Load())) },
	}
	s.aws = awscfg.Settings{Region: local.DefaultRegion, AccessKey: "test", SecretAccessKey: "test"}
	s.producer.Stream, s.producer.Region, s.producer.Ordering = stream, local.DefaultRegion, ordering
	s.producer.MaxBatchRecords = batch
	s.producer.DrainTimeout = kit.Limit
	if change != nil {
		change(r, &s)
	}
	if r.srv == nil {
		r.srv = endpoint(t, s.server)
	}
	if s.aws.EndpointURI == "" {
		s.aws.EndpointURI = r.srv.URL()
	}
	s.aws.RequestTimeout, s.producer.Endpoint = s.producer.RequestTimeout, s.aws.EndpointURI
	r.open(&s)
	return r
}

// endpoint starts an endpoint at an address that stays its own while it is away.
func endpoint(t *testing.T, set local.Settings) *local.Server {
	t.Helper()
	set.Addr = kit.Address(t)
	srv, err := local.New(set)
	require.NoError(t, err)
	require.NoError(t, srv.Start())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = srv.Close(ctx) // connections may be cut: the producer is closed already
	})
	return srv
}

// open makes session and producer.
func (r *rig) open(s *setup) {
	r.Helper()
	var err error
	r.session, err = awscfg.Open(r.Context(), s.aws, awscfg.Stream{})
	require.NoError(r, err)
	r.Cleanup(r.session.Close)
	if s.session != nil {
		s.session(r)
	}
	var options []func(*kinesis.Options)
	if s.client != nil {
		options = append(options, s.client)
	}
	client := r.session.Kinesis(options...)
	r.p, err = producer.New(client, s.producer, r.heard, producer.WithSeed(r.random.Uint64()), producer.WithLimits(r.limits),
		producer.WithCredentials(r.session.CheckCredentials, r.session.RefreshCredentials),
		producer.WithShards(func(ctx context.Context) ([]shard.Shard, error) {
			return control.OpenShards(ctx, client, stream, "")
		}))
	require.NoError(r, err)
	r.Cleanup(r.p.Close)
}

// client speaks to the endpoint beside the producer.
func (r *rig) client() *kinesis.Client { return localtest.Client(r.srv, localtest.AnyCredentials()) }

// load puts so many records a second, of some keys in turn and of different sizes, until ctx ends; meanwhile it looks at the books.
func (r *rig) load(ctx context.Context, rate, keys int) {
	began := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for done := 0; ctx.Err() == nil; <-tick.C {
		for ; done < int(time.Since(began).Seconds()*float64(rate)); done++ {
			if err := r.putOne(ctx, fmt.Sprintf("key%02d", done%keys)); err != nil {
				if ctx.Err() == nil {
					r.Errorf("putting record %d: %v", done, err)
				}
				return
			}
		}
		if b := r.p.Books(); !b.Balanced() {
			r.Errorf("the books do not balance: %+v", b)
		}
	}
}

func (r *rig) putOne(ctx context.Context, key string) error {
	r.mu.Lock()
	data := fmt.Appendf(nil, "%s %08d ", key, r.n)
	r.n++
	data = append(data, bytes.Repeat([]byte{byte(r.n)}, 50+r.random.IntN(1000))...)
	r.mu.Unlock()
	rec := r.p.Reserve(len(data))
	copy(rec.Data, data)
	rec.PartitionKey, rec.PTS = key, producer.NoPTS
	if err := r.p.Put(ctx, rec); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put[key] = append(r.put[key], data)
	return nil
}

// accepted is how many records the producer took.
func (r *rig) accepted() (n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, list := range r.put {
		n += int64(len(list))
	}
	return n
}

// delivers waits until so many more records are delivered than now.
func (r *rig) delivers(n int64) {
	r.Helper()
	want := r.p.Books().Delivered.Records + n
	kit.Until(r, fmt.Sprintf("%d more records are delivered", n), func() bool { return r.p.Books().Delivered.Records >= want })
}

// heard is an observer that keeps where each record went, and which troubles there were.
type heard struct {
	mu       sync.Mutex
	told     map[place]delivery
	twice    int            // told of the same place again
	troubles map[string]int // by code
	failed   []producer.Trouble
}

type place struct{ shard, sequence string }

type delivery struct {
	key   string
	bytes int
}

func newHeard() *heard { return &heard{told: map[place]delivery{}, troubles: map[string]int{}} }

func (h *heard) Delivered(a *producer.Answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range a.Records {
		at := place{d.ShardID, d.SequenceNumber}
		if _, again := h.told[at]; again {
			h.twice++
		}
		h.told[at] = delivery{d.PartitionKey, d.Bytes}
	}
}

func (h *heard) Trouble(t producer.Trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.troubles[t.Code] += t.Count
}

func (h *heard) Failed(t producer.Trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed = append(h.failed, t)
}

func (h *heard) Dropped(string, []producer.Lost)      {}
func (h *heard) DeadLettered(string, []producer.Lost) {}
func (h *heard) Spooled([]producer.Lost)              {}
func (h *heard) Recovered(producer.Recovery)          {}
func (h *heard) Noticed(producer.Notice)              {}
