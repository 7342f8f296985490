package envelope

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// The judges of the bodies are other people's: Python's gzip module, and the zstd
// command where it is installed.
const python = "/usr/bin/python3"

// judgedPayloads are messages that compress, small and larger than zstd's window.
func judgedPayloads() [][]byte {
	var list [][]byte
	for _, size := range []int{100, 255, 256, 300, 1023, 1024, 1025, 5000, 65_536, 200_000, windowBytes * 3 / 2} {
		list = append(list, payloadOf(uint64(size), size))
	}
	return append(list, rawVideo(640*480))
}

// check lets a judge open our bodies at all levels, and us open its.
func check(t *testing.T, codec Codec, levels []int, open, compress func(data []byte) []byte) {
	for _, payload := range judgedPayloads() {
		for _, level := range levels {
			b, smaller := newEncoder(t, codec, level).Compress(payload)
			require.True(t, smaller || len(payload) <= 100)
			if smaller {
				require.True(t, bytes.Equal(payload, open(b.Data)), "%s level %d, %d bytes", codec, level, len(payload))
			}
		}
		r := newRig(t, AssemblerSettings{})
		theirs := Body{Data: compress(payload), Codec: codec, Original: len(payload)}
		got := r.add(partsOf(t, newEncoder(t, None, 0), theirs, 10_000)...)
		require.Len(t, got, 1)
		require.True(t, got[0] == string(payload), "%d bytes", len(payload))
	}
}

// run gives a program its input and returns its output.
func run(t *testing.T, in []byte, name string, args ...string) []byte {
	t.Helper()
	var errs bytes.Buffer
	c := exec.Command(name, args...)
	c.Stdin, c.Stderr = bytes.NewReader(in), &errs
	out, err := c.Output()
	require.NoError(t, err, "%s: %s", name, errs.String())
	return out
}

func TestPythonReadsGzip(t *testing.T) {
	t.Parallel()
	ask := func(job string) func(data []byte) []byte {
		return func(data []byte) []byte {
			line := fmt.Sprintf("%s %s\n", job, base64.StdEncoding.EncodeToString(data))
			out, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(run(t, []byte(line), python, "testdata/judge.py"))))
			require.NoError(t, err)
			return out
		}
	}
	check(t, Gzip, []int{1, 6}, ask("open"), ask("make"))
}

func TestZstdCommand(t *testing.T) {
	t.Parallel()
	zstd, err := exec.LookPath("zstd")
	if err != nil {
		t.Fatal("the zstd command is not installed: apt-get install zstd")
	}
	check(t, Zstd, []int{1, 3, 7, 19},
		func(data []byte) []byte { return run(t, data, zstd, "-q", "-d", "-c", "--memory=1MB") },
		func(data []byte) []byte { return run(t, data, zstd, "-q", "-c", "-9") })
}
