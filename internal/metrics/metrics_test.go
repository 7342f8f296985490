package metrics

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// things is a source that a test turns by hand.
type things struct {
	mu      sync.Mutex
	samples []Sample
}

var (
	made    = &Family{Name: "test_things_made_total", Help: "Things made.", Kind: Counter, Embedded: "ThingsMade", Unit: Count}
	broken  = &Family{Name: "test_things_broken_total", Help: "Things broken.", Kind: Counter, Labels: []Label{{"cause", "Cause"}}, Embedded: "ThingsBroken", Sum: "AllBroken", Unit: Count}
	level   = &Family{Name: "test_level_ratio", Help: "How full.", Kind: Gauge, Labels: []Label{{"tank", "Tank"}}, Embedded: "Level", Unit: None}
	took    = &Family{Name: "test_took_seconds", Help: "How long.", Kind: Histogram, Embedded: "Took", Unit: Milliseconds, Scale: 1000}
	unnamed = &Family{Name: "test_unnamed_bytes", Help: "Prometheus' alone.", Kind: Gauge}
)

func (x *things) set(samples ...Sample) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.samples = samples
}

func (x *things) source(name string) Source {
	return Source{
		Labels:   []Assigned{{Label{"stream", "StreamName"}, "s"}, {Label{"element", ""}, name}},
		Families: []*Family{made, broken, level, took, unnamed},
		Snapshot: func() []Sample {
			x.mu.Lock()
			defer x.mu.Unlock()
			return x.samples
		},
	}
}

func number(f *Family, v float64, labels ...string) Sample {
	return Sample{Family: f, Value: v, Values: labels}
}

func durations(counts ...uint64) Sample {
	return Sample{Family: took, Distribution: &Distribution{Bounds: []float64{0.001, 0.002, 0.004, 0.008}, Counts: counts, Sum: 0.1, Step: 2}}
}

// get asks the member's listener.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(text)
}

// own leaves out what the Go runtime and the process tell.
func own(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, "test_") {
			out.WriteString(line)
		}
	}
	return out.String()
}

func join(t *testing.T, r *Registry, o Options) *Member {
	t.Helper()
	o.AddressName, o.EmbeddedName = "metrics-address", "metrics-emf"
	m, err := r.Join(o)
	require.NoError(t, err)
	t.Cleanup(m.Leave)
	return m
}

func TestPrometheus(t *testing.T) {
	t.Parallel()
	var r Registry
	m := join(t, &r, Options{Address: "127.0.0.1:0"})
	var x things
	x.set(number(made, 3), number(broken, 1, "fall"), number(broken, 2, "not \"UTF-8\xff\n"), number(level, 0.25, "a"), durations(1, 2, 3, 0, 5), number(unnamed, 7))
	m.Publish(x.source("one"))
	status, text := get(t, m.URL())
	require.Equal(t, http.StatusOK, status)
	golden(t, "scrape.txt", []byte(own(text)))
	require.Contains(t, text, "go_goroutines")
	require.Contains(t, text, "process_start_time_seconds")
	status, text = get(t, strings.TrimSuffix(m.URL(), "metrics")+"healthz")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "ok\n", text)
	status, _ = get(t, strings.TrimSuffix(m.URL(), "metrics"))
	require.Equal(t, http.StatusNotFound, status)
}

// All who name an address share it; the last one out closes it, and it can be had again at once.
func TestSharedAddress(t *testing.T) {
	t.Parallel()
	var r Registry
	var x things
	x.set(number(made, 3))
	a, b := join(t, &r, Options{Address: "127.0.0.1:0"}), join(t, &r, Options{Address: "127.0.0.1:0"})
	require.Equal(t, a.URL(), b.URL())
	withdraw := a.Publish(x.source("one"))
	b.Publish(x.source("two"))
	b.Publish(x.source("two"))
	_, text := get(t, a.URL())
	for _, name := range []string{"one", "two", "two-2"} {
		require.Contains(t, text, fmt.Sprintf("test_things_made_total{element=%q,stream=\"s\"} 3\n", name))
	}
	withdraw()
	withdraw()
	_, text = get(t, a.URL())
	require.NotContains(t, text, `element="one"`)
	a.Leave()
	a.Leave()
	_, text = get(t, b.URL())
	require.Contains(t, text, `element="two"`)
	address := strings.TrimSuffix(strings.TrimPrefix(b.URL(), "http://"), "/metrics")
	b.Leave()
	again := join(t, &r, Options{Address: address})
	_, text = get(t, again.URL())
	require.NotContains(t, text, "test_")
	require.Len(t, r.servers, 1)
	again.Leave()
	_, err := net.DialTimeout("tcp", address, time.Second)
	require.Error(t, err)
	require.Empty(t, r.servers)
}

func TestWhatCannotBe(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		o    Options
		says []string
	}{
		"taken":      {Options{Address: taken.Addr().String()}, []string{"metrics-address", taken.Addr().String(), "choose another one"}},
		"no port":    {Options{Address: "127.0.0.1"}, []string{"metrics-address", "HOST:PORT"}},
		"a name":     {Options{Address: "box.example:9464"}, []string{"metrics-address", "no IP address"}},
		"elsewhere":  {Options{Address: "192.0.2.1:9464"}, []string{"metrics-address", "of this machine"}},
		"a port":     {Options{Address: "127.0.0.1:many"}, []string{"metrics-address", "free port"}},
		"a folder":   {Options{Embedded: dir}, []string{"metrics-emf", dir, "name a file"}},
		"no folder":  {Options{Embedded: filepath.Join(dir, "no", "file")}, []string{"metrics-emf", "name a file in a folder"}},
		"no stderr":  {Options{Embedded: "-"}, []string{"metrics-emf", "name a file"}},
		"one of two": {Options{Embedded: filepath.Join(dir, "emf.log"), Address: "x:1"}, []string{"metrics-address"}},
	} {
		var r Registry
		c.o.AddressName, c.o.EmbeddedName = "metrics-address", "metrics-emf"
		_, err := r.Join(c.o)
		for _, text := range c.says {
			require.ErrorContains(t, err, text, name)
		}
		require.Empty(t, r.files, name)
		require.Empty(t, r.servers, name)
	}
	var r Registry
	m, err := r.Join(Options{})
	require.NoError(t, err)
	require.Empty(t, m.URL())
	m.Publish(Source{})()
	m.Leave()
}

// Somebody who opens connections and says nothing keeps nobody out for ever, and Leave from ending.
func TestManyConnections(t *testing.T) {
	t.Parallel()
	var r Registry
	m := join(t, &r, Options{Address: "127.0.0.1:0"})
	address := strings.TrimSuffix(strings.TrimPrefix(m.URL(), "http://"), "/metrics")
	for range mostConnections + 5 {
		c, err := net.Dial("tcp", address)
		require.NoError(t, err)
		defer c.Close()
	}
	began := time.Now()
	m.Leave()
	require.Less(t, time.Since(began), 10*time.Second)
}

func TestManyAtATime(t *testing.T) {
	t.Parallel()
	var r Registry
	keep := join(t, &r, Options{Address: "127.0.0.1:0"})
	path := filepath.Join(t.TempDir(), "emf.log")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 20 {
				m, err := r.Join(Options{Address: "127.0.0.1:0", Embedded: path})
				if err != nil {
					t.Error(err)
					return
				}
				var x things
				x.set(number(made, float64(n)))
				m.Publish(x.source(fmt.Sprint(i)))
				if n%10 == 0 {
					get(t, keep.URL())
				}
				m.Leave()
			}
		})
	}
	all.Wait()
	require.Empty(t, r.files)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, checkLines(t, text), 160)
}

// checkLines holds lines against the specification.
func checkLines(t *testing.T, text []byte) (lines []map[string]any) {
	t.Helper()
	for raw := range bytes.Lines(text) {
		var meta struct {
			AWS struct {
				Timestamp         int64
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []struct{ Name, Unit string }
				}
			} `json:"_aws"`
		}
		var root map[string]any
		require.NoError(t, json.Unmarshal(raw, &meta), "%s", raw)
		require.NoError(t, json.Unmarshal(raw, &root))
		require.Less(t, len(raw), 256<<10)
		require.Positive(t, meta.AWS.Timestamp)
		require.NotEmpty(t, meta.AWS.CloudWatchMetrics)
		for _, d := range meta.AWS.CloudWatchMetrics {
			require.NotEmpty(t, d.Namespace)
			require.LessOrEqual(t, len(d.Metrics), 100)
			for _, set := range d.Dimensions {
				require.LessOrEqual(t, len(set), 9)
				for _, name := range set {
					require.IsType(t, "", root[name])
				}
			}
			for _, m := range d.Metrics {
				require.Contains(t, []string{"Count", "Bytes", "Milliseconds", "None"}, m.Unit)
				if list, ok := root[m.Name].([]any); ok {
					require.LessOrEqual(t, len(list), 100)
					for _, v := range list {
						require.IsType(t, 0.0, v)
					}
				} else {
					require.IsType(t, 0.0, root[m.Name], m.Name)
				}
			}
		}
		lines = append(lines, root)
	}
	return lines
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		r := Registry{Out: &out}
		m, err := r.Join(Options{Embedded: "-", Interval: time.Minute})
		require.NoError(t, err)
		var x things
		x.set(number(made, 3), number(broken, 0, "fall"), number(level, 1, "a"), durations(0, 0, 0, 0, 0), number(unnamed, 7))
		m.Publish(x.source("one"))
		for _, next := range [][]Sample{
			{number(made, 10), number(broken, 2, "fall"), number(broken, 1, "\xff"), number(level, 0.2502, "a"), durations(1, 2, 0, 0, 1)},
			{number(made, 10), number(broken, 2, "fall"), number(broken, 1, "\xff"), number(level, 0.2502, "a"), durations(1, 2, 300, 0, 1)},
			{number(made, 1), number(level, 0.2502, "a"), durations(1, 2, 300, 0, 1)}, // it began anew
		} {
			time.Sleep(time.Minute)
			synctest.Wait()
			x.set(next...)
		}
		m.Leave()
		m.Leave()
		checkLines(t, out.Bytes())
		golden(t, "embedded.log", out.Bytes())
	})
}

// flaky is a disk that is full for a while.
type flaky struct {
	bytes.Buffer
	full bool
}

func (f *flaky) Write(b []byte) (int, error) {
	if f.full {
		return 0, errors.New("no space left on device")
	}
	return f.Buffer.Write(b)
}

// What cannot be written is warned of once, and comes with the next line that can be.
func TestWritesThatFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := flaky{full: true}
		r := Registry{Out: &out}
		var warnings []string
		m, err := r.Join(Options{Embedded: "-", Interval: time.Minute, Warn: func(err error) { warnings = append(warnings, err.Error()) }})
		require.NoError(t, err)
		var x things
		m.Publish(x.source("one"))
		for i := range 5 {
			x.set(number(made, float64(10*(i+1))))
			time.Sleep(time.Minute)
			synctest.Wait()
			out.full = i < 3
		}
		m.Leave()
		require.Equal(t, []string{"writing metrics: no space left on device"}, warnings)
		var sum float64
		for _, line := range checkLines(t, out.Bytes()) {
			sum += line["ThingsMade"].(float64)
		}
		require.EqualValues(t, 50, sum)
	})
}

// A file is put aside when it is full, and made anew when somebody moved it away.
func TestFileStaysBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "emf.log")
	f := file{path: path}
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	for range 40 {
		require.NoError(t, f.write(chunk))
	}
	for _, name := range []string{path, path + ".1"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.LessOrEqual(t, info.Size(), int64(mostFileBytes))
	}
	require.NoError(t, os.Rename(path, path+".mine"))
	require.NoError(t, f.write([]byte("y\n")))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "y\n", string(text))
}

// A line has at most 100 metrics, and a histogram 100 values that lie as all did.
func TestBoundsOfALine(t *testing.T) {
	t.Parallel()
	var samples []Sample
	for i := range 250 {
		samples = append(samples, number(&Family{Name: fmt.Sprint("f", i), Embedded: fmt.Sprint("F", i), Unit: Count}, 1))
	}
	var x things
	x.set(samples...)
	e := newEncoder(x.source("one"))
	require.Len(t, checkLines(t, e.encode(time.Unix(1, 0))), 3)

	d := Distribution{Bounds: []float64{1, 2, 3}, Counts: []uint64{500, 300, 199, 1}, Exact: true}
	values := d.since(nil, 1)
	require.Len(t, values, 100)
	have := map[float64]int{}
	for _, v := range values {
		have[v]++
	}
	require.InDelta(t, 50, have[1], 1)
	require.InDelta(t, 30, have[2], 1)
	require.InDelta(t, 20, have[3], 1)
	require.IsNonDecreasing(t, values)
}
