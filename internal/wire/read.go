package wire

import "errors"

// reader pulls the values out of an answer's body. Each value must be taken before the
// next one is asked for. Strings share the body's memory where they can.
type reader interface {
	// openMap takes the start of a map; nextKey then yields its keys until ok is false.
	openMap() error
	nextKey() (key string, ok bool, err error)
	// openList takes the start of a list; nextItem tells whether another item follows.
	openList() error
	nextItem() (ok bool, err error)
	// null takes a null, if there is one.
	null() bool
	// isText tells whether a text comes next.
	isText() bool
	text() (string, error)
	integer() (int64, error)
	// skip takes the next value whatever it is.
	skip() error
}

// Errors of bodies. None of them is an error of the network, as which an unexpected EOF
// would count.
var (
	errCut      = errors.New("the answer ends too early")
	errGarbled  = errors.New("the answer is garbled")
	errTooDeep  = errors.New("the answer is nested too deeply")
	errNoNumber = errors.New("the answer has something else where a number should be")
)

// maxDepth bounds nesting: answers have three levels, what is unknown in them may have
// more.
const maxDepth = 64

// newReader returns the reader of a body, which is read only while it reads. What follows the first value is not looked at,
// as in the SDK's own protocols.
func newReader(f Format, body []byte) reader {
	if f == CBOR {
		return &cborReader{body: string(body)}
	}
	return &jsonReader{raw: body, body: string(body)}
}

// skipMap and skipList take what is in a map or a list, for skip.
func skipMap(r reader) error {
	if err := r.openMap(); err != nil {
		return err
	}
	for {
		_, ok, err := r.nextKey()
		if err != nil || !ok {
			return err
		}
		if err := r.skip(); err != nil {
			return err
		}
	}
}

func skipList(r reader) error {
	if err := r.openList(); err != nil {
		return err
	}
	for {
		ok, err := r.nextItem()
		if err != nil || !ok {
			return err
		}
		if err := r.skip(); err != nil {
			return err
		}
	}
}
