package judges

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cmd/gst-kinesis-camera/picture"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/tests/kit"
)

// shot is an access unit, or a frame of audio: of a file, where time begins with the first picture, or stored, with the time since 1970. Seconds.
type shot struct {
	hash string
	at   float64
	key  bool
}

// shotsOf lists what a file holds, as ffprobe has it, in the order of decoding.
func shotsOf(t *testing.T, file string) (kinds [2][]shot) {
	t.Helper()
	for i, kind := range []string{"v:0", "a:0"} {
		out, _ := kit.Run(t, kit.Environ(), "ffprobe", "-v", "error", "-select_streams", kind, "-show_entries", "packet=pts_time,flags,data_hash", "-show_data_hash", "sha256",
			"-of", "csv=p=0", file)
		kit.Each(out, func(line string) {
			f := strings.Split(line, ",")
			at, err := strconv.ParseFloat(f[0], 64)
			require.NoError(t, err, line)
			kinds[i] = append(kinds[i], shot{hash: strings.ToLower(strings.TrimPrefix(f[2], "SHA256:")), at: at, key: f[1][0] == 'K'})
		})
	}
	first := math.Inf(1)
	for _, s := range kinds[0] {
		first = min(first, s.at)
	}
	for _, kind := range kinds {
		for j := range kind {
			kind[j].at -= first
		}
	}
	return kinds
}

// storedShots lists what a stream holds.
func storedShots(t *testing.T, srv *local.Server) (kinds [2][]shot, fragments []local.VideoFragment) {
	t.Helper()
	fragments, err := srv.Fragments("cam")
	require.NoError(t, err)
	for _, f := range fragments {
		for _, frame := range f.Frames {
			sum := sha256.Sum256(frame.Data)
			kinds[frame.Track-1] = append(kinds[frame.Track-1], shot{hash: hex.EncodeToString(sum[:]), key: frame.Key,
				at: float64(f.ProducerTimestamp.UnixMilli()+frame.Timestamp-f.Timecode) / 1000})
		}
	}
	return kinds, fragments
}

// place finds the number in the file of each frame that is stored: it is the one after the last. At the file's end the film begins anew, and the sound, of which the
// camera chooses the frames there that fit the picture, within a frame of it.
func place(t *testing.T, file, got []shot, slack int) (numbers []int, loops []int) {
	t.Helper()
	fits := func(start int) (numbers, loops []int) {
		n, loop := start, 0
		for _, g := range got {
			if n == len(file) || n+slack >= len(file) && file[n].hash != g.hash {
				n, loop = 0, loop+1
				for n < slack && file[n].hash != g.hash {
					n++
				}
			}
			if file[n].hash != g.hash {
				break
			}
			numbers, loops = append(numbers, n), append(loops, loop)
			n++
		}
		return numbers, loops
	}
	best := 0
	for start := range file {
		if file[start].hash == got[0].hash {
			if numbers, loops = fits(start); len(numbers) == len(got) {
				return numbers, loops
			}
			best = max(best, len(numbers))
		}
	}
	t.Fatalf("%d frames are those of the file one after another, and then comes another; of %d", best, len(got))
	return nil, nil
}

// near says whether a frame is a key frame, or stands beside one. There rtph264depay and h264parse lose the camera's time, which they carry on all others, over the
// parameter sets that come in band: the pipeline's clock carries it on from the frame before, as true as rtspsrc's jitter buffer is even.
func near(list []shot, i int) bool {
	return list[i].key || i+1 < len(list) && list[i+1].key
}

// carried is how far that may be off on a busy machine, in seconds.
const carried = 0.04

// known is the first of the frames from which on the camera's time is known: the origin is the same for all, to a millisecond, as times are whole ones, but beside key
// frames; off is the most that it is off there.
func known(got []shot, origins []float64, video bool) (n int, off float64) {
	last := origins[len(origins)-1]
	for n = len(origins); n > 0; n-- {
		switch d := math.Abs(origins[n-1] - last); {
		case d < 0.00151:
		case video && near(got, n-1) && d < carried:
			off = max(off, d)
		default:
			return n, off
		}
	}
	return n, off
}

// filmed lets a camera's media go through gst-launch-1.0 to a stream until so many fragments are stored, and ends it as Ctrl-C does. rtspsrc adds its pads from two
// threads, over which gst-launch-1.0 1.22 may fail to link one of them, mostly where there are caps in the line: then it is started again, for a stream of its own.
func filmed(t *testing.T, url string, audio bool, fragments int) *local.Server {
	t.Helper()
	for range 10 {
		if srv, linked := film(t, url, audio, fragments); linked {
			return srv
		}
	}
	t.Fatal("gst-launch-1.0 never links the camera's pads")
	return nil
}

func film(t *testing.T, url string, audio bool, fragments int) (srv *local.Server, linked bool) {
	t.Helper()
	srv = localtest.Start(t, local.Settings{VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}})
	line := "rtspsrc name=s location=" + url + " protocols=tcp latency=200 add-reference-timestamp-meta=true " +
		"s. ! rtph264depay ! h264parse ! k. "
	tracks := 1
	if audio {
		tracks = 2
		line += "s. ! rtpmp4gdepay ! aacparse ! k. "
	}
	line += "kinesisvideosink name=k timestamp-source=reference stream-name=cam aws-region=us-east-1 access-key=a secret-key=s endpoint-uri=" + srv.URL()
	p := kit.Start(t, kit.GStreamer(t), "gst-launch-1.0", append([]string{"-e"}, strings.Fields(line)...)...)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for over := time.Now().Add(kit.Limit + time.Duration(fragments)*10*time.Second); ; {
		list, err := srv.Fragments("cam")
		require.NoError(t, err)
		if len(list) >= fragments {
			break
		}
		if len(list) > 0 && len(list[0].Tracks) != tracks {
			p.Kill()
			t.Log("gst-launch-1.0 has not linked all pads")
			return nil, false
		}
		select {
		case <-tick.C:
		case <-p.Done():
			t.Fatal("gst-launch-1.0 has ended")
		}
		require.True(t, time.Now().Before(over), "%d fragments", len(list))
	}
	p.Signal(os.Interrupt)
	if p.Wait() != 0 { // rtspsrc may fail to tell the camera that it ends
		require.Contains(t, p.Err(), "GstRTSPSrc:s: Could not write to resource")
	}
	return srv, true
}

// TestCameraIsStoredAsItIs: footage with sound, and footage with B-frames, by RTSP from the camera to a stream, and back by GetMedia and GetClip. Each access unit and each
// frame of audio is byte for byte the file's, none is missing, and its time is the camera's, to the millisecond.
//
// What RTP changes is gone again: the parameter sets, which the camera sends before each key frame, are in the codec's private data, as in the file,
// and not in the access units a second time. What is before the camera's first sender report has times by the arrival of packets, which
// rtspsrc's jitter buffer moves by some ms, with B-frames by some 100 ms; their order and their bytes are the file's all the same.
func TestCameraIsStoredAsItIs(t *testing.T) {
	t.Parallel()
	road := kit.Clip(t)
	for name, c := range map[string]struct {
		file                  string
		fragments, everything int // for the short form, and for more than all of the file
	}{"the road": {road, 4, 11}, "bottles": {filepath.Join(filepath.Dir(road), "bottle-detection.mp4"), 3, 9}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(c.file); err != nil { // one that is made takes its place
				c.file = footage{file: "in.mp4", make: strings.Fields("-f lavfi -i testsrc2=size=640x360:rate=179/6 -frames:v 1189 -c:v libx264 -bf 2 -g 180 -pix_fmt yuv420p")}.made(t)
			}
			if os.Getenv("GST_KINESIS_SOAK") != "" {
				c.fragments = c.everything
			}
			file := shotsOf(t, c.file)
			args := []string{"--file", c.file}
			if len(file[1]) > 0 {
				args = append(args, "--audio")
			}
			url := kit.Camera(t, args...)
			began := time.Now()
			srv := filmed(t, url, len(file[1]) > 0, c.fragments)
			got, fragments := storedShots(t, srv)
			require.True(t, got[0][0].key)
			sameTracks(t, c.file, fragments)
			var origins [2]float64
			for kind := range got {
				if len(file[kind]) > 0 {
					origins[kind] = sameShots(t, file[kind], got[kind], 3*kind, period(file[0]))
				}
			}
			// The camera begins with a key frame when somebody looks.
			first := origins[0] + file[0][slices.IndexFunc(file[0], func(s shot) bool { return s.hash == got[0][0].hash })].at
			require.GreaterOrEqual(t, first, float64(began.UnixMilli())/1000-0.2, "with B-frames it is sent some frames after it was taken")
			require.LessOrEqual(t, first, float64(fragments[0].ServerTimestamp.UnixMilli())/1000)
			if len(file[1]) > 0 {
				require.InDelta(t, origins[0], origins[1], 0.0125, "the sound fits the picture to half a frame of it")
			}
			readBack(t, srv, len(fragments))
		})
	}
}

// period is how long the film is: from its first picture to where the next one after the last would be.
func period(film []shot) float64 {
	last := 0.0
	for _, s := range film {
		last = max(last, s.at)
	}
	return last * float64(len(film)) / float64(len(film)-1)
}

// sameShots holds what is stored of a kind to the file, and gives when the file's first picture was shown first. The sound goes on over the end of the film without a seam.
func sameShots(t *testing.T, file, got []shot, slack int, period float64) float64 {
	t.Helper()
	numbers, loops := place(t, file, got, slack)
	step := (file[len(file)-1].at - file[0].at) / float64(len(file)-1)
	origins := make([]float64, len(got))
	for i, g := range got {
		origins[i] = g.at - file[numbers[i]].at - float64(loops[i])*period
		if slack == 0 {
			require.Equal(t, file[numbers[i]].key, g.key, "frame %d", i)
			continue
		}
		even := g.at - file[numbers[0]].at - float64(i)*step
		require.InDelta(t, even, origins[i], 0.0125, "sound %d fits the picture to half a frame of it", i)
		origins[i] = even
	}
	n, off := known(got, origins, slack == 0)
	t.Logf("%d frames, from number %d of the file on; the camera's time is known from frame %d on, where it moves times by %.0f ms; beside key frames it is off by %.0f ms at most",
		len(got), numbers[0], n, 1000*(origins[len(origins)-1]-origins[max(n-1, 0)]), off*1000)
	require.Less(t, got[n].at-got[0].at, 6.0, "a sender report comes within 3 s")
	require.Greater(t, len(got)-n, len(got)/2)
	return origins[len(origins)-1]
}

// sameTracks: the codec's private data are the file's, so that nothing of what RTP had in band is lost.
func sameTracks(t *testing.T, file string, fragments []local.VideoFragment) {
	t.Helper()
	in := filepath.Join(t.TempDir(), "in.mkv")
	kit.Run(t, kit.Environ(), "ffmpeg", "-v", "error", "-i", file, "-c", "copy", in)
	data, err := os.ReadFile(in)
	require.NoError(t, err)
	want := readMatroska(t, bytes.NewReader(data)).tracks
	for _, f := range fragments {
		require.Len(t, f.Tracks, len(want))
		for i := range want {
			require.Equal(t, want[i].CodecID, f.Tracks[i].CodecID)
			private := hex.EncodeToString(f.Tracks[i].CodecPrivate)
			if avc := want[i].CodecPrivate; want[i].CodecID == mkv.CodecAVC && len(avc) == len(f.Tracks[i].CodecPrivate)+4 {
				private += hex.EncodeToString(avc[len(avc)-4:]) // High profile's, of what stands in the SPS, which h264parse leaves out
			}
			require.Equal(t, hex.EncodeToString(want[i].CodecPrivate), private, want[i].CodecID)
			require.Equal(t, []any{want[i].Width, want[i].Height, want[i].Channels, want[i].SamplingFrequency},
				[]any{f.Tracks[i].Width, f.Tracks[i].Height, f.Tracks[i].Channels, f.Tracks[i].SamplingFrequency})
		}
	}
}

// readBack: what GetMedia gives mkvinfo, ffprobe, ffmpeg and mkvmerge read without a complaint, and GetClip gives the same frames, for ffprobe and for qtdemux.
func readBack(t *testing.T, srv *local.Server, fragments int) {
	t.Helper()
	env, dir := append(kit.GStreamer(t), "LC_ALL=C.UTF-8"), t.TempDir()
	get := func(name string, flags ...string) string {
		name = filepath.Join(dir, name)
		kit.Run(t, env, filepath.Join(kit.Build(t), "gst-kinesis"), append([]string{"video", "get", "cam", "-o", name, "--endpoint-uri", srv.URL(), "--region", "us-east-1",
			"--access-key", "a", "--secret-access-key", "s"}, flags...)...)
		return name
	}
	live := get("live.mkv", "--start", "earliest", "--count", fmt.Sprint(fragments))
	data, err := os.ReadFile(live)
	require.NoError(t, err)
	m := readMatroska(t, bytes.NewReader(data))
	got, _ := storedShots(t, srv)
	for number, frames := range m.frames {
		require.Len(t, frames, len(got[number-1]))
		for i, f := range frames {
			require.Equal(t, "SHA256:"+got[number-1][i].hash, f.hash)
		}
	}
	requireRecording(t, env, live, m, fragments)
	requireClipWithin(t, get("clip.mp4", "--from", "10m"), m, 2.51)
}

// TestCameraTimeIsExact: the camera paints into each picture when it was taken, and that is the time that is stored.
func TestCameraTimeIsExact(t *testing.T) {
	t.Parallel()
	srv := filmed(t, kit.Camera(t, "--size", "320x192", "--rate", "25", "--key-int", "25"), false, 8)
	list, err := srv.Fragments("cam")
	require.NoError(t, err)
	dir := t.TempDir()
	kit.Run(t, kit.Environ(), filepath.Join(kit.Build(t), "gst-kinesis"), "video", "get", "cam", "-o", filepath.Join(dir, "in.mkv"), "--start", "earliest", "--count", fmt.Sprint(len(list)),
		"--endpoint-uri", srv.URL(), "--region", "us-east-1", "--access-key", "a", "--secret-access-key", "s")
	kit.Run(t, kit.Environ(), "ffmpeg", "-v", "error", "-i", filepath.Join(dir, "in.mkv"), "-fps_mode", "passthrough", filepath.Join(dir, "%05d.png"))
	got, _ := storedShots(t, srv)
	n, checked := 0, 0
	var off float64
	for i, g := range got[0] {
		data, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%05d.png", i+1)))
		require.NoError(t, err)
		img, err := png.Decode(bytes.NewReader(data))
		require.NoError(t, err)
		stamp, err := picture.Read(img)
		require.NoError(t, err)
		if n > 0 {
			require.EqualValues(t, n+1, stamp.Frame, "frame %d", i)
		}
		n = int(stamp.Frame)
		if g.at-got[0][0].at > 6 {
			d := math.Abs(g.at - float64(stamp.Time.UnixMilli())/1000)
			if near(got[0], i) {
				require.Less(t, d, carried, "frame %d", i)
				continue
			}
			off = max(off, d)
			checked++
		}
	}
	require.Greater(t, checked, 25)
	require.LessOrEqual(t, off, 0.00201, "seconds between the time in the picture and the one that is stored, in whole ms both")
	t.Logf("%d frames; of %d the camera's time is exact to %.0f ms", len(got[0]), checked, off*1000)
}
