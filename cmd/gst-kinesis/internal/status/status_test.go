package status_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cmd/gst-kinesis/internal/status"
)

// terminal is what a screen shows: a little of what a terminal does.
type terminal struct {
	mu     sync.Mutex
	lines  []string
	column int
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		t.lines = []string{""}
	}
	last := &t.lines[len(t.lines)-1]
	for text := string(p); text != ""; {
		switch {
		case strings.HasPrefix(text, "\x1b[K"):
			*last = (*last)[:min(t.column, len(*last))]
			text = text[3:]
			continue
		case text[0] == '\r':
			t.column = 0
		case text[0] == '\n':
			t.lines = append(t.lines, "")
			last = &t.lines[len(t.lines)-1]
			t.column = 0
		default:
			*last = (*last)[:t.column] + text[:1] + (*last)[min(t.column+1, len(*last)):]
			t.column++
		}
		text = text[1:]
	}
	return len(p), nil
}

func (t *terminal) show() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}

func TestStatusLineStaysLast(t *testing.T) {
	t.Parallel()
	tty := &terminal{}
	s := status.NewScreen(tty, func() int { return 20 })
	out := s.Writer(tty, true)
	s.Set("status 1 of a long line")
	require.Equal(t, "status 1 of a long ", tty.show(), "it never fills the width, so it never wraps")
	fmt.Fprintln(out, "a record")
	require.Equal(t, "a record\nstatus 1 of a long ", tty.show())
	s.Set("short")
	require.Equal(t, "a record\nshort", tty.show(), "nothing of the longer one is left")
	fmt.Fprint(out, "one\ntwo\n")
	require.Equal(t, "a record\none\ntwo\nshort", tty.show())
	s.Set("")
	require.Equal(t, "a record\none\ntwo\n", tty.show())
	fmt.Fprintln(out, "the end")
	require.Equal(t, "a record\none\ntwo\nthe end\n", tty.show())
}

func TestOutputElsewhereLeavesTheLineAlone(t *testing.T) {
	t.Parallel()
	tty, file := &terminal{}, &bytes.Buffer{}
	s := status.NewScreen(tty, func() int { return 0 })
	s.Set("status\x1b[2J\twith\x7fodd characters " + strings.Repeat("x", 100))
	before := tty.show()
	require.Len(t, before, 79, "80 columns where the width is not known")
	require.True(t, strings.HasPrefix(before, "status [2J with odd"), before)
	fmt.Fprintln(s.Writer(file, false), "a record")
	require.Equal(t, before, tty.show())
	require.Equal(t, "a record\n", file.String())
}

func TestWideCharactersNeverWrap(t *testing.T) {
	t.Parallel()
	tty := &terminal{}
	s := status.NewScreen(tty, func() int { return 10 })
	s.Set("日本語日本語")
	require.Equal(t, "日本語日", tty.show())
}

func TestNoTerminalNoLine(t *testing.T) {
	t.Parallel()
	file := &bytes.Buffer{}
	s := status.NewScreen(nil, nil)
	require.False(t, s.Terminal())
	s.Set("status")
	fmt.Fprintln(s.Writer(file, true), "a record")
	require.Equal(t, "a record\n", file.String())
}

func TestManyWriters(t *testing.T) {
	t.Parallel()
	tty := &terminal{}
	s := status.NewScreen(tty, func() int { return 80 })
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			w := s.Writer(tty, true)
			for j := range 50 {
				fmt.Fprintf(w, "line %d of %d\n", j, i)
				s.Set(fmt.Sprintf("status %d", j))
			}
		})
	}
	all.Wait()
	s.Set("")
	lines := strings.Split(strings.TrimSuffix(tty.show(), "\n"), "\n")
	require.Len(t, lines, 200)
	for _, l := range lines {
		require.Regexp(t, `^line \d+ of \d$`, l)
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	m := status.NewMeter(now)
	var r status.Report
	for i := range 40 { // 10 records of 1 kB a second for 10 s
		now = now.Add(250 * time.Millisecond)
		n := uint64(i+1) * 10 / 4
		r = m.Report(now, status.Sample{Records: n, Bytes: n * 1000, Live: true})
	}
	require.InDelta(t, 10, r.RecordRate, 0.5)
	require.InDelta(t, 10000, r.ByteRate, 500)
	require.Equal(t, 10*time.Second, r.Elapsed)
	last := r.Sample
	for range 9 {
		now = now.Add(250 * time.Millisecond)
		r = m.Report(now, last)
	}
	require.Zero(t, r.RecordRate, "what was longer ago does not count")
	frames := r
	frames.Frames = true
	require.Contains(t, frames.Line(), "  0.0 frames/s  ")
	require.Contains(t, frames.Attrs(), "frames/s")
	require.Equal(t, "0:00:12  0.0 rec/s  0 B/s  delivered 100  dropped 0  in flight 0  reconnects 0", r.Line())
}

func TestLine(t *testing.T) {
	t.Parallel()
	m := status.NewMeter(time.Unix(0, 0))
	r := m.Report(time.Unix(3725, 0), status.Sample{
		Records: 5, Bytes: 5e6, Dropped: 2, InFlight: 1, Losses: 3, Reconnects: 2, Downtime: 90 * time.Second, Note: "rtspsrc0 lost for 0:00:03", Read: 4, Reads: true, Live: true,
	})
	require.Equal(t, "1:02:05  rtspsrc0 lost for 0:00:03  0.0 rec/s  1.3 kB/s  delivered 5  dropped 2  in flight 1  read back 4  reconnects 2", r.Line())
	require.Equal(t, []any{
		"elapsed", 3725 * time.Second, "records/s", 0.0, "bytes/s", uint64(1342), "delivered", uint64(5), "dropped", uint64(2), "in-flight", uint64(1),
		"read-back", uint64(4), "losses", uint64(3), "reconnects", uint64(2), "downtime", 90 * time.Second, "note", "rtspsrc0 lost for 0:00:03",
	}, r.Attrs())
	require.NotContains(t, status.NewMeter(time.Unix(0, 0)).Report(time.Unix(1, 0), status.Sample{}).Line(), "reconnects")
}

func TestSize(t *testing.T) {
	t.Parallel()
	for in, want := range map[float64]string{0: "0 B", 999: "999 B", 1500: "1.5 kB", 2.5e6: "2.5 MB", 3e9: "3.0 GB"} {
		require.Equal(t, want, status.Size(in))
	}
}
