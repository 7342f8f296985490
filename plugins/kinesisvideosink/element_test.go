package kinesisvideosink_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/codec"
	"gst-kinesis/plugins"
	"gst-kinesis/plugins/kinesisvideosink"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "8") // the parallel ones wait for time to pass, not for a processor
	gsttest.Main(m, plugins.Info(), &gst.PluginInfo{
		Name: "kvsfake", Description: "For tests", Version: "0", License: "MIT/X11", Source: "gst-kinesis", Package: "gst-kinesis", Origin: "gst-kinesis",
		Register: func(p gst.Plugin) error {
			if err := kinesisvideosink.DiscardClass().Register(p); err != nil {
				return err
			}
			if err := kinesisvideosink.SDKFakeClass().Register(p); err != nil {
				return err
			}
			return kinesisvideosink.FakeClass().Register(p)
		},
	})
}

var streams atomic.Int64

// fake adds a stream, and gives the element that leads there.
func fake(f *kinesisvideosink.Fake) string {
	name := fmt.Sprint("s", streams.Add(1))
	kinesisvideosink.Fakes.Add(name, f)
	return "kvsfake name=k stream-name=" + name
}

func stats(o *gst.Object) *gst.Structure { return o.Get("stats").(*gst.Structure) }

func balanced(t *testing.T, s *gst.Structure) {
	t.Helper()
	for _, unit := range []string{"frames-", "bytes-"} {
		sum := s.Uint64(unit+"persisted") + s.Uint64(unit+"dropped") + s.Uint64(unit+"skipped") + s.Uint64(unit+"spooled") + s.Uint64(unit+"in-flight")
		require.Equal(t, s.Uint64(unit+"accepted"), sum, "%s%v", unit, s)
	}
}

const (
	h264 = "videotestsrc num-buffers=60 ! video/x-raw,width=160,height=120,framerate=30/1 ! x264enc key-int-max=30 speed-preset=ultrafast "
	aac  = "audiotestsrc num-buffers=90 samplesperbuffer=1024 ! audio/x-raw,rate=44100,channels=2 ! avenc_aac ! aacparse "
)

// run plays a launch line to its end and gives the stats of the element "k".
func run(t *testing.T, line string) *gst.Structure {
	t.Helper()
	p := gsttest.Parse(t, line)
	p.Run()
	s := stats(p.Element("k"))
	balanced(t, s)
	return s
}

func TestVideoArrives(t *testing.T) {
	gsttest.LeakCheck(t)
	f := &kinesisvideosink.Fake{}
	began := time.Now()
	s := run(t, h264+"! h264parse ! video/x-h264,stream-format=avc,alignment=au ! "+fake(f))
	require.EqualValues(t, 60, s.Uint64("frames-persisted"), s)
	require.EqualValues(t, 2, s.Uint64("fragments-persisted"))
	all := f.Sessions()
	require.Len(t, all, 1)
	require.Len(t, all[0].Tracks, 1)
	track := all[0].Tracks[0]
	require.Equal(t, codec.CodecAVC, track.CodecID)
	require.Equal(t, "kinesis_video", track.Name)
	require.Equal(t, [2]int{160, 120}, [2]int{track.Width, track.Height})
	require.NotEmpty(t, track.CodecPrivate)
	require.Len(t, all[0].Frames, 60)
	require.True(t, all[0].Frames[0].Key)
	require.WithinDuration(t, began, time.UnixMilli(all[0].Fragments[0].MS), 5*time.Second)
	times := make([]int64, 60)
	for i, frame := range all[0].Frames {
		times[i] = frame.MS - all[0].Frames[0].MS
	}
	slices.Sort(times) // with B-frames blocks come in order of decoding
	for i, ms := range times {
		require.InDelta(t, i*1000/30, ms, 2, times)
	}
	require.Equal(t, "video/h264", f.Spec.MediaType)
}

func TestByteStreamIsAVC(t *testing.T) {
	avc, converted := &kinesisvideosink.Fake{}, &kinesisvideosink.Fake{}
	run(t, h264+"bframes=0 ! tee name=t ! queue ! h264parse ! video/x-h264,stream-format=avc,alignment=au ! "+fake(avc)+
		" t. ! queue ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au ! "+strings.Replace(fake(converted), "name=k", "name=l", 1))
	want, got := coded(t, avc), coded(t, converted)
	require.Len(t, want, 60)
	require.True(t, slices.Equal(want, got))
}

// coded gives the NAL units of the pictures that came, without what only one of the forms has in band: delimiters, parameter sets, SEI.
func coded(t *testing.T, f *kinesisvideosink.Fake) []string {
	t.Helper()
	all := f.Sessions()
	require.Len(t, all, 1)
	require.Len(t, all[0].Frames, 60)
	c, err := codec.ParseAVCC(all[0].Tracks[0].CodecPrivate)
	require.NoError(t, err)
	require.Len(t, c.SPS, 1)
	require.Len(t, c.PPS, 1)
	var out []string
	for _, frame := range all[0].Frames {
		picture := ""
		units := codec.Prefixed([]byte(frame.Data), 4)
		for nal, ok := units.Next(); ok; nal, ok = units.Next() {
			if kind := nal[0] & 31; kind >= 1 && kind <= 5 {
				picture += string(nal)
			}
		}
		require.NoError(t, units.Err())
		out = append(out, picture)
	}
	return out
}

func TestH265(t *testing.T) {
	for _, form := range []string{"hvc1", "byte-stream"} {
		f := &kinesisvideosink.Fake{}
		s := run(t, "videotestsrc num-buffers=20 ! video/x-raw,width=160,height=120,framerate=10/1 ! x265enc key-int-max=10 speed-preset=ultrafast ! h265parse ! "+
			"video/x-h265,stream-format="+form+",alignment=au ! "+fake(f))
		require.EqualValues(t, 20, s.Uint64("frames-persisted"), form)
		require.Equal(t, codec.CodecHEVC, f.Sessions()[0].Tracks[0].CodecID)
		require.Equal(t, "video/h265", f.Spec.MediaType)
	}
}

func TestAudioAlone(t *testing.T) {
	for name, c := range map[string]struct{ line, codec string }{
		"AAC":    {aac, codec.CodecAAC},
		"A-law":  {"audiotestsrc num-buffers=100 ! audio/x-raw,rate=8000,channels=1 ! alawenc ", codec.CodecACM},
		"mu-law": {"audiotestsrc num-buffers=100 ! audio/x-raw,rate=8000,channels=1 ! mulawenc ", codec.CodecACM},
		"Opus":   {"audiotestsrc num-buffers=200 ! opusenc ", codec.CodecOpus},
	} {
		t.Run(name, func(t *testing.T) {
			f := &kinesisvideosink.Fake{}
			s := run(t, c.line+"! "+fake(f)+" fragment-duration=1000")
			require.Zero(t, s.Uint64("frames-dropped"), s)
			all := f.Sessions()
			require.Len(t, all, 1)
			require.Equal(t, c.codec, all[0].Tracks[0].CodecID)
			require.Equal(t, "audio", all[0].Tracks[0].Name)
			require.EqualValues(t, 1, all[0].Tracks[0].Number)
			require.Greater(t, len(all[0].Fragments), 1)
			for i := range all[0].Fragments[1:] {
				require.GreaterOrEqual(t, all[0].Fragments[i+1].MS-all[0].Fragments[i].MS, int64(1000))
			}
		})
	}
}

// Both tracks stand in one session from the start, in order of time, and nothing of either is lost.
func TestVideoAndAudio(t *testing.T) {
	gsttest.LeakCheck(t)
	f := &kinesisvideosink.Fake{}
	s := run(t, h264+"! h264parse ! k. "+aac+"! k. "+fake(f))
	all := f.Sessions()
	require.Zero(t, s.Uint64("frames-dropped"), "%v of %v", s, all[0].Tracks)
	require.Len(t, all, 1)
	require.Len(t, all[0].Tracks, 2)
	counts, last := map[uint64]int{}, map[uint64]int64{}
	for _, frame := range all[0].Frames {
		counts[frame.Track]++
		if frame.Track == 2 {
			require.Greater(t, frame.MS, last[2]-1)
			require.True(t, frame.Key)
		}
		last[frame.Track] = frame.MS
	}
	require.Equal(t, 60, counts[1])
	require.GreaterOrEqual(t, counts[2], 90)
	require.InDelta(t, last[1], last[2], 300, "2 s of video, 90 frames of audio")
	require.Equal(t, "video/h264,audio/aac", f.Spec.MediaType)
}

func TestSparseAudioDoesNotHoldUpVideo(t *testing.T) {
	f := &kinesisvideosink.Fake{}
	p := gsttest.Parse(t, h264+"! h264parse ! k. appsrc name=a format=time caps=audio/x-alaw,rate=8000,channels=1 ! k.audio_0 "+fake(f))
	p.Play()
	k := p.Element("k")
	require.Eventually(t, func() bool { return stats(k).Uint64("frames-accepted") == 60 }, gsttest.Limit, 10*time.Millisecond, "no audio came")
	p.Element("a").Emit("end-of-stream")
	p.Await(gst.MessageEOS)
	require.EqualValues(t, 60, stats(k).Uint64("frames-persisted"))
	require.Len(t, f.Sessions()[0].Tracks, 1, "what has no frames has no track")
}

func TestPropertiesOfKvssink(t *testing.T) {
	for _, line := range []string{ // as AWS's documentation has them, but for the sources
		`h264parse ! kvssink stream-name="YourStreamName" storage-size=128 access-key="YourAccessKey" secret-key="YourSecretKey" aws-region="YourAWSRegion"`,
		`h264parse ! video/x-h264,stream-format=avc,alignment=au ! kvssink stream-name="MyStream" storage-size=512 iot-certificate="iot-certificate,endpoint=endpoint,cert-path=/path/to/certificate,key-path=/path/to/private/key,ca-path=/path/to/ca-cert,role-aliases=role-aliases"`,
		`h264parse ! video/x-h264,stream-format=avc,alignment=au,width=640,height=480,framerate=30/1 ! kvssink stream-name=s storage-size=128 access-key=a secret-key=b frame-timecodes=true avg-bandwidth-bps=1 ` +
			`session-token=t retention-period=24 streaming-type=offline max-latency=10 fragment-duration=2000 timecode-scale=1 key-frame-fragmentation=true absolute-fragment-times=true ` +
			`fragment-acks=true restart-on-error=true recalculate-metrics=true framerate=25 buffer-duration=120 replay-duration=40 connection-staleness=60 codec-id=V_MPEG4/ISO/AVC track-name=kinesis_video ` +
			`rotation-period=3600 log-config=../kvs_log_configuration stream-tags="stream-tags,foo=bar" use-original-pts=false get-kvs-metrics=false allow-create-stream=true user-agent=x ` +
			`disable-buffer-clipping=false credential-path=.kvs/credential file-start-time=1 content-type=video/h264 stop-stream-timeout=120 connection-timeout=5 completion-timeout=10`,
	} {
		gsttest.Parse(t, "identity ! "+strings.Replace(line, "kvssink", "kinesisvideosink", 1))
	}
}

func TestBadSettingsAreToldWithTheRemedy(t *testing.T) {
	for set, want := range map[string]string{
		"":                                       "stream-name",
		"stream-name=a/b":                        "a/b",
		"stream-name=s file-start-time=7":        "streaming-type=offline",
		"stream-name=s engine=sdk":               "kvsproducer",
		"stream-name=s access-key=k":             "secret-key",
		"stream-name=s endpoint-uri=localhost":   "endpoint-uri",
		"stream-name=s external-id=e":            "role-arn",
		"stream-name=s ca-file=/nowhere/ca.pem":  "/nowhere/ca.pem",
		`stream-name=s stream-tags="t,a=(int)1"`: "stream-tags",
		`stream-name=s iot-certificate="iot-certificate,endpoint=h"`:   "it lacks cert-path, key-path, role-aliases",
		`stream-name=s iot-certificate="iot-certificate,thing-name=x"`: `it has no "thing-name"`,
	} {
		t.Run(set, func(t *testing.T) {
			p := gsttest.Parse(t, "fakesrc ! kinesisvideosink aws-region=x "+set)
			require.Equal(t, gst.StateChangeFailure, p.SetState(gst.StatePlaying))
			m := p.Await(gst.MessageError)
			require.Contains(t, m.Err.Text, want)
			require.Equal(t, gst.ResourceSettings, m.Err.Code)
		})
	}
}
