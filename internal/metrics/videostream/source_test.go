package videostream

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/putmedia"
)

// fixed is a producer that stands still.
type fixed struct{ stats putmedia.Stats }

func (f *fixed) Stats() putmedia.Stats { return f.stats }

func TestWhatPrometheusIsTold(t *testing.T) {
	t.Parallel()
	count := func(n int64) putmedia.Count { return putmedia.Count{Frames: n, Bytes: 1000 * n} }
	p := &fixed{putmedia.Stats{
		Books: putmedia.Books{
			Accepted: count(1100), Persisted: count(1000), Spooled: count(40), InFlight: count(50),
			Dropped: map[string]putmedia.Count{putmedia.ReasonStorage: count(5), "flushed": count(2)}, Skipped: map[string]putmedia.Count{"4004": count(3)},
			FragmentsPersisted: 33, FragmentsSkipped: 1, PossibleDuplicates: 4,
		},
		Memory: 3000, Fragments: 2, Sessions: 6, Failures: 5, Resent: 7, Connected: true,
		Buffering: 36, Received: 35, Persisted: 34, Errors: 8, Latency: 1500 * time.Millisecond,
	}}
	var r metrics.Registry
	m, err := r.Join(metrics.Options{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	defer m.Leave()
	m.Publish(New(p, Names{Stream: "door", Region: "eu-west-1", Element: "kinesisvideosink0"}))
	answer, err := http.Get(m.URL()) //nolint:noctx // a test's
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	for _, want := range []string{
		`frames_received_total{element="kinesisvideosink0",region="eu-west-1",stream="door"} 1100`, `received_bytes_total{element="kinesisvideosink0",region="eu-west-1",stream="door"} 1.1e+06`,
		`frames_persisted_total{element="kinesisvideosink0",region="eu-west-1",stream="door"} 1000`, `reason="storage",region="eu-west-1",stream="door"} 5`,
		`reason="flushed",region="eu-west-1",stream="door"} 2`, `reason="before-key",region="eu-west-1",stream="door"} 0`, `error_id="4004",region="eu-west-1",stream="door"} 3`,
		`fragments_persisted_total{element="kinesisvideosink0",region="eu-west-1",stream="door"} 33`, `type="received"} 35`, `type="error"} 8`,
		`connected{element="kinesisvideosink0",region="eu-west-1",stream="door"} 1`, `latency_seconds{element="kinesisvideosink0",region="eu-west-1",stream="door"} 1.5`,
		`sessions_failed_total{element="kinesisvideosink0",region="eu-west-1",stream="door"} 5`, `frames_spooled{element="kinesisvideosink0",region="eu-west-1",stream="door"} 40`,
	} {
		require.Contains(t, string(text), want)
	}
	for _, f := range Families() {
		require.True(t, strings.HasPrefix(f.Name, "gst_kinesis_video_"))
		require.Contains(t, string(text), "# TYPE "+f.Name+" "+f.Kind.String())
	}
}
