package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/control"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/shard"
	"gst-kinesis/internal/spool"
	"gst-kinesis/tests/kit"
)

// roleVariable tells a process that is this test's binary to be something else: a role, as JSON.
const roleVariable = "GST_KINESIS_CHAOS_ROLE"

// role is what a process of the test's own plays.
type role struct {
	// Endpoint serves streams, each with so many shards, until its input ends, and prints its URL first and its counters last.
	Endpoint []local.StreamSpec `json:",omitempty"`
	// Box is a producer with a spool.
	Box *box `json:",omitempty"`
}

func play(text string) int {
	var r role
	err := json.Unmarshal([]byte(text), &r)
	switch {
	case err != nil:
	case r.Box != nil:
		err = r.Box.run()
	default:
		err = serve(r.Endpoint)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// start starts a process in a role. Its input stays open until stdin is closed.
func (r role) start(t *testing.T) *process {
	t.Helper()
	text, err := json.Marshal(r)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(kit.Environ(), roleVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	p := &process{cmd: cmd}
	p.stdin, err = cmd.StdinPipe()
	require.NoError(t, err)
	p.stdout, err = cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return p
}

// process is a process in a role.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
}

// counters are what a process that serves tells at its end.
type counters struct {
	Records, Failed, Bytes, Trimmed int64
}

// serve is an endpoint that keeps little.
func serve(streams []local.StreamSpec) error {
	srv, err := local.New(local.Settings{Limits: local.LimitsNone, Create: streams, MaxBytes: 32 << 20})
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		return err
	}
	fmt.Println(srv.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := srv.Close(context.Background()); err != nil {
		return err
	}
	s := srv.Stats()
	return json.NewEncoder(os.Stdout).Encode(counters{Records: s.Records, Failed: s.Failed, Bytes: s.Bytes, Trimmed: s.Trimmed})
}

// box is a producer whose records lie in a spool: what runs on a camera's pole.
type box struct {
	Endpoint, Spool string
	Sync            spool.Sync
	Ordering        producer.Ordering
	// First is the number of the first record; none are put where it is 0.
	First int
}

const (
	boxKeys     = 8
	boxInFlight = 4
	boxBatch    = 25
)

// run puts records until its input ends, printing each one's head as soon as it was accepted; it drains then, and prints the books.
func (b *box) run() error {
	s, err := spool.Open(spool.Settings{Directory: b.Spool, Sync: b.Sync, SyncEvery: 100 * time.Millisecond, SegmentBytes: 64 << 10, MaxBytes: 256 << 20})
	if err != nil {
		return err
	}
	session, err := awscfg.Open(context.Background(), awscfg.Settings{Region: local.DefaultRegion, EndpointURI: b.Endpoint, AccessKey: "a", SecretAccessKey: "b"},
		awscfg.Stream{})
	if err != nil {
		return err
	}
	defer session.Close()
	client, settings := session.Kinesis(), producer.Default()
	settings.Stream, settings.Region, settings.Endpoint, settings.Ordering = stream, local.DefaultRegion, b.Endpoint, b.Ordering
	settings.MaxInFlight, settings.MaxBatchRecords, settings.Linger, settings.DrainTimeout = boxInFlight, boxBatch, 5*time.Millisecond, kit.Limit
	p, err := producer.New(client, settings, nil, producer.WithSpool(s), producer.WithShards(func(ctx context.Context) ([]shard.Shard, error) {
		return control.OpenShards(ctx, client, stream, "")
	}))
	if err != nil {
		return err
	}
	if b.First > 0 {
		err = b.put(p)
	} else {
		fmt.Println("open")
		_, err = io.Copy(io.Discard, os.Stdin)
	}
	if err == nil {
		err = p.Flush(context.Background())
	}
	p.Close()
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(p.Books())
}

// put puts records of all keys at once, each key's one after another.
func (b *box) put(p *producer.Producer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	errs := make(chan error, boxKeys)
	var all sync.WaitGroup
	for key := range boxKeys {
		all.Go(func() {
			tick := time.NewTicker(4 * time.Millisecond)
			defer tick.Stop()
			for n := b.First + key; ctx.Err() == nil; n += boxKeys {
				head := fmt.Sprintf("key%02d %08d", key, n)
				r := p.Reserve(200 + n%400)
				copy(r.Data, head+strings.Repeat(".", len(r.Data)))
				r.PartitionKey, r.PTS = fmt.Sprintf("key%02d", key), producer.NoPTS
				if err := p.Put(context.Background(), r); err != nil {
					errs <- err
					return
				}
				if _, err := os.Stdout.WriteString(head + "\n"); err != nil {
					return
				}
				<-tick.C
			}
		})
	}
	all.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// lines reads a process's output to its end.
func (p *process) lines(each func(line string)) {
	for s := bufio.NewScanner(p.stdout); s.Scan(); {
		each(s.Text())
	}
}
