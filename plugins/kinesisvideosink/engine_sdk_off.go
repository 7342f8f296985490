//go:build !kvsproducer

package kinesisvideosink

import "errors"

// sdk would open AWS's producer SDK for C.
func sdk(*opening) (engine, func(), error) {
	return nil, nil, errors.New("engine=sdk: this build has no AWS producer SDK; build it with go build -tags kvsproducer where " +
		"pkg-config finds libcproducer, or leave engine=native")
}
