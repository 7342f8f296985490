package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/media"
	"gst-kinesis/internal/mkv"
)

// filmed is when the media of tests begin, in ms.
const filmed = int64(1_795_210_566_028)

// film sends a session of fragments of a frame, that begin so many seconds after filmed.
func film(t *testing.T, srv *local.Server, width int, starts ...int64) {
	t.Helper()
	body, err := mkv.AppendHeader(nil, mkv.Header{Tracks: []mkv.Track{{Number: 1, UID: 1, Type: mkv.Video, CodecID: mkv.CodecAVC,
		CodecPrivate: []byte{1, 0x42, 0xC0, 0x1E, 0xFF, 0xE1, 0, 1, 0x67, 1, 0, 1, 0x68}, Width: width, Height: 240}}})
	require.NoError(t, err)
	for _, at := range starts {
		frame := fmt.Sprintf("\x00\x00\x00\x08frame%03d", at)
		body = mkv.AppendCluster(body, uint64(filmed+at*1000))
		body = append(mkv.AppendSimpleBlockHeader(body, 1, 0, mkv.KeyFrame, len(frame)), frame...)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL()+"/putMedia", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("x-amzn-stream-name", "cam")
	r.Header.Set("x-amzn-fragment-timecode-type", "ABSOLUTE")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	acks, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NotContains(t, string(acks), "ERROR")
}

func filmedAt(second int64) string {
	return time.UnixMilli(filmed + second*1000).UTC().Format(time.RFC3339Nano)
}

// videoEndpoint is an endpoint with the stream cam.
func videoEndpoint(t *testing.T, retention time.Duration) (*local.Server, []string) {
	return endpoint(t, local.Settings{Limits: local.LimitsNone, VideoCreate: []local.VideoStreamSpec{{Name: "cam", Retention: retention}}})
}

// recorded reads Matroska: the documents in it, and what is in the frames.
func recorded(t *testing.T, data []byte) (documents int, list []string) {
	t.Helper()
	r := mkv.NewReader(bytes.NewReader(data), mkv.Limits{})
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return documents, list
		}
		require.NoError(t, err)
		switch e := e.(type) {
		case *mkv.SegmentStart:
			documents++
		case *mkv.Block:
			list = append(list, strings.TrimLeft(string(e.Data[4:]), "frame0")+fmt.Sprintf("@%d", e.Timecode))
		}
	}
}

func TestVideoListing(t *testing.T) {
	t.Parallel()
	srv, flags := videoEndpoint(t, 2*time.Hour)
	film(t, srv, 320, 1, 2, 3, 4)
	status, out, stderr := run(t, with(flags, "video", "list")...)
	require.Zero(t, status, stderr)
	require.Regexp(t, `(?m)^cam +ACTIVE +\S* +2 h +arn:aws:kinesisvideo:us-east-1:`, out)
	status, out, stderr = run(t, with(flags, "video", "describe", "cam", "--json")...)
	require.Zero(t, status, stderr)
	var s media.Stream
	require.NoError(t, json.Unmarshal([]byte(out), &s))
	require.Equal(t, 2, s.Retention)
	status, byARN, stderr := run(t, with(flags, "video", "describe", s.ARN, "--json")...)
	require.Zero(t, status, stderr)
	require.Equal(t, out, byARN)
	status, out, stderr = run(t, with(flags, "video", "describe", "cam")...)
	require.Zero(t, status, stderr)
	require.Regexp(t, `Retention +2 h`, out)

	status, out, stderr = run(t, with(flags, "video", "fragments", "cam", "--from", filmedAt(2), "--to", filmedAt(3))...)
	require.Zero(t, status, stderr)
	require.Equal(t, 3, strings.Count(out, "\n"), "a heading, and both ends of the range")
	status, out, stderr = run(t, with(flags, "video", "fragments", "cam", "--from", filmedAt(0), "--to", filmedAt(9), "--json")...)
	require.Zero(t, status, stderr)
	var list []listedFragment
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	require.Len(t, list, 4)
	require.Equal(t, filmed+1000, list[0].Producer.UnixMilli())

	status, _, stderr = run(t, with(flags, "video", "describe", "none")...)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "create-stream --stream-name none")
}

func TestVideoGet(t *testing.T) {
	t.Parallel()
	srv, flags := videoEndpoint(t, time.Hour)
	film(t, srv, 320, 1, 2, 3)
	film(t, srv, 320, 3, 4) // the third again
	stored, err := srv.Fragments("cam")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		args   []string
		want   []string
		status int
	}{
		"earliest": {[]string{"--start", "earliest", "--count", "4"}, []string{"1@0", "2@1000", "3@2000", "4@3000"}, 0},
		"repeats":  {[]string{"--start", "earliest", "--count", "5", "--repeats"}, []string{"1@0", "2@1000", "3@2000", "3@2000", "4@3000"}, 0},
		"a time":   {[]string{"--start", filmedAt(2), "--count", "2"}, []string{"2@0", "3@1000"}, 0},
		"a number": {[]string{"--start", "fragment " + stored[1].Number, "--count", "1"}, []string{"3@0"}, 0},
		"idle":     {[]string{"--start", "earliest", "--idle", "300ms"}, []string{"1@0", "2@1000", "3@2000", "4@3000"}, 0},
		"too few":  {[]string{"--start", "earliest", "--idle", "300ms", "--count", "9"}, []string{"1@0", "2@1000", "3@2000", "4@3000"}, statusIncomplete},
		"timeout":  {[]string{"--start", "earliest", "--timeout", "300ms"}, []string{"1@0", "2@1000", "3@2000", "4@3000"}, 0},
		"a range":  {[]string{"--from", filmedAt(2), "--to", filmedAt(3)}, []string{"2@0", "3@1000"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "a.mkv")
			status, out, stderr := run(t, with(flags, append([]string{"video", "get", "cam", "-o", file}, c.args...)...)...)
			require.Equal(t, c.status, status, stderr)
			require.Empty(t, out)
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			documents, got := recorded(t, data)
			require.Equal(t, 1, documents)
			require.Equal(t, c.want, got)
			require.Contains(t, stderr, fmt.Sprintf("fragments=%d", len(c.want)))
			status, out, stderr = run(t, with(flags, append([]string{"video", "get", "cam"}, c.args...)...)...)
			require.Equal(t, c.status, status, stderr)
			_, piped := recorded(t, []byte(out))
			require.Equal(t, got, piped)
		})
	}
}

// An interruption ends it as asked for, with all that came.
func TestVideoGetInterrupted(t *testing.T) {
	t.Parallel()
	srv, flags := videoEndpoint(t, time.Hour)
	film(t, srv, 320, 1, 2)
	r := begin(t, "", with(flags, "video", "get", "cam", "--start", "earliest")...)
	r.out.waitFor(t, "frame002")
	film(t, srv, 160, 3)
	r.out.waitFor(t, "frame003")
	r.stop()
	require.Zero(t, r.wait(t), r.err)
	documents, got := recorded(t, []byte(r.out.String()))
	require.Equal(t, 2, documents, "the tracks changed")
	require.Equal(t, []string{"1@0", "2@1000", "3@0"}, got)
	require.Contains(t, r.err.String(), "another Matroska document begins here")
	require.Contains(t, r.err.String(), "ended=interrupted")
}

func TestVideoClip(t *testing.T) {
	t.Parallel()
	srv, flags := videoEndpoint(t, time.Hour)
	var seconds []int64
	for i := range int64(203) {
		seconds = append(seconds, i)
	}
	film(t, srv, 320, seconds...)
	name := filepath.Join(t.TempDir(), "clip.mp4")
	get := func(from, to int64) (int, string) {
		status, _, stderr := run(t, with(flags, "video", "get", "cam", "-o", name, "--from", filmedAt(from), "--to", filmedAt(to))...)
		return status, stderr
	}
	status, stderr := get(0, 202)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "203 fragments of ")
	require.Contains(t, stderr, "a clip takes 200")
	status, stderr = get(500, 600)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "no fragment begins within the range")
	status, stderr = get(0, 100_000)
	require.Equal(t, statusUsage, status)
	require.Contains(t, stderr, "a clip covers at most 24h")
	left, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	require.Empty(t, left, "nothing is left of what failed")
	status, stderr = get(10, 12)
	require.Zero(t, status, stderr)
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "ftyp", string(data[4:8]))
	for i, want := range map[int]bool{9: false, 10: true, 11: true, 12: true, 13: false} {
		require.Equal(t, want, bytes.Contains(data, fmt.Appendf(nil, "frame%03d", i)), "both ends are included: %d", i)
	}
	status, stderr = get(10, 12)
	require.Equal(t, statusFailed, status)
	require.Contains(t, stderr, "--force")
	status, _, stderr = run(t, with(flags, "video", "get", "cam", "-o", name, "--from", filmedAt(3), "--to", filmedAt(4), "--force")...)
	require.Zero(t, status, stderr)
	again, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NotEqual(t, data, again)
}

func TestVideoMistakes(t *testing.T) {
	t.Parallel()
	_, flags := videoEndpoint(t, 0)
	for name, c := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"start and from": {[]string{"--start", "now", "--from", "1h"}, statusUsage, "give one of them"},
		"to alone":       {[]string{"--to", "1h"}, statusUsage, "--to needs --from"},
		"clock":          {[]string{"--clock", "wall"}, statusUsage, `--clock "wall"`},
		"start":          {[]string{"--start", "soon"}, statusUsage, `--start "soon"`},
		"number":         {[]string{"--start", "fragment x"}, statusUsage, "of digits"},
		"from":           {[]string{"--from", "soon"}, statusUsage, `--from "soon"`},
		"backwards":      {[]string{"--from", "1h", "--to", "2h"}, statusUsage, "is before --from"},
		"live clip":      {[]string{"-o", "x.mp4"}, statusUsage, "give --from and --to"},
		"count":          {[]string{"--count", "0"}, statusUsage, "more than 0"},
		"clip and count": {[]string{"-o", "x.mp4", "--from", "1h", "--count", "2"}, statusUsage, "go with Matroska"},
		"no retention":   {[]string{"-o", filepath.Join(t.TempDir(), "x.mp4"), "--from", "1h"}, statusFailed, "update-data-retention"},
		"nothing there":  {[]string{"--from", "1h"}, statusFailed, "no fragment begins within the range"},
		"no folder":      {[]string{"-o", filepath.Join(t.TempDir(), "none", "x.mkv")}, statusFailed, "creating the file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, out, stderr := run(t, with(flags, append([]string{"video", "get", "cam"}, c.args...)...)...)
			require.Equal(t, c.status, status, stderr)
			require.Empty(t, out)
			require.Contains(t, stderr, c.want)
		})
	}
}
