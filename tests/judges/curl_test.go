package judges

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/mkv"
	"gst-kinesis/tests/kit"
)

// TestCurlStreams: the library that AWS's producer stands on sends chunks behind Expect: 100-continue and reads acknowledgements while
// its body is open, over http and https; an error reaches it although it goes on sending.
func TestCurlStreams(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			set := local.Settings{VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: time.Hour}}}
			args := []string{"-sSN", "--http1.1", "-X", "POST", "-T", ".", "-H", "Host: 127.0.0.1", "-H", "Expect: 100-continue", "-H", "x-amzn-stream-name: cam",
				"-H", "x-amzn-fragment-timecode-type: ABSOLUTE"}
			if scheme == "https" {
				conf, trust, err := local.SelfSigned(time.Now())
				require.NoError(t, err)
				file := filepath.Join(t.TempDir(), "cert.pem")
				require.NoError(t, os.WriteFile(file, trust, 0o600))
				set.TLS, args = conf, append(args, "--cacert", file)
			}
			srv := localtest.Start(t, set)
			c := exec.CommandContext(t.Context(), "curl", append(args, srv.URL()+"/putMedia")...)
			c.Env = kit.Environ()
			in, err := c.StdinPipe()
			require.NoError(t, err)
			pipe, err := c.StdoutPipe()
			require.NoError(t, err)
			var complaint bytes.Buffer
			c.Stderr = &complaint
			require.NoError(t, c.Start())
			watchdog := time.AfterFunc(kit.Limit, func() { _ = c.Process.Kill() })
			defer watchdog.Stop()
			out := bufio.NewReader(pipe)
			expect := func(text string) {
				t.Helper()
				line, err := out.ReadString('\n')
				require.NoError(t, err, complaint.String())
				require.Contains(t, line, text)
			}
			say := func(b []byte) {
				t.Helper()
				_, err := in.Write(b)
				require.NoError(t, err, complaint.String())
			}
			head, err := mkv.AppendHeader(nil, mkv.Header{Tracks: []mkv.Track{{Number: 1, UID: 1, Type: mkv.Video, CodecID: mkv.CodecAVC}}})
			require.NoError(t, err)
			cluster := func(at uint64) []byte {
				return append(mkv.AppendSimpleBlockHeader(mkv.AppendCluster(nil, at), 1, 0, mkv.KeyFrame, 5), "frame"...)
			}
			say(append(head, cluster(1_700_000_000_000)...))
			expect("BUFFERING")
			say(mkv.AppendEndOfFragment(nil))
			expect("RECEIVED")
			expect("PERSISTED")
			say(cluster(1_700_000_001_000))
			expect("BUFFERING")
			say(cluster(1_600_000_000_000))
			expect("RECEIVED")
			expect("PERSISTED")
			expect(`"ErrorId":4004`)
			require.NoError(t, in.Close())
			_ = c.Wait() // curl may say that it could not send everything
			require.Len(t, srv.PutMediaSessions("cam"), 1)
		})
	}
}
