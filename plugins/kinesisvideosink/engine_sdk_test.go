package kinesisvideosink

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/kvsproducer"
	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/codec"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/internal/putmedia"
)

// What AWS's SDK cannot do as a property says is refused, by the property's name and with what to do.
func TestWhatTheSDKCannotDoIsRefused(t *testing.T) {
	t.Parallel()
	with := func(change func(*Settings)) *Settings {
		s := defaults
		s.StreamName, s.Engine = "s", engineSDK
		change(&s)
		return &s
	}
	require.NoError(t, with(func(*Settings) {}).check())
	require.NoError(t, with(func(s *Settings) { s.StreamingType, s.Outage = offline, putmedia.Block.String() }).check())
	for property, change := range map[string]func(*Settings){
		"spool-directory":         func(s *Settings) { s.SpoolDirectory = "/tmp" },
		"spool-max-bytes":         func(s *Settings) { s.SpoolMaxBytes++ },
		"spool-max-age":           func(s *Settings) { s.SpoolMaxAge = 1 },
		"spool-sync":              func(s *Settings) { s.SpoolSync = "always" },
		"outage":                  func(s *Settings) { s.Outage = putmedia.Block.String() },
		"max-bandwidth":           func(s *Settings) { s.MaxBandwidth = 1 },
		"bandwidth-group":         func(s *Settings) { s.BandwidthGroup = "g" },
		"priority":                func(s *Settings) { s.Priority = 1 },
		"max-latency":             func(s *Settings) { s.MaxLatency = 5 },
		"rotation-period":         func(s *Settings) { s.RotationPeriod = 60 },
		"proxy":                   func(s *Settings) { s.AWS.Proxy = "http://p" },
		"absolute-fragment-times": func(s *Settings) { s.AbsoluteTimes = false },
		"fragment-acks":           func(s *Settings) { s.Acks = false },
		"timecode-scale":          func(s *Settings) { s.Ignored.TimecodeScale = 10 },
		"frame-timecodes":         func(s *Settings) { s.Ignored.FrameTimecodes = false },
		"storage-size":            func(s *Settings) { s.StorageSize = 9 },
		"buffer-duration":         func(s *Settings) { s.Ignored.BufferDuration = 0 },
		"replay-duration":         func(s *Settings) { s.Ignored.ReplayDuration = 121 },
		"ca-file":                 func(s *Settings) { s.AWS.CAFile = "/etc/ca.crt" },
	} {
		err := with(change).check()
		require.ErrorIs(t, err, errProperty, property)
		require.ErrorContains(t, err, property)
		require.Regexp(t, "engine=native|set|takes|rename", err.Error())
		s := with(change)
		s.Engine = engineNative
		require.NoError(t, s.check(), property)
	}
}

// What the SDK tells becomes what a Delegate knows.
func TestReportsOfTheSDK(t *testing.T) {
	t.Parallel()
	at := 1_700_000_000 * time.Second
	for _, c := range []struct {
		event kvsproducer.Event
		want  putmedia.Report
	}{
		{kvsproducer.Event{Kind: kvsproducer.Ack, Ack: kvsproducer.Persisted, Timecode: at, Fragment: "9", Upload: 0},
			putmedia.Report{Upload: 1, Retried: true, Ack: putmedia.Ack{Type: putmedia.Persisted, Timecode: 1_700_000_000_000, HasTimecode: true, Number: "9"}}},
		{kvsproducer.Event{Kind: kvsproducer.Ack, Ack: kvsproducer.AckError, Result: 4004, Upload: 3},
			putmedia.Report{Upload: 4, Ack: putmedia.Ack{Type: putmedia.Failed, ErrorID: 4004}}},
		{kvsproducer.Event{Kind: kvsproducer.Ack, Ack: kvsproducer.AckError, Result: 5001, Timecode: at},
			putmedia.Report{Upload: 1, Retried: true, Ack: putmedia.Ack{Type: putmedia.Failed, ErrorID: 5001, Timecode: 1_700_000_000_000, HasTimecode: true}}},
		{kvsproducer.Event{Kind: kvsproducer.Failed, Status: 0x52000062, Timecode: at}, putmedia.Report{Kind: putmedia.ReportRefused, DTS: at}},
		{kvsproducer.Event{Kind: kvsproducer.DroppedFrame, Timecode: at}, putmedia.Report{Kind: putmedia.ReportLost, DTS: at}},
		{kvsproducer.Event{Kind: kvsproducer.DroppedFragment, Timecode: at}, putmedia.Report{Kind: putmedia.ReportLost, DTS: at}},
	} {
		got, ok := reportOf(c.event)
		require.True(t, ok)
		require.Equal(t, c.want, got)
	}
	for _, kind := range []kvsproducer.Kind{kvsproducer.Log, kvsproducer.Ready, kvsproducer.Closed, kvsproducer.BufferPressure, kvsproducer.StoragePressure} {
		_, ok := reportOf(kvsproducer.Event{Kind: kind})
		require.False(t, ok, kind)
	}
	for id, want := range map[int]bool{4000: false, 4001: true, 4003: false, 4012: true, 4503: false, 4507: true, 5000: false, 5001: false, 7000: false} {
		require.Equal(t, want, skips(id), id)
	}
}

func TestFaultsOfTheSDK(t *testing.T) {
	t.Parallel()
	for status, want := range map[kvsproducer.Status]struct {
		class awserr.Class
		code  string
	}{
		kvsproducer.StatusNotAuthorized: {awserr.Permanent, "AccessDeniedException"},
		kvsproducer.StatusNotFound:      {awserr.Permanent, "ResourceNotFoundException"},
		kvsproducer.StatusOutOfStorage:  {awserr.RecordFault, putmedia.ReasonStorage},
		0x32000002:                      {awserr.RecordFault, "sdk-32000002"},
		0x30000005:                      {awserr.RecordFault, "sdk-30000005"},
		0x15000020:                      {awserr.Permanent, "sdk-15000020"},
		kvsproducer.StatusStopped:       {awserr.Transient, "sdk-52000052"},
	} {
		err := sdkError(&kvsproducer.Error{Doing: "putting", Call: "put", Status: status})
		f := awserr.Classify(err, awserr.VideoSubject("s", "r", ""))
		require.Equal(t, want.class, f.Class, status)
		require.Equal(t, want.code, f.Code)
		require.Contains(t, f.Message, "putting")
	}
	timeout := sdkError(&kvsproducer.Error{Status: kvsproducer.StatusTimedOut, Last: kvsproducer.StatusNotAuthorized})
	require.Equal(t, awserr.Permanent, awserr.Classify(timeout, awserr.Subject{}).Class)
	plain := errors.New("other")
	require.Equal(t, plain, sdkError(plain))
	r, ok := reportOf(kvsproducer.Event{Kind: kvsproducer.Stale, Amount: 61 * time.Second})
	require.True(t, ok)
	require.Contains(t, r.Fault.Message, "1m1s")
	r, ok = reportOf(kvsproducer.Event{Kind: kvsproducer.Failed, Status: kvsproducer.StatusNotAuthorized})
	require.True(t, ok)
	require.Equal(t, awserr.Permanent, r.Fault.Class)
}

// passing are credentials that are others each time.
type passing struct {
	mu sync.Mutex
	n  int
}

func (p *passing) Retrieve(context.Context) (aws.Credentials, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	return aws.Credentials{AccessKeyID: "k", SecretAccessKey: "s", SessionToken: string(rune('a' + p.n - 1)), CanExpire: true, Expires: time.Now().Add(time.Hour)}, nil
}

// A stream is opened with the credentials of the moment, the stream's retention and the tracks; the rest is as the properties say.
func TestTheSDKIsOpenedAsThePropertiesSay(t *testing.T) {
	t.Parallel()
	o := &opening{properties: defaults}
	o.properties.StreamName, o.properties.StreamingType, o.properties.StorageSize, o.properties.StopTimeout = "s", nearRealtime, 64, 0
	o.properties.Ignored.BufferDuration, o.properties.AWS.UserAgent = 50, "me"
	o.aws.EndpointURI, o.aws.CAFile = "http://e", "/ca.pem"
	var got []kvsproducer.Settings
	fake := &SDKFake{}
	c := &sdkClient{way: way{client: &sdkFakeClient{f: fake}, credentials: &passing{}}, set: o.sdk(), hear: func(kvsproducer.Event) {},
		open: func(_ context.Context, set kvsproducer.Settings, events func(kvsproducer.Event)) (stream, error) {
			got = append(got, set)
			return newSDKStream(fake, set, events), nil
		}}
	_, err := c.Locate(t.Context())
	require.NoError(t, err)
	tracks := []mkv.Track{
		{Number: 1, Type: mkv.Video, CodecID: codec.CodecAVC, Name: "v", CodecPrivate: []byte("avcC"), Width: 640, Height: 480},
		{Number: 2, Type: mkv.Audio, CodecID: codec.CodecAAC, Name: "a", CodecPrivate: []byte{1}, SamplingFrequency: 48000, Channels: 2},
	}
	for range 2 {
		p, expires, err := c.Open(t.Context(), tracks, func(putmedia.Report) {})
		require.NoError(t, err)
		require.InDelta(t, time.Hour, time.Until(expires), float64(time.Minute))
		p.Close()
	}
	require.Equal(t, []string{"a", "b"}, []string{got[0].Token, got[1].Token})
	s := got[0]
	require.Equal(t, kvsproducer.NearRealtime, s.Mode)
	require.Equal(t, []any{"s", "http://e", "/ca.pem", "me", uint64(64 << 20), 50 * time.Second, time.Hour, time.Second, false, true, true},
		[]any{s.Stream, s.Endpoint, s.CAPath, s.UserAgent, s.Storage, s.Buffer, s.Retention, s.StopTimeout, s.Create, s.Continuous, s.Ordered})
	require.EqualValues(t, leastRate+audioRate, s.FrameRate)
	require.Equal(t, kvsproducer.Track{ID: 2, Type: kvsproducer.Audio, Codec: codec.CodecAAC, Name: "a", Private: []byte{1}, Rate: 48000, Chans: 2}, s.Tracks[1])
	require.Len(t, got[1].Tracks, 2)
	c.set.Mode = kvsproducer.Offline
	c.keeps.Store(0)
	_, _, err = c.Open(t.Context(), tracks, nil)
	require.Equal(t, awserr.Permanent, awserr.Classify(err, awserr.Subject{}).Class)
	require.ErrorContains(t, err, "retention")
}
