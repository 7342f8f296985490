package deadletter

import (
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"

	"gst-kinesis/internal/awscfg"
)

// Kind is a kind of place.
type Kind int

// The kinds.
const (
	// Files are files in a directory.
	Files Kind = iota + 1
	// Stream is a data stream.
	Stream
	// Bucket is a bucket of S3.
	Bucket
)

// Target says where letters lie.
type Target struct {
	Kind Kind
	// Directory is set for Files.
	Directory string
	// Stream is a stream's name.
	Stream string
	// Region is the stream's; a bucket's where the URI says it, else empty.
	Region string
	// Bucket and Prefix are for S3; the prefix has no slash at its ends and may be empty.
	Bucket, Prefix string
	// Endpoint replaces AWS's endpoint of the service; empty where the URI has none.
	Endpoint string
}

// Forms are what Parse takes, for messages and documents.
const Forms = "file:DIR, kinesis://REGION/STREAM or s3://BUCKET/PREFIX"

var (
	errForm   = errors.New("write " + Forms)
	errFile   = errors.New("it names no directory: write file:DIR, such as file:/var/lib/gst-kinesis/dead")
	errStream = errors.New("it has not a region and a stream: write kinesis://REGION/STREAM, such as kinesis://eu-central-1/dead-letters")
	errBucket = errors.New("it names no bucket (3 to 63 of a-z, 0-9, '.' and '-'): write s3://BUCKET/PREFIX, such as s3://my-bucket/dead-letters")
)

// Parse reads a URI. A stream's may have ?endpoint-uri=URL, a bucket's also &region=REGION.
// Nothing is opened. Errors name the form that is expected.
func Parse(uri string) (Target, error) {
	t, err := parse(uri)
	if err != nil {
		return Target{}, fmt.Errorf("reading the dead-letter place %q: %w", uri, err)
	}
	return t, nil
}

func parse(uri string) (Target, error) {
	scheme, rest, ok := strings.Cut(uri, ":")
	switch {
	case !ok:
		return Target{}, errForm
	case strings.EqualFold(scheme, "file"):
		return parseFile(rest)
	case strings.EqualFold(scheme, "kinesis"):
		return parseStream(uri)
	case strings.EqualFold(scheme, "s3"):
		return parseBucket(uri)
	default:
		return Target{}, errForm
	}
}

// parseFile takes a path as it is, and behind // as a URL has it: escaped, and without a host.
func parseFile(path string) (Target, error) {
	if escaped, ok := strings.CutPrefix(path, "//"); ok {
		if !strings.HasPrefix(escaped, "/") {
			return Target{}, fmt.Errorf("%q would be a host: write file:%s, or file:/// and the path from the root on", escaped, escaped)
		}
		var err error
		if path, err = url.PathUnescape(escaped); err != nil {
			return Target{}, err
		}
		if runtime.GOOS == "windows" && len(path) > 2 && path[2] == ':' { // /C:/dir
			path = path[1:]
		}
	}
	if path == "" {
		return Target{}, errFile
	}
	if strings.ContainsRune(path, 0) {
		return Target{}, errors.New("a path has no zero byte")
	}
	return Target{Kind: Files, Directory: path}, nil
}

func parseStream(uri string) (Target, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return Target{}, errStream // not wrapped: it would repeat the URI
	}
	name := strings.TrimPrefix(u.Path, "/")
	if u.Host == "" || u.User != nil || u.Port() != "" || name == "" || u.Fragment != "" {
		return Target{}, errStream
	}
	stream, err := awscfg.ParseStream(name)
	if err != nil {
		return Target{}, err
	}
	if stream.ARN != "" {
		return Target{}, errStream
	}
	t := Target{Kind: Stream, Stream: stream.Name, Region: u.Host}
	return t, t.takeQuery(u, "endpoint-uri")
}

func parseBucket(uri string) (Target, error) {
	u, err := url.Parse(uri)
	if err != nil || !isBucket(u.Host) || u.User != nil || u.Fragment != "" {
		return Target{}, errBucket
	}
	t := Target{Kind: Bucket, Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	return t, t.takeQuery(u, "endpoint-uri", "region")
}

func isBucket(name string) bool {
	return len(name) >= 3 && len(name) <= 63 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" &&
		strings.Trim(name, ".-") == name
}

// takeQuery reads what stands behind the question mark. Nothing that is secret may.
func (t *Target) takeQuery(u *url.URL, names ...string) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return err
	}
	for _, name := range names {
		switch name {
		case "endpoint-uri":
			t.Endpoint = query.Get(name)
		case "region":
			t.Region = query.Get(name)
		}
		query.Del(name)
	}
	for name := range query {
		return fmt.Errorf("%q may not stand in it, only %s", name, strings.Join(names, " and "))
	}
	return awscfg.Settings{EndpointURI: t.Endpoint}.Validate()
}

// String writes the target as Parse reads it.
func (t Target) String() string {
	query := url.Values{}
	if t.Endpoint != "" {
		query.Set("endpoint-uri", t.Endpoint)
	}
	switch t.Kind {
	case Files:
		if strings.HasPrefix(t.Directory, "//") {
			return "file://" + (&url.URL{Path: t.Directory}).EscapedPath()
		}
		return "file:" + t.Directory
	case Stream:
		return (&url.URL{Scheme: "kinesis", Host: t.Region, Path: "/" + t.Stream, RawQuery: query.Encode()}).String()
	case Bucket:
		if t.Region != "" {
			query.Set("region", t.Region)
		}
		u := url.URL{Scheme: "s3", Host: t.Bucket, RawQuery: query.Encode()}
		if t.Prefix != "" {
			u.Path = "/" + t.Prefix
		}
		return u.String()
	default:
		return ""
	}
}
