package video

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/tests/kit"
)

// TestExits: a process with kinesisvideosink ends in each of the ways a process may, at whatever moment, while connections are cut: with the exit status that it
// should have, and never by a crash. Of kvssink's exits 2 in 9 were a SIGSEGV.
func TestExits(t *testing.T) {
	t.Parallel()
	n, seed := 20, rand.Uint64()
	if soak() {
		n = 1000
	}
	t.Logf("seed %d", seed)
	e := &exits{T: t, host: kit.CC(t, []string{"gstreamer-1.0"}, filepath.Join("testdata", "leave.c")),
		srv: localtest.Start(t, local.Settings{Limits: local.LimitsNone, VideoMemory: 64 << 20}), count: map[string]int{}}
	for _, rule := range []local.Rule{
		{Operations: []string{"PutMedia"}, Probability: 0.3, Media: fault.Media{CutAfter: 15_000}},
		{Operations: []string{"PutMedia"}, Probability: 0.3, Media: fault.Media{Acks: &fault.Acks{Late: 300 * time.Millisecond}}},
		{Operations: []string{"VideoDescribeStream"}, Probability: 0.2, Latency: fault.Span{Most: 300 * time.Millisecond}},
	} {
		_, err := e.srv.AddFault(rule)
		require.NoError(t, err)
	}
	next := make(chan int)
	var running sync.WaitGroup
	for worker := range 3 {
		running.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for i := range next {
				e.exit(i, random)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	running.Wait()
	t.Logf("%d exits, none of them a crash: %v", n, e.count)
}

type exits struct {
	*testing.T
	host  string // a program in C
	srv   *local.Server
	mu    sync.Mutex
	count map[string]int
}

// way is how a process comes to its end.
type way struct {
	name    string
	command []string
	sources string
	signal  syscall.Signal // 0: it ends by itself
	early   bool           // the signal may come at any moment
	dies    bool           // of the signal, as a program does that leaves it alone
}

func (e *exits) ways() []way {
	launch, run := "gst-launch-1.0", filepath.Join(kit.Build(e), "gst-kinesis")
	return []way{
		{name: "gst-launch-1.0, the end of the stream", command: []string{launch, "-q"}, sources: "num-buffers=30"},
		{name: "gst-launch-1.0 -e, SIGINT", command: []string{launch, "-e"}, sources: "is-live=true", signal: syscall.SIGINT},
		{name: "gst-launch-1.0, SIGINT", command: []string{launch}, sources: "is-live=true", signal: syscall.SIGINT},
		{name: "gst-launch-1.0, SIGTERM", command: []string{launch, "-q"}, sources: "is-live=true", signal: syscall.SIGTERM, early: true, dies: true},
		{name: "gst-launch-1.0, SIGTERM after the end of the stream", command: []string{launch, "-q"}, sources: "num-buffers=30", signal: syscall.SIGTERM, early: true, dies: true},
		{name: "gst-kinesis run, SIGINT", command: []string{run, "run", "--"}, sources: "is-live=true", signal: syscall.SIGINT},
		{name: "gst-kinesis run, SIGTERM", command: []string{run, "run", "--"}, sources: "is-live=true", signal: syscall.SIGTERM},
		{name: "a host, in order", command: []string{e.host, "order"}, sources: "is-live=true"},
		{name: "a host, by exit in the midst of it", command: []string{e.host, "exit"}, sources: "is-live=true"},
	}
}

// exit runs one process to its end.
func (e *exits) exit(i int, random *rand.Rand) {
	ways := e.ways()
	w, name := ways[i%len(ways)], fmt.Sprint("cam", i)
	line := fmt.Sprintf("videotestsrc %s ! video/x-raw,width=160,height=120,framerate=30/1 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! h264parse ! "+
		"kinesisvideosink name=sink stream-name=%s aws-region=us-east-1 access-key=a secret-key=s stop-stream-timeout=3 endpoint-uri=%s", w.sources, name, e.srv.URL())
	command := w.command
	if command[0] == e.host {
		command = append(command[:2:2], fmt.Sprint(random.IntN(1500)), line) // ms
	} else {
		command = append(command[:len(command):len(command)], words(line)...)
	}
	p := kit.Start(e, kit.GStreamer(e, "G_DEBUG=fatal-criticals"), command[0], command[1:]...)
	if w.signal != 0 {
		e.moment(p, name, w.early, random)
		p.Signal(w.signal)
	}
	status := p.End()
	switch {
	case w.dies && status.Signaled() && status.Signal() == w.signal:
	case status.Exited() && status.ExitStatus() == 0:
	default:
		e.Errorf("%s: %v signal %v status %d\n%s%s", w.name, status, status.Signal(), status.ExitStatus(), p.Out(), p.Err())
	}
	for _, bad := range []string{"panic:", "fatal error:", "SIGSEGV", "CRITICAL", "goroutine "} {
		if strings.Contains(p.Out()+p.Err(), bad) {
			e.Errorf("%s: it says %s\n%s%s", w.name, bad, p.Out(), p.Err())
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count[w.name]++
}

// moment waits for one: at once, when the stream was made and nothing is sent yet, in the midst of a frame, or when a fragment is stored.
func (e *exits) moment(p *kit.Process, name string, early bool, random *rand.Rand) {
	reached := func() bool { return true }
	switch kind := random.IntN(4); {
	case kind == 0 && early:
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
	case kind <= 1:
		reached = func() bool { _, err := e.srv.Fragments(name); return err == nil }
	case kind == 2:
		reached = func() bool { return len(e.srv.PutMediaSessions(name)) > 0 }
	default:
		reached = func() bool { list, _ := e.srv.Fragments(name); return len(list) > 0 }
	}
	for over := time.Now().Add(kit.Limit); !reached(); time.Sleep(time.Millisecond) {
		select {
		case <-p.Done():
			return
		default:
		}
		if time.Now().After(over) {
			e.Errorf("it is not reached")
			return
		}
	}
	time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
}
