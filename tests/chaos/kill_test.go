package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/producer"
	"gst-kinesis/internal/spool"
	"gst-kinesis/tests/kit"
)

// TestKilled: a process with a spool is killed again and again, at whatever moment, while the endpoint comes and goes. All that was accepted arrives
// in the end, each key's in order, and repeats are at most what was under way when something died.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sync     spool.Sync
		ordering producer.Ordering
	}{{spool.SyncAlways, producer.Strict}, {spool.SyncInterval, producer.BestEffort}, {spool.SyncInterval, producer.Strict}} {
		t.Run(fmt.Sprintf("%v, %v", c.sync, c.ordering), func(t *testing.T) {
			t.Parallel()
			k := &killing{T: t, random: seeded(t), accepted: map[string]bool{}, next: boxKeys}
			k.srv = endpoint(t, local.Settings{Limits: local.LimitsNone, Create: []local.StreamSpec{{Name: stream, Shards: shards}}})
			k.box = box{Endpoint: k.srv.URL(), Spool: filepath.Join(t.TempDir(), "spool"), Sync: c.sync, Ordering: c.ordering}
			kills := 8
			if soak() {
				kills = 100
			}
			stop := k.comeAndGo()
			for range kills {
				k.runAndKill()
			}
			outages := stop()
			k.drain(kills, outages)
		})
	}
}

// killing is the life of a spool.
type killing struct {
	*testing.T
	srv      *local.Server
	random   *rand.Rand
	box      box
	next     int             // the number that the next process begins at
	accepted map[string]bool // heads
}

// comeAndGo takes the endpoint away and brings it back until stop, which leaves it there and gives how often it went.
func (k *killing) comeAndGo() (stop func() int) {
	random := rand.New(rand.NewPCG(k.random.Uint64(), 1))
	quit, n := make(chan struct{}), 0
	var running sync.WaitGroup
	running.Go(func() {
		for {
			for _, change := range []func(){k.srv.Stop, func() { kit.Until(k, "the endpoint is back", func() bool { return k.srv.Start() == nil }) }} {
				select {
				case <-time.After(time.Duration(20+random.IntN(600)) * time.Millisecond):
				case <-quit:
					return
				}
				change()
			}
			n++
		}
	})
	return func() int {
		close(quit)
		running.Wait()
		k.srv.Stop()
		require.NoError(k, k.srv.Start())
		return n + 1
	}
}

// runAndKill starts a process, mostly one that puts records, and kills it: early, so that it is still reading what it found, or later.
func (k *killing) runAndKill() {
	k.Helper()
	b := k.box
	if k.random.IntN(4) > 0 {
		b.First = k.next
	}
	p := role{Box: &b}.start(k.T)
	began := make(chan struct{})
	opened := sync.OnceFunc(func() { close(began) })
	var reading sync.WaitGroup
	reading.Go(func() {
		defer opened()
		p.lines(func(line string) {
			opened()
			k.accept(line)
		})
	})
	if k.random.IntN(4) > 0 {
		<-began
	}
	time.Sleep(time.Duration(k.random.IntN(400)) * time.Millisecond)
	require.NoError(k, p.cmd.Process.Kill())
	reading.Wait()
	_ = p.cmd.Wait()
	k.next += 10 * boxKeys // numbers that were used and not told
	k.next -= k.next % boxKeys
}

// accept takes note of a line of a process.
func (k *killing) accept(line string) {
	_, number, ok := strings.Cut(line, " ")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || len(line) != len("key00 00000000") { // "open", or half a line
		return
	}
	k.accepted[line] = true
	k.next = max(k.next, n)
}

// drain lets a last process send what is left, and compares.
func (k *killing) drain(kills, outages int) {
	k.Helper()
	began := time.Now()
	b := k.box
	p := role{Box: &b}.start(k.T)
	require.NoError(k, p.stdin.Close())
	var books producer.Books
	p.lines(func(line string) {
		if strings.HasPrefix(line, "{") {
			require.NoError(k, json.Unmarshal([]byte(line), &books))
		}
	})
	require.NoError(k, p.cmd.Wait())
	require.True(k, books.Balanced(), "%+v", books)
	require.Equal(k, books.Accepted, books.Delivered, "all that was left is delivered: %+v", books)

	stored, err := k.srv.Records(stream)
	require.NoError(k, err)
	firsts := first(stored)
	inOrder(k.T, firsts)
	at := make(map[string]bool, len(firsts))
	for _, s := range firsts {
		at[numberOf(s.Data)] = true
	}
	missing := 0
	for head := range k.accepted {
		if !at[head] {
			missing++
		}
	}
	require.Zero(k, missing, "of %d accepted records", len(k.accepted))
	require.Greater(k, len(k.accepted), 20*kills)
	untold := len(firsts) - len(k.accepted)
	require.LessOrEqual(k, untold, kills*boxKeys, "records that were accepted in the moment of the kill")
	repeats, most := len(stored)-len(firsts), (kills+outages)*boxInFlight*boxBatch
	require.LessOrEqual(k, repeats, most)
	k.Logf("%v, %v: %d kills, %d outages: %d records accepted, all stored, in order; %d more that nobody was told of; %d repeats, at most %d may be; "+
		"%d were left for the last run, which took %v", b.Sync, b.Ordering, kills, outages, len(k.accepted), untold, repeats, most, books.Accepted.Records,
		time.Since(began).Round(time.Millisecond))
}
