package shard

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func keysOf(t *testing.T, k *Keyer, sensor string, n int) []string {
	t.Helper()
	keys := make([]string, n)
	for i := range keys {
		key, err := k.Next(sensor, nil)
		require.NoError(t, err)
		require.Empty(t, key.Hash)
		keys[i] = key.Partition
	}
	return keys
}

func TestRotation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		shards int
		want   string
	}{
		{0, "name0 name0 name0 name0 name0"},
		{1, "name0 name0 name0 name0 name0"},
		{2, "name1 name0 name1 name0 name1"},
		{3, "name1 name2 name0 name1 name2 name0 name1"},
	} {
		k, err := NewKeyer(KeyerSettings{Mode: SensorName, Shards: c.shards})
		require.NoError(t, err)
		want := strings.Fields(c.want)
		require.Equal(t, want, keysOf(t, k, "name", len(want)))
	}
}

func TestEachSensorHasItsCounter(t *testing.T) {
	t.Parallel()
	k, err := NewKeyer(KeyerSettings{Mode: SensorName, Shards: 3})
	require.NoError(t, err)
	require.Equal(t, []string{"a1", "a2"}, keysOf(t, k, "a", 2))
	require.Equal(t, []string{"b1"}, keysOf(t, k, "b", 1))
	require.Equal(t, []string{"a0"}, keysOf(t, k, "a", 1))
	require.Equal(t, []string{"b2", "b0"}, keysOf(t, k, "b", 2))
}

func TestRotationOfManySensorsIsBounded(t *testing.T) {
	t.Parallel()
	k, err := NewKeyer(KeyerSettings{Mode: SensorName, Shards: 10})
	require.NoError(t, err)
	for i := range 3 * maxSensors {
		if _, err := k.Next(fmt.Sprint("sensor", i, "-"), nil); err != nil {
			t.Fatal(err)
		}
	}
	require.LessOrEqual(t, len(k.sensors), maxSensors)
	require.LessOrEqual(t, k.cached, maxCachedKeys)
	require.Equal(t, []string{"late1", "late2", "late3"}, keysOf(t, k, "late", 3))
}

func TestRotationOverMoreKeysThanAreKept(t *testing.T) {
	t.Parallel()
	k, err := NewKeyer(KeyerSettings{Mode: SensorName, Shards: MaxRotation})
	require.NoError(t, err)
	for i := range 10 {
		keys := keysOf(t, k, fmt.Sprint("s", i, "/"), MaxRotation)
		require.Equal(t, fmt.Sprintf("s%d/%d", i, MaxRotation-1), keys[MaxRotation-2])
		require.Equal(t, fmt.Sprintf("s%d/0", i), keys[MaxRotation-1])
	}
	require.LessOrEqual(t, k.cached, maxCachedKeys)
}

func TestSensorNamesThatMakeNoKey(t *testing.T) {
	t.Parallel()
	k, err := NewKeyer(KeyerSettings{Mode: SensorName, Shards: 11})
	require.NoError(t, err)
	_, err = k.Next("", nil)
	require.ErrorIs(t, err, ErrKeyEmpty)
	_, err = k.Next(strings.Repeat("x", 256), nil)
	require.ErrorIs(t, err, ErrKeyTooLong)
	_, err = k.Next(strings.Repeat("x", 100000), nil)
	require.ErrorIs(t, err, ErrKeyTooLong)
	_, err = k.Next("\xff", nil)
	require.ErrorIs(t, err, ErrKeyNotUTF8)
	fits := strings.Repeat("鍵", 255)
	for range 9 {
		_, err = k.Next(fits, nil)
		require.NoError(t, err)
	}
	_, err = k.Next(fits, nil) // the counter is 10: a digit more
	require.ErrorIs(t, err, ErrKeyTooLong)
	key, err := k.Next(fits, nil)
	require.NoError(t, err)
	require.Equal(t, fits+"0", key.Partition, "the rotation goes on")
}

func TestRandomKeysAreUUIDs(t *testing.T) {
	t.Parallel()
	k, err := NewKeyer(KeyerSettings{Mode: Random})
	require.NoError(t, err)
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := make(map[string]bool)
	for _, key := range keysOf(t, k, "", 1000) {
		require.Regexp(t, form, key)
		require.False(t, seen[key])
		seen[key] = true
	}
}

func TestKeysAllocateNothing(t *testing.T) { //nolint:paralleltest // allocations of others would be counted
	for _, s := range []KeyerSettings{{Mode: SensorName, Shards: 100}, {Mode: Random}, {Mode: Static, Key: "all"}} {
		k, err := NewKeyer(s)
		require.NoError(t, err)
		keysOf(t, k, "camera", 100)
		require.Less(t, testing.AllocsPerRun(1000, func() { _, _ = k.Next("camera", nil) }), 1.0, s.Mode)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { HashKey("camera0") }))
	text := MaxHash().String()
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = ParseHash(text) }))
}

func TestRandomKeysFromAGivenSource(t *testing.T) {
	t.Parallel()
	k, err := NewKeyer(KeyerSettings{Mode: Random, Random: bytes.NewReader(bytes.Repeat([]byte{0xff}, 16*uuidBatch))})
	require.NoError(t, err)
	require.Equal(t, "ffffffff-ffff-4fff-bfff-ffffffffffff", keysOf(t, k, "", uuidBatch)[0])
	_, err = k.Next("", nil)
	require.Error(t, err)
}

func TestStaticKey(t *testing.T) {
	t.Parallel()
	k, err := NewKeyer(KeyerSettings{Mode: Static, Key: "all"})
	require.NoError(t, err)
	require.Equal(t, []string{"all", "all"}, keysOf(t, k, "whoever", 2))
}

func TestKeyerSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for _, s := range []KeyerSettings{
		{Mode: Static}, {Mode: Static, Key: strings.Repeat("x", 257)}, {Mode: SensorName, Shards: -1},
		{Mode: SensorName, Shards: MaxRotation + 1}, {Mode: Spread, Shards: MaxRotation + 1}, {Mode: Spread, Shards: -1}, {Mode: 7},
	} {
		_, err := NewKeyer(s)
		require.Error(t, err, "%+v", s)
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Mode{"sensor-name": SensorName, "sensor_name": SensorName, "random": Random, "static": Static} {
		got, err := ParseMode(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, m := range []Mode{SensorName, Random, Static, Spread, Field} {
		got, err := ParseMode(m.String())
		require.NoError(t, err)
		require.Equal(t, m, got)
	}
	_, err := ParseMode("spiral")
	require.Error(t, err)
	require.Equal(t, "Mode(9)", Mode(9).String())
}

func TestValidateKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key  string
		want error
	}{
		{"", ErrKeyEmpty}, {"a", nil}, {strings.Repeat("a", 256), nil}, {strings.Repeat("a", 257), ErrKeyTooLong},
		{strings.Repeat("𝄞", 256), nil}, {strings.Repeat("𝄞", 257), ErrKeyTooLong}, {"a\xc3", ErrKeyNotUTF8}, {"\x00", nil},
	} {
		if err := ValidateKey(c.key); !errors.Is(err, c.want) {
			t.Errorf("%.20q: %v", c.key, err)
		}
	}
}

func TestKeyerIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{SensorName, Random} {
		k, err := NewKeyer(KeyerSettings{Mode: mode, Shards: 4})
		require.NoError(t, err)
		var wg sync.WaitGroup
		var mu sync.Mutex
		count := make(map[string]int)
		for range 4 {
			wg.Go(func() {
				for range 1000 {
					key, err := k.Next("s", nil)
					mu.Lock()
					count[key.Partition]++
					mu.Unlock()
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if mode == SensorName {
			require.Equal(t, map[string]int{"s0": 1000, "s1": 1000, "s2": 1000, "s3": 1000}, count)
		} else {
			require.Len(t, count, 4000)
		}
	}
}
