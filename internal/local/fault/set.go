package fault

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"gst-kinesis/internal/local/apierr"
)

// Set holds the rules of one endpoint. It is safe for concurrent use. mu is the innermost lock: nothing of others is
// called under it but now.
type Set struct {
	now func() time.Time

	mu    sync.Mutex
	rand  *rand.Rand
	rules []*Handle
	fired int64
}

// Handle is a rule in force.
type Handle struct {
	set   *Set
	rule  Rule
	added time.Time
	seen  int // matches so far; guarded by set.mu
	fired int
}

// NewSet returns a Set without rules. The same seed and the same order of requests give the same faults.
func NewSet(seed uint64, now func() time.Time) *Set {
	return &Set{now: now, rand: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))}
}

// Add puts a rule in force, after those that are there. It returns the *Problem of a rule that makes no sense.
func (s *Set) Add(rule Rule) (*Handle, error) {
	if err := rule.Check(nil); err != nil {
		return nil, err
	}
	h := &Handle{set: s, rule: rule, added: s.now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, h)
	return h, nil
}

// Remove ends a rule. Requests that it already struck are not touched any more.
func (h *Handle) Remove() {
	h.set.mu.Lock()
	defer h.set.mu.Unlock()
	h.set.rules = slices.DeleteFunc(h.set.rules, func(other *Handle) bool { return other == h })
}

// Fired returns how often the rule struck.
func (h *Handle) Fired() int {
	h.set.mu.Lock()
	defer h.set.mu.Unlock()
	return h.fired
}

// Clear ends all rules.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// Fired returns how often any rule struck.
func (s *Set) Fired() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fired
}

// Subject is what a request is about. Stream is empty where there is none; Shards may be nil.
type Subject struct {
	Operation string
	Stream    string
	Shards    func() []string
}

// Plan is what happens to one request.
type Plan struct {
	Latency time.Duration
	Error   *apierr.Error
	Throttle,
	Garble, Hang bool
	HangFor time.Duration
	Cut     Cut
	Media
}

// CutBeforeBody tells whether a request is cut before its body is read.
func (s *Set) CutBeforeBody(operation string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.rules {
		if h.rule.Cut == CutBeforeBody && h.rule.concerns(operation) && h.strike() {
			return true
		}
	}
	return false
}

// Operations whose records fail one by one.
const (
	putRecords = "PutRecords"
	putRecord  = "PutRecord"
)

// Request returns what happens to a request whose body was read. Delays add up; of the rest the first that strikes counts.
func (s *Set) Request(sub Subject) Plan {
	// Finding the shards takes the locks of streams, under which Record is called: not while mu is held.
	var shards []string
	if sub.Shards != nil && s.wantsShards() {
		shards = sub.Shards()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var p Plan
	done := false
	for _, h := range s.rules {
		r := &h.rule
		if r.Cut == CutBeforeBody || r.perRecord(sub.Operation) || !r.suits(sub, shards) {
			continue
		}
		only := len(r.actions()) == 0
		if done && !only || !h.strike() {
			continue
		}
		p.Latency += s.draw(r.Latency)
		if !only {
			done = true
			p.act(r)
		}
	}
	return p
}

func (p *Plan) act(r *Rule) {
	p.Throttle, p.Garble, p.Hang, p.HangFor, p.Cut, p.Media = r.Throttle, r.Garble, r.Hang, r.HangFor, r.Cut, r.Media
	if r.Error != nil {
		p.Error = r.Error.Error()
	}
}

// Record returns the error of one record of a put, nil for none; throttled makes the service's own throttling error.
func (s *Set) Record(operation, stream, shard string, throttled func() *apierr.Error) *apierr.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.rules {
		r := &h.rule
		if !r.perRecord(operation) || !r.concerns(operation) || r.Stream != "" && r.Stream != stream ||
			r.Shard != "" && r.Shard != shard || !h.strike() {
			continue
		}
		if r.Throttle {
			return throttled()
		}
		return r.Record.Error()
	}
	return nil
}

// perRecord tells whether a rule strikes single records of an operation.
func (r *Rule) perRecord(operation string) bool {
	return r.Record != nil || r.Throttle && (operation == putRecords || operation == putRecord)
}

func (r *Rule) concerns(operation string) bool {
	return len(r.Operations) == 0 || slices.Contains(r.Operations, operation)
}

// wantsShards tells whether any rule looks at shards.
func (s *Set) wantsShards() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.rules, func(h *Handle) bool { return h.rule.Shard != "" })
}

func (r *Rule) suits(sub Subject, shards []string) bool {
	if !r.concerns(sub.Operation) || r.Stream != "" && r.Stream != sub.Stream {
		return false
	}
	return r.Shard == "" || slices.Contains(shards, r.Shard)
}

// strike decides about one match and counts it; the set is locked.
func (h *Handle) strike() bool {
	age := h.set.now().Sub(h.added)
	if age < h.rule.From || h.rule.Until > 0 && age >= h.rule.Until {
		return false
	}
	if h.rule.Count > 0 && h.fired >= h.rule.Count {
		return false
	}
	h.seen++
	if h.seen <= h.rule.After {
		return false
	}
	if p := h.rule.Probability; p > 0 && p < 1 && h.set.rand.Float64() >= p {
		return false
	}
	h.fired++
	h.set.fired++
	return true
}

func (s *Set) draw(span Span) time.Duration {
	if span.Most <= span.Least {
		return span.Least
	}
	return span.Least + time.Duration(s.rand.Int64N(int64(span.Most-span.Least)+1))
}
