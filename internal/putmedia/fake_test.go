package putmedia

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"slices"
	"sync"
	"time"

	"gst-kinesis/internal/mediacall"
	"gst-kinesis/internal/mkv"
)

// fakeService is a video stream in memory: it reads Matroska, stores fragments and
// acknowledges them. An answer may be scripted.
type fakeService struct {
	retention time.Duration
	// ackAfter is how long acknowledgements take.
	ackAfter time.Duration
	// locate may fail a call of Locate, open one of PutMedia.
	locate func(call int) error
	open   func(call int) error
	// script may do something about a session's fragment when it begins (0 is the first): fail it
	// by an error id, cut the connection, or say nothing.
	script func(session, fragment int, timecode int64) reaction
	expire time.Duration // of credentials
	slow   time.Duration // for each block
	// tries makes a connection that takes some of n bytes without waiting, as many as it says, negative: it fails; nil: it is one that cannot do that.
	tries func(n int) int
	at    int64 // of scripts

	mu        sync.Mutex
	located   int
	opened    []time.Time
	now       int // sessions open
	most      int
	stored    []storedFragment
	sessions  []*fakeSession
	refreshed int
	unfit     int // fragments with other tracks than were announced
}

type reaction struct {
	errorID int
	cut     bool // the connection, after a block
	silent  bool // no acknowledgement from here on
	lose    bool // the acknowledgement PERSISTED of this one, and cut
}

type storedFragment struct {
	session  int
	timecode int64 // ms since 1970
	frames   []storedFrame
	tags     []mkv.Tag
	tracks   []mkv.Track
}

type storedFrame struct {
	track uint64
	ms    int64 // since 1970
	key   bool
	data  string
}

type fakeSession struct {
	in    Input
	ended bool // in good order
}

func (f *fakeService) RefreshCredentials() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refreshed++
}

func (f *fakeService) Locate(ctx context.Context) (Place, error) {
	f.mu.Lock()
	f.located++
	call := f.located
	f.mu.Unlock()
	if f.locate != nil {
		if err := f.locate(call); err != nil {
			if errors.Is(err, errHang) {
				<-ctx.Done()
				return Place{}, ctx.Err()
			}
			return Place{}, err
		}
	}
	return Place{Endpoint: "http://fake", Retention: f.retention}, nil
}

var errHang = errors.New("hang")

func (f *fakeService) PutMedia(ctx context.Context, _ Place, in Input) (Output, error) {
	f.mu.Lock()
	f.opened = append(f.opened, time.Now())
	call := len(f.opened)
	s := &fakeSession{in: in}
	f.sessions = append(f.sessions, s)
	f.mu.Unlock()
	if f.open != nil {
		if err := f.open(call); err != nil {
			_ = in.Body.Close()
			return Output{}, err
		}
	}
	f.mu.Lock()
	f.now++
	f.most = max(f.most, f.now)
	f.mu.Unlock()
	upR, upW, send := f.connection(in.Body)
	downR, downW := io.Pipe()
	stop := context.AfterFunc(ctx, func() {
		_ = upR.CloseWithError(context.Cause(ctx))
		_ = downW.CloseWithError(context.Cause(ctx))
		_ = in.Body.Close()
	})
	go func() {
		upW(send())
	}()
	go func() {
		defer stop()
		err := f.serve(s, call-1, upR, downW)
		f.mu.Lock()
		f.now--
		s.ended = err == nil
		f.mu.Unlock()
		_ = upR.CloseWithError(errors.New("the service closed the connection"))
		_ = downW.CloseWithError(err)
		_ = in.Body.Close()
	}()
	var expires time.Time
	if f.expire > 0 {
		expires = time.Now().Add(f.expire)
	}
	return Output{RequestID: fmt.Sprint("request-", call), Acks: downR, Expires: expires}, nil
}

// reading is what the service reads a session's body from.
type reading interface {
	io.Reader
	CloseWithError(err error) error
}

// connection gives a way from a body to the service: send writes the body, and ended tells the service why it ended.
func (f *fakeService) connection(body io.Reader) (r reading, ended func(error), send func() error) {
	if f.tries == nil {
		upR, upW := io.Pipe()
		return upR, func(err error) { _ = upW.CloseWithError(err) }, func() error {
			_, err := body.(io.WriterTo).WriteTo(upW)
			return err
		}
	}
	w := newWire(f.tries)
	return &wireReader{httputil.NewChunkedReader(w), w}, func(err error) { _ = w.CloseWithError(err) }, func() error {
		chunks := mediacall.NewChunks(w, time.Minute)
		if _, err := body.(io.WriterTo).WriteTo(chunks); err != nil {
			return err
		}
		if err := chunks.Flush(); err != nil {
			return err
		}
		_, err := w.Write([]byte("0\r\n\r\n"))
		return err
	}
}

// wireReader is the service's end of a wire.
type wireReader struct {
	io.Reader
	wire *wire
}

func (r *wireReader) CloseWithError(err error) error { return r.wire.CloseWithError(err) }

// wire is a connection with room for some bytes, one way.
type wire struct {
	net.Conn // nil: what is not here is not used
	tries    func(n int) int

	mu     sync.Mutex
	moved  *sync.Cond
	bytes  []byte
	closed error
}

const wireRoom = 64 << 10

func newWire(tries func(n int) int) *wire {
	w := &wire{tries: tries}
	w.moved = sync.NewCond(&w.mu)
	return w
}

func (w *wire) Read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.bytes) == 0 && w.closed == nil {
		w.moved.Wait()
	}
	if len(w.bytes) == 0 {
		return 0, w.closed
	}
	n := copy(p, w.bytes)
	w.bytes = append(w.bytes[:0], w.bytes[n:]...)
	w.moved.Broadcast()
	return n, nil
}

func (w *wire) Write(p []byte) (n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n < len(p) {
		for len(w.bytes) >= wireRoom && w.closed == nil {
			w.moved.Wait()
		}
		if w.closed != nil {
			return n, errConnectionCut
		}
		m := min(len(p)-n, wireRoom-len(w.bytes))
		w.bytes = append(w.bytes, p[n:n+m]...)
		n += m
		w.moved.Broadcast()
	}
	return n, nil
}

// TryWrite implements socket.Tryer.
func (w *wire) TryWrite(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(p), wireRoom-len(w.bytes))
	w.mu.Unlock()
	n = min(n, w.tries(n)) // much may happen meanwhile
	w.mu.Lock()
	if w.closed != nil || n < 0 {
		return 0, errConnectionCut
	}
	w.bytes = append(w.bytes, p[:n]...)
	w.moved.Broadcast()
	return n, nil
}

func (w *wire) CloseWithError(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed == nil {
		w.closed = err
		if err == nil {
			w.closed = io.EOF
		}
	}
	w.moved.Broadcast()
	return nil
}

func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// receiving is a session as the service sees it.
type receiving struct {
	f        *fakeService
	s        *fakeSession
	number   int
	acks     io.Writer
	current  *storedFragment
	raw      int64
	count    int
	tags     []mkv.Tag
	tracks   []mkv.Track
	reaction reaction
	silent   bool
	last     int64
}

var errConnectionCut = errors.New("connection reset by peer")

func (f *fakeService) serve(s *fakeSession, number int, r io.Reader, acks io.Writer) error {
	v := &receiving{f: f, s: s, number: number, acks: acks, last: -1}
	reader := mkv.NewReader(r, mkv.Limits{})
	for {
		e, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return v.finish()
		}
		if err != nil {
			return err
		}
		if err := v.take(e); err != nil {
			return err
		}
	}
}

func (v *receiving) take(e mkv.Event) error {
	switch e := e.(type) {
	case *mkv.Tracks:
		v.tracks = e.Tracks
	case *mkv.Tags:
		if len(e.Tags) == 1 && e.Tags[0].Name == mkv.TagEndOfFragment {
			return v.finish()
		}
		v.tags = append(v.tags, e.Tags...)
	case *mkv.ClusterStart:
		if err := v.finish(); err != nil {
			return err
		}
		return v.begin(int64(e.Timecode))
	case *mkv.Block:
		time.Sleep(v.f.slow)
		if !slices.ContainsFunc(v.tracks, func(t mkv.Track) bool { return t.Number == e.Track }) {
			v.unfit()
			return v.fail(4010, v.raw)
		}
		v.current.frames = append(v.current.frames, storedFrame{
			track: e.Track, ms: e.Timecode + v.base(), key: e.Key, data: string(e.Data),
		})
		if v.reaction.cut {
			return errConnectionCut
		}
	}
	return nil
}

func (v *receiving) base() int64 {
	if v.s.in.Timecodes == Relative {
		return v.s.in.Start
	}
	return 0
}

func (v *receiving) begin(timecode int64) error {
	if timecode <= v.last {
		return v.fail(4004, timecode)
	}
	v.last = timecode
	v.raw = timecode
	v.current = &storedFragment{session: v.number, timecode: timecode + v.base(), tags: v.tags, tracks: v.tracks}
	v.tags = nil
	if v.f.script != nil {
		v.reaction = v.f.script(v.number, v.count, v.current.timecode)
	}
	v.count++
	v.silent = v.silent || v.reaction.silent
	if v.reaction.errorID != 0 {
		return v.fail(v.reaction.errorID, timecode)
	}
	return v.ack(Buffering)
}

// finish ends the fragment under way: it is stored and acknowledged.
func (v *receiving) finish() error {
	if v.current == nil {
		return nil
	}
	c := *v.current
	v.current = nil
	for _, t := range v.tracks {
		if !slices.ContainsFunc(c.frames, func(f storedFrame) bool { return f.track == t.Number }) {
			v.unfit()
			return v.fail(4011, v.raw)
		}
	}
	if err := v.ack(Received); err != nil {
		return err
	}
	time.Sleep(v.f.ackAfter)
	if v.f.retention > 0 {
		v.f.mu.Lock()
		v.f.stored = append(v.f.stored, c)
		v.f.mu.Unlock()
	}
	if v.reaction.lose {
		return errConnectionCut
	}
	if v.f.retention > 0 {
		return v.ack(Persisted)
	}
	return nil
}

// unfit takes note of a fragment that is refused for its tracks.
func (v *receiving) unfit() {
	v.f.mu.Lock()
	defer v.f.mu.Unlock()
	v.f.unfit++
}

func (v *receiving) ack(t AckType) error {
	if v.silent {
		return nil
	}
	return v.write(map[string]any{"EventType": t, "FragmentTimecode": v.raw, "FragmentNumber": fmt.Sprint(v.number, "-", v.count)})
}

func (v *receiving) fail(id int, timecode int64) error {
	m := map[string]any{"EventType": "ERROR", "ErrorId": id, "ErrorCode": refusals[id].code, "FragmentTimecode": timecode}
	if id == 4006 { // the real one can lack these
		delete(m, "FragmentTimecode")
	}
	if err := v.write(m); err != nil {
		return err
	}
	return io.EOF
}

func (v *receiving) write(m map[string]any) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = v.acks.Write(append(text, '\n'))
	return err
}

// all returns what is stored, without what came twice.
func (f *fakeService) all() (frames []storedFrame, fragments int, twice int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := map[int64]bool{}
	for _, s := range f.stored {
		if seen[s.timecode] {
			twice++
			continue
		}
		seen[s.timecode] = true
		fragments++
		frames = append(frames, s.frames...)
	}
	return frames, fragments, twice
}
