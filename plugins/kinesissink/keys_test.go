package kinesissink_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// keysAndShards gives the keys of what a line wrote, in order, and the shards they lie on.
func keysAndShards(t *testing.T, shards int, source, properties string) (keys []string, on map[string]bool, s *gst.Structure) {
	t.Helper()
	srv, to := endpoint(t, shards)
	_, s = run(t, source+" ! kinesissink name=k "+to+" "+properties)
	on = map[string]bool{}
	for _, r := range stored(t, srv) {
		keys = append(keys, r.PartitionKey)
		on[r.ShardID] = true
	}
	return keys, on, s
}

const eightFrames = "fakesrc num-buffers=8 sizetype=fixed sizemax=10 filltype=pattern"

// As many keys as asked for lie on as many shards: that is what rotating over names cannot promise.
func TestSpreadOverShards(t *testing.T) {
	for shards, properties := range map[int]string{4: "shards=4", 2: "shards=2", 1: "shards=8"} {
		keys, on, _ := keysAndShards(t, 4, eightFrames, "partition-key-mode=spread sensor-name=cam "+properties)
		require.Len(t, keys, 8)
		require.Contains(t, keys, "cam1")
		want := shards
		if properties == "shards=8" {
			want = 4
		}
		require.Len(t, on, want, properties)
	}
}

func TestExplicitHashKey(t *testing.T) {
	_, on, _ := keysAndShards(t, 4, eightFrames, "partition-key-mode=random explicit-hash-key=340282366920938463463374607431768211455")
	require.Equal(t, map[string]bool{"shardId-000000000003": true}, on)
}

func TestKeyOfAField(t *testing.T) {
	for name, c := range map[string]struct{ upstream, field, want string }{
		"of msgpack":           {"! msgpackenc sensor-name=north", "sensor_name", "north"},
		"of JSON":              {"! jsonenc sensor-name=south", "sensor_name", "south"},
		"of a map in the map":  {`! msgpackenc extra="extra,site=(structure)\"site\\,zone\\=(string)z1\\;\""`, "site.zone", "z1"},
		"of the caps":          {"! application/x-test,zone=z2", "caps:zone", "z2"},
		"a number of the caps": {"! application/x-test,lane=3", "caps:lane", "3"},
	} {
		t.Run(name, func(t *testing.T) {
			keys, _, s := keysAndShards(t, 1, eightFrames+" "+c.upstream, "partition-key-mode=field partition-key-field="+c.field)
			require.Len(t, keys, 8)
			for _, key := range keys {
				require.Equal(t, c.want, key)
			}
			require.EqualValues(t, 8, s.Uint64("records-delivered"))
		})
	}
}

func TestKeyOfAMeta(t *testing.T) {
	gst.RegisterCustomMeta("test-plate")
	srv, to := endpoint(t, 1)
	h := sink(t, to+" partition-key-mode=field partition-key-field=meta:test-plate.number")
	h.SetSrcCaps("application/x-test")
	for i := range 3 {
		b := gsttest.FrameAt(uint64(i), []byte("x")).Buffer()
		require.True(t, b.AddCustomMeta(gst.NewStructure("test-plate", gst.Field{Name: "number", Value: fmt.Sprint("AB ", i)})))
		require.Equal(t, gst.FlowOK, h.PushBuffer(b))
	}
	h.PushEvent(gst.NewEOS())
	records := stored(t, srv)
	require.Len(t, records, 3)
	for i, r := range records {
		require.Equal(t, fmt.Sprint("AB ", i), r.PartitionKey)
	}
}

// warned plays a line to its end and gives the stats of its kinesissink "k" and the texts of the warnings.
func warned(t *testing.T, line string) (s *gst.Structure, warnings []string) {
	t.Helper()
	p := gsttest.Parse(t, line)
	p.Play()
	for {
		m := p.Await(gst.MessageEOS | gst.MessageWarning)
		if m.Type == gst.MessageEOS {
			s = stats(p.Element("k"))
			balanced(t, s)
			return s, warnings
		}
		warnings = append(warnings, m.Err.Text)
	}
}

// A record whose field is not there is that record's own fault: dropped, counted and said, and the others go on.
func TestFieldThatIsNotThere(t *testing.T) {
	_, to := endpoint(t, 1)
	s, warnings := warned(t, eightFrames+" ! msgpackenc ! kinesissink name=k partition-key-mode=field partition-key-field=plate "+to)
	require.EqualValues(t, 8, s.Get("dropped-by-reason").(*gst.Structure).Uint64("bad-key"))
	require.NotEmpty(t, warnings)
	require.Contains(t, warnings[0], `looking for "plate" in a record`)
}

func TestStrictOrderOverSeveralKeysWarns(t *testing.T) {
	for properties, warns := range map[string]bool{
		"ordering=strict": false, "ordering=strict shards=2": true, "shards=2": false, "ordering=strict partition-key-mode=random": true,
		"ordering=strict partition-key-mode=spread": true, "ordering=strict partition-key-mode=static partition-key=k shards=3": false,
	} {
		_, to := endpoint(t, 1)
		s, warnings := warned(t, eightFrames+" ! kinesissink name=k "+to+" "+properties)
		require.EqualValues(t, 8, s.Uint64("records-delivered"))
		require.Equal(t, warns, len(warnings) > 0, properties)
	}
}
