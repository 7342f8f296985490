package envelope

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clock is a time that a test sets.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// rig is an Assembler whose records come from one shard, numbered.
type rig struct {
	t *testing.T
	*Assembler
	clock  clock
	number int
}

func newRig(t *testing.T, s AssemblerSettings) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock{time.Unix(1e9, 0)}}
	s.Now = r.clock.Now
	var err error
	r.Assembler, err = NewAssembler(s)
	require.NoError(t, err)
	return r
}

// add gives records; the messages that they complete come back.
func (r *rig) add(records ...[]byte) (messages []string) {
	r.t.Helper()
	for _, record := range records {
		payload, ok, err := r.Add(r.place(), record)
		require.NoError(r.t, err)
		if ok {
			messages = append(messages, string(payload))
		}
	}
	return messages
}

func (r *rig) place() Place {
	r.number++
	return Place{"shard", fmt.Sprint(r.number)}
}

// threeParts are the records of a message of 300 bytes.
func threeParts(t *testing.T, seed uint64) (records [][]byte, message string) {
	t.Helper()
	payload := payloadOf(seed, 300)
	records = partsOf(t, newEncoder(t, None, 0), Whole(payload), 100+Overhead)
	require.Len(t, records, 3)
	return records, string(payload)
}

func TestPartsInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {0, 0, 1, 1, 2}, {2, 0, 2, 0, 1, 1, 0, 2}} {
		r := newRig(t, AssemblerSettings{})
		records, message := threeParts(t, 1)
		var got []string
		for _, i := range order {
			got = append(got, r.add(records[i])...)
		}
		require.Equal(t, []string{message}, got, order)
		s := r.Stats()
		require.Equal(t, Stats{Records: uint64(len(order)), Messages: 1, Duplicates: uint64(len(order) - 3)}, s)
	}
}

func TestRecordsPassBetweenParts(t *testing.T) {
	t.Parallel()
	r := newRig(t, AssemblerSettings{})
	a, messageA := threeParts(t, 1)
	b, messageB := threeParts(t, 2)
	e := newEncoder(t, Zstd, 0)
	small := payloadOf(3, 500)
	compressed, smaller := e.Compress(small)
	require.True(t, smaller)
	one := partsOf(t, e, compressed, 1000)
	require.Len(t, one, 1)

	plain := []byte(`{"data":"AA=="}`)
	got := r.add(a[0], b[0], plain, b[1], a[1], one[0], b[2], a[2], nil)
	require.Equal(t, []string{string(plain), string(small), messageB, messageA, ""}, got)
	require.Equal(t, Stats{Records: 7, Messages: 3}, r.Stats(), "records without an envelope are not counted")
}

func TestWhoseThePayloadIs(t *testing.T) {
	t.Parallel()
	r := newRig(t, AssemblerSettings{})
	record := partsOf(t, newEncoder(t, None, 0), Whole([]byte("whole")), 100)[0]
	payload, ok, err := r.Add(r.place(), record)
	require.NoError(t, err)
	require.True(t, ok)
	require.Same(t, &record[Overhead], &payload[0], "a whole message uncompressed is not copied")

	records, message := threeParts(t, 1)
	r.add(records[0], records[1])
	payload, _, err = r.Add(r.place(), records[2])
	require.NoError(t, err)
	for _, record := range records {
		clear(record)
	}
	require.Equal(t, message, string(payload), "what was joined does not depend on the records")
}

func TestCompressedAndSplit(t *testing.T) {
	t.Parallel()
	for _, codec := range []Codec{Gzip, Zstd} {
		r := newRig(t, AssemblerSettings{})
		e := newEncoder(t, codec, 0)
		payload := payloadOf(5, 100_000)
		b, smaller := e.Compress(payload)
		require.True(t, smaller)
		records := partsOf(t, e, b, 1000)
		require.Greater(t, len(records), 5)
		require.Equal(t, []string{string(payload)}, r.add(records...))
	}
}

func TestDuplicatesBeginNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, AssemblerSettings{Remembered: 2})
	a, messageA := threeParts(t, 1)
	require.Equal(t, []string{messageA}, r.add(a...))
	require.Empty(t, r.add(a...), "a message that is written twice is read once")
	require.Equal(t, Stats{Records: 6, Messages: 1, Duplicates: 3}, r.Stats())

	for seed := range uint64(2) { // two more, and the first is forgotten
		records, message := threeParts(t, 10+seed)
		require.Equal(t, []string{message}, r.add(records...))
	}
	r.add(a[0])
	require.Equal(t, 1, r.Stats().Pending)
	require.Len(t, r.done.known, 2)

	r.Reset()
	require.Equal(t, []string{messageA}, r.add(a...), "after Reset a stream can be read again")
	require.Zero(t, r.Stats().Dropped())
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	r := newRig(t, AssemblerSettings{Timeout: time.Minute})
	a, _ := threeParts(t, 1)
	b, messageB := threeParts(t, 2)
	r.add(a[0], b[0])
	r.clock.now = r.clock.now.Add(40 * time.Second)
	r.add(b[1], a[0]) // news of b; nothing new of a
	r.clock.now = r.clock.now.Add(20 * time.Second)
	s := r.Stats()
	require.Equal(t, uint64(1), s.Expired)
	require.Equal(t, 1, s.Pending)
	require.Equal(t, 300, s.PendingBytes)
	require.Empty(t, r.add(a[1], a[2]))
	require.Equal(t, []string{messageB}, r.add(b[2]))
	require.Equal(t, Stats{Records: 7, Messages: 1, Duplicates: 1, Late: 2, Expired: 1}, r.Stats())
}

func TestEviction(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]AssemblerSettings{
		"number": {MaxPending: 2},
		"bytes":  {MaxBytes: 600, MaxMessage: 600},
	} {
		r := newRig(t, s)
		a, _ := threeParts(t, 1)
		b, messageB := threeParts(t, 2)
		c, messageC := threeParts(t, 3)
		r.add(b[0], a[0], b[1], c[0]) // a waits longest for something new
		require.Equal(t, Stats{Records: 4, Evicted: 1, Pending: 2, PendingBytes: 600}, r.Stats(), name)
		require.Equal(t, []string{messageB, messageC}, r.add(a[1], b[2], c[1], c[2]), name)
		require.Equal(t, Stats{Records: 8, Messages: 2, Late: 1, Evicted: 1}, r.Stats(), name)
	}
	// One message may take all the memory, and then drives out all others.
	r := newRig(t, AssemblerSettings{MaxBytes: 700, MaxMessage: 700})
	a, _ := threeParts(t, 1)
	b, _ := threeParts(t, 2)
	payload := payloadOf(4, 700)
	require.Equal(t, []string{string(payload)}, r.add(append([][]byte{a[0], b[0]}, partsOf(t, newEncoder(t, None, 0), Whole(payload), 500)...)...))
	require.Equal(t, uint64(2), r.Stats().Evicted)
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	r := newRig(t, AssemblerSettings{MaxMessage: 299})
	records, _ := threeParts(t, 1)
	_, ok, err := r.Add(r.place(), records[0])
	require.ErrorIs(t, err, ErrTooLarge)
	require.False(t, ok)
	require.Empty(t, r.add(records[1], records[2]), "one error for a message")
	require.Equal(t, Stats{Records: 3, TooLarge: 1, Late: 2}, r.Stats())

	e := newEncoder(t, Zstd, 0)
	b, smaller := e.Compress(payloadOf(1, 300))
	require.True(t, smaller)
	for n := range uint64(2) {
		_, _, err = r.Add(r.place(), partsOf(t, e, b, 1000)[0])
		require.ErrorIs(t, err, ErrTooLarge)
		require.Equal(t, 2+n, r.Stats().TooLarge)
	}
	_, ok, err = r.Add(r.place(), payloadOf(1, 1000))
	require.NoError(t, err, "a record without an envelope is there already")
	require.True(t, ok)
}

func TestCorruptRecords(t *testing.T) {
	t.Parallel()
	r := newRig(t, AssemblerSettings{})
	records, message := threeParts(t, 1)
	bad := bytes.Clone(records[1])
	bad[60] ^= 1
	r.add(records[0])
	_, ok, err := r.Add(r.place(), bad)
	require.ErrorIs(t, err, ErrCorrupt)
	require.False(t, ok)
	_, _, err = r.Add(r.place(), edit(records[1], func(r []byte) { r[4] = 9 }))
	require.ErrorIs(t, err, ErrUnknown)
	require.Equal(t, []string{message}, r.add(records[1], records[2]), "a sound copy still helps")
	require.Equal(t, Stats{Records: 5, Messages: 1, Corrupt: 1, Unknown: 1}, r.Stats())

	// Parts that are sound, each by itself, and do not make the message that was split.
	records, _ = threeParts(t, 2)
	r.add(records[0], records[1])
	_, _, err = r.Add(r.place(), edit(records[2], func(r []byte) { r[60] ^= 1 }))
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "joining the 3 parts of message")

	// And a body that does not decompress.
	e := newEncoder(t, Gzip, 0)
	b, _ := e.Compress(payloadOf(1, 1000))
	b.Data[len(b.Data)-1] ^= 1
	_, _, err = r.Add(r.place(), partsOf(t, e, b, 2000)[0])
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "gzip")
	s := r.Stats()
	require.Equal(t, uint64(3), s.Corrupt)
	require.Equal(t, uint64(4), s.Dropped())
	require.Zero(t, s.Pending)
}

// TestClonedProducers: two producers with the same ids, as after cloning a virtual machine, do not mix.
func TestClonedProducers(t *testing.T) {
	t.Parallel()
	r := newRig(t, AssemblerSettings{})
	var records [2][][]byte
	var messages []string
	for i := range records {
		e, err := NewEncoder(EncoderSettings{Random: fixed()})
		require.NoError(t, err)
		payload := payloadOf(uint64(20+i), 300)
		records[i] = partsOf(t, e, Whole(payload), 150)
		messages = append(messages, string(payload))
	}
	a, b := records[0], records[1]
	require.Equal(t, a[0][8:24], b[0][8:24])
	require.Equal(t, messages, r.add(a[0], b[0], b[1], a[1], a[2], b[2]))
}

func TestGivingUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, AssemblerSettings{})
	a, _ := threeParts(t, 1)
	b, messageB := threeParts(t, 2)
	r.add(a[0], b[0])
	_, _, err := r.Add(Place{"child", "1"}, a[1]) // after a reshard
	require.NoError(t, err)
	r.Leave("elsewhere")
	require.Zero(t, r.Stats().Missing)
	r.Leave("child")
	require.Equal(t, uint64(1), r.Stats().Missing)
	require.Equal(t, []string{messageB}, r.add(a[2], b[1], b[2]))
	c, _ := threeParts(t, 3)
	r.add(c[2])
	r.Flush()
	require.Equal(t, Stats{Records: 7, Messages: 1, Late: 1, Missing: 2}, r.Stats())
}

func TestOldestHoldsTheCheckpoint(t *testing.T) {
	t.Parallel()
	r := newRig(t, AssemblerSettings{Timeout: time.Minute})
	a, _ := threeParts(t, 1)
	b, _ := threeParts(t, 2)
	at := func(source, position string, record []byte) {
		_, _, err := r.Add(Place{source, position}, record)
		require.NoError(t, err)
	}
	oldest := func(source string) string {
		position, ok := r.Oldest(source)
		require.Equal(t, ok, position != "")
		return position
	}
	require.Empty(t, oldest("parent"))
	at("parent", "1", a[0])
	at("parent", "2", b[0])
	at("parent", "3", a[1])
	at("parent", "4", a[1])
	require.Equal(t, "1", oldest("parent"), "also where the message had news later")
	at("child", "10", b[1])
	at("child", "11", a[2])
	require.Equal(t, "2", oldest("parent"))
	require.Equal(t, "10", oldest("child"), "the parts there would be lost too")
	at("child", "12", b[2])
	require.Empty(t, oldest("parent"))
	require.Empty(t, oldest("child"))
	c, _ := threeParts(t, 3)
	at("child", "13", c[0])
	require.Equal(t, "13", oldest("child"))
	r.clock.now = r.clock.now.Add(time.Minute)
	require.Empty(t, oldest("child"), "what is given up holds nothing")
}

func TestAssemblerSettings(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]AssemblerSettings{
		"preparing to assemble messages: a bound is negative":                               {MaxPending: -1},
		"preparing to assemble messages: 10 bytes for all of them are less than 11 for one": {MaxBytes: 10, MaxMessage: 11},
		"preparing decompression: a limit of -1 bytes is not within 1..2147483647":          {MaxMessage: -1},
	} {
		_, err := NewAssembler(s)
		require.EqualError(t, err, want)
	}
	a, err := NewAssembler(AssemblerSettings{MaxMessage: 1 << 30})
	require.NoError(t, err)
	require.Equal(t, 1<<30, a.settings.MaxBytes)
}

// TestShardsAtOnce: several goroutines, as a consumer has one for each shard.
func TestShardsAtOnce(t *testing.T) {
	t.Parallel()
	a, err := NewAssembler(AssemblerSettings{})
	require.NoError(t, err)
	var readers sync.WaitGroup
	for n := range 4 {
		e := newEncoder(t, Zstd, 0)
		readers.Go(func() {
			source := fmt.Sprint(n)
			for i := range 50 {
				payload := payloadOf(uint64(i), 2000)
				b, _ := e.Compress(payload)
				p, _ := e.Split(b, 150)
				for j := range p.Len() {
					got, ok, err := a.Add(Place{source, fmt.Sprint(i, j)}, p.AppendTo(nil, j))
					if err != nil || ok != (j == p.Len()-1) || ok && !bytes.Equal(payload, got) {
						t.Errorf("shard %d message %d part %d: %v %v", n, i, j, ok, err)
					}
					a.Oldest(source)
					a.Stats()
				}
			}
		})
	}
	readers.Wait()
	require.Equal(t, uint64(200), a.Stats().Messages)
}
