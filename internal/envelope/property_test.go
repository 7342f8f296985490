package envelope

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sent is a message of a producer and what becomes of it.
type sent struct {
	payload []byte
	records [][]byte
	lost    bool // a part never arrives
}

// world is what several producers write, and the order in which it is read.
func world(t *testing.T, random *rand.Rand) (messages []sent, stream [][]byte) {
	for range 1 + random.IntN(4) {
		e := newEncoder(t, Codec(random.IntN(3)), 0)
		for range random.IntN(12) {
			payload := payloadOf(random.Uint64(), random.IntN(1<<random.IntN(15)))
			if random.IntN(3) == 0 {
				payload = noiseOf(random.Uint64(), len(payload))
			}
			b, _ := e.Compress(payload)
			m := sent{payload: payload, records: partsOf(t, e, b, Overhead+1+random.IntN(3000))}
			kept := m.records
			if random.IntN(4) == 0 && len(kept) > 1 {
				m.lost = true
				i := random.IntN(len(kept))
				kept = append(append([][]byte{}, kept[:i]...), kept[i+1:]...)
			}
			if len(m.records) == 1 {
				stream = append(stream, kept...) // of one part: a repetition would be read twice
			} else {
				for _, r := range kept {
					for range 1 + random.IntN(2)*random.IntN(3) {
						stream = append(stream, r)
					}
				}
			}
			messages = append(messages, m)
		}
	}
	random.Shuffle(len(stream), func(i, j int) { stream[i], stream[j] = stream[j], stream[i] })
	return messages, stream
}

// TestEverythingThatArrives: whatever the sizes, the order, the repetitions and the losses, each message whose parts all
// arrive is read once, as it was, and each other one is counted.
func TestEverythingThatArrives(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 9))
		messages, stream := world(t, random)
		r := newRig(t, AssemblerSettings{MaxPending: len(messages) + 1, Remembered: len(messages) + 1})
		var got []string
		for _, record := range stream {
			got = append(got, r.add(record)...)
		}
		var want []string
		lost := 0
		for _, m := range messages {
			if !m.lost {
				want = append(want, string(m.payload))
			} else {
				lost++
			}
		}
		require.ElementsMatch(t, want, got, "seed %d", seed)
		s := r.Stats()
		require.Equal(t, uint64(len(stream)), s.Records)
		require.Equal(t, lost, s.Pending, "seed %d: each has begun", seed)
		r.Flush()
		s = r.Stats()
		require.Equal(t, uint64(lost), s.Missing)
		require.Zero(t, s.Pending)
		require.Zero(t, s.PendingBytes)
		require.Zero(t, s.Late)
	}
}

// TestBoundsHold: under tight bounds nothing wrong is read, nothing is read twice, the bounds hold at every moment, and what
// is read and what is counted make up everything.
func TestBoundsHold(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 10))
		messages, stream := world(t, random)
		settings := AssemblerSettings{MaxMessage: 1 << 14, MaxBytes: 1<<14 + random.IntN(1<<14), MaxPending: 1 + random.IntN(6), Timeout: time.Second}
		r := newRig(t, settings)
		unread := map[string]int{}
		begun := map[Header]bool{}
		for _, m := range messages {
			unread[string(m.payload)]++
		}
		for _, record := range stream {
			h, _, err := Parse(record)
			require.NoError(t, err)
			begun[keyOf(h)] = true
			for _, message := range r.add(record) {
				require.Positive(t, unread[message], "seed %d", seed)
				unread[message]--
			}
			s := r.Stats()
			require.LessOrEqual(t, s.Pending, settings.MaxPending)
			require.LessOrEqual(t, s.PendingBytes, settings.MaxBytes)
			r.clock.now = r.clock.now.Add(time.Duration(random.IntN(100)) * time.Millisecond)
		}
		r.Flush()
		s := r.Stats()
		require.Equal(t, uint64(len(begun)), s.Messages+s.Dropped(), "seed %d: %+v", seed, s)
	}
}

// TestDamageIsNeverRead: bits flip anywhere, and still nothing is read that was not sent.
func TestDamageIsNeverRead(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 11))
		messages, stream := world(t, random)
		known := map[string]bool{}
		for _, m := range messages {
			known[string(m.payload)] = true
		}
		r := newRig(t, AssemblerSettings{})
		for _, record := range stream {
			bad := bytes.Clone(record)
			if random.IntN(3) == 0 {
				bad[len(magic)+random.IntN(len(bad)-len(magic))] ^= 1 << random.IntN(8)
			}
			payload, ok, err := r.Add(Place{"shard", fmt.Sprint(seed)}, bad)
			require.False(t, ok && err != nil)
			require.True(t, !ok || known[string(payload)])
		}
	}
}
