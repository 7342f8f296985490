package awscfg

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// maxVideoNameChars is how long a video stream's name may be; its letters are those of a data stream's.
const maxVideoNameChars = 256

// ParseVideoStream reads a video stream's name or ARN: arn:aws:kinesisvideo:REGION:ACCOUNT:stream/NAME/NUMBER.
func ParseVideoStream(nameOrARN string) (Stream, error) {
	if !arn.IsARN(nameOrARN) {
		if err := validateNameTo(nameOrARN, maxVideoNameChars); err != nil {
			return Stream{}, err
		}
		return Stream{Name: nameOrARN}, nil
	}
	a, err := arn.Parse(nameOrARN)
	if err != nil {
		return Stream{}, fmt.Errorf("reading stream-arn %q: %w", nameOrARN, err)
	}
	resource, ok := strings.CutPrefix(a.Resource, "stream/")
	name, _, created := strings.Cut(resource, "/")
	switch {
	case a.Service != "kinesisvideo":
		return Stream{}, fmt.Errorf("reading stream-arn %q: service is %q and not kinesisvideo", nameOrARN, a.Service)
	case !ok || !created:
		return Stream{}, fmt.Errorf("reading stream-arn %q: it names no stream (arn:aws:kinesisvideo:REGION:ACCOUNT:stream/NAME/NUMBER)", nameOrARN)
	case a.Region == "":
		return Stream{}, fmt.Errorf("reading stream-arn %q: it has no region", nameOrARN)
	}
	if err := validateNameTo(name, maxVideoNameChars); err != nil {
		return Stream{}, fmt.Errorf("reading stream-arn %q: %w", nameOrARN, err)
	}
	return Stream{Name: name, ARN: nameOrARN, Region: a.Region, Account: a.AccountID}, nil
}
