package putmedia_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awscfg"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/fault"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/putmedia"
)

// camera is a stream of video and sound to a real endpoint, with times that run as fast as frames are put.
type camera struct {
	*testing.T
	srv     *local.Server
	s       *putmedia.Stream
	service *putmedia.Service
	session *awscfg.Session
	heard   *heard
	began   time.Time
	n       int
}

var tracks = []mkv.Track{
	{Number: 1, UID: 1, Type: mkv.Video, Name: "video", CodecID: mkv.CodecAVC, CodecPrivate: []byte("avcC"), Width: 640, Height: 360},
	{Number: 2, UID: 2, Type: mkv.Audio, Name: "audio", CodecID: mkv.CodecAAC, CodecPrivate: []byte{0x12, 0x10}, SamplingFrequency: 44100, Channels: 2},
}

// open begins a camera's stream "cam", which is made if it is missing.
func open(t *testing.T, srv *local.Server, change func(*putmedia.Settings, *putmedia.Spec)) *camera {
	t.Helper()
	c := &camera{T: t, srv: srv, heard: new(heard), began: time.Now().Truncate(time.Millisecond)}
	var err error
	c.session, err = awscfg.Open(t.Context(), awscfg.Settings{
		Region: local.DefaultRegion, EndpointURI: srv.URL(), AccessKey: "test", SecretAccessKey: "test",
	}, awscfg.Stream{Name: "cam"})
	require.NoError(t, err)
	set, spec := putmedia.Default(), putmedia.Spec{Name: "cam", Create: true, Retention: 2 * time.Hour, MediaType: "video/h264"}
	set.Stream, set.Region, set.Endpoint, set.DrainTimeout = "cam", local.DefaultRegion, srv.URL(), time.Minute
	if change != nil {
		change(&set, &spec)
	}
	c.service = putmedia.NewService(c.session, spec)
	c.s, err = putmedia.New(c.service, set, c.heard)
	require.NoError(t, err)
	require.NoError(t, c.s.SetTracks(tracks))
	t.Cleanup(c.close)
	return c
}

func (c *camera) close() {
	c.s.Close()
	c.service.Close()
	c.session.Close()
	require.True(c, c.s.Books().Balanced())
}

// play puts frames for so many seconds of media: 25 of video and 40 of sound a second, a key frame each second.
func (c *camera) play(seconds int) error {
	for range seconds {
		for i := range 25 {
			at := c.began.Add(time.Duration(c.n) * 40 * time.Millisecond)
			if err := c.put(1, at, i == 0, 4000); err != nil {
				return err
			}
			if err := c.put(2, at.Add(7*time.Millisecond), true, 200); err != nil {
				return err
			}
			c.n++
		}
	}
	return nil
}

func (c *camera) put(track uint64, at time.Time, key bool, size int) error {
	f := c.s.Reserve(size)
	clear(f.Data)
	binary.BigEndian.PutUint64(f.Data, uint64(c.n))
	f.Track, f.Key, f.PTS = track, key, at.UnixNano()
	return c.s.Put(context.Background(), f)
}

// check holds what is stored, but for repeats, to what was put, but for fragments that are missing, by the number of their first frame.
func (c *camera) check(missing ...int) (repeats int) {
	c.Helper()
	fragments, err := c.srv.Fragments("cam")
	require.NoError(c, err)
	gone := map[int]bool{}
	for _, n := range missing {
		gone[n] = true
	}
	next := 0
	for _, f := range fragments {
		first := int(binary.BigEndian.Uint64(f.Frames[0].Data))
		if first < next {
			repeats++
			continue
		}
		for gone[next] {
			next += 25
		}
		require.Equal(c, next, first, "of %d", c.n)
		require.Len(c, f.Frames, 50)
		require.Len(c, f.Tracks, 2)
		for i, frame := range f.Frames {
			at := c.began.Add(time.Duration(next+i/2) * 40 * time.Millisecond).UnixMilli()
			require.EqualValues(c, next+i/2, binary.BigEndian.Uint64(frame.Data))
			require.Equal(c, at+int64(i%2*7), frame.Timestamp+f.ProducerTimestamp.UnixMilli()-f.Timecode)
		}
		next += 25
	}
	for gone[next] {
		next += 25
	}
	require.Equal(c, c.n, next)
	return repeats
}

// heard is what the observer heard.
type heard struct {
	mu       sync.Mutex
	troubles []putmedia.Trouble
	failed   []putmedia.Trouble
	acks     map[putmedia.AckType]int
}

func (h *heard) Acked(a putmedia.Ack) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.acks == nil {
		h.acks = map[putmedia.AckType]int{}
	}
	h.acks[a.Type]++
}
func (*heard) Connected(putmedia.Connection)     {}
func (*heard) Disconnected(putmedia.Connection)  {}
func (*heard) Settled([]any)                     {}
func (*heard) Dropped(string, int, int64, []any) {}
func (*heard) Recovered(putmedia.Recovery)       {}
func (*heard) Noticed(putmedia.Notice)           {}
func (h *heard) Trouble(t putmedia.Trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.troubles = append(h.troubles, t)
}

func (h *heard) Failed(t putmedia.Trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed = append(h.failed, t)
}

// unlimited is an endpoint without the service's limits of rates, so that media may come faster than they last.
func unlimited(t *testing.T, set local.Settings) *local.Server {
	set.Limits = local.LimitsNone
	return localtest.Start(t, set)
}

// A stream that is missing is made, with its tags; what is put is stored, each frame with its time.
func TestAgainstTheEndpoint(t *testing.T) {
	t.Parallel()
	srv := unlimited(t, local.Settings{})
	c := open(t, srv, func(_ *putmedia.Settings, s *putmedia.Spec) { s.Tags = map[string]string{"site": "north"} })
	require.NoError(t, c.s.AddMetadata("lane", "2", true))
	require.NoError(t, c.play(30))
	require.NoError(t, c.s.Flush(t.Context()))
	require.Zero(t, c.check())
	b := c.s.Books()
	require.EqualValues(t, 30, b.FragmentsPersisted)
	require.EqualValues(t, 1500, b.Persisted.Frames)
	c.s.Close()
	sessions := srv.PutMediaSessions("cam")
	require.Len(t, sessions, 1)
	require.Equal(t, "end", sessions[0].End)
	require.Equal(t, map[putmedia.AckType]int{putmedia.Buffering: 30, putmedia.Received: 30, putmedia.Persisted: 30}, c.heard.acks)
	fragments, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Equal(t, []mkv.Tag{{Name: "lane", Value: "2"}}, fragments[7].Tags)
	client := kinesisvideo.New(kinesisvideo.Options{Region: local.DefaultRegion, BaseEndpoint: aws.String(srv.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	out, err := client.ListTagsForStream(t.Context(), &kinesisvideo.ListTagsForStreamInput{StreamName: aws.String("cam")})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"site": "north"}, out.Tags)
	info, err := client.DescribeStream(t.Context(), &kinesisvideo.DescribeStreamInput{StreamName: aws.String("cam")})
	require.NoError(t, err)
	require.EqualValues(t, 2, aws.ToInt32(info.StreamInfo.DataRetentionInHours))
	require.Equal(t, "video/h264", aws.ToString(info.StreamInfo.MediaType))
}

// The fault table: what AWS's own producer does in each of these stands in docs/from-kvssink.md.
func TestFaults(t *testing.T) {
	t.Parallel()
	media := func(m local.Rule) local.Rule {
		m.Operations, m.Count = []string{"PutMedia"}, 1
		return m
	}
	rule := func(f func(*local.Rule)) local.Rule {
		var r local.Rule
		f(&r)
		return media(r)
	}
	errorAt := func(id, fragment int) local.Rule {
		return rule(func(r *local.Rule) { r.ErrorAck = &fault.ErrorAck{ID: id, Fragment: fragment} })
	}
	for name, c := range map[string]struct {
		rule    local.Rule
		change  func(*putmedia.Settings)
		missing []int
	}{
		"archival error":      {rule: errorAt(5001, 4)},
		"internal error":      {rule: errorAt(5000, 4)},
		"connection too long": {rule: errorAt(4003, 4)},
		"read error":          {rule: errorAt(4000, 4)},
		"unknown":             {rule: errorAt(4999, 4)},
		// What stays until somebody mends it is borne for permanent-grace once the stream has worked; here it is mended at once.
		"tracks":               {rule: errorAt(4005, 4)},
		"producer's timestamp": {rule: errorAt(4007, 4)},
		"not active":           {rule: errorAt(4008, 4)},
		"track number":         {rule: errorAt(4010, 4)},
		"more tracks":          {rule: errorAt(4012, 4)},
		"key denied":           {rule: errorAt(4500, 4)},
		"key disabled":         {rule: errorAt(4501, 4)},
		"deleted":              {rule: errorAt(4507, 4)},
		"key unavailable":      {rule: errorAt(4503, 4)},
		"too large":            {rule: errorAt(4001, 4), missing: []int{75}},
		"too long":             {rule: errorAt(4002, 4), missing: []int{75}},
		"timecode":             {rule: errorAt(4004, 4)},
		"invalid MKV":          {rule: errorAt(4006, 4), missing: []int{75}},
		"metadata":             {rule: errorAt(4009, 4), missing: []int{75}},
		"frames missing":       {rule: errorAt(4011, 4)},
		"cut in the header":    {rule: rule(func(r *local.Rule) { r.CutAfter = 100 })},
		"cut in a fragment":    {rule: rule(func(r *local.Rule) { r.CutAfter = 333_333 })},
		"500":                  {rule: rule(func(r *local.Rule) { r.Error = &local.Failure{Code: "InternalFailure", Status: 500} })},
		"503":                  {rule: rule(func(r *local.Rule) { r.Error = &local.Failure{Code: "ServiceUnavailable", Status: 503} })},
		"connection limit":     {rule: rule(func(r *local.Rule) { r.Error = &local.Failure{Code: "ConnectionLimitExceededException", Status: 400} })},
		"expired":              {rule: rule(func(r *local.Rule) { r.Error = &local.Failure{Code: "ExpiredTokenException", Status: 403} })},
		"late acknowledgement": {rule: rule(func(r *local.Rule) { r.Acks = &fault.Acks{Late: 300 * time.Millisecond} })},
		"no acknowledgement": {rule: rule(func(r *local.Rule) { r.Acks = &fault.Acks{Never: true} }),
			change: func(s *putmedia.Settings) { s.Staleness = time.Second }},
		"hang": {rule: rule(func(r *local.Rule) { r.Hang = true }), change: func(s *putmedia.Settings) { s.Staleness = time.Second }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := unlimited(t, local.Settings{VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
			_, err := srv.AddFault(c.rule)
			require.NoError(t, err)
			cam := open(t, srv, func(s *putmedia.Settings, _ *putmedia.Spec) {
				if c.change != nil {
					c.change(s)
				}
			})
			require.NoError(t, cam.play(20))
			require.Eventually(t, func() bool { return cam.s.Books().FragmentsPersisted >= 10 }, 20*time.Second, time.Millisecond) // a drain bears nothing
			require.NoError(t, cam.s.Flush(t.Context()))
			repeats := cam.check(c.missing...)
			b := cam.s.Books()
			require.LessOrEqual(t, int64(repeats), b.PossibleDuplicates)
			require.EqualValues(t, len(c.missing), b.FragmentsSkipped)
			require.Zero(t, b.DroppedAll())
			require.Empty(t, cam.heard.failed)
		})
	}
}

// An endpoint that goes away and comes back.
func TestEndpointGone(t *testing.T) {
	t.Parallel()
	srv := unlimited(t, local.Settings{Addr: freeAddress(t), VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
	cam := open(t, srv, nil)
	require.NoError(t, cam.play(5))
	require.Eventually(t, func() bool { return cam.s.Books().FragmentsPersisted >= 2 }, 20*time.Second, time.Millisecond)
	srv.Stop()
	require.NoError(t, cam.play(5))
	require.Eventually(t, func() bool { return cam.s.Stats().Failures >= 4 }, 20*time.Second, time.Millisecond)
	require.NoError(t, srv.Start())
	require.NoError(t, cam.play(5))
	require.NoError(t, cam.s.Flush(t.Context()))
	cam.check()
	require.NotEmpty(t, cam.heard.troubles)
}

func freeAddress(t *testing.T) string {
	srv := localtest.Start(t, local.Settings{})
	defer srv.Stop()
	return srv.Addr()
}

// A clock that is ten minutes off is corrected by the service's.
func TestClockSkew(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		creds := localtest.AnyCredentials()
		srv := unlimited(t, local.Settings{
			Now: func() time.Time { return time.Now().Add(off) }, Credentials: []local.Credentials{creds},
			VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}},
		})
		cam := open(t, srv, nil)
		require.NoError(t, cam.play(3))
		require.NoError(t, cam.s.Flush(t.Context()))
		cam.check()
	}
}

// What stands in the way is said, with what to do.
func TestFailuresAreExplained(t *testing.T) {
	t.Parallel()
	creds := local.Credentials{AccessKeyID: "test", SecretAccessKey: "another"}
	for name, c := range map[string]struct {
		set    local.Settings
		create bool
		want   []string
	}{
		"missing":   {local.Settings{}, false, []string{"ResourceNotFoundException", "create it"}},
		"signature": {local.Settings{Credentials: []local.Credentials{creds}}, true, []string{"InvalidSignatureException", "secret-access-key"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cam := open(t, unlimited(t, c.set), func(_ *putmedia.Settings, s *putmedia.Spec) { s.Create = c.create })
			require.Eventually(t, func() bool {
				cam.heard.mu.Lock()
				defer cam.heard.mu.Unlock()
				return len(cam.heard.failed) == 1
			}, 5*time.Second, time.Millisecond)
			for _, text := range c.want {
				require.Contains(t, cam.heard.failed[0].Error(), text)
			}
			require.ErrorIs(t, cam.play(1), putmedia.ErrFailed)
		})
	}
}

// The header of a session, as the service's documentation has it.
func TestRequestHeader(t *testing.T) {
	t.Parallel()
	srv := unlimited(t, local.Settings{VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
	cam := open(t, srv, func(s *putmedia.Settings, p *putmedia.Spec) {
		s.Timecodes, p.UserAgent = putmedia.Relative, "gst-kinesis/1"
	})
	cam.began = time.UnixMilli(1795210566028)
	require.NoError(t, cam.play(2))
	require.NoError(t, cam.s.Flush(t.Context()))
	cam.check()
	h := srv.PutMediaSessions("cam")[0].Header
	for name, want := range map[string]string{
		"X-Amzn-Stream-Name": "cam", "X-Amzn-Fragment-Timecode-Type": "RELATIVE", "X-Amzn-Producer-Start-Timestamp": "1795210566.028",
		"X-Amzn-Fragment-Acknowledgment-Required": "1", "User-Agent": "gst-kinesis/1",
	} {
		require.Equal(t, want, h.Get(name), name)
	}
	require.True(t, strings.HasPrefix(h.Get("Authorization"), "AWS4-HMAC-SHA256 "))
	require.Contains(t, h.Get("Authorization"), "/kinesisvideo/aws4_request")
	require.Empty(t, h.Get("Expect"))
}

// Streams that are begun and ended again and again leave no goroutine behind.
func TestRestartsLeaveNoGoroutine(t *testing.T) {
	srv := unlimited(t, local.Settings{VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
	lives := func(n int) {
		for range n {
			cam := open(t, srv, nil)
			require.NoError(t, cam.play(1))
			cam.close()
		}
	}
	lives(10)
	goroutines := runtime.NumGoroutine()
	lives(60)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+5 }, 20*time.Second, 10*time.Millisecond)
}

// BenchmarkEndpoint is how fast media go to an endpoint in the same process.
func BenchmarkEndpoint(b *testing.B) {
	for _, size := range []int{2000, 20_000, 200_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			srv := localtest.Start(b, local.Settings{Limits: local.LimitsNone, VideoMemory: 64 << 20,
				VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
			session, err := awscfg.Open(b.Context(), awscfg.Settings{
				Region: local.DefaultRegion, EndpointURI: srv.URL(), AccessKey: "test", SecretAccessKey: "test"}, awscfg.Stream{Name: "cam"})
			require.NoError(b, err)
			defer session.Close()
			set := putmedia.Default()
			set.Stream, set.DrainTimeout, set.Outage = "cam", -1, putmedia.Block
			service := putmedia.NewService(session, putmedia.Spec{Name: "cam"})
			defer service.Close()
			s, err := putmedia.New(service, set, nil)
			require.NoError(b, err)
			defer s.Close()
			require.NoError(b, s.SetTracks(tracks[:1]))
			began, n := time.Now(), 0
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				f := s.Reserve(size)
				f.Track, f.Key, f.PTS = 1, n%25 == 0, began.Add(time.Duration(n)*40*time.Millisecond).UnixNano()
				n++
				if err := s.Put(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, s.Flush(b.Context()))
		})
	}
}
