package main

import (
	"flag"
	"os"
	"strconv"
	"testing"
)

// These tests wait for a camera's own time, not for a processor: more of them run at once than there are processors.
const parallelTests = 24

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(parallelTests)); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
