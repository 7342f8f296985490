package putmedia

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
)

// fakeProducers is a service and a producer that sends to it, which do what a test says.
type fakeProducers struct {
	mu        sync.Mutex
	locate    func(ctx context.Context) error        // nil: found
	opening   func(ctx context.Context, n int) error // of the nth, from 1; nil: opened
	putting   func(n int) error                      // of the nth frame of all, from 0; nil: taken
	expires   time.Duration                          // of the credentials; 0: never
	retention time.Duration
	silent    map[string]bool // acknowledgements that do not come: "BUFFERING 2" of the second fragment, "PERSISTED" of all
	refused   map[int]Report  // fragments that are refused in place of PERSISTED, by their number
	closing   time.Duration   // how long Close takes

	list     []*fakeProducer
	frames   int // of all
	fragment int
	live     int // producers that are open
	most     int
	located  int
	renewed  int
}

type fakeProducer struct {
	f       *fakeProducers
	n       int
	tracks  []mkv.Track
	frames  []stored
	pending []string
	current int64 // the fragment's timecode; 0: none is open
	number  int   // of the fragment
	upload  uint64
	reports chan Report
	done    chan struct{}
	closed  bool
	blocked chan struct{} // closed by Close
	sent    int64
}

type stored struct {
	data   string
	ms     int64
	dts    int64
	begins bool
	tags   []string
}

func (f *fakeProducers) with(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *fakeProducers) RefreshCredentials() { f.with(func() { f.renewed++ }) }

func (f *fakeProducers) Locate(ctx context.Context) (Place, error) {
	f.mu.Lock()
	f.located++
	locate := f.locate
	f.mu.Unlock()
	if locate != nil {
		if err := locate(ctx); err != nil {
			return Place{}, err
		}
	}
	return Place{Endpoint: "https://data", Retention: f.retention}, nil
}

func (f *fakeProducers) Open(ctx context.Context, tracks []mkv.Track, report func(Report)) (Producer, time.Time, error) {
	f.mu.Lock()
	n := len(f.list) + 1
	p := &fakeProducer{f: f, n: n, tracks: tracks, upload: uint64(n), reports: make(chan Report, 1000), done: make(chan struct{}), blocked: make(chan struct{})}
	f.list = append(f.list, p)
	opening := f.opening
	f.mu.Unlock()
	if opening != nil {
		if err := opening(ctx, n); err != nil {
			return nil, time.Time{}, err
		}
	}
	f.with(func() { f.live++; f.most = max(f.most, f.live) })
	go func() {
		defer close(p.done)
		for r := range p.reports {
			report(r)
		}
	}()
	var expires time.Time
	if f.expires != 0 {
		expires = time.Now().Add(f.expires)
	}
	return p, expires, nil
}

func (p *fakeProducer) Put(frame *Frame, begins bool) error {
	f := p.f
	f.mu.Lock()
	n, putting := f.frames, f.putting
	f.frames++
	f.mu.Unlock()
	if putting != nil {
		if err := putting(n); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if begins {
		p.finish()
		f.fragment++
		p.number, p.current = f.fragment, frame.ms()
		p.ack(Buffering)
	}
	s := stored{data: string(frame.Data), ms: frame.ms(), dts: frame.DTS, begins: begins}
	if begins {
		s.tags, p.pending = p.pending, nil
	}
	p.frames = append(p.frames, s)
	p.sent += int64(len(frame.Data))
	return nil
}

func (p *fakeProducer) finish() {
	if p.current == 0 {
		return
	}
	p.ack(Received)
	if r, refused := p.f.refused[p.number]; refused {
		if r.Ack.HasTimecode {
			r.Ack.Timecode = p.current
		} else {
			p.tell(Report{Kind: ReportRefused, DTS: r.DTS})
		}
		r.Upload = p.upload
		p.tell(r)
	} else {
		p.ack(Persisted)
	}
	p.current = 0
}

func (p *fakeProducer) ack(kind AckType) {
	if p.f.silent[string(kind)] || p.f.silent[fmt.Sprint(kind, " ", p.number)] {
		return
	}
	p.tell(Report{Kind: ReportAck, Upload: p.upload, Ack: Ack{Type: kind, Timecode: p.current, HasTimecode: true, Number: fmt.Sprint(p.number)}})
}

func (p *fakeProducer) tell(r Report) {
	if !p.closed {
		p.reports <- r
	}
}

func (p *fakeProducer) EndFragment() error {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	p.finish()
	return nil
}

func (p *fakeProducer) Tag(t mkv.Tag) error {
	p.f.with(func() { p.pending = append(p.pending, t.Name+"="+t.Value) })
	return nil
}

func (p *fakeProducer) Signal(e Event) error {
	if len(p.frames) == 0 {
		return errors.New("no frame came yet")
	}
	p.f.with(func() { p.pending = append(p.pending, fmt.Sprintf("image=%v notify=%v", e.Image, e.Notify)) })
	return nil
}

func (p *fakeProducer) Sent() int64 {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	return p.sent
}

func (p *fakeProducer) Close() {
	close(p.blocked)
	p.f.with(p.finish)
	time.Sleep(p.f.closing)
	p.f.with(func() {
		p.closed = true
		close(p.reports)
		p.f.live--
	})
	<-p.done
}

// all gives what all producers were given.
func (f *fakeProducers) all() (list []stored) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.list {
		list = append(list, p.frames...)
	}
	return list
}

// desk is a Delegate to a fakeProducers in a bubble of virtual time.
type desk struct {
	*testing.T
	d     *Delegate
	f     *fakeProducers
	o     *fakeObserver
	set   Settings
	began time.Time
	n     int
	at    time.Duration
}

func delegate(t *testing.T, prepare func(*Settings, *fakeProducers), body func(*desk)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &desk{T: t, f: &fakeProducers{retention: time.Hour}, o: &fakeObserver{}, set: Default(), began: time.Now()}
		r.set.Stream, r.set.Region = "camera", "eu-west-1"
		if prepare != nil {
			prepare(&r.set, r.f)
		}
		var err error
		r.d, err = NewDelegate(r.f, r.set, 2*time.Minute, r.o)
		require.NoError(t, err)
		defer r.d.Close()
		require.NoError(t, r.d.SetTracks([]mkv.Track{videoTrack}))
		body(r)
		r.d.Close()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		r.accounted()
		require.LessOrEqual(t, r.f.most, 1, "one producer at a time")
		require.Zero(t, r.f.live)
	})
}

// accounted holds that after the end each frame has become something, and that its token says so once.
func (r *desk) accounted() {
	r.Helper()
	s := r.d.Stats()
	b := s.Books
	require.True(r, b.Balanced(), "%+v", b)
	require.Zero(r, b.InFlight)
	require.Zero(r, s.Memory)
	require.Zero(r, s.Fragments)
	require.EqualValues(r, r.n, b.Accepted.Frames+b.Refused.Frames)
	require.Len(r, r.o.settled, int(b.Persisted.Frames))
	require.Len(r, r.o.lost, int(b.DroppedAll().Frames+b.SkippedAll().Frames))
	seen := map[any]bool{}
	for _, token := range slices.Concat(r.o.settled, r.o.lost) {
		require.False(r, seen[token], "frame %v became two things", token)
		seen[token] = true
	}
}

func (r *desk) putAs(key bool) error {
	text := fmt.Sprintf("frame %06d", r.n)
	f := r.d.Reserve(len(text))
	copy(f.Data, text)
	f.Track, f.Key, f.PTS = 1, key, r.began.Add(r.at).UnixNano()
	f.DTS, f.Token = f.PTS, r.n
	r.n++
	r.at += 40 * time.Millisecond
	return r.d.Put(context.Background(), f)
}

// put puts one frame: 25 a second, a key frame every second.
func (r *desk) put() error { return r.putAs(r.n%25 == 0) }

func (r *desk) play(d time.Duration) {
	r.Helper()
	for end := r.at + d; r.at < end; {
		require.NoError(r, r.put())
		time.Sleep(40 * time.Millisecond)
	}
	synctest.Wait()
}

func (r *desk) flush() {
	r.Helper()
	require.NoError(r, r.d.Flush(context.Background()))
	synctest.Wait()
}

// inOrder holds what producers were given to all frames that were put, but for some.
func (r *desk) inOrder(but ...int) {
	r.Helper()
	frames, i := r.f.all(), 0
	for n := range r.n {
		if slices.Contains(but, n) {
			continue
		}
		require.Less(r, i, len(frames), "frame %d of %d is missing", n, r.n)
		require.Equal(r, fmt.Sprintf("frame %06d", n), frames[i].data)
		require.Equal(r, r.began.Add(time.Duration(n)*40*time.Millisecond).UnixMilli(), frames[i].ms)
		i++
	}
	require.Len(r, frames, i)
}
