//go:build !race

package chaos

// raced: the race detector takes most of what the processors have.
const raced = false
