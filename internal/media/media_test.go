package media_test

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/media"
	"gst-kinesis/internal/mkv"
)

// What was put comes out of GetMedia byte for byte, with its times, and goes on with what is put later.
func TestGetMedia(t *testing.T) {
	t.Parallel()
	srv := server(t)
	film(t, srv, 0, 5)
	r, err := client(t, srv).GetMedia(t.Context(), media.Earliest())
	require.NoError(t, err)
	defer r.Close()
	stored, err := srv.Fragments("cam")
	require.NoError(t, err)
	for i := range 5 {
		f, err := r.Next()
		require.NoError(t, err)
		check(t, f, i)
		require.Equal(t, stored[i].Number, f.Number)
		require.Equal(t, stored[i].ServerTimestamp.UnixMilli(), f.ServerTime.UnixMilli())
		require.NotEmpty(t, f.ContinuationToken)
		require.GreaterOrEqual(t, f.MillisBehind, int64(0))
	}
	film(t, srv, 5, 2)
	for i := range 2 {
		f, err := r.Next()
		require.NoError(t, err)
		check(t, f, 5+i)
	}
	require.Zero(t, r.Repeats())
}

func TestStarts(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64 // so that fragments come at different times
	srv := localtest.Start(t, local.Settings{Limits: local.LimitsNone, VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}},
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	for i := range 4 {
		film(t, srv, i, 1)
		ahead.Add(int64(10 * time.Second))
	}
	stored, err := srv.Fragments("cam")
	require.NoError(t, err)
	c := client(t, srv)
	for name, s := range map[string]struct {
		start media.Start
		want  int
	}{
		"earliest":     {media.Earliest(), 0},
		"number":       {media.After(stored[1].Number), 2},
		"token":        {media.Continue(stored[0].Number), 1},
		"its start":    {media.At(media.Producer, frameTime(10, 1)), 2},
		"server clock": {media.At(media.Server, stored[3].ServerTimestamp), 3},
	} {
		r, err := c.GetMedia(t.Context(), s.start)
		require.NoError(t, err, name)
		f, err := r.Next()
		require.NoError(t, err, name)
		check(t, f, s.want)
		r.Close()
	}
}

// Now gives nothing of what was there before the newest, and the end of the context ends a wait.
func TestNow(t *testing.T) {
	t.Parallel()
	srv := server(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := client(t, srv).GetMedia(ctx, media.Now())
	require.NoError(t, err)
	defer r.Close()
	film(t, srv, 0, 1)
	f, err := r.Next()
	require.NoError(t, err)
	check(t, f, 0)
	ended := make(chan error)
	go func() {
		_, err := r.Next()
		ended <- err
	}()
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestArchive(t *testing.T) {
	t.Parallel()
	srv := server(t)
	film(t, srv, 0, 8)
	c := client(t, srv)
	infos := list(t, c, second(2, 5))
	require.Len(t, infos, 4, "both ends are included")
	stored, err := srv.Fragments("cam")
	require.NoError(t, err)
	for i, info := range infos {
		require.Equal(t, stored[i+2].Number, info.Number)
		require.Equal(t, frameTime((i+2)*5, 1).UnixMilli(), info.Producer.UnixMilli())
		require.Equal(t, stored[i+2].ServerTimestamp.UnixMilli(), info.Server.UnixMilli())
		require.Positive(t, info.Size)
		require.Positive(t, info.Length)
	}
	r, err := c.GetFragments(t.Context(), numbers(infos))
	require.NoError(t, err)
	for i := range infos {
		f, err := r.Next()
		require.NoError(t, err)
		check(t, f, i+2)
	}
	_, err = r.Next()
	require.Equal(t, io.EOF, err)
	require.Empty(t, list(t, c, media.Range{Clock: media.Server, From: time.UnixMilli(epoch - 2000), To: time.UnixMilli(epoch - 1000)}))
	_, err = c.GetFragments(t.Context(), nil)
	require.ErrorIs(t, err, media.ErrNoFragments)
}

// More fragments than a call takes are listed and given in several.
func TestPages(t *testing.T) {
	t.Parallel()
	srv := server(t)
	starts := make([]int64, 2300)
	for i := range starts {
		starts[i] = int64(i) * 1000
	}
	put(t, srv, body(t, tracks(), starts...))
	c := client(t, srv)
	infos := list(t, c, media.Range{From: time.UnixMilli(epoch), To: time.UnixMilli(epoch + 10_000_000)})
	require.Len(t, infos, len(starts))
	r, err := c.GetFragments(t.Context(), numbers(infos))
	require.NoError(t, err)
	require.Equal(t, starts, all(t, r))
}

// A fragment that was sent again is given once, unless it is asked for.
func TestRepeats(t *testing.T) {
	t.Parallel()
	srv := server(t)
	put(t, srv, body(t, tracks(), 0, 1000, 2000))
	put(t, srv, body(t, tracks(), 1000, 2000, 3000))
	within := media.Range{From: time.UnixMilli(epoch), To: time.UnixMilli(epoch + 9000)}
	for repeats, want := range map[bool][]int64{false: {0, 1000, 2000, 3000}, true: {0, 1000, 2000, 1000, 2000, 3000}} {
		c := client(t, srv, func(s *media.Settings) { s.Repeats = repeats })
		infos := list(t, c, within)
		require.Len(t, infos, 6)
		r, err := c.GetFragments(t.Context(), numbers(infos))
		require.NoError(t, err)
		require.Equal(t, want, all(t, r))
		require.EqualValues(t, 6-len(want), r.Repeats())
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	srv := server(t)
	film(t, srv, 0, 3)
	c := client(t, srv)
	_, err := c.GetClip(t.Context(), second(100, 200))
	require.ErrorIs(t, err, media.ErrNoFragments)
	_, err = c.GetClip(t.Context(), media.Range{From: time.UnixMilli(epoch), To: time.UnixMilli(epoch).Add(25 * time.Hour)})
	require.ErrorContains(t, err, "24 hours")
	require.Equal(t, "InvalidArgumentException", awserr.Classify(err, awserr.Subject{}).Code)
}

func cutAfter(bytes int64) (r local.Rule) {
	r.CutAfter = bytes
	return r
}

// Connections that break, refusals that pass: nothing is lost and nothing comes twice.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		rule local.Rule
		want int
	}{
		"cut in the header":   {cutAfter(30), 12},
		"cut in a fragment":   {cutAfter(20_000), 12},
		"cut in the first":    {cutAfter(3000), 12},
		"500":                 {local.Rule{Error: &local.Failure{Code: "InternalFailure", Status: 500}}, 12},
		"throttled":           {local.Rule{Error: &local.Failure{Code: "ClientLimitExceededException", Status: 400}}, 12},
		"too many connection": {local.Rule{Error: &local.Failure{Code: "ConnectionLimitExceededException", Status: 400}}, 12},
	} {
		for _, call := range []string{"GetMedia", "GetMediaForFragmentList"} {
			t.Run(name+" "+call, func(t *testing.T) {
				t.Parallel()
				srv := server(t)
				film(t, srv, 0, f.want)
				rule := f.rule
				rule.Operations, rule.Count = []string{call}, 1
				if rule.CutAfter > 0 && call != "GetMedia" {
					rule.CutAfter, rule.Cut = 0, fault.CutMidAnswer
				}
				_, err := srv.AddFault(rule)
				require.NoError(t, err)
				c := client(t, srv)
				var r *media.Reader
				if call == "GetMedia" {
					r, err = c.GetMedia(t.Context(), media.Earliest())
				} else {
					r, err = c.GetFragments(t.Context(), numbers(list(t, c, second(0, 99))))
				}
				require.NoError(t, err)
				for i := range f.want {
					got, err := r.Next()
					require.NoError(t, err)
					check(t, got, i)
				}
				require.Zero(t, r.Repeats())
			})
		}
	}
}

// A stream that is deleted under its reader is an error; an endpoint that is away for a while is waited for.
func TestOutage(t *testing.T) {
	t.Parallel()
	srv := localtest.Start(t, local.Settings{Addr: freeAddress(t), Limits: local.LimitsNone, VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
	film(t, srv, 0, 2)
	waits := make(chan error, 1000)
	c := client(t, srv, func(s *media.Settings) {
		s.Attempts = -1
		s.Waiting = func(err error, _ time.Duration) { waits <- err }
	})
	r, err := c.GetMedia(t.Context(), media.Earliest())
	require.NoError(t, err)
	for i := range 2 {
		f, err := r.Next()
		require.NoError(t, err)
		check(t, f, i)
	}
	srv.Stop()
	came := make(chan error)
	go func() {
		f, err := r.Next()
		if err == nil {
			check(t, f, 2)
		}
		came <- err
	}()
	for range 3 {
		require.Error(t, <-waits)
	}
	require.NoError(t, srv.Start())
	film(t, srv, 2, 1)
	require.NoError(t, <-came)
	require.NoError(t, srv.DeleteVideoStream("cam"))
	_, err = r.Next()
	require.Equal(t, "ResourceNotFoundException", awserr.Classify(err, awserr.Subject{}).Code)
}

func freeAddress(t *testing.T) string {
	srv := localtest.Start(t, local.Settings{})
	defer srv.Stop()
	return srv.Addr()
}

// A fragment that is gone is an error that says so; those before it come.
func TestMissingFragment(t *testing.T) {
	t.Parallel()
	srv := server(t)
	film(t, srv, 0, 2)
	c := client(t, srv)
	list := append(numbers(list(t, c, second(0, 9))), "91343852333181432392682062622220452245193363468")
	r, err := c.GetFragments(t.Context(), list)
	require.NoError(t, err)
	for i := range 2 {
		f, err := r.Next()
		require.NoError(t, err)
		check(t, f, i)
	}
	_, err = r.Next()
	var told *media.StreamError
	require.ErrorAs(t, err, &told)
	require.Equal(t, 4000, told.ID)
	require.Equal(t, list[2], told.FragmentNumber)
	_, again := r.Next()
	require.Equal(t, err, again)
}

func TestMissingStream(t *testing.T) {
	t.Parallel()
	c := client(t, server(t), func(s *media.Settings) { s.Name = "none" })
	_, err := c.GetMedia(t.Context(), media.Now())
	require.Equal(t, "ResourceNotFoundException", awserr.Classify(err, awserr.Subject{}).Code)
	_, err = c.GetClip(t.Context(), second(0, 1))
	require.Equal(t, "ResourceNotFoundException", awserr.Classify(err, awserr.Subject{}).Code)
	require.NotErrorIs(t, err, media.ErrNoFragments)
}

// An archive that stops in the middle of an answer is noticed.
func TestSilence(t *testing.T) {
	t.Parallel()
	srv := server(t)
	film(t, srv, 0, 2)
	_, err := srv.AddFault(local.Rule{Operations: []string{"ListFragments"}, Hang: true})
	require.NoError(t, err)
	c := client(t, srv, func(s *media.Settings) { s.RequestTimeout, s.Attempts = 100*time.Millisecond, 1 })
	for _, err := range c.ListFragments(t.Context(), second(0, 9)) {
		require.Equal(t, awserr.CodeTimeout, awserr.Classify(err, awserr.Subject{}).Code)
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	srv := server(t)
	all, err := media.Streams(t.Context(), session(t, srv), time.Minute)
	require.NoError(t, err)
	require.Len(t, all, 1)
	one, err := client(t, srv).Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, all[0], one)
	require.Equal(t, "cam", one.Name)
	require.Equal(t, 1, one.Retention)
}

// What is written is read as what was read.
func TestWriter(t *testing.T) {
	t.Parallel()
	srv := server(t)
	film(t, srv, 0, 6)
	c := client(t, srv)
	r, err := c.GetFragments(t.Context(), numbers(list(t, c, second(0, 99))))
	require.NoError(t, err)
	var file bytes.Buffer
	w := media.NewWriter(&file, "gst-kinesis")
	var want []string
	for {
		f, err := r.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		want = append(want, f.Number)
		require.NoError(t, w.Write(f))
	}
	require.EqualValues(t, file.Len(), w.Written)
	require.Equal(t, 1, w.Documents)
	in := mkv.NewReader(&file, mkv.Limits{})
	var got []string
	segments, n := 0, 0
	for {
		e, err := in.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		switch e := e.(type) {
		case *mkv.SegmentStart:
			segments++
		case *mkv.Tags:
			if number, ok := e.Find(mkv.TagFragmentNumber); ok {
				got = append(got, number)
			}
		case *mkv.Block:
			require.Equal(t, payload(n/2, uint64(n%2+1)), e.Data)
			require.Equal(t, frameTime(n/2, uint64(n%2+1)).UnixMilli()-epoch, e.Timecode)
			n++
		}
	}
	require.Equal(t, 1, segments)
	require.Equal(t, 60, n)
	require.Equal(t, want, got)
}

// Other tracks, and a time before the start, begin a further document.
func TestWriterDocuments(t *testing.T) {
	t.Parallel()
	srv := server(t)
	other := tracks()
	other[0].Width = 320
	put(t, srv, body(t, tracks(), 5000, 6000))
	put(t, srv, body(t, other, 7000))
	put(t, srv, body(t, other, 1000, 8000))
	c := client(t, srv)
	r, err := c.GetFragments(t.Context(), numbers(list(t, c, media.Range{From: time.UnixMilli(epoch), To: time.UnixMilli(epoch + 9000)})))
	require.NoError(t, err)
	w := media.NewWriter(io.Discard, "gst-kinesis")
	var documents []int
	for range 5 {
		f, err := r.Next()
		require.NoError(t, err)
		require.NoError(t, w.Write(f))
		documents = append(documents, w.Documents)
	}
	require.Equal(t, []int{1, 1, 2, 3, 3}, documents)
}

// BenchmarkGetFragments is how fast stored media come from an endpoint in the same process, and go through a Writer.
func BenchmarkGetFragments(b *testing.B) {
	srv := server(b)
	film(b, srv, 0, 200)
	c := client(b, srv)
	all := numbers(list(b, c, second(0, 999)))
	b.ReportAllocs()
	fragments := 0
	for b.Loop() {
		r, err := c.GetFragments(b.Context(), all)
		require.NoError(b, err)
		w := media.NewWriter(io.Discard, "bench")
		for {
			f, err := r.Next()
			if err == io.EOF {
				break
			}
			require.NoError(b, err)
			require.NoError(b, w.Write(f))
			fragments++
		}
		b.SetBytes(w.Written)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(fragments), "µs/fragment")
}
