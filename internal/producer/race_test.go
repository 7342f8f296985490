//go:build race

package producer

// schedules is how many random schedules are run: the race detector makes each
// several times as slow.
const schedules = 800
