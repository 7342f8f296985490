package places

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/spool"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	none, err := Open(context.Background(), Settings{})
	require.NoError(t, err)
	require.Empty(t, none.Options())
	require.Nil(t, none.Spool())
	require.NoError(t, none.Close())

	set := Settings{SpoolDirectory: filepath.Join(dir, "spool"), SpoolSync: "always", DeadLetter: "file:" + filepath.Join(dir, "dead")}
	p, err := Open(context.Background(), set)
	require.NoError(t, err)
	require.Len(t, p.Options(), 2)
	require.NotNil(t, p.Spool())
	_, err = Open(context.Background(), set)
	var used *spool.InUseError
	require.ErrorAs(t, err, &used)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
	p, err = Open(context.Background(), set)
	require.NoError(t, err, "it was given back")
	require.NoError(t, p.Close())
}

// What is wrong is named, and nothing is left open behind it.
func TestOpenBadly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	taken := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(taken, nil, 0o600))
	for text, set := range map[string]Settings{
		"write file:DIR, kinesis://": {DeadLetter: "ftp://x"},
		taken:                        {DeadLetter: "file:" + taken},
		`"never" is none of always`:  {SpoolDirectory: dir, SpoolSync: "never"},
		"making the spool in":        {SpoolDirectory: taken, SpoolSync: "none", DeadLetter: "file:" + dir},
	} {
		p, err := Open(context.Background(), set)
		require.ErrorContains(t, err, text)
		require.Nil(t, p)
	}
}
