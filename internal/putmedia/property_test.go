package putmedia

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/spool"
)

// TestBooksUnderRandomFaults plays random schedules of faults, settings, spools and restarts, and holds what the books and the
// observer say against what the service really has. GST_KINESIS_SEED repeats one schedule.
func TestBooksUnderRandomFaults(t *testing.T) {
	t.Parallel()
	n := 150
	if os.Getenv("GST_KINESIS_SOAK") != "" {
		n = 5000
	}
	if text := os.Getenv("GST_KINESIS_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		schedule(t, seed)
		return
	}
	first := rand.Uint64N(1 << 40) //nolint:gosec // a schedule
	for i := range n {
		seed := first + uint64(i)
		if !t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { t.Parallel(); schedule(t, seed) }) {
			return
		}
	}
}

// model is what a schedule knows of all its runs.
type model struct {
	mu      sync.Mutex // of r, which the service's side draws from too
	r       *rand.Rand
	rig     *rig
	service *fakeService
	begun   time.Time
	n       int
	at      time.Duration
	lost    map[any]string // frames that some run gave up
	settled map[any]bool
	calm    atomic.Bool // no more faults
	spooled bool
	sound   bool // is announced
	images  int  // put
}

func schedule(t *testing.T, seed uint64) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := &model{r: rand.New(rand.NewPCG(seed, 1)), begun: time.Now(), lost: map[any]string{}, settled: map[any]bool{}} //nolint:gosec // a schedule
		m.service = &fakeService{retention: time.Hour, open: m.open, script: m.react}
		m.service.ackAfter = time.Duration(m.intN(300)) * time.Millisecond
		m.spooled = m.intN(2) == 0
		switch m.intN(3) {
		case 0: // all that there is room for
			m.service.tries = func(n int) int { return n }
		case 1: // some of it
			m.service.tries = m.try
		}
		runs := 1
		if m.spooled {
			runs += m.intN(3)
		}
		for i := range runs {
			m.run(t, dir, i == runs-1)
		}
		time.Sleep(time.Minute) // sessions that were left end at the service's side
		m.check(t)
	})
}

func (m *model) intN(n int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.r.IntN(n)
}

// open fails some tries.
func (m *model) open(int) error {
	if m.calm.Load() {
		return nil
	}
	switch m.intN(30) {
	case 0:
		return refusedError()
	case 1:
		return apiFault("InternalFailure")
	case 2:
		return apiFault("ExpiredTokenException")
	case 3:
		return apiFault("ConnectionLimitExceededException")
	}
	return nil
}

// try takes some of n bytes, late at times, and fails seldom.
func (m *model) try(n int) int {
	switch m.intN(40) {
	case 0:
		time.Sleep(time.Duration(m.intN(1500)) * time.Millisecond)
	case 1:
		if !m.calm.Load() {
			return -1
		}
	}
	return m.intN(2*n + 1)
}

func (m *model) react(int, int, int64) (r reaction) {
	if m.calm.Load() {
		return r
	}
	switch m.intN(60) {
	case 0:
		r.cut = true
	case 1:
		r.lose = true
	case 2:
		r.silent = true
	case 3:
		r.errorID = []int{4000, 4003, 5000, 5001, 4503, 4998}[m.intN(6)]
	case 4:
		r.errorID = []int{4001, 4002, 4006, 4009, 4011}[m.intN(5)]
	}
	return r
}

// run is one life of a stream.
func (m *model) run(t *testing.T, dir string, last bool) {
	var options []Option
	if m.spooled {
		s := openSpool(t, dir, func(set *spool.Settings) { set.MaxBytes = int64(2+m.intN(20)) << 20 })
		defer func() { require.NoError(t, s.Close()) }()
		options = append(options, WithSpool(s))
	}
	onService(t, m.service, func(s *Settings, _ *fakeService) {
		s.StorageSize = int64(1+m.intN(3)) << 20
		s.Outage = Outage(m.intN(2))
		s.Timecodes = Timecodes(m.intN(2))
		s.SessionDuration = time.Duration(5+m.intN(200)) * time.Second
		s.Staleness = time.Duration(5+m.intN(30)) * time.Second
		s.DrainTimeout, s.StopTimeout = time.Duration(m.intN(5))*time.Second, time.Duration(m.intN(3))*time.Second
		if last {
			s.DrainTimeout = -1
		}
	}, func(r *rig) {
		m.rig, r.began, r.n, r.at = r, m.begun, m.n, m.at
		if m.sound = m.intN(2) == 0; m.sound {
			require.NoError(r, r.s.SetTracks([]mkv.Track{videoTrack, audioTrack}))
		}
		m.feed(r)
		if last {
			m.calm.Store(true)
		}
		err := r.s.Flush(context.Background())
		if last && !errors.Is(err, ErrFailed) { // of credentials that are refused several times in a row
			require.NoError(r, err)
		}
		m.n, m.at = r.n, r.at
		r.s.Close()
		r.o.with(func() {
			for _, token := range r.o.settled {
				require.False(r, m.settled[token], "settled twice: %v", token)
				m.settled[token] = true
			}
			for _, token := range r.o.lost {
				m.lost[token] = "lost"
			}
		})
	}, options...)
}

// feed puts frames, with pauses, outages, tracks that are silent, and frames that are missing.
func (m *model) feed(r *rig) {
	for range 5 + m.intN(10) {
		switch m.intN(10) {
		case 0:
			time.Sleep(time.Duration(m.intN(40)) * time.Second)
			r.at = time.Since(r.began)
		case 1:
			skip := m.intN(30)
			r.n += skip // never put
			m.images += skip
			for n := range skip {
				m.lost[r.n-skip+n] = "skipped"
			}
		}
		size := 20 + m.intN(2000)
		video, sound := !m.sound || m.intN(8) > 0, m.sound && m.intN(2) == 0
		for range 25 * (1 + m.intN(20)) {
			if video {
				m.put(r, 1, m.images%25 == 0, 0, size)
				m.images++
			}
			if sound {
				m.put(r, 2, true, 20*time.Millisecond, 20)
			}
			r.at += 40 * time.Millisecond
			time.Sleep(40 * time.Millisecond)
		}
		b := r.s.Books()
		require.True(r, b.Balanced(), "%+v", b)
	}
}

// put puts a frame, so much later than others of its time.
func (m *model) put(r *rig, track uint64, key bool, later time.Duration, size int) {
	f := r.s.Reserve(size)
	copy(f.Data, fmt.Sprintf("frame %06d", r.n))
	clear(f.Data[12:])
	f.Track, f.Key, f.PTS, f.Token = track, key, r.began.Add(r.at+later).UnixNano(), r.n
	r.n++
	if err := r.s.Put(context.Background(), f); err != nil {
		require.True(r, errors.Is(err, ErrFailed), "%v", err)
		m.lost[r.n-1] = "refused"
	}
}

// check holds what was told against what the service has.
func (m *model) check(t *testing.T) {
	frames, _, _ := m.service.all()
	require.Zero(t, m.service.unfit, "fragments of other tracks than were announced")
	stored := map[int]bool{}
	var order []int
	for _, f := range frames {
		n, err := strconv.Atoi(f.data[6:12])
		require.NoError(t, err)
		stored[n] = true
		order = append(order, n)
	}
	for i := 1; i < len(order); i++ {
		if order[i] < order[i-1] {
			for _, s := range m.service.stored {
				t.Logf("session %d at %d: %s to %s", s.session, s.timecode-m.begun.UnixMilli(), s.frames[0].data[:12], s.frames[len(s.frames)-1].data[:12])
			}
			t.Fatalf("spooled %v: frame %d came before %d", m.spooled, order[i-1], order[i])
		}
	}
	for token := range m.settled {
		require.True(t, stored[token.(int)], "frame %v was told to be stored", token) //nolint:forcetypeassert // they are
	}
	if m.spooled {
		return // what the spool gives up it tells without tokens
	}
	for n := range m.n {
		_, lost := m.lost[n]
		require.True(t, stored[n] || lost, "frame %d is neither stored nor told to be lost", n)
		require.True(t, m.settled[n] || lost, "frame %d is on no side of the books", n)
		require.False(t, m.settled[n] && lost, "frame %d is on both sides of the books", n)
	}
}
