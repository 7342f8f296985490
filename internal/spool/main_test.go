package spool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// childEnv makes the test binary a process that writes a spool until it is killed.
const childEnv = "GST_KINESIS_SPOOL_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

// child appends numbered records and acknowledges some of them. Each line it prints says what it has
// done: "a <id> <number>" appended, "d <id>" is about to be done, "D <id>" is done.
func child(dir string) {
	s, err := Open(Settings{Directory: dir, Sync: SyncAlways, SegmentBytes: 64 << 10, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var waiting []ID
	for n := 0; ; n++ {
		size := rand.IntN(4000)
		if n%20 == 0 {
			size = 2 * smallData
		}
		id, err := s.Append(Record{Key: "k", Accepted: time.Now(), Data: numbered(n, size)})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("a", uint64(id), n)
		waiting = append(waiting, id)
		if rand.IntN(2) == 0 {
			i := rand.IntN(len(waiting))
			done := waiting[i]
			waiting = append(waiting[:i], waiting[i+1:]...)
			fmt.Println("d", uint64(done))
			if err := s.Done([]ID{done}); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			fmt.Println("D", uint64(done))
		}
	}
}

func startChild(t *testing.T, dir string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, bufio.NewReader(out)
}

// TestKill kills a process at random moments, again and again in one directory.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := 10
	if os.Getenv("GST_KINESIS_SOAK") == "1" {
		rounds = 100
	}
	s := newSite(t, func(set *Settings) { set.Sync = SyncAlways })
	require.NoError(t, s.Close())
	live := map[ID]int{} // told as appended, and not as done
	highest := ID(0)
	for round := range rounds {
		cmd, out := startChild(t, s.set.Directory)
		lines := 1 + rand.IntN(150)
		appended, doubtful := map[ID]int{}, map[ID]bool{}
		last := ""
		for n := 0; ; n++ {
			line, err := out.ReadString('\n')
			if err != nil {
				break // a torn line was not said
			}
			if n == lines {
				require.NoError(t, cmd.Process.Kill())
			}
			last = line
			said(t, line, appended, live, doubtful)
		}
		require.Error(t, cmd.Wait(), "it was killed; last it said %q", last)
		s.open()
		strangers := 0
		found := map[ID]bool{}
		r := s.Reader(0)
		for {
			record, id, err := r.Next(nil)
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			found[id] = true
			n, known := live[id]
			if !known && !doubtful[id] {
				strangers++
				require.Greater(t, id, highest, "round %d: a done record came back", round)
				require.NotContains(t, appended, id, "round %d: a done record came back", round)
				live[id] = numberOf(t, record.Data)
				continue
			}
			if known {
				require.Equal(t, n, numberOf(t, record.Data))
			}
		}
		r.Close()
		require.LessOrEqual(t, strangers, 1, "no more than what was in flight")
		for id := range live {
			require.True(t, found[id] || doubtful[id], "round %d: record %d is lost", round, id)
			highest = max(highest, id)
			if !found[id] {
				delete(live, id)
			}
		}
		for id := range appended {
			highest = max(highest, id)
		}
		require.Equal(t, int64(len(found)), s.Stats().Records)
		require.NoError(t, s.Close())
	}
	require.NotZero(t, highest)
}

// said takes a line of the child.
func said(t *testing.T, line string, appended, live map[ID]int, doubtful map[ID]bool) {
	t.Helper()
	fields := strings.Fields(line)
	require.GreaterOrEqual(t, len(fields), 2, line)
	n, err := strconv.ParseUint(fields[1], 10, 64)
	require.NoError(t, err, line)
	id := ID(n)
	switch fields[0] {
	case "a":
		number, err := strconv.Atoi(fields[2])
		require.NoError(t, err)
		appended[id], live[id] = number, number
	case "d":
		doubtful[id] = true
	case "D":
		delete(doubtful, id)
		delete(live, id)
	default:
		require.Fail(t, line)
	}
}

func numberOf(t *testing.T, data []byte) int {
	t.Helper()
	s := string(data)
	n, err := strconv.Atoi(s[strings.LastIndexByte(s, '#')+1:])
	require.NoError(t, err)
	return n
}

func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	cmd, out := startChild(t, s.set.Directory)
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
	require.Contains(t, line, s.set.Directory)
	require.Contains(t, line, fmt.Sprintf("in use by process %d", os.Getpid()))
	_, err = Open(s.set)
	var used *InUseError
	require.ErrorAs(t, err, &used)
	require.Equal(t, InUseError{Directory: s.set.Directory, PID: os.Getpid()}, *used)
	s.reopen()
}
