package kinesissink_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/limit"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/metrics"
	"gst-kinesis/internal/uplink"
	"gst-kinesis/plugins/kinesissink"
)

// secrets gives each property that is flagged as one a value that no other text holds, and which the property takes.
func secrets(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, p := range kinesissink.Class(kinesissink.Shared{Limits: new(limit.Registry), Uplinks: new(uplink.Links), Metrics: new(metrics.Registry)}).Document() {
		if p.Flags&gst.WriteOnly != 0 {
			out[p.Name] = "hush-" + p.Name
		}
	}
	for _, name := range []string{"secret-access-key", "session-token", "proxy"} {
		require.Contains(t, out, name)
	}
	out["proxy"] = "http://user:hush-proxy@127.0.0.1:1"
	return out
}

// kept is a pipeline whose sink has the secrets; what it says is kept.
func kept(t *testing.T, endpoint string, set map[string]string) (*gsttest.Pipeline, *gst.Object) {
	t.Helper()
	p := gsttest.Parse(t, "fakesrc num-buffers=3 sizetype=fixed sizemax=10 ! kinesissink name=k stream-name=s region=eu-central-1 access-key=AKID "+
		"check=dry-run stop-timeout=0 endpoint-uri="+endpoint)
	k := p.Element("k")
	for name, value := range set {
		require.NoError(t, k.Set(name, value))
	}
	return p, k
}

func TestSecretsAreNowhereToBeRead(t *testing.T) {
	set := secrets(t)
	p, k := kept(t, "http://127.0.0.1:1", set)
	dot := p.Dot()
	require.Contains(t, dot, "GstKinesisSink")
	require.Contains(t, dot, "AKID", "the dump tells what is no secret")
	require.NotContains(t, dot, "hush")
	for name := range set {
		require.Nil(t, k.Get(name), name)
	}
	require.NotContains(t, k.URI(), "hush")
}

// inChild marks the process that TestSecretsAreNotLogged starts, which logs all there is.
const inChild = "GST_KINESIS_TEST_SECRETS"

// TestSecretsAreNotLogged: at GST_DEBUG=*:9, whether the service takes the records, does not know the key, or the proxy is not there. The
// properties are set as a program does it: GStreamer itself logs whole launch lines.
func TestSecretsAreNotLogged(t *testing.T) {
	if os.Getenv(inChild) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSecretsAreNotLogged$", "-test.v")
		for _, pair := range os.Environ() {
			if name, _, _ := strings.Cut(pair, "="); !strings.HasPrefix(name, "GST_DEBUG") && !strings.HasPrefix(name, "GST_TRACERS") && name != "GST_KINESIS_TEST_TRACED" {
				cmd.Env = append(cmd.Env, pair)
			}
		}
		cmd.Env = append(cmd.Env, inChild+"=1", "GST_DEBUG=*:9")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out[:min(len(out), 4000)])
		require.Contains(t, string(out), "--- PASS: TestSecretsAreNotLogged")
		require.NotContains(t, string(out), "hush")
		return
	}
	set := secrets(t)
	for name, settle := range map[string]func(*local.Settings, map[string]string){
		"taken": func(_ *local.Settings, set map[string]string) { delete(set, "proxy") },
		"wrong key": func(s *local.Settings, set map[string]string) {
			s.Credentials[0].SecretAccessKey = "another"
			delete(set, "proxy")
		},
		"proxy there": func(*local.Settings, map[string]string) {},
	} {
		t.Run(name, func(t *testing.T) {
			mine := map[string]string{}
			for name, value := range set {
				mine[name] = value
			}
			settings := local.Settings{Create: []local.StreamSpec{{Name: "s", Shards: 1}}, Credentials: []local.Credentials{{
				AccessKeyID: "AKID", SecretAccessKey: set["secret-access-key"], SessionToken: set["session-token"],
			}}}
			settle(&settings, mine)
			p, k := kept(t, localtest.Start(t, settings).URL(), mine)
			p.Play()
			m := p.Message(gsttest.Limit, gst.MessageEOS|gst.MessageError|gst.MessageWarning)
			require.NotNil(t, m)
			require.Equal(t, name == "taken", m.Type == gst.MessageEOS)
			if m.Err != nil {
				require.NotContains(t, fmt.Sprint(m.Err.Text, m.Err.Debug, m.Structure), "hush")
			}
			require.NotContains(t, fmt.Sprint(p.Dot(), stats(k)), "hush")
			p.SetState(gst.StateNull)
		})
	}
	log, err := os.ReadFile(os.Getenv("GST_DEBUG_FILE"))
	require.NoError(t, err)
	require.Greater(t, bytes.Count(log, []byte("\n")), 1000, "the log is full")
	require.Contains(t, string(log), "AKID", "it tells what is no secret, as GStreamer logs the launch line")
	for line := range strings.Lines(string(log)) {
		require.NotContains(t, line, "hush")
	}
}

func TestWaysToCredentials(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credential")
	require.NoError(t, os.WriteFile(file, []byte("CREDENTIALS AKID 2099-01-01T00:00:00Z hush token\n"), 0o600))
	srv := localtest.Start(t, local.Settings{
		Create: []local.StreamSpec{{Name: "s", Shards: 1}}, Credentials: []local.Credentials{{AccessKeyID: "AKID", SecretAccessKey: "hush", SessionToken: "token"}},
	})
	const source = "fakesrc num-buffers=3 sizetype=fixed sizemax=10 ! kinesissink name=k stream-name=s region=eu-central-1 check=dry-run "
	_, s := run(t, source+"credential-path="+file+" endpoint-uri="+srv.URL())
	require.EqualValues(t, 3, s.Uint64("records-delivered"))

	const certificate = `"iot-certificate,endpoint=127.0.0.1:1,cert-path=/nowhere/c.pem,key-path=/k.pem,role-aliases=alias`
	for set, want := range map[string]string{
		`iot-certificate=` + certificate + `"`:                                           "/nowhere/c.pem",
		`iot-certificate=` + certificate + `,thing-name=x"`:                              `it has no "thing-name"`,
		`iot-certificate="iot-certificate,endpoint=h"`:                                   "it lacks cert-path, key-path, role-aliases",
		`iot-certificate=` + certificate + `" credential-path=/x`:                        "three ways to credentials",
		`credential-path=/nowhere/credential`:                                            "/nowhere/credential",
		`proxy=socks4://u:hush@proxy credential-path=/x`:                                 "does not begin with http://",
		`iot-certificate=` + certificate + `,connection-timeout=(string)soon"`:           "connection-timeout is soon",
		`iot-certificate=` + certificate + `,iot-thing-name=7,connection-timeout=3"`:     "iot-thing-name=(string)7",
		`iot-certificate=` + certificate + `,ca-path=/nowhere/ca.pem" proxy=http://p:x/`: "proxy is no URL",
	} {
		t.Run(set, func(t *testing.T) {
			p := gsttest.Parse(t, source+set+" endpoint-uri="+srv.URL())
			p.SetState(gst.StatePlaying)
			m := p.Await(gst.MessageError)
			require.Contains(t, m.Err.Text, want)
			require.NotContains(t, m.Err.Text+m.Err.Debug, "hush")
		})
	}
}
