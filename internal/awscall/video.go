package awscall

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"

	"gst-kinesis/internal/awscfg"
)

// KinesisVideo is Kinesis Video Streams: control plane and media are signed alike.
func KinesisVideo() Service { return Service{ID: "Kinesis Video", SigningName: "kinesisvideo"} }

// VideoControl returns a client of the control plane on the session's connection pool. It has the SDK's retries.
func VideoControl(session *awscfg.Session, options ...func(*kinesisvideo.Options)) *kinesisvideo.Client {
	ours := func(o *kinesisvideo.Options) {
		o.HTTPClient = awscfg.Steady(session.HTTPClient())
		if endpoint := session.Endpoint(); endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
	}
	return kinesisvideo.NewFromConfig(session.Config(), append([]func(*kinesisvideo.Options){ours}, options...)...)
}
