//go:build race

package faults

// rssBound under the race detector, whose shadow of the memory stays resident.
const rssBound = 128 << 20
