package envelope

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzParse gives a record its checksum, so that the fuzzer gets past it. What is
// sound is written anew, to the same bytes.
func FuzzParse(f *testing.F) {
	e := newEncoder(f, None, 0)
	for _, size := range []int{0, 5, 300} {
		for _, r := range partsOf(f, e, Whole(payloadOf(1, size)), 150) {
			f.Add(r)
		}
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		before := bytes.Clone(record)
		_, _, _ = Parse(record)
		require.True(t, bytes.Equal(before, record), "a reader writes nothing")
		if len(record) < Overhead {
			return
		}
		record = edit(record, func(r []byte) { copy(r, magic) })
		h, body, err := Parse(record)
		if err != nil {
			return
		}
		require.Less(t, h.Index, h.Count)
		require.LessOrEqual(t, h.offset()+len(body), h.Size)
		require.True(t, bytes.Equal(record, h.append(nil, body)))
	})
}

// FuzzDecoder decompresses anything within a limit.
func FuzzDecoder(f *testing.F) {
	payload := payloadOf(1, 2000)
	for _, codec := range []Codec{Gzip, Zstd} {
		f.Add(byte(codec), len(payload), bodyOf(f, codec, payload))
		f.Add(byte(codec), 500, bodyOf(f, codec, make([]byte, 1<<20)))
	}
	const limit = 1 << 16
	d, err := NewDecoder(limit)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, codec byte, original int, body []byte) {
		got, err := d.Append([]byte("before"), Header{Codec: Codec(codec), Original: original}, body)
		if err != nil {
			require.Equal(t, "before", string(got))
			return
		}
		require.LessOrEqual(t, original, limit)
		require.Len(t, got, len("before")+original)
	})
}

// FuzzAssembler plays a script on the records of three messages: a byte each says which record comes, and whether it is
// damaged, where time passes, what is given up. Only what was sent may be read, no message of several parts twice.
func FuzzAssembler(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{9, 8, 7, 250, 6, 5, 4, 251, 3, 2, 1, 0, 252})
	f.Add([]byte{0, 0, 64, 128, 1, 253, 1, 2, 2})
	records, known := fuzzedMessages(f)
	f.Fuzz(func(t *testing.T, script []byte) {
		now := time.Unix(1e9, 0)
		a, err := NewAssembler(AssemblerSettings{MaxMessage: 4000, MaxBytes: 5000, MaxPending: 2, Remembered: 8, Timeout: time.Second,
			Now: func() time.Time { return now }})
		require.NoError(t, err)
		read := map[string]int{}
		for i, step := range script {
			switch step {
			case 250:
				now = now.Add(600 * time.Millisecond)
				continue
			case 251:
				a.Leave("even")
				continue
			case 252:
				a.Flush()
				continue
			}
			record := bytes.Clone(records[int(step)%64%len(records)])
			if step >= 64 {
				record[(i*7+int(step))%len(record)] ^= step
			}
			payload, ok, err := a.Add(Place{[]string{"even", "odd"}[i%2], "1"}, record)
			if ok && Is(record) {
				require.NoError(t, err)
				require.Contains(t, known, string(payload))
				read[string(payload)]++
				require.True(t, known[string(payload)] == 1 || read[string(payload)] == 1, "read twice")
			}
			s := a.Stats()
			require.True(t, s.Pending <= 2 && s.PendingBytes <= 5000)
		}
		a.Flush()
		s := a.Stats()
		require.Zero(t, s.Pending)
		require.Zero(t, s.PendingBytes)
	})
}

// fuzzedMessages are the records of three messages, and how many parts each has.
func fuzzedMessages(tb testing.TB) (records [][]byte, known map[string]int) {
	known = map[string]int{}
	for i, size := range []int{1500, 700, 3000} {
		e := newEncoder(tb, []Codec{None, Gzip, Zstd}[i], 0)
		payload := payloadOf(uint64(i), size)
		b, _ := e.Compress(payload)
		parts := partsOf(tb, e, b, 500)
		known[string(payload)] = len(parts)
		records = append(records, parts...)
	}
	return records, known
}
