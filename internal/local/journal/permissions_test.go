//go:build unix

package journal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/local/streams"
)

func TestPermissions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.dir = filepath.Join(s.dir, "data")
	s.open()
	require.NoError(t, s.store.Create(streams.CreateSpec{Name: "a"}))
	s.put("a", 1, 1)
	s.close()
	require.NoError(t, filepath.Walk(s.dir, func(path string, info os.FileInfo, err error) error {
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, path)
		return nil
	}))
}
