package putmedia

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
)

var (
	videoTrack = mkv.Track{Number: 1, UID: 1, Type: mkv.Video, Name: "video", CodecID: mkv.CodecAVC, CodecPrivate: []byte("avcC"), Width: 640, Height: 360}
	audioTrack = mkv.Track{Number: 2, UID: 2, Type: mkv.Audio, Name: "audio", CodecID: mkv.CodecAAC, CodecPrivate: []byte{0x12, 0x10}, SamplingFrequency: 44100, Channels: 2}
)

// rig is a stream to a fake service in a bubble of virtual time.
type rig struct {
	*testing.T
	s     *Stream
	f     *fakeService
	o     *fakeObserver
	set   Settings
	began time.Time
	n     int // frames put
	at    time.Duration
}

// bench runs body with a stream whose settings and service were prepared, closes it and
// checks the books.
func bench(t *testing.T, prepare func(*Settings, *fakeService), body func(*rig), options ...Option) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { inBubble(t, prepare, body, options...) })
}

func inBubble(t *testing.T, prepare func(*Settings, *fakeService), body func(*rig), options ...Option) {
	onService(t, &fakeService{retention: time.Hour}, prepare, body, options...)
}

func onService(t *testing.T, f *fakeService, prepare func(*Settings, *fakeService), body func(*rig), options ...Option) {
	r := &rig{T: t, f: f, o: &fakeObserver{}, set: Default(), began: time.Now()}
	r.set.Stream, r.set.Region = "camera", "eu-west-1"
	if prepare != nil {
		prepare(&r.set, r.f)
	}
	var err error
	r.s, err = New(r.f, r.set, r.o, append([]Option{WithSeed(1)}, options...)...)
	require.NoError(t, err)
	defer r.s.Close() // also when body gives up: else the bubble would panic
	require.NoError(t, r.s.SetTracks([]mkv.Track{videoTrack}))
	body(r)
	r.s.Close()
	time.Sleep(time.Minute) // the service's side ends too
	synctest.Wait()
	b := r.s.Books()
	require.True(t, b.Balanced(), "%+v", b)
	require.Zero(t, b.InFlight)
	require.Zero(t, r.s.Stats().Memory)
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	if r.f.ackAfter == 0 { // else the service's side of one that was cut lasts longer than ours
		require.LessOrEqual(t, r.f.most, 1, "one session at a time")
	}
}

// put puts one frame of video: 25 a second, a key frame every second, and lets time pass.
func (r *rig) put() error {
	f := r.s.Reserve(0)
	r.s.Release(f)
	text := fmt.Sprintf("frame %06d", r.n)
	f = r.s.Reserve(len(text))
	copy(f.Data, text)
	f.Track, f.Key, f.PTS = 1, r.n%25 == 0, r.began.Add(r.at).UnixNano()
	f.DTS, f.Token = f.PTS, r.n
	r.n++
	r.at += 40 * time.Millisecond
	return r.s.Put(context.Background(), f)
}

// play puts frames for a time, live.
func (r *rig) play(d time.Duration) {
	r.Helper()
	for end := r.at + d; r.at < end; {
		require.NoError(r, r.put())
		time.Sleep(40 * time.Millisecond)
	}
	synctest.Wait()
}

func (r *rig) flush() {
	r.Helper()
	require.NoError(r, r.s.Flush(context.Background()))
	synctest.Wait()
}

// pause lets time pass.
func (r *rig) pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// inOrder holds what is stored to all frames that were put, but for some.
func (r *rig) inOrder(but ...int) {
	r.Helper()
	frames, _, _ := r.f.all()
	missing := map[int]bool{}
	for _, n := range but {
		missing[n] = true
	}
	i := 0
	for n := range r.n {
		if missing[n] {
			continue
		}
		require.Less(r, i, len(frames), "frame %d of %d is missing", n, r.n)
		require.Equal(r, fmt.Sprintf("frame %06d", n), frames[i].data)
		require.Equal(r, n%25 == 0, frames[i].key)
		require.Equal(r, r.began.Add(time.Duration(n)*40*time.Millisecond).UnixMilli(), frames[i].ms)
		i++
	}
	require.Len(r, frames, i)
}

// span lists the numbers from one to before another.
func span(from, to int) (list []int) {
	for n := from; n < to; n++ {
		list = append(list, n)
	}
	return list
}

type fakeObserver struct {
	mu         sync.Mutex
	acks       []Ack
	up, down   []Connection
	settled    []any
	dropped    map[string]int
	lost       []any
	troubles   []Trouble
	troubleAt  []time.Time
	recoveries []Recovery
	notices    []Notice
	failures   []Trouble
	failedAt   time.Time
}

func (o *fakeObserver) with(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

func (o *fakeObserver) Acked(a Ack)               { o.with(func() { o.acks = append(o.acks, a) }) }
func (o *fakeObserver) Connected(c Connection)    { o.with(func() { o.up = append(o.up, c) }) }
func (o *fakeObserver) Disconnected(c Connection) { o.with(func() { o.down = append(o.down, c) }) }
func (o *fakeObserver) Settled(t []any)           { o.with(func() { o.settled = append(o.settled, t...) }) }
func (o *fakeObserver) Dropped(reason string, n int, _ int64, tokens []any) {
	o.with(func() {
		if o.dropped == nil {
			o.dropped = map[string]int{}
		}
		o.dropped[reason] += n
		o.lost = append(o.lost, tokens...)
	})
}

func (o *fakeObserver) Trouble(t Trouble) {
	o.with(func() { o.troubles, o.troubleAt = append(o.troubles, t), append(o.troubleAt, time.Now()) })
}
func (o *fakeObserver) Recovered(r Recovery) {
	o.with(func() { o.recoveries = append(o.recoveries, r) })
}
func (o *fakeObserver) Noticed(n Notice) { o.with(func() { o.notices = append(o.notices, n) }) }
func (o *fakeObserver) Failed(t Trouble) {
	o.with(func() { o.failures, o.failedAt = append(o.failures, t), time.Now() })
}
