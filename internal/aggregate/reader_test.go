package aggregate

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the format demands MD5
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"gst-kinesis/internal/shard"
)

// seal makes a record of any message, with the right MD5 sum.
func seal(message []byte) []byte {
	sum := md5.Sum(message) //nolint:gosec // see above
	return slices.Concat([]byte(magic), message, sum[:])
}

// sealed is the message of hand-written parts.
func sealed(parts ...string) []byte {
	var message []byte
	for _, p := range parts {
		message = append(message, p...)
	}
	return seal(message)
}

// record is the field records with a Record message.
func record(message string) string {
	return string(protowire.AppendString([]byte{0x1a}, message))
}

func requireUsers(t *testing.T, want []user, r *Reader, hint string) {
	t.Helper()
	require.Equal(t, len(want), r.Len(), hint)
	i := 0
	for got := range r.All() {
		require.Equal(t, i, got.Index, hint)
		require.Equal(t, want[i].key, got.PartitionKey, hint)
		require.Equal(t, want[i].hash, got.ExplicitHash, hint)
		require.True(t, bytes.Equal(want[i].data, got.Data), hint)
		i++
	}
	require.Equal(t, len(want), i, hint)
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	var w Writer
	var r Reader
	for name, users := range someUsers() {
		data := build(&w, users)
		require.True(t, Is(data), name)
		require.True(t, r.Open(data), name)
		requireUsers(t, users, &r, name)
	}
	for seed := range uint64(200) {
		users := randomUsers(rand.New(rand.NewPCG(seed, 3)))
		require.True(t, r.Open(build(&w, users)))
		requireUsers(t, users, &r, "")
	}
}

func TestDataAliasesTheAggregate(t *testing.T) {
	t.Parallel()
	data := build(new(Writer), []user{{"key", "", []byte("first")}, {"key", "", []byte("second")}})
	var r Reader
	require.True(t, r.Open(data))
	records := slices.Collect(r.All())
	copy(data[bytes.Index(data, []byte("first")):], "FIRST")
	copy(data[bytes.Index(data, []byte("key")):], "KEY")
	require.Equal(t, "FIRST", string(records[0].Data))
	require.Equal(t, len(records[0].Data), cap(records[0].Data), "appending must not write into the aggregate")
	require.Equal(t, "key", records[0].PartitionKey, "a key outlives the aggregate")
}

// TestAnyByteMatters: no aggregate with a changed, missing or additional byte is taken for one.
func TestAnyByteMatters(t *testing.T) {
	t.Parallel()
	data := build(new(Writer), someUsers()["hashes"])
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1 << (i % 8)
		require.False(t, Is(bad), "byte %d", i)
		require.False(t, Is(data[:i]), "cut at %d", i)
		require.False(t, Is(data[i+1:]), "without the first %d", i+1)
	}
	require.False(t, Is(append(bytes.Clone(data), 0)))
	require.True(t, Is(data))
}

func TestWhatIsNoAggregate(t *testing.T) {
	t.Parallel()
	const key, hash, good = "\x0a\x01k", "\x12\x011", "\x08\x00\x1a\x01d"
	for name, data := range map[string][]byte{
		"nothing":               nil,
		"magic only":            []byte(magic),
		"no message":            sealed(),
		"json":                  []byte(`{"sensor_name":"north","data":"AAAAAAAAAAAAAAAAAAAA"}`),
		"key index":             sealed(key, record("\x08\x01\x1a\x01d")),
		"key index, no table":   sealed(record(good)),
		"huge key index":        sealed(key, record("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x01d")),
		"key index of 2^32":     sealed(key, record("\x08\x80\x80\x80\x80\x10\x1a\x01d")),
		"hash index":            sealed(key, hash, record("\x08\x00\x10\x01\x1a\x01d")),
		"hash index, no table":  sealed(key, record("\x08\x00\x10\x00\x1a\x01d")),
		"huge hash index":       sealed(key, hash, record("\x08\x00\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x01d")),
		"second record is bad":  sealed(key, record(good), record("\x08\x01\x1a\x01d")),
		"no key index":          sealed(key, record("\x1a\x01d")),
		"no data":               sealed(key, record("\x08\x00")),
		"data is a number":      sealed(key, record("\x08\x00\x18\x01")),
		"empty record":          sealed(key, record("")),
		"cut data":              sealed(key, record("\x08\x00\x1a\x02d")),
		"cut record":            sealed(key, "\x1a\x7f"+good),
		"length beyond 64 bits": sealed(key, "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
		"cut tag":               sealed(key, record(good), "\x80"),
		"field number 0":        sealed(key, record(good), "\x00\x00"),
		"end of no group":       sealed(key, record(good), "\x24"),
		"open group":            sealed(key, record(good), "\x23"),
		"wire type 7":           sealed(key, record(good), "\x27"),
	} {
		require.False(t, Is(data), name)
		var r Reader
		require.False(t, r.Open(data), name)
		require.Zero(t, r.Len(), name)
		require.Empty(t, slices.Collect(r.All()), name)
	}
}

// TestOtherWriters: what our writer never makes and protobuf allows.
func TestOtherWriters(t *testing.T) {
	t.Parallel()
	const key, good = "\x0a\x01k", "\x08\x00\x1a\x01d"
	for name, c := range map[string]struct {
		data []byte
		want []user
	}{
		"no records":           {sealed(key), nil},
		"tables after records": {sealed(record("\x08\x01\x10\x00\x1a\x01d"), key, "\x12\x011", "\x0a\x01l"), []user{{"l", "1", []byte("d")}}},
		"a key twice":          {sealed(key, key, record("\x08\x01\x1a\x01d")), []user{{"k", "", []byte("d")}}},
		"unused keys":          {sealed(key, "\x0a\x01l", "\x12\x011", record(good)), []user{{"k", "", []byte("d")}}},
		"tags":                 {sealed(key, record(good+"\x22\x06\x0a\x01a\x12\x01b")), []user{{"k", "", []byte("d")}}},
		"unknown fields":       {sealed(key, "\x20\x05\x2d1234\x3198765432", record(good+"\x7a\x00"), "\x23\x08\x01\x24"), []user{{"k", "", []byte("d")}}},
		"data first":           {sealed(key, record("\x1a\x01d\x08\x00")), []user{{"k", "", []byte("d")}}},
		"data twice":           {sealed(key, record(good+"\x1a\x01e")), []user{{"k", "", []byte("e")}}},
		"long varint":          {sealed(key, record("\x08\x80\x80\x00\x1a\x01d")), []user{{"k", "", []byte("d")}}},
		"key that is not text": {sealed("\x0a\x01\xff", record(good)), []user{{"\xff", "", []byte("d")}}},
		"empty key":            {sealed("\x0a\x00", record(good)), []user{{"", "", []byte("d")}}},
		"records as a number":  {sealed(key, "\x18\x01", record(good)), []user{{"k", "", []byte("d")}}},
	} {
		var r Reader
		require.True(t, r.Open(c.data), name)
		requireUsers(t, c.want, &r, name)
	}
}

// TestTableLimit: a record of 10 MiB full of empty keys must not become a table of five million strings.
func TestTableLimit(t *testing.T) {
	t.Parallel()
	full := bytes.Repeat([]byte("\x0a\x00"), maxTable)
	last := record(string(protowire.AppendVarint([]byte{0x08}, maxTable-1)) + "\x1a\x01d")
	require.True(t, Is(sealed(string(full), last)))
	require.False(t, Is(sealed(string(full), "\x0a\x00", last)))

	var r Reader
	require.True(t, r.Open(sealed(string(full), record("\x08\x00\x1a\x01d"))))
	require.Len(t, r.keys, 1, "only what the records need is kept")
}

func TestKeysAreKeptBetweenAggregates(t *testing.T) {
	aggregates := [][]byte{}
	for i := range 4 {
		aggregates = append(aggregates, build(new(Writer), []user{{"a", "1", []byte{byte(i)}}, {"b", "2", []byte{byte(i)}}}))
	}
	var r Reader
	require.True(t, r.Open(aggregates[0]))
	sum := 0
	require.Zero(t, testing.AllocsPerRun(20, func() {
		for _, data := range aggregates {
			require.True(t, r.Open(data))
			for record := range r.All() {
				sum += len(record.PartitionKey) + len(record.ExplicitHash) + len(record.Data)
			}
		}
	}))
	require.NotZero(t, sum)

	require.True(t, r.Open(build(new(Writer), []user{{"c", "", nil}})))
	require.Equal(t, []string{"c"}, r.keys)
	require.Equal(t, []string{"c", ""}, r.keys[:2], "a key that is gone is still referred to")
	require.Empty(t, r.hashes)
	require.False(t, r.Open(nil))
	require.Zero(t, r.Len())
}

func TestWithin(t *testing.T) {
	t.Parallel()
	lower, err := shard.ParseRange("0", "170141183460469231731687303715884105727")
	require.NoError(t, err)
	const upperHash = "170141183460469231731687303715884105728"
	require.False(t, lower.Contains(shard.HashKey("b")), "the keys are on both sides")
	require.True(t, lower.Contains(shard.HashKey("c")))

	for name, c := range map[string]struct {
		users []user
		want  bool
	}{
		"inside":                  {[]user{{"c", "", nil}, {"c", "", nil}}, true},
		"last outside":            {[]user{{"c", "", nil}, {"b", "", nil}}, false},
		"moved in by hash":        {[]user{{"b", "0", nil}}, true},
		"moved out by hash":       {[]user{{"c", upperHash, nil}}, false},
		"hash that is no number":  {[]user{{"c", "x", nil}}, false},
		"the last key of a range": {[]user{{"b", "170141183460469231731687303715884105727", nil}}, true},
	} {
		var r Reader
		require.True(t, r.Open(build(new(Writer), c.users)))
		require.Equal(t, c.want, r.Within(lower), name)
	}
}

func TestStoppingEarly(t *testing.T) {
	t.Parallel()
	var r Reader
	require.True(t, r.Open(build(new(Writer), someUsers()["same_key"])))
	for record := range r.All() {
		require.Equal(t, "first", string(record.Data))
		break
	}
	require.Len(t, slices.Collect(r.All()), 4, "and again from the beginning")
}
