package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

// safeBuffer is written by a command and read by its test.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
	// grew is told of each write.
	grew chan struct{}
}

func newBuffer() *safeBuffer { return &safeBuffer{grew: make(chan struct{}, 1)} }

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.buf.Write(p)
	select {
	case b.grew <- struct{}{}:
	default:
	}
	return n, err
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// waitFor waits until a text was written.
func (b *safeBuffer) waitFor(t *testing.T, text string) string {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		if s := b.String(); strings.Contains(s, text) {
			return s
		}
		select {
		case <-b.grew:
		case <-timeout:
			t.Fatalf("no %q in:\n%s", text, b.String())
		}
	}
}

// running is a command under way.
type running struct {
	out, err *safeBuffer
	stop     context.CancelFunc
	done     chan struct{}
	status   int // after done
}

// begin starts a command in process.
func begin(t *testing.T, in string, args ...string) *running {
	t.Helper()
	return beginReading(t, strings.NewReader(in), args...)
}

// beginReading starts a command whose standard input may take its time.
func beginReading(t *testing.T, in io.Reader, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{out: newBuffer(), err: newBuffer(), stop: cancel, done: make(chan struct{})}
	p := &program{in: in, out: r.out, err: r.err, now: time.Now}
	go func() {
		defer close(r.done)
		r.status = p.run(ctx, append([]string{"gst-kinesis"}, args...))
	}()
	t.Cleanup(func() {
		cancel()
		r.wait(t)
	})
	return r
}

// wait waits for the end of the command.
func (r *running) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-r.done:
		return r.status
	case <-time.After(20 * time.Second):
		t.Fatalf("it does not end; it wrote:\n%s\n%s", r.out, r.err)
		return -1
	}
}

// run runs a command to its end.
func run(t *testing.T, args ...string) (status int, out, err string) {
	t.Helper()
	r := begin(t, "", args...)
	status = r.wait(t)
	return status, r.out.String(), r.err.String()
}

// endpoint starts the embedded endpoint and returns it with the flags for it.
func endpoint(t *testing.T, set local.Settings) (*local.Server, []string) {
	t.Helper()
	srv := localtest.Start(t, set)
	return srv, []string{"--endpoint-uri", srv.URL(), "--region", local.DefaultRegion, "--access-key", "a", "--secret-access-key", "s"}
}

func streams(names ...string) []local.StreamSpec {
	var specs []local.StreamSpec
	for _, n := range names {
		specs = append(specs, local.StreamSpec{Name: n, Shards: 2})
	}
	return specs
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown command":    {[]string{"frobnicate"}, `there is no command "frobnicate" (see gst-kinesis --help)`},
		"unknown subcommand": {[]string{"stream", "burn"}, `there is no command "burn" (see gst-kinesis stream --help)`},
		"unknown flag":       {[]string{"consume", "s", "--frob"}, `flag provided but not defined: -frob (see gst-kinesis consume --help)`},
		"bad number":         {[]string{"consume", "s", "--count", "x"}, `invalid value "x" for flag -count`},
		"no stream":          {[]string{"consume"}, "gst-kinesis: consume: give the STREAM's name or ARN (see gst-kinesis consume --help)"},
		"two streams":        {[]string{"consume", "a", "b"}, `"b" is one argument too many`},
		"bad time":           {[]string{"consume", "s", "--from", "noon"}, `--from "noon" is neither latest, trim-horizon, nor a time`},
		"negative count":     {[]string{"consume", "s", "--count=-1"}, "must not be negative"},
		"log level":          {[]string{"version", "--log-level", "loud"}, `--log-level "loud" is none of`},
		"shards on demand":   {[]string{"stream", "create", "s", "--mode", "on-demand", "--shards", "2"}, "--shards goes with --mode provisioned"},
		"no shards":          {[]string{"stream", "create", "s", "--shards", "0"}, "at least one"},
		"mode":               {[]string{"stream", "create", "s", "--mode", "fast"}, "neither provisioned nor on-demand"},
		"create what":        {[]string{"stream", "create"}, "stream create: give the stream's NAME"},
		"inspect what":       {[]string{"inspect"}, "give a FILE, - for standard input, or --stream"},
		"inspect none":       {[]string{"inspect", "--stream", "s", "--count", "0"}, "at least one"},
		"half a key":         {[]string{"local", "--access-key", "a"}, "go together"},
		"a size":             {[]string{"local", "--max-bytes", "lots"}, `"lots" is no size`},
		"a port":             {[]string{"local", "--port", "70000"}, "is no port"},
		"a stream's spec":    {[]string{"local", "--create", "a:b"}, "NAME:SHARDS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, out, err := run(t, c.args...)
			require.Equal(t, statusUsage, status, err)
			require.Empty(t, out)
			require.Contains(t, err, c.want)
			require.True(t, strings.HasPrefix(err, "gst-kinesis: "), err)
			require.Equal(t, 1, strings.Count(err, "\n"), "one line: %s", err)
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"--help"}, {"stream"}, {"stream", "--help"}, {"consume", "--help"}} {
		status, out, err := run(t, args...)
		require.Zero(t, status, err)
		require.Contains(t, out, "USAGE")
	}
	status, out, _ := run(t, "version")
	require.Zero(t, status)
	require.Regexp(t, `^gst-kinesis \d+\.\d+\.\d+ \(go\S+, \w+/\w+, with(out)? GStreamer\)\n$`, out)
}

func TestPermute(t *testing.T) {
	t.Parallel()
	app := &cli.App{
		Flags: []cli.Flag{&cli.StringFlag{Name: "log-level"}},
		Commands: []*cli.Command{
			{Name: "consume", Aliases: []string{"c"}, Flags: []cli.Flag{&cli.IntFlag{Name: "count", Aliases: []string{"n"}}, &cli.BoolFlag{Name: "json"}}},
			{Name: "stream", Subcommands: []*cli.Command{{Name: "create", Flags: []cli.Flag{&cli.IntFlag{Name: "shards"}}}}},
			{Name: "camera", SkipFlagParsing: true},
		},
	}
	for in, want := range map[string]string{
		"":                                     "",
		"consume s":                            "consume s",
		"consume s --count 3 --json":           "consume --count 3 --json s",
		"consume s -n 3":                       "consume -n 3 s",
		"c s --json -":                         "c --json s -",
		"consume s --count=3 t":                "consume --count=3 s t",
		"stream create x --shards 2":           "stream create --shards 2 x",
		"stream create x --log-level debug":    "--log-level debug stream create x",
		"--log-level debug stream create x":    "--log-level debug stream create x",
		"consume s --frob 3":                   "consume --frob s 3",
		"consume --json -- --count 3 ! x":      "consume --json -- --count 3 ! x",
		"consume s --json -- --count 3":        "consume --json s -- --count 3",
		"consume s consume":                    "consume s consume",
		"consume s --count":                    "consume --count s",
		"stream --shards create x --help":      "stream --shards create --help x",
		"nothing --log-level=debug --count 3":  "--log-level=debug --count nothing 3",
		"consume --log-level --count --json s": "--log-level --count consume --json s",
		"camera --port 0 --count 3 x --json":   "camera --port 0 --count 3 x --json",
	} {
		got := permute(app, append([]string{"gst-kinesis"}, strings.Fields(in)...))
		require.Equal(t, "gst-kinesis "+want, strings.TrimSpace(strings.Join(got, " "))+strings.Repeat(" ", btoi(want == "")), in)
	}
	require.Empty(t, permute(app, nil))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-02T03:04:05Z":        now,
		"2026-01-02T04:04:05.5+01:00": now.Add(500 * time.Millisecond),
		"2026-01-02T03:04:05":         time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local),
		"2026-01-02 03:04:05":         time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local),
		"2026-01-02T03:04":            time.Date(2026, 1, 2, 3, 4, 0, 0, time.Local),
		"2026-01-02":                  time.Date(2026, 1, 2, 0, 0, 0, 0, time.Local),
		"10m":                         now.Add(-10 * time.Minute),
		"-10m":                        now.Add(-10 * time.Minute),
		"1767366245.5":                time.UnixMilli(1767366245500),
		"0":                           now,
		"1767366245":                  time.Unix(1767366245, 0),
	} {
		got, ok := parseTime(text, now)
		require.True(t, ok, text)
		require.True(t, want.Equal(got), "%s: %s", text, got)
	}
	for _, text := range []string{"", "noon", "--10m", "1e300", "NaN", "-5", "2026-13-01"} {
		_, ok := parseTime(text, now)
		require.False(t, ok, text)
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"1000": 1000, "64MiB": 64 << 20, "1.5 GB": 1.5e9, "2K": 2048, "1kB": 1000, "7B": 7} {
		got, err := parseSize(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "0", "-1", "MiB", "1XB", "1e30", "NaN"} {
		_, err := parseSize(text)
		require.Error(t, err, text)
	}
}
