package producer

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/shard"
)

func TestOnlyTheFailedRecordsAreSentAgain(t *testing.T) {
	for _, code := range []string{"ProvisionedThroughputExceededException", "InternalFailure", "KMSThrottlingException", "NeverHeardOf"} {
		t.Run(code, func(t *testing.T) {
			bench(t, func(_ *Settings, c *fakeClient) {
				c.recordFault = func(call int, r stored) (string, string) {
					if call == 1 && r.data >= "0003" && r.data < "0006" {
						return code, "Rate exceeded for shard shardId-000000000000"
					}
					return "", ""
				}
			}, func(r *rig) {
				r.putN("k", 10)
				r.flush()
				require.Equal(r, []int{10, 3}, r.c.requests())
				require.Equal(r, []string{"0003", "0004", "0005"}, datas(r.c.all())[7:])
				require.EqualValues(r, 3, r.p.Stats().Retries)
				require.Zero(r, r.p.Books().PossibleDuplicates)
				require.Equal(r, 2, r.heard().deliveries[9].Tries)
			})
		})
	}
}

func TestARetriedRecordGoesInFrontOfItsKey(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		s.Linger = 0
		c.recordFault = func(call int, r stored) (string, string) {
			if call <= 3 && r.data == "0000" {
				return "InternalFailure", ""
			}
			return "", ""
		}
	}, func(r *rig) {
		r.put("k", "0000")
		r.settle(0)
		for i := 1; i < 20; i++ {
			r.put("k", fmt.Sprintf("%04d", i))
		}
		r.flush()
		all := r.c.all()
		require.Equal(r, "0000", all[0].data, "sent alone until it is taken, the others wait behind")
		r.inOrder(all, 20)
	})
}

func TestAThrottledShardHoldsUpNobodyElse(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		c.shards = 2
		throttledUntil := time.Now().Add(10 * time.Second)
		c.recordFault = func(_ int, r stored) (string, string) {
			if r.shard == "shardId-000000000000" && time.Now().Before(throttledUntil) {
				return "ProvisionedThroughputExceededException", ""
			}
			return "", ""
		}
	}, func(r *rig) {
		var cold, hot string // keys on either shard
		for i := 0; cold == "" || hot == ""; i++ {
			key := fmt.Sprint("key", i)
			if shard.EvenRanges(2)[0].Contains(shard.HashKey(key)) {
				hot = key
			} else {
				cold = key
			}
		}
		for i := range 1000 {
			r.put(hot, fmt.Sprintf("%04d", i))
			r.put(cold, fmt.Sprintf("%04d", i))
			time.Sleep(10 * time.Millisecond)
		}
		r.flush()
		worst, delivered := map[string]time.Duration{}, map[string][]stored{}
		for _, d := range r.heard().deliveries {
			worst[d.PartitionKey] = max(worst[d.PartitionKey], d.Latency)
		}
		for _, s := range r.c.all() {
			delivered[s.key] = append(delivered[s.key], s)
		}
		require.Less(r, worst[cold], 100*time.Millisecond)
		require.Greater(r, worst[hot], 9*time.Second)
		r.inOrder(delivered[cold], 1000)
		require.Len(r, delivered[hot], 1000)
		require.Less(r, r.c.callCount(), 1100, "a throttled shard is not hammered")
	})
}

func TestAWholeFailedRequestIsSentAgain(t *testing.T) {
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		name string
		err  error
		dups int64
	}{
		{"500", apiError("InternalFailure", 500), 3},
		{"503", apiError("ServiceUnavailable", 503), 3},
		{"unknown 5xx", apiError("Whatever", 599), 3},
		{"throttled", apiError("ProvisionedThroughputExceededException", 400), 0},
		{"limit", apiError("LimitExceededException", 400), 0},
		{"kms throttle", apiError("KMSThrottlingException", 400), 0},
		{"in use", apiError("ResourceInUseException", 400), 3},
		{"reset", reset, 3},
		{"refused", refused, 0},
		{"dns", &net.DNSError{Err: "no such host", Name: "kinesis.nowhere", IsNotFound: true}, 0},
		{"unknown", errors.New("what is this"), 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			bench(t, func(_ *Settings, f *fakeClient) {
				f.script = func(call int, _ []stored) (bool, error) {
					if call <= 2 {
						return false, c.err
					}
					return false, nil
				}
			}, func(r *rig) {
				r.putN("k", 3)
				r.flush()
				require.Equal(r, []int{3, 3, 3}, r.c.requests())
				r.inOrder(r.c.all(), 3)
				require.Equal(r, 2*c.dups, r.p.Books().PossibleDuplicates)
				require.EqualValues(r, 2, r.p.Stats().FailedRequests)
				require.NotEmpty(r, r.heard().troubles)
				require.Equal(r, 3, r.heard().deliveries[0].Tries)
			})
		})
	}
}

func TestAnswersThatDoNotFitAreRetriedAndSaid(t *testing.T) {
	for name, mangle := range map[string]func(*kinesis.PutRecordsOutput){
		"too few":       func(o *kinesis.PutRecordsOutput) { o.Records = o.Records[:1] },
		"none":          func(o *kinesis.PutRecordsOutput) { o.Records = nil },
		"too many":      func(o *kinesis.PutRecordsOutput) { o.Records = append(o.Records, o.Records[0]) },
		"nothing in it": func(o *kinesis.PutRecordsOutput) { clear(o.Records) },
	} {
		t.Run(name, func(t *testing.T) {
			bench(t, func(_ *Settings, f *fakeClient) {
				f.mangle = func(call int, out *kinesis.PutRecordsOutput) {
					if call == 1 {
						mangle(out)
					}
				}
			}, func(r *rig) {
				r.putN("k", 3)
				r.flush()
				r.settle(0)
				require.Equal(r, []int{3, 3}, r.c.requests())
				require.EqualValues(r, 3, r.p.Books().Delivered.Records)
				require.EqualValues(r, 3, r.p.Books().PossibleDuplicates, "they were stored before the answer was spoiled")
				require.Equal(r, awserr.CodeBadAnswer, r.heard().troubles[0].Code)
			})
		})
	}
}

func TestAClientThatPanicsOrAnswersNothing(t *testing.T) {
	bench(t, func(_ *Settings, f *fakeClient) {
		f.script = func(call int, _ []stored) (bool, error) {
			if call == 1 {
				panic("oh no")
			}
			return false, nil
		}
	}, func(r *rig) {
		r.putN("k", 3)
		r.flush()
		r.inOrder(r.c.all(), 3)
		require.Contains(r, r.heard().troubles[0].Message, "oh no")
	})
}

func TestRetryAttempts(t *testing.T) {
	for attempts := range 3 {
		t.Run(fmt.Sprint(attempts), func(t *testing.T) {
			bench(t, func(s *Settings, f *fakeClient) {
				s.RetryAttempts = attempts
				f.recordFault = func(_ int, r stored) (string, string) {
					if r.data == "0001" {
						return "InternalFailure", "no"
					}
					return "", ""
				}
			}, func(r *rig) {
				r.putN("k", 3)
				r.flush()
				require.Equal(r, attempts+1, r.c.callCount())
				require.Equal(r, []Lost{{PartitionKey: "k", Bytes: 4, PTS: NoPTS, Token: "0001", Tries: attempts + 1}}, r.heard().lost[ReasonRetries])
			})
		})
	}
}

func TestRecordTTL(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) {
		s.RecordTTL = 3 * time.Second
		f.script = func(int, []stored) (bool, error) { return false, apiError("InternalFailure", 500) }
	}, func(r *rig) {
		r.put("k", "old")
		r.settle(2 * time.Second)
		r.put("k", "new")
		r.settle(1100 * time.Millisecond)
		require.Equal(r, "old", r.heard().lost[ReasonTTL][0].Token)
		require.Len(r, r.heard().lost[ReasonTTL], 1)
		r.settle(2 * time.Second)
		require.Len(r, r.heard().lost[ReasonTTL], 2)
		require.Zero(r, r.p.Books().InFlight)
	})
}

func TestNoHotLoop(t *testing.T) {
	for name, err := range map[string]error{
		"refused":   &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED},
		"throttled": apiError("ThrottlingException", 400),
		"denied":    apiError("AccessDeniedException", 400),
	} {
		t.Run(name, func(t *testing.T) {
			bench(t, func(s *Settings, f *fakeClient) {
				s.PermanentGrace, s.StopTimeout = time.Hour, 0
				f.latency = func() time.Duration { return 0 }
				f.script = func(call int, _ []stored) (bool, error) {
					if call == 1 {
						return false, nil
					}
					return false, err
				}
			}, func(r *rig) {
				r.put("k", "x")
				r.flush()
				for i := range 100 {
					r.put(fmt.Sprint(i), "x")
				}
				r.settle(time.Minute)
				require.Less(r, r.c.callCount(), 100)
				require.Greater(r, r.c.callCount(), 10)
			})
		})
	}
}

func TestAThrottledLaneSendsAsMuchAsItsShardTook(t *testing.T) {
	bench(t, func(s *Settings, c *fakeClient) {
		taken := 0
		c.recordFault = func(call int, _ stored) (string, string) {
			if taken++; call == 1 && taken > 40 {
				return "ProvisionedThroughputExceededException", ""
			}
			return "", ""
		}
	}, func(r *rig) {
		r.putN("k", 100)
		r.flush()
		r.inOrder(r.c.all(), 100)
		require.Equal(r, []int{100, 40, 20}, r.c.requests())
	})
}
