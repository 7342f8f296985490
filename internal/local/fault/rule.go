// Package fault makes the embedded endpoint misbehave on purpose: rules say which requests or records go wrong, how
// often, when and how. Rules come from a YAML script (script.go) or from Go and can be added and removed while the
// endpoint runs.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gst-kinesis/internal/local/apierr"
)

// Cut says at which moment a connection is cut.
type Cut string

// The moments. A client cannot tell them apart except by what it finds stored afterwards.
const (
	CutBeforeBody      Cut = "before-body"      // the header was read, nothing else
	CutAfterBody       Cut = "after-body"       // the request was read, nothing was done
	CutAfterProcessing Cut = "after-processing" // the request was carried out, nothing is answered
	CutMidAnswer       Cut = "mid-answer"       // the request was carried out, half of the answer is sent
)

func cuts() []Cut { return []Cut{CutBeforeBody, CutAfterBody, CutAfterProcessing, CutMidAnswer} }

// Failure is an error answer, of a request or of a record.
type Failure struct {
	Code    string
	Message string
	Status  int // HTTP status; ignored for records. 0: 400, or 500 for InternalFailure
}

// Error returns the answer that the failure stands for.
func (f Failure) Error() *apierr.Error {
	e := apierr.New(f.Code, "%s", f.Message)
	switch {
	case f.Status != 0:
		e.Status = f.Status
	case f.Code == apierr.InternalFailure || f.Code == "InternalFailureException":
		e.Status = 500
	case f.Code == "ServiceUnavailable" || f.Code == "ServiceUnavailableException":
		e.Status = 503
	}
	return e
}

// Span is a range of durations of which one is drawn evenly; Least alone when Most is not greater.
type Span struct{ Least, Most time.Duration }

// Rule says what goes wrong and when. The zero value of a condition always holds. Exactly one of Throttle, Error, Record,
// Cut, Garble, Hang and the fields of Media is set; Latency may stand alone or come first.
type Rule struct {
	Name       string   // for logs and errors
	Operations []string // names of operations; empty: all
	Stream     string
	Shard      string // shardId-…; for PutRecords it chooses records

	Probability float64       // 0 stands for 1
	After       int           // let this many matches pass first
	Count       int           // then fire this often; 0: for ever
	From        time.Duration // counted from when the rule was added
	Until       time.Duration // 0: for ever

	Latency  Span
	Throttle bool     // the service's throttling error: of each record in PutRecords, of the request elsewhere
	Error    *Failure // of the whole request
	Record   *Failure // of single records in PutRecords and PutRecord
	Cut      Cut
	Garble   bool          // the request is carried out, the answer is bytes without meaning
	Hang     bool          // nothing is answered and the connection stays open
	HangFor  time.Duration // 0: until the client or the endpoint goes away; then the connection is cut
	Media                  // of PutMedia and GetMedia
}

// actions names the actions that are set.
func (r *Rule) actions() []string {
	var set []string
	for name, on := range r.Media.actions() {
		if on {
			set = append(set, name)
		}
	}
	for name, on := range map[string]bool{"throttle": r.Throttle, "error": r.Error != nil, "record-error": r.Record != nil,
		"cut": r.Cut != "", "garble": r.Garble, "hang": r.Hang} {
		if on {
			set = append(set, name)
		}
	}
	slices.Sort(set)
	return set
}

// Problem is a mistake in a rule. Field is the script's name of the field that has to change.
type Problem struct {
	Field  string
	Remedy string
}

// Error implements error.
func (p *Problem) Error() string {
	if p.Field == "" {
		return p.Remedy
	}
	return p.Field + ": " + p.Remedy
}

// Check returns nil or the first *Problem of a rule. operations are the names that the endpoint knows; nil allows any.
func (r *Rule) Check(operations []string) error {
	for _, op := range r.Operations {
		if operations != nil && !slices.Contains(operations, op) {
			return &Problem{"operation", fmt.Sprintf("there is no operation %q; %s", op, suggest(op, operations))}
		}
	}
	set := r.actions()
	switch {
	case len(set) == 0 && r.Latency == Span{}:
		return &Problem{"", "the rule does nothing: give it one of throttle, error, record-error, cut, garble, hang, acks, error-ack, cut-after, read-rate or latency"}
	case len(set) > 1:
		return &Problem{set[1], fmt.Sprintf("a rule has one action, this one has %s: make a rule of each", strings.Join(set, " and "))}
	}
	return errors.Join(r.checkConditions(), r.checkActions(), r.Media.check(r.Operations))
}

func (r *Rule) checkConditions() error {
	switch {
	case r.Probability < 0 || r.Probability > 1:
		return &Problem{"probability", fmt.Sprintf("%v is not between 0 and 1", r.Probability)}
	case r.After < 0:
		return &Problem{"after", "give the number of matches that pass first, 0 or more"}
	case r.Count < 0:
		return &Problem{"count", "give how often the rule fires, or leave it out for no end"}
	case r.From < 0:
		return &Problem{"from", "give a time of 0s or more after the start"}
	case r.Until != 0 && r.Until <= r.From:
		return &Problem{"until", fmt.Sprintf("%v is not after from (%v)", r.Until, r.From)}
	case r.Latency.Least < 0 || r.Latency.Most < 0:
		return &Problem{"latency", "give a time of 0s or more, such as 200ms, or a range such as 50ms..200ms"}
	}
	return nil
}

func (r *Rule) checkActions() error {
	narrow := r.Stream != "" || r.Shard != ""
	switch {
	case r.Cut != "" && !slices.Contains(cuts(), r.Cut):
		return &Problem{"cut", fmt.Sprintf("%q is no moment: use before-body, after-body, after-processing or mid-answer", r.Cut)}
	case r.Cut == CutBeforeBody && narrow:
		return &Problem{"cut", "before the body is read the endpoint does not know stream and shard: leave those out, or cut after-body"}
	case r.Cut == CutBeforeBody && r.Latency != Span{}:
		return &Problem{"latency", "comes after the body is read, so it cannot go with cut: before-body"}
	case r.Record != nil && r.Latency != Span{}, r.Throttle && r.Latency != Span{}:
		return &Problem{"latency", "delays whole requests, not records: make a rule of its own for it"}
	case r.Record != nil && slices.ContainsFunc(r.Operations, func(op string) bool { return op != putRecords && op != putRecord }):
		return &Problem{"record-error", "only PutRecords and PutRecord have records that fail: use error for other operations"}
	case r.HangFor != 0 && !r.Hang:
		return &Problem{"hang", "needs to be set for a time to hang"}
	}
	for name, f := range map[string]*Failure{"error": r.Error, "record-error": r.Record} {
		if f == nil {
			continue
		}
		if f.Code == "" {
			return &Problem{name, "give the code of the error, such as InternalFailure"}
		}
		if f.Status != 0 && (f.Status < 400 || f.Status > 599) {
			return &Problem{name, fmt.Sprintf("status %d is no error: use 400 to 599", f.Status)}
		}
	}
	return nil
}

// suggest names the operation that was probably meant, or all.
func suggest(op string, operations []string) string {
	for _, spelling := range []string{op, op + "s", strings.TrimSuffix(op, "s")} {
		for _, known := range operations {
			if strings.EqualFold(known, spelling) {
				return fmt.Sprintf("did you mean %s?", known)
			}
		}
	}
	return "use one of " + strings.Join(operations, ", ")
}
