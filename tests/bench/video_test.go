package bench

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/tests/kit"
)

// long says whether benchmarks shall take their long form.
func long() bool { return os.Getenv("GST_KINESIS_SOAK") != "" }

// clip makes a clip of H.264 once, with a key frame every 2 s, and gives its name.
func clip(b *testing.B, width, height, fps, seconds, kbits int) string {
	b.Helper()
	const name = "clip.mp4"
	dir := kit.Cache(b, fmt.Sprintf("bench-%dx%d-%d-%ds-%dk", width, height, fps, seconds, kbits), func(dir string) error {
		rate := fmt.Sprintf("%dk", kbits)
		c := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i",
			fmt.Sprintf("testsrc2=size=%dx%d:rate=%d,noise=alls=12:allf=t", width, height, fps), "-t", fmt.Sprint(seconds), "-pix_fmt", "yuv420p",
			"-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", fmt.Sprint(2*fps), "-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate,
			filepath.Join(dir, name))
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("making a clip: %w\n%s", err, out)
		}
		return nil
	})
	return filepath.Join(dir, name)
}

// play is a clip's frames as they are, at the pace of a camera or as fast as they are taken.
func play(clip string, live bool) string {
	line := "filesrc location=" + clip + " ! qtdemux ! h264parse ! video/x-h264,stream-format=avc,alignment=au"
	if live {
		line += " ! identity sync=true"
	}
	return line
}

// videoEndpoint is an endpoint with video streams, and the sink that sends to the first.
func videoEndpoint(b *testing.B, names ...string) (url string, sink func(name string) string) {
	set := local.Settings{Limits: local.LimitsNone}
	for _, n := range names {
		set.VideoCreate = append(set.VideoCreate, local.VideoStreamSpec{Name: n, Retention: time.Hour})
	}
	url = localtest.Start(b, set).URL()
	return url, func(name string) string {
		return "kinesisvideosink stream-name=" + name + " aws-region=us-east-1 access-key=k secret-key=s endpoint-uri=" + url
	}
}

// use is what a process used: CPU time, and memory resident at the most, in bytes: its own, and of files (libraries, which processes share and the
// kernel may drop; newer kernels count the whole file where a part of it is used).
type use struct {
	cpu       time.Duration
	own, file int64
}

func (u use) above(o use) use { return use{u.cpu - o.cpu, u.own - o.own, u.file - o.file} }

// run starts gst-launch-1.0.
func run(b *testing.B, line string) *kit.Process {
	b.Helper()
	return kit.Start(b, kit.Environ("GST_PLUGIN_PATH="+kit.Build(b)), "gst-launch-1.0", append([]string{"-q"}, strings.Fields(line)...)...)
}

// watch starts gst-launch-1.0, and gives a function that waits for its end and says what it used.
func watch(b *testing.B, line string) func() use {
	b.Helper()
	p := run(b, line)
	most := make(chan use)
	go func() {
		var m use
		for ticks := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-p.Done():
				ticks.Stop()
				most <- m
				return
			case <-ticks.C:
				now := sample(p.Pid())
				m.own, m.file = max(m.own, now.own), max(m.file, now.file)
			}
		}
	}()
	return func() use {
		u := <-most
		if status := p.Wait(); status != 0 {
			b.Fatalf("%s: status %d\n%s%s", line, status, p.Out(), p.Err())
		}
		u.cpu = p.CPU()
		return u
	}
}

// sample is what a process has used so far, and its memory now; zero where it is gone. Source: proc(5).
func sample(pid int) (u use) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u
	}
	words := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	for _, word := range words[11:13] { // user and system, in ticks of 10 ms
		n, _ := strconv.ParseInt(word, 10, 64)
		u.cpu += time.Duration(n) * 10 * time.Millisecond
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		kib, _ := strconv.ParseInt(words[1], 10, 64)
		switch words[0] {
		case "RssAnon:":
			u.own = kib << 10
		case "RssFile:":
			u.file = kib << 10
		}
	}
	return u
}

// report prints what was used beyond something.
func report(b *testing.B, above use) {
	b.ReportMetric(above.cpu.Seconds(), "s-CPU-above-fakesink")
	b.ReportMetric(float64(above.own)/(1<<20), "MiB-own-above-fakesink")
	b.ReportMetric(float64(above.file)/(1<<20), "MiB-file-above-fakesink")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkVideoLive prints the CPU time and the memory that kinesisvideosink takes above fakesink, which plays the same at the same time: 100 s of
// 1080p30 at 4 Mbit/s, at the pace of a camera.
func BenchmarkVideoLive(b *testing.B) {
	const seconds = 100
	clip := clip(b, 1920, 1080, 30, seconds, 4000)
	_, sink := videoEndpoint(b, "warm", "cam")
	watch(b, play(clip, false)+" ! "+sink("warm"))()
	var fake, ours use
	for b.Loop() {
		f := watch(b, play(clip, true)+" ! fakesink sync=false enable-last-sample=false")
		o := watch(b, play(clip, true)+" ! "+sink("cam"))
		fake, ours = f(), o()
	}
	b.ReportMetric(fake.cpu.Seconds(), "s-CPU-fakesink")
	report(b, ours.above(fake))
}

// BenchmarkVideoUnpaced is the same as fast as it goes.
func BenchmarkVideoUnpaced(b *testing.B) {
	clip := clip(b, 1920, 1080, 30, 100, 4000)
	_, sink := videoEndpoint(b, "cam")
	watch(b, play(clip, false)+" ! "+sink("cam"))()
	var fake, ours use
	var fakeTook, took time.Duration
	for b.Loop() {
		began := time.Now()
		fake = watch(b, play(clip, false)+" ! fakesink sync=false enable-last-sample=false")()
		fakeTook = time.Since(began)
		began = time.Now()
		ours = watch(b, play(clip, false)+" ! "+sink("cam"))()
		took = time.Since(began)
	}
	b.ReportMetric((took - fakeTook).Seconds(), "s-above-fakesink")
	report(b, ours.above(fake))
}

// marker stands before the time at the end of each frame of BenchmarkVideoFrameToWire.
const marker = "\xfe\xed<gst-kinesis>"

// BenchmarkVideoFrameToWire prints how long a frame of 17 KiB takes from a live source to the last of its bytes at the other end of the connection: a
// datagram holds a frame, with the time it was sent at; what comes out of the sink goes through a tap that looks for it.
func BenchmarkVideoFrameToWire(b *testing.B) {
	url, _ := videoEndpoint(b, "cam")
	tapped, times := tap(b, strings.TrimPrefix(url, "http://"))
	free, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.LocalAddr().String())
	free.Close()
	p := kit.Start(b, kit.Environ("GST_PLUGIN_PATH="+kit.Build(b)), "gst-launch-1.0", "-e",
		"udpsrc", "address=127.0.0.1", "port="+port, "caps="+frameCaps(b), "!", "kinesisvideosink", "stream-name=cam", "aws-region=us-east-1", "access-key=k", "secret-key=s",
		"endpoint-uri=http://"+tapped)
	conn, err := net.Dial("udp", "127.0.0.1:"+port)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	frame := make([]byte, 17<<10)
	send := func() {
		binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
		frame[4] = 0x65 // a key frame
		end := append(append(frame[:len(frame)-len(marker)-8:len(frame)], marker...), make([]byte, 8)...)
		binary.BigEndian.PutUint64(end[len(end)-8:], uint64(time.Now().UnixNano()))
		_, _ = conn.Write(end) // nobody listens yet
	}
	for deadline := time.Now().Add(kit.Limit); len(times()) == 0; time.Sleep(30 * time.Millisecond) {
		if send(); time.Now().After(deadline) {
			b.Fatal("no frame came through\n", p.Out(), p.Err())
		}
	}
	skip := len(times())
	frames := 600
	if long() {
		frames = 3000
	}
	for b.Loop() {
		for range frames {
			time.Sleep(time.Second / 30)
			send()
		}
	}
	kit.Until(b, "the last frame", func() bool { return len(times()) >= skip+frames })
	all := times()[skip:]
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "us-p50")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "us-p99")
	b.ReportMetric(float64(all[len(all)-1].Microseconds()), "us-most")
	b.ReportMetric(0, "ns/op")
}

// frameCaps are those of 1080p30 in H.264: the codec's data are of a stream that x264 made.
func frameCaps(b *testing.B) string {
	avcc, err := hex.DecodeString("01424028ffe1001967424028da01e0089f961000000300100000030" + "3c0f1832a01000568ce0fc8")
	if err != nil {
		b.Fatal(err)
	}
	return fmt.Sprintf("video/x-h264,stream-format=avc,alignment=au,width=1920,height=1080,framerate=30/1,codec_data=(buffer)%x", avcc)
}

// tap passes connections on to an address, and gives how long the marked frames in them had been under way.
func tap(b *testing.B, to string) (address string, times func() []time.Duration) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	var mu sync.Mutex
	var all []time.Duration
	found := func(at int64) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, time.Duration(time.Now().UnixNano()-at))
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", to)
			if err != nil {
				c.Close()
				return
			}
			go func() { _, _ = io.Copy(c, up); c.Close() }()
			go func() { _, _ = io.Copy(io.MultiWriter(&finder{found: found}, up), c); up.Close() }()
		}
	}()
	return l.Addr().String(), func() []time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// finder finds marked frames in what is written.
type finder struct {
	found func(at int64)
	rest  []byte
}

func (f *finder) Write(p []byte) (int, error) {
	f.rest = append(f.rest, p...)
	for {
		i := strings.Index(string(f.rest), marker)
		if i < 0 {
			f.rest = slices.Clone(f.rest[max(0, len(f.rest)-len(marker)):])
			return len(p), nil
		}
		end := i + len(marker) + 8
		if len(f.rest) < end {
			return len(p), nil
		}
		f.found(int64(binary.BigEndian.Uint64(f.rest[end-8:])))
		f.rest = f.rest[end:]
	}
}

// BenchmarkVideoCameras prints what a camera costs where one process sends 16 of 2 Mbit/s, above 16 fakesinks, and how memory and CPU time change between
// the first and the last third of the time, which is 10 minutes in the long form.
func BenchmarkVideoCameras(b *testing.B) {
	const cameras = 16
	seconds := 60
	if long() {
		seconds = 600
	}
	clip := clip(b, 640, 360, 30, seconds, 2000)
	var names []string
	for i := range cameras {
		names = append(names, fmt.Sprintf("cam-%d", i))
	}
	_, sink := videoEndpoint(b, names...)
	for b.Loop() {
		var ours, fake []string
		for _, n := range names {
			ours = append(ours, play(clip, true)+" ! "+sink(n))
			fake = append(fake, play(clip, true)+" ! fakesink sync=false enable-last-sample=false")
		}
		other := watch(b, strings.Join(fake, " "))
		p := run(b, strings.Join(ours, " "))
		samples := every(p, time.Duration(seconds)*time.Second/12)
		f := other()
		if status := p.Wait(); status != 0 || len(samples) < 9 {
			b.Fatalf("status %d after %d samples\n%s%s", status, len(samples), p.Out(), p.Err())
		}
		last, third := samples[len(samples)-1], len(samples)/3
		per := func(d time.Duration, n int) float64 { // ms of CPU a camera and second
			return float64(d.Microseconds()) / 1e3 / cameras / (float64(n) * float64(seconds) / 12)
		}
		b.ReportMetric(per(last.cpu-f.cpu, len(samples)), "ms-CPU/camera-s-above-fakesink")
		b.ReportMetric(per(samples[third].cpu-samples[0].cpu, third), "ms-CPU/camera-s-first")
		b.ReportMetric(per(last.cpu-samples[len(samples)-1-third].cpu, third), "ms-CPU/camera-s-last")
		b.ReportMetric(float64(last.own+last.file-f.own-f.file)/(1<<20)/cameras, "MiB/camera-above-fakesink")
		b.ReportMetric(float64(samples[third].own)/(1<<20), "MiB-own-first")
		b.ReportMetric(float64(last.own)/(1<<20), "MiB-own-last")
	}
	b.ReportMetric(0, "ns/op")
}

// every samples a process until it ends.
func every(p *kit.Process, d time.Duration) (samples []use) {
	ticks := time.NewTicker(d)
	defer ticks.Stop()
	for {
		select {
		case <-p.Done():
			return samples
		case <-ticks.C:
			samples = append(samples, sample(p.Pid()))
		}
	}
}
