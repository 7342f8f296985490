package producer

import (
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// apiError is an error as the SDK returns it for an answer of the service.
func apiError(code string, status int, message ...string) error {
	text := "said the service"
	if len(message) > 0 {
		text = message[0]
	}
	return &smithy.OperationError{
		ServiceID: "Kinesis", OperationName: "PutRecords",
		Err: &awshttp.ResponseError{
			RequestID: "request-1",
			ResponseError: &smithyhttp.ResponseError{
				Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
				Err:      &smithy.GenericAPIError{Code: code, Message: text},
			},
		},
	}
}
