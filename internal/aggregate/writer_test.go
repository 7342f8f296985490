package aggregate

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// builder is what both writers are to a producer.
type builder interface {
	Reset()
	Len() int
	Size() int
	SizeWith(key, explicitHash string, dataLen int) int
	Add(key, explicitHash string, data []byte)
	AppendTo(dst []byte) []byte
}

var (
	_ builder = (*Writer)(nil)
	_ builder = (*LineWriter)(nil)
)

// user is a record as a test gives it.
type user struct {
	key, hash string
	data      []byte
}

func build(w builder, users []user) []byte {
	w.Reset()
	for _, u := range users {
		w.Add(u.key, u.hash, u.data)
	}
	return w.AppendTo(nil)
}

// someUsers are aggregates by name.
func someUsers() map[string][]user {
	many := []user{}
	for i := range 300 { // more than 127 keys: indices of two bytes
		many = append(many, user{fmt.Sprint("sensor", i), "", []byte{byte(i)}})
	}
	return map[string][]user{
		"one":       {{"north0", "", []byte("payload")}},
		"one_hash":  {{"north0", "170141183460469231731687303715884105728", []byte("payload")}},
		"same_key":  {{"north0", "", []byte("first")}, {"north0", "", []byte("second")}, {"north1", "", []byte("third")}, {"north0", "", []byte("fourth")}},
		"hashes":    {{"a", "1", []byte("x")}, {"b", "", []byte("y")}, {"a", "2", []byte("z")}, {"b", "1", nil}},
		"empty":     {{"k", "", nil}, {"k", "", []byte{}}},
		"long":      {{"ключ-é-😀", "0", bytes.Repeat([]byte("0123456789"), 40)}, {"k", "", []byte("\xf3\x89\x9a\xc2")}},
		"many_keys": many,
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, users := range someUsers() {
		golden(t, name, build(new(Writer), users))
		golden(t, name+".lines", build(new(LineWriter), users))
	}
}

// golden compares with a file, which holds a dump that people can read.
func golden(t *testing.T, name string, data []byte) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".hex")
	dump := hex.Dump(data)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(dump), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), dump, name)
}

// randomUsers makes up to 200 records of few or many keys.
func randomUsers(random *rand.Rand) []user {
	users := make([]user, random.IntN(200)+1)
	keys := random.IntN(300) + 1
	for i := range users {
		u := &users[i]
		u.key = strings.Repeat("é", random.IntN(3)*60) + fmt.Sprint(random.IntN(keys))
		if random.IntN(3) == 0 {
			u.hash = fmt.Sprint(random.IntN(keys))
		}
		u.data = make([]byte, random.IntN(1<<random.IntN(15)))
		for j := range u.data {
			u.data[j] = byte(random.Uint32())
		}
	}
	return users
}

func TestSizesAreExact(t *testing.T) {
	t.Parallel()
	var w Writer
	for seed := range uint64(60) {
		w.Reset()
		for i, u := range randomUsers(rand.New(rand.NewPCG(seed, 1))) {
			want := w.SizeWith(u.key, u.hash, len(u.data))
			w.Add(u.key, u.hash, u.data)
			require.Equal(t, want, w.Size(), "seed %d record %d", seed, i)
			require.Len(t, w.AppendTo(nil), w.Size())
			require.Equal(t, i+1, w.Len())
		}
	}
}

// TestSizesAtTheEdges: where a length or an index takes one byte more.
func TestSizesAtTheEdges(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 121, 122, 123, 124, 125, 126, 127, 128, 16375, 16376, 16377, 16383, 16384, 1<<21 - 10, 1 << 21} {
		for _, hash := range []string{"", "7"} {
			var w Writer
			want := w.SizeWith("k", hash, n)
			w.Add("k", hash, make([]byte, n))
			require.Len(t, w.AppendTo(nil), want, "%d bytes", n)
			require.Equal(t, want, w.Size())
		}
	}
}

func TestAnEmptyWriterWritesNothing(t *testing.T) {
	t.Parallel()
	for _, w := range []builder{new(Writer), new(LineWriter)} {
		require.Zero(t, w.Size())
		require.Zero(t, w.Len())
		require.Equal(t, "x", string(w.AppendTo([]byte("x"))))
		w.Add("k", "1", []byte("data"))
		require.NotZero(t, w.Size())
		w.Reset()
		require.Zero(t, w.Size())
		require.Zero(t, w.Len())
		require.Empty(t, w.AppendTo(nil))
	}
}

// TestResetForgets: an aggregate does not depend on the one before.
func TestResetForgets(t *testing.T) {
	t.Parallel()
	var w Writer
	all := someUsers()
	for range 3 {
		for name, users := range all {
			require.Equal(t, build(new(Writer), users), build(&w, users), name)
		}
	}
	w.Reset()
	for _, r := range w.records[:cap(w.records)] {
		require.Nil(t, r.data, "a payload is still referred to")
	}
	for _, s := range w.keys.list[:cap(w.keys.list)] {
		require.Empty(t, s, "a key is still referred to")
	}
}

func TestAppendToKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	var w Writer
	w.Add("k", "", []byte("data"))
	whole := w.AppendTo([]byte("before"))
	require.Equal(t, "before", string(whole[:6]))
	require.True(t, Is(whole[6:]))

	buffer := make([]byte, 0, w.Size())
	require.Same(t, &buffer[:1][0], &w.AppendTo(buffer)[0], "a buffer of Size bytes is filled in place")
}

func TestWritersDoNotAllocate(t *testing.T) {
	users := randomUsers(rand.New(rand.NewPCG(1, 2)))
	for _, w := range []builder{new(Writer), new(LineWriter)} {
		buffer := build(w, users)
		require.Zero(t, testing.AllocsPerRun(20, func() {
			w.Reset()
			for i := range users {
				_ = w.SizeWith(users[i].key, users[i].hash, len(users[i].data))
				w.Add(users[i].key, users[i].hash, users[i].data)
			}
			buffer = w.AppendTo(buffer[:0])
		}))
	}
}
