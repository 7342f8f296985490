package deadletter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// oneObject is a bucket with one object.
type oneObject struct {
	mu   sync.Mutex
	text []byte // nil: gone
	gets int
}

const objectKey = "2026/01/02/letters.jsonl"

func (o *oneObject) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.URL.Query().Has("list-type"):
		fmt.Fprintf(w, `<ListBucketResult><Contents><Key>%s</Key></Contents><IsTruncated>false</IsTruncated></ListBucketResult>`, objectKey)
	case r.Method == http.MethodPut:
		o.text = body
	case r.Method == http.MethodDelete:
		o.text = nil
		w.WriteHeader(http.StatusNoContent)
	case o.text == nil:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>")
	default:
		o.gets++
		_, _ = w.Write(o.text)
	}
}

// opened reads all letters of the object.
func opened(t *testing.T, target Target, set Settings) (Bundle, []Letter) {
	t.Helper()
	source, err := OpenSource(context.Background(), target, set, time.Time{}, true)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, source.Close()) })
	b, err := source.Next(within(t, 30*time.Second))
	require.NoError(t, err)
	var list []Letter
	for {
		l, err := b.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return b, list
		}
		require.NoError(t, err)
		list = append(list, l)
	}
}

// TestShelfOfTwo: two who send the letters of an object at the same time lose none: what one has not delivered it does not take out,
// whatever the other did meanwhile.
func TestShelfOfTwo(t *testing.T) {
	t.Parallel()
	o := new(oneObject)
	for i := range 4 {
		o.text = append(o.text, lineOf(t, letterOf("ttl", fmt.Sprint("k", i), []byte("x")))...)
	}
	target, set := fakeS3(t, o.ServeHTTP)
	one, letters := opened(t, target, set)
	require.Len(t, letters, 4)
	two, _ := opened(t, target, set)
	require.NoError(t, one.Settle(context.Background(), func(n int) bool { return n >= 2 })) // delivered 0 and 1
	require.NoError(t, two.Settle(context.Background(), func(n int) bool { return n != 0 })) // delivered 0
	var keys []string
	for _, l := range readAll(t, o.text) {
		keys = append(keys, l.PartitionKey)
	}
	require.Subset(t, keys, []string{"k2", "k3"})
	require.NoError(t, one.Close())
	require.NoError(t, two.Close())
}

// TestShelfGone: what somebody else has sent meanwhile is passed over.
func TestShelfGone(t *testing.T) {
	t.Parallel()
	target, set := fakeS3(t, new(oneObject).ServeHTTP)
	source, err := OpenSource(context.Background(), target, set, time.Time{}, true)
	require.NoError(t, err)
	_, err = source.Next(within(t, 30*time.Second))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, source.Close())
}

// TestShelfCut: an object whose end does not come is named.
func TestShelfCut(t *testing.T) {
	t.Parallel()
	target, set := fakeS3(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("list-type") {
			new(oneObject).ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "{")
	})
	source, err := OpenSource(context.Background(), target, set, time.Time{}, false)
	require.NoError(t, err)
	_, err = source.Next(within(t, 30*time.Second))
	require.ErrorContains(t, err, "reading the dead letters in s3://dead/"+objectKey)
	require.NoError(t, source.Close())
}

// TestNoLineFeed: a letter that is whole counts, though the end of its line was lost, as in a file that somebody cut out of another.
func TestNoLineFeed(t *testing.T) {
	t.Parallel()
	text := string(lineOf(t, letterOf("ttl", "a", []byte("x")))) + string(lineOf(t, letterOf("ttl", "b", []byte("y"))))
	text = strings.TrimSuffix(text, "\n")
	require.Len(t, readAll(t, []byte(text)), 2)
	var kept strings.Builder
	n, err := copyKept(&kept, strings.NewReader(text), func(n int) bool { return n == 1 })
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, string(lineOf(t, letterOf("ttl", "b", []byte("y")))), kept.String())
}
