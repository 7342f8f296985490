package aggregate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func lines(data string) []string {
	list := []string{}
	for i, line := range Lines([]byte(data)) {
		if i != len(list) {
			panic("the numbers do not go up by one")
		}
		list = append(list, string(line))
	}
	return list
}

func TestLines(t *testing.T) {
	t.Parallel()
	for data, want := range map[string][]string{
		"":              {},
		"a":             {"a"},
		"a\n":           {"a"},
		"a\nb":          {"a", "b"},
		"a\nb\n":        {"a", "b"},
		"\n":            {""},
		"\n\na\n\n":     {"", "", "a", ""},
		"a\r\nb\r\n":    {"a\r", "b\r"},
		"{\"a\": 1}\n[": {`{"a": 1}`, "["},
	} {
		require.Equal(t, want, lines(data), "%q", data)
	}
	for range Lines([]byte("a\nb\n")) {
		break // stopping early is fine
	}
}

func TestLineWriter(t *testing.T) {
	t.Parallel()
	for want, payloads := range map[string][]string{
		"a\n":            {"a"},
		"a\nb\n":         {"a\n", "b"},
		"\n\n":           {"", "\n"},
		"a\n\n":          {"a\n\n"},
		"a\nb\nc\n":      {"a\nb", "c"},
		"\xff\xd8\x00\n": {"\xff\xd8\x00"},
	} {
		var w LineWriter
		for _, p := range payloads {
			w.Add("key", "1", []byte(p))
		}
		require.Equal(t, len(payloads), w.Len())
		require.Equal(t, want, string(w.AppendTo(nil)))
		require.Len(t, want, w.Size())
	}
}

// TestLinesRoundTrip: payloads without '\n' inside come back, but for the one at their end.
func TestLinesRoundTrip(t *testing.T) {
	t.Parallel()
	var w LineWriter
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 7))
		w.Reset()
		var want []string
		for i := range random.IntN(50) {
			payload := []byte(fmt.Sprintf(`{"n":%d,"x":%q}`, i, bytes.Repeat([]byte("y"), random.IntN(300))))
			require.True(t, json.Valid(payload))
			want = append(want, string(payload))
			if random.IntN(2) == 0 {
				payload = append(payload, '\n')
			}
			most := w.SizeWith("", "", len(payload))
			w.Add("", "", payload)
			require.LessOrEqual(t, w.Size(), most)
			require.GreaterOrEqual(t, w.Size(), most-1)
		}
		joined := w.AppendTo(nil)
		require.Len(t, joined, w.Size())
		require.ElementsMatch(t, want, lines(string(joined)))
	}
}
