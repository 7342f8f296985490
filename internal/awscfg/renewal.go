package awscfg

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gst-kinesis/internal/awserr"
)

const (
	// renewalWindow is how long before the end of credentials new ones are asked for, at most
	// and at least half of it, so that devices started together do not all ask at once. Of
	// those that live for less than 25 minutes it is the last fifth.
	renewalWindow = 5 * time.Minute
	renewalJitter = 0.5
	renewalShare  = 5
	// renewalRetry is how long credentials that could not be renewed are used before that is
	// tried again, at first; it doubles up to renewalRetryMost, as requests wait for each try.
	// signing is how long before their end they are not used any more.
	renewalRetry     = 15 * time.Second
	renewalRetryMost = time.Minute
	signing          = 2 * time.Second
	// renewalTimeout bounds a renewal, which the SDK's cache keeps from the caller's bound.
	renewalTimeout = 30 * time.Second
)

// renewal is a provider whose credentials are renewed before their end, and kept until
// then where that fails: it is tried again, and a person hears of it once. It serves one
// aws.CredentialsCache, which calls it from one goroutine at a time.
type renewal struct {
	source  aws.CredentialsProvider
	recheck time.Duration // asked for again after this, whatever their end; 0: not
	notice  func(text string)
	what    string // that is renewed, for the notice
	now     func() time.Time

	mu       sync.Mutex
	end      time.Time // of those in use; zero: they have none
	fixed    time.Time // an Expires that holds as it is
	failures int       // of renewals, since the last that worked
}

// newRenewal gives a cache around a provider.
func (s *Settings) newRenewal(source aws.CredentialsProvider, what string, recheck time.Duration) *aws.CredentialsCache {
	r := &renewal{source: source, recheck: recheck, notice: s.Notice, what: what, now: time.Now}
	return aws.NewCredentialsCache(r, func(o *aws.CredentialsCacheOptions) {
		o.ExpiryWindow, o.ExpiryWindowJitterFrac = renewalWindow, renewalJitter
	})
}

// Retrieve implements aws.CredentialsProvider.
func (r *renewal) Retrieve(ctx context.Context) (aws.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, renewalTimeout)
	defer cancel()
	c, err := r.source.Retrieve(ctx)
	if err != nil {
		return c, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end, r.failures, r.fixed = time.Time{}, 0, time.Time{}
	if c.CanExpire {
		r.end = c.Expires
	}
	if again := r.now().Add(r.recheck); r.recheck > 0 && (!c.CanExpire || r.window(c.Expires, renewalWindow).After(again)) {
		c.CanExpire, c.Expires, r.fixed = true, again, again
	}
	return c, nil
}

// HandleFailToRefresh implements aws.HandleFailRefreshCredentialsCacheStrategy.
func (r *renewal) HandleFailToRefresh(_ context.Context, old aws.Credentials, err error) (aws.Credentials, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	last := now.Add(min(renewalRetry<<min(r.failures, 8), renewalRetryMost))
	if !r.end.IsZero() {
		last = earlier(last, r.end.Add(-signing))
	}
	if !old.HasKeys() || !last.After(now) {
		return aws.Credentials{}, err
	}
	old.CanExpire, old.Expires, r.fixed = true, last, last
	if r.failures++; r.failures == 1 && r.notice != nil {
		r.notice(r.kept(err))
	}
	return old, nil
}

// kept words that a renewal failed.
func (r *renewal) kept(err error) string {
	text := "renewing the credentials of " + r.what + " failed; those in use hold"
	if !r.end.IsZero() {
		text += " until " + r.end.UTC().Format(time.RFC3339)
	}
	var known *awserr.Known
	if errors.As(err, &known) {
		return text + ", and it is tried again: " + known.Error()
	}
	f := awserr.Classify(err, awserr.Subject{})
	return text + ", and it is tried again: " + (&awserr.Known{Fault: f}).Error()
}

// AdjustExpiresBy implements aws.AdjustExpiresByCredentialsCacheStrategy.
func (r *renewal) AdjustExpiresBy(c aws.Credentials, by time.Duration) (aws.Credentials, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.CanExpire && !c.Expires.Equal(r.fixed) {
		c.Expires = r.window(c.Expires, -by)
	}
	return c, nil
}

// window gives when credentials are to be renewed that end then.
func (r *renewal) window(end time.Time, before time.Duration) time.Time {
	return end.Add(-min(before, end.Sub(r.now())/renewalShare))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
