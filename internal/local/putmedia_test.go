package local_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/mkv"
)

func TestAcksComeWhileTheBodyIsOpen(t *testing.T) {
	t.Parallel()
	srv := video(t)
	p := startPut(t, srv, "cam", func(r *http.Request) { r.Header.Set("Expect", "100-continue") })
	require.Equal(t, http.StatusOK, p.resp.StatusCode)
	p.send(header(t, film(2)))
	p.send(fragment(epoch, 2)[:60]) // the cluster's head and a part of its first block
	first := p.next("BUFFERING 0")
	require.Len(t, first.FragmentNumber, 47)
	p.send(fragment(epoch, 2)[60:])
	p.send(fragment(epoch+1000, 2, mkv.Tag{Name: "n", Value: "v"})[:80])
	require.Equal(t, first.FragmentNumber, p.next("RECEIVED 0").FragmentNumber, "the tags of the next fragment end this one")
	require.Equal(t, first.FragmentNumber, p.next("PERSISTED 0").FragmentNumber)
	p.send(fragment(epoch+1000, 2, mkv.Tag{Name: "n", Value: "v"})[80:])
	require.Greater(t, p.next("BUFFERING 1000").FragmentNumber, first.FragmentNumber)
	p.send(mkv.AppendEndOfFragment(nil))
	p.next("RECEIVED 1000")
	p.next("PERSISTED 1000")
	p.send(fragment(epoch+2000, 2))
	p.next("BUFFERING 2000")
	require.NoError(t, p.w.Close())
	require.Equal(t, []string{"RECEIVED 2000", "PERSISTED 2000"}, p.over(), "the body's end ends the last fragment")
	require.NoError(t, p.end)

	got, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Len(t, got, 3)
	for i, f := range got {
		require.Equal(t, epoch+int64(i)*1000, f.Timecode)
		require.Equal(t, time.UnixMilli(epoch+int64(i)*1000).UTC(), f.ProducerTimestamp)
		require.Equal(t, 900*time.Millisecond, f.Length)
		require.Len(t, f.Frames, 20)
		require.True(t, f.Frames[0].Key)
		require.False(t, f.Frames[2].Key)
		require.Equal(t, epoch+int64(i)*1000+900, f.Frames[19].Timestamp)
		require.Len(t, f.Tracks, 2)
	}
	require.Equal(t, []mkv.Tag{{Name: "n", Value: "v"}}, got[1].Tags)
	require.Empty(t, got[2].Tags)

	s := ended(t, srv, "cam")
	require.Equal(t, "end", s.End)
	require.Equal(t, 3, s.Fragments)
	require.Equal(t, 9, s.AckCount)
	require.Equal(t, "BUFFERING", s.Acks[0].Type)
	require.Equal(t, "ABSOLUTE", s.Header.Get("x-amzn-fragment-timecode-type"))
	require.EqualValues(t, len(header(t, film(2)))+3*len(fragment(epoch, 2))+mkv.TagsSize(got[1].Tags)+mkv.EndOfFragmentSize, s.Bytes)
	require.Eventually(t, func() bool { return srv.Stats().Count("PutMedia", "") == 1 }, patience, time.Millisecond)
}

func TestRelativeTimecodes(t *testing.T) {
	t.Parallel()
	srv := video(t)
	p := startPut(t, srv, "cam", func(r *http.Request) { r.Header.Set("x-amzn-fragment-timecode-type", "RELATIVE") })
	p.send(header(t, film(1)), fragment(0, 1), fragment(1000, 1))
	require.NoError(t, p.w.Close())
	require.Len(t, p.over(), 6)
	got, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Equal(t, time.UnixMilli(1_700_000_000_028).UTC(), got[0].ProducerTimestamp)
	require.Equal(t, time.UnixMilli(1_700_000_001_028).UTC(), got[1].ProducerTimestamp)
	require.EqualValues(t, 1000, got[1].Timecode)
}

func TestNothingIsPersistedWithoutRetention(t *testing.T) {
	t.Parallel()
	srv := video(t, func(s *local.Settings) { s.VideoCreate[0].Retention = 0 })
	require.Equal(t, "BUFFERING 0; RECEIVED 0; BUFFERING 1000; RECEIVED 1000; ",
		texts(putAll(t, srv, "cam", bytes.NewReader(join(header(t, film(1)), fragment(epoch, 1), fragment(epoch+1000, 1))))))
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// many makes a header with more tracks than our writer would.
func many(t *testing.T, tracks int) []byte {
	t.Helper()
	b := header(t, film(1))
	one := header(t, film(2))
	// The Tracks element comes last; each of its entries is repeated with another number.
	at := bytes.Index(b, []byte{0x16, 0x54, 0xAE, 0x6B})
	require.Positive(t, at)
	entry := b[at+8:]
	require.Equal(t, byte(0xAE), entry[0])
	var entries []byte
	for i := range tracks {
		next := bytes.Clone(entry)
		number := bytes.Index(next, []byte{0xD7, 0x81})
		next[number+2] = byte(i + 1)
		entries = append(entries, next...)
	}
	require.NotEmpty(t, one)
	size := len(entries)
	return join(b[:at+4], []byte{0x10 | byte(size>>24), byte(size >> 16), byte(size >> 8), byte(size)}, entries)
}

// TestErrors: each rule of the service, by a body that breaks it after a good fragment.
func TestErrors(t *testing.T) {
	t.Parallel()
	head, good := header(t, film(1)), fragment(epoch, 1)
	const fine = "BUFFERING 0; RECEIVED 0; PERSISTED 0; "
	long := make([]mkv.Tag, 11)
	for i := range long {
		long[i] = mkv.Tag{Name: string(rune('a' + i))}
	}
	big := mkv.AppendCluster(nil, uint64(epoch+1000))
	for i := range 60 {
		big = mkv.AppendSimpleBlockHeader(big, 1, int16(i), mkv.KeyFrame, 1<<20)
		big = append(big, make([]byte, 1<<20)...)
	}
	with := func(cluster int64, blocks ...[]byte) []byte {
		return join(append([][]byte{mkv.AppendCluster(nil, uint64(cluster))}, blocks...)...)
	}
	for name, c := range map[string]struct {
		body []byte
		want string
	}{
		"headerless":             {good, "ERROR 4006; "},
		"mid frame":              {block(nil, 1, 0, true, 10), "ERROR 4006; "},
		"garbage":                {[]byte("GET / HTTP/1.1\r\n\r\n\r\n"), "ERROR 4006; "},
		"garbage in mid-stream":  {join(head, good, []byte("\x00\x01garbage that is no element")), "BUFFERING 0; ERROR 4006; "},
		"a cut element":          {join(head, good, good[:40]), fine[:len(fine)-0] + "ERROR 4004; "},
		"a cut block":            {join(head, good, fragment(epoch+1000, 1)[:200]), fine + "BUFFERING 1000; ERROR 4006; "},
		"a second header":        {join(head, good, head), fine + "ERROR 4006; "},
		"a cluster first":        {join(head[:bytes.Index(head, []byte{0x16, 0x54, 0xAE, 0x6B})], good), "ERROR 4006; "},
		"four tracks":            {join(many(t, 4), good), "ERROR 4012; "},
		"three tracks":           {join(many(t, 3), fragment(epoch, 3)), fine},
		"an earlier cluster":     {join(head, good, fragment(epoch-5000, 1)), fine + "ERROR 4004; "},
		"the same cluster":       {join(head, good, good), fine + "ERROR 4004; "},
		"within the last":        {join(head, good, fragment(epoch+900, 1)), fine + "ERROR 4004; "},
		"behind the last":        {join(head, good, fragment(epoch+901, 1)), fine + "BUFFERING 901; RECEIVED 901; PERSISTED 901; "},
		"an earlier frame":       {join(head, good, with(epoch+1000, block(nil, 1, 0, true, 9), block(nil, 1, -200, false, 9))), fine + "BUFFERING 1000; ERROR 4004; "},
		"21 s":                   {join(head, good, with(epoch+1000, block(nil, 1, 0, true, 9), block(nil, 1, 21000, false, 9))), fine + "BUFFERING 1000; ERROR 4002; "},
		"20 s":                   {join(head, with(epoch, block(nil, 1, 0, true, 9), block(nil, 1, 20000, false, 9))), fine},
		"60 MiB":                 {join(head, good, big), fine + "BUFFERING 1000; ERROR 4001; "},
		"one frame of 51 MiB":    {join(head, good, mkv.AppendSimpleBlockHeader(mkv.AppendCluster(nil, uint64(epoch+1000)), 1, 0, 0, 51<<20)), fine + "BUFFERING 1000; ERROR 4001; "},
		"11 tags":                {join(head, good, fragment(epoch+1000, 1, long...)), fine + "ERROR 4009; "},
		"10 tags":                {join(head, fragment(epoch, 1, long[:10]...)), fine},
		"a long name":            {join(head, fragment(epoch, 1, mkv.Tag{Name: string(make([]byte, 129))}), good), "ERROR 4009; "},
		"a long value":           {join(head, fragment(epoch, 1, mkv.Tag{Name: "n", Value: string(bytes.Repeat([]byte("v"), 257))})), "ERROR 4009; "},
		"AWS's name":             {join(head, fragment(epoch, 1, mkv.Tag{Name: "AWS_MINE"})), "ERROR 4009; "},
		"image generation":       {join(head, fragment(epoch, 1, mkv.Tag{Name: mkv.TagImageGeneration})), fine},
		"a foreign track":        {join(head, good, with(epoch+1000, block(nil, 1, 0, true, 9), block(nil, 2, 0, true, 9))), fine + "BUFFERING 1000; ERROR 4010; "},
		"a track without frames": {join(header(t, film(2)), fragment(epoch, 1)), "BUFFERING 0; ERROR 4011; "},
		"no frame at all":        {join(head, good, with(epoch+1000), fragment(epoch+2000, 1)), fine + "BUFFERING 1000; ERROR 4011; "},
		"no time":                {join(head, with(1<<61, block(nil, 1, 0, true, 9))), "ERROR 4007; "},
		"nothing":                {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := video(t)
			got := putAll(t, srv, "cam", io.MultiReader(bytes.NewReader(c.body))) // chunked
			require.Equal(t, c.want, texts(got))
			s := ended(t, srv, "cam")
			if last := len(got) - 1; last >= 0 && got[last].EventType == "ERROR" {
				require.NotEmpty(t, got[last].ErrorCode)
				require.Contains(t, s.End, "error "+got[last].ErrorCode+": ")
				require.EqualValues(t, 1, srv.Stats().Count("PutMedia", got[last].ErrorCode))
			} else {
				require.Equal(t, "end", s.End)
			}
		})
	}
}

// TestTheBodyIsNotReadAfterAnError: the error ends the connection although the client goes on sending, and the client sees it.
func TestTheBodyIsNotReadAfterAnError(t *testing.T) {
	t.Parallel()
	srv := video(t)
	p := startPut(t, srv, "cam")
	p.send(header(t, film(1)), fragment(epoch, 1), fragment(epoch, 1))
	for range 4 {
		p.send(make([]byte, 1<<20))
	}
	require.Contains(t, p.over(), "ERROR 4004")
	require.NoError(t, p.end, "the answer ends as it should")
	require.Less(t, ended(t, srv, "cam").Bytes, int64(1<<20))
}

// TestChunksDoNotMatter: the same fragments whatever pieces a body comes in.
func TestChunksDoNotMatter(t *testing.T) {
	t.Parallel()
	srv := video(t)
	body := header(t, film(2))
	for i := range 5 {
		body = append(body, fragment(epoch+int64(i)*1000, 2, mkv.Tag{Name: "i", Value: string(rune('0' + i))})...)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var want []local.VideoFragment
	for i := range 8 {
		name := string(rune('a' + i))
		require.NoError(t, srv.CreateVideoStream(local.VideoStreamSpec{Name: name, Retention: time.Hour}))
		var pieces []io.Reader
		for rest := body; len(rest) > 0; {
			n := min(len(rest), 1+rng.IntN(1+i*i*40))
			pieces = append(pieces, bytes.NewReader(rest[:n]))
			rest = rest[n:]
		}
		var src io.Reader = io.MultiReader(pieces...)
		if i == 7 {
			src = iotest.OneByteReader(bytes.NewReader(body))
		}
		require.Len(t, putAll(t, srv, name, src), 15)
		got, err := srv.Fragments(name)
		require.NoError(t, err)
		for i := range got {
			got[i].Number, got[i].ServerTimestamp = "", time.Time{}
		}
		if want == nil {
			want = got
		}
		require.Equal(t, want, got)
	}
	require.Len(t, want, 5)
}
