package deadletter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/awserr"
)

// # Objects
//
//	PREFIX/YYYY/MM/DD/<UTC time>-<host>-<process id>-<counter>.jsonl
//
// One for each Write. It takes s3:PutObject to write letters; to send them again s3:ListBucket,
// s3:GetObject, and s3:DeleteObject and s3:PutObject to take them out.

const contentType = "application/x-ndjson"

// bucket keeps letters in objects of S3.
type bucket struct {
	client   *s3.Client
	session  *awscfg.Session
	target   Target
	settings *Settings
	host     string
	counter  int
}

func openBucket(ctx context.Context, t Target, s *Settings) (*bucket, error) {
	session, err := connect(ctx, t, s)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return &bucket{client: clientOf(session), session: session, target: t, settings: s, host: plain(host)}, nil
}

// clientOf makes a client of S3. Who stands in for S3 seldom has a host for each bucket.
func clientOf(session *awscfg.Session) *s3.Client {
	return s3.NewFromConfig(session.Config(), func(o *s3.Options) {
		o.HTTPClient = awscfg.Steady(session.HTTPClient())
		if endpoint := session.Endpoint(); endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
		o.UsePathStyle = o.BaseEndpoint != nil
	})
}

// plain leaves only what is good in a key everywhere.
func plain(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' {
			return c
		}
		return '_'
	}, name)
}

func (b *bucket) close() error {
	b.session.Close()
	return nil
}

// keep implements keeper.
func (b *bucket) keep(ctx context.Context, letters []Letter) error {
	body, err := newBody(letters)
	if err != nil {
		return err
	}
	defer body.shut() // the transport may read on for a moment after a call was cut
	b.counter++
	now := b.settings.Now().UTC()
	key := fmt.Sprintf("%s/%s-%s-%d-%d%s", now.Format("2006/01/02"), now.Format(nameTime), b.host, os.Getpid(), b.counter, fileSuffix)
	if b.target.Prefix != "" {
		key = b.target.Prefix + "/" + key
	}
	if err := putObject(ctx, b.client, b.target.Bucket, key, body, body.size); err != nil {
		return explainS3(err, b.session)
	}
	return nil
}

func putObject(ctx context.Context, client *s3.Client, bucket, key string, body io.ReadSeeker, size int64) error {
	_, err := client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(key), Body: body, ContentLength: aws.Int64(size), ContentType: aws.String(contentType),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c,
	})
	return err
}

// explainS3 says in one line what the service said and what to do.
func explainS3(err error, session *awscfg.Session) error {
	f := awserr.Classify(err, awserr.Subject{
		Region: session.Region(), Endpoint: session.Endpoint(), Actions: "s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket",
	})
	switch f.Code {
	case "NoSuchBucket":
		f.Remedy = "create the bucket, or name another one"
	case "PermanentRedirect", "AuthorizationHeaderMalformed":
		f.Remedy = "the bucket is in another region: write s3://BUCKET/PREFIX?region=REGION"
	}
	return faultError(f, err)
}

// body is letters as lines, encoded while they are read: the lines are a third larger than what
// the producer holds, which is as much as it may hold.
type body struct {
	size    int64
	letters []Letter
	heads   [][]byte
	starts  []int64 // of the lines, and the end

	mu   sync.Mutex // held while reading
	at   int64
	line int // that is in buf; -1 for none
	buf  []byte
	over bool
}

var errShut = errors.New("the call is over")

func newBody(letters []Letter) (*body, error) {
	heads, size, err := headsOf(letters)
	if err != nil {
		return nil, err
	}
	b := &body{size: size, letters: letters, heads: heads, starts: make([]int64, 1, len(letters)+1), line: -1}
	for i := range letters {
		b.starts = append(b.starts, b.starts[i]+int64(letters[i].lineBytes(heads[i])))
	}
	return b, nil
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.over:
		return 0, errShut
	case b.at >= b.size:
		return 0, io.EOF
	}
	i := max(b.line, 0)
	if b.at < b.starts[i] {
		i = 0
	}
	for b.at >= b.starts[i+1] {
		i++
	}
	if i != b.line {
		b.line, b.buf = i, b.letters[i].appendLine(b.buf[:0], b.heads[i])
	}
	n := copy(p, b.buf[b.at-b.starts[i]:])
	b.at += int64(n)
	return n, nil
}

// Seek implements io.Seeker.
func (b *body) Seek(offset int64, whence int) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += b.at
	case io.SeekEnd:
		offset += b.size
	}
	if offset < 0 {
		return 0, errors.New("seeking before the beginning")
	}
	b.at = offset
	return offset, nil
}

// shut ends reading: the letters are not touched any more when it returns.
func (b *body) shut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
}
