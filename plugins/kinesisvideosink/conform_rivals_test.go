package kinesisvideosink_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/kvsproducer"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/plugins/kinesisvideosink"
)

// The conformance set runs over all engines there are: gst-kinesis' own against the embedded endpoint, the SDK's over a stream in memory,
// and in builds with the tag kvsproducer the SDK's over what is linked. That is AWS's SDK against the embedded endpoint, or the stand-in of
// tests/standin, which writes a journal; the variable tells.
const standInVariable = "GST_KINESIS_STANDIN"

// What a rival may be asked to do wrong.
const (
	mute   = "mute"   // the service acknowledges nothing
	denied = "denied" // it knows us not
)

// target is where a rival sends to.
type target struct {
	line   string // the element "k", with its properties
	pieces func() []kinesisvideosink.Piece
}

// rivals are the engines, by name.
func rivals() map[string]func(t *testing.T, fault string) target {
	all := map[string]func(*testing.T, string) target{
		"native":        func(t *testing.T, fault string) target { return atEndpoint(t, "native", fault) },
		"sdk in memory": inMemory,
	}
	switch {
	case !kvsproducer.Built:
	case os.Getenv(standInVariable) != "":
		all["sdk stand-in"] = overStandIn
	default:
		all["sdk"] = func(t *testing.T, fault string) target { return atEndpoint(t, "sdk", fault) }
	}
	return all
}

// conform runs a case with each engine.
func conform(t *testing.T, fault string, body func(t *testing.T, at target)) {
	for name, rival := range rivals() {
		t.Run(name, func(t *testing.T) { body(t, rival(t, fault)) })
	}
}

func atEndpoint(t *testing.T, engine, fault string) target {
	t.Helper()
	set := local.Settings{Limits: local.LimitsNone}
	if fault == denied {
		set.Credentials = []local.Credentials{{AccessKeyID: "k", SecretAccessKey: "another"}}
	}
	srv := localtest.Start(t, set)
	if fault == mute {
		fault = "acks: never"
	}
	if fault != "" && fault != denied {
		script, err := local.ParseFaults([]byte("rules:\n  - operation: PutMedia\n    " + strings.ReplaceAll(fault, ";", "\n    ") + "\n"))
		require.NoError(t, err)
		_, err = srv.AddFault(script.Rules[0])
		require.NoError(t, err)
	}
	name := fmt.Sprint("conform", streams.Add(1))
	return target{
		line: "kinesisvideosink name=k stream-name=" + name + " engine=" + engine + keys + srv.URL(),
		pieces: func() (out []kinesisvideosink.Piece) {
			fragments, err := srv.Fragments(name)
			require.NoError(t, err)
			at := map[int64]int{}
			for _, f := range fragments {
				p := kinesisvideosink.Piece{MS: f.Timecode, Tracks: len(f.Tracks)}
				for _, tag := range f.Tags {
					p.Tags = append(p.Tags, tag.Name+"="+tag.Value)
				}
				for _, frame := range f.Frames {
					p.Frames = append(p.Frames, kinesisvideosink.PieceFrame{Track: frame.Track, MS: frame.Timestamp, Sum: kinesisvideosink.SumOf(frame.Data)})
				}
				if i, again := at[p.MS]; !again {
					at[p.MS] = len(out)
					out = append(out, p)
				} else if len(p.Frames) > len(out[i].Frames) { // it was cut, and is here as a whole
					out[i] = p
				}
			}
			return out
		},
	}
}

func sdkFake(f *kinesisvideosink.SDKFake) string {
	name := fmt.Sprint("sdk", streams.Add(1))
	kinesisvideosink.SDKFakes.Add(name, f)
	return "kvssdkfake name=k engine=sdk stream-name=" + name
}

// conformAtEndpoint runs a case with the engines that send to the embedded endpoint, whose fault is a rule of its script.
func conformAtEndpoint(t *testing.T, fault string, body func(t *testing.T, at target)) {
	for name, rival := range rivals() {
		if name == "native" || name == "sdk" {
			t.Run(name, func(t *testing.T) { body(t, rival(t, fault)) })
		}
	}
}

func inMemory(_ *testing.T, fault string) target {
	f := &kinesisvideosink.SDKFake{Mute: fault == mute, Denied: fault == denied}
	return target{line: sdkFake(f), pieces: f.Pieces}
}

func overStandIn(t *testing.T, fault string) target {
	dir, err := os.MkdirTemp("", "journal") // the test's own has a # in its name, behind which the stand-in looks for faults
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "journal")
	f := &kinesisvideosink.SDKFake{Endpoint: "file://" + path, Denied: fault == denied}
	if fault == mute {
		f.Endpoint += "#stuck"
	}
	return target{line: sdkFake(f), pieces: func() []kinesisvideosink.Piece { return readJournal(t, path) }}
}

// readJournal makes pieces of what the stand-in was given.
func readJournal(t *testing.T, path string) (out []kinesisvideosink.Piece) {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	tracks, tags := 0, []string(nil)
	for _, line := range strings.Split(string(text), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "stream":
			tracks = 0
		case "track":
			tracks++
		case "tag":
			name, _, _ := strings.Cut(rest, " persist=")
			tags = append(tags, name)
		case "event":
			tags = append(tags, strings.Fields(rest)[1:]...)
		case "fragment":
			var n, at int64
			_, err := fmt.Sscanf(rest, "%d at=%d", &n, &at)
			require.NoError(t, err)
			out = append(out, kinesisvideosink.Piece{MS: at, Tracks: tracks, Tags: tags})
			tags = nil
		case "frame":
			var f kinesisvideosink.PieceFrame
			var n, dts, key, size int64
			_, err := fmt.Sscanf(rest, "%d track=%d pts=%d dts=%d key=%d size=%d fnv=%s", &n, &f.Track, &f.MS, &dts, &key, &size, &f.Sum)
			require.NoError(t, err)
			f.MS /= int64(time.Millisecond / 100)
			last := &out[len(out)-1]
			last.Frames = append(last.Frames, f)
		}
	}
	return out
}
