package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// modelled is what the model knows of a record.
type modelled struct {
	Record
	durable bool // the loss of power must not lose it
	doomed  bool // the disk failed before it was synced
}

// past is a record that is done.
type past struct {
	Record
	acked bool // only a crash may bring it back
}

// model runs a spool on a failing disk beside maps of what must be in it.
type model struct {
	t       *testing.T
	rng     *rand.Rand
	disk    *disk
	set     Settings
	now     time.Time
	spool   *Spool
	faults  bool // the disk fails now and then
	faulty  bool // it has done so
	crashed bool

	live    map[ID]modelled
	past    map[ID]past     // done, but they may come back
	ghosts  map[string]bool // data of records whose Append failed
	highest ID              // given out
	serial  int
	errors  int64 // of the disk when records were last known to be durable
}

func newModel(t *testing.T, seed uint64) *model {
	rng := rand.New(rand.NewPCG(seed, 2))
	m := &model{t: t, rng: rng, disk: newDisk(seed), now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC),
		live: map[ID]modelled{}, past: map[ID]past{}, ghosts: map[string]bool{}}
	m.set = Settings{Directory: "/spool", Sync: Sync(rng.IntN(3)), SegmentBytes: 4096, MaxBytes: int64(1+rng.IntN(16)) << 14,
		MaxAge: time.Hour, Now: func() time.Time { return m.now }, Log: slog.New(slog.DiscardHandler), fs: m.disk, ticks: make(chan time.Time)}
	if rng.IntN(4) == 0 {
		m.set.SegmentBytes, m.set.MaxBytes = 1<<17, 1<<20
	}
	m.disk.fault = func(string) error {
		if m.faults && rng.IntN(6) == 0 {
			return []error{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS}[rng.IntN(4)]
		}
		return nil
	}
	m.open()
	return m
}

func (m *model) open() {
	s, err := Open(m.set)
	for tries := 0; err != nil && m.faults && tries < 200; tries++ {
		s, err = Open(m.set)
	}
	require.NoError(m.t, err)
	m.spool = s
	m.errors = 0
	m.doom()
}

// step does something at random.
func (m *model) step() {
	switch n := m.rng.IntN(100); {
	case n < 55:
		m.append()
	case n < 75:
		m.done()
	case n < 80:
		m.readSome()
	case n < 86:
		m.sync()
	case n < 89:
		m.expire()
	case n < 91:
		m.now = m.now.Add(time.Duration(m.rng.IntN(40)) * time.Minute)
	case n < 93:
		m.faults, m.faulty = !m.faults, true
	case n < 95:
		m.inspect()
	case n < 97:
		m.reopen()
	case n < 98:
		m.end()
		m.disk.kill()
		m.open()
		m.verify(false)
	case n < 99:
		m.die()
	default:
		m.end()
		m.disk.crash()
		m.faults = false
		m.open()
		m.verify(true)
	}
	m.balance()
}

// die lets the process or the power end in the middle of something.
func (m *model) die() {
	m.disk.mu.Lock()
	m.disk.life = 1 + m.rng.IntN(12)
	m.disk.mu.Unlock()
	m.faulty = true
	for range 15 {
		switch m.rng.IntN(8) {
		case 0:
			m.done()
		case 1:
			m.sync()
		case 2:
			_ = m.spool.Close()
			m.disk.kill()
			m.open()
			m.verify(false)
			return
		default:
			m.append()
		}
	}
	m.end()
	m.faults = false
	crash := m.rng.IntN(2) == 0
	if crash {
		m.disk.crash()
	} else {
		m.disk.kill()
	}
	m.open()
	m.verify(crash)
}

// end leaves the spool as the end of the process does.
func (m *model) end() { close(m.spool.quit); <-m.spool.ended }

func (m *model) record() Record {
	m.serial++
	size := m.rng.IntN(600)
	if m.rng.IntN(10) == 0 {
		size = m.rng.IntN(4000)
	}
	if m.set.MaxBytes >= 1<<20 && m.rng.IntN(8) == 0 {
		size += smallData
	}
	r := Record{Key: fmt.Sprintf("camera%d", m.rng.IntN(3)), PTS: m.rng.Uint64(), Accepted: m.now,
		Data: append(make([]byte, size), fmt.Sprintf("#%d", m.serial)...)}
	for i := range size {
		r.Data[i] = frameMark[i%4]
	}
	if m.rng.IntN(4) == 0 {
		r.ExplicitHash = fmt.Sprint(m.rng.Uint64())
	}
	return r
}

func (m *model) append() {
	r := m.record()
	id, err := m.spool.Append(r)
	if errors.Is(err, ErrFull) {
		m.drop()
		return
	}
	if err != nil {
		m.diskError(err)
		m.ghosts[string(r.Data)] = true
		return
	}
	require.Greater(m.t, id, m.highest, "ids rise and are never used again")
	m.highest = id
	m.live[id] = modelled{Record: r, durable: m.set.Sync == SyncAlways}
}

func (m *model) diskError(err error) {
	var disk *DiskError
	require.ErrorAs(m.t, err, &disk)
	require.True(m.t, m.faulty, "the disk does not fail: %v", err)
	m.doom()
}

// doom says that what is not durable now may never be.
func (m *model) doom() {
	if n := m.spool.Stats().DiskErrors; n == m.errors {
		return
	}
	m.errors = m.spool.Stats().DiskErrors
	for id, r := range m.live {
		r.doomed = !r.durable
		m.live[id] = r
	}
}

func (m *model) drop() {
	d, err := m.spool.DropOldest(1 + int64(m.rng.IntN(6000)))
	if err != nil {
		m.diskError(err)
	}
	require.True(m.t, slices.IsSorted(d.IDs))
	if m.set.MaxBytes < 1<<20 && err == nil {
		require.NotZero(m.t, len(d.IDs)+len(m.ids()), "something could be dropped")
	}
	m.gone(d, err == nil)
}

func (m *model) expire() {
	d, err := m.spool.Expire()
	if err != nil {
		m.diskError(err)
	}
	for _, id := range d.IDs {
		require.Greater(m.t, m.now.Sub(m.live[id].Accepted), m.set.MaxAge)
	}
	m.gone(d, err == nil)
	if ids := m.ids(); len(ids) > 0 {
		require.LessOrEqual(m.t, m.now.Sub(m.live[ids[0]].Accepted), m.set.MaxAge+time.Second)
	}
}

// gone takes out what was given up, each of which was there.
func (m *model) gone(d Dropped, acked bool) {
	var bytes int64
	for _, id := range d.IDs {
		r, known := m.live[id]
		require.True(m.t, known, "only what is there is given up")
		bytes += int64(len(r.Data))
		m.forget(id, acked)
	}
	require.Equal(m.t, bytes, d.Bytes)
}

func (m *model) forget(id ID, acked bool) {
	m.past[id] = past{m.live[id].Record, acked}
	delete(m.live, id)
}

func (m *model) ids() []ID {
	ids := make([]ID, 0, len(m.live))
	for id := range m.live {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (m *model) done() {
	ids := m.ids()
	if m.rng.IntN(2) == 0 {
		m.rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	}
	ids = ids[:min(len(ids), m.rng.IntN(30))]
	err := m.spool.Done(append(ids, 0, m.highest+5))
	if err != nil {
		m.diskError(err)
	}
	for _, id := range ids {
		m.forget(id, err == nil)
	}
}

func (m *model) sync() {
	err := m.spool.Sync()
	m.doom()
	if err != nil {
		m.diskError(err)
		return
	}
	for id, r := range m.live {
		r.durable = r.durable || !r.doomed
		m.live[id] = r
	}
	clear(m.past)
}

// readSome reads a part of what is there.
func (m *model) readSome() {
	ids := m.ids()
	from := ID(0)
	if len(ids) > 0 {
		from = ids[m.rng.IntN(len(ids))]
	}
	r := m.spool.Reader(from)
	defer r.Close()
	at, _ := slices.BinarySearch(ids, from)
	for n := m.rng.IntN(20); n >= 0; n-- {
		got, id, err := r.Next(nil)
		if at == len(ids) {
			require.ErrorIs(m.t, err, io.EOF)
			return
		}
		require.NoError(m.t, err)
		require.Equal(m.t, ids[at], id)
		m.same(m.live[id].Record, got)
		at++
	}
}

func (m *model) same(want, got Record) {
	require.True(m.t, bytes.Equal(want.Data, got.Data))
	require.True(m.t, want.Accepted.Equal(got.Accepted))
	want.Data, got.Data, want.Accepted, got.Accepted = nil, nil, time.Time{}, time.Time{}
	require.Equal(m.t, want, got)
}

func (m *model) reopen() {
	err := m.spool.Close()
	if err != nil {
		require.True(m.t, m.faulty)
		m.disk.kill()
	} else {
		clear(m.past)
	}
	require.ErrorIs(m.t, m.spool.Done(nil), ErrClosed)
	m.open()
	m.verify(false)
}

// verify reads everything after a restart and compares. After a crash the model takes over what
// was lawfully lost or repeated.
func (m *model) verify(crashed bool) {
	m.crashed = m.crashed || crashed
	if !m.crashed {
		require.Zero(m.t, m.spool.Stats().CorruptBytes, "no garbage lies before records")
	}
	r := m.spool.Reader(0)
	defer r.Close()
	found := map[ID]bool{}
	last := ID(0)
	for {
		got, id, err := r.Next(nil)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(m.t, err)
		require.Greater(m.t, id, last, "in order")
		last = id
		found[id] = true
		if want, known := m.live[id]; known {
			m.same(want.Record, got)
			continue
		}
		want, known := m.past[id]
		known = known && (crashed || !want.acked)
		require.True(m.t, known || m.ghosts[string(got.Data)], "record %d was done or never there", id)
		if known {
			m.same(want.Record, got)
		}
		m.highest = max(m.highest, id)
		m.live[id] = modelled{Record: got}
	}
	for id, r := range m.live {
		if !found[id] {
			require.True(m.t, crashed && !r.durable, "record %d is lost", id)
			delete(m.live, id)
			continue
		}
		if crashed { // what survived one crash survives the next
			r.durable, r.doomed = true, false
			m.live[id] = r
		}
	}
	if crashed {
		clear(m.past)
	}
}

func (m *model) inspect() {
	r, err := inspect(context.Background(), m.disk, m.set.Directory)
	require.NoError(m.t, err)
	if len(m.ghosts) == 0 {
		require.GreaterOrEqual(m.t, r.Records, len(m.live))
		require.GreaterOrEqual(m.t, r.Records-r.Done, len(m.live))
	}
}

// balance compares the figures.
func (m *model) balance() {
	st := m.spool.Stats()
	var bytes int64
	for _, r := range m.live {
		bytes += int64(len(r.Data))
	}
	require.Equal(m.t, int64(len(m.live)), st.Records)
	require.Equal(m.t, bytes, st.Bytes)
	require.LessOrEqual(m.t, st.DiskBytes, m.set.MaxBytes+acksKeep+4096)
}

// finish makes everything done and looks whether anything is left.
func (m *model) finish() {
	m.faults = false
	require.NoError(m.t, m.spool.Done(m.ids()))
	m.now = m.now.Add(idleAfter)
	m.spool.tend()
	require.LessOrEqual(m.t, m.spool.Stats().DiskBytes, int64(acksKeep)+m.badBytes())
	require.NoError(m.t, m.spool.Close())
	list, err := m.disk.List("")
	require.NoError(m.t, err)
	for _, l := range list {
		require.True(m.t, l.name == acksName && l.size == acksHeader || len(l.name) == nameLen+len(badSuffix), "%s (%d bytes) is left", l.name, l.size)
	}
	s, err := Open(m.set)
	require.NoError(m.t, err)
	require.Zero(m.t, s.Stats().Records)
	id, err := s.Append(Record{})
	require.NoError(m.t, err)
	require.Greater(m.t, id, m.highest)
	require.NoError(m.t, s.Close())
}

func (m *model) badBytes() (n int64) {
	for _, b := range m.spool.bad {
		n += b.size
	}
	return n
}

// TestModel runs random operations, restarts and crashes on a disk that fails. It logs the seed that
// fails; GST_KINESIS_SOAK=1 runs 50000.
func TestModel(t *testing.T) {
	t.Parallel()
	seeds := 1000
	if os.Getenv("GST_KINESIS_SOAK") == "1" {
		seeds = 50_000
	}
	for part := range 4 {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			for seed := part; seed < seeds; seed += 4 {
				runModel(t, uint64(seed))
			}
		})
	}
}

func runModel(t *testing.T, seed uint64) {
	defer func() {
		if t.Failed() {
			t.Logf("failing seed: %d", seed)
		}
	}()
	m := newModel(t, seed)
	for range 150 {
		m.step()
	}
	m.finish()
}
