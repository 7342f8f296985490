package judges

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/tests/kit"
)

// The counterpart: another implementation of the service, by other people in another language.
const counterpart = "kinesis-local@0.6.2"

// TestAnotherEndpoint: the same records arrive at kinesis-local in place of our endpoint.
func TestAnotherEndpoint(t *testing.T) {
	t.Parallel()
	url := startCounterpart(t)
	createStream(t, url)
	list := branches()
	dir := write(t, url, list)
	compare(t, dir, read(t, url), list)
}

// install gets the package once; the registry may need a second try.
func install(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		_, err := exec.LookPath(program)
		require.NoError(t, err, "this test runs kinesis-local, which needs node and npm (Debian: apt-get install nodejs npm)")
	}
	dir := kit.Cache(t, counterpart, func(dir string) error {
		var err error
		for try := range 4 {
			if try > 0 {
				time.Sleep(time.Duration(try) * 3 * time.Second) // as the registry asks of those who come again
			}
			c := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix", dir, counterpart)
			c.Dir = dir
			var out []byte
			if out, err = c.CombinedOutput(); err == nil {
				return nil
			}
			err = fmt.Errorf("npm install %s: %w\n%s", counterpart, err, out)
		}
		return err
	})
	return filepath.Join(dir, "node_modules", "kinesis-local")
}

// startCounterpart starts it on free ports and waits until it is healthy.
func startCounterpart(t *testing.T) string {
	t.Helper()
	dir := install(t)
	plain, tls := freePort(t), freePort(t)
	p := kit.Start(t, kit.Environ(fmt.Sprintf("KINESIS_MOCK_PLAIN_PORT=%d", plain), fmt.Sprintf("KINESIS_MOCK_TLS_PORT=%d", tls), "SHARD_LIMIT=100",
		"CREATE_STREAM_DURATION=10ms", "LOAD_DATA_IF_EXISTS=false", "KINESIS_MOCK_CERT_PATH="+filepath.Join(dir, "server.json")),
		"node", filepath.Join(dir, "main.js"))
	url := fmt.Sprintf("http://127.0.0.1:%d", plain)
	kit.Until(t, "kinesis-local is healthy", func() bool {
		select {
		case <-p.Done():
			t.Fatalf("kinesis-local has ended:\n%s%s", p.Out(), p.Err())
		default:
		}
		r, err := http.Get(url + "/healthcheck")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	return url
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func createStream(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), kit.Limit)
	defer cancel()
	client := kinesis.New(kinesis.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	_, err := client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String(stream), ShardCount: aws.Int32(2)})
	require.NoError(t, err)
	waiter := kinesis.NewStreamExistsWaiter(client, func(o *kinesis.StreamExistsWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
	require.NoError(t, waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: aws.String(stream)}, kit.Limit))
}
