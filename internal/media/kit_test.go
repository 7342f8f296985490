package media_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/media"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/putmedia"
)

// epoch is when the media of tests begin, in ms.
const epoch = int64(1_795_210_566_028)

func tracks() []mkv.Track {
	return []mkv.Track{
		{Number: 1, UID: 1, Type: mkv.Video, Name: "video", CodecID: mkv.CodecAVC, CodecPrivate: []byte{1, 0x42, 0xC0, 0x1E, 0xFF, 0xE0, 0}, Width: 640, Height: 360},
		{Number: 2, UID: 2, Type: mkv.Audio, Name: "audio", CodecID: mkv.CodecAAC, CodecPrivate: []byte{0x12, 0x10}, SamplingFrequency: 44100, Channels: 2},
	}
}

func server(t testing.TB) *local.Server {
	t.Helper()
	return localtest.Start(t, local.Settings{Limits: local.LimitsNone, VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
}

func session(t testing.TB, srv *local.Server) *awscfg.Session {
	t.Helper()
	s, err := awscfg.Open(t.Context(), awscfg.Settings{
		Region: local.DefaultRegion, EndpointURI: srv.URL(), AccessKey: "test", SecretAccessKey: "test",
	}, awscfg.Stream{Name: "cam"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func client(t testing.TB, srv *local.Server, change ...func(*media.Settings)) *media.Client {
	t.Helper()
	set := media.Settings{Name: "cam"}
	for _, f := range change {
		f(&set)
	}
	c := media.New(session(t, srv), set)
	t.Cleanup(c.Close)
	return c
}

// film sends seconds of media through a real session: 5 frames of video and 5 of sound each, in a fragment a second.
func film(t testing.TB, srv *local.Server, from, seconds int) {
	t.Helper()
	set := putmedia.Default()
	set.Stream, set.DrainTimeout = "cam", time.Minute
	service := putmedia.NewService(session(t, srv), putmedia.Spec{Name: "cam"})
	defer service.Close()
	s, err := putmedia.New(service, set, nil)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.SetTracks(tracks()))
	require.NoError(t, s.AddMetadata("lane", "2", true))
	for i := from * 5; i < (from+seconds)*5; i++ {
		for track := uint64(1); track <= 2; track++ {
			f := s.Reserve(payloadSize(i, track))
			copy(f.Data, payload(i, track))
			f.Track, f.Key, f.PTS = track, track == 2 || i%5 == 0, frameTime(i, track).UnixNano()
			require.NoError(t, s.Put(context.Background(), f))
		}
	}
	require.NoError(t, s.Flush(t.Context()))
}

func frameTime(i int, track uint64) time.Time {
	return time.UnixMilli(epoch + int64(i)*200 + int64(track-1)*7)
}

func payloadSize(i int, track uint64) int { return 16 + i*37%900*int(3-track) }

// payload is that of the frame i of a track; no two are the same.
func payload(i int, track uint64) []byte {
	b := make([]byte, payloadSize(i, track))
	for k := range b {
		b[k] = byte(i*7 + k*int(track))
	}
	binary.BigEndian.PutUint64(b, uint64(i))
	b[8] = byte(track)
	return b
}

// check holds a fragment to what film sent for its second.
func check(t testing.TB, f *media.Fragment, second int) {
	t.Helper()
	require.Equal(t, frameTime(second*5, 1).UnixMilli(), f.ProducerTime.UnixMilli())
	require.Len(t, f.Frames, 10)
	require.Len(t, f.Tracks, 2)
	require.Equal(t, tracks()[0].CodecPrivate, f.Tracks[0].CodecPrivate)
	require.Equal(t, []mkv.Tag{{Name: "lane", Value: "2"}}, f.Tags)
	total := int64(0)
	for k := range f.Frames {
		frame := &f.Frames[k]
		i, track := second*5+k/2, uint64(k%2+1)
		require.Equal(t, track, frame.Track)
		require.Equal(t, payload(i, track), frame.Data)
		require.Equal(t, track == 2 || i%5 == 0, frame.Key)
		require.Equal(t, frameTime(i, track).UnixMilli(), f.Time(frame).UnixMilli())
		total += int64(len(frame.Data))
	}
	require.Equal(t, total, f.Bytes)
}

// put sends a body as it is, as a session of its own.
func put(t testing.TB, srv *local.Server, body []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+"/putMedia", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("x-amzn-stream-name", "cam")
	r.Header.Set("x-amzn-fragment-timecode-type", "ABSOLUTE")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	acks, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NotContains(t, string(acks), "ERROR")
}

// body is a session with fragments of one frame, that begin so many ms after epoch.
func body(t testing.TB, tracks []mkv.Track, starts ...int64) []byte {
	t.Helper()
	out, err := mkv.AppendHeader(nil, mkv.Header{Tracks: tracks[:1]})
	require.NoError(t, err)
	for _, at := range starts {
		out = mkv.AppendCluster(out, uint64(epoch+at))
		out = append(mkv.AppendSimpleBlockHeader(out, 1, 0, mkv.KeyFrame, 4), 0, 0, 0, 0)
	}
	return out
}

// all reads to the end.
func all(t testing.TB, r *media.Reader) (starts []int64) {
	t.Helper()
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return starts
		}
		require.NoError(t, err)
		starts = append(starts, f.ProducerTime.UnixMilli()-epoch)
	}
}

func list(t testing.TB, c *media.Client, within media.Range) (infos []media.Info) {
	t.Helper()
	for info, err := range c.ListFragments(t.Context(), within) {
		require.NoError(t, err)
		infos = append(infos, info)
	}
	return infos
}

func numbers(infos []media.Info) (list []string) {
	for _, i := range infos {
		list = append(list, i.Number)
	}
	return list
}

// second is the range of whole seconds of the film, both ends included.
func second(from, to int) media.Range {
	return media.Range{From: frameTime(from*5, 1), To: frameTime(to*5, 1)}
}
