package intake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"
)

// readAll reads an input to its end.
func readAll(in io.Reader, s Settings) (records []string, err error) {
	r := NewReader("in", in, s)
	for {
		record, err := r.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return records, nil
			}
			return records, err
		}
		records = append(records, string(record))
	}
}

// be and le are length-prefixed records.
func be(payloads ...string) string {
	var out []byte
	for _, p := range payloads {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(p))), p...)
	}
	return string(out)
}

func le(payloads ...string) string {
	var out []byte
	for _, p := range payloads {
		out = append(binary.LittleEndian.AppendUint32(out, uint32(len(p))), p...)
	}
	return string(out)
}

// packed are objects of MessagePack, made by another hand than ours.
func packed(tb testing.TB, values ...any) (each []string, all string) {
	tb.Helper()
	for _, v := range values {
		b, err := msgpack.Marshal(v)
		require.NoError(tb, err)
		each = append(each, string(b))
	}
	return each, strings.Join(each, "")
}

func variety() []any {
	return []any{
		nil, true, false, 0, 127, 128, -1, -33, 1 << 20, int64(-1) << 40, uint64(1) << 63, float32(1.5), 2.5, "", "short", strings.Repeat("s", 40), strings.Repeat("s", 300),
		strings.Repeat("s", 70000), []byte{}, []byte("bytes"), make([]byte, 300), make([]byte, 70000), []any{}, []any{1, "a", []any{nil}}, make([]int, 20), make([]int, 70000),
		map[string]any{}, map[string]any{"a": map[string]any{"b": []byte{1, 2}}}, manyKeys(20), manyKeys(70000), msgpack.RawMessage("\xc7\x03\x05abc"),
		msgpack.RawMessage("\xd4\x01x"), msgpack.RawMessage("\xd8\x010123456789abcdef"), msgpack.RawMessage("\xc8\x00\x02\x05ab"), msgpack.RawMessage("\xc9\x00\x00\x00\x01\x05a"),
	}
}

func manyKeys(n int) map[int]bool {
	m := make(map[int]bool, n)
	for i := range n {
		m[i] = true
	}
	return m
}

func TestFormats(t *testing.T) {
	t.Parallel()
	each, all := packed(t, variety()...)
	for name, c := range map[string]struct {
		in   string
		set  Settings
		want []string
	}{
		"nothing":               {"", Settings{}, nil},
		"lines":                 {"a\nbb\n", Settings{}, []string{"a", "bb"}},
		"the last without":      {"a\nbb", Settings{Format: Lines}, []string{"a", "bb"}},
		"empty lines":           {"\n\na\n\n", Settings{Format: Lines}, []string{"", "", "a", ""}},
		"lines of Windows":      {"a\r\nb\rc\r\n\r\nd\r", Settings{Format: Lines}, []string{"a", "b\rc", "", "d\r"}},
		"with their feeds":      {"a\r\n\nb", Settings{Format: Lines, KeepNewline: true}, []string{"a\r\n", "\n", "b"}},
		"no text, all the same": {"a\x00\nb", Settings{Format: Lines}, []string{"a\x00", "b"}},
		"the longest":           {"abcd\nabcd\r\nabcd", Settings{Format: Lines, MaxRecord: 4}, []string{"abcd", "abcd", "abcd"}},
		"a long one":            {strings.Repeat("x", 300_000) + "\ny", Settings{}, []string{strings.Repeat("x", 300_000), "y"}},
		"ndjson":                {"{\"a\": 1}\n [1,2]\t\r\n\n   \n\"x\"\n3", Settings{Format: NDJSON}, []string{`{"a": 1}`, "[1,2]", `"x"`, "3"}},
		"ndjson with feeds":     {" {}\r\n\n3", Settings{Format: NDJSON, KeepNewline: true}, []string{" {}\r\n", "3"}},
		"ndjson with a mark":    {"\ufeff{}\n{}\n", Settings{Format: NDJSON}, []string{"{}", "{}"}},
		"a file":                {"a\nb\x00", Settings{Format: Files}, []string{"a\nb\x00"}},
		"an empty file":         {"", Settings{Format: Files}, []string{""}},
		"a large file":          {strings.Repeat("ab", 500_000), Settings{Format: Files}, []string{strings.Repeat("ab", 500_000)}},
		"length-prefixed":       {be("a", "", "bc"), Settings{Format: LengthPrefixed}, []string{"a", "", "bc"}},
		"little-endian":         {le("a", strings.Repeat("z", 300)), Settings{Format: LengthPrefixed, LittleEndian: true}, []string{"a", strings.Repeat("z", 300)}},
		"msgpack":               {all, Settings{Format: Msgpack}, each},
		"nested deeply":         {strings.Repeat("\x91", 1_000_000) + "\x01\x02", Settings{Format: Msgpack}, []string{strings.Repeat("\x91", 1_000_000) + "\x01", "\x02"}},
		"bulk":                  {"\xa31.0\xc4\x02ab\xc5\x00\x01c\xc6\x00\x00\x00\x00", Settings{Format: Bulk}, []string{"ab", "c", ""}},
		"bulk of nothing":       {"\xa31.0", Settings{Format: Bulk}, nil},
		"a long version":        {"\xdb\x00\x00\x00\x031.0\xc4\x01a", Settings{Format: Bulk}, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readAll(strings.NewReader(c.in), c.set)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			for _, slow := range []io.Reader{iotest.OneByteReader(strings.NewReader(c.in)), iotest.DataErrReader(strings.NewReader(c.in))} {
				again, err := readAll(slow, c.set)
				require.NoError(t, err)
				require.True(t, len(again) == len(got) && (len(got) == 0 || strings.Join(again, "|") == strings.Join(got, "|")))
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	lines, ndjson, prefixed, objects, bulk := Settings{Format: Lines, MaxRecord: 4}, Settings{Format: NDJSON}, Settings{Format: LengthPrefixed, MaxRecord: 100},
		Settings{Format: Msgpack, MaxRecord: 1 << 10}, Settings{Format: Bulk}
	turned := prefixed
	turned.LittleEndian = true
	for name, c := range map[string]struct {
		in    string
		set   Settings
		kind  error
		after int // records
		want  string
	}{
		"no text": {"a\nb\x00c", Settings{}, ErrFormat, 0, "reading in, at byte 3: this is no text: it holds a zero byte; say what it is: --format files, msgpack, length-prefixed, bulk, or lines all the same"},
		"a long line": {"abcd\nabcde\n", lines, ErrTooLarge, 1,
			"reading in, line 2, at byte 5: a record is longer than 4 bytes; choose another --format if these are no lines, or send it in pieces"},
		"a long last line":     {"abcde", lines, ErrTooLarge, 0, "line 1, at byte 0"},
		"an endless line":      {strings.Repeat("x", 300_000), lines, ErrTooLarge, 0, "line 1, at byte 0"},
		"no JSON":              {"{}\n{\"a\": x}\n", ndjson, ErrFormat, 1, `reading in, line 2, at byte 9: the line is not JSON: invalid character 'x' looking for beginning of value; mend the line`},
		"two of JSON":          {"{} {}", ndjson, ErrFormat, 0, "reading in, line 1, at byte 3: the line is not JSON: invalid character '{' after top-level value"},
		"half of JSON":         {"{\"a\":\n1}", ndjson, ErrFormat, 0, "line 1, at byte 4: the line is not JSON: unexpected end of JSON input"},
		"half a prefix":        {be("a") + "\x00\x00", prefixed, ErrCutShort, 1, "at byte 7: the input ends within a length prefix that begins at byte 5; the input is cut short"},
		"half a record":        {be("a") + "\x00\x00\x00\x02b", prefixed, ErrCutShort, 1, "at byte 10: the input ends within a record that begins at byte 5"},
		"little for big":       {le("a"), prefixed, ErrTooLarge, 0, "the length prefix says 16777216 bytes, and a record has at most 100 bytes; the bytes of the length may be in the other order: give --little-endian"},
		"big for little":       {be("a"), turned, ErrTooLarge, 0, "leave --little-endian out"},
		"no prefix":            {"text", prefixed, ErrTooLarge, 0, "the input is not length-prefixed"},
		"no code":              {"\x01\x92\x01\xc1", objects, ErrFormat, 1, "at byte 3: 0xc1 is not MessagePack"},
		"half an object":       {"\x01\x92\x01", objects, ErrCutShort, 1, "at byte 3: the input ends within an object that begins at byte 1"},
		"half a head":          {"\xdc\x00", objects, ErrCutShort, 0, "at byte 2"},
		"half a body":          {"\xa3ab", objects, ErrCutShort, 0, "at byte 3"},
		"a claim of 4 GiB":     {"\xc6\xff\xff\xff\xff", objects, ErrTooLarge, 0, "a record is longer than 1 KiB; this is not MessagePack, or send it in pieces"},
		"a claim of objects":   {"\xdf\xff\xff\xff\xff", objects, ErrTooLarge, 0, "at byte 0"},
		"a tree of claims":     {strings.Repeat("\xdd\x00\x00\x03\x00", 3), objects, ErrTooLarge, 0, "at byte 0"},
		"no bulk":              {"", bulk, ErrCutShort, 0, `the input is empty, and a bulk payload begins with the string "1.0"`},
		"bulk of other things": {"\x93\x01\x02\x03", bulk, ErrFormat, 0, `at byte 0: a bulk payload begins with the string "1.0", and here is an array; use --format msgpack`},
		"another version":      {"\xa32.0", bulk, ErrFormat, 0, `version "2.0" of bulk payloads is not known, only "1.0"`},
		"bulk with a string":   {"\xa31.0\xc4\x01a\xa1b", bulk, ErrFormat, 1, "at byte 7: in a bulk payload byte arrays follow, and here is a string; pack each record as bin"},
		"bulk cut short":       {"\xa31.0\xc4\x05a", bulk, ErrCutShort, 0, "at byte 7: the input ends within an object that begins at byte 4"},
		"a large file":         {"abcde", Settings{Format: Files, MaxRecord: 4}, ErrTooLarge, 0, "a record is longer than 4 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readAll(strings.NewReader(c.in), c.set)
			var place *Error
			require.ErrorAs(t, err, &place)
			require.ErrorIs(t, err, c.kind)
			require.Contains(t, err.Error(), c.want)
			require.Len(t, got, c.after)
			_, again := readAll(iotest.OneByteReader(strings.NewReader(c.in)), c.set)
			if name != "no text" { // what comes with the first read is looked at
				require.EqualError(t, again, err.Error())
			}
		})
	}
}

func TestAnErrorStays(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is broken")
	r := NewReader("disk", io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), Settings{})
	record, err := r.Next()
	require.NoError(t, err)
	require.Equal(t, "a", string(record))
	for range 2 {
		_, err = r.Next()
		require.EqualError(t, err, "reading disk, line 2, at byte 3: the disk is broken")
		require.ErrorIs(t, err, broken)
	}
	for _, f := range []Format{Files, LengthPrefixed, Msgpack, Bulk, NDJSON} {
		_, err := readAll(iotest.ErrReader(broken), Settings{Format: f})
		require.ErrorIs(t, err, broken, f)
	}
	_, err = readAll(idle{}, Settings{})
	require.ErrorIs(t, err, io.ErrNoProgress)
	r = NewReader("x", strings.NewReader(""), Settings{Format: Lines})
	for range 2 {
		_, err = r.Next()
		require.Equal(t, io.EOF, err)
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

// Reset begins anew, with line, place and format.
func TestReset(t *testing.T) {
	t.Parallel()
	r := NewReader("a", strings.NewReader("x\ny\n"), Settings{Format: NDJSON})
	_, err := r.Next()
	require.ErrorContains(t, err, "reading a, line 1, at byte 0")
	r.Reset("b", strings.NewReader("{}\ny\n"))
	record, err := r.Next()
	require.NoError(t, err)
	require.Equal(t, "{}", string(record))
	_, err = r.Next()
	require.ErrorContains(t, err, "reading b, line 2, at byte 3")
}

// A length that is only claimed takes no memory, and a long input no more than its records.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	r := NewReader("in", strings.NewReader("\x03\xff\xff\xff"+strings.Repeat("x", 1000)), Settings{Format: LengthPrefixed})
	_, err := r.Next()
	require.ErrorIs(t, err, ErrCutShort)
	require.LessOrEqual(t, len(r.buf), firstWindow)

	line := strings.Repeat("x", 90_000) + "\n"
	r = NewReader("in", strings.NewReader(strings.Repeat(line, 200)), Settings{MaxRecord: 100_000})
	n := 0
	for ; err != io.EOF; n++ {
		_, err = r.Next()
	}
	require.Equal(t, 201, n)
	require.LessOrEqual(t, len(r.buf), 100_000+slack)
}

func TestParseFormat(t *testing.T) {
	t.Parallel()
	for f := Auto; f <= Bulk; f++ {
		got, err := ParseFormat(f.String())
		require.NoError(t, err)
		require.Equal(t, f, got)
	}
	got, err := ParseFormat("length_prefixed")
	require.NoError(t, err)
	require.Equal(t, LengthPrefixed, got)
	_, err = ParseFormat("csv")
	require.ErrorContains(t, err, `"csv" is none of auto, lines, ndjson, files, length-prefixed, msgpack, bulk`)
	require.Equal(t, "Format(99)", Format(99).String())
}

func TestNoAllocations(t *testing.T) {
	line := bytes.Repeat([]byte("{\"a\":\"0123456789\"}\n"), 200_000)
	for _, f := range []Format{Lines, NDJSON} {
		r := NewReader("in", bytes.NewReader(line), Settings{Format: f})
		_, err := r.Next()
		require.NoError(t, err)
		require.Zero(t, testing.AllocsPerRun(10_000, func() { _, _ = r.Next() }), f)
	}
	objects := bytes.Repeat([]byte("\x82\xa1a\x01\xa1b\xc4\x03abc"), 200_000)
	r := NewReader("in", bytes.NewReader(objects), Settings{Format: Msgpack})
	require.Zero(t, testing.AllocsPerRun(10_000, func() { _, _ = r.Next() }))
}
