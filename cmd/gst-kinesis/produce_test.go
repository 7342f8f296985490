package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"

	"gst-kinesis/internal/local"
)

// stored gives what a stream holds: keys and payloads, shard by shard.
func stored(t *testing.T, srv *local.Server, stream string) (keys, payloads []string) {
	t.Helper()
	records, err := srv.Records(stream)
	require.NoError(t, err)
	for _, r := range records {
		keys, payloads = append(keys, r.PartitionKey), append(payloads, string(r.Data))
	}
	return keys, payloads
}

// file writes a file for a test.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func packed(t *testing.T, values ...any) (each []string) {
	t.Helper()
	for _, v := range values {
		b, err := msgpack.Marshal(v)
		require.NoError(t, err)
		each = append(each, string(b))
	}
	return each
}

// What is read arrives byte by byte, in order under one key.
func TestProduceFormats(t *testing.T) {
	t.Parallel()
	objects := packed(t, 1, "two", map[string]any{"id": "x", "data": make([]byte, 70000)}, []byte{0xc1})
	prefixed := string(binary.BigEndian.AppendUint32(nil, 3)) + "a\x00b" + string(make([]byte, 4))
	for name, c := range map[string]struct {
		args []string
		in   string
		want []string
	}{
		"lines":           {nil, "one\ntwo\r\n\nlast", []string{"one", "two", "", "last"}},
		"keep-newline":    {[]string{"--keep-newline"}, "one\nlast", []string{"one\n", "last"}},
		"ndjson":          {[]string{"--format", "ndjson"}, "{\"a\":1}\n\n[2]\n", []string{`{"a":1}`, "[2]"}},
		"files":           {[]string{"--format", "files"}, "a\x00\nb", []string{"a\x00\nb"}},
		"length-prefixed": {[]string{"--format", "length_prefixed"}, prefixed, []string{"a\x00b", ""}},
		"little-endian":   {[]string{"--format", "length-prefixed", "--little-endian"}, "\x01\x00\x00\x00x", []string{"x"}},
		"msgpack":         {[]string{"--format", "msgpack"}, strings.Join(objects, ""), objects},
		"bulk":            {[]string{"--format", "bulk"}, "\xa31.0" + strings.Join(packed(t, []byte("a"), []byte{}, make([]byte, 300)), ""), []string{"a", "", string(make([]byte, 300))}},
		"json wire":       {[]string{"--wire", "json", "--ordering", "strict", "--linger", "0"}, "one\ntwo\n", []string{"one", "two"}},
		"nothing":         {nil, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, flags := endpoint(t, local.Settings{Create: streams("s")})
			r := begin(t, c.in, with(flags, append([]string{"produce", "s", "--key", "k"}, c.args...)...)...)
			require.Zero(t, r.wait(t), r.err)
			_, got := stored(t, srv, "s")
			require.Equal(t, c.want, got)
			require.Empty(t, r.out.String())
			require.Contains(t, r.err.String(), fmt.Sprintf(`records=%d`, len(c.want)))
			require.Contains(t, r.err.String(), `ended-by="the end of the input"`)
			require.Regexp(t, fmt.Sprintf(`(?m)^produce to s: accepted %d \(.*\), delivered %d, dropped 0, in flight 0$`, len(c.want), len(c.want)), r.err.String())
		})
	}
}

func TestProduceFiles(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	a, b := file(t, "a.txt", "one\ntwo"), file(t, "b.bin", "\x00\x01")
	r := begin(t, "three\n", with(flags, "produce", "--stream", "s", a, "-", "--key", "k")...)
	require.Zero(t, r.wait(t), r.err)
	r = begin(t, "", with(flags, "produce", "--stream", "s", a, b, "--format", "files", "--key", "k")...)
	require.Zero(t, r.wait(t), r.err)
	_, got := stored(t, srv, "s")
	require.Equal(t, []string{"one", "two", "three", "one\ntwo", "\x00\x01"}, got)

	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a file that is missing": {[]string{a, a + "x"}, "a.txtx: there is no such file; nothing was sent\n"},
		"a directory":            {[]string{filepath.Dir(a), "--format", "files"}, "is a directory; give its files, such as"},
		"no text":                {[]string{b}, "b.bin, at byte 0: this is no text: it holds a zero byte; say what it is: --format files"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, _, stderr := run(t, with(flags, append([]string{"produce", "s"}, c.args...)...)...)
			require.Equal(t, statusFailed, status)
			require.Contains(t, stderr, c.want)
		})
	}
}

// What was good before the broken place is delivered, and the place is named.
func TestProduceBrokenInput(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	path := file(t, "events.ndjson", "{}\n{\n{}\n")
	status, _, stderr := run(t, with(flags, "produce", "s", path, "--format", "ndjson")...)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "gst-kinesis: reading "+path+", line 2, at byte 3: the line is not JSON: unexpected end of JSON input; mend the line")
	require.Contains(t, stderr, "produce to s: accepted 1 (2 B), delivered 1")
	_, got := stored(t, srv, "s")
	require.Equal(t, []string{"{}"}, got)
}

func TestProduceKeys(t *testing.T) {
	t.Parallel()
	in := "{\"cam\":{\"id\":7}}\n{\"cam\":{\"id\":\"x\"}}\n{\"cam\":{\"id\":7}}\n"
	for name, c := range map[string]struct {
		args []string
		want string // of all keys, in any order
	}{
		"static":      {[]string{"--key", "k y"}, "^k y k y k y$"},
		"field":       {[]string{"--key-field", "cam.id"}, "^7 7 x$"},
		"random":      {nil, `^([0-9a-f-]{36} ?){3}$`},
		"sensor-name": {[]string{"--partition-key-mode", "sensor_name", "--sensor-name", "north", "--shards", "2"}, "north0"},
		"spread":      {[]string{"--partition-key-mode=spread", "--sensor-name", "north", "--shards", "3"}, "north2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, flags := endpoint(t, local.Settings{Create: streams("s")})
			r := begin(t, in, with(flags, append([]string{"produce", "s"}, c.args...)...)...)
			require.Zero(t, r.wait(t), r.err)
			keys, _ := stored(t, srv, "s")
			require.Len(t, keys, 3)
			slices.Sort(keys)
			require.Regexp(t, c.want, strings.Join(keys, " "))
		})
	}
	t.Run("explicit", func(t *testing.T) {
		t.Parallel()
		srv, flags := endpoint(t, local.Settings{Create: streams("s")})
		r := begin(t, in, with(flags, "produce", "s", "--explicit-hash-key", "340282366920938463463374607431768211455")...)
		require.Zero(t, r.wait(t), r.err)
		records, err := srv.Records("s")
		require.NoError(t, err)
		for _, rec := range records {
			require.Equal(t, "shardId-000000000001", rec.ShardID)
		}
	})
}

// Aggregated, compressed and split, a reader of this project gets what was put.
func TestProduceShapes(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("a", "b")})
	r := begin(t, strings.Repeat("0123456789\n", 100), with(flags, "produce", "a", "--key", "k", "--aggregation", "kpl", "--compression", "zstd")...)
	require.Zero(t, r.wait(t), r.err)
	_, got := stored(t, srv, "a")
	require.Less(t, len(got), 100)
	_, out, _ := run(t, with(flags, "consume", "a", "--from", "trim-horizon", "--count", "100")...)
	require.Equal(t, 100, strings.Count(out, "Bytes=10\n"))

	r = begin(t, strings.Repeat("x", 5000), with(flags, "produce", "b", "--key", "k", "--max-record", "2KiB", "--oversize", "split")...)
	require.Zero(t, r.wait(t), r.err)
	_, got = stored(t, srv, "b")
	require.Len(t, got, 3)
	_, out, _ = run(t, with(flags, "consume", "b", "--from", "trim-horizon", "--count", "1")...)
	require.Contains(t, out, "Bytes=5000\n")
}

func TestProduceAcksAndDots(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s", "dots")})
	r := begin(t, "a\nbb\n", with(flags, "produce", "s", "--key", "k", "--acks")...)
	require.Zero(t, r.wait(t), r.err)
	records, err := srv.Records("s")
	require.NoError(t, err)
	var want string
	for _, rec := range records {
		want += fmt.Sprintf("SequenceNumber=%s ShardId=%s PartitionKey=k Bytes=%d\n", rec.SequenceNumber, rec.ShardID, len(rec.Data))
	}
	require.Equal(t, want, r.out.String())
	r = begin(t, "a\nbb\n", with(flags, "produce", "dots", "--dots")...)
	require.Zero(t, r.wait(t), r.err)
	require.Equal(t, "..\n", r.out.String())
}

// An interrupt ends the reading, also where nothing comes, and what was read is delivered.
func TestProduceInterrupt(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s"), Limits: local.LimitsNone})
	in, more := io.Pipe()
	r := beginReading(t, in, with(flags, "produce", "s", "--acks", "--status-interval", "10ms")...)
	_, err := io.WriteString(more, "a\nb\nhalf a li")
	require.NoError(t, err)
	r.out.waitFor(t, "SequenceNumber=")
	r.err.waitFor(t, "msg=status")
	r.stop()
	require.Zero(t, r.wait(t), "standard input has no end")
	require.NotContains(t, r.err.String(), "done=")
	require.Contains(t, r.err.String(), "ended-by=interrupt")
	_, got := stored(t, srv, "s")
	require.ElementsMatch(t, []string{"a", "b"}, got)

	path := file(t, "lines", strings.Repeat("x\n", 1000))
	r = begin(t, "", with(flags, "produce", "s", path, "--rate", "50/s", "--acks", "--status-interval", "10ms")...)
	r.out.waitFor(t, "SequenceNumber=")
	r.err.waitFor(t, "done=")
	r.stop()
	require.Equal(t, statusIncomplete, r.wait(t))
	require.Contains(t, r.err.String(), "gst-kinesis: produce: interrupted before the end of the input; all that was read was delivered")
	require.Regexp(t, `accepted (\d+) \(.*\), delivered \d+, dropped 0, in flight 0`, r.err.String())
}

// The exit status tells what was lost, and the books why.
func TestProduceLoss(t *testing.T) {
	t.Parallel()
	throttled := []local.Rule{{Operations: []string{"PutRecords"}, Throttle: true}}
	silent := []local.Rule{{Operations: []string{"PutRecords"}, Hang: true}}
	for name, c := range map[string]struct {
		faults []local.Rule
		args   []string
		reason string
	}{
		"too large":      {nil, []string{"--max-record", "4"}, `delivered 1, dropped 1 \(oversize 1\)`},
		"no key":         {nil, []string{"--key-field", "id"}, `delivered 0, dropped 2 \(bad-key 2\)`},
		"often enough":   {throttled, []string{"--retry-attempts", "1"}, `delivered 0, dropped 2 \(retries 2\)`},
		"no time left":   {silent, []string{"--drain-timeout", "200ms"}, `delivered 0, dropped 2 \(drain 2\)`},
		"older than ttl": {throttled, []string{"--record-ttl", "100ms"}, `delivered 0, dropped 2 \(ttl 2\)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, flags := endpoint(t, local.Settings{Create: streams("s"), Faults: c.faults})
			args := append([]string{"produce", "s"}, c.args...)
			if name != "no key" {
				args = append(args, "--key", "k")
			}
			r := begin(t, "a\nlong line\n", with(flags, args...)...)
			require.Equal(t, statusIncomplete, r.wait(t), r.err)
			require.Regexp(t, `(?m)^produce to s: accepted 2 \(10 B\), `+c.reason+`, in flight 0$`, r.err)
			require.Regexp(t, `(?m)^gst-kinesis: produce: \d accepted records were not delivered$`, r.err)
			require.Contains(t, r.err.String(), "level=WARN", "it is said what is wrong")
		})
	}
}

// Without --drain-timeout the end of the input waits for a stream that is behind.
func TestProduceWaitsAtTheEnd(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	fault, err := srv.AddFault(local.Rule{Operations: []string{"PutRecords"}, Throttle: true})
	require.NoError(t, err)
	r := begin(t, "a\nb\n", with(flags, "produce", "s")...)
	r.err.waitFor(t, "level=WARN")
	fault.Remove()
	require.Zero(t, r.wait(t), r.err)
	_, got := stored(t, srv, "s")
	require.ElementsMatch(t, []string{"a", "b"}, got)
}

// What cannot work ends at once, with what to do, also while standard input is silent.
func TestProduceFailsAtTheStart(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s"), Region: local.DefaultRegion})
	srv.SetCredentials(local.Credentials{AccessKeyID: "a", SecretAccessKey: "other"})
	for name, c := range map[string]struct{ stream, want string }{
		"secret": {"s", "check secret-access-key"},
		"stream": {"none", "InvalidSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, more := io.Pipe()
			r := beginReading(t, in, with(flags, "produce", c.stream)...)
			_, err := io.WriteString(more, "a\n")
			require.NoError(t, err)
			require.Equal(t, statusFailed, r.wait(t))
			require.Contains(t, r.err.String(), "gst-kinesis: writing to stream "+c.stream+": ")
			require.Contains(t, r.err.String(), c.want)
			require.Contains(t, r.err.String(), `ended-by="an error"`)
		})
	}
	srv2, flags2 := endpoint(t, local.Settings{})
	_ = srv2
	r := begin(t, "a\n", with(flags2, "produce", "none")...)
	require.Equal(t, statusFailed, r.wait(t))
	require.Contains(t, r.err.String(), "create it: gst-kinesis stream create none --shards 1")
	require.Contains(t, r.err.String(), "dropped 1 (ResourceNotFoundException 1)")
	r = begin(t, "long line\n", with(flags2, "produce", "none", "--max-record", "4", "--oversize", "error")...)
	require.Equal(t, statusFailed, r.wait(t))
	require.Contains(t, r.err.String(), "raise --max-record if the stream takes larger ones, or set --oversize to drop or split")
}

func TestProduceRepeats(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("file", "in", "time"), Limits: local.LimitsNone})
	path := file(t, "lines", "a\nb\n")
	r := begin(t, "", with(flags, "produce", "file", path, "--repeat", "3", "--key", "k")...)
	require.Zero(t, r.wait(t), r.err)
	_, got := stored(t, srv, "file")
	require.Equal(t, strings.Split("abababa", "")[:6], got)

	r = begin(t, "a\nb\n", with(flags, "produce", "in", "--repeat", "3", "--key", "k")...)
	require.Zero(t, r.wait(t), r.err)
	_, got = stored(t, srv, "in")
	require.Equal(t, strings.Split("abababa", "")[:6], got, "what can be read only once is kept")

	r = begin(t, "", with(flags, "produce", "time", path, "--repeat", "forever", "--rate", "200/s", "--duration", "300ms")...)
	require.Zero(t, r.wait(t), r.err)
	require.Contains(t, r.err.String(), "ended-by=duration")
	_, got = stored(t, srv, "time")
	require.NotEmpty(t, got)
	require.LessOrEqual(t, len(got), 200)

	r = begin(t, "", with(flags, "produce", "in", "--repeat", "0")...)
	require.Zero(t, r.wait(t), "there is nothing to repeat")
}

// A dry run needs no network, no region and no credentials.
func TestProduceDryRun(t *testing.T) {
	t.Parallel()
	in := "{\"id\":\"a\"}\n{\"id\":\"b\",\"x\":\"0123456789\"}\n{\"id\":\"a\"}\n{}\n"
	r := begin(t, in, "produce", "s", "--dry-run", "--format", "ndjson", "--key-field", "id", "--max-record", "20", "--repeat", "forever", "--rate", "1/s")
	require.Equal(t, statusIncomplete, r.wait(t))
	require.Equal(t, `would send 4 records (49 B, largest 27 B) to s
would drop 1 records larger than 20 bytes; raise --max-record if the stream takes larger ones, or set --oversize split
would drop 1 records without a key; the first: looking for "id" in a record: no text or number there
KEY  RECORDS  BYTES
b    1        27
a    2        20
`, r.out.String())
	require.Equal(t, "gst-kinesis: produce: 2 records would not be delivered\n", r.err.String())

	r = begin(t, "a\nb\n", "produce", "arn:aws:kinesis:eu-west-1:123456789012:stream/s", "--dry-run")
	require.Zero(t, r.wait(t), r.err)
	require.Equal(t, "would send 2 records (2 B, largest 1 B) to s\neach record has a random key\n", r.out.String())

	var many bytes.Buffer
	for i := range 30 {
		fmt.Fprintf(&many, "{\"id\":%d}\n", i)
	}
	r = begin(t, many.String(), "produce", "s", "--dry-run", "--key-field", "id")
	require.Zero(t, r.wait(t), r.err)
	require.Regexp(t, regexp.MustCompile(`(?m)^\(others\) +10 +80$`), r.out.String())
}

func TestProduceUsage(t *testing.T) {
	t.Parallel()
	path := file(t, "x", "x\n")
	for _, c := range []struct {
		args string
		want string
	}{
		{"", "give the STREAM's name or ARN"},
		{"s --format csv", `--format: reading a format: "csv" is none of`},
		{"s --repeat often", "is neither a number nor forever"},
		{"s --repeat -1", "is neither a number nor forever"},
		{"s --rate fast", `"fast" is no rate: give records a second, such as 100/s, or bytes a second, such as 500kB/s`},
		{"s --duration=-1s", "must not be negative"},
		{"s --drain-timeout=-1s", "must not be negative"},
		{"s - -", "standard input can be read only once"},
		{"s --key a --key-field b", "give one of them"},
		{"s --partition-key-mode static", "--key and --partition-key-mode static go together, and the mode is static"},
		{"s --key a --partition-key-mode random", "go together, and the mode is random"},
		{"s --partition-key-mode field", "--key-field and --partition-key-mode field go together"},
		{"s --partition-key-mode spread", "--partition-key-mode spread needs --sensor-name"},
		{"s --sensor-name x", "go with --partition-key-mode sensor-name or spread, not random"},
		{"s --partition-key-mode spread --sensor-name x --explicit-hash-key 1", "leave --explicit-hash-key out"},
		{"s --partition-key-mode round", "is none of sensor-name, random, static, spread, field"},
		{"s --explicit-hash-key x", `--explicit-hash-key "x"`},
		{"s --ordering total", "neither best-effort nor strict"},
		{"s --aggregation all", "--aggregation:"},
		{"s --aggregation newline --compression gzip", "leave one of them out"},
		{"s --compression lzma", "--compression:"},
		{"s --oversize cut", "--oversize:"},
		{"s --rate-limit half", "--rate-limit:"},
		{"s --wire xml", "--wire:"},
		{"s --max-record lots", `--max-record "lots" is no size`},
		{"s --max-record 11MiB", "max-record-size is"},
		{"s --max-in-flight 0", "max-in-flight is 0"},
		{"s --little-endian", "--little-endian goes with --format length-prefixed, not auto"},
		{"s --keep-newline --format msgpack", "--keep-newline goes with --format lines or ndjson, not msgpack"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"produce"}, strings.Fields(c.args)...)
			status, out, stderr := run(t, args...)
			require.Equal(t, statusUsage, status, stderr)
			require.Empty(t, out)
			require.Contains(t, stderr, c.want)
			require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		})
	}
	began := time.Now()
	status, _, stderr := run(t, "produce", "s", path, "--access-key", "a")
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "set both or neither")
	require.Less(t, time.Since(began), 5*time.Second)
}
