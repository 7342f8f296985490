package local_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/mkv"
)

// within is a range of producer timestamps, in ms after epoch.
func within(from, to int64) map[string]any {
	return map[string]any{"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": map[string]any{
		"StartTimestamp": float64(epoch+from) / 1000, "EndTimestamp": float64(epoch+to) / 1000}}
}

// clip asks for a clip and returns its bytes, or the error's code.
func clip(t testing.TB, srv *local.Server, selector map[string]any) (body []byte, code string) {
	t.Helper()
	resp := call(t, srv, "/getClip", map[string]any{"StreamName": "cam", "ClipFragmentSelector": selector})
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	if resp.StatusCode != 200 {
		require.Contains(t, string(body), "Message")
		return nil, resp.Header.Get("x-amzn-ErrorType")
	}
	return body, ""
}

// samples is how many samples of video and of all tracks a clip has, by its tables of sizes.
func samples(t testing.TB, body []byte) (first, all int) {
	t.Helper()
	for rest := body; ; {
		at := bytes.Index(rest, []byte("stsz"))
		if at < 0 {
			return first, all
		}
		n := int(binary.BigEndian.Uint32(rest[at+12:]))
		if all == 0 {
			first = n
		}
		all += n
		rest = rest[at+4:]
	}
}

// TestClipRange: those fragments that begin in the range, its ends included; of one producer timestamp only what came first.
func TestClipRange(t *testing.T) {
	t.Parallel()
	srv, _ := filled(t, 5)
	for _, tc := range []struct {
		from, to int64
		want     int // fragments
	}{{0, 4000, 5}, {0, 3999, 4}, {1, 4000, 4}, {500, 1500, 1}, {1000, 1001, 1}, {-5000, 0, 1}, {0, 86_400_000, 5}} {
		body, code := clip(t, srv, within(tc.from, tc.to))
		require.Empty(t, code)
		first, all := samples(t, body)
		require.Equal(t, []int{10 * tc.want, 20 * tc.want}, []int{first, all}, "%d to %d", tc.from, tc.to)
	}
	for want, span := range map[string][2]int64{"ResourceNotFoundException": {10_000, 20_000}, "InvalidArgumentException": {0, 86_400_001}} {
		_, code := clip(t, srv, within(span[0], span[1]))
		require.Equal(t, want, code)
	}
	_, code := clip(t, srv, within(1000, 1000))
	require.Equal(t, "InvalidArgumentException", code, "the end has to be later")
	future := within(0, 60_000)
	future["FragmentSelectorType"] = "SERVER_TIMESTAMP"
	_, code = clip(t, srv, future)
	require.Equal(t, "InvalidArgumentException", code, "of the server only what is past")

	// What is sent again after a lost acknowledgement is there twice, and once in a clip: as it came first.
	before, code := clip(t, srv, within(0, 9000))
	require.Empty(t, code)
	again := block(block(mkv.AppendCluster(nil, uint64(epoch+4000)), 1, 0, true, 99), 2, 0, true, 99)
	require.Len(t, putAll(t, srv, "cam", bytes.NewReader(join(header(t, film(2)), again))), 3)
	books, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Len(t, books, 6)
	require.Equal(t, books[4].ProducerTimestamp, books[5].ProducerTimestamp)
	after, code := clip(t, srv, within(0, 9000))
	require.Empty(t, code)
	require.True(t, bytes.Equal(before, after))
}

func TestClipBounds(t *testing.T) {
	t.Parallel()
	srv := video(t)
	body := header(t, film(1))
	for i := range 201 {
		body = block(mkv.AppendCluster(body, uint64(epoch+int64(i)*1000)), 1, 0, true, 10)
	}
	require.Len(t, putAll(t, srv, "cam", bytes.NewReader(body)), 603)
	_, code := clip(t, srv, within(0, 200_000))
	require.Equal(t, "InvalidArgumentException", code)
	got, code := clip(t, srv, within(0, 199_000))
	require.Empty(t, code)
	first, _ := samples(t, got)
	require.Equal(t, 200, first)

	body = header(t, film(1))
	for i := range 3 {
		body = mkv.AppendCluster(body, uint64(epoch+int64(1000+i)*1000))
		body = mkv.AppendSimpleBlockHeader(body, 1, 0, mkv.KeyFrame, 40<<20)
		body = append(binary.BigEndian.AppendUint32(body, 40<<20-4), make([]byte, 40<<20-4)...)
	}
	require.Len(t, putAll(t, srv, "cam", bytes.NewReader(body)), 9)
	_, code = clip(t, srv, within(1_000_000, 1_002_000))
	require.Equal(t, "InvalidArgumentException", code)
	got, code = clip(t, srv, within(1_000_000, 1_001_000))
	require.Empty(t, code)
	require.Greater(t, len(got), 80<<20)
}

func TestClipMedia(t *testing.T) {
	t.Parallel()
	bad := mkv.AppendSimpleBlockHeader(mkv.AppendCluster(nil, uint64(epoch)), 1, 0, mkv.KeyFrame, 8)
	bad = append(bad, 0, 0, 0, 1, 0x65, 1, 2, 3) // start codes
	private := func(b []byte) mkv.Header {
		h := film(1)
		h.Tracks[0].CodecPrivate = b
		return h
	}
	other := film(1)
	other.Tracks[0].CodecID = mkv.CodecOpus
	for name, c := range map[string]struct {
		bodies [][]byte
		want   string
	}{
		"no private data":      {[][]byte{join(header(t, private(nil)), fragment(epoch, 1))}, "MissingCodecPrivateDataException"},
		"bad private data":     {[][]byte{join(header(t, private([]byte{9, 9})), fragment(epoch, 1))}, "InvalidCodecPrivateDataException"},
		"start codes":          {[][]byte{join(header(t, film(1)), bad)}, "InvalidMediaFrameException"},
		"Opus":                 {[][]byte{join(header(t, other), fragment(epoch, 1))}, "UnsupportedStreamMediaTypeException"},
		"another private data": {[][]byte{join(header(t, film(1)), fragment(epoch, 1)), join(header(t, private([]byte{1, 0x64, 0, 30, 0xFF, 0xE0, 0})), fragment(epoch+1000, 1))}, "InvalidCodecPrivateDataException"},
	} {
		srv := video(t)
		for _, b := range c.bodies {
			require.NotContains(t, texts(putAll(t, srv, "cam", bytes.NewReader(b))), "ERROR", name)
		}
		_, code := clip(t, srv, within(0, 9000))
		require.Equal(t, c.want, code, name)
	}
	srv := video(t, func(s *local.Settings) { s.VideoCreate[0].Retention = 0 })
	putAll(t, srv, "cam", bytes.NewReader(join(header(t, film(1)), fragment(epoch, 1))))
	_, code := clip(t, srv, within(0, 9000))
	require.Equal(t, "NoDataRetentionException", code)
}

func TestListFragments(t *testing.T) {
	t.Parallel()
	srv, _ := filled(t, 5)
	books, err := srv.Fragments("cam")
	require.NoError(t, err)
	list := func(in map[string]any) (numbers []string, token string) {
		in["StreamName"] = "cam"
		resp := call(t, srv, "/listFragments", in)
		require.Equal(t, 200, resp.StatusCode)
		var out struct {
			Fragments []struct{ FragmentNumber string }
			NextToken string
		}
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
		for _, f := range out.Fragments {
			numbers = append(numbers, f.FragmentNumber)
		}
		return numbers, out.NextToken
	}
	got, token := list(map[string]any{})
	require.Len(t, got, 5)
	require.Empty(t, token)
	got, token = list(map[string]any{"FragmentSelector": within(1000, 3000), "MaxResults": 2})
	require.Equal(t, []string{books[1].Number, books[2].Number}, got)
	got, token = list(map[string]any{"NextToken": token, "MaxResults": 2})
	require.Equal(t, []string{books[3].Number}, got)
	require.Empty(t, token)
	server := within(1400, 2600)
	server["FragmentSelectorType"] = "SERVER_TIMESTAMP"
	got, _ = list(map[string]any{"FragmentSelector": server})
	require.Equal(t, []string{books[1].Number, books[2].Number}, got)
	for _, in := range []map[string]any{{"NextToken": "AAAA"}, {"MaxResults": 1001}, {"FragmentSelector": within(2000, 1000)}, {"FragmentSelector": map[string]any{}}} {
		in["StreamName"] = "cam"
		require.Equal(t, 400, call(t, srv, "/listFragments", in).StatusCode)
	}
}

func TestFragmentList(t *testing.T) {
	t.Parallel()
	srv, _ := filled(t, 3)
	books, err := srv.Fragments("cam")
	require.NoError(t, err)
	resp := call(t, srv, "/getMediaForFragmentList", map[string]any{"StreamName": "cam", "Fragments": []string{books[2].Number, books[0].Number, "7", books[1].Number}})
	require.Equal(t, 200, resp.StatusCode)
	r := mkv.NewReader(resp.Body, mkv.Limits{})
	var order []string
	tags := map[string]string{}
	frames := 0
	for {
		e, err := r.Next()
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
		switch e := e.(type) {
		case *mkv.Block:
			require.Equal(t, books[[]int{2, 0}[frames/20]].Frames[frames%20].Data, e.Data)
			frames++
		case *mkv.Tags:
			for _, tag := range e.Tags {
				tags[tag.Name] = tag.Value
				if tag.Name == mkv.TagFragmentNumber {
					order = append(order, tag.Value)
				}
			}
		}
	}
	require.Equal(t, 40, frames)
	require.Equal(t, []string{books[2].Number, books[0].Number}, order[:2])
	require.Len(t, order, 3, "the one that is missing ends it")
	require.Equal(t, "4000", tags["AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE"])
	require.NotEmpty(t, tags["AWS_KINESISVIDEO_EXCEPTION_MESSAGE"])
	require.Equal(t, "1700000000.000", tags["AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP"])
	require.Equal(t, "1700000000.500", tags["AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP"])
	require.Equal(t, "a", tags["i"])
}

// TestArchivedMediaIsLimited by fragments.
func TestArchivedMediaIsLimited(t *testing.T) {
	t.Parallel()
	srv, c := filled(t, 1, func(s *local.Settings) { s.Limits = local.LimitsAWS })
	books, err := srv.Fragments("cam")
	require.NoError(t, err)
	c.add(time.Second)
	many := make([]string, 300)
	for i := range many {
		many[i] = books[0].Number
	}
	in := map[string]any{"StreamName": "cam", "Fragments": many}
	require.Equal(t, 200, call(t, srv, "/getMediaForFragmentList", in).StatusCode)
	require.Equal(t, "ClientLimitExceededException", call(t, srv, "/getMediaForFragmentList", in).Header.Get("x-amzn-ErrorType"))
	for range 10 {
		require.Equal(t, 200, call(t, srv, "/listFragments", map[string]any{"StreamName": "cam", "MaxResults": 1000}).StatusCode)
	}
	require.Equal(t, "ClientLimitExceededException", call(t, srv, "/listFragments", map[string]any{"StreamName": "cam", "MaxResults": 1}).Header.Get("x-amzn-ErrorType"))
}
