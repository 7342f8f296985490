package launch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/tests/kit"
)

// TestKilled: gst-launch-1.0 with a spool is killed at whatever moment, again and again, while the endpoint comes and goes. What kinesissink had
// taken arrives in the end, each key's in order.
//
// The records come through one pipe from which all the processes read, a block a buffer. fdsrc reads a block only when the sink has taken the one
// before: all that are gone from the pipe but the last one were taken.
func TestKilled(t *testing.T) {
	for _, policy := range []string{"always", "interval"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			k := newKilling(t, policy)
			kills := 8
			if os.Getenv("GST_KINESIS_SOAK") != "" {
				kills = 100
			}
			var feeding sync.WaitGroup
			quit := make(chan struct{})
			feeding.Go(func() { k.feed(quit) })
			for i := range kills {
				k.runAndKill(i)
			}
			close(quit)
			feeding.Wait()
			k.drain(kills)
		})
	}
}

const (
	block      = 64 // bytes of a record
	killedKeys = 3
)

type killing struct {
	*testing.T
	srv         *local.Server
	line        []string
	random      *rand.Rand
	read, write *os.File // of the pipe

	mu      sync.Mutex   // held while the pipe is written to
	written int          // blocks
	unsure  map[int]bool // those that may be lost: gone from the pipe in the moment of a kill
}

func newKilling(t *testing.T, policy string) *killing {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	srv := localtest.Start(t, local.Settings{Addr: kit.Address(t), Limits: local.LimitsNone, Create: []local.StreamSpec{{Name: "frames", Shards: 2}}})
	k := &killing{T: t, srv: srv, random: rand.New(rand.NewPCG(seed, seed)), unsure: map[int]bool{}}
	k.line = strings.Fields(fmt.Sprintf("-q fdsrc fd=0 blocksize=%d ! kinesissink spool-directory=%s spool-sync=%s partition-key-mode=field partition-key-field=k "+
		"drain-timeout=60000000000 stream-name=frames region=us-east-1 endpoint-uri=%s access-key=a secret-access-key=b",
		block, filepath.Join(t.TempDir(), "spool"), policy, srv.URL()))
	var err error
	k.read, k.write, err = os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = k.read.Close(), k.write.Close() })
	return k
}

// record makes the n-th record.
func record(n int) string {
	text := fmt.Sprintf(`{"k":"key%d","n":"%08d","fill":"`, n%killedKeys, n)
	return text + strings.Repeat(".", block-len(text)-2) + `"}`
}

// feed writes records until quit, not many more than are read.
func (k *killing) feed(quit chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-quit:
			return
		case <-tick.C:
		}
		k.mu.Lock()
		if k.unread() < 200 {
			if _, err := k.write.WriteString(record(k.written)); err != nil {
				k.Errorf("writing a record: %v", err)
			}
			k.written++
		}
		k.mu.Unlock()
	}
}

// unread is how many blocks are in the pipe.
func (k *killing) unread() int {
	n, err := unix.IoctlGetInt(int(k.read.Fd()), unix.TIOCINQ)
	if err != nil {
		k.Errorf("asking the pipe: %v", err)
	}
	return n / block
}

func (k *killing) gone() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.written - k.unread()
}

func (k *killing) start() *exec.Cmd {
	k.Helper()
	cmd := exec.Command("gst-launch-1.0", k.line...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = kit.GStreamer(k.T), k.read, os.Stdout, os.Stderr
	require.NoError(k, cmd.Start())
	return cmd
}

// runAndKill starts a process and kills it: mostly when it has taken something, else while it starts. The endpoint goes or comes meanwhile.
func (k *killing) runAndKill(i int) {
	k.Helper()
	before, cmd := k.gone(), k.start()
	if k.random.IntN(4) > 0 {
		kit.Until(k, "it takes records", func() bool { return k.gone() > before+k.random.IntN(100) })
	}
	time.Sleep(time.Duration(k.random.IntN(200)) * time.Millisecond)
	if i%2 == 0 {
		k.srv.Stop()
		time.Sleep(time.Duration(k.random.IntN(200)) * time.Millisecond)
	} else {
		kit.Until(k, "the endpoint is back", func() bool { return k.srv.Start() == nil })
		time.Sleep(time.Duration(k.random.IntN(200)) * time.Millisecond)
	}
	require.NoError(k, cmd.Process.Kill())
	_ = cmd.Wait()
	if gone := k.gone(); gone > before {
		k.unsure[gone-1] = true
	}
}

// drain lets a last process take the rest of the pipe and send all that is left, and compares.
func (k *killing) drain(kills int) {
	k.Helper()
	k.srv.Stop()
	require.NoError(k, k.srv.Start())
	cmd := k.start()
	require.NoError(k, k.write.Close())
	require.NoError(k, cmd.Wait())
	stored, err := k.srv.Records("frames")
	require.NoError(k, err)
	at, last := map[string]bool{}, map[string]string{}
	for _, s := range stored {
		data := string(s.Data)
		if !at[data] {
			require.Less(k, last[s.PartitionKey], data, "the order of a key")
			last[s.PartitionKey] = data
		}
		at[data] = true
	}
	lost := 0
	for n := range k.written {
		if !at[record(n)] {
			require.True(k, k.unsure[n], "record %d of %d was taken and is lost", n, k.written)
			lost++
		}
	}
	require.Greater(k, k.written, 20*kills)
	require.Len(k, at, k.written-lost, "nothing else is stored")
	repeats := len(stored) - len(at)
	k.Logf("%d kills: %d records, %d of them lost before the sink had taken them, %d repeats", kills, k.written, lost, repeats)
}
