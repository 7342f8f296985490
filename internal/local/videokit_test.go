package local_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/mkv"
)

// epoch is when the fragments of tests begin, in ms.
const epoch = int64(1_700_000_000_000)

// patience bounds what a test waits for.
const patience = 10 * time.Second

// film is a camera with sound.
func film(tracks int) mkv.Header {
	h := mkv.Header{SegmentUID: [16]byte{1, 2, 3}, Title: "t", MuxingApp: "m", WritingApp: "w", Tracks: []mkv.Track{
		{Number: 1, UID: 1, Type: mkv.Video, Name: "video", CodecID: mkv.CodecAVC, Width: 640, Height: 360, CodecPrivate: []byte{1, 0x42, 0xC0, 0x1E, 0xFF, 0xE0, 0}},
		{Number: 2, UID: 2, Type: mkv.Audio, Name: "audio", CodecID: mkv.CodecAAC, SamplingFrequency: 48000, Channels: 2, CodecPrivate: []byte{0x11, 0x90}},
		{Number: 3, UID: 3, Type: mkv.Audio, Name: "data", CodecID: mkv.CodecOpus, SamplingFrequency: 48000, Channels: 1},
	}}
	h.Tracks = h.Tracks[:tracks]
	return h
}

func header(t testing.TB, h mkv.Header) []byte {
	t.Helper()
	b, err := mkv.AppendHeader(nil, h)
	require.NoError(t, err)
	return b
}

// block appends a frame of one NAL unit.
func block(dst []byte, track uint64, at int16, key bool, size int) []byte {
	var flags mkv.BlockFlags
	if key {
		flags = mkv.KeyFrame
	}
	payload := make([]byte, 4+size)
	payload[2], payload[3] = byte(size>>8), byte(size)
	for i := range size {
		payload[4+i] = byte(i*7 + int(at))
	}
	return append(mkv.AppendSimpleBlockHeader(dst, track, at, flags, len(payload)), payload...)
}

// fragment is a cluster of one second with ten frames of each track.
func fragment(at int64, tracks int, tags ...mkv.Tag) []byte {
	b := mkv.AppendCluster(mkv.AppendTags(nil, tags), uint64(at))
	for i := range 10 {
		for track := range tracks {
			b = block(b, uint64(track+1), int16(i*100), i == 0, 50)
		}
	}
	return b
}

// line is an acknowledgement as a client reads it.
type line struct {
	EventType, FragmentNumber, ErrorCode string
	FragmentTimecode                     int64
	ErrorId                              int
}

// put is a session of PutMedia as a client has it.
type put struct {
	*testing.T
	w      *io.PipeWriter
	cancel context.CancelFunc
	resp   *http.Response
	lines  chan line // closed at the end of the answer
	end    error     // of the answer, when lines is closed
}

// putRequest makes a request of PutMedia.
func putRequest(ctx context.Context, t testing.TB, url, stream string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/putMedia", body)
	require.NoError(t, err)
	r.Header.Set("x-amzn-stream-name", stream)
	r.Header.Set("x-amzn-fragment-timecode-type", "ABSOLUTE")
	r.Header.Set("x-amzn-fragment-acknowledgment-required", "1")
	r.Header.Set("x-amzn-producer-start-timestamp", "1700000000.028")
	return r
}

// startPut begins a session; change may alter the request.
func startPut(t *testing.T, srv *local.Server, stream string, change ...func(*http.Request)) *put {
	t.Helper()
	return startPutAt(t, srv.URL(), stream, http.DefaultClient, change...)
}

func startPutAt(t *testing.T, url, stream string, client *http.Client, change ...func(*http.Request)) *put {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	body, w := io.Pipe()
	r := putRequest(ctx, t, url, stream, body)
	for _, c := range change {
		c(r)
	}
	resp, err := client.Do(r)
	if err != nil {
		cancel()
		t.Fatalf("beginning a session: %v", err)
	}
	p := &put{T: t, w: w, cancel: cancel, resp: resp, lines: make(chan line, 10000)}
	t.Cleanup(func() {
		cancel()
		_ = w.Close()
		_ = resp.Body.Close()
	})
	go p.read()
	return p
}

func (p *put) read() {
	defer close(p.lines)
	scan := bufio.NewScanner(p.resp.Body)
	for scan.Scan() {
		var l line
		if err := json.Unmarshal(scan.Bytes(), &l); err != nil {
			l.EventType = "garbage"
		}
		p.lines <- l
	}
	p.end = scan.Err()
}

// send writes media; that the endpoint has ended the session meanwhile is no failure.
func (p *put) send(parts ...[]byte) {
	p.Helper()
	for _, b := range parts {
		if _, err := p.w.Write(b); err != nil {
			return
		}
	}
}

// next waits for the next acknowledgement and checks what it is.
func (p *put) next(want string) line {
	p.Helper()
	select {
	case l, ok := <-p.lines:
		if !ok {
			p.Fatalf("the answer ended (%v), %s was expected", p.end, want)
		}
		require.Equal(p, want, l.String())
		return l
	case <-time.After(patience):
		p.Fatalf("no acknowledgement: %s was expected", want)
	}
	return line{}
}

// String is the type and the timecode after epoch, or the error's id.
func (l line) String() string {
	switch {
	case l.EventType == "ERROR":
		return fmt.Sprint("ERROR ", l.ErrorId)
	case l.EventType == "IDLE" || l.EventType == "garbage":
		return l.EventType
	}
	return fmt.Sprint(l.EventType, " ", l.FragmentTimecode-epoch)
}

// over waits for the end of the answer; what still comes is returned.
func (p *put) over() (rest []string) {
	p.Helper()
	deadline := time.After(patience)
	for {
		select {
		case l, ok := <-p.lines:
			if !ok {
				return rest
			}
			rest = append(rest, l.String())
		case <-deadline:
			p.Fatal("the answer does not end")
		}
	}
}

// ended waits until the endpoint has closed the books of the last session and returns it.
func ended(t testing.TB, srv *local.Server, stream string) local.PutMediaSession {
	t.Helper()
	var last local.PutMediaSession
	require.Eventually(t, func() bool {
		list := srv.PutMediaSessions(stream)
		if len(list) == 0 {
			return false
		}
		last = list[len(list)-1]
		return !last.Ended.IsZero()
	}, patience, time.Millisecond)
	return last
}

// putAll sends a whole body in one session and returns the acknowledgements.
func putAll(t testing.TB, srv *local.Server, stream string, body io.Reader) []line {
	t.Helper()
	resp, err := http.DefaultClient.Do(putRequest(t.Context(), t, srv.URL(), stream, body))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	var list []line
	dec := json.NewDecoder(resp.Body)
	for {
		var l line
		if err := dec.Decode(&l); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Logf("the answer ended: %v", err)
			}
			return list
		}
		list = append(list, l)
	}
}

func texts(list []line) string {
	var b strings.Builder
	for _, l := range list {
		b.WriteString(l.String() + "; ")
	}
	return b.String()
}

// video is an endpoint with one video stream, without limits.
func video(t testing.TB, change ...func(*local.Settings)) *local.Server {
	t.Helper()
	set := local.Settings{Limits: local.LimitsNone, VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}}
	for _, c := range change {
		c(&set)
	}
	return localtest.Start(t, set)
}
