package kvsproducer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHarmless: requests with their tokens do not get into events.
func TestHarmless(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"plain":                   "plain",
		"first\nAuthorization: x": "first",
		`HTTP Error 403 : {"Message":"no match.\n\nThe Canonical String: x-amz-security-token"}`: `HTTP Error 403 : {"Message":"no match.`,
		"setRequestHeader(): X-Amz-Security-Token -> abc":                                        "(a line with the session token)",
		strings.Repeat("x", 500): strings.Repeat("x", 400),
		"bad\xff":                "bad",
	} {
		require.Equal(t, want, harmless(line))
	}
}
