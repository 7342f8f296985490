package kvsproducer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/kvsproducer"
)

// TestCheck: what the SDK would refuse is refused before, with what to do.
func TestCheck(t *testing.T) {
	t.Parallel()
	good := func() kvsproducer.Settings {
		s := kvsproducer.Defaults()
		s.Stream, s.AccessKey, s.SecretKey = "cam", "key", "secret"
		s.Tracks = []kvsproducer.Track{{ID: 1, Type: kvsproducer.Video, Codec: "V_MPEG4/ISO/AVC"}}
		return s
	}
	s := good()
	require.NoError(t, s.Check())
	for want, change := range map[string]func(*kvsproducer.Settings){
		"name":           func(s *kvsproducer.Settings) { s.Stream = "" },
		"257":            func(s *kvsproducer.Settings) { s.Stream = strings.Repeat("257", 100) },
		"secret key":     func(s *kvsproducer.Settings) { s.SecretKey = "" },
		"region":         func(s *kvsproducer.Settings) { s.Region = "" },
		"an hour":        func(s *kvsproducer.Settings) { s.Retention = time.Minute },
		"offline":        func(s *kvsproducer.Settings) { s.Mode, s.Retention = kvsproducer.Offline, 0 },
		"10 MiB":         func(s *kvsproducer.Settings) { s.Storage = 1 << 20 },
		"buffer":         func(s *kvsproducer.Settings) { s.Buffer = 0 },
		"replay":         func(s *kvsproducer.Settings) { s.Replay = s.Buffer + 1 },
		"events":         func(s *kvsproducer.Settings) { s.Queue = 0 },
		"timeouts":       func(s *kvsproducer.Settings) { s.StopTimeout = 0 },
		"51 tags":        func(s *kvsproducer.Settings) { s.Tags = make([]kvsproducer.Tag, 51) },
		"0 tracks":       func(s *kvsproducer.Settings) { s.Tracks = nil },
		"4 tracks":       func(s *kvsproducer.Settings) { s.Tracks = make([]kvsproducer.Track, 4) },
		"unique":         func(s *kvsproducer.Settings) { s.Tracks = append(s.Tracks, s.Tracks[0]) },
		"video or audio": func(s *kvsproducer.Settings) { s.Tracks[0].Type = 3 },
		"codec":          func(s *kvsproducer.Settings) { s.Tracks[0].Codec = "" },
		"private data":   func(s *kvsproducer.Settings) { s.Tracks[0].Private = make([]byte, 1<<20+1) },
	} {
		s := good()
		change(&s)
		require.ErrorContains(t, s.Check(), want)
	}
}

// TestNames: codes are in hexadecimal, with a name where there is one; kinds and types have names.
func TestNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0x52000010 (not authorized)", kvsproducer.StatusNotAuthorized.String())
	require.Equal(t, "0x12345678", kvsproducer.Status(0x12345678).String())
	require.Equal(t, "dropped-fragment", kvsproducer.DroppedFragment.String())
	require.Equal(t, "log", kvsproducer.Log.String())
	require.Equal(t, "unknown", kvsproducer.Kind(99).String())
	require.Equal(t, "PERSISTED", kvsproducer.Persisted.String())
	require.Equal(t, "UNDEFINED", kvsproducer.AckType(0).String())
}
