package gst_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// actingSink has signals and actions; actions note what they were called with.
type actingSink struct {
	hookedSink
	action func(name string, args []any) any
}

func (a *actingSink) Action(name string, args []any) any { return a.action(name, args) }

func defineActingSink(t testing.TB, made func(*actingSink)) string {
	t.Helper()
	return define(t, gst.Class{
		Kind: gst.KindSink,
		Signals: []gst.Signal{
			{Name: "plain"},
			{Name: "everything", Params: []any{"", false, int32(0), uint32(0), int64(0), uint64(0), float64(0), (*gst.Structure)(nil)}, Result: ""},
			{Name: "objects", Params: []any{(*gst.Object)(nil), gst.Caps{}, gst.Buffer{}}, Result: gst.Caps{}},
			{Name: "redrive", Action: true, Params: []any{"", uint64(0)}, Result: (*gst.Structure)(nil)},
			{Name: "count", Action: true, Params: []any{gst.Buffer{}}, Result: int32(0)},
			{Name: "make", Action: true, Params: []any{int32(0)}, Result: gst.Buffer{}},
			{Name: "pad", Action: true, Result: (*gst.Object)(nil)},
			{Name: "forget", Action: true},
		},
		New: func(e *gst.Element) any {
			a := &actingSink{}
			a.e = e
			made(a)
			return a
		},
	})
}

func TestSignals(t *testing.T) {
	gsttest.LeakCheck(t)
	var a *actingSink
	e := newElement(t, defineActingSink(t, func(made *actingSink) { a = made }))
	var got []any
	id := e.Connect("everything", func(args []any) any {
		require.True(t, args[0].(*gst.Object).Same(e))
		got = args[1:]
		return "heard"
	})
	require.NotZero(t, id)
	more := gst.NewStructure("more", gst.Field{Name: "k", Value: "v"})
	require.Equal(t, "heard", a.e.Emit("everything", "text", true, int32(-1), uint32(2), int64(-3), uint64(4), 5.5, more))
	require.Equal(t, []any{"text", true, int32(-1), uint32(2), int64(-3), uint64(4), 5.5, more}, got)
	require.Equal(t, "heard", a.e.Emit("everything", "text", 1, 1, 2, 3, 4, 5, more), "numbers fit themselves to the parameters")
	require.Equal(t, []any{"text", true, int32(1), uint32(2), int64(3), uint64(4), 5.0, more}, got)

	e.Disconnect(id)
	got = nil
	require.Equal(t, "", a.e.Emit("everything", "text", true, 1, 2, 3, 4, 5, more))
	require.Nil(t, got)
	require.Zero(t, e.Connect("nothing", func([]any) any { return nil }))
	require.Nil(t, a.e.Emit("nothing"))
	require.Nil(t, a.e.Emit("plain", "an argument too many"))
}

func TestSignalsCarryObjects(t *testing.T) {
	gsttest.LeakCheck(t)
	var a *actingSink
	e := newElement(t, defineActingSink(t, func(made *actingSink) { a = made }))
	e.Connect("objects", func(args []any) any {
		require.True(t, args[1].(*gst.Object).Same(e), "borrowed")
		require.Equal(t, "video/x-raw", args[2].(gst.Caps).Name())
		require.Equal(t, "abc", string(args[3].(gst.Buffer).Bytes()))
		return args[2].(gst.Caps).Ref() // taken
	})
	caps, err := gst.ParseCaps("video/x-raw,width=5")
	require.NoError(t, err)
	defer caps.Unref()
	b := gst.NewBuffer([]byte("abc"))
	defer b.Unref()
	out := a.e.Emit("objects", e, caps, b).(gst.Caps)
	defer out.Unref()
	require.True(t, out.Equal(caps))
}

func TestNotify(t *testing.T) {
	gsttest.LeakCheck(t)
	e := newElement(t, definePropertySink(t, nil))
	n := 0
	id := e.Connect("notify::text", func([]any) any { n++; return nil })
	require.NotZero(t, id)
	require.NoError(t, e.Set("text", "x"))
	require.NoError(t, e.Set("int", 1))
	require.Equal(t, 1, n)
	e.Disconnect(id)
}

func TestActions(t *testing.T) {
	gsttest.LeakCheck(t)
	var calls []any
	e := newElement(t, defineActingSink(t, func(a *actingSink) {
		a.action = func(name string, args []any) any {
			calls = append(calls, name)
			switch name {
			case "redrive":
				return gst.NewStructure("redriven", gst.Field{Name: "of", Value: args[0].(string)}, gst.Field{Name: "n", Value: args[1].(uint64)})
			case "count":
				return args[0].(gst.Buffer).Size() // an int where the signal has an int32
			case "make":
				return gst.NewBuffer(make([]byte, args[0].(int32)))
			case "pad":
				return a.e.Object()
			}
			return nil
		}
	}))
	s := e.Emit("redrive", "dead", 5).(*gst.Structure)
	require.Equal(t, "dead", s.Str("of"))
	require.Equal(t, uint64(5), s.Uint64("n"))
	b := gst.NewBuffer([]byte("four"))
	require.Equal(t, int32(4), e.Emit("count", b))
	b.Unref()
	b = e.Emit("make", 9).(gst.Buffer)
	require.Equal(t, 9, b.Size())
	b.Unref()
	o := e.Emit("pad").(*gst.Object)
	require.True(t, o.Same(e))
	o.Unref()
	require.Nil(t, e.Emit("forget"))
	require.Equal(t, []any{"redrive", "count", "make", "pad", "forget"}, calls)
}

func TestActionWithoutAnActor(t *testing.T) {
	gsttest.LeakCheck(t)
	name := define(t, gst.Class{Kind: gst.KindSink, Signals: []gst.Signal{{Name: "act", Action: true, Result: int32(0)}},
		New: func(*gst.Element) any { return renderFunc(func(*gst.View) gst.Flow { return gst.FlowOK }) }})
	e := newElement(t, name)
	require.Equal(t, gst.StateChangeFailure, e.SetState(gst.StateReady), "the class and its Go half do not fit")
	require.Equal(t, gst.StateChangeSuccess, e.SetState(gst.StateNull))
}
