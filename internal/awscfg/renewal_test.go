package awscfg

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"
)

// mint gives credentials that live for a time, numbered on, or fails.
type mint struct {
	life    time.Duration
	failing error
	calls   []time.Time
	given   int
}

func (m *mint) Retrieve(context.Context) (aws.Credentials, error) {
	m.calls = append(m.calls, time.Now())
	if m.failing != nil {
		return aws.Credentials{}, m.failing
	}
	m.given++
	c := aws.Credentials{AccessKeyID: fmt.Sprint("key", m.given), SecretAccessKey: "s"}
	if m.life > 0 {
		c.CanExpire, c.Expires = true, time.Now().Add(m.life)
	}
	return c, nil
}

// renewed runs a test on a cache around a mint, in time of its own.
func renewed(t *testing.T, life, recheck time.Duration, test func(m *mint, told *notices, use func() (string, error))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m, told := &mint{life: life}, new(notices)
		cache := (&Settings{Notice: told.take}).newRenewal(m, "the mint", recheck)
		test(m, told, func() (string, error) {
			c, err := cache.Retrieve(t.Context())
			require.False(t, err == nil && c.Expired())
			return c.AccessKeyID, err
		})
	})
}

func TestRenewalComesBeforeTheEnd(t *testing.T) {
	for life, window := range map[time.Duration]time.Duration{time.Hour: renewalWindow, 15 * time.Minute: 3 * time.Minute, 10 * time.Second: 2 * time.Second} {
		at := map[time.Duration]bool{}
		for range 20 {
			renewed(t, life, 0, func(m *mint, _ *notices, use func() (string, error)) {
				began := time.Now()
				for m.given < 2 {
					_, err := use()
					require.NoError(t, err)
					time.Sleep(life / 1000)
				}
				age := m.calls[1].Sub(began)
				require.LessOrEqual(t, life-window, age+life/500)
				require.LessOrEqual(t, age, life-window/2+life/500)
				at[age.Round(life/1000)] = true
			})
		}
		if life >= 25*time.Minute {
			require.Greater(t, len(at), 3, "devices started together do not ask together")
		}
	}
}

func TestThoseInUseAreKeptWhileTheyHold(t *testing.T) {
	renewed(t, time.Hour, 0, func(m *mint, told *notices, use func() (string, error)) {
		began := time.Now()
		_, err := use()
		require.NoError(t, err)
		m.failing = errors.New("the uplink is down")
		for time.Since(began) < time.Hour-signing {
			key, err := use()
			require.NoError(t, err, time.Since(began))
			require.Equal(t, "key1", key)
			time.Sleep(100 * time.Millisecond)
		}
		require.Len(t, told.all(), 1)
		require.Contains(t, told.all()[0], "the mint")
		require.Contains(t, told.all()[0], "the uplink is down")
		require.Less(t, len(m.calls), 12, "each try holds up requests")
		_, err = use()
		require.ErrorIs(t, err, m.failing, "at their end")
		m.failing = nil
		key, err := use()
		require.NoError(t, err)
		require.Equal(t, "key2", key)

		// Another failure after a success is told again.
		m.failing = errors.New("down again")
		time.Sleep(time.Hour - 10*time.Second)
		key, err = use()
		require.NoError(t, err)
		require.Equal(t, "key2", key)
		require.Len(t, told.all(), 2)
	})
}

func TestWhatHasNoEndIsLookedAtAgain(t *testing.T) {
	for _, life := range []time.Duration{0, 12 * time.Hour} {
		renewed(t, life, fileRecheck, func(m *mint, told *notices, use func() (string, error)) {
			for range 100 {
				_, err := use()
				require.NoError(t, err)
				time.Sleep(fileRecheck / 10)
			}
			require.Equal(t, 10, m.given)
			m.failing = errors.New("no such file")
			for range 100 {
				key, err := use()
				require.NoError(t, err)
				require.Equal(t, "key10", key)
				time.Sleep(fileRecheck / 10)
			}
			require.Len(t, told.all(), 1)
		})
	}
}

// stuck never answers.
type stuck struct{}

func (stuck) Retrieve(ctx context.Context) (aws.Credentials, error) {
	<-ctx.Done()
	return aws.Credentials{}, ctx.Err()
}

// TestARenewalIsBounded: the SDK's cache keeps the bound of the caller from it, and lets all wait for one renewal.
func TestARenewalIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := new(Settings).newRenewal(stuck{}, "nobody", 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := cache.Retrieve(ctx)
		require.Error(t, err)
		require.Equal(t, time.Second, time.Since(began), "the caller goes when its time is over")
		_, err = cache.Retrieve(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, renewalTimeout, time.Since(began), "and so does the renewal")
	})
}
