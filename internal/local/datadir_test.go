package local_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

// childDir names the data directory of the endpoint that this test binary is to be, when it is set.
const childDir = "LOCAL_TEST_DATA_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

// child is an endpoint in a process of its own; it prints its URL and lives until it is killed.
func child(dir string) int {
	srv, err := local.New(local.Settings{DataDir: dir, Limits: local.LimitsNone, Create: []local.StreamSpec{{Name: "demo", Shards: 2}},
		VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(srv.URL())
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
}

// startChild runs the endpoint and returns its URL and what kills it.
func startChild(t *testing.T, dir string) (url string, kill func()) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	_, err = cmd.StdinPipe() // held open: the child waits on it
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "http://", "the child says: %s", line)
	return strings.TrimSpace(line), func() {
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // it says that it was killed
	}
}

func TestKill9(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	accepted := map[string]string{}
	n := 0
	for round := range 5 {
		url, kill := startChild(t, dir)
		c := localtest.ClientAt(url, localtest.AnyCredentials())
		requireAll(t, c, accepted)
		timer := time.AfterFunc(time.Duration(20+rand.IntN(150))*time.Millisecond, kill)
		for {
			var entries []types.PutRecordsRequestEntry
			for range 20 {
				n++
				entries = append(entries, entry(fmt.Sprint("key", n), []byte(strings.Repeat(fmt.Sprint(n), 50))))
			}
			out, err := c.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: aws.String("demo"), Records: entries})
			if err != nil {
				break
			}
			for i, r := range out.Records {
				require.NotContains(t, accepted, *r.SequenceNumber, "round %d", round)
				accepted[*r.SequenceNumber] = string(entries[i].Data)
			}
		}
		require.False(t, timer.Stop(), "the endpoint failed before it was killed")
	}
	url, kill := startChild(t, dir)
	defer kill()
	c := localtest.ClientAt(url, localtest.AnyCredentials())
	requireAll(t, c, accepted)
	require.NotEmpty(t, accepted)
}

// requireAll fails unless the stream holds every accepted record.
func requireAll(t *testing.T, c *kinesis.Client, accepted map[string]string) {
	t.Helper()
	missing := len(accepted)
	for _, id := range []string{"shardId-000000000000", "shardId-000000000001"} {
		it, err := c.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{StreamName: aws.String("demo"), ShardId: &id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
		require.NoError(t, err)
		for next := it.ShardIterator; next != nil; {
			out, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: next})
			require.NoError(t, err)
			for _, r := range out.Records {
				if want, ok := accepted[*r.SequenceNumber]; ok {
					require.Equal(t, want, string(r.Data))
					missing--
				}
			}
			if next = out.NextShardIterator; len(out.Records) == 0 {
				break
			}
		}
	}
	require.Zero(t, missing, "accepted records are gone")
}

func TestDataDirThroughRestarts(t *testing.T) {
	t.Parallel()
	set := demo(3)
	set.DataDir = t.TempDir()
	first := newBench(t, set)
	_, err := first.put()
	require.NoError(t, err)
	it, err := first.client.GetShardIterator(first.ctx, &kinesis.GetShardIteratorInput{StreamName: aws.String("demo"), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	require.NoError(t, err)
	_, err = local.New(set)
	require.ErrorContains(t, err, "in use by another endpoint")
	require.NoError(t, first.srv.Close(t.Context()))

	second := newBench(t, set)
	require.Equal(t, 3, second.stored())
	out, err := second.client.GetRecords(second.ctx, &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	require.NoError(t, err, "iterators outlive a restart")
	require.Len(t, out.Records, 1)
	_, err = second.client.DeleteStream(second.ctx, &kinesis.DeleteStreamInput{StreamName: aws.String("demo")})
	require.NoError(t, err)
	require.NoError(t, second.srv.Close(t.Context()))

	set.Create = nil
	third := newBench(t, set)
	list, err := third.client.ListStreams(third.ctx, &kinesis.ListStreamsInput{})
	require.NoError(t, err)
	require.Empty(t, list.StreamNames)
}
