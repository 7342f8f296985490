package bus_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gst-kinesis/cgo/gst"
	"gst-kinesis/internal/awserr"
	"gst-kinesis/internal/trouble"
	"gst-kinesis/plugins/internal/bus"
)

func TestSentences(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "reading x: no such file": "Reading x: no such file.", "Done.": "Done.", "äh": "äh."} {
		require.Equal(t, want, bus.Sentence(errors.New(in)))
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault awserr.Fault
		want  gst.Code
	}{
		{awserr.Fault{Code: "ResourceNotFoundException"}, gst.ResourceNotFound},
		{awserr.Fault{Code: awserr.CodeNoRegion}, gst.ResourceSettings},
		{awserr.Fault{Code: "ConnectionLimitExceededException"}, gst.ResourceBusy},
		{awserr.Fault{Code: awserr.CodeDNS}, gst.ResourceOpenWrite},
		{awserr.Fault{Code: "AccessDeniedException", Class: awserr.Permanent, Party: awserr.Caller}, gst.ResourceNotAuthorized},
		{awserr.Fault{Code: "InternalFailure", Class: awserr.Transient, Party: awserr.Service}, gst.ResourceWrite},
	} {
		require.Equal(t, c.want, bus.Code(c.fault), c.fault.Code)
	}
}

func TestATroubleTellsCauseAndRemedy(t *testing.T) {
	t.Parallel()
	e := bus.Trouble(trouble.Trouble{
		Fault:  awserr.Fault{Code: "X", Message: "it is denied", Remedy: "allow it", HTTPStatus: 403, RequestID: "r"},
		Stream: "s", Region: "eu", Count: 2, Records: 7,
	}, "frames")
	require.Equal(t, "Writing to stream s: it is denied. Allow it.", e.Text)
	require.EqualValues(t, 7, e.Details.Uint64("frames"))
	require.EqualValues(t, 403, e.Details.Uint64("http-status-code"))
	require.Equal(t, "allow it", e.Details.Str("remedy"))
}

func TestACanceller(t *testing.T) {
	t.Parallel()
	c := bus.NewCanceller()
	first := c.Context()
	require.NoError(t, first.Err())
	c.Cancel()
	require.ErrorIs(t, first.Err(), context.Canceled)
	c.Renew()
	require.NoError(t, c.Context().Err())
	second := c.Context()
	c.Renew()
	require.Error(t, second.Err())
}

func TestAWord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, began := bus.NewWord(), time.Now()
		w.Await(t.Context())
		require.Equal(t, time.Second, time.Since(began), "nobody gives it")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w.Await(ctx)
		go func() { time.Sleep(time.Millisecond); w.Give(); w.Give() }()
		w.Await(t.Context())
		w.Await(t.Context())
		require.Equal(t, time.Second+time.Millisecond, time.Since(began))
	})
}
