package producer

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func packed(a Aggregation) func(*Settings, *fakeClient) {
	return func(s *Settings, c *fakeClient) {
		s.Aggregation, c.lines = a, a == AggregateNewline
	}
}

// Many small records become few of Kinesis', within size and count, each of one shard.
func TestAggregates(t *testing.T) {
	for name, c := range map[string]struct {
		aggregation   Aggregation
		size, count   int // the bounds
		records, each int
		units         int // at most; 0: as many as records
	}{
		"by size":               {AggregateKPL, 25_000, 500, 2000, 100, 2000*115/25_000 + 5},
		"by count":              {AggregateKPL, 100_000, 10, 2000, 100, 204},
		"lines by size":         {AggregateNewline, 25_000, 500, 2000, 100, 2000*101/25_000 + 5},
		"too large to go along": {AggregateKPL, 1000, 500, 10, 2000, 0},
		"lines too large":       {AggregateNewline, 1000, 500, 10, 2000, 0},
		"none":                  {AggregateNone, 25_000, 500, 100, 100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			benchShards(t, func(s *Settings, f *fakeClient) {
				packed(c.aggregation)(s, f)
				s.AggregateMaxSize, s.AggregateMaxCount, f.shards = c.size, c.count, 4
			}, func(r *rig) {
				r.know()
				begun := r.c.units
				for i := range c.records {
					text := fmt.Sprintf("%04d", i)
					r.put(fmt.Sprint("key", i%50), text+strings.Repeat("x", c.each-len(text)))
				}
				r.flush()
				units := r.c.units - begun
				if c.units == 0 {
					require.Equal(r, c.records, units)
				} else {
					require.LessOrEqual(r, units, c.units)
				}
				require.EqualValues(r, r.c.units, r.p.Stats().KinesisRecords)
				require.EqualValues(r, c.records+1, r.p.Books().Delivered.Records)
				stream := r.c.all()
				require.Len(r, stream, c.records+1)
				for _, s := range stream {
					require.False(r, s.void)
					require.LessOrEqual(r, s.index, c.count)
				}
			})
		})
	}
}

// A record alone is sent as it is; so a slow stream costs readers nothing.
func TestAloneIsNoAggregate(t *testing.T) {
	bench(t, packed(AggregateKPL), func(r *rig) {
		r.put("k", "alone")
		r.flush()
		require.Equal(r, 0, r.c.all()[0].index)
		require.Equal(r, []int{len("alone") + len("k")}, r.c.bytes)
	})
}

// While the shards are not known, only records of the same key go together.
func TestAggregatesWithoutTheShards(t *testing.T) {
	bench(t, packed(AggregateKPL), func(r *rig) {
		for i := range 100 {
			r.put(fmt.Sprint("key", i%4), fmt.Sprint(i))
		}
		r.flush()
		require.Less(r, r.c.units, 50)
		keys := map[string]string{}
		for _, s := range r.c.all() {
			require.Equal(r, s.key, orSame(keys, s.sequence, s.key))
		}
	})
}

func orSame(m map[string]string, of, value string) string {
	if m[of] == "" {
		m[of] = value
	}
	return m[of]
}

// After a split an aggregate of the old shard lies on one of its children, and KCL throws it away: its records are sent again by the new shards.
func TestAstrayAggregatesComeAgain(t *testing.T) {
	benchShards(t, func(s *Settings, f *fakeClient) {
		packed(AggregateKPL)(s, f)
		f.shards = 1
	}, func(r *rig) {
		r.know()
		r.c.split(0)
		for i := range 200 {
			r.put(fmt.Sprint("key", i%50), fmt.Sprintf("%04d", i))
		}
		r.flush()
		sound, void := map[string]bool{}, 0
		for _, s := range r.c.all() {
			if s.void {
				void++
			} else {
				sound[s.data] = true
			}
		}
		require.Positive(r, void)
		require.Len(r, sound, 201, "each is in an aggregate that is read, and what went before")
		require.EqualValues(r, void, r.p.Books().PossibleDuplicates)
		require.Less(r, r.since(), 3*time.Second)
	})
}

// What an aggregate is refused for may be one record's fault: the others are delivered.
func TestRefusedAggregatesAreTriedOneByOne(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) {
		packed(AggregateKPL)(s, f)
		f.recordFault = func(_ int, rec stored) (string, string) {
			if strings.Contains(rec.data, "0007") {
				return "ValidationException", "1 validation error detected"
			}
			return "", ""
		}
	}, func(r *rig) {
		r.putN("k", 20)
		r.flush()
		b := r.p.Books()
		require.EqualValues(r, 19, b.Delivered.Records)
		require.Equal(r, Count{1, 4}, b.Dropped["ValidationException"])
	})
}

// A key's order in strict mode is that of aggregates, one under way at a time.
func TestStrictSendsOneAggregateOfAKey(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) {
		packed(AggregateKPL)(s, f)
		strictly(s)
		s.AggregateMaxCount = 10
	}, func(r *rig) {
		for i := range 100 {
			r.put("a", fmt.Sprintf("%04d", i))
			r.put("b", fmt.Sprintf("%04d", i))
		}
		r.flush()
		of, calls := map[string][]stored{}, map[string]bool{}
		for _, s := range r.c.all() {
			if s.index == 0 {
				what := fmt.Sprint(s.key, s.call)
				require.False(r, calls[what], "two of a key in a request")
				calls[what] = true
			}
			of[s.key] = append(of[s.key], s)
		}
		r.inOrder(of["a"], 100)
		r.inOrder(of["b"], 100)
		require.LessOrEqual(r, r.c.units, 24)
	})
}

// A line takes its end along, and so does its size.
func TestLinesHaveAnEnd(t *testing.T) {
	bench(t, func(s *Settings, f *fakeClient) {
		packed(AggregateNewline)(s, f)
		s.MaxRecordSize = 100
	}, func(r *rig) {
		fits := strings.Repeat("x", 98)
		r.put("k", fits)
		r.put("k", fits+"x")
		r.put("k", fits+"\n")
		r.flush()
		require.EqualValues(r, 2, r.p.Books().Delivered.Records)
		require.EqualValues(r, 1, r.p.Books().Dropped[ReasonOversize].Records)
	})
}

func BenchmarkAggregates(b *testing.B) {
	for _, a := range []Aggregation{AggregateNone, AggregateKPL, AggregateNewline} {
		b.Run(a.String(), func(b *testing.B) {
			s := Default()
			s.Stream, s.Aggregation = "frames", a
			p, err := New(newDiscard(), s, nil)
			require.NoError(b, err)
			defer p.Close()
			b.SetBytes(200)
			b.ReportAllocs()
			for b.Loop() {
				r := p.Reserve(200)
				r.PartitionKey = "camera0"
				if err := p.Put(context.Background(), r); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, p.Flush(context.Background()))
			b.ReportMetric(float64(p.Books().Delivered.Records)/float64(max(1, p.Stats().KinesisRecords)), "records/kinesis-record")
		})
	}
}
