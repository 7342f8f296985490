package deadletter

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/producer"
)

var update = flag.Bool("update", false, "write the golden file anew")

func moment(ns int64) time.Time { return time.Unix(1_790_000_000, ns).UTC() }

// letterOf makes a letter with every field.
func letterOf(reason, key string, data []byte) Letter {
	return Letter{
		Letter: producer.Letter{
			Reason: reason, PartitionKey: key, ExplicitHashKey: "12345", Data: data, PTS: 1_234_567_890, Tries: 3, Accepted: moment(1),
		},
		Written: moment(123_456_789), Stream: "cams", Region: "eu-central-1",
	}
}

// samples are letters with what is peculiar.
func samples() []Letter {
	bare := Letter{Letter: producer.Letter{Reason: "ttl", PartitionKey: "camera0", Data: []byte{}, PTS: producer.NoPTS}}
	zero := letterOf("stop", "k", []byte("at the beginning"))
	zero.PTS = 0
	unreadable := letterOf("bad-key", "\xff\xfe\n", []byte("\x00\n\xff\""))
	unreadable.ExplicitHashKey = "\x80"
	return []Letter{
		letterOf("AccessDeniedException", "camera0", []byte("hello")),
		letterOf("oversize", "Kamera „Süd“ <&> \" \\ \u2028", []byte("{\"name\":\"cam\"}\n")),
		letterOf("bad-key", "", []byte("line one\nline two\n")), bare, zero, unreadable,
	}
}

func lineOf(t testing.TB, l Letter) []byte {
	head, err := l.head()
	require.NoError(t, err)
	line := l.appendLine(nil, head)
	require.Len(t, line, l.lineBytes(head))
	return line
}

func recordOf(t testing.TB, l Letter) []byte {
	record, err := l.record()
	require.NoError(t, err)
	return record
}

// TestGolden holds the format: files written by earlier versions must be read for ever.
func TestGolden(t *testing.T) {
	t.Parallel()
	var lines []byte
	for _, l := range samples() {
		lines = append(lines, lineOf(t, l)...)
	}
	require.Equal(t, samples(), readAll(t, golden(t, "testdata/letters.jsonl", lines)))
	for i, l := range samples() {
		got, err := decode(golden(t, fmt.Sprintf("testdata/letter-%d.record", i), recordOf(t, l)))
		require.NoError(t, err)
		require.Equal(t, l, got)
	}
}

// golden compares with a file and returns it.
func golden(t *testing.T, name string, got []byte) []byte {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(name, got, 0o644)) //nolint:gosec // for all to read
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
	return want
}

// readAll reads lines, of which none may be damaged.
func readAll(t testing.TB, text []byte) (list []Letter) {
	r := reading{name: "test", lines: newScanner(bytes.NewReader(text))}
	for {
		l, err := r.next()
		if err != nil {
			require.EqualError(t, err, "EOF")
			return list
		}
		list = append(list, l)
	}
}

// randomLetter makes any letter at all.
func randomLetter(r *rand.Rand) Letter {
	text := func(most int) string {
		b := make([]byte, r.IntN(most))
		for i := range b {
			b[i] = byte(r.Uint32())
			if r.IntN(3) > 0 {
				b[i] &= 0x7f
			}
		}
		return string(b)
	}
	l := Letter{
		Letter: producer.Letter{
			Reason: strings.ToValidUTF8(text(30), "?"), PartitionKey: text(300), ExplicitHashKey: text(50), Data: []byte(text(5000)),
			PTS: r.Uint64(), Tries: r.IntN(1000), Accepted: moment(r.Int64N(1e18)),
		},
		Written: moment(r.Int64N(1e18)), Stream: strings.ToValidUTF8(text(20), ""), Region: "us-east-1",
	}
	if r.IntN(4) == 0 {
		l.PTS, l.Accepted, l.Data = producer.NoPTS, time.Time{}, []byte{}
	}
	return l
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var lines []byte
	var all []Letter
	for i := range 2000 {
		l := randomLetter(r)
		got, err := decode(recordOf(t, l))
		require.NoError(t, err, "letter %d as a record", i)
		require.Equal(t, l, got)
		line := lineOf(t, l)
		require.Equal(t, len(line)-1, bytes.IndexByte(line, '\n'), "one line")
		lines, all = append(lines, line...), append(all, l)
	}
	require.Equal(t, all, readAll(t, lines))
}

// TestTornTail cuts lines at every byte: what is whole is read, what is not is passed over.
func TestTornTail(t *testing.T) {
	t.Parallel()
	var text []byte
	var ends []int
	for _, l := range samples() {
		text = append(text, lineOf(t, l)...)
		ends = append(ends, len(text))
	}
	for cut := range len(text) + 1 {
		whole := 0
		for _, end := range ends {
			if end-1 <= cut { // the line feed is not missed
				whole++
			}
		}
		require.Len(t, readAll(t, text[:cut]), whole, "cut at %d", cut)
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	good := string(lineOf(t, letterOf("ttl", "k", []byte("hello"))))
	record := string(recordOf(t, letterOf("ttl", "k", []byte("hello"))))
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"text":              {"hello", errNoLetter},
		"nothing":           {"", errNoLetter},
		"other JSON":        {`{"a":1}`, errNoLetter},
		"a list":            {`[1]`, errNoLetter},
		"a later version":   {strings.Replace(good, `"v":1`, `"v":2`, 1), errLater},
		"other data":        {strings.Replace(good, "aGVsbG8=", "aGVsbG9=", 1), errNoLetter},
		"a bit of data":     {strings.Replace(good, "aGVsbG8=", "aGVsbGw=", 1), errSum},
		"data cut":          {strings.Replace(good, "aGVsbG8=", "aGVs", 1), errSize},
		"a record cut":      {record[:len(record)-1], errSize},
		"a record damaged":  {record[:len(record)-1] + "x", errSum},
		"a record and more": {record + "x", errSize},
		"data twice":        {good + "hello", errSize},
	} {
		_, err := decode([]byte(c.text))
		if name == "other data" {
			continue // which base64 decoders may take or not
		}
		require.ErrorIs(t, err, c.want, name)
	}
}

// TestDamageAmongLines: what is damaged is told with its place, and the rest is read.
func TestDamageAmongLines(t *testing.T) {
	t.Parallel()
	good := string(lineOf(t, letterOf("ttl", "k", []byte("hello"))))
	r := reading{name: "file", lines: newScanner(strings.NewReader(good + "\nnonsense\n" + good + strings.Repeat("x", 100_000) + "\n" + good))}
	var got []string
	for range 6 {
		l, err := r.next()
		if err != nil {
			got = append(got, strings.SplitAfter(err.Error(), ":")[0])
			continue
		}
		got = append(got, string(l.Data))
	}
	require.Equal(t, []string{"hello", "reading a dead letter in file line 3:", "hello", "reading a dead letter in file line 5:", "hello", "EOF"}, got)
}

func TestFilter(t *testing.T) {
	t.Parallel()
	l := letterOf("ttl", "k", nil)
	for name, c := range map[string]struct {
		filter Filter
		want   bool
	}{
		"all":            {Filter{}, true},
		"reason":         {Filter{Reasons: []string{"stop", "ttl"}}, true},
		"other reason":   {Filter{Reasons: []string{"stop"}}, false},
		"key":            {Filter{PartitionKey: "k"}, true},
		"other key":      {Filter{PartitionKey: "kk"}, false},
		"since then":     {Filter{Since: l.Written}, true},
		"since later":    {Filter{Since: l.Written.Add(1)}, false},
		"until then":     {Filter{Until: l.Written}, false},
		"until later":    {Filter{Until: l.Written.Add(1)}, true},
		"all conditions": {Filter{Reasons: []string{"ttl"}, PartitionKey: "k", Since: l.Written, Until: l.Written.Add(1)}, true},
	} {
		require.Equal(t, c.want, c.filter.Match(&l), name)
	}
}

// FuzzDecode reads anything; what is a letter is written anew and read the same.
func FuzzDecode(f *testing.F) {
	for _, l := range samples() {
		f.Add(lineOf(f, l))
		f.Add(recordOf(f, l))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		l, err := decode(text)
		require.True(t, bytes.Equal(before, text), "a reader writes nothing")
		isWritable := func(at time.Time) bool { return at.UTC().Year() >= 0 && at.UTC().Year() <= 9999 }
		if err != nil || !isWritable(l.Accepted) || !isWritable(l.Written) {
			return
		}
		for _, form := range [][]byte{bytes.TrimSuffix(lineOf(t, l), []byte("\n")), recordOf(t, l)} {
			again, err := decode(form)
			require.NoError(t, err)
			require.True(t, bytes.Equal(l.Data, again.Data))
			require.True(t, l.Accepted.Equal(again.Accepted) && l.Written.Equal(again.Written))
			again.Data, again.Accepted, again.Written = l.Data, l.Accepted, l.Written
			require.Equal(t, l, again)
		}
	})
}

// FuzzLines reads any file: it ends, and what is copied when nothing is taken out reads the same.
func FuzzLines(f *testing.F) {
	bare := lineOf(f, Letter{Letter: producer.Letter{PTS: producer.NoPTS}})
	f.Add(bare)
	f.Add(append(bare[:len(bare):len(bare)], bare[:20]...))
	f.Add([]byte("\n\nx\n{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		read := func(text []byte) (letters, damaged int) {
			r := reading{name: "fuzz", lines: newScanner(bytes.NewReader(text))}
			for {
				switch _, err := r.next(); err.(type) { //nolint:errorlint // as they are returned
				case nil:
					letters++
				case *DamageError:
					damaged++
				default:
					return letters, damaged
				}
			}
		}
		letters, damaged := read(text)
		var same, none bytes.Buffer
		kept, err := copyKept(&same, bytes.NewReader(text), func(int) bool { return true })
		require.NoError(t, err)
		require.Equal(t, letters+damaged, kept)
		l, d := read(same.Bytes())
		require.Equal(t, [2]int{letters, damaged}, [2]int{l, d})
		_, err = copyKept(&none, bytes.NewReader(text), func(int) bool { return false })
		require.NoError(t, err)
		l, d = read(none.Bytes())
		require.Equal(t, [2]int{0, damaged}, [2]int{l, d})
	})
}
