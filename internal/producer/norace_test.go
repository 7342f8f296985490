//go:build !race

package producer

// schedules is how many random schedules are run.
const schedules = 3200
