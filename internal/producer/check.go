package producer

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"gst-kinesis/internal/awserr"
)

// NoticeStored is the code of the Notice that a check stored its record.
const NoticeStored = "CheckStored"

const (
	// dryRunCode is how the service says that a request with DryRun would have succeeded.
	dryRunCode = "DryRunOperationException"
	// checkKey is the partition key of the record that is not to be stored, and its data.
	checkKey = "gst-kinesis-check"
	// checkPatience bounds the first try, so that a service that never answers is told within 2 s;
	// later ones have the request's own bound.
	checkPatience = 1500 * time.Millisecond
)

// WithCheck lets the producer ask at its start, by PutRecords with DryRun, whether it may
// write, so that what stands in the way is found before there is a record: permissions, the
// stream, its key. It runs behind the check of WithCredentials, beside everything else, and
// what it finds is told as for a request. Nothing is stored, except by an endpoint that does
// not know DryRun and ignores it: that stores one record of 17 bytes, and the observer is
// told so (NoticeStored).
func WithCheck() Option { return func(p *Producer) { p.hooks.rehearse = true } }

// checkStart finds what stands in the way before the first record does.
func (p *Producer) checkStart() {
	if p.hooks.check != nil && !p.insist(func(int) error { return p.hooks.check(p.base) }) {
		return
	}
	if p.hooks.rehearse {
		p.insist(p.rehearse)
	}
}

// insist tries until it works; it reports false if it is not to be tried again. n counts from 1.
func (p *Producer) insist(try func(n int) error) bool {
	for n := 1; ; n++ {
		err := try(n)
		if err == nil {
			return true
		}
		if p.base.Err() != nil {
			return false
		}
		wait, again := p.settleCheck(awserr.Classify(err, p.subject), err, n)
		if !again || !p.sleep(wait) {
			return false
		}
	}
}

// rehearse asks whether a record would be taken. Credentials that have expired are
// refreshed, and a clock's skew is learned, once, as for a request.
func (p *Producer) rehearse(n int) error {
	for chances := 0; ; chances++ {
		err := p.dryRun(n)
		class := awserr.Classify(err, p.subject).Class
		if err == nil || chances > 0 || class != awserr.Expired && class != awserr.ClockSkew {
			return err
		}
		if class == awserr.Expired && p.hooks.refresh != nil {
			p.hooks.refresh()
		}
	}
}

func (p *Producer) dryRun(n int) error {
	patience := p.settings.RequestTimeout
	if n == 1 {
		patience = min(patience, checkPatience)
	}
	ctx, cancel := context.WithTimeout(p.base, patience)
	defer cancel()
	in := &kinesis.PutRecordsInput{
		DryRun:  aws.Bool(true),
		Records: []types.PutRecordsRequestEntry{{Data: []byte(checkKey), PartitionKey: aws.String(checkKey)}},
	}
	if p.settings.StreamARN != "" {
		in.StreamARN = &p.settings.StreamARN
	} else {
		in.StreamName = &p.settings.Stream
	}
	_, err := p.client.PutRecords(ctx, in, p.noRetry...)
	var dry *types.DryRunOperationException
	switch {
	case err == nil:
		p.observer.Noticed(Notice{Code: NoticeStored, Text: "the endpoint does not know DryRun: the check was taken for a record of " +
			"partition key " + checkKey + "; leave check=dry-run out where that matters"})
		return nil
	case errors.As(err, &dry), awserr.Classify(err, p.subject).Code == dryRunCode:
		return nil
	}
	return err
}
