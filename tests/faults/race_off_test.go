//go:build !race

package faults

// rssBound is the resident memory that a test may leave.
const rssBound = 6 << 20
