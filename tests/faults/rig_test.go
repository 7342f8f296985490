package faults

import (
	"bytes"
	"crypto/md5"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/plugins"
	"gst-kinesis/tests/kit"
)

func TestMain(m *testing.M) {
	kit.Isolate()
	flag.Parse()
	_ = flag.Set("test.parallel", "32") // the parallel ones wait for time to pass, not for a processor
	// So that what C gives back leaves the process, and RSS tells of leaks instead of malloc's habits.
	for name, value := range map[string]string{"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"} {
		os.Setenv(name, value)
	}
	gsttest.Main(m, plugins.Info())
}

const (
	stream = "frames"
	region = local.DefaultRegion
	access = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI"
)

// endpoint is the embedded endpoint with the stream, ready to be started.
func endpoint(t *testing.T, set local.Settings) *local.Server {
	t.Helper()
	if set.Create == nil {
		set.Create = []local.StreamSpec{{Name: stream, Shards: 2}}
	}
	if set.Limits == "" {
		set.Limits = local.LimitsNone
	}
	srv := localtest.Start(t, set)
	t.Cleanup(func() { // what the endpoint stored is not what the test measures
		for _, spec := range set.Create {
			require.NoError(t, srv.DeleteStream(spec.Name))
		}
	})
	return srv
}

// fault puts a rule in force until the test ends or it is removed.
func fault(t *testing.T, srv *local.Server, r local.Rule) *local.FaultHandle {
	t.Helper()
	h, err := srv.AddFault(r)
	require.NoError(t, err)
	return h
}

// rig is a pipeline of an appsrc, whose buffers the test makes, and a kinesissink. What it posts is kept with the time at which it came.
type rig struct {
	t        *testing.T
	srv      *local.Server // nil: none of ours
	pipeline *gst.Object
	source   *gst.Object
	sink     *gst.Object
	began    time.Time // of PLAYING
	pushed   [][]byte

	quit chan struct{}
	read sync.WaitGroup

	mu   sync.Mutex
	said []said
	more chan struct{} // closed and made anew with each message
}

// said is a message and when it came after PLAYING.
type said struct {
	*gst.Message
	at time.Duration
}

// newRig makes the pipeline; properties are the sink's, beside those that every test needs, which they override.
func newRig(t *testing.T, srv *local.Server, properties string) *rig {
	t.Helper()
	uri := "http://127.0.0.1:9" // the port "discard", where nothing listens
	if srv != nil {
		uri = srv.URL()
	}
	line := fmt.Sprintf("appsrc name=source format=time max-bytes=0 ! kinesissink name=sink stream-name=%s region=%s "+
		"endpoint-uri=%s access-key=%s secret-access-key=%s acks=messages linger=5000000 %s", stream, region, uri, access, secret, properties)
	p, err := gst.Parse(line)
	require.NoError(t, err)
	require.NoError(t, p.Set("auto-flush-bus", false)) // what is said while it stops is read too
	r := &rig{t: t, srv: srv, pipeline: p, source: p.ByName("source"), sink: p.ByName("sink"), quit: make(chan struct{}), more: make(chan struct{})}
	bus := p.Bus()
	r.read.Go(func() { r.listen(bus) })
	t.Cleanup(func() {
		r.stop()
		close(r.quit)
		r.read.Wait()
		for bus.Pop(0, gst.MessageAny) != nil { // what is left there keeps elements alive
		}
		last := r.stats()
		bus.Unref()
		r.source.Unref()
		r.sink.Unref()
		r.pipeline.Unref()
		if t.Failed() {
			for _, m := range r.all() {
				t.Logf("%8.3fs %s", m.at.Seconds(), m)
			}
			t.Log(last)
		}
		r.pushed, r.said = nil, nil // the test's own memory
	})
	return r
}

func (m said) String() string {
	switch m.Type {
	case gst.MessageError, gst.MessageWarning, gst.MessageInfo:
		return fmt.Sprintf("%#x %s: %s [%s] %s", uint32(m.Type), m.Source, m.Err.Text, m.Err.Debug, m.Structure)
	}
	text := m.Structure.String()
	return fmt.Sprintf("%#x %s: %s", uint32(m.Type), m.Source, text[:min(len(text), 300)])
}

// listen keeps what comes on the bus.
func (r *rig) listen(bus gst.Bus) {
	for {
		select {
		case <-r.quit:
			return
		default:
		}
		m := bus.Pop(20*time.Millisecond, gst.MessageError|gst.MessageWarning|gst.MessageInfo|gst.MessageElement|gst.MessageEOS|gst.MessageQoS)
		if m == nil {
			continue
		}
		r.mu.Lock()
		r.said = append(r.said, said{m, time.Since(r.began)})
		close(r.more)
		r.more = make(chan struct{})
		r.mu.Unlock()
	}
}

func (r *rig) play() {
	r.t.Helper()
	r.mu.Lock()
	r.began = time.Now()
	r.mu.Unlock()
	require.NotEqual(r.t, gst.StateChangeFailure, r.pipeline.SetState(gst.StatePlaying))
}

// stop brings the pipeline to NULL; the books stay readable.
func (r *rig) stop() { r.pipeline.SetState(gst.StateNull) }

// push pushes n records of size bytes, each of its own content, and gives how many the pipeline took: fewer when it has failed.
func (r *rig) push(n, size int) int {
	for i := range n {
		data := payload(len(r.pushed), size)
		if !r.pushBytes(data) {
			return i
		}
	}
	return n
}

func payload(i, size int) []byte {
	head := fmt.Sprintf("record %08d ", i)
	return append([]byte(head), bytes.Repeat([]byte{byte(i)}, max(0, size-len(head)))...)[:max(size, len(head))]
}

func (r *rig) pushBytes(data []byte) bool {
	b := gst.NewBuffer(data)
	b.SetPTS(uint64(len(r.pushed)) * uint64(time.Millisecond))
	defer b.Unref()
	flow := r.source.Emit("push-buffer", b)
	if fmt.Sprint(flow) != fmt.Sprint(int32(gst.FlowOK)) && fmt.Sprint(flow) != "ok" {
		return false
	}
	r.pushed = append(r.pushed, data)
	return true
}

// end sends the end of the stream and waits until the sink says that it ended.
func (r *rig) end() {
	r.t.Helper()
	r.source.Emit("end-of-stream")
	r.await("the end of the stream", func(m said) bool { return m.Type == gst.MessageEOS })
}

// await waits for a message and gives the first one that fits.
func (r *rig) await(what string, fits func(m said) bool) said {
	r.t.Helper()
	over := time.After(kit.Limit)
	for seen := 0; ; {
		r.mu.Lock()
		list, more := r.said, r.more
		r.mu.Unlock()
		for ; seen < len(list); seen++ {
			if fits(list[seen]) {
				return list[seen]
			}
		}
		select {
		case <-more:
		case <-over:
			r.t.Fatalf("waiting for %s: nothing came", what)
		}
	}
}

func (r *rig) all() []said {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said
}

// awaitError waits for the error that ends the stream.
func (r *rig) awaitError(code string) said {
	r.t.Helper()
	return r.await("the error "+code, func(m said) bool { return m.Type == gst.MessageError && m.Structure.Str("aws-error-code") == code })
}

// awaitWarning waits for the first warning of a code.
func (r *rig) awaitWarning(code string) said {
	r.t.Helper()
	return r.await("the warning "+code, func(m said) bool { return m.Type == gst.MessageWarning && m.Structure.Str("aws-error-code") == code })
}

// awaitRecovery waits for the info that says that records flow again.
func (r *rig) awaitRecovery() said {
	r.t.Helper()
	return r.await("the recovery", func(m said) bool { return m.Type == gst.MessageInfo && strings.Contains(m.Err.Text, "flow again") })
}

// count counts messages of a type and a code ("" for any).
func (r *rig) count(t gst.MessageType, code string) (list []said) {
	for _, m := range r.all() {
		if m.Type == t && (code == "" || m.Structure.Str("aws-error-code") == code) {
			list = append(list, m)
		}
	}
	return list
}

// awaitStats waits until the sink's stats satisfy a condition.
func (r *rig) awaitStats(what string, holds func(s *gst.Structure) bool) {
	r.t.Helper()
	kit.Until(r.t, what, func() bool { return holds(r.stats()) })
}

func (r *rig) delivered(n int) {
	r.t.Helper()
	r.awaitStats(fmt.Sprintf("%d records are delivered", n), func(s *gst.Structure) bool { return s.Uint64("records-delivered") >= uint64(n) })
}

func (r *rig) stats() *gst.Structure { return r.sink.Get("stats").(*gst.Structure) }

func (r *rig) dropped(reason string) int {
	s, _ := r.stats().Get("dropped-by-reason").(*gst.Structure)
	return int(s.Uint64(reason))
}

// sensorFor finds a sensor's name whose two keys, name1 and name0, lie on the two shards of a stream: the first one on shard 0.
func sensorFor(t *testing.T) string {
	t.Helper()
	upper := func(key string) bool { return md5.Sum([]byte(key))[0] >= 0x80 }
	for i := range 1000 {
		name := fmt.Sprintf("sensor%d-", i)
		if !upper(name+"1") && upper(name+"0") {
			return name
		}
	}
	t.Fatal("no name found")
	return ""
}
