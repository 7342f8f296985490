package producer

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/envelope"
	"gst-kinesis/internal/limit"
)

// TestBooksUnderRandomFaults runs thousands of random schedules, each with its own
// settings, traffic and faults, and compares the books with what the observer
// heard and with what the stream stored.
func TestBooksUnderRandomFaults(t *testing.T) {
	t.Parallel()
	const groups = 8
	first := rand.Uint64()
	t.Logf("seeds from %d on", first)
	for g := range groups {
		t.Run(fmt.Sprint(g), func(t *testing.T) {
			t.Parallel()
			for i := range schedules / groups {
				seed := first + uint64(g*schedules/groups+i)
				synctest.Test(t, func(t *testing.T) { runSchedule(t, seed) })
				if t.Failed() {
					t.Fatalf("with seed %d", seed)
				}
			}
		})
	}
}

// schedule is one random run.
type schedule struct {
	t         *testing.T
	seed      uint64
	random    *rand.Rand
	client    *fakeClient
	observer  *fakeObserver
	settings  Settings
	permanent bool // permanent errors may come
	partial   bool // single records may fail
	listed    bool // the producer may list the shards
	reshards  bool // there are reshards meanwhile
	letters   *fakeLetters
	keys      int

	mu       sync.Mutex
	accepted map[string]int // by data
	keyOf    map[string]string
	refused  int
}

func runSchedule(t *testing.T, seed uint64) {
	s := newSchedule(t, seed)
	options := []Option{WithSeed(seed)}
	if s.letters != nil {
		options = append(options, WithDeadLetters(s.letters))
	}
	if s.listed {
		options = append(options, WithShards(s.client.ListShards))
	}
	p, err := New(s.client, s.settings, s.observer, options...)
	require.NoError(t, err)
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { s.watch(p, done) })
	watching.Go(func() { s.reshard(done) })

	var putting sync.WaitGroup
	putters := 1 + s.random.IntN(3)
	for n := range putters {
		random := rand.New(rand.NewPCG(seed, uint64(n)))
		putting.Go(func() { s.put(p, n, random) })
	}
	if s.random.IntN(4) == 0 {
		time.Sleep(time.Duration(s.random.IntN(2000)) * time.Millisecond)
		p.Close()
	}
	putting.Wait()
	if s.random.IntN(3) > 0 {
		s.flush(p)
	}
	p.Close()
	close(done)
	watching.Wait()
	s.check(p)
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &schedule{t: t, seed: seed, random: r, observer: newFakeObserver(), accepted: make(map[string]int), keyOf: make(map[string]string)}
	s.settings = Default()
	s.settings.Stream, s.settings.Region = "frames", "eu-west-1"
	s.settings.Linger = time.Duration(r.IntN(3)) * 10 * time.Millisecond
	s.settings.MaxBatchRecords = 1 + r.IntN(20)
	s.settings.MaxInFlight = 1 + r.IntN(6)
	s.settings.MaxSizeBuffers = r.IntN(2) * (1 + r.IntN(60))
	s.settings.Leaky = Leaky(r.IntN(3))
	s.settings.RetryAttempts = r.IntN(8) - 1
	s.settings.RecordTTL = time.Duration(r.IntN(2)) * time.Duration(1+r.IntN(5000)) * time.Millisecond
	s.settings.RequestTimeout = time.Second
	s.settings.MaxRecordSize = 64
	s.settings.PermanentGrace = time.Duration(r.IntN(4)) * time.Second
	s.settings.StartTimeout = time.Duration(r.IntN(2)) * 5 * time.Second
	s.settings.DrainTimeout = time.Duration(r.IntN(20)) * time.Second
	s.settings.StopTimeout = time.Duration(r.IntN(3)) * time.Second
	s.permanent, s.partial, s.keys = r.IntN(4) == 0, r.IntN(3) > 0, 1+r.IntN(6)
	s.listed, s.reshards = r.IntN(2) == 0, r.IntN(2) == 0
	s.settings.Ordering = Ordering(r.IntN(2))
	s.settings.Aggregation = Aggregation(r.IntN(4) % 3)
	s.settings.AggregateMaxSize, s.settings.AggregateMaxCount = 20+r.IntN(300), 1+r.IntN(10)
	if s.settings.Aggregation != AggregateNewline {
		s.settings.Oversize = Oversize(r.IntN(3))
		s.settings.Compression = envelope.Codec(r.IntN(3))
	}
	s.settings.RateLimit = []limit.Rate{limit.Off, limit.Auto, 1}[r.IntN(3)]
	if r.IntN(3) == 0 {
		s.letters = &fakeLetters{random: rand.New(rand.NewPCG(seed, 6)), faulty: r.Float64() / 2}
	}
	s.client = s.newClient(r)
	s.client.limited = r.IntN(3) == 0
	s.client.lines = s.settings.Aggregation == AggregateNewline
	return s
}

func (s *schedule) newClient(r *rand.Rand) *fakeClient {
	faulty := r.Float64() * 0.6
	random := rand.New(rand.NewPCG(s.seed, 2)) // under the client's lock
	var latencyMu sync.Mutex
	latencyRandom := rand.New(rand.NewPCG(s.seed, 3))
	c := &fakeClient{shards: 1 + r.IntN(4)}
	c.latency = func() time.Duration {
		latencyMu.Lock()
		defer latencyMu.Unlock()
		if latencyRandom.Float64() < faulty/8 {
			return 1500 * time.Millisecond // beyond request-timeout
		}
		return time.Duration(latencyRandom.IntN(50)) * time.Millisecond
	}
	c.script = func(int, []stored) (bool, error) {
		if random.Float64() >= faulty/2 {
			return false, nil
		}
		return s.wholeFault(random)
	}
	if s.partial {
		c.recordFault = func(int, stored) (string, string) {
			if random.Float64() >= faulty {
				return "", ""
			}
			codes := []string{"ProvisionedThroughputExceededException", "InternalFailure", "KMSThrottlingException", "SomethingNew", "ValidationException"}
			return codes[random.IntN(len(codes))], "said the service"
		}
	}
	c.mangle = s.mangler(random, faulty/8)
	return c
}

// mangler returns what spoils answers.
func (s *schedule) mangler(random *rand.Rand, probability float64) func(int, *kinesis.PutRecordsOutput) {
	return func(_ int, out *kinesis.PutRecordsOutput) {
		if random.Float64() >= probability {
			return
		}
		kinds := 3
		if !s.partial {
			kinds = 2
		}
		switch random.IntN(kinds) {
		case 0:
			out.Records = out.Records[:len(out.Records)-1]
		case 1:
			out.Records = append(out.Records, out.Records[0])
		default:
			out.Records[0].SequenceNumber, out.Records[0].ErrorCode = nil, nil
		}
	}
}

// wholeFault returns a failure of a whole request; sometimes its records are
// stored nevertheless, which only failures of unknown fate may do.
func (s *schedule) wholeFault(r *rand.Rand) (store bool, err error) {
	stored := r.IntN(2) == 0
	faults := []struct {
		store bool
		err   error
	}{
		{stored, apiError("InternalFailure", 500)},
		{stored, apiError("ServiceUnavailable", 503)},
		{false, apiError("LimitExceededException", 400)},
		{false, apiError("KMSThrottlingException", 400)},
		{false, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}},
		{stored, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}},
		{stored, errors.New("something else")},
		{false, apiError("ExpiredTokenException", 400)},
		{false, apiError("AccessDeniedException", 400)},
		{false, apiError("ResourceNotFoundException", 400)},
	}
	n := len(faults)
	if !s.permanent {
		n -= 3
	}
	f := faults[r.IntN(n)]
	return f.store, f.err
}

func (s *schedule) watch(p *Producer, done chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(23 * time.Millisecond):
			if b := p.Books(); !b.Balanced() {
				s.t.Errorf("unbalanced while running: %+v", b)
				<-done
				return
			}
		}
	}
}

// reshard splits and merges shards at random.
func (s *schedule) reshard(done chan struct{}) {
	r := rand.New(rand.NewPCG(s.seed, 5))
	for s.reshards {
		select {
		case <-done:
			return
		case <-time.After(time.Duration(50+r.IntN(1500)) * time.Millisecond):
		}
		if r.IntN(2) == 0 {
			s.client.split(r.IntN(8))
		} else {
			s.client.merge(r.IntN(8))
		}
	}
}

func (s *schedule) put(p *Producer, putter int, r *rand.Rand) {
	for i := range 20 + r.IntN(100) {
		data := fmt.Sprintf("%d:%05d", putter, i)
		switch r.IntN(50) {
		case 0:
			data += fmt.Sprintf("%070d", 0) // oversize, if it is not compressed
		case 1, 2:
			data += hex.EncodeToString(noise(r, 20+r.IntN(200))) // oversize in any case
		}
		rec := p.Reserve(len(data))
		copy(rec.Data, data)
		rec.PartitionKey = fmt.Sprintf("%d-%d", putter, r.IntN(s.keys))
		if r.IntN(60) == 0 {
			rec.PartitionKey = ""
		}
		rec.Token = data
		rec.PTS = uint64(i) * 1e6
		ctx, cancel := context.Background(), func() {}
		if r.IntN(5) == 0 {
			ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(500))*time.Millisecond)
		}
		s.mu.Lock()
		s.keyOf[data] = rec.PartitionKey
		s.mu.Unlock()
		err := p.Put(ctx, rec)
		cancel()
		s.mu.Lock()
		if err == nil {
			s.accepted[data]++
		} else {
			s.refused++
		}
		s.mu.Unlock()
		switch r.IntN(12) {
		case 0:
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
		case 1:
			p.SetLeaky(Leaky(r.IntN(3)))
		case 2:
			if r.IntN(5) == 0 {
				s.flush(p)
			}
		}
	}
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (s *schedule) flush(p *Producer) {
	err := p.Flush(context.Background())
	if err != nil && !errors.Is(err, ErrDrainTimeout) && !errors.Is(err, ErrFailed) {
		s.t.Errorf("flushing: %v", err)
	}
}

func (s *schedule) check(p *Producer) {
	t, books := s.t, p.Books()
	require.True(t, books.Balanced(), "%+v", books)
	require.Zero(t, books.InFlight, "%+v", books)
	require.Equal(t, Count{}, books.Spooled)
	if s.letters == nil {
		require.Equal(t, Count{}, books.DeadLettered)
	}
	require.EqualValues(t, len(s.accepted), books.Accepted.Records)
	require.EqualValues(t, s.refused, books.Refused.Records)
	s.checkObserver(books)
	s.checkStream(books)
	s.checkOrder()
	lent, kept := p.pool.levels()
	require.Zero(t, lent)
	require.Zero(t, kept)
	require.LessOrEqual(t, s.client.peak, s.settings.MaxInFlight)
}

// checkObserver compares what the observer heard: each record once.
func (s *schedule) checkObserver(books Books) {
	t, o := s.t, s.observer
	fate := make(map[string]int)
	bytes := int64(0)
	for _, d := range o.deliveries {
		fate[d.Token.(string)]++
		bytes += int64(d.Bytes)
	}
	require.EqualValues(t, len(o.deliveries), books.Delivered.Records)
	require.Equal(t, bytes, books.Delivered.Bytes)
	require.Len(t, o.lost, len(books.Dropped))
	for reason, lost := range o.lost {
		bytes := int64(0)
		for _, l := range lost {
			fate[l.Token.(string)]++
			bytes += int64(l.Bytes)
		}
		require.Equal(t, books.Dropped[reason], Count{int64(len(lost)), bytes}, reason)
	}
	var written Count
	for reason, lost := range o.letters {
		for _, l := range lost {
			fate[l.Token.(string)]++
			written.add(l.Bytes)
			require.Contains(t, s.letters.reasons, reason)
		}
	}
	require.Equal(t, books.DeadLettered, written)
	for data := range s.accepted {
		require.Equal(t, 1, fate[data], "record %s was told of %d times", data, fate[data])
	}
	require.Len(t, fate, len(s.accepted))
	require.LessOrEqual(t, len(o.failures), 1)
}

// checkStream compares what the stream stored: each delivered record under its
// sequence number, and nothing twice that is not counted as possible.
func (s *schedule) checkStream(books Books) {
	t := s.t
	bySequence, copies := make(map[string]stored), make(map[string]int)
	for _, r := range s.client.kept {
		bySequence[fmt.Sprint(r.sequence, "/", r.index)] = r
		copies[r.data]++
	}
	twice := 0
	for _, n := range copies {
		twice += n - 1
	}
	require.LessOrEqual(t, int64(twice), books.PossibleDuplicates)
	for _, d := range s.observer.deliveries {
		r, ok := bySequence[fmt.Sprint(d.SequenceNumber, "/", d.Index)]
		if text := d.Token.(string); !ok && len(text) > 60 { // parts may have come together with a copy
			require.Positive(t, copies[text], "%s is whole", text)
			continue
		}
		require.True(t, ok)
		require.False(t, r.void, "KCL throws it away")
		require.Equal(t, d.Token, r.data)
		if !s.client.lines { // which keep no keys
			require.Equal(t, d.PartitionKey, r.key)
		}
		require.Equal(t, d.ShardID, r.shard)
	}
}

// checkOrder checks that the records of a key were stored in order: always where
// that is strict, else where no single record failed, which is all that best effort
// promises. What is stored twice counts where it was stored first.
func (s *schedule) checkOrder() {
	astray := s.reshards && s.settings.Aggregation == AggregateKPL // sent again, as if refused
	if s.settings.Ordering == BestEffort && (s.partial || astray || s.client.throttled() > 0) {
		return
	}
	if s.settings.Ordering == Strict {
		latest, seen := make(map[string]string), make(map[string]bool)
		for _, r := range s.client.kept {
			if s.client.lines {
				r.key = s.keyOf[r.data]
			}
			if !seen[r.data] && !r.void {
				require.Less(s.t, latest[r.key], r.data, "key %s", r.key)
				latest[r.key] = r.data
			}
			seen[r.data] = seen[r.data] || !r.void
		}
	}
	last := make(map[string]Delivery)
	for _, d := range s.observer.deliveries {
		before, seen := last[d.PartitionKey]
		if seen {
			require.Less(s.t, before.Token.(string), d.Token.(string), "key %s", d.PartitionKey)
			require.Less(s.t, placeIn(before), placeIn(d), "key %s", d.PartitionKey)
		}
		last[d.PartitionKey] = d
	}
}

// placeIn is where a record lies in the stream.
func placeIn(d Delivery) string { return fmt.Sprintf("%s/%06d", d.SequenceNumber, d.Index) }
