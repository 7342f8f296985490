package frame

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"
)

func TestText(t *testing.T) {
	t.Parallel()
	const object = ` {"plate": "AB 123", "n": 7, "big": 18446744073709551615, "f": 1.5, "yes": true, "none": null, "list": [1],
		"camera": {"name": "north", "at": {"lane": 3}, "a.b": "inside"}, "camera.name": "with a point", "data": "AAAA"}`
	for path, want := range map[string]string{
		"plate": "AB 123", "n": "7", "big": "18446744073709551615", "f": "1.5", "yes": "true",
		"camera.name": "with a point", "camera.at.lane": "3", "camera.a.b": "inside",
	} {
		got, err := Text([]byte(object), path)
		require.NoError(t, err, path)
		require.Equal(t, want, got, path)
	}
	for _, path := range []string{"", "none", "list", "camera", "camera.at", "camera.no", "camera.at.lane.x", "plate.x", "nothing", "."} {
		_, err := Text([]byte(object), path)
		require.ErrorIs(t, err, ErrNoText, path)
	}
	packed, err := msgpack.Marshal(map[string]any{"sensor_name": "north", "frame_id": int64(5), "meta": map[string]any{"zone": "z1"}, "image": make([]byte, 1000)})
	require.NoError(t, err)
	for path, want := range map[string]string{"sensor_name": "north", "frame_id": "5", "meta.zone": "z1"} {
		got, err := Text(packed, path)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err = Text(packed, "image")
	require.ErrorIs(t, err, ErrNoText)
	for _, bad := range []string{"", "\xff\xd8\xff", "{", `{"a":`} {
		_, err := Text([]byte(bad), "a")
		require.Error(t, err, bad)
		require.NotErrorIs(t, err, ErrNoText)
	}
}
