package deadletter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/producer"
)

// The counterpart: a stand-in for S3 by other people in another language.
const counterpart = "s3rver@3.7.1"

// installCounterpart gets the package, once for this machine; the registry may need a second try.
func installCounterpart(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		_, err := exec.LookPath(program)
		require.NoError(t, err, "this test runs s3rver, which needs node and npm (Debian: apt-get install nodejs npm)")
	}
	base, err := os.UserCacheDir()
	if err != nil {
		base = t.TempDir()
	}
	base = filepath.Join(base, "gst-kinesis-tests")
	dir := filepath.Join(base, counterpart)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	require.NoError(t, os.MkdirAll(base, 0o755)) //nolint:gosec // a cache
	fresh, err := os.MkdirTemp(base, "new-*")
	require.NoError(t, err)
	for try := range 4 {
		time.Sleep(time.Duration(try) * 3 * time.Second)
		var out []byte
		c := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix", fresh, counterpart)
		c.Dir = fresh
		if out, err = c.CombinedOutput(); err == nil {
			break
		}
		t.Logf("npm install %s: %v\n%s", counterpart, err, out)
	}
	require.NoError(t, err)
	if err := os.Rename(fresh, dir); err != nil { // another test was faster
		require.NoError(t, os.RemoveAll(fresh))
		require.DirExists(t, dir)
	}
	return dir
}

// startS3 starts the counterpart with a bucket.
func startS3(t *testing.T) (Target, Settings) {
	t.Helper()
	dir := installCounterpart(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().(*net.TCPAddr)
	require.NoError(t, l.Close())
	c := exec.Command("node", filepath.Join(dir, "node_modules", "s3rver", "bin", "s3rver.js"), "--directory", t.TempDir(),
		"--address", "127.0.0.1", "--port", fmt.Sprint(addr.Port), "--no-vhost-buckets", "--configure-bucket", "dead")
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	url := "http://" + addr.String()
	require.Eventually(t, func() bool {
		r, err := http.Get(url) //nolint:gosec,noctx // loopback
		if err != nil {
			return false
		}
		return r.Body.Close() == nil
	}, 60*time.Second, 50*time.Millisecond)
	target, err := Parse("s3://dead/letters/cams?endpoint-uri=" + url)
	require.NoError(t, err)
	aws := awscfg.Settings{Region: local.DefaultRegion, AccessKey: "S3RVER", SecretAccessKey: "S3RVER", RequestTimeout: 10 * time.Second}
	return target, Settings{Stream: "cams", Region: local.DefaultRegion, AWS: aws}
}

func objectKeys(t *testing.T, target Target, set Settings) (keys []string) {
	t.Helper()
	set.fill()
	shelf, err := openShelf(context.Background(), target, &set)
	require.NoError(t, err)
	defer func() { require.NoError(t, shelf.Close()) }()
	out, err := shelf.client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: aws.String(target.Bucket)})
	require.NoError(t, err)
	for _, o := range out.Contents {
		keys = append(keys, aws.ToString(o.Key))
	}
	return keys
}

func TestS3(t *testing.T) {
	t.Parallel()
	target, set := startS3(t)
	p := openTarget(t, target, set)
	letters := oddLetters()
	for i := range letters { // no part of what this stand-in is judged for
		letters[i].PartitionKey = letters[i].PartitionKey[:min(len(letters[i].PartitionKey), 300)]
	}
	require.NoError(t, p.Write(within(t, 30*time.Second), letters[:20]))
	require.NoError(t, p.Write(within(t, 30*time.Second), letters[20:]))
	keys := objectKeys(t, target, set)
	require.Len(t, keys, 2)
	form := fmt.Sprintf(`^letters/cams/\d{4}/\d\d/\d\d/\d{8}T\d{6}\.\d{9}Z-[A-Za-z0-9._]+-%d-[12]\.jsonl$`, os.Getpid())
	require.Regexp(t, regexp.MustCompile(form), keys[0])
	sameLetters(t, letters, drain(t, target, set, nil))

	drain(t, target, set, func(l *Letter) bool { return l.Reason == "oversize" })
	require.Len(t, objectKeys(t, target, set), 1, "an object without letters goes")
	rest := drain(t, target, set, takeAll)
	var large []producer.Letter
	for _, l := range letters {
		if l.Reason == "oversize" {
			large = append(large, l)
		}
	}
	sameLetters(t, large, rest)
	require.Empty(t, objectKeys(t, target, set))
}

// TestS3LikeFiles: objects copied into a directory are read there.
func TestS3LikeFiles(t *testing.T) {
	t.Parallel()
	target, set := startS3(t)
	letters := plainLetters(3, 100)
	require.NoError(t, openTarget(t, target, set).Write(within(t, 30*time.Second), letters))
	set.fill()
	shelf, err := openShelf(context.Background(), target, &set)
	require.NoError(t, err)
	defer func() { require.NoError(t, shelf.Close()) }()
	text, err := shelf.get(context.Background(), objectKeys(t, target, set)[0])
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "letters-copied.jsonl"), text, 0o600))
	sameLetters(t, letters, drainDir(t, dir, nil))
}

func TestS3Errors(t *testing.T) {
	t.Parallel()
	target, set := startS3(t)
	nowhere := target
	nowhere.Bucket = "none"
	err := openTarget(t, nowhere, set).Write(within(t, 30*time.Second), plainLetters(1, 10))
	require.ErrorContains(t, err, "NoSuchBucket")
	require.ErrorContains(t, err, "create the bucket, or name another one")
	source, err := OpenSource(context.Background(), nowhere, set, time.Time{}, true)
	require.NoError(t, err)
	_, err = source.Next(within(t, 30*time.Second))
	require.ErrorContains(t, err, "listing the dead letters in bucket none: NoSuchBucket")
	require.NoError(t, source.Close())
	set.AWS.AccessKey = "nobody"
	err = openTarget(t, target, set).Write(within(t, 30*time.Second), plainLetters(1, 10))
	require.ErrorContains(t, err, "InvalidAccessKeyId")
	set.AWS.AccessKey = "S3RVER"
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = openTarget(t, target, set).Write(ctx, plainLetters(1, 10))
	require.True(t, errors.Is(err, context.Canceled), err)
}
