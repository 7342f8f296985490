package kinesissink_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/plugins"
	"gst-kinesis/plugins/kinesissink"
)

func TestMain(m *testing.M) { gsttest.Main(m, plugins.Info(), discard) }

var discard = &gst.PluginInfo{
	Name: "kinesisdiscard", Description: "For benchmarks", Version: "0", License: "MIT/X11", Source: "gst-kinesis", Package: "gst-kinesis", Origin: "gst-kinesis",
	Register: func(p gst.Plugin) error { return kinesissink.DiscardClass().Register(p) },
}

// endpoint starts a stream "s" of so many shards, and gives the properties that lead there.
func endpoint(t *testing.T, shards int) (*local.Server, string) {
	srv := localtest.Start(t, local.Settings{Create: []local.StreamSpec{{Name: "s", Shards: shards}}})
	return srv, fmt.Sprintf("stream-name=s region=eu-central-1 access-key=k secret-access-key=s endpoint-uri=%s", srv.URL())
}

// sink gives a harness around a kinesissink with the properties.
func sink(t *testing.T, properties string) *gsttest.Harness {
	t.Helper()
	h := gsttest.NewLaunch(t, "kinesissink name=k async=false "+properties)
	return h
}

func stored(t *testing.T, srv *local.Server) []local.Record {
	t.Helper()
	records, err := srv.Records("s")
	require.NoError(t, err)
	return records
}

func stats(o *gst.Object) *gst.Structure { return o.Get("stats").(*gst.Structure) }

// balanced holds the books' equation against a stats structure.
func balanced(t *testing.T, s *gst.Structure) {
	t.Helper()
	for _, unit := range []string{"records-", "bytes-"} {
		sum := s.Uint64(unit+"delivered") + s.Uint64(unit+"dropped") + s.Uint64(unit+"dead-lettered") + s.Uint64(unit+"spooled") + s.Uint64(unit+"in-flight")
		require.Equal(t, s.Uint64(unit+"accepted"), sum, "%s%v", unit, s)
	}
}

// run plays a launch line to its end and gives the stats of its kinesissink "k".
func run(t *testing.T, line string) (*gsttest.Pipeline, *gst.Structure) {
	t.Helper()
	p := gsttest.Parse(t, line)
	p.Run()
	s := stats(p.Element("k"))
	balanced(t, s)
	return p, s
}

func TestKeysOfSensors(t *testing.T) {
	for name, c := range map[string]struct {
		upstream, set string
		want          []string
	}{
		"one key":             {"", "sensor-name=cam", []string{"cam0", "cam0", "cam0", "cam0"}},
		"rotation":            {"", "sensor-name=cam shards=3", []string{"cam1", "cam2", "cam0", "cam1"}},
		"name of the caps":    {"! msgpackenc sensor-name=north", "shards=2", []string{"north1", "north0", "north1", "north0"}},
		"property over caps":  {"! msgpackenc sensor-name=north", "sensor-name=cam", []string{"cam0", "cam0", "cam0", "cam0"}},
		"name of the element": {"", "", []string{"k0", "k0", "k0", "k0"}},
		"static":              {"", "partition-key-mode=static partition-key=one", []string{"one", "one", "one", "one"}},
		"as S1 writes it":     {"", "partition-key-mode=sensor_name sensor-name=a", []string{"a0", "a0", "a0", "a0"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv, to := endpoint(t, 1)
			_, s := run(t, "fakesrc num-buffers=4 sizetype=fixed sizemax=10 filltype=pattern "+c.upstream+" ! kinesissink name=k "+to+" "+c.set)
			require.EqualValues(t, 4, s.Uint64("records-delivered"))
			var keys []string
			for _, r := range stored(t, srv) {
				keys = append(keys, r.PartitionKey)
			}
			require.Equal(t, c.want, keys)
		})
	}
}

func TestRandomKeysDiffer(t *testing.T) {
	srv, to := endpoint(t, 1)
	run(t, "fakesrc num-buffers=200 sizetype=fixed sizemax=10 ! kinesissink name=k partition-key-mode=random "+to)
	seen := map[string]bool{}
	for _, r := range stored(t, srv) {
		require.Len(t, r.PartitionKey, 36)
		require.False(t, seen[r.PartitionKey])
		seen[r.PartitionKey] = true
	}
	require.Len(t, seen, 200)
}

func TestSensorsHaveACounterEach(t *testing.T) {
	srv, to := endpoint(t, 1)
	run(t, "funnel name=f ! kinesissink name=k shards=2 "+to+
		" fakesrc num-buffers=6 sizetype=fixed sizemax=9 ! msgpackenc sensor-name=a ! f. fakesrc num-buffers=6 sizetype=fixed sizemax=9 ! msgpackenc sensor-name=b ! f.")
	next := map[string]int{}
	for _, r := range stored(t, srv) {
		sensor := r.PartitionKey[:1]
		next[sensor]++
		require.Equal(t, fmt.Sprintf("%s%d", sensor, next[sensor]%2), r.PartitionKey)
	}
	require.Equal(t, map[string]int{"a": 6, "b": 6}, next)
}

func TestAcksTellEachRecord(t *testing.T) {
	srv, to := endpoint(t, 2)
	p := gsttest.Parse(t, "fakesrc num-buffers=30 sizetype=fixed sizemax=10 datarate=10000 format=time ! kinesissink name=k acks=messages partition-key-mode=random "+to)
	p.Play()
	told := map[string]string{}
	for {
		m := p.Await(gst.MessageElement | gst.MessageEOS)
		if m.Type == gst.MessageEOS {
			break
		}
		if m.Structure.Name != "kinesissink-ack" {
			continue
		}
		sequence := m.Structure.Get("sequence-number").([]any)
		shards, keys := m.Structure.Get("shard-id").([]any), m.Structure.Get("partition-key").([]any)
		sizes, pts := m.Structure.Get("bytes").([]any), m.Structure.Get("pts").([]any)
		for i := range sequence {
			told[sequence[i].(string)] = shards[i].(string) + " " + keys[i].(string)
			require.EqualValues(t, 10, sizes[i])
			require.NotEqual(t, gst.ClockTimeNone, pts[i])
		}
	}
	there := map[string]string{}
	for _, r := range stored(t, srv) {
		there[r.SequenceNumber] = r.ShardID + " " + r.PartitionKey
	}
	require.Equal(t, there, told)
}

func TestBadSettingsAreToldWithTheRemedy(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	for set, want := range map[string]string{
		"region=x":                                                                   "stream-name",
		"stream-name=a/b region=x":                                                   "a/b",
		"stream-name=s":                                                              "AWS_REGION",
		"stream-arn=arn:aws:s3:::b":                                                  "s3",
		"stream-name=s region=x partition-key=k":                                     "partition-key-mode=static",
		"stream-name=s region=x partition-key-mode=static":                           "partition-key-mode=static needs partition-key",
		"stream-name=s region=x partition-key-field=f":                               "partition-key-mode=field to use it",
		"stream-name=s region=x partition-key-mode=field":                            "partition-key-mode=field needs partition-key-field",
		"stream-name=s region=x explicit-hash-key=-1":                                "explicit-hash-key",
		"stream-name=s region=x dead-letter=nowhere":                                 "dead-letter",
		"stream-name=s region=x account-id-endpoint-mode=often":                      "none of preferred, disabled, required",
		"stream-name=s region=x rate-limit=fast":                                     "auto, off",
		"stream-name=s region=x partition-key-mode=spread explicit-hash-key=1":       "leave one of them out",
		"stream-name=s region=x partition-key-mode=field partition-key-field=meta:x": "meta:NAME.FIELD",
		"stream-name=s region=x access-key=k":                                        "secret-access-key",
		"stream-name=s region=x endpoint-uri=localhost":                              "endpoint-uri",
		"stream-name=s region=x external-id=e":                                       "role-arn",
		"stream-name=s region=x ca-file=/nowhere/ca.pem":                             "/nowhere/ca.pem",
	} {
		t.Run(set, func(t *testing.T) {
			p := gsttest.Parse(t, "fakesrc ! kinesissink "+set)
			require.Equal(t, gst.StateChangeFailure, p.SetState(gst.StatePlaying))
			m := p.Await(gst.MessageError)
			require.Contains(t, m.Err.Text, want)
			require.Equal(t, gst.ResourceSettings, m.Err.Code)
		})
	}
}

func TestTheURI(t *testing.T) {
	e, err := gst.NewElement("kinesissink", "")
	require.NoError(t, err)
	defer e.Unref()
	require.NoError(t, e.SetURI("kinesis://eu-central-1/frames?partition-key-mode=sensor_name&sensor-name=north%201&shards=3&role-arn=arn:aws:iam::1:role/r"))
	require.Equal(t, "eu-central-1", e.Get("region"))
	require.Equal(t, "frames", e.Get("stream-name"))
	require.EqualValues(t, 3, e.Get("shards"))
	require.Equal(t, "north 1", e.Get("sensor-name"))
	uri := e.URI()
	require.Equal(t, "kinesis://eu-central-1/frames?role-arn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&sensor-name=north+1&shards=3", uri)
	require.NoError(t, e.SetURI(uri))
	require.Equal(t, uri, e.URI())
	for bad, want := range map[string]string{
		"kinesis://eu-central-1/":                            "stream",
		"kinesis://eu-central-1/frames?secret-access-key=x":  "secret-access-key",
		"kinesis://eu-central-1/frames?shards=0":             "shards",
		"kinesis://eu-central-1/frames?partition-key-mode=x": "partition-key-mode",
	} {
		require.ErrorContains(t, e.SetURI(bad), want)
	}
	require.Equal(t, uri, e.URI(), "a bad URI changes nothing")
}

func TestUnlockWhileRenderWaits(t *testing.T) {
	// Nobody listens, and there is room for one record: the second Render waits until the pipeline stops.
	p := gsttest.Parse(t, "fakesrc num-buffers=10 sizetype=fixed sizemax=10 ! kinesissink name=k stream-name=s region=x access-key=k secret-access-key=s "+
		"endpoint-uri=http://127.0.0.1:1 max-size-buffers=1 leaky=no stop-timeout=100000000 linger=0")
	p.Play()
	p.Await(gst.MessageWarning)
	for range 300 { // pauses, however quick, neither lose the record that waits nor hang
		p.To(gst.StatePaused)
		p.To(gst.StatePlaying)
	}
	began := time.Now()
	p.SetState(gst.StateNull)
	require.Less(t, time.Since(began), 5*time.Second)
	s := stats(p.Element("k"))
	balanced(t, s)
	require.NotZero(t, s.Get("dropped-by-reason").(*gst.Structure).Uint64("stop"))
}

// A stream that takes more than 1 MiB is made use of without being told.
func TestLargeRecordsWhereTheStreamTakesThem(t *testing.T) {
	srv, to := endpoint(t, 1)
	client := localtest.Client(srv, localtest.AnyCredentials())
	d, err := client.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("s")})
	require.NoError(t, err)
	_, err = client.UpdateMaxRecordSize(t.Context(), &kinesis.UpdateMaxRecordSizeInput{StreamARN: d.StreamDescriptionSummary.StreamARN, MaxRecordSizeInKiB: aws.Int32(4096)})
	require.NoError(t, err)
	_, s := run(t, "fakesrc num-buffers=1 sizetype=fixed sizemax=3000000 ! kinesissink name=k "+to)
	require.EqualValues(t, 1, s.Uint64("records-delivered"))
	require.Len(t, stored(t, srv)[0].Data, 3000000)
}

func TestOversizeIsAnErrorWhereAskedFor(t *testing.T) {
	_, to := endpoint(t, 1)
	p := gsttest.Parse(t, "fakesrc num-buffers=3 sizetype=fixed sizemax=3000 ! kinesissink name=k max-record-size=1000 oversize=error "+to)
	p.Play()
	m := p.Await(gst.MessageError)
	require.Contains(t, m.Err.Text, "Putting a record of 3002 bytes into stream s, which takes 1000")
	require.Contains(t, m.Err.Text, "oversize")
	require.Positive(t, stats(p.Element("k")).Uint64("records-refused"))
}

func TestAnEmptyBufferIsARecordOfNothing(t *testing.T) {
	srv, to := endpoint(t, 1)
	h := sink(t, to)
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, nil)))
	h.PushEvent(gst.NewEOS())
	require.Len(t, stored(t, srv), 1)
	require.Empty(t, stored(t, srv)[0].Data)
}

func TestSeveralMemoriesAndListsArriveWhole(t *testing.T) {
	srv, to := endpoint(t, 1)
	h := sink(t, to)
	h.SetSrcCaps("application/x-test")
	b := gsttest.FrameAt(0, []byte("one ")).Buffer()
	b.Append([]byte("record "))
	b.Append([]byte("of three"))
	require.Equal(t, gst.FlowOK, h.PushList(gst.NewBufferList(b, gsttest.FrameAt(1, []byte("second")).Buffer())))
	h.PushEvent(gst.NewEOS())
	records := stored(t, srv)
	require.Len(t, records, 2)
	require.Equal(t, "one record of three", string(records[0].Data))
	require.Equal(t, "second", string(records[1].Data))
}

func TestDeliveryTokens(t *testing.T) {
	_, to := endpoint(t, 1)
	h := sink(t, to+" max-record-size=100")
	h.SetSrcCaps("application/x-test")
	outcomes := make(chan gst.Outcome, 1)
	for size, want := range map[int]gst.Outcome{10: gst.OutcomeDelivered, 1000: gst.OutcomeFailed} {
		b := gsttest.FrameAt(0, make([]byte, size)).Buffer()
		token := gst.NewToken(func(o gst.Outcome) { outcomes <- o })
		b.SetToken(token)
		token.Unref()
		require.Equal(t, gst.FlowOK, h.PushBuffer(b))
		require.Equal(t, want, <-outcomes)
	}
}
