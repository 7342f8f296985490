package videostreams

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/mkv"
)

// world is a store with a clock that the test moves.
type world struct {
	*Store
	t time.Time
}

func newWorld(t *testing.T, change func(*Settings)) *world {
	t.Helper()
	w := &world{t: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	set := Settings{Account: "000000000000", Region: "r", Now: func() time.Time { return w.t }, MaxBytes: 1 << 20, MaxDisk: 1 << 20, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&set)
	}
	w.Store = NewStore(set)
	return w
}

// put stores n fragments of a size, a second apart.
func (w *world) put(t *testing.T, stream string, n, size int) {
	t.Helper()
	writer, err := w.Write(Ref{Name: stream})
	require.NoError(t, err)
	defer writer.Close()
	header := &Header{Scale: mkv.DefaultTimecodeScale}
	for range n {
		f := &Fragment{Header: header, Media: make([]byte, size), Length: 900 * time.Millisecond}
		f.Number, f.Server = writer.Begin()
		f.Producer = f.Server.Add(-100 * time.Millisecond)
		_, err := writer.Store(f)
		require.NoError(t, err)
		w.t = w.t.Add(time.Second)
	}
}

func (w *world) create(t *testing.T, name string, retention time.Duration) {
	t.Helper()
	_, err := w.Create(CreateSpec{Name: name, Retention: retention})
	require.NoError(t, err)
}

func (w *world) count(t *testing.T, name string) int {
	t.Helper()
	list, _, err := w.Fragments(Ref{Name: name})
	require.NoError(t, err)
	return len(list)
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	const aws = "91343852333181486911561392739977168453738419308"
	n, err := ParseNumber(aws)
	require.NoError(t, err)
	require.Equal(t, aws, n.String())
	for _, bad := range []string{"", "-1", "+1", "1e5", "0x1", " 1"} {
		_, err := ParseNumber(bad)
		require.Error(t, err, bad)
	}
	low, err := ParseNumber("1")
	require.NoError(t, err)
	high, err := ParseNumber("9" + aws + aws)
	require.NoError(t, err)
	require.Negative(t, low.Compare(n))
	require.Positive(t, high.Compare(n))
	w := newWorld(t, nil)
	w.create(t, "s", time.Hour)
	writer, err := w.Write(Ref{Name: "s"})
	require.NoError(t, err)
	before := Number{}
	for i := range 1000 {
		if i%7 == 0 {
			w.t = w.t.Add(time.Duration(i%3-1) * time.Second) // the clock steps back too
		}
		got, _ := writer.Begin()
		require.Positive(t, got.Compare(before))
		require.Greater(t, got.String(), before.String())
		require.Len(t, got.String(), 47)
		before = got
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.create(t, "hour", time.Hour)
	w.create(t, "none", 0)
	w.put(t, "hour", 10, 10)
	w.put(t, "none", 10, 10)
	w.t = w.t.Add(5*time.Minute - 5500*time.Millisecond)
	require.Equal(t, 10, w.count(t, "hour"))
	require.Equal(t, 5, w.count(t, "none"), "what is not persisted is there for five minutes")
	info, err := w.Describe(Ref{Name: "hour"})
	require.NoError(t, err)
	require.NoError(t, w.UpdateRetention(Ref{Name: "hour"}, info.Version, 1))
	w.t = w.t.Add(90 * time.Minute)
	require.Equal(t, 10, w.count(t, "hour"))
	info, err = w.Describe(Ref{Name: "hour"})
	require.NoError(t, err)
	require.NoError(t, w.UpdateRetention(Ref{Name: "hour"}, info.Version, -1))
	require.Equal(t, 0, w.count(t, "hour"))
	w.create(t, "busy", time.Hour)
	w.put(t, "busy", 1, 10)
	require.EqualValues(t, 20, w.Usage().Expired, "of the stream that nobody uses any more too")
	require.EqualValues(t, 10+overhead, w.Usage().Bytes)
}

func TestBoundOverAllStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.create(t, "a", time.Hour)
	w.create(t, "b", time.Hour)
	w.put(t, "a", 5, 100_000)
	w.put(t, "b", 20, 100_000)
	require.Equal(t, 0, w.count(t, "a"), "the oldest go first, whose they are")
	require.Equal(t, 10, w.count(t, "b"))
	require.LessOrEqual(t, w.Usage().Bytes, int64(1<<20))
	require.EqualValues(t, 15, w.Usage().Trimmed)
}

// shelf is Files that count.
type shelf struct{ held int }

func (s *shelf) Save(Meta) error                { return nil }
func (s *shelf) Remove(string, time.Time) error { return nil }
func (s *shelf) Read() ([]byte, error)          { return nil, nil }
func (s *shelf) Release()                       { s.held-- }
func (s *shelf) Append(string, time.Time, *Fragment) (Kept, error) {
	s.held++
	return s, nil
}

// TestTwoBounds: what is persisted is bounded on disk, what is not in memory, and neither drives the other out.
func TestTwoBounds(t *testing.T) {
	t.Parallel()
	files := &shelf{}
	w := newWorld(t, func(s *Settings) { s.Files = files })
	w.create(t, "disk", time.Hour)
	w.create(t, "memory", 0)
	w.put(t, "memory", 5, 100_000)
	w.put(t, "disk", 20, 100_000)
	require.Equal(t, 5, w.count(t, "memory"))
	require.Equal(t, 10, w.count(t, "disk"))
	require.Equal(t, 10, files.held)
	require.EqualValues(t, 1_000_000, w.Usage().Disk)
	require.EqualValues(t, 500_000+15*overhead, w.Usage().Bytes)
	w.put(t, "memory", 6, 100_000)
	require.Equal(t, 10, w.count(t, "memory"))
	w.put(t, "disk", 1200, 1)
	require.LessOrEqual(t, w.Usage().Bytes, int64(1<<20), "the index of what is on disk takes memory too")
}

// TestReaderOverTheGap: a reader whose next fragment was dropped goes on with the oldest that is there.
func TestReaderOverTheGap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.create(t, "s", time.Hour)
	w.put(t, "s", 2, 10)
	r, err := w.Read(Ref{Name: "s"}, Start{Selector: FromEarliest})
	require.NoError(t, err)
	defer r.Close()
	f, behind, _ := r.Next()
	require.NotNil(t, f)
	require.Equal(t, time.Second, behind)
	w.put(t, "s", 15, 100_000)
	list, _, err := w.Fragments(Ref{Name: "s"})
	require.NoError(t, err)
	f, _, _ = r.Next()
	require.Equal(t, list[0].Number, f.Number)
	for range len(list) - 1 {
		f, _, _ = r.Next()
		require.NotNil(t, f)
	}
	f, _, more := r.Next()
	require.Nil(t, f)
	w.put(t, "s", 1, 10)
	<-more
	require.NoError(t, w.Delete(Ref{Name: "s"}, ""))
	<-r.Ended()
}

func TestRates(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	r := NewRate(10, now)
	require.True(t, r.Take(10, now))
	require.False(t, r.Take(1, now))
	require.True(t, r.Take(1, now.Add(100*time.Millisecond)))
	require.Equal(t, 200*time.Millisecond, r.Owe(2, now.Add(100*time.Millisecond)))
	require.Zero(t, r.Owe(1, now.Add(time.Second)))
	require.False(t, r.Take(10, now), "a clock that steps back gives nothing")
}
