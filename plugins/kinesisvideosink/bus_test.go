package kinesisvideosink_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/plugins/kinesisvideosink"
)

// Each acknowledgement is a message and a signal, with the same structure.
func TestAcknowledgements(t *testing.T) {
	f := &kinesisvideosink.Fake{}
	h := videoSink(t, fake(f))
	var mu sync.Mutex
	var signalled []string
	id := h.Element().Connect("fragment-acked", func(args []any) any {
		s := args[1].(*gst.Structure)
		mu.Lock()
		defer mu.Unlock()
		signalled = append(signalled, s.Str("type")+" "+s.Str("fragment-number"))
		return nil
	})
	defer h.Element().Disconnect(id)
	h.SetSrcCaps(byteStream)
	pushAll(t, h, footage(t, 60, 160, 0))
	h.PushEvent(gst.NewEOS())
	var posted []string
	states := map[string]int{}
	for {
		m := h.AwaitMessage(gst.MessageElement | gst.MessageEOS)
		if m.Type == gst.MessageEOS {
			break
		}
		switch m.Structure.Name {
		case "kinesis-video-fragment-ack":
			posted = append(posted, m.Structure.Str("type")+" "+m.Structure.Str("fragment-number"))
			require.InDelta(t, time.Now().UnixMilli(), m.Structure.Uint64("timecode"), 60e3)
		case "kinesis-video-connection":
			states[m.Structure.Str("state")]++
		}
	}
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, posted, 6, "BUFFERING, RECEIVED, PERSISTED of two fragments")
	require.Equal(t, posted, signalled)
	require.Equal(t, 1, states["connected"])
}

func metadata(fields ...gst.Field) gst.Event {
	return gst.NewCustomEvent(gst.EventCustomDownstream, gst.NewStructure("kvs-add-metadata", fields...))
}

func TestMetadata(t *testing.T) {
	f := &kinesisvideosink.Fake{}
	h := videoSink(t, fake(f))
	h.SetSrcCaps(byteStream)
	frames := footage(t, 90, 160, 0)
	pushAll(t, h, frames[:10])
	require.True(t, h.PushEvent(metadata(gst.Field{Name: "name", Value: "once"}, gst.Field{Name: "value", Value: "1"}, gst.Field{Name: "persist", Value: false})))
	require.True(t, h.PushEvent(metadata(gst.Field{Name: "name", Value: "always"}, gst.Field{Name: "value", Value: "2"}, gst.Field{Name: "persist", Value: true})))
	require.Equal(t, true, h.Element().Emit("put-event-metadata", gst.NewStructure("e",
		gst.Field{Name: "image", Value: true}, gst.Field{Name: "image-prefix", Value: "door"}, gst.Field{Name: "who", Value: "cat"})))
	pushAll(t, h, frames[10:])
	end(t, h)
	got := f.Sessions()[0].Fragments
	require.Len(t, got, 3)
	require.Empty(t, got[0].Tags)
	names := func(tags []mkv.Tag) map[string]string {
		m := map[string]string{}
		for _, tag := range tags {
			m[tag.Name] = tag.Value
		}
		return m
	}
	require.Equal(t, map[string]string{"once": "1", "always": "2", mkv.TagImageGeneration: "", mkv.TagImagePrefix: "door", "who": "cat"}, names(got[1].Tags))
	require.Equal(t, map[string]string{"always": "2"}, names(got[2].Tags))
}

// What kvssink crashes of is a warning.
func TestBadMetadataAreWarnedOf(t *testing.T) {
	h := videoSink(t, fake(&kinesisvideosink.Fake{}))
	h.SetSrcCaps(byteStream)
	frames := footage(t, 30, 160, 0)
	pushAll(t, h, frames[:1])
	for want, ev := range map[string]gst.Event{
		"the field name must be a string and is int32 7":  metadata(gst.Field{Name: "name", Value: int32(7)}),
		"the field value must be a string and is missing": metadata(gst.Field{Name: "name", Value: "a"}),
		"the field persist must be a boolean": metadata(gst.Field{Name: "name", Value: "a"}, gst.Field{Name: "value", Value: "b"},
			gst.Field{Name: "persist", Value: "yes"}),
		"AWS":                           metadata(gst.Field{Name: "name", Value: "AWS_x"}, gst.Field{Name: "value", Value: "b"}),
		"128":                           metadata(gst.Field{Name: "name", Value: strings.Repeat("n", 129)}, gst.Field{Name: "value", Value: "b"}),
		"neither image generation":      gst.NewCustomEvent(gst.EventCustomDownstream, gst.NewStructure("kvs-put-event-metadata")),
		"image must be a boolean":       gst.NewCustomEvent(gst.EventCustomDownstream, gst.NewStructure("kvs-put-event-metadata", gst.Field{Name: "image", Value: "x"})),
		"image-prefix must be a string": gst.NewCustomEvent(gst.EventCustomDownstream, gst.NewStructure("kvs-put-event-metadata", gst.Field{Name: "image-prefix", Value: int32(1)})),
	} {
		require.True(t, h.PushEvent(ev))
		m := h.Message(time.Second, gst.MessageWarning)
		require.NotNil(t, m, want)
		require.Contains(t, m.Err.Text, want)
	}
	pushAll(t, h, frames[1:])
	require.EqualValues(t, 30, end(t, h).Uint64("frames-persisted"), "the stream goes on")
}

func TestEOSOfBothPads(t *testing.T) {
	gsttest.LeakCheck(t)
	f := &kinesisvideosink.Fake{}
	p := gsttest.Parse(t, h264+"! h264parse ! k. appsrc name=a format=time caps=audio/x-alaw,rate=8000,channels=1 ! k.audio_0 "+fake(f))
	p.Play()
	k := p.Element("k")
	require.Eventually(t, func() bool { return stats(k).Uint64("frames-accepted") == 60 }, gsttest.Limit, 10*time.Millisecond)
	require.Nil(t, p.Message(300*time.Millisecond, gst.MessageEOS), "audio goes on")
	p.Element("a").Emit("end-of-stream")
	p.Await(gst.MessageEOS)
}

func TestTheMessageOfTheEndWaitsForPlaying(t *testing.T) {
	p := gsttest.Parse(t, "audiotestsrc num-buffers=5 ! audio/x-raw,rate=8000,channels=1 ! alawenc ! "+fake(&kinesisvideosink.Fake{}))
	p.To(gst.StatePaused)
	k := p.Element("k")
	require.Eventually(t, func() bool { return stats(k).Uint64("frames-persisted") == 5 }, gsttest.Limit, 10*time.Millisecond, "there is no preroll")
	require.Nil(t, p.Message(100*time.Millisecond, gst.MessageEOS))
	p.Play()
	p.Await(gst.MessageEOS)
}

// A gap says that nothing of a track comes before a time: what waits for it leaves.
func TestGaps(t *testing.T) {
	f := &kinesisvideosink.Fake{}
	p := gsttest.Parse(t, h264+"! h264parse ! k. appsrc name=a format=time caps=audio/x-alaw,rate=8000,channels=1 ! k.audio_0 "+fake(f)+" interleave-wait=10000000000")
	p.Play()
	k := p.Element("k")
	a := p.Element("a")
	b := gst.NewBuffer(make([]byte, 160))
	b.SetPTS(0)
	b.SetDuration(20e6)
	a.Emit("push-buffer", b)
	b.Unref()
	require.Eventually(t, func() bool {
		return stats(k).Uint64("frames-accepted") >= 2 && stats(k).Uint64("frames-interleaving") > 50
	}, gsttest.Limit, 10*time.Millisecond)
	pad := k.StaticPad("audio_0")
	defer pad.Unref()
	require.True(t, pad.SendPadEvent(gst.NewGap(20e6, 3e9)))
	require.Eventually(t, func() bool { return stats(k).Uint64("frames-accepted") == 61 }, gsttest.Limit, 10*time.Millisecond)
	a.Emit("end-of-stream")
	p.Await(gst.MessageEOS)
}

// The time of the camera where frames bear it; both tracks go by it.
func TestReferenceTimestamps(t *testing.T) {
	taken := time.Now().Add(-3 * time.Second).UnixNano()
	f := &kinesisvideosink.Fake{}
	h := videoSink(t, fake(f))
	h.SetSrcCaps(byteStream)
	for i, frame := range footage(t, 30, 160, 0) {
		b := frame.Buffer()
		b.AddReferenceTime(gst.ReferenceUnix, uint64(taken)+uint64(i)*33e6)
		require.Equal(t, gst.FlowOK, h.PushBuffer(b))
	}
	end(t, h)
	got := f.Sessions()[0].Frames
	for i := range got {
		require.InDelta(t, taken/1e6+int64(i)*33, got[i].MS, 1.01)
	}
}

func TestOriginalAndFileTimestamps(t *testing.T) {
	const when = int64(1_700_000_000)
	for set, shift := range map[string]int64{
		"use-original-pts=true": when * 1e9, "timestamp-source=original": when * 1e9, "streaming-type=offline file-start-time=1700000000": 0,
	} {
		f := &kinesisvideosink.Fake{}
		h := videoSink(t, fake(f)+" "+set)
		h.SetSrcCaps(byteStream)
		frames := footage(t, 30, 160, 0)
		for i := range frames {
			frames[i].PTS = frames[i].PTS - uint64(time.Hour) + uint64(shift)
			frames[i].DTS = gst.ClockTimeNone
		}
		pushAll(t, h, frames)
		end(t, h)
		got := f.Sessions()[0].Frames
		require.Equal(t, when*1000, got[0].MS, set)
		require.InDelta(t, when*1000+29*1000/30, got[29].MS, 2, set)
	}
}

func TestPlaceholdersAreUnset(t *testing.T) {
	t.Chdir(t.TempDir()) // where there is no .kvs/credential
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hush")
	p := gsttest.Parse(t, "appsrc caps=audio/x-alaw,rate=8000,channels=1 ! kinesisvideosink name=k stream-name=s access-key=access_key secret-key=secret_key session-token=session_token "+
		"endpoint-uri=http://127.0.0.1:1 stop-stream-timeout=0")
	p.Play()
	m := p.Message(5*time.Second, gst.MessageWarning)
	require.NotNil(t, m)
	require.Contains(t, m.Err.Text, "127.0.0.1:1", "nobody listens there; the credentials were found")
	k := p.Element("k")
	require.Nil(t, k.Get("secret-key"))
	require.Nil(t, k.Get("session-token"))
}

func TestTheSpoolKeepsWhatIsLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	f := &kinesisvideosink.Fake{OnLocate: nil, Mute: true}
	line := fake(f)
	h := videoSink(t, line+" stop-stream-timeout=0 spool-directory="+dir)
	h.SetSrcCaps(byteStream)
	pushAll(t, h, footage(t, 60, 160, 0))
	h.Element().SetState(gst.StateNull)
	require.EqualValues(t, 60, stats(h.Element()).Uint64("frames-spooled"), "%v", stats(h.Element()))
	h.Close()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NotEmpty(t, entries)
	f.Unmute()
	f.Forget()
	again := videoSink(t, line+" spool-directory="+dir)
	again.SetSrcCaps(byteStream)
	again.PushEvent(gst.NewEOS())
	again.AwaitMessage(gst.MessageEOS)
	require.EqualValues(t, 60, stats(again.Element()).Uint64("frames-persisted"))
}
