package video

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gst-kinesis/internal/local/apierr"
	"gst-kinesis/internal/local/codec"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/front"
	"gst-kinesis/internal/local/videostreams"
)

// SigningName is the service's name in signatures.
const SigningName = "kinesisvideo"

// Times of a session of PutMedia. What is 0 takes its default.
type Times struct {
	IdleEvery     time.Duration // between IDLE acknowledgements while nothing comes, 5 s
	IdleTimeout   time.Duration // without a byte the session ends, 30 s. Source: API reference, PutMedia, Idle
	MaxConnection time.Duration // then the session ends with error 4003, 45 min. Source: developer guide, producer SDK quotas
}

func (t Times) orDefault() Times {
	for _, f := range [...]struct {
		value    *time.Duration
		standard time.Duration
	}{{&t.IdleEvery, 5 * time.Second}, {&t.IdleTimeout, 30 * time.Second}, {&t.MaxConnection, 45 * time.Minute}} {
		if *f.value <= 0 {
			*f.value = f.standard
		}
	}
	return t
}

// Settings of a Service.
type Settings struct {
	Store  *videostreams.Store
	URL    func() string // where the endpoint is: what GetDataEndpoint answers
	Now    func() time.Time
	Times  Times
	Logger *slog.Logger
}

// Service implements front.Direct. It is safe for concurrent use and lives as long as its streams.
type Service struct {
	set   Settings
	store *videostreams.Store
	ops   map[string]operation // by path
	books books
}

// operation is one path of the API.
type operation struct {
	name string
	// run answers a request whose body was read; nil for PutMedia.
	run     func(s *Service, c *front.Call, body []byte) (answer, error)
	subject func(s *Service, c *front.Call, body []byte) videostreams.Ref
}

// answer is a success: a body, or what writes it bit by bit.
type answer struct {
	contentType string
	body        []byte
	stream      func(c *front.Call, plan fault.Plan)
	release     func() // gives back what the answer holds; may be nil
}

// New returns the service over a store.
func New(set Settings) *Service {
	set.Times = set.Times.orDefault()
	s := &Service{set: set, store: set.Store, ops: map[string]operation{}}
	for path, op := range operations() {
		s.ops[path] = op
	}
	return s
}

// Operations returns the names of all operations.
func Operations() []string {
	var names []string
	for _, op := range operations() {
		names = append(names, op.name)
	}
	slices.Sort(names)
	return names
}

// Match implements front.Direct. Paths are taken with a small first letter and with a capital one.
func (s *Service) Match(r *http.Request) (string, bool) {
	op, ok := s.find(r)
	return op.name, ok
}

func (s *Service) find(r *http.Request) (operation, bool) {
	path := r.URL.Path
	if r.Method != http.MethodPost || len(path) < 2 || r.Header.Get("X-Amz-Target") != "" {
		return operation{}, false
	}
	op, ok := s.ops[strings.ToLower(path[1:2])+path[2:]]
	return op, ok
}

// Serve implements front.Direct.
func (s *Service) Serve(c *front.Call) {
	op, _ := s.find(c.R)
	if op.run == nil {
		s.putMedia(c)
		return
	}
	body, err := readBody(c.R)
	if err != nil {
		s.fail(c, err)
		return
	}
	sum := sha256.Sum256(body)
	if err := c.Verify(SigningName, hex.EncodeToString(sum[:])); err != nil {
		s.fail(c, unauthorized(err))
		return
	}
	ref := op.subject(s, c, body)
	c.Stream = s.store.Stream(ref)
	plan := c.Plan()
	if !s.before(c, plan) {
		return
	}
	got, err := answer{}, s.call(op, ref)
	if err == nil {
		got, err = op.run(s, c, body)
	}
	s.answer(c, plan, got, err)
}

// call counts the call against the service's limits.
func (s *Service) call(op operation, ref videostreams.Ref) error {
	switch op.name {
	case opCreate:
		return s.store.CallAccount(true)
	case opList:
		return s.store.CallAccount(false)
	case opListFragments, opFragmentList, opClip:
		return nil // limited by fragments, not by calls
	}
	return s.store.Call(ref, op.name)
}

// before carries out what faults want before a request is worked on; false when that was the answer.
func (s *Service) before(c *front.Call, plan fault.Plan) bool {
	switch {
	case plan.Latency > 0 && !c.Wait(plan.Latency):
		c.Cut()
	case plan.Hang:
		c.Hang(plan.HangFor)
	case plan.Cut == fault.CutAfterBody && c.Operation != opPutMedia:
		c.Cut()
	case plan.Error != nil:
		s.fail(c, plan.Error)
	case plan.Throttle:
		s.fail(c, videostreams.Throttled())
	default:
		return true
	}
	return false
}

// answer sends what a request came to.
func (s *Service) answer(c *front.Call, plan fault.Plan, got answer, err error) {
	if got.release != nil {
		defer got.release()
	}
	switch {
	case plan.Cut == fault.CutAfterProcessing:
		c.Cut()
	case err != nil:
		s.fail(c, err)
	case got.stream != nil:
		got.stream(c, plan)
	case plan.Garble:
		garbage := make([]byte, max(len(got.body), 16))
		write(c, http.StatusOK, "garbled", got.contentType, garbage)
	case plan.Cut == fault.CutMidAnswer:
		c.Settle(0, "cut")
		c.W.Header().Set("Content-Length", strconv.Itoa(len(got.body)+1))
		_, _ = c.W.Write(got.body[:len(got.body)/2])
		_ = http.NewResponseController(c.W).Flush()
		c.Drop()
	default:
		write(c, http.StatusOK, "", got.contentType, got.body)
	}
}

const (
	jsonType = "application/json"
	maxBody  = 1 << 20 // of a request that is JSON; the largest valid one names 1000 fragments
)

func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, apierr.New(apierr.Serialization, "The body of the request broke off.")
	}
	if len(body) > maxBody {
		return nil, apierr.New(apierr.InvalidArgument, "The body of the request is larger than any valid one.")
	}
	return body, nil
}

// unauthorized gives errors of the signature this service's status.
func unauthorized(err error) error {
	var e *apierr.Error
	if !errors.As(err, &e) {
		return err
	}
	own := *e
	own.Status = http.StatusForbidden
	return &own
}

// fail answers with an error.
func (s *Service) fail(c *front.Call, err error) {
	var e *apierr.Error
	if !errors.As(err, &e) {
		s.set.Logger.Error("a request failed inside the endpoint", "operation", c.Operation, "stream", c.Stream, "error", err)
		e = apierr.Internal()
	}
	w := codec.JSON.NewWriter(nil)
	w.MapStart()
	w.Key("Message")
	w.String(e.Message)
	w.MapEnd()
	c.W.Header().Set("x-amzn-ErrorType", e.Code)
	write(c, e.Status, e.Code, jsonType, w.Bytes())
}

func write(c *front.Call, status int, code, contentType string, body []byte) {
	c.Settle(status, code)
	c.W.Header().Set("Content-Type", contentType)
	c.W.Header().Set("Content-Length", strconv.Itoa(len(body)))
	c.W.WriteHeader(status)
	_, _ = c.W.Write(body)
}
