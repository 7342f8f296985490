package kinesissink_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
	"gst-kinesis/internal/local"
	"gst-kinesis/internal/local/localtest"
)

// TestWhatIsNotAllowedIsFoundBeforeTheFirstBuffer: no buffer ever comes, and the error tells what to do.
func TestWhatIsNotAllowedIsFoundBeforeTheFirstBuffer(t *testing.T) {
	denied := local.Rule{Operations: []string{"PutRecords"}, Error: &local.Failure{Code: "AccessDeniedException", Message: "User: cam is not authorized"}}
	for name, c := range map[string]struct {
		set    local.Settings
		code   string
		remedy string
	}{
		"permission": {local.Settings{Faults: []local.Rule{denied}, Create: []local.StreamSpec{{Name: "s", Shards: 1}}}, "AccessDeniedException", "kinesis:PutRecords"},
		"stream":     {local.Settings{}, "ResourceNotFoundException", "gst-kinesis stream create s"},
	} {
		for _, wire := range []string{"cbor", "json"} {
			t.Run(name+" "+wire, func(t *testing.T) {
				srv := localtest.Start(t, c.set)
				p := gsttest.Parse(t, fmt.Sprintf("appsrc ! kinesissink name=k async=false check=dry-run stream-name=s region=eu-central-1 access-key=k secret-access-key=s "+
					"endpoint-uri=%s wire=%s", srv.URL(), wire))
				began := time.Now()
				p.Play()
				m := p.Await(gst.MessageError)
				require.Less(t, time.Since(began), 5*time.Second)
				require.Equal(t, c.code, m.Structure.Str("aws-error-code"))
				require.NotEmpty(t, m.Structure.Str("request-id"))
				require.Contains(t, m.Structure.Str("remedy"), c.remedy)
				require.Zero(t, stats(p.Element("k")).Uint64("records-accepted"))
			})
		}
	}
}
