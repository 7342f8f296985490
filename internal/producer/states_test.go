package producer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
)

// The permanent errors of the table, as the SDK returns them.
func permanentErrors() map[string]error {
	return map[string]error{
		"UnrecognizedClientException": apiError("UnrecognizedClientException", 400),
		"InvalidSignatureException":   apiError("InvalidSignatureException", 403),
		"AccessDeniedException":       apiError("AccessDeniedException", 400),
		"ResourceNotFoundException":   apiError("ResourceNotFoundException", 400),
		"InvalidArgumentException":    apiError("InvalidArgumentException", 400),
		"KMSAccessDeniedException":    apiError("KMSAccessDeniedException", 400),
		"ExpiredTokenException":       apiError("ExpiredTokenException", 400),
		awserr.CodeUntrusted:          &net.OpError{Op: "remote", Err: x509.UnknownAuthorityError{}},
		awserr.CodeNoCredentials:      errors.New("get identity: get credentials: none"),
	}
}

func failWith(err error, from int) func(int, []stored) (bool, error) {
	return func(call int, _ []stored) (bool, error) {
		if call >= from {
			return false, err
		}
		return false, nil
	}
}

func TestPermanentAtStart(t *testing.T) {
	for code, err := range permanentErrors() {
		t.Run(code, func(t *testing.T) {
			bench(t, func(_ *Settings, f *fakeClient) { f.script = failWith(err, 1) }, func(r *rig) {
				r.putN("k", 3)
				r.settle(5 * time.Second)
				require.Len(r, r.heard().failures, 1)
				require.Less(r, r.heard().failedAt[0].Sub(r.began), time.Second)
				f := r.heard().failures[0]
				require.Equal(r, code, f.Code)
				require.Equal(r, "frames", f.Stream)
				require.Equal(r, "eu-west-1", f.Region)
				require.NotEmpty(r, f.Remedy)
				require.Equal(r, 1, f.Count)
				var api interface{ ErrorCode() string }
				if errors.As(err, &api) {
					require.Equal(r, "request-1", f.RequestID)
					require.NotZero(r, f.HTTPStatus)
					require.Contains(r, f.Error(), "request-1")
				}
				require.EqualValues(r, 3, r.p.Books().Dropped[code].Records)
				require.Len(r, r.heard().lost[code], 3)

				putErr := r.p.Put(context.Background(), r.record("k", "x"))
				require.ErrorIs(r, putErr, ErrFailed)
				var trouble Trouble
				require.ErrorAs(r, putErr, &trouble)
				require.Equal(r, code, trouble.Code)
				require.ErrorIs(r, r.p.Flush(context.Background()), ErrFailed)
			})
		})
	}
}

func TestPermanentWhileRunning(t *testing.T) {
	for code, err := range permanentErrors() {
		t.Run(code, func(t *testing.T) {
			bench(t, func(s *Settings, f *fakeClient) {
				s.PermanentGrace = 10 * time.Second
				f.script = failWith(err, 2)
			}, func(r *rig) {
				r.put("k", "first")
				r.flush()
				began := time.Now()
				r.put("k", "x")
				r.settle(2 * time.Second)
				require.NotEmpty(r, r.heard().troubles)
				first := r.heard().troubles[0]
				if first.Class == awserr.RecordFault { // one refused argument may be the record's
					require.Equal(r, "InvalidArgumentException", code)
					return
				}
				require.Equal(r, code, first.Code)
				require.NotEmpty(r, first.Remedy)
				require.Empty(r, r.heard().failures)
				require.EqualValues(r, 1, r.p.Books().InFlight.Records, "kept while there is hope")
				r.settle(12 * time.Second)
				require.Len(r, r.heard().failures, 1)
				took := r.heard().failedAt[0].Sub(began)
				require.GreaterOrEqual(r, took, 10*time.Second)
				require.Less(r, took, 13*time.Second)
				require.EqualValues(r, 1, r.p.Books().Dropped[code].Records)
			})
		})
	}
}

func TestPermanentThatIsMendedInTime(t *testing.T) {
	bench(t, func(_ *Settings, f *fakeClient) {
		began := time.Now()
		f.script = func(call int, _ []stored) (bool, error) {
			if since := time.Since(began); call > 1 && since < 20*time.Second {
				return false, apiError("AccessDeniedException", 400)
			}
			return false, nil
		}
	}, func(r *rig) {
		r.put("k", "0000")
		r.flush()
		r.put("k", "0001")
		r.settle(25 * time.Second)
		r.inOrder(r.c.all(), 2)
		require.Empty(r, r.heard().failures)
		require.Len(r, r.heard().recoveries, 1)
		require.InDelta(r, 20, r.heard().recoveries[0].Lasted.Seconds(), 2.5)
	})
}

func TestPermanentWhileDraining(t *testing.T) {
	for code, err := range permanentErrors() {
		if code == "InvalidArgumentException" {
			continue // taken for the record's
		}
		t.Run(code, func(t *testing.T) {
			bench(t, func(s *Settings, f *fakeClient) {
				s.MaxBatchRecords, s.Linger = 10, time.Hour
				f.script = failWith(err, 2)
			}, func(r *rig) {
				r.putN("k", 10)
				r.settle(time.Second)
				for i := range 35 {
					r.put(fmt.Sprint(i%3), "x")
				}
				require.NoError(r, r.p.Flush(context.Background()))
				require.Less(r, r.since(), 5*time.Second, "not all of drain-timeout")
				require.EqualValues(r, 10, r.p.Books().Delivered.Records)
				require.EqualValues(r, 35, r.p.Books().Dropped[code].Records)
				r.settle(2 * time.Second)
				require.Empty(r, r.heard().failures)
				told := 0
				for _, trouble := range r.heard().troubles {
					if trouble.Reason == code {
						told += trouble.Records
					}
				}
				require.Equal(r, 35, told)
			})
		})
	}
}

func TestPermanentAtStartWhileDrainingFails(t *testing.T) {
	bench(t, func(_ *Settings, f *fakeClient) { f.script = failWith(apiError("AccessDeniedException", 400), 1) }, func(r *rig) {
		r.put("k", "x")
		require.ErrorIs(r, r.p.Flush(context.Background()), ErrFailed)
		r.settle(0)
		require.Len(r, r.heard().failures, 1)
	})
}

func TestTransientIsToldAndRetriedForEver(t *testing.T) {
	for name, err := range map[string]error{
		"refused": &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED},
		"dns":     &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true},
		"500":     apiError("InternalFailure", 500),
		"kms":     apiError("KMSThrottlingException", 400),
	} {
		t.Run(name, func(t *testing.T) {
			bench(t, func(_ *Settings, f *fakeClient) {
				began := time.Now()
				f.script = func(int, []stored) (bool, error) {
					if time.Since(began) < time.Hour {
						return false, err
					}
					return false, nil
				}
			}, func(r *rig) {
				r.put("k", "0000")
				r.settle(time.Hour + 10*time.Second)
				r.inOrder(r.c.all(), 1)
				heard, sum := r.heard(), 0
				require.Empty(r, heard.failures)
				require.Less(r, heard.troubleAt[0].Sub(r.began), 2*time.Second)
				for i, trouble := range heard.troubles {
					sum += trouble.Count
					if i > 0 {
						require.GreaterOrEqual(r, heard.troubleAt[i].Sub(heard.troubleAt[i-1]), time.Second)
					}
				}
				require.Len(r, heard.recoveries, 1)
				require.Equal(r, r.c.callCount()-1, sum+heard.recoveries[0].Failures, "every failure is counted in what was told")
				require.InDelta(r, time.Hour.Seconds(), heard.recoveries[0].Lasted.Seconds(), 10)
			})
		})
	}
}

func TestASilentServiceIsToldWithinTwoSeconds(t *testing.T) {
	bench(t, hang, func(r *rig) {
		r.put("k", "x")
		r.settle(2 * time.Second)
		require.Len(r, r.heard().troubles, 1)
		require.Equal(r, awserr.CodeTimeout, r.heard().troubles[0].Code)
		require.Equal(r, awserr.Transient, r.heard().troubles[0].Class)
		require.Contains(r, r.heard().troubles[0].Message, "no answer for 2s")
	})
}

func TestASlowServiceIsNotATrouble(t *testing.T) {
	var slow atomic.Bool
	bench(t, func(s *Settings, f *fakeClient) {
		s.Linger = 0
		f.latency = func() time.Duration {
			if slow.Load() {
				return 3500 * time.Millisecond
			}
			return 1900 * time.Millisecond
		}
	}, func(r *rig) {
		r.put("k", "x")
		r.settle(2 * time.Second)
		slow.Store(true) // slower, but by less than twice
		r.put("k", "x")
		r.settle(5 * time.Second)
		require.Empty(r, r.heard().troubles)
	})
}

func TestStartTimeout(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	t.Run("counts from the first try", func(t *testing.T) {
		bench(t, func(s *Settings, f *fakeClient) { s.StartTimeout = 5 * time.Second; f.script = failWith(refused, 1) }, func(r *rig) {
			r.settle(20 * time.Second)
			require.Empty(r, r.heard().failures)
			r.put("k", "x")
			r.settle(6 * time.Second)
			require.Len(r, r.heard().failures, 1)
			require.Equal(r, awserr.CodeRefused, r.heard().failures[0].Code)
			require.InDelta(r, 25, r.heard().failedAt[0].Sub(r.began).Seconds(), 0.1)
			require.Len(r, r.heard().lost[ReasonStartTimeout], 1)
		})
	})
	t.Run("also when nobody answers", func(t *testing.T) {
		bench(t, func(s *Settings, f *fakeClient) { hang(s, f); s.StartTimeout = 5 * time.Second }, func(r *rig) {
			r.put("k", "x")
			r.settle(6 * time.Second)
			require.Len(r, r.heard().failures, 1)
			require.Equal(r, awserr.CodeTimeout, r.heard().failures[0].Code)
		})
	})
	t.Run("not once something was delivered", func(t *testing.T) {
		bench(t, func(s *Settings, f *fakeClient) {
			s.StartTimeout, s.StopTimeout = 5*time.Second, 0
			f.script = failWith(refused, 2)
		}, func(r *rig) {
			r.put("k", "x")
			r.flush()
			r.put("k", "x")
			r.settle(time.Minute)
			require.Empty(r, r.heard().failures)
		})
	})
}

func TestMildThrottlingIsToldWithoutFlapping(t *testing.T) {
	bench(t, func(_ *Settings, f *fakeClient) {
		f.recordFault = func(call int, r stored) (string, string) {
			if call%3 == 0 && r.data == "x" {
				return "ProvisionedThroughputExceededException", ""
			}
			return "", ""
		}
	}, func(r *rig) {
		for range 1000 {
			r.put("k", "x")
			r.settle(10 * time.Millisecond)
		}
		r.flush()
		require.Empty(r, r.heard().recoveries)
		require.InDelta(r, 10, len(r.heard().troubles), 3)
		require.Equal(r, awserr.Throttled, r.heard().troubles[0].Class)
		require.Contains(r, r.heard().troubles[0].Remedy, "shards")
		r.settle(2 * time.Second)
		require.Len(r, r.heard().recoveries, 1)
	})
}

func TestPerRecordPermanentCode(t *testing.T) {
	bench(t, func(_ *Settings, f *fakeClient) {
		f.recordFault = func(call int, r stored) (string, string) {
			if r.data == "bad" {
				return "KMSDisabledException", "the key is disabled"
			}
			return "", ""
		}
	}, func(r *rig) {
		r.put("k", "good")
		r.put("l", "bad")
		r.settle(40 * time.Second)
		require.Len(r, r.heard().failures, 1, "after permanent-grace, as something was delivered")
		require.Equal(r, "KMSDisabledException", r.heard().failures[0].Code)
		require.Len(r, r.heard().lost["KMSDisabledException"], 1)
	})
}

func TestPerRecordRefusal(t *testing.T) {
	bench(t, func(_ *Settings, f *fakeClient) {
		f.recordFault = func(_ int, r stored) (string, string) {
			if r.data == "bad" {
				return "ValidationException", "no"
			}
			return "", ""
		}
	}, func(r *rig) {
		r.put("k", "bad")
		r.put("k", "good")
		r.flush()
		r.settle(0)
		require.Equal(r, []string{"good"}, datas(r.c.all()))
		require.Len(r, r.heard().lost["ValidationException"], 1)
		require.Equal(r, "ValidationException", r.heard().troubles[0].Reason)
		require.Equal(r, 1, r.c.callCount())
	})
}

func TestARecoveryDoesNotSwallowWhatIsToldOfRecords(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) {
		s.MaxRecordSize = 10
		f.script = func(call int, _ []stored) (bool, error) {
			if call == 1 {
				return false, apiError("InternalFailure", 500)
			}
			return false, nil
		}
	}, func(r *rig) {
		r.put("k", "x")
		r.settle(500 * time.Millisecond)
		r.put("k", "much too large") // told at once
		r.settle(200 * time.Millisecond)
		r.put("k", "much too large") // to be told a second later, after the recovery
		r.settle(3 * time.Second)
		heard, oversize := r.heard(), 0
		for _, trouble := range heard.troubles {
			if trouble.Reason == ReasonOversize {
				oversize += trouble.Count
			}
		}
		require.Equal(r, 2, oversize)
		require.Len(r, heard.recoveries, 1)
		require.Zero(r, heard.recoveries[0].Failures)
	})
}
