package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Operations that stream media, in whose course a rule may strike.
const (
	putMedia = "PutMedia"
	getMedia = "GetMedia"
)

// Acks says what becomes of the acknowledgements of a session of PutMedia.
type Acks struct {
	Never bool          // none is sent, whatever is stored
	Late  time.Duration // each is sent so much later
}

// ErrorAck is an ERROR acknowledgement in a session of PutMedia, which it ends.
type ErrorAck struct {
	ID       int // such as 4006 or 5001
	Fragment int // of the session, from 1: the error comes in place of its RECEIVED, and it is not stored. 0 stands for 1
}

// Media is what a rule does to the media on a connection of PutMedia, or of GetMedia where it says so.
type Media struct {
	Acks     *Acks
	ErrorAck *ErrorAck
	CutAfter int64 // bytes of PutMedia's body or GetMedia's answer, then the connection is cut
	ReadRate int64 // bytes a second of PutMedia's body that are read, or of GetMedia's answer that are sent
}

// actions are those that are set, by the names in a script.
func (m *Media) actions() map[string]bool {
	return map[string]bool{"acks": m.Acks != nil, "error-ack": m.ErrorAck != nil, "cut-after": m.CutAfter != 0, "read-rate": m.ReadRate != 0}
}

// check returns nil or the first *Problem. operations are the rule's.
func (m *Media) check(operations []string) error {
	for name, set := range m.actions() {
		if !set {
			continue
		}
		allowed := []string{putMedia}
		if name == "cut-after" || name == "read-rate" {
			allowed = []string{putMedia, getMedia}
		}
		if len(operations) == 0 || slices.ContainsFunc(operations, func(op string) bool { return !slices.Contains(allowed, op) }) {
			return &Problem{name, "give the rule operation: " + strings.Join(allowed, " or ") + ", it is about their media alone"}
		}
	}
	switch {
	case m.CutAfter < 0:
		return &Problem{"cut-after", "give a number of bytes, such as 100kB"}
	case m.ReadRate < 0:
		return &Problem{"read-rate", "give bytes a second, such as 64kB"}
	case m.Acks != nil && (m.Acks.Late < 0 || m.Acks.Never == (m.Acks.Late > 0)):
		return &Problem{"acks", "give never, or late with a time, such as late 2s"}
	case m.ErrorAck != nil && (m.ErrorAck.ID < 4000 || m.ErrorAck.ID > 5999 || m.ErrorAck.Fragment < 0):
		return &Problem{"error-ack", "give an id from 4000 to 5999 and the fragment's place in the session, such as 4006 at fragment 4"}
	}
	return nil
}

// media reads the fields of a script.
func (y *yamlRule) media() (m Media, err error) {
	if text := y.Acks.plain(); text != "" {
		m.Acks = &Acks{Never: text == "never"}
		late, found := strings.CutPrefix(text, "late ")
		if found {
			m.Acks.Late, err = raw(strings.TrimSpace(late)).duration("acks")
		} else if !m.Acks.Never {
			err = &Problem{"acks", fmt.Sprintf("%q is neither never nor late with a time, such as late 2s", text)}
		}
	}
	if text := y.ErrorAck.plain(); text != "" && err == nil {
		m.ErrorAck = &ErrorAck{}
		id, place, found := strings.Cut(text, " at fragment ")
		var idErr, placeErr error
		m.ErrorAck.ID, idErr = strconv.Atoi(strings.TrimSpace(id))
		if found {
			m.ErrorAck.Fragment, placeErr = strconv.Atoi(strings.TrimSpace(place))
		}
		if idErr != nil || placeErr != nil {
			err = &Problem{"error-ack", fmt.Sprintf("%q is no error: give such as 4006 at fragment 4", text)}
		}
	}
	if err == nil {
		m.CutAfter, err = y.CutAfter.bytes("cut-after")
	}
	if err == nil {
		m.ReadRate, err = y.ReadRate.bytes("read-rate")
	}
	return m, err
}

// bytes reads a number of bytes, with a unit or without.
func (r raw) bytes(field string) (int64, error) {
	text := strings.TrimSuffix(r.plain(), "/s")
	if text == "" {
		return 0, nil
	}
	digits := strings.TrimRight(text, " BKMikmb")
	unit := strings.ToLower(strings.TrimSpace(text[len(digits):]))
	factor, known := map[string]int64{"": 1, "b": 1, "kb": 1000, "kib": 1 << 10, "mb": 1e6, "mib": 1 << 20}[unit]
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || !known || n < 1 {
		return 0, &Problem{field, fmt.Sprintf("%q is no number of bytes: give such as 1500, 100kB or 2MiB", r.plain())}
	}
	return n * factor, nil
}
