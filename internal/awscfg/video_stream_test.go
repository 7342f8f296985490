package awscfg

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseVideoStream(t *testing.T) {
	t.Parallel()
	const good = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam-1/1795629003233"
	for text, want := range map[string]Stream{
		"cam-1":                  {Name: "cam-1"},
		strings.Repeat("x", 256): {Name: strings.Repeat("x", 256)},
		good:                     {Name: "cam-1", ARN: good, Region: "eu-west-1", Account: "123456789012"},
	} {
		got, err := ParseVideoStream(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for text, why := range map[string]string{
		"":                       "1 to 256",
		strings.Repeat("x", 257): "1 to 256",
		"a b":                    "a b",
		"arn:aws:kinesis:eu-west-1:123456789012:stream/cam":         "not kinesisvideo",
		"arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam":    "NAME/NUMBER",
		"arn:aws:kinesisvideo:eu-west-1:123456789012:channel/cam/1": "NAME/NUMBER",
		"arn:aws:kinesisvideo::123456789012:stream/cam/1":           "no region",
		"arn:aws:kinesisvideo:eu-west-1:123456789012:stream//1":     "1 to 256",
	} {
		_, err := ParseVideoStream(text)
		require.ErrorContains(t, err, why, text)
	}
}
