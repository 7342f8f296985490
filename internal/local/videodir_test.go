package local_test

import (
	"bytes"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
	"gst-kinesis/internal/mkv"
)

// segments lists the files of video in a data directory.
func segments(t testing.TB, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "video-*", "*.seg"))
	require.NoError(t, err)
	return list
}

func inDir(dir string) func(*local.Settings) { return func(s *local.Settings) { s.DataDir = dir } }

func TestVideoSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := video(t, inDir(dir))
	body := header(t, film(2))
	for i := range 5 {
		body = append(body, fragment(epoch+int64(i)*1000, 2, mkv.Tag{Name: "i", Value: string(rune('0' + i))})...)
	}
	require.Len(t, putAll(t, srv, "cam", bytes.NewReader(body)), 15)
	require.NoError(t, srv.CreateVideoStream(local.VideoStreamSpec{Name: "other", Retention: 48 * time.Hour, Device: "d", Tags: map[string]string{"a": "b"}}))
	require.NoError(t, srv.CreateVideoStream(local.VideoStreamSpec{Name: "gone", Retention: time.Hour}))
	putAll(t, srv, "gone", bytes.NewReader(body))
	require.NoError(t, srv.DeleteVideoStream("gone"))
	want, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.NoError(t, srv.Close(t.Context()))

	srv = video(t, inDir(dir))
	got, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = srv.Fragments("gone")
	require.Error(t, err)
	require.NoDirExists(t, filepath.Join(dir, "videogone-000003"))
	putAll(t, srv, "cam", bytes.NewReader(join(header(t, film(2)), fragment(epoch+9000, 2))))
	after, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Len(t, after, 6)
	require.Greater(t, after[5].Number, after[4].Number)
	require.Len(t, segments(t, dir), 2)
}

// TestVideoSurvivesBeingKilled: whatever was acknowledged as PERSISTED is there after the process died in the midst of it.
func TestVideoSurvivesBeingKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	persisted := map[string]bool{}
	rng := rand.New(rand.NewPCG(7, 8))
	at := epoch
	for range 3 {
		url, kill := startChild(t, dir)
		p := startPutAt(t, url, "cam", &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
		p.send(header(t, film(1)))
		die := 20 + rng.IntN(40)
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for {
				if _, err := p.w.Write(fragment(at, 1)); err != nil {
					return
				}
				at += 1000
			}
		}()
		count := 0
		for l := range p.lines {
			if l.EventType == "PERSISTED" {
				persisted[l.FragmentNumber] = true
				if count++; count == die {
					kill()
				}
			}
		}
		_ = p.w.Close()
		p.cancel()
		<-sent
		require.GreaterOrEqual(t, count, die)
	}
	srv := video(t, inDir(dir))
	got, err := srv.Fragments("cam")
	require.NoError(t, err)
	have := map[string]bool{}
	for _, f := range got {
		require.False(t, have[f.Number])
		have[f.Number] = true
		require.Len(t, f.Frames, 10)
	}
	for number := range persisted {
		require.True(t, have[number], number)
	}
}

// TestTornVideo: whatever was lost at the end of the newest segment, what stands before it is there, and writing goes on.
func TestTornVideo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := video(t, inDir(dir))
	body := header(t, film(1))
	for i := range 3 {
		body = append(body, fragment(epoch+int64(i)*1000, 1)...)
	}
	putAll(t, srv, "cam", bytes.NewReader(body))
	require.NoError(t, srv.Close(t.Context()))
	name := segments(t, dir)[0]
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-1] ^= 1
	for what, c := range map[string]struct {
		data []byte
		want int
	}{
		"whole":      {whole, 3},
		"one byte":   {whole[:len(whole)-1], 2},
		"half":       {whole[:len(whole)/2], 1},
		"a bit":      {flipped, 2},
		"more":       {append(bytes.Clone(whole), 1, 2, 3), 3},
		"the magic":  {whole[:8], 0},
		"not even":   {whole[:5], 0},
		"no file":    {nil, 0},
		"other file": {[]byte("something else"), 0},
	} {
		matches, err := filepath.Glob(filepath.Join(dir, "video-*", "*.seg"))
		require.NoError(t, err)
		for _, m := range matches {
			require.NoError(t, os.Remove(m))
		}
		require.NoError(t, os.WriteFile(name, c.data, 0o600))
		var log bytes.Buffer
		srv := video(t, inDir(dir), func(s *local.Settings) { s.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		got, err := srv.Fragments("cam")
		require.NoError(t, err)
		require.Len(t, got, c.want, what)
		if what != "whole" && what != "the magic" {
			require.Contains(t, log.String(), "torn and cut off", what)
		}
		require.Len(t, putAll(t, srv, "cam", bytes.NewReader(join(header(t, film(1)), fragment(epoch+9000, 1)))), 3)
		require.NoError(t, srv.Close(t.Context()))
		srv = video(t, inDir(dir))
		got, err = srv.Fragments("cam")
		require.NoError(t, err)
		require.Len(t, got, c.want+1, what)
		require.NoError(t, srv.Close(t.Context()))
	}
}

// TestVideoOnDiskIsBounded: files go away with what was in them.
func TestVideoOnDiskIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	clock := newClock()
	srv := video(t, inDir(dir), func(s *local.Settings) { s.VideoDisk, s.Now = 150<<20, clock.now })
	big := func(i int) []byte {
		b := mkv.AppendCluster(header(t, film(1)), uint64(epoch+int64(i)*1000))
		b = mkv.AppendSimpleBlockHeader(b, 1, 0, mkv.KeyFrame, 30<<20)
		return append(b, make([]byte, 30<<20)...)
	}
	size := func() (n int64) {
		require.NoError(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(d.Name(), ".seg") {
				if info, err := d.Info(); err == nil {
					n += info.Size()
				}
			}
			return nil
		}))
		return n
	}
	for i := range 12 {
		require.Len(t, putAll(t, srv, "cam", bytes.NewReader(big(i))), 3)
		clock.add(time.Second)
		require.LessOrEqual(t, size(), int64(150+64+31)<<20)
	}
	require.Positive(t, srv.Stats().VideoTrimmed)
	clock.add(2 * time.Hour)
	putAll(t, srv, "cam", bytes.NewReader(big(20)))
	got, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Len(t, got, 1, "retention removed the others")
	require.LessOrEqual(t, size(), int64(100)<<20)
	require.NoError(t, srv.DeleteVideoStream("cam"))
	require.Zero(t, size())
}

// TestDataDirOfBoth: the lock holds for both services.
func TestDataDirOfBoth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := localtest.Start(t, local.Settings{DataDir: dir})
	_, err := local.New(local.Settings{DataDir: dir})
	require.ErrorContains(t, err, "in use by another endpoint")
	require.NoError(t, srv.Close(t.Context()))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "video-000001"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "video-000001", "stream.json"), []byte("{"), 0o600))
	_, err = local.New(local.Settings{DataDir: dir})
	require.ErrorContains(t, err, "reading stream.json")
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "video-000001")))
	_, err = local.New(local.Settings{DataDir: dir})
	require.NoError(t, err, "the lock was given up")
}

// TestDiskThatFails: what cannot be written is not acknowledged as persisted.
func TestDiskThatFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := video(t, inDir(dir))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "video-000001")))
	require.Equal(t, "BUFFERING 0; RECEIVED 0; ERROR 5001; ", texts(putAll(t, srv, "cam", bytes.NewReader(join(header(t, film(1)), fragment(epoch, 1))))))
	got, err := srv.Fragments("cam")
	require.NoError(t, err)
	require.Empty(t, got)
}
