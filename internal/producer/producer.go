package producer

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/spool"
	"gst-kinesis/internal/trouble"
	"gst-kinesis/internal/uplink"
)

// Producer writes records to one stream. All methods are safe for concurrent use.
//
// Lock order: mu before pool.mu. Neither is held across a call of the client,
// the observer or a hook.
type Producer struct {
	client      Client
	observer    Observer
	settings    Settings
	subject     awserr.Subject
	hooks       hooks
	clock       Clock
	started     time.Time
	pool        pool
	limits      *limit.Stream
	uplink      *uplink.Share
	letters     DeadLetters               // nil: what is lost is dropped
	spool       *spool.Spool              // nil: records are in memory alone
	shaper      *shaper                   // nil where records are sent as they are
	shards      atomic.Pointer[shard.Map] // the lanes', for others to look at
	recordLimit atomic.Int64              // bytes of the largest record
	noRetry     []func(*kinesis.Options)  // turns the SDK's retries off

	base          context.Context // of all requests and checks
	cancel        context.CancelFunc
	noWait        context.Context // of TryPut
	letterContext context.Context // of writing letters
	stopLetters   context.CancelFunc
	wake          chan struct{} // the dispatcher
	awaken        func()        // poke
	work          chan *request // to the senders
	reporter      *trouble.Reporter
	resurvey      chan struct{} // the shards are not as expected
	askLimit      chan struct{} // the largest record is to be asked for
	limitKnown    chan struct{} // closed when that is over
	impatient     chan struct{} // closed when no record waits for it any more
	patience      sync.Once     // begins that wait
	quit          chan struct{} // dispatcher and reporter end
	closed        chan struct{} // Close is done
	running       sync.WaitGroup

	mu      sync.Mutex
	random  *rand.Rand
	space   sync.Cond // Put waits for room
	settled sync.Cond // Flush and Close wait for records to be accounted for
	leaky   Leaky
	seq     uint64 // of the record accepted last
	lanes   *lanes
	morgue  morgue
	backlog backlog
	waiting int    // records in lanes
	bytes   int    // their data and partition keys
	held    int64  // memory of records waiting and in flight
	packer  packer // plans the dispatcher's requests; nil without aggregation
	poked   bool   // the dispatcher was woken and has not come yet
	blocked int    // callers of Put that wait
	telling int    // calls of Dropped outside requests
	flying  flight // requests under way
	books   Books
	tally   tally
	latency latencies
	figures figures
	health  health
	pace    pace
	turn    turn
	phase   phase

	formed      []*request // the dispatcher's
	husks       list       // and what it threw away
	lostScratch sync.Pool  // of *[]Lost
}

// phase is how far the end has come.
type phase struct {
	draining  int          // Flushes under way
	drainUpTo uint64       // the last record any Flush or Close waits for
	closing   bool         // Close was called
	leaving   bool         // the time to send what is in the spool is over
	over      bool         // all goroutines have ended
	failure   *failedError // the stream cannot go on
}

// hooks are what a caller may give beside the client.
type hooks struct {
	check    func(context.Context) error
	refresh  func()
	rehearse bool // ask by DryRun at the start
	shards   func(context.Context) ([]shard.Shard, error)
	largest  func(context.Context) (int, error)
}

// Option changes how a Producer works inside.
type Option func(*Producer)

// WithClock lets the producer live by another clock than the system's.
func WithClock(c Clock) Option { return func(p *Producer) { p.clock = c } }

// WithSeed makes the jitter of retries repeatable.
func WithSeed(seed uint64) Option {
	return func(p *Producer) { p.random = rand.New(rand.NewPCG(seed, seed)) } //nolint:gosec // jitter
}

// WithCredentials tells the producer how to ask for credentials at the start, so
// that their absence is found before there is a record, and how to forget cached
// ones when the service says they have expired. check may take the network;
// refresh must not. Either may be nil.
func WithCredentials(check func(context.Context) error, refresh func()) Option {
	return func(p *Producer) { p.hooks.check, p.hooks.refresh = check, refresh }
}

// WithShards tells the producer how to list the stream's shards, closed ones too.
// With them it gathers records by shard and keeps within each shard's limits.
// It is called off all other paths, with the first record and after a reshard; where it is not
// permitted the observer is told, once, and the producer does without.
func WithShards(list func(context.Context) ([]shard.Shard, error)) Option {
	return func(p *Producer) { p.hooks.shards = list }
}

// WithLimits lets the producer share the shards' limits with the others of the same
// stream in the process; see limit.Registry.
func WithLimits(s *limit.Stream) Option { return func(p *Producer) { p.limits = s } }

// WithUplink lets the producer keep within the bandwidth of a link and share it with
// others. The client's connections are the caller's to wrap; see uplink.Share.Conn.
func WithUplink(s *uplink.Share) Option { return func(p *Producer) { p.uplink = s } }

// New starts a producer. The client must stay usable until Close returns; the
// observer may be nil.
func New(client Client, settings Settings, observer Observer, options ...Option) (*Producer, error) {
	if err := settings.Validate(); err != nil {
		return nil, fmt.Errorf("checking the producer's settings: %w", err)
	}
	shaper, err := newShaper(&settings)
	if err != nil {
		return nil, fmt.Errorf("checking the producer's settings: %w", err)
	}
	p := newProducer(client, settings, observer)
	p.shaper = shaper
	for _, option := range options {
		option(p)
	}
	p.started = p.clock.Now()
	p.start()
	return p, nil
}

func newProducer(client Client, settings Settings, observer Observer) *Producer {
	if observer == nil {
		observer = silent{}
	}
	p := &Producer{
		client:   client,
		observer: observer,
		settings: settings,
		subject:  awserr.PutSubject(cmp.Or(settings.Stream, settings.StreamARN), settings.Region, settings.Endpoint),
		clock:    systemClock{},
		random:   rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), //nolint:gosec // jitter
		noRetry:  []func(*kinesis.Options){func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }},
		wake:     make(chan struct{}, 1),
		work:     make(chan *request, settings.MaxInFlight),
		resurvey: make(chan struct{}, 1),
		quit:     make(chan struct{}),
		limits:   limit.NewStream(),
		uplink:   new(uplink.Links).Join(""),
		closed:   make(chan struct{}),
		leaky:    settings.Leaky,
		lanes:    newLanes(settings.Ordering, settings.MaxBatchRecords),
		books:    Books{Dropped: make(map[string]Count)},
		health:   newHealth(),
		pace:     newPace(settings),
	}
	p.settings.AggregateMaxSize = min(settings.AggregateMaxSize, settings.MaxRecordSize)
	p.packer = newPacker(settings.Aggregation)
	p.pool.limit = settings.MaxSizeBytes
	if p.pool.limit == 0 {
		p.pool.limit = 64 * shard.MiB
	}
	p.lostScratch.New = func() any { return new([]Lost) }
	p.awaken = p.poke
	p.space.L, p.settled.L = &p.mu, &p.mu
	p.reporter = p.newReporter()
	p.base, p.cancel = context.WithCancel(context.Background())
	ended, end := context.WithCancelCause(context.Background())
	end(ErrWouldBlock)
	p.noWait = ended
	p.letterContext, p.stopLetters = context.WithCancel(context.Background())
	p.morgue.came = make(chan struct{}, 1)
	p.askLimit, p.limitKnown, p.impatient = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	p.recordLimit.Store(int64(settings.MaxRecordSize))
	return p
}

func (p *Producer) start() {
	p.running.Go(p.dispatch)
	p.running.Go(func() { p.reporter.Run(p.quit) })
	for range p.settings.MaxInFlight {
		p.running.Go(p.sendAll)
	}
	if p.hooks.check != nil || p.hooks.rehearse {
		p.running.Go(p.checkStart)
	}
	if p.hooks.shards != nil {
		p.running.Go(p.survey)
	}
	if p.hooks.largest != nil {
		p.running.Go(p.learnLimit)
	}
	if p.letters != nil {
		p.running.Go(p.inter)
	}
	if p.spool != nil {
		p.openBacklog()
		p.running.Go(p.page)
	}
}

// now returns the moment on the producer's clock.
func (p *Producer) now() instant { return p.clock.Now().Sub(p.started) }

// Settings returns what the producer was made with.
func (p *Producer) Settings() Settings { return p.settings }

// Shards returns the map of the stream's shards, nil while it is not known. It takes no lock.
func (p *Producer) Shards() *shard.Map { return p.shards.Load() }

// SetLeaky changes what happens when a bound is reached; callers of Put that are
// blocked go by the new value.
func (p *Producer) SetLeaky(l Leaky) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaky = l
	p.space.Broadcast()
}

// Books returns a consistent copy of the books.
func (p *Producer) Books() Books {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.books.clone()
}
