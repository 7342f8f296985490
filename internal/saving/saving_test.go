package saving

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/frame"
)

const jpeg = "\xff\xd8\xff\xe0picture"

func record(data []byte) Record {
	return Record{ShardID: "shardId-000000000012", SequenceNumber: "4965", Data: data}
}

func encoded(m frame.Meta, payload string) []byte { return frame.Append(nil, &m, []byte(payload)) }

func TestNamesAndContents(t *testing.T) {
	t.Parallel()
	image := frame.Meta{Kind: frame.Image, SensorName: "cam1", FrameID: 77, Encoded: true}
	raw := image
	raw.Encoded = false
	bytes := func(codec, caps string) frame.Meta {
		return frame.Meta{SensorName: "mic", FrameID: 5, Codec: codec, Caps: caps}
	}
	named := func(sensor string) frame.Meta { return frame.Meta{SensorName: sensor} }
	for name, c := range map[string]struct {
		data          []byte
		file, content string
	}{
		"jpeg":             {encoded(image, jpeg), "cam1_77_12-4965.jpg", jpeg},
		"jpeg as json":     {frame.AppendJSON(nil, &image, []byte(jpeg), true), "cam1_77_12-4965.jpg", jpeg},
		"png":              {encoded(image, "\x89PNG\r\n\x1a\n."), "cam1_77_12-4965.png", "\x89PNG\r\n\x1a\n."},
		"raw rows":         {encoded(raw, "rows"), "cam1_77_12-4965.raw", "rows"},
		"unknown picture":  {encoded(image, "????"), "cam1_77_12-4965.bin", "????"},
		"codec":            {encoded(bytes("h264", ""), "au"), "mic_5_12-4965.h264", "au"},
		"media type":       {encoded(bytes("video/x-h265", ""), "au"), "mic_5_12-4965.h265", "au"},
		"caps":             {encoded(bytes("", "audio/x-opus, channels=2"), "au"), "mic_5_12-4965.opus", "au"},
		"other name":       {encoded(bytes("hevc", ""), "au"), "mic_5_12-4965.h265", "au"},
		"hostile codec":    {encoded(bytes("../../x", ""), "au"), "mic_5_12-4965.bin", "au"},
		"empty":            {encoded(bytes("h264", ""), ""), "mic_5_12-4965.h264", ""},
		"hostile sensor":   {encoded(named("../../etc/pass wd"), "x"), "_._.._etc_pass_wd_0_12-4965.bin", "x"},
		"hidden sensor":    {encoded(named(".bashrc"), "x"), "_bashrc_0_12-4965.bin", "x"},
		"no sensor":        {encoded(named(""), "x"), "unnamed_0_12-4965.bin", "x"},
		"long sensor":      {encoded(named(strings.Repeat("s", 1000)), "x"), strings.Repeat("s", 64) + "_0_12-4965.bin", "x"},
		"json of others":   {[]byte(`{"Name":"Shadowfax"}` + "\n"), "12-4965.json", `{"Name":"Shadowfax"}` + "\n"},
		"not quite json":   {[]byte(`{"Name":`), "12-4965.bin", `{"Name":`},
		"a bare picture":   {[]byte(jpeg), "12-4965.jpg", jpeg},
		"an empty record":  {nil, "12-4965.bin", ""},
		"a broken msgpack": {encoded(image, jpeg)[:30], "12-4965.bin", string(encoded(image, jpeg)[:30])},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "made", "for", "it")
			f, err := Open(dir)
			require.NoError(t, err)
			path, err := f.Save(record(c.data))
			require.NoError(t, err)
			require.Equal(t, filepath.Join(dir, c.file), path)
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, c.content, string(content))
			_, err = f.Save(record(c.data))
			require.NoError(t, err, "the same record again")
			files, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, files, 1, "and nothing half done is left")
		})
	}
}

func TestShardNumbers(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"shardId-000000000000": "0", "shardId-000000000120": "120", "../x": "_._x", "": "0"} {
		require.Equal(t, want, shardNumber(id))
	}
}

func TestManySaveAtOnce(t *testing.T) {
	t.Parallel()
	f, err := Open(t.TempDir())
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			r := record([]byte("x"))
			r.SequenceNumber = fmt.Sprint(i % 25)
			_, err := f.Save(r)
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	files, err := os.ReadDir(f.dir)
	require.NoError(t, err)
	require.Len(t, files, 25)
}

func TestFoldersThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(file)
	require.ErrorContains(t, err, "creating folder to save in")

	f, err := Open(filepath.Join(t.TempDir(), "gone"))
	require.NoError(t, err)
	require.NoError(t, os.Remove(f.dir))
	_, err = f.Save(record(nil))
	require.ErrorContains(t, err, "saving record 4965")
}
