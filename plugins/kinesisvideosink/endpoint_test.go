package kinesisvideosink_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

const keys = " aws-region=eu-central-1 access-key=k secret-key=s endpoint-uri="

// Against the endpoint, whose validator holds the stream to the service's rules: each of the codecs, alone and together, in one session.
func TestTheEndpointTakesIt(t *testing.T) {
	srv := localtest.Start(t, local.Settings{})
	for name, line := range map[string]string{
		"video":           h264 + "bframes=0 ! h264parse ! ",
		"B-frames":        h264 + "bframes=3 b-adapt=false ! h264parse ! ",
		"byte-stream":     h264 + "! h264parse ! video/x-h264,stream-format=byte-stream ! ",
		"AAC":             aac + "! ",
		"Opus":            "audiotestsrc num-buffers=200 ! opusenc ! ",
		"video and AAC":   h264 + "bframes=2 b-adapt=false ! h264parse ! k. " + aac + "! k. ",
		"video and A-law": h264 + "! h264parse ! k. audiotestsrc num-buffers=100 samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1 ! alawenc ! k. ",
	} {
		t.Run(name, func(t *testing.T) {
			s := run(t, line+"kinesisvideosink name=k stream-name="+strings.ReplaceAll(name, " ", "-")+keys+srv.URL())
			require.Zero(t, s.Uint64("frames-skipped"), s)
			require.Zero(t, s.Uint64("frames-dropped"), s)
			require.EqualValues(t, 1, s.Uint64("sessions"), s)
			require.Equal(t, s.Uint64("acks-buffering"), s.Uint64("acks-persisted"))
			require.NotZero(t, s.Uint64("wire-bytes"))
		})
	}
}

func TestWhatTheEndpointRefusesIsOnTheBus(t *testing.T) {
	for name, c := range map[string]struct {
		set      local.Settings
		line     string
		code     string
		contains string
	}{
		"missing":   {local.Settings{}, "allow-create-stream=false", "ResourceNotFoundException", "allow-create-stream"},
		"wrong key": {local.Settings{Credentials: []local.Credentials{{AccessKeyID: "k", SecretAccessKey: "another"}}}, "", "", "key"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := localtest.Start(t, c.set)
			p := gsttest.Parse(t, "appsrc caps=audio/x-alaw,rate=8000,channels=1 ! kinesisvideosink stream-name=s "+c.line+keys+srv.URL())
			began := time.Now()
			p.Play()
			m := p.Message(5*time.Second, gst.MessageError)
			require.NotNil(t, m)
			require.Less(t, time.Since(began), 5*time.Second)
			require.Contains(t, m.Err.Text, c.contains)
			if c.code != "" {
				require.Equal(t, c.code, m.Structure.Str("aws-error-code"))
			}
		})
	}
}
