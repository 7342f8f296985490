package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/spool"
)

// refused are rules by which nothing is taken.
func refused() []local.Rule {
	return []local.Rule{{Operations: []string{"PutRecords", "PutRecord"}, Error: &fault.Failure{Code: "InternalFailure", Message: "no", Status: 500}}}
}

// numbers gives lines with the numbers from a to b.
func numbers(a, b int) (lines string, each []string) {
	for i := a; i <= b; i++ {
		each = append(each, fmt.Sprintf("%04d", i))
	}
	return strings.Join(each, "\n") + "\n", each
}

// left gives the records in a spool.
func left(t *testing.T, dir string) (data []string) {
	t.Helper()
	require.NoError(t, spool.Walk(t.Context(), dir, func(_ spool.ID, r spool.Record) error {
		data = append(data, string(r.Data))
		return nil
	}))
	return data
}

// What an outage leaves in the spool is told, and sent first by the next run, in order.
func TestProduceSpools(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s"), Limits: local.LimitsNone, Faults: refused()})
	dir := filepath.Join(t.TempDir(), "a spool")
	first, want := numbers(0, 299)
	args := with(flags, "produce", "s", "--key", "k", "--spool-directory", dir, "--spool-sync", "always", "--spool-max-age", "240h", "--spool-max-bytes", "10MiB")
	r := begin(t, first, append(args, "--drain-timeout", "100ms")...)
	require.Equal(t, statusIncomplete, r.wait(t), r.err)
	require.Contains(t, r.err.String(), "accepted 300 (1.2 kB), delivered 0, dropped 0, spooled 300, in flight 0\n")
	require.Contains(t, r.err.String(), `by-hand="gst-kinesis spool drain '`+dir+`' --stream s"`)
	require.Contains(t, r.err.String(), "gst-kinesis: produce: 300 accepted records are not delivered yet and still in the spool in "+dir+"\n")
	require.Equal(t, want, left(t, dir))

	srv.ClearFaults()
	second, more := numbers(300, 309)
	r = begin(t, second, args...)
	require.Zero(t, r.wait(t), r.err)
	require.Contains(t, r.err.String(), "what an earlier run left in the spool is sent first")
	require.Contains(t, r.err.String(), "accepted 310 (1.2 kB), delivered 310, dropped 0, in flight 0\n")
	_, got := stored(t, srv, "s")
	require.Equal(t, append(want, more...), got)
	require.Empty(t, left(t, dir))
}

// A spool is looked into and sent by hand; what the service does not take stays in it.
func TestSpoolDrain(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s"), Limits: local.LimitsNone, Faults: refused()})
	dir := filepath.Join(t.TempDir(), "spool")
	lines, want := numbers(0, 99)
	r := begin(t, lines, with(flags, "produce", "s", "--key", "k\x1b[31m", "--spool-directory", dir, "--drain-timeout", "100ms")...)
	require.Equal(t, statusIncomplete, r.wait(t), r.err)

	status, out, stderr := run(t, "spool", "inspect", dir)
	require.Zero(t, status, stderr)
	require.Regexp(t, `(?m)^Open in +no process$`, out)
	require.Regexp(t, `(?m)^Waiting +100 records, 400 B$`, out)
	require.Regexp(t, `(?m)^Accepted +20\S+Z to 20\S+Z$`, out)
	require.Regexp(t, `(?m)^Damage +none$`, out)
	require.Regexp(t, `(?m)^[0-9a-f]{16}-[0-9a-f]{8} +100 +400 B +\S+ kB +20\S+Z +20\S+Z +whole$`, out)
	status, out, stderr = run(t, "spool", "drain", dir, "--list")
	require.Zero(t, status, stderr)
	require.Equal(t, 100, strings.Count(out, "\n"))
	require.Regexp(t, `^Accepted=20\S+Z PartitionKey="k\\x1b\[31m" Bytes=4\n`, out)
	status, out, stderr = run(t, "spool", "drain", dir, "--dry-run", "--stream", "s")
	require.Zero(t, status, stderr)
	require.Contains(t, out, "would send 100 records (400 B, largest 4 B) to s\n")
	require.Regexp(t, `(?m)^"k\\x1b\[31m" +100 +400$`, out)

	srv.ClearFaults()
	status, _, stderr = run(t, with(flags, "spool", "drain", dir, "--stream", "none")...)
	require.Equal(t, statusFailed, status, stderr)
	require.Contains(t, stderr, "gst-kinesis: writing to stream none: ResourceNotFoundException")
	require.Contains(t, stderr, "spooled 100, in flight 0\n")
	require.Equal(t, want, left(t, dir))

	status, out, stderr = run(t, with(flags, "spool", "drain", dir, "--stream", "s", "--acks", "--ordering", "strict", "--max-bandwidth", "100M")...)
	require.Zero(t, status, stderr)
	require.Equal(t, 100, strings.Count(out, "SequenceNumber="))
	require.Contains(t, stderr, `ended-by="the end of the spool"`)
	require.Contains(t, stderr, "spool drain to s: accepted 100 (400 B), delivered 100, dropped 0, in flight 0\n")
	_, got := stored(t, srv, "s")
	require.Equal(t, want, got)
	status, _, stderr = run(t, with(flags, "spool", "drain", dir, "--stream", "s")...)
	require.Zero(t, status, stderr)
	require.Contains(t, stderr, "accepted 0 (0 B)")
}

// Who has a spool open is named; to look into it disturbs nobody.
func TestSpoolOfAnother(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spool")
	s, err := spool.Open(spool.Settings{Directory: dir})
	require.NoError(t, err)
	defer s.Close()
	at := time.Now().Truncate(time.Second)
	_, err = s.Append(spool.Record{Key: "k", PTS: 7, Accepted: at, Data: []byte("x")})
	require.NoError(t, err)
	status, _, stderr := run(t, "spool", "drain", dir, "--stream", "s", "--region", "eu-west-1")
	require.Equal(t, statusFailed, status)
	require.Equal(t, fmt.Sprintf("gst-kinesis: spool drain: %s is in use by process %d, which sends what is in it by itself; end that first "+
		"(gst-kinesis spool inspect looks without disturbing)\n", dir, os.Getpid()), stderr)
	status, out, stderr := run(t, "spool", "inspect", dir, "--json")
	require.Zero(t, status, stderr)
	var r spoolReport
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.True(t, r.Owned)
	require.Equal(t, os.Getpid(), r.Owner)
	require.Equal(t, 1, r.Records)
	require.True(t, at.Equal(r.Oldest))
	require.Len(t, r.Segments, 1)
	status, out, _ = run(t, "spool", "inspect", dir)
	require.Zero(t, status)
	require.Regexp(t, fmt.Sprintf(`(?m)^Open in +process %d$`, os.Getpid()), out)
	require.Contains(t, out, "being written")
	status, out, _ = run(t, "spool", "drain", dir, "--list")
	require.Zero(t, status)
	require.Contains(t, out, " PTS=7 PartitionKey=k Bytes=1\n")
	_, err = s.Append(spool.Record{Key: "k", Data: []byte("y")})
	require.NoError(t, err)
}

// What is damaged is shown, and what is whole is sent.
func TestSpoolDamaged(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	dir := filepath.Join(t.TempDir(), "spool")
	s, err := spool.Open(spool.Settings{Directory: dir})
	require.NoError(t, err)
	for _, data := range []string{"one", "two", "three"} {
		_, err = s.Append(spool.Record{Key: "k", Data: []byte(data)})
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	list, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	require.NoError(t, err)
	b, err := os.ReadFile(list[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(list[0], []byte(strings.Replace(string(b), "two", "2wo", 1)), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "LOCK"), []byte("77\n"), 0o600))

	_, out, _ := run(t, "spool", "inspect", dir)
	require.Regexp(t, `(?m)^Open in +no process; 77 ended without closing it, which loses nothing$`, out)
	require.Regexp(t, `(?m)^Damage +1 records are lost; \d+ bytes cannot be read$`, out)
	require.Regexp(t, `damaged\n$`, out)
	status, _, stderr := run(t, with(flags, "spool", "drain", dir, "--stream", "s")...)
	require.Equal(t, statusIncomplete, status, stderr)
	require.Contains(t, stderr, "delivered 2, dropped 1 (spool-damaged 1)")
	_, got := stored(t, srv, "s")
	require.Equal(t, []string{"one", "three"}, got)
	_, out, _ = run(t, "spool", "inspect", dir)
	require.Contains(t, out, ".seg.bad was damaged and is kept for a look at it")
}

// What can never be delivered becomes a dead letter, which redrive sends.
func TestProduceDeadLetters(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	g := newGraveyard(t)
	r := begin(t, "short\nthis one is too long\n", with(flags, "produce", "s", "--key", "k", "--max-record", "10", "--dead-letter", g.uri)...)
	require.Zero(t, r.wait(t), r.err)
	require.Contains(t, r.err.String(), "delivered 1, dropped 0, dead-lettered 1, in flight 0\n")
	require.Contains(t, r.err.String(), `again="gst-kinesis redrive `+g.uri+`"`)
	status, _, stderr := run(t, with(flags, "redrive", g.uri)...)
	require.Zero(t, status, stderr)
	require.Equal(t, []string{"k: short", "k: this one is too long"}, storedIn(t, srv, "s"))
}

// The link carries no more than it may.
func TestProduceWithinABandwidth(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	begun := time.Now()
	r := begin(t, strings.Repeat(strings.Repeat("x", 999)+"\n", 60), with(flags, "produce", "s", "--max-bandwidth", "400kbit/s")...)
	require.Zero(t, r.wait(t), r.err)
	require.Greater(t, time.Since(begun), 500*time.Millisecond, "60 kB at 50 kB/s")
	require.Len(t, storedIn(t, srv, "s"), 60)
}

func TestParseBandwidth(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint64{
		"500000": 500_000, "500k": 500_000, "2M": 2_000_000, "2Mbit/s": 2_000_000, "1.5 Mbps": 1_500_000, "1G": 1e9, "64 kbit/s": 64_000, "1bit/s": 1, "3 mbit": 3_000_000,
	} {
		got, err := parseBandwidth(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "0", "-1k", "fast", "2MB", "2MB/s", "k", "NaN", "Inf", "1e30", "2MiB", "0.1", "1kk"} {
		_, err := parseBandwidth(text)
		require.Error(t, err, text)
	}
}

// What cannot be meant is refused before anything happens.
func TestSpoolUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := spool.Open(spool.Settings{Directory: filepath.Join(dir, "spool")})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	for text, args := range map[string][]string{
		"--spool-sync goes with --spool-directory":                   {"produce", "s", "--spool-sync", "none"},
		`--spool-max-bytes "1k" is no size of 1MiB or more`:          {"produce", "s", "--spool-directory", dir, "--spool-max-bytes", "1k"},
		`"often" is none of always, interval, none`:                  {"produce", "s", "--spool-directory", dir, "--spool-sync", "often"},
		"--spool-max-age must not be negative":                       {"produce", "s", "--spool-directory", dir, "--spool-max-age", "-1s"},
		"--dead-letter: reading the dead-letter place":               {"produce", "s", "--dead-letter", "ftp://x"},
		`--max-bandwidth: "2MB" is no bandwidth: give bits a second`: {"produce", "s", "--max-bandwidth", "2MB"},
		"spool inspect: give the spool's DIR":                        {"spool", "inspect"},
		"spool drain: name the stream with --stream":                 {"spool", "drain", dir + "/spool"},
		"--list prints each record and --dry-run their numbers":      {"spool", "drain", dir + "/spool", "--list", "--dry-run"},
		`spool drain: --max-bandwidth: "x" is no bandwidth`:          {"spool", "drain", dir + "/spool", "--stream", "s", "--max-bandwidth", "x"},
		"--oversize error would stop at the same record each time":   {"spool", "drain", dir + "/spool", "--stream", "s", "--oversize", "error"},
		`there is no command "empty" (see gst-kinesis spool --help)`: {"spool", "empty"},
	} {
		status, _, stderr := run(t, args...)
		require.Equal(t, statusUsage, status, "%v: %s", args, stderr)
		require.Contains(t, stderr, text)
	}
	for _, command := range []string{"inspect", "drain"} {
		status, _, stderr := run(t, "spool", command, dir, "--log-level", "info")
		require.Equal(t, statusFailed, status)
		require.Equal(t, "gst-kinesis: spool "+command+": there is no spool in "+dir+"; give what spool-directory was set to\n", stderr)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing was made")
}
