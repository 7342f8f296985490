package deadletter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"gst-kinesis/internal/awscfg"
)

// shelf is the letters in objects of S3.
type shelf struct {
	client  *s3.Client
	session *awscfg.Session
	bucket  string
	pages   *s3.ListObjectsV2Paginator
	keys    []string
}

func openShelf(ctx context.Context, t Target, s *Settings) (*shelf, error) {
	session, err := connect(ctx, t, s)
	if err != nil {
		return nil, err
	}
	in := &s3.ListObjectsV2Input{Bucket: aws.String(t.Bucket)}
	if t.Prefix != "" {
		in.Prefix = aws.String(t.Prefix + "/")
	}
	client := clientOf(session)
	return &shelf{client: client, session: session, bucket: t.Bucket, pages: s3.NewListObjectsV2Paginator(client, in)}, nil
}

// Close implements Source.
func (s *shelf) Close() error {
	s.session.Close()
	return nil
}

// mostObject bounds an object, which is held in memory: this project writes none near it.
const mostObject = 256 << 20

// Next implements Source. An object is read at once: S3 gives up on those who take their time.
func (s *shelf) Next(ctx context.Context) (Bundle, error) {
	for {
		for len(s.keys) == 0 {
			if !s.pages.HasMorePages() {
				return nil, io.EOF
			}
			if err := s.list(ctx); err != nil {
				return nil, err
			}
		}
		key := s.keys[0]
		s.keys = s.keys[1:]
		name := "s3://" + s.bucket + "/" + key
		text, err := s.get(ctx, key)
		switch {
		case errors.As(err, new(*types.NoSuchKey)):
			continue // somebody else has sent its letters
		case err != nil:
			return nil, fmt.Errorf("reading the dead letters in %s: %w", name, err)
		}
		return &parcel{reading: reading{name: name, lines: newScanner(bytes.NewReader(text))}, shelf: s, key: key, text: text}, nil
	}
}

// list takes the next page of keys.
func (s *shelf) list(ctx context.Context) error {
	page, err := s.pages.NextPage(ctx)
	if err != nil {
		return fmt.Errorf("listing the dead letters in bucket %s: %w", s.bucket, explainS3(err, s.session))
	}
	for _, o := range page.Contents {
		if key := aws.ToString(o.Key); strings.HasSuffix(key, fileSuffix) {
			s.keys = append(s.keys, key)
		}
	}
	return nil
}

func (s *shelf) get(ctx context.Context, key string) ([]byte, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)})
	if err != nil {
		return nil, explainS3(err, s.session)
	}
	defer func() { _ = out.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(out.Body, mostObject+1))
	if err == nil && len(text) > mostObject {
		err = fmt.Errorf("it is larger than %d MiB; copy it into a directory as %s…%s and send the letters there", mostObject>>20, filePrefix, fileSuffix)
	}
	return text, err
}

// parcel is the letters of an object.
type parcel struct {
	reading
	shelf *shelf
	key   string
	text  []byte
}

// Name implements Bundle.
func (p *parcel) Name() string { return p.name }

// Next implements Bundle.
func (p *parcel) Next(context.Context) (Letter, error) { return p.next() }

// Close implements Bundle.
func (p *parcel) Close() error {
	p.text = nil
	return nil
}

// Settle implements Bundle. What is kept takes the object's place, which S3 does at once or not at all. It is chosen from what
// was read, not from what lies there by now: somebody else may have taken letters out meanwhile, which has changed the numbers.
func (p *parcel) Settle(ctx context.Context, keep func(n int) bool) error {
	if err := p.settle(ctx, keep); err != nil {
		return fmt.Errorf("taking letters out of %s: %w", p.name, err)
	}
	return nil
}

func (p *parcel) settle(ctx context.Context, keep func(n int) bool) error {
	var rest bytes.Buffer
	kept, err := copyKept(&rest, bytes.NewReader(p.text), keep)
	switch {
	case err != nil:
		return err
	case kept > 0:
		err = putObject(ctx, p.shelf.client, p.shelf.bucket, p.key, bytes.NewReader(rest.Bytes()), int64(rest.Len()))
	default:
		_, err = p.shelf.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(p.shelf.bucket), Key: aws.String(p.key)})
	}
	if err != nil {
		return explainS3(err, p.shelf.session)
	}
	return nil
}
