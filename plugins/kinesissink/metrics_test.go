package kinesissink_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// freeAddress is one that nobody listens on just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func scrape(t *testing.T, address string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(text)
}

// value reads a sample by name and labels, in the order that they are written in.
func value(text, name string, labels ...string) string {
	pattern := `(?m)^gst_kinesis_` + name + `\{.*` + regexp.QuoteMeta(strings.Join(labels, ",")) + `.*\} (\S+)$`
	if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// What a scrape says while a sink runs is what its stats say, in sum and by shard.
func TestMetricsAreTheStats(t *testing.T) {
	_, to := endpoint(t, 4)
	address, lines := freeAddress(t), filepath.Join(t.TempDir(), "emf.log")
	h := sink(t, to+" linger=0 shards=40 sensor-name=north metrics-address="+address+" metrics-emf="+lines)
	h.SetSrcCaps("application/x-test")
	for i := range 60 {
		require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(uint64(i), fmt.Appendf(nil, "%04d", i))))
	}
	h.PushEvent(gst.NewEOS())
	require.Eventually(t, func() bool { return statsOf(h).Uint64("shards-open") == 4 }, 20*time.Second, time.Millisecond, "they are listed beside the sending")
	s, text := statsOf(h), scrape(t, address)
	balanced(t, s)
	require.EqualValues(t, 60, s.Uint64("records-delivered"))
	for name, field := range map[string]string{
		"user_records_received_total": "records-accepted", "user_records_put_total": "records-delivered", "user_data_put_bytes_total": "bytes-delivered",
		"kinesis_records_put_total": "kinesis-records", "kinesis_data_put_bytes_total": "kinesis-bytes", "requests_total": "requests",
		"user_records_pending": "records-in-flight", "buffering_time_seconds_count": "buffering-time-count", "shards_open": "shards-open",
	} {
		require.Equal(t, fmt.Sprint(s.Uint64(field)), value(text, name, `element="k"`, `region="eu-central-1"`, `sensor="north"`, `stream="s"`), name)
	}
	shards := s.Get("shards").(*gst.Structure)
	ids := shards.Get("shard-id").([]any)
	require.Len(t, ids, 4)
	var sum uint64
	for i, id := range ids {
		n := shards.Get("records-delivered").([]any)[i]
		require.Equal(t, fmt.Sprint(n), value(text, "shard_user_records_put_total", `sensor="north"`, fmt.Sprintf("shard=%q", id)))
		require.Equal(t, "1", value(text, "shard_rate_limit_ratio", fmt.Sprintf("shard=%q", id)))
		sum += n.(uint64)
	}
	require.EqualValues(t, 60, sum)

	h.Close()
	_, err := net.DialTimeout("tcp", address, time.Second)
	require.Error(t, err, "the listener goes with the sink")
	written, err := os.ReadFile(lines)
	require.NoError(t, err)
	var first map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.SplitN(string(written), "\n", 2)[0]), &first))
	require.EqualValues(t, 60, first["UserRecordsPut"])
	require.Equal(t, "s", first["StreamName"])
}

// Two sinks share an address; it goes with the last of them.
func TestSinksShareAnAddress(t *testing.T) {
	_, to := endpoint(t, 1)
	address := freeAddress(t)
	one, two := sink(t, to+" sensor-name=one metrics-address="+address), sink(t, to+" sensor-name=two metrics-address="+address)
	text := scrape(t, address)
	require.Equal(t, "0", value(text, "user_records_put_total", `sensor="one"`))
	require.Equal(t, "0", value(text, "user_records_put_total", `sensor="two"`))
	one.Close()
	text = scrape(t, address)
	require.Empty(t, value(text, "user_records_put_total", `sensor="one"`))
	require.Equal(t, "0", value(text, "user_records_put_total", `sensor="two"`))
	two.Close()
}

// An address or a file that cannot be had is an error at the start, which says what to do.
func TestMetricsThatCannotBe(t *testing.T) {
	_, to := endpoint(t, 1)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for set, says := range map[string]string{
		"metrics-address=" + taken.Addr().String(): `\(metrics-address\): listen tcp .* another program has that port`,
		"metrics-address=here":                     `\(metrics-address\): .*HOST:PORT`,
		"metrics-emf=" + t.TempDir():               `\(metrics-emf\): .*name a file`,
		"metrics-emf=-":                            `\(metrics-emf\): .*name a file`,
	} {
		p := gsttest.Parse(t, "fakesrc ! kinesissink "+to+" "+set)
		require.Equal(t, gst.StateChangeFailure, p.SetState(gst.StatePlaying), set)
		m := p.Await(gst.MessageError)
		require.Equal(t, gst.ResourceSettings, m.Err.Code)
		require.Regexp(t, says, m.Err.Text)
	}
}
