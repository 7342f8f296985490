package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseFraction(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]fraction{
		"25": {25, 1}, "30000/1001": {30000, 1001}, " 12 / 1 ": {12, 1}, "1/10": {1, 10}, "1000": {1000, 1},
	} {
		got, err := parseFraction(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got)
	}
	for _, in := range []string{"", "0", "0/1", "25/0", "-25", "25/-1", "1001", "a", "25/b", "1/2/3", "99999999999"} {
		_, err := parseFraction(in)
		require.Error(t, err, in)
	}
}

// Frame times never drift: frame i*n begins exactly after i*d seconds; count is the inverse of times.
func TestFractionTimes(t *testing.T) {
	t.Parallel()
	for _, f := range []fraction{{25, 1}, {30000, 1001}, {179, 6}, {1, 10}, {1000, 1}, {7, 3}, {1 << 31, 1<<31 - 1}} {
		require.Equal(t, time.Duration(f.d)*time.Second, f.times(f.n))
		require.Equal(t, 1000*time.Duration(f.d)*time.Second, f.times(1000*f.n))
		for _, i := range []int64{0, 1, 2, 999, 123456, f.count(100 * 365 * 24 * time.Hour)} {
			at := f.times(i)
			require.InDelta(t, i, f.count(at), 1, "%v %d", f, i)
			require.Equal(t, i, f.count(at+time.Microsecond), "%v %d", f, i)
			require.Greater(t, f.times(i+1), at)
		}
	}
}

func TestParseMounts(t *testing.T) {
	t.Parallel()
	got, err := parseMounts(nil, "")
	require.NoError(t, err)
	require.Equal(t, []mount{{"/cam", ""}}, got)

	got, err = parseMounts([]string{"/a", "/b=x=1.mp4", "/c/d="}, "clip,1.mp4")
	require.NoError(t, err)
	require.Equal(t, []mount{{"/a", "clip,1.mp4"}, {"/b", "x=1.mp4"}, {"/c/d", ""}}, got)

	for _, bad := range [][]string{{"cam"}, {"/"}, {""}, {"/a b"}, {"/a?x"}, {"/a", "/a=clip.mp4"}} {
		_, err := parseMounts(bad, "")
		require.Error(t, err, "%q", bad)
	}
}

// Each wrong flag ends the command with status 2 and a line that names it.
func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"codec":        {[]string{"--codec", "vp8"}, "h264, h265 or mjpeg"},
		"size":         {[]string{"--size", "640"}, "WIDTHxHEIGHT"},
		"odd size":     {[]string{"--size", "641x480"}, "even"},
		"small size":   {[]string{"--size", "64x64"}, "160x96"},
		"rate":         {[]string{"--rate", "0"}, "frame rate"},
		"empty rate":   {[]string{"--rate", ""}, "frame rate"},
		"bitrate":      {[]string{"--bitrate", "-1"}, "--bitrate"},
		"not a number": {[]string{"--bitrate", "x"}, "bitrate"},
		"key-int":      {[]string{"--key-int", "0"}, "--key-int"},
		"quality":      {[]string{"--quality", "101"}, "1 to 100"},
		"transport":    {[]string{"--transport", "sctp"}, "tcp, udp or both"},
		"user":         {[]string{"--user", "u"}, "go together"},
		"password":     {[]string{"--password", "u"}, "go together"},
		"port":         {[]string{"--port", "70000"}, "--port"},
		"mount":        {[]string{"--mount", "cam"}, "--mount"},
		"argument":     {[]string{"clip.mp4"}, "--file"},
		"flag":         {[]string{"--nonsense"}, "nonsense"},
		"jpeg size":    {[]string{"--codec", "mjpeg", "--size", "644x480"}, "multiples of 8"},
		"jpeg large":   {[]string{"--codec", "mjpeg", "--size", "2048x480"}, "2040"},
		"jpeg rate":    {[]string{"--codec", "mjpeg", "--bitrate", "500"}, "--quality"},
		"clip size":    {[]string{"--max-clip-size", "0"}, "--max-clip-size"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), append([]string{"gst-kinesis-camera"}, c.args...), &stdout, &stderr)
			require.Equal(t, exitUsage, code, stderr.String())
			require.Contains(t, stderr.String(), c.want)
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitOK, run(t.Context(), []string{"gst-kinesis-camera", "--help"}, &stdout, &stderr))
	for _, f := range []string{"--file", "--mount", "--codec", "--size", "--rate", "--bitrate", "--key-int", "--audio",
		"--user", "--password", "--transport", "--port", "--address"} {
		require.Contains(t, stdout.String(), f)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	s := &settings{}
	require.False(t, s.recodes(false))
	require.Equal(t, 768, s.bitrateFor(640, 480, fraction{25, 1}))
	require.Equal(t, 200, s.bitrateFor(160, 96, fraction{5, 1}))
	require.Equal(t, 30, s.keyIntFor(fraction{30000, 1001}))
	require.Equal(t, 1, s.keyIntFor(fraction{1, 10}))
	s.rate = fraction{25, 1}
	require.True(t, s.recodes(false), "another rate means other pictures")
	require.False(t, s.recodes(true), "to an elementary stream the rate gives its times")
}
