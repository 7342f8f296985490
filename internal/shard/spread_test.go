package shard

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// placesOf gives where the next n keys of a sensor lie on a map.
func placesOf(t *testing.T, k *Keyer, m *Map, sensor string, n int) (at []int, keys []Key) {
	t.Helper()
	for range n {
		key, err := k.Next(sensor, nil)
		require.NoError(t, err)
		h, err := ParseHash(key.Hash)
		require.NoError(t, err)
		at, keys = append(at, m.Find(h)), append(keys, key)
	}
	return at, keys
}

func mapOf(t *testing.T, list []Shard) *Map {
	t.Helper()
	m, err := NewMap(list)
	require.NoError(t, err)
	return m
}

// As many keys as asked for lie on as many shards, whatever their number.
func TestSpreadIsGuaranteed(t *testing.T) {
	t.Parallel()
	for _, shards := range []int{1, 2, 3, 7, 100} {
		for _, n := range []int{0, 1, 2, 3, 7, 50, 150} {
			m := mapOf(t, evenShards(shards))
			k, err := NewKeyer(KeyerSettings{Mode: Spread, Shards: n, Map: func() *Map { return m }})
			require.NoError(t, err)
			turns := n
			if n == 0 {
				turns = shards
			}
			at, keys := placesOf(t, k, m, "cam", turns)
			load := map[int]int{}
			for _, i := range at {
				load[i]++
			}
			require.Len(t, load, min(turns, shards), "%d keys on %d shards", n, shards)
			for _, l := range load {
				require.LessOrEqual(t, l, (turns+shards-1)/shards)
			}
			require.Equal(t, fmt.Sprint("cam", 1%turns), keys[0].Partition, "it counts as sensor-name does")
			require.Equal(t, "cam0", keys[turns-1].Partition)
			_, again := placesOf(t, k, m, "cam", turns)
			require.Equal(t, keys, again)
			_, other := placesOf(t, k, m, "other", turns)
			require.Equal(t, keys[0].Hash, other[0].Hash)
		}
	}
}

// Through a reshard a key keeps its hash key where it still has a shard of its own.
func TestSpreadThroughReshards(t *testing.T) {
	t.Parallel()
	list := evenShards(4)
	m := mapOf(t, list)
	k, err := NewKeyer(KeyerSettings{Mode: Spread, Shards: 4, Map: func() *Map { return m }})
	require.NoError(t, err)
	_, before := placesOf(t, k, m, "cam", 4)

	lower, upper, _ := list[1].Range.SplitAt(list[1].Range.Middle())
	list[1].Closed = true
	list = append(list, Shard{ID: "l", Range: lower}, Shard{ID: "u", Range: upper})
	m = mapOf(t, list)
	at, after := placesOf(t, k, m, "cam", 4)
	require.Equal(t, before, after, "a split moves none")
	require.Len(t, distinct(at), 4)

	list[2].Closed, list[3].Closed = true, true
	list = append(list, Shard{ID: "m", Range: list[2].Range.Join(list[3].Range)})
	m = mapOf(t, list)
	at, after = placesOf(t, k, m, "cam", 4)
	require.Len(t, distinct(at), 4)
	moved := 0
	for i := range after {
		if after[i] != before[i] {
			moved++
		}
	}
	require.Equal(t, 1, moved, "a merge moves one of the two")

	m = nil
	_, still := placesOf(t, k, mapOf(t, evenShards(4)), "cam", 4)
	require.Equal(t, after, still, "a map that is lost changes nothing")
}

func distinct(at []int) map[int]bool {
	d := map[int]bool{}
	for _, i := range at {
		d[i] = true
	}
	return d
}

// Without a map an even division stands in for the shards.
func TestSpreadWithoutAMap(t *testing.T) {
	t.Parallel()
	k, err := NewKeyer(KeyerSettings{Mode: Spread, Shards: 3})
	require.NoError(t, err)
	at, _ := placesOf(t, k, mapOf(t, evenShards(3)), "cam", 3)
	require.Len(t, distinct(at), 3)
	_, err = k.Next("", nil)
	require.ErrorIs(t, err, ErrKeyEmpty)
	_, err = k.Next(strings.Repeat("x", 257), nil)
	require.ErrorIs(t, err, ErrKeyTooLong)
	_, err = k.Next(strings.Repeat("x", 256), nil)
	require.ErrorIs(t, err, ErrKeyTooLong, "with the number")
	for i := range 3 * maxSensors {
		if _, err := k.Next(fmt.Sprint("s", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	require.LessOrEqual(t, len(k.spread.turns), maxSensors)
}

func TestKeyOfAField(t *testing.T) {
	t.Parallel()
	bad := errors.New("no such field")
	k, err := NewKeyer(KeyerSettings{Mode: Field, Field: func(data []byte) (string, error) {
		if len(data) == 0 {
			return "", bad
		}
		return string(data), nil
	}})
	require.NoError(t, err)
	key, err := k.Next("cam", []byte("plate"))
	require.NoError(t, err)
	require.Equal(t, Key{Partition: "plate"}, key)
	_, err = k.Next("cam", nil)
	require.ErrorIs(t, err, bad)
	_, err = k.Next("cam", []byte(strings.Repeat("x", 257)))
	require.ErrorIs(t, err, ErrKeyTooLong)

	k, err = NewKeyer(KeyerSettings{Mode: Field})
	require.NoError(t, err)
	key, err = k.Next("of the caps", nil)
	require.NoError(t, err)
	require.Equal(t, "of the caps", key.Partition)
}

func BenchmarkSpread(b *testing.B) {
	m, err := NewMap(evenShards(64))
	require.NoError(b, err)
	k, err := NewKeyer(KeyerSettings{Mode: Spread, Map: func() *Map { return m }})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Next("camera", nil); err != nil {
			b.Fatal(err)
		}
	}
}
