package kit

import (
	"testing"
	"time"
)

// Until waits until a condition holds. It is for what cannot be waited on otherwise: the state of another process, or of a runtime.
func Until(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	deadline := time.Now().Add(Limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within %v", what, Limit)
		}
		<-tick.C
	}
}
