package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/deadletter"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/producer"
)

// graveyard is a directory of letters.
type graveyard struct {
	t   *testing.T
	dir string
	uri string
}

func newGraveyard(t *testing.T) *graveyard {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "dead")
	return &graveyard{t: t, dir: dir, uri: "file:" + dir}
}

// open opens it for the letters of a stream.
func (g *graveyard) open(stream string) deadletter.Place {
	g.t.Helper()
	target, err := deadletter.Parse(g.uri)
	require.NoError(g.t, err)
	place, err := deadletter.Open(context.Background(), target, deadletter.Settings{Stream: stream, Region: local.DefaultRegion})
	require.NoError(g.t, err)
	g.t.Cleanup(func() { require.NoError(g.t, place.Close()) })
	return place
}

// add writes letters for a stream.
func (g *graveyard) add(stream string, letters ...producer.Letter) {
	g.t.Helper()
	require.NoError(g.t, g.open(stream).Write(context.Background(), letters))
}

func (g *graveyard) files() []string {
	g.t.Helper()
	list, err := filepath.Glob(filepath.Join(g.dir, "letters-*"))
	require.NoError(g.t, err)
	return list
}

func letter(reason, key, data string) producer.Letter {
	return producer.Letter{Reason: reason, PartitionKey: key, Data: []byte(data), PTS: producer.NoPTS, Tries: 2, Accepted: time.Now()}
}

// storedIn gives the data in a stream, sorted.
func storedIn(t *testing.T, srv *local.Server, stream string) (data []string) {
	t.Helper()
	records, err := srv.Records(stream)
	require.NoError(t, err)
	for _, r := range records {
		data = append(data, r.PartitionKey+": "+string(r.Data))
	}
	sort.Strings(data)
	return data
}

// TestRedriveWhatAProducerGaveUp: a producer loses records to an endpoint that fails, which become
// letters; when the endpoint works again they are sent, and everything has arrived once.
func TestRedriveWhatAProducerGaveUp(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("cams"), Limits: local.LimitsNone, Seed: 1, Faults: []local.Rule{
		{Operations: []string{"PutRecords"}, Probability: 0.6, Record: &fault.Failure{Code: "InternalFailure", Message: "no"}},
	}})
	g := newGraveyard(t)
	set := producer.Default()
	set.Stream, set.Region, set.RetryAttempts = "cams", local.DefaultRegion, 1
	p, err := producer.New(localtest.Client(srv, localtest.AnyCredentials()), set, nil, producer.WithDeadLetters(g.open("cams")))
	require.NoError(t, err)
	var want []string
	for i := range 300 {
		data := fmt.Sprintf("record %03d", i)
		r := p.Reserve(len(data))
		copy(r.Data, data)
		r.PartitionKey, r.PTS = fmt.Sprint("k", i%7), uint64(i)
		want = append(want, r.PartitionKey+": "+data)
		require.NoError(t, p.Put(context.Background(), r))
	}
	require.NoError(t, p.Flush(context.Background()))
	p.Close()
	books := p.Books()
	require.True(t, books.Balanced())
	dead := books.DeadLettered.Records
	require.Greater(t, dead, int64(20))
	require.EqualValues(t, 300, books.Delivered.Records+dead)
	srv.ClearFaults()

	status, out, stderr := run(t, with(flags, "redrive", g.uri, "--dry-run")...)
	require.Zero(t, status, stderr)
	require.Regexp(t, fmt.Sprintf(`(?m)^retries +%d +\S+ k?B +20\S+Z +20\S+Z$`, dead), out)
	require.Len(t, storedIn(t, srv, "cams"), 300-int(dead), "nothing was sent")

	status, _, stderr = run(t, with(flags, "redrive", g.uri)...)
	require.Zero(t, status, stderr)
	require.Contains(t, stderr, fmt.Sprintf("redrive to cams: accepted %d (", dead))
	require.Contains(t, stderr, fmt.Sprintf("delivered %d, dropped 0, in flight 0", dead))
	require.Contains(t, stderr, fmt.Sprintf("letters=%d delivered=%d removed=%d left=0", dead, dead, dead))
	sort.Strings(want)
	require.Equal(t, want, storedIn(t, srv, "cams"))
	require.Empty(t, g.files())
	status, _, stderr = run(t, with(flags, "redrive", g.uri)...)
	require.Zero(t, status, stderr)
	require.Contains(t, stderr, "letters=0")
	require.Equal(t, want, storedIn(t, srv, "cams"))
}

// TestRedriveChooses sends some letters, and keeps what was not chosen.
func TestRedriveChooses(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("a", "b", "other")})
	g := newGraveyard(t)
	g.add("a", letter("ttl", "k", "1"), letter("retries", "k", "2"), letter("ttl", "l", "3"))
	g.add("b", letter("ttl", "k", "4"))
	status, _, stderr := run(t, with(flags, "redrive", g.uri, "--reason", "retries")...)
	require.Zero(t, status, stderr)
	require.Contains(t, stderr, "not-chosen=3")
	require.Equal(t, []string{"k: 2"}, storedIn(t, srv, "a"))
	status, _, stderr = run(t, with(flags, "redrive", g.uri, "--partition-key", "l", "--keep")...)
	require.Zero(t, status, stderr)
	require.Equal(t, []string{"k: 2", "l: 3"}, storedIn(t, srv, "a"))
	status, _, stderr = run(t, with(flags, "redrive", g.uri, "--since", "0s")...)
	require.Zero(t, status, stderr)
	status, _, stderr = run(t, with(flags, "redrive", g.uri, "--until", "1h")...)
	require.Zero(t, status, stderr)
	require.Empty(t, storedIn(t, srv, "b"))
	status, _, stderr = run(t, with(flags, "redrive", g.uri, "--stream", "other", "--partition-key", "l", "--rate", "100/s")...)
	require.Zero(t, status, stderr)
	require.Equal(t, []string{"l: 3"}, storedIn(t, srv, "other"))
	status, _, stderr = run(t, with(flags, "redrive", g.uri)...)
	require.Zero(t, status, stderr)
	require.Equal(t, []string{"k: 1", "k: 2", "l: 3"}, storedIn(t, srv, "a"))
	require.Equal(t, []string{"k: 4"}, storedIn(t, srv, "b"))
	require.Empty(t, g.files())
}

// TestRedriveLeaves: what cannot be delivered stays, and the exit status says so.
func TestRedriveLeaves(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s"), Limits: local.LimitsNone})
	g := newGraveyard(t)
	large := strings.Repeat("x", 3<<20)
	g.add("s", letter("oversize", "k", large), letter("bad-key", "", "no key"), letter("ttl", "k", "good"))
	status, _, stderr := run(t, with(flags, "redrive", g.uri)...)
	require.Equal(t, statusIncomplete, status)
	require.Contains(t, stderr, "dropped 1 (oversize 1)")
	require.Contains(t, stderr, "gst-kinesis: redrive: 2 of 3 letters were not delivered and are still in "+g.uri)
	require.Equal(t, []string{"k: good"}, storedIn(t, srv, "s"))
	status, _, stderr = run(t, with(flags, "redrive", g.uri, "--reason", "bad-key")...)
	require.Equal(t, statusIncomplete, status)
	require.Contains(t, stderr, "1 letters have no valid partition key and are still in "+g.uri+"; give one with --key")
	status, _, stderr = run(t, with(flags, "redrive", g.uri, "--key", "mine", "--oversize", "split")...)
	require.Zero(t, status, stderr)
	require.Empty(t, g.files())
	require.Contains(t, storedIn(t, srv, "s"), "mine: no key")
	status, _, stderr = run(t, with(flags, "consume", "s", "--from", "trim-horizon", "--follow=false", "--save", filepath.Join(t.TempDir(), "out"))...)
	require.Zero(t, status, stderr)
	require.Contains(t, stderr, fmt.Sprint("bytes=", len(large)+len("no key")+len("good")))
}

// TestRedriveToNowhere: a stream that fails keeps its letters, and the others go on.
func TestRedriveToNowhere(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	g := newGraveyard(t)
	g.add("gone", letter("ttl", "k", "1"))
	g.add("s", letter("ttl", "k", "2"))
	status, _, stderr := run(t, with(flags, "redrive", g.uri)...)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "gst-kinesis: sending letters to stream gone: ResourceNotFoundException")
	require.Contains(t, stderr, "gst-kinesis stream create gone")
	require.Equal(t, []string{"k: 2"}, storedIn(t, srv, "s"))
	_, out, _ := run(t, "redrive", g.uri, "--list")
	require.Regexp(t, regexp.MustCompile(`^Written=20\S+ Accepted=20\S+ Reason=ttl Tries=2 Stream=gone Region=us-east-1 PartitionKey=k Bytes=1\n$`), out)
}

// TestRedriveInterrupted: what was delivered until then is taken out, the rest stays.
func TestRedriveInterrupted(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s")})
	g := newGraveyard(t)
	var letters []producer.Letter
	for i := range 100 {
		letters = append(letters, letter("ttl", "k", fmt.Sprint(i)))
	}
	g.add("s", letters...)
	r := begin(t, "", with(flags, "redrive", g.uri, "--rate", "20/s", "--status-interval", "50ms")...)
	require.Eventually(t, func() bool { return len(storedIn(t, srv, "s")) > 3 }, 20*time.Second, 10*time.Millisecond)
	r.stop()
	require.Equal(t, statusIncomplete, r.wait(t))
	require.Contains(t, r.err.String(), "redrive: interrupted; what was not delivered is still in "+g.uri)
	require.Contains(t, r.err.String(), "msg=status letters=")
	require.Less(t, len(storedIn(t, srv, "s")), 100)
	status, _, stderr := run(t, with(flags, "redrive", g.uri)...)
	require.Zero(t, status, stderr)
	require.Len(t, storedIn(t, srv, "s"), 100, "each once")
	require.Empty(t, g.files())
}

// TestRedriveFromAStream: letters in a stream are sent, and stay there.
func TestRedriveFromAStream(t *testing.T) {
	t.Parallel()
	srv, flags := endpoint(t, local.Settings{Create: streams("s", "dead")})
	target, err := deadletter.Parse("kinesis://us-east-1/dead")
	require.NoError(t, err)
	status, out, _ := run(t, with(flags, "redrive", target.String(), "--dry-run")...)
	require.Zero(t, status)
	require.Regexp(t, `(?m)^all +0 +0 B +- +-$`, out)
	data := string(must(deadletterRecord(t, "s")))
	put(t, srv, "dead", "k", []byte(data))
	put(t, srv, "dead", "k", []byte("no letter"))
	status, _, stderr := run(t, with(flags, "redrive", target.String())...)
	require.Equal(t, statusIncomplete, status)
	require.Contains(t, stderr, "reading a dead letter in stream dead, shardId-")
	require.Contains(t, stderr, "1 damaged letters in kinesis://us-east-1/dead could not be read")
	require.Contains(t, stderr, "letters that come from now on are found by --since")
	require.Equal(t, []string{"k: hello"}, storedIn(t, srv, "s"))
}

// deadletterRecord is a letter's line, as a place writes it.
func deadletterRecord(t *testing.T, stream string) ([]byte, error) {
	g := newGraveyard(t)
	g.add(stream, letter("ttl", "k", "hello"))
	return os.ReadFile(g.files()[0])
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

func TestRedriveUsage(t *testing.T) {
	t.Parallel()
	dir := "file:" + t.TempDir()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no target":   {nil, "redrive: give the TARGET, file:DIR, kinesis://REGION/STREAM or s3://BUCKET/PREFIX"},
		"no URI":      {[]string{"/dead"}, "write file:DIR, kinesis://REGION/STREAM or s3://BUCKET/PREFIX"},
		"a time":      {[]string{dir, "--since", "noon"}, `--since "noon" is neither a time`},
		"a rate":      {[]string{dir, "--rate", "fast"}, `"fast" is no rate`},
		"a stream":    {[]string{dir, "--stream", "a b"}, "a name consists of"},
		"a key":       {[]string{dir, "--key", strings.Repeat("k", 257)}, "at most 256 characters"},
		"oversize":    {[]string{dir, "--oversize", "error"}, "neither drop nor split"},
		"a size":      {[]string{dir, "--max-record", "11MiB"}, "max-record-size"},
		"both":        {[]string{dir, "--list", "--dry-run"}, "give one of them"},
		"an interval": {[]string{dir, "--status-interval=-1s"}, "must not be negative"},
	} {
		status, _, stderr := run(t, append([]string{"redrive"}, c.args...)...)
		require.Equal(t, statusUsage, status, name)
		require.Contains(t, stderr, c.want, name)
	}
	status, _, stderr := run(t, "redrive", dir+"none")
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "opening the dead letters in "+dir+"none")
}

// What letters say does nothing to a terminal, and does not take memory without end.
func TestRedriveShowsHostileLetters(t *testing.T) {
	t.Parallel()
	g := newGraveyard(t)
	g.add("a", letter("\x1b[2J\n", "\x1b]0;k\a", "1"))
	_, out, _ := run(t, "redrive", g.uri, "--dry-run")
	require.Regexp(t, `(?m)^"\\x1b\[2J\\n" +1 +1 B`, out)
	_, list, _ := run(t, "redrive", g.uri, "--list")
	require.NotContains(t, out+list, "\x1b")
	all := newTally()
	for i := range 2 * maxTalliedReasons {
		all.add(&deadletter.Letter{Letter: letter(fmt.Sprint("r", i), "k", "")})
	}
	require.LessOrEqual(t, len(all.reasons), maxTalliedReasons+1)
	require.Equal(t, 2*maxTalliedReasons, all.all.letters)
}
