package gst_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// mode is a named string kind, as settings have them for enums.
type mode string

// settings have a field of every type that a property can have.
type settings struct {
	Text   string
	On     bool
	I      int32
	U      uint32
	I64    int64
	U64    uint64
	D      float64
	F      gst.Fraction
	Mode   mode
	Bits   uint32
	S      *gst.Structure
	Secret string
	Live   int32
}

var properties = &gst.Properties[settings]{
	Defaults: settings{Text: "a text", I: -5, U: 5, I64: -6, U64: 6, D: 1.5, F: gst.Fraction{Num: 30, Den: 1}, Mode: "sensor-name", Bits: 1, Live: 7},
	List: []gst.Property[settings]{
		{Name: "text", Blurb: "A text", Field: func(s *settings) any { return &s.Text }},
		{Name: "on", Blurb: "Whether it is on", Field: func(s *settings) any { return &s.On }},
		{Name: "int", Blurb: "Metres", Field: func(s *settings) any { return &s.I }, Min: -10, Max: 10},
		{Name: "uint", Blurb: "Bytes", Field: func(s *settings) any { return &s.U }, Min: 1, Max: 4000000000},
		{Name: "int64", Blurb: "Milliseconds (-1 = infinite)", Field: func(s *settings) any { return &s.I64 }, Min: -6},
		{Name: "uint64", Blurb: "Nanoseconds", Field: func(s *settings) any { return &s.U64 }, Max: uint64(math.MaxUint64)},
		{Name: "double", Blurb: "Ratio", Field: func(s *settings) any { return &s.D }, Min: 0.5, Max: 2},
		{Name: "fraction", Blurb: "Frames per second", Field: func(s *settings) any { return &s.F }, Max: gst.Fraction{Num: 120, Den: 1}},
		{Name: "mode", Blurb: "Which mode", Field: func(s *settings) any { return &s.Mode }, EnumName: "GgoTestMode", Values: []gst.EnumValue{
			{Nick: "sensor-name", Name: "sensor_name", Value: 0}, {Nick: "random", Value: 3},
		}},
		{Name: "bits", Blurb: "Which bits", Field: func(s *settings) any { return &s.Bits }, EnumName: "GgoTestBits", Values: []gst.EnumValue{
			{Nick: "one", Value: 1}, {Nick: "two", Value: 2}, {Nick: "four", Value: 4},
		}},
		{Name: "structure", Blurb: "More", Field: func(s *settings) any { return &s.S }},
		{Name: "secret", Blurb: "A key", Field: func(s *settings) any { return &s.Secret }, Flags: gst.WriteOnly},
		{Name: "live", Blurb: "Takes effect at once", Field: func(s *settings) any { return &s.Live }, Flags: gst.MutablePlaying},
		{Name: "stats", Blurb: "What was done", Field: func(s *settings) any { return &s.S }, Flags: gst.ReadOnly},
		{Name: "state-now", Blurb: "A mode that is computed", Field: func(s *settings) any { return &s.Mode }, Flags: gst.ReadOnly,
			EnumName: "GgoTestMode", Values: []gst.EnumValue{{Nick: "sensor-name", Name: "sensor_name", Value: 0}, {Nick: "random", Value: 3}}},
	},
}

// propertySink is a sink with all properties; changed tells of writes.
type propertySink struct {
	renderFunc
	settings *gst.Store[settings]
}

func (p *propertySink) ReadProperty(name string) any {
	if name == "state-now" {
		return "random"
	}
	return gst.NewStructure("stats", gst.Field{Name: "frames", Value: uint64(3)})
}

func definePropertySink(t testing.TB, made func(*propertySink)) string {
	t.Helper()
	return define(t, gst.Class{Kind: gst.KindSink, Properties: properties, New: func(e *gst.Element) any {
		p := &propertySink{renderFunc: func(*gst.View) gst.Flow { return gst.FlowOK }, settings: gst.NewStore(e, properties)}
		if made != nil {
			made(p)
		}
		return p
	}})
}

func newElement(t testing.TB, factory string) *gst.Object {
	t.Helper()
	e, err := gst.NewElement(factory, "")
	require.NoError(t, err)
	t.Cleanup(func() {
		e.SetState(gst.StateNull)
		e.Unref()
	})
	return e
}

func TestPropertiesAreDescribed(t *testing.T) {
	got := map[string]gsttest.Property{}
	list := gsttest.Properties(newElement(t, definePropertySink(t, nil)))
	for i, p := range list {
		require.Equal(t, properties.List[i].Name, p.Name)
		require.Equal(t, properties.List[i].Blurb, p.Blurb)
		got[p.Name] = p
	}
	for _, c := range []struct{ name, kind, def, lo, hi string }{
		{"text", "gchararray", `"a\ text"`, "", ""},
		{"on", "gboolean", "false", "", ""},
		{"int", "gint", "-5", "-10", "10"},
		{"uint", "guint", "5", "1", "4000000000"},
		{"int64", "gint64", "-6", "-6", "9223372036854775807"},
		{"uint64", "guint64", "6", "0", "18446744073709551615"},
		{"double", "gdouble", "1.5", "0.5", "2"},
		{"fraction", "GstFraction", "30/1", "0/1", "120/1"},
		{"mode", "GgoTestMode", "sensor-name", "", ""},
		{"bits", "GgoTestBits", "one", "", ""},
		{"structure", "GstStructure", "NULL", "", ""},
	} {
		p := got[c.name]
		require.Equal(t, c.kind, p.Type, c.name)
		require.Equal(t, c.lo, p.Min, c.name)
		require.Equal(t, c.hi, p.Max, c.name)
		require.Equal(t, strings.Trim(c.def, `"`), strings.Trim(p.Default, `"`), c.name)
		require.True(t, p.Readable && p.Writable && p.MutableReady && !p.MutablePlaying, c.name)
	}
	require.True(t, got["secret"].Writable && !got["secret"].Readable)
	require.True(t, got["live"].MutablePlaying)
	require.True(t, got["stats"].Readable && !got["stats"].Writable && !got["stats"].MutableReady)
}

func TestPropertyValues(t *testing.T) {
	gsttest.LeakCheck(t)
	e := newElement(t, definePropertySink(t, nil))
	more := gst.NewStructure("more", gst.Field{Name: "k", Value: "v"}, gst.Field{Name: "n", Value: []any{int32(1), int32(2)}})
	for _, c := range []struct {
		name      string
		set, want any
	}{
		{"text", "another", "another"},
		{"text", "", ""},
		{"on", true, true}, {"on", "false", false}, {"on", 1, true},
		{"int", 10, int32(10)}, {"int", int64(-10), int32(-10)}, {"int", "3", int32(3)},
		{"uint", 4000000000, uint32(4000000000)}, {"uint", "7", uint32(7)},
		{"int64", int64(math.MaxInt64), int64(math.MaxInt64)}, {"int64", 3, int64(3)},
		{"uint64", uint64(math.MaxUint64), uint64(math.MaxUint64)}, {"uint64", 3, uint64(3)},
		{"double", 2, 2.0}, {"double", 0.75, 0.75}, {"double", "1.25", 1.25},
		{"fraction", gst.Fraction{Num: 25, Den: 2}, gst.Fraction{Num: 25, Den: 2}}, {"fraction", "60/2", gst.Fraction{Num: 30, Den: 1}}, {"fraction", 15, gst.Fraction{Num: 15, Den: 1}},
		{"mode", "random", int32(3)}, {"mode", "sensor_name", int32(0)}, {"mode", 3, int32(3)}, {"mode", "sensor-name", int32(0)},
		{"bits", "one+four", uint32(5)}, {"bits", 2, uint32(2)},
		{"structure", more, more}, {"structure", "more,k=v", gst.NewStructure("more", gst.Field{Name: "k", Value: "v"})},
		{"structure", (*gst.Structure)(nil), (*gst.Structure)(nil)},
		{"live", 8, int32(8)},
	} {
		require.NoError(t, e.Set(c.name, c.set), "%s=%v", c.name, c.set)
		require.Equal(t, c.want, e.Get(c.name), "%s=%v", c.name, c.set)
	}
	require.NoError(t, e.Set("secret", "hush"))
	require.Nil(t, e.Get("secret"))
	require.Nil(t, e.Get("nothing"))
	require.Equal(t, uint64(3), e.Get("stats").(*gst.Structure).Uint64("frames"))
	require.Equal(t, int32(3), e.Get("state-now"))
	require.Equal(t, false, e.Get("sync"), "a base class's property")
}

func TestPropertyRefusals(t *testing.T) {
	gsttest.LeakCheck(t)
	e := newElement(t, definePropertySink(t, nil))
	for _, c := range []struct {
		name string
		set  any
		says string
	}{
		{"nothing", 1, "no property"},
		{"int", 11, "out of range"}, {"int", "11", "out of range"}, {"int", int64(1) << 40, "out of range"}, {"int", 1.5, "out of range"},
		{"uint", 0, "out of range"}, {"uint", -1, "out of range"}, {"uint64", -1, "out of range"},
		{"double", 2.5, "out of range"},
		{"fraction", gst.Fraction{Num: 121, Den: 1}, "out of range"},
		{"mode", "another", "GgoTestMode"}, {"mode", 9, "out of range"},
		{"bits", "eight", "GgoTestBits"},
		{"structure", "=", "GstStructure"}, {"structure", 5, "GstStructure"},
		{"stats", "x", "cannot be set"},
		{"int", gst.NewStructure("x"), "type"},
	} {
		err := e.Set(c.name, c.set)
		require.ErrorContains(t, err, c.says, "%s=%v", c.name, c.set)
	}
	require.Equal(t, int32(-5), e.Get("int"))
	require.Equal(t, int32(0), e.Get("mode"))
}

func TestSettingsSeeThemAsTheirOwnTypes(t *testing.T) {
	gsttest.LeakCheck(t)
	var p *propertySink
	var names []string
	e := newElement(t, definePropertySink(t, func(made *propertySink) {
		p = made
		// Changed runs without the store's lock: it may read the store.
		p.settings.Changed = func(name string) { names = append(names, fmt.Sprint(name, "=", p.settings.Get().Mode)) }
	}))
	require.NoError(t, e.Set("mode", "random"))
	require.NoError(t, e.Set("bits", "two+four"))
	require.NoError(t, e.Set("secret", "hush"))
	require.Equal(t, []string{"mode=random", "bits=random", "secret=random"}, names)
	require.Equal(t, mode("random"), p.settings.Get().Mode)
	require.Equal(t, uint32(6), p.settings.Get().Bits)
	require.Equal(t, "hush", p.settings.Get().Secret)
	p.settings.Update(func(s *settings) { s.I = 9 })
	require.Equal(t, int32(9), e.Get("int"))
	other := newElement(t, definePropertySink(t, nil))
	require.Equal(t, int32(-5), other.Get("int"), "instances have settings of their own")
}

func TestPropertiesInALaunchLine(t *testing.T) {
	gsttest.LeakCheck(t)
	name := definePropertySink(t, nil)
	p := gsttest.Parse(t, "videotestsrc num-buffers=1 ! "+name+` name=s text="a b" on=true int=3 mode=sensor_name bits=one+two fraction=25/1 structure="more,k=v" secret=hush`)
	s := p.Element("s")
	require.Equal(t, "a b", s.Get("text"))
	require.Equal(t, true, s.Get("on"))
	require.Equal(t, int32(0), s.Get("mode"))
	require.Equal(t, uint32(3), s.Get("bits"))
	require.Equal(t, gst.Fraction{Num: 25, Den: 1}, s.Get("fraction"))
	require.Equal(t, "v", s.Get("structure").(*gst.Structure).Str("k"))
	p.Run()
	require.Contains(t, p.Dot(), "a b")
	require.NotContains(t, p.Dot(), "hush")
	_, err := gst.Parse("videotestsrc ! " + name + " mode=another")
	require.ErrorContains(t, err, "another")
}

func TestPropertiesWhilePlaying(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, definePropertySink(t, nil))
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(0, []byte("x"))))
	h.Set("live", 8)
	require.Equal(t, int32(8), h.Get("live"))
	require.Nil(t, h.Message(0, gst.MessageWarning))
	h.Set("int", 3)
	require.Equal(t, int32(-5), h.Get("int"), "what is not mutable in PLAYING stays")
	m := h.AwaitMessage(gst.MessageWarning)
	require.Equal(t, gst.LibrarySettings, m.Err.Code)
	require.Contains(t, m.Err.Text, `"int"`)
}

func TestPropertyWritesFromOtherThreadsWhilePlaying(t *testing.T) {
	gsttest.LeakCheck(t)
	h := gsttest.New(t, definePropertySink(t, nil))
	h.SetSrcCaps("application/x-test")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 300 {
				if err := h.Element().Set("live", i*4+w); err != nil {
					t.Error(err)
				}
				h.Get("live")
				h.Get("stats")
			}
		})
	}
	for i := range 300 {
		require.Equal(t, gst.FlowOK, h.Push(gsttest.FrameAt(uint64(i), []byte("x"))))
	}
	wg.Wait()
}
