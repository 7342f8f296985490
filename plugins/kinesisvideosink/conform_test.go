package kinesisvideosink_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/codec"
	"gst-kinesis/plugins/kinesisvideosink"
)

// wait is how long the service may take to say that what came is stored, in its own words: the end of a run says so by itself.
const wait = " stop-stream-timeout=10"

// framesOf are all frames of a track, in order.
func framesOf(pieces []kinesisvideosink.Piece, track uint64) (out []kinesisvideosink.PieceFrame) {
	for _, p := range pieces {
		for _, f := range p.Frames {
			if f.Track == track {
				out = append(out, f)
			}
		}
	}
	return out
}

// sumsOf are the frames of a harness as they are sent: with lengths in place of start codes.
func sumsOf(t *testing.T, frames []gsttest.Frame) (out []string) {
	t.Helper()
	for _, f := range frames {
		size, err := codec.ConvertedSize(f.Data)
		require.NoError(t, err)
		data := make([]byte, size)
		codec.Convert(data, f.Data)
		out = append(out, kinesisvideosink.SumOf(data))
	}
	return out
}

// Bytes, times, fragments, acknowledgements and books are the same by all engines.
func TestConformVideo(t *testing.T) {
	frames := footage(t, 90, 160, 2)
	conform(t, "", func(t *testing.T, at target) {
		gsttest.LeakCheck(t)
		h := videoSink(t, at.line+wait)
		h.SetSrcCaps(byteStream)
		pushAll(t, h, frames)
		h.PushEvent(gst.NewEOS())
		var acks []string
		connected := 0
		for {
			m := h.AwaitMessage(gst.MessageElement | gst.MessageEOS | gst.MessageError | gst.MessageWarning)
			if m.Type == gst.MessageEOS {
				break
			}
			require.Nil(t, m.Err, "%v", m.Err)
			switch m.Structure.Name {
			case "kinesis-video-fragment-ack":
				require.NotEmpty(t, m.Structure.Str("fragment-number"))
				acks = append(acks, m.Structure.Str("type"))
			case "kinesis-video-connection":
				connected++
			}
		}
		require.Equal(t, "BUFFERING RECEIVED PERSISTED BUFFERING RECEIVED PERSISTED BUFFERING RECEIVED PERSISTED", ordered(acks))
		require.Positive(t, connected)
		s := stats(h.Element())
		balanced(t, s)
		require.EqualValues(t, 90, s.Uint64("frames-persisted"), "%v", s)
		require.EqualValues(t, 3, s.Uint64("fragments-persisted"))
		require.EqualValues(t, 1, s.Uint64("sessions"))
		pieces := at.pieces()
		require.Len(t, pieces, 3)
		got, want := framesOf(pieces, 1), sumsOf(t, frames)
		require.Len(t, got, 90)
		for i := range got {
			require.Equal(t, want[i], got[i].Sum, "frame %d", i)
			require.InDelta(t, (int64(frames[i].PTS)-int64(frames[0].PTS))/1e6, got[i].MS-got[0].MS, 50, "the wall clock is followed")
		}
	})
}

// ordered puts acknowledgements of a kind in the order that they have for one fragment: those of two may come mixed.
func ordered(acks []string) string {
	counts := map[string]int{}
	for _, a := range acks {
		counts[a]++
	}
	var out []string
	for counts["BUFFERING"]+counts["RECEIVED"]+counts["PERSISTED"] > 0 {
		for _, a := range []string{"BUFFERING", "RECEIVED", "PERSISTED"} {
			if counts[a]--; counts[a] >= 0 {
				out = append(out, a)
			}
		}
	}
	return strings.Join(out, " ")
}

// Sound and picture, sound alone: all frames come, each track in its order.
func TestConformTracks(t *testing.T) {
	for name, c := range map[string]struct {
		line   string
		counts [2]int // of tracks 1 and 2, at least
	}{
		"video and AAC":   {h264 + "bframes=2 b-adapt=false ! h264parse ! k. " + aac + "! k. ", [2]int{60, 90}},
		"video and A-law": {h264 + "! h264parse ! k. audiotestsrc num-buffers=100 samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1 ! alawenc ! k. ", [2]int{60, 100}},
		"AAC":             {aac + "! ", [2]int{90, 0}},
		"A-law":           {"audiotestsrc num-buffers=250 samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1 ! alawenc ! ", [2]int{250, 0}},
		"H.265": {"videotestsrc num-buffers=40 ! video/x-raw,width=160,height=120,framerate=10/1 ! x265enc key-int-max=20 speed-preset=ultrafast ! h265parse ! ",
			[2]int{40, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, "", func(t *testing.T, at target) {
				s := run(t, c.line+at.line+wait)
				require.Zero(t, s.Uint64("frames-dropped"), "%v", s)
				require.Zero(t, s.Uint64("frames-skipped"), "%v", s)
				require.EqualValues(t, 1, s.Uint64("sessions"), "%v", s)
				pieces := at.pieces()
				for track := range c.counts {
					got := framesOf(pieces, uint64(track)+1)
					require.GreaterOrEqual(t, len(got), c.counts[track])
				}
				require.EqualValues(t, s.Uint64("frames-persisted"), len(framesOf(pieces, 1))+len(framesOf(pieces, 2)))
				for i, p := range pieces {
					if i > 0 {
						require.GreaterOrEqual(t, p.MS-pieces[i-1].MS, int64(1000))
					}
				}
			})
		})
	}
}

// A file has the times that it is given, to the millisecond.
func TestConformFiles(t *testing.T) {
	frames := footage(t, 90, 160, 2)
	conform(t, "", func(t *testing.T, at target) {
		h := videoSink(t, at.line+wait+" streaming-type=offline file-start-time=1700000000")
		h.SetSrcCaps(byteStream)
		pushAll(t, h, frames)
		require.EqualValues(t, 90, end(t, h).Uint64("frames-persisted"))
		got := framesOf(at.pieces(), 1)
		require.Len(t, got, 90)
		for i := range got {
			require.InDelta(t, 1_700_000_000_000+(int64(frames[i].PTS)-int64(frames[0].PTS))/1e6, got[i].MS, 1.01)
		}
	})
}

// Another size within the stream begins another connection; all of both is stored.
func TestConformCodecDataThatChange(t *testing.T) {
	small, large := footage(t, 45, 160, 0), footage(t, 45, 320, 0)
	for i := range large {
		large[i].PTS += uint64(1500 * time.Millisecond)
		large[i].DTS = gst.ClockTimeNone
	}
	conform(t, "", func(t *testing.T, at target) {
		h := videoSink(t, at.line+wait)
		h.SetSrcCaps(byteStream)
		pushAll(t, h, small)
		pushAll(t, h, large)
		s := end(t, h)
		require.EqualValues(t, 90, s.Uint64("frames-persisted"), "%v", s)
		require.EqualValues(t, 2, s.Uint64("sessions"))
		var got []string
		for _, f := range framesOf(at.pieces(), 1) {
			got = append(got, f.Sum)
		}
		require.Equal(t, append(sumsOf(t, small), sumsOf(t, large)...), got)
	})
}

// Metadata are with the fragment that begins after them.
func TestConformMetadata(t *testing.T) {
	frames := footage(t, 90, 160, 0)
	conform(t, "", func(t *testing.T, at target) {
		h := videoSink(t, at.line+wait)
		h.SetSrcCaps(byteStream)
		pushAll(t, h, frames[:10])
		require.True(t, h.PushEvent(metadata(gst.Field{Name: "name", Value: "once"}, gst.Field{Name: "value", Value: "1"}, gst.Field{Name: "persist", Value: false})))
		require.True(t, h.PushEvent(metadata(gst.Field{Name: "name", Value: "always"}, gst.Field{Name: "value", Value: "2"}, gst.Field{Name: "persist", Value: true})))
		pushAll(t, h, frames[10:40])
		require.Equal(t, true, h.Element().Emit("put-event-metadata", gst.NewStructure("e",
			gst.Field{Name: "image", Value: true}, gst.Field{Name: "image-prefix", Value: "door"}, gst.Field{Name: "who", Value: "cat"})))
		pushAll(t, h, frames[40:])
		end(t, h)
		require.Nil(t, h.Message(0, gst.MessageWarning))
		pieces := at.pieces()
		require.Len(t, pieces, 3)
		require.Empty(t, pieces[0].Tags)
		require.ElementsMatch(t, []string{"once=1", "always=2"}, pieces[1].Tags)
		require.Subset(t, pieces[2].Tags, []string{"always=2", "who=cat"})
	})
}

// A flush loses nothing of what came before, and what comes after goes on.
func TestConformFlush(t *testing.T) {
	frames := footage(t, 60, 160, 0)
	conform(t, "", func(t *testing.T, at target) {
		h := videoSink(t, at.line+wait)
		h.SetSrcCaps(byteStream)
		pushAll(t, h, frames[:30])
		require.True(t, h.PushEvent(gst.NewFlushStart()))
		require.Equal(t, gst.FlowFlushing, h.Push(frames[30]))
		require.True(t, h.PushEvent(gst.NewFlushStop(true)))
		segment := gst.NewTimeSegment()
		h.PushEvent(gst.NewSegmentEvent(&segment))
		pushAll(t, h, frames[30:])
		require.EqualValues(t, 60, end(t, h).Uint64("frames-persisted"))
	})
}

// The same element goes through all states and sends again.
func TestConformRestarts(t *testing.T) {
	conform(t, "", func(t *testing.T, at target) {
		gsttest.Goroutines(t)
		gsttest.LeakCheck(t)
		p := gsttest.Parse(t, strings.Replace(h264, "num-buffers=60", "num-buffers=45", 1)+"! h264parse ! "+at.line+wait)
		for range 3 {
			p.To(gst.StatePaused)
			p.Run()
			s := stats(p.Element("k"))
			balanced(t, s)
			require.EqualValues(t, 45, s.Uint64("frames-persisted"), "%v", s)
			p.SetState(gst.StateNull)
			require.EqualValues(t, 45, stats(p.Element("k")).Uint64("frames-persisted"), "the last stream's figures stay")
		}
		require.Len(t, framesOf(at.pieces(), 1), 3*45)
	})
}

// Again and again costs nothing: over the stand-in where it is built in, else in memory. The embedded endpoint would grow beside.
func TestSDKAgainAndAgain(t *testing.T) {
	gsttest.Goroutines(t)
	rival := inMemory
	if standIn, there := rivals()["sdk stand-in"]; there {
		rival = standIn
	}
	p := gsttest.Parse(t, "audiotestsrc num-buffers=5 ! audio/x-raw,rate=8000,channels=1 ! alawenc ! "+rival(t, "").line+wait)
	gsttest.Flat(t, gsttest.Rounds(200, 2000), 4096, func(int) {
		p.Run()
		require.EqualValues(t, 5, stats(p.Element("k")).Uint64("frames-persisted"))
		p.SetState(gst.StateNull)
	})
}

// Whatever states the element goes through, nothing of it is left.
func TestConformStates(t *testing.T) {
	conform(t, "", func(t *testing.T, at target) {
		gsttest.Goroutines(t)
		gsttest.LeakCheck(t)
		h := videoSink(t, at.line+wait)
		gsttest.States(t, h.Element(), gsttest.Rounds(30, 500))
	})
}

// A stop without EOS takes what the service has within stop-stream-timeout; the end is soon where it answers.
func TestConformStops(t *testing.T) {
	frames := footage(t, 45, 160, 0)
	conform(t, "", func(t *testing.T, at target) {
		h := videoSink(t, at.line+wait)
		h.SetSrcCaps(byteStream)
		pushAll(t, h, frames)
		began := time.Now()
		h.Element().SetState(gst.StateNull)
		require.Less(t, time.Since(began), 8*time.Second)
		s := stats(h.Element())
		balanced(t, s)
		require.EqualValues(t, 45, s.Uint64("frames-persisted"), "%v", s)
		require.Len(t, framesOf(at.pieces(), 1), 45)
	})
}

// Where nothing is acknowledged, EOS and a stop wait for stop-stream-timeout, and what is left is dropped and counted.
func TestConformNothingIsAcknowledged(t *testing.T) {
	frames := footage(t, 45, 160, 0)
	conform(t, mute, func(t *testing.T, at target) {
		h := videoSink(t, at.line+" stop-stream-timeout=1")
		h.SetSrcCaps(byteStream)
		pushAll(t, h, frames)
		began := time.Now()
		h.PushEvent(gst.NewEOS())
		h.AwaitMessage(gst.MessageEOS)
		require.InDelta(t, 1, time.Since(began).Seconds(), 0.9)
		s := stats(h.Element())
		balanced(t, s)
		require.EqualValues(t, 45, s.Get("dropped-by-reason").(*gst.Structure).Uint64("drain"), "%v", s)
		began = time.Now()
		h.Element().SetState(gst.StateNull)
		require.Less(t, time.Since(began), 3*time.Second)
	})
	conform(t, mute, func(t *testing.T, at target) {
		h := videoSink(t, at.line+" stop-stream-timeout=1")
		h.SetSrcCaps(byteStream)
		pushAll(t, h, frames)
		began := time.Now()
		h.Element().SetState(gst.StateNull)
		require.Less(t, time.Since(began), 3500*time.Millisecond)
		s := stats(h.Element())
		balanced(t, s)
		require.EqualValues(t, 45, s.Get("dropped-by-reason").(*gst.Structure).Uint64("stop"), "%v", s)
	})
}

// What is wrong with us is an ERROR within 5 s, with the remedy.
func TestConformDenied(t *testing.T) {
	conform(t, denied, func(t *testing.T, at target) {
		p := gsttest.Parse(t, "appsrc caps=audio/x-alaw,rate=8000,channels=1 ! "+at.line)
		began := time.Now()
		p.Play()
		m := p.Message(5*time.Second, gst.MessageError)
		require.NotNil(t, m)
		require.Less(t, time.Since(began), 5*time.Second)
		require.NotEmpty(t, m.Structure.Str("aws-error-code"))
		require.NotEmpty(t, m.Structure.Str("remedy"))
		began = time.Now()
		p.SetState(gst.StateNull)
		require.Less(t, time.Since(began), 2*time.Second)
	})
}
