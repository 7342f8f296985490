package gst_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/cgo/gsttest"
)

// outcomes collects what tokens report.
type outcomes struct {
	mu  sync.Mutex
	all []gst.Outcome
}

func (o *outcomes) done(r gst.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, r)
}

func (o *outcomes) got() []gst.Outcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]gst.Outcome(nil), o.all...)
}

// tokened gives a buffer with a token of its own.
func (o *outcomes) tokened(t *testing.T, data string) gst.Buffer {
	t.Helper()
	b := gsttest.FrameAt(0, []byte(data)).Buffer()
	token := gst.NewToken(o.done)
	require.True(t, b.SetToken(token))
	token.Unref()
	return b
}

// completing is a sink that says what became of each buffer, by its first letter.
func completing(v *gst.View) gst.Flow {
	switch v.Memory(0)[0] {
	case 'd':
		v.Token().Complete(gst.OutcomeDelivered)
	case 'f':
		v.Token().Complete(gst.OutcomeFailed)
	case 'x':
		v.Token().Complete(gst.OutcomeDropped)
	}
	return gst.FlowOK
}

func TestTokenOutcomes(t *testing.T) {
	gsttest.LeakCheck(t)
	for _, c := range []struct {
		data string
		want gst.Outcome
	}{
		{"delivered", gst.OutcomeDelivered}, {"failed", gst.OutcomeFailed}, {"xdropped", gst.OutcomeDropped}, {"lost", gst.OutcomeLost},
	} {
		var o outcomes
		h := gsttest.New(t, defineSink(t, completing))
		h.SetSrcCaps("application/x-test")
		require.Equal(t, gst.FlowOK, h.PushBuffer(o.tokened(t, c.data)))
		require.Equal(t, []gst.Outcome{c.want}, o.got(), c.data)
		h.Close()
	}
}

// A sink that keeps the token beyond Render reports when it is done with it.
func TestTokenOutlivesItsBuffer(t *testing.T) {
	gsttest.LeakCheck(t)
	var o outcomes
	var kept gst.Token
	h := gsttest.New(t, defineSink(t, func(v *gst.View) gst.Flow { kept = gst.TokenFromPointer(v.Token().Ref().Pointer()); return gst.FlowOK }))
	h.SetSrcCaps("application/x-test")
	require.Equal(t, gst.FlowOK, h.PushBuffer(o.tokened(t, "abc")))
	require.Empty(t, o.got())
	kept.Complete(gst.OutcomeDelivered)
	require.Empty(t, o.got(), "it reports when nobody can say more")
	kept.Unref()
	require.Equal(t, []gst.Outcome{gst.OutcomeDelivered}, o.got())
}

func TestTokenThroughElements(t *testing.T) {
	gsttest.LeakCheck(t)
	split := defineGenerate(t, func(in *gst.View, out *gst.Outputs) gst.Flow {
		in.Token().Expect(in.Size() - 1)
		for i := range in.Size() {
			out.Push(in.Buffer().Region(i, 1))
		}
		return gst.FlowOK
	})
	wrap := defineGenerate(t, func(_ *gst.View, out *gst.Outputs) gst.Flow { out.Wrap(nil, []byte("!")); return gst.FlowOK })
	resize := define(t, gst.Class{Kind: gst.KindResize, New: func(e *gst.Element) any {
		r := &hookedResize{size: func(_ gst.PadDirection, n int) (int, bool) { return n, true }}
		r.e = e
		r.transform = func(in, out *gst.View) gst.Flow { copy(out.Memory(0), in.Memory(0)); return gst.FlowOK }
		return r
	}})
	sink := defineSink(t, completing)
	for _, c := range []struct {
		line, data string
		want       gst.Outcome
	}{
		{"identity", "d", gst.OutcomeDelivered},
		{"queue", "d", gst.OutcomeDelivered},
		{wrap, "d", gst.OutcomeDelivered},
		{resize, "d", gst.OutcomeDelivered},
		{resize, "-", gst.OutcomeLost},
		{"identity drop-probability=1", "d", gst.OutcomeLost},
		{split, "ddd", gst.OutcomeDelivered},
		{split, "dd-", gst.OutcomeLost},
		{split, "dfd", gst.OutcomeFailed},
		{split, "xxx", gst.OutcomeDropped},
		{split, "dx", gst.OutcomeDelivered},
		{split + " ! " + wrap + " ! queue", "ddd", gst.OutcomeDelivered},
		{"tee name=t t. ! queue ! " + sink + " async=false t. ! queue", "d", gst.OutcomeDelivered},
		{"tee name=t t. ! queue ! fakesink async=false t. ! queue", "f", gst.OutcomeFailed},
	} {
		var o outcomes
		h := gsttest.NewPads(t, parseBin(t, c.line+" ! "+sink+" async=false"), "sink", "")
		h.SetSrcCaps("application/x-test")
		require.Equal(t, gst.FlowOK, h.PushBuffer(o.tokened(t, c.data)), c.line)
		h.PushEvent(gst.NewEOS())
		h.AwaitMessage(gst.MessageEOS)
		h.Close()
		require.Equal(t, []gst.Outcome{c.want}, o.got(), "%s, %s", c.line, c.data)
	}
}

func parseBin(t testing.TB, line string) *gst.Object {
	t.Helper()
	b, err := gst.ParseBin(line)
	require.NoError(t, err)
	t.Cleanup(b.Unref)
	return b
}

func TestTokenOfABuffer(t *testing.T) {
	gsttest.LeakCheck(t)
	var o outcomes
	b := gst.NewBuffer([]byte("x"))
	require.True(t, b.Token().IsNil())
	one, two := gst.NewToken(o.done), gst.NewToken(o.done)
	require.True(t, b.SetToken(one))
	require.True(t, b.SetToken(two), "in place of the first")
	one.Unref()
	require.Equal(t, []gst.Outcome{gst.OutcomeLost}, o.got())
	require.Equal(t, two.Pointer(), b.Token().Pointer())
	b.Ref()
	require.False(t, b.SetToken(two), "not writable")
	b.Unref()
	two.Complete(gst.OutcomeDropped)
	two.Unref()
	b.Unref()
	require.Equal(t, []gst.Outcome{gst.OutcomeLost, gst.OutcomeDropped}, o.got())
}

func TestTokensFromManyThreads(t *testing.T) {
	gsttest.LeakCheck(t)
	var delivered atomic.Int64
	const tokens, parts = 50, 40
	for range tokens {
		token := gst.NewToken(func(o gst.Outcome) {
			if o == gst.OutcomeDelivered {
				delivered.Add(1)
			}
		})
		token.Expect(parts - 1)
		var wg sync.WaitGroup
		for range parts {
			token.Ref()
			wg.Go(func() { token.Complete(gst.OutcomeDelivered); token.Unref() })
		}
		token.Unref()
		wg.Wait()
	}
	require.Equal(t, int64(tokens), delivered.Load())
}
