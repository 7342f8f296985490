package pipeline

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/pipelines"
)

// What pipelines.Quote makes of a string, GStreamer reads as that string, and the rest of the line as it was.
func TestGStreamerReadsWhatWasQuoted(t *testing.T) {
	values := []string{
		"", "plain", "north gate", `it's "a" pass!`, `\`, `end\`, `\\`, `"`, `""`, `"x"`, `'x'`, `'`, "a ! fakesink", "NULL", "null", "(a)", "a. ! b.", "x=y",
		"two\nlines", "tab\there", "ä€😀", "$HOME", "`ls`", "%s", "a\\ b", `\"`, `"\"`, `\040`, " lead", "trail ", "#", ",;:", "{}", "[]", "video/x-raw",
	}
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("ab\\\"' !=\n.;(){}\t0ä")
	for range 300 {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteRune(alphabet[random.IntN(len(alphabet))])
		}
		values = append(values, b.String())
	}
	for _, v := range values {
		line := "filesrc name=one location=" + pipelines.Quote(v) + " ! identity name=two ! filesink location=" + pipelines.Quote(v) + " name=three"
		for _, l := range []string{line, pipelines.Join(pipelines.Words(line))} { // as a preset is run, and as gst-launch-1.0 gets it
			p := gsttest.Parse(t, l)
			for _, name := range []string{"one", "three"} {
				got, _ := p.Element(name).Get("location").(string)
				require.Equal(t, v, got, "%q in %s", v, l)
			}
			require.Len(t, children(p.Object), 3)
			p.Close()
		}
	}
}

func children(o *gst.Object) []string {
	var names []string
	for _, c := range o.Children() {
		names = append(names, c.Name())
		c.Unref()
	}
	return names
}
