package main

import (
	"flag"
	"os"
	"strconv"
	"testing"
)

// These tests wait for a camera's own time, not for a processor: more of them run at once than there are processors.
const parallelTests = 24

// binaryFolder names the environment variable that says where commandBinary puts the command.
const binaryFolder = "GST_KINESIS_CAMERA_TEST_FOLDER"

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gst-kinesis-camera")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, err := range []error{flag.Set("test.parallel", strconv.Itoa(parallelTests)), os.Setenv(binaryFolder, dir)} {
		if err != nil {
			panic(err)
		}
	}
	return m.Run()
}
