package deadletter

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

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

// Next implements Source.
func (s *shelf) Next(ctx context.Context) (Bundle, error) {
	for len(s.keys) == 0 {
		if !s.pages.HasMorePages() {
			return nil, io.EOF
		}
		page, err := s.pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the dead letters in bucket %s: %w", s.bucket, explainS3(err, s.session))
		}
		for _, o := range page.Contents {
			if key := aws.ToString(o.Key); strings.HasSuffix(key, fileSuffix) {
				s.keys = append(s.keys, key)
			}
		}
	}
	key := s.keys[0]
	s.keys = s.keys[1:]
	content, err := s.get(ctx, key)
	if err != nil {
		return nil, err
	}
	return &parcel{reading: reading{name: "s3://" + s.bucket + "/" + key, lines: newScanner(content)}, shelf: s, key: key, content: content}, nil
}

func (s *shelf) get(ctx context.Context, key string) (io.ReadCloser, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key)})
	if err != nil {
		return nil, fmt.Errorf("reading the dead letters in s3://%s/%s: %w", s.bucket, key, explainS3(err, s.session))
	}
	return out.Body, nil
}

// parcel is the letters of an object.
type parcel struct {
	reading
	shelf   *shelf
	key     string
	content io.ReadCloser
}

// Name implements Bundle.
func (p *parcel) Name() string { return p.name }

// Next implements Bundle.
func (p *parcel) Next(context.Context) (Letter, error) { return p.next() }

// Close implements Bundle.
func (p *parcel) Close() error { return p.content.Close() }

// Settle implements Bundle. What is kept takes the object's place, which S3 does at once or not
// at all. It is held in memory meanwhile.
func (p *parcel) Settle(ctx context.Context, keep func(n int) bool) error {
	if err := p.settle(ctx, keep); err != nil {
		return fmt.Errorf("taking letters out of %s: %w", p.name, err)
	}
	return nil
}

func (p *parcel) settle(ctx context.Context, keep func(n int) bool) error {
	content, err := p.shelf.get(ctx, p.key)
	if err != nil {
		return err
	}
	var rest bytes.Buffer
	kept, err := copyKept(&rest, content, keep)
	_ = content.Close()
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
