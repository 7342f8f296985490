package producer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOneBadRecordDoesNotKillTheOthers(t *testing.T) {
	named := "1 validation error detected: Value '' at 'records.17.member.partitionKey' failed to satisfy constraint"
	for name, err := range map[string]error{
		"named":     apiError("ValidationException", 400, named),
		"too large": apiError("RequestEntityTooLarge", 413),
	} {
		for _, bad := range []string{"0000", "0017", "0099"} {
			t.Run(name+bad, func(t *testing.T) {
				bench(t, func(_ *Settings, f *fakeClient) {
					f.script = func(_ int, records []stored) (bool, error) {
						for _, r := range records {
							if r.data == bad {
								return false, err
							}
						}
						return false, nil
					}
				}, func(r *rig) {
					r.putN("k", 100)
					r.flush()
					require.Len(r, r.c.all(), 99)
					require.LessOrEqual(r, r.c.callCount(), 2*7+1)
					var code interface{ ErrorCode() string }
					require.ErrorAs(r, err, &code)
					require.Equal(r, bad, r.heard().lost[code.ErrorCode()][0].Token)
					require.Empty(r, r.heard().failures)
				})
			})
		}
	}
}

func TestARefusalThatNamesNothing(t *testing.T) {
	refuse := func(f *fakeClient, from int) {
		f.script = func(call int, records []stored) (bool, error) {
			for _, r := range records {
				if call >= from && strings.HasPrefix(r.data, "bad") {
					return false, apiError("InvalidArgumentException", 400)
				}
			}
			return false, nil
		}
	}
	t.Run("once records were taken it is looked for", func(t *testing.T) {
		bench(t, func(_ *Settings, f *fakeClient) { refuse(f, 1) }, func(r *rig) {
			r.putN("k", 1)
			r.flush()
			for i := range 30 {
				r.put("k", fmt.Sprintf("%04d", i))
			}
			r.put("k", "bad")
			r.flush()
			require.Len(r, r.c.all(), 31)
			require.Len(r, r.heard().lost["InvalidArgumentException"], 1)
		})
	})
	t.Run("before it is the stream's", func(t *testing.T) {
		bench(t, func(_ *Settings, f *fakeClient) { refuse(f, 1) }, func(r *rig) {
			r.put("k", "bad")
			r.settle(time.Second)
			require.Len(r, r.heard().failures, 1)
		})
	})
	t.Run("when all are refused it is the stream's", func(t *testing.T) {
		bench(t, func(_ *Settings, f *fakeClient) { refuse(f, 2) }, func(r *rig) {
			r.put("k", "bad0")
			r.flush()
			for range 10 {
				r.put("k", "bad")
				r.settle(100 * time.Millisecond)
			}
			require.Len(r, r.heard().lost["InvalidArgumentException"], mostRefusals)
			r.settle(40 * time.Second)
			require.Len(r, r.heard().failures, 1, "after permanent-grace")
		})
	})
}

func TestWhenAllRecordsAreRefusedTheSearchIsBounded(t *testing.T) {
	named := "1 validation error detected: Value '' at 'records.1.member.data' failed to satisfy constraint"
	bench(t, func(_ *Settings, f *fakeClient) {
		f.script = failWith(apiError("ValidationException", 400, named), 1)
	}, func(r *rig) {
		r.putN("k", 200)
		r.settle(r.s.Linger + mostBarren*2*10*time.Millisecond)
		require.LessOrEqual(r, r.c.callCount(), 2*mostBarren)
		require.Empty(r, r.heard().failures, "the service names the records")
		r.settle(10 * time.Minute)
		require.EqualValues(r, 200, r.p.Books().Dropped["ValidationException"].Records)
	})
}
