package awscfg

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const framesARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/frames"

func TestParseStream(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Stream{
		"frames":  {Name: "frames"},
		"a.B-c_9": {Name: "a.B-c_9"},
		framesARN: {Name: "frames", ARN: framesARN, Region: "eu-west-1", Account: "123456789012"},
		"arn:aws-cn:kinesis:cn-north-1:1:stream/s": {Name: "s", ARN: "arn:aws-cn:kinesis:cn-north-1:1:stream/s", Region: "cn-north-1", Account: "1"},
		strings.Repeat("x", 128):                   {Name: strings.Repeat("x", 128)},
	} {
		got, err := ParseStream(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
		require.Equal(t, text, got.String())
	}
	for _, text := range []string{
		"", "two words", "ümlaut", strings.Repeat("x", 129), "arn:aws:kinesis", "arn:aws:s3:::bucket",
		"arn:aws:kinesis:eu-west-1:123456789012:consumer/frames", "arn:aws:kinesis:eu-west-1:123456789012:stream/",
		"arn:aws:kinesis::123456789012:stream/frames", "arn:aws:kinesis:eu-west-1:1:stream/frames/consumer/c:1",
	} {
		_, err := ParseStream(text)
		require.Error(t, err, text)
	}
}

func TestStreamOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, arn string
		ok        bool
	}{
		{"frames", "", true}, {"", framesARN, true}, {"frames", framesARN, true}, {framesARN, framesARN, true}, {framesARN, "", true},
		{"", "", false}, {"other", framesARN, false}, {"frames", "frames", false},
	} {
		s, err := StreamOf(c.name, c.arn)
		require.Equal(t, c.ok, err == nil, "%+v: %v", c, err)
		if c.ok {
			require.Equal(t, "frames", s.Name)
		}
	}
}

func FuzzParseStream(f *testing.F) {
	f.Add("frames")
	f.Add(framesARN)
	f.Add("arn:aws:kinesis:::stream/")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseStream(text)
		if err == nil && (s.Name == "" || s.String() != text) {
			t.Fatalf("%q read as %+v", text, s)
		}
	})
}
