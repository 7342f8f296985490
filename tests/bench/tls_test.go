package bench

import (
	"bufio"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/producer"
	"gst-kinesis/tests/kit"
)

// serveVariable tells a process that is this test's binary to be an endpoint with TLS; it names the file for its certificate.
const serveVariable = "GST_KINESIS_BENCH_SERVE"

func TestMain(m *testing.M) {
	if file := os.Getenv(serveVariable); file != "" {
		if err := serve(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	kit.Isolate()
	os.Exit(m.Run())
}

// serve is `gst-kinesis local --limits=none` with TLS, until its input ends.
func serve(file string) error {
	conf, trust, err := local.SelfSigned(time.Now())
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, trust, 0o600); err != nil {
		return err
	}
	srv, err := local.New(local.Settings{TLS: conf, Limits: local.LimitsNone, MaxBytes: 64 << 20, Create: []local.StreamSpec{{Name: "s", Shards: 4}}})
	if err != nil {
		return err
	}
	if err := srv.Start(); err != nil {
		return err
	}
	fmt.Println(srv.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return srv.Close(context.Background())
}

// secure starts the endpoint in a process of its own.
func secure(b *testing.B) (url, trust string) {
	b.Helper()
	trust = filepath.Join(b.TempDir(), "trust.pem")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(kit.Environ(), serveVariable+"="+trust)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	url, err = bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatalf("waiting for the endpoint: %v", err)
	}
	return strings.TrimSpace(url), trust
}

// amount is how many bytes go through in one run.
const amount = 256 << 20

// BenchmarkTLS prints how many bytes of records a producer sends in a second over TLS on loopback, the endpoint being another process on the same
// machine; how many for each second of its own processor time; and beside it what one core could at most, were there nothing to do but what must
// be: one SHA-256 for the signature and one AES-128-GCM for TLS of each byte. The two ratios hold within this run.
func BenchmarkTLS(b *testing.B) {
	url, trust := secure(b)
	for _, load := range []struct {
		name       string
		size, keys int
	}{{"1kB", 1000, 64}, {"50KiB", 50 << 10, 16}, {"200KiB", 200 << 10, 16}} {
		b.Run(load.name, func(b *testing.B) {
			var wall, own time.Duration
			for range b.N {
				w, o := send(b, url, trust, load.size, load.keys)
				wall, own = wall+w, own+o
			}
			sha, gcm := hashing(), sealing()
			must := 1 / (1/sha + 1/gcm)
			all := float64(amount/load.size*load.size) * float64(b.N) / 1e6
			b.ReportMetric(all/wall.Seconds(), "MB/s")
			b.ReportMetric(all/own.Seconds(), "MB/cpu-s")
			b.ReportMetric(sha, "MB/s-sha256")
			b.ReportMetric(gcm, "MB/s-aesgcm")
			b.ReportMetric(must, "MB/s-crypto")
			b.ReportMetric(all/wall.Seconds()/must, "of-crypto")
			b.ReportMetric(all/own.Seconds()/must, "of-crypto-by-cpu")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// send lets a producer send, and gives how long it took and how much of it the processors worked for this process.
func send(b *testing.B, url, trust string, size, keys int) (wall, own time.Duration) {
	b.Helper()
	session, err := awscfg.Open(b.Context(), awscfg.Settings{Region: local.DefaultRegion, EndpointURI: url, CAFile: trust, AccessKey: "a", SecretAccessKey: "b"},
		awscfg.Stream{})
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	set := producer.Default()
	set.Stream, set.Region, set.Endpoint, set.RateLimit, set.DrainTimeout = "s", local.DefaultRegion, url, limit.Off, time.Minute
	p, err := producer.New(session.Kinesis(), set, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	payload := make([]byte, size)
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprint("camera", i)
	}
	began, used := time.Now(), processor(b)
	for i := range amount / size {
		r := p.Reserve(size)
		copy(r.Data, payload)
		r.PartitionKey, r.PTS = names[i%keys], producer.NoPTS
		if err := p.Put(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	wall, own = time.Since(began), processor(b)-used
	if books := p.Books(); !books.Balanced() || books.Delivered.Records != int64(amount/size) {
		b.Fatalf("books: %+v", books)
	}
	return wall, own
}

// processor is how long the processors have worked for this process.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// hashing gives SHA-256's speed on one core in MB/s, over a request's worth of bytes.
func hashing() float64 {
	data := make([]byte, 1<<20)
	return speed(len(data), func() { sha256.Sum256(data) })
}

// sealing gives AES-128-GCM's, over TLS's records of 16 KiB.
func sealing() float64 {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	data, out, nonce := make([]byte, 16<<10), make([]byte, 0, 17<<10), make([]byte, gcm.NonceSize())
	return speed(len(data), func() { gcm.Seal(out, nonce, data, nil) })
}

// speed is the best of several tries: others use the machine too.
func speed(bytes int, do func()) (best float64) {
	for range 5 {
		began, n := time.Now(), 0
		for time.Since(began) < 100*time.Millisecond {
			do()
			n++
		}
		best = max(best, float64(n*bytes)/1e6/time.Since(began).Seconds())
	}
	return best
}
