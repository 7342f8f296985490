//go:build race

package envelope

// strayAllocs is what may be allocated where nothing is: under the race detector
// the pools inside zstd forget at random.
const strayAllocs = 16
