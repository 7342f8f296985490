package datastream

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/spool"
)

var update = flag.Bool("update", false, "write the golden files and the table in docs/metrics.md")

// fixed is a producer that stands still.
type fixed struct{ stats producer.Stats }

func (f *fixed) Stats() producer.Stats { return f.stats }

// some is a producer of which each figure is another one.
func some() *fixed {
	count := func(n int64) producer.Count { return producer.Count{Records: n, Bytes: 1000 * n} }
	s := producer.Stats{
		Books: producer.Books{
			Accepted: count(1100), Delivered: count(1000), DeadLettered: count(3), Spooled: count(40), InFlight: count(50), Refused: count(2),
			Dropped:            map[string]producer.Count{producer.ReasonTTL: count(5), "AccessDeniedException": count(2)},
			PossibleDuplicates: 4,
		},
		Memory: 3000, MemoryKept: 96, Requests: 21, FailedRequests: 6, RequestsInFlight: 2, KinesisRecords: 100, KinesisBytes: 1_000_900,
		Retries: 12, Throttled: 7, Errors: map[string]int64{"InternalFailure": 8, "ProvisionedThroughputExceededException": 9},
		OpenShards: 2, RateLimit: 50, Spool: &spool.Stats{DiskBytes: 77_000, DiskErrors: 1},
	}
	s.Tries.Retries, s.Tries.Records = 12, [9]int64{990, 8, 2}
	for i, h := range []*producer.Histogram{&s.Buffering, &s.Request, &s.Delivery} {
		h.Sum = time.Duration(i+1) * time.Second
		h.Buckets[31+i], h.Buckets[60], h.Buckets[producer.HistogramBuckets] = 10, 5, 1
	}
	s.Shards = []producer.ShardStats{
		{ID: "shardId-000000000000", Put: count(600), KinesisRecords: 60, KinesisBytes: 600_000, Retries: 12, Throttled: 7,
			Errors: map[string]int64{"ProvisionedThroughputExceededException": 9}, Limited: true, Factor: 0.8},
		{ID: "shardId-000000000001", Put: count(300), KinesisRecords: 30, KinesisBytes: 300_900, Limited: true, Factor: 1},
		{ID: producer.OtherShards, Put: count(100), KinesisRecords: 10, KinesisBytes: 100_000},
	}
	return &fixed{s}
}

func names() Names {
	return Names{Stream: "frames", Region: "eu-west-1", Sensor: "north", Element: "kinesissink0"}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// scrape is what Prometheus is told of a source.
func scrape(t *testing.T, s metrics.Source) (all string) {
	t.Helper()
	var r metrics.Registry
	m, err := r.Join(metrics.Options{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	defer m.Leave()
	m.Publish(s)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(m.URL())
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s", text)
	return string(text)
}

// own leaves out what the Go runtime and the process tell.
func own(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, string(prefix)) {
			out.WriteString(line)
		}
	}
	return out.String()
}

func TestScrape(t *testing.T) {
	t.Parallel()
	text := own(scrape(t, New(some(), names())))
	golden(t, "scrape.txt", []byte(text))
	for _, f := range Families() {
		require.Contains(t, text, "# TYPE "+f.Name+" "+f.Kind.String()+"\n", "each family is in the golden file")
	}
	golden(t, "scrape-fresh.txt", []byte(own(scrape(t, New(&fixed{producer.Stats{RateLimit: limit.Auto}}, names())))))
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := some()
		r := metrics.Registry{Out: &out}
		m, err := r.Join(metrics.Options{Embedded: "-"})
		require.NoError(t, err)
		m.Publish(New(p, names()))
		time.Sleep(metrics.DefaultInterval)
		synctest.Wait()
		m.Leave()
		golden(t, "embedded.log", out.Bytes())
	})
}

// The first loss shows as a change from 0, whatever it is for; what was not foreseen comes when it happens.
func TestReasonsAreThereFromTheStart(t *testing.T) {
	t.Parallel()
	text := scrape(t, New(&fixed{}, names()))
	for _, reason := range reasons {
		require.Contains(t, text, fmt.Sprintf("reason=%q,region=\"eu-west-1\",sensor=\"north\",stream=\"frames\"} 0\n", reason))
	}
}

const page = "../../../docs/metrics.md"

// TestDocumentedTable holds the tables of docs/metrics.md against the families.
func TestDocumentedTable(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	table.WriteString("| Prometheus | CloudWatch | |\n|---|---|---|\n")
	for _, f := range Families() {
		name := "`" + strings.TrimPrefix(f.Name, string(prefix)) + "`"
		embedded := "–"
		if f.Embedded != "" {
			embedded = "`" + f.Embedded + "`, " + string(f.Unit)
		}
		if f.Sum != "" && f.Sum != f.Embedded {
			embedded += "; `" + f.Sum + "`"
		}
		var labels []string
		for _, l := range f.Labels {
			labels = append(labels, "`"+l.Name+"`")
		}
		by := ""
		if len(labels) > 0 {
			by = " By " + strings.Join(labels, ", ") + "."
		}
		fmt.Fprintf(&table, "| %s %s | %s | %s%s |\n", name, f.Kind, embedded, f.Help, by)
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	const from, to = "<!-- the table -->\n", "<!-- its end -->\n"
	before, rest, ok := strings.Cut(string(text), from)
	require.True(t, ok)
	have, after, ok := strings.Cut(rest, to)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(before+from+table.String()+to+after), 0o600))
		return
	}
	require.Equal(t, table.String(), have)
}
