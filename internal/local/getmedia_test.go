package local_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/mkv"
)

// call posts JSON to a path and returns the answer, whose body is open.
func call(t testing.TB, srv *local.Server, path string, in any) *http.Response {
	t.Helper()
	b, err := json.Marshal(in)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+path, bytes.NewReader(b))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func startGet(t testing.TB, srv *local.Server, stream string, selector map[string]any) *http.Response {
	t.Helper()
	return call(t, srv, "/getMedia", map[string]any{"StreamName": stream, "StartSelector": selector})
}

// chunk is one fragment as GetMedia sends it.
type chunk struct {
	tags     map[string]string
	timecode uint64
	frames   [][]byte
	tracks   int
}

// chunks reads n fragments with the tags behind them.
func chunks(t testing.TB, r *mkv.Reader, n int) []chunk {
	t.Helper()
	var list []chunk
	cur := chunk{tags: map[string]string{}}
	for len(list) < n {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.Fatalf("the answer ended after %d fragments", len(list))
		}
		require.NoError(t, err)
		switch e := e.(type) {
		case *mkv.EBMLHeader:
			cur = chunk{tags: map[string]string{}}
		case *mkv.Tracks:
			cur.tracks = len(e.Tracks)
		case *mkv.ClusterStart:
			cur.timecode = e.Timecode
		case *mkv.Block:
			cur.frames = append(cur.frames, bytes.Clone(e.Data))
		case *mkv.Tags:
			for _, tag := range e.Tags {
				cur.tags[tag.Name] = tag.Value
			}
			if cur.tags[mkv.TagContinuation] != "" {
				list = append(list, cur)
			}
		}
	}
	return list
}

// filled is an endpoint whose stream has n fragments, a second apart by both clocks.
func filled(t testing.TB, n int, change ...func(*local.Settings)) (*local.Server, *clock) {
	t.Helper()
	c := newClock()
	c.t = time.UnixMilli(epoch + 500)
	srv := video(t, append(change, func(s *local.Settings) { s.Now = c.now })...)
	add(t, srv, c, 0, n)
	return srv, c
}

func add(t testing.TB, srv *local.Server, c *clock, from, n int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		require.Len(t, putAll(t, srv, "cam", bytes.NewReader(join(header(t, film(2)), fragment(epoch+int64(i)*1000, 2, mkv.Tag{Name: "i", Value: string(rune('a' + i))})))), 3)
		c.add(time.Second)
	}
}

func TestGetMediaSelectors(t *testing.T) {
	t.Parallel()
	srv, c := filled(t, 5)
	books, err := srv.Fragments("cam")
	require.NoError(t, err)
	at := func(ms int64) float64 { return float64(epoch+ms) / 1000 }
	for name, tc := range map[string]struct {
		selector map[string]any
		first    int
	}{
		"earliest":        {map[string]any{"StartSelectorType": "EARLIEST"}, 0},
		"number":          {map[string]any{"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": books[1].Number}, 2},
		"a low number":    {map[string]any{"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": "12"}, 0},
		"token":           {map[string]any{"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": books[2].Number}, 3},
		"server":          {map[string]any{"StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": at(1500)}, 1},
		"server, within":  {map[string]any{"StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": at(1900)}, 1},
		"producer":        {map[string]any{"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": at(3000)}, 3},
		"producer, later": {map[string]any{"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": at(2950)}, 3},
		"now":             {map[string]any{"StartSelectorType": "NOW"}, 5},
	} {
		resp := startGet(t, srv, "cam", tc.selector)
		require.Equal(t, 200, resp.StatusCode, name)
		require.Equal(t, "video/webm", resp.Header.Get("Content-Type"))
		if tc.first == 5 {
			add(t, srv, c, 5, 1)
			books, err = srv.Fragments("cam")
			require.NoError(t, err)
		}
		got := chunks(t, mkv.NewReader(resp.Body, mkv.Limits{}), 1)[0]
		f := books[tc.first]
		require.Equal(t, f.Number, got.tags["AWS_KINESISVIDEO_FRAGMENT_NUMBER"], name)
		require.NoError(t, resp.Body.Close())
	}
	for name, selector := range map[string]map[string]any{
		"no type": {}, "a bad type": {"StartSelectorType": "SOON"}, "no number": {"StartSelectorType": "FRAGMENT_NUMBER"},
		"no time": {"StartSelectorType": "SERVER_TIMESTAMP"}, "a bad token": {"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": "abc"},
	} {
		resp := startGet(t, srv, "cam", selector)
		require.Equal(t, 400, resp.StatusCode, name)
		require.Equal(t, "InvalidArgumentException", resp.Header.Get("x-amzn-ErrorType"), name)
	}
	require.Equal(t, 404, startGet(t, srv, "none", map[string]any{"StartSelectorType": "NOW"}).StatusCode)
}

// TestGetMediaFollows: the frames come back byte for byte, with the service's tags and the user's, while the stream grows; the end of
// the stream ends the answer.
func TestGetMediaFollows(t *testing.T) {
	t.Parallel()
	srv, c := filled(t, 2)
	resp := startGet(t, srv, "cam", map[string]any{"StartSelectorType": "EARLIEST"})
	r := mkv.NewReader(resp.Body, mkv.Limits{})
	got := chunks(t, r, 2)
	add(t, srv, c, 2, 2)
	got = append(got, chunks(t, r, 2)...)
	books, err := srv.Fragments("cam")
	require.NoError(t, err)
	for i, f := range books {
		require.EqualValues(t, f.Timecode, got[i].timecode)
		require.Equal(t, 2, got[i].tracks)
		require.Len(t, got[i].frames, len(f.Frames))
		for k := range f.Frames {
			require.Equal(t, f.Frames[k].Data, got[i].frames[k])
		}
		require.Equal(t, map[string]string{
			"i": string(rune('a' + i)), "AWS_KINESISVIDEO_FRAGMENT_NUMBER": f.Number, "AWS_KINESISVIDEO_CONTINUATION_TOKEN": f.Number,
			"AWS_KINESISVIDEO_SERVER_TIMESTAMP": "170000000" + string(rune('0'+i)) + ".500", "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP": "170000000" + string(rune('0'+i)) + ".000",
			"AWS_KINESISVIDEO_MILLIS_BEHIND_NOW": got[i].tags["AWS_KINESISVIDEO_MILLIS_BEHIND_NOW"],
		}, got[i].tags)
	}
	require.Equal(t, "1000", got[0].tags["AWS_KINESISVIDEO_MILLIS_BEHIND_NOW"])
	require.Equal(t, "0", got[3].tags["AWS_KINESISVIDEO_MILLIS_BEHIND_NOW"])
	require.NoError(t, srv.DeleteVideoStream("cam"))
	for err == nil {
		_, err = r.Next()
	}
	require.ErrorIs(t, err, io.EOF, "a clean end")
	require.Eventually(t, func() bool { return srv.Stats().Count("GetMedia", "") == 1 }, patience, time.Millisecond)
}

func TestThreeReadersAStream(t *testing.T) {
	t.Parallel()
	srv := video(t, func(s *local.Settings) { s.Limits = local.LimitsAWS })
	var list []*http.Response
	for range 4 {
		list = append(list, startGet(t, srv, "cam", map[string]any{"StartSelectorType": "NOW"}))
	}
	require.Equal(t, 200, list[2].StatusCode)
	require.Equal(t, "ConnectionLimitExceededException", list[3].Header.Get("x-amzn-ErrorType"))
	require.NoError(t, list[0].Body.Close())
	require.Eventually(t, func() bool { return srv.Stats().Count("GetMedia", "lost") == 1 }, patience, time.Millisecond)
	require.Equal(t, 200, startGet(t, srv, "cam", map[string]any{"StartSelectorType": "NOW"}).StatusCode)
}

func TestGetMediaFaults(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]local.Rule{
		"cut after": {Media: fault.Media{CutAfter: 1000}},
		"mid":       {Cut: fault.CutMidAnswer},
	} {
		srv, _ := filled(t, 3)
		rule.Operations = []string{"GetMedia"}
		_, err := srv.AddFault(rule)
		require.NoError(t, err)
		resp := startGet(t, srv, "cam", map[string]any{"StartSelectorType": "EARLIEST"})
		b, err := io.ReadAll(resp.Body)
		require.Error(t, err, name)
		require.Less(t, len(b), 1500, "of one fragment")
	}
	srv, _ := filled(t, 1)
	_, err := srv.AddFault(local.Rule{Operations: []string{"GetMedia"}, Garble: true})
	require.NoError(t, err)
	_, err = mkv.NewReader(startGet(t, srv, "cam", map[string]any{"StartSelectorType": "EARLIEST"}).Body, mkv.Limits{}).Next()
	require.ErrorIs(t, err, mkv.ErrInvalid)
}

func TestRetentionRemoves(t *testing.T) {
	t.Parallel()
	srv, c := filled(t, 3)
	c.add(time.Hour - 2500*time.Millisecond)
	got, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.EqualValues(t, 1, srv.Stats().VideoExpired)
}
